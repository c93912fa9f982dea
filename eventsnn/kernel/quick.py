"""Lays out what the specialised kernels run: pieces of neurons, and the streams that drive them directly."""

from typing import Any, NamedTuple

import numpy as np

from ..course import Setup, loose
from . import clocked, moving, still, ticks, uneven
from .drive import BATCH, FLOW, Drive
from .inbox import Wiring
from .lines import BLOCK, begun, joined, places_of
from .moving import Moving
from .pieces import CELL, PART, PIECE, UNTOUCHED, Quick, Wires
from .pool import ME, PROGRESS, WINDOW, pool
from .queue import BY_TARGET, Queue
from .still import Still

FEW = 16                         # events drawn at once in plain Python
SMALL = 100                      # neurons of a network whose kernels would take longer to compile than they could save
SPIKES = 8                       # of a neuron in a window, at most, if it can fire by itself
KERNELS: dict[str, Any] = {"rows": still, "uneven": uneven, "coefficients": moving, "ticks": ticks,
                           "clocked": clocked}
MINGLING = ("rows", "uneven", "coefficients")                # those that take synapses with own delays


class Plan(NamedTuple):
    """What of a network goes to the specialised kernels; the same for any number of shards."""

    group: np.ndarray            # (neurons,) int64: of each neuron that does, its group; else -1
    stream: np.ndarray           # (streams,) bool: which streams are direct
    groups: list[int]            # the groups that those neurons are of
    slow: list[int]              # the groups that have others


def served(group: Any) -> Any:
    return group.dynamics.quick


def plan(setup: Setup, width: float) -> Plan:
    """Pieces that a kernel serves as a whole, and then the streams.  width: of a window."""
    network = setup.network
    chosen, quick, slow = latest(network.kept, "plan", np.array([width]), lambda: served_groups(network, width))
    return Plan(chosen, direct(setup, chosen), quick, slow)


def served_groups(network: Any, width: float) -> tuple[np.ndarray, list[int], list[int]]:
    """Each neuron's group if a kernel serves all of its piece, else -1; the groups that have such, and others."""
    chosen = served_neurons(network, width)
    by_name = sorted(range(len(network.groups)), key=lambda k: network.groups[k].dynamics.name)   # fewer loops compiled
    has = [chosen[group.neuron] >= 0 for group in network.groups]
    return chosen, [k for k in by_name if has[k].any()], [k for k in by_name if not has[k].all()]


def served_neurons(network: Any, width: float) -> np.ndarray:
    """(neurons,) int64: see `Plan.group`."""
    chosen = np.full(network.neurons, -1, np.int64)
    if network.neurons < SMALL:
        return chosen
    most, spread = highest(network), spread_onto(network)
    for k, group in enumerate(network.groups):
        quick = group.dynamics.quick
        if quick:
            serves = np.zeros(network.neurons, np.bool_)
            serves[group.neuron] = quick.serves(group.params, most[group.neuron])
            if quick.kernel not in MINGLING:
                serves &= ~spread
            where = np.zeros(network.neurons, np.int64)
            where[group.neuron] = np.arange(len(group.neuron))
            for first, last in pieces(network):
                if serves[first:last].all():
                    p: Any = group.params[where[first]:where[last - 1] + 1]
                    if all((p[name] == p[name][0]).all() for name in quick.shared) and (
                            quick.kernel != "coefficients" or p.refrac.min() * SPIKES > width):
                        chosen[first:last] = k
    return chosen


def highest(network: Any) -> np.ndarray:
    """The most that is injected into each neuron at any time, at least 0: (neurons,)."""
    drives = network.drives
    amount = np.append(np.where(drives.slot < 0, drives.amount, 0.0), 0.0)
    most = np.zeros(len(drives.first) - 1)
    for line in range(len(most)):
        most[line] = amount[drives.first[line]:drives.first[line + 1]].max(initial=0.0)
    return most[drives.line]


def pieces(network: Any) -> list[tuple[int, int]]:
    """Where the pieces begin and end."""
    cuts = network.synapses.pieces.tolist()
    kept = []
    for p in network.populations:
        if p.kind == "neuron":
            inside = [c for c in cuts if p.neuron < c < p.neuron + p.size]
            kept += list(zip([p.neuron, *inside], [*inside, p.neuron + p.size], strict=True))
    return kept


def spread_onto(network: Any) -> np.ndarray:
    """Of each neuron, whether its population is one that rows with own delays lead to: (neurons,) bool."""
    s, onto = network.synapses, np.zeros(network.neurons, np.bool_)
    ends = np.unique(s.target[s.first[:-1][s.spread >= 0]])                 # a row leads to one population
    for p in network.populations:
        if p.kind == "neuron":
            onto[p.neuron:p.neuron + p.size] = ((ends >= p.neuron) & (ends < p.neuron + p.size)).any()
    return onto


def direct(setup: Setup, group: np.ndarray) -> np.ndarray:
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
                and np.all(s.receptor[mine] == s.receptor[rows[0]]) and (group[target[0]:target[-1] + 1] >= 0).all()):
            chosen[k] = True
    return chosen


class Layout(NamedTuple):
    """A group's pieces as one shard has them."""

    quick: Quick
    neuron: np.ndarray           # (n,) int64 neuron ids,
    place: np.ndarray            # (n,) int64: and their places

    def queue(self) -> Queue:
        pieces = len(self.quick.cells.piece)
        first, place = (begun(pieces + 1, np.int64, 0) for _ in range(2))
        return Queue(first, place, np.empty(64), np.empty(64, np.int64), np.empty(64, np.int64),
                     np.empty((64, 2), np.int64))


def layouts(setup: Setup, chosen: Plan, cuts: np.ndarray, load: float, wires: list[Wiring], width: float, jit: bool,
            kept: dict[Any, Any], pace: float = 0.0) -> list[list[Layout]]:
    """The plan's groups as each shard has them.  kept: what such shards need again in the next run.

    cuts, load: see `Deal`; pace: see `clocked.laid_out`.
    """
    network, shards = setup.network, len(wires)
    made: list[list[Layout]] = [[] for _ in wires]
    if not chosen.groups:
        return made
    parts: list[Any] = []
    for i, wiring in enumerate(wires):
        if i and wiring is wires[i - 1]:
            parts.append(parts[-1])
            continue
        table = once(kept, ("parts", i), jit, lambda wiring=wiring: part_table(wiring))
        parts.append(table if jit else loose(table))
    whole = np.count_nonzero(chosen.group >= 0)
    for k in chosen.groups:
        first, last, driven = once(kept, ("stretches", k), jit,
                                   lambda k=k: stretches(network, chosen.group == k, cuts))
        kernel = KERNELS[served(network.groups[k]).kernel]
        plain = jit and hasattr(kernel, "renewed") and not (setup.probes[k].samples.size or driven)
        neuron, place, piece, cells = once(
            kept, ("cells", k), plain,
            lambda k=k, first=first, last=last: laid_out(setup, k, first, last, width, pace))
        if plain:
            cells = kernel.renewed(cells)._replace(variables=setup.probes[k].variables, samples=setup.probes[k].samples)
            piece = cells.piece
        drive = flows(setup, chosen, piece, first, last, BATCH if jit else FEW)
        if not jit:
            cells = cells._make(loose(table) if table.dtype.names else table for table in cells)
            drive = drive._replace(flow=loose(drive.flow))
        shared = pool(last - first, shards, load * len(neuron) / whole, jit)
        for i, wiring in enumerate(wires):
            if not i or wiring is not wires[i - 1]:
                of_part, of_neuron = once(kept, ("pieces", i, k), jit,
                                          lambda wiring=wiring, first=first, last=last:
                                          pieces_of(network, wiring, first, last))
            target = wiring.target if jit else wiring.target.astype(np.int64)  # numpy's own integers of 16 bits wrap
            wiring_of = Wires(parts[i], wiring.first_row, target, wiring.weights, wiring.after)
            if i:                                      # a work space of its own
                cells = cells._replace(**{name: getattr(cells, name).copy() for name in kernel.WORK})
                drive = drive._replace(bits=begun(len(drive.bits), np.uint64, 0))
            progress = begun(PROGRESS, np.int64, 0)
            progress[WINDOW], progress[ME] = -1, i
            made[i].append(Layout(Quick(cells, wiring_of, drive, of_part, of_neuron, shared, progress), neuron, place))
    return made


def once(kept: dict[Any, Any], key: Any, keep: bool, make: Any) -> Any:
    """What `make` returns, made once if that may be kept."""
    if not keep:
        return make()
    if key not in kept:
        kept[key] = make()
    return kept[key]


def latest(kept: dict[Any, Any], key: Any, of: np.ndarray, make: Any) -> Any:
    """What `make` returns, made anew when `of` is another than the time before."""
    found = kept.get(key)                                # another thread may put its own there at any time
    if found is None or not np.array_equal(found[0], of):
        found = kept[key] = of, make()
    return found[1]


def pieces_of(network: Any, wiring: Wiring, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The piece that each part leads to: (parts,) int32, and each neuron's: (neurons,) int32; -1: none of these."""
    piece_of = np.full(network.neurons, -1, np.int32)
    for b, (low, high) in enumerate(zip(first, last, strict=True)):
        piece_of[low:high] = b
    if not len(wiring.begin):
        return np.empty(0, np.int32), piece_of
    home = piece_of.copy()
    for p in network.populations:                        # a row with own delays leads to one population
        if p.kind == "neuron":
            here = piece_of[p.neuron:p.neuron + p.size][wiring.mine[p.neuron:p.neuron + p.size]]
            home[p.neuron:p.neuron + p.size] = here[0] if (here == here[:1]).all() and len(here) else BY_TARGET
    start = wiring.target[wiring.begin]
    return np.where(wiring.spread[wiring.row] >= 0, home[start], piece_of[start]), piece_of


def stretches(network: Any, own: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Where the longest stretches of own neurons begin and end that have no cut inside; are currents injected there?"""
    first, last = own & ~np.append(False, own[:-1]), np.append(False, own & ~np.append(own[1:], False))
    for c in {*(c for c, _ in pieces(network)), *cuts[cuts < len(own)].tolist()}:
        first[c] |= own[c]
        last[c] |= c > 0 and own[c - 1]
    return np.flatnonzero(first), np.flatnonzero(last), bool(network.drives.line[own].any())


def part_table(wiring: Wiring) -> np.recarray:
    row = wiring.row
    part: Any = np.zeros(len(row), PART).view(np.recarray)
    part.begin, part.end, part.weight = wiring.begin, wiring.end, wiring.weight[row]
    part.own = wiring.varied[row] >= 0
    part.weights = wiring.varied[row] - wiring.first[row]
    part.count, part.receptor = wiring.count[row], wiring.receptor[row]
    part.spread = wiring.spread[row] >= 0
    part.strand = np.where(part.spread, -1, np.cumsum(~wiring.apart)[row])
    return part


def laid_out(setup: Setup, k: int, first: np.ndarray, last: np.ndarray, width: float, pace: float
             ) -> tuple[np.ndarray, np.ndarray, Any, Any]:
    """Group k's neurons first[b] .. last[b] - 1 in pieces, and one place more for each: ids, places, pieces, cells."""
    network, group, probe, drives = setup.network, setup.network.groups[k], setup.probes[k], setup.network.drives
    if served(group).kernel == "ticks":
        return ticks.laid_out(setup, k, first, last)
    if served(group).kernel == "clocked":
        return clocked.laid_out(setup, k, first, last, pace)
    size = last - first
    begin = np.cumsum([0, *places_of(size)])
    places = int(begin[-1])
    neuron, place = joined(first, last), joined(begin[:-1], begin[:-1] + size)
    where = np.searchsorted(group.neuron, neuron)
    params: Any = np.zeros(places, group.params.dtype).view(np.recarray)
    state: Any = np.zeros(places, group.state.dtype).view(np.recarray)
    p: Any = group.params[where]
    s: Any = group.state[where]
    params[place], state[place] = p, s
    line = drives.line[neuron]
    cell: Any = np.zeros(places, CELL).view(np.recarray)
    cell.column = -1
    for name, values in (("gap", p.theta - s.v_inf), ("back", p.reset - s.v_inf), ("refrac", p.refrac),
                         ("cursor", drives.first[line]), ("line_end", drives.first[line + 1]),
                         ("column", probe.column[where])):
        cell[name][place] = values
    piece: Any = np.zeros(len(first), PIECE).view(np.recarray)
    piece.first, piece.last, piece.shift = begin[:-1], begin[:-1] + size, begin[:-1] - first
    piece.emitter, piece.tau, piece.most = setup.network.emitter_of_neuron[first], params.tau[begin[:-1]], 1
    breakpoint = np.append(drives.time, np.inf)
    for b, (low, high) in enumerate(zip(piece.first, piece.last, strict=True)):
        piece.alike[b] = (cell.gap[low:high] == cell.gap[low]).all()
        mine = cell[low:high]
        piece.change[b] = np.where(mine.cursor < mine.line_end, breakpoint[mine.cursor], np.inf).min()
        piece.recorded[b] = (mine.column >= 0).any()
    receptors = max(1, *(q.receptors for q in network.populations))
    work = (np.full((receptors, places), np.nan), np.empty(places, np.int64), params, state, probe.variables,
            probe.samples)
    if served(group).kernel != "coefficients":
        u = begun(places, np.float64, -np.inf)
        u[place] = s.u
        piece.released = np.inf
        resting = Still(piece, cell, u, np.empty(places), np.empty(places, np.int64), work[0],
                        begun(places, np.float64, UNTOUCHED), *work[1:])
        return neuron, place, piece, resting if served(group).kernel == "rows" else uneven.laid_out(resting)
    piece.most = SPIKES + 2
    channels = s.b.shape[1]
    c = np.zeros((places, 2 + channels))
    c[place, 0], c[place, 1:-1], c[place, -1] = s.a, s.b, s.v_inf
    kind = np.arange(places, dtype=np.int32)
    for low, high in zip(piece.first, piece.last, strict=True):
        if (params[low:high] == params[low]).all():
            kind[low:high] = low
    safe = np.full(places, np.inf)
    safe[place] = s.safe
    soon = np.zeros(places // BLOCK)
    return neuron, place, piece, Moving(piece, cell, safe, soon, c, kind, np.ones((2, 1 + channels)), *work[:2],
                                        np.empty((2 + channels, places)), np.empty(places), *work[2:])


def flows(setup: Setup, chosen: Plan, piece: Any, first: np.ndarray, last: np.ndarray, batch: int
          ) -> Drive:
    """The direct streams into these pieces, by piece; one that leads into several is drawn for each."""
    s = setup.network.synapses
    found: list[tuple[Any, ...]] = []
    for b in range(len(first)):
        piece.stream[b] = len(found)
        reached: list[tuple[int, int]] = []
        for k in np.flatnonzero(chosen.stream):
            stream = setup.streams.of[k]
            row = s.first_row[stream.emitter]
            target = int(s.target[s.first[row]])
            low, high = max(target, int(first[b])), min(target + int(stream.sources), int(last[b]))
            if low < high:
                own: Any = setup.streams.source[stream.first:stream.first + stream.sources]
                rows = slice(row, row + stream.sources)
                alike = s.varied[row] < 0 and s.weight[row] != 0.0 and bool(
                    np.all((s.weight[rows] == s.weight[row]) & (s.varied[rows] < 0) & (s.count[rows] == 1)))
                plain = stream.uniform and not stream.varies and bool(
                    np.all((own.start <= stream.start) & (own.stop == np.inf)))
                whole = plain and low == target and high == target + stream.sources
                shift = int(piece.shift[b])
                found.append((k, stream.emitter, target + shift, low + shift, high + shift, piece.last[b], whole, plain,
                              alike, s.weight[row], s.delay[row], s.receptor[row], setup.network.tick, 0, stream.start,
                              batch, 0, 0, 0))
                piece.merged[b] |= any(low < h and a < high for a, h in reached)
                reached.append((low, high))
        piece.streams[b] = len(found)
    flow: Any = np.array(found, FLOW).view(np.recarray)
    shape = (len(found), 2, batch)
    return Drive(flow, begun(shape, np.float64, 0.0), begun(shape, np.uint32, 0), begun(shape, np.float64, 0.0),
                 begun(batch, np.uint64, 0), setup.streams)
