"""Spike sources and injected currents: their attributes, and what the engines make of them.

A source emits spikes: `poisson` independently per source at its rate within [start, stop); `spikes` at given times.
A current is piecewise constant and zero outside [start, stop); `steps` holds amplitudes[k] from times[k] on.

Law S12: the sources of a `poisson` population run in blocks of 4096 consecutive ones.  A block is one stream of events:
draw i of (seed, population, block) gives the waiting time to event i, by exponential inversion, and whose event it is,
in proportion to the rates.  Nothing else moves an event.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .elementary import log
from .errors import Mistake
from .model import Field, Fields, inf
from .network import Network
from .rng import U64, below, key, philox, unit
from .values import at, lists, quoted

BLOCK = 4096

START = Field(0.0, "ms", "nothing before this time", above=0.0, closed=True)
STOP = Field(inf, "ms", "nothing from this time on", above=0.0, closed=True, finite=False)
TIMES = Field(None, "ms", "one flat list for size 1, else a list of lists", per="list", above=0.0, closed=True)

SOURCES: dict[str, Fields] = {
    "poisson": {
        "rate": Field(None, "Hz", "mean rate of each source; required", above=0.0, closed=True),
        "start": START,
        "stop": STOP,
    },
    "spikes": {
        "times": TIMES._replace(meaning="spike times in any order, none by default; one flat list for size 1, else "
                                        "a list of lists"),
    },
}

CURRENTS: dict[str, Fields] = {
    "dc": {
        "amplitude": Field(None, "nA", "the current; required"),
        "start": START,
        "stop": STOP,
    },
    "steps": {
        "times": TIMES._replace(meaning="when the amplitudes begin, ascending; required; shaped as spike times"),
        "amplitudes": Field(None, "nA", "the current from each time on, 0 before the first; required", per="list"),
        "start": START,
        "stop": STOP,
    },
}


def settle(model: str, values: dict[str, Any], size: int) -> dict[str, Any]:
    """The checked attributes of a source or current, complete; `Mistake` where they contradict each other."""
    if model == "spikes" and values["times"] is None:
        values["times"] = [np.empty(0) for _ in range(size)]
    for name, value in values.items():
        if value is None:
            raise Mistake(f"{model} needs {name!r}")
    if "start" in values and (values["stop"] < values["start"]).any():
        k = int(np.argmax(values["stop"] < values["start"]))
        raise Mistake(f"stop ({values['stop'][k]:g}) lies before start ({values['start'][k]:g})")
    if model == "steps":
        for times, amplitudes in zip(values["times"], values["amplitudes"], strict=True):
            if len(times) != len(amplitudes):
                raise Mistake(f"steps needs as many amplitudes as times, not {len(amplitudes)} and {len(times)}")
            if (np.diff(times) <= 0).any():
                raise Mistake(f"times must ascend, but {times[1 + np.argmax(np.diff(times) <= 0)]:g} follows "
                              f"{times[np.argmax(np.diff(times) <= 0)]:g}")
    return values


# ---------------------------------------------------------------------------------------------------- currents
def dc(values: Mapping[str, Any], k: int) -> tuple[np.ndarray, np.ndarray]:
    return values["start"][k:k + 1], values["amplitude"][k:k + 1]


def steps(values: Mapping[str, Any], k: int) -> tuple[np.ndarray, np.ndarray]:
    times, amplitudes, start = values["times"][k], values["amplitudes"][k], values["start"][k]
    held = int(np.searchsorted(times, start, side="right")) - 1         # the step that holds at `start`
    return np.maximum(times[max(held, 0):], start), amplitudes[max(held, 0):]


LINES = {"dc": dc, "steps": steps}


def line(model: str, values: Mapping[str, Any], k: int) -> tuple[np.ndarray, np.ndarray]:
    """Current k of a node as (times, amplitude from each on); 0 before the first."""
    times, amplitudes = LINES[model](values, k)
    stop = values["stop"][k]
    before = times < stop
    times, amplitudes = times[before], amplitudes[before]
    if len(times) and stop < inf:
        times, amplitudes = np.append(times, stop), np.append(amplitudes, 0.0)
    return times, amplitudes


# ---------------------------------------------------------------------------------------------------- running sources
STREAM = np.dtype([
    ("key", "u8"),               # of (seed, population)
    ("block", "i8"),             # its number within the population
    ("emitter", "i8"),           # of the block's first source
    ("sources", "i8"),
    ("rate", "f8"),              # events per ms of the whole block
    ("start", "f8"),             # ms: the earliest of the block, its t[-1]
    ("stop", "f8"),              # ms: the latest of the block
    ("uniform", "i8"),           # all rates are equal
    ("first", "i8"),             # where the block begins in the arrays of `Streams`
])


class Streams(NamedTuple):
    """The Poisson blocks of a network, one stream each."""

    of: np.recarray              # (streams,) of type STREAM
    cumulative: np.ndarray       # (sources,) float64, Hz: running sums of the rates within a block
    start: np.ndarray            # (sources,) float64, ms
    stop: np.ndarray             # (sources,) float64, ms


class Trains(NamedTuple):
    """All spikes of `spikes` nodes, by time, then emitter."""

    time: np.ndarray             # (n,) float64, ms
    emitter: np.ndarray          # (n,) int64


def streams(network: Network, seed: int) -> Streams:
    """The streams of all `poisson` populations, in emitter order."""
    rows: list[tuple[Any, ...]] = []
    columns: list[tuple[np.ndarray, ...]] = []
    sources = 0
    for population in network.populations:
        if population.model != "poisson" or population.kind != "source":
            continue
        for block, low in enumerate(range(0, population.size, BLOCK)):
            rate, start, stop = (population.params[name][low:low + BLOCK] for name in ("rate", "start", "stop"))
            cumulative = np.cumsum(rate)
            rows.append((key(seed, "poisson", population.name), block, population.emitter + low, len(rate),
                         cumulative[-1] * 1e-3, start.min(), stop.max(), bool((rate == rate[0]).all()), sources))
            columns.append((cumulative, start, stop))
            sources += len(rate)
    return Streams(np.array(rows, STREAM).view(np.recarray),
                   *(np.concatenate([np.empty(0), *(c[k] for c in columns)]) for k in range(3)))


def next_event(streams, k, i, t):
    """Event i of stream k, after event i - 1 at t (or the stream's start): its time (inf: there is none) and emitter.

    The emitter is -1 where the event falls outside its source's [start, stop): it is then dropped, but time goes on.
    """
    b = streams.of[k]
    if not b.rate > 0.0:
        return np.inf, -1
    waiting, whose = philox(U64(b.key), U64(b.block), U64(i))
    time = t + -log(unit(waiting)) / b.rate
    if not time < b.stop:
        return np.inf, -1
    j = below(whose, b.sources) if b.uniform else member(streams.cumulative, b.first, b.sources, whose)
    active = streams.start[b.first + j] <= time < streams.stop[b.first + j]
    return time, (b.emitter + j if active else -1)


def member(cumulative, first, size, bits):
    """Which source of a block, in proportion to the rates, from a random number: the first whose sum lies above."""
    sought = unit(bits) * cumulative[first + size - 1]
    low, high = 0, size - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[first + middle] > sought:
            high = middle
        else:
            low = middle + 1
    return low


def trains(network: Network, inputs: Mapping[Any, Any] | None = None) -> Trains:
    """The given spikes of a run.  `inputs` replaces the `times` of the nodes it names."""
    given = {}
    for name, times in (inputs or {}).items():
        population = network.population(name, "source")
        if population.model != "spikes":
            raise Mistake(f"node {quoted(name)} is a {population.model!r} source: inputs are for 'spikes' nodes")
        with at(f"inputs of node {quoted(name)}"):
            given[name] = lists(times, population.size, SOURCES["spikes"]["times"], "times")
    time, emitter = [np.empty(0)], [np.empty(0, np.int64)]
    for population in network.populations:
        if population.model == "spikes" and population.kind == "source":
            entries = given.get(population.name, population.params["times"])
            time += entries
            emitter.append(np.repeat(population.emitter + np.arange(population.size), [len(e) for e in entries]))
    times, emitters = np.concatenate(time), np.concatenate(emitter)
    order = np.lexsort((emitters, times))
    return Trains(times[order], emitters[order])
