"""The calendar of deliveries: which row of synapses acts when.  One entry per spike and row, first in, first out."""

from typing import NamedTuple

import numpy as np


class Calendar(NamedTuple):
    """Entries hang in slots of time; a slot's list also holds entries of later laps, told apart by their time."""

    slots: np.ndarray      # (slots, 2) int64: first and last entry, -1 if empty; the number of slots is a power of 2
    next: np.ndarray       # (capacity,) int64: the entry behind, -1 at the end
    time: np.ndarray       # (capacity,) float64
    row: np.ndarray        # (capacity,) int64
    free: np.ndarray       # (2,) int64: first free entry (-1 if none), number of free entries
    per_time: np.ndarray   # (1,) float64: slots per unit of time


def calendar(width: float, longest: float) -> Calendar:
    """An empty calendar for windows of `width` and delays up to `longest`: a slot is a window, or longer."""
    slots = 1 << max(3, min(16, int(np.ceil(np.log2(min(longest / width, 1e6) + 2.0)))))
    n = 1024
    chain = np.arange(1, n + 1, dtype=np.int64)
    chain[-1] = -1
    return Calendar(np.full((slots, 2), -1, np.int64), chain, np.zeros(n), np.zeros(n, np.int64),
                    np.array([0, n], np.int64), np.array([1.0 / max(width, longest / (slots - 2))]))


def reserve(c, n):
    """A calendar with room for n more entries (the same one if it has it)."""
    if c.free[1] >= n:
        return c
    old = len(c.time)
    size = max(2 * old, old + n)
    chain, time, row = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
    for k in range(old):                 # loops, not slices: numba compiles a slice's error messages for seconds
        chain[k] = c.next[k]
        time[k] = c.time[k]
        row[k] = c.row[k]
    for k in range(old, size):
        chain[k] = k + 1
    chain[size - 1] = c.free[0]
    c.free[0] = old
    c.free[1] += size - old
    return Calendar(c.slots, chain, time, row, c.free, c.per_time)


def enter(c, first_row, delay, time, emitter, n):
    """Enter the deliveries of n spikes, one per row; there is room (see `reserve`)."""
    mask, per_time = len(c.slots) - 1, c.per_time[0]
    k = c.free[0]
    for i in range(n):
        for row in range(first_row[emitter[i]], first_row[emitter[i] + 1]):
            arrival = time[i] + delay[row]                   # law S9: one expression, computed once
            after = c.next[k]
            c.time[k] = arrival
            c.row[k] = row
            c.next[k] = -1
            slot = int(arrival * per_time) & mask
            last = c.slots[slot, 1]
            if last < 0:
                c.slots[slot, 0] = k
            else:
                c.next[last] = k
            c.slots[slot, 1] = k
            c.free[1] -= 1
            k = after
    c.free[0] = k


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
    """Remove and return (time, row) of all entries with time in [start, end), in the order they came in."""
    mask = len(c.slots) - 1
    first, last = int(start * c.per_time[0]), int(end * c.per_time[0])
    n = 0
    for lap in range(first, last + 1):
        k = c.slots[lap & mask, 0]
        while k >= 0:
            n += c.time[k] < end
            k = c.next[k]
    time, row = np.empty(n), np.empty(n, np.int64)
    n = 0
    for lap in range(first, last + 1):
        slot = lap & mask
        k = c.slots[slot, 0]
        before = -1
        while k >= 0:
            after = c.next[k]
            if c.time[k] < end:
                time[n] = c.time[k]
                row[n] = c.row[k]
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
    return time, row


def merge_sort(time, row):
    """(time, row) in ascending order of time, then row: natural merge sort, so that ordered streams cost little."""
    n = len(time)
    if n < 2:
        return time, row
    ends = np.empty(n + 1, np.int64)
    other_time, other_row = np.empty(n), np.empty(n, np.int64)
    while True:
        runs = 0
        for k in range(1, n):
            if time[k] < time[k - 1] or (time[k] == time[k - 1] and row[k] < row[k - 1]):
                ends[runs] = k
                runs += 1
        ends[runs] = n
        if runs == 0:
            return time, row
        start = 0
        for pair in range(0, runs + 1, 2):
            middle = ends[pair]
            end = ends[pair + 1] if pair < runs else middle
            a, b = start, middle
            for k in range(start, end):
                if b >= end or (a < middle and (time[a] < time[b] or (time[a] == time[b] and row[a] <= row[b]))):
                    other_time[k] = time[a]
                    other_row[k] = row[a]
                    a += 1
                else:
                    other_time[k] = time[b]
                    other_row[k] = row[b]
                    b += 1
            start = end
        time, row, other_time, other_row = other_time, other_row, time, row
