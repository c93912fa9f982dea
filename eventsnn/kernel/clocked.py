"""Clocked integer neurons: all that arrives at a tick is summed, then every neuron that is awake makes the tick.

Neurons are awake or asleep by the block of 64: one that a tick leaves as it was, and to which nothing arrives, is left
alone.  Where all sleep, time goes on to the next arrival.  The model's `sweep` (see `Dynamics.quick`) makes the tick of
neighbouring blocks, in registers that stand in columns so that its loop vectorises, or in the neurons' records; it
takes the sums, leaves NOTHING there, and says of each block who fired, and whether it may sleep.
"""

from typing import Any, NamedTuple

import numpy as np

from ..course import Setup
from ..rng import U64
from .drive import head
from .pieces import FIRED
from .still import before
from .ticks import NOTHING, add

BARE = ("live", "begin", "emit", "tick", "rows", "events", "add_own", "wake", "listed", "record")   # see link.py
VERBS = ("live",)                # what it binds in `pieces`: it leads its pieces through a window in its own way
inf = np.inf
BLOCK_BITS = 6
BLOCK = 1 << BLOCK_BITS
ONE, LAST = U64(1), U64(BLOCK - BLOCK_BITS)
DE_BRUIJN = U64(0x03F79D71B4CB0A89)      # its 64 stretches of 6 bits all differ (Leiserson, Prokop and Randall 1998)


def unbound(*_):
    raise TypeError("a name that link() binds")


sweep = next_spike = fire = load = unload = value = unbound

PIECE = np.dtype([
    ("first", "i8"),             # its neurons' places are first .. last - 1, first a multiple of BLOCK; `last` is its
    ("last", "i8"),              # trash
    ("shift", "i8"),             # place = neuron + shift
    ("emitter", "i8"),           # of the first place
    ("begun", "i8"),             # tick 0 has been judged
    ("now", "f8"),               # the last tick that was made
    ("awake", "i8"),             # how many blocks are
    ("hit", "i8"),               # those in reached[hit .. hits - 1] are still to fire, once and `more` times
    ("hits", "i8"),
    ("again", "i8"),             # how often the first of them has
    ("stream", "i8"),            # its direct streams are stream .. streams - 1
    ("streams", "i8"),
    ("merged", "i8"),            # some drive the same neurons
    ("recorded", "i8"),
    ("sample", "i8"),            # the next time to record at
    ("next", "i8"),              # its entries of the queue that are to come are next .. stop - 1
    ("stop", "i8"),
    ("soonest", "f8"),           # without inputs nothing happens before
    ("most", "i8"),              # what room for spikes is asked for, for each neuron
])


class Clocked(NamedTuple):
    """A shard's clocked neurons while they run, by place."""

    piece: Any                   # (pieces,) of type PIECE
    params: Any                  # (places,) the models' records
    state: Any                   # (places,) likewise: where the registers are, as of when they were last unloaded
    register: np.ndarray         # (registers, places) int64: see `Quick.registers`
    work: np.ndarray             # (registers, places) int64: work space of `sweep`
    own: np.ndarray              # (constants, places) int64: see `Quick.constants`
    sums: np.ndarray             # (receptors, places) int64: what arrives at a tick; between ticks NOTHING
    hits: np.ndarray             # (blocks,) uint64: who fires at the tick that was made, a bit for each
    more: np.ndarray             # (places,) int64: how often beyond once; a model may leave it at 0
    awake: np.ndarray            # (blocks,) uint8: whether the tick has left the block another
    bit: np.ndarray              # (64,) uint8: see `DE_BRUIJN`
    reached: np.ndarray          # (places,) int64: work space
    column: np.ndarray           # (places,) int64: where it is recorded, -1: nowhere
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
        if piece.awake > 0:
            t = piece.now + 1.0
        due = times[piece.sample] if piece.sample < recorded else inf
        if not piece.begun:
            begin(cells, piece)
        elif due < min(t, end):                   # a right limit (S0): the tick before is made
            record(cells, piece, due, piece.sample)
            piece.sample += 1
        elif t < end:
            tick(cells, piece, wires, drive, queue, t, counters)
        else:
            piece.soonest = t
            return True
    return False


def begin(cells, piece):
    """Tick 0 is given, and judged."""
    piece.begun = 1
    for j in range(piece.first, piece.last):
        p, s, n = cells.params[j], cells.state[j], 0
        while next_spike(p, s, 0.0) <= 0.0:
            fire(p, s, 0.0)
            n += 1
        load(s, cells.register, j)
        if n > 0:
            cells.hits[j >> BLOCK_BITS] |= ONE << U64(j & BLOCK - 1)
            cells.more[j] = n - 1
    piece.hits = listed(cells, piece)


def emit(cells, piece, out, counters):
    """The spikes of the last tick; False: there is no more room."""
    while piece.hit < piece.hits:
        j, n = cells.reached[piece.hit], counters[FIRED]
        if n == len(out.time):
            return False
        out.time[n] = piece.now
        out.emitter[n] = piece.emitter + j - piece.first
        counters[FIRED] = n + 1
        piece.again += 1
        if piece.again > cells.more[j]:
            piece.hit += 1
            piece.again = 0
    return True


def record(cells, piece, t, sample):
    """The recorded variables after the last tick."""
    for j in range(piece.first, piece.last):
        column = cells.column[j]
        if column >= 0:
            p, s = cells.params[j], cells.state[j]
            unload(s, cells.register, j, piece.now)
            for w in range(len(cells.variables)):
                cells.samples[w, sample, column] = value(p, s, t, cells.variables[w])


# ---------------------------------------------------------------------------------------------------- ticks
def tick(cells, piece, wires, drive, queue, t, counters):
    """All that acts at tick t arrives, and whoever is awake makes the tick."""
    everyone = piece.awake << BLOCK_BITS >= piece.last - piece.first
    q = piece.next
    while q < piece.stop and queue.time[q] == t:
        q += 1
    rows(cells, piece, wires, queue.part[piece.next:q], everyone, counters)
    piece.next = q
    for d in range(piece.stream, piece.streams):
        events(cells, piece, wires, drive, d, t, everyone, counters)
    for r in range(len(cells.sums)):
        cells.sums[r, piece.last] = NOTHING
    piece.now = t
    b, last = piece.first >> BLOCK_BITS, (piece.last + BLOCK - 1) >> BLOCK_BITS
    while b < last:
        a = b
        while b < last and cells.awake[b]:
            b += 1
        if b > a:
            counters[2] += sweep(cells, a, b, piece.last, t)
        b += 1
    piece.hit, piece.hits = 0, listed(cells, piece)


def listed(cells, piece):
    """Who fired gets listed; how many did.  How many blocks are awake gets counted."""
    n = awake = 0
    for b in range(piece.first >> BLOCK_BITS, (piece.last + BLOCK - 1) >> BLOCK_BITS):
        awake += cells.awake[b]
        hits = cells.hits[b]
        while hits:
            lowest = hits & (~hits + ONE)
            cells.reached[n] = (b << BLOCK_BITS) + cells.bit[(lowest * DE_BRUIJN) >> LAST]
            n += 1
            hits ^= lowest
        cells.hits[b] = hits
    piece.awake = awake
    return n


def rows(cells, piece, wires, parts, everyone, counters):
    """Rows arrive."""
    shift = piece.shift
    for k in range(len(parts)):
        row = wires.part[parts[k]]
        a, b = row.begin, row.end
        counters[1] += (b - a) * row.count
        targets, sums = wires.target[a:b], cells.sums[row.receptor]
        if row.own:
            add_own(sums, targets, shift, wires.weights[row.weights + a:row.weights + b])
        else:
            add(sums, targets, shift, np.int64(row.weight))
        if not everyone:
            wake(cells.awake, targets, shift)


def events(cells, piece, wires, drive, d, t, everyone, counters):
    """Stream d's events of tick t arrive."""
    flow = drive.flow[d]
    while head(drive, d) == t:
        first, last = flow.position, before(drive.time[d], flow.position, t + 0.5)
        places = drive.place[d, first:last]
        flow.position = last
        if flow.alike:
            strange = 0
            add(cells.sums[flow.receptor], places, 0, np.int64(flow.weight))
            if not everyone:
                wake(cells.awake, places, 0)
            if not flow.whole:
                for i in range(len(places)):
                    strange += places[i] == flow.trash
            counters[1] += last - first - strange
        else:
            for i in range(len(places)):
                j = np.int64(places[i])
                if j != flow.trash:
                    e = flow.emitter + j - flow.base
                    rows(cells, piece, wires, wires.first_row[e:e + 1], everyone, counters)


def add_own(sums, targets, shift, weights):
    """What `ticks.add` does, where weights are each synapse's own."""
    for k in range(len(targets)):
        j = U64(targets[k] + shift)
        total = sums[j]
        sums[j] = weights[k] if total == NOTHING else total + weights[k]


def wake(awake, targets, shift):
    for k in range(len(targets)):
        awake[U64((targets[k] + shift) >> BLOCK_BITS)] = 1


# ---------------------------------------------------------------------------------------------------- layout
def laid_out(setup: Setup, k: int, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any, Clocked]:
    """Neurons of group k in pieces first[b] .. last[b] - 1, each from a border of blocks on and with one place more:
    ids, places, pieces, cells."""
    group, probe = setup.network.groups[k], setup.probes[k]
    quick: Any = group.dynamics.quick
    blocks = (last - first) // BLOCK + 1                     # one place more
    begin = np.cumsum([0, *blocks]) * BLOCK
    places = int(begin[-1])
    piece: Any = np.zeros(len(first), PIECE).view(np.recarray)
    piece.first, piece.last, piece.shift = begin[:-1], begin[:-1] + last - first, begin[:-1] - first
    piece.emitter, piece.most = setup.emitter_of_neuron[first], 1
    piece.awake = (last - first + BLOCK - 1) // BLOCK
    place = np.concatenate([np.empty(0, np.int64), *(np.arange(a, b) for a, b in zip(piece.first, piece.last,
                                                                                  strict=True))])
    neuron = place - np.repeat(piece.shift, last - first)
    where = np.zeros(places, np.int64)                       # of the other places: any record
    where[place] = np.searchsorted(group.neuron, neuron)
    params: Any = group.params[where]
    state: Any = group.state[where]
    column = np.full(places, -1, np.int64)
    column[place] = probe.column[where[place]]
    for b in range(len(piece)):
        piece.recorded[b] = (column[piece.first[b]:piece.last[b]] >= 0).any()
    receptors = max(1, *(q.receptors for q in setup.network.populations))
    register = columns(state, quick.registers)
    return neuron, place, piece, Clocked(
        piece, params, state, register, np.empty_like(register), columns(params, quick.constants),
        np.full((receptors, places), NOTHING, np.int64), np.zeros(places >> BLOCK_BITS, np.uint64),
        np.zeros(places, np.int64), np.ones(places >> BLOCK_BITS, np.uint8), bits(),
        np.empty(places, np.int64), column, probe.variables, probe.samples)


def bits() -> np.ndarray:
    """Which bit of 64 a lowest bit is, by its stretch of `DE_BRUIJN`."""
    with np.errstate(over="ignore"):
        where = (ONE << np.arange(BLOCK, dtype=np.uint64)) * DE_BRUIJN >> LAST
    table = np.empty(BLOCK, np.uint8)
    table[where] = np.arange(BLOCK)
    return table


def columns(records: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """A row for each field, and for each entry of a field that is an array."""
    rows = [np.atleast_2d(records[name].T) for name in names]
    return np.ascontiguousarray(np.concatenate([np.zeros((0, len(records)), np.int64), *rows]), np.int64)
