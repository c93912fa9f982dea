"""Lists of spikes that grow."""

from typing import NamedTuple

import numpy as np


class Emitted(NamedTuple):
    time: np.ndarray             # (room,) float64
    emitter: np.ndarray          # (room,) int64
    n: int


def room(out, n):
    """Room for n at least (the same list if it has it)."""
    if n <= len(out.time):
        return out
    times, emitters = np.empty(2 * n), np.empty(2 * n, np.int64)
    for k in range(len(out.time)):
        times[k] = out.time[k]
        emitters[k] = out.emitter[k]
    return Emitted(times, emitters, out.n)
