"""simulate(network, until, ...): checks what is asked, runs an engine, returns a `Result`."""

import math
import platform
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .course import Outcome, Probe, Setup, unsolved, watcher
from .errors import Mistake, nearest
from .intake import Intake
from .memory import available, readable
from .network import Network, Population
from .result import Result
from .stimuli import trains
from .streams import streams
from .strict import refuse_faults, watching
from .values import seed_of

BACKENDS = {
    "auto": "compiled, or plain Python for a run that is over before a compiler would have been loaded",
    "compiled": "the event loop, compiled",
    "python": "the same loop in plain Python",
    "simpy": "the executable specification",
}

SHORT = 10.0             # ms or ticks: of a window on the way to disk, whose spikes wait in memory


def simulate(network: Network, until: float, *, inputs: Mapping[Any, Any] | None = None, seed: int | None = None,
             threads: int = 1, record: Mapping[Any, Sequence[str]] | None = None, record_at: Any = None,
             backend: str = "auto", progress: Callable[[float, float], None] | None = None,
             out: str | Path | None = None, strict: bool = False) -> Result:
    """Run a network, float or integer, over [0, until) ms.

    inputs     trains (ms) for `spikes` nodes by name: a flat list for size 1, else a list of lists
    seed       of the random sources; default: the seed of `compile`
    threads    how many threads may work; no bit of the result depends on it (little work is done by fewer)
    record     variables by population: "v" (mV), "i" (nA, one per receptor) and what else its model has (`eventsnn
               model NAME` lists them), "spikes" of a source
    record_at  a step or an ascending array of times in [0, until), ms; default: every millisecond
    backend    "compiled", "python" (the same loop, not compiled) or "simpy" (the specification): equal to the bit;
               "auto" is the first, or the second for the first few little runs of a process: provenance says which
    progress   called with (time reached, until) about every 0.2 s
    out        a folder: spikes go there as they come, not into memory, and the Result's are read from there; an earlier
               result in it is replaced.  Whatever ends the run, even a kill, `Result.load(out)` reads what was reached
    strict     of an integer network: a value that a register cannot hold, or a stored time that aliases, is a `Mistake`
               that names neuron, tick and value, when the run ends

    Ctrl-C ends the run early: the Result holds what was reached and says `interrupted`.  Bad input raises `Mistake`.
    """
    if not isinstance(network, Network):
        raise Mistake(f"simulate needs a compiled Network, not {type(network).__name__}: call compile(graph) first")
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise Mistake(f"unknown backend {backend!r}{nearest(backend, BACKENDS)}")
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise Mistake(f"threads is {threads!r}: give a whole number of at least 1")
    for name, value in (("record", record), ("inputs", inputs)):
        if value is not None and not isinstance(value, Mapping):
            raise Mistake(f"{name} must be a dict by node name, not {value!r}")
    seed = network.seed if seed is None else seed_of(seed)
    progress = progress or watcher()
    until = number("until", until)
    wanted, listened = recordings(network, record or {})
    at_ms = sample_times(record_at, until) if wanted or record_at is not None else np.empty(0)
    setup = lay_out(watching(network) if strict else network, until, at_ms, wanted, listened, inputs, seed)
    little = None
    if backend == "auto":
        from .kernel.brief import brief
        little = brief(setup)
        backend = "python" if little else "compiled"
    how = {"seed": int(seed), "backend": backend, "threads": int(threads)}
    if out is not None:
        setup = setup._replace(sink=Intake(network, listened, Path(out), provenance(network, how)))
    if little:
        outcome, deliveries = little
        for spikes in deliveries:
            setup.sink(*spikes)
        if progress:
            progress(outcome.reached, setup.until)
    elif backend == "simpy":
        from .reference import run as specification
        outcome = specification(setup)
    else:
        from .kernel.engine import run
        outcome = run(setup, backend == "compiled", progress, int(threads), math.inf if out is None else SHORT)
    if strict:
        refuse_faults(setup.network, outcome.states)
    result = collect(setup._replace(network=network), outcome, until, wanted, listened, at_ms, how, inputs)
    if out is not None:
        result.finish(Path(out))
    return result


def number(name: str, value: Any) -> float:
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise Mistake(f"{name} is {value!r}: give a time in ms") from None
    if not 0.0 <= value < np.inf:
        raise Mistake(f"{name} is {value:g}: give a finite time >= 0 ms")
    return value


def sample_times(record_at: Any, until: float) -> np.ndarray:
    """The times (ms) to record at."""
    step = 1.0 if record_at is None else record_at
    if np.ndim(step) == 0:
        step = number("record_at", step)
        if step == 0.0:
            raise Mistake("record_at is 0: give a step > 0 ms, or an array of times")
        affordable(until / step, 1)
        times = np.arange(int(np.ceil(until / step))) * step
        return times[times < until]
    try:
        times = np.asarray(step, np.float64)
    except (TypeError, ValueError):
        raise Mistake("record_at is no array of numbers: give a step or an ascending array of times, ms") from None
    if times.ndim != 1 or np.any(np.isnan(times)) or np.any(np.diff(times) < 0):
        raise Mistake("record_at must be one ascending list of times, ms")
    if len(times) and not (times[0] >= 0.0 and times[-1] < until):
        raise Mistake(f"record_at reaches from {times[0]:g} to {times[-1]:g} ms: a run covers [0, {until:g})")
    return times


def affordable(samples: float, columns: int) -> None:
    """Refuse what cannot fit before a run, not after an hour of it."""
    size, room = 8.0 * samples * columns, available()
    if not size < 0.9 * room:
        raise Mistake(f"record: {samples:.3g} samples of {columns:,} variables are {readable(size)}, and there are "
                      f"{readable(room)} of memory: use a longer record_at, or record fewer variables or populations")


def recordings(network: Network, record: Mapping[Any, Sequence[str]]) -> tuple[dict[Any, list[str]], list[Any]]:
    """Checked: which variables of which populations ("i" spelt out per receptor), and which sources' spikes."""
    wanted: dict[Any, list[str]] = {}
    listened = []
    for name, variables in record.items():
        population = network.population(name)
        if not isinstance(variables, Sequence):
            raise Mistake(f"record: {name!r} wants a list of variables, not {variables!r}")
        variables = [variables] if isinstance(variables, str) else list(variables)
        known = {"neuron": sorted({v.rstrip("0123456789") for v in population.variables}, reverse=True),
                 "source": ["spikes"]}.get(population.kind, [])
        for variable in variables:
            if variable not in known:
                raise Mistake(f"record: {population.model} {name!r} has no {variable!r}"
                              f"{nearest(variable, known) if known else ': a current has nothing to record'}")
        if population.kind == "source":
            listened.append(name)
        else:
            wanted[name] = variables
    return wanted, listened


def columns(population: Population, variables: Sequence[str]) -> list[int]:
    """The numbers of all variables of these names ("i" stands for one per receptor)."""
    return [k for k, v in enumerate(population.variables) if v.rstrip("0123456789") in variables]


def lay_out(network: Network, until: float, at_ms: np.ndarray, wanted: Mapping[Any, Sequence[str]],
            listened: Sequence[Any], inputs: Any, seed: int) -> Setup:
    """Everything in the network's own unit of time."""
    tick = network.tick
    end = ticks_until(until, tick) if tick else until
    for p in network.populations:
        taus = p.params.get("tau_m", np.inf) if p.kind == "neuron" else np.inf
        if until / np.min(taus) > 2.0 ** 48:
            raise Mistake(f"node {p.name!r}: a tau_m of {np.min(taus):g} ms is lost beside {until:g} ms")
    if end + network.min_delay <= end:
        raise Mistake(f"a delay of {network.min_delay:g} ms is lost beside times up to {end:g}: use a longer delay")
    times = at_ms
    if tick:
        whole = np.rint(at_ms / tick)
        times = np.where(np.abs(at_ms / tick - whole) < 1e-9, whole, np.floor(at_ms / tick))
    probes: list[tuple[np.ndarray, list[int]]] = []
    for n, group in enumerate(network.groups):
        mine = [p for p in network.populations if p.kind == "neuron" and p.group == n and p.name in wanted]
        column = np.broadcast_to(np.int64(-1), len(group.neuron))         # no memory where nobody is recorded
        if mine:
            column = column.copy()
            for p in mine:
                column[p.offset:p.offset + p.size] = 0
            column[column == 0] = np.arange(np.count_nonzero(column == 0))
        which = sorted({k for p in mine for k in columns(p, wanted[p.name])})
        probes.append((column, which))
    shapes = [(len(which), len(times), int(column.max(initial=-1)) + 1) for column, which in probes]
    affordable(len(times), sum(a * b for a, _, b in shapes))
    keep = np.zeros(network.emitters, np.bool_)
    for p in network.populations:
        if p.kind == "neuron" or p.name in listened:
            keep[p.emitter:p.emitter + p.size] = True
    return Setup(network, end, times, [Probe(column, np.array(which, np.int64), np.zeros(shape))
                                       for (column, which), shape in zip(probes, shapes, strict=True)],
                 keep, streams(network, seed), trains(network, inputs), Intake(network, listened))


def ticks_until(until: float, tick: float) -> float:
    """The first whole number of ticks at or after until."""
    n = np.rint(until / tick)
    return float(n if abs(until / tick - n) < 1e-9 else np.ceil(until / tick))


def collect(setup: Setup, outcome: Outcome, until: float, wanted: Mapping[Any, Sequence[str]], listened: Sequence[Any],
            at_ms: np.ndarray, how: Mapping[str, Any], inputs: Any) -> Result:
    """The Result: times in ms, potentials in mV, everything by population."""
    network, unit = setup.network, setup.network.tick or 1.0
    spikes, sources = setup.sink.spikes(outcome.reached)
    reached = np.searchsorted(setup.times, outcome.reached)
    recorded: dict[Any, dict[str, np.ndarray]] = {}
    for name, variables in wanted.items():
        p = network.by_name[name]
        probe = setup.probes[p.group]
        first = int(probe.column[p.offset])
        recorded[name] = {}
        for variable in dict.fromkeys(variables):      # views: what is recorded may be most of the memory
            rows = [list(probe.variables).index(k) for k in columns(p, [variable])]
            units = np.array([p.units.get(p.variables[k], np.ones(p.size)) for k in columns(p, [variable])])
            values = np.moveaxis(probe.samples[rows[0]:rows[-1] + 1, :reached, first:first + p.size], 0, -1)
            if p.units:
                values *= units.T
            values = values[..., 0] if variable in p.variables else values          # "i0", "i1" ... make an "i"
            if variable == "v":
                values *= p.scale
                values += p.rest
            recorded[name][variable] = values
    counters = dict(zip(("spikes", "synaptic_operations", "neuron_updates"), outcome.counters.tolist(), strict=True))
    counters["n_ambiguous"] = 0
    for group, state in zip(network.groups, outcome.states, strict=True):
        for name in group.dynamics.counts:
            if name == "n_stuck" and np.any(state[name]):
                raise unsolved(network, int(group.neuron[np.argmax(state[name] > 0)]))
            counters[name] = counters.get(name, 0) + int(state[name].sum())
    counters["spikes"] = len(spikes)
    return Result(spikes, recorded, at_ms[:reached], sources, counters, {
        "until": outcome.reached * unit if outcome.interrupted else until, **provenance(network, how),
        "kernel": ", ".join(outcome.kernels),
    }, network, inputs, outcome.interrupted)


def provenance(network: Network, how: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a run, and what it ran on."""
    return {
        **how, "network": network.digest, "tick": network.tick,
        "exactness": {str(p.name): p.exactness or network.groups[p.group].dynamics.exactness
                      for p in network.populations if p.kind == "neuron"},
        "versions": dict(versions()),
    }


@cache
def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"python": platform.python_version(),
            **{name: version(name) for name in ("eventsnn", "numpy", "numba", "simpy")}}
