"""Frozen input: each neuron in integers replays what it got in the float run.  The only comparison free of chaos.

A neuron's arrivals are the float run's spikes, those of sources and of neurons, over the integer synapses; what the
integer neuron itself would send goes nowhere.  Nor does it decide: it is reset where the float neuron was, in the order
of its inputs there (no earlier than the tick of the last arrival before that spike).  With resets of its own a
membrane that misses the threshold by an LSB would differ by a whole reset, and say nothing of arithmetic.  So V may
stand above the threshold for a tick or two, and what is compared is subthreshold: samples from a tick before a spike
to a tick after its refractory period are left out.

    all          V in integers at tick n beside the float run's V half a tick later, when it has had the same inputs
    arithmetic   beside float arithmetic that gets the same inputs and resets at the same ticks: the share of the bits
                 (in tick mode also of the clock, by which an input moves V from its own tick on)

    bias = mean(integer - float),  rmse = sqrt(mean((integer - float)^2)),  SQNR = 10 log10(var(float) / rmse^2)

The verbs are called one by one, as no engine would, so there is a budget: evenly chosen neurons, evenly spaced ticks.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from .course import loose
from .network import Flat, Network, Population, flat
from .result import Result
from .simulate import simulate, ticks_until

BUDGET = 150_000         # arrivals and samples that are replayed, once in integers and once in floats: about a second
SAMPLES = 500            # ticks at which V is compared
CELLS = 4_000_000        # samples of all neurons together
EARLY = 1e-6             # of a tick: a float neuron's reset lies so much before its tick, whose end nobody has to round


class Heard(NamedTuple):
    """A float run, as every neuron could have heard it."""

    trains: list[np.ndarray]             # of each emitter, ms
    sampled: np.ndarray                  # (samples,) whole ticks
    v: dict[str | int, np.ndarray]       # (samples, size) mV


class Trace(NamedTuple):
    """One neuron, to be drawn: mV at the ticks sampled, whether these count, and its resets."""

    population: str | int
    neuron: int
    time: np.ndarray
    floats: np.ndarray                   # float arithmetic at the same ticks
    integers: np.ndarray
    quiet: np.ndarray                    # bool
    lsb: float


def frozen_input(run: Result, fixed: Network, end: float, budget: int = BUDGET) -> tuple[dict[str, Any], list[Trace]]:
    """The comparison of `run`'s float network with its integer twin over [0, end), by population; a trace of each."""
    if np.any(run.network.drives.line):
        return {"why": "an injected current is no arrival", "populations": []}, []
    here = heard(run, fixed.tick, end)
    names = [p for p in fixed.populations if p.kind == "neuron"]
    tables = flat(run.network.synapses), flat(fixed.synapses)
    found = [population(p, run, fixed, here, tables, end, budget // len(names)) for p in names]
    return ({"why": None, "tick_ms": fixed.tick, "samples": len(here.sampled), "populations": [of for of, _ in found]},
            [trace for _, trace in found])


def heard(run: Result, tick: float, end: float) -> Heard:
    """The run once more, with all that is needed of it recorded."""
    network = run.network
    ticks = int(ticks_until(end, tick))
    names = [p.name for p in network.populations if p.kind == "neuron"]
    stride = max(-(-ticks // min(SAMPLES, max(CELLS // max(network.neurons, 1), 2))), 1)
    sampled = np.arange(0, ticks, stride)
    sampled = sampled[(sampled + 0.5) * tick < end]
    again = simulate(network, end, inputs=run.inputs, seed=run.provenance["seed"], record_at=(sampled + 0.5) * tick,
                     backend=run.provenance["backend"], record={**{name: ["v"] for name in names},
                             **{p.name: ["spikes"] for p in network.populations if p.kind == "source"}})
    emitting = sorted((p for p in network.populations if p.kind != "current"), key=lambda p: p.emitter)
    trains = [train for p in emitting
              for train in (again.spikes.of(p.name) if p.kind == "neuron" else again.sources[p.name]).trains()]
    return Heard(trains, sampled, {name: again.recorded[name]["v"] for name in names})


def population(p: Population, run: Result, fixed: Network, here: Heard, tables: tuple[Flat, Flat], end: float,
               budget: int) -> tuple[dict[str, Any], Trace]:
    """One population: as many of its neurons as the budget allows."""
    sent = np.array([len(train) for train in here.trains])
    costs = np.zeros(fixed.neurons)
    np.add.at(costs, tables[1].target, sent[tables[1].emitter])
    costs = costs[p.neuron:p.neuron + p.size] + len(here.sampled)
    many = int(np.clip(budget / costs.mean(), 1, p.size))
    chosen = np.unique(np.linspace(0, p.size - 1, many).round().astype(np.int64))
    was, exact, ours = [], [], []
    liveliest, trace = -1, None
    for k in chosen.tolist():
        own = here.trains[p.emitter + k]
        inputs = [arrivals(table, p.neuron + k, here.trains, fixed.tick, ticked)
                  for table, ticked in ((tables[0], False), (tables[1], True))]
        resets = reset_ticks(own, inputs[0], fixed.tick)
        seen = quiet(here.sampled, own, resets, refractory(p, k, fixed.tick), fixed.tick)
        units = replayed(fixed, p.neuron + k, inputs[1], resets, here.sampled, 1.0, 0.0)
        integers = p.rest + p.scale * units
        floats = replayed(run.network, p.neuron + k, inputs[0], resets, here.sampled, fixed.tick, EARLY)
        was.append(here.v[p.name][seen, k])
        ours.append(integers[seen])
        exact.append(floats[seen])
        if len(own) > liveliest:
            liveliest = len(own)
            trace = Trace(p.name, k, here.sampled * fixed.tick, floats, integers, seen, p.scale)
    assert trace is not None
    v, floats, integers = (np.concatenate(x) for x in (was, exact, ours))
    return {"population": p.name, "neurons": len(chosen), "of_neurons": p.size, "samples": len(v),
            "sd_mv": float(v.std()) if len(v) else None, "all": errors(v, integers),
            "arithmetic": errors(floats, integers), "lsb_mv": p.scale}, trace


class Arrivals(NamedTuple):
    """A neuron's inputs in key order of each tick."""

    tick: np.ndarray             # (n,) int64
    time: np.ndarray             # (n,) ms in the float run
    receptor: np.ndarray
    weight: np.ndarray


def arrivals(table: Flat, neuron: int, trains: Sequence[np.ndarray], tick: float, ticked: bool) -> Arrivals:
    """All that reaches a neuron; delays of the table are ms or ticks."""
    mine = np.flatnonzero(table.target == neuron)
    each = [trains[e] for e in table.emitter[mine]]
    counts = [len(train) for train in each]
    time = np.concatenate([np.empty(0), *each])
    delay = np.repeat(table.delay[mine], counts)
    late = delay if ticked else np.maximum(np.rint(delay / tick), 1.0)
    when = (np.rint(time / tick) + late).astype(np.int64)
    order = np.argsort(when, kind="stable")
    which = np.repeat(mine, counts)[order]
    return Arrivals(when[order], (time + (delay * tick if ticked else delay))[order], table.receptor[which],
                    table.weight[which])


def reset_ticks(own: np.ndarray, inputs: Arrivals, tick: float) -> np.ndarray:
    """The tick of each reset: the spike's, or that of an arrival which the float run had before it."""
    order = np.argsort(inputs.time, kind="stable")
    latest = np.maximum.accumulate(np.concatenate([[0], inputs.tick[order]]))
    before = np.searchsorted(inputs.time[order], own, side="right")
    near = np.rint(own / tick).astype(np.int64)
    return np.maximum(near, np.minimum(latest[before], near + 1))


def refractory(p: Population, k: int, tick: float) -> int:
    asked = p.params.get("tau_refrac")
    return 0 if asked is None else int(np.rint(np.ravel(asked)[k] / tick))


def quiet(sampled: np.ndarray, own: np.ndarray, resets: np.ndarray, refrac: int, tick: float) -> np.ndarray:
    """Which samples are clear of spikes and refractoriness in both."""
    seen = np.ones(len(sampled), bool)
    for first, last in zip(np.floor(own / tick) - 1, resets + refrac + 1, strict=True):
        seen[np.searchsorted(sampled, first):np.searchsorted(sampled, last, side="right")] = False
    return seen


def replayed(network: Network, neuron: int, inputs: Arrivals, resets: np.ndarray, sampled: np.ndarray, unit: float,
             early: float) -> np.ndarray:
    """What `value` says at the ticks sampled; unit is the network's own time of a tick."""
    p, s, verbs, separate, receptors = body(network, neuron)
    values = np.empty(len(sampled))
    with np.errstate(all="ignore"):
        for tick, what, given in events(inputs, resets, sampled):
            if what == 0:
                for sums in sums_of(given, inputs, receptors, separate):
                    verbs.receive(p, s, tick * unit, sums)
            elif what == 1:
                verbs.fire(p, s, max(tick - early, 0.0) * unit)
            else:
                values[given] = verbs.value(p, s, tick * unit, 0)
    return values


def body(network: Network, neuron: int) -> tuple[Any, SimpleNamespace, Any, bool, int]:
    """A neuron's records, plain, and its verbs."""
    for group in network.groups:
        k = int(np.searchsorted(group.neuron, neuron))
        if k < len(group.neuron) and group.neuron[k] == neuron:
            from .kernel.link import link

            (p,), (s,) = loose(group.params[k:k + 1]), loose(group.state[k:k + 1])
            verbs = type(group.dynamics.verbs)(*(link(verb, jit=False) for verb in group.dynamics.verbs))
            receptors = max(1, *(q.receptors for q in network.populations))
            return p, copy.deepcopy(s), verbs, getattr(group.dynamics, "separate", False), receptors
    raise LookupError(neuron)


def events(inputs: Arrivals, resets: np.ndarray, sampled: np.ndarray) -> Iterator[tuple[int, int, Any]]:
    """(tick, 0: inputs, 1: a reset, 2: a sample; the range of inputs, or the sample's number), in order."""
    starts = np.flatnonzero(np.diff(inputs.tick, prepend=-1))
    ends = np.append(starts, len(inputs.tick))[1:]            # none where nothing arrives
    told: list[tuple[int, int, Any]]
    told = [(t, 0, span) for t, *span in zip(inputs.tick[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)]
    told += [(t, 1, None) for t in resets.tolist()]
    told += [(t, 2, n) for n, t in enumerate(sampled.tolist())]
    last = int(sampled[-1]) if len(sampled) else -1
    return (event for event in sorted(told, key=lambda event: event[:2]) if event[0] <= last)


def sums_of(span: Sequence[int], inputs: Arrivals, receptors: int, separate: bool) -> Iterator[Any]:
    """The sums per receptor: one of all, or one each."""
    many = range(*span)
    for several in ([k] for k in many) if separate else [many]:
        sums = [0] * receptors if inputs.weight.dtype.kind == "i" else [0.0] * receptors
        for k in several:
            sums[int(inputs.receptor[k])] += inputs.weight[k].item()
        yield sums


def errors(v: np.ndarray, integers: np.ndarray) -> dict[str, float | None]:
    """bias, rmse and SQNR of the integers; no SQNR where there is no error or no signal."""
    if not len(v):
        return {"bias_mv": None, "rmse_mv": None, "sqnr_db": None}
    off = integers - v
    power, noise = float(np.var(v)), float(np.mean(off ** 2))
    return {"bias_mv": float(off.mean()), "rmse_mv": math.sqrt(noise),
            "sqnr_db": 10.0 * math.log10(power / noise) if power > 0.0 < noise else None}
