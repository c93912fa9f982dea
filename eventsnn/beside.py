"""Two runs' statistics and distances, each beside what the first run has with itself: another seed, one input less."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .distances import each_gamma, each_spike_sync, each_van_rossum
from .spikes import Spikes
from .statistics import ks, statistics

TAU = 10.0                   # ms, of the van Rossum distance


def compared_statistics(a: Spikes, b: Spikes, end: float, other: Spikes | None) -> dict[str, Any]:
    """Mean and sd over neurons (or pairs) in both runs; KS distances between the runs, and between seeds."""
    sa, sb = statistics(a, end), statistics(b, end)
    seeds = {} if other is None else statistics(other, end)
    return {name: {"a": summary(sa[name]), "b": summary(sb[name]), "ks": known(ks(sa[name], sb[name])),
                   "ks_between_seeds": known(ks(sa[name], seeds[name])) if seeds else None} for name in sa}


def summary(values: np.ndarray) -> dict[str, Any]:
    values = values[~np.isnan(values)]
    return {"n": len(values), "mean": float(values.mean()) if len(values) else None,
            "sd": float(values.std()) if len(values) else None}


def known(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def compared_distances(a: Spikes, b: Spikes, end: float, windows: Sequence[float],
                       pairs: Sequence[tuple[np.ndarray, np.ndarray] | None], size: int,
                       again: tuple[Spikes | None, list[Spikes]]) -> dict[str, Any]:
    """Over the neurons that spike in either run: means and quantiles, beside the same between a and its reruns.

    The floor is the median over the runs with one input spike less.  at_floor: no worse than that; within_floor: no
    worse than the worst of these runs, and neurons_within: the share of neurons that are no worse than their own worst.
    """

    def each(x: Spikes, found: Sequence[tuple[np.ndarray, np.ndarray] | None]) -> dict[str, np.ndarray]:
        lively = np.bincount(np.concatenate([a.neuron, x.neuron]), minlength=size) > 0
        values = {f"gamma_{d:g}ms": each_gamma(a, x, d, end, size, p) for d, p in zip(windows, found, strict=True)}
        values[f"van_rossum_{TAU:g}ms"] = each_van_rossum(a, x, TAU, size)
        values["spike_sync"] = each_spike_sync(a, x, (0.0, end), size)
        return {name: np.where(lively, v, np.nan) for name, v in values.items()}

    blank: Sequence[None] = [None] * len(windows)
    here = each(b, pairs)
    seeds = {} if again[0] is None else each(again[0], blank)
    less = [each(x, blank) for x in again[1]]
    return {name: beside(value, seeds.get(name), [m[name] for m in less], -1.0 if "rossum" in name else 1.0)
            for name, value in here.items()}


def beside(value: np.ndarray, seeds: np.ndarray | None, less: Sequence[np.ndarray], better: float) -> dict[str, Any]:
    """One distance of all neurons and its floors; better: 1 where more is better, -1 where less is."""
    means = [mean(m) for m in less]
    mine, middle = mean(value), median(means)
    worst = min((better * m for m in means if m is not None), default=None)

    def reached(floor: float | None) -> bool | None:
        return None if floor is None or mine is None else better * mine >= floor - 1e-12

    share = None
    if less:
        floor = np.min([np.where(np.isnan(m), np.inf, better * m) for m in less], axis=0)
        both = ~np.isnan(value) & np.isfinite(floor)
        share = float(np.mean(better * value[both] >= floor[both] - 1e-12)) if both.any() else None
    return {"value": mine, "between_seeds": None if seeds is None else mean(seeds),
            "one_input_spike_less": middle, "one_input_spike_less_runs": means,
            "at_floor": reached(None if middle is None else better * middle), "within_floor": reached(worst),
            "neurons_within": share,
            "quantiles": {"value": quantiles(value), "between_seeds": None if seeds is None else quantiles(seeds),
                          "one_input_spike_less": quantiles(np.concatenate(less)) if less else None}}


def mean(values: np.ndarray) -> float | None:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else None


def quantiles(values: np.ndarray) -> list[float] | None:
    """5, 25, 50, 75 and 95 % of the neurons."""
    values = values[~np.isnan(values)]
    return np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95)).tolist() if len(values) else None


def median(values: Sequence[float | None]) -> float | None:
    given = [v for v in values if v is not None]
    return float(np.median(given)) if given else None
