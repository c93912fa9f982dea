"""FX-LIF v1 again, in plain Python integers, tick by tick over every neuron: what every other engine must equal.

Written from the specification, not from `lif.py`, and slow on purpose.  With decay `none`, `linear` or `mul` each
neuron decays at each tick, as a clocked chip does; a `lut` is a function of the age since V was last written (event
mode's own).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.network import Network, flat


class Trace(NamedTuple):
    """What a run leaves."""

    spikes: list[tuple[int, int]]     # (tick, neuron), by tick, then neuron, once per spike
    v: list[list[int]]                # v[tick][neuron] after everything of that tick, in LSBs above rest
    saturations: int


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

    def tick(self, arrivals: list[int]) -> bool:
        """Everything before the comparison; true if V was clipped."""
        if self.masked:
            self.masked -= 1
            self.settle(self.reset)
            return False
        self.leak()
        if not arrivals:
            return False
        exact = self.v + sum(arrivals)
        self.settle(max(-self.top, min(self.top, exact)))
        return self.v != exact

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


def run(network: Network, until: float, sources: Mapping[int, Sequence[float]] | None = None) -> Trace:
    """Every tick n with n * tick < until (ms; to 1e-9 of a tick, so that 0.3 ms are three ticks of 0.1 ms).

    sources   emitter number of a spike source -> its spike times in ms
    """
    neurons = _neurons(network)
    emitter = {p.neuron + k: p.emitter + k for p in network.populations if p.kind == "neuron" for k in range(p.size)}
    synapses = _outgoing(network)
    due: dict[int, dict[int, list[int]]] = {}

    def send(source: int, tick: int) -> None:
        for delay, target, weight in synapses[source]:
            due.setdefault(tick + delay, {}).setdefault(target, []).append(weight)

    for source, times in (sources or {}).items():
        for time in times:
            send(source, int(np.rint(time / network.tick)))

    trace, saturations, n = Trace([], [], 0), 0, 0
    while n < until / network.tick - 1e-9:
        arriving = due.pop(n, {})
        for j, neuron in enumerate(neurons):
            if n > 0:                                     # the initial V is V at tick 0
                saturations += neuron.tick(arriving.get(j, []))
        for j, neuron in enumerate(neurons):
            for _ in range(neuron.judge()):
                trace.spikes.append((n, j))
                send(emitter[j], n)
        trace.v.append([neuron.v for neuron in neurons])
        n += 1
    return trace._replace(saturations=saturations)


def _neurons(network: Network) -> list[Neuron]:
    found: dict[int, Neuron] = {}
    for group in network.groups:
        for j, record, start in zip(group.neuron, group.params, group.state, strict=True):
            found[int(j)] = Neuron(record, start)
    return [found[j] for j in range(network.neurons)]


def _outgoing(network: Network) -> list[list[tuple[int, int, int]]]:
    """(delay in ticks, target, weight) of every synapse, by emitter."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in range(network.emitters)]
    table = flat(network.synapses)
    for e, delay, target, weight in zip(table.emitter.tolist(), table.delay.tolist(), table.target.tolist(),
                                        table.weight.tolist(), strict=True):
        found[e].append((int(delay), target, int(weight)))
    return found
