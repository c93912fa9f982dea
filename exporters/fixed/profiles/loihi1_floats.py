"""Floats to Loihi 1's registers.

    du = 4095 - rint(4096 e^(-tick/tau_syn)), 4095 for delta synapses;  dv = 4096 - rint(4096 e^(-tick/tau_m))
    one LSB of v: the finest at which v, u, vth and the bias fit, coarser by less than 2 so that the largest weight of
    the population is the largest mantissa (255, or 254 among mixed signs, whose last bit the chip drops)
    weight = mantissa << (weight_exp + 6) LSBs, weight_exp per projection, 0 to 7
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eventsnn.channels import receptors
from eventsnn.errors import Mistake
from eventsnn.network import Population
from eventsnn.values import at, quoted

from ..format import Current
from ..quantise import Part, Rounded
from .build import Cells
from .floats import Asked, Chip, Mapped, effective, uniform
from .loihi1_lava import REGISTERS, SETTINGS, TOP, around, current, form, held, potential

MANTISSA, LARGEST = REGISTERS["bias_mant"].high, REGISTERS["bias_mant"].high << REGISTERS["bias_exp"].high
VTH, EXPONENT = REGISTERS["vth"].high, SETTINGS["weight_exp"].high


def refused(p: Population, tick: float) -> None:
    if p.params["reset"] != "value":
        raise Mistake('reset: reset = "subtract", but Loihi 1 sets v to 0: take "value"')
    uniform(p.params["v_thresh"] - p.params["v_rest"], "v_thresh", "vth")


def decays(p: Population, tick: float) -> tuple[int, int]:
    """du and dv."""
    taus = receptors(p.params, p.size)["tau_syn"]
    if len({t is None for t in taus}) > 1:
        raise Mistake("current: delta and exp synapses, but a population has one u: split it, or take one kind")
    if taus[0] is None:
        du = 4095
    else:
        tau = uniform(np.concatenate(taus), "tau_syn", "du") / tick
        du = 4095 - round(4096 * math.exp(-1.0 / tau))
        if du < 0:
            raise Mistake(f"du: tau_syn of {tau:g} ticks is longer than du can make it: take a longer tick")
    tau = uniform(p.params["tau_m"], "tau_m", "dv") / tick
    dv = 4096 - round(4096 * math.exp(-1.0 / tau))
    if dv == 0 and tau < math.inf:
        raise Mistake(f"dv: tau_m of {tau:g} ticks is longer than dv can make it: take a longer tick, or tau_m = inf")
    return du, dv


def lift(p: Population, tick: float) -> np.ndarray:
    """mV that a constant current of 1 nA moves v by in a tick, so that v comes to rest at R I."""
    _, dv = decays(p, tick)
    tau, cm = p.params["tau_m"], p.params["cm"]
    return np.where(np.isfinite(tau), np.where(np.isfinite(tau), tau, 1.0) * (dv / 4096.0), tick) / cm


def gains(p: Population, tick: float) -> Sequence[np.ndarray]:
    """What a weight adds to u: the area under its PSP is the exact one."""
    du, _ = decays(p, tick)
    return [np.ones(p.size) if tau is None else lift(p, tick) * (tau / tick) * ((1 + du) / 4096.0)
            for tau in receptors(p.params, p.size)["tau_syn"]]


def mapped(asked: Mapping[Any, Asked], tick: float) -> dict[Any, Mapped]:
    found = {}
    for name, a in asked.items():
        with at(f"node {quoted(name)}"):
            found[name] = population(a, tick)
    return found


def tops(part: Part) -> tuple[int, int]:
    """The largest mantissa that one projection uses, and its step: the chip drops the last bit among mixed signs."""
    return (254, 2) if part.worth.min() < 0.0 < part.worth.max() else (255, 1)


def population(a: Asked, tick: float) -> Mapped:
    p = a.p
    (du, dv), theta, push = decays(p, tick), float(a.marks.theta[0]), lift(p, tick) * p.params["i_offset"]
    first = sum((start * gain for start, gain in zip(a.i_init, a.gains, strict=True) if start is not None),
                np.zeros(p.size))
    finest = max(a.span.range / TOP, sum(a.span.currents) / TOP, np.abs(push).max() / LARGEST,
                 0.0 if math.isinf(theta) else theta / (VTH << 6), np.abs(a.marks.start).max() / TOP,
                 np.abs(first).max() / TOP)
    largest = max((np.abs(part.worth).max() / tops(part)[0] for part in a.parts), default=0.0)
    lsb = float(finest)
    if largest > 0.0:
        e = min(math.floor(math.log2(largest / (64.0 * finest))), 7)
        lsb = float(largest / (64 << e)) if e >= 0 else lsb
    vth = VTH if math.isinf(theta) else round(theta / (64.0 * lsb))
    if vth < 1:
        raise Mistake(f"vth: v_thresh rounds to v_rest on a grid of {64.0 * lsb:g} mV (v reaches {a.span.range:g} mV)")
    mant, exp = shifted_bias(np.rint(push / lsb))
    registers = {"du": np.full(p.size, du), "dv": np.full(p.size, dv), "vth": np.full(p.size, vth), "bias_mant": mant,
                 "bias_exp": exp, "u": np.rint(first / lsb).astype(np.int64),
                 "v": np.rint(a.marks.start / lsb).astype(np.int64)}
    left_v, left_u = 1.0 - dv / 4096.0, (4095 - du) / 4096.0
    own = form(registers, lsb, tick)
    if any(tau is not None for tau in a.tau_syn):
        own = type(own)(**{**vars(own), "currents": tuple(Current(k, 24, 0, "mul", 12) for k in range(p.receptors))})

    def area(weight: int, receptor: int) -> float:
        u, v, total, arriving = 0, 0, 0, weight
        while u or v or arriving:
            u = around(current(du, u, arriving))
            v = held(potential(dv, v, u))
            total, arriving = total + v, 0
        return total * (1.0 - left_u) * (1.0 - left_v) / (weight << 6)

    return Mapped(Cells(registers, own, float(p.params["v_rest"][0]), {"u": lsb / a.gains[0]}),
                  [rounding(part, 64.0 * lsb) for part in a.parts], effective(np.full(p.size, left_v), tick),
                  [None if tau is None else effective(np.full(p.size, left_u), tick) for tau in a.tau_syn],
                  registers["v"], registers["vth"] << 6, 4096 // dv if dv else 0, area)


def shifted_bias(bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mantissa and exponent: the smallest exponent with which it fits."""
    exp = np.zeros(len(bias), np.int64)
    while np.any(np.abs(np.rint(bias / 2.0**exp)) > MANTISSA):
        exp += np.abs(np.rint(bias / 2.0**exp)) > MANTISSA
    return np.rint(bias / 2.0**exp).astype(np.int64), exp


def rounding(part: Part, unit: float) -> Rounded:
    """One projection's mantissas and exponent; `unit`: mV of a mantissa of 1 at exponent 0."""
    top, step = tops(part)
    size = float(np.abs(part.worth).max())
    e = max(0, math.ceil(math.log2(size / unit / top) - 1e-9)) if size > 0.0 else 0
    if e > EXPONENT:
        raise Mistake(f"weight exponent: {part.source.name!r} needs {e} of at most {EXPONENT}: its weights are too "
                      "large beside the threshold")
    exact = step * np.rint(part.worth / (step * unit * 2.0**e))
    mantissa = np.clip(exact, -top, top)
    return Rounded(e, mantissa.astype(np.int64), int((mantissa != exact).sum()), np.ones(len(exact)), unit)


CHIP = Chip(refused, gains, mapped)
