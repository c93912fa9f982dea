"""The executable specification of the event law, in SimPy: one global clock, one event after another, slow on purpose.

It shares the models' arithmetic with the fast engines and nothing of their bookkeeping.  The clock counts the int64 bit
pattern of the time (monotone for t >= 0), so absolute times are exact.  Events of one instant come in law 2.8's order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import simpy

from .course import ENDLESS, RAPID, Outcome, Setup, endless, loose, tight
from .kernel.engine import continuous, ticked
from .kernel.link import link
from .model import Verbs
from .streams import next_event

SPIKE, CHANGE, ARRIVAL, INPUT, JUDGED, SAMPLE = range(6)     # what comes first at one instant


class Instant(simpy.Event):
    """Calls `action` at an absolute time t >= now."""

    def __init__(self, env: simpy.Environment, t: float, kind: int, action: Callable[[], None]):
        super().__init__(env)
        self._ok, self._value = True, None
        self.callbacks = [lambda _: action()]
        env.schedule(self, priority=kind, delay=bits(t) - env.now)      # type: ignore[arg-type]


def bits(t: float) -> int:
    return int(np.float64(t + 0.0).view(np.int64))


def run(setup: Setup) -> Outcome:
    network, until = setup.network, setup.until
    wires, drives = network.synapses, network.drives
    stamp = ticked if network.tick else continuous
    env = simpy.Environment(initial_time=0)
    states = [loose(g.state) for g in network.groups]
    verbs_of = [Verbs(*(link(verb, jit=False) for verb in g.dynamics.verbs)) for g in network.groups]
    neurons = {int(j): (verbs, p, s)
               for g, verbs, state in zip(network.groups, verbs_of, states, strict=True)
               for j, p, s in zip(g.neuron, loose(g.params), state, strict=True)}
    order = {int(j): (g.dynamics.judged_last, g.dynamics.separate) for g in network.groups for j in g.neuron}
    clocked = [neurons[int(j)] for g in network.groups if g.dynamics.judged_last for j in g.neuron]
    asked = dict.fromkeys(neurons, 0)                  # a question asked later makes an earlier one void
    inbox: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rapid: dict[int, tuple[float, int]] = {}           # each neuron's last spike, and how many came right after another
    counters = np.zeros(3, np.int64)
    kept: list[tuple[float, int]] = []

    def at(t: float, kind: int, action: Callable[..., None], *args: Any) -> None:
        if t < until:
            Instant(env, t, kind, lambda: action(t, *args))

    def look(t: float, j: int) -> None:
        """Fire neuron j while it is due at t; else look again when it may be."""
        verbs, p, s = neurons[j]
        while (spike := verbs.next_spike(p, s, t)) <= t:
            before, at_once = rapid.get(j, (-np.inf, 0))
            rapid[j] = (spike, at_once + 1 if spike - before < RAPID else 0)
            if rapid[j][1] == ENDLESS:
                raise endless(network, j)
            verbs.fire(p, s, spike)
            counters[0] += 1
            emit(spike, int(network.emitter_of_neuron[j]))
        asked[j] += 1
        at(spike, JUDGED if order[j][0] else SPIKE, look_again, j, asked[j])

    def look_again(t: float, j: int, question: int) -> None:
        if question == asked[j]:
            look(t, j)

    def change(t: float, j: int, several: range) -> None:
        verbs, p, s = neurons[j]
        verbs.advance(p, s, t)
        for b in several:
            verbs.inject(p, s, drives.slot[b], drives.amount[b], drives.slope[b])
        look(t, j)

    def emit(t: float, emitter: int) -> None:
        if setup.keep[emitter]:
            kept.append((t, emitter))
        for row in range(wires.first_row[emitter], wires.first_row[emitter + 1]):
            first, last = int(wires.first[row]), int(wires.first[row + 1])
            if wires.spread[row] < 0:
                at(t + wires.delay[row], ARRIVAL, arrive, row, first, last)
            else:
                for k in range(first, last):
                    at(t + wires.delays[wires.spread[row] + k - first], ARRIVAL, arrive, row, k, k + 1)

    def arrive(t: float, row: int, first: int, last: int) -> None:
        for k in range(first, last):
            j = int(wires.target[k])
            if not inbox[j]:
                at(t, INPUT, take_in, j)
            inbox[j].append((k, row))
            counters[1] += wires.count[row]

    def take_in(t: float, j: int) -> None:
        """All that arrives at one instant is one input: summed in key order, applied once, judged once (S5)."""
        verbs, p, s = neurons[j]
        judged_last, separate = order[j]
        arrived = sorted(inbox.pop(j))
        for several in [[one] for one in arrived] if separate else [arrived]:
            sums = np.zeros(max(1, *(q.receptors for q in network.populations), 1), wires.weight.dtype)
            for k, row in several:
                own = int(wires.varied[row])
                sums[wires.receptor[row]] += wires.weight[row] if own < 0 else wires.weights[own + k - wires.first[row]]
            verbs.receive(p, s, t, sums)
            if not judged_last:
                look(t, j)
        counters[2] += 1
        if judged_last:
            look(t, j)

    def sample(t: float, n: int) -> None:
        for group, probe in zip(network.groups, setup.probes, strict=True):
            for k in np.flatnonzero(probe.column >= 0):
                verbs, p, s = neurons[int(group.neuron[k])]
                for w, which in enumerate(probe.variables):
                    probe.samples[w, n, probe.column[k]] = verbs.value(p, s, t, which)

    def stream(k: int) -> Iterator[tuple[float, int]]:
        i, t = 0, setup.streams.of[k].start
        while stamp(t, network.tick) < until:
            t, emitter = next_event(setup.streams, k, i, t)
            i += 1
            if emitter >= 0:
                yield t, emitter

    with np.errstate(all="ignore"):
        for j, line in enumerate(drives.line):
            times = drives.time[drives.first[line]:drives.first[line + 1]]
            for t, first, count in zip(*np.unique(times, return_index=True, return_counts=True), strict=True):
                b = int(drives.first[line] + first)
                at(t, CHANGE, change, j, range(b, b + int(count)))
        for n, t in enumerate(setup.times):
            at(t, SAMPLE, sample, n)
        drawn = (event for k in range(len(setup.streams.of)) for event in stream(k))
        for t, emitter in (*zip(*setup.trains, strict=True), *drawn):
            at(stamp(t, network.tick), SPIKE, emit, emitter)
        for j in neurons:
            at(0.0, SPIKE, look, j)
        env.run()
        for verbs, p, s in clocked:
            verbs.next_spike(p, s, until)                    # its last ticks
    time, emitter = np.array(kept, np.float64).reshape(-1, 2).T
    setup.sink(time, emitter.astype(np.int64), until)
    ends = [tight(state, g.state.dtype) for g, state in zip(network.groups, states, strict=True)]
    return Outcome(counters, ends, until, False, ("specification",))
