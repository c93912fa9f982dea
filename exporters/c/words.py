"""Tables as C: integers in the smallest types that hold them."""

from collections.abc import Iterable

import numpy as np

LINE = 120
Parts = tuple[dict[str, int], list[str], list[str]]        # constants, typedefs, tables that a mode or a chip adds


def smallest(high: int, low: int = 0) -> str:
    """The smallest integer type for low .. high."""
    if low < 0:
        bits = max(high.bit_length(), (-low - 1).bit_length()) + 1
        return f"int{next(b for b in (8, 16, 32, 64) if b >= bits)}_t"
    return f"uint{next(b for b in (8, 16, 32, 64) if b >= high.bit_length())}_t"


def array(name: str, values: Iterable[int] | np.ndarray, kind: str = "") -> list[str]:
    """A `static const` array; a single zero stands for none, which C99 does not have."""
    numbers = [int(x) for x in values] or [0]
    lines, line = [f"static const {kind or smallest(max(numbers), min(numbers))} {name}[] = {{"], "   "
    for number in numbers:
        word = f" {number},"
        if len(line) + len(word) > LINE:
            lines.append(line)
            line = "   "
        line += word
    return [*lines, line, "};", ""]
