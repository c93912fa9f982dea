"""The general event loop: any model's verbs, exact spikes, law S0-S13.

Time goes in windows no longer than the smallest delay, so everything that arrives in a window is known when it opens
(law 6.1).  Each neuron then lives through its own inputs, breakpoints and spikes on its own.  A window is bookkeeping:
no state is committed at its border, and no result depends on its length.

The neurons and sources of a network are dealt out to one or several shards (see `shards.py`).  Each runs this loop, and
between two windows all tell each other what was emitted (see `mail.py`); threads change nothing else.
"""

from typing import Any, NamedTuple

import numpy as np

from ..course import ENDLESS, RAPID
from ..streams import Streams, next_event
from .calendar import Calendar, merge_sort, next_due, nothing, take, unroll
from .emitted import Emitted, room
from .inbox import Wiring, deliver
from .mail import Mail, exchange, spread
from .pieces import FIRED, WANTED


def unbound(*_):
    raise TypeError("a name that link() binds")


# What `link` binds: a model's verbs, the network's clock, and the groups' windows chained (see engine.py).
advance = receive = inject = next_spike = fire = value = stamp = groups_window = head = tail = unbound
precedes = heard = unbound                                                # of a dynamics: judged_last, separate
quick_window = quick_soonest = quick_fit = quick_queues = slow_window = unbound    # of all pieces and groups, or none


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


def run(course, share, groups, frame, budget):
    """Windows until `until`, or until all shards have handled about `budget` arrivals; what was emitted by those worth
    keeping."""
    calendar, queues, arrival, start, meetings, former = course
    wiring, counters, times = share.wiring, share.counters, frame.times
    kept = Emitted(np.empty(64), np.empty(64, np.int64), 0)
    fresh = Emitted(np.empty(64), np.empty(64, np.int64), 0)
    due, spare, quick = nothing(), nothing(), share.quick
    before, windows, loads, endless = counters[0] + counters[1], 0, 0.0, False
    sample = 0
    while sample < len(times) and times[sample] < start:
        sample += 1
    while start < frame.until and loads < budget and not endless:
        windows += 1
        end = min(start + frame.width, frame.until)
        due = take(calendar, start, end, due)
        due, spare = unroll(calendar, wiring, due, spare, end)
        due, spare = merge_sort(due, spare)
        if not quick_fit(queues, due.size[0]):
            queues = quick_queues(queues, due.size[0])
        counters[FIRED] = 0
        while not quick_window(quick, due, queues, former + windows, end, frame, sample, fresh, counters):
            fresh = room(Emitted(fresh.time, fresh.emitter, counters[FIRED]), counters[WANTED])
        fresh = Emitted(fresh.time, fresh.emitter, counters[FIRED])
        arrival, fresh = slow_window(groups, due, share, end, frame, sample, arrival, fresh, counters)
        counters[0] += fresh.n
        fresh = sources_window(share.sources, end, frame.tick, fresh)
        kept = room(kept, kept.n + fresh.n)
        n = kept.n
        for i in range(fresh.n):
            if frame.keep[fresh.emitter[i]]:
                kept.time[n] = fresh.time[i]
                kept.emitter[n] = fresh.emitter[i]
                n += 1
        kept = Emitted(kept.time, kept.emitter, n)
        while sample < len(times) and times[sample] < end:
            sample += 1
        calendar = spread(calendar, wiring, fresh.time, fresh.emitter, fresh.n)
        quiet = end if fresh.n > 0 else quiet_until(share, frame, calendar, sample, end)
        calendar, meetings, loads, endless, start = exchange(
            calendar, wiring, fresh, share.abroad, frame.mail, share.number, meetings,
            counters[0] + counters[1] - before + windows, counters[3], quiet)
    return Course(calendar, queues, arrival, start, meetings, former + windows), kept
