"""Adaptive exponential integrate-and-fire neurons (Brette & Gerstner 2005).

    cm dV/dt = (cm / tau_m) (v_rest - V + delta_T e^{(V - v_thresh)/delta_T}) - w + I
    tau_w dw/dt = a (V - v_rest) - w
    a spike where V reaches v_spike; then V := v_reset for tau_refrac, and w := w + b

Near a spike the integration goes by sigma, as in `eif`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..model import Field, Model, Prepared, Waves
from . import eif
from .eif import pace

FIELDS = {
    **eif.FIELDS,
    "tau_m": Field(281.0 / 30.0, "ms", "membrane time constant", above=0.0),
    "cm": Field(0.281, "nF", "membrane capacitance", above=0.0),
    "v_rest": Field(-70.6, "mV", "resting potential"),
    "v_thresh": Field(-50.4, "mV", "where the exponential current takes over"),
    "v_spike": Field(-40.0, "mV", "spike detection"),
    "v_reset": Field(-70.6, "mV", "potential after a spike"),
    "tau_w": Field(144.0, "ms", "time constant of the adaptation", above=0.0),
    "a": Field(0.004, "uS", "adaptation to V below threshold"),
    "b": Field(0.0805, "nA", "adaptation to spikes: what each adds to w"),
    "w_init": Field(0.0, "nA", "w at t = 0"),
}


def slopes(p, y, current, dy):
    time, upstroke = pace(p, y[0])
    dy[0] = time * (p.leak * (p.v_rest - y[0]) - y[1] + current) / p.cm + p.leak * p.delta / p.cm * upstroke
    dy[1] = time * (p.a * (y[0] - p.v_rest) - y[1]) / p.tau_w
    dy[2] = time


def reset(p, s):
    s.a[1] += p.b


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    v = eif.checked(values)
    parameters = {"v_thresh": v["v_thresh"], "delta": v["delta_T"], "leak": v["cm"] / v["tau_m"], "cm": v["cm"],
                  "v_rest": v["v_rest"], "tau_w": v["tau_w"], "a": v["a"], "b": v["b"]}
    states = {"v": v["v_init"], "w": np.broadcast_to(v["w_init"], size)}
    return ode.prepare(DYNAMICS, v, size, waves, parameters, states, v["v_spike"], v["v_reset"])


DYNAMICS = ode.dynamics("adex", {"slopes": slopes, "reset": reset})
ADEX = Model("adex", __doc__ or "", FIELDS, prepare)
