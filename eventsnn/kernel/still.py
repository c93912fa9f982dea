"""Scaled neurons that rest between inputs: only an input, or the end of refractoriness, can make them fire.

That holds where V_inf stays at or below the threshold.  Then nothing needs to be predicted, and since a piece's neurons
share one tau_m they share one E at each instant (law S11): an input is one multiplication for a whole row of synapses,
and an addition and a comparison for each.  The neurons of a piece live through a window together, in the order of time:
rows of synapses, streams of direct sources, ends of refractoriness, epochs, breakpoints, samples.

The model's functions (see `Dynamics.parts`) do the arithmetic; here, a neuron that is held has u = -inf.
"""

from typing import Any, NamedTuple

import numpy as np

from ..rng import U64
from .drive import head

BARE = ("fire", "next_end", "release", "begin", "age", "change", "record", "add_row", "add_varied", "deliver",
        "note_row", "note_alike", "judge", "together", "prime", "before", "follow", "run", "run_streams",
        "run_stream", "live", "arrive")      # see link.py
inf = np.inf


def unbound(*_):
    raise TypeError("a name that link() binds")


growth = aged = epoch_of = inject = value = unbound

PIECE = np.dtype([
    ("first", "i8"),             # its neurons' places are first .. last - 1; place `last` is its trash
    ("last", "i8"),
    ("shift", "i8"),             # place = neuron + shift
    ("emitter", "i8"),           # of the first place
    ("tau", "f8"),
    ("epoch", "i8"),
    ("alike", "i8"),             # all have the threshold of the first
    ("begun", "i8"),             # neurons that start at the threshold have fired
    ("head", "i8"),              # ends of refractoriness: number of the next, and of those there were so far
    ("tail", "i8"),
    ("change", "f8"),            # when the next breakpoint of any neuron is
    ("stream", "i8"),            # its direct streams are stream .. streams - 1
    ("streams", "i8"),
    ("merged", "i8"),            # some drive the same neurons
    ("recorded", "i8"),
    ("sample", "i8"),            # the next time to record at
    ("next", "i8"),              # its entries of the queue that are to come are next .. stop - 1
    ("stop", "i8"),
    ("soonest", "f8"),           # without inputs nothing happens before
])
CELL = np.dtype([
    ("gap", "f8"),               # theta - V_inf
    ("back", "f8"),              # reset - V_inf
    ("refrac", "f8"),
    ("end", "f8"),               # ends of refractoriness and whose they are: a ring for each piece
    ("whose", "i8"),
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
    ("apart", "i4"),             # it belongs to the emitter of the part before, with its delay, and has other targets
])
FIRED = 4                        # place in the counters: spikes in this window
NOTHING = np.nan                 # a sum where nothing has arrived


class Wires(NamedTuple):
    """What leads to a shard's resting neurons."""

    part: Any                    # (parts,) of type PART: as in `Wiring`
    first_row: np.ndarray        # (emitters + 1,) int64
    target: np.ndarray
    weights: np.ndarray


class Still(NamedTuple):
    """A shard's resting neurons while they run, by place."""

    piece: Any                   # (pieces,) of type PIECE
    cell: Any                    # (places,) of type CELL
    u: np.ndarray                # (places,) float64
    sums: np.ndarray             # (receptors, places) float64: what arrives at an instant; between instants NOTHING
    touched: np.ndarray          # (places,) int64: work space
    params: Any                  # (places,) the models' records, for what is rare
    state: Any
    variables: np.ndarray        # see `Cells`
    samples: np.ndarray


# ---------------------------------------------------------------------------------------------------- spikes
def fire(piece, cell, u, j, t, e, out, counters):
    """The neuron at place j (int64) fires at t, where E is e; there is room."""
    n = counters[FIRED]
    out.time[n] = t
    out.emitter[n] = piece.emitter + j - piece.first
    counters[FIRED] = n + 1
    end = t + cell[j].refrac
    if not end > t:
        u[j] = cell[j].back * e
        return
    u[j] = -inf
    size = piece.last - piece.first
    k = piece.tail
    while k > piece.head:                                    # in the order of time, then as they fired
        before, here = cell[piece.first + (k - 1) % size], cell[piece.first + k % size]
        if before.end <= end:
            break
        here.end, here.whose = before.end, before.whose
        k -= 1
    here = cell[piece.first + k % size]
    here.end, here.whose = end, j
    piece.tail += 1


def next_end(piece, cell):
    """When refractoriness ends next."""
    return cell[piece.first + piece.head % (piece.last - piece.first)].end if piece.head < piece.tail else inf


def release(piece, cell, u, t, out, counters):
    """All whose refractoriness ends at t."""
    e = growth(t, piece.epoch, piece.tau)
    while next_end(piece, cell) == t:
        j = cell[piece.first + piece.head % (piece.last - piece.first)].whose
        piece.head += 1
        u[j] = cell[j].back * e
        if u[j] >= cell[j].gap * e:
            fire(piece, cell, u, j, t, e, out, counters)


def begin(piece, cell, u, out, counters):
    """Those that start at the threshold fire at 0 (law S8)."""
    piece.begun = 1
    e = growth(0.0, piece.epoch, piece.tau)
    for j in range(piece.first, piece.last):
        if u[j] >= cell[j].gap * e:
            fire(piece, cell, u, j, 0.0, e, out, counters)


# ---------------------------------------------------------------------------------------------------- epochs, currents
def age(piece, u, flow, stop):
    """A new epoch; where nothing is left to decay, the epoch of `stop`."""
    alive = 0
    for j in range(piece.first, piece.last):
        before = u[j]
        u[j] = aged(before)
        alive += before != u[j]
    piece.epoch += 1
    if alive == 0:
        piece.epoch = max(piece.epoch, epoch_of(stop, piece.tau))
    for d in range(piece.stream, piece.streams):
        flow[d].ready = flow[d].position


def change(cells, piece, breakpoints, t, out, counters):
    """Injected currents change at t; those who then stand at the threshold fire."""
    e = growth(t, piece.epoch, piece.tau)
    soonest = inf
    for j in range(piece.first, piece.last):
        own = cells.cell[j]
        c = own.cursor
        if c < own.line_end and breakpoints.time[c] == t:
            p, s = cells.params[j], cells.state[j]
            s.t, s.e, s.u, s.held = t, e, cells.u[j], cells.u[j] == -inf
            while c < own.line_end and breakpoints.time[c] == t:
                inject(p, s, breakpoints.slot[c], breakpoints.amount[c], breakpoints.slope[c])
                c += 1
            own.cursor = c
            own.gap, own.back = p.theta - s.v_inf, p.reset - s.v_inf
            cells.u[j] = s.u
            if s.u >= own.gap * e:
                fire(piece, cells.cell, cells.u, j, t, e, out, counters)
        piece.alike = piece.alike and own.gap == cells.cell[piece.first].gap
        if c < own.line_end:
            soonest = min(soonest, breakpoints.time[c])
    piece.change = soonest


def record(cells, piece, t, sample):
    """The recorded variables at t: evaluated, not committed."""
    for j in range(piece.first, piece.last):
        column = cells.cell[j].column
        if column >= 0:
            p, s = cells.params[j], cells.state[j]
            s.u, s.epoch, s.held, s.end = cells.u[j], piece.epoch, cells.u[j] == -inf, inf
            for w in range(len(cells.variables)):
                cells.samples[w, sample, column] = value(p, s, t, cells.variables[w])


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


def deliver(cells, piece, wires, row, t, e, out, counters):
    """One row, whose targets nothing else reaches at this instant: judged as it is delivered."""
    u, cell, touched = cells.u, cells.cell, cells.touched
    a, b = row.begin, row.end
    counters[1] += (b - a) * row.count
    counters[2] += b - a
    n = 0
    if row.own or not piece.alike:
        n = add_varied(u, cell, wires, row, a, b, piece.shift, e, touched)
    elif row.weight != 0.0:
        n = add_row(u, wires.target[a:b], piece.shift, row.weight * e, cell[piece.first].gap * e, touched)
    for i in range(n):
        fire(piece, cell, u, touched[i], t, e, out, counters)


# ---------------------------------------------------------------------------------------------------- instants
def note_row(cells, piece, wires, row, n, counters):
    """A row arrives and is not yet judged; how many places have been touched at this instant."""
    a, b = row.begin, row.end
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


def judge(cells, piece, n, t, e, out, counters):
    """What was noted acts: summed by receptor, applied once, judged once (law S5)."""
    u, cell, first = cells.u, cells.cell, cells.sums[0]
    counters[2] += n
    threshold, alike, several = cell[piece.first].gap * e, piece.alike, len(cells.sums) > 1
    for i in range(n):
        j = U64(cells.touched[i])
        total = first[j]
        silent = total == 0.0
        first[j] = NOTHING
        if several:
            for r in range(1, len(cells.sums)):
                total += cells.sums[r, j]
                silent &= cells.sums[r, j] == 0.0
                cells.sums[r, j] = NOTHING
        if not silent:
            v = u[j] + total * e
            u[j] = v
            if v >= (threshold if alike else cell[j].gap * e):
                fire(piece, cell, u, np.int64(j), t, e, out, counters)


def together(cells, piece, wires, drive, queue, q, last, t, e, out, counters):
    """All that acts at one instant: rows q .. last - 1 of the queue and events of streams, in key order.

    A stream's sources stand in a row, and those of one stream never meet in one neuron unless they are one source; so
    the streams' order is theirs.
    """
    n = 0
    for d in range(piece.stream, piece.streams):
        while head(drive, d) == t:
            flow = drive.flow[d]
            j = np.int64(drive.place[d, flow.position])
            flow.position += 1
            if j != flow.trash:
                row = wires.first_row[flow.emitter + j - flow.base]
                while q < last and queue.part[q] < row:
                    n = note_row(cells, piece, wires, wires.part[queue.part[q]], n, counters)
                    q += 1
                n = note_row(cells, piece, wires, wires.part[row], n, counters)
    while q < last:
        n = note_row(cells, piece, wires, wires.part[queue.part[q]], n, counters)
        q += 1
    judge(cells, piece, n, t, e, out, counters)


# ---------------------------------------------------------------------------------------------------- streams
def prime(flow, time, growths, epoch, tau):
    """E of the events before the end of the epoch."""
    end = (epoch + 1) * tau
    first = flow.position
    flow.ready = before(time, first, end)
    times, growths = time[first:flow.ready], growths[first:flow.ready]
    for i in range(len(times)):
        growths[i] = growth(times[i], epoch, tau)


def before(time, first, limit):
    """The number of events before `limit`, of which the first are known to be."""
    low, high = first, len(time)
    while low < high:
        middle = (low + high) // 2
        if time[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


def follow(piece, cell, u, flow, time, place, growths, limit, out, counters):
    """A calm stream's events before `limit`, or before a release that they bring about, or the batch's end."""
    if flow.ready == flow.position:
        prime(flow, time, growths, piece.epoch, piece.tau)
    first = flow.position
    last = min(before(time, first, limit), flow.ready)
    done, reached = first, True
    while reached:
        done, reached = run(u, cell, piece.alike, cell[piece.first].gap, flow.weight, place, growths, done, last)
        if reached:
            j, e, t = np.int64(place[done - 1]), growths[done - 1], time[done - 1]
            fire(piece, cell, u, j, t, e, out, counters)
            last = min(last, before(time, done, next_end(piece, cell)))
    done -= first
    flow.position = first + done
    if not flow.whole:
        for k in range(first, first + done):
            counters[1] -= place[k] == flow.trash
            counters[2] -= place[k] == flow.trash
    counters[1] += done
    counters[2] += done


def run(u, cell, alike, threshold, w, place, growths, first, last):
    """Events first .. last - 1, until one reaches the threshold: how far it came, and whether that one did."""
    places, growing = place[first:last], growths[first:last]
    if alike:
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
        if counters[FIRED] + piece.last - piece.first + len(drive.bits) > len(out.time):
            return -inf
        if flow.calm and not tied:
            follow(piece, cells.cell, cells.u, flow, drive.time[d], drive.place[d], drive.growth[d], limit, out,
                   counters)
        else:
            t = head(drive, d)
            together(cells, piece, wires, drive, queue, 0, 0, t, growth(t, piece.epoch, piece.tau), out, counters)
            tied = False
        limit = min(limit, next_end(piece, cells.cell))
    return limit


# ---------------------------------------------------------------------------------------------------- windows
def live(cells, piece, wires, drive, queue, end, breakpoints, times, out, counters):
    """One piece through one window, its queue from piece.next on; False: there is no more room in `out`."""
    size = piece.last - piece.first
    recorded = len(times) if piece.recorded else 0
    while counters[FIRED] + size + len(drive.bits) <= len(out.time):
        arrival = queue.time[piece.next] if piece.next < piece.stop else inf
        released = next_end(piece, cells.cell)
        epoch = (piece.epoch + 1) * piece.tau
        stop = min(min(min(arrival, released), min(epoch, piece.change)), end)
        due = times[piece.sample] if piece.sample < recorded else inf
        limit = np.nextafter(due, inf) if due < stop else stop
        if not piece.begun:
            begin(piece, cells.cell, cells.u, out, counters)
        elif not run_streams(cells, piece, wires, drive, queue, limit, out, counters):
            pass
        elif due < stop:                          # a right limit (S0): all that happens at that instant has happened
            record(cells, piece, due, piece.sample)
            piece.sample += 1
        elif stop == end:
            piece.soonest = min(next_end(piece, cells.cell), piece.change)
            for d in range(piece.stream, piece.streams):
                piece.soonest = min(piece.soonest, head(drive, d))
            return True
        elif stop == epoch:
            age(piece, cells.u, drive.flow, min(min(arrival, released), min(min(piece.change, due), end)))
        elif stop == released:
            release(piece, cells.cell, cells.u, stop, out, counters)
        elif stop == piece.change:
            change(cells, piece, breakpoints, stop, out, counters)
        else:
            arrive(cells, piece, wires, drive, queue, stop, out, counters)
    return False


def arrive(cells, piece, wires, drive, queue, t, out, counters):
    """The rows that act at t, and what else does."""
    e = growth(t, piece.epoch, piece.tau)
    first = q = piece.next
    alone = True
    while q < piece.stop and queue.time[q] == t:
        part = queue.part[q]
        alone = alone and (q == first or (part == queue.part[q - 1] + 1 and wires.part[part].apart))
        q += 1
    piece.next = q
    for d in range(piece.stream, piece.streams):
        alone = alone and head(drive, d) > t
    if alone:
        for i in range(first, q):
            deliver(cells, piece, wires, wires.part[queue.part[i]], t, e, out, counters)
    else:
        together(cells, piece, wires, drive, queue, first, q, t, e, out, counters)
