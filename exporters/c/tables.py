"""The tables of a C export: an integer network as `static const` arrays in the smallest types that hold them.

Emitters are numbered anew: neurons first, then sources in node order.  The synapses of an emitter are rows by delay; a
row's `wait` is the number of ticks to the emitter's next row, or `buckets` after its last.  Neurons that have all
constants in common share a `kind`, kinds share decay tables.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network, flat

from .. import vectors
from ..fixed import clocked, lif
from ..fixed.format import ROUNDINGS, SATURATIONS
from ..fixed.profiles import loihi1_lava, xylo
from . import chips
from .words import Parts, array, smallest

FAR = 1 << 14                    # a table's length and a refractory period that 16-bit time stamps can bear
NAMES = ("NONE", "LINEAR", "MUL", "LUT", "SHIFT")


class Rows(NamedTuple):
    """The synapses of all emitters, row by row."""

    first_row: np.ndarray        # (emitters,)
    first_delay: np.ndarray      # (emitters,) ticks; 0: it has none
    longest: np.ndarray          # (emitters,) ticks: its last delay
    emitter: np.ndarray          # (rows,)
    wait: np.ndarray             # (rows,) ticks until the emitter's next row
    shift: np.ndarray            # (rows,)
    receptor: np.ndarray         # (rows,); 0 in event mode, which sums all receptors
    first: np.ndarray            # (rows + 1,) into target and mantissa
    target: np.ndarray
    mantissa: np.ndarray


def renumbered(network: Network) -> np.ndarray:
    """(emitters,) the row of each emitter, as vectors count them: neurons first, then sources."""
    return np.argsort(vectors.rows(network))


def rows(network: Network, ticked: bool = False) -> Rows:
    """The table.  A row's shift is the largest that loses no bit of any of its weights, up to 31."""
    table = flat(network.synapses)
    emitter, delay = renumbered(network)[table.emitter], table.delay.astype(np.int64)
    receptor = table.receptor.astype(np.int64) * ticked
    order = np.lexsort((table.target, receptor, delay, emitter))
    emitter, delay, receptor, weight = emitter[order], delay[order], receptor[order], table.weight[order]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(emitter) != 0) | (np.diff(delay) != 0) | (np.diff(receptor) != 0)
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
    return Rows(first_row, first_delay, longest, of_row, wait, shift, receptor[begin], first, table.target[order],
                weight >> np.repeat(shift, np.diff(first)))


def network_h(network: Network, name: str) -> str:
    """network.h: the tables of a network."""
    (group,), n = network.groups, network.neurons
    if group.dynamics.name not in LOOPS:
        raise Mistake(f"the C export has no {group.dynamics.name}: it holds FX-LIF v1 and the profiles")
    loop = LOOPS[group.dynamics.name]
    found, order = rows(network, loop.receptors), np.argsort(group.neuron)
    p, state = group.params[order], group.state[order]
    if np.abs(state["v"]).max(initial=0) >= 1 << 31:
        raise Mistake(f"v_init of neuron {int(np.argmax(np.abs(state['v'])))} does not fit 32 bits: take fewer v_bits")
    number: dict[bytes, int] = {}                          # of each distinct record
    kind_of = np.array([number.setdefault(record.tobytes(), len(number)) for record in p], np.int64)
    kinds = p[np.unique(kind_of, return_index=True)[1]]
    own, more, tables = loop.parts(name, p, state, kinds)
    constants = {"neurons": n, "emitters": network.emitters, "kind_each": int(len(kinds) > 1),
                 "start_each": int(len(set(state["v"].tolist())) > 1), **own}
    if loop.waits:
        constants |= flight(found, p, loop.receptors)
        more = [f"typedef {smallest(constants['in_flight'] + 1)} {name}_slot;",
                f"typedef {smallest(len(found.wait))} {name}_row;", *more]
    lines = [
        f"/* {name}: {n} neurons, {network.emitters - n} sources, {len(found.target)} synapses, a tick of "
        f"{network.tick:g} ms; data, no logic.",
        f"   Digest {network.digest}.  Written by eventsnn. */",
        "", "#undef EVENTSNN_NAME", "#undef EVENTSNN_LOOP", f"#define EVENTSNN_NAME {name}",
        f'#define EVENTSNN_LOOP "{loop.header}"', "",
        "enum {", *(f"    {name}_{key} = {value}," for key, value in constants.items()), "};", "",
        *more, "", *tables]
    lines += array(f"{name}_start", state["v"] if constants["start_each"] else state["v"][:1], "int32_t")
    lines += array(f"{name}_kind_of", kind_of if len(kinds) > 1 else [0])
    for key in ("first_row", "first_delay", "wait", "shift", "first", "target", "mantissa",
                *["receptor"][:loop.receptors]):
        lines += array(f"{name}_{key}", getattr(found, key))
    return "\n".join(lines)


def ages(name: str, p: np.ndarray, state: np.ndarray, kinds: np.ndarray) -> Parts:
    """Event mode: how old a stamp may become, decay tables, and the constants of each kind."""
    horizon = stamps(p)
    tables = {part: read_tables(kinds, part) for part in ("coarse", "fine")}
    lines = [line for part, known in tables.items() for values, k in known.items()
             for line in array(f"{name}_{part}{k}", values, "uint32_t")]
    told = (line for kind in kinds for line in kind_c(name, kind, tables))
    lines += [f"static const struct eventsnn_kind {name}_kinds[] = {{", *(f"    {line}" for line in told), "};", ""]
    return ({"horizon": horizon, "currents": 0}, [f"typedef uint{16 if horizon == FAR else 32}_t {name}_stamp;"], lines)


def cells(name: str, p: np.ndarray, state: np.ndarray, kinds: np.ndarray) -> Parts:
    """Tick mode: the receptors of each kind, its constants, and the currents at tick 0."""
    receptors = max(int(p["receptors"].max(initial=0)), 1)
    currents = receptors if (p["kind"][:, :receptors] != clocked.DIRECT).any() else 1
    start = state["i"][:, :currents].T.ravel()
    lines = []
    for k, kind in enumerate(kinds):
        lines.append(f"static const struct eventsnn_receptor {name}_receptors{k}[] = {{")
        for r in range(max(int(kind["receptors"]), 1)):
            direct = int(kind["kind"][r] == clocked.DIRECT)
            decay = NAMES[0 if direct else int(kind["kind"][r])]
            lines.append(f"    {{.direct = {direct}, .decay = EVENTSNN_{decay}, .rate = {kind['rate_i'][r]}, "
                         f".bits = {kind['bits_i'][r]}, .top = {kind['top_i'][r]}, .fall = {kind['fall'][r]}}},")
        lines += ["};", ""]
    lines.append(f"static const struct eventsnn_cell {name}_kinds[] = {{")
    for k, kind in enumerate(kinds):
        own = {key: int(kind[key]) for key in ("top", "reset", "bias", "rate", "spikes", "bits", "strict", "subtract",
                                               "input_first", "receptors")}
        lines += [f"    {{.theta = INT64_C({kind['theta']}), .receptor = {name}_receptors{k},",
                  f"     .decay = EVENTSNN_{NAMES[int(kind['decay'])]}, .mask = {max(int(kind['refrac']) - 1, 0)}, "
                  f".rounding = EVENTSNN_{ROUNDINGS[int(kind['rounding'])]}, "
                  f".saturation = EVENTSNN_{SATURATIONS[int(kind['saturation'])].upper()},",
                  f"     {', '.join(f'.{key} = {value}' for key, value in own.items())}}},"]
    lines += ["};", "", *array(f"{name}_start_i", start if start.any() else [0], "int32_t")]
    return {"receptors": receptors, "currents": currents, "start_i_each": int(start.any())}, [], lines


def flight(found: Rows, p: np.ndarray, ticked: bool) -> dict[str, int]:
    """Room for all spikes that can be under way: an emitter's of one tick have one place, until its last row."""
    n = len(p)
    rests = np.maximum(p["refrac"], 1)                     # ticks between a neuron's spikes
    apart = rests if ticked else np.where(p["subtract"] == 1, 1, rests)
    own = int(((p["theta"] < np.iinfo(np.int64).max) * -(-found.longest[:n] // apart)).sum())
    sources = max(int((found.longest[n:] + (found.longest[n:] > 0)).sum()), 1)   # they may spike before a tick acts
    return {"buckets": int(found.longest.max(initial=0)) + 1, "in_flight": own + sources, "in_flight_sources": sources,
            "rows_neurons": int(np.searchsorted(found.emitter, n))}


def stamps(p: np.ndarray) -> int:
    """How old a time stamp may become before it is renewed: no younger than any decay table is long."""
    oldest = max(int(p["length"].max(initial=0)), int(p["refrac"].max(initial=0)))
    if oldest > 1 << 30:
        raise Mistake(f"a refractory period or decay table of {oldest} ticks does not fit 32-bit stamps: take a "
                      "coarser tick")
    return FAR if oldest <= FAR else 1 << 30


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


class Loop(NamedTuple):
    """A mode of FX-LIF v1, or a chip."""

    header: str                  # of the runtime
    parts: Callable[..., Parts]  # of a name, all neurons' records and first states, and the distinct records
    receptors: bool              # each has sums or currents of its own
    waits: bool                  # spikes wait for their rows (eventsnn_way.h)


LOOPS: Mapping[str, Loop] = {    # by name of the dynamics
    lif.DYNAMICS.name: Loop("eventsnn_event.h", ages, False, True),
    clocked.DYNAMICS.name: Loop("eventsnn_tick.h", cells, True, True),
    loihi1_lava.DYNAMICS.name: Loop("eventsnn_loihi1_lava.h", chips.loihi1_lava, True, False),
    xylo.DYNAMICS.name: Loop("eventsnn_xylo.h", chips.xylo, True, False),
}
