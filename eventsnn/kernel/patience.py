"""Ctrl-C while compiled code runs: noted, and acted on when the loop returns.

Python delivers a signal at its next bytecode, which may be the one that packs a compiled function's results: numba
does not expect an exception there and crashes.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def patience() -> Iterator[list[int]]:
    """A list that Ctrl-C appends to instead of raising KeyboardInterrupt, where this thread can arrange that."""
    asked: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is not signal.default_int_handler:
        yield asked
        return
    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, usual)
