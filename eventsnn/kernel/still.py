"""Scaled neurons that rest between inputs: only an input, or the end of refractoriness, can make them fire.

That holds where V_inf stays at or below the threshold.  Then nothing needs to be predicted, and since a piece's neurons
share one tau_m they share one E at each instant (law S11): an input is one multiplication for a whole row of synapses,
and an addition and a comparison for each.

The model's functions (see `Quick`) do the arithmetic; here, a neuron that is held has u = -inf.
"""

from typing import Any, NamedTuple

import numpy as np

from ..elementary import wide
from ..model import unbound
from ..rng import U64
from .lines import LINE, begun
from .pieces import FIRED, NOTHING, UNTOUCHED, adopt, last_of

BARE = ("clock", "at", "load", "fire", "next_end", "release", "begin", "age", "change", "record", "finish", "bring",
        "add_row", "add_varied", "deliver", "hit", "deliver_all", "pooled", "up_to", "pour", "settle_block", "settle",
        "settle_all", "judge", "add_sums", "prime", "before", "follow", "run")           # see link.py
INSIDE = ("clock", "at", "next_end", "finish", "deliver", "hit", "add_row", "pooled", "up_to", "pour",
          "settle_block", "settle", "before", "follow", "run")
STRIDE, FEW = 32, 64             # events, targets that are looked at together
BLOCK = 2560                     # neurons
DENSE = 6                        # what a sum costs that acts by its target's number, beside one in a row of all
CHUNK = 128
BLANK = np.array(UNTOUCHED).view(np.int64)[()]
WORK = ("touched",)        # what of its neurons is work space
inf = np.inf


growth = growing = aged = epoch_of = inject = value = unbound


class Still(NamedTuple):
    """Resting neurons while they run, by place."""

    piece: Any                   # (pieces,) see `pieces`
    cell: Any                    # (places,) see `pieces`
    u: np.ndarray                # (places,) float64
    end: np.ndarray              # (places,) float64: ends of refractoriness, in order, a ring for each piece;
    whose: np.ndarray            # (places,) int64: and whose they are
    sums: np.ndarray             # (receptors, places) float64: what arrives at an instant; between instants NOTHING
    pool: np.ndarray             # (places,) float64: the same of the one receptor there is; between instants UNTOUCHED
    touched: np.ndarray          # (places,) int64: work space
    params: Any                  # (places,) the models' records, for what is rare
    state: Any
    variables: np.ndarray        # see `Cells`
    samples: np.ndarray


# ---------------------------------------------------------------------------------------------------- spikes
def clock(cells, piece, t):
    """E at t."""
    return growth(t, piece.epoch, piece.tau)


def at(cells, piece, j, t):
    """The same, of the neuron at place j.  (What follows calls this, so that it also serves `uneven`.)"""
    return growth(t, piece.epoch, piece.tau)


def load(cells, piece, j):
    """The neuron at place j as the model's record."""
    s = cells.state[j]
    s.u, s.epoch, s.held, s.end = cells.u[j], piece.epoch, cells.u[j] == -inf, inf
    return s


def fire(cells, piece, j, t, e, out, counters):
    """The neuron at place j (int64) fires at t, where E is e; there is room."""
    cell, u = cells.cell, cells.u
    n = counters[FIRED]
    out.time[n] = t
    out.emitter[n] = piece.emitter + j - piece.first
    counters[FIRED] = n + 1
    end = t + cell[j].refrac
    if not end > t:
        u[j] = cell[j].back * e
        return
    u[j] = -inf
    size, ends, whose = piece.last - piece.first, cells.end, cells.whose
    k = piece.tail
    while k > piece.head:                                    # in the order of time, then as they fired
        before, here = piece.first + (k - 1) % size, piece.first + k % size
        if ends[before] <= end:
            break
        ends[here], whose[here] = ends[before], whose[before]
        k -= 1
    here = piece.first + k % size
    ends[here], whose[here] = end, j
    piece.tail += 1
    if k == piece.head:
        piece.released = end


def next_end(cells, piece):
    """When refractoriness ends next."""
    return piece.released


def release(cells, piece, t, out, counters):
    """All whose refractoriness ends at t."""
    cell, u = cells.cell, cells.u
    size = piece.last - piece.first
    while piece.released == t:
        j = cells.whose[piece.first + piece.head % size]
        piece.head += 1
        piece.released = cells.end[piece.first + piece.head % size] if piece.head < piece.tail else inf
        e = at(cells, piece, j, t)
        u[j] = cell[j].back * e
        if u[j] >= cell[j].gap * e:
            fire(cells, piece, j, t, e, out, counters)


def bring(cells, piece):
    """What another shard wrote last."""
    for j in range(piece.first, piece.last, LINE // cells.u.itemsize):
        adopt(cells.u, j)
        adopt(cells.pool, j)


def finish(cells, piece, end, out, counters):
    """The window is over; before when nothing happens by itself."""
    return next_end(cells, piece)


def begin(cells, piece, out, counters):
    """Those that start at the threshold fire at 0 (law S8), where E is 1."""
    cell, u = cells.cell, cells.u
    piece.begun = 1
    lowest = cell[piece.first].gap
    for j in range(piece.first, piece.last):
        if u[j] >= (lowest if piece.alike else cell[j].gap):
            fire(cells, piece, j, 0.0, 1.0, out, counters)


# ---------------------------------------------------------------------------------------------------- epochs, currents
def age(cells, piece, flow, t, stop, out, counters):
    """A new epoch, at t; where nothing is left to decay, the epoch of `stop`."""
    alive = 0
    for begin in range(piece.first, piece.last, CHUNK):          # most may be at rest
        us = cells.u[begin:min(begin + CHUNK, piece.last)]
        moving = 0
        for i in range(len(us)):
            moving += aged(us[i]) != us[i]
        if moving:
            alive += moving
            for i in range(len(us)):
                us[i] = aged(us[i])
    piece.epoch += 1
    if alive == 0:
        piece.epoch = max(piece.epoch, epoch_of(stop, piece.tau))
    for d in range(piece.stream, piece.streams):
        flow[d].ready = flow[d].position


def change(cells, piece, breakpoints, t, out, counters):
    """Injected currents change at t; those who then stand at the threshold fire."""
    soonest = inf
    for j in range(piece.first, piece.last):
        own = cells.cell[j]
        c = own.cursor
        if c < own.line_end and breakpoints.time[c] == t:
            e = at(cells, piece, j, t)
            p, s = cells.params[j], load(cells, piece, j)
            s.t, s.e = t, e
            while c < own.line_end and breakpoints.time[c] == t:
                inject(p, s, breakpoints.slot[c], breakpoints.amount[c], breakpoints.slope[c])
                c += 1
            own.cursor = c
            own.gap, own.back = p.theta - s.v_inf, p.reset - s.v_inf
            cells.u[j] = s.u
            if s.u >= own.gap * e:
                fire(cells, piece, j, t, e, out, counters)
        piece.alike = piece.alike and own.gap == cells.cell[piece.first].gap
        if c < own.line_end:
            soonest = min(soonest, breakpoints.time[c])
    piece.change = soonest


def record(cells, piece, t, sample, out, counters):
    """The recorded variables at t: evaluated, not committed."""
    for j in range(piece.first, piece.last):
        column = cells.cell[j].column
        if column >= 0:
            s = load(cells, piece, j)
            for w in range(len(cells.variables)):
                cells.samples[w, sample, column] = value(cells.params[j], s, t, cells.variables[w])


# ---------------------------------------------------------------------------------------------------- rows
# An unsigned index spares the compiled code a test for negative ones.
def add_row(u, targets, shift, w, threshold, hits):
    """u += w at distinct targets that share a threshold; the places of those who reach it."""
    n, whole = 0, len(targets) // 8
    for block in range(whole):
        reached = False
        for i in range(8):
            j = U64(targets[8 * block + i] + shift)
            v = u[j] + w
            u[j] = v
            reached |= v >= threshold
        if reached:
            for i in range(8):
                j = U64(targets[8 * block + i] + shift)
                if u[j] >= threshold:
                    hits[n] = j
                    n += 1
    for i in range(8 * whole, len(targets)):
        j = U64(targets[i] + shift)
        v = u[j] + w
        u[j] = v
        if v >= threshold:
            hits[n] = j
            n += 1
    return n


def add_varied(u, cell, wires, row, a, b, shift, e, hits):
    """The same where weights or thresholds are each synapse's own."""
    n = 0
    w = row.weight
    for k in range(a, b):
        j = U64(wires.target[k] + shift)
        if row.own:
            w = wires.weights[row.weights + k]
        if w != 0.0:
            v = u[j] + w * e
            u[j] = v
            if v >= cell[j].gap * e:
                hits[n] = j
                n += 1
    return n


def deliver(cells, piece, wires, row, a, t, e, out, counters):
    """One row from synapse a on, whose targets nothing else reaches at this instant: judged as it is delivered."""
    u, cell, touched = cells.u, cells.cell, cells.touched
    b = last_of(row, a)
    counters[1] += (b - a) * row.count
    counters[2] += b - a
    n = 0
    if row.own or not piece.alike:
        n = add_varied(u, cell, wires, row, a, b, piece.shift, e, touched)
    elif row.weight != 0.0:
        n = add_row(u, wires.target[a:b], piece.shift, row.weight * e, cell[piece.first].gap * e, touched)
    for i in range(n):
        fire(cells, piece, touched[i], t, e, out, counters)


def deliver_all(cells, piece, wires, parts, span, t, e, out, counters):
    """Rows that act at one instant, where nothing else does: summed first, applied once, judged once (law S5).

    False, and nothing is done, if they need more than one receptor, one weight and delay for each row, or `pooled`.

    All goes by blocks of neurons whose state and sums fit the L1 cache.  span: room for where each row is.
    """
    if not pooled(cells, piece):
        return False
    for i in range(len(parts)):
        if wires.part[parts[i]].own or wires.part[parts[i]].spread:
            return False
    targets = 0
    for i in range(len(parts)):
        row = wires.part[parts[i]]
        span[i, 1] = row.begin
        targets += row.end - row.begin
        counters[1] += (row.end - row.begin) * row.count
    n = 0
    size = piece.last - piece.first
    blocks = max(1, min((size + BLOCK // 2) // BLOCK, targets // (STRIDE * len(parts))))        # short rows stay whole
    low = piece.first
    for b in range(blocks):
        high = piece.first + (size if b + 1 == blocks else ((b + 1) * size) // blocks // 8 * 8)
        for i in range(len(parts)):
            row = wires.part[parts[i]]
            begin = span[i, 1]
            end = up_to(wires.target, begin, row.end, high - piece.shift) if begin < row.end else begin
            span[i, 0], span[i, 1] = begin, end
            if begin < end:
                pour(cells.pool, wires.target[begin:end], piece.shift, row.weight + 0.0)         # no -0.0
        n = settle_block(cells, piece, wires, span[:len(parts)], low, high, targets * DENSE >= size, t, e, n, counters)
        low = high
    for i in range(n):
        j = cells.touched[i]
        fire(cells, piece, j, t, at(cells, piece, j, t), out, counters)
    return True


def pooled(cells, piece):
    """Whether `settle_block` serves."""
    return piece.alike and len(cells.sums) == 1


def settle_block(cells, piece, wires, span, low, high, dense, t, e, n, counters):
    """What was poured acts on a block's neurons, at places low .. high - 1.  Those who reach the threshold, after n
    others.  span: where the rows are that lead there.  dense: most of the block may have been reached."""
    threshold = cells.cell[piece.first].gap * e
    if dense:
        n, updates = settle_all(cells.u, cells.pool, low, high, e, threshold, cells.touched, n)
        counters[2] += updates
    else:
        for i in range(len(span)):
            if span[i, 0] < span[i, 1]:
                n, updates = settle(cells.u, cells.pool, wires.target[span[i, 0]:span[i, 1]], piece.shift, e,
                                    threshold, cells.touched, n)
                counters[2] += updates
    return n


def up_to(target, begin, end, high):
    """Where a row's targets, which ascend, come to `high`."""
    k = begin
    while k + FEW <= end and target[k + FEW - 1] < high:
        k += FEW
    ahead = target[k:min(k + FEW, end)]
    for i in range(len(ahead)):
        k += ahead[i] < high
    return k


def pour(pool, targets, shift, w):
    for k in range(len(targets)):
        j = U64(targets[k] + shift)
        pool[j] += w


def settle(u, pool, targets, shift, e, threshold, hits, n):
    """What was poured acts on a row's targets, unless it has.  Those who reach the threshold, after n others, and how
    many were touched."""
    updates, whole = 0, len(targets) // 8
    for block in range(whole):
        eight = targets[8 * block:8 * block + 8]
        reached = False
        for i in range(8):
            j = U64(eight[i] + shift)
            total = pool[j]
            v = u[j] + total * e
            u[j] = v
            updates += np.float64(total).view(np.int64) != BLANK
            reached |= v >= threshold
        if reached:
            for i in range(8):
                j = U64(eight[i] + shift)
                if u[j] >= threshold and pool[j] != 0.0:
                    hits[n] = j
                    n += 1
        for i in range(8):
            pool[U64(eight[i] + shift)] = UNTOUCHED
    for i in range(8 * whole, len(targets)):
        j = U64(targets[i] + shift)
        total = pool[j]
        v = u[j] + total * e
        u[j] = v
        updates += np.float64(total).view(np.int64) != BLANK
        if v >= threshold and total != 0.0:
            hits[n] = j
            n += 1
        pool[j] = UNTOUCHED
    return n, updates


def settle_all(u, pool, low, high, e, threshold, hits, n):
    """The same for all neurons at places low .. high - 1, one after the other: where nothing arrived, u + -0.0 is u."""
    wide()
    updates = 0
    for begin in range(low, high, CHUNK):
        us, sums = u[begin:min(begin + CHUNK, high)], pool[begin:min(begin + CHUNK, high)]
        reached = 0
        for i in range(len(us)):
            total = sums[i]
            v = us[i] + total * e
            us[i] = v
            updates += np.float64(total).view(np.int64) != BLANK
            reached += v >= threshold
        if reached:
            for i in range(len(us)):
                if us[i] >= threshold and sums[i] != 0.0:
                    hits[n] = begin + i
                    n += 1
        for i in range(len(us)):
            sums[i] = UNTOUCHED
    return n, updates


def hit(cells, piece, j, receptor, w, t, out, counters):
    """A weight w arrives at the neuron at place j alone, at t."""
    if w != 0.0:
        u, e = cells.u, at(cells, piece, j, t)
        v = u[j] + w * e
        u[j] = v
        if v >= cells.cell[piece.first if piece.alike else j].gap * e:
            fire(cells, piece, j, t, e, out, counters)


def judge(cells, piece, n, t, e, out, counters):
    """What was noted acts: summed by receptor, applied once, judged once (law S5)."""
    u, cell, first, touched = cells.u, cells.cell, cells.sums[0], cells.touched
    counters[2] += n
    if piece.alike and len(cells.sums) == 1:
        n = add_sums(u, first, touched, n, e, cell[piece.first].gap * e)
        for i in range(n):
            fire(cells, piece, touched[i], t, e, out, counters)
        return
    for i in range(n):
        j = touched[i]
        total = first[j]
        silent = total == 0.0
        first[j] = NOTHING
        for r in range(1, len(cells.sums)):
            total += cells.sums[r, j]
            silent &= cells.sums[r, j] == 0.0
            cells.sums[r, j] = NOTHING
        if not silent:
            u[j] += total * e
            if u[j] >= cell[j].gap * e:
                fire(cells, piece, j, t, e, out, counters)


def add_sums(u, sums, touched, n, e, threshold):
    """The same for one receptor and one threshold; those who reach it come to stand first in `touched`: how many."""
    hits = 0
    for i in range(n):
        j = U64(touched[i])
        total = sums[j]
        sums[j] = NOTHING
        if total != 0.0:
            v = u[j] + total * e
            u[j] = v
            if v >= threshold:
                touched[hits] = j
                hits += 1
    return hits


# ---------------------------------------------------------------------------------------------------- streams
def prime(cells, piece, flow, time, place, growths):
    """E of the events before the end of the epoch."""
    end = (piece.epoch + 1) * piece.tau
    first = flow.position
    flow.ready = before(time, first, end)
    growing(time[first:flow.ready], piece.epoch, piece.tau, growths[first:flow.ready])


def follow(cells, piece, flow, time, place, growths, limit, out, counters):
    """A calm stream's events before `limit`, or before a release that they bring about, or the batch's end."""
    if flow.ready <= flow.position:
        prime(cells, piece, flow, time, place, growths)
    first = flow.position
    last = min(before(time, first, limit), flow.ready)
    done, reached = first, True
    while reached:
        done, reached = run(cells, piece, flow.weight, place, growths, done, last)
        if reached:
            j, e, t = np.int64(place[done - 1]), growths[done - 1], time[done - 1]
            fire(cells, piece, j, t, e, out, counters)
            last = min(last, before(time, done, next_end(cells, piece)))
    done -= first
    flow.position = first + done
    if not flow.whole:
        for k in range(first, first + done):
            counters[1] -= place[k] == flow.trash
            counters[2] -= place[k] == flow.trash
    counters[1] += done
    counters[2] += done


def before(time, first, limit):
    """The number of events before `limit`, of which the first are known to be."""
    n = first
    while n + STRIDE <= len(time) and time[n + STRIDE - 1] < limit:
        n += STRIDE
    ahead = time[n:n + STRIDE]
    for k in range(len(ahead)):
        n += ahead[k] < limit
    return n


def run(cells, piece, w, place, growths, first, last):
    """Events first .. last - 1, until one reaches the threshold: how far it came, and whether that one did."""
    u, cell, threshold = cells.u, cells.cell, cells.cell[piece.first].gap
    places, growing = place[first:last], growths[first:last]
    if piece.alike:
        for i in range(len(places)):
            j, e = places[i], growing[i]
            v = u[j] + w * e
            u[j] = v
            if v >= threshold * e:
                return first + i + 1, True
    else:
        for i in range(len(places)):
            j, e = places[i], growing[i]
            u[j] += w * e
            if u[j] >= cell[j].gap * e:
                return first + i + 1, True
    return last, False


# ---------------------------------------------------------------------------------------------------- layout
def renewed(cells: Still) -> Still:
    """The same neurons at the start of another run; what no run changes is shared."""
    places = len(cells.u)
    return cells._replace(piece=cells.piece.copy(), u=begun(places, np.float64, cells.u), end=np.empty(places),
                          whose=np.empty(places, np.int64), sums=np.full_like(cells.sums, NOTHING),
                          pool=begun(places, np.float64, UNTOUCHED),
                          touched=np.empty(places, np.int64))
