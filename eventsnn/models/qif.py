"""Quadratic integrate-and-fire neurons (Ermentrout & Kopell 1986; Latham et al. 2000).

    tau_m dV/dt = a (V - v_rest) (V - v_crit) + (tau_m / cm) (i_offset + injected + sum of synaptic currents)
    a spike where V reaches v_peak (inf: where it escapes); then V := v_reset for tau_refrac

With x = (a / tau_m) (V - (v_rest + v_crit) / 2) and q^2 = |D| this is x' = x^2 + D, so
x(s) = (x + D T) / (1 - x T),  T = tan(q s)/q for D > 0, tanh(q s)/q for D < 0, s for D = 0.
That serves delta synapses and piecewise constant currents; anything else that flows makes it an ODE (`qif_theta`).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import channels, ode
from ..channels import silent
from ..errors import Mistake
from ..model import Dynamics, Field, Model, Prepared, Verbs, Waves, inf
from . import qif_theta

FIELDS = {
    "tau_m": Field(20.0, "ms", "membrane time constant", above=0.0),
    "cm": Field(1.0, "nF", "membrane capacitance", above=0.0),
    "a": Field(0.1, "1/mV", "curvature of the spike-generating current", above=0.0),
    "v_rest": Field(-65.0, "mV", "resting potential: the stable zero without current"),
    "v_crit": Field(-55.0, "mV", "critical potential: the unstable zero without current"),
    "v_peak": Field(20.0, "mV", "spike detection; inf: the escape to infinity itself", finite=False),
    "v_reset": Field(-70.0, "mV", "potential after a spike"),
    "tau_refrac": Field(0.0, "ms", "refractory period", above=0.0, closed=True),
    "i_offset": Field(0.0, "nA", "constant current"),
    "v_init": Field(None, "mV", "V at t = 0; default v_rest"),
    **ode.FIELDS,
}

PARAMS = np.dtype([("scale", "f8"), ("centre", "f8"), ("floor", "f8"), ("cm", "f8"), ("peak", "f8"), ("reset", "f8"),
                   ("refrac", "f8"), ("i_offset", "f8")])
STATE = np.dtype([("t", "f8"), ("x", "f8"), ("d", "f8"), ("end", "f8"), ("held", "i8")])


def flow(x, d, s):
    """x after a time s of x' = x^2 + d, short of the escape."""
    if d > 0.0:
        q = math.sqrt(d)
        big_t = math.tan(q * s) / q
    elif d < 0.0:
        q = math.sqrt(-d)
        big_t = math.tanh(q * s) / q
    else:
        big_t = s
    return (x + d * big_t) / (1.0 - x * big_t)


def escape(x, d, peak):
    """The time from x < peak to the peak under x' = x^2 + d; inf if it never gets there."""
    if d > 0.0:
        q = math.sqrt(d)
        if peak == inf:
            return math.atan2(q, x) / q
        return math.atan2(q * (peak - x), d + x * peak) / q
    if d == 0.0:
        if x <= 0.0:
            return inf
        return 1.0 / x if peak == inf else (peak - x) / (x * peak)
    q = math.sqrt(-d)
    if x <= q:
        return inf
    z = q / x if peak == inf else q * (peak - x) / (d + x * peak)
    return math.atanh(z) / q if z < 1.0 else inf


def moved(p, s, t):
    """x at t; where rounding lets t reach the escape, the peak itself (the flow's other branch lies beyond it)."""
    if t - s.t >= escape(s.x, s.d, p.peak) * (1.0 - 1e-14):
        return p.peak
    return flow(s.x, s.d, t - s.t)


def advance(p, s, t):
    if s.held:
        if t < s.end:
            s.t = t
            return
        s.held = 0
        s.x = p.reset
        s.t = s.end
    if t > s.t:
        s.x = moved(p, s, t)
        s.t = t


def receive(p, s, t, sums):
    if silent(sums):
        return
    advance(p, s, t)
    if not s.held:
        total = sums[0]
        for k in range(1, len(sums)):
            total += sums[k]
        s.x += p.scale * total


def inject(p, s, slot, amount, slope):
    s.d = p.scale * ((p.i_offset + amount) / p.cm - p.floor)


def next_spike(p, s, horizon):
    if s.held:
        if s.end > horizon:
            return s.end
        advance(p, s, s.end)
    if s.x >= p.peak:
        return s.t
    return s.t + escape(s.x, s.d, p.peak)


def fire(p, s, t):
    s.t = t
    s.end = t + p.refrac
    s.held = 1
    advance(p, s, t)


def value(p, s, t, which):
    if s.held:
        if t < s.end:
            return p.centre + p.reset / p.scale
        advance(p, s, s.end)
    return p.centre + moved(p, s, t) / p.scale


DYNAMICS = Dynamics("qif", Verbs(advance, receive, inject, next_spike, fire, value), "closed form")


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    v = dict(values)
    if v["v_init"] is None:
        v["v_init"] = v["v_rest"]
    for low, high, strict in (("v_rest", "v_crit", False), ("v_crit", "v_peak", True), ("v_reset", "v_peak", True)):
        if np.any(wrong := (v[low] > v[high]) | (strict & (v[low] == v[high]))):
            k = int(np.argmax(wrong))
            raise Mistake(f"{high} {v[high][k]:g} is {'not above' if strict else 'below'} {low} {v[low][k]:g} "
                          f"(neuron {k}): raise {high}")
    x = {"scale": v["a"] / v["tau_m"], "centre": 0.5 * (v["v_rest"] + v["v_crit"]),
         "floor": v["a"] * (v["v_rest"] - v["v_crit"]) ** 2 / (4.0 * v["tau_m"])}
    for name in ("v_init", "v_reset", "v_peak"):
        x[name] = x["scale"] * (v[name] - x["centre"])
    kinds = channels.receptors(v, size)["synapse"]
    if set(kinds) != {"delta"} or not waves.steps:
        return qif_theta.prepare(v, size, waves, x)
    ode.reversals(v["e_rev"], kinds)
    p: Any = np.zeros(size, PARAMS).view(np.recarray)
    p.scale, p.centre, p.floor, p.peak, p.reset = (x[name] for name in
                                                   ("scale", "centre", "floor", "v_peak", "v_reset"))
    p.cm, p.refrac, p.i_offset = v["cm"], v["tau_refrac"], v["i_offset"]
    s: Any = np.zeros(size, STATE).view(np.recarray)
    s.x = x["v_init"]
    s.d = p.scale * (p.i_offset / p.cm - p.floor)
    return Prepared(DYNAMICS, p, s, len(kinds), ("v",))


QIF = Model("qif", __doc__ or "", FIELDS, prepare)
