"""Neurons of any model through a window: spikes, breakpoints and inputs of each, in the order of law 2.8.

Everything that arrives in the window is in the inboxes; so each neuron lives on its own.
"""

from typing import NamedTuple

import numpy as np

from ..course import ENDLESS, RAPID
from ..model import unbound
from .emitted import Emitted, room
from .inbox import deliver

# A model's verbs; what its dynamics says of one instant (judged_last, separate); and the other groups' windows.
advance = receive = inject = next_spike = fire = value = unbound
precedes = heard = unbound
groups_window = head = tail = unbound


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
