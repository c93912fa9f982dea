"""What is due in one window, sorted out by piece: which row of synapses acts when."""

from typing import NamedTuple

import numpy as np


class Queue(NamedTuple):
    """Of piece b: entries first[b] .. first[b+1] - 1, in the order of time, then row."""

    first: np.ndarray            # (pieces + 1,) int64
    time: np.ndarray             # (entries,) float64
    row: np.ndarray              # (entries,) int64
    run: np.ndarray              # (entries,) int64: entries of one run came from one spike


def sort_out(queue, due_time, due_run, first_of_run, piece_of_row, place):
    """Sort the rows of the runs due, which stand by time, then run.  place: work space like queue.first."""
    pieces = len(queue.first) - 1
    for b in range(pieces + 1):
        queue.first[b] = 0
    for d in range(len(due_run)):
        for row in range(first_of_run[due_run[d]], first_of_run[due_run[d] + 1]):
            if piece_of_row[row] >= 0:
                queue.first[piece_of_row[row] + 1] += 1
    for b in range(pieces):
        queue.first[b + 1] += queue.first[b]
        place[b] = queue.first[b]
    n = queue.first[pieces]
    time, rows, run = queue.time, queue.row, queue.run
    if n > len(time):
        time, rows, run = np.empty(2 * n), np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    for d in range(len(due_run)):
        for row in range(first_of_run[due_run[d]], first_of_run[due_run[d] + 1]):
            b = piece_of_row[row]
            if b >= 0:
                k = place[b]
                time[k] = due_time[d]
                rows[k] = row
                run[k] = due_run[d]
                place[b] = k + 1
    return Queue(queue.first, time, rows, run)
