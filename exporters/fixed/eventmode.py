"""A population of `lif` with delta synapses in event mode: its format and its records."""

import math
from typing import Any

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Population
from eventsnn.values import at, quoted

from . import lif, scales
from .format import DECAYS, NEVER, WIDTH, Format, factor, guard_rule, tables
from .refusals import DECAY_BITS, Options
from .scales import Incoming, Marks, Span

DYNAMICS = lif.DYNAMICS


def gains(p: Population, options: Options) -> list[np.ndarray]:
    """mV that V jumps by for a weight of 1, per receptor, (size,) each."""
    return [np.ones(p.size)] * p.receptors


def peaks(p: Population, options: Options) -> list[np.ndarray]:
    """A PSP's peak in what its weight is worth."""
    return gains(p, options)


def decay_bits(ticks: float, decay: str, asked: int | None) -> int:
    """Fraction bits of the decay of a time constant of so many ticks."""
    least = math.ceil(math.log2(ticks)) + 10 if decay == "mul" and ticks >= 1.0 else 16
    return asked or min(max(16, least), DECAY_BITS[1])


def chosen(p: Population, marks: Marks, span: Span, incoming: Incoming, options: Options, **more: Any) -> Format:
    """The format of one population; `more`: fields of tick mode."""
    finite = p.params["tau_m"][np.isfinite(p.params["tau_m"])]
    ticks = float(finite.max(initial=0.0)) / options.tick
    guard, gap = options.guard_bits, math.inf
    if guard is None:
        guard, gap = guard_rule(ticks), float((marks.theta - np.maximum(marks.reset, 0.0)).min())
    exponent, left = scales.lsb(span.range, gap, incoming, options.weight_bits, options.v_bits, guard)
    usual = more.pop("usual", "lut")
    decay = (options.decay or usual) if len(finite) else "none"
    return Format(options.v_bits, left, math.ldexp(1.0, exponent), options.tick, decay,
                  decay_bits(ticks, decay, options.decay_bits), options.weight_bits,
                  **{"time_bits": options.time_bits, **more})


def records(p: Population, marks: Marks, form: Format, span: Span, incoming: Incoming, options: Options
            ) -> tuple[np.recarray, np.recarray]:
    """Parameter and state records of one population."""
    tau = p.params["tau_m"] / form.tick
    kinds, each = np.unique(tau, return_inverse=True)
    with at(f"node {quoted(p.name)}"):
        made = {k: tables(t, form.decay_bits, form.top) for k, t in enumerate(kinds)
                if form.decay == "lut" and math.isfinite(t)}
        width = max((len(t.fine) for t in made.values()), default=WIDTH)
        record: np.recarray = np.zeros(p.size, lif.params_dtype(width)).view(np.recarray)
        record.top, record.bits = form.top, form.decay_bits
        record.theta, record.reset = thresholds(marks, form)
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
            record.rate = slope(marks, span, form, tau)
        for low, text in ((np.zeros(p.size, np.int64), "v_rest"), (np.asarray(record.reset), "v_reset")):
            if (np.asarray(record.theta) <= low).any():
                raise Mistake(f"v_thresh rounds to {text} on a grid of {form.lsb:g} mV: take more v_bits or guard_bits "
                              f"or a calibration run (the range is {span.range:g} mV)")
    state: np.recarray = np.zeros(p.size, lif.STATE).view(np.recarray)
    state.v, state.hold = form.units(marks.start), -1.0
    return record, state


def thresholds(marks: Marks, form: Format) -> tuple[np.ndarray, np.ndarray]:
    """Threshold and reset in LSBs; NEVER for inf."""
    never = np.isinf(marks.theta)
    return np.where(never, NEVER, form.units(np.where(never, 0.0, marks.theta))), form.units(marks.reset)


def slope(marks: Marks, span: Span, form: Format, tau: np.ndarray) -> np.ndarray:
    """LSBs a tick of a linear decay: the exponential's at half the threshold."""
    height = np.where(np.isinf(marks.theta), span.range, np.abs(marks.theta)) / form.lsb
    rate = np.rint(-0.5 * height * np.expm1(-1.0 / tau))
    if np.any((rate < 1) & np.isfinite(tau)):
        raise Mistake("a linear decay of less than one LSB a tick: take a coarser tick, or more v_bits and guard_bits")
    return rate


def joined(parts: list[tuple[np.recarray, np.recarray]]) -> tuple[np.recarray, np.recarray]:
    """The records of all populations in one layout."""
    width = max(params.fine.shape[1] for params, _ in parts)
    whole: np.recarray = np.zeros(sum(len(params) for params, _ in parts), lif.params_dtype(width)).view(np.recarray)
    first = 0
    for params, _ in parts:
        mine = slice(first, first + len(params))
        for name in lif.SCALARS:
            whole[name][mine] = params[name]
        whole.coarse[mine, :params.coarse.shape[1]] = params.coarse
        whole.fine[mine, :params.fine.shape[1]] = params.fine
        first += len(params)
    return whole, np.concatenate([state for _, state in parts]).view(np.recarray)


def variables(p: Population) -> tuple[str, ...]:
    return lif.VARIABLES
