"""Exponential integrate-and-fire neurons (Fourcaud-Trocme, Hansel, van Vreeswijk & Brunel 2003).

    tau_m dV/dt = -(V - v_rest) + delta_T e^{(V - v_thresh)/delta_T} + (tau_m / cm) I
    a spike where V reaches v_spike; then V := v_reset for tau_refrac

Near a spike V runs away in no time; there the integration goes by sigma, in which V rises steadily:
dt/dsigma = 1/(1 + e^{(V - v_thresh)/delta_T}).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..errors import Mistake
from ..model import Field, Model, Prepared, Waves

FIELDS = {
    "tau_m": Field(20.0, "ms", "membrane time constant", above=0.0),
    "cm": Field(1.0, "nF", "membrane capacitance", above=0.0),
    "v_rest": Field(-65.0, "mV", "resting potential"),
    "v_thresh": Field(-50.0, "mV", "where the exponential current takes over"),
    "delta_T": Field(2.0, "mV", "sharpness of the spike's onset", above=0.0),
    "v_spike": Field(0.0, "mV", "spike detection"),
    "v_reset": Field(-60.0, "mV", "potential after a spike"),
    "tau_refrac": Field(0.1, "ms", "refractory period", above=0.0, closed=True),
    "i_offset": Field(0.0, "nA", "constant current"),
    "v_init": Field(None, "mV", "V at t = 0; default v_rest"),
    **ode.FIELDS,
}
SLOWEST = 1e-300             # e^-u vanishes for large u, but time must not


def pace(p, v):
    """dt/dsigma, and e^{(V - v_thresh)/delta_T} times it."""
    u = (v - p.v_thresh) / p.delta
    if u > 0.0:
        z = math.exp(-u)
        return max(z / (1.0 + z), SLOWEST), 1.0 / (1.0 + z)
    z = math.exp(u)
    return 1.0 / (1.0 + z), z / (1.0 + z)


def slopes(p, y, current, dy):
    time, upstroke = pace(p, y[0])
    dy[0] = time * (p.leak * (p.v_rest - y[0]) + current) / p.cm + p.leak * p.delta / p.cm * upstroke
    dy[1] = time


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with v_init; `Mistake` where a spike would have no end."""
    v = dict(values)
    if v["v_init"] is None:
        v["v_init"] = v["v_rest"]
    for low in ("v_reset", "v_thresh"):
        if np.any(v[low] >= v["v_spike"]):
            k = int(np.argmax(v[low] >= v["v_spike"]))
            raise Mistake(f"v_spike {v['v_spike'][k]:g} is not above {low} {v[low][k]:g} (neuron {k}): raise v_spike")
    return v


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    v = checked(values)
    parameters = {"v_thresh": v["v_thresh"], "delta": v["delta_T"], "leak": v["cm"] / v["tau_m"], "cm": v["cm"],
                  "v_rest": v["v_rest"]}
    return ode.prepare(DYNAMICS, v, size, waves, parameters, {"v": v["v_init"]}, v["v_spike"], v["v_reset"])


DYNAMICS = ode.dynamics("eif", {"slopes": slopes})
EIF = Model("eif", __doc__ or "", FIELDS, prepare)
