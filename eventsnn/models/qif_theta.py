"""`qif` under currents that vary, as a theta neuron (Ermentrout & Kopell 1986): the escape to infinity is phi = pi.

    x tau_m = tan(phi/2):  tau_m dphi/dt = (1 - cos phi) + (1 + cos phi) tau_m^2 D(t)

with x and D as in `qif`.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..model import Prepared, Waves


def slopes(p, y, current, dy):
    turn = math.cos(y[0])
    dy[0] = ((1.0 - turn) + (1.0 + turn) * (p.tau * p.tau * p.scale * (current / p.cm - p.floor))) / p.tau
    dy[1] = 1.0


def volts(p, phi):
    return p.centre + math.tan(0.5 * phi) / (p.tau * p.scale)


def place(p, v):
    return 2.0 * math.atan(p.tau * p.scale * (v - p.centre))


def prepare(values: Mapping[str, Any], size: int, waves: Waves, x: Mapping[str, np.ndarray]) -> Prepared:
    """x: scale, centre and floor, and v_init, v_reset and v_peak as x, 1/ms."""
    parameters = {"tau": values["tau_m"], "cm": values["cm"], "scale": x["scale"], "centre": x["centre"],
                  "floor": x["floor"]}
    phi = {name: 2.0 * np.arctan(values["tau_m"] * x[name]) for name in ("v_init", "v_reset", "v_peak")}
    return ode.prepare(DYNAMICS, values, size, waves, parameters, {"v": phi["v_init"]}, phi["v_peak"], phi["v_reset"])


DYNAMICS = ode.dynamics("qif/theta", {"slopes": slopes, "volts": volts, "place": place})
