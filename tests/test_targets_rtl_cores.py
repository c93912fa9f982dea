"""Several cores and their router equal one core: every spike, in order, whatever the world does to them.

Tests whose tools are missing are skipped, unless EVENTSNN_TOOLS is "required".
"""

import json
import subprocess
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import vectors as chosen
from circuits import tools
from eventsnn.exporters import checks, export, quantise, vectors, verilog
from eventsnn.exporters.fixed.reference import run as reference
from eventsnn.exporters.verilog import several
from eventsnn.exporters.verilog.images import SMALLEST, word_bits
from eventsnn.exporters.verilog.simulators import NEEDS, simulate
from eventsnn.exporters.verilog.synthesis import DEVICES, expected
from eventsnn.exporters.verilog.writer import DESIGN, RTL
from test_targets_rtl import trains

from eventsnn.cli import main
from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat

PARTS = 5                                # random networks of so many independent random graphs each
QUIET, WORLD = (0, 1, None), (120, 5, 1500)            # back-pressure, its seed, a clock of reset


def crowd():
    """Forty neurons that excite and inhibit each other over delays of one to five ticks, so that all cores talk."""
    rng = np.random.default_rng(5)
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=12, times=[np.sort(rng.uniform(0.0, 30.0, 20)).tolist() for _ in range(12)])
    g.add_node("exc", model="lif", size=30, v_rest=-60.0, v_reset=-61.0, v_thresh=-55.0, tau_m=[5.0, 10.0, 20.0] * 10,
               tau_refrac=1.0)
    g.add_node("inh", model="lif", size=10, v_rest=-60.0, v_reset=-60.0, v_thresh=-56.0, tau_m=10.0, tau_refrac=0.0,
               reset="subtract")
    for pre, post, low, high in (("in", "exc", 1.0, 4.0), ("in", "inh", 0.5, 3.0), ("exc", "exc", 0.2, 1.5),
                                 ("exc", "inh", 0.2, 1.5), ("inh", "exc", -2.0, 0.0), ("inh", "inh", -1.0, 0.0)):
        g.add_edge(pre, post, rule="fixed_indegree", indegree=6, weight={"uniform": [low, high]},
                   delay={"uniform": [0.5, 2.5]})
    return quantise(compile(g, seed=3), tick=0.5, decay="lut", v_bits=16), 32.0


def network_of(name):
    return crowd() if name == "crowd" else chosen.drawn(int(name[7:]), PARTS) if name.startswith("random_") \
        else chosen.CORNERS[name]()


def written(name, cores, folder):
    """An export whose expected spikes the integer reference has confirmed; the expected spikes."""
    network, until = network_of(name)
    export(network, "verilog", folder, until=until, backend="python", cores=cores)
    found = vectors.expected(folder)
    assert found == reference(network, until, trains(network, folder)).spikes
    assert len(json.loads((folder / DESIGN).read_text())["bases"]) == cores + 1
    return found


@pytest.mark.parametrize(("name", "cores"), [
    ("crowd", 3), ("many", 2), ("many", 5), ("rails_none", 2), ("sparse", 3), ("nothing", 3), ("random_0", 4),
    ("random_4", 2), ("random_13", 3)])
def test_the_cores_say_what_the_reference_says_in_its_order_under_back_pressure_and_a_reset(name, cores, tmp_path):
    tools(*NEEDS["iverilog"])
    told = written(name, cores, tmp_path)
    assert simulate(tmp_path, "iverilog", *WORLD).spikes == told
    if name == "crowd":
        assert simulate(tmp_path, "iverilog", 200, 8, 777).spikes == told


def test_cores_in_verilator_through_long_silence(tmp_path):
    """TIME words of 2^16 - 1 ticks, whose every tick all cores end together."""
    tools(*NEEDS["verilator"])
    told = written("silence_lut", 2, tmp_path)
    assert simulate(tmp_path, "verilator", 30, 3, 2500).spikes == told


def test_all_cores_of_the_crowd_talk_to_all(tmp_path):
    tools(*NEEDS["iverilog"])
    told = written("crowd", 4, tmp_path)
    network, _ = crowd()
    bases = json.loads((tmp_path / DESIGN).read_text())["bases"]
    home = np.searchsorted(bases, np.arange(network.neurons), side="right") - 1
    assert {home[neuron] for _, neuron in told} == {0, 1, 2, 3}
    table, row_of = flat(network.synapses), np.argsort(vectors.rows(network))
    row = row_of[table.emitter]
    inner = row < network.neurons
    assert len(set(zip(home[row[inner]], home[table.target[inner]], strict=True))) == 16
    assert verilog.run(tmp_path, "iverilog") == checks.to_spikes(np.array(told), network)


@pytest.mark.parametrize("tool", ["verilator --lint-only -Wall --top-module {top}",
                                  "iverilog -g2005 -Wall -t null -s {top}"])
def test_the_cores_are_lint_clean(tool, tmp_path):
    tools(tool.split()[0])
    written("many", 3, tmp_path)
    for top in ("bytes_top", "aer_top"):
        command = f"{tool.format(top=top)} {top}.v top.v {' '.join(f'rtl/{source}.v' for source in RTL)}"
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_networks_are_cut_where_the_largest_memory_is_least_and_then_the_most_work():
    cut = several.cut
    assert cut([1] * 64, 2, 10, 10) == (0, 32, 64)
    assert cut([1] * 64, 4, 10, 10) == (0, 16, 32, 48, 64)
    assert cut([0, 0, 0, 90], 2, 1, 0) == (0, 3, 4)
    # 63 synapses and 1 need two memories of 64; 40 and 24 do too, but 33 and 31 need no more and are the least work
    assert cut([8] * 8, 2, 1, 1) == (0, 4, 8)
    # three halves of 2^5: no core needs 64 words, though neurons could be shared out more evenly
    assert cut([16, 16, 32, 1, 1, 1, 1, 28], 3, 1000, 1) == (0, 2, 3, 8)
    rng = np.random.default_rng(1)
    for _ in range(30):
        synapses, n, bits, neuron = rng.integers(0, 40, 9).tolist(), 3, *rng.integers(1, 50, 2).tolist()

        def needs(bases, synapses=synapses, bits=bits, neuron=neuron):
            parts = list(pairwise(bases))
            work = [sum(synapses[a:b]) for a, b in parts]
            memory = [(bits << max(1, (w - 1).bit_length())) + (neuron << max(SMALLEST, (b - a - 1).bit_length()))
                      for w, (a, b) in zip(work, parts, strict=True)]
            return max(memory), max(w + b - a for w, (a, b) in zip(work, parts, strict=True))

        best = min(needs((0, i, j, 9)) for i in range(1, 8) for j in range(i + 1, 9))
        assert needs(cut(synapses, n, bits, neuron)) == best


def test_the_images_of_all_cores_hold_every_synapse_once_and_are_as_large_as_is_told():
    network, _ = crowd()
    made = several.design(network, 3)
    p, bits = made.parameters, word_bits(made.parameters)
    found = []
    for k, (base, _) in enumerate(pairwise(made.bases)):
        rows, synapses = made.images[f"rows{k:02d}"], made.images[f"synapses{k:02d}"]
        assert (len(rows), len(synapses)) == (1 << p["ROW"], 1 << p["SYNAPSE"])
        assert max(rows) < 1 << bits["rows"]
        assert max(synapses) < 1 << bits["synapses"]
        for r, word in enumerate(rows):
            if word >> p["SYNAPSE"] + p["LENGTH"]:
                start, more = word >> p["LENGTH"] & (1 << p["SYNAPSE"]) - 1, word & (1 << p["LENGTH"]) - 1
                found += [((r + base) % (1 << p["ROW"]), base + (s & (1 << p["NEURON"]) - 1))
                          for s in synapses[start:start + more + 1]]
    table, row_of = flat(network.synapses), np.argsort(vectors.rows(network))
    assert sorted(found) == sorted(zip(row_of[table.emitter].tolist(), table.target.tolist(), strict=True))


def test_a_netlist_must_have_the_multipliers_and_memories_of_every_core(tmp_path):
    network, _ = crowd()
    least = []
    for cores in (1, 3):
        export(network, "verilog", tmp_path, cores=cores)
        told = json.loads((tmp_path / DESIGN).read_text())
        told["memory_bits"] = {"synapses": cores * 16 * 4096}
        least.append(expected(told, DEVICES["up5k"], {"coarse": True, "fine": True}))
    assert least == [{"SB_MAC16": n * 2, "SB_RAM40_4K": n * 16} for n in (1, 3)]


def test_the_command_line_takes_a_number_of_cores(tmp_path, capsys):
    export(crowd()[0], "json", tmp_path / "model")
    assert main(["export", "verilog", str(tmp_path / "model"), str(tmp_path / "build"), "--cores", "2"]) == 0
    assert json.loads((tmp_path / "build" / DESIGN).read_text())["cores"] == 2
    assert "2 cores" in (tmp_path / "build" / "README.md").read_text()
    assert main(["export", "c", str(tmp_path / "model"), str(tmp_path / "c"), "--cores", "2"]) == 2
    assert "takes no --cores" in capsys.readouterr().err


def test_what_several_cores_cannot_do_is_refused(tmp_path):
    network, _ = chosen.CORNERS["tick"]()
    for wrong, cores, words in ((network, 2, "several cores are for event mode"),
                                (crowd()[0], 50, "50 cores for 40 neurons"), (crowd()[0], 0, "from 1 to 100"),
                                (crowd()[0], 1.5, "from 1 to 100")):
        with pytest.raises(Mistake, match=words):
            export(wrong, "verilog", tmp_path, cores=cores)
