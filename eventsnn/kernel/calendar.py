"""The calendar of deliveries: which row of synapses acts when.  One entry per spike and row, first in, first out.

A row whose synapses have their own delays is one entry too: it stands at the next arrival of that spike, and enters
itself again for the one after the window.
"""

from typing import NamedTuple

import numpy as np


class Calendar(NamedTuple):
    """Entries hang in slots of time; a slot's list also holds entries of later laps, told apart by their time."""

    slots: np.ndarray      # (slots, 2) int64: first and last entry, -1 if empty; the number of slots is a power of 2
    next: np.ndarray       # (capacity,) int64: the entry behind, -1 at the end
    time: np.ndarray       # (capacity,) float64
    part: np.ndarray       # (capacity,) int64: the row, or what a shard has of it (see `Wiring`)
    spike: np.ndarray      # (capacity,) float64: when it was emitted
    synapse: np.ndarray    # (capacity,) int64: the first of the row's synapses that are still to act
    free: np.ndarray       # (2,) int64: first free entry (-1 if none), number of free entries
    per_time: np.ndarray   # (1,) float64: slots per unit of time


class Due(NamedTuple):
    """What acts in a window."""

    time: np.ndarray       # (n,) float64
    part: np.ndarray       # (n,) int64
    synapse: np.ndarray    # (n,) int64: the first that acts: all from there on, or in a row with own delays it alone
    spike: np.ndarray      # (n,) float64: when it was emitted; unsorted by `merge_sort`, which is the last to see it


def calendar(width: float, longest: float) -> Calendar:
    """An empty calendar for windows of `width` and delays up to `longest`: a slot is a window, or longer."""
    slots = 1 << max(3, min(16, int(np.ceil(np.log2(min(longest / width, 1e6) + 2.0)))))
    n = 1024
    chain = np.arange(1, n + 1, dtype=np.int64)
    chain[-1] = -1
    return Calendar(np.full((slots, 2), -1, np.int64), chain, np.zeros(n), np.zeros(n, np.int64), np.zeros(n),
                    np.zeros(n, np.int64),
                    np.array([0, n], np.int64), np.array([1.0 / max(width, longest / (slots - 2))]))


def reserve(c, n):
    """A calendar with room for n more entries (the same one if it has it)."""
    if c.free[1] >= n:
        return c
    old = len(c.time)
    size = max(2 * old, old + n)
    chain, time, part = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
    spike, synapse = np.empty(size), np.empty(size, np.int64)
    for k in range(old):                 # loops, not slices: numba compiles a slice's error messages for seconds
        chain[k] = c.next[k]
        time[k] = c.time[k]
        part[k] = c.part[k]
        spike[k] = c.spike[k]
        synapse[k] = c.synapse[k]
    for k in range(old, size):
        chain[k] = k + 1
    chain[size - 1] = c.free[0]
    c.free[0] = old
    c.free[1] += size - old
    return Calendar(c.slots, chain, time, part, spike, synapse, c.free, c.per_time)


def enter(c, due, n):
    """The first n of `due` as entries; there is room (see `reserve`)."""
    mask, per_time = len(c.slots) - 1, c.per_time[0]
    k = c.free[0]
    for i in range(n):
        after = c.next[k]
        c.time[k] = due.time[i]
        c.part[k] = due.part[i]
        c.spike[k] = due.spike[i]
        c.synapse[k] = due.synapse[i]
        c.next[k] = -1
        slot = int(due.time[i] * per_time) & mask
        last = c.slots[slot, 1]
        if last < 0:
            c.slots[slot, 0] = k
        else:
            c.next[last] = k
        c.slots[slot, 1] = k
        k = after
    c.free[0] = k
    c.free[1] -= n


def several(n):
    """Room for n entries."""
    return Due(np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n))


def next_due(c, start, end):
    """A time in [start, end] before which no entry is due; there is none before start."""
    if c.free[1] == len(c.time):
        return end
    mask, first = len(c.slots) - 1, int(start * c.per_time[0])
    for lap in range(first, min(int(end * c.per_time[0]), first + mask) + 1):
        soonest = end
        k = c.slots[lap & mask, 0]
        while k >= 0:
            soonest = min(soonest, c.time[k])
            k = c.next[k]
        if int(soonest * c.per_time[0]) <= lap:
            return soonest
    return min(end, max(start, (first + mask) / c.per_time[0]))


def take(c, start, end):
    """Remove and return all entries with time in [start, end), in the order they came in."""
    mask = len(c.slots) - 1
    first, last = int(start * c.per_time[0]), int(end * c.per_time[0])
    n = 0
    for lap in range(first, last + 1):
        k = c.slots[lap & mask, 0]
        while k >= 0:
            n += c.time[k] < end
            k = c.next[k]
    due = several(n)
    n = 0
    for lap in range(first, last + 1):
        slot = lap & mask
        k = c.slots[slot, 0]
        before = -1
        while k >= 0:
            after = c.next[k]
            if c.time[k] < end:
                due.time[n] = c.time[k]
                due.part[n] = c.part[k]
                due.synapse[n] = c.synapse[k]
                due.spike[n] = c.spike[k]
                n += 1
                if before < 0:
                    c.slots[slot, 0] = after
                else:
                    c.next[before] = after
                if after < 0:
                    c.slots[slot, 1] = before
                c.next[k] = c.free[0]
                c.free[0] = k
                c.free[1] += 1
            else:
                before = k
            k = after
    return due


def unroll(c, wiring, due, end):
    """Each synapse with an own delay that acts before `end` by itself; what comes later goes back into the calendar."""
    if len(wiring.delays) == 0:
        return due
    n = 0
    for d in range(len(due.part)):
        row = wiring.row[due.part[d]]
        if wiring.spread[row] < 0:
            n += 1
            continue
        k, own = due.synapse[d], wiring.spread[row] - wiring.first[row]
        while k < wiring.end[due.part[d]] and due.spike[d] + wiring.delays[own + k] < end:
            n += wiring.mine[wiring.target[k]]
            k += 1
    out, later = several(n), several(len(due.part))
    n = left = 0
    for d in range(len(due.part)):
        part, spike, k = due.part[d], due.spike[d], due.synapse[d]
        row = wiring.row[part]
        own = wiring.spread[row] - wiring.first[row]
        time = due.time[d]
        while time < end:
            if wiring.spread[row] < 0 or wiring.mine[wiring.target[k]]:
                out.time[n] = time
                out.part[n] = part
                out.synapse[n] = k
                n += 1
            if wiring.spread[row] < 0:
                break
            k += 1
            if k == wiring.end[part]:
                break
            time = spike + wiring.delays[own + k]            # law S9: as `spread` computes an entry's first
        if wiring.spread[row] >= 0 and k < wiring.end[part]:
            later.time[left] = time
            later.part[left] = part
            later.synapse[left] = k
            later.spike[left] = spike
            left += 1
    enter(c, later, left)
    return out


def merge_sort(due):
    """The same in ascending order of time, then row, then synapse: natural merge sort, so that ordered streams cost
    little."""
    n = len(due.time)
    if n < 2:
        return due
    ends = np.empty(n + 1, np.int64)
    time, part, synapse, spike = due
    to_time, to_part, to_synapse = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    while True:
        runs = 0
        for k in range(1, n):
            if time[k] < time[k - 1] or (time[k] == time[k - 1] and (
                    part[k] < part[k - 1] or (part[k] == part[k - 1] and synapse[k] < synapse[k - 1]))):
                ends[runs] = k
                runs += 1
        ends[runs] = n
        if runs == 0:
            return Due(time, part, synapse, spike)
        start = 0
        for pair in range(0, runs + 1, 2):
            middle = ends[pair]
            end = ends[pair + 1] if pair < runs else middle
            a, b = start, middle
            for k in range(start, end):
                if b >= end or (a < middle and (time[a] < time[b] or (time[a] == time[b] and (
                        part[a] < part[b] or (part[a] == part[b] and synapse[a] <= synapse[b]))))):
                    i = a
                    a += 1
                else:
                    i = b
                    b += 1
                to_time[k] = time[i]
                to_part[k] = part[i]
                to_synapse[k] = synapse[i]
            start = end
        time, part, synapse, to_time, to_part, to_synapse = to_time, to_part, to_synapse, time, part, synapse
