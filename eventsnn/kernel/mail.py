"""What shards tell each other between two windows: who emitted when, and whether to go on.

Every shard has two mailboxes and uses them in turn.  It fills one, meets the others, and reads theirs: whoever writes
into a box again has met everybody since they read it.  What does not fit goes into further letters, so a box never
grows; all see from the letters whether there are more.
"""

import threading
from typing import Any, NamedTuple

import numpy as np

from .calendar import enter, reserve
from .pieces import fetch

BARE = ("parts_of", "enter_all")          # see link.py
ROOM = 1 << 13
SPIKES, MORE, LOAD, ENDLESS, QUIET, HEADS = 0, 1, 2, 3, 4, 8


class Mail(NamedTuple):
    time: np.ndarray             # (2 shards, room) float64
    emitter: np.ndarray          # (2 shards, room) int64
    head: np.ndarray             # (2 shards, HEADS) float64: about the letter, and about its writer
    arrived: Any                 # ((shards + 1) 8,) int64, a cache line for each: the number of the last meeting it
                                 # came to; the last: somebody broke off.  In plain Python a threading.Barrier


def mail(shards: int, room: int, compiled: bool) -> Mail:
    arrived = np.zeros(8 * (shards + 1), np.int64) if compiled else threading.Barrier(shards)
    return Mail(np.empty((2 * shards, room)), np.empty((2 * shards, room), np.int64), np.zeros((2 * shards, HEADS)),
                arrived)


def break_off(mail: Mail) -> None:
    """Tell the others not to wait."""
    if isinstance(mail.arrived, threading.Barrier):
        mail.arrived.abort()
    else:
        mail.arrived[-8] = 1


def meet(mail, shard, number):
    """Wait until all shards have come here, in plain Python (compiled: see `atomic.py`)."""
    try:
        mail.arrived.wait()
    except threading.BrokenBarrierError:
        return False
    return True


def spread(calendar, wiring, time, emitter, n):
    """Enter what n spikes set off in this shard."""
    if n == 0:
        return calendar
    calendar = reserve(calendar, parts_of(wiring, emitter, n))
    enter_all(calendar, wiring.first_row, wiring.after, wiring.delay, wiring.begin, time, emitter, n)
    return calendar


def parts_of(wiring, emitter, n):
    """How many parts n spikes set off; what `enter_all` will read of them is fetched."""
    parts = 0
    for i in range(n):
        first, last = wiring.first_row[emitter[i]], wiring.first_row[emitter[i] + 1]
        parts += last - first
        if first < last:
            fetch(wiring.after, first)
            fetch(wiring.delay, first)
            fetch(wiring.begin, first)
    return parts


def enter_all(calendar, first_row, after, delay, begin, time, emitter, n):
    for i in range(n):
        part = first_row[emitter[i]]
        while part < first_row[emitter[i] + 1]:
            # law S9: one expression, computed once (of a row with own delays, the first; see `unroll`)
            enter(calendar, time[i] + delay[part], part, time[i], begin[part])
            part = after[part]


def exchange(calendar, wiring, out, abroad, mail, shard, meetings, load, endless, quiet):
    """Tell the other shards what was emitted, and hear what they did.

    Returns the calendar, the number of meetings there were, all shards' load, whether anybody fires endlessly, and
    until when everybody is quiet.
    """
    shards = len(mail.head) // 2
    if shards == 1:
        return calendar, meetings, load, endless > 0, quiet
    left = 0
    for i in range(out.n):
        left += abroad[out.emitter[i]]
    i = 0
    while True:
        meetings += 1
        side = shards * (meetings & 1)
        box = side + shard
        n = 0
        while n < left and n < mail.time.shape[1]:
            if abroad[out.emitter[i]]:
                mail.time[box, n] = out.time[i]
                mail.emitter[box, n] = out.emitter[i]
                n += 1
            i += 1
        left -= n
        mail.head[box, SPIKES] = n
        mail.head[box, MORE] = left
        mail.head[box, LOAD] = load
        mail.head[box, ENDLESS] = endless
        mail.head[box, QUIET] = quiet
        if not meet(mail, shard, meetings):
            return calendar, meetings, np.inf, False, quiet
        more = 0.0
        for other in range(shards):
            box = side + other
            more += mail.head[box, MORE]
            if other != shard:
                calendar = spread(calendar, wiring, mail.time[box], mail.emitter[box], int(mail.head[box, SPIKES]))
        if more == 0.0:
            break
    loads, anybody, quiet = 0.0, False, np.inf       # from the letters alone: all shards must come to the same
    for other in range(shards):
        loads += mail.head[side + other, LOAD]
        anybody = anybody or mail.head[side + other, ENDLESS] > 0.0
        quiet = min(quiet, mail.head[side + other, QUIET])
    return calendar, meetings, loads, anybody, quiet
