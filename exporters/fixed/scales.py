"""How large V and the currents get, and what one LSB is worth: the choice of scales, per population.

    range = max(1.25 max|v|, |mean| + 6 sd), v counted from rest, and at least |threshold|, |reset| and |v_init|
    finest weight grid: the smallest power of two at which every incoming weight fits WW bits
    lsb = that grid / 2^guard, but no finer than the range allows in VW bits: then fewer guard bits are left; with the
          default guard it is also at most (threshold - max(reset, 0)) / 2^12, however large the weights

Without a calibration run the range is analytic: 2 max(|threshold|, |reset|, |v_init|) + max|w|; a readout, which
nothing resets, gets the largest sum of a neuron's |weights| instead of the largest weight.  In tick mode a weight
counts here as the peak of its PSP, and the range grows by what i_offset adds in the long run.

Currents (tick mode) count in mV that they move V by in a tick: their range is max(1.25 max|i|, |mean| + 6 sd), at least
the largest |weight| and |i_init|.  Without a calibration run it is the largest sum of a neuron's |weights|, each as
often as its source may fire within tau_syn (m + 6 sqrt(m / 2) times at a mean of m, at least once), and at least four
of the largest.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.channels import receptors
from eventsnn.errors import Mistake
from eventsnn.network import Network, Population
from eventsnn.result import Result

HEADROOM, SIGMAS, FINE = 1.25, 6.0, 12


class Marks(NamedTuple):
    """A population's potentials in mV above rest and its refractory period in ms, (size,) each."""

    theta: np.ndarray
    reset: np.ndarray
    start: np.ndarray
    refrac: np.ndarray

    @classmethod
    def of(cls, p: Population) -> "Marks":
        v, rest = p.params, p.params["v_rest"]
        start = rest if v["v_init"] is None else v["v_init"]
        refrac = v["tau_refrac"]
        if refrac is None:                                    # lif's own defaults
            refrac = np.full(p.size, 0.0 if v["reset"] == "subtract" else 0.1)
        return cls(v["v_thresh"] - rest, v["v_reset"] - rest, start - rest, refrac)


class Incoming(NamedTuple):
    """The weights a population receives, mV: what they move V by at the tick of their arrival."""

    weight: np.ndarray
    target: np.ndarray           # indices within the population
    projection: np.ndarray       # number of the projection each belongs to
    receptor: np.ndarray
    peak: np.ndarray             # the PSP's peak, or a bound of it, mV
    often: np.ndarray            # how many spikes of its source are expected in a ms


class Span(NamedTuple):
    """How far V goes from rest, mV, and the current of each receptor, mV a tick."""

    range: float
    source: str                  # "recorded", "rerun" or "analytic"
    mean: float = math.nan
    sd: float = math.nan
    currents: tuple[float, ...] = ()


def recordings(network: Network, calibrate: Result | None) -> tuple[dict[Any, Mapping[str, np.ndarray]], str]:
    """Recorded v of every population of neurons, (samples, size) in mV, and i, (samples, size, receptors) in nA, of
    those that have currents; a run that lacks some is run again."""
    if calibrate is None:
        return {}, "analytic"
    if not isinstance(calibrate, Result):
        raise Mistake(f"calibrate is a {type(calibrate).__name__}: give the Result of a run of this network, or None")
    names = [p.name for p in network.populations if p.kind == "neuron"]
    theirs = [(name, size) for name, _, size in calibrate.spikes.populations]
    if theirs != [(name, network.by_name[name].size) for name in names]:
        raise Mistake("calibrate is a run of another network: its populations are "
                      + ", ".join(f"{name!r} ({size})" for name, size in theirs))
    wanted = {name: ["v", "i"] if "i0" in network.by_name[name].variables else ["v"] for name in names}
    if all(v in calibrate.recorded.get(name, {}) for name, several in wanted.items() for v in several):
        return {name: calibrate.recorded[name] for name in names}, "recorded"
    from eventsnn.simulate import simulate

    until = calibrate.until
    again = simulate(network, until, inputs=calibrate.inputs, seed=calibrate.provenance["seed"],
                     record=wanted, record_at=min(1.0, until / 100.0) or None)
    return {name: again.recorded[name] for name in names}, "rerun"


def span(population: Population, marked: Marks, incoming: Incoming, recorded: Mapping[str, np.ndarray], source: str,
         gains: Sequence[np.ndarray]) -> Span:
    """The ranges of one population; `gains`: mV that V moves by for a weight of 1, per receptor."""
    reach = potential(population, marked, incoming, recorded.get("v"), source)
    told = receptors(population.params, population.size)
    return reach._replace(currents=tuple(
        flow(gain, start, tau, incoming, incoming.receptor == k, recorded["i"][..., k] if "i" in recorded else None)
        for k, (gain, start, tau) in enumerate(zip(gains, told["i_init"], told["tau_syn"], strict=True))))


def flow(gain: np.ndarray, start: np.ndarray, tau: np.ndarray | None, incoming: Incoming, mine: np.ndarray,
         i: np.ndarray | None) -> float:
    """The range of one receptor's current; tau: of its synapses, ms (None: it has no current)."""
    weight = np.abs(incoming.weight[mine])
    least = max(weight.max(initial=0.0), np.abs(start * gain).max())
    if i is not None and np.size(i):
        moved = i * gain
        return max(HEADROOM * float(np.abs(moved).max()), abs(float(moved.mean())) + SIGMAS * float(moved.std()), least)
    weight = weight * together(incoming.often[mine] * (0.0 if tau is None else tau[incoming.target[mine]]))
    return max(float(np.bincount(incoming.target[mine], weight, 1).max()), 4.0 * least)


def together(count: np.ndarray) -> np.ndarray:
    """How many inputs may be felt at once where so many are on average."""
    return np.maximum(count + SIGMAS * np.sqrt(0.5 * count), 1.0)


def piled(population: Population, incoming: Incoming) -> np.ndarray:
    """The same for the PSPs of currents, which last for tau_m at least; a delta synapse's count once."""
    tau = population.params["tau_m"]
    lasting = np.array([kind != "delta" for kind in receptors(population.params, population.size)["synapse"]])
    felt = incoming.often * np.where(np.isfinite(tau), tau, 0.0)[incoming.target]
    return np.where(lasting[incoming.receptor], together(felt), 1.0)


def potential(population: Population, marked: Marks, incoming: Incoming, v: np.ndarray | None, source: str) -> Span:
    """The range of V."""
    theta, reset, start = marked[:3]
    finite = theta[np.isfinite(theta)]
    marks = max(np.abs(finite).max(initial=0.0), np.abs(reset).max(), np.abs(start).max())
    largest = np.abs(incoming.peak).max(initial=0.0)
    if v is not None and np.size(v):
        u = np.asarray(v, np.float64) - population.params["v_rest"]
        mean, sd = float(u.mean()), float(u.std())
        wide = max(HEADROOM * float(np.abs(u).max()), abs(mean) + SIGMAS * sd, marks)
        if population.params["reset"] == "subtract":      # what stands above the threshold is kept, but never recorded
            wide = max(wide, HEADROOM * (marks + largest))
        return Span(wide or largest or 1.0, source, mean, sd)
    if len(finite) < len(theta):
        largest = np.bincount(incoming.target, np.abs(incoming.peak) * piled(population, incoming), 1).max()
    tau, push = population.params["tau_m"], np.abs(population.params["i_offset"]) / population.params["cm"]
    steady = np.where(np.isfinite(tau), tau, 0.0) * push
    return Span(2.0 * marks + float(largest) + float(steady.max()) or 1.0, "analytic")


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


def coarsest(wide: float, bits: int) -> int:
    """The exponent of the finest LSB with which so many signed bits reach `wide`."""
    return -power(((1 << (bits - 1)) - 1) / wide) if wide > 0.0 else -1000


def finest(incoming: Incoming, mine: np.ndarray, weight_bits: int) -> int | None:
    """The exponent of the finest grid of those weights that are mine; each projection has its own."""
    top = (1 << (weight_bits - 1)) - 1
    weight, projection = incoming.weight[mine], incoming.projection[mine]
    grids = [grid(weight[projection == k], top) for k in np.unique(projection)]
    return min((e for e in grids if e is not None), default=None)


def lsb(wide: float, gap: float, incoming: Incoming, weight_bits: int, v_bits: int, guard: int) -> tuple[int, int]:
    """The exponent of V's LSB, and how many guard bits it leaves below the finest weight grid; LSB <= gap / 2^12."""
    reach = coarsest(wide, v_bits)
    below = finest(incoming, np.ones(len(incoming.weight), bool), weight_bits)
    if below is None:
        return reach, guard
    exponent = max(reach, min(below - guard, power(gap) - FINE if 0.0 < gap < math.inf else below))
    return exponent, max(below - exponent, 0)


def shift(weights: np.ndarray, weight_bits: int, exponent: int) -> int:
    """The left shift of one projection's mantissas into V's LSBs of 2^exponent mV."""
    own = grid(weights, (1 << (weight_bits - 1)) - 1)
    return 0 if own is None else max(own - exponent, 0)
