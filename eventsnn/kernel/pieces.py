"""Pieces of neurons that live through a window together, in the order of time: rows of synapses, streams of direct
sources, ends of refractoriness, epochs, breakpoints, samples.

A kernel (`still.py`, `moving.py`) says what these do to its neurons: the names below that `engine.py` binds.
"""

from typing import Any, NamedTuple

import numpy as np

from ..model import unbound
from ..rng import U64
from .drive import Drive, head
from .lines import LINE
from .pool import AFAR, DONE, HELD, ME, PAD, STARTED, STRETCH, WINDOW, Pool, leave, take
from .queue import come_by, rest, sort_out

BARE = ("first_of", "last_of", "note_row", "note_alike", "mingle", "next_stream", "sole", "together", "run_streams",
        "run_stream", "live", "arrive", "window", "open_window", "through", "soonest", "windows", "no_windows",
        "all_soonest", "never", "fetch", "fetch_row", "adopt", "bring_streams")             # see link.py
INSIDE = ("first_of", "last_of", "next_stream", "sole", "run_streams", "run_stream", "live", "arrive", "window",
          "open_window", "through", "soonest", "windows", "all_soonest", "fetch", "fetch_row")
inf = np.inf


VERBS = ("clock", "begin", "next_end", "release", "age", "change", "record", "deliver", "deliver_all", "hit", "judge",
         "follow", "finish", "bring")
clock = begin = next_end = release = age = change = record = deliver = deliver_all = hit = judge = follow = unbound
finish = bring = unbound
first_pieces = other_pieces = unbound

COMMON = [                       # to the pieces of all kernels
    ("pad", "i8", (PAD,)),
    ("first", "i8"),             # its neurons' places are first .. last - 1; place `last` is its trash
    ("last", "i8"),
    ("shift", "i8"),             # place = neuron + shift
    ("emitter", "i8"),           # of the first place
    ("begun", "i8"),             # neurons that start at the threshold have been found
    ("stream", "i8"),            # its direct streams are stream .. streams - 1
    ("streams", "i8"),
    ("merged", "i8"),            # some drive the same neurons
    ("recorded", "i8"),
    ("sample", "i8"),            # the next time to record at
    ("next", "i8"),              # its entries of the queue that are to come are next .. stop - 1
    ("stop", "i8"),
    ("soonest", "f8"),           # without inputs nothing happens before
    ("most", "i8"),              # what room for spikes is asked for, for each neuron
]
PIECE = np.dtype([
    *COMMON,                     # most: spikes of a neuron between two looks for room, at most
    ("tau", "f8"),
    ("epoch", "i8"),
    ("alike", "i8"),             # all have the threshold of the first
    ("head", "i8"),              # ends of refractoriness: number of the next, and of those there were so far
    ("tail", "i8"),
    ("released", "f8"),          # when the next of those is
    ("change", "f8"),            # when the next breakpoint of any neuron is
])
CELL = np.dtype([
    ("gap", "f8"),               # theta - V_inf
    ("back", "f8"),              # reset - V_inf
    ("refrac", "f8"),
    ("cursor", "i8"),            # the next breakpoint of its line
    ("line_end", "i8"),
    ("column", "i8"),            # where it is recorded, -1: nowhere
])
PART = np.dtype([
    ("begin", "i8"),             # it has the synapses begin .. end - 1
    ("end", "i8"),
    ("weight", "f8"),
    ("weights", "i8"),           # synapse k has weights[weights + k] if it has an
    ("own", "i4"),               # own one
    ("count", "i4"),
    ("receptor", "i4"),
    ("spread", "i4"),            # its synapses have their own delays, and act one by one
    ("strand", "i8"),            # parts of one strand, >= 0, have one emitter and delay, and other targets each
])
FIRED, WANTED = 4, 5             # places in the counters: spikes in this window; room for spikes that is wanted
NOTHING = np.nan                 # a sum where nothing has arrived
UNTOUCHED = -0.0                 # the same, where adding to it must not need a question: no sum of others comes to it
AHEAD = 1024                     # targets of a row that are fetched before it acts
SOON = 16                        # entries from now on whose parts are fetched
NEXT = 12                        # entries ahead of the one that acts whose targets are fetched


class Wires(NamedTuple):
    """What leads to a shard's pieces."""

    part: Any                    # (parts,) of type PART: as in `Wiring`
    first_row: np.ndarray        # (emitters + 1,) int64
    target: np.ndarray
    weights: np.ndarray
    after: np.ndarray


class Quick(NamedTuple):
    """A group's pieces and what leads to them, as one shard has it."""

    cells: Any                   # `Still` or `Moving`
    wires: Wires
    drive: Drive
    piece_of_part: np.ndarray    # (parts,) int32, -1: no piece of these; see `home`
    piece_of_neuron: np.ndarray  # (neurons,) int32
    pool: Pool
    progress: np.ndarray         # (PROGRESS,) int64: see `pool`


# ---------------------------------------------------------------------------------------------------- instants
def first_of(row, synapse):
    """What acts first of an entry of the queue."""
    return synapse if row.spread else row.begin


def last_of(row, a):
    """The end of what acts with synapse a of the row."""
    return a + 1 if row.spread else row.end


def note_row(cells, piece, wires, row, synapse, n, counters):
    """A row arrives (see `Queue`) and is not yet judged; how many places have been touched at this instant."""
    a = first_of(row, synapse)
    b = last_of(row, a)
    counters[1] += (b - a) * row.count
    if not row.own and len(cells.sums) == 1:
        return note_alike(cells.sums[0], wires.target[a:b], piece.shift, row.weight, cells.touched, n)
    w = row.weight
    for k in range(a, b):
        if row.own:
            w = wires.weights[row.weights + k]
        j = wires.target[k] + piece.shift
        if np.isnan(cells.sums[0, j]):
            cells.touched[n] = j
            n += 1
            for r in range(len(cells.sums)):
                cells.sums[r, j] = 0.0
        cells.sums[row.receptor, j] += w
    return n


def note_alike(sums, targets, shift, w, touched, n):
    """The same for a row of one weight, where there is one receptor."""
    for k in range(len(targets)):
        j = U64(targets[k] + shift)
        before = sums[j]
        fresh = before != before                             # NOTHING
        touched[U64(n)] = j
        n += fresh
        sums[j] = w if fresh else before + w
    return n


def together(cells, piece, wires, drive, queue, q, last, t, e, out, counters):
    """All that acts at one instant: rows q .. last - 1 of the queue and events of streams, in key order.

    A stream's sources stand in a row, and those of one stream never meet in one neuron unless they are one source; so
    the streams' order is theirs.
    """
    n = 0
    for d in range(piece.stream, piece.streams):
        while head(drive, d) == t:
            flow = drive.flow[d]
            j = np.int64(drive.place[d, 0, flow.position])
            flow.position += 1
            if j != flow.trash:
                row = wires.first_row[flow.emitter + j - flow.base]
                while q < last and queue.part[q] < row:
                    n = note_row(cells, piece, wires, wires.part[queue.part[q]], queue.synapse[q], n, counters)
                    q += 1
                n = note_row(cells, piece, wires, wires.part[row], wires.part[row].begin, n, counters)
    while q < last:
        n = note_row(cells, piece, wires, wires.part[queue.part[q]], queue.synapse[q], n, counters)
        q += 1
    judge(cells, piece, n, t, e, out, counters)


# ---------------------------------------------------------------------------------------------------- streams
def run_streams(cells, piece, wires, drive, queue, limit, out, counters):
    """All events of the piece's streams before `limit`; False: something else comes first, or there is no more room.

    Streams to different neurons need not be merged in time.
    """
    ahead = limit
    if piece.merged:
        while ahead == limit:
            first, soonest, second = -1, inf, inf
            for d in range(piece.stream, piece.streams):
                t = head(drive, d)
                if t < soonest:
                    first, soonest, second = d, t, soonest
                else:
                    second = min(second, t)
            if not soonest < limit:
                return True
            ahead = run_stream(cells, piece, wires, drive, queue, first, soonest == second, min(limit, second), out,
                               counters)
            ahead = limit if ahead == min(limit, second) else -inf
        return False
    for d in range(piece.stream, piece.streams):
        ahead = run_stream(cells, piece, wires, drive, queue, d, False, ahead, out, counters)
    return ahead == limit


def run_stream(cells, piece, wires, drive, queue, d, tied, limit, out, counters):
    """The events of stream d before `limit`; how far it came: less if a release comes up, -inf if there is no room."""
    flow = drive.flow[d]
    while head(drive, d) < limit or tied:
        if counters[FIRED] + (piece.last - piece.first) * piece.most + len(drive.bits) > len(out.time):
            return -inf
        if flow.calm and not tied:
            follow(cells, piece, flow, drive.time[d, 0], drive.place[d, 0], drive.growth[d, 0], limit, out, counters)
        else:
            t = head(drive, d)
            together(cells, piece, wires, drive, queue, 0, 0, t, clock(cells, piece, t), out, counters)
            tied = False
        limit = min(limit, next_end(cells, piece))
    return limit


# ---------------------------------------------------------------------------------------------------- windows
def fetch(array, i):
    """Memory that will soon be read.  (Compiled: see `atomic.py`.)"""


def adopt(array, i):
    """Memory that will soon be written, and that another shard wrote last.  (Compiled: see `atomic.py`.)"""


def bring_streams(piece, drive):
    """What is still to come of the batches that were drawn elsewhere."""
    for d in range(piece.stream, piece.streams):
        first, last = drive.flow[d].position, len(drive.bits)
        for k in range(first, last, LINE // drive.time.itemsize):
            adopt(drive.time[d, 0], k)
            adopt(drive.growth[d, 0], k)
        for k in range(first, last, LINE // drive.place.itemsize):
            adopt(drive.place[d, 0], k)


def fetch_row(wires, row):
    """Of a row that is next: the cache lines that no hardware would foresee."""
    for k in range(row.begin, min(row.end, row.begin + AHEAD) if not row.spread else row.begin,
                   LINE // wires.target.itemsize):
        fetch(wires.target, k)


def mingle(cells, piece, wires, drive, queue, limit, out, counters):
    """Synapses with own delays and events of streams before `limit`, and before what they bring about, one by one in
    the order of time; until two act at one instant, or a row comes, or there is no more room.  Whether there were any.
    """
    q, stop, shift, target, part = piece.next, piece.stop, piece.shift, wires.target, wires.part
    fired, most = counters[FIRED], len(out.time) - piece.most
    done, streams = 0, 0
    d, event = next_stream(piece, drive)
    while q < stop and fired <= most:
        t, row = queue.time[q], part[queue.part[q]]
        if event <= t:
            if not event < min(t, limit) or not sole(piece, drive, d, event):
                break
            flow = drive.flow[d]
            j = np.int64(drive.place[d, 0, flow.position])
            flow.position += 1
            if j != flow.trash:
                streams += 1
                hit(cells, piece, j, flow.receptor, flow.weight, event, out, counters)
            d, event = next_stream(piece, drive)
        elif t < limit and row.spread and not (q + 1 < stop and queue.time[q + 1] == t):
            k = queue.synapse[q]
            if q + NEXT < stop:
                fetch(target, queue.synapse[q + NEXT])
            w = wires.weights[row.weights + k] if row.own else row.weight
            q += 1
            done += row.count
            hit(cells, piece, np.int64(target[k] + shift), np.int64(row.receptor), w, t, out, counters)
        else:
            break
        if counters[FIRED] > fired:
            fired = counters[FIRED]
            limit = min(limit, next_end(cells, piece))
    many = q - piece.next + streams
    piece.next = q
    counters[1] += done + streams
    counters[2] += many
    return many > 0


def next_stream(piece, drive):
    """Which of the piece's streams is next, and when."""
    d, event = np.int64(-1), inf
    for k in range(piece.stream, piece.streams):
        t = head(drive, k)
        if t < event:
            d, event = np.int64(k), t
    return d, event


def sole(piece, drive, d, t):
    """Whether the event of stream d at t stands alone among the streams' events."""
    if not drive.flow[d].calm:
        return False
    if piece.merged:
        for k in range(piece.stream, piece.streams):
            if k != d and head(drive, k) == t:
                return False
    return True


def live(cells, piece, wires, drive, queue, end, breakpoints, times, out, counters):
    """One piece through one window, its queue from piece.next on; False: there is no more room in `out`."""
    size = (piece.last - piece.first) * piece.most + len(drive.bits)
    recorded = len(times) if piece.recorded else 0
    while counters[FIRED] + size <= len(out.time):
        arrival = queue.time[piece.next] if piece.next < piece.stop else inf
        released = next_end(cells, piece)
        epoch = (piece.epoch + 1) * piece.tau
        barrier = min(min(released, end), min(epoch, piece.change))
        stop = min(arrival, barrier)
        due = times[piece.sample] if piece.sample < recorded else inf
        limit = np.nextafter(due, inf) if due < stop else stop
        mixed = piece.begun and arrival < barrier and wires.part[queue.part[piece.next]].spread
        if mixed and mingle(cells, piece, wires, drive, queue, min(barrier, np.nextafter(due, inf)), out, counters):
            continue
        if not piece.begun:
            begin(cells, piece, out, counters)
        elif not run_streams(cells, piece, wires, drive, queue, limit, out, counters):
            pass
        elif due < stop:                          # a right limit (S0): all that happens at that instant has happened
            record(cells, piece, due, piece.sample, out, counters)
            piece.sample += 1
        elif stop == end:
            piece.soonest = min(finish(cells, piece, end, out, counters), piece.change)
            for d in range(piece.stream, piece.streams):
                piece.soonest = min(piece.soonest, head(drive, d))
            return True
        elif stop == epoch:
            then = min(min(arrival, released), min(min(piece.change, due), end))
            for d in range(piece.stream, piece.streams):
                then = min(then, head(drive, d))
            age(cells, piece, drive.flow, stop, then, out, counters)
        elif stop == released:
            release(cells, piece, stop, out, counters)
        elif stop == piece.change:
            change(cells, piece, breakpoints, stop, out, counters)
        else:
            arrive(cells, piece, wires, drive, queue, stop, out, counters)
    return False


def arrive(cells, piece, wires, drive, queue, t, out, counters):
    """The rows that act at t, and what else does."""
    e = clock(cells, piece, t)
    first = q = piece.next
    alone = calm = True
    strand = wires.part[queue.part[q]].strand
    while q < piece.stop and queue.time[q] == t:
        part = queue.part[q]
        alone = alone and (q == first or (strand >= 0 and part > queue.part[q - 1]
                                          and wires.part[part].strand == strand))
        q += 1
    piece.next = q
    for k in range(first + SOON, min(q + SOON, piece.stop)):
        fetch(wires.part, queue.part[k])
    following = q
    while following < piece.stop and queue.time[following] == queue.time[q]:
        fetch_row(wires, wires.part[queue.part[following]])
        following += 1
    for d in range(piece.stream, piece.streams):
        calm = calm and head(drive, d) > t
    if calm and alone:
        for i in range(first, q):
            row = wires.part[queue.part[i]]
            deliver(cells, piece, wires, row, first_of(row, queue.synapse[i]), t, e, out, counters)
    elif not (calm and deliver_all(cells, piece, wires, queue.part[first:q], queue.span[first:q], t, e, out, counters)):
        together(cells, piece, wires, drive, queue, first, q, t, e, out, counters)


def window(quick, due, queue, number, end, frame, sample, out, counters):
    """A group's pieces through window `number`; what is due elsewhere is left over.  False: `out` has no more room; to
    be called again."""
    if quick.progress[WINDOW] != number:
        open_window(quick, due, queue, number)
    elif quick.progress[STARTED] == DONE:                    # another group had no room: what was due here is gone
        return True
    if not through(quick, due, queue, end, frame, sample, out, counters):
        return False
    quick.progress[STARTED] = DONE
    rest(queue, due, quick.wires, quick.piece_of_part, quick.piece_of_neuron)
    return True


def open_window(quick, due, queue, number):
    quick.progress[WINDOW], quick.progress[HELD], quick.progress[STARTED] = number, 0, 0
    sort_out(queue, due, quick.wires, quick.piece_of_part, quick.piece_of_neuron, quick.pool.home, quick.progress[ME])


def through(quick, due, queue, end, frame, sample, out, counters):
    """The pieces up to `end`, from where they are, or what of that falls to this shard."""
    cells, drive, times, pool, progress = quick.cells, quick.drive, frame.times, quick.pool, quick.progress
    recording = sample < len(times) and times[sample] < end
    while progress[STARTED] or take(pool, cells.piece, queue, progress, end, recording):
        b = progress[HELD]
        piece = cells.piece[b]
        if not progress[STARTED]:
            if progress[AFAR]:
                bring(cells, piece)
                bring_streams(piece, drive)
                progress[AFAR] = 0
            come_by(queue, due, quick.wires, quick.piece_of_part, quick.piece_of_neuron, pool.home, b)
            if progress[STRETCH] == 0:
                piece.next, piece.stop = queue.first[b], queue.first[b + 1]
                for k in range(piece.next, min(piece.next + SOON, piece.stop)):
                    fetch(quick.wires.part, queue.part[k])
            progress[STARTED] = 1
        stop = end
        if progress[STRETCH] + 1 < pool.stretches[0]:
            stop -= frame.width * 0.5 ** (progress[STRETCH] + 1)
        if not live(cells, piece, quick.wires, drive, queue, stop, frame.breakpoints, times, out, counters):
            counters[WANTED] = counters[FIRED] + (piece.last - piece.first) * piece.most + len(drive.bits)
            return False
        progress[STARTED] = 0
        if len(pool.stage) > 0:
            leave(pool, b, 2 * (progress[WINDOW] * pool.stretches[0] + progress[STRETCH] + 1))
        else:
            progress[HELD] = b + 1
    return True


def soonest(quick):
    """Before when nothing happens in any of its pieces without inputs."""
    t = np.inf
    for piece in quick.cells.piece:
        t = min(t, piece.soonest)
    return t


def windows(quicks, due, queues, number, end, frame, sample, out, counters):
    """The pieces of all groups, one after the other."""
    return first_pieces(quicks[0], due, queues[0], number, end, frame, sample, out, counters) and \
        other_pieces(quicks[1:], due, queues[1:], number, end, frame, sample, out, counters)


def no_windows(quicks, due, queues, number, end, frame, sample, out, counters):
    return True


def all_soonest(quicks):
    return min(soonest(quicks[0]), other_pieces(quicks[1:]))


def never(quicks):
    return np.inf
