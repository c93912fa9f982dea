"""A population of `lif` in tick mode: how much a weight is worth, its format, and its records for `clocked`.

A current of i nA moves V by R (1 - a) i in a tick, R = tau_m / cm and a what a tick leaves of V (tau_m = inf: by
i tick / cm).  What a weight w of an exp synapse adds to its current counts as the mV that it adds to V at the tick of
its arrival: w R (1 - a) (tau_syn / tick) (1 - a_syn), so that the area under its PSP is the exact one, w R tau_syn.  a
and a_syn are those of the integers (A / 2^DF, 1 - 2^-d), not what was asked for: an effective time constant that is a
bit off costs no mean drive.

V takes the finest LSB with which VW bits reach its range, and a current the finest (at most 2^-24 of V's, or with
guard_bits so many below the finest weight) with which IW bits reach its own: a finer one costs nothing.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.channels import receptors
from eventsnn.errors import Mistake
from eventsnn.network import Population
from eventsnn.values import at, quoted

from . import clocked, eventmode, scales
from .eventmode import decay_bits
from .format import DECAYS, Current, Format, factor
from .refusals import Options
from .scales import Incoming, Marks, Span

DYNAMICS = clocked.DYNAMICS
USUAL = "mul"
DEEPEST = 24             # the most bits of a current below V's last one


class Fading(NamedTuple):
    """A time constant in integers, per neuron: how it decays, and what a tick leaves."""

    kind: np.ndarray             # (n,) int64: of DECAYS
    rate: np.ndarray             # (n,) int64; of "linear", 0
    bits: int
    left: np.ndarray             # (n,) float64: exp(-tick/tau) as the integers have it


def fading(tau_ticks: np.ndarray, decay: str, bits: int, min1: bool, name: str) -> Fading:
    kind = np.where(np.isfinite(tau_ticks), DECAYS.index(decay), DECAYS.index("none"))
    ideal = np.exp(-1.0 / tau_ticks)
    if decay == "shift":
        d = np.rint(np.log2(np.where(np.isfinite(tau_ticks), tau_ticks, 1.0))).astype(np.int64)
        return Fading(kind, d, int(min1), np.where(np.isfinite(tau_ticks), 1.0 - 0.5**d, 1.0))
    if decay in ("mul", "lut"):
        rate = np.array([factor(t, bits, name) if math.isfinite(t) else 0 for t in tau_ticks.tolist()], np.int64)
        return Fading(kind, rate, bits, np.where(np.isfinite(tau_ticks), np.ldexp(rate.astype(float), -bits), 1.0))
    return Fading(kind, np.zeros(len(kind), np.int64), bits, ideal)


def membrane(p: Population, options: Options) -> Fading:
    tau = p.params["tau_m"] / options.tick
    decay = options.decay or USUAL
    finite = tau[np.isfinite(tau)]
    bits = decay_bits(float(finite.max(initial=0.0)), decay, options.decay_bits)
    return fading(tau, decay, bits, options.min1, "tau_m")


def synaptic(tau_syn: np.ndarray, options: Options) -> Fading:
    tau, decay = tau_syn / options.tick, options.i_decay or USUAL
    return fading(tau, decay, decay_bits(float(tau.max()), decay, options.i_decay_bits), options.min1, "tau_syn")


def lift(p: Population, options: Options) -> np.ndarray:
    """mV that a constant current of 1 nA moves V by in a tick."""
    tau, cm = p.params["tau_m"], p.params["cm"]
    left = membrane(p, options).left
    return np.where(np.isfinite(tau), np.where(np.isfinite(tau), tau, 1.0) * (1.0 - left), options.tick) / cm


def gains(p: Population, options: Options) -> list[np.ndarray]:
    """mV that V moves by at the tick of an arrival for a weight of 1, per receptor, (size,) each."""
    with at(f"node {quoted(p.name)}"):
        up = lift(p, options)
        return [np.ones(p.size) if tau is None else up * (tau / options.tick) * (1.0 - synaptic(tau, options).left)
                for tau in receptors(p.params, p.size)["tau_syn"]]


def peaks(p: Population, options: Options) -> list[np.ndarray]:
    """A bound of a PSP's peak in what its weight is worth, per receptor, (size,) each."""
    with np.errstate(divide="ignore"):
        slow = 1.0 / (1.0 - membrane(p, options).left)
        return [np.ones(p.size) if tau is None else np.minimum(slow, 1.0 / (1.0 - synaptic(tau, options).left))
                for tau in receptors(p.params, p.size)["tau_syn"]]


def bias(p: Population, options: Options) -> np.ndarray:
    """mV a tick of i_offset."""
    return lift(p, options) * p.params["i_offset"]


def chosen(p: Population, marks: Marks, span: Span, incoming: Incoming, options: Options) -> Format:
    """The format of one population."""
    told = receptors(p.params, p.size)
    words = {"usual": USUAL, "rounding": options.rounding, "saturation": options.saturation, "mode": "tick",
             "compare": options.compare, "spikes": options.spikes if p.params["reset"] == "subtract" else 1,
             "input_first": options.input_first, "min1": options.min1}
    form = eventmode.chosen(p, marks, span, incoming, options, **words)
    with_current = [k for k, kind in enumerate(told["synapse"]) if kind == "exp"]
    if not with_current and not np.any(p.params["i_offset"]):
        return form                                        # as in event mode: the two are to be the same
    finest = {k: scales.finest(incoming, incoming.receptor == k, options.weight_bits) for k in range(p.receptors)}
    reach = {k: scales.coarsest(span.currents[k], options.i_bits) for k in with_current}
    exponent = max(scales.coarsest(span.range, options.v_bits), *reach.values(), -1000)
    currents = []
    for k in with_current:
        grid, ticks = finest[k], float(told["tau_syn"][k].max()) / options.tick
        own = reach[k] if options.guard_bits is None or grid is None else max(reach[k], grid - options.guard_bits)
        own = min(exponent, max(own, exponent - DEEPEST))
        decay = options.i_decay or USUAL
        currents.append(Current(k, options.i_bits, exponent - own, decay,
                                decay_bits(ticks, decay, options.i_decay_bits)))
    fall = {c.receptor: c.fall for c in currents}
    grids = [e - exponent for k, e in finest.items() if e is not None and k not in fall]
    return Format(**{**vars(form), "lsb": math.ldexp(1.0, exponent), "guard": max(min(grids, default=0), 0),
                     "currents": tuple(currents)})


def records(p: Population, marks: Marks, form: Format, span: Span, incoming: Incoming, options: Options
            ) -> tuple[np.recarray, np.recarray]:
    """Parameter and state records of one population."""
    told = receptors(p.params, p.size)
    record, state = clocked.silent(p.size, clocked.room(p.receptors))
    with at(f"node {quoted(p.name)}"):
        tau = p.params["tau_m"] / form.tick
        how = membrane(p, options)
        record.decay, record.rate, record.bits = how.kind, how.rate, how.bits
        if form.decay == "linear":
            record.rate = np.where(np.isfinite(tau), eventmode.slope(marks, span, form, tau), 0)
        record.theta, record.reset = eventmode.thresholds(marks, form)
        record.top, record.bias = form.top, form.units(bias(p, options))
        record.refrac = np.rint(marks.refrac / form.tick)
        record.subtract, record.spikes = p.params["reset"] == "subtract", form.spikes
        record.rounding = clocked.ROUNDINGS.index(form.rounding)
        record.saturation = clocked.SATURATIONS.index(form.saturation)
        record.strict, record.input_first, record.receptors = form.compare == ">", form.input_first, p.receptors
        worth = gains(p, options)
        for c in form.currents:
            k, unit = c.receptor, math.ldexp(form.lsb, -c.fall)
            own = synaptic(told["tau_syn"][k], options)
            record.kind[:, k], record.bits_i[:, k], record.fall[:, k] = own.kind, own.bits, c.fall
            record.rate_i[:, k] = falling(incoming, k, unit, own) if c.decay == "linear" else own.rate
            record.top_i[:, k] = (1 << (c.bits - 1)) - 1
            state.i[:, k] = np.rint(told["i_init"][k] * worth[k] / unit)
        state.v, state.shots = form.units(marks.start), record.spikes
        for name, values, top in (("v_init", state.v, form.top), ("v_reset", record.reset, form.top),
                                  ("i_offset", record.bias, form.top), ("i_init", state.i, record.top_i)):
            if np.any(np.abs(values) > top):
                raise Mistake(f"{name} does not fit: take more v_bits or i_bits, or a calibration run")
    return record, state


def falling(incoming: Incoming, k: int, unit: float, own: Fading) -> np.ndarray:
    """LSBs a tick of a current's linear decay: the exponential's at half its largest weight."""
    largest = np.abs(incoming.weight[incoming.receptor == k]).max(initial=0.0) / unit
    return np.maximum(np.rint(0.5 * largest * (1.0 - own.left)), 1)


def joined(parts: Sequence[tuple[np.recarray, np.recarray]]) -> tuple[np.recarray, np.recarray]:
    """The records of all populations in one layout."""
    width = max(params.kind.shape[1] for params, _ in parts)
    whole = clocked.silent(sum(len(params) for params, _ in parts), width)
    first = 0
    for part in parts:
        mine = slice(first, first + len(part[0]))
        for to, own in zip(whole, part, strict=True):
            for name in own.dtype.names or ():
                columns: Any = (mine, slice(0, own[name].shape[1])) if own[name].ndim == 2 else mine
                to[name][columns] = own[name]
        first += len(part[0])
    return whole


def variables(p: Population) -> tuple[str, ...]:
    return clocked.variables(p.receptors, "exp" in receptors(p.params, p.size)["synapse"])
