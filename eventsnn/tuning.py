"""tune(network, budget): the fewest bits that keep a stated quality.

A candidate is a set of `quantise`'s options.  Its memory is counted by `bits.py`; its quality is a task's score, or how
like the float run its spikes are.  The search takes for granted that more bits (and finer ticks) are never worse:

    1  the first of every axis together: the base, the most bits there are
    2  each axis alone, all its values, the others at the base: what fails here is tried no more
    3  of the combinations left, by estimated memory, those in the middle: one that is good enough rules out all that
       need as much, one that is not rules out all that have no more of anything.  Until none is left, or the budget is

Candidates are tried on all cores, in processes, or by whatever `concurrent.futures` executor a Dask scheduler gives.
"""

import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .bits import memory_bits
from .crew import Here, executor
from .errors import Mistake, nearest
from .lattice import Search
from .likeness import judge_of
from .network import Network
from .result import Result

SPACE: Mapping[str, Sequence[Any]] = {       # of each axis the best value first
    "weight_bits": (8, 7, 6, 5, 4, 3, 2),
    "v_bits": (24, 20, 18, 16, 14, 12, 10, 8),
    "decay_bits": (16, 12, 10, 8, 6, 4),
    "tick": (0.1, 0.2, 0.5),
}
AXES = ("weight_bits", "v_bits", "guard_bits", "decay_bits", "tick", "decay")
Judge = Callable[[Network], float]
Progress = Callable[[float, float], None]


class Trial(NamedTuple):
    """One candidate."""

    options: dict[str, Any]
    bits: int | None             # None: quantise refused it
    quality: float | None
    parts: dict[str, int]        # bits by part
    why: str | None = None       # what quantise said


@dataclass(frozen=True)
class Tuning:
    """What `tune` found."""

    trials: tuple[Trial, ...]    # in the order they came in; the first is the base
    target: float                # the quality that is kept
    measure: str                 # what it is a quality of
    exact: float | None          # the float network's, if it has one
    interrupted: bool
    exhausted: bool              # the budget ended the search, so smaller ones may exist

    @property
    def best(self) -> Trial | None:
        """The smallest that keeps the quality; of equals the better one."""
        good = [t for t in self.trials if self.good(t)]
        return min(good, key=lambda t: (t.bits or 0, -(t.quality or 0.0)), default=None)

    def good(self, trial: Trial) -> bool:
        return trial.quality is not None and trial.quality >= self.target - 1e-12

    @property
    def front(self) -> list[Trial]:
        """Those than which nothing is both smaller and better, by size."""
        found: list[Trial] = []
        known = [t for t in self.trials if t.quality is not None and t.bits is not None]
        for t in sorted(known, key=lambda t: (t.bits or 0, -(t.quality or 0.0))):
            if not found or (t.quality or 0.0) > (found[-1].quality or 0.0):
                found.append(t)
        return found

    @property
    def data(self) -> dict[str, Any]:
        best = self.best
        return {"measure": self.measure, "target": self.target, "exact": self.exact, "interrupted": self.interrupted,
                "exhausted": self.exhausted, "best": best and best._asdict(), "base": self.trials[0]._asdict(),
                "front": [t._asdict() for t in self.front], "trials": [t._asdict() for t in self.trials]}

    def json(self) -> str:
        return json.dumps(self.data, indent=1)

    def plot(self, path: str | Path) -> Path:
        """Quality over memory, and the front: a .png, .pdf or .svg."""
        from . import figures, plot

        return plot.save(figures.pareto(self), path)

    def facts(self) -> Iterator[tuple[str, str]]:
        """In lines."""
        base, best = self.trials[0], self.best
        yield "quality", self.measure
        if self.exact is not None:
            yield "of the float network", f"{self.exact:.6g}"
        yield "to keep", f"{self.target:.6g}"
        yield "tried", f"{len(self.trials)} candidates" + (
            "; interrupted: smaller ones may exist" if self.interrupted else
            "; the budget is spent: smaller ones may exist" if self.exhausted else "; no smaller one is left")
        yield "base", told(base)
        yield "smallest that keeps it", "none" if best is None else told(best)
        if best is not None and best.bits and base.bits:
            yield "memory", f"{best.bits / base.bits:.3g} of the base's"
        for t in self.front:
            yield "on the front", told(t)

    def text(self) -> str:
        facts = list(self.facts())
        width = max(len(name) for name, _ in facts)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in facts)

    __str__ = text


def told(t: Trial) -> str:
    options = ", ".join(f"{name} {value}" for name, value in t.options.items() if value is not None)
    return f"{options}: " + (f"refused: {t.why}" if t.bits is None else f"{t.bits:,} bits, quality {t.quality:.6g}")


def tune(network: Network, budget: int = 60, *, until: float | None = None, score: Judge | None = None,
         at_least: float | None = None, measure: str = "spike_sync", calibrate: Result | None = None,
         space: Mapping[str, Sequence[Any]] | None = None, inputs: Any = None, seed: int | None = None,
         workers: int | None = None, scheduler: str | None = None, progress: Progress | None = None) -> Tuning:
    """Search for the integer network with the least memory that keeps a quality; see the module.

    budget      candidates to try at most
    score       score(network) of a task, for the float network and for integer ones; more is better.  With processes it
                must be picklable: a function of a module.
                Without it spikes are compared with a float run over [0, until) ms
    at_least    the quality to keep.  Default: of a score the base's (8-bit weights, 24-bit V, unless `space` begins
                otherwise); of spikes the floor's, that of the float run with one input spike less (or of another seed)
    measure     "spike_sync": mean SPIKE-synchrony; "statistics": 1 - the largest KS distance of rates, CVs, LVs and
                correlations, for networks whose single spikes say nothing
    calibrate   as for quantise; default: the float run
    space       axis -> values, the best first, in place of those of SPACE: weight_bits, v_bits, decay_bits, tick,
                decay, guard_bits (if left out, as V's width allows)
    workers     processes; default: one per core.  1 works in this process
    scheduler   address of a Dask scheduler, instead of processes here; needs pip install 'eventsnn[dask]'

    Ctrl-C ends the search; what has been found is returned, and says `interrupted`.
    """
    axes = space_of(network, space)
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < 1:
        raise Mistake(f"budget is {budget!r}: give a number of candidates, at least 1")
    judge, target, exact, words, float_run = judge_of(network, until, score, at_least, measure, inputs, seed)
    job = Job(replace(network), calibrate or float_run, judge)         # replace: without what engines made of it
    found: list[Trial] = []
    state, interrupted = Search(axes), False
    with executor(workers, scheduler) as (pool, many):
        running: dict[Future, tuple[int, ...]] = {}
        sent = job if isinstance(pool, Here) else pickled(job)
        try:
            (base,) = state.next(1, set())
            first = pool.submit(evaluate, sent, state.options(base)).result()
            if first.quality is None:
                raise Mistake(f"the first candidate is refused: {first.why}")
            target = first.quality if target is None else target
            found.append(first)
            state.learn(base, first.bits, first.quality >= target - 1e-12)
            while len(found) < budget:
                for place in state.next(min(many, budget - len(found)), set(running.values())):
                    running[pool.submit(evaluate, sent, state.options(place))] = place
                if not running:
                    break
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    trial = future.result()
                    found.append(trial)
                    state.learn(running.pop(future), trial.bits,
                                trial.quality is not None and trial.quality >= target - 1e-12)
                if progress is not None:
                    progress(len(found), min(budget, len(found) + len(running) + state.left()))
        except KeyboardInterrupt:
            interrupted = True
            for future in running:
                future.cancel()
            if not found:
                raise
    return Tuning(tuple(found), float(target or 0.0), words, exact, interrupted, not interrupted and state.left() > 0)


def space_of(network: Network, space: Mapping[str, Sequence[Any]] | None) -> dict[str, tuple[Any, ...]]:
    """The axes, checked; decay has none where nothing decays."""
    for name, values in (space or {}).items():
        if name not in AXES:
            raise Mistake(f"space has no axis {name!r}{nearest(name, AXES)}")
        if isinstance(values, str) or not isinstance(values, Sequence) or not len(values):
            raise Mistake(f"space: {name!r} wants a list of values, the best first, not {values!r}")
    axes = {**SPACE, **(space or {})}
    taus = [p.params["tau_m"] for p in network.populations if p.kind == "neuron" and "tau_m" in p.params]
    if not any(np.isfinite(tau).any() for tau in taus) and "decay_bits" not in (space or {}):
        axes["decay_bits"] = (None,)
    return {name: tuple(axes[name]) for name in AXES if name in axes}


# ---------------------------------------------------------------------------------------------------- trying
class Job(NamedTuple):
    """What every candidate has in common."""

    network: Network
    calibrate: Result | None
    judge: Judge


def pickled(job: Job) -> bytes:
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Mistake(f"score cannot be sent to other processes ({error}): make it a function of a module, or give "
                      "workers=1") from error


@lru_cache(2)
def unpickled(job: bytes) -> Job:
    return pickle.loads(job)


def evaluate(job: bytes | Job, options: Mapping[str, Any]) -> Trial:
    """One candidate, anywhere."""
    import importlib

    network, calibrate, judge = unpickled(job) if isinstance(job, bytes) else job
    try:
        fixed = importlib.import_module("eventsnn.exporters.fixed").quantise(network, calibrate=calibrate, **options)
    except Mistake as refusal:
        return Trial(dict(options), None, None, {}, str(refusal))
    parts = memory_bits(fixed)
    return Trial(dict(options), sum(parts.values()), float(judge(fixed)), parts)
