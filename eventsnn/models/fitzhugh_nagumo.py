"""FitzHugh-Nagumo neurons (FitzHugh 1961; Nagumo, Arimoto & Yoshizawa 1962), without units but that of time, ms.

    dV/dt = V - V^3/3 - w + I
    tau_w dw/dt = V + a - b w
    a spike where V crosses v_thresh upwards; nothing is reset
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..model import Field, Model, Prepared, Waves

FIELDS = {
    "a": Field(0.7, "1", "where w rests"),
    "b": Field(0.8, "1", "how w draws back"),
    "tau_w": Field(12.5, "ms", "time constant of the recovery w", above=0.0),
    "v_thresh": Field(0.0, "1", "spike detection, upwards"),
    "i_offset": Field(0.0, "1/ms", "constant current"),
    "v_init": Field(-1.1994080352440348, "1", "V at t = 0; default: at rest without current"),
    "w_init": Field(-0.6242600440550435, "1", "w at t = 0; default: at rest without current"),
    **ode.fields("1/ms", "1"),
}


def slopes(p, y, current, dy):
    v, w = y[0], y[1]
    dy[0] = v - v * v * v / 3.0 - w + current
    dy[1] = (v + p.a - p.b * w) / p.tau_w
    dy[2] = 1.0


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    states = {"v": values["v_init"], "w": np.broadcast_to(values["w_init"], size)}
    return ode.prepare(DYNAMICS, values, size, waves, {name: values[name] for name in ("a", "b", "tau_w")}, states,
                       values["v_thresh"])


DYNAMICS = ode.dynamics("fitzhugh_nagumo", {"slopes": slopes})
FITZHUGH_NAGUMO = Model("fitzhugh_nagumo", __doc__ or "", FIELDS, prepare)
