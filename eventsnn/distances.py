"""How far two spike trains are from each other: six published measures on ascending arrays of times (ms).

    gamma           coincidences beyond chance          Kistler, Gerstner & van Hemmen 1997; Jolivet et al. 2008
    van_rossum      L2 distance of filtered trains      van Rossum 2001; a lone spike: D^2 = 1/2
    victor_purpura  cheapest edit, moving costs q/ms    Victor & Purpura 1996
    isi_distance    |x - y| / max(x, y) of local ISIs   Kreuz et al. 2007, 2013 (edges: Mulansky et al. 2015)
    spike_distance  distances to the nearest spikes     Kreuz et al. 2013
    spike_sync      fraction of coincident spikes       Kreuz, Mulansky & Bozanic 2015

The `each_` forms take `Spikes` and give one value per neuron, all at once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .errors import Mistake
from .spikes import Spikes

Train = Sequence[float] | np.ndarray
Interval = tuple[float, float]


class Merged(NamedTuple):
    """Two sets of trains on one axis: every distinct (neuron, time), by neuron, then time."""

    neuron: np.ndarray
    time: np.ndarray
    a: np.ndarray            # how many spikes of the first set stand there, and
    b: np.ndarray            # of the second


def merge(a: Spikes, b: Spikes) -> Merged:
    neuron, time = np.concatenate([a.neuron, b.neuron]), np.concatenate([a.time, b.time])
    order = np.lexsort((time, neuron))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(neuron[order]) != 0) | (np.diff(time[order]) != 0)
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(new) - 1
    first, count = order[new], int(new.sum())
    return Merged(neuron[first], time[first], np.bincount(place[:len(a)], minlength=count),
                  np.bincount(place[len(a):], minlength=count))


def match(a: Spikes, b: Spikes, delta: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (i, j) of spikes of the same neuron with |a.time[i] - b.time[j]| <= delta: greedy in time, one to one.

    On a line with a fixed window the greedy matching is also a largest one.
    """
    by_neuron_a, by_neuron_b = (np.lexsort((s.time, s.neuron)) for s in (a, b))
    ta, na = a.time[by_neuron_a].tolist(), a.neuron[by_neuron_a].tolist()
    tb, nb = b.time[by_neuron_b].tolist(), b.neuron[by_neuron_b].tolist()
    pairs_a, pairs_b = [], []
    i = j = 0
    while i < len(ta) and j < len(tb):       # plain lists: 0.2 us a step, no slower than masks in numpy, and legible
        late = tb[j] - ta[i] if na[i] == nb[j] else np.inf * (nb[j] - na[i])
        if late > delta:
            i += 1
        elif late < -delta:
            j += 1
        else:
            pairs_a.append(i)
            pairs_b.append(j)
            i += 1
            j += 1
    return by_neuron_a[np.array(pairs_a, np.int64)], by_neuron_b[np.array(pairs_b, np.int64)]


def each_gamma(a: Spikes, b: Spikes, delta: float, until: float, size: int,
               pairs: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """`gamma` of every neuron, (size,)."""
    matched = a.neuron[(match(a, b, delta) if pairs is None else pairs)[0]]
    n, m, hits = (np.bincount(ids, minlength=size) for ids in (a.neuron, b.neuron, matched))
    chance = 2.0 * delta * m / until
    scale = 0.5 * (n + m) * (1.0 - chance)
    value = (hits - chance * n) / np.where(scale > 0.0, scale, np.nan)
    return np.where(n + m == 0, 1.0, value)


def each_van_rossum(a: Spikes, b: Spikes, tau: float, size: int) -> np.ndarray:
    """`van_rossum` of every neuron, (size,)."""
    if not tau > 0.0:
        raise Mistake(f"van Rossum distance: tau is {tau} ms; it must be > 0")
    merged = merge(a, b)
    charge = (merged.a - merged.b).astype(np.float64)
    here = np.flatnonzero(charge)            # spikes in both trains leave nothing, exactly
    neuron, time, h = merged.neuron[here], merged.time[here], charge[here]
    gap = np.full(len(h), np.inf)            # to the next spike of the same neuron
    gap[:-1][np.diff(neuron) == 0] = np.diff(time)[np.diff(neuron) == 0] / tau
    decay = np.zeros(len(h))
    decay[1:] = np.exp(-gap[:-1])
    step = 1                                 # h_k := decay_k h_{k-1} + charge_k for all k, in log2(n) sweeps
    while step < len(h) and decay.any():
        h[step:] += decay[step:] * h[:-step]
        decay[step:] *= decay[:-step]
        step *= 2
    squares = 0.5 * h * h * -np.expm1(-2.0 * gap)       # int (f - g)^2 / tau up to the next spike: nothing cancels
    return np.sqrt(np.bincount(neuron, squares, minlength=size))


def each_spike_sync(a: Spikes, b: Spikes, interval: Interval, size: int) -> np.ndarray:
    """`spike_sync` of every neuron, (size,)."""
    merged = merge(a, b)
    reach = np.full(len(merged.time), interval[1] - interval[0])    # twice the coincidence window
    for count in (merged.a, merged.b):
        here = np.flatnonzero(count)
        gap = np.where(np.diff(merged.neuron[here]) == 0, np.diff(merged.time[here]), np.inf)
        reach[here[:-1]] = np.minimum(reach[here[:-1]], gap)
        reach[here[1:]] = np.minimum(reach[here[1:]], gap)
        reach[count > 1] = 0.0
    hits = 2.0 * np.minimum(merged.a, merged.b)
    # a coincident pair has no spike between it, so it stands side by side on the merged axis
    apart = (merged.a[:-1] == 0) & (merged.b[1:] == 0) | (merged.b[:-1] == 0) & (merged.a[1:] == 0)
    near = 2.0 * np.diff(merged.time) < np.minimum(reach[:-1], reach[1:])
    hits[1:] += 2.0 * (apart & near & (np.diff(merged.neuron) == 0))
    total = np.bincount(merged.neuron, merged.a + merged.b, minlength=size)
    found = np.bincount(merged.neuron, hits, minlength=size)
    return np.where(total > 0, found / np.maximum(total, 1), 1.0)


def gamma(a: Train, b: Train, delta: float, until: float) -> float:
    """Coincidence factor of b (the model, whose rate sets chance) with a (the data), over `until` ms.

    1: every spike has its partner within |dt| <= delta; 0: no better than a Poisson train of b's rate.  NaN where
    2 delta rate(b) >= 1, where coincidence means nothing; 1 for two empty trains.  Not symmetric.
    """
    return float(each_gamma(_one(a), _one(b), delta, until, 1)[0])


def van_rossum(a: Train, b: Train, tau: float) -> float:
    """D with D^2 = (1/tau) int_0^inf (f - g)^2 dt, each spike an exponential of height 1 and time constant tau (ms)."""
    return float(each_van_rossum(_one(a), _one(b), tau, 1)[0])


def spike_sync(a: Train, b: Train, interval: Interval) -> float:
    """Coincident spikes over all spikes; two coincide closer than half of every interval next to them.

    1 for two empty trains.
    """
    return float(each_spike_sync(_one(a, interval), _one(b, interval), interval, 1)[0])


def victor_purpura(a: Train, b: Train, q: float) -> float:
    """Least cost to turn a into b: 1 to add or remove a spike, q per ms to move one (q in 1/ms)."""
    if not q >= 0.0:
        raise Mistake(f"Victor-Purpura distance: q is {q} per ms; it must be >= 0")
    x, y = _one(a).time, _one(b).time
    k = np.arange(len(y) + 1.0)
    cost = k                                 # of turning nothing into b[:k]
    for t in x:
        step = cost + 1.0                    # t removed
        step[1:] = np.minimum(step[1:], cost[:-1] + q * np.abs(y - t))      # t moved
        cost = np.minimum.accumulate(step - k) + k                          # the rest of b[:k] added
    return float(cost[-1])


def isi_distance(a: Train, b: Train, interval: Interval) -> float:
    """Time average over the interval of |x - y| / max(x, y), x and y the two trains' interspike intervals around t."""
    x, y = _filled(a, interval), _filled(b, interval)
    edges, middle = _segments(x, y, interval)
    tx, ty = (_with_outer(t, interval) for t in (x, y))
    ix, iy = (np.diff(t)[np.searchsorted(t, middle) - 1] for t in (tx, ty))
    return float(np.sum(np.abs(ix - iy) / np.maximum(ix, iy) * np.diff(edges)) / (interval[1] - interval[0]))


def spike_distance(a: Train, b: Train, interval: Interval) -> float:
    """Time average of S(t) = (S_a I_b + S_b I_a) / (2 mean(I_a, I_b)^2), linear between spikes, hence exact.

    S_a(t) interpolates between the distances of a's spikes around t to their nearest spikes of b; I is the local ISI.
    Equal to PySpike's, except for a lone spike exactly at the start: there ours is the limit of one just after it.
    """
    x, y = _filled(a, interval), _filled(b, interval)
    edges, middle = _segments(x, y, interval)
    (sx, ix), (sy, iy) = _local(x, y, interval, edges, middle), _local(y, x, interval, edges, middle)
    mean = 0.5 * (ix + iy)
    profile = 0.5 * (sx * (iy / mean) + sy * (ix / mean)) / mean     # (2, segments): at their starts, at their ends
    return float(np.sum(0.5 * profile.sum(axis=0) * np.diff(edges)) / (interval[1] - interval[0]))


def _local(x: np.ndarray, y: np.ndarray, interval: Interval, edges: np.ndarray,
           middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S_x at both ends of every segment (2, segments) and the ISI of x there."""
    time, others = _with_outer(x, interval), _with_outer(y, interval)
    after = np.clip(np.searchsorted(others, x), 1, len(others) - 1)
    away = np.minimum(np.abs(x - others[after - 1]), np.abs(others[after] - x))
    away = np.concatenate([away[:1], away, away[-1:]])     # constant before the first and after the last
    k = np.searchsorted(time, middle)
    before, isi = time[k - 1], time[k] - time[k - 1]
    at = np.stack([edges[:-1], edges[1:]])
    return (away[k - 1] * (time[k] - at) + away[k] * (at - before)) / isi, isi


def _with_outer(train: np.ndarray, interval: Interval) -> np.ndarray:
    """The train between two auxiliary spikes: at the interval's edges, or one outer ISI away if that is farther."""
    first, last = (train[1] - train[0], train[-1] - train[-2]) if len(train) > 1 else (0.0, 0.0)
    return np.concatenate([[min(interval[0], train[0] - first)], train, [max(interval[1], train[-1] + last)]])


def _filled(train: Train, interval: Interval) -> np.ndarray:
    """The train; an empty one counts as two spikes at the interval's edges (as in PySpike)."""
    time = _one(train, interval).time
    return time if len(time) else np.array(interval, np.float64)


def _segments(x: np.ndarray, y: np.ndarray, interval: Interval) -> tuple[np.ndarray, np.ndarray]:
    """The stretches without a spike: their edges, and points inside them."""
    edges = np.unique(np.concatenate([interval, x, y]))
    return edges, 0.5 * (edges[:-1] + edges[1:])


def _one(train: Any, interval: Interval | None = None) -> Spikes:
    """A single train, checked."""
    time = np.asarray(train, np.float64)
    if time.ndim != 1 or not np.all(np.isfinite(time)) or np.any(np.diff(time) < 0):
        raise Mistake("a spike train is a flat, ascending array of finite times (ms)")
    if interval is not None:
        start, end = interval
        if not start < end:
            raise Mistake(f"the interval ({start}, {end}) is empty: it runs from a start to a later end, in ms")
        if len(time) and not (start <= time[0] and time[-1] <= end):
            outside = time[0] if time[0] < start else time[-1]
            raise Mistake(f"a spike at {outside} ms lies outside the interval ({start}, {end})")
    return Spikes(time, np.zeros(len(time), np.int64))
