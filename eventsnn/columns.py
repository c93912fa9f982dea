"""Weights and delays of an edge's synapses: one value for all, a list, or draws, by the chunk.

Value k is that of synapse k in the rule's order.  Draws are rounded to float32 (24 bits of a random number are enough,
and halve the table) and stay inside their clip; lists keep float64.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .errors import Mistake
from .model import Field
from .rng import key
from .rules import CHUNK
from .values import Draw, fill, inside, read_draw, values

LEVELS = 256                     # so many different values are few


class Column(NamedTuple):
    """What the synapses of an edge have."""

    one: float                   # all have this, unless they have
    own: Callable[[int, int], np.ndarray] | None = None      # their own: own(first, n), float32 or float64
    narrow: bool = True          # all own values are float32 numbers
    drawn: bool = False

    def of(self, first: int, n: int) -> np.ndarray:
        """Those of synapses first .. first + n - 1."""
        return np.full(n, self.one) if self.own is None else self.own(first, n)


def of_edge(value: Any, number: int, field: Field, what: str, keyed: tuple[Any, ...]) -> Column:
    """The column that a user's number, list or draw means.  Drawn values are checked when they are made."""
    if isinstance(value, Mapping):
        draw = read_draw(value, what)
        if draw.constant:
            inside(np.array(draw.a), field, what)
            return Column(draw.a)
        return of_draw(draw, number, field, what, key(*keyed))
    return of_array(values(value, number, field, what, keyed, "synapse"))


def of_array(array: np.ndarray) -> Column:
    """A number, or one for each synapse."""
    if not array.ndim or (len(array) and (array == array[0]).all()):
        return Column(float(array.ravel()[0]))
    return Column(np.nan, lambda first, n: array[first:first + n], bool((array == array.astype(np.float32)).all()))


def of_draw(draw: Draw, number: int, field: Field, what: str, seed: np.uint64) -> Column:
    low, high = np.float32(draw.low), np.float32(draw.high)
    low = np.nextafter(low, np.float32(np.inf)) if float(low) < draw.low else low
    high = np.nextafter(high, np.float32(-np.inf)) if float(high) > draw.high else high
    if low > high:
        raise Mistake(f"{what}: no float32 number lies inside the clip [{draw.low!r}, {draw.high!r}]")

    def own(first: int, n: int) -> np.ndarray:
        wide = np.empty(n)
        fill(wide, first, seed, draw, number)
        with np.errstate(over="ignore"):
            rounded = wide.astype(np.float32)
        rounded = np.clip(rounded, low, high, out=rounded)
        inside(rounded, field, what, first)
        return rounded
    return Column(np.nan, own, True, True)


def guarded(column: Column, check: Callable[[np.ndarray], None]) -> Column:
    """The column, its values checked as they are made."""
    if column.own is None:
        check(np.array([column.one]))
        return column

    def checked(first: int, n: int) -> np.ndarray:
        made = column.of(first, n)
        check(made)
        return made
    return column._replace(own=checked)


def levels(column: Column, number: int) -> np.ndarray | None:
    """The different values among its own, ascending, if they are few."""
    found = np.empty(0)
    for first in range(0, number, CHUNK):
        found = np.union1d(found, column.of(first, min(CHUNK, number - first)))
        if len(found) > LEVELS:
            return None
    return found.astype(np.float64)
