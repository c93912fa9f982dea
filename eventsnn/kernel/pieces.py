"""Runs a shard's neurons of a specialised kernel through a window, piece by piece (see `quick.KERNELS`)."""

from typing import Any, NamedTuple

import numpy as np

from .drive import Drive
from .emitted import Emitted, room
from .queue import sort_out
from .still import FIRED, Wires


def live(cells, piece, wires, drive, queue, end, breakpoints, times, out, counters):
    raise TypeError("a name that link() binds: the kernel's")


class Quick(NamedTuple):
    """A shard's neurons of a specialised kernel and what leads to them."""

    cells: Any                   # `Still`, or another kernel's
    wires: Wires
    drive: Drive
    piece_of_part: np.ndarray    # (parts,) int32, -1: no piece of these


def window(quick, due, queue, end, frame, sample, out, counters):
    """All pieces through one window; also what is due elsewhere."""
    cells, drive, times = quick.cells, quick.drive, frame.times
    queue, due = sort_out(queue, due, quick.piece_of_part)
    recording = sample < len(times) and times[sample] < end
    counters[FIRED] = out.n
    for b in range(len(cells.piece)):
        piece = cells.piece[b]
        piece.next, piece.stop = queue.first[b], queue.first[b + 1]
        if piece.next < piece.stop or piece.soonest < end or (recording and piece.recorded):
            while not live(cells, piece, quick.wires, drive, queue, end, frame.breakpoints, times, out, counters):
                out = room(out, counters[FIRED] + piece.last - piece.first + len(drive.bits))
    return due, queue, Emitted(out.time, out.emitter, counters[FIRED])


def soonest(quick):
    """Before when nothing happens in any piece without inputs."""
    t = np.inf
    for piece in quick.cells.piece:
        t = min(t, piece.soonest)
    return t


def no_window(quick, due, queue, end, frame, sample, out, counters):
    return due, queue, out


def never(quick):
    return np.inf
