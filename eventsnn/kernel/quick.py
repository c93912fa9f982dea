"""Lays out what the specialised kernels run: pieces of neurons, and the streams that drive them directly."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..course import Setup, loose
from . import still as resting
from . import ticks
from .drive import BATCH, FLOW, Drive
from .inbox import Wiring
from .pieces import Quick
from .still import CELL, PART, PIECE, Still, Wires

FEW = 16                         # events drawn at once in plain Python


class Plan(NamedTuple):
    """What of a network goes to the specialised kernels; the same for any number of shards."""

    neuron: np.ndarray           # (neurons,) bool: which neurons
    stream: np.ndarray           # (streams,) bool: which streams are direct
    groups: list[int]            # the groups that those neurons are of
    kernel: str                  # which: see `KERNELS`; "" if none
    functions: Mapping[str, Any] # that it binds


def plan(setup: Setup) -> Plan:
    """Pieces that a kernel serves as a whole, and then the streams."""
    network = setup.network
    neuron = np.zeros(network.neurons, np.bool_)
    groups: list[int] = []
    kernel, functions = "", {}
    most = highest(network)
    for k, group in enumerate(network.groups):
        quick = group.dynamics.quick
        if quick:
            mine = np.zeros(network.neurons, np.bool_)
            mine[group.neuron] = quick.serves(group.params, most[group.neuron])
            for first, last in pieces(network):
                where = np.searchsorted(group.neuron, np.arange(first, last)) if mine[first:last].all() else None
                if where is not None and all((group.params[name][where] == group.params[name][where[0]]).all()
                                             for name in quick.alike):
                    neuron[first:last] = True
            if neuron[group.neuron].any():
                groups.append(k)
                kernel = quick.kernel
                functions |= {**quick.functions, "live": KERNELS[kernel].live}
    return Plan(neuron, direct(setup, neuron), groups, kernel, functions)


def highest(network: Any) -> np.ndarray:
    """The most that is injected into each neuron at any time, at least 0: (neurons,)."""
    drives = network.drives
    amount = np.append(np.where(drives.slot < 0, drives.amount, 0.0), 0.0)
    most = np.zeros(len(drives.first) - 1)
    for line in range(len(most)):
        most[line] = amount[drives.first[line]:drives.first[line + 1]].max(initial=0.0)
    return most[drives.line]


def pieces(network: Any) -> list[tuple[int, int]]:
    """Where the pieces begin and end that no row with own delays leads to."""
    s = network.synapses
    cuts = s.pieces.tolist()
    spread = np.unique(s.target[s.first[:-1][s.spread >= 0]])               # a row leads to one population
    kept = []
    for p in network.populations:
        if p.kind == "neuron" and not ((spread >= p.neuron) & (spread < p.neuron + p.size)).any():
            inside = [c for c in cuts if p.neuron < c < p.neuron + p.size]
            kept += list(zip([p.neuron, *inside], [*inside, p.neuron + p.size], strict=True))
    return kept


def direct(setup: Setup, quick: np.ndarray) -> np.ndarray:
    """Which streams lead from source j of their block to neuron n + j alone, all of them quick."""
    s, chosen = setup.network.synapses, np.zeros(len(setup.streams.of), np.bool_)
    for k, b in enumerate(setup.streams.of):
        own = slice(b.emitter, b.emitter + b.sources)
        rows = s.first_row[b.emitter:b.emitter + b.sources + 1]
        if b.order > 0.0 or not b.rate > 0.0 or setup.keep[own].any() or rows[-1] - rows[0] != b.sources:
            continue
        mine = slice(rows[0], rows[-1])
        first = s.first[rows[0]:rows[-1] + 1]
        target = s.target[first[0]:first[-1]]
        if (np.all(np.diff(rows) == 1) and np.all(np.diff(first) == 1) and np.all(np.diff(target) == 1)
                and np.all(s.spread[mine] < 0) and np.all(s.delay[mine] == s.delay[rows[0]])
                and np.all(s.receptor[mine] == s.receptor[rows[0]]) and quick[target[0]:target[-1] + 1].all()):
            chosen[k] = True
    return chosen


def quick(setup: Setup, chosen: Plan, owner: np.ndarray, shard: int, wiring: Wiring, jit: bool) -> Quick | tuple[()]:
    """A shard's part of the plan."""
    network = setup.network
    if not chosen.groups:
        return ()
    own = chosen.neuron & (owner == shard)
    first, last = stretches(own, [first for first, _ in pieces(network)])
    cells = KERNELS[chosen.kernel].lay_out(setup, chosen.groups[0], first, last, jit)
    piece = cells.piece
    piece_of = np.full(network.neurons, -1, np.int32)
    for b, (low, high) in enumerate(zip(first, last, strict=True)):
        piece_of[low:high] = b
    drive = flows(setup, chosen, wiring, piece, first, last, BATCH if jit else FEW)
    parts = part_table(wiring)
    piece_of_part = piece_of[wiring.target[wiring.begin]] if len(wiring.begin) else np.empty(0, np.int32)
    if not jit:
        piece, parts = loose(piece), loose(parts)
        drive = drive._replace(flow=loose(drive.flow))
    return Quick(cells._replace(piece=piece), Wires(parts, wiring.first_row, wiring.target, wiring.weights), drive,
                 piece_of_part)


def stretches(own: np.ndarray, cuts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Where the longest stretches of own neurons begin and end that have no cut inside."""
    first = np.union1d(np.flatnonzero(own & ~np.append(False, own[:-1])), [c for c in cuts if own[c]]).astype(np.int64)
    ends = np.union1d(np.flatnonzero(own & ~np.append(own[1:], False)) + 1, [c for c in cuts if own[c - 1] and c])
    return first, ends.astype(np.int64)


def part_table(wiring: Wiring) -> np.recarray:
    row = wiring.row
    part: Any = np.zeros(len(row), PART).view(np.recarray)
    part.begin, part.end, part.weight = wiring.begin, wiring.end, wiring.weight[row]
    part.own = wiring.varied[row] >= 0
    part.weights = wiring.varied[row] - wiring.first[row]
    part.count, part.receptor = wiring.count[row], wiring.receptor[row]
    part.apart = wiring.apart[row]
    return part


def joined(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(np.arange(a, b) for a, b in zip(first, last, strict=True))])


def still(setup: Setup, k: int, first: np.ndarray, last: np.ndarray, jit: bool) -> Still:
    """Neurons of group k in pieces first[b] .. last[b] - 1, and one place more for each piece."""
    network = setup.network
    size = last - first
    begin = np.cumsum([0, *(size + 1)])
    places = int(begin[-1])
    place = joined(begin[:-1], begin[:-1] + size)
    neuron = joined(first, last)
    group = network.groups[k]
    where = np.searchsorted(group.neuron, neuron)
    params: Any = np.zeros(places, group.params.dtype).view(np.recarray)
    state: Any = np.zeros(places, group.state.dtype).view(np.recarray)
    params[place], state[place] = group.params[where], group.state[where]
    p, s = params[place], state[place]
    probe, drives = setup.probes[k], network.drives
    line = drives.line[neuron]
    cell: Any = np.zeros(places, CELL).view(np.recarray)
    cell.column = -1
    for name, values in (("gap", p.theta - s.v_inf), ("back", p.reset - s.v_inf), ("refrac", p.refrac),
                         ("cursor", drives.first[line]), ("line_end", drives.first[line + 1]),
                         ("column", probe.column[where])):
        cell[name][place] = values
    u = np.full(places, -np.inf)
    u[place] = s.u
    piece: Any = np.zeros(len(first), PIECE).view(np.recarray)
    piece.first, piece.last, piece.shift = begin[:-1], begin[:-1] + size, begin[:-1] - first
    piece.emitter, piece.tau = setup.emitter_of_neuron[first], params.tau[begin[:-1]]
    breakpoint = np.append(drives.time, np.inf)
    for b, (low, high) in enumerate(zip(piece.first, piece.last, strict=True)):
        piece.alike[b] = (cell.gap[low:high] == cell.gap[low]).all()
        mine = cell[low:high]
        piece.change[b] = np.where(mine.cursor < mine.line_end, breakpoint[mine.cursor], np.inf).min()
        piece.recorded[b] = (mine.column >= 0).any()
    receptors = max(1, *(q.receptors for q in network.populations))
    if not jit:
        cell, params, state = loose(cell), loose(params), loose(state)
    return Still(piece, cell, u, np.full((receptors, places), np.nan), np.empty(places, np.int64), params, state,
                 probe.variables, probe.samples)


def flows(setup: Setup, chosen: Plan, wiring: Wiring, piece: Any, first: np.ndarray, last: np.ndarray, batch: int
          ) -> Drive:
    """The direct streams into these pieces, by piece; one that leads into several is drawn for each."""
    s, found = setup.network.synapses, []
    for b in range(len(first)):
        piece.stream[b] = len(found)
        reached: list[tuple[int, int]] = []
        for k in np.flatnonzero(chosen.stream):
            stream = setup.streams.of[k]
            row = s.first_row[stream.emitter]
            target = int(s.target[s.first[row]])
            low, high = max(target, int(first[b])), min(target + int(stream.sources), int(last[b]))
            if low < high:
                own, rows = setup.streams.source[stream.first:stream.first + stream.sources], slice(
                    row, row + stream.sources)
                alike = s.varied[row] < 0 and s.weight[row] != 0.0 and bool(
                    np.all((s.weight[rows] == s.weight[row]) & (s.varied[rows] < 0) & (s.count[rows] == 1)))
                plain = stream.uniform and not stream.varies and bool(
                    np.all((own.start <= stream.start) & (own.stop == np.inf)))
                whole = plain and low == target and high == target + stream.sources
                shift = int(piece.shift[b])
                found.append((k, stream.emitter, target + shift, low + shift, high + shift, piece.last[b], whole, plain,
                              alike, s.weight[row], s.delay[row], setup.network.tick, 0, stream.start, batch, 0, 0))
                piece.merged[b] |= any(low < h and a < high for a, h in reached)
                reached.append((low, high))
        piece.streams[b] = len(found)
    flow: Any = np.array(found, FLOW).view(np.recarray)
    shape = (len(found), batch)
    return Drive(flow, np.zeros(shape), np.zeros(shape, np.uint32), np.zeros(shape), np.zeros(batch, np.uint64),
                 setup.streams)


class Kernel(NamedTuple):
    live: Callable[..., Any]                       # a piece through a window
    lay_out: Callable[..., Any]                    # (setup, group, first, last, jit) -> its cells, whose pieces are records
    ends: Callable[..., Any] | None = None         # (setup, group, cells, states, jit): write what a Result adds up


KERNELS = {"rows": Kernel(resting.live, still), "ticks": Kernel(ticks.live, ticks.lay_out, ticks.ends)}
