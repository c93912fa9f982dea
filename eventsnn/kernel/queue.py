"""What is due in one window, sorted out by piece: which part of a row acts when."""

from typing import NamedTuple

import numpy as np

from .calendar import Due


class Queue(NamedTuple):
    """Of piece b: entries first[b] .. first[b+1] - 1, in the order of time, then part."""

    first: np.ndarray            # (pieces + 1,) int64
    place: np.ndarray            # (pieces + 1,) int64: work space
    time: np.ndarray             # (entries,) float64
    part: np.ndarray             # (entries,) int64


def sort_out(queue, due, piece_of_part):
    """Sort what is due, which stands by time and part, into the pieces' queues; what belongs to none is left over."""
    pieces = len(queue.first) - 1
    for b in range(pieces + 1):
        queue.first[b] = 0
    for d in range(len(due.part)):
        queue.first[piece_of_part[due.part[d]] + 1] += 1     # a part of no piece: number -1
    over = queue.first[0]
    queue.first[0] = 0
    for b in range(pieces):
        queue.first[b + 1] += queue.first[b]
        queue.place[b] = queue.first[b]
    n = queue.first[pieces]
    if n > len(queue.time):
        queue = Queue(queue.first, queue.place, np.empty(2 * n), np.empty(2 * n, np.int64))
    rest = Due(np.empty(over), np.empty(over, np.int64), np.empty(over, np.int64), due.spike)
    left = 0
    for d in range(len(due.part)):
        part = due.part[d]
        b = piece_of_part[part]
        if b >= 0:
            k = queue.place[b]
            queue.place[b] = k + 1
            queue.time[k] = due.time[d]
            queue.part[k] = part
        else:
            rest.time[left] = due.time[d]
            rest.part[left] = part
            rest.synapse[left] = due.synapse[d]
            left += 1
    return queue, rest
