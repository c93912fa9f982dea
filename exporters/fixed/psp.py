"""What one decay and one PSP become in integers: predicted from the records, by iterating them without input.

`params` records are `lif`'s (event mode) or `clocked`'s.  A PSP's area is the sum over all ticks of the V that one
input leaves behind.
"""

import math
from typing import Any

import numpy as np

from . import clocked
from .format import DECAYS, shifted

ENOUGH = 1_000_000       # ticks: where nothing has come to rest by then, the sum ends


def is_clocked(record: Any) -> bool:
    return "bias" in record.dtype.names


def psp_area(record: Any, amplitude: int, receptor: int = -1) -> int | None:
    """The sum over all ticks of V after one input of `amplitude` LSBs, at a neuron that decays; receptor -1: into V.

    None where V comes to rest off 0, so that there is no such sum."""
    if is_clocked(record):
        return clocked_area(record, amplitude, receptor)
    v, total, kind = amplitude, 0, DECAYS[int(record.decay)]
    if kind == "lut":
        rows = (amplitude * record.coarse.astype(np.int64)) >> int(record.bits)
        used = int(record.length) >> int(record.fine_bits), 1 << int(record.fine_bits)
        return int(((rows[:used[0], None] * record.fine[:used[1]].astype(np.int64)) >> int(record.bits)).sum())
    if kind == "linear":
        steps = v // int(record.rate)
        return (steps + 1) * v - int(record.rate) * steps * (steps + 1) // 2
    rate, bits = int(record.rate), int(record.bits)
    while v:
        total += v
        v = shifted(v, rate, bits)
    return total


def clocked_area(record: Any, amplitude: int, receptor: int) -> int | None:
    """Up to where V and the current stand still."""
    rounding, own = int(record.rounding), (int(record.decay), int(record.rate), int(record.bits), int(record.rounding))
    if receptor < 0:
        i, fading, fall, v = 0, (clocked.NONE, 0, 0, rounding), 0, amplitude
    else:
        i, fall, v = amplitude, int(record.fall[receptor]), 0
        fading = (int(record.kind[receptor]), int(record.rate_i[receptor]), int(record.bits_i[receptor]), rounding)
        if record.input_first:
            i = clocked.faded(*fading, i)
        v = clocked.quotient(i, fall, rounding)
    total = 0
    for _ in range(ENOUGH):
        total += v
        after = clocked.faded(*fading, i)
        moved = clocked.faded(*own, v) + clocked.quotient(after, fall, rounding)
        if (after, moved) == (i, v):
            return None if v else total
        i, v = after, moved
    return total


def rests(kind: int, rate: int, bits: int, rounding: int, tau_ticks: float) -> list[int]:
    """Where a decay from above and one from below come to rest, LSBs; both 0 is as it should be."""
    found = []
    for sign in (1, -1):
        x = sign * (8 + 8 * min(int(tau_ticks), ENOUGH // 64))
        for _ in range(ENOUGH):
            after = clocked.faded(kind, rate, bits, rounding, x)
            if after == x:
                break
            x = after
        found.append(x)
    return found


def effective_tau(kind: int, rate: int, bits: int) -> float | None:
    """The time constant of a decay in ticks; None for a linear one."""
    if DECAYS[kind] == "shift":
        return -1.0 / math.log1p(-0.5**rate) if rate else 0.0
    return -1.0 / math.log(rate / 2.0**bits) if DECAYS[kind] in ("mul", "lut") and rate else None


def table_tau(record: Any, tau_ticks: float) -> float | None:
    """The same of an event-mode table, after one time constant."""
    one = 2.0 ** int(record.bits)
    n = min(max(1, round(tau_ticks)), int(record.length) - 1)
    row, column = n >> int(record.fine_bits), n & ((1 << int(record.fine_bits)) - 1)
    left = int(record.coarse[row]) / one * int(record.fine[column]) / one
    return -n / math.log(left) if left > 0.0 else None


def dead_zone(kind: int, rate: int, bits: int) -> int:
    """The |v| in LSBs below which a decay is no longer exponential: less than one LSB a tick is due."""
    if DECAYS[kind] in ("mul", "lut"):
        return 2**bits // max(1, 2**bits - rate)
    return {"none": 0, "linear": rate, "shift": 2**rate}[DECAYS[kind]]
