"""From a float network of `lif` neurons with delta synapses to FX-LIF v1: the same tables, in integers.

Per population: a scale (see `scales`), then threshold, reset, v_init and every weight on the grid of that scale, to
nearest with ties to even.  A projection (source, target, receptor) has signed mantissas of `weight_bits` bits and one
left shift.  Multapses are rounded one by one and then merged.  Times become ticks, n(t) = rint(t/tick), delays at
least 1.

What cannot be kept in event mode is refused, with the condition's name: nothing may drift between events, and every
judged tick must leave V below the threshold.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from eventsnn.columns import of_array
from eventsnn.errors import Mistake
from eventsnn.network import Group, Network, Population, Synapses, flat
from eventsnn.result import Result
from eventsnn.rules import by_owner
from eventsnn.synapses import Projection as Edge
from eventsnn.synapses import counted
from eventsnn.synapses import synapses as synapse_table
from eventsnn.values import at, quoted

from . import lif, scales
from .format import DECAYS, NEVER, VERSION, WIDTH, Fixed, Format, Projection, factor, guard_rule, tables
from .losses import population_report, projection_report, warnings_of
from .refusals import DECAY_BITS, Options, checked, refuse

EXACT = 2**48        # a neuron's |weights| add up to less, so that 2^14 spikes of every source in one tick fit 62 bits


class Marks(NamedTuple):
    """A population's potentials in mV above rest and its refractory period in ms, (size,) each."""

    theta: np.ndarray
    reset: np.ndarray
    start: np.ndarray
    refrac: np.ndarray

    @classmethod
    def of(cls, p: Population) -> "Marks":
        v, rest = p.params, p.params["v_rest"]
        start = rest if v["v_init"] is None else v["v_init"]
        refrac = v["tau_refrac"]
        if refrac is None:                                    # lif's own defaults
            refrac = np.full(p.size, 0.0 if v["reset"] == "subtract" else 0.1)
        return cls(v["v_thresh"] - rest, v["v_reset"] - rest, start - rest, refrac)


class Part(NamedTuple):
    """The unmerged synapses of one projection."""

    source: Population
    target: Population
    receptor: int
    emitter: np.ndarray          # (n,) int64
    post: np.ndarray             # (n,) int32 neuron ids
    weight: np.ndarray           # (n,) float64, mV
    delay: np.ndarray            # (n,) float64, ms


class Rounded(NamedTuple):
    """One projection in integers."""

    shift: int
    mantissa: np.ndarray         # (n,) int64
    clipped: int
    delay: np.ndarray            # (n,) float64, whole ticks


class Records(NamedTuple):
    """One population in integers."""

    params: np.recarray
    state: np.recarray


def quantise(network: Network, calibrate: Result | None = None, *, tick: float = 0.1, weight_bits: int = 8,
             v_bits: int = 24, guard_bits: int | None = None, decay: str | None = None, decay_bits: int | None = None,
             profile: str | None = None) -> Network:
    """The integer network of a float one; `.fixed.report` says what was lost.

    calibrate     a Result of the network: its recorded v, or a second run of it, sets the scales (None: bounds from
                  thresholds and weights)
    tick          ms
    weight_bits   signed bits of a weight's mantissa, 2 to 16
    v_bits        signed bits of V, 8 to 32
    guard_bits    bits of V below the finest weight's last bit; default max(8, ceil(log2(tau/tick)) + 1).  Where the
                  range of V leaves room for fewer, fewer are kept and the report warns
    decay         "lut" (default), "mul" or "linear"; "none" and tau_m = inf belong together
    decay_bits    fraction bits of the decay factors; default 16, for "mul" at least ceil(log2(tau/tick)) + 10
    profile       none exists yet

    Raises `Mistake` for whatever event mode cannot keep.
    """
    options = checked(Options(tick, weight_bits, v_bits, guard_bits, decay, decay_bits), profile)
    refuse(network, options)
    from eventsnn.graph import compile

    flat = compile(network.graph, seed=network.seed, merge=False)
    parts = parts_of(flat)
    recorded, source = scales.recordings(network, calibrate)
    formats: dict[str | int, Format] = {}
    records: dict[str | int, Records] = {}
    spans: dict[str | int, scales.Span] = {}
    into: dict[str | int, list[int]] = {p.name: [] for p in flat.populations}
    for k, part in enumerate(parts):
        into[part.target.name].append(k)
    for p in flat.populations:
        if p.kind == "neuron":
            incoming, marks = gathered([parts[k] for k in into[p.name]], p), Marks.of(p)
            spans[p.name] = span = scales.span(p, *marks[:3], incoming, recorded.get(p.name), source)
            formats[p.name] = form = chosen(p, marks, span, incoming, options)
            records[p.name] = integers(p, marks, form, span)
    rounded = [rounding(part, formats[part.target.name]) for part in parts]
    synapses, original = tabulated(network, parts, rounded)
    reports = [population_report(p, Marks.of(p), formats[p.name], spans[p.name], records[p.name],
                                 np.concatenate([np.empty(0, np.int64), *(rounded[k].mantissa << rounded[k].shift
                                                                          for k in into[p.name])]))
               for p in flat.populations if p.kind == "neuron"]
    told = {"version": VERSION, "tick_ms": options.tick, "calibration": source, "populations": reports,
            "projections": [projection_report(part, r, formats[part.target.name])
                            for part, r in zip(parts, rounded, strict=True)]}
    told["warnings"] = warnings_of(told)
    fixed = Fixed(formats, tuple(Projection(part.source.name, part.target.name, part.receptor, r.shift)
                                 for part, r in zip(parts, rounded, strict=True)), told, original)
    return assembled(network, records, formats, synapses, fixed)


# ---------------------------------------------------------------------------------------------------- synapses
def parts_of(network: Network) -> list[Part]:
    """The unmerged synapses by source population, target population and receptor; in the table's order."""
    table = flat(network.synapses)
    emitting = [p for p in network.populations if p.kind != "current"]
    receiving = [p for p in network.populations if p.kind == "neuron"]
    source = np.searchsorted([p.emitter for p in emitting], table.emitter, side="right") - 1
    target = np.searchsorted([p.neuron for p in receiving], table.target, side="right") - 1
    kind = (source * len(receiving) + target) * 256 + table.receptor
    order = np.argsort(kind, kind="stable")
    ends = np.flatnonzero(np.diff(kind[order], append=-1)) + 1
    return [Part(emitting[source[k[0]]], receiving[target[k[0]]], int(table.receptor[k[0]]),
                 table.emitter[k], table.target[k], table.weight[k], table.delay[k])
            for k in np.split(order, ends[:-1]) if len(k)]


def gathered(parts: Sequence[Part], p: Population) -> scales.Incoming:
    """What a population receives by its projections."""
    return scales.Incoming(
        np.concatenate([np.empty(0), *(part.weight for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.post - p.neuron for part in parts)]),
        np.repeat(np.arange(len(parts)), [len(part.weight) for part in parts]))


def rounding(part: Part, form: Format) -> Rounded:
    """One projection's mantissas, shift and delays in ticks."""
    shift = scales.shift(part.weight, form.weight_bits, scales.power(form.lsb))
    exact = np.rint(part.weight / math.ldexp(form.lsb, shift))
    top = (1 << (form.weight_bits - 1)) - 1
    mantissa = np.clip(exact, -top, top)
    return Rounded(shift, mantissa.astype(np.int64), int((mantissa != exact).sum()),
                   np.maximum(np.rint(part.delay / form.tick), 1.0))


def tabulated(network: Network, parts: Sequence[Part], rounded: Sequence[Rounded]) -> tuple[Synapses, np.ndarray]:
    """The integer table, multapses merged by compile's own function, and the float weights beside it.

    Its sums are of whole numbers below 2^53, so they are exact in any order and in float64.
    """
    borders = np.array([*(p.neuron for p in network.populations if p.kind == "neuron"), network.neurons], np.int64)

    def table(weights: Iterable[np.ndarray]) -> Synapses:
        return synapse_table([edge(part, weight, r.delay) for part, r, weight in zip(parts, rounded, weights,
                                                                                    strict=True)],
                             network.emitters, borders, True)

    integer = table(np.ldexp(r.mantissa.astype(np.float64), r.shift) for r in rounded)
    each = flat(integer)
    total = np.bincount(each.target, np.abs(each.weight), 1)
    if total.max() >= EXACT:
        raise Mistake(f"the weights into neuron {int(np.argmax(total))} add up to 2^{math.log2(total.max()):.1f} LSBs, "
                      "too much to be summed exactly: take fewer v_bits or a smaller guard_bits")
    original = flat(table(part.weight for part in parts))
    return (integer._replace(weight=integer.weight.astype(np.int64), weights=integer.weights.astype(np.int64),
                             delays=integer.delays.astype(np.float64)), original.weight)


def edge(part: Part, weight: np.ndarray, delay: np.ndarray) -> Edge:
    """A part as a projection whose pairs are given."""
    source, target = (part.emitter - part.source.emitter).astype(np.int32), part.post - np.int32(part.target.neuron)
    pattern = by_owner(len(source), 1, lambda a, b: (source[a:b], target[a:b]), False)
    return Edge(pattern, counted(pattern, part.source.size), part.source.emitter, part.target.neuron,
                of_array(weight), of_array(delay), part.receptor)


# ---------------------------------------------------------------------------------------------------- neurons
def chosen(p: Population, marks: Marks, span: scales.Span, incoming: scales.Incoming, options: Options) -> Format:
    """The format of one population."""
    finite = p.params["tau_m"][np.isfinite(p.params["tau_m"])]
    ticks = float(finite.max(initial=0.0)) / options.tick
    guard, gap = options.guard_bits, math.inf
    if guard is None:
        guard, gap = guard_rule(ticks), float((marks.theta - np.maximum(marks.reset, 0.0)).min())
    exponent, left = scales.lsb(span.range, gap, incoming, options.weight_bits, options.v_bits, guard)
    decay = (options.decay or "lut") if len(finite) else "none"
    least = math.ceil(math.log2(ticks)) + 10 if decay == "mul" else 16
    return Format(options.v_bits, left, math.ldexp(1.0, exponent), options.tick, decay,
                  options.decay_bits or min(max(16, least), DECAY_BITS[1]), options.weight_bits)


def integers(p: Population, marks: Marks, form: Format, span: scales.Span) -> Records:
    """Parameter and state records of one population."""
    tau = p.params["tau_m"] / form.tick
    kinds, each = np.unique(tau, return_inverse=True)
    with at(f"node {quoted(p.name)}"):
        made = {k: tables(t, form.decay_bits, form.top) for k, t in enumerate(kinds)
                if form.decay == "lut" and math.isfinite(t)}
        width = max((len(t.fine) for t in made.values()), default=WIDTH)
        record: np.recarray = np.zeros(p.size, lif.params_dtype(width)).view(np.recarray)
        record.top, record.bits = form.top, form.decay_bits
        record.reset = form.units(marks.reset)
        never = np.isinf(marks.theta)
        record.theta = np.where(never, NEVER, form.units(np.where(never, 0.0, marks.theta)))
        record.refrac = np.rint(marks.refrac / form.tick)
        record.subtract = p.params["reset"] == "subtract"
        record.decay = np.where(np.isfinite(tau), DECAYS.index(form.decay), DECAYS.index("none"))
        for k, t in enumerate(kinds):
            mine = each == k
            if k in made:
                record.length[mine], record.fine_bits[mine] = made[k].length, made[k].fine_bits
                record.coarse[mine, :len(made[k].coarse)] = made[k].coarse
                record.fine[mine, :len(made[k].fine)] = made[k].fine
            elif form.decay == "mul" and math.isfinite(t):
                record.rate[mine] = factor(t, form.decay_bits)
        if form.decay == "linear":
            height = np.where(never, span.range, marks.theta) / form.lsb
            rate = np.rint(-0.5 * height * np.expm1(-1.0 / tau))
            record.rate = rate
            if np.any((rate < 1) & np.isfinite(tau)):
                raise Mistake("a linear decay of less than one LSB a tick: take a coarser tick, or more v_bits and "
                              "guard_bits")
        for low, text in ((np.zeros(p.size, np.int64), "v_rest"), (np.asarray(record.reset), "v_reset")):
            if (np.asarray(record.theta) <= low).any():
                raise Mistake(f"v_thresh rounds to {text} on a grid of {form.lsb:g} mV: take more v_bits or guard_bits "
                              f"or a calibration run (the range is {span.range:g} mV)")
    state: np.recarray = np.zeros(p.size, lif.STATE).view(np.recarray)
    state.v, state.hold = form.units(marks.start), -1.0
    return Records(record, state)


def assembled(network: Network, records: Mapping[str | int, Records], formats: Mapping[str | int, Format],
              synapses: Synapses, fixed: Fixed) -> Network:
    """One group of all neurons: `lif` is the only integer model."""
    width = max(r.params.fine.shape[1] for r in records.values())
    params: np.recarray = np.zeros(network.neurons, lif.params_dtype(width)).view(np.recarray)
    state: np.recarray = np.concatenate([r.state for r in records.values()]).view(np.recarray)
    populations = []
    for p in network.populations:
        if p.kind == "neuron":
            mine, own = slice(p.neuron, p.neuron + p.size), records[p.name].params
            for name in lif.SCALARS:
                params[name][mine] = own[name]
            params.coarse[mine, :own.coarse.shape[1]] = own.coarse
            params.fine[mine, :own.fine.shape[1]] = own.fine
            p = dataclasses.replace(p, group=0, offset=p.neuron, variables=lif.VARIABLES, scale=formats[p.name].lsb,
                                    rest=float(p.params["v_rest"][0]))
        populations.append(p)
    tick = next(iter(formats.values())).tick
    group = Group(lif.DYNAMICS, np.arange(network.neurons, dtype=np.int64), params, state)
    return dataclasses.replace(network, populations=tuple(populations), groups=(group,), synapses=synapses, tick=tick,
                               fixed=fixed)
