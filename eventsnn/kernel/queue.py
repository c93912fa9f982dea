"""What is due in one window, sorted out by piece: which part of a row acts when.

Each shard knows of all pieces how much there is for them, and copies what is for those that it leads."""

from typing import NamedTuple

import numpy as np

from ..model import unbound

BARE = ("sort_out", "come_by", "entries", "all_fit", "none_fit", "measure", "distribute", "piece_of", "rest")
INSIDE = ("piece_of",)           # see link.py
BY_TARGET = -2                   # the piece of a row with own delays: each synapse's is that of its target


other_queues = other_fit = unbound
RUN = 32                         # parts that one entry of the calendar stands for, at most


class Queue(NamedTuple):
    """Of piece b: entries first[b] .. first[b+1] - 1, in the order of time, then part."""

    first: np.ndarray            # (pieces + 1,) int64
    place: np.ndarray            # (pieces + 1,) int64: up to where they are copied; and how many are no piece's
    time: np.ndarray             # (entries,) float64
    part: np.ndarray             # (entries,) int64
    synapse: np.ndarray          # (entries,) int64: in a row with own delays, the one that acts
    span: np.ndarray             # (entries, 2) int64: work space


def sort_out(queue, due, wires, piece_of_part, piece_of_neuron, home, me):
    """Sort what is due, which stands by time and part, into the queues of the pieces that are at home with me."""
    measure(queue.first, queue.place, due, wires, piece_of_part, piece_of_neuron)
    distribute(queue, due, wires, piece_of_part, piece_of_neuron, home, me, -1)


def come_by(queue, due, wires, piece_of_part, piece_of_neuron, home, b):
    """The same of piece b, which is at home elsewhere, unless that is done."""
    if queue.place[b] < queue.first[b + 1]:
        distribute(queue, due, wires, piece_of_part, piece_of_neuron, home, -1, b)


def piece_of(part, synapse, wires, piece_of_part, piece_of_neuron):
    """The piece of an entry, -1: none of these."""
    b = piece_of_part[part]
    return b if b != BY_TARGET else piece_of_neuron[wires.target[synapse]]


def entries(due, after):
    """How many those are, at most."""
    n = 0
    for d in range(due.size[0]):
        n += after[due.part[d]] - due.part[d]
    return n


def all_fit(queues, n):
    """Whether each has room for n entries."""
    return n <= len(queues[0].time) and other_fit(queues[1:], n)


def none_fit(queues, n):
    return True


def measure(first, place, due, wires, piece_of_part, piece_of_neuron):
    """Where each piece's entries begin."""
    pieces = len(first) - 1
    for b in range(pieces + 1):
        first[b] = 0
    others = 0
    for d in range(due.size[0]):
        part = due.part[d]
        b = piece_of(part, due.synapse[d], wires, piece_of_part, piece_of_neuron)
        if b >= 0:                                           # then those of its run go to these pieces too
            first[b + 1] += 1
            for p in range(part + 1, wires.after[part]):
                first[piece_of_part[p] + 1] += 1
        others += b < 0
    for b in range(pieces):
        first[b + 1] += first[b]
        place[b] = first[b]
    place[pieces] = others


def distribute(queue, due, wires, piece_of_part, piece_of_neuron, home, me, only):
    """Copy the entries of the pieces that are at home with me, or only those of one.

    Spikes of one emitter that act at one time are unrolled together: all of a part, then all of the next."""
    d = 0
    while d < due.size[0]:
        time, part, synapse = due.time[d], due.part[d], due.synapse[d]
        stop, several = wires.after[part], d + 1
        if stop > part + 1:
            while several < due.size[0] and due.part[several] == part and due.time[several] == time:
                several += 1
        b = piece_of(part, synapse, wires, piece_of_part, piece_of_neuron)
        if b >= 0:
            for p in range(part, stop):
                if p > part:
                    b = piece_of_part[p]
                if home[b] == me or b == only:
                    for _ in range(d, several):
                        k = queue.place[b]
                        queue.place[b] = k + 1
                        queue.time[k] = time
                        queue.part[k] = p
                        queue.synapse[k] = synapse
        d = several


def rest(queue, due, wires, piece_of_part, piece_of_neuron):
    """Leave in `due` what belongs to none of the pieces."""
    left = 0
    if queue.place[len(queue.place) - 1] > 0:
        for d in range(due.size[0]):
            part, synapse = due.part[d], due.synapse[d]
            if piece_of(part, synapse, wires, piece_of_part, piece_of_neuron) < 0:
                due.time[left], due.part[left], due.synapse[left] = due.time[d], part, synapse
                left += 1
    due.size[0] = left


def longer(queue, n):
    """A queue with room for n entries."""
    return Queue(queue.first, queue.place, np.empty(2 * n), np.empty(2 * n, np.int64), np.empty(2 * n, np.int64),
                 np.empty((2 * n, 2), np.int64))


def all_longer(queues, n):
    return (longer(queues[0], n), *other_queues(queues[1:], n))


def none_longer(queues, n):
    return queues
