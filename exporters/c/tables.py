"""The tables of a C export: an integer network as `static const` arrays in the smallest types that hold them.

Emitters are numbered anew: neurons first, then sources in node order.  The synapses of an emitter are rows by delay; a
row's `wait` is the number of ticks to the emitter's next row, or `buckets` after its last.  Neurons that have all
constants in common share a `kind`, kinds share decay tables.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network, flat

from .. import vectors
from ..fixed import lif

FAR = 1 << 14                    # a table's length and a refractory period that 16-bit time stamps can bear
LINE = 120
NAMES = ("NONE", "LINEAR", "MUL", "LUT")


class Rows(NamedTuple):
    """The synapses of all emitters, row by row."""

    first_row: np.ndarray        # (emitters,)
    first_delay: np.ndarray      # (emitters,) ticks; 0: it has none
    longest: np.ndarray          # (emitters,) ticks: its last delay
    emitter: np.ndarray          # (rows,)
    wait: np.ndarray             # (rows,) ticks until the emitter's next row
    shift: np.ndarray            # (rows,)
    first: np.ndarray            # (rows + 1,) into target and mantissa
    target: np.ndarray
    mantissa: np.ndarray


def renumbered(network: Network) -> np.ndarray:
    """(emitters,) the row of each emitter, as vectors count them: neurons first, then sources."""
    return np.argsort(vectors.rows(network))


def rows(network: Network) -> Rows:
    """The table.  A row's shift is the largest that loses no bit of any of its weights, up to 31."""
    table = flat(network.synapses)
    emitter, delay = renumbered(network)[table.emitter], table.delay.astype(np.int64)
    order = np.lexsort((table.target, delay, emitter))
    emitter, delay, weight = emitter[order], delay[order], table.weight[order]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(emitter) != 0) | (np.diff(delay) != 0)
    begin = np.flatnonzero(new)
    bits = np.bitwise_or.reduceat(weight, begin) if len(begin) else weight[:0]
    shift = np.array([min((int(b) & -int(b)).bit_length() - 1, 31) if b else 0 for b in bits], np.int64)
    of_row, at, first = emitter[begin], delay[begin], np.append(begin, len(order))
    head = np.ones(len(begin), bool)
    head[1:] = np.diff(of_row) != 0
    first_row, first_delay, longest = np.zeros((3, network.emitters), np.int64)
    first_row[of_row[head]], first_delay[of_row[head]] = np.flatnonzero(head), at[head]
    longest[of_row] = at                                   # ascending within an emitter: the last one stays
    wait = np.full(len(begin), longest.max(initial=0) + 1)
    wait[:-1][~head[1:]] = np.diff(at)[~head[1:]]
    return Rows(first_row, first_delay, longest, of_row, wait, shift, first, table.target[order],
                weight >> np.repeat(shift, np.diff(first)))


def network_h(network: Network, name: str) -> str:
    """network.h: the tables of a network in event mode."""
    if network.groups[0].dynamics is not lif.DYNAMICS:
        raise Mistake(f"the C export has no {network.groups[0].dynamics.name} yet: quantise in event mode")
    found, (group,), n = rows(network), network.groups, network.neurons
    order = np.argsort(group.neuron)
    p, start = group.params[order], group.state["v"][order]
    if np.abs(start).max(initial=0) >= 1 << 31:
        raise Mistake(f"v_init of neuron {int(np.argmax(np.abs(start)))} does not fit 32 bits: take fewer v_bits")
    number: dict[bytes, int] = {}                          # of each distinct record
    kind_of = np.array([number.setdefault(record.tobytes(), len(number)) for record in p], np.int64)
    kinds = p[np.unique(kind_of, return_index=True)[1]]
    each_kind, each_start = len(kinds) > 1, bool((start != start[0]).any())
    constants = {"neurons": n, "emitters": network.emitters, "kind_each": int(each_kind), "start_each": int(each_start),
                 **flight(found, p), **stamps(p)}
    lines = [
        f"/* {name}: {n} neurons, {network.emitters - n} sources, {len(found.target)} synapses, a tick of "
        f"{network.tick:g} ms; data, no logic.",
        f"   Digest {network.digest}.  Written by eventsnn. */",
        "", "#undef EVENTSNN_NAME", f"#define EVENTSNN_NAME {name}", "",
        "enum {", *(f"    {name}_{key} = {value}," for key, value in constants.items()), "};", "",
        f"typedef uint{16 if constants['horizon'] == FAR else 32}_t {name}_stamp;",
        f"typedef {smallest(constants['in_flight'] + 1)} {name}_slot;",
        f"typedef {smallest(len(found.wait))} {name}_row;",
        ""]
    tables = {part: read_tables(kinds, part) for part in ("coarse", "fine")}
    for part, known in tables.items():
        for values, k in known.items():
            lines += array(f"{name}_{part}{k}", values, "uint32_t")
    told = (line for kind in kinds for line in kind_c(name, kind, tables))
    lines += [f"static const struct eventsnn_kind {name}_kinds[] = {{", *(f"    {line}" for line in told), "};", ""]
    lines += array(f"{name}_start", start if each_start else start[:1], "int32_t")
    lines += array(f"{name}_kind_of", kind_of if each_kind else [0])
    for key in ("first_row", "first_delay", "wait", "shift", "first", "target", "mantissa"):
        lines += array(f"{name}_{key}", getattr(found, key))
    return "\n".join(lines)


def flight(found: Rows, p: np.ndarray) -> dict[str, int]:
    """Room for all spikes that can be under way: an emitter's of one tick have one place, until its last row."""
    n = len(p)
    apart = np.where(p["subtract"] == 1, 1, np.maximum(p["refrac"], 1))          # ticks between a neuron's spikes
    own = int(((p["theta"] < np.iinfo(np.int64).max) * -(-found.longest[:n] // apart)).sum())
    sources = max(int((found.longest[n:] + (found.longest[n:] > 0)).sum()), 1)   # they may spike before a tick acts
    return {"buckets": int(found.longest.max(initial=0)) + 1, "in_flight": own + sources, "in_flight_sources": sources,
            "rows_neurons": int(np.searchsorted(found.emitter, n))}


def stamps(p: np.ndarray) -> dict[str, int]:
    """How old a time stamp may become before it is renewed: no younger than any decay table is long."""
    oldest = max(int(p["length"].max(initial=0)), int(p["refrac"].max(initial=0)))
    if oldest > 1 << 30:
        raise Mistake(f"a refractory period or decay table of {oldest} ticks does not fit 32-bit stamps: take a "
                      "coarser tick")
    return {"horizon": FAR if oldest <= FAR else 1 << 30}


def read_tables(kinds: np.ndarray, part: str) -> dict[tuple[int, ...], int]:
    """Each distinct table of the kinds that have one, as far as ages reach, and its number."""
    found: dict[tuple[int, ...], int] = {}
    for kind in kinds:
        if kind["decay"] == lif.LUT:
            found.setdefault(reached(kind, part), len(found))
    return found


def reached(kind: Any, part: str) -> tuple[int, ...]:
    width = 1 << int(kind["fine_bits"])
    size = width if part == "fine" else -(-int(kind["length"]) // width)
    return tuple(int(x) for x in kind[part][:size])


def kind_c(name: str, kind: Any, tables: Mapping[str, Mapping[tuple[int, ...], int]]) -> Iterator[str]:
    """One struct eventsnn_kind."""
    table = {part: f"{name}_{part}{known[reached(kind, part)]}" if kind["decay"] == lif.LUT else "0"
             for part, known in tables.items()}
    mask = 0 if kind["subtract"] else max(int(kind["refrac"]) - 1, 0)
    yield f"{{.theta = INT64_C({kind['theta']}), .coarse = {table['coarse']}, .fine = {table['fine']},"
    yield f" .top = {kind['top']}, .reset = {kind['reset']}, .mask = {mask}, .rate = {kind['rate']},"
    yield (f" .length = {kind['length']}, .bits = {kind['bits']}, .fine_bits = {kind['fine_bits']}, "
           f".decay = EVENTSNN_{NAMES[int(kind['decay'])]}, .subtract = {kind['subtract']}}},")


def stimulus_h(vector: vectors.Vector, name: str) -> str:
    """stimulus.h: the sources' spikes."""
    events, counts = np.unique(vector.stimulus, axis=0, return_counts=True)
    columns = {"wait": np.diff(events[:, 0], prepend=0), "emitter": events[:, 1], "count": counts}
    return "\n".join([
        "/* The recorded stimulus: `count` spikes of `emitter`, `wait` ticks after the line before; zeros end it. */",
        "", f"enum {{ {name}_stimuli = {len(events)} }};", "",
        f"static const uint64_t {name}_until = UINT64_C({vector.ticks});", "",
        "static const struct {",
        *(f"    {smallest(max(int(values.max(initial=0)), 1))} {column};" for column, values in columns.items()),
        f"}} {name}_stimulus[] = {{",
        *(f"    {{{w}, {e}, {c}}}," for w, e, c in zip(*(x.tolist() for x in columns.values()), strict=True)),
        "    {0, 0, 0},", "};", ""])


def smallest(high: int, low: int = 0) -> str:
    """The smallest integer type for low .. high."""
    if low < 0:
        bits = max(high.bit_length(), (-low - 1).bit_length()) + 1
        return f"int{next(b for b in (8, 16, 32, 64) if b >= bits)}_t"
    return f"uint{next(b for b in (8, 16, 32, 64) if b >= high.bit_length())}_t"


def array(name: str, values: Iterable[int] | np.ndarray, kind: str = "") -> list[str]:
    """A `static const` array; a single zero stands for none, which C99 does not have."""
    numbers = [int(x) for x in values] or [0]
    lines, line = [f"static const {kind or smallest(max(numbers), min(numbers))} {name}[] = {{"], "   "
    for number in numbers:
        word = f" {number},"
        if len(line) + len(word) > LINE:
            lines.append(line)
            line = "   "
        line += word
    return [*lines, line, "};", ""]
