"""What arrives in a window, sorted by neuron, in the key order of law S5."""

from typing import NamedTuple

import numpy as np


class Wiring(NamedTuple):
    """Who reaches whom in one shard: `Synapses`, of each row what leads to the shard's neurons, and some numbers.

    A row may be there in several parts, or not at all; the order of rows is kept.
    """

    first_row: np.ndarray        # (emitters + 1,) int64: emitter e owns rows first_row[e] .. first_row[e+1] - 1
    begin: np.ndarray            # (rows,) int64: row r owns synapses begin[r] .. end[r] - 1
    end: np.ndarray              # (rows,) int64
    delay: np.ndarray            # (rows,) float64
    target: np.ndarray           # (synapses,) of the whole network, as are all that follow: see `Synapses`
    weight: np.ndarray
    receptor: np.ndarray
    order: np.ndarray
    count: np.ndarray            # type: ignore[assignment]
    emitter_of_row: np.ndarray   # (rows,) int64
    neurons: int
    receptors: int               # of the neuron that has most


class Inbox(NamedTuple):
    """What arrives in one window, by neuron, in key order (law S5) but for the fix in `in_key_order`."""

    touched: np.ndarray          # (m,) int64: neurons that have arrivals
    first: np.ndarray            # (neurons,) int64: of a touched neuron, where its arrivals start
    last: np.ndarray             # (neurons,) int64: and end; equal where there are none
    arrival: np.ndarray          # records of type ARRIVAL
    row: np.ndarray              # (due,) int64: the rows that act in this window


def arrival_type(weight: np.dtype) -> np.dtype:
    return np.dtype([("time", "f8"), ("weight", weight), ("synapse", "i8"), ("due", "i4"), ("receptor", "i4")])


def deliver(wiring, due_time, due_row, inbox_first, inbox_last, arrival, counters):
    """Sort the due rows' synapses into one inbox per neuron.  inbox_first == inbox_last everywhere before and after."""
    total = 0
    for d in range(len(due_row)):
        total += wiring.end[due_row[d]] - wiring.begin[due_row[d]]
    touched = np.empty(min(total, wiring.neurons), np.int64)
    m = 0
    for d in range(len(due_row)):
        for k in range(wiring.begin[due_row[d]], wiring.end[due_row[d]]):
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
        for k in range(wiring.begin[due_row[d]], wiring.end[due_row[d]]):
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
