"""Hodgkin-Huxley neurons (Hodgkin & Huxley 1952; potentials counted as today, rest near -65 mV).

    cm dV/dt = gbar_Na m^3 h (e_rev_Na - V) + gbar_K n^4 (e_rev_K - V) + g_leak (e_rev_leak - V) + I
    dm/dt = alpha_m (1 - m) - beta_m m, and so h and n, with
    alpha_m = 0.1 (V + 40) / (1 - e^{-(V + 40)/10})       beta_m = 4 e^{-(V + 65)/18}
    alpha_h = 0.07 e^{-(V + 65)/20}                       beta_h = 1 / (1 + e^{-(V + 35)/10})
    alpha_n = 0.01 (V + 55) / (1 - e^{-(V + 55)/10})      beta_n = 0.125 e^{-(V + 65)/80}
    a spike where V crosses v_thresh upwards; nothing is reset

With cm = 1 nF the conductances in uS are the squid's in mS/cm^2 (0.1 mm^2 of membrane).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..errors import Mistake
from ..model import Field, Model, Prepared, Waves

FIELDS = {
    "cm": Field(1.0, "nF", "membrane capacitance", above=0.0),
    "gbar_Na": Field(120.0, "uS", "peak sodium conductance", above=0.0, closed=True),
    "gbar_K": Field(36.0, "uS", "peak potassium conductance", above=0.0, closed=True),
    "g_leak": Field(0.3, "uS", "leak conductance", above=0.0, closed=True),
    "e_rev_Na": Field(50.0, "mV", "sodium reversal potential"),
    "e_rev_K": Field(-77.0, "mV", "potassium reversal potential"),
    "e_rev_leak": Field(-54.4, "mV", "leak reversal potential"),
    "v_thresh": Field(0.0, "mV", "spike detection, upwards"),
    "i_offset": Field(0.0, "nA", "constant current"),
    "v_init": Field(-65.0, "mV", "V at t = 0"),
    "m_init": Field(None, "1", "m at t = 0; default its steady state at v_init", above=0.0,
                    closed=True),
    "h_init": Field(None, "1", "h at t = 0; default its steady state at v_init", above=0.0,
                    closed=True),
    "n_init": Field(None, "1", "n at t = 0; default its steady state at v_init", above=0.0,
                    closed=True),
    **ode.FIELDS,
}

FARTHEST = 3000.0            # mV: only a stage of a step too long looks beyond, where exponentials would overflow


def ratio(x):
    """x / (1 - e^{-x})."""
    return -x / math.expm1(-x) if x != 0.0 else 1.0


def rates(v):
    """alpha and beta of m, h and n, 1/ms."""
    v = min(max(v, -FARTHEST), FARTHEST)
    return (ratio(0.1 * (v + 40.0)), 4.0 * math.exp(-(v + 65.0) / 18.0),
            0.07 * math.exp(-(v + 65.0) / 20.0), 1.0 / (1.0 + math.exp(-(v + 35.0) / 10.0)),
            0.1 * ratio(0.1 * (v + 55.0)), 0.125 * math.exp(-(v + 65.0) / 80.0))


def slopes(p, y, current, dy):
    v, m, h, n = y[0], y[1], y[2], y[3]
    rise_m, fall_m, rise_h, fall_h, rise_n, fall_n = rates(v)
    sodium = p.sodium * m * m * m * h * (p.e_sodium - v)
    potassium = p.potassium * (n * n) * (n * n) * (p.e_potassium - v)
    dy[0] = (sodium + potassium + p.leak * (p.e_leak - v) + current) / p.cm
    dy[1] = rise_m * (1.0 - m) - fall_m * m
    dy[2] = rise_h * (1.0 - h) - fall_h * h
    dy[3] = rise_n * (1.0 - n) - fall_n * n
    dy[4] = 1.0


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    v = dict(values)
    steady = np.array([[a / (a + b) for a, b in zip(r[::2], r[1::2], strict=True)] for r in map(rates, v["v_init"])])
    for k, name in enumerate(("m_init", "h_init", "n_init")):
        v[name] = steady[:, k] if v[name] is None else v[name]
        if np.any(v[name] > 1.0):
            raise Mistake(f"{name} is {v[name].max():g}: gates are between 0 and 1")
    parameters = {"cm": v["cm"], "sodium": v["gbar_Na"], "potassium": v["gbar_K"], "leak": v["g_leak"],
                  "e_sodium": v["e_rev_Na"], "e_potassium": v["e_rev_K"], "e_leak": v["e_rev_leak"]}
    states = {"v": v["v_init"], "m": v["m_init"], "h": v["h_init"], "n": v["n_init"]}
    return ode.prepare(DYNAMICS, v, size, waves, parameters, states, v["v_thresh"])


DYNAMICS = ode.dynamics("hodgkin_huxley", {"slopes": slopes})
HODGKIN_HUXLEY = Model("hodgkin_huxley", __doc__ or "", FIELDS, prepare)
