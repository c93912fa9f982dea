"""The calendar of deliveries: which row of synapses acts when.  One entry per spike and row, first in, first out.

A row whose synapses have their own delays is one entry too: it stands at the next arrival of that spike, and enters
itself again for the one after the window.
"""

from typing import NamedTuple

import numpy as np

from ..rng import U64
from .lines import LINE, begun
from .pieces import fetch

BARE = ("enter", "next_due", "count", "collect", "acts_before", "unrolled", "unroll", "copy_due", "in_order",
        "in_slices", "most_in_a_slice", "insert_in_order", "ascends", "run_end", "merge_runs", "precedes",
        "move")            # see link.py
INSIDE = ("enter", "count", "collect", "ascends", "precedes", "move")
FEW = 24                   # entries that are sorted by insertion
CROWD = 64                 # entries in one slice of time, at most, that are
AHEAD = 48                 # synapses of a row that are fetched before the first is wanted


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
    """What acts in a window: entries of arrays that are used again and again."""

    time: np.ndarray       # (room,) float64
    part: np.ndarray       # (room,) int64
    synapse: np.ndarray    # (room,) int64: the first that acts: all from there on, or in a row with own delays it alone
    spike: np.ndarray      # (room,) float64: when it was emitted, as long as that matters
    place: np.ndarray      # (room,) int64: work space
    size: np.ndarray       # (1,) int64: how many there are


def sized(due, n):
    """A list with room for n entries (the same one if it has it), and those that are there."""
    if n <= len(due.time):
        return due
    longer = Due(np.empty(2 * n), np.empty(2 * n, np.int64), np.empty(2 * n, np.int64), np.empty(2 * n),
                 np.empty(2 * n, np.int64), due.size)
    for k in range(due.size[0]):
        move(due, k, longer, k)
        longer.spike[k] = due.spike[k]
    return longer


def nothing():
    """An empty list of what is due."""
    return Due(np.empty(64), np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64), np.empty(64, np.int64),
               np.zeros(1, np.int64))


def calendar(width: float, longest: float) -> Calendar:
    """An empty calendar for windows of `width` and delays up to `longest`: a slot is a window, or longer."""
    slots = 1 << max(3, min(16, int(np.ceil(np.log2(min(longest / width, 1e6) + 2.0)))))
    n = 1024
    chain = np.arange(1, n + 1, dtype=np.int64)
    chain[-1] = -1
    return Calendar(np.full((slots, 2), -1, np.int64), chain, np.zeros(n), np.zeros(n, np.int64), np.zeros(n),
                    np.zeros(n, np.int64),
                    begun(2, np.int64, [0, n]), np.array([1.0 / max(width, longest / (slots - 2))]))


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


def enter(c, time, part, spike, synapse):
    """One more entry; there is room (see `reserve`)."""
    k = c.free[0]
    c.free[0] = c.next[k]
    c.free[1] -= 1
    c.time[k] = time
    c.part[k] = part
    c.spike[k] = spike
    c.synapse[k] = synapse
    c.next[k] = -1
    slot = int(time * c.per_time[0]) & (len(c.slots) - 1)
    last = c.slots[slot, 1]
    if last < 0:
        c.slots[slot, 0] = k
    else:
        c.next[last] = k
    c.slots[slot, 1] = k


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


def count(c, start, end):
    """How many entries have a time in [start, end)."""
    mask = len(c.slots) - 1
    n = 0
    for lap in range(int(start * c.per_time[0]), int(end * c.per_time[0]) + 1):
        k = c.slots[lap & mask, 0]
        while k >= 0:
            n += c.time[k] < end
            k = c.next[k]
    return n


def collect(c, start, end, due):
    """Remove all entries with a time in [start, end), in the order they came in, into `due`, which has room."""
    mask = len(c.slots) - 1
    n = 0
    for lap in range(int(start * c.per_time[0]), int(end * c.per_time[0]) + 1):
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
    due.size[0] = n


def acts_before(delays, first, last, spike, end):
    """Of a row's delays first .. last - 1, which ascend, and the first of which acts before `end`: where those end."""
    low, step = first + 1, 1
    while low + step < last and spike + delays[low + step] < end:
        low += step + 1
        step *= 2
    high = min(low + step, last)
    while low < high:
        middle = (low + high) // 2
        if spike + delays[middle] < end:
            low = middle + 1
        else:
            high = middle
    return low


def unrolled(wiring, due, end):
    """How many entries `unroll` makes of what is due, at most; where each row's then end stands in `due.place`."""
    n = 0
    for d in range(due.size[0]):
        part, k = due.part[d], due.synapse[d]
        row = wiring.row[part]
        if wiring.spread[row] >= 0:
            first, last = wiring.spread[row] - wiring.first[row], wiring.end[part]
            for i in range(k, min(k + AHEAD, last), LINE // wiring.delays.itemsize):
                fetch(wiring.delays, first + i)
            for i in range(k, min(k + AHEAD, last), LINE // wiring.target.itemsize):
                fetch(wiring.target, i)
    for d in range(due.size[0]):
        part = due.part[d]
        row, k = wiring.row[part], due.synapse[d]
        due.place[d] = k + 1
        if wiring.spread[row] >= 0:
            own = wiring.spread[row] - wiring.first[row]
            due.place[d] = acts_before(wiring.delays, own + k, own + wiring.end[part], due.spike[d], end) - own
        n += due.place[d] - k
    return n


def unroll(c, wiring, due, out):
    """Each synapse with an own delay by itself, in `out`, which has room; later ones go back into the calendar."""
    n = U64(0)
    for d in range(due.size[0]):
        part, spike, k, stop = due.part[d], due.spike[d], due.synapse[d], due.place[d]
        row = wiring.row[part]
        if wiring.spread[row] < 0:
            out.time[n], out.part[n], out.synapse[n] = due.time[d], part, k
            n += U64(1)
            continue
        own = wiring.spread[row] - wiring.first[row]
        delays, targets = wiring.delays[own + k:own + stop], wiring.target[k:stop]
        for i in range(len(delays)):
            out.time[n] = spike + delays[i]              # law S9: as `enter_all` computes the first
            out.part[n] = part
            out.synapse[n] = k + i
            n += U64(wiring.mine[targets[i]])
        if stop < wiring.end[part]:
            enter(c, spike + wiring.delays[own + stop], part, spike, stop)
    out.size[0] = n


def copy_due(due, out):
    """The entries into another list, which has room."""
    for k in range(U64(due.size[0])):
        move(due, k, out, k)
    out.size[0] = due.size[0]


def in_order(given, due, start, end):
    """The entries of one list, in [start, end), into another, in ascending order of time, then row, then synapse; both
    have room.  By slices of time, and within these by insertion; where many crowd into one, by natural merge sort."""
    n = given.size[0]
    if n > FEW and most_in_a_slice(given, start, n / (end - start)) <= CROWD:
        in_slices(given, due, start, n / (end - start))
    else:
        copy_due(given, due)
        while n > FEW and not ascends(due):
            merge_runs(due, given)
            merge_runs(given, due)
    if n <= FEW or not ascends(due):
        insert_in_order(due)


def most_in_a_slice(given, start, scale):
    """Where each slice of time begins, into `given.place`; the most entries of one."""
    n, place, time = given.size[0], given.place, given.time
    for k in range(n):
        place[k] = 0
    for d in range(n):
        place[min(np.int64((time[d] - start) * scale), n - 1)] += 1
    most, total = 0, 0
    for k in range(n):
        here = place[k]
        most = max(most, here)
        place[k] = total
        total += here
    return most


def in_slices(given, due, start, scale):
    """The entries by slice, stably."""
    n, place, time = given.size[0], given.place, given.time
    for d in range(n):
        s = min(np.int64((time[d] - start) * scale), n - 1)
        move(given, d, due, place[s])
        place[s] += 1
    due.size[0] = n


def insert_in_order(due):
    """Sort by insertion."""
    for n in range(1, due.size[0]):
        time, part, synapse = due.time[n], due.part[n], due.synapse[n]
        k = n
        while k > 0 and (time < due.time[k - 1] or (time == due.time[k - 1] and (
                part < due.part[k - 1] or (part == due.part[k - 1] and synapse < due.synapse[k - 1])))):
            move(due, k - 1, due, k)
            k -= 1
        if k < n:
            due.time[k] = time
            due.part[k] = part
            due.synapse[k] = synapse


def ascends(due):
    k = 1
    while k < due.size[0] and not precedes(due, k, k - 1):
        k += 1
    return k >= due.size[0]


def run_end(due, start):
    """Where the ascending run that begins at `start` ends."""
    k = start + 1
    while k < due.size[0] and not precedes(due, k, k - 1):
        k += 1
    return min(k, due.size[0])


def merge_runs(due, other):
    """One pass: ascending runs, two by two, from `due` into `other`."""
    start = 0
    while start < due.size[0]:
        middle = run_end(due, start)
        end = run_end(due, middle) if middle < due.size[0] else middle
        a, b = start, middle
        for k in range(start, end):
            if b >= end or (a < middle and not precedes(due, b, a)):
                move(due, a, other, k)
                a += 1
            else:
                move(due, b, other, k)
                b += 1
        start = end


def precedes(due, a, b):
    if due.time[a] != due.time[b]:
        return due.time[a] < due.time[b]
    return due.part[a] < due.part[b] or (due.part[a] == due.part[b] and due.synapse[a] < due.synapse[b])


def move(due, a, other, b):
    other.time[b] = due.time[a]
    other.part[b] = due.part[a]
    other.synapse[b] = due.synapse[a]
