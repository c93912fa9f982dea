"""How like the float run an integer network's spikes are: the qualities that `tune` keeps where there is no task.

    spike_sync   mean SPIKE-synchrony of the neurons that spike in either run; floor: the worst of five runs with one
                 input spike less, or of another seed where there is no input
    statistics   1 - the largest KS distance of rates, CVs, LVs and pairwise correlations; floor: the worst of three
                 other seeds, of the sources or, where none is random, of `compile`: another wiring, another start

Both are 1 for equal spikes, and the floor is what the float network keeps of itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .distances import each_spike_sync
from .errors import Mistake, nearest
from .floors import one_spike_less, random_sources, reseeded
from .network import Network
from .result import Result
from .simulate import simulate
from .spikes import Spikes
from .statistics import ks, size_of, statistics

RUNS, SEEDS = 5, 3


def synchrony(a: Spikes, b: Spikes, until: float) -> float:
    size = size_of(a)
    lively = np.bincount(np.concatenate([a.neuron, b.neuron]), minlength=size) > 0
    return float(each_spike_sync(a, b, (0.0, until), size)[lively].mean()) if lively.any() else 1.0


def resemblance(a: Spikes, b: Spikes, until: float) -> float:
    one, other = statistics(a, until), statistics(b, until)
    apart = []
    for name in one:
        some, others = (np.count_nonzero(~np.isnan(x[name])) for x in (one, other))
        apart.append(ks(one[name], other[name]) if some and others else float(bool(some) != bool(others)))
    return 1.0 - max(apart)


MEASURES: dict[str, tuple[Callable[[Spikes, Spikes, float], float], str]] = {
    "spike_sync": (synchrony, "mean SPIKE-synchrony with the float run"),
    "statistics": (resemblance, "1 - the largest KS distance of rate, CV, LV, correlation from the float run's"),
}


@dataclass(frozen=True)
class Likeness:
    """A judge that can travel: the quality of a fixed network's run beside given spikes."""

    measure: str
    spikes: Spikes
    until: float
    inputs: Any
    seed: int

    def __call__(self, fixed: Network) -> float:
        run = simulate(fixed, self.until, inputs=self.inputs, seed=self.seed)
        if run.interrupted:
            raise KeyboardInterrupt
        return MEASURES[self.measure][0](self.spikes, run.spikes, self.until)


def judge_of(network: Network, until: float | None, score: Callable[[Network], float] | None, at_least: float | None,
             measure: str, inputs: Any,
             seed: int | None) -> tuple[Callable[[Network], float], float | None, float | None, str, Result | None]:
    """The judge, the quality to keep (None: the first candidate's), the float network's, in words, and its run."""
    if score is not None:
        return score, at_least, float(score(network)), "score of the task", None
    if measure not in MEASURES:
        raise Mistake(f"there is no measure {measure!r}{nearest(measure, MEASURES)}")
    if until is None:
        raise Mistake("tune needs until=T, a time in ms over which spikes are compared, or score=, a task's")
    run = simulate(network, until, inputs=inputs, seed=seed,        # with all that `quantise` calibrates by
                   record={p.name: ["v", "i"] if "i0" in p.variables else ["v"] for p in network.populations
                           if p.kind == "neuron"})
    if run.interrupted:
        raise KeyboardInterrupt
    judge = Likeness(measure, run.spikes, float(until), inputs, int(run.provenance["seed"]))
    _, words = MEASURES[measure]
    if at_least is None:
        at_least = floor(run, measure)
        words += ", at its floor"
    return judge, at_least, None, words, run


def floor(run: Result, measure: str) -> float:
    """What the float network keeps of itself."""
    others: list[Spikes] = []
    if measure == "spike_sync":
        others = list(one_spike_less(run, RUNS))
    if not others and random_sources(run.network):
        others = [reseeded(run, k + 1) for k in range(SEEDS)]
    elif measure == "statistics" and run.network.graph is not None:
        others = [rewired(run, k + 1) for k in range(SEEDS)]
        others = [other for other in others if other != run.spikes]
    if not others:
        raise Mistake(f"{measure} has no floor in a network without input or randomness: give at_least=")
    return min(MEASURES[measure][0](run.spikes, other, run.until) for other in others)


def rewired(run: Result, step: int) -> Spikes:
    """A run of the same graph, compiled with another seed."""
    from .graph import compile

    network = compile(run.network.graph, seed=run.network.seed + step)
    return simulate(network, run.until, inputs=run.inputs, seed=run.provenance["seed"],
                    backend=run.provenance["backend"]).spikes
