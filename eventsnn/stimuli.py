"""Spike sources: their attributes, and given trains.  `streams.py` runs the random ones.

    spikes    at given times
    poisson   independently per source, at a rate that is constant, piecewise constant, or modulated by a sine
    renewal   intervals of a dead time and a gamma distributed rest; in equilibrium, so stationary, from `start` on
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .errors import Mistake
from .model import Field, Fields, inf
from .network import Network
from .spikes import sort
from .values import at, lists, quoted

FEWEST, MOST = 1e-3, 1e9            # gamma shapes: bursts of some 1000 spikes; a clock that jitters by 3e-5

START = Field(0.0, "ms", "nothing before this time", above=0.0, closed=True)
STOP = Field(inf, "ms", "nothing from this time on", above=0.0, closed=True, finite=False)
TIMES = Field(None, "ms", "one flat list for size 1, else a list of lists", per="list", above=0.0, closed=True)

SOURCES: dict[str, Fields] = {
    "poisson": {
        "rate": Field(None, "Hz", "mean rate of each source; this, or times and rates", above=0.0, closed=True),
        "times": TIMES._replace(meaning="when the rates begin, ascending; shaped as spike times"),
        "rates": Field(None, "Hz", "in place of rate: the rate from each time on, 0 before the first", per="list",
                       above=0.0, closed=True),
        "modulation": Field(0.0, "", "m, from 0 to 1: multiplies the rate by 1 + m sin(2 pi frequency t + phase), t "
                                     "from 0", above=0.0, closed=True),
        "frequency": Field(None, "Hz", "of the modulation; none without it", above=0.0, closed=True),
        "phase": Field(0.0, "degree", "of the modulation at t = 0"),
        "start": START,
        "stop": STOP,
    },
    "renewal": {
        "rate": Field(None, "Hz", "mean rate of each source; required", above=0.0, closed=True),
        "shape": Field(None, "", "k of the gamma distributed part of an interval, 0.001 to 1e9; its CV is 1/sqrt(k): "
                                 "1 makes a Poisson process, more is more regular; required",
                       above=FEWEST, closed=True),
        "dead_time": Field(0.0, "ms", "the shortest interval; the gamma distributed rest has mean 1000/rate less it",
                           above=0.0, closed=True),
        "start": START,
        "stop": STOP,
    },
    "spikes": {
        "times": TIMES._replace(meaning="spike times in any order, none by default; one flat list for size 1, else "
                                        "a list of lists"),
    },
}

ABOUT = {
    "poisson": """Poisson processes, independent of each other, at a rate that is constant or varies.

    rate(t) = rate (1 + modulation sin(2 pi frequency t + phase))   between start and stop, else 0

With `times` and `rates` in place of `rate`, rates[k] stands for it from times[k] on, and 0 before times[0].  Events of
a varying rate are thinned out of those of its highest (Lewis & Shedler 1979).""",
    "renewal": """Renewal processes: independent intervals of one distribution, partly gamma distributed (Cox 1962).

    interval = dead_time + Gamma(shape) of mean 1000/rate - dead_time,   CV = (1 - rate dead_time / 1000) / sqrt(shape)

In equilibrium, as if it had run for ever: `rate` holds from `start` on, without a transient.""",
    "spikes": """Given spike trains; `simulate(..., inputs={name: trains})` replaces them without a new compile.""",
}


# ---------------------------------------------------------------------------------------------------- attributes
def settle(model: str, values: dict[str, Any], size: int) -> dict[str, Any]:
    """The checked attributes of a source, complete; `Mistake` where they contradict each other."""
    if model == "spikes" and values["times"] is None:
        values["times"] = [np.empty(0) for _ in range(size)]
    if model == "poisson":
        values = varying(values)
    complete(model, values)
    if model == "renewal":
        feasible(values)
    return values


def complete(model: str, values: Mapping[str, Any]) -> None:
    """What must be there is, and nothing stops before it starts."""
    for name, value in values.items():
        if value is None:
            raise Mistake(f"{model} needs {name!r}")
    if "start" in values and (values["stop"] < values["start"]).any():
        k = int(np.argmax(values["stop"] < values["start"]))
        raise Mistake(f"stop ({values['stop'][k]:g}) lies before start ({values['start'][k]:g})")


def paired(model: str, name: str, times: Sequence[np.ndarray], steps: Sequence[np.ndarray]) -> None:
    """There are as many steps as times, and the times ascend."""
    for when, what in zip(times, steps, strict=True):
        if len(when) != len(what):
            raise Mistake(f"{model} needs as many {name} as times, not {len(what)} and {len(when)}")
        if (np.diff(when) <= 0).any():
            k = int(np.argmax(np.diff(when) <= 0))
            raise Mistake(f"times must ascend, but {when[k + 1]:g} follows {when[k]:g}")


def varying(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of a poisson population: either rate, or times and rates; and a modulation that leaves the rate >= 0."""
    stepped = values["times"] is not None or values["rates"] is not None
    if stepped and values["rate"] is not None:
        raise Mistake("rate and rates exclude each other: give rate, or times and rates")
    values = {name: value for name, value in values.items() if name not in (("rate",) if stepped else STEPS)}
    if stepped:
        complete("poisson", {name: values[name] for name in STEPS})
        paired("poisson", "rates", values["times"], values["rates"])
    depth = values["modulation"]
    if (depth > 1.0).any():
        k = int(np.argmax(depth > 1.0))
        raise Mistake(f"modulation must be <= 1, not {depth[k]:g} (source {k}): the rate would fall below 0")
    if values["frequency"] is None and not depth.any():
        values["frequency"] = np.zeros(len(depth))
    return values


STEPS = ("times", "rates")


def feasible(values: Mapping[str, Any]) -> None:
    """Of a renewal population: its rate leaves room for its dead time."""
    rate, shape, dead = values["rate"], values["shape"], values["dead_time"]
    if (shape > MOST).any():
        raise Mistake(f"shape must be <= {MOST:g}, not {shape.max():g} (source {int(np.argmax(shape))})")
    if (rate * dead >= 1000.0).any():
        k = int(np.argmax(rate * dead >= 1000.0))
        raise Mistake(f"a dead_time of {dead[k]:g} ms is too long for a rate of {rate[k]:g} Hz (source {k}): "
                      f"it must be under {1000.0 / rate[k]:g} ms")


# ---------------------------------------------------------------------------------------------------- given spikes
class Trains(NamedTuple):
    """All spikes of `spikes` nodes, by time, then emitter."""

    time: np.ndarray             # (n,) float64, ms
    emitter: np.ndarray          # (n,) int64


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
    return Trains(*sort(np.concatenate(time), np.concatenate(emitter)))
