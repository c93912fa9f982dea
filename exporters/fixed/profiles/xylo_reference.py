"""Xylo as xylosim 0.1.3 computes it, in plain Python integers, tick by tick over every neuron; cores v1 and v2.

Written from the specification (fixed-point.md, section 3), not from `xylo.py`, and slow on purpose.  It has aliases,
which the emulator has not.  All states are int16; S(x) is x held within [-32768, 32767]; dec(x, d) is x >> d, rounded
down, or sgn x where that is 0.  In a tick, in order:

    input channels ascending, at most 15 events each; each synapse in list order, once per event:
        I := S(I + int16(w << shift))
    hidden neurons' spikes of the tick before, at most 31 each, likewise: into hidden neurons, then into the readout
    hidden neurons ascending: each I -= dec(I, dash_syn), then
        version 2: v := S(v + S(S(int16(-dec(v, dash_mem)) + sum I) + bias))
        version 1: v := S(v - dec(v, dash_mem) + sum I)
        while v >= threshold and fewer than 31 spikes: v -= threshold, a spike; those of its alias count as its own
    readout neurons likewise, at most one spike each
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

INPUTS, SPIKES = 15, 31                # the most events of a channel, spikes of a hidden neuron, in a tick


class Synapse(NamedTuple):
    target: int
    synapse: int
    weight: int


class Side(NamedTuple):
    """Neurons of one kind, hidden ones or the readout; one entry per neuron."""

    threshold: Sequence[int]
    dash_mem: Sequence[int]
    dash_syns: Sequence[Sequence[int]]
    bias: Sequence[int]                # of version 2; version 1 has none


class Core(NamedTuple):
    """A core's configuration: what xylosim's XyloLayer takes."""

    version: int
    synapses_in: Sequence[Sequence[Synapse]]         # by channel
    synapses_rec: Sequence[Sequence[Synapse]]        # by hidden neuron
    synapses_out: Sequence[Sequence[Synapse]]        # by hidden neuron
    hidden: Side
    readout: Side
    weight_shift_inp: int = 0
    weight_shift_rec: int = 0
    weight_shift_out: int = 0
    aliases: Sequence[Sequence[int]] = ()            # by hidden neuron: who fires with it


def held(x: int) -> int:
    return max(-32768, min(32767, x))


def int16(x: int) -> int:
    return (x + 32768) % 65536 - 32768


def dec(x: int, dash: int) -> int:
    y = x // 2**dash
    return y if y else (x > 0) - (x < 0)


def membrane(version: int, v: int, total: int, bias: int, dash: int) -> int:
    """v before the threshold is asked."""
    if version == 1:
        return held(v - dec(v, dash) + total)
    return held(v + held(held(int16(-dec(v, dash)) + total) + bias))


class Neuron:
    """One neuron's registers."""

    def __init__(self, version: int, threshold: int, dash_mem: int, dash_syns: Sequence[int], bias: int,
                 most: int = SPIKES) -> None:
        self.version, self.threshold, self.dash_mem, self.dash_syns, self.bias = (
            version, threshold, dash_mem, list(dash_syns), bias)
        self.most = most               # spikes in a tick
        self.i = [0] * len(self.dash_syns)
        self.v = 0
        self.clipped = 0               # how often a current or v was held
        self.fault: tuple[int, int] | None = None       # the first time: 0 for v, k + 1 for current k; what it came to

    @classmethod
    def of(cls, version: int, side: Side, k: int, most: int = SPIKES) -> "Neuron":
        return cls(version, side.threshold[k], side.dash_mem[k], side.dash_syns[k], side.bias[k], most)

    def arrive(self, synapse: int, weight: int) -> None:
        exact = self.i[synapse] + weight
        self.i[synapse] = held(exact)
        if self.i[synapse] != exact:
            self.clipped += 1
            self.fault = self.fault or (synapse + 1, exact)

    def made(self, given: int = 0) -> int:
        """What the tick does once all has arrived; the number of spikes, those given by aliases included."""
        self.i = [x - dec(x, dash) for x, dash in zip(self.i, self.dash_syns, strict=True)]
        exact = self.v - dec(self.v, self.dash_mem) + sum(self.i) + self.bias
        self.v = membrane(self.version, self.v, sum(self.i), self.bias, self.dash_mem)
        if self.v != exact:
            self.clipped += 1
            self.fault = self.fault or (0, exact)
        while self.v >= self.threshold and given < self.most:
            self.v -= self.threshold
            given += 1
        return given


class Recorded(Neuron):
    """A neuron of a `Network`, for exporters/fixed/reference.py: constants from its record."""

    masked = 0

    def __init__(self, record: Any, start: Any) -> None:
        super().__init__(int(record["version"]), int(record["threshold"]), int(record["dash_mem"]),
                         [int(x) for x in record["dash_syn"]], int(record["bias"]), int(record["most"]))
        self.fired = 0                 # tick 0 is not judged

    @property
    def currents(self) -> list[int]:
        return self.i

    def tick(self, arrivals: list[tuple[int, int]]) -> int:
        before = self.clipped
        for synapse, weight in arrivals:
            self.arrive(synapse, weight)
        self.fired = self.made()
        return self.clipped - before

    def judge(self) -> int:
        return self.fired


class Trace(NamedTuple):
    """[tick][neuron] (currents: [tick][neuron][synapse]) after each tick."""

    spikes: list[list[int]]
    v: list[list[int]]
    i: list[list[list[int]]]
    spikes_out: list[list[int]]
    v_out: list[list[int]]
    i_out: list[list[list[int]]]


def run(core: Core, inputs: Sequence[Sequence[int]]) -> Trace:
    """One tick for each row of inputs[tick][channel], the number of events."""
    n = len(core.hidden.threshold)
    hidden = [Neuron.of(core.version, core.hidden, j) for j in range(n)]
    readout = [Neuron.of(core.version, core.readout, j, most=1) for j in range(len(core.readout.threshold))]
    aliases = list(core.aliases) or [[] for _ in range(n)]
    spikes = [0] * n
    trace = Trace([], [], [], [], [], [])

    def arrive(neurons: Sequence[Neuron], synapses: Sequence[Synapse], events: int, shift: int) -> None:
        for s in synapses:
            for _ in range(events):
                neurons[s.target].arrive(s.synapse, int16(s.weight * 2**shift))

    for row in inputs:
        for channel, count in enumerate(row):
            arrive(hidden, core.synapses_in[channel], min(count, INPUTS), core.weight_shift_inp)
        for j, count in enumerate(spikes):
            arrive(hidden, core.synapses_rec[j], min(count, SPIKES), core.weight_shift_rec)
        for j, count in enumerate(spikes):
            arrive(readout, core.synapses_out[j], min(count, SPIKES), core.weight_shift_out)
        spikes, given = [0] * n, [0] * n
        for j in range(n):
            spikes[j] = hidden[j].made(given[j])
            for k in aliases[j]:
                if k > j:
                    given[k] = min(SPIKES, given[k] + spikes[j])
                else:
                    spikes[k] = min(SPIKES, spikes[k] + spikes[j])
        trace.spikes.append(spikes)
        trace.v.append([neuron.v for neuron in hidden])
        trace.i.append([list(neuron.i) for neuron in hidden])
        trace.spikes_out.append([neuron.made() for neuron in readout])
        trace.v_out.append([neuron.v for neuron in readout])
        trace.i_out.append([list(neuron.i) for neuron in readout])
    return trace
