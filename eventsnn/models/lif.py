"""Leaky integrate-and-fire neurons (Lapicque 1907; Rotter & Diesmann 1999 for the exact solution).

    tau_m dV/dt = -(V - v_rest) + (tau_m / cm) (i_offset + injected + sum of synaptic currents)
    a spike at the first t with V(t) >= v_thresh; then V := v_reset for tau_refrac, or V := V - (v_thresh - v_reset)

A receptor is "delta" (V jumps by the weight, mV), "exp" (a current jumps by the weight, nA, and decays by tau_syn) or
"alpha" (a current w (x/tau_syn) e^{1 - x/tau_syn}, whose peak is the weight, nA).  A spike subtracts b_w from currents
that decay by tau_w (adaptation) and adds b_th to the threshold, in steps that decay by tau_th (Kobayashi, Tsubo &
Shinomoto 2009).

Three representations serve this one vocabulary; the attributes alone decide which (law S11).  Where tau_m is finite and
injected currents are piecewise constant, delta synapses keep a scaled state (`lif_scaled`) if i_offset drives nobody of
the population above threshold, and exponential currents, synaptic and spike-triggered, one coefficient each, alpha
currents two (`lif_coefficients`, which foresees spikes and so also serves who fires by i_offset alone) if each of their
time constants differs from tau_m by more than an eighth of the longer, alpha's by more than a quarter, and tau_m is at
most 100 times the shortest.  All others keep V and their currents (`lif_linear`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import channels
from ..errors import Mistake
from ..model import Field, Model, Prepared, Waves, inf
from . import lif_coefficients, lif_linear, lif_scaled

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
    "reset": Field("value", "", "what a spike does to V", per="population", words=("value", "subtract")),
    **channels.FIELDS,
    "tau_w": Field(None, "ms", "time constants of spike-triggered currents, one or a list; default none",
                   per="receptor", above=0.0),
    "b_w": Field(None, "nA", "what a spike adds to each, subtracted from the membrane's current", per="receptor"),
    "tau_th": Field(None, "ms", "time constants of threshold steps, one or a list; default none", per="receptor",
                    above=0.0),
    "b_th": Field(None, "mV", "what a spike adds to each step of the threshold", per="receptor"),
}


def settle(p: dict[str, Any]) -> None:
    """v_init, and `Mistake` where the threshold is none or a spike would beget spikes for ever."""
    if p["v_init"] is None:
        p["v_init"] = p["v_rest"]
    if np.any(p["v_thresh"] == -inf):
        raise Mistake("v_thresh is -inf: give a number, or inf for a readout")
    stuck = (p["v_reset"] >= p["v_thresh"]) & (p["tau_refrac"] == 0)
    if np.any(stuck):
        k = int(np.argmax(stuck))
        raise Mistake(f"v_thresh {p['v_thresh'][k]:g} is not above v_reset {p['v_reset'][k]:g} (neuron {k}) with no "
                      "refractory period: it would fire endlessly; lower v_reset or give a tau_refrac > 0")


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    """Checked records for `size` neurons: see `Model`."""
    p = dict(values)
    subtract = p["reset"] == "subtract"
    if p["tau_refrac"] is None:
        p["tau_refrac"] = np.full(size, 0.0 if subtract else 0.1)
    if subtract and np.any(p["tau_refrac"] > 0):
        raise Mistake('reset = "subtract" needs tau_refrac = 0 (what is left above the threshold acts at once)')
    settle(p)
    p.update(channels.receptors(p, size))
    spiked = [p[name] for name in ("tau_w", "b_w", "tau_th", "b_th") if p[name] is not None]
    if (set(p["synapse"]) == {"delta"} and not spiked and waves.steps and bool(np.all(np.isfinite(p["tau_m"])))
            and not np.any(p["i_offset"] * p["tau_m"] > (p["v_thresh"] - p["v_rest"]) * p["cm"])):
        return lif_scaled.prepare(p, size, waves)
    return (lif_coefficients if lif_coefficients.serves(p, waves) else lif_linear).prepare(p, size, waves)


LIF = Model("lif", __doc__ or "", FIELDS, prepare)
