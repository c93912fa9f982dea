"""Rows of an emitter's synapses: from its block, edge by edge in the rules' order, to what `Synapses` promises.

A block is copied out, put into the order (delay, edge, target) and written back as rows: by piece of the neurons, then
by the number of merged multapses.  What is written never passes what has been read.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .rng import U64

ONE, FEW, SPREAD = 0, 1, 2       # an edge's delays: one, some few different ones, each synapse's own
ROW, TARGET, WEIGHT, DELAY, LEVEL = 0, 1, 2, 3, 4            # how many have been written,
READ, EXACT = 4, 9               # (READ + TARGET, ...) how many have been read, and whether all sums are exact
CROWD = 32                       # synapses of nearly one delay that are sorted one by one


class Raw(NamedTuple):
    """Columns of all synapses, by emitter.  Rows are written back into the first three."""

    target: np.ndarray           # see `network.ids`
    weights: np.ndarray          # of the edges whose synapses have their own
    delays: np.ndarray           # of the edges of kind SPREAD
    level: np.ndarray            # uint8, of those of kind FEW: which of the edge's delays


class Rows(NamedTuple):
    """As in `Synapses`."""

    first: np.ndarray
    delay: np.ndarray
    weight: np.ndarray
    receptor: np.ndarray
    count: np.ndarray            # type: ignore[assignment]
    varied: np.ndarray
    spread: np.ndarray
    apart: np.ndarray

    @classmethod
    def empty(cls) -> "Rows":
        return cls(*(np.empty(0, kind) for kind in ("i8", "f8", "f8", "u1", "i4", "i8", "i8", "?")))

    def reserve(self, n: int) -> None:
        """Room for n rows, without a copy where the system can move pages."""
        if n > len(self.first):
            for array in self:
                array.resize(max(n, len(array) * 5 // 4), refcheck=False)


class Edges(NamedTuple):
    """What `finish` must know of each projection; they stand by emitter, then in edge order."""

    emitter: np.ndarray          # int64: its first
    begin: np.ndarray            # int64: where its emitters' counts begin in `counts`
    counts: np.ndarray           # int64
    kind: np.ndarray             # int64
    delay: np.ndarray            # float64: of kind ONE
    level: np.ndarray            # int64: where the delays of kind FEW begin in `levels`
    levels: np.ndarray           # float64
    weight: np.ndarray           # float64: where all have one
    own: np.ndarray              # bool: synapses have their own weights
    drawn: np.ndarray            # bool: those were drawn, so their sums are rounded as they were
    receptor: np.ndarray         # uint8
    ascending: np.ndarray        # bool: each source's targets come in ascending order
    neuron: np.ndarray           # int64: first of the population behind
    cut: np.ndarray              # int64: its pieces' length

    @classmethod
    def of(cls, projections: Sequence[Any], kind: np.ndarray, few: Sequence[np.ndarray],
           cut: np.ndarray) -> "Edges":
        def each(values: Any, dtype: Any) -> np.ndarray:
            return np.array(list(values), dtype)

        return cls(each((p.emitter for p in projections), np.int64),
                   np.cumsum([0, *(len(p.counts) for p in projections)])[:-1].astype(np.int64),
                   np.concatenate([np.empty(0, np.int64), *(p.counts for p in projections)]),
                   kind, each((p.delay.one for p in projections), np.float64),
                   np.cumsum([0, *map(len, few)])[:-1].astype(np.int64), np.concatenate([np.empty(0), *few]),
                   each((p.weight.one for p in projections), np.float64),
                   each((p.weight.own is not None for p in projections), np.bool_),
                   each((p.weight.drawn for p in projections), np.bool_),
                   each((p.receptor for p in projections), np.uint8),
                   each((p.pattern.ascending for p in projections), np.bool_),
                   each((p.neuron for p in projections), np.int64), cut)


class Scratch(NamedTuple):
    """Room for the largest block; columns that no projection needs are empty."""

    target: np.ndarray           # int32
    delay: np.ndarray            # float64
    weight: np.ndarray           # float64
    order: np.ndarray            # int64 (2, n + 1)
    spare_target: np.ndarray     # int32
    spare: np.ndarray            # float64
    strand_delay: np.ndarray     # float64
    strand_edge: np.ndarray      # int32
    strand_end: np.ndarray       # int64
    strand_order: np.ndarray     # int64 (2, strands)


def scratch(block: int, edges: Edges) -> Scratch:
    alike = not (edges.kind != ONE).any()
    sorting = 0 if alike and edges.ascending.all() else block
    strands = len(edges.kind) if alike else len(edges.kind) + block
    return Scratch(np.empty(block, np.int32), np.empty(0 if alike else block),
                   np.empty(block if edges.own.any() else 0), np.empty((2, sorting + 1), np.int64),
                   np.empty(sorting, np.int32), np.empty(sorting), np.empty(strands), np.empty(strands, np.int32),
                   np.empty(strands + 1, np.int64), np.empty((2, strands), np.int64))


def finish(rows, raw, edges, room, cursor, span, first_row, merge):
    """Rows of the emitters a .. b - 1, which have the projections low .. high - 1."""
    low, high, a, b = span
    for emitter in range(a, b):
        before = cursor[ROW]
        strands = load(raw, edges, room, cursor, low, high, emitter)
        order = room.strand_order[0]
        for i in range(strands):
            order[i] = i
        order = merge_sort(order, room.strand_order[1], strands, room.strand_delay, room.strand_edge)
        for i in range(strands):
            k = order[i]
            begin = 0 if k == 0 else room.strand_end[k - 1]
            write_strand(rows, raw, edges, room, cursor, begin, room.strand_end[k], room.strand_edge[k],
                         room.strand_delay[k], merge)
        first_row[emitter + 1] = cursor[ROW] - before


def load(raw, edges, room, cursor, low, high, emitter):
    """Copy the emitter's block, each edge's synapses by delay and target, into strands of one edge and delay; how many.

    A strand of kind SPREAD holds all of an edge, and its delay is the least.
    """
    end, strands = 0, 0
    for edge in range(low, high):
        n = edges.counts[edges.begin[edge] + emitter - edges.emitter[edge]]
        if n == 0:
            continue
        begin, end, kind, own = end, end + n, edges.kind[edge], edges.own[edge]
        copy(room.target, begin, raw.target, cursor[READ + TARGET], n)
        cursor[READ + TARGET] += n
        if own:
            copy(room.weight, begin, raw.weights, cursor[READ + WEIGHT], n)
            cursor[READ + WEIGHT] += n
        if kind == ONE:
            if not edges.ascending[edge]:
                sort_block(room, begin, end, False, own)
            room.strand_delay[strands] = edges.delay[edge]
            room.strand_edge[strands] = edge
            room.strand_end[strands] = end
            strands += 1
            continue
        if kind == FEW:
            at = cursor[READ + LEVEL] - begin
            for i in range(begin, end):
                room.delay[i] = edges.levels[edges.level[edge] + raw.level[at + i]]
            cursor[READ + LEVEL] += n
        else:
            copy(room.delay, begin, raw.delays, cursor[READ + DELAY], n)
            cursor[READ + DELAY] += n
        sort_block(room, begin, end, True, own)
        for i in range(begin, end):
            if i == begin or (kind == FEW and room.delay[i] != room.delay[i - 1]):
                room.strand_delay[strands] = room.delay[i]
                room.strand_edge[strands] = edge
                strands += 1
            room.strand_end[strands - 1] = i + 1
    return strands


def sort_block(room, begin, end, by_delay, own):
    """Put synapses into the order of (delay, target), stably."""
    n = end - begin
    ordered = True
    for i in range(begin + 1, end):
        if by_delay and room.delay[i] != room.delay[i - 1]:
            ordered = ordered and room.delay[i] > room.delay[i - 1]
        else:
            ordered = ordered and room.target[i] >= room.target[i - 1]
    if ordered:
        return
    for i in range(begin, end):
        room.spare_target[i] = room.target[i]
        room.spare[i] = room.delay[i] if by_delay else np.float64(room.target[i])
    order = room.order[0]
    if distribute(order, room.order[1], begin, n, room.spare) <= CROWD:
        insertion_sort(order, n, room.spare, room.spare_target)
    else:
        order = merge_sort(order, room.order[1], n, room.spare, room.spare_target)
    for i in range(n):
        room.target[begin + i] = room.spare_target[order[i]]
        if by_delay:
            room.delay[begin + i] = room.spare[order[i]]
    if own:
        for i in range(begin, end):
            room.spare[i] = room.weight[i]
        for i in range(n):
            room.weight[begin + i] = room.spare[order[i]]


def distribute(order, place, begin, n, major):
    """The numbers begin .. begin + n - 1 by n even intervals of `major`, stably, into `order`; the most in one."""
    low, high = major[begin], major[begin]
    for i in range(begin, begin + n):
        low, high = min(low, major[i]), max(high, major[i])
    scale = (n - 1) / (high - low) if high > low else 0.0
    for k in range(n + 1):
        place[k] = 0
    for i in range(begin, begin + n):
        place[int((major[i] - low) * scale) + 1] += 1
    most = 0
    for k in range(n):
        most = max(most, place[k + 1])
        place[k + 1] += place[k]
    for i in range(begin, begin + n):
        k = int((major[i] - low) * scale)
        order[place[k]] = i
        place[k] += 1
    return most


def insertion_sort(order, n, major, minor):
    """The first n entries of `order`, stably sorted by (major, minor), where few are far from their places."""
    for i in range(1, n):
        x = order[i]
        d, t = major[x], minor[x]
        k = i
        while k > 0 and (d < major[order[k - 1]] or (d == major[order[k - 1]] and t < minor[order[k - 1]])):
            order[k] = order[k - 1]
            k -= 1
        order[k] = x


def merge_sort(order, other, n, major, minor):
    """The first n entries of `order`, stably sorted by (major, minor): natural merge sort between two arrays."""
    while n > 1:
        start = 0
        while start < n:
            middle = run_end(order, start, n, major, minor)
            end = run_end(order, middle, n, major, minor) if middle < n else n
            if start == 0 and middle == n:
                return order
            a, b = start, middle
            for k in range(start, end):
                if b >= end or (a < middle and not precedes(order[b], order[a], major, minor)):
                    other[k] = order[a]
                    a += 1
                else:
                    other[k] = order[b]
                    b += 1
            start = end
        order, other = other, order
    return order


def precedes(x, y, major, minor):
    return major[x] < major[y] or (major[x] == major[y] and minor[x] < minor[y])


def run_end(order, start, n, major, minor):
    """Where the ascending run that begins at `start` ends."""
    k = start + 1
    while k < n and not precedes(order[k], order[k - 1], major, minor):
        k += 1
    return k


def copy(out, at, values, begin, n):
    """out[at:at + n] = values[begin:begin + n].  (Unsigned indices: LLVM makes vector instructions of such a loop.)"""
    to, start = U64(at), U64(begin)
    for i in range(U64(n)):
        out[to + i] = values[start + i]


def piece_end(target, begin, end, limit):
    """Where the targets from `begin` on reach the limit, or the end; and how many equal the one before."""
    repeated, k = 0, U64(begin + 1)
    while k < U64(end) and target[k] < limit:
        repeated += target[k] == target[k - U64(1)]
        k += U64(1)
    return np.int64(k), repeated


def write_strand(rows, raw, edges, room, cursor, begin, end, edge, delay, merge):
    """Rows of synapses of one edge and delay: by piece, then by the number of copies of a target.

    merge: a row for each number of copies that occurs, their weights summed in order.  Else a row of all first copies,
    one of the second ones, ...  (One function, because handing the arrays on costs more than a row.)
    """
    spread, own, first, cut = edges.kind[edge] == SPREAD, edges.own[edge], edges.neuron[edge], edges.cut[edge]
    target, delays, weights = room.target, room.delay, room.weight
    start, length = np.empty(0, np.int64), np.empty(0, np.int64)       # runs of copies
    a, begun = begin, False
    while a < end:
        b, repeated = end, 0
        if not spread:
            b, repeated = piece_end(target, a, end, first + ((target[a] - first) // cut + 1) * cut)
        elif merge:
            for i in range(a + 1, b):
                repeated += target[i] == target[i - 1] and delays[i] == delays[i - 1]
        if repeated > len(start):
            start, length = np.empty(2 * repeated, np.int64), np.empty(2 * repeated, np.int64)
        copies, runs, weight = 1, 0, edges.weight[edge]
        while copies == 1 or runs > 0:
            n, w, d = cursor[TARGET], cursor[WEIGHT], cursor[DELAY]
            picked = 0
            if repeated == 0:
                picked = b - a
                copy(raw.target, n, target, a, picked)
                if own:
                    copy(raw.weights, w, weights, a, picked)
                if spread:
                    copy(raw.delays, d, delays, a, picked)
            else:
                k, left, i = 0, 0, a                   # over the piece, then over the runs that are left
                while k < runs or (copies == 1 and i < b):
                    if copies == 1:
                        stop = i + 1
                        while stop < b and target[stop] == target[i] and (not spread or delays[stop] == delays[i]):
                            stop += 1
                        many = stop - i
                    else:
                        i, many = start[k], length[k]
                        stop = i
                        k += 1
                    if many == copies or not merge:
                        which = i if merge else i + copies - 1
                        raw.target[n + picked] = target[i]
                        if spread:
                            raw.delays[d + picked] = delays[i]
                        if own:
                            total = weights[which]
                            for j in range(i + 1, i + copies if merge else 0):
                                total += weights[j]
                            if merge and copies > 1 and edges.drawn[edge]:
                                total = np.float64(np.float32(total))
                            raw.weights[w + picked] = total
                            if raw.weights[w + picked] != total:
                                cursor[EXACT] = 0
                        picked += 1
                    if many > copies:
                        start[left] = i
                        length[left] = many
                        left += 1
                    i = stop
                runs = left
            if picked > 0:
                r = cursor[ROW]
                rows.first[r] = n
                rows.delay[r] = raw.delays[d] if spread else delay
                rows.weight[r] = 0.0 if own else weight
                rows.receptor[r] = edges.receptor[edge]
                rows.count[r] = copies if merge else 1
                rows.varied[r] = w if own else -1
                rows.spread[r] = d if spread else -1
                rows.apart[r] = merge and begun
                begun = True
                cursor[ROW] = r + 1
                cursor[TARGET] = n + picked
                cursor[WEIGHT] += picked if own else 0
                cursor[DELAY] += picked if spread else 0
            copies += 1
            if merge:
                weight += edges.weight[edge]
        a = b
