"""Runs the resting neurons of a shard through a window, piece by piece (see `still.py`)."""

from .drive import BATCH
from .emitted import Emitted, room
from .still import FIRED, live


def window(cells, wires, drive, queue, end, breakpoints, times, sample, out, counters):
    """All pieces through one window."""
    recording = sample < len(times) and times[sample] < end
    counters[FIRED] = out.n
    for b in range(len(cells.piece)):
        piece = cells.piece[b]
        piece.next, piece.stop = queue.first[b], queue.first[b + 1]
        if piece.next < piece.stop or piece.soonest < end or (recording and piece.recorded):
            while not live(cells, piece, wires, drive, queue, end, breakpoints, times, out, counters):
                out = room(out, counters[FIRED] + piece.last - piece.first + BATCH)
    return Emitted(out.time, out.emitter, counters[FIRED])
