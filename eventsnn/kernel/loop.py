"""The event loop: exact spikes, law S0-S13.

Time goes in windows no longer than the smallest delay, so everything that arrives in a window is known when it opens
(law 6.1).  Each neuron then lives through its own inputs, breakpoints and spikes on its own: in a specialised kernel's
piece (see `pieces.py`), or by its model's verbs (see `general.py`).  A window is bookkeeping: no state is committed at
its border, and no result depends on its length.

The neurons and sources of a network are dealt out to one or several shards (see `shards.py`); the specialised kernels'
pieces go to whoever is free (see `pool.py`).  Each shard runs this loop, and between two windows all tell each other
what was emitted (see `mail.py`); threads change nothing else.
"""

from typing import Any, NamedTuple

import numpy as np

from ..model import unbound
from .calendar import (
    FEW,
    Calendar,
    collect,
    copy_due,
    count,
    in_order,
    insert_in_order,
    next_due,
    nothing,
    reserve,
    sized,
    unroll,
    unrolled,
)
from .emitted import Emitted, room
from .inbox import Wiring
from .mail import Mail, enter_all, exchange, parts_of
from .pieces import FIRED, WANTED
from .queue import entries
from .sources import Sources, sources_window

BARE = ("quiet_until", "keep", "put_in_order", "onward", "begin_window", "ask_groups", "ask_nobody")    # see link.py
INSIDE = ("keep", "begin_window")
# Of a window's course (see `onward`): what comes next.
OPEN, UNROLL, QUICK, SLOW, SOURCES, MEET, CLOSE = range(7)
# What `onward` stops for: the end; the general loop, sources, other shards; or more room.
OVER, GROUPS, EMITTERS, OTHERS, DUE, SPARE, QUEUES, FRESH, KEPT, ENTRIES = range(10)


# What `link` binds: what the loop does with all pieces, and with all groups of the general way (see engine.py).
quick_window = quick_soonest = quick_fit = quick_queues = slow_window = slow = unbound


class Frame(NamedTuple):
    """What all shards share."""

    breakpoints: Any             # `Drives`
    times: np.ndarray            # (samples,) float64: when to record
    keep: np.ndarray             # (emitters,) bool: whose spikes are wanted
    width: float                 # of a window
    until: float
    tick: float
    mail: Mail


class Share(NamedTuple):
    """What one shard has, besides its groups of neurons."""

    number: int
    wiring: Wiring
    soonest: np.ndarray          # (groups,) float64: no neuron of that group wakes before
    local: np.ndarray            # (neurons,) int64: a neuron's place in its group
    sources: Sources
    abroad: np.ndarray           # (emitters,) bool: who reaches other shards
    inbox_first: np.ndarray      # (neurons,) int64: see `deliver`
    inbox_last: np.ndarray       # (neurons,) int64
    counters: np.ndarray         # (6,) int64: spikes, synaptic operations, neuron updates (instants of input, per
                                 # neuron), the neuron + 1 that fires endlessly at one instant, and work space
    quick: Any                   # a tuple of `Quick`


class Course(NamedTuple):
    """What changes from call to call, besides the arrays that are written in place."""

    calendar: Calendar
    queues: Any                  # a tuple of `Queue`, one for each group of pieces
    arrival: np.ndarray
    time: float                  # start of the next window
    meetings: int                # with the other shards, so far
    windows: int                 # so far


def quiet_until(share, frame, calendar, sample, end):
    """A time from `end` on before which nothing happens in this shard."""
    quiet = min(frame.until, min(share.sources.soonest[0], quick_soonest(share.quick)))
    for g in range(len(share.soonest)):
        quiet = min(quiet, share.soonest[g])
    if sample < len(frame.times):
        quiet = min(quiet, frame.times[sample])
    return next_due(calendar, end, quiet) if quiet > end else end


def ask_groups():
    """Whether there are neurons for the general loop."""
    return True


def ask_nobody():
    return False


class Pace(NamedTuple):
    """Where the windows have come to."""

    time: np.ndarray             # (2,) float64: start of the next window, or start and end of this one
    phase: np.ndarray            # (1,) int64: what comes next
    windows: np.ndarray          # (1,) int64
    sample: np.ndarray           # (1,) int64: the next
    kept: np.ndarray             # (1,) int64: spikes kept
    wanted: np.ndarray           # (1,) int64: room that is missing
    load: np.ndarray             # (2,) float64: all shards' load so far; and whether somebody fires endlessly


def begin_window(pace, frame, calendar, due, counters):
    """The next window's times, and what is due; False: there is no room for it."""
    start = pace.time[0]
    end = min(start + frame.width, frame.until)
    n = count(calendar, start, end)
    if n > len(due.time):
        pace.wanted[0] = n
        return False
    collect(calendar, start, end, due)
    pace.time[1] = end
    pace.windows[0] += 1
    counters[FIRED] = 0
    return True


def keep(pace, fresh, kept, n, wanted):
    """Those of the n fresh spikes that are wanted; there is room."""
    k = pace.kept[0]
    for i in range(n):
        if wanted[fresh.emitter[i]]:
            kept.time[k] = fresh.time[i]
            kept.emitter[k] = fresh.emitter[i]
            k += 1
    pace.kept[0] = k


def put_in_order(fresh, n, spare, due, start, end):
    """Sort n spikes by time, then emitter; spare and due, which have room, are work space."""
    for i in range(n):
        spare.time[i], spare.part[i], spare.synapse[i] = fresh.time[i], fresh.emitter[i], 0
    spare.size[0] = n
    in_order(spare, due, start, end)
    for i in range(n):
        fresh.time[i], fresh.emitter[i] = due.time[i], due.part[i]


def onward(pace, calendar, due, spare, queues, fresh, kept, share, frame, former, before, budget, counters):
    """Windows, until one needs what takes memory, or `until`, or until all shards have handled about `budget` arrivals:
    what it stops for.  To be called again when that is done.
    """
    wiring, sample = share.wiring, pace.sample
    while True:
        if pace.phase[0] == OPEN:
            if not (pace.time[0] < frame.until and pace.load[0] < budget and pace.load[1] == 0.0):
                return OVER
            if not begin_window(pace, frame, calendar, due, counters):
                return DUE
            pace.phase[0] = UNROLL
        end = pace.time[1]
        if pace.phase[0] == UNROLL:
            spreads = len(wiring.delays) > 0
            pace.wanted[0] = unrolled(wiring, due, end) if spreads else due.size[0]
            if pace.wanted[0] > len(due.time):
                return DUE
            if pace.wanted[0] > len(spare.time):
                return SPARE
            if spreads:
                unroll(calendar, wiring, due, spare)
            elif due.size[0] > FEW:
                copy_due(due, spare)
            if spreads or due.size[0] > FEW:
                in_order(spare, due, pace.time[0], end)
            else:
                insert_in_order(due)
            pace.phase[0] = QUICK
        if pace.phase[0] == QUICK:
            pace.wanted[0] = entries(due, wiring.after)
            if not quick_fit(queues, pace.wanted[0]):
                return QUEUES
            if not quick_window(share.quick, due, queues, former + pace.windows[0], end, frame, sample[0], fresh,
                                counters):
                return FRESH
            pace.phase[0] = SLOW
            if slow():
                return GROUPS
        if pace.phase[0] == SLOW:
            counters[0] += counters[FIRED]
            pace.phase[0] = SOURCES
            if share.sources.soonest[0] < end:
                return EMITTERS
        if pace.phase[0] == SOURCES:
            n = pace.wanted[0] = counters[FIRED]
            if n > len(due.time):
                return DUE
            if n > len(spare.time):
                return SPARE
            if pace.kept[0] + n > len(kept.time):
                return KEPT
            if n > 0:
                parts = parts_of(wiring, fresh.emitter, n)
                if parts > calendar.free[1]:
                    pace.wanted[0] = parts
                    return ENTRIES
                put_in_order(fresh, n, spare, due, pace.time[0], end)
                keep(pace, fresh, kept, n, frame.keep)
                enter_all(calendar, wiring.first_row, wiring.after, wiring.delay, wiring.begin, fresh.time,
                          fresh.emitter, n)
            while sample[0] < len(frame.times) and frame.times[sample[0]] < end:
                sample[0] += 1
            pace.phase[0] = MEET
            if len(frame.mail.head) > 2:
                return OTHERS
        if pace.phase[0] == MEET:
            pace.time[0] = end if counters[FIRED] > 0 else quiet_until(share, frame, calendar, sample[0], end)
            pace.load[0] = counters[0] + counters[1] - before + pace.windows[0]
            pace.load[1] = counters[3]
        pace.phase[0] = OPEN


def run(course, share, groups, frame, budget):
    """Windows until `until`, or until all shards have handled about `budget` arrivals; what was emitted by those worth
    keeping."""
    calendar, queues, arrival, start, meetings, former = course
    wiring, counters, times = share.wiring, share.counters, frame.times
    kept = Emitted(np.empty(64), np.empty(64, np.int64), 0)
    fresh = Emitted(np.empty(64), np.empty(64, np.int64), 0)
    due, spare = nothing(), nothing()
    before = counters[0] + counters[1]
    one = np.zeros((5, 1), np.int64)
    pace = Pace(np.array([start, start]), one[0], one[1], one[2], one[3], one[4], np.zeros(2))
    sample = pace.sample
    while sample[0] < len(times) and times[sample[0]] < start:
        sample[0] += 1
    while True:
        why = onward(pace, calendar, due, spare, queues, fresh, kept, share, frame, former, before, budget, counters)
        end, wanted = pace.time[1], pace.wanted[0]
        if why == OVER:
            break
        elif why == GROUPS:
            arrival, fresh = slow_window(groups, due, share, end, frame, sample[0], arrival,
                                         Emitted(fresh.time, fresh.emitter, counters[FIRED]), counters)
            counters[FIRED] = fresh.n
        elif why == EMITTERS:
            fresh = sources_window(share.sources, end, frame.tick,
                                   Emitted(fresh.time, fresh.emitter, counters[FIRED]))
            counters[FIRED] = fresh.n
        elif why == OTHERS:
            quiet = end if counters[FIRED] > 0 else quiet_until(share, frame, calendar, sample[0], end)
            calendar, meetings, pace.load[0], endless, pace.time[0] = exchange(
                calendar, wiring, Emitted(fresh.time, fresh.emitter, counters[FIRED]), share.abroad, frame.mail,
                share.number, meetings, counters[0] + counters[1] - before + pace.windows[0], counters[3], quiet)
            pace.load[1] = 1.0 if endless else 0.0
            pace.phase[0] = CLOSE
        elif why == DUE:
            due = sized(due, wanted)
        elif why == SPARE:
            spare = sized(spare, wanted)
        elif why == QUEUES:
            queues = quick_queues(queues, wanted)
        elif why == FRESH:
            fresh = room(Emitted(fresh.time, fresh.emitter, counters[FIRED]), counters[WANTED])
        elif why == KEPT:
            kept = room(kept, pace.kept[0] + counters[FIRED])
        else:
            calendar = reserve(calendar, wanted)
    return Course(calendar, queues, arrival, pace.time[0], meetings, former + pace.windows[0]), \
        Emitted(kept.time, kept.emitter, pace.kept[0])
