"""The model file's images: every table of an integer network as a little-endian array, and back.

An image of first dimension 1 where the neurons are more stands for all of them.  Synapses hold mantissas; a weight is
mantissa << shift of its projection (source population, target population, receptor).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from eventsnn.network import Group, Network, Synapses, ids

from . import clocked, lif
from .profiles import PROFILES
from .profiles.build import Profile

NAMES = {"weight": "mantissa", "weights": "mantissas"}     # where the name is not `Synapses`'
KINDS = ("i8", "i8", "f8", "i8", "u1", "i4", "i8", "i8", "?", "i4", "i8", "f8", "i8")      # of its columns


class Image(NamedTuple):
    values: np.ndarray
    bits: int                    # that are used
    meaning: str


def images_of(network: Network) -> dict[str, Image]:
    """Every table of the network, as small as its values allow."""
    s, (group,) = network.synapses, network.groups
    shift = shifts(network.populations, network.fixed.projections, s)
    own = np.repeat(shift, np.where(s.varied >= 0, np.diff(s.first), 0))
    return {
        "synapses.first_row": image(s.first_row, "emitter e owns rows first_row[e] .. first_row[e+1] - 1"),
        "synapses.first": image(s.first, "row r owns synapses first[r] .. first[r+1] - 1"),
        "synapses.delay": image(s.delay.astype(np.int64), "ticks, one per row; of a row with own delays the least"),
        "synapses.mantissa": image(s.weight >> shift, "of each synapse of the row unless it has own ones; signed; "
                                                      "shift left by the projection's shift to get LSBs of V or I"),
        "synapses.receptor": image(s.receptor, "receptor of the target, one per row"),
        "synapses.count": image(s.count, "how many multapses were merged into each synapse of the row"),
        "synapses.varied": image(s.varied, "where a row's own mantissas begin in synapses.mantissas; -1: it has none"),
        "synapses.spread": image(s.spread, "where a row's own delays begin in synapses.delays; -1: it has none"),
        "synapses.apart": image(s.apart, "the row before is of the same emitter and delay and has none of its targets"),
        "synapses.target": image(s.target, "neuron ids"),
        "synapses.mantissas": image(s.weights >> own, "one per synapse of the rows that have own ones"),
        "synapses.delays": image(s.delays.astype(np.int64), "ticks, one per synapse of the rows that have own ones"),
        "synapses.pieces": image(s.pieces, "where the neurons are cut: rows of one delay lead into one piece"),
        "synapses.original": Image(network.fixed.original, 64,
                                   "the float weight, mV or nA, that each synapse's integer came from"),
        **(chips(group, PROFILES[network.fixed.version]) if network.fixed.version in PROFILES
           else ticked(group) if group.dynamics == clocked.DYNAMICS else evented(group)),
    }


EVENT = {
    "top": "V lies within [-top, top]", "theta": "threshold, LSBs above rest; 2^63 - 1: never",
    "reset": "LSBs above rest", "refrac": "R in ticks: input counts again R ticks after a spike",
    "subtract": "1: V := V - (theta - reset) while V >= theta; 0: V := reset",
    "decay": "0 none, 1 linear, 2 mul, 3 lut", "rate": "linear: LSBs a tick; mul: factor in units of 2^-bits",
    "bits": "fraction bits of the decay factors", "length": "lut: V is 0 from this age on, ticks",
    "fine_bits": "lut: age >> fine_bits indexes the coarse table, the rest the fine one",
}
TICK = {
    "top": "V lies within [-top, top], or with saturation 1 and 2 within [-top - 1, top]",
    "theta": EVENT["theta"], "reset": EVENT["reset"],
    "refrac": "R in ticks: V stands still at the R - 1 ticks after a spike's own",
    "bias": "LSBs that V grows by at every tick", "decay": "of V: 0 none, 1 linear, 2 mul, 3 lut, 4 shift",
    "rate": "linear: LSBs a tick; mul, lut: factor in units of 2^-bits; shift: d",
    "bits": "mul, lut: fraction bits of the factor; shift: 1 if at least one LSB is taken",
    "rounding": "0 DOWN (toward zero), 1 FLOOR, 2 ROUND (to nearest, ties to even)",
    "saturation": "0 symmetric, 1 full, 2 wrap", "strict": "0: a spike if V >= theta; 1: if V > theta",
    "subtract": "1: V := V - (theta - reset), and judged again; 0: V := reset",
    "spikes": "the most spikes at one tick",
    "input_first": "0: a current decays, then takes in its input; 1: the reverse",
    "receptors": "how many columns of the following images count",
    "kind": "per receptor: -1 its input goes into V; else how its current decays, as `decay` says",
    "rate_i": "per receptor: `rate` of its current", "bits_i": "per receptor: `bits` of its current",
    "top_i": "per receptor: `top` of its current", "fall": "per receptor: I counts round(I / 2^fall) LSBs of V a tick",
}


def evented(group: Group) -> dict[str, Image]:
    """The neurons of event mode."""
    found = {f"neurons.{name}": image(alike(group.params[name]), EVENT[name]) for name in lif.SCALARS}
    for name in ("coarse", "fine"):
        rows, which = np.unique(group.params[name], axis=0, return_inverse=True)
        found[f"tables.{name}"] = image(rows, f"decay factors in units of 2^-bits: {name} part, one table a row")
        found[f"tables.{name}_of"] = image(alike(which.ravel()), f"row of tables.{name} that the neuron uses")
    return {**found, "neurons.v": image(alike(group.state["v"]), "V at tick 0, LSBs above rest")}


def ticked(group: Group) -> dict[str, Image]:
    """The neurons of tick mode."""
    return {**{f"neurons.{name}": image(alike(group.params[name]), TICK[name])
               for name in (*clocked.SCALARS, *clocked.ARRAYS)},
            "neurons.v": image(alike(group.state["v"]), "V at tick 0, LSBs above rest"),
            "neurons.i": image(alike(group.state["i"]), "per receptor: I at tick 0, LSBs")}


def chips(group: Group, profile: Profile) -> dict[str, Image]:
    """The neurons of a chip."""
    constants = group.params.dtype.names or ()
    return {f"neurons.{name}": image(alike((group.params if name in constants else group.state)[name]), meaning)
            for name, meaning in profile.meanings.items()}


def image(values: np.ndarray, meaning: str) -> Image:
    """Integers in the smallest type that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    bits = max(low.bit_length() if low >= 0 else (~low).bit_length(), high.bit_length()) + (low < 0)
    kind = next(t for t in (("i1", "i2", "i4", "i8") if low < 0 else ("u1", "u2", "u4", "u8"))
                if 8 * int(t[1]) >= max(bits, 1))
    return Image(np.ascontiguousarray(values.astype(f"<{kind}")), max(bits, 1), meaning)


def alike(values: np.ndarray) -> np.ndarray:
    """One value for all where all are equal."""
    return values[:1] if (values == values[0]).all() else values


def shifts(populations: Any, projections: Any, s: Any) -> np.ndarray:
    """The left shift of every row, from its projection."""
    emitting = [p for p in populations if p.kind != "current"]
    receiving = [p for p in populations if p.kind == "neuron"]
    at_source, at_target = ({p.name: k for k, p in enumerate(ps)} for ps in (emitting, receiving))
    known = sorted(((at_source[q.source] * len(receiving) + at_target[q.target]) * 256 + q.receptor, q.shift)
                   for q in projections)
    emitter = np.repeat(np.arange(len(s.first_row) - 1), np.diff(s.first_row))
    source = np.searchsorted([p.emitter for p in emitting], emitter, side="right") - 1
    target = np.searchsorted([p.neuron for p in receiving], s.target[s.first[:-1]], side="right") - 1
    which = np.searchsorted([k for k, _ in known], (source * len(receiving) + target) * 256 + s.receptor)
    return np.array([shift for _, shift in known], np.int64)[which]


# ---------------------------------------------------------------------------------------------------- and back
def synapses_of(tables: Mapping[str, np.ndarray], populations: Any, projections: Any) -> Synapses:
    """The synapses of a model file."""
    s = Synapses(*(tables[f"synapses.{NAMES.get(name, name)}"].astype(kind)
                   for name, kind in zip(Synapses._fields, KINDS, strict=True)))
    shift = shifts(populations, projections, s)
    return s._replace(target=s.target.astype(ids(int(s.pieces[-1]))), weight=s.weight << shift,
                      weights=s.weights << np.repeat(shift, np.where(s.varied >= 0, np.diff(s.first), 0)))


def group_of(tables: Mapping[str, np.ndarray], neurons: int, mode: str) -> Group:
    """The records of all neurons."""
    if mode in PROFILES:
        profile = PROFILES[mode]
        wide = max(table.shape[1] for name, table in tables.items() if name.startswith("neurons.") and table.ndim == 2)
        params, state = (np.zeros(neurons, kind).view(np.recarray) for kind in profile.layout(wide))
        for name in profile.meanings:
            (params if name in params.dtype.names else state)[name] = tables[f"neurons.{name}"]
        return Group(profile.dynamics, np.arange(neurons, dtype=np.int64), params, state)
    if mode == "tick":
        params, state = clocked.silent(neurons, tables["neurons.kind"].shape[1])
        for name in (*clocked.SCALARS, *clocked.ARRAYS):
            params[name] = tables[f"neurons.{name}"]
        state.v, state.i, state.shots = tables["neurons.v"], tables["neurons.i"], params.spikes
        return Group(clocked.DYNAMICS, np.arange(neurons, dtype=np.int64), params, state)
    params = np.zeros(neurons, lif.params_dtype(tables["tables.fine"].shape[1])).view(np.recarray)
    state = np.zeros(neurons, lif.STATE).view(np.recarray)
    for name in lif.SCALARS:
        params[name] = tables[f"neurons.{name}"]
    for name in ("coarse", "fine"):
        params[name] = tables[f"tables.{name}"][tables[f"tables.{name}_of"]]
    state.v, state.hold = tables["neurons.v"], -1.0
    return Group(lif.DYNAMICS, np.arange(neurons, dtype=np.int64), params, state)
