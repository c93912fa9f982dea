"""Neurons that keep coefficients and fire by themselves: certified to be silent until `safe`, and looked at then.

A piece's neurons share their time constants, and so E and 1/E of membrane and channels at each instant (law S11).  An
input is two additions and a bound; where a window ends decides no bit, since `safe` goes on from itself alone.  Before
anything happens to a neuron it is brought up to date: `settle` finds its spikes and releases so far.

The model's functions (see `Quick`) do the arithmetic; here, a neuron that is held has a = -inf and is safe until its
release.
"""

from typing import Any, NamedTuple

import numpy as np

from ..model import unbound
from ..rng import U64
from .lines import BLOCK
from .pieces import FIRED, NOTHING, adopt, last_of

BARE = ("clock", "fire", "put_off", "settle", "catch_up", "next_end", "release", "begin", "age", "change", "record",
        "finish", "bring", "finish_block", "least", "lowest", "next_under", "foresee", "take_in", "pair_of", "rise",
        "deliver", "hit", "charge_row", "predict", "put_off_row", "judge", "follow", "load", "store")      # see link.py
INSIDE = ("clock", "put_off", "settle", "next_end", "finish", "finish_block", "lowest", "pair_of", "deliver", "hit")
# BLOCK neurons are looked at together, and as many blocks of them.
WORK = ("touched", "now", "work", "after")        # what of its neurons is work space
inf = np.inf
INFINITY = 0x7FF0000000000000    # inf, bit by bit


growth = sunk = dimmed = shifted = risen = epoch_of = view = tally = swell = survey = without = below = wait = unbound
step = inject = value = unbound


class Moving(NamedTuple):
    """Neurons while they run, by place."""

    piece: Any                   # (pieces,) see `pieces`
    cell: Any                    # (places,) see `pieces`; gap and back count from V_inf
    safe: np.ndarray             # (places,) float64: no spike, or while held no release, before
    soon: np.ndarray             # (places / BLOCK,) float64: none of the block's is less
    c: np.ndarray                # (places, 2 + len(b)) float64: a, b, v_inf: what an event needs, on one cache line
    kind: np.ndarray             # (places,) int32: whose parameters it has
    now: np.ndarray              # (2, 1 + len(b)) float64: E of membrane and channels at the instant, and 1 / E; each
                                 # alpha channel's are followed by y
    sums: np.ndarray             # (receptors, places) float64: what arrives at an instant; between instants NOTHING
    touched: np.ndarray          # (places,) int64: work space
    work: np.ndarray             # (2 + len(b), places) float64: work space
    after: np.ndarray            # (places,) float64: work space
    params: Any                  # (places,) the model's records
    state: Any
    variables: np.ndarray        # see `Cells`
    samples: np.ndarray


def clock(cells, piece, t):
    """E at t, all into `now`."""
    p, now = cells.params[piece.first], cells.now
    now[0, 0] = growth(t, piece.epoch, p.tau, p.tau)
    now[1, 0] = 1.0 / now[0, 0]
    for k in range(len(p.tau_c)):
        if p.tau_c[k] > 0.0:
            now[0, 1 + k] = growth(t, piece.epoch, p.tau, p.tau_c[k])
            now[1, 1 + k] = 1.0 / now[0, 1 + k]
    for k in range(len(p.tau_r)):
        i = 1 + len(p.tau_c) + 2 * k
        now[0, i] = growth(t, piece.epoch, p.tau, p.tau_r[k])
        now[1, i] = 1.0 / now[0, i]
        now[0, i + 1] = t - piece.epoch * p.tau
    return now[0, 0]


# ---------------------------------------------------------------------------------------------------- spikes
def fire(cells, piece, j, t, out, counters):
    """The neuron at place j fires at t; there is room."""
    n = counters[FIRED]
    out.time[n] = t
    out.emitter[n] = piece.emitter + j - piece.first
    counters[FIRED] = n + 1
    p, c = cells.params[cells.kind[j]], cells.c[j]
    for k in range(p.receptors, len(p.tau_c)):
        if p.kick[k] != 0.0:
            c[1 + k] += p.kick[k] * p.gain[k] * growth(t, piece.epoch, p.tau, p.tau_c[k])
    c[0] = -inf
    put_off(cells, j, t + cells.cell[j].refrac)


def put_off(cells, j, t):
    """The neuron at place j is safe until t."""
    cells.safe[j] = t
    cells.soon[j // BLOCK] = min(cells.soon[j // BLOCK], t)


def catch_up(cells, piece, j, horizon, out, counters):
    """`settle`, from where it happens seldom."""
    settle(cells, piece, j, horizon, out, counters)


def settle(cells, piece, j, horizon, out, counters):
    """All that the neuron at place j does by itself up to and including the horizon, in this epoch."""
    p, c = cells.params[cells.kind[j]], cells.c[j]
    while cells.safe[j] <= horizon:
        t = cells.safe[j]
        if c[0] == -inf:
            v = without(p, t, piece.epoch, c[1:], cells.cell[j].back)
            e = growth(t, piece.epoch, p.tau, p.tau)
            c[0] = v * e
            if p.reset >= p.theta:
                fire(cells, piece, j, t, out, counters)
            else:
                room = cells.cell[j].gap
                seen = survey(p, t, piece.epoch, c[1:], room)
                r = 1.0 / e
                ahead = wait(seen, below(seen, c[0], e, r), c[0] * r, room, p.tau) if p.theta < inf else inf
                put_off(cells, j, t + ahead)
            continue
        after, verdict = step(p, t, piece.epoch, c[0], c[1:], c[len(c) - 1])
        if verdict > 0:
            if verdict > 1:
                cells.state[j].n_ambiguous += 1
            fire(cells, piece, j, t, out, counters)
        else:
            put_off(cells, j, after)


def next_end(cells, piece):
    """Releases come up by themselves, in `settle`."""
    return inf


def release(cells, piece, t, out, counters):
    """See `next_end`."""


def deliver_all(cells, piece, wires, parts, span, t, e, out, counters):
    """Rows that act at one instant have no quicker way here."""
    return False


def begin(cells, piece, out, counters):
    """Those that start at the threshold fire at 0 (law S8)."""
    piece.begun = 1
    for j in range(piece.first, piece.last):
        if cells.safe[j] == -inf:
            fire(cells, piece, j, 0.0, out, counters)


def bring(cells, piece):
    """What another shard wrote last."""
    for j in range(piece.first, piece.last):
        adopt(cells.c[j], 0)
        adopt(cells.safe, j)


def finish(cells, piece, end, out, counters):
    """All up to date before the window's end; before when nothing happens by itself."""
    # size is BLOCK, but no constant: a compiler makes vector instructions of such a loop, and unrolls a short fixed one
    soonest, horizon, size = np.int64(INFINITY), np.nextafter(end, -inf), len(cells.safe) // len(cells.soon)
    safe, soon, bound = cells.safe.view(np.int64), cells.soon.view(np.int64), np.float64(end).view(np.int64)
    last = (piece.last - 1) // BLOCK + 1
    for a in range(piece.first // BLOCK, last, BLOCK):
        several = min(size, last - a)
        t = lowest(soon, a, several)
        if t < bound:
            block = next_under(soon, a, a + several, bound)
            while block < a + several:
                finish_block(cells, piece, block * BLOCK, bound, safe, horizon, out, counters)
                soon[U64(block)] = lowest(safe, block * BLOCK, size)
                block = next_under(soon, block + 1, a + several, bound)
            t = lowest(soon, a, several)
        soonest = min(soonest, t)
    return np.int64(soonest).view(np.float64)


def finish_block(cells, piece, first, bound, safe, horizon, out, counters):
    """The same of one block."""
    j = next_under(safe, first, first + BLOCK, bound)
    while j < first + BLOCK:
        settle(cells, piece, j, horizon, out, counters)
        j = next_under(safe, j + 1, first + BLOCK, bound)


def next_under(bits, first, last, bound):
    """The first of these that is less than the bound, or `last`."""
    for i in range(U64(first), U64(last)):
        if bits[i] < bound:
            return np.int64(i)
    return np.int64(last)


def lowest(bits, first, n):
    """The least of n times >= 0: their bits are in the same order, and integers have vector instructions for it."""
    soonest = np.int64(INFINITY)
    for i in range(U64(n)):
        soonest = min(soonest, bits[U64(first) + i])
    return soonest


def least(times):
    """The least of any number of times >= 0."""
    soonest = np.int64(INFINITY)
    bits = times.view(np.int64)
    for i in range(len(bits)):
        soonest = min(soonest, bits[i])
    return np.int64(soonest).view(np.float64)


# ---------------------------------------------------------------------------------------------------- epochs, currents
def age(cells, piece, flow, t, stop, out, counters):
    """A new epoch, at t; where nothing is left to decay, the epoch of `stop`."""
    finish(cells, piece, t, out, counters)
    p, c, alive = cells.params[piece.first], cells.c, 0
    for j in range(piece.first, piece.last):
        before = c[j, 0]
        c[j, 0] = sunk(before, 1)
        alive += before != c[j, 0]
        for k in range(len(p.tau_c)):
            if c[j, 1 + k] != 0.0:
                c[j, 1 + k] = dimmed(c[j, 1 + k], p.f[k], 1)
                alive += 1
        for k in range(len(p.tau_r)):
            i = 1 + len(p.tau_c) + 2 * k
            if c[j, i] != 0.0 or c[j, i + 1] != 0.0:
                c[j, i], c[j, i + 1] = shifted(c[j, i], c[j, i + 1], p.f_r[k], p.tau, 1)
                alive += 1
    piece.epoch += 1
    if alive == 0:
        stop = min(stop, least(cells.safe[piece.first:piece.last]))           # a release may come before
        piece.epoch = max(piece.epoch, epoch_of(stop, piece.tau))


def load(cells, piece, j, t):
    """The neuron at place j as the model's record."""
    s, c = cells.state[j], cells.c[j]
    s.t, s.epoch, s.held, s.safe, s.a, s.end = t, piece.epoch, c[0] == -inf, cells.safe[j], c[0], inf
    for k in range(len(s.b)):
        s.b[k] = c[1 + k]
    return s


def store(cells, j):
    """And back."""
    p, s, c, own = cells.params[j], cells.state[j], cells.c[j], cells.cell[j]
    own.gap, own.back, c[len(c) - 1] = p.theta - s.v_inf, p.reset - s.v_inf, s.v_inf
    if not s.held:
        c[0] = s.a
        put_off(cells, j, s.safe)


def change(cells, piece, breakpoints, t, out, counters):
    """Injected currents change at t."""
    soonest = inf
    for j in range(piece.first, piece.last):
        own = cells.cell[j]
        c = own.cursor
        if c < own.line_end and breakpoints.time[c] == t:
            catch_up(cells, piece, j, t, out, counters)
            s = load(cells, piece, j, t)
            while c < own.line_end and breakpoints.time[c] == t:
                inject(cells.params[j], s, breakpoints.slot[c], breakpoints.amount[c], breakpoints.slope[c])
                c += 1
            own.cursor = c
            store(cells, j)
        piece.alike = piece.alike and own.gap == cells.cell[piece.first].gap
        if c < own.line_end:
            soonest = min(soonest, breakpoints.time[c])
    piece.change = soonest


def record(cells, piece, t, sample, out, counters):
    """The recorded variables at t: evaluated, not committed."""
    for j in range(piece.first, piece.last):
        column = cells.cell[j].column
        if column >= 0:
            catch_up(cells, piece, j, t, out, counters)
            s = load(cells, piece, j, t)
            for w in range(len(cells.variables)):
                cells.samples[w, sample, column] = value(cells.params[j], s, t, cells.variables[w])


# ---------------------------------------------------------------------------------------------------- inputs
def foresee(cells, piece, p, j, t, leaps, room, out, counters):
    """A spike may have come nearer at t, which is now: safe anew; or there it is."""
    c, now = cells.c[j], cells.now
    seen = view(room)
    for k in range(len(p.tau_c)):
        if c[1 + k] != 0.0:
            seen = tally(seen, c[1 + k] * now[1, 1 + k], p.share[k], p.near[k], p.far[k])
    for k in range(len(p.tau_r)):
        i = 1 + len(p.tau_c) + 2 * k
        if c[i] != 0.0 or c[i + 1] != 0.0:
            seen = swell(seen, p, k, c[i], c[i + 1], now[0, i + 1], now[1, i])
    d = below(seen, c[0], now[0, 0], now[1, 0])
    if leaps and d <= 0.0:
        fire(cells, piece, j, t, out, counters)
        if cells.safe[j] <= t:
            catch_up(cells, piece, j, t, out, counters)
    else:
        put_off(cells, j, t + wait(seen, d, c[0] * now[1, 0], room, p.tau))


def take_in(cells, piece, p, j, receptor, w, t, room, out, counters):
    """A weight w that is not 0 arrives at the neuron at place j alone, now."""
    if cells.safe[j] <= t:
        catch_up(cells, piece, j, t, out, counters)
    c, now, tau = cells.c[j], cells.now, p.tau_c[receptor]
    pair = pair_of(p, receptor)
    if pair > 0:
        more, steeper, off = rise(p, pair, w, now)
        c[1 + pair] += more
        c[2 + pair] += steeper
        if c[0] == -inf:
            return
        c[0] += off
    elif tau > 0.0:
        change = w * p.gain[receptor]
        c[1 + receptor] += change * now[0, 1 + receptor]
        if c[0] == -inf:
            return
        c[0] -= change * now[0, 0]
    elif c[0] == -inf:
        return
    else:
        c[0] += w * now[0, 0]
    if w > 0.0 and room < inf:
        foresee(cells, piece, p, j, t, pair == 0 and tau == 0.0, room, out, counters)


def pair_of(p, receptor):
    """Where among the coefficients the two of an alpha receptor stand; 0: of another."""
    return p.pair[receptor] if len(p.tau_r) > 0 else 0


def rise(p, pair, w, now):
    """See `risen`."""
    return risen(p, (pair - len(p.tau_c)) // 2, w, now[0, 2 + pair], now[0, 1 + pair], now[0, 0])


def deliver(cells, piece, wires, row, a, t, e, out, counters):
    """One row from synapse a on, whose targets nothing else reaches at this instant."""
    b = last_of(row, a)
    counters[1] += (b - a) * row.count
    counters[2] += b - a
    p, w = cells.params[piece.first], row.weight
    alike, room = piece.alike, cells.cell[piece.first].gap
    target = wires.target[a:b]
    pair = pair_of(p, row.receptor)
    if not alike or row.own or w == 0.0 or (pair == 0 and p.tau_c[row.receptor] == 0.0):
        for i in range(len(target)):
            if row.own:
                w = wires.weights[row.weights + a + i]
            if w != 0.0:
                j = target[i] + piece.shift
                take_in(cells, piece, p, j, row.receptor, w, t, room if alike else cells.cell[j].gap, out, counters)
        return
    change, now = w * p.gain[row.receptor], cells.now
    more, less, steeper, channel = change * now[0, 1 + row.receptor], change * now[0, 0], 0.0, 1 + row.receptor
    if pair > 0:
        more, steeper, off = rise(p, pair, w, now)
        less, channel = -off, 1 + pair
    nearer = w > 0.0 and room < inf
    i = 0
    while True:
        i = charge_row(cells.safe, cells.c, target, i, piece.shift, channel, more, steeper, less, t, nearer, p,
                       cells.work)
        if i == len(target):
            break
        catch_up(cells, piece, target[i] + piece.shift, t, out, counters)
    if nearer:
        predict(cells.work, i, now, p, t, room, cells.after)
        put_off_row(cells.safe, cells.soon, target, piece.shift, cells.after)


# `take_in` for a row onto a current, step by step for all its targets, so that the arithmetic goes in vectors.
def charge_row(safe, c, target, first, shift, channel, more, steeper, less, t, noted, p, work):
    """The coefficients, from target `first` on, until one must be brought up to date; how far.  With safe they are
    noted."""
    for i in range(first, len(target)):
        j = U64(target[i] + shift)
        if safe[j] <= t:
            return i
        c[j, channel] += more
        if len(p.tau_r) > 0 and steeper != 0.0:
            c[j, channel + 1] += steeper
        c[j, 0] -= less                                      # -inf stays
        if noted:
            n = U64(i)
            work[0, n] = safe[j]
            work[1, n] = c[j, 0]
            for k in range(len(p.tau_c)):
                work[2 + k, n] = c[j, 1 + k]
            for k in range(len(p.tau_c), len(p.tau_c) + 2 * len(p.tau_r)):
                work[2 + k, n] = c[j, 1 + k]
    return len(target)


def predict(work, n, now, p, t, room, after):
    """Safe anew for the n that were noted, except for those who are held."""
    e, r = now[0, 0], now[1, 0]
    for i in range(U64(n)):
        a = work[1, i]
        seen = view(room)
        for k in range(len(p.tau_c)):
            seen = tally(seen, work[2 + k, i] * now[1, 1 + k], p.share[k], p.near[k], p.far[k])
        for k in range(len(p.tau_r)):
            m = 1 + len(p.tau_c) + 2 * k
            seen = swell(seen, p, k, work[1 + m, i], work[2 + m, i], now[0, m + 1], now[1, m])
        ahead = t + wait(seen, below(seen, a, e, r), a * r, room, p.tau)
        after[i] = ahead if a != -inf else work[0, i]


def put_off_row(safe, soon, target, shift, after):
    """`put_off` for all."""
    for i in range(U64(len(target))):
        j = U64(target[i] + shift)
        safe[j] = after[i]
        block = j // U64(BLOCK)
        soon[block] = min(soon[block], after[i])


def hit(cells, piece, j, receptor, w, t, out, counters):
    """A weight w arrives at the neuron at place j alone, at t."""
    if w != 0.0:
        clock(cells, piece, t)
        room = cells.cell[piece.first if piece.alike else j].gap
        take_in(cells, piece, cells.params[piece.first], j, receptor, w, t, room, out, counters)


def judge(cells, piece, n, t, e, out, counters):
    """What was noted acts: summed by receptor, applied once, judged once (law S5)."""
    p, now, sums = cells.params[piece.first], cells.now, cells.sums
    counters[2] += n
    for i in range(n):
        j = cells.touched[i]
        c = cells.c[j]
        silent, nearer, jump = True, False, 0.0
        for r in range(len(sums)):
            w = sums[r, j]
            if r < p.receptors and w != 0.0:
                if silent and cells.safe[j] <= t:
                    catch_up(cells, piece, j, t, out, counters)
                silent = False
                nearer = nearer or w > 0.0
                pair = pair_of(p, r)
                if pair > 0:
                    more, steeper, off = rise(p, pair, w, now)
                    c[1 + pair] += more
                    c[2 + pair] += steeper
                    if c[0] != -inf:
                        c[0] += off
                elif p.tau_c[r] > 0.0:
                    more = w * p.gain[r]
                    c[1 + r] += more * now[0, 1 + r]
                    if c[0] != -inf:
                        c[0] -= more * now[0, 0]
                else:
                    jump += w
        for r in range(len(sums)):
            sums[r, j] = NOTHING
        if c[0] != -inf:
            c[0] += jump * now[0, 0]
            if nearer and cells.cell[j].gap < inf:
                foresee(cells, piece, p, j, t, jump > 0.0, cells.cell[j].gap, out, counters)


def follow(cells, piece, flow, time, place, growths, limit, out, counters):
    """A calm stream's events before `limit`, in this batch."""
    p, alike, gap = cells.params[piece.first], piece.alike, cells.cell[piece.first].gap
    i, mine = flow.position, 0
    while i < len(time) and time[i] < limit:
        j = np.int64(place[i])
        if j != flow.trash:
            mine += 1
            clock(cells, piece, time[i])
            take_in(cells, piece, p, j, flow.receptor, flow.weight, time[i], gap if alike else cells.cell[j].gap, out,
                    counters)
        i += 1
    flow.position = i
    counters[1] += mine
    counters[2] += mine


# ---------------------------------------------------------------------------------------------------- layout
def renewed(cells: Moving) -> Moving:
    """The same neurons at the start of another run; what no run changes is shared."""
    return cells._replace(piece=cells.piece.copy(), safe=cells.safe.copy(), soon=cells.soon.copy(), c=cells.c.copy(),
                          now=cells.now.copy(), sums=np.full_like(cells.sums, NOTHING),
                          touched=np.empty_like(cells.touched), work=np.empty_like(cells.work),
                          after=np.empty_like(cells.after), state=cells.state.copy())
