"""Profiles xylo_v1 and xylo_v2: xylosim, the integer reference and the emulator are the same V, I and spikes, by ==.

xylosim 0.1.3 (an extra of its own: pip install 'eventsnn[xylosim]') runs in another process, by default with this
interpreter; EVENTSNN_XYLOSIM names another one.  With EVENTSNN_XYLOSIM or CI set, it must be there.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import chips
import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters import export, quantise, read
from eventsnn.exporters.fixed import profiles
from eventsnn.exporters.fixed.explain import inspected
from eventsnn.exporters.fixed.profiles import xylo, xylo_reference

from eventsnn.compare import compare
from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat
from eventsnn.simulate import simulate


@pytest.fixture(scope="module")
def xylosim():
    python = os.environ.get("EVENTSNN_XYLOSIM", sys.executable)
    asked = "from importlib.metadata import version; from xylosim import v1, v2; print(version('xylosim'))"
    found = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    if found.returncode:
        if {"CI", "EVENTSNN_XYLOSIM"} & set(os.environ):
            pytest.fail(f"{python} has no xylosim: pip install 'eventsnn[xylosim]'\n{found.stderr}")
        pytest.skip("no xylosim here: pip install 'eventsnn[xylosim]' (it needs a C++ compiler), or name a Python that "
                    "has it in EVENTSNN_XYLOSIM")
    assert found.stdout.strip() == "0.1.3", "compared with another version"
    return python


def by_xylosim(python, problems, folder):
    (folder / "cores.json").write_text(json.dumps(problems))
    done = subprocess.run([python, str(Path(__file__).parent / "xylo" / "run.py"), str(folder / "cores.json"),
                           str(folder / "traces.json")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    traces = json.loads((folder / "traces.json").read_text())
    return [chips.as_ticks(trace, problem) for trace, problem in zip(traces, problems, strict=True)]


def steps(problems):
    return sum(len(p["inputs"]) * (len(p["hidden"]["bias"]) + len(p["readout"]["bias"])) for p in problems)


@pytest.mark.parametrize("version", [1, 2])
def test_the_reference_equals_xylosim_aliases_included(version, xylosim, tmp_path):
    rng = random.Random(version)
    problems = [chips.xylo(rng, version, aliases=True) for _ in range(60)]
    traces = by_xylosim(xylosim, problems, tmp_path)
    for problem, trace in zip(problems, traces, strict=True):
        assert chips.by_xylo_reference(problem) == trace
    assert steps(problems) > 50_000
    assert any(abs(x) >= 32767 for trace in traces for row in trace["v"] for x in row)          # at the rails
    assert any(abs(x) >= 32767 for trace in traces for row in trace["i"] for neuron in row for x in neuron)
    assert any(count == 31 for trace in traces for row in trace["spikes"] for count in row)


# ---------------------------------------------------------------------------------------------------- the emulator
def network_of(problem):
    return profiles.network(chips.xylo_graph(problem), f"xylo_v{problem['version']}")


def drawn(rng, version, **how):
    """What the emulator holds: no more than 15 events a channel, no weight that int16 would wrap."""
    return chips.xylo(rng, version, strongest=8, events=15, **how)


def test_the_emulator_equals_xylosim_on_a_million_neuron_steps(xylosim, tmp_path):
    rng = random.Random(1)
    problems = [drawn(rng, 1 + k % 2, ticks=1000, size=400) for k in range(5)]
    assert steps(problems) >= 1_000_000
    for problem, trace in zip(problems, by_xylosim(xylosim, problems, tmp_path), strict=True):
        assert chips.xylo_trace(network_of(problem), problem, backend="compiled") == trace


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("version", [1, 2])
def test_the_emulator_equals_the_reference_on_random_networks(version, seed):
    problem = drawn(random.Random(seed), version, ticks=30, size=8)
    network = network_of(problem)
    assert chips.xylo_trace(network, problem, backend="python") == chips.by_xylo_reference(problem)
    trace = chips.by_reference(network, 40.0)
    backend = "simpy" if seed < 3 else "python"
    assert chips.emulated(network, 40.0, backend=backend) == (trace.spikes, trace.v, trace.saturations)


def core(weights, counts, version=2, **own):
    """One neuron behind sources that fire so often at tick 1, one synapse each; its v and i0 at tick 2."""
    g = nx.MultiDiGraph()
    n = len(weights)
    g.add_node("in", model="spikes", size=n, times=[[1.0] * k for k in counts] if n > 1 else [1.0] * counts[0])
    g.add_node("n", model=f"xylo_v{version}", **{"threshold": 32767, "dash_mem": 4, "dash_syn": 15, **own})
    g.add_edge("in", "n", rule="all_to_all", weight=weights if n > 1 else weights[0], shift=8)
    network = profiles.network(g, f"xylo_v{version}")
    r = simulate(network, 4.0, record={"n": ["v", "i"]}, record_at=1.0, backend="python")
    return r.recorded["n"]["v"][2, 0], r.recorded["n"]["i"][2, 0, 0]


def test_each_arrival_saturates_by_itself_in_the_order_of_the_sources():
    rail = 2**15 - 1
    assert core([127, -127], [2, 1])[1] == rail - 127 * 256 - 1            # not 127 << 8, the exact sum; -1 by dash 15
    assert core([-127, 127], [1, 2])[1] == 127 * 256 - 1
    assert core([127], [3])[1] == rail - 1


def test_a_neuron_fires_31_times_a_tick_at_most_and_a_readout_once():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0])
    for name in ("hidden", "readout"):
        g.add_node(name, model="xylo_v2", side=name, threshold=10, dash_mem=15, dash_syn=1)
    g.add_edge("in", "hidden", weight=127, shift=3)
    g.add_edge("hidden", "readout", weight=127, shift=3)
    r = simulate(profiles.network(g, "xylo_v2"), 6.0, backend="python")
    assert np.unique(r.spikes.of("hidden").time, return_counts=True)[1].max() == 31
    assert np.unique(r.spikes.of("readout").time, return_counts=True)[1].max() == 1


# ---------------------------------------------------------------------------------------------------- registers
def chip(**own):
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[1.0], [2.0]])
    g.add_node("n", model="xylo_v2", size=2, **own)
    g.add_node("out", model="xylo_v2", size=2, side="readout")
    return g


@pytest.mark.parametrize(("own", "limit"), [
    ({"threshold": 0}, "threshold"), ({"threshold": 32768}, "threshold"), ({"dash_mem": 16}, "dash_mem"),
    ({"dash_syn": -1}, "dash_syn"), ({"bias": 32768}, "bias"), ({"side": "output"}, "side"),
    ({"threshold": 7.5}, "threshold"), ({"size": 1001}, "hidden neurons: 1,001 of at most 1,000"),
])
def test_a_register_that_does_not_fit_is_refused_by_name(own, limit):
    g = chip()
    g.nodes["n"].update(own)
    with pytest.raises(Mistake, match=limit):
        profiles.network(g, "xylo_v2")


@pytest.mark.parametrize(("pre", "post", "edge", "limit"), [
    ("in", "n", {"weight": 128}, "weight range"), ("in", "n", {"weight": -129}, "weight range"),
    ("in", "n", {"weight": 1, "shift": 9}, "shift"), ("in", "n", {"weight": 1, "receptor": 2}, "receptor 2"),
    ("n", "out", {"weight": 1, "receptor": 1}, "receptor 1"), ("in", "out", {"weight": 1}, "topology"),
    ("out", "n", {"weight": 1}, "topology"), ("n", "n", {"weight": 1, "delay": 2}, "delay"),
    ("n", "n", {"weight": 0.5}, "whole"),
])
def test_a_connection_that_does_not_fit_is_refused_by_name(pre, post, edge, limit):
    g = chip()
    g.add_edge(pre, post, rule="all_to_all", **edge)
    with pytest.raises(Mistake, match=rf'edge "{pre}" -> "{post}".*{limit}'):
        profiles.network(g, "xylo_v2")


def test_limits_of_the_whole_core_are_refused_by_name():
    g = chip()
    g.add_edge("in", "n", rule="all_to_all", weight=1, shift=1)
    g.add_edge("in", "n", rule="all_to_all", weight=1, shift=2, receptor=1)
    with pytest.raises(Mistake, match="weight_shift_inp: 2 here, 1 elsewhere"):
        profiles.network(g, "xylo_v2")
    for node, size, limit in (("out", 9, "readout neurons: 9 of at most 8"),
                              ("in", 17, "input channels: 17 of at most 16")):
        g = chip()
        g.nodes[node]["size"] = size
        if node == "in":
            g.nodes[node]["times"] = [[1.0]] * size
        g.add_edge("in", "n", rule="all_to_all", weight=1)
        with pytest.raises(Mistake, match=limit):
            profiles.network(g, "xylo_v2")
    g = chip()
    g.nodes["in"]["times"] = [[3.0] * 16, []]
    g.add_edge("in", "n", rule="all_to_all", weight=1)
    with pytest.raises(Mistake, match="input events: 16 spikes of source 0 in one tick, of at most 15"):
        profiles.network(g, "xylo_v2")
    g = nx.MultiDiGraph()
    g.add_node("n", model="xylo_v1", bias=1)
    with pytest.raises(Mistake, match="bias: version 1 of the core has none"):
        profiles.network(g, "xylo_v1")
    g = nx.MultiDiGraph()
    g.add_node("n", model="xylo_v1")
    g.add_node("in", model="spikes", times=[1.0])
    g.add_edge("in", "n", weight=1)
    with pytest.raises(Mistake, match=r"order: .*add them before the neurons"):
        profiles.network(g, "xylo_v1")


def test_the_file_of_a_network_in_integers_gives_it_back(tmp_path):
    for version in (1, 2):
        network = network_of(drawn(random.Random(5), version, ticks=30, size=8))
        export(network, "json", tmp_path / str(version))
        again = read(tmp_path / str(version))
        assert again.digest == network.digest
        assert again.fixed.version == f"xylo_v{version}"
        assert simulate(again, 40.0, backend="python").spikes == simulate(network, 40.0, backend="python").spikes


# ---------------------------------------------------------------------------------------------------- from floats
def floats(own=None, edge=None, sources_first=True):
    g = nx.MultiDiGraph()
    rng = np.random.default_rng(2)
    nodes = {"in": {"model": "spikes", "size": 16,
                    "times": [np.sort(rng.uniform(0, 80, 30)).tolist() for _ in range(16)]}}
    neuron = {"model": "lif", "tau_m": 16.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -55.0, "reset": "subtract",
              "synapse": "exp"}
    nodes["hidden"] = {**neuron, "size": 20, "tau_syn": [4.0, 8.0], "i_offset": 0.05, **(own or {})}
    nodes["out"] = {**neuron, "size": 3, "tau_syn": [4.0], "v_thresh": float("inf")}
    for name in nodes if sources_first else reversed(nodes):
        g.add_node(name, **nodes[name])
    g.add_edge("in", "hidden", rule="fixed_indegree", indegree=5,
               **{"weight": {"uniform": [0.3, 0.9]}, "delay": 1.0, **(edge or {})})
    g.add_edge("hidden", "hidden", rule="fixed_indegree", indegree=3, weight=-0.1, delay=1.0, receptor=1)
    g.add_edge("hidden", "out", rule="all_to_all", weight={"normal": [0.0, 0.1]}, delay=1.0)
    return compile(g, seed=3)


def quantised(network, profile="xylo_v2", **how):
    calibration = simulate(network, 100.0, backend="python")
    return calibration, quantise(network, calibrate=calibration, profile=profile, **{"tick": 1.0, **how})


@pytest.mark.parametrize("version", [1, 2])
def test_floats_become_registers_and_the_emulator_equals_the_reference(version, tmp_path):
    network = floats({} if version == 2 else {"i_offset": 0.0})
    exact, fixed = quantised(network, f"xylo_v{version}")
    trace = chips.by_reference(fixed, 100.0)
    assert chips.emulated(fixed, 100.0, backend="python") == (trace.spikes, trace.v, trace.saturations)
    assert trace.saturations == 0
    assert 0.7 < len(trace.spikes) / len(exact.spikes) < 1.4
    hidden = fixed.groups[0].params[:20]
    assert set(hidden.dash_mem) == {4}
    assert {tuple(row) for row in hidden.dash_syn.tolist()} == {(2, 3)}
    assert set(hidden.threshold) == {round(10.0 / fixed.by_name["hidden"].scale)}
    assert set(fixed.groups[0].params[20:].most) == {1}
    export(fixed, "json", tmp_path)
    assert read(tmp_path).digest == fixed.digest


def test_the_largest_weight_of_a_side_is_127_and_no_residual_is_above_half_a_step():
    _, fixed = quantised(floats())
    s = flat(fixed.synapses)
    shift = {(q.source, q.target): q.shift for q in fixed.fixed.projections}
    mantissa = {"in": s.weight[s.emitter < 16] >> shift["in", "hidden"],
                "out": s.weight[s.target >= 20] >> shift["hidden", "out"]}
    assert {name: int(np.abs(w).max()) for name, w in mantissa.items()} == {"in": 127, "out": 127}
    assert shift["in", "hidden"] > shift["hidden", "hidden"]             # inhibition is weaker: it has finer steps
    for q in fixed.fixed.report["projections"]:
        assert q["weight_residual_mv"]["largest"] <= 0.5 * q["weight_lsb_mv"] * (1 + 1e-9)


def test_a_constant_current_brings_v_to_the_exact_potential():
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", tau_m=16.0, cm=2.0, v_rest=-65.0, v_reset=-65.0, v_thresh=-40.0, i_offset=1.7,
               reset="subtract", synapse="exp", tau_syn=[5.0])
    fixed = quantise(compile(g), profile="xylo_v2", tick=1.0)
    v = simulate(fixed, 400.0, record={"n": ["v"]}, record_at=1.0, backend="python").recorded["n"]["v"]
    assert v[-1, 0] == pytest.approx(-65.0 + 1.7 * 8.0, abs=0.05)


def test_the_report_tells_the_time_constants_that_the_chip_has():
    _, fixed = quantised(floats({"tau_m": 22.0}))
    report = fixed.fixed.report
    hidden = next(p for p in report["populations"] if p["name"] == "hidden")
    assert hidden["tau_m_ms"] == {"asked": 22.0, "effective": pytest.approx(-1.0 / np.log(1 - 1 / 16))}
    assert any("tau_m is 15.5 ms where 22 ms were asked for" in words for words in report["warnings"])
    assert any("no threshold" in words for words in report["warnings"])
    losses = [entry["loss"] for entry in hidden["psp_area_loss"]]
    assert 0.01 < max(map(abs, losses)) < 0.15                           # a leak that rounds down keeps more
    assert any("PSP" in words and "'hidden'" in words for words in report["warnings"])


@pytest.mark.parametrize(("own", "edge", "limit"), [
    ({"reset": "value", "tau_refrac": 1.0}, {}, "reset"),
    ({"reset": "value", "tau_refrac": 3.0}, {}, "refractory period"),
    ({"v_reset": -70.0}, {}, "reset"),
    ({"synapse": ["exp", "delta"], "tau_syn": [4.0, None]}, {}, "current"),
    ({"synapse": "exp", "tau_syn": [4.0, 4.0, 4.0]}, {}, "currents: 3"),
    ({"tau_syn": [1.2, 4.0]}, {}, "dash_syn"),
    ({"tau_m": 2.0**17}, {}, "dash_mem"),
    ({"tau_m": float("inf")}, {}, "dash_mem"),
    ({"i_init": [1.0, 0.0]}, {}, "initial state"),
    ({}, {"delay": 3.0}, "delay"),
    ({"v_thresh": -55.0, "size": 1001}, {}, "hidden neurons: 1,001"),
])
def test_what_xylo_cannot_hold_is_refused_by_the_limits_name(own, edge, limit):
    with pytest.raises(Mistake, match=limit):
        quantise(floats(own, edge), profile="xylo_v2", tick=1.0)


def test_a_constant_current_for_version_1_or_sources_behind_neurons_are_refused():
    with pytest.raises(Mistake, match="bias: version 1"):
        quantise(floats(), profile="xylo_v1", tick=1.0)
    with pytest.raises(Mistake, match="order: "):
        quantise(floats(sources_first=False), profile="xylo_v2", tick=1.0)


def test_compare_takes_a_profiles_run_and_finds_the_reference_equal():
    exact, fixed = quantised(floats())
    report = compare(exact, simulate(fixed, 100.0, backend="python"))
    assert [r["equal"] for r in json.loads(report.json())["reference"]] == [True]


def test_strict_mode_names_the_current_the_tick_and_the_value():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[5.0, 5.0])
    g.add_node("n", model="xylo_v2", threshold=32767, dash_mem=1, dash_syn=1)
    g.add_edge("in", "n", weight=127, shift=8)
    with pytest.raises(Mistake, match=r"'n'.*tick 6 .*its i0 comes to 65024"):
        simulate(profiles.network(g, "xylo_v2"), 9.0, backend="python", strict=True)


def test_inspect_explains_every_register(tmp_path):
    for k, fixed in enumerate((network_of(drawn(random.Random(5), 2, ticks=30, size=8)), quantised(floats())[1])):
        export(fixed, "json", tmp_path / str(k))
        told = {section.title: dict(section.facts) for section in inspected(tmp_path / str(k))}
        for p in fixed.populations:
            if p.kind == "neuron":
                facts = told[f"population {p.name!r}"]
                for name in profiles.PROFILES["xylo_v2"].meanings:
                    assert name in facts or f"{name} at tick 0" in facts


# ---------------------------------------------------------------------------------------------------- borders
EDGES = (-32768, -32767, -16384, -2, -1, 0, 1, 2, 15, 16, 16384, 32766, 32767)


def test_a_ticks_arithmetic_is_the_references_at_every_border():
    for v in EDGES:
        for dash in range(16):
            assert xylo.decrement(v, dash) == xylo_reference.dec(v, dash)
            for total in (*EDGES, -65536, 65534):
                assert xylo.membrane(1, dash, 0, v, total)[0] == xylo_reference.membrane(1, v, total, 0, dash)
                for bias in EDGES:
                    assert xylo.membrane(2, dash, bias, v, total)[0] == xylo_reference.membrane(2, v, total, bias, dash)


@pytest.mark.parametrize("threshold", [20, 21, 22])
def test_v_at_the_threshold_fires_and_below_it_does_not(threshold):
    g = nx.MultiDiGraph()
    g.add_node("n", model="xylo_v2", threshold=threshold, dash_mem=15, bias=11)      # v goes 11, 21, 31
    network = profiles.network(g, "xylo_v2")
    spikes = [t for t, _ in chips.by_reference(network, 10.0).spikes]
    assert spikes[0] == (2 if threshold <= 21 else 3)
    assert simulate(network, 10.0, backend="python").spikes.time.tolist() == spikes
