"""Puts a network on the general loop: binds its models' verbs, lays out its arrays, runs, and returns now and then."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..course import Outcome, Setup, endless, loose, tight
from ..model import Dynamics
from . import loop
from .calendar import calendar
from .link import Bound, link
from .loop import Cells, Course, Sources, Wiring
from .patience import patience

PAUSE = 0.2          # seconds between returns to Python, about


def continuous(t, tick):
    return t


def ticked(t, tick):
    return np.rint(t / tick)


def chain(dynamics: Sequence[Dynamics]) -> Bound:
    """The windows of all groups, one after the other."""
    first = Bound.to(loop.window, dynamics[0].verbs._asdict())
    if len(dynamics) == 1:
        return Bound.to(loop.single, {"head": first})
    return Bound.to(loop.several, {"head": first, "tail": chain(dynamics[1:])})


def runner(dynamics: Sequence[Dynamics], tick: float, jit: bool) -> Callable[..., Any]:
    """The loop for these models, compiled or plain."""
    names = {"groups_window": chain(dynamics), "stamp": ticked if tick else continuous}
    return link(Bound.to(loop.run, names), jit)


def wiring(setup: Setup) -> Wiring:
    s = setup.network.synapses
    per_row = np.repeat(np.arange(len(s.first_row) - 1), np.diff(s.first_row))
    receptors = max(p.receptors for p in setup.network.populations)
    return Wiring(*s, per_row, setup.network.neurons, max(1, receptors))


def sources(setup: Setup) -> Sources:
    n = len(setup.streams.of)
    return Sources(setup.streams, np.full(n, -1, np.int64), setup.streams.of.start.copy(), np.full(n, -1, np.int64),
                   *setup.trains, np.zeros(1, np.int64))


def cells(setup: Setup, k: int, jit: bool) -> Cells:
    group, drives = setup.network.groups[k], setup.network.drives
    line = drives.line[group.neuron]
    n, probe = len(group.neuron), setup.probes[k]
    params: Any = group.params if jit else loose(group.params)
    state: Any = group.state.copy() if jit else loose(group.state)
    return Cells(group.neuron, setup.emitter_of_neuron[group.neuron], params, state, np.zeros(n), np.zeros(1),
                 drives.first[line], drives.first[line + 1], probe.column, probe.variables, probe.samples)


def run(setup: Setup, jit: bool, progress: Callable[[float, float], None] | None = None) -> Outcome:
    """Run to the end, or to Ctrl-C."""
    network = setup.network
    ranks = sorted(range(len(network.groups)), key=lambda k: network.groups[k].dynamics.name)   # fewer loops to compile
    groups = tuple(cells(setup, k, jit) for k in ranks)
    local = np.empty(network.neurons, np.int64)
    for group in groups:
        local[group.neuron] = np.arange(len(group.neuron))
    wires = wiring(setup)
    inboxes = np.zeros(network.neurons, np.int64), np.zeros(network.neurons, np.int64)
    width = min(network.min_delay, setup.until / 64.0 or 1.0)
    longest = float(wires.delay.max()) if len(wires.delay) else width
    arrivals = np.empty(64, loop.arrival_type(wires.weight.dtype))
    course = Course(calendar(width, longest), arrivals, 0.0)
    counters = np.zeros(4, np.int64)
    step = runner([network.groups[k].dynamics for k in ranks], network.tick, jit)
    feed, times, emitters = sources(setup), [], []
    budget, interrupted = (100_000 if jit else 1000), False
    try:
        with patience() as asked:
            while course.time < setup.until and not asked:
                began = time.perf_counter()
                with np.errstate(all="ignore"):
                    course, kept = step(course, wires, groups, local, feed, network.drives, setup.times, setup.keep,
                                        *inboxes, width, setup.until, network.tick, budget, counters)
                if counters[3]:
                    raise endless(network, int(counters[3]) - 1)
                times.append(kept.time[:kept.n].copy())
                emitters.append(kept.emitter[:kept.n].copy())
                budget = max(100, int(budget * min(4.0, max(0.25, PAUSE / (time.perf_counter() - began + 1e-9)))))
                if progress:
                    progress(course.time, setup.until)
        interrupted = bool(asked)
    except KeyboardInterrupt:
        interrupted = True
    states: list[Any] = [groups[ranks.index(k)].state for k in range(len(ranks))]
    if not jit:
        states = [tight(state, g.state.dtype) for state, g in zip(states, network.groups, strict=True)]
    return Outcome(np.concatenate([np.empty(0), *times]), np.concatenate([np.empty(0, np.int64), *emitters]),
                   counters[:3], states, course.time, interrupted)
