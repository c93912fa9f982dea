"""Energies: counts times published prices, with their sources; and the bits of memory."""

import networkx as nx
import numpy as np
import pytest

import eventsnn as es
from eventsnn.bits import memory_bits
from eventsnn.energy import FIGURES, energy
from eventsnn.sparseness import footprint, ineffective, sparseness

COUNTS = {"synaptic_operations": 1000, "neuron_updates": 100, "spikes": 10, "memory_words": 5000}


def test_an_estimate_is_counts_times_prices():
    by_name = {e["name"]: e["uj"] * 1e6 for e in energy(COUNTS)["estimates"]}
    assert by_name["TrueNorth"] == pytest.approx(2.5 * 1000)
    assert by_name["Loihi"] == pytest.approx(27.1 * 1000 + 81.0 * 100)
    assert by_name["bare arithmetic"] == pytest.approx(0.1 * 1000 + 3.1 * 100 + 5.0 * 5000)
    assert by_name["Loihi, as SANA-FE describes it"] == pytest.approx(29.75 * 1000 + 72.8 * 100 + 183.9 * 10)


def test_every_figure_has_a_source_a_node_and_a_scope_and_the_range_is_theirs():
    told = energy(COUNTS)
    assert len({f.name for f in FIGURES}) == len(FIGURES) == len(told["estimates"])
    for e in told["estimates"]:
        assert e["source"]
        assert e["scope"]
        assert e["node"].endswith(" nm")
    sizes = [e["uj"] for e in told["estimates"]]
    assert (told["lowest"]["uj"], told["highest"]["uj"]) == (min(sizes), max(sizes))
    assert told["highest"]["name"] == "SpiNNaker"


@pytest.fixture(scope="module")
def run():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[1.0, 3.0], [2.0]])
    g.add_node("n", model="lif", size=4, tau_m=20.0, v_rest=0.0, v_reset=0.0, v_thresh=1.5, tau_refrac=2.0)
    g.add_edge("in", "n", rule="pairs", source=[0, 0, 1], target=[0, 1, 1], weight=[1.0, 0.0, 2.0], delay=1.0)
    g.add_edge("n", "n", rule="pairs", source=[1, 0], target=[3, 2], weight=[0.0, 1.0], delay=1.0)
    return es.simulate(es.compile(g), 10.0, backend="python")


def test_operations_of_zero_weights_are_not_effective(run):
    """Two spikes reach the zero from in 0, one the zero from n 1; the last of in 0 would not, 9.5 + 1 ms being late."""
    assert run.counters["synaptic_operations"] == 2 * 2 + 1 + 1 + 1      # of in 0, in 1, n 0, n 1
    assert ineffective(run) == 3
    late = es.simulate(run.network, 10.0, inputs={"in": [[1.0, 9.5], [2.0]]}, backend="python")
    assert ineffective(late) == 2
    assert sparseness(late, 0.1)["neurobench"]["synaptic_operations"]["Effective_ACs"] == 1 + 1


def test_the_clocked_core_updates_all_neurons_and_the_dense_one_all_cells(run):
    found = sparseness(run, 0.5)
    assert found["clocked"]["neuron_updates"] == found["dense"]["neuron_updates"] == 4 * 20
    assert found["clocked"]["synaptic_operations"] == found["synaptic_operations"]
    uj = {machine: told["lowest"]["uj"] for machine, told in found["energy"].items()}
    assert uj["event"] <= uj["clocked"] < uj["dense"]


def test_bits_are_counted_by_hand(run):
    fixed = es.quantise(run.network, weight_bits=5, v_bits=16, decay="mul", decay_bits=20)
    bits = memory_bits(fixed)
    rows, longest = len(fixed.synapses.delay), 10                 # ticks of 0.1 ms
    assert bits["weights"] == 5 * 5
    assert bits["targets"] == 5 * 2                               # four neurons
    assert bits["delays"] == rows * longest.bit_length()
    assert bits["pointers"] == (rows + 6) * 3                     # five synapses
    assert bits["state"] == 4 * (16 + 5 + 16)                     # V, a countdown from 20 ticks, the tick V is of
    assert bits["constants"] == 16 + 16 + 5 + 2 * 5               # threshold, reset, R, a shift for each projection
    assert bits["tables"] == 20                                   # one factor
    assert footprint(fixed) == int(np.ceil(sum(bits.values()) / 8))


def test_fewer_bits_take_less_memory(run):
    sizes = [sum(memory_bits(es.quantise(run.network, **o)).values())
             for o in ({}, {"weight_bits": 4}, {"weight_bits": 4, "v_bits": 12}, {"weight_bits": 4, "v_bits": 12,
                                                                                "decay_bits": 8})]
    assert np.all(np.diff(sizes) < 0)


def test_bits_of_a_clocked_network_count_its_currents():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=1, times=[1.0])
    g.add_node("n", model="lif", size=3, tau_m=20.0, v_rest=0.0, v_reset=0.0, v_thresh=5.0, tau_refrac=0.0,
               synapse=["exp", "exp"], tau_syn=[5.0, 8.0])
    g.add_edge("in", "n", rule="all_to_all", weight=0.1, delay=1.0)
    fixed = es.quantise(es.compile(g), v_bits=16, i_bits=12, decay_bits=14, i_decay_bits=13)
    bits = memory_bits(fixed)
    assert bits["state"] == 3 * (16 + 2 * 12 + 1)                # V, two currents, a countdown
    assert bits["constants"] == 2 * 16 + 1 + 3 * 5               # threshold, reset, R, a projection's and two currents'
    assert bits["tables"] == 14 + 2 * 13                         # one factor each
