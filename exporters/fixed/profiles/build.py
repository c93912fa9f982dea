"""A chip's network from populations and projections that are integers already.

`network(graph, profile)` reads them from a networkx graph whose neurons are the chip's own, `quantise(profile=...)`
makes them from a float network; both end in `assembled`.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake, nearest
from eventsnn.model import Dynamics, Field
from eventsnn.network import RECEPTORS, Group, Network, Population, flat
from eventsnn.synapses import synapses
from eventsnn.values import at, column, quoted

from ..format import Fixed, Format, Projection
from ..losses import projection_report
from ..quantise import Part, Rounded, edge, parts_of
from ..refusals import Options, checked


class Register(NamedTuple):
    """An integer that a chip holds, and its limits."""

    default: int
    low: int
    high: int
    meaning: str


class Cells(NamedTuple):
    """A population in integers."""

    registers: Mapping[str, Any]             # (size,) int64 each, and words
    form: Format
    rest: float = 0.0                        # mV
    units: Mapping[str, np.ndarray] = {}     # nA of an LSB of each current


class Wires(NamedTuple):
    """A projection in integers: pairs are distinct, weights are mantissas."""

    part: Part                   # in floats, at the receptor of the chip's neuron
    mantissa: np.ndarray         # (n,) int64
    shift: int                   # to the left, of each weight
    settings: Mapping[str, int]  # what else the graph's edge says

    @property
    def source(self) -> Population:
        return self.part.source

    @property
    def target(self) -> Population:
        return self.part.target

    @property
    def receptor(self) -> int:
        return self.part.receptor

    @property
    def post(self) -> np.ndarray:
        """(n,) int32 neuron ids."""
        return self.part.post


class Profile(NamedTuple):
    """A chip."""

    name: str                                # also the `model` of its neurons in a graph of integers
    dynamics: Dynamics
    variables: tuple[str, ...]
    registers: Mapping[str, Register]        # of a neuron
    words: Mapping[str, tuple[str, ...]]     # attributes of a population that are words: the first is the default
    settings: Mapping[str, Register]         # of a projection
    form: Callable[..., Format]              # (registers, lsb, tick)
    wired: Callable[..., Sequence[Wires]]    # (cells, wires): the wires, checked against the chip's limits
    records: Callable[..., Any]              # (population, its cells, its wires) -> params, state
    exponent: str                            # the setting that shifts weights to the left
    layout: Callable[[int], tuple[np.dtype, np.dtype]]       # of params and state, for arrays of so many entries
    meanings: Mapping[str, str]              # of the fields of params, and of state those that are given at tick 0


def faults(names: Sequence[str]) -> Callable[..., Iterator[tuple[int, int, str]]]:
    """Strict mode's words (see `watched`): a register that could not hold a value, by the number of its name."""
    def found(params: Any, state: Any) -> Iterator[tuple[int, int, str]]:
        for k in np.flatnonzero(state["first_t"]).tolist():
            yield (int(state["first_t"][k]), k, f"its {names[int(state['first_which'][k])]} comes to "
                   f"{int(state['first_value'][k])}, which the chip cannot hold: take a calibration run, or smaller "
                   "weights")
    return found


# ---------------------------------------------------------------------------------------------------- from integers
def network(graph: Any, profile: Profile, tick: float, seed: int) -> Network:
    """The chip's network that a graph of integers describes."""
    from eventsnn.graph import compile

    tick = checked(Options(tick=tick, mode="tick")).tick
    plain, settings = stand_in(graph, profile)
    wired = compile(plain, seed=seed)
    cells = {p.name: Cells(registers, profile.form(registers, 1.0, tick))
             for p in wired.populations if p.kind == "neuron"
             for registers in [registers_of(p.name, graph.nodes[p.name], p.size, profile)]}
    wires = []
    ones = {p.name: [np.ones(p.size)] * p.receptors for p in wired.populations if p.kind == "neuron"}
    for part in parts_of(wired, ones, ones):
        place, own, receptor = settings[part.target.name, part.receptor]
        with at(place):
            mantissa = np.rint(part.weight).astype(np.int64)
            if np.any(mantissa != part.weight):
                raise Mistake(f"a weight of {part.weight[mantissa != part.weight][0]:g}: {profile.name} has whole "
                              "numbers")
            wires.append(Wires(part._replace(receptor=receptor, delay=part.delay * tick), mantissa,
                               max(own[profile.exponent], 0), own))
    populations = tuple(dataclasses.replace(p, model=profile.name, params=parameters(cells[p.name].registers))
                        if p.kind == "neuron" else p for p in wired.populations)
    wired = dataclasses.replace(wired, populations=populations, graph=graph.copy())
    report = {"version": profile.name, "mode": "tick", "tick_ms": tick, "calibration": "integers", "warnings": [],
              "populations": [given(p, cells[p.name].form) for p in wired.populations if p.kind == "neuron"],
              "projections": [projection_report(
                  w.part._replace(worth=np.ldexp(w.part.weight, w.shift)),
                  Rounded(w.shift, w.mantissa, 0, np.ones(len(w.post)), 1.0), cells[w.target.name].form)
                  for w in wires]}
    return assembled(wired, profile, cells, wires, tick, report)


def given(p: Population, form: Format) -> dict[str, Any]:
    """A population's part of the quantisation report, where nothing was quantised."""
    return {"name": p.name, "size": p.size, "mode": form.mode, "decay": form.decay, "decay_bits": form.decay_bits,
            "v_bits": form.bits, "guard_bits": 0, "guard_rule": 0, "lsb_mv": form.lsb, "range_mv": form.top * form.lsb,
            "range_from": "integers", "tau_m_ms": None, "dead_zone_lsb": 0, "psp_area_loss": [], "currents": [],
            "predicted_saturation": None, "accepted": {}, "threshold": {"residual": 0.0}}


def stand_in(graph: Any, profile: Profile) -> tuple[Any, dict[tuple[Any, int], Any]]:
    """The graph with a `lif` in place of each of the chip's neurons and a receptor for each edge into it, for `compile`
    to wire; what compile does not know of these edges: (place, settings, receptor)."""
    if not getattr(graph, "is_directed", bool)():
        raise Mistake("a network is a directed networkx graph: networkx.MultiDiGraph or DiGraph")
    plain: Any = type(graph)()
    into: dict[Any, int] = {}
    settings: dict[tuple[Any, int], Any] = {}
    edges = list(graph.edges(data=True))
    for _, post, _ in edges:
        into[post] = into.get(post, 0) + 1
    for name, attributes in graph.nodes(data=True):
        if into.get(name, 0) > RECEPTORS:
            raise Mistake(f"node {quoted(name)}: {into[name]} edges lead to it, of at most {RECEPTORS}: make a "
                          "population of their sources")
        if attributes.get("model") == profile.name:
            plain.add_node(name, model="lif", size=attributes.get("size", 1),
                           synapse=["delta"] * max(into.get(name, 0), 1))
        elif attributes.get("model") == "lif":
            raise Mistake(f'node {quoted(name)}: a lif among integers: their neurons are model="{profile.name}"; '
                          "quantise(network, profile=...) makes them of floats")
        else:
            plain.add_node(name, **attributes)
    seen: dict[Any, int] = {}
    for pre, post, attributes in edges:
        place, number = f"edge {quoted(pre)} -> {quoted(post)}", seen.get(post, 0)
        seen[post] = number + 1
        with at(place):
            own = {key: whole(attributes.get(key, register.default), key, register)
                   for key, register in profile.settings.items()}
            if attributes.get("delay", 1) != 1:
                raise Mistake(f"delay: {profile.name} delivers at the next tick: leave it out, or 1")
            receptor = whole(attributes.get("receptor", 0), "receptor", Register(0, 0, RECEPTORS - 1, ""))
        rest = {key: x for key, x in attributes.items() if key not in (*profile.settings, "receptor", "delay")}
        plain.add_edge(pre, post, **rest, receptor=number, delay=1.0)
        settings[post, number] = (place, own, receptor)
    return plain, settings


def whole(value: Any, key: str, register: Register) -> int:
    given = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not given or not register.low <= value <= register.high:
        raise Mistake(f"{key} must be a whole number from {register.low} to {register.high}, not {value!r}")
    return int(value)


def registers_of(name: Any, attributes: Mapping[str, Any], size: int, profile: Profile) -> dict[str, Any]:
    """A node's attributes as arrays of whole numbers within the registers, and its words."""
    found: dict[str, Any] = {}
    with at(f"node {quoted(name)}"):
        for key in attributes:
            known = [*profile.registers, *profile.words, "model", "size"]
            if key not in known:
                raise Mistake(f"{profile.name} has no {key!r}{nearest(key, known)}")
        for key, words in profile.words.items():
            found[key] = attributes.get(key, words[0])
            if found[key] not in words:
                raise Mistake(f"{key} cannot be {found[key]!r}{nearest(found[key], words)}")
        for key, register in profile.registers.items():
            values = column(attributes.get(key, register.default), size, Field(register.default, "", register.meaning),
                            key, (0, key, name))
            found[key] = fits(values, key, register)
    return found


def fits(values: np.ndarray, key: str, register: Register) -> np.ndarray:
    """Whole numbers within a register, or the limit's name."""
    integers = np.rint(values)
    wrong = (integers != values) | (integers < register.low) | (integers > register.high)
    if wrong.any():
        raise Mistake(f"{key} of neuron {int(np.argmax(wrong))} is {values[wrong][0]:g}: it is a whole number from "
                      f"{register.low} to {register.high}")
    return integers.astype(np.int64)


def parameters(registers: Mapping[str, Any]) -> dict[str, Any]:
    """As a population's `params`."""
    return {key: x if isinstance(x, str) else x.astype(np.float64) for key, x in registers.items()}


# ---------------------------------------------------------------------------------------------------- from floats
def summed(part: Part) -> Part:
    """A projection as a matrix has it: one weight per pair, multapses added up; in the order of the pairs."""
    pair = part.emitter * (int(part.post.max()) + 1) + part.post
    _, first, which = np.unique(pair, return_index=True, return_inverse=True)
    weight, worth, peak = (np.bincount(which.ravel(), values, len(first))
                           for values in (part.weight, part.worth, part.peak))
    return part._replace(emitter=part.emitter[first], post=part.post[first], weight=weight, delay=part.delay[first],
                         worth=worth, peak=peak)


# ---------------------------------------------------------------------------------------------------- assembling
def assembled(wired: Network, profile: Profile, cells: Mapping[Any, Cells], wires: Sequence[Wires], tick: float,
              report: Mapping[str, Any]) -> Network:
    """Populations, groups and synapses of the chip's network."""
    wires = profile.wired(cells, wires)
    borders = np.array([*(p.neuron for p in wired.populations if p.kind == "neuron"), wired.neurons], np.int64)

    def table(weights: Sequence[np.ndarray]) -> Any:
        return synapses([edge(w.part, weight, np.ones(len(weight))) for w, weight in zip(wires, weights, strict=True)],
                        wired.emitters, borders, True)

    integer = table([np.ldexp(w.mantissa.astype(np.float64), w.shift) for w in wires])
    original = table([w.part.weight for w in wires])
    integer = integer._replace(weight=integer.weight.astype(np.int64), weights=integer.weights.astype(np.int64),
                               delays=integer.delays.astype(np.float64))
    neurons = [p for p in wired.populations if p.kind == "neuron"]
    made = [profile.records(p, cells[p.name], [w for w in wires if w.target.name == p.name]) for p in neurons]
    params, state = (widened([pair[k] for pair in made]) for k in (0, 1))
    populations = tuple(dataclasses.replace(
        p, group=0, offset=p.neuron, receptors=1 + max([0, *(w.receptor for w in wires if w.target.name == p.name)]),
        variables=profile.variables, exactness=profile.dynamics.exactness, scale=cells[p.name].form.lsb,
        rest=cells[p.name].rest, units=cells[p.name].units) if p.kind == "neuron" else p for p in wired.populations)
    fixed = Fixed({p.name: cells[p.name].form for p in neurons},
                  tuple(Projection(w.source.name, w.target.name, w.receptor, w.shift) for w in wires),
                  report, flat(original).weight, profile.name)
    group = Group(profile.dynamics, np.arange(wired.neurons, dtype=np.int64), params, state)
    return dataclasses.replace(wired, populations=populations, groups=(group,), synapses=integer, tick=tick,
                               fixed=fixed)


def widened(parts: Sequence[np.recarray]) -> np.recarray:
    """Records one after the other in the layout of the widest."""
    kind = max((part.dtype for part in parts), key=lambda kind: kind.itemsize)
    joined: np.recarray = np.zeros(sum(len(part) for part in parts), kind).view(np.recarray)
    first = 0
    for part in parts:
        for name in part.dtype.names or ():
            column = joined[name][first:first + len(part)]
            if column.ndim > 1:
                column[:, :part[name].shape[1]] = part[name]
            else:
                column[:] = part[name]
        first += len(part)
    return joined
