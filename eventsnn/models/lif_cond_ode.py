"""`lif_cond` as an ODE: several time constants, alpha conductances, injected currents that bend."""

from collections.abc import Mapping
from typing import Any

from .. import ode
from ..model import Prepared, Waves


def slopes(p, y, current, dy):
    dy[0] = (p.leak * (p.v_rest - y[0]) + current) / p.cm
    dy[1] = 1.0


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    v = {**values, "i_init": values["g_init"]}
    parameters = {"leak": v["cm"] / v["tau_m"], "cm": v["cm"], "v_rest": v["v_rest"]}
    made = ode.prepare(DYNAMICS, v, size, waves, parameters, {"v": v["v_init"]}, v["v_thresh"], v["v_reset"])
    return made._replace(variables=("v", *(f"g{k}" for k in range(made.receptors))))


DYNAMICS = ode.dynamics("lif_cond/ode", {"slopes": slopes})
