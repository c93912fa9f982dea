"""From edges to the flat tables of a network: synapses by emitter and delay, injected currents by neuron.

Both keep the order of law S13 (edge order, then the rule's) wherever something is summed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .currents import Current, Wave
from .errors import Mistake
from .kernel.link import loop
from .model import Waves
from .network import Drives, Synapses


class Projection(NamedTuple):
    """The synapses of one edge, in the rule's order."""

    emitter: np.ndarray          # (n,) int32
    target: np.ndarray           # (n,) int32 neuron ids
    weight: np.ndarray           # (n,) or () float64
    delay: np.ndarray            # (n,) or () float64
    receptor: int


class Column(NamedTuple):
    """One value per synapse, or one for a whole edge: that of synapse k of edge e is values[first[e] + step[e] * k]."""

    values: np.ndarray
    first: np.ndarray            # (edges,) int64
    step: np.ndarray             # (edges,) int64: 0 or 1

    @classmethod
    def of(cls, parts: Sequence[np.ndarray]) -> "Column":
        first = np.cumsum([0, *(part.size for part in parts)])[:-1]
        return cls(np.concatenate([np.ravel(part) for part in parts]), first.astype(np.int64),
                   np.array([part.ndim for part in parts], np.int64))


class Edges(NamedTuple):
    """What the edges say about their synapses."""

    first: np.ndarray            # (edges + 1,) int64: edge e has the synapses first[e] .. first[e+1] - 1
    receptor: np.ndarray         # (edges,) uint8
    weight: Column
    delay: Column


# ---------------------------------------------------------------------------------------------------- synapses
def synapses(projections: Sequence[Projection], emitters: int, neurons: int, merge: bool) -> Synapses:
    """The synapse table.  Law S5: multapses of one edge with equal source, target, delay and receptor become one
    synapse, their weights summed in the rule's order, unless `merge` is False."""
    sizes = [len(p.emitter) for p in projections]
    number = sum(sizes)
    if number == 0:
        return Synapses(np.zeros(emitters + 1, np.int64), np.zeros(1, np.int64), np.empty(0), np.empty(0, np.int32),
                        np.empty(0), np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int32))
    if number >= 2 ** 31:
        raise Mistake(f"{number} synapses: the tables hold at most {2 ** 31 - 1}")
    emitter = np.concatenate([p.emitter for p in projections])
    target = np.concatenate([p.target for p in projections])
    edges = Edges(np.cumsum([0, *sizes]).astype(np.int64), np.array([p.receptor for p in projections], np.uint8),
                  Column.of([p.weight for p in projections]), Column.of([p.delay for p in projections]))
    delays = number if any(p.delay.ndim for p in projections) else len({float(p.delay) for p in projections})
    rows = min(number, emitters * delays)                      # at most

    order = stable(target, neurons, np.arange(number, dtype=np.int32))
    order = stable(emitter, emitters, order)                   # by emitter, then target, then number
    table = Synapses(np.empty(emitters + 1, np.int64), np.empty(rows + 1, np.int64), np.empty(rows),
                     np.empty(number, np.int32), np.empty(number), np.empty(number, np.uint8),
                     np.empty(number, np.int64), np.empty(number, np.int32))
    rows, kept = loop(tabulate, number)(table, offsets(emitter, emitters), order, target, edges, merge)
    for array, length in zip(table[1:], (rows + 1, rows, *5 * [kept]), strict=True):
        array.resize(length, refcheck=False)                   # in place: these are the largest arrays there are
    return table


def stable(keys: np.ndarray, bins: int, order: np.ndarray) -> np.ndarray:
    """The entries of `order`, stably sorted by their keys in [0, bins)."""
    if len(keys) < 5000:
        return order[np.argsort(keys[order], kind="stable")]
    return loop(count_sort, len(keys))(keys, offsets(keys, bins), order)


def offsets(keys: np.ndarray, bins: int) -> np.ndarray:
    """Where each key's entries begin once they are sorted: (bins + 1,) int64."""
    return np.concatenate(([0], np.cumsum(np.bincount(keys, minlength=bins))))


def count_sort(keys, place, order):
    out = np.empty_like(order)
    for i in order:
        key = keys[i]
        out[place[key]] = i
        place[key] += 1
    return out


def tabulate(table, bounds, order, target, edges, merge):
    """Fill the table with the synapses as `order` lists them, each emitter's by delay; how many rows and synapses."""
    rows, kept = 0, 0
    for emitter in range(len(bounds) - 1):
        table.first_row[emitter] = rows
        mine = order[bounds[emitter]:bounds[emitter + 1]]
        delays = np.empty(len(mine))
        alike = True
        for k in range(len(mine)):
            delays[k] = value(edges.delay, edges, mine[k])
            alike = alike and delays[k] == delays[0]
        if not alike:
            by_delay = np.argsort(delays, kind="mergesort")    # stable
            mine, delays = mine[by_delay], delays[by_delay]
        last = -1                                              # the edge of the synapse before, in this row
        for k in range(len(mine)):
            if k == 0 or delays[k] != delays[k - 1]:
                table.first[rows] = kept
                table.delay[rows] = delays[k]
                rows += 1
                last = -1
            i = mine[k]
            e = edge_of(edges, i)
            w = value(edges.weight, edges, i)
            if merge and e == last and target[i] == table.target[kept - 1]:
                table.weight[kept - 1] += w
                table.count[kept - 1] += 1
                continue
            table.target[kept] = target[i]
            table.weight[kept] = w
            table.receptor[kept] = edges.receptor[e]
            table.order[kept] = i
            table.count[kept] = 1
            kept += 1
            last = e
    table.first_row[len(bounds) - 1] = rows
    table.first[rows] = kept
    return rows, kept


def edge_of(edges, i):
    """The edge of synapse i."""
    low, high = 0, len(edges.first) - 2
    while low < high:
        middle = (low + high + 1) // 2
        if edges.first[middle] <= i:
            low = middle
        else:
            high = middle - 1
    return low


def value(column, edges, i):
    e = edge_of(edges, i)
    return column.values[column.first[e] + column.step[e] * (i - edges.first[e])]


# ---------------------------------------------------------------------------------------------------- currents
Part = tuple[Current, float]                          # a current and its factor


class Injection(NamedTuple):
    """The connections of one current's edge, in the rule's order."""

    currents: Sequence[Current]  # of each current of the node
    source: np.ndarray           # (n,) which of them
    target: np.ndarray           # (n,) neuron ids
    weight: np.ndarray           # (n,) or () float64, a factor


class Sums(NamedTuple):
    """What is injected into each neuron: the number of a sum, and the parts of each sum."""

    chosen: np.ndarray           # (neurons,) int64
    parts: list[list[Part]]

    def waves(self, first: int, size: int) -> Waves:
        """Those of the neurons first .. first + size - 1."""
        mine = distinct(self.chosen[first:first + size])
        which = np.searchsorted(mine, self.chosen[first:first + size])
        decays, sines = zip(*(waves_of(self.parts[k]) for k in mine), strict=True)
        taus, frequencies, phases = (
            [np.array([rows[slot][entry] if slot < len(rows) else blank for rows in table])[which]
             for slot in range(max(map(len, table)))]
            for table, entry, blank in ((decays, 3, 1.0), (sines, 4, 1.0), (sines, 5, 0.0)))
        ramps = any(bool(np.any(current.slope)) for k in mine for current, _ in self.parts[k])
        return Waves(taus, frequencies, phases, ramps)


def sums(injections: Sequence[Injection], neurons: int) -> Sums:
    """The currents into each neuron, in the order of the injections; neurons with the same ones share a sum."""
    chain: list[tuple[int, Part | None]] = [(0, None)]                   # a sum: an earlier one, and what it adds
    number: dict[tuple[int, int, int, float], int] = {}
    chosen = np.zeros(neurons, np.int64)
    for edge, (currents, source, target, weight) in enumerate(injections):
        factors = np.broadcast_to(weight, target.shape)
        for c, n, factor in zip(source.tolist(), target.tolist(), factors.tolist(), strict=True):
            step = (int(chosen[n]), edge, c, factor)
            if step not in number:
                number[step] = len(chain)
                chain.append((step[0], (currents[c], factor)))
            chosen[n] = number[step]
    parts: list[list[Part]] = [[]]
    for before, part in chain[1:]:
        parts.append([*parts[before], part] if part else [])
    return Sums(chosen, parts)


def drives(of: Sums) -> Drives:
    """The lines of breakpoints; equal ones are shared."""
    number = {b"": 0}
    tables, first = [np.empty((0, 4))], [0, 0]
    line = np.zeros(len(of.parts), np.int32)
    for k in distinct(of.chosen).tolist():
        rows = breakpoints(of.parts[k])
        if rows.tobytes() not in number:
            number[rows.tobytes()] = len(number)
            tables.append(rows)
            first.append(first[-1] + len(rows))
        line[k] = number[rows.tobytes()]
    time, slot, amount, slope = np.concatenate(tables).T
    return Drives(line[of.chosen], np.array(first, np.int64), time.copy(), slot.astype(np.int32), amount.copy(),
                  slope.copy())


def distinct(values: np.ndarray) -> np.ndarray:
    """Ascending, each once: np.unique, which would import numpy.ma first, a tenth of all that a small run takes."""
    values = np.sort(values)
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


def breakpoints(parts: Sequence[Part]) -> np.ndarray:
    """(n, 4): time, slot, amount, slope; by time, then slot (see `Waves`)."""
    time = distinct(np.concatenate([np.empty(0), *(current.time for current, _ in parts)]))
    amount, slope = np.zeros(len(time)), np.zeros(len(time))
    for current, factor in parts:
        if len(current.time):
            piece = np.searchsorted(current.time, time, side="right") - 1
            begun, piece = piece >= 0, np.maximum(piece, 0)
            part = current.amount[piece]
            if np.any(current.slope):
                part = part + current.slope[piece] * (time - current.time[piece])
            amount = np.where(begun, amount + part * factor, amount)
            slope = np.where(begun, slope + current.slope[piece] * factor, slope)
    rows = [np.column_stack([time, np.full(len(time), -1.0), amount, slope])]
    for odd, waves in enumerate(waves_of(parts)):
        for k, wave in enumerate(waves):
            rows.append(np.array([[wave.start, 2.0 * k + odd, wave.amplitude, 0.0]]))
            if wave.stop < np.inf:
                rows.append(np.array([[wave.stop, 2.0 * k + odd, 0.0, 0.0]]))
    table = np.concatenate(rows)
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def waves_of(parts: Sequence[Part]) -> tuple[list[Wave], list[Wave]]:
    """The decaying currents and the sines among the parts, their factors applied."""
    waves = [current.wave._replace(amplitude=current.wave.amplitude * factor)
             for current, factor in parts if current.wave]
    return [wave for wave in waves if wave.tau > 0.0], [wave for wave in waves if wave.tau == 0.0]
