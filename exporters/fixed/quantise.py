"""From a float network of `lif` neurons to FX-LIF v1: the same tables, in integers.

Per population: a scale (see `scales`), then threshold, reset, v_init, i_offset and every weight on the grid of that
scale, to nearest with ties to even.  A projection (source, target, receptor) has signed mantissas of `weight_bits` bits
and one left shift.  Multapses are rounded one by one and then merged.  Times become ticks, n(t) = rint(t/tick), delays
at least 1.

Event mode (`eventmode`) serves neurons whose V moves at events only; tick mode (`tickmode`) is a clocked chip's.  What
cannot be kept is refused, with the condition's name (`refusals`).
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.columns import of_array
from eventsnn.errors import Mistake
from eventsnn.network import Group, Network, Population, Synapses, flat
from eventsnn.result import Result
from eventsnn.rules import by_owner
from eventsnn.streams import expected
from eventsnn.synapses import Projection as Edge
from eventsnn.synapses import counted
from eventsnn.synapses import synapses as synapse_table

from . import eventmode, scales, tickmode
from .format import VERSION, Fixed, Format, Projection
from .losses import population_report, projection_report, warnings_of
from .refusals import Options, checked, refuse
from .scales import Marks

EXACT = 2**48        # a neuron's |weights| add up to less, so that 2^14 spikes of every source in one tick fit 62 bits
SECOND = 1000.0      # ms, over which a source's rate is taken
MODES: Mapping[str, Any] = {"event": eventmode, "tick": tickmode}


class Part(NamedTuple):
    """The unmerged synapses of one projection."""

    source: Population
    target: Population
    receptor: int
    emitter: np.ndarray          # (n,) int64
    post: np.ndarray             # (n,) int32 neuron ids
    weight: np.ndarray           # (n,) float64, mV or nA
    delay: np.ndarray            # (n,) float64, ms
    worth: np.ndarray            # (n,) float64: mV that V moves by at the tick of an arrival
    peak: np.ndarray             # (n,) float64: the PSP's peak, mV, or a bound of it
    often: float                 # spikes of one emitter that are expected in a ms


class Rounded(NamedTuple):
    """One projection in integers."""

    shift: int
    mantissa: np.ndarray         # (n,) int64
    clipped: int
    delay: np.ndarray            # (n,) float64, whole ticks
    lsb: float                   # mV of the LSB that a mantissa is shifted into


def quantise(network: Network, calibrate: Result | None = None, *, tick: float = 0.1, weight_bits: int = 8,
             v_bits: int = 24, guard_bits: int | None = None, decay: str | None = None, decay_bits: int | None = None,
             mode: str | None = None, i_bits: int = 24, i_decay: str | None = None, i_decay_bits: int | None = None,
             rounding: str = "DOWN", saturation: str = "symmetric", compare: str = ">=", spikes: int = 31,
             input_first: bool = False, min1: bool = True, time_bits: int = 16, profile: str | None = None) -> Network:
    """The integer network of a float one; `.fixed.report` says what was lost.

    calibrate     a Result of the network: its recorded v and i, or a second run of it, set the scales (None: bounds
                  from thresholds and weights)
    tick          ms
    weight_bits   signed bits of a weight's mantissa, 2 to 16
    v_bits        signed bits of V, 8 to 32
    guard_bits    bits of V (and of a current) below the finest weight's last bit; default max(8, ceil(log2(tau/tick))
                  + 1).  Where the range leaves room for fewer, fewer are kept and the report warns
    decay         of V: "mul" (default in tick mode), "lut" (default in event mode), "linear" or "shift" (tick mode
                  only); "none" and tau_m = inf belong together
    decay_bits    fraction bits of the decay factors; default 16, for "mul" at least ceil(log2(tau/tick)) + 10
    mode          "event": V moves at events only; "tick": at every tick, as in a clocked chip.  Default: event mode if
                  the network allows it (no exp synapses, no i_offset, v_reset and v_rest below v_thresh, none of the
                  options that follow), else tick mode

    and in tick mode

    i_bits, i_decay, i_decay_bits   the same of the currents of exp synapses; defaults 24, "mul"
    rounding      of decays and of currents into V: "DOWN" (toward zero), "FLOOR" or "ROUND" (ties to even)
    saturation    "symmetric", "full" (two's complement's whole range) or "wrap"
    compare       ">=" or ">": what V must be to the threshold
    spikes        the most spikes of one neuron in a tick with reset = "subtract"
    input_first   a current takes in its input before it decays
    min1          a decay by "shift" takes at least one LSB until nothing is left

    time_bits     of event mode's stored times; only `simulate(..., strict=True)` minds
    profile       a chip, exactly: "loihi1_lava", "xylo_v1" or "xylo_v2" (docs/profiles.md); of all the others only
                  calibrate and tick count then

    Raises `Mistake` for whatever the mode cannot keep.
    """
    if profile is not None:
        from .profiles import quantised

        return quantised(network, calibrate, profile, tick)
    options = checked(Options(tick, weight_bits, v_bits, guard_bits, decay, decay_bits, mode, i_bits, i_decay,
                              i_decay_bits, rounding, saturation, compare, spikes, input_first, min1, time_bits))
    options = options._replace(mode=refuse(network, options))
    how = MODES[str(options.mode)]
    from eventsnn.graph import compile

    unmerged = compile(network.graph, seed=network.seed, merge=False)
    neurons = [p for p in unmerged.populations if p.kind == "neuron"]
    gains = {p.name: how.gains(p, options) for p in neurons}
    parts = parts_of(unmerged, gains, {p.name: how.peaks(p, options) for p in neurons})
    recorded, source = scales.recordings(network, calibrate)
    formats: dict[str | int, Format] = {}
    records: list[tuple[np.recarray, np.recarray]] = []
    spans: dict[str | int, scales.Span] = {}
    into: dict[str | int, list[int]] = {p.name: [] for p in unmerged.populations}
    for k, part in enumerate(parts):
        into[part.target.name].append(k)
    for p in neurons:
        incoming, marks = gathered([parts[k] for k in into[p.name]], p), Marks.of(p)
        spans[p.name] = span = scales.span(p, marks, incoming, recorded.get(p.name, {}), source, gains[p.name])
        formats[p.name] = form = how.chosen(p, marks, span, incoming, options)
        records.append(how.records(p, marks, form, span, incoming, options))
    rounded = [rounding_of(part, formats[part.target.name]) for part in parts]
    synapses, original = tabulated(network, parts, rounded)
    reports = [population_report(p, Marks.of(p), formats[p.name], spans[p.name], own,
                                 [(parts[k], rounded[k]) for k in into[p.name]], gains[p.name])
               for p, own in zip(neurons, records, strict=True)]
    told: dict[str, Any] = {"version": VERSION, "mode": options.mode, "tick_ms": options.tick,
                            "calibration": source,
                            "populations": reports,
                            "projections": [projection_report(part, r, formats[part.target.name])
                                            for part, r in zip(parts, rounded, strict=True)]}
    told["warnings"] = warnings_of(told)
    fixed = Fixed(formats, tuple(Projection(part.source.name, part.target.name, part.receptor, r.shift)
                                 for part, r in zip(parts, rounded, strict=True)), told, original)
    params, state = how.joined(records)
    group = Group(how.DYNAMICS, np.arange(network.neurons, dtype=np.int64), params, state)
    populations = tuple(dataclasses.replace(
        p, group=0, offset=p.neuron, variables=how.variables(p), scale=formats[p.name].lsb,
        rest=float(p.params["v_rest"][0]), exactness=how.DYNAMICS.exactness,
        units={f"i{c.receptor}": math.ldexp(formats[p.name].lsb, -c.fall) / gains[p.name][c.receptor]
               for c in formats[p.name].currents}) if p.kind == "neuron" else p for p in network.populations)
    return dataclasses.replace(network, populations=populations, groups=(group,), synapses=synapses, tick=options.tick,
                               fixed=fixed)


# ---------------------------------------------------------------------------------------------------- synapses
def parts_of(network: Network, gains: Mapping[Any, Sequence[np.ndarray]], peaks: Mapping[Any, Sequence[np.ndarray]]
             ) -> list[Part]:
    """The unmerged synapses by source population, target population and receptor; in the table's order."""
    table = flat(network.synapses)
    emitting = [p for p in network.populations if p.kind != "current"]
    receiving = [p for p in network.populations if p.kind == "neuron"]
    source = np.searchsorted([p.emitter for p in emitting], table.emitter, side="right") - 1
    target = np.searchsorted([p.neuron for p in receiving], table.target, side="right") - 1
    kind = (source * len(receiving) + target) * 256 + table.receptor
    order = np.argsort(kind, kind="stable")
    ends = np.flatnonzero(np.diff(kind[order], append=-1)) + 1
    parts = []
    for k in np.split(order, ends[:-1]):
        if len(k):
            p, receptor = receiving[target[k[0]]], int(table.receptor[k[0]])
            post = table.target[k] - p.neuron
            worth = table.weight[k] * gains[p.name][receptor][post]
            parts.append(Part(emitting[source[k[0]]], p, receptor, table.emitter[k], table.target[k], table.weight[k],
                              table.delay[k], worth, worth * peaks[p.name][receptor][post],
                              frequency(emitting[source[k[0]]])))
    return parts


def frequency(p: Population) -> float:
    """Spikes a ms of one source of the population; of neurons nobody knows beforehand: 0."""
    if p.kind == "neuron":
        return 0.0
    if p.model != "spikes":
        return float(expected(p, SECOND)) / p.size / SECOND
    trains = p.params["times"]
    return max((len(train) / max(float(train[-1] - train[0]), 1.0) for train in trains if len(train)), default=0.0)


def gathered(parts: Sequence[Part], p: Population) -> scales.Incoming:
    """What a population receives by its projections."""
    sizes = [len(part.weight) for part in parts]
    return scales.Incoming(
        np.concatenate([np.empty(0), *(part.worth for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.post - p.neuron for part in parts)]),
        np.repeat(np.arange(len(parts)), sizes),
        np.repeat(np.array([part.receptor for part in parts], np.int64), sizes),
        np.concatenate([np.empty(0), *(part.peak for part in parts)]),
        np.repeat(np.array([part.often for part in parts]), sizes))


def rounding_of(part: Part, form: Format) -> Rounded:
    """One projection's mantissas, shift and delays in ticks."""
    fall = next((c.fall for c in form.currents if c.receptor == part.receptor), 0)
    lsb = math.ldexp(form.lsb, -fall)
    shift = scales.shift(part.worth, form.weight_bits, scales.power(lsb))
    exact = np.rint(part.worth / math.ldexp(lsb, shift))
    top = (1 << (form.weight_bits - 1)) - 1
    mantissa = np.clip(exact, -top, top)
    return Rounded(shift, mantissa.astype(np.int64), int((mantissa != exact).sum()),
                   np.maximum(np.rint(part.delay / form.tick), 1.0), lsb)


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
