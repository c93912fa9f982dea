"""What is due in one window, sorted out by piece: which part of a row acts when."""

from typing import NamedTuple

import numpy as np

BARE = ("sort_out", "all_fit", "none_fit", "measure", "distribute")         # see link.py


def unbound(*_):
    raise TypeError("a name that link() binds")


other_queues = other_fit = unbound


class Queue(NamedTuple):
    """Of piece b: entries first[b] .. first[b+1] - 1, in the order of time, then part."""

    first: np.ndarray            # (pieces + 1,) int64
    place: np.ndarray            # (pieces + 1,) int64: work space
    time: np.ndarray             # (entries,) float64
    part: np.ndarray             # (entries,) int64


def sort_out(queue, due, piece_of_part):
    """Sort what is due, which stands by time and part, into the pieces' queues; what belongs to none is left over."""
    measure(queue.first, queue.place, due, piece_of_part)
    due.size[0] = distribute(queue, due, piece_of_part)


def all_fit(queues, n):
    """Whether each has room for n entries."""
    return n <= len(queues[0].time) and other_fit(queues[1:], n)


def none_fit(queues, n):
    return True


def measure(first, place, due, piece_of_part):
    """Where each piece's entries begin."""
    pieces = len(first) - 1
    for b in range(pieces + 1):
        first[b] = 0
    for d in range(due.size[0]):
        first[piece_of_part[due.part[d]] + 1] += 1           # a part of no piece: number -1
    first[0] = 0
    for b in range(pieces):
        first[b + 1] += first[b]
        place[b] = first[b]


def distribute(queue, due, piece_of_part):
    """Copy the pieces' entries, and move the others to the front of `due`; how many."""
    left = 0
    for d in range(due.size[0]):
        part = due.part[d]
        b = piece_of_part[part]
        if b >= 0:
            k = queue.place[b]
            queue.place[b] = k + 1
            queue.time[k] = due.time[d]
            queue.part[k] = part
        else:
            due.time[left] = due.time[d]
            due.part[left] = part
            due.synapse[left] = due.synapse[d]
            left += 1
    return left


def longer(queue, n):
    """A queue with room for n entries."""
    return Queue(queue.first, queue.place, np.empty(2 * n), np.empty(2 * n, np.int64))


def all_longer(queues, n):
    return (longer(queues[0], n), *other_queues(queues[1:], n))


def none_longer(queues, n):
    return queues
