"""The circuit equals the emulator and the integer reference: every spike, in order, whatever the world does to it."""

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import eventsnn.exporters.verilog as verilog
import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters import export, quantise, vectors
from eventsnn.exporters.fixed.reference import run as reference
from eventsnn.exporters.verilog.images import design, memory_bits
from eventsnn.exporters.verilog.simulators import SIMULATORS, simulate
from eventsnn.exporters.verilog.writer import RTL
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_fixed_emulator import graphs, options

from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.simulate import simulate as emulate

EXAMPLES = int(os.environ.get("EVENTSNN_EXAMPLES", 50))
SOURCES = Path(verilog.__file__).parent / "rtl"
TICK = 0.5


def written(graph, folder, until, **chosen):
    """An export whose expected spikes the integer reference has confirmed; the expected spikes."""
    fixed = quantise(compile(graph, seed=3), tick=TICK, **chosen)
    export(fixed, "verilog", folder, until=until, backend="python")
    sources = {p.emitter + k: train.tolist() for p in fixed.populations if p.kind == "source"
               for k, train in enumerate(p.params["times"])}
    expected = vectors.expected(folder)
    assert expected == reference(fixed, until, sources).spikes
    return expected


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), options, st.sampled_from(["lut", "linear"]), st.integers(0, 200), st.integers(1, 99),
       st.none() | st.integers(10, 3000))
def test_the_circuit_equals_the_integer_reference_on_random_networks(tmp_path_factory, graph, chosen, decay, pressure,
                                                                     seed, reset):
    """Random networks, random back-pressure, and a reset of everything in the middle of the run."""
    folder = tmp_path_factory.mktemp("random")
    try:
        expected = written(graph, folder, 30.0, **(chosen | {"decay": decay}))
    except Mistake as error:
        if not any(words in str(error) for words in ("more v_bits", "more decay_bits")):
            raise
        assume(False)
    assert simulate(folder, "iverilog", pressure, seed, reset).spikes == expected
    shutil.rmtree(folder)


def corners(decay="lut"):
    """Both rails, simultaneous events, multapses, self-loops, a row without synapses, long silence, delays of 1 to 9
    ticks, refractoriness, neurons that start above their threshold, and one that fires several times at one tick."""
    rng = np.random.default_rng(7)
    g = nx.MultiDiGraph()
    early = [np.sort(rng.integers(0, 60, 25)).tolist() for _ in range(6)]
    g.add_node("in", model="spikes", size=8, times=[*([t / 2 for t in train] + [400.0 + k] for k, train in
                                                      enumerate(early)), [1.0, 1.0, 1.0, 401.0], []])
    g.add_node("silent", model="spikes", times=[3.0, 4.0])
    g.add_node("a", model="lif", size=17, v_rest=-60.0, v_thresh=-55.0, v_reset=-63.0, tau_refrac=2.3,
               tau_m=[2.0] * 5 + [10.0] * 5 + [50.0] * 5 + [np.inf] * 2, v_init=[-60.0] * 16 + [-54.0])
    g.add_node("b", model="lif", size=5, v_rest=-60.0, v_thresh=-59.0, v_reset=-60.0, tau_refrac=0.0, reset="subtract",
               tau_m=20.0)
    for pre, post, low, high in (("in", "a", -2.0, 4.0), ("in", "b", -30.0, 40.0), ("a", "a", -3.0, 3.0),
                                 ("a", "b", -1.0, 2.0), ("b", "b", -0.5, 0.0)):
        g.add_edge(pre, post, rule="fixed_indegree", indegree=9, weight={"uniform": [low, high]},
                   delay={"uniform": [0.5, 4.5]})
    return g, {"decay": decay, "v_bits": 16}


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_every_simulator_equals_the_reference_at_the_corners(simulator, tmp_path):
    graph, chosen = corners()
    expected = written(graph, tmp_path, 420.0, **chosen)
    ran = simulate(tmp_path, simulator)
    assert ran.spikes == expected
    assert expected[0] == (0, 16)
    assert any(tick > 800 for tick, _ in expected)                      # it woke again
    assert len({*expected}) < len(expected)                             # several spikes of a neuron at one tick
    for pressure, reset in ((150, None), (60, 2500)):
        assert simulate(tmp_path, simulator, pressure, 5, reset).spikes == expected


def test_run_gives_the_emulators_spikes(tmp_path):
    graph, chosen = corners()
    fixed = quantise(compile(graph, seed=3), tick=TICK, **chosen)
    export(fixed, "verilog", tmp_path, until=20.0, backend="python")
    spikes = verilog.run(tmp_path, "iverilog")
    assert spikes == emulate(fixed, 20.0, backend="python").spikes
    assert len(spikes.of("b")) > 0


def test_linear_decay_at_the_corners(tmp_path):
    graph, chosen = corners("linear")
    expected = written(graph, tmp_path, 50.0, **chosen)
    assert simulate(tmp_path, "iverilog", 30).spikes == expected


def test_a_wrong_expectation_is_named_by_tick_and_neuron(tmp_path):
    graph, chosen = corners()
    written(graph, tmp_path, 10.0, **chosen)
    file = tmp_path / "expected.hex"
    first, *rest = file.read_text().splitlines()
    file.write_text("\n".join([f"{0:08x}{3:08x}", *rest]))
    with pytest.raises(Mistake, match=r"expected\.hex is not what was written"):
        verilog.run(tmp_path, "iverilog")
    said = subprocess.run("iverilog -g2005-sv -o t.vvp testbench.v top.v rtl/*.v && vvp t.vvp", shell=True, cwd=tmp_path,
                          capture_output=True, text=True, check=True).stdout
    assert "WRONG tick 0 neuron 16; expected tick 0 neuron 3" in said


@pytest.mark.parametrize("top", ["bytes_top", "aer_top"])
@pytest.mark.parametrize("tool", ["verilator --lint-only -Wall --top-module {top}", "iverilog -g2005 -Wall -t null -s {top}"])
def test_the_library_is_lint_clean(top, tool, tmp_path):
    graph, chosen = corners()
    written(graph, tmp_path, 5.0, **chosen)
    command = f"{tool.format(top=top)} {top}.v top.v {' '.join(f'rtl/{name}.v' for name in RTL)}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_memories_are_counted_and_full():
    graph, chosen = corners()
    made = design(quantise(compile(graph, seed=3), tick=TICK, **chosen))
    p = made.parameters
    assert {name: len(words) for name, words in made.images.items()} == {
        "rows": 1 << p["ROW"], "synapses": 1 << p["SYNAPSE"], "kinds": 1 << p["NEURON"], "dynamics": 1 << p["KIND"],
        "limits": 1 << p["KIND"], "coarse": 1 << p["COARSE"], "fine": 1 << p["FINE"]}
    assert memory_bits(made)["sums"] == p["SLOTS"] * 32 * p["SUM"]


def test_what_the_core_cannot_do_is_refused(tmp_path):
    graph, _ = corners()
    network = compile(graph, seed=3)
    with pytest.raises(Mistake, match="quantise"):
        export(network, "verilog", tmp_path)
    with pytest.raises(Mistake, match="event core does not"):
        export(quantise(network, decay="mul"), "verilog", tmp_path)
    fixed = quantise(network)
    with pytest.raises(Mistake, match="inputs without until"):
        export(fixed, "verilog", tmp_path, inputs={})
    params = fixed.groups[0].params.copy()
    params.top[0] //= 2
    odd = dataclasses.replace(fixed, groups=(fixed.groups[0]._replace(params=params),))
    with pytest.raises(Mistake, match="one v_bits for all"):
        export(odd, "verilog", tmp_path)


def test_without_a_stimulus_there_is_nothing_to_simulate(tmp_path):
    graph, chosen = corners()
    export(quantise(compile(graph, seed=3), tick=TICK, **chosen), "verilog", tmp_path)
    with pytest.raises(Mistake, match="export with until"):
        verilog.run(tmp_path)
    with pytest.raises(Mistake, match="did you mean 'iverilog'"):
        verilog.run(tmp_path, "iverlog")
