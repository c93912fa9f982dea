"""Spike times against multi-precision references (tests/golden/oracle.json: 50 digits; made with mpmath)."""

import json
import math
from pathlib import Path

import networkx as nx
import pytest

import eventsnn as es

ORACLE = json.loads((Path(__file__).parent / "golden" / "oracle.json").read_text())
CASES = {case["name"]: case for case in ORACLE["cases"]}


def lif(case):
    """The network of a `lif` case (pA and pF count as nA and nF: only their ratio matters)."""
    p = {k: v if isinstance(v, list) else float(v) for k, v in case["params"].items()}
    channels = p.get("channels", [])
    deltas = any(where == "delta" for _, where, _ in case["inputs"])
    g = nx.MultiDiGraph()
    g.add_node(
        "n",
        model="lif",
        tau_m=p["tau_m"],
        cm=p["C_m"],
        v_rest=p["E_L"],
        v_thresh=p["V_th"],
        v_reset=p["V_reset"],
        tau_refrac=p["t_ref"],
        i_offset=p["I_e"],
        v_init=p.get("V_0", p["E_L"]),
        synapse=[kind for kind, _ in channels] + ["delta"] * (deltas or not channels),
        tau_syn=[float(tau) for _, tau in channels] + [None] * (deltas or not channels),
        i_init=[float(i) for i in p.get("I_syn_0", [0] * len(channels))] + [None] * (deltas or not channels),
    )
    for k, adaptation in enumerate(p.get("adaptation", [])):
        for name, key in (("tau_w", "tau"), ("b_w", "b")):
            g.nodes["n"].setdefault(name, []).insert(k, float(adaptation[key]))
    if "ramp" in p:
        g.add_node("ramp", model="ramp", stop=128.0, last=128.0 * p["ramp"])
        g.add_edge("ramp", "n")
    if "sine_amp" in p:
        g.add_node("sine", model="sine", amplitude=p["sine_amp"], frequency=p["sine_omega"] * 1000 / (2 * math.pi),
                   phase=math.degrees(p["sine_phase"]))
        g.add_edge("sine", "n")
    for k, (time, where, weight) in enumerate(case["inputs"]):
        g.add_node(f"in {k}", model="spikes", times=[float(time) - 0.125])  # dyadic: arrives at `time` exactly
        receptor = len(channels) if where == "delta" else int(where)
        g.add_edge(f"in {k}", "n", weight=float(weight), delay=0.125, receptor=receptor)
    return g, float(case["t_end"])


def qif(case):
    """The dimensionless x' = x^2 + I: tau_m = cm = a = 1, both zeros at 0."""
    p = case["params"]
    g = nx.MultiDiGraph()
    g.add_node(
        "n",
        model="qif",
        tau_m=1.0,
        cm=1.0,
        a=1.0,
        v_rest=0.0,
        v_crit=0.0,
        i_offset=float(p["I"]),
        v_init=float(p["V_0"]),
        v_reset=float(p["V_reset"]),
        v_peak=float(p["V_peak"] or "inf"),
    )
    for k, (time, jump) in enumerate(p["jumps"]):
        g.add_node(f"in {k}", model="spikes", times=[float(time) - 0.125])
        g.add_edge(f"in {k}", "n", weight=float(jump), delay=0.125)
    return g, float(p["T"])


READERS = {"lif": lif, "lif_sine": lif, "qif": qif}


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["model"] in READERS])
def test_spike_times_are_those_of_the_oracle(name, backend):
    case = CASES[name]
    graph, until = READERS[case["model"]](case)
    result = es.simulate(es.compile(graph), until, backend=backend)
    assert len(result.spikes) == len(case["spikes_f64"])
    for time, exact, tolerance in zip(
        result.spikes.time, case["spikes_f64"], case["suggested_abs_tol_ms"], strict=True
    ):
        assert abs(time - float.fromhex(exact)) <= tolerance
    assert result.counters["n_ambiguous"] == 0


def test_the_six_spikes_of_a_constant_current_are_met_within_1e_12_ms():
    graph, until = lif(CASES["lif_dc_nest"])
    times = es.simulate(es.compile(graph), until).spikes.time
    assert (
        max(abs(t - float.fromhex(x)) for t, x in zip(times, CASES["lif_dc_nest"]["spikes_f64"], strict=True)) < 1e-12
    )


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["model"] in READERS and "V_end" in case])
def test_the_final_potential_is_that_of_the_oracle(name):
    case = CASES[name]
    graph, until = READERS[case["model"]](case)
    result = es.simulate(es.compile(graph), until + 1.0, record={"n": ["v"]}, record_at=[until])
    assert result.recorded["n"]["v"][0, 0] == pytest.approx(float(case["V_end"]), abs=2e-11, rel=1e-11)
