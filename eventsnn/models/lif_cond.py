"""Leaky integrate-and-fire neurons with conductances (Brette 2006 for the exact solution; defaults are PyNN's).

    cm dV/dt = -(cm / tau_m) (V - v_rest) + i_offset + injected + sum_j g_j (e_rev_j - V)
    a spike at the first t with V(t) >= v_thresh; then V := v_reset for tau_refrac

A receptor is a conductance g_j that is never negative: "exp" (it jumps by the weight, uS, and decays by tau_syn) or
"alpha" (w (x/tau_syn) e^{1 - x/tau_syn}, whose peak is the weight, uS).  Without further word there are two: receptor 0
excites, receptor 1 inhibits.

Where all receptors are "exp" with one tau_syn and injected currents are piecewise constant, V has a closed form
(`lif_cond_closed`); all else is integrated (`lif_cond_ode`).  The attributes alone decide which.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ode
from ..channels import TAU_SYN
from ..errors import Mistake, nearest
from ..model import Field, Model, Prepared, Waves
from . import lif_cond_closed, lif_cond_ode
from .lif import settle

SYNAPSES = ("exp", "alpha")
E_REV = (0.0, -70.0)

FIELDS = {
    "tau_m": Field(20.0, "ms", "membrane time constant; inf: no leak", above=0.0, finite=False),
    "cm": Field(1.0, "nF", "membrane capacitance", above=0.0),
    "v_rest": Field(-65.0, "mV", "resting potential"),
    "v_reset": Field(-65.0, "mV", "potential after a spike"),
    "v_thresh": Field(-50.0, "mV", "threshold; inf: a readout that only integrates", finite=False),
    "tau_refrac": Field(0.1, "ms", "refractory period", above=0.0, closed=True),
    "i_offset": Field(0.0, "nA", "constant current"),
    "v_init": Field(None, "mV", "V at t = 0; default v_rest"),
    "synapse": Field("exp", "", '"exp" or "alpha", or a list of those, one per receptor', per="population"),
    "tau_syn": Field(None, "ms", "time constants of the conductances, one for all or one per receptor; default 5",
                     per="receptor", above=0.0),
    "e_rev": Field(None, "mV", "reversal potentials, one per receptor; default 0 of receptor 0, -70 of receptor 1",
                   per="receptor"),
    "g_init": Field(None, "uS", "conductances at t = 0; default 0", per="receptor", above=0.0, closed=True),
    "rtol": ode.FIELDS["rtol"],
    "atol": ode.FIELDS["atol"],
}


def receptors(p: Mapping[str, Any], size: int) -> dict[str, Any]:
    """`synapse`, `tau_syn`, `e_rev` and `g_init`, settled: one entry per receptor."""
    given = [len(p[name]) for name in ("e_rev", "g_init") if p[name] is not None]
    synapse, taus, potentials, starts = p["synapse"], p["tau_syn"], p["e_rev"], p["g_init"]
    several = [len(taus)] if taus is not None and len(taus) > 1 else []
    kinds = [synapse] * max([*given, *several] or [len(E_REV)]) if isinstance(synapse, str) else list(synapse)
    if not kinds:
        raise Mistake("synapse is an empty list: name at least one receptor's kind")
    for kind in kinds:
        if kind not in SYNAPSES:
            raise Mistake(f"unknown synapse {kind!r}{nearest(kind, SYNAPSES)}: a receptor of lif_cond is a conductance")
    if taus is not None and len(taus) == 1:
        taus = taus * len(kinds)
    for name, entries in (("tau_syn", taus), ("e_rev", potentials), ("g_init", starts)):
        if entries is not None and len(entries) != len(kinds):
            raise Mistake(f"{name} has {len(entries)} entries for {len(kinds)} receptors: one per receptor")
    potentials = potentials or [np.full(size, e) for e in E_REV[:len(kinds)]]
    if len(potentials) < len(kinds) or any(e is None for e in potentials):
        raise Mistake("e_rev is missing for a receptor: a conductance drives V towards its reversal potential")
    return {"synapse": kinds, "e_rev": potentials,
            "tau_syn": [np.full(size, TAU_SYN) if tau is None else tau for tau in taus or [None] * len(kinds)],
            "g_init": [np.zeros(size) if g is None else g for g in starts or [None] * len(kinds)]}


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    p = dict(values)
    settle(p)
    p.update(receptors(p, size))
    closed = set(p["synapse"]) == {"exp"} and waves.steps and all(
        np.array_equal(tau, p["tau_syn"][0]) for tau in p["tau_syn"])
    return (lif_cond_closed if closed else lif_cond_ode).prepare(p, size, waves)


LIF_COND = Model("lif_cond", __doc__ or "", FIELDS, prepare)
