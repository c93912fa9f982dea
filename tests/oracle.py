"""The oracle's cases (tests/golden/oracle.json) as networks: one reader per model.

pA, pF and nS count as nA, nF and uS: only their ratios matter.  An input is [time, receptor or "delta", weight].
"""

import json
import math
from pathlib import Path

import networkx as nx

ORACLE = json.loads((Path(__file__).parent / "golden" / "oracle.json").read_text())
CASES = {case["name"]: case for case in ORACLE["cases"]}


class Parameters:
    """A case's numbers, each under any of the names it may go by."""

    def __init__(self, case):
        self.of = case["params"]

    def __call__(self, *names, default=None):
        for name in names:
            if self.of.get(name) is not None:
                return float(self.of[name])
        return default


def graph(case, node, receptors=0):
    """The network of one neuron and its inputs; "delta" inputs enter at the receptor after the others."""
    p = Parameters(case)
    g = nx.MultiDiGraph()
    g.add_node("n", **{name: value for name, value in node.items() if value is not None})
    until = float(case.get("t_end") or p("T"))
    if (slope := p("ramp")) is not None:
        stop = 2.0 ** math.ceil(math.log2(until + 1.0))
        g.add_node("ramp", model="ramp", stop=stop, last=stop * slope)
        g.add_edge("ramp", "n")
    if (amplitude := p("sine_amp")) is not None:
        g.add_node("sine", model="sine", amplitude=amplitude, frequency=p("sine_omega") * 1000.0 / (2.0 * math.pi),
                   phase=math.degrees(p("sine_phase", default=0.0)))
        g.add_edge("sine", "n")
    jumps = [(time, "delta", jump) for time, jump in case["params"].get("jumps") or []]
    for k, (time, where, weight) in enumerate([*(case.get("inputs") or []), *jumps]):
        g.add_node(f"in {k}", model="spikes", times=[float(time) - 0.125])  # dyadic: arrives at `time` exactly
        receptor = receptors if where == "delta" else {"ex": 0, "in": 1}.get(where) or int(where)
        g.add_edge(f"in {k}", "n", weight=float(weight), delay=0.125, receptor=receptor)
    return g, until


def receptors(case):
    """The attributes of a case's channels, with a delta receptor behind them where one is used or nothing else is."""
    channels = case["params"].get("channels") or []
    delta = not channels or any(where == "delta" for _, where, _ in case.get("inputs") or [])
    start = case["params"].get("I_syn_0") or [0] * len(channels)
    return {"synapse": [kind for kind, _ in channels] + ["delta"] * delta,
            "tau_syn": [float(tau) for _, tau in channels] + [None] * delta,
            "i_init": [float(i) for i in start] + [None] * delta}, len(channels)


def lif(case):
    p = Parameters(case)
    attributes, channels = receptors(case)
    node = {"model": "lif", "tau_m": p("tau_m"), "cm": p("C_m"), "v_rest": p("E_L"), "v_thresh": p("V_th"),
            "v_reset": p("V_reset"), "tau_refrac": p("t_ref"), "i_offset": p("I_e"), "v_init": p("V_0"), **attributes}
    if adaptation := case["params"].get("adaptation"):
        node |= {"tau_w": [float(a["tau"]) for a in adaptation], "b_w": [float(a["b"]) for a in adaptation]}
    return graph(case, node, channels)


def qif(case):
    """The dimensionless x' = x^2 + I: tau_m = cm = a = 1, both zeros at 0."""
    p = Parameters(case)
    return graph(case, {"model": "qif", "tau_m": 1.0, "cm": 1.0, "a": 1.0, "v_rest": 0.0, "v_crit": 0.0,
                        "i_offset": p("I"), "v_init": p("V_0"), "v_reset": p("V_reset"),
                        "v_peak": p("V_peak", default=math.inf), "tau_refrac": p("t_ref")})


def exponential(case):
    """What eif and adex share."""
    p = Parameters(case)
    attributes, channels = receptors(case)
    return {"cm": p("C_m"), "tau_m": p("C_m") / p("g_L"), "v_rest": p("E_L"), "v_thresh": p("V_T"),
            "delta_T": p("Delta_T"), "v_spike": p("V_peak"), "v_reset": p("V_reset"), "tau_refrac": p("t_ref"),
            "i_offset": p("I_e"), "v_init": p("V_0"), **attributes}, channels


def eif(case):
    node, channels = exponential(case)
    return graph(case, {"model": "eif", **node}, channels)


def adex(case):
    p = Parameters(case)
    node, channels = exponential(case)
    return graph(case, {"model": "adex", **node, "tau_w": p("tau_w"), "a": p("a"), "b": p("b"), "w_init": p("w_0")},
                 channels)


def izhikevich(case):
    p = Parameters(case)
    attributes, channels = receptors(case)
    return graph(case, {"model": "izhikevich", "a": p("a"), "b": p("b"), "c": p("c"), "d": p("d"),
                        "v_spike": p("V_peak", "V_th", "threshold"), "i_offset": p("I", "I_e"), "v_init": p("V_0"),
                        "u_init": p("u_0", "U_0"), "tau_refrac": p("t_ref"), **attributes}, channels)


def hodgkin_huxley(case):
    p = Parameters(case)
    attributes, channels = receptors(case)
    return graph(case, {"model": "hodgkin_huxley", "cm": p("C_m"), "gbar_Na": p("g_Na"), "gbar_K": p("g_K"),
                        "g_leak": p("g_L"), "e_rev_Na": p("E_Na"), "e_rev_K": p("E_K"), "e_rev_leak": p("E_L"),
                        "i_offset": p("I_e", "I"), "v_init": p("V_0"), "v_thresh": p("threshold", "V_th"),
                        "m_init": p("m_0"), "h_init": p("h_0"), "n_init": p("n_0"), **attributes}, channels)


def fitzhugh_nagumo(case):
    p = Parameters(case)
    attributes, channels = receptors(case)
    slow = p("eps", "epsilon", "phi")
    return graph(case, {"model": "fitzhugh_nagumo", "a": p("a"), "b": p("b"),
                        "tau_w": p("tau", "tau_w") or (slow and 1.0 / slow), "i_offset": p("I", "I_e"),
                        "v_init": p("V_0", "v_0"), "w_init": p("w_0", "W_0"),
                        "v_thresh": p("threshold", "V_th", "V_peak"), **attributes}, channels)


def lif_cond(case):
    p = Parameters(case)
    return graph(case, {"model": "lif_cond", "cm": p("C_m"), "tau_m": p("C_m") / p("g_L"), "v_rest": p("E_L"),
                        "v_thresh": p("V_th"), "v_reset": p("V_reset"), "tau_refrac": p("t_ref"),
                        "i_offset": p("I_e", default=0.0), "v_init": p("V_0"),
                        "e_rev": [p("E_ex"), p("E_in")], "tau_syn": [p("tau_ex"), p("tau_in")],
                        "g_init": [p("g_ex_0", default=0.0), p("g_in_0", default=0.0)]})


READERS = {"lif": lif, "lif_sine": lif, "qif": qif, "eif": eif, "adex": adex, "izhikevich": izhikevich,
           "izh": izhikevich, "hh": hodgkin_huxley, "hodgkin_huxley": hodgkin_huxley, "fhn": fitzhugh_nagumo,
           "fitzhugh_nagumo": fitzhugh_nagumo, "lif_cond": lif_cond, "lif_cond_exp": lif_cond}
SPIKING = [name for name, case in CASES.items() if case["model"] in READERS]
OTHERS = {"stdp_pair", "tm2", "metrics"}  # plasticity is to come; the metrics are in test_distances.py


def read(name):
    return READERS[CASES[name]["model"]](CASES[name])
