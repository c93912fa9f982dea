"""Where things stand in memory.

Arrays begin where a cache line does: a vector as wide as a line then never reads or writes two of them, and what one
shard writes often is on no line that another reads.  Neurons of a piece stand in a row of places, of which the one
after the last is the piece's trash.
"""

from typing import Any

import numpy as np

LINE = 64                        # bytes
BLOCK = 16                       # places: pieces begin at multiples
APART = 1024                     # neurons of a piece that is set apart from the next


def begun(shape: int | tuple[int, ...], kind: Any, value: Any) -> np.ndarray:
    """An array filled with a value; whatever comes behind it in memory is on another line."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    room = np.empty(-(-size // LINE) * LINE + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    array = room[start:start + size].view(kind).reshape(shape)
    array[...] = value
    return array


def places_of(size: np.ndarray) -> np.ndarray:
    """How many places pieces of so many neurons take.  Large ones are set so far apart that what the hardware fetches
    ahead, when it has gone through one, is not the next one's."""
    return (size // BLOCK + 1) * BLOCK + np.where(size < APART, 0, APART // 4)


def joined(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """All of first[b] .. last[b] - 1, one stretch after the other."""
    return np.concatenate([np.empty(0, np.int64), *(np.arange(a, b) for a, b in zip(first, last, strict=True))])
