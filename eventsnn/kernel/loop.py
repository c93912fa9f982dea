"""The general event loop: any model's verbs, exact spikes, law S0-S13.

Time goes in windows no longer than the smallest delay, so everything that arrives in a window is known when it opens
(law 6.1).  Each neuron then lives through its own inputs, breakpoints and spikes on its own.  A window is bookkeeping:
no state is committed at its border, and no result depends on its length.

The neurons and sources of a network are dealt out to one or several shards (see `shards.py`); the specialised kernels'
pieces go to whoever is free (see `pool.py`).  Each shard runs this loop, and between two windows all tell each other
what was emitted (see `mail.py`); threads change nothing else.
"""

from typing import Any, NamedTuple

import numpy as np

from ..course import ENDLESS, RAPID
from ..streams import Streams, next_event
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
from .inbox import Wiring, deliver
from .mail import Mail, enter_all, exchange, parts_of
from .pieces import FIRED, WANTED
from .queue import entries

BARE = ("quiet_until", "keep", "put_in_order", "onward", "begin_window", "ask_groups", "ask_nobody")    # see link.py
INSIDE = ("keep", "begin_window")
# Of a window's course (see `onward`): what comes next.
OPEN, UNROLL, QUICK, SLOW, SOURCES, MEET, CLOSE = range(7)
# What `onward` stops for: the end; the general loop, sources, other shards; or more room.
OVER, GROUPS, EMITTERS, OTHERS, DUE, SPARE, QUEUES, FRESH, KEPT, ENTRIES = range(10)


def unbound(*_):
    raise TypeError("a name that link() binds")


# What `link` binds: a model's verbs, the network's clock, and the groups' windows chained (see engine.py).
advance = receive = inject = next_spike = fire = value = stamp = groups_window = head = tail = unbound
precedes = heard = unbound                                                # of a dynamics: judged_last, separate
quick_window = quick_soonest = quick_fit = quick_queues = slow_window = slow = unbound     # of all pieces and groups


class Sources(NamedTuple):
    """A shard's spike sources: random streams with their next events, and given trains in one list."""

    streams: Streams             # all shards'
    stream: np.ndarray           # (n,) int64: the numbers of this shard's streams
    draw: np.ndarray             # (n,) int64: the number of the next event, -1 before the first
    time: np.ndarray             # (n,) float64: its time, ms; before the first, the stream's start
    member: np.ndarray           # (n,) int64: its emitter, -1: nobody's
    train_time: np.ndarray       # (spikes,) float64, ascending, ms
    train_emitter: np.ndarray    # (spikes,) int64
    cursor: np.ndarray           # (1,) int64: the next of those
    soonest: np.ndarray          # (1,) float64: nothing is emitted before


class Cells(NamedTuple):
    """One group of neurons while it runs."""

    neuron: np.ndarray           # (n,) int64
    emitter: np.ndarray          # (n,) int64
    params: np.ndarray           # (n,) records
    state: np.ndarray            # (n,) records
    wake: np.ndarray             # (n,) float64: nothing happens before without input
    soonest: np.ndarray          # (1,) float64: a lower bound of all wake
    cursor: np.ndarray           # (n,) int64: the next breakpoint of its line
    line_end: np.ndarray         # (n,) int64: the breakpoint after its line's last
    column: np.ndarray           # (n,) int64: where it is recorded, -1: nowhere
    variables: np.ndarray        # (k,) int64: what is recorded, as `value` numbers it
    samples: np.ndarray          # (k, times, columns) float64


def sources_window(sources, end, tick, out):
    """Everything the sources emit before the end of the window."""
    if sources.soonest[0] >= end:
        return out
    n, soonest = out.n, np.inf
    for k in range(len(sources.time)):
        i, t, whose = sources.draw[k], sources.time[k], sources.member[k]
        while stamp(t, tick) < end:
            if whose >= 0:
                if n == len(out.time):
                    out = room(out, n + 1)
                out.time[n] = stamp(t, tick)
                out.emitter[n] = whose
                n += 1
            i += 1
            t, whose = next_event(sources.streams, sources.stream[k], i, t)
        sources.draw[k], sources.time[k], sources.member[k] = i, t, whose
        soonest = min(soonest, stamp(t, tick))
    c = sources.cursor[0]
    while c < len(sources.train_time) and stamp(sources.train_time[c], tick) < end:
        if n == len(out.time):
            out = room(out, n + 1)
        out.time[n] = stamp(sources.train_time[c], tick)
        out.emitter[n] = sources.train_emitter[c]
        n += 1
        c += 1
    if c < len(sources.train_time):
        soonest = min(soonest, stamp(sources.train_time[c], tick))
    sources.cursor[0], sources.soonest[0] = c, soonest
    return Emitted(out.time, out.emitter, n)


def record(cells, k, time, sample):
    """The variables of neuron k at a time before its next event: evaluated, not committed."""
    for w in range(len(cells.variables)):
        cells.samples[w, sample, cells.column[k]] = value(cells.params[k], cells.state[k], time, cells.variables[w])


def at_once(inbox, a, last):
    """The end of what neurons receive together with arrival a: all of its instant (law S5)."""
    b = a + 1
    while b < last and inbox.arrival[b]["time"] == inbox.arrival[a]["time"]:
        b += 1
    return b


def one_by_one(inbox, a, last):
    return a + 1


def up_to(spike, event):
    """Whether a spike comes before what happens then: also at the same instant (law S2)."""
    return spike <= event


def before(spike, event):
    """Where a tick is judged last."""
    return spike < event


def live(wiring, inbox, cells, k, end, breakpoints, times, sample, sums, out, counters):
    """One neuron through one window: spikes, breakpoints and inputs in the order of law 2.8."""
    j = cells.neuron[k]
    a, last = inbox.first[j], inbox.last[j]
    p, s = cells.params[k], cells.state[k]
    samples = len(times) if cells.column[k] >= 0 else 0
    n = out.n
    last_spike, rapid = -np.inf, 0
    while True:
        arrival = inbox.arrival[a]["time"] if a < last else np.inf
        c = cells.cursor[k]
        change = breakpoints.time[c] if c < cells.line_end[k] else np.inf
        due = times[sample] if sample < samples else np.inf
        event = min(arrival, change, end)
        horizon = min(event, due)
        spike = next_spike(p, s, horizon)
        if spike <= horizon and spike < end and precedes(spike, event):
            fire(p, s, spike)
            if n == len(out.time):
                out = room(out, n + 1)
            out.time[n] = spike
            out.emitter[n] = cells.emitter[k]
            n += 1
            rapid = rapid + 1 if spike - last_spike < RAPID else 0
            last_spike = spike
            if rapid == ENDLESS:
                counters[3] = j + 1 if counters[3] == 0 else min(counters[3], j + 1)
                break
        elif due < event:                     # a right limit (S0): all that happens at that instant has happened
            record(cells, k, due, sample)
            sample += 1
        elif change <= arrival and change < end:
            advance(p, s, change)
            while c < cells.line_end[k] and breakpoints.time[c] == change:
                inject(p, s, breakpoints.slot[c], breakpoints.amount[c], breakpoints.slope[c])
                c += 1
            cells.cursor[k] = c
        elif a < last:
            b = heard(inbox, a, last)
            for r in range(len(sums)):
                sums[r] = 0
            while a < b:
                sums[inbox.arrival[a]["receptor"]] += inbox.arrival[a]["weight"]
                a += 1
            receive(p, s, arrival, sums)
            counters[2] += a == last or inbox.arrival[a]["time"] > arrival      # once an instant
        else:
            break
    cells.wake[k] = min(spike, change)
    return Emitted(out.time, out.emitter, n)


def ticks_out(params, state, until):
    """Make the last ticks of clocked neurons, which nobody has asked for: what they count counts."""
    for k in range(len(state)):
        next_spike(params[k], state[k], until)


def window(cells, wiring, inbox, local, end, breakpoints, times, sample, out, counters):
    """One group of neurons through one window."""
    sums = np.zeros(wiring.receptors, wiring.weight.dtype)
    everyone = cells.soonest[0] < end or (sample < len(times) and times[sample] < end and cells.samples.shape[2] > 0)
    if everyone:
        soonest = np.inf
        for k in range(len(cells.neuron)):
            j = cells.neuron[k]
            if cells.wake[k] < end or inbox.first[j] < inbox.last[j] or cells.column[k] >= 0:
                out = live(wiring, inbox, cells, k, end, breakpoints, times, sample, sums, out, counters)
            soonest = min(soonest, cells.wake[k])
        cells.soonest[0] = soonest
    else:
        for i in range(len(inbox.touched)):
            k = local[inbox.touched[i]]
            if k < len(cells.neuron) and cells.neuron[k] == inbox.touched[i]:
                out = live(wiring, inbox, cells, k, end, breakpoints, times, sample, sums, out, counters)
                cells.soonest[0] = min(cells.soonest[0], cells.wake[k])
    return out


def several(groups, wiring, inbox, local, end, breakpoints, times, sample, out, counters):
    """The first group's window, then the others'."""
    out = head(groups[0], wiring, inbox, local, end, breakpoints, times, sample, out, counters)
    return tail(groups[1:], wiring, inbox, local, end, breakpoints, times, sample, out, counters)


def single(groups, wiring, inbox, local, end, breakpoints, times, sample, out, counters):
    """The window of the last group."""
    return head(groups[0], wiring, inbox, local, end, breakpoints, times, sample, out, counters)


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


def groups_through(groups, due, share, end, frame, sample, arrival, out, counters):
    """All groups through one window, by inboxes."""
    inbox = deliver(share.wiring, due, share.inbox_first, share.inbox_last, arrival, counters)
    out = groups_window(groups, share.wiring, inbox, share.local, end, frame.breakpoints, frame.times, sample, out,
                        counters)
    for i in range(len(inbox.touched)):
        share.inbox_last[inbox.touched[i]] = share.inbox_first[inbox.touched[i]]
    return inbox.arrival, out


def no_groups(groups, due, share, end, frame, sample, arrival, out, counters):
    return arrival, out


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
