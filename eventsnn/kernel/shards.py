"""Deals a network out to shards, each with some of the neurons, the synapses onto them, and some of the sources; the
pieces of the specialised kernels are everybody's (see `pool.py`), and so are the synapses onto those.

Synapses stay where they are: a shard's wiring says which parts of each row are its own.  Who has what decides how fast
a run is, and no bit of its result.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..course import Setup
from ..synapses import Synapses
from .inbox import Wiring
from .link import loop as quick
from .queue import RUN
from .quick import Plan, latest, pieces

WORTH = 1000.0                     # events per window that are worth a shard of their own
DRAW = 0.2                         # what an event of a random source costs, as a share of what an input costs
GUESS = 0.01                       # spikes per ms of a neuron of which nothing is known
SHARE = 0.8                        # of what each shard has to do, the most for a piece; it is cut into smaller ones
LARGE = 64                         # neurons per shard from which on a population is dealt out by itself
EVERYBODY = -1


class Deal(NamedTuple):
    owner: np.ndarray              # (neurons,) int64: the shard of each neuron, or EVERYBODY
    streams: list[np.ndarray]      # of each shard, the numbers of its streams
    shards: int
    cuts: np.ndarray               # neurons at which pieces are cut, besides where they always are
    load: float                    # events of a window in everybody's pieces, about


def deal(setup: Setup, threads: int, width: float, worth: float, chosen: Plan) -> Deal:
    """As many shards as there are threads, or fewer where there is little to do in a window.

    Streams that are drawn where their targets are belong to nobody here.
    """
    network, synapses, streams, direct = setup.network, setup.network.synapses, setup.streams.of, chosen.stream
    unit = network.tick or 1.0
    drawn = streams.rate / np.where(streams.order > 0.0, streams.order, 1.0)     # events per ms
    shards, work, total = min(threads, network.neurons), np.empty(0), 0.0
    if shards > 1:
        rate = np.zeros(network.emitters)
        rate[network.emitter_of_neuron] = GUESS
        for b, r in zip(streams, drawn, strict=True):
            rate[b.emitter:b.emitter + b.sources] += r / b.sources
        if len(setup.trains.emitter):
            rate += np.bincount(setup.trains.emitter, minlength=network.emitters) / max(setup.until * unit, 1e-3)
        work = latest(network.kept, "arrivals", rate, lambda: arriving(synapses, rate, network.neurons)).copy()
        total = work.sum() + DRAW * drawn.sum()
        if worth > 0.0:
            shards = min(shards, max(1, int(total * width * unit / worth)))
    if shards == 1:
        return Deal(np.zeros(network.neurons, np.int64), [np.flatnonzero(~direct)], 1, np.empty(0, np.int64), 0.0)
    ranges = [reached(setup, k) for k in np.flatnonzero(direct).tolist()]
    for (first, last), r in zip(ranges, drawn[direct], strict=True):
        work[first:last] += DRAW * r / (last - first)
    shared, drawing = chosen.group >= 0, np.where(direct, 0.0, DRAW * drawn)
    mine: list[list[int]] = [[] for _ in range(shards)]
    busy = np.zeros(shards)
    for k in np.argsort(-drawing, kind="stable"):                   # the largest first, to whoever has least
        if not direct[k]:
            least = int(np.argmin(busy))
            mine[least].append(int(k))
            busy[least] += drawing[k]
    spare = np.maximum(total / shards - busy, 1e-3 * work.sum())
    owner = owners(setup, work, np.cumsum(spare)[:-1] / spare.sum(), shards, shared)
    edges = np.unique([*(end for both in pieces(network) for end in both), *(end for both in ranges for end in both)])
    return Deal(owner, [np.array(sorted(m), np.int64) for m in mine], shards,
                cuts(edges, work * shared, SHARE * total / shards), float(work[shared].sum() * width * unit))


def reached(setup: Setup, stream: int) -> tuple[int, int]:
    """The neurons first .. last - 1 that a direct stream drives."""
    b, s = setup.streams.of[stream], setup.network.synapses
    first = int(s.target[s.first[s.first_row[b.emitter]]])
    return first, first + int(b.sources)


def cuts(edges: np.ndarray, work: np.ndarray, most: float) -> np.ndarray:
    """These edges, between which no stream is drawn twice, and more where there is more than `most` to do."""
    found = [edges]
    for a, b in pairwise(edges.tolist()):
        parts = min(b - a, int(np.ceil(work[a:b].sum() / most)))
        found.append(a + (b - a) * np.arange(1, parts) // max(parts, 1))
    return np.unique(np.concatenate(found))


def owners(setup: Setup, work: np.ndarray, cuts: np.ndarray, shards: int, shared: np.ndarray) -> np.ndarray:
    """Every large population is cut at these fractions of its work; so are the small ones of a group, in a row."""
    owner = np.full(setup.network.neurons, EVERYBODY)
    pools: dict[Any, list[np.ndarray]] = {}
    for p in setup.network.populations:
        if p.kind == "neuron":
            mine = p.neuron + np.flatnonzero(~shared[p.neuron:p.neuron + p.size])
            large = p.size >= LARGE * shards
            pools.setdefault((p.group, p.name if large else None), []).append(mine)
    for pool in pools.values():
        neurons = np.concatenate(pool)
        done = np.cumsum(work[neurons])
        owner[neurons] = np.searchsorted(cuts, (done - 0.5 * work[neurons]) / done[-1:], side="right")
    return owner


def arriving(synapses: Synapses, rate: np.ndarray, neurons: int) -> np.ndarray:
    """How many inputs each neuron can expect per ms, if each emitter has this rate."""
    work = np.full(neurons, GUESS)
    quick(arrivals, len(synapses.target))(synapses.first_row, synapses.first, synapses.target, rate, work)
    return work


def arrivals(first_row, first, target, rate, work):
    """Add to each neuron's work how many inputs it can expect per ms."""
    for e in range(len(first_row) - 1):
        for k in range(first[first_row[e]], first[first_row[e + 1]]):
            work[target[k]] += rate[e]


def wirings(setup: Setup, of: Deal, group: np.ndarray) -> list[Wiring]:
    """Each shard's wiring.  group: (neurons,), of those that specialised kernels serve, else -1."""
    s, network = setup.network.synapses, setup.network
    rest = (s.first, *s[3:12], network.neurons, max(1, *(p.receptors for p in network.populations)))
    if of.shards == 1:
        return [Wiring(s.first_row, np.arange(len(s.delay)), s.first[:-1], s.first[1:], s.delay,
                       runs(s, np.arange(len(s.delay)), s.first_row, s.first[:-1], group),
                       np.ones(network.neurons, np.bool_), *rest)]
    block = np.searchsorted(of.cuts, np.arange(network.neurons), side="right")
    made: list[Wiring] = []
    for shard in range(of.shards):
        mine = (of.owner == shard) | (of.owner == EVERYBODY)
        if made and np.array_equal(mine, made[-1].mine):
            made.append(made[-1])
            continue
        home = np.where(mine, block, -1)
        parts = quick(count_parts, len(s.target))(s.first, s.spread, s.target, home)
        first_row, (row, begin, end) = np.empty(network.emitters + 1, np.int64), np.empty((3, parts), np.int64)
        quick(cut_rows, len(s.target))(s.first_row, s.first, s.spread, s.target, home, first_row, row, begin, end)
        made.append(Wiring(first_row, row, begin, end, s.delay[row], runs(s, row, first_row, begin, group), mine,
                           *rest))
    return made


def runs(s: Synapses, row: np.ndarray, first_row: np.ndarray, begin: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Where the run of each part ends: up to RUN parts of one emitter, delay and specialised kernel."""
    parts = np.arange(len(row))
    emitter = np.repeat(np.arange(len(first_row) - 1), np.diff(first_row))
    of = group[s.target[begin]] if len(row) else parts
    same = (np.diff(emitter) == 0) & (np.diff(s.delay[row]) == 0.0) & (np.diff(of) == 0) & (of[1:] >= 0) & (
        s.spread[row[1:]] < 0) & (s.spread[row[:-1]] < 0)
    begins = np.append(True, ~same)[:len(row)]
    start = np.maximum.accumulate(np.where(begins, parts, 0))
    begins |= (parts - start) % RUN == 0
    ends = np.append(np.flatnonzero(begins)[1:], len(row)) if len(row) else parts
    return np.repeat(ends, np.diff(np.append(np.flatnonzero(begins), len(row))))


def count_parts(first, spread, target, home):
    """Into how many parts rows fall, each without a break and with one home (-1: none); a row with own delays is there
    as a whole, or not at all."""
    parts = 0
    for r in range(len(first) - 1):
        before, whole = -1, False
        for k in range(first[r], first[r + 1]):
            here = home[target[k]]
            if here >= 0 and here != before and not whole:
                parts += 1
                whole = spread[r] >= 0
            before = here
    return parts


def cut_rows(first_row, first, spread, target, home, own_first_row, row, begin, end):
    """Those parts."""
    n = 0
    for e in range(len(first_row) - 1):
        own_first_row[e] = n
        for r in range(first_row[e], first_row[e + 1]):
            before, whole = -1, False
            for k in range(first[r], first[r + 1]):
                here = home[target[k]]
                if here >= 0 and not whole:
                    if here != before:
                        whole = spread[r] >= 0
                        row[n] = r
                        begin[n] = first[r] if whole else k
                        n += 1
                    end[n - 1] = first[r + 1] if whole else k + 1
                before = here
    own_first_row[len(first_row) - 1] = n


def together(calls: Sequence[Callable[[], Any]], break_off: Callable[[], None], crew: Executor) -> list[Any]:
    """What the calls return: the first runs in this thread, each other in one of the crew's.

    The first error in time is raised when all have ended; `break_off` then tells those that wait for others.
    """
    results: list[Any] = [None] * len(calls)
    errors: list[BaseException] = []

    def run(k: int) -> None:
        try:
            results[k] = calls[k]()
        except BaseException as error:
            errors.append(error)
            break_off()

    others = []
    try:
        others = [crew.submit(run, k) for k in range(1, len(calls))]
        run(0)
    except BaseException as error:
        errors.append(error)
        break_off()
    wait(others)
    if errors:
        raise errors[0]
    return results


def merged(lists: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Times and emitters of shards, each in order, as one such list."""
    first = lists[0]
    for other in lists[1:]:
        n = len(first[0]) + len(other[0])
        both = np.empty(n), np.empty(n, np.int64)
        quick(merge, n)(*first, *other, *both)
        first = both
    return first


def merge(time, emitter, other_time, other_emitter, both_time, both_emitter):
    i = j = 0
    for k in range(len(both_time)):
        if j == len(other_time) or (i < len(time) and (time[i] < other_time[j] or (
                time[i] == other_time[j] and emitter[i] < other_emitter[j]))):
            both_time[k], both_emitter[k] = time[i], emitter[i]
            i += 1
        else:
            both_time[k], both_emitter[k] = other_time[j], other_emitter[j]
            j += 1
