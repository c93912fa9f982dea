"""Arrays that begin where a cache line does: a vector as wide as a line then never reads or writes two of them, and
what one shard writes often is on no line that another reads."""

from typing import Any

import numpy as np

LINE = 64                        # bytes


def begun(shape: int | tuple[int, ...], kind: Any, value: Any) -> np.ndarray:
    """An array filled with a value; whatever comes behind it in memory is on another line."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    room = np.empty(-(-size // LINE) * LINE + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    array = room[start:start + size].view(kind).reshape(shape)
    array[...] = value
    return array
