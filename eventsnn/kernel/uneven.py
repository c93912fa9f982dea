"""Scaled neurons that rest between inputs, as in `still.py`, but each with its own tau_m.

So each has its own epochs, and its own E at an instant: an exponential for each synapse, which go in vectors, some of a
row's targets at a time.  A neuron is taken into the epoch of what happens to it when that happens: later is as good as
at once (law S11), and who is idle costs nothing.

What happens to one neuron alone is `still`'s, which asks here for its E (`at`).
"""

from typing import Any, NamedTuple

import numpy as np

from ..elementary import exp, wide
from ..model import unbound
from ..rng import U64
from . import still
from .lines import begun
from .pieces import NOTHING, UNTOUCHED, adopt, last_of
from .pieces import VERBS as COMMON
from .still import BLANK, Still

BARE = ("clock", "at", "load", "due", "near", "roll", "age", "bring", "change", "grow", "catch_up", "deliver", "add",
        "pooled", "settle_block", "settle", "judge", "prime", "up_to_date", "run")     # see link.py
INSIDE = ("clock", "at", "due", "near", "deliver", "pooled", "settle_block", "run")
VERBS = (*COMMON, "at", "load", "pooled", "settle_block", "prime", "run")
U, BEGAN, RATE, GAP = range(4)   # what an input needs of a neuron; 1 / tau
CHUNK = 128                      # neurons, events whose E is computed together
WORK = ("touched", "grown")        # what of its neurons is work space
inf = np.inf


phase = rolled = epoch_of = unbound
begin, next_end, release, record, finish, fire = (
    still.begin, still.next_end, still.release, still.record, still.finish, still.fire)
change_currents, hit, deliver_all, follow = still.change, still.hit, still.deliver_all, still.follow


class Uneven(NamedTuple):
    """Such neurons while they run, by place: as in `Still`, except for"""

    piece: Any
    cell: Any
    u: np.ndarray                # c[:, U]
    c: np.ndarray                # (places, 4) float64: half a cache line for each
    epoch: np.ndarray            # (places,) int64
    fastest: np.ndarray          # (1,) float64: the greatest RATE
    grown: np.ndarray            # (CHUNK,) float64: work space
    end: np.ndarray
    whose: np.ndarray
    sums: np.ndarray
    pool: np.ndarray
    touched: np.ndarray
    params: Any
    state: Any
    variables: np.ndarray
    samples: np.ndarray


# ---------------------------------------------------------------------------------------------------- epochs
def clock(cells, piece, t):
    """No E is all neurons'."""
    return 0.0


def age(cells, piece, flow, t, stop, out, counters):
    """No epoch is the piece's, whose tau is inf."""


def near(cells, t):
    """A neuron whose phase is less at t has not come to the end of its epoch, for all that rounding takes away.

    That end and the beginning are k tau, rounded; with k <= t / tau, a phase of 1 has lost (2 k + 4) 2^-53 at most.
    """
    return 1.0 - (t * cells.fastest[0] + 4.0) * 2.0 ** -51


def due(cells, j, t):
    """Whether the neuron at place j has come there."""
    return (cells.epoch[j] + 1) * cells.params[j].tau <= t


def roll(cells, j, t):
    """The neuron at place j is taken into the epoch of t, or has been already; its phase there."""
    c = cells.c[j]
    if due(cells, j, t):
        tau = cells.params[j].tau
        if c[U] == -inf:
            k = epoch_of(t, tau)
        else:
            c[U], k = rolled(c[U], cells.epoch[j], tau, t)
        cells.epoch[j] = k
        c[BEGAN] = k * tau
    return phase(t, c[BEGAN], c[RATE])


def at(cells, piece, j, t):
    """E of the neuron at place j at t, in whose epoch it is then."""
    x = phase(t, cells.c[j, BEGAN], cells.c[j, RATE])
    if x >= near(cells, t):
        x = roll(cells, j, t)
    return exp(x)


def load(cells, piece, j):
    """The neuron at place j as the model's record."""
    s = cells.state[j]
    s.u, s.epoch, s.held, s.end = cells.u[j], cells.epoch[j], cells.u[j] == -inf, inf
    return s


def bring(cells, piece):
    """What another shard wrote last."""
    for j in range(piece.first, piece.last):
        adopt(cells.c[j], 0)
        adopt(cells.epoch, j)
        adopt(cells.pool, j)


def change(cells, piece, breakpoints, t, out, counters):
    """Injected currents change at t; those who then stand at the threshold fire."""
    change_currents(cells, piece, breakpoints, t, out, counters)
    for j in range(piece.first, piece.last):
        cells.c[j, GAP] = cells.cell[j].gap


# ---------------------------------------------------------------------------------------------------- rows
def grow(cells, targets, shift, t):
    """E at t of these neurons, at most CHUNK, into `grown`; all are in the epoch of t then."""
    wide()
    c, grown, bound = cells.c, cells.grown, near(cells, t)
    late = False
    for i in range(len(targets)):
        j = U64(targets[i] + shift)
        x = phase(t, c[j, BEGAN], c[j, RATE])
        grown[i] = x
        late |= x >= bound
    if late:
        catch_up(cells, targets, shift, t, bound)
    for i in range(len(targets)):
        grown[i] = exp(grown[i])


def catch_up(cells, targets, shift, t, bound):
    for i in range(len(targets)):
        if cells.grown[i] >= bound:
            cells.grown[i] = roll(cells, np.int64(targets[i]) + shift, t)


def deliver(cells, piece, wires, row, a, t, e, out, counters):
    """One row from synapse a on, whose targets nothing else reaches at this instant: judged as it is delivered."""
    b = last_of(row, a)
    counters[1] += (b - a) * row.count
    counters[2] += b - a
    if row.own or row.weight != 0.0:
        n = 0
        for k in range(a, b, CHUNK):
            target = wires.target[k:min(k + CHUNK, b)]
            grow(cells, target, piece.shift, t)
            n = add(cells.c, wires.weights, row, k, target, piece.shift, cells.grown, cells.touched, n)
        for i in range(n):
            j = cells.touched[i]
            fire(cells, piece, j, t, at(cells, piece, j, t), out, counters)


def add(c, weights, row, k, targets, shift, grown, hits, n):
    """Synapses from k on act; the places of those who reach their thresholds, after n others."""
    w = row.weight
    for i in range(len(targets)):
        j = U64(targets[i] + shift)
        if row.own:
            w = weights[row.weights + k + i]
        if w != 0.0:
            v = c[j, U] + w * grown[i]
            c[j, U] = v
            if v >= c[j, GAP] * grown[i]:
                hits[n] = j
                n += 1
    return n


def pooled(cells, piece):
    """Whether `settle_block` serves."""
    return len(cells.sums) == 1


def settle_block(cells, piece, wires, span, low, high, dense, t, e, n, counters):
    """What was poured acts on the targets of the rows' spans.  Those who reach their thresholds, after n others."""
    for i in range(len(span)):
        for k in range(span[i, 0], span[i, 1], CHUNK):
            target = wires.target[k:min(k + CHUNK, span[i, 1])]
            grow(cells, target, piece.shift, t)
            n, updates = settle(cells.c, cells.pool, target, piece.shift, cells.grown, cells.touched, n)
            counters[2] += updates
    return n


def settle(c, pool, targets, shift, grown, hits, n):
    """The same for a few targets, unless they had it from another row; and how many were touched."""
    updates = 0
    for i in range(len(targets)):
        j = U64(targets[i] + shift)
        total = pool[j]
        v = c[j, U] + total * grown[i]
        c[j, U] = v
        updates += np.float64(total).view(np.int64) != BLANK
        if v >= c[j, GAP] * grown[i] and total != 0.0:
            hits[n] = j
            n += 1
        pool[j] = UNTOUCHED
    return n, updates


def judge(cells, piece, n, t, e, out, counters):
    """What was noted acts: summed by receptor, applied once, judged once (law S5)."""
    c, sums, grown = cells.c, cells.sums, cells.grown
    counters[2] += n
    for first in range(0, n, CHUNK):
        touched = cells.touched[first:min(first + CHUNK, n)]
        grow(cells, touched, 0, t)
        for i in range(len(touched)):
            j = touched[i]
            total = sums[0, j]
            silent = total == 0.0
            sums[0, j] = NOTHING
            for r in range(1, len(sums)):
                total += sums[r, j]
                silent &= sums[r, j] == 0.0
                sums[r, j] = NOTHING
            if not silent:
                v = c[j, U] + total * grown[i]
                c[j, U] = v
                if v >= c[j, GAP] * grown[i]:
                    fire(cells, piece, j, t, grown[i], out, counters)


# ---------------------------------------------------------------------------------------------------- streams
def prime(cells, piece, flow, time, place, growths):
    """E of the next events, up to the first for which its neuron has to begin an epoch; unless that is the very next,
    for then it does."""
    wide()
    first = flow.position
    last = min(first + CHUNK, len(time))
    c, bound = cells.c, near(cells, time[last - 1])
    late = False
    for i in range(first, last):
        j = U64(place[i])
        x = phase(time[i], c[j, BEGAN], c[j, RATE])
        growths[i] = x
        late |= x >= bound
    if late:
        last = up_to_date(cells, time, place, growths, first, last, bound)
    for i in range(first, last):
        growths[i] = exp(growths[i])
    flow.ready = last


def up_to_date(cells, time, place, growths, first, last, bound):
    for i in range(first, last):
        if growths[i] >= bound:
            j = np.int64(place[i])
            if i > first and due(cells, j, time[i]):
                return i
            growths[i] = roll(cells, j, time[i])
    return last


def run(cells, piece, w, place, growths, first, last):
    """Events first .. last - 1, until one reaches the threshold: how far it came, and whether that one did."""
    c = cells.c
    places, grown = place[first:last], growths[first:last]
    for i in range(len(places)):
        j, e = places[i], grown[i]
        v = c[j, U] + w * e
        c[j, U] = v
        if v >= c[j, GAP] * e:
            return first + i + 1, True
    return last, False


# ---------------------------------------------------------------------------------------------------- layout
def laid_out(cells: Still) -> Uneven:
    """The same neurons, each with its own tau_m."""
    tau = cells.params.tau
    here = tau > 0.0                                         # places of trash have none
    c = begun((max(len(tau), 2), 4), np.float64, 0.0)        # u of one neuron would be contiguous: another type
    c[:len(tau), U], c[:len(tau), GAP] = cells.u, cells.cell.gap
    c[:len(tau), RATE][here] = 1.0 / tau[here]
    tau[~here] = inf
    cells.piece.tau = inf
    return Uneven(cells.piece, cells.cell, c[:, U], c, np.zeros(len(c), np.int64), c[:, RATE].max(keepdims=True),
                  np.empty(CHUNK), cells.end, cells.whose, cells.sums, cells.pool, cells.touched, cells.params,
                  cells.state, cells.variables, cells.samples)


def renewed(cells: Uneven) -> Uneven:
    """The same neurons at the start of another run; what no run changes is shared."""
    c = begun(cells.c.shape, np.float64, cells.c)
    return cells._replace(piece=cells.piece.copy(), u=c[:, U], c=c, epoch=np.zeros_like(cells.epoch),
                          grown=np.empty(CHUNK), end=np.empty_like(cells.end), whose=np.empty_like(cells.whose),
                          sums=np.full_like(cells.sums, NOTHING),
                          pool=begun(len(cells.pool), np.float64, UNTOUCHED), touched=np.empty_like(cells.touched))
