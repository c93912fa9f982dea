"""Deals a network out to shards: each has some of the neurons, the synapses onto them, and some of the sources.

Synapses stay where they are: a shard's wiring says which parts of each row are its own.  Who has what decides how fast
a run is, and no bit of its result.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..course import Setup
from ..synapses import Synapses
from .inbox import Wiring
from .link import loop as quick
from .queue import RUN
from .quick import latest

WORTH = 1000.0                     # events per window that are worth a shard of their own
DRAW = 0.2                         # what an event of a random source costs, as a share of what an input costs
GUESS = 0.01                       # spikes per ms of a neuron of which nothing is known
FAIR = 1.1                         # what the busiest shard may have, in units of the mean, if no stream is drawn twice
LARGE = 64                         # neurons per shard from which on a population is dealt out by itself


class Deal(NamedTuple):
    owner: np.ndarray              # (neurons,) int64: the shard of each neuron
    streams: list[np.ndarray]      # of each shard, the numbers of its streams
    shards: int


def deal(setup: Setup, threads: int, width: float, worth: float, direct: np.ndarray) -> Deal:
    """As many shards as there are threads, or fewer where there is little to do in a window.

    direct: (streams,) bool, those that are drawn where their targets are, and so belong to nobody here.
    """
    network, synapses, streams = setup.network, setup.network.synapses, setup.streams.of
    unit = network.tick or 1.0
    if threads == 1:
        return Deal(np.zeros(network.neurons, np.int64), [np.flatnonzero(~direct)], 1)
    drawn = np.array([b.rate / (b.order or 1.0) for b in streams])              # events per ms
    rate = np.zeros(network.emitters)
    rate[network.emitter_of_neuron] = GUESS
    for b, r in zip(streams, drawn, strict=True):
        rate[b.emitter:b.emitter + b.sources] += r / b.sources
    if len(setup.trains.emitter):
        rate += np.bincount(setup.trains.emitter, minlength=network.emitters) / max(setup.until * unit, 1e-3)
    work = latest(network.kept, "arrivals", rate, lambda: arriving(synapses, rate, network.neurons)).copy()
    drawing = np.where(direct, 0.0, DRAW * drawn)
    total = work.sum() + drawing.sum()
    shards = min(threads, network.neurons)
    if worth > 0.0:
        shards = min(shards, max(1, int(total * width * unit / worth)))
    ranges = [reached(setup, k) for k in np.flatnonzero(direct).tolist()]
    for (first, last), r in zip(ranges, drawn[direct], strict=True):
        work[first:last] += DRAW * r / (last - first)
    if ranges:
        owner = by_blocks(setup, ranges, work, shards)
        if len(owner):
            return Deal(owner, [np.flatnonzero(~direct)[k::shards] for k in range(shards)], shards)
    mine: list[list[int]] = [[] for _ in range(shards)]
    busy = np.zeros(shards)
    for k in np.argsort(-drawing, kind="stable"):                   # the largest first, to whoever has least
        if direct[k]:
            continue
        least = int(np.argmin(busy))
        mine[least].append(int(k))
        busy[least] += drawing[k]
    spare = np.maximum(total / shards - busy, 1e-3 * work.sum())
    return Deal(owners(setup, work, np.cumsum(spare)[:-1] / spare.sum(), shards),
                [np.array(sorted(m), np.int64) for m in mine], shards)


def reached(setup: Setup, stream: int) -> tuple[int, int]:
    """The neurons first .. last - 1 that a direct stream drives."""
    b, s = setup.streams.of[stream], setup.network.synapses
    first = int(s.target[s.first[s.first_row[b.emitter]]])
    return first, first + int(b.sources)


def by_blocks(setup: Setup, ranges: Sequence[tuple[int, int]], work: np.ndarray, shards: int) -> np.ndarray:
    """Owners such that no stream is drawn twice, if that is fair enough; else nothing."""
    cuts = np.unique([0, setup.network.neurons, *(p.neuron for p in setup.network.populations if p.kind == "neuron"),
                      *(end for both in ranges for end in both)])
    loads = np.add.reduceat(work, cuts[:-1])
    busy, owner = np.zeros(shards), np.zeros(len(loads), np.int64)
    for block in np.argsort(-loads, kind="stable"):                  # the largest first, to whoever has least
        owner[block] = np.argmin(busy)
        busy[owner[block]] += loads[block]
    every = np.repeat(owner, np.diff(cuts))
    if busy.max() > FAIR * busy.mean():
        return every[:0]
    for p in setup.network.populations:                              # a row's part has no gap: see `count_parts`
        if p.kind == "neuron":
            mine = every[p.neuron:p.neuron + p.size]
            if np.count_nonzero(np.diff(mine)) + 1 > len(np.unique(mine)):
                return every[:0]
    return every


def owners(setup: Setup, work: np.ndarray, cuts: np.ndarray, shards: int) -> np.ndarray:
    """Every large population is cut at these fractions of its work; so are the small ones of a group, in a row."""
    owner = np.zeros(setup.network.neurons, np.int64)
    pools: dict[Any, list[np.ndarray]] = {}
    for p in setup.network.populations:
        if p.kind == "neuron":
            large = p.size >= LARGE * shards
            pools.setdefault((p.group, p.name if large else None), []).append(p.neuron + np.arange(p.size))
    for pool in pools.values():
        neurons = np.concatenate(pool)
        done = np.cumsum(work[neurons])
        owner[neurons] = np.searchsorted(cuts, (done - 0.5 * work[neurons]) / done[-1], side="right")
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
    work = len(s.target)
    places = np.zeros(of.shards + 1, np.int64)
    quick(count_parts, work)(s.first, s.spread, s.target, of.owner, places[1:])
    places = np.cumsum(places)
    first_row = np.empty((of.shards, network.emitters + 1), np.int64)
    row, begin, end = np.empty((3, places[-1]), np.int64)
    quick(cut_rows, work)(s.first_row, s.first, s.spread, s.target, of.owner, places[:-1].copy(), first_row, row, begin,
                          end)
    return [Wiring(first_row[k], row[a:b], begin[a:b], end[a:b], s.delay[row[a:b]],
                   runs(s, row[a:b], first_row[k], begin[a:b], group), of.owner == k, *rest)
            for k, (a, b) in enumerate(pairwise(places))]


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


def count_parts(first, spread, target, owner, parts):
    """Add to each shard's number of parts: of rows, each without a break, that lead to it; of a row with own delays,
    all or nothing."""
    seen = np.full(len(parts), -1)
    for r in range(len(first) - 1):
        before = -1
        for k in range(first[r], first[r + 1]):
            shard = owner[target[k]]
            if shard != before and (spread[r] < 0 or seen[shard] != r):
                parts[shard] += 1
                seen[shard] = r
            before = shard


def cut_rows(first_row, first, spread, target, owner, place, own_first_row, row, begin, end):
    """Those parts, by shard.  place: where each shard's begin, then end."""
    start = place.copy()
    seen = np.full(len(place), -1)
    for e in range(len(first_row)):
        for shard in range(len(place)):
            own_first_row[shard, e] = place[shard] - start[shard]
        if e == len(first_row) - 1:
            break
        for r in range(first_row[e], first_row[e + 1]):
            before = -1
            for k in range(first[r], first[r + 1]):
                shard = owner[target[k]]
                if shard != before and (spread[r] < 0 or seen[shard] != r):
                    row[place[shard]] = r
                    begin[place[shard]] = k if spread[r] < 0 else first[r]
                    place[shard] += 1
                    seen[shard] = r
                end[place[shard] - 1] = k + 1 if spread[r] < 0 else first[r + 1]
                before = shard


def together(calls: Sequence[Callable[[], Any]], break_off: Callable[[], None]) -> list[Any]:
    """What the calls return: the first runs in this thread, each other in one of its own.

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

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(1, len(calls))]
    try:
        for thread in threads:
            thread.start()
        run(0)
    except BaseException as error:
        errors.append(error)
        break_off()
    for thread in threads:
        if thread.ident is not None:
            thread.join()
    if errors:
        raise errors[0]
    return results
