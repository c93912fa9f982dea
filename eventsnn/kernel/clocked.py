"""Clocked integer neurons: all that arrives at a tick is summed, then every neuron that is awake makes the tick.

Neurons are awake or asleep by the block of 64: one that a tick leaves as it was, and to which nothing arrives, is left
alone.  Where all sleep, time goes on to the next arrival.  The model's `sweep` (see `Dynamics.quick`) makes the tick of
neighbouring blocks, in registers that stand in columns so that its loop vectorises, or in the neurons' records; it
takes the sums, leaves NOTHING there, and says of each block whether it may sleep and whether somebody FIRED, and who.
It returns how many sums it found besides a neuron's first.

Registers stand twice: a tick reads one side and writes the other.  A block that falls asleep is alike on both.

Where a shard's pieces have nobody to talk to but each other (`alone`), their spikes do not go through the calendar, and
a window of the loop is many of the smallest delay: what a spike sets off is added at once to the sums of its tick, of
which there is a ring.
"""

from typing import Any, NamedTuple

import numpy as np

from ..course import Setup
from ..model import unbound
from ..rng import U64
from .drive import head
from .lines import LINE, begun, joined
from .pieces import AHEAD, COMMON, fetch, fetch_row, open_window, soonest, through
from .pieces import FIRED as SPIKES
from .pieces import window as pieces_window
from .pool import HELD, OWN, STARTED, WINDOW
from .still import before
from .ticks import add

BARE = ("window", "live", "bring", "begin", "emit", "tick", "listed", "rows", "events", "arrive", "add_own", "wake",
        "record", "send", "foresee", "arrival")       # see link.py
INSIDE = ("window", "live", "emit", "tick", "listed", "send", "foresee", "arrive", "arrival")
VERBS = ("live", "bring")        # what it binds in `pieces`; so is `window`: it leads pieces in its own way
WORK = ("reached",)        # what of its neurons is work space
inf = np.inf
BLOCK_BITS = 6
BLOCK = 1 << BLOCK_BITS
AWAKE, FIRED = 1, 2                      # of a block; models have the higher bits to themselves
WORDS, BYTE_BITS = BLOCK // 8, 3         # a byte for each neuron, read eight at a time
ONE, LAST = U64(1), U64(BLOCK - BLOCK_BITS)
DE_BRUIJN = U64(0x03F79D71B4CB0A89)      # its 64 stretches of 6 bits all differ (Leiserson, Prokop and Randall 1998)
LONG = 16                                # smallest delays in a window of those who are alone
RING = 1 << 25                           # bytes of sums for them, at most


sweep = next_spike = fire = load = unload = value = unbound

PIECE = np.dtype([
    *COMMON,                     # first: a multiple of BLOCK
    ("number", "i8"),            # of the piece
    ("now", "f8"),               # the last tick that was made
    ("side", "i8"),              # where its registers are
    ("awake", "i8"),             # how many blocks are
    ("hit", "i8"),               # those in reached[hit .. hits - 1] are still to fire, once and `more` times
    ("hits", "i8"),
    ("again", "i8"),             # how often the first of them has
])


class Clocked(NamedTuple):
    """Clocked neurons while they run, by place; places without a neuron hold zeros."""

    piece: Any                   # (pieces,) of type PIECE
    params: Any                  # (places,) the models' records
    state: Any                   # (places,) likewise: where the registers are, as of when they were last unloaded
    register: np.ndarray         # (2, registers, places) of type `Quick.lane`: see `Quick.registers`
    own: np.ndarray              # (constants, places) likewise: see `Quick.constants`
    sums: np.ndarray             # (slots, receptors, places) likewise: what arrives at a tick; else `nothing`
    nothing: Any                 # NOTHING in that type
    load: np.ndarray             # (slots, pieces) int64: how many synaptic operations there are in the sums,
    fresh: np.ndarray            # (slots, pieces) int64: and how many sums
    due: np.ndarray              # (slots, blocks) uint8: which blocks they wake
    fired: np.ndarray            # (places,) uint8: who fires at the tick that was made, in a block that has FIRED
    words: np.ndarray            # (blocks, WORDS) uint64: the same bytes
    more: np.ndarray             # (places,) int64: how often beyond once; a model may leave it at 0
    awake: np.ndarray            # (blocks,) uint8: 0 if the tick left the block as it was, else AWAKE or FIRED or both
    bit: np.ndarray              # (64,) uint8: see `DE_BRUIJN`
    reached: np.ndarray          # (places,) int64: work space
    lag: np.ndarray              # (parts,) int64, of those who are alone: ticks until a spike arrives; else empty
    course: np.ndarray           # (2,) float64, of those: where they are, and the smallest delay
    column: np.ndarray           # (places,) int64: where it is recorded, -1: nowhere
    variables: np.ndarray        # see `Cells`
    samples: np.ndarray


# ---------------------------------------------------------------------------------------------------- windows
def window(quick, due, queue, number, end, frame, sample, out, counters):
    """`pieces.window`; those who are alone go through it by steps of the smallest delay."""
    cells, progress, course = quick.cells, quick.progress, quick.cells.course
    if progress[WINDOW] != number:
        open_window(quick, due, queue, number)
        progress[OWN] = 0
    if len(cells.lag) == 0:
        return pieces_window(quick, due, queue, number, end, frame, sample, out, counters)
    recording = sample < len(frame.times) and frame.times[sample] < end
    while course[0] < end:
        if progress[HELD] == 0 and progress[STARTED] == 0 and not recording:
            course[0] = min(max(course[0], soonest(quick)), end)
        stop = min(course[0] + course[1], end)
        if not through(quick, due, queue, stop, frame, sample, out, counters):
            return False
        send(cells, quick.wires, quick.piece_of_part, out, progress[OWN], counters[SPIKES])
        progress[HELD], progress[STARTED], progress[OWN] = 0, 0, counters[SPIKES]
        course[0] = stop
    return True


def live(cells, piece, wires, drive, queue, end, breakpoints, times, out, counters):
    """One piece through one window, its queue from piece.next on; False: there is no more room in `out`."""
    recorded = len(times) if piece.recorded else 0
    while emit(cells, piece, out, counters):
        if piece.awake > 0:
            t = piece.now + 1.0
        else:
            t = queue.time[piece.next] if piece.next < piece.stop else arrival(cells, piece)
            for d in range(piece.stream, piece.streams):
                t = min(t, head(drive, d))
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


def bring(cells, piece):
    """What another shard wrote last is swept in order: the hardware sees to it."""


def arrival(cells, piece):
    """When the next sum of those who are alone is due."""
    t = np.int64(np.ceil(cells.course[0]))
    for k in range(t, t + len(cells.load)):
        if cells.load[k & len(cells.load) - 1, piece.number] > 0:
            return np.float64(k)
    return inf


def begin(cells, piece):
    """Tick 0 is given, and judged."""
    piece.begun = 1
    for j in range(piece.first, piece.last):
        p, s, n = cells.params[j], cells.state[j], 0
        while next_spike(p, s, 0.0) <= 0.0:
            fire(p, s, 0.0)
            n += 1
        load(s, cells.register[piece.side], j)
        cells.fired[j] = n > 0
        cells.more[j] = max(n - 1, 0)
        if n > 0:
            cells.awake[j >> BLOCK_BITS] |= FIRED
    piece.hits = listed(cells, piece)


def emit(cells, piece, out, counters):
    """The spikes of the last tick; False: there is no more room."""
    n, hit, hits, again = counters[SPIKES], piece.hit, piece.hits, piece.again
    while hit < hits and n < len(out.time):
        j = cells.reached[hit]
        out.time[n] = piece.now
        out.emitter[n] = piece.emitter + j - piece.first
        n += 1
        again += 1
        if again > cells.more[j]:
            hit += 1
            again = 0
    counters[SPIKES], piece.hit, piece.again = n, hit, again
    return hit == hits


def record(cells, piece, t, sample):
    """The recorded variables after the last tick."""
    for j in range(piece.first, piece.last):
        column = cells.column[j]
        if column >= 0:
            p, s = cells.params[j], cells.state[j]
            unload(s, cells.register[piece.side], j, piece.now)
            for w in range(len(cells.variables)):
                cells.samples[w, sample, column] = value(p, s, t, cells.variables[w])


# ---------------------------------------------------------------------------------------------------- ticks
def tick(cells, piece, wires, drive, queue, t, counters):
    """All that acts at tick t arrives, and whoever is awake makes the tick."""
    everyone = piece.awake << BLOCK_BITS >= piece.last - piece.first
    slot = np.int64(t) & len(cells.sums) - 1
    q = piece.next
    while q < piece.stop and queue.time[q] == t:
        q += 1
    if q > piece.next:
        rows(cells, piece, wires, queue.part[piece.next:q], slot, not everyone)
        piece.next = q
    for d in range(piece.stream, piece.streams):
        events(cells, piece, wires, drive, d, t, slot, not everyone, counters)
    k, trash = U64(piece.number), U64(piece.last)
    counters[1] += cells.load[slot, k]
    counters[2] += cells.fresh[slot, k]
    cells.load[slot, k] = cells.fresh[slot, k] = 0
    for r in range(cells.sums.shape[1]):
        counters[2] -= cells.sums[slot, r, trash] != cells.nothing
        cells.sums[slot, r, trash] = cells.nothing
    piece.now = t
    b, last, due = piece.first >> BLOCK_BITS, (piece.last + BLOCK - 1) >> BLOCK_BITS, cells.due[slot]
    if everyone and len(cells.sums) == 1:            # then nobody was marked
        counters[2] -= sweep(cells, piece, slot, b, last, t)
        b = last
    while b < last:
        a = b
        while b < last and (cells.awake[b] | due[b]) != 0:
            due[b] = 0
            b += 1
        if b > a:
            counters[2] -= sweep(cells, piece, slot, a, b, t)
        b += 1
    piece.side = 1 - piece.side
    piece.hit, piece.hits = 0, listed(cells, piece)


def listed(cells, piece):
    """Who fired gets listed; how many did.  How many blocks are awake gets counted."""
    n, awake = U64(0), 0
    for k in range(piece.first >> BLOCK_BITS, (piece.last + BLOCK - 1) >> BLOCK_BITS):
        b = U64(k)
        if cells.awake[b] & FIRED:
            for w in range(WORDS):
                hits = cells.words[b, U64(w)]
                while hits:
                    lowest = hits & (~hits + ONE)
                    byte = cells.bit[(lowest * DE_BRUIJN) >> LAST] >> BYTE_BITS
                    cells.reached[n] = (k << BLOCK_BITS) + (w << BYTE_BITS) + byte
                    n += ONE
                    hits ^= lowest
        awake += cells.awake[b] != 0
    piece.awake = awake
    return n


def rows(cells, piece, wires, parts, slot, waking):
    """Rows of the queue arrive."""
    for k in range(len(parts)):
        arrive(cells, piece, wires, wires.part[parts[k]], slot, waking)


def arrive(cells, piece, wires, row, slot, waking):
    """A row is added to the sums of a tick; with `waking`, those whom it reaches will be awake."""
    a, b, sums = row.begin, row.end, cells.sums[U64(slot), U64(row.receptor)]
    cells.load[U64(slot), U64(piece.number)] += (b - a) * row.count
    if row.own:
        fresh = add_own(sums, wires.target, a, b, piece.shift, wires.weights, row.weights, cells.nothing)
    else:
        fresh = add(sums, wires.target, a, b, piece.shift, np.int64(row.weight), cells.nothing)
    cells.fresh[U64(slot), U64(piece.number)] += fresh
    if waking:
        wake(cells.due[slot], wires.target, a, b, piece.shift)


def send(cells, wires, piece_of_part, out, first, last):
    """The spikes first .. last - 1 of those who are alone set off what they do."""
    sleepy = len(cells.sums) > 1                     # who is awake now may be asleep when it arrives
    for n in range(first, last):
        t, e = np.int64(out.time[n]), U64(out.emitter[n])
        if n + 2 < last:
            fetch(wires.part, wires.first_row[U64(out.emitter[n + 2])])
        if n + 1 < last:
            foresee(wires, wires.first_row[U64(out.emitter[n + 1])])
        for k in range(wires.first_row[e], wires.first_row[e + ONE]):
            part = U64(k)
            piece, due = cells.piece[U64(piece_of_part[part])], t + cells.lag[part]
            waking = sleepy or piece.awake << BLOCK_BITS < piece.last - piece.first
            arrive(cells, piece, wires, wires.part[part], due & len(cells.sums) - 1, waking)
            piece.soonest = min(piece.soonest, np.float64(due))


def foresee(wires, part):
    """What will be read of a part, if there is such a part."""
    row = wires.part[U64(min(part, len(wires.part) - 1))]
    fetch_row(wires, row)
    if row.own:
        for k in range(row.begin, min(row.end, row.begin + AHEAD), LINE // wires.weights.itemsize):
            fetch(wires.weights, row.weights + k)


def events(cells, piece, wires, drive, d, t, slot, waking, counters):
    """Stream d's events of tick t arrive."""
    flow = drive.flow[d]
    while head(drive, d) == t:
        first, last = flow.position, before(drive.time[d, 0], flow.position, t + 0.5)
        places = drive.place[d, 0, first:last]
        flow.position = last
        if flow.alike:
            strange = 0
            cells.fresh[slot, piece.number] += add(cells.sums[slot, flow.receptor], places, 0, len(places), 0,
                                                   np.int64(flow.weight), cells.nothing)
            if waking:
                wake(cells.due[slot], places, 0, len(places), 0)
            if not flow.whole:
                for i in range(len(places)):
                    strange += places[i] == flow.trash
            counters[1] += last - first - strange
        else:
            for i in range(len(places)):
                j = np.int64(places[i])
                if j != flow.trash:
                    row = wires.part[wires.first_row[flow.emitter + j - flow.base]]
                    arrive(cells, piece, wires, row, slot, waking)


def add_own(sums, target, a, b, shift, weights, first, nothing):
    """What `ticks.add` does, where weights are each synapse's own: synapse k's is weights[first + k]."""
    fresh = 0
    for k in range(a, b):
        j, w = U64(target[U64(k)] + shift), weights[U64(first + k)]
        total = sums[j]
        fresh += total == nothing
        sums[j] = w if total == nothing else total + w
    return fresh


def wake(due, target, a, b, shift):
    for k in range(a, b):
        due[U64((target[U64(k)] + shift) >> BLOCK_BITS)] = 1


# ---------------------------------------------------------------------------------------------------- layout
def alone(setup: Setup, plan: Any) -> bool:
    """Whether a shard that has everything needs no calendar: all neurons are of one group of this kernel, no spikes
    come from outside, and the sums of all delays to come take little memory."""
    network, s = setup.network, setup.network.synapses
    if (len(plan.groups) != 1 or plan.slow or not plan.stream.all() or len(setup.trains.emitter)
            or network.groups[plan.groups[0]].dynamics.quick.kernel != "clocked"):
        return False
    receptors = max(1, *(q.receptors for q in network.populations))
    return len(s.delay) > 0 and slots(s.delay) * receptors * (network.neurons + BLOCK) * 8 <= RING


def slots(delay: np.ndarray) -> int:
    return 1 << int(np.ceil(np.log2(delay.max())))


def laid_out(setup: Setup, k: int, first: np.ndarray, last: np.ndarray, pace: float = 0.0
             ) -> tuple[np.ndarray, np.ndarray, Any, Clocked]:
    """Neurons of group k in pieces first[b] .. last[b] - 1, each from a border of blocks on and with one place more:
    ids, places, pieces, cells.  pace: of those who are alone, their smallest delay."""
    group, probe, delay = setup.network.groups[k], setup.probes[k], setup.network.synapses.delay
    quick: Any = group.dynamics.quick
    blocks = (last - first) // BLOCK + 1                     # one place more
    begin = np.cumsum([0, *blocks]) * BLOCK
    places = int(begin[-1])
    piece: Any = np.zeros(len(first), PIECE).view(np.recarray)
    piece.first, piece.last, piece.shift = begin[:-1], begin[:-1] + last - first, begin[:-1] - first
    piece.emitter, piece.most, piece.number = setup.network.emitter_of_neuron[first], 1, np.arange(len(first))
    piece.awake = (last - first + BLOCK - 1) // BLOCK
    place = joined(piece.first, piece.last)
    neuron = place - np.repeat(piece.shift, last - first)
    where = np.zeros(places, np.int64)                       # of the other places: any record
    where[place] = np.searchsorted(group.neuron, neuron)
    params: Any = group.params[where]
    state: Any = group.state[where]
    column = np.full(places, -1, np.int64)
    column[place] = probe.column[where[place]]
    for b in range(len(piece)):
        piece.recorded[b] = (column[piece.first[b]:piece.last[b]] >= 0).any()
    lane = np.dtype(quick.lane)
    own = begun((len(columns(params, quick.constants)), places), lane, 0)
    own[:, place] = columns(params[place], quick.constants)
    ring, receptors = slots(delay) if pace else 1, max(1, *(q.receptors for q in setup.network.populations))
    nothing, sums = lane.type(np.iinfo(lane).min), begun((ring, receptors, places), lane, 0)
    sums[...] = nothing
    fired = begun(places, np.uint8, 0)
    return neuron, place, piece, Clocked(
        piece, params, state, begun((2, len(columns(state, quick.registers)), places), lane, 0), own, sums, nothing,
        np.zeros((ring, len(piece)), np.int64), np.zeros((ring, len(piece)), np.int64),
        np.zeros((ring, places >> BLOCK_BITS), np.uint8), fired, fired.view(np.uint64).reshape(-1, WORDS),
        np.zeros(places, np.int64), np.ones(places >> BLOCK_BITS, np.uint8), bits(), np.empty(places, np.int64),
        delay.astype(np.int64) if pace else np.empty(0, np.int64), np.array([0.0, pace]), column, probe.variables,
        probe.samples)


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
