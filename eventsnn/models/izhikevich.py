"""Izhikevich neurons (Izhikevich 2003).

    dV/dt = 0.04 V^2 + 5 V + 140 - u + I
    du/dt = a (b V - u)
    a spike where V reaches v_spike; then V := c, u := u + d

V in mV, t in ms, I in mV/ms (weights of exponential and alpha receptors too).  High above rest, where V runs away, the
integration goes by sigma, dt/dsigma = 1/(1 + h^2), h = (z + sqrt(z^2 + 30^2))/100, z = V + 62.5.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..errors import Mistake
from ..model import Field, Model, Prepared, Waves

FIELDS = {
    "a": Field(0.02, "1/ms", "rate of the recovery u"),
    "b": Field(0.2, "1/ms", "how u follows V"),
    "c": Field(-65.0, "mV", "V after a spike"),
    "d": Field(2.0, "mV/ms", "what a spike adds to u"),
    "v_spike": Field(30.0, "mV", "spike detection"),
    "tau_refrac": Field(0.0, "ms", "refractory period", above=0.0, closed=True),
    "i_offset": Field(0.0, "mV/ms", "constant current"),
    "v_init": Field(-70.0, "mV", "V at t = 0"),
    "u_init": Field(None, "mV/ms", "u at t = 0; default b v_init"),
    **ode.fields("mV/ms", "mV"),
}


def slopes(p, y, current, dy):
    v, u = y[0], y[1]
    above = v + 62.5
    high = 0.01 * (above + math.sqrt(above * above + 900.0))
    time = 1.0 / (1.0 + high * high)
    dy[0] = time * ((0.04 * v + 5.0) * v + 140.0 - u + current)
    dy[1] = time * p.a * (p.b * v - u)
    dy[2] = time


def reset(p, s):
    s.a[1] += p.d


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    v = dict(values)
    if np.any(v["c"] >= v["v_spike"]):
        k = int(np.argmax(v["c"] >= v["v_spike"]))
        raise Mistake(f"v_spike {v['v_spike'][k]:g} is not above c {v['c'][k]:g} (neuron {k}): raise v_spike")
    if v["u_init"] is None:
        v["u_init"] = v["b"] * v["v_init"]
    return ode.prepare(DYNAMICS, v, size, waves, {name: v[name] for name in ("a", "b", "d")},
                       {"v": v["v_init"], "u": v["u_init"]}, v["v_spike"], v["c"])


DYNAMICS = ode.dynamics("izhikevich", {"slopes": slopes, "reset": reset})
IZHIKEVICH = Model("izhikevich", __doc__ or "", FIELDS, prepare)
