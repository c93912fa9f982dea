"""What is worth knowing of a run in numbers: rates, irregularity, correlation, population activity, and KS distances.

    rate          spikes / s of each neuron                                                        Hz
    cv            sd / mean of each neuron's interspike intervals                                  Softky & Koch 1993
    lv            3 <((I_k - I_k+1) / (I_k + I_k+1))^2>, blind to slow changes of the rate         Shinomoto et al. 2003
    correlation   Pearson's, of pairs of neurons' spike counts in bins of 2 ms
    ks            largest distance between two empirical distribution functions

NaN marks a neuron with too few spikes to say (cv and lv need three).
"""

from typing import Any

import numpy as np

from .errors import Mistake
from .spikes import Spikes

CELLS = 20_000_000       # the largest table of counts that `correlation` makes


def size_of(spikes: Spikes) -> int:
    """How many neurons these spikes are of: as labelled, else up to the highest id."""
    return max([first + n for _, first, n in spikes.populations] + [int(spikes.neuron.max(initial=-1)) + 1])


def rate(spikes: Spikes, until: float) -> np.ndarray:
    """Hz, (neurons,)."""
    return np.bincount(spikes.neuron, minlength=size_of(spikes)) * (1000.0 / _positive(until, "until"))


def intervals(spikes: Spikes) -> tuple[np.ndarray, np.ndarray]:
    """All interspike intervals (ms) by neuron, then time, and whose they are."""
    order = np.lexsort((spikes.time, spikes.neuron))
    time, neuron = spikes.time[order], spikes.neuron[order]
    same = np.diff(neuron) == 0
    return np.diff(time)[same], neuron[1:][same]


def cv(spikes: Spikes) -> np.ndarray:
    """(neurons,)."""
    isi, neuron = intervals(spikes)
    size = size_of(spikes)
    n = np.bincount(neuron, minlength=size)
    mean = np.bincount(neuron, isi, minlength=size) / np.maximum(n, 1)
    variance = np.bincount(neuron, (isi - mean[neuron]) ** 2, minlength=size) / np.maximum(n, 1)
    known = (n >= 2) & (mean > 0.0)
    return np.where(known, np.sqrt(variance) / np.where(known, mean, 1.0), np.nan)


def lv(spikes: Spikes) -> np.ndarray:
    """(neurons,)."""
    isi, neuron = intervals(spikes)
    size = size_of(spikes)
    same = np.diff(neuron) == 0
    total = (isi[1:] + isi[:-1])[same]
    term = (np.diff(isi)[same] / np.where(total > 0.0, total, 1.0)) ** 2
    n = np.bincount(neuron[1:][same], minlength=size)
    return np.where(n > 0, 3.0 * np.bincount(neuron[1:][same], term, minlength=size) / np.maximum(n, 1), np.nan)


def correlation(spikes: Spikes, until: float, bin_width: float = 2.0, neurons: int = 200) -> np.ndarray:
    """Correlation coefficients of all pairs among up to `neurons` spiking neurons, evenly chosen, (pairs,)."""
    bins = max(int(np.ceil(_positive(until, "until") / _positive(bin_width, "bin_width"))), 1)
    active = np.unique(spikes.neuron)
    if len(active) < 2 or bins < 2:
        return np.zeros(0)
    many = min(neurons, max(CELLS // bins, 2), len(active))
    chosen = active[np.linspace(0, len(active) - 1, many).round().astype(np.int64)]
    mine = np.isin(spikes.neuron, chosen)
    row = np.searchsorted(chosen, spikes.neuron[mine])
    column = np.minimum((spikes.time[mine] / bin_width).astype(np.int64), bins - 1)
    counts = np.bincount(row * bins + column, minlength=len(chosen) * bins).reshape(len(chosen), bins).astype(float)
    counts -= counts.mean(axis=1, keepdims=True)
    norm = np.sqrt((counts**2).sum(axis=1))
    counts = counts[norm > 0.0] / norm[norm > 0.0, None]      # the same count in every bin correlates with nothing
    return np.clip((counts @ counts.T)[np.triu_indices(len(counts), 1)], -1.0, 1.0)


def activity(spikes: Spikes, until: float, bin_width: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Population activity: bin centres (ms) and spikes per neuron and second in each bin (Hz)."""
    bins = max(int(np.ceil(_positive(until, "until") / _positive(bin_width, "bin_width"))), 1)
    column = np.minimum((spikes.time / bin_width).astype(np.int64), bins - 1)
    width = np.minimum(bin_width, until - bin_width * np.arange(bins))      # the last bin may be short
    hz = np.bincount(column, minlength=bins) / np.maximum(size_of(spikes), 1) / width * 1000.0
    return bin_width * np.arange(bins) + 0.5 * width, hz


def ks(x: Any, y: Any) -> float:
    """Two-sample Kolmogorov-Smirnov distance in [0, 1]; NaNs are left out; NaN if a sample is empty."""
    x, y = (np.sort(v[~np.isnan(v)]) for v in (np.asarray(x, np.float64), np.asarray(y, np.float64)))
    if not len(x) or not len(y):
        return float("nan")
    values = np.concatenate([x, y])
    return float(np.max(np.abs(np.searchsorted(x, values, side="right") / len(x)
                               - np.searchsorted(y, values, side="right") / len(y))))


def statistics(spikes: Spikes, until: float) -> dict[str, np.ndarray]:
    """The four distributions that `compare` reports."""
    return {"rate": rate(spikes, until), "cv": cv(spikes), "lv": lv(spikes), "correlation": correlation(spikes, until)}


def _positive(value: float, name: str) -> float:
    if not 0.0 < value < np.inf:
        raise Mistake(f"{name} is {value} ms; it must be > 0 and finite")
    return value
