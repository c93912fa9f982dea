"""The general event loop: any model's verbs, exact spikes, law S0-S13.

Time goes in windows no longer than the smallest delay, so everything that arrives in a window is known when it opens
(law 6.1).  Each neuron then lives through its own inputs, breakpoints and spikes on its own.  A window is bookkeeping:
no state is committed at its border, and no result depends on its length.
"""

from typing import NamedTuple

import numpy as np

from ..course import ENDLESS, RAPID
from ..streams import Streams, next_event
from .calendar import Calendar, enter, merge_sort, reserve, take


def unbound(*_):
    raise TypeError("a name that link() binds")


# What `link` binds: a model's verbs, the network's clock, and the groups' windows chained (see engine.py).
advance = receive = inject = next_spike = fire = value = stamp = groups_window = head = tail = unbound


class Wiring(NamedTuple):
    """Who reaches whom: `Synapses`, and both sides' numbers."""

    first_row: np.ndarray
    first: np.ndarray
    delay: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    receptor: np.ndarray
    order: np.ndarray
    count: np.ndarray            # type: ignore[assignment]
    emitter_of_row: np.ndarray   # (rows,) int64
    neurons: int
    receptors: int               # of the neuron that has most


class Sources(NamedTuple):
    """Spike sources: Poisson streams with their next events, and given trains in one list."""

    streams: Streams
    draw: np.ndarray             # (streams,) int64: the number of the next event, -1 before the first
    time: np.ndarray             # (streams,) float64: its time, ms; before the first, the stream's start
    member: np.ndarray           # (streams,) int64: its emitter, -1: nobody's
    train_time: np.ndarray       # (spikes,) float64, ascending, ms
    train_emitter: np.ndarray    # (spikes,) int64
    cursor: np.ndarray           # (1,) int64: the next of those


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


class Inbox(NamedTuple):
    """What arrives in one window, by neuron, in key order (law S5) but for the fix in `in_key_order`."""

    touched: np.ndarray          # (m,) int64: neurons that have arrivals
    first: np.ndarray            # (neurons,) int64: of a touched neuron, where its arrivals start
    last: np.ndarray             # (neurons,) int64: and end; equal where there are none
    arrival: np.ndarray          # records of type ARRIVAL
    row: np.ndarray              # (due,) int64: the rows that act in this window


class Emitted(NamedTuple):
    time: np.ndarray
    emitter: np.ndarray
    n: int


def arrival_type(weight: np.dtype) -> np.dtype:
    return np.dtype([("time", "f8"), ("weight", weight), ("synapse", "i8"), ("due", "i4"), ("receptor", "i4")])


def grown(out, n):
    """Room for more than n."""
    times, emitters = np.empty(2 * n + 64), np.empty(2 * n + 64, np.int64)
    for k in range(n):
        times[k] = out.time[k]
        emitters[k] = out.emitter[k]
    return Emitted(times, emitters, n)


def sources_window(sources, end, tick, out):
    """Everything the sources emit before the end of the window."""
    n = out.n
    for k in range(len(sources.time)):
        i, t, whose = sources.draw[k], sources.time[k], sources.member[k]
        while stamp(t, tick) < end:
            if whose >= 0:
                if n == len(out.time):
                    out = grown(out, n)
                out.time[n] = stamp(t, tick)
                out.emitter[n] = whose
                n += 1
            i += 1
            t, whose = next_event(sources.streams, k, i, t)
        sources.draw[k], sources.time[k], sources.member[k] = i, t, whose
    c = sources.cursor[0]
    while c < len(sources.train_time) and stamp(sources.train_time[c], tick) < end:
        if n == len(out.time):
            out = grown(out, n)
        out.time[n] = stamp(sources.train_time[c], tick)
        out.emitter[n] = sources.train_emitter[c]
        n += 1
        c += 1
    sources.cursor[0] = c
    return Emitted(out.time, out.emitter, n)


def deliver(wiring, due_time, due_row, inbox_first, inbox_last, arrival, counters):
    """Sort the due rows' synapses into one inbox per neuron.  inbox_first == inbox_last everywhere before and after."""
    total = 0
    for d in range(len(due_row)):
        total += wiring.first[due_row[d] + 1] - wiring.first[due_row[d]]
    touched = np.empty(min(total, wiring.neurons), np.int64)
    m = 0
    for d in range(len(due_row)):
        for k in range(wiring.first[due_row[d]], wiring.first[due_row[d] + 1]):
            j = wiring.target[k]
            if inbox_last[j] == inbox_first[j]:
                touched[m] = j
                m += 1
            inbox_last[j] += 1
    at = 0
    for i in range(m):
        j = touched[i]
        n = inbox_last[j] - inbox_first[j]
        inbox_first[j] = inbox_last[j] = at
        at += n
    if total > len(arrival):
        arrival = np.empty(2 * total, arrival.dtype)
    for d in range(len(due_row)):
        for k in range(wiring.first[due_row[d]], wiring.first[due_row[d] + 1]):
            j = wiring.target[k]
            a = arrival[inbox_last[j]]
            inbox_last[j] += 1
            a["time"] = due_time[d]
            a["weight"] = wiring.weight[k]
            a["synapse"] = k
            a["due"] = d
            a["receptor"] = wiring.receptor[k]
            counters[1] += wiring.count[k]
    return Inbox(touched[:m], inbox_first, inbox_last, arrival, due_row)


def in_key_order(wiring, inbox, start, end):
    """Arrivals of one instant at one neuron stand by row; put those of one emitter into their synapses' order."""
    for b in range(start + 1, end):
        a = b
        while a > start:
            x, y = inbox.arrival[a - 1], inbox.arrival[a]
            ex, ey = wiring.emitter_of_row[inbox.row[x["due"]]], wiring.emitter_of_row[inbox.row[y["due"]]]
            if ex != ey or wiring.order[x["synapse"]] <= wiring.order[y["synapse"]]:
                break
            x["synapse"], y["synapse"] = y["synapse"], x["synapse"]
            x["weight"], y["weight"] = y["weight"], x["weight"]
            x["receptor"], y["receptor"] = y["receptor"], x["receptor"]
            a -= 1


def record(cells, k, time, sample):
    """The variables of neuron k at a time before its next event: evaluated, not committed."""
    for w in range(len(cells.variables)):
        cells.samples[w, sample, cells.column[k]] = value(cells.params[k], cells.state[k], time, cells.variables[w])


def live(wiring, inbox, cells, k, end, breakpoints, times, sample, sums, out, counters):
    """One neuron through one window: spikes, breakpoints and inputs in the order of law 2.8."""
    j = cells.neuron[k]
    a, last = inbox.first[j], inbox.last[j]
    p, s = cells.params[k], cells.state[k]
    samples = len(times) if cells.column[k] >= 0 else 0
    n = out.n
    last_spike, at_once = -np.inf, 0
    while True:
        arrival = inbox.arrival[a]["time"] if a < last else np.inf
        c = cells.cursor[k]
        change = breakpoints.time[c] if c < cells.line_end[k] else np.inf
        due = times[sample] if sample < samples else np.inf
        event = min(arrival, change, end)
        horizon = min(event, due)
        spike = next_spike(p, s, horizon)
        if spike <= horizon and spike < end:
            fire(p, s, spike)
            if n == len(out.time):
                out = grown(out, n)
            out.time[n] = spike
            out.emitter[n] = cells.emitter[k]
            n += 1
            at_once = at_once + 1 if spike - last_spike < RAPID else 0
            last_spike = spike
            if at_once == ENDLESS:
                counters[3] = j + 1
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
            b = a + 1
            while b < last and inbox.arrival[b]["time"] == arrival:
                b += 1
            if b > a + 1:
                in_key_order(wiring, inbox, a, b)
            for r in range(len(sums)):
                sums[r] = 0
            while a < b:
                sums[inbox.arrival[a]["receptor"]] += inbox.arrival[a]["weight"]
                a += 1
            receive(p, s, arrival, sums)
            counters[2] += 1
        else:
            break
    cells.wake[k] = min(spike, change)
    return Emitted(out.time, out.emitter, n)


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


class Course(NamedTuple):
    """What changes from call to call, besides the arrays that are written in place."""

    calendar: Calendar
    arrival: np.ndarray
    time: float                  # start of the next window


def run(course, wiring, groups, local, sources, breakpoints, times, keep, inbox_first, inbox_last, width, until, tick,
        budget, counters):
    """Windows until `until`, or until about `budget` arrivals were handled; what was emitted by those worth keeping.

    counters: spikes, synaptic operations, neuron updates (instants of input, per neuron), and the neuron + 1 that fires
    endlessly at one instant
    """
    calendar, arrival, start = course
    kept = Emitted(np.empty(64), np.empty(64, np.int64), 0)
    fresh = Emitted(np.empty(64), np.empty(64, np.int64), 0)
    goal = counters[1] + counters[0] + budget
    sample = 0
    while sample < len(times) and times[sample] < start:
        sample += 1
    windows = 0
    while start < until and counters[1] + counters[0] + windows < goal and counters[3] == 0:
        windows += 1
        end = min(start + width, until)
        due_time, due_row = take(calendar, start, end)
        due_time, due_row = merge_sort(due_time, due_row)
        inbox = deliver(wiring, due_time, due_row, inbox_first, inbox_last, arrival, counters)
        arrival = inbox.arrival
        fresh = groups_window(groups, wiring, inbox, local, end, breakpoints, times, sample,
                              Emitted(fresh.time, fresh.emitter, 0), counters)
        counters[0] += fresh.n
        fresh = sources_window(sources, end, tick, fresh)
        for i in range(len(inbox.touched)):
            inbox_last[inbox.touched[i]] = inbox_first[inbox.touched[i]]
        rows = 0
        n = kept.n
        for i in range(fresh.n):
            e = fresh.emitter[i]
            rows += wiring.first_row[e + 1] - wiring.first_row[e]
            if keep[e]:
                if n == len(kept.time):
                    kept = grown(kept, n)
                kept.time[n] = fresh.time[i]
                kept.emitter[n] = e
                n += 1
        kept = Emitted(kept.time, kept.emitter, n)
        calendar = reserve(calendar, rows)
        enter(calendar, wiring.first_row, wiring.delay, fresh.time, fresh.emitter, fresh.n)
        while sample < len(times) and times[sample] < end:
            sample += 1
        start = end
    return Course(calendar, arrival, start), kept
