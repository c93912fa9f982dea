"""Integer neurons that change only at inputs: all that acts at a tick is summed, then taken in and judged once (S5).

Sums of whole numbers are exact, so rows, events of direct streams and receptors add up in any order.  Nothing happens
between inputs, except at tick 0 to those who start at the threshold.  A piece's neurons live through a window together,
tick by tick; where a tick reaches few of them they are listed, else all are looked through.

The model's functions (see `Dynamics.quick`) do the arithmetic; here, a neuron is V and the tick since when it has it.
"""

from typing import Any, NamedTuple

import numpy as np

from ..course import ENDLESS, Setup
from ..model import unbound
from ..rng import U64
from .drive import head
from .lines import LINE, joined, places_of
from .pieces import COMMON, FIRED, adopt
from .still import before

BARE = ("live", "bring", "begin", "emit", "tick", "rows", "events", "collect", "add", "note", "note_own", "take_in",
        "record")                                            # see link.py
VERBS = ("live", "bring")        # what it binds in `pieces`: it leads its pieces through a window in its own way
WORK = ("reached",)        # what of its neurons is work space
inf = np.inf
NOTHING = -2**63                 # a sum where nothing has arrived; others are less than 2^62
FEW = 2                          # neurons for each arrival, from which on those who are reached get listed


constants = received = left = mask = value = unbound

PIECE = np.dtype([
    *COMMON,
    ("now", "f8"),               # the tick at which
    ("hit", "i8"),               # those in reached[hit .. hits - 1] are still to fire
    ("hits", "i8"),
    ("again", "i8"),             # how often the first of them has fired at this tick
])


class Ticks(NamedTuple):
    """Integer neurons while they run, by place."""

    piece: Any                   # (pieces,) of type PIECE
    params: Any                  # (kinds,) the models' records, each once
    kind: np.ndarray             # (places,) int32: which of them
    v: np.ndarray                # (places,) int64
    since: np.ndarray            # (places,) int64: the tick that V is of; while inputs are discarded, the last such one
    sums: np.ndarray             # (places,) int64: what arrives at a tick; between ticks NOTHING
    reached: np.ndarray          # (places + 1,) int64: work space
    column: np.ndarray           # (places,) int64: where it is recorded, -1: nowhere
    state: Any                   # (places,) the models' records, for what is rare
    variables: np.ndarray        # see `Cells`
    samples: np.ndarray


# ---------------------------------------------------------------------------------------------------- windows
def live(cells, piece, wires, drive, queue, end, breakpoints, times, out, counters):
    """One piece through one window, its queue from piece.next on; False: there is no more room in `out`."""
    recorded = len(times) if piece.recorded else 0
    while emit(cells, piece, out, counters):
        t = queue.time[piece.next] if piece.next < piece.stop else inf
        for d in range(piece.stream, piece.streams):
            t = min(t, head(drive, d))
        due = times[piece.sample] if piece.sample < recorded else inf
        if not piece.begun:
            begin(cells, piece)
        elif due < min(t, end):                   # a right limit (S0): all that happens at that tick has happened
            record(cells, piece, due, piece.sample)
            piece.sample += 1
        elif t < end:
            tick(cells, piece, wires, drive, queue, t, counters)
        else:
            piece.soonest = t
            return True
    return False


def bring(cells, piece):
    """What another shard wrote last."""
    for j in range(piece.first, piece.last, LINE // cells.v.itemsize):
        adopt(cells.v, j)
        adopt(cells.since, j)
        adopt(cells.sums, j)


def begin(cells, piece):
    """Those that start at the threshold are to fire at tick 0 (law S8)."""
    piece.begun = 1
    for j in range(piece.first, piece.last):
        if cells.v[j] >= cells.params[cells.kind[j]].theta:
            cells.reached[piece.hits] = j
            piece.hits += 1


def emit(cells, piece, out, counters):
    """All that reached the threshold fire while they stand there; False: there is no more room."""
    while piece.hit < piece.hits:
        j = cells.reached[piece.hit]
        p = cells.params[cells.kind[j]]
        while cells.v[j] >= p.theta and piece.again <= ENDLESS:
            n = counters[FIRED]
            if n == len(out.time):
                return False
            out.time[n] = piece.now
            out.emitter[n] = piece.emitter + j - piece.first
            counters[FIRED] = n + 1
            cells.v[j] = left(p, cells.v[j])
            cells.since[j] = np.int64(piece.now) + mask(p)
            piece.again += 1
        if piece.again > ENDLESS:
            name = j - piece.shift + 1
            counters[3] = name if counters[3] == 0 else min(counters[3], name)
        piece.hit += 1
        piece.again = 0
    return True


def record(cells, piece, t, sample):
    """The recorded variables after tick t: evaluated, not committed."""
    for j in range(piece.first, piece.last):
        column = cells.column[j]
        if column >= 0:
            p, s = cells.params[cells.kind[j]], cells.state[j]
            s.t, s.v = cells.since[j], cells.v[j]
            for w in range(len(cells.variables)):
                cells.samples[w, sample, column] = value(p, s, t, cells.variables[w])


# ---------------------------------------------------------------------------------------------------- ticks
def tick(cells, piece, wires, drive, queue, t, counters):
    """All that acts at tick t arrives, and is taken in."""
    size, load = piece.last - piece.first, 0
    q = piece.next
    while q < piece.stop and queue.time[q] == t:
        row = wires.part[queue.part[q]]
        load += row.end - row.begin
        q += 1
    for d in range(piece.stream, piece.streams):             # more may come in the next batch
        load += before(drive.time[d, 0], drive.flow[d].position, t + 0.5) - drive.flow[d].position
    listed = FEW * load < size
    n = rows(cells, piece, wires, queue, q, listed, counters)
    for d in range(piece.stream, piece.streams):
        n = events(cells, piece, wires, drive, d, t, listed, n, counters)
    cells.sums[piece.last] = NOTHING
    piece.now, piece.hit = t, 0
    piece.hits = take_in(cells, piece.first, n if listed else size, listed, np.int64(t), counters)


def rows(cells, piece, wires, queue, last, listed, counters):
    """Rows up to `last` arrive; how many are listed."""
    n = 0
    for q in range(piece.next, last):
        n = collect(cells, piece, wires, wires.part[queue.part[q]], listed, n, counters)
    piece.next = last
    return n


def events(cells, piece, wires, drive, d, t, listed, n, counters):
    """Stream d's events of tick t arrive; how many are listed, after n."""
    flow = drive.flow[d]
    while head(drive, d) == t:
        first, last = flow.position, before(drive.time[d, 0], flow.position, t + 0.5)
        places = drive.place[d, 0, first:last]
        flow.position = last
        if flow.alike:
            w, strange = np.int64(flow.weight), 0
            if listed:
                n = note(cells.sums, places, 0, w, cells.reached, n)
            else:
                add(cells.sums, places, 0, len(places), 0, w, NOTHING)
            if not flow.whole:
                for i in range(len(places)):
                    strange += places[i] == flow.trash
            counters[1] += last - first - strange
        else:
            for i in range(len(places)):
                j = np.int64(places[i])
                if j != flow.trash:
                    row = wires.part[wires.first_row[flow.emitter + j - flow.base]]
                    n = collect(cells, piece, wires, row, listed, n, counters)
    return n


def collect(cells, piece, wires, row, listed, n, counters):
    """A row arrives; how many are listed, after n."""
    a, b = row.begin, row.end
    counters[1] += (b - a) * row.count
    if row.own:
        weights = wires.weights[row.weights + a:row.weights + b]
        return note_own(cells.sums, wires.target[a:b], piece.shift, weights, cells.reached, n)
    if listed:
        return note(cells.sums, wires.target[a:b], piece.shift, np.int64(row.weight), cells.reached, n)
    add(cells.sums, wires.target, a, b, piece.shift, np.int64(row.weight), NOTHING)
    return n


# An unsigned index spares the compiled code a test for negative ones.
def add(sums, target, a, b, shift, w, nothing):
    """Synapses a .. b - 1 act, whose weight is w; how many sums were nothing before."""
    fresh = 0
    for k in range(a, b):
        j = U64(target[U64(k)] + shift)
        total = sums[j]
        fresh += total == nothing
        sums[j] = w if total == nothing else total + w
    return fresh


def note(sums, targets, shift, w, reached, n):
    """The same, and whoever is reached for the first time is listed, after n others."""
    for k in range(len(targets)):
        j = U64(targets[k] + shift)
        total = sums[j]
        reached[U64(n)] = j
        n += total == NOTHING
        sums[j] = w if total == NOTHING else total + w
    return n


def note_own(sums, targets, shift, weights, reached, n):
    """The same where weights are each synapse's own."""
    for k in range(len(targets)):
        j = U64(targets[k] + shift)
        total = sums[j]
        reached[U64(n)] = j
        n += total == NOTHING
        sums[j] = weights[k] if total == NOTHING else total + weights[k]
    return n


def take_in(cells, first, n, listed, now, counters):
    """Whoever was reached takes its sum in, once, and is judged; how many stand at the threshold: they get listed."""
    sums, v, since, kinds, reached = cells.sums, cells.v, cells.since, cells.kind, cells.reached
    hits = updates = 0
    kind = kinds[first]
    p = constants(cells.params[kind])
    for i in range(n):
        j = U64(reached[i] if listed else first + i)
        total = sums[j]
        if total != NOTHING:
            sums[j] = NOTHING
            updates += 1
            if now > since[j]:
                if kinds[j] != kind:
                    kind = kinds[j]
                    p = constants(cells.params[kind])
                after, clipped = received(p, v[j], now - since[j], total)
                v[j] = after
                since[j] = now
                if clipped:
                    cells.state[j].saturations += 1
                if after >= p.theta:
                    reached[hits] = j
                    hits += 1
    counters[2] += updates
    return hits


# ---------------------------------------------------------------------------------------------------- layout
def laid_out(setup: Setup, k: int, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any, Ticks]:
    """Neurons of group k in pieces first[b] .. last[b] - 1, and one place more for each: ids, places, pieces, cells."""
    group, probe = setup.network.groups[k], setup.probes[k]
    begin = np.cumsum([0, *places_of(last - first)])
    places = int(begin[-1])
    piece: Any = np.zeros(len(first), PIECE).view(np.recarray)
    piece.first, piece.last, piece.shift = begin[:-1], begin[:-1] + last - first, begin[:-1] - first
    piece.emitter, piece.most = setup.network.emitter_of_neuron[first], 1
    place = joined(piece.first, piece.last)
    neuron = place - np.repeat(piece.shift, last - first)
    where = np.zeros(places, np.int64)                       # of the others: any record
    where[place] = np.searchsorted(group.neuron, neuron)
    params, kind = distinct(group.params[where])
    column = np.full(places, -1, np.int64)
    column[place] = probe.column[where[place]]
    for b in range(len(piece)):
        piece.recorded[b] = (column[piece.first[b]:piece.last[b]] >= 0).any()
    state: Any = group.state[where]
    since = np.maximum(state.t, state.hold).astype(np.int64)
    return neuron, place, piece, Ticks(
        piece, params, kind, state.v.copy(), since, np.full(places, NOTHING, np.int64), np.empty(places + 1, np.int64),
        column, state, probe.variables, probe.samples)


def distinct(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each different record once, and which of them each one is: (n,) int32."""
    n = len(records)
    words = records.view(np.ndarray).view("u8").reshape(n, records.itemsize // 8)
    begins = np.ones(n, np.bool_)                            # of runs of equal ones: there are few, as a rule
    begins[1:] = False
    for word in words.T:
        begins[1:] |= word[1:] != word[:-1]
    first = np.flatnonzero(begins)
    number: dict[bytes, int] = {}
    which = np.array([number.setdefault(words[i].tobytes(), len(number)) for i in first], np.int32)
    kept = first[np.unique(which, return_index=True)[1]]
    return records[kept], np.repeat(which, np.diff(first, append=n))
