"""FX-LIF v1 again, in plain Python integers, tick by tick over every neuron: what every other engine must equal.

Written from the specification, not from `lif.py` and `clocked.py`, and slow on purpose: nobody sleeps, nothing is
looked ahead.  `Neuron` is a network in event mode (a `lut` is there a function of the age since V was last written,
event mode's own; the other decays are made at each tick, as a clocked chip does), `Clocked` one in tick mode; chips
have theirs in profiles/.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.network import Network, flat

from .profiles import loihi1_lava_reference, xylo_reference


class Trace(NamedTuple):
    """What a run leaves."""

    spikes: list[tuple[int, int]]     # (tick, neuron), by tick, then neuron, once per spike
    v: list[list[int]]                # v[tick][neuron] after everything of that tick, in LSBs above rest
    saturations: int
    currents: list[list[list[int]]]   # currents[tick][neuron][receptor], 0 of a delta receptor; none in event mode
    masked: list[list[int]]           # masked[tick][neuron]: ticks still to be spent in refractoriness
    faults: list[tuple[int, int, int, int]]   # in tick mode, (tick, neuron, register, exact value) of each neuron's
                                      # first one that did not fit; register 0 is V, k the current of receptor k - 1


class Neuron:
    """One neuron's registers and constants, all Python integers."""

    def __init__(self, record: Any, start: Any) -> None:
        self.top, self.theta, self.reset = (int(record[name]) for name in ("top", "theta", "reset"))
        self.refrac, self.subtract = int(record["refrac"]), bool(record["subtract"])
        self.rate, self.bits = int(record["rate"]), int(record["bits"])
        self.length, self.fine_bits = int(record["length"]), int(record["fine_bits"])
        self.decay = ("none", "linear", "mul", "lut")[int(record["decay"])]
        self.coarse = [int(x) for x in record["coarse"]]
        self.fine = [int(x) for x in record["fine"]]
        self.v = self.origin = int(start["v"])
        self.age = 0                  # ticks since V was `origin`
        self.masked = 0               # ticks still to spend at reset

    def leak(self) -> None:
        """One tick of decay."""
        self.age += 1
        sign = -1 if self.v < 0 else 1
        if self.decay == "linear":
            self.v = sign * max(0, abs(self.v) - self.rate)
        elif self.decay == "mul":
            self.v = sign * (abs(self.v) * self.rate // 2**self.bits)
        elif self.decay == "lut":
            sign, size = (-1 if self.origin < 0 else 1), abs(self.origin)
            if self.age >= self.length:
                self.v = 0
            else:
                row, column = divmod(self.age, 2**self.fine_bits)
                size = size * self.coarse[row] // 2**self.bits
                self.v = sign * (size * self.fine[column] // 2**self.bits)

    def settle(self, v: int) -> None:
        """V was written: ages count from here."""
        self.v = self.origin = v
        self.age = 0

    @property
    def currents(self) -> list[int]:
        return []

    def tick(self, arrivals: list[tuple[int, int]]) -> int:
        """Everything before the comparison; how many registers were clipped."""
        if self.masked:
            self.masked -= 1
            self.settle(self.reset)
            return 0
        self.leak()
        if not arrivals:
            return 0
        exact = self.v + sum(weight for _, weight in arrivals)
        self.settle(max(-self.top, min(self.top, exact)))
        return int(self.v != exact)

    def judge(self) -> int:
        """The number of spikes at this tick, with their resets."""
        count = 0
        while self.v >= self.theta:
            count += 1
            self.settle(self.v - (self.theta - self.reset) if self.subtract else self.reset)
            if not self.subtract:
                self.masked = max(self.refrac - 1, 0)
                break
        return count


class Clocked:
    """One neuron of tick mode: section 1 of the specification, step by step."""

    def __init__(self, record: Any, start: Any) -> None:
        (self.top, self.theta, self.reset, self.refrac, self.bias, self.most) = (
            int(record[name]) for name in ("top", "theta", "reset", "refrac", "bias", "spikes"))
        self.greater, self.subtract, self.input_first = (
            bool(record[name]) for name in ("strict", "subtract", "input_first"))
        self.rounding = ("DOWN", "FLOOR", "ROUND")[int(record["rounding"])]
        self.saturation = ("symmetric", "full", "wrap")[int(record["saturation"])]
        self.decay = (self.named(record["decay"]), int(record["rate"]), int(record["bits"]))
        self.receptors = [(self.named(kind), int(rate), int(bits), int(top), int(fall))
                          for kind, rate, bits, top, fall in zip(*(record[name][:int(record["receptors"])]
                              for name in ("kind", "rate_i", "bits_i", "top_i", "fall")), strict=True)]
        self.v = int(start["v"])
        self.currents = [int(start["i"][k]) for k in range(len(self.receptors))]
        self.masked = 0
        self.judged = True            # also at tick 0
        self.clipped = 0
        self.fault: tuple[int, int] | None = None

    @staticmethod
    def named(number: Any) -> str:
        return ("none", "linear", "mul", "lut", "shift", "direct")[int(number)]          # direct is -1, the last

    def over_power(self, x: int, bits: int) -> int:
        """x / 2^bits, rounded."""
        whole, part = divmod(x, 2**bits)
        if part == 0 or self.rounding == "FLOOR":
            return whole
        if self.rounding == "DOWN":
            return whole if x > 0 else whole + 1
        twice = 2 * part - 2**bits
        return whole + (twice > 0 or (twice == 0 and whole % 2 == 1))

    def after_decay(self, x: int, how: tuple[str, int, int]) -> int:
        kind, rate, bits = how
        if kind in ("mul", "lut"):
            return self.over_power(x * rate, bits)
        if kind == "linear":
            return 0 if abs(x) <= rate else x - rate if x > 0 else x + rate
        if kind == "shift":
            loss = self.over_power(x, rate)
            if bits and x and not loss:                   # the min-1 rule
                loss = 1 if x > 0 else -1
            return x - loss
        return x

    def fitted(self, x: int, top: int, register: int) -> int:
        """x as a register holds it."""
        low = -top if self.saturation == "symmetric" else -top - 1
        if low <= x <= top:
            return x
        self.clipped += 1
        self.fault = self.fault or (register, x)
        if self.saturation == "wrap":
            while x > top:
                x -= top - low + 1
            while x < low:
                x += top - low + 1
            return x
        return top if x > top else low

    def tick(self, arrivals: list[tuple[int, int]]) -> int:
        """Steps 1 to 5; how many registers were clipped."""
        self.clipped, total = 0, self.bias
        for k, (kind, rate, bits, top, fall) in enumerate(self.receptors):
            arrived = sum(weight for receptor, weight in arrivals if receptor == k)
            if kind == "direct":
                total += arrived
                continue
            if self.input_first:
                i = self.after_decay(self.fitted(self.currents[k] + arrived, top, k + 1), (kind, rate, bits))
            else:
                i = self.fitted(self.after_decay(self.currents[k], (kind, rate, bits)) + arrived, top, k + 1)
            self.currents[k] = i
            total += self.over_power(i, fall)
        self.judged = not self.masked
        if self.masked:
            self.masked -= 1
        else:
            self.v = self.fitted(self.after_decay(self.v, self.decay) + total, self.top, 0)
        return self.clipped

    def judge(self) -> int:
        """Steps 6 and 7; the number of spikes."""
        count = 0
        limit = self.theta if self.greater else self.theta - 1
        while self.judged and count < self.most and self.v > limit:
            count += 1
            self.v = self.v - (self.theta - self.reset) if self.subtract else self.reset
            self.masked = max(self.refrac - 1, 0)
        return count


KINDS: dict[str, Any] = {"fx_lif/1": Neuron, "fx_lif_clocked/1": Clocked,
                         "loihi1_lava/1": loihi1_lava_reference.Recorded, "xylo/1": xylo_reference.Recorded}


def run(network: Network, until: float, sources: Mapping[int, Sequence[float]] | None = None) -> Trace:
    """Every tick n with n * tick < until (ms; to 1e-9 of a tick, so that 0.3 ms are three ticks of 0.1 ms).

    sources   emitter number of a spike source -> its spike times in ms
    """
    neurons = _neurons(network)
    emitter = {p.neuron + k: p.emitter + k for p in network.populations if p.kind == "neuron" for k in range(p.size)}
    synapses = _outgoing(network)
    due: dict[int, dict[int, list[tuple[int, int, int, int]]]] = {}

    def send(source: int, tick: int) -> None:
        for k, (delay, target, receptor, weight) in enumerate(synapses[source]):
            due.setdefault(tick + delay, {}).setdefault(target, []).append((source, k, receptor, weight))

    for source, times in (sources or {}).items():
        for time in times:
            send(source, int(np.rint(time / network.tick)))

    trace, saturations, n = Trace([], [], 0, [], [], []), 0, 0
    while n < until / network.tick - 1e-9:
        arriving = due.pop(n, {})
        for j, neuron in enumerate(neurons):
            if n > 0:                                     # the initial V is V at tick 0
                before = getattr(neuron, "fault", None)
                saturations += neuron.tick([own[2:] for own in sorted(arriving.get(j, ()))])      # in key order
                after = getattr(neuron, "fault", None)
                if after and not before:
                    trace.faults.append((n, j, *after))
        for j, neuron in enumerate(neurons):
            for _ in range(neuron.judge()):
                trace.spikes.append((n, j))
                send(emitter[j], n)
        trace.v.append([neuron.v for neuron in neurons])
        trace.currents.append([list(neuron.currents) for neuron in neurons])
        trace.masked.append([neuron.masked for neuron in neurons])
        n += 1
    return trace._replace(saturations=saturations)


def _neurons(network: Network) -> list[Any]:
    found: dict[int, Any] = {}
    for group in network.groups:
        for j, record, start in zip(group.neuron, group.params, group.state, strict=True):
            found[int(j)] = KINDS[group.dynamics.name](record, start)
    return [found[j] for j in range(network.neurons)]


def _outgoing(network: Network) -> list[list[tuple[int, int, int, int]]]:
    """(delay in ticks, target, receptor, weight) of every synapse, by emitter."""
    found: list[list[tuple[int, int, int, int]]] = [[] for _ in range(network.emitters)]
    table = flat(network.synapses)
    for e, delay, target, receptor, weight in zip(table.emitter.tolist(), table.delay.tolist(), table.target.tolist(),
                                                  table.receptor.tolist(), table.weight.tolist(), strict=True):
        found[e].append((int(delay), target, receptor, int(weight)))
    return found
