"""What arrives in a window, sorted by neuron, in the key order of law S5."""

from typing import NamedTuple

import numpy as np


class Wiring(NamedTuple):
    """Who reaches whom in one shard: parts of the rows of `Synapses` that lead to the shard's neurons.

    A row may be there in several parts, or not at all; the order of rows is kept.  A row with own delays is there as a
    whole, or not at all, and `mine` says which of its targets count.
    """

    first_row: np.ndarray        # (emitters + 1,) int64: emitter e owns parts first_row[e] .. first_row[e+1] - 1
    row: np.ndarray              # (parts,) int64: of which row
    begin: np.ndarray            # (parts,) int64: part p owns synapses begin[p] .. end[p] - 1
    end: np.ndarray              # (parts,) int64
    delay: np.ndarray            # (parts,) float64
    after: np.ndarray            # (parts,) int64: a calendar's entry for part p is for p .. after[p] - 1
    mine: np.ndarray             # (neurons,) bool: the shard's neurons
    first: np.ndarray            # of the whole network, as are all that follow: see `Synapses`
    weight: np.ndarray
    receptor: np.ndarray
    count: np.ndarray            # type: ignore[assignment]
    varied: np.ndarray
    spread: np.ndarray
    apart: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    neurons: int
    receptors: int               # of the neuron that has most


class Inbox(NamedTuple):
    """What arrives in one window, by neuron, in key order (law S5)."""

    touched: np.ndarray          # (m,) int64: neurons that have arrivals
    first: np.ndarray            # (neurons,) int64: of a touched neuron, where its arrivals start
    last: np.ndarray             # (neurons,) int64: and end; equal where there are none
    arrival: np.ndarray          # records of type ARRIVAL


def arrival_type(weight: np.dtype) -> np.dtype:
    return np.dtype([("time", "f8"), ("weight", weight), ("receptor", "i8")])


def deliver(wiring, due, inbox_first, inbox_last, arrival, counters):
    """Sort the due synapses into one inbox per neuron.  inbox_first == inbox_last everywhere before and after."""
    total = 0
    stop = np.empty(due.size[0], np.int64)             # of what acts at once
    for d in range(due.size[0]):
        part = due.part[d]
        stop[d] = wiring.end[part]
        if len(wiring.delays) > 0 and wiring.spread[wiring.row[part]] >= 0:
            stop[d] = due.synapse[d] + 1
        total += stop[d] - due.synapse[d]
    touched = np.empty(min(total, wiring.neurons), np.int64)
    m = 0
    for d in range(due.size[0]):
        for k in range(due.synapse[d], stop[d]):
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
    for d in range(due.size[0]):                       # in the order of (time, row, synapse), which is the key order
        time, begin = due.time[d], due.synapse[d]
        row, end = wiring.row[due.part[d]], stop[d]
        receptor, weight = wiring.receptor[row], wiring.weight[row]
        own = wiring.varied[row] - wiring.first[row]
        for k in range(begin, end):
            j = wiring.target[k]
            a = arrival[inbox_last[j]]
            inbox_last[j] += 1
            a["time"] = time
            a["weight"] = weight
            a["receptor"] = receptor
            if wiring.varied[row] >= 0:
                a["weight"] = wiring.weights[own + k]
        counters[1] += wiring.count[row] * (end - begin)
    return Inbox(touched[:m], inbox_first, inbox_last, arrival)
