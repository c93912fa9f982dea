"""From what users write to checked arrays: numbers, lists, text ("1.5", "inf") and draws.

A draw is {"normal": [mean, sd]} or {"uniform": [low, high]}, each with an optional "clip": [low, high] outside of which
a value is drawn again.  Value k of a draw is a function of its key and k alone (law S13).

Everything here raises `Mistake` about an attribute; whoever knows the place adds it: `with at('node "exc"'): ...`.
"""

import json
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .elementary import log
from .errors import Mistake, nearest
from .kernel.link import loop
from .model import Field
from .rng import U64, key, philox, unit

DRAWS = ("normal", "uniform")
MOST = 2 ** 31 - 1
LARGEST = 1e30                      # beyond it, and below its inverse, squares would overflow inside the kernels
RAREST = 1e-3                       # a clip must keep at least this part of a normal draw


@contextmanager
def at(place: str) -> Iterator[None]:
    """Say where, in front of every Mistake of the block."""
    try:
        yield
    except Mistake as mistake:
        raise Mistake(f"{place}: {mistake}") from None


def quoted(name: object) -> str:
    """A node's name as error messages show it: "exc", or 3."""
    return json.dumps(name) if isinstance(name, str) else repr(name)


# ---------------------------------------------------------------------------------------------------- numbers
def numbers(value: Any, what: str) -> np.ndarray:
    """One number (0-d) or a flat list of them (1-d) as float64; never NaN."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise Mistake(f"{what} must be one flat list of numbers, not lists of different lengths") from None
    if array.dtype.kind in "USO":
        array = np.array([_number(v, what) for v in array.ravel().tolist()], np.float64).reshape(array.shape)
    elif array.dtype.kind not in "iuf":
        raise Mistake(f"{what} must be a number, not {value!r}")
    if array.ndim > 1:
        raise Mistake(f"{what} must be one flat list of numbers, not an array of shape {array.shape}")
    array = array.astype(np.float64)
    if np.isnan(array).any():
        raise Mistake(f"{what} is NaN{_where(np.isnan(array))}: give a number")
    size = np.abs(array)
    absurd = (size > LARGEST) & (size < math.inf)
    if absurd.any():
        raise Mistake(f"{what} is {float(array[absurd].ravel()[0]):g}{_where(absurd)}: sizes go up to {LARGEST:g}")
    return array


def _number(value: Any, what: str) -> float:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise Mistake(f"{what} must be a number, not {value!r}") from None


def _where(wrong: np.ndarray, first: int = 0) -> str:
    return f" (at index {first + int(np.argmax(wrong))})" if wrong.ndim else ""


def values(value: Any, size: int, field: Field, what: str, draw: tuple[Any, ...], of: str = "neuron") -> np.ndarray:
    """A number (0-d), or `size` of them in a list or from a draw (1-d), inside the field's domain.

    draw    (seed, purpose, names...): what keys the random numbers, should the value be a draw
    """
    if isinstance(value, Mapping):
        array = drawn(value, size, what, draw)
    else:
        array = numbers(value, what)
        if array.ndim and len(array) != size:
            raise Mistake(f"{what} has {len(array)} values for {size} {of}{'s' * (size != 1)}: "
                          f"give one number, or {size}")
    inside(array, field, what)
    return array


def column(value: Any, size: int, field: Field, what: str, draw: tuple[Any, ...], of: str = "neuron") -> np.ndarray:
    """As `values`, spread over (size,)."""
    array = values(value, size, field, what, draw, of)
    return array if array.ndim else np.full(size, array)


def inside(array: np.ndarray, field: Field, what: str, first: int = 0) -> None:
    """Refuse what lies outside the field's domain.  first: the index of array[0], for the message."""
    bounded = field.above > -math.inf
    if bounded:
        wrong = array < field.above if field.closed else array < field.above + 1.0 / LARGEST
        if field.finite:
            wrong = wrong | (array == math.inf)
    elif field.finite:
        wrong = np.isinf(array)
    else:
        return
    if not wrong.any():
        return
    shown = float(array[wrong].ravel()[0])
    tiny = not field.closed and field.above < shown <= field.above + 1.0 / LARGEST
    least = f">= {1.0 / LARGEST:g}" if tiny else f"{'>=' if field.closed else '>'} {field.above:g}"
    bound = f"{least} {'' if field.unit == '1' else field.unit}".rstrip() if bounded else ""
    finite = "finite" if field.finite and math.isinf(shown) else ""
    raise Mistake(f"{what} must be {' and '.join(filter(None, (finite, bound)))}, not {shown!r}{_where(wrong, first)}")


def whole(value: Any, what: str, least: int) -> int:
    """One integer >= least, as far as the tables' 32-bit ids go."""
    try:
        number = float(value) if isinstance(value, str) else value
        if isinstance(number, (bool, np.bool_)) or number != int(number):
            raise TypeError
        number = int(number)
    except (TypeError, ValueError, OverflowError):
        raise Mistake(f"{what} must be a whole number, not {value!r}") from None
    if number < least:
        raise Mistake(f"{what} must be at least {least}, not {number}")
    if number > MOST:
        raise Mistake(f"{what} must be at most {MOST}, not {number}")
    return number


def seed_of(value: Any) -> int:
    """A seed is any integer."""
    try:
        return operator.index(value)
    except TypeError:
        raise Mistake(f"seed must be an integer, not {value!r}") from None


def truth(value: Any, what: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise Mistake(f"{what} must be true or false, not {value!r}")
    return bool(value)


def indices(value: Any, bound: int, what: str, of: str) -> np.ndarray:
    """A list of integers in [0, bound) as int32."""
    array = numbers(value, what)
    if array.ndim == 0:
        raise Mistake(f"{what} must be a list of indices, not {value!r}")
    wrong = (array != np.floor(array)) | (array < 0) | (array >= bound)
    if wrong.any():
        raise Mistake(f"{what} must hold indices from 0 to {bound - 1} ({of} has size {bound}), "
                      f"not {float(array[wrong][0]):g}{_where(wrong)}")
    return array.astype(np.int32)


def lists(value: Any, size: int, field: Field, what: str, of: str = "source") -> list[np.ndarray]:
    """One flat list of numbers for size 1, else a list of `size` lists; each as float64."""
    if not is_list(value):
        raise Mistake(f"{what} must be a list of numbers, not {value!r}")
    nested = [is_list(v) for v in value]
    if size == 1 and not (len(nested) == 1 and nested[0]):
        entries = [value]
    else:
        entries = list(value)
        if len(entries) != size or not all(nested):
            got = f"{len(entries)} lists" if nested and all(nested) else "one flat list"
            raise Mistake(f"{what} must be {size} lists of numbers, one per {of}, not {got}")
    result = []
    for k, entry in enumerate(entries):
        name = what if size == 1 else f"{what}[{k}]"
        array = numbers(entry, name)
        if array.ndim == 0:
            raise Mistake(f"{name} must be a list of numbers, not {entry!r}")
        inside(array, field, name)
        result.append(array)
    return result


def is_list(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str)


# ---------------------------------------------------------------------------------------------------- draws
class Draw(NamedTuple):
    kind: str
    a: float                     # mean, or low
    b: float                     # standard deviation, or high
    low: float                   # of the clip
    high: float

    @property
    def constant(self) -> bool:
        return self.b == (0.0 if self.kind == "normal" else self.a)


def drawn(draw: Mapping[str, Any], size: int, what: str, keyed: tuple[Any, ...]) -> np.ndarray:
    """`size` random values: number k from stream k of the key."""
    out = np.empty(size)
    fill(out, 0, key(*keyed), read_draw(draw, what), size)
    return out


def fill(out: np.ndarray, first: int, key: np.uint64, draw: Draw, work: int) -> None:
    """The values first, first + 1, ... of a draw.  work: how many there are in all (see `loop`)."""
    with np.errstate(over="ignore"):                           # infinities are for `inside` to judge
        loop(fill_normal if draw.kind == "normal" else fill_uniform, work)(out, first, key, *draw[1:])


def read_draw(draw: Mapping[str, Any], what: str) -> Draw:
    """What a user means by a draw."""
    kinds = [kind for kind in DRAWS if kind in draw]
    for name in draw:
        if name not in (*DRAWS, "clip"):
            raise Mistake(f"{what}: there is no draw {name!r}{nearest(name, (*DRAWS, 'clip'))}")
    if len(kinds) != 1:
        raise Mistake(f'{what}: a draw is {{"normal": [mean, sd]}} or {{"uniform": [low, high]}}, '
                      f'each with "clip": [low, high] if wanted, not {dict(draw)!r}')
    kind = kinds[0]
    a, b = _pair(draw[kind], f"{what}: {kind}", "[mean, sd]" if kind == "normal" else "[low, high]")
    low, high = _pair(draw["clip"], f"{what}: clip", "[low, high]") if "clip" in draw else (-math.inf, math.inf)
    if math.isinf(a) or math.isinf(b) or (b < 0 if kind == "normal" else b < a):
        need = "a finite mean and a finite sd >= 0" if kind == "normal" else "finite low <= high"
        raise Mistake(f"{what}: {kind} needs {need}, not [{a:g}, {b:g}]")
    found = Draw(kind, a, b, low, high)
    kept = _kept(found)
    if not kept >= RAREST:
        raise Mistake(f"{what}: the clip [{low:g}, {high:g}] keeps {kept:.2g} of the draws of {kind} [{a:g}, {b:g}]; "
                      f"it must keep at least {RAREST:g}")
    return found


def _pair(value: Any, what: str, meaning: str) -> tuple[float, float]:
    array = numbers(value, what)
    if array.shape != (2,):
        raise Mistake(f"{what} must be {meaning}, not {value!r}")
    return float(array[0]), float(array[1])


def _kept(draw: Draw) -> float:
    """The probability that a draw falls into [low, high]."""
    kind, a, b, low, high = draw
    if draw.constant:
        return float(low <= a <= high)
    if kind == "uniform":
        return (min(b, high) - max(a, low)) / (b - a)
    return 0.5 * (math.erf((high - a) / b / math.sqrt(2.0)) - math.erf((low - a) / b / math.sqrt(2.0)))


def fill_normal(out, first, seed, mean, sd, low, high):
    """Marsaglia's polar method (1964), one deviate per pair: it needs no cosine, whose last bits no one promises."""
    for k in range(len(out)):
        draw = 0
        while True:
            a, b = philox(seed, U64(first + k), U64(draw))
            draw += 1
            x = 2.0 * unit(a) - 1.0
            y = 2.0 * unit(b) - 1.0
            square = x * x + y * y                             # never 0: unit has no value at 1/2
            if square < 1.0:
                value = mean + sd * (x * math.sqrt(-2.0 * log(square) / square))
                if low <= value <= high:
                    out[k] = value
                    break


def fill_uniform(out, first, seed, least, most, low, high):
    for k in range(len(out)):
        draw = 0
        while True:
            bits, _ = philox(seed, U64(first + k), U64(draw))
            draw += 1
            value = least + (most - least) * unit(bits)
            if low <= value <= high:
                out[k] = value
                break
