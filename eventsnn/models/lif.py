"""Leaky integrate-and-fire neurons (Lapicque 1907; Rotter & Diesmann 1999 for the exact solution).

    tau_m dV/dt = -(V - v_rest) + (tau_m / cm) (i_offset + injected + sum of synaptic currents)
    a spike at the first t with V(t) >= v_thresh; then V := v_reset for tau_refrac, or V := V - (v_thresh - v_reset)

Synapses: "delta" (V jumps by the weight, mV) or "exp" (a current that jumps by the weight, nA; it decays by tau_syn).
Two representations serve this one vocabulary; the attributes alone decide which (law S11): delta synapses with finite
tau_m keep a scaled state (`lif_scaled`), all others V and their currents (`lif_linear`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Mistake, nearest
from ..model import Field, Model, Prepared, inf
from . import lif_linear, lif_scaled

FIELDS = {
    "tau_m": Field(20.0, "ms", "membrane time constant; inf: a perfect integrator", above=0.0, finite=False),
    "cm": Field(1.0, "nF", "membrane capacitance", above=0.0),
    "v_rest": Field(-65.0, "mV", "resting potential"),
    "v_reset": Field(-65.0, "mV", "potential after a spike"),
    "v_thresh": Field(-50.0, "mV", "threshold; inf: a readout that only integrates", finite=False),
    "tau_refrac": Field(None, "ms", 'refractory period; default 0.1, and 0 with reset = "subtract"', above=0.0,
                        closed=True),
    "i_offset": Field(0.0, "nA", "constant current"),
    "v_init": Field(None, "mV", "V at t = 0; default v_rest"),
    "i_init": Field(None, "nA", "synaptic currents at t = 0; default 0", per="receptor"),
    "reset": Field("value", "", "what a spike does to V", per="population", words=("value", "subtract")),
    "synapse": Field("delta", "", '"delta" or "exp", or a list of those, one per receptor', per="population"),
    "tau_syn": Field(None, "ms", "time constants of the synaptic currents; default 5, null for delta", per="receptor",
                     above=0.0),
}
SYNAPSES = ("delta", "exp")
TAU_SYN = 5.0


def prepare(values: Mapping[str, Any], size: int) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    p = dict(values)
    subtract = p["reset"] == "subtract"
    if p["tau_refrac"] is None:
        p["tau_refrac"] = np.full(size, 0.0 if subtract else 0.1)
    if p["v_init"] is None:
        p["v_init"] = p["v_rest"]
    if np.any(p["v_thresh"] == -inf):
        raise Mistake("v_thresh is -inf: give a number, or inf for a readout")
    if subtract and np.any(p["tau_refrac"] > 0):
        raise Mistake('reset = "subtract" needs tau_refrac = 0 (what is left above the threshold acts at once)')
    stuck = (p["v_reset"] >= p["v_thresh"]) & ((p["tau_refrac"] == 0) | subtract)
    if np.any(stuck):
        k = int(np.argmax(stuck))
        raise Mistake(f"v_thresh {p['v_thresh'][k]:g} is not above v_reset {p['v_reset'][k]:g} (neuron {k}) with no "
                      "refractory period: it would fire endlessly; lower v_reset or give a tau_refrac > 0")
    kinds, taus, currents = receptors(p, size)
    p.update(synapse=kinds, tau_syn=taus, i_init=currents)
    scaled = all(k == "delta" for k in kinds) and bool(np.all(np.isfinite(p["tau_m"])))
    return (lif_scaled if scaled else lif_linear).prepare(p, size)


def receptors(p: Mapping[str, Any], size: int) -> tuple[list[str], list[Any], list[np.ndarray]]:
    """Kind, tau_syn (None for delta) and initial current of each receptor."""
    synapse, tau_syn, i_init = p["synapse"], p["tau_syn"], p["i_init"]
    kinds = [synapse] * len(tau_syn or i_init or [None]) if isinstance(synapse, str) else list(synapse)
    if not kinds:
        raise Mistake("synapse is an empty list: name at least one receptor's kind")
    for kind in kinds:
        if kind not in SYNAPSES:
            raise Mistake(f"unknown synapse {kind!r}{nearest(kind, SYNAPSES)}")
    for name, entries in (("tau_syn", tau_syn), ("i_init", i_init)):
        if entries is not None and len(entries) != len(kinds):
            raise Mistake(f"{name} has {len(entries)} entries for {len(kinds)} receptors: one per receptor, null for "
                          "delta")
    taus: list[Any] = []
    starts: list[np.ndarray] = []
    for k, kind in enumerate(kinds):
        tau = tau_syn[k] if tau_syn is not None else None
        start = i_init[k] if i_init is not None else None
        if kind == "delta" and tau is not None:
            raise Mistake(f"receptor {k} is delta and has no tau_syn: write null, or synapse = \"exp\"")
        if kind == "delta" and start is not None and np.any(start != 0):
            raise Mistake(f"receptor {k} is delta and carries no current: its i_init must be 0 or null")
        taus.append(None if kind == "delta" else np.full(size, TAU_SYN) if tau is None else tau)
        starts.append(np.zeros(size) if start is None else start)
    return kinds, taus, starts


LIF = Model("lif", __doc__ or "", FIELDS, prepare)
