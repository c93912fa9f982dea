"""The table of synapses: from projections (who, with what) to rows, at a few bytes a synapse.

Two passes over each edge's rule, chunk by chunk: how many synapses each emitter has (`counted`, while the graph is
read), then each into its emitter's block (`filled`), edge after edge.  `rows.py` then makes rows of each block, in
place.  Nothing ever holds the pairs of a whole edge.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .columns import Column, levels
from .errors import Mistake
from .kernel.link import link, loop
from .network import Synapses, ids
from .rows import EXACT, FEW, ONE, SPREAD, Edges, Raw, Rows, finish, scratch
from .rules import Pattern
from .values import at

PIECE = 1 << 16              # neurons whose state a kernel keeps in the L2 cache
SHORT = 32                   # targets that a row should have left when neurons are cut into pieces
SMALL = 1 << 16              # own values that are not worth a second type: kernels are compiled once more for each
BATCH = 1 << 18              # synapses that become rows at once


class Projection(NamedTuple):
    """The synapses of one edge."""

    pattern: Pattern
    counts: np.ndarray           # (emitters of the population in front,) int64: how many each has
    emitter: int                 # number of the first of them
    neuron: int                  # id of the first neuron of the population behind
    weight: Column
    delay: Column
    receptor: int
    place: str = ""              # for error messages


def counted(pattern: Pattern, pre: int) -> np.ndarray:
    """How many synapses each source has."""
    counts = np.zeros(pre, np.int64)
    for k in range(pattern.chunks):
        source = pattern.chunk(k)[0]
        if len(source) < 5000:
            counts += np.bincount(source, minlength=pre)
        else:
            link(tally)(source, counts)
    return counts


def tally(source, counts):
    for i in range(len(source)):
        counts[source[i]] += 1


def put(source, place, values, out):
    """Append each value to its source's block."""
    for i in range(len(source)):
        k = place[source[i]]
        out[k] = values[i]
        place[source[i]] = k + 1


def synapses(projections: Sequence[Projection], emitters: int, borders: np.ndarray, merge: bool) -> Synapses:
    """The table.  borders: (populations + 1,) where the populations of neurons begin, and the number of neurons.

    Law S5: multapses of one edge with equal source, target, delay and receptor become one synapse, their weights summed
    in the rule's order, unless `merge` is False.
    """
    projections = sorted(projections, key=lambda p: p.emitter)                 # stable: in edge order
    found = []
    for p in projections:
        with at(p.place):
            found.append(levels(p.delay, int(p.counts.sum())) if p.delay.own else np.empty(0))
    kinds = np.array([ONE if p.delay.own is None else SPREAD if f is None else FEW
                      for p, f in zip(projections, found, strict=True)], np.int64)
    few = [np.empty(0) if f is None else f for f in found]
    pieces, cut = cuts(projections, kinds, few, borders)
    edges = Edges.of(projections, kinds, few, cut)
    own = [p for p in projections if p.weight.own]
    spread = [p for p, kind in zip(projections, kinds, strict=True) if kind == SPREAD]
    narrow = all(p.weight.narrow for p in own) and sum(int(p.counts.sum()) for p in own) >= SMALL
    types = (np.float32 if narrow else np.float64,
             np.float32 if all(p.delay.narrow for p in spread) and sum(int(p.counts.sum()) for p in spread) >= SMALL
             else np.float64)
    try:
        table, exact = built(projections, edges, few, emitters, pieces, types, merge)
        if not exact:                    # a sum of given weights is no float32 number
            table, _ = built(projections, edges, few, emitters, pieces, (np.float64, types[1]), merge)
    except MemoryError:
        number = sum(int(p.counts.sum()) for p in projections)
        raise Mistake(f"{number:,} synapses do not fit into the memory: {5e-9 * number:.3g} GB and more") from None
    return table


def cuts(projections: Sequence[Projection], kinds: np.ndarray, few: Sequence[np.ndarray],
         borders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the neurons are cut into pieces, and the length of each projection's pieces.

    A population is cut at multiples of PIECE unless the rows that lead into it would be left with less than SHORT
    targets on average.
    """
    bounds = list(pairwise(borders.tolist()))
    size = {first: end - first for first, end in bounds}
    count, rows = dict.fromkeys(size, 0), dict.fromkeys(size, 0.0)
    for p, kind, f in zip(projections, kinds, few, strict=True):
        if kind != SPREAD:
            number, strands = int(p.counts.sum()), int(np.count_nonzero(p.counts)) * max(len(f), 1)
            count[p.neuron] += number
            rows[p.neuron] += min(-(-size[p.neuron] // PIECE) * strands, max(number, strands))
    length = {n: PIECE if count[n] >= SHORT * rows[n] else max(size[n], 1) for n in size}
    pieces = [n for first, end in bounds for n in range(first, end, length[first])]
    return np.array([*pieces, borders[-1]], np.int64), np.array([length[p.neuron] for p in projections], np.int64)


def built(projections: Sequence[Projection], edges: Edges, few: Sequence[np.ndarray], emitters: int,
          pieces: np.ndarray, types: tuple[type, type], merge: bool) -> tuple[Synapses, bool]:
    """The table, and whether every weight is exact in it."""
    first = starts(projections, emitters)
    work = int(first[-1])
    raw = filled(projections, edges.kind, few, emitters, (ids(int(pieces[-1])), *types), work)
    rows, cursor = Rows.empty(), np.zeros(EXACT + 1, np.int64)
    cursor[EXACT] = 1
    room = scratch(int(np.diff(first).max(initial=0)), edges)
    first_row = np.zeros(emitters + 1, np.int64)
    make = loop(finish, work)
    step = min(max(work // 64, 1 << 12), BATCH)
    low = 0
    while low < len(projections):
        p = projections[low]
        high = low + 1
        while high < len(projections) and projections[high].emitter == p.emitter:
            high += 1
        a, end = p.emitter, p.emitter + len(p.counts)
        while a < end:
            b = min(max(a + 1, int(np.searchsorted(first, first[a] + step, side="right")) - 1), end)
            rows.reserve(int(cursor[0] + first[b] - first[a]))
            make(rows, raw, edges, room, cursor, (low, high, a, b), first_row, merge)
            a = b
        low = high
    n, targets, weights, delays = cursor[:4].tolist()
    for array, length in zip((*rows, raw.target, raw.weights, raw.delays), (n + 1, *7 * [n], targets, weights, delays),
                             strict=True):
        array.resize(length, refcheck=False)                   # in place: these are the largest arrays there are
    rows.first[n] = targets
    return Synapses(np.cumsum(first_row), *rows, raw.target, raw.weights, raw.delays, pieces), bool(cursor[EXACT])


def starts(projections: Sequence[Projection], emitters: int) -> np.ndarray:
    """Where each emitter's block of these projections begins: (emitters + 1,) int64."""
    first = np.zeros(emitters + 1, np.int64)
    for p in projections:
        first[p.emitter + 1:p.emitter + 1 + len(p.counts)] += p.counts
    return np.cumsum(first, out=first)


def filled(projections: Sequence[Projection], kinds: np.ndarray, few: Sequence[np.ndarray], emitters: int,
           types: tuple[type, type, type], work: int) -> Raw:
    """Every synapse in its emitter's block: by edge, then in the rule's order."""
    spread, by_level = ([p for p, kind in zip(projections, kinds, strict=True) if kind == which]
                        for which in (SPREAD, FEW))
    places = [starts(mine, emitters) for mine in (projections, [p for p in projections if p.weight.own], spread,
                                                  by_level)]
    raw = Raw(*(np.empty(int(place[-1]), kind) for place, kind in
                zip(places, (*types, np.uint8), strict=True)))
    insert = loop(put, work)
    for p, kind, f in zip(projections, kinds, few, strict=True):
        place = [whole[p.emitter:p.emitter + len(p.counts)] for whole in places]
        first = 0
        with at(p.place):
            for k in range(p.pattern.chunks):
                source, target = p.pattern.chunk(k)
                insert(source, place[0], target + np.int32(p.neuron), raw.target)
                if p.weight.own:
                    insert(source, place[1], p.weight.of(first, len(source)).astype(types[1], copy=False), raw.weights)
                if kind == SPREAD:
                    insert(source, place[2], p.delay.of(first, len(source)).astype(types[2], copy=False), raw.delays)
                elif kind == FEW:
                    insert(source, place[3], np.searchsorted(f, p.delay.of(first, len(source))).astype(np.uint8),
                           raw.level)
                first += len(source)
    return raw
