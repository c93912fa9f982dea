"""Where two sets of spikes part: the first difference of any size, and the first one that exceeds a window."""

from typing import Any

import numpy as np

from .distances import merge
from .spikes import Spikes


def place(spikes: Spikes, neuron: int) -> dict[str, Any]:
    """Where a neuron is: its id, its population and index there."""
    for name, first, size in spikes.populations:
        if first <= neuron < first + size:
            return {"id": neuron, "population": name, "neuron": neuron - first}
    return {"id": neuron, "population": None, "neuron": neuron}


def first_difference(a: Spikes, b: Spikes) -> dict[str, Any] | None:
    """The earliest time at which any neuron's trains differ at all, with its next spike from there on in either."""
    both = merge(a, b)
    different = np.flatnonzero(both.a != both.b)
    if not len(different):
        return None
    k = different[np.lexsort((both.neuron[different], both.time[different]))[0]]
    neuron, when = int(both.neuron[k]), float(both.time[k])
    agreed = int(min(both.a[k], both.b[k]))
    values = []
    for spikes in (a, b):
        train = spikes.time[spikes.neuron == neuron]
        rank = int(np.searchsorted(train, when)) + agreed
        values.append(float(train[rank]) if rank < len(train) else None)
    return {**place(a, neuron), "time_ms": when, "a_ms": values[0], "b_ms": values[1]}


def matching(a: Spikes, b: Spikes, delta: float, pairs: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """Pairs within delta, what is left over, and the first divergence: the earliest spike of either without a partner.

    The divergence's other value is the same neuron's nearest spike in the other run, be it matched or not.
    """
    dt = np.abs(b.time[pairs[1]] - a.time[pairs[0]])
    quantiles = {"median": float(np.median(dt)), "p99": float(np.quantile(dt, 0.99)), "max": float(dt.max())} \
        if len(dt) else None
    alone = []
    for spikes, other, matched, key in ((a, b, pairs[0], "a"), (b, a, pairs[1], "b")):
        single = np.ones(len(spikes), bool)
        single[matched] = False
        if single.any():
            k = int(np.argmax(single))                                  # canonical order: the earliest
            t, neuron = float(spikes.time[k]), int(spikes.neuron[k])
            theirs = other.time[other.neuron == neuron]
            nearest = float(theirs[np.abs(theirs - t).argmin()]) if len(theirs) else None
            both = {"a_ms": t, "b_ms": nearest} if key == "a" else {"a_ms": nearest, "b_ms": t}
            alone.append({**place(a, neuron), "time_ms": t, "only_in": key, **both})
    return {"delta_ms": delta, "matched": len(dt), "missed": len(a) - len(dt), "extra": len(b) - len(dt),
            "abs_dt_ms": quantiles, "divergence": min(alone, key=lambda f: (f["time_ms"], f["id"]), default=None)}
