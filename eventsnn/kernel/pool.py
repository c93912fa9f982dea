"""Pieces that no shard owns: whoever is free takes one through the next stretch of the window.

Each stretch is half of what is left of the window, the last one all of it.  Of the pieces that are free a shard takes
the one with the most left to do, first of those at home with it and then of the others', so that all come to the
window's end together, also where one core is slower than another.  What a piece does depends neither on who leads it
nor on where its stretches end.
"""

import threading
from typing import Any, NamedTuple

import numpy as np

BARE = ("take", "wanted")                 # see link.py
INSIDE = ("wanted",)
# Of a shard's progress: the window, the piece it is at or looks from, whether it leads that (or is DONE with all), what
# a kernel has for itself, the stretch, the shard's number, and whether another led the piece before.
WINDOW, HELD, STARTED, OWN, STRETCH, ME, AFAR, PROGRESS = range(8)
DONE = 2
PAD = 8                                   # words of a cache line: what two shards write does not share one
WORTH = 8000                              # events that are worth a stretch
MOST = 6                                  # stretches of a window


class Pool(NamedTuple):
    """A group's pieces, where there are several shards; `stage` is empty where there is one."""

    stage: np.ndarray                     # (PAD pieces,) int64: of each piece, 2 (window `stretches` + stretch) of the
                                          # next stretch, and 1 more while somebody leads it through that
    home: np.ndarray                      # (pieces,) int64: the shard that takes it first,
    leader: np.ndarray                    # (pieces,) int64: and who has had it last
    stretches: np.ndarray                 # (1,) int64: of a window
    lock: Any                             # (1,) int64; in plain Python a threading.Lock


def pool(size: np.ndarray, shards: int, load: float, compiled: bool) -> Pool:
    """size: of the pieces; load: events of a window in all of them, about."""
    pieces = len(size)
    stretches = min(MOST, int(np.log2(max(1.0, load / WORTH / max(pieces, 1)))) + 1)
    home, busy = np.zeros(pieces, np.int64), np.zeros(shards)
    for b in np.argsort(-size, kind="stable"):
        home[b] = np.argmin(busy)
        busy[home[b]] += size[b]
    return Pool(np.zeros(PAD * pieces if shards > 1 else 0, np.int64), home, home.copy(), np.array([stretches]),
                np.zeros(1, np.int64) if compiled else threading.Lock())


# In plain Python; compiled: see `atomic.py`.
def stage_of(pool, b):
    return pool.stage[PAD * b]


def seize(pool, b, before, after):
    """Put piece b from one stage to another; False: somebody else was quicker."""
    with pool.lock:
        if pool.stage[PAD * b] != before:
            return False
        pool.stage[PAD * b] = after
    return True


def leave(pool, b, after):
    """Piece b is free again."""
    pool.stage[PAD * b] = after


def take(pool, pieces, queue, progress, end, recording):
    """The next piece, and of its stretches the next; False: there is none left, or others have hold of them."""
    if len(pool.stage) == 0:
        b = progress[HELD]
        while b < len(pieces) and not wanted(pieces[b], queue, b, end, recording):
            b += 1
        progress[HELD] = b
        return b < len(pieces)
    stretches, me = pool.stretches[0], progress[ME]
    first = progress[WINDOW] * stretches
    while True:
        most, own, which, found = 0, False, 0, 0
        for b in range(len(pieces)):
            if wanted(pieces[b], queue, b, end, recording):
                stage = stage_of(pool, b)
                left = stretches - max(stage // 2 - first, 0)
                mine = (pool.leader[b] if stage > 2 * first else pool.home[b]) == me
                work = (pieces[b].last - pieces[b].first) << left
                if stage % 2 == 0 and left > 0 and mine >= own and (work > most or mine > own):
                    most, own, which, found = work, mine, b, stage
                    if own and stretches == 1:
                        break
        if most == 0:
            return False
        if seize(pool, which, found, max(found, 2 * first) + 1):
            progress[AFAR], pool.leader[which] = pool.leader[which] != me, me
            progress[HELD], progress[STRETCH] = which, max(found // 2 - first, 0)
            return True


def wanted(piece, queue, b, end, recording):
    """Whether something happens in piece b before the window's end."""
    return queue.first[b] < queue.first[b + 1] or piece.soonest < end or (recording and piece.recorded)
