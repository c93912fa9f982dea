"""The kernel of clocked integer neurons equals the general loop, the specification and the dense reference."""

from unittest import mock

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed.clocked import DIRECT
from eventsnn.exporters.fixed.format import NEVER
from test_fixed_clocked import WIDTH, drawn, emulated, same, ticked
from test_ticks import general  # noqa: F401 - a fixture

import eventsnn as es
from eventsnn.graph import compile
from eventsnn.kernel import clocked, engine


@pytest.fixture(autouse=True, scope="module")
def kernels_at_any_size():
    with mock.patch("eventsnn.kernel.quick.SMALL", 0):
        yield


def network(seed, size=150, noise=False, until=200, quiet=1, given=True):
    """A recurrent network with rows of one delay; no neuron is like another.  Not `given`: without the trains."""
    rng = np.random.default_rng(seed)
    g = nx.MultiDiGraph()
    trains = [np.flatnonzero(rng.random(until) < 0.02 / quiet).tolist() for _ in range(12)]
    if given:
        g.add_node("in", model="spikes", size=12, times=trains)
    g.add_node("n", model="lif", size=size, synapse=["delta"] * WIDTH)
    if noise:
        g.add_node("noise", model="poisson", size=size, rate=300.0)
        g.add_edge("noise", "n", rule="one_to_one", weight=0.7, delay=2.0, receptor=1)
    for receptor in range(WIDTH):
        for pre, degree in (("in", 4), ("n", 3))[not given:]:
            weight = {"normal": [0.0, 1.0]} if receptor else 0.8
            g.add_edge(pre, "n", rule="fixed_indegree", indegree=degree, weight=weight,
                       delay=float(rng.integers(1, 9)), receptor=receptor)
    return ticked(compile(g, seed=seed), *drawn(rng, size), scale=300), dict(enumerate(trains))


def told(result):
    return result.spikes, result.counters


@pytest.mark.parametrize("backend", ["python", "compiled"])
@pytest.mark.parametrize("seed", range(2))
def test_the_kernel_equals_the_dense_reference_in_every_register(seed, backend):
    net, trains = network(seed)
    assert len(same(net, trains, 200, backend).spikes) > 1000
    assert es.simulate(net, 20, backend=backend).provenance["kernel"] == "clocked"


@pytest.mark.parametrize("seed", range(2))
def test_the_kernel_equals_the_general_loop_and_the_specification_under_noise(seed, general):  # noqa: F811
    net, _ = network(seed, noise=True)
    found = es.simulate(net, 150.5, backend="compiled")
    assert found.provenance["kernel"] == "clocked"
    assert found.counters["saturations"] > 0
    usual = general(es.simulate, net, 150.5, backend="compiled")
    assert usual.provenance["kernel"] == "general"
    assert told(found) == told(usual) == told(es.simulate(net, 150.5, backend="simpy"))
    assert told(found) == told(es.simulate(net, 150.5, backend="python"))


@pytest.mark.parametrize("seed", range(4))
def test_those_whom_no_given_spike_enters_need_no_calendar(seed):
    """Under noise and many delays, in pieces, in windows of any length: the same, in each register."""
    with mock.patch("eventsnn.synapses.PIECE", (65536, 50)[seed % 2]):
        net, _ = network(seed, noise=seed != 3, given=False)
    spied, usual = [], clocked.alone
    with mock.patch.object(engine, "LONG", (16, 1, 5)[seed % 3]), mock.patch.object(
            engine, "alone", lambda *args: spied.append(usual(*args)) or spied[-1]):
        found = es.simulate(net, 50.5, backend="python")
        seen = emulated(net, 50, "python")
    assert spied == [True, True]
    with mock.patch.object(engine, "alone", return_value=False):
        assert told(found) == told(es.simulate(net, 50.5, backend="python"))
        plain = emulated(net, 50, "python")
    assert [np.array_equal(a, b) for a, b in zip(seen, plain, strict=True)] == [True] * 5
    assert told(found) == told(es.simulate(net, 50.5, backend="simpy"))
    assert len(found.spikes) > 100


def test_those_who_are_alone_compiled():
    net, _ = network(0, noise=True, given=False)
    found = es.simulate(net, 150.0, backend="compiled")
    assert told(found) == told(es.simulate(net, 150.0, backend="simpy"))
    with mock.patch("eventsnn.kernel.shards.WORTH", 0):
        assert told(found) == told(es.simulate(net, 150.0, backend="compiled", threads=2))


def test_shards_and_recording_change_nothing():
    net, _ = network(5, noise=True)
    found = es.simulate(net, 120.0, backend="compiled")
    with mock.patch("eventsnn.kernel.shards.WORTH", 0):
        parted = es.simulate(net, 120.0, backend="compiled", threads=2)
    watched = es.simulate(net, 120.0, backend="compiled", record={"n": ["v", "i"]}, record_at=7.0)
    assert told(found) == told(parted) == told(watched)


def test_blocks_sleep_and_wake():
    """Where nothing arrives no tick is made, and nothing is another than in the dense reference."""
    rng, held = np.random.default_rng(7), []
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0, 250.0, 480.0])
    g.add_node("n", model="lif", size=1000, synapse=["delta"] * WIDTH)
    g.add_edge("in", "n", rule="pairs", source=[0] * 40, target=np.arange(100, 140), weight=1.0, delay=1.0)
    net = ticked(compile(g), *drawn(rng, 1000), scale=300)
    p, s = net.groups[0].params, net.groups[0].state
    p.theta, p.reset, p.bias, p.kind, s.i = NEVER, 0, 0, DIRECT, 0     # nobody fires: silence comes back

    same(net, {0: [1.0, 250.0, 480.0]}, 500, "python")
    usual = engine.layouts
    with mock.patch.object(engine, "layouts", lambda *args: held.append(usual(*args)) or held[-1]):
        es.simulate(net, 500.0, backend="python")
    ticks = np.array([s.t for s in held[0][0][0].quick.cells.state])[:1000]       # the last one that was made
    assert ticks[64:192].min() >= 481 > ticks[:64].max()
    assert ticks[192:].max() < 481
