"""How large V gets, and what one LSB is worth: the choice of scales, per population.

    range = max(1.25 max|v|, |mean| + 6 sd), v counted from rest, and at least |threshold|, |reset| and |v_init|
    finest weight grid: the smallest power of two at which every incoming weight fits WW bits
    lsb = that grid / 2^guard, but no finer than the range allows in VW bits: then fewer guard bits are left; with the
          default guard it is also at most (threshold - max(reset, 0)) / 2^12, however large the weights

Without a calibration run the range is analytic: 2 max(|threshold|, |reset|, |v_init|) + max|w|; a readout, which
nothing resets, gets the largest sum of a neuron's |weights| instead of the largest weight.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network, Population
from eventsnn.result import Result

HEADROOM, SIGMAS, FINE = 1.25, 6.0, 12


class Incoming(NamedTuple):
    """The weights a population receives, mV."""

    weight: np.ndarray
    target: np.ndarray           # indices within the population
    projection: np.ndarray       # number of the projection each belongs to


class Span(NamedTuple):
    """How far V goes from rest, mV."""

    range: float
    source: str                  # "recorded", "rerun" or "analytic"
    mean: float = math.nan
    sd: float = math.nan


def recordings(network: Network, calibrate: Result | None) -> tuple[dict[Any, np.ndarray], str]:
    """Recorded v of every population of neurons, (samples, size) in mV; a run that lacks some is run again."""
    if calibrate is None:
        return {}, "analytic"
    if not isinstance(calibrate, Result):
        raise Mistake(f"calibrate is a {type(calibrate).__name__}: give the Result of a run of this network, or None")
    names = [p.name for p in network.populations if p.kind == "neuron"]
    theirs = [(name, size) for name, _, size in calibrate.spikes.populations]
    if theirs != [(name, network.by_name[name].size) for name in names]:
        raise Mistake("calibrate is a run of another network: its populations are "
                      + ", ".join(f"{name!r} ({size})" for name, size in theirs))
    if all("v" in calibrate.recorded.get(name, {}) for name in names):
        return {name: calibrate.recorded[name]["v"] for name in names}, "recorded"
    from eventsnn.simulate import simulate

    until = calibrate.until
    again = simulate(network, until, inputs=calibrate.inputs, seed=calibrate.provenance["seed"],
                     record={name: ["v"] for name in names}, record_at=min(1.0, until / 100.0) or None)
    return {name: again.recorded[name]["v"] for name in names}, "rerun"


def span(population: Population, theta: np.ndarray, reset: np.ndarray, start: np.ndarray, incoming: Incoming,
         v: np.ndarray | None, source: str) -> Span:
    """The range of one population; theta, reset and start count from rest, v is as recorded."""
    finite = theta[np.isfinite(theta)]
    marks = max(np.abs(finite).max(initial=0.0), np.abs(reset).max(), np.abs(start).max())
    largest = np.abs(incoming.weight).max(initial=0.0)
    if v is not None and np.size(v):
        u = np.asarray(v, np.float64) - population.params["v_rest"]
        mean, sd = float(u.mean()), float(u.std())
        wide = max(HEADROOM * float(np.abs(u).max()), abs(mean) + SIGMAS * sd, marks)
        if population.params["reset"] == "subtract":      # what stands above the threshold is kept, but never recorded
            wide = max(wide, HEADROOM * (marks + largest))
        return Span(wide or largest or 1.0, source, mean, sd)
    if len(finite) < len(theta):
        largest = np.bincount(incoming.target, np.abs(incoming.weight), 1).max()
    return Span(2.0 * marks + float(largest) or 1.0, "analytic")


def power(x: float) -> int:
    """The largest k with 2^k <= x."""
    return math.frexp(x)[1] - 1


def grid(weights: np.ndarray, top: int) -> int | None:
    """The exponent of the finest power of two on which every weight is within +-top; None where there is no weight."""
    largest = float(np.abs(weights).max(initial=0.0))
    if largest == 0.0:
        return None
    k = power(largest / top)
    return k if np.rint(math.ldexp(largest, -k)) <= top else k + 1


def lsb(wide: float, gap: float, incoming: Incoming, weight_bits: int, v_bits: int, guard: int) -> tuple[int, int]:
    """The exponent of V's LSB, and how many guard bits it leaves below the finest weight grid; LSB <= gap / 2^12."""
    coarsest = -power(((1 << (v_bits - 1)) - 1) / wide)       # 2^coarsest: the finest LSB whose VW bits reach `wide`
    top = (1 << (weight_bits - 1)) - 1
    grids = [grid(incoming.weight[incoming.projection == k], top) for k in np.unique(incoming.projection)]
    finest = min((e for e in grids if e is not None), default=None)
    if finest is None:
        return coarsest, guard
    exponent = max(coarsest, min(finest - guard, power(gap) - FINE if gap < math.inf else finest))
    return exponent, max(finest - exponent, 0)


def shift(weights: np.ndarray, weight_bits: int, exponent: int) -> int:
    """The left shift of one projection's mantissas into V's LSBs of 2^exponent mV."""
    own = grid(weights, (1 << (weight_bits - 1)) - 1)
    return 0 if own is None else max(own - exponent, 0)
