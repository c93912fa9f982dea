"""The specialised kernels are the law: compiled, in plain Python, in any number of shards, windows, pieces and batches,
they equal the SimPy specification by ==."""

import contextlib
import math
import os
import threading
import time
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from strategies import driven, lif_moving, lif_moving_slowly, lif_uneven
from test_equivalence import same
from test_threads import laid_out, run

import eventsnn as es
from eventsnn.kernel import link, uneven
from eventsnn.kernel.pool import PAD
from eventsnn.kernel.quick import plan
from eventsnn.models.lif_scaled import phase

EXAMPLES = int(os.environ.get("EVENTSNN_EXAMPLES", "60"))
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
CELL = {"model": "lif", "tau_m": 10.0, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 20.0, "tau_refrac": 2.0}
TIES = 2.0**40       # ms: from here on, time goes by 2^-12 ms, and Poisson sources meet all the time


@pytest.fixture(autouse=True, scope="module")
def kernels_at_any_size():
    """Little networks, as here, would otherwise go through the general loop."""
    with mock.patch("eventsnn.kernel.quick.SMALL", 0):
        yield


@contextlib.contextmanager
def smaller(block=4, piece=3, batch=4, levels=256):
    """Blocks of sources, pieces of populations, batches of events and stretches of windows, so that little networks
    have many of each; an edge with more than so many different delays has rows whose synapses act one by one."""
    with mock.patch("eventsnn.streams.BLOCK", block), mock.patch("eventsnn.synapses.PIECE", piece), \
            mock.patch("eventsnn.synapses.SHORT", 0), mock.patch("eventsnn.kernel.quick.BATCH", batch), \
            mock.patch("eventsnn.kernel.quick.FEW", batch), mock.patch("eventsnn.columns.LEVELS", levels), \
            mock.patch("eventsnn.kernel.pool.WORTH", 1e-6):
        yield


def neurons(network):
    """All variables of all neurons: to listen to a source would keep its stream from being direct."""
    return {p.name: sorted({v.rstrip("0123456789") for v in p.variables})
            for p in network.populations if p.kind == "neuron"}


def whole(network, until=15.0):
    """All neurons and all streams go to the specialised kernels."""
    chosen = plan(laid_out(network, until)[0], min(network.min_delay, until / 64.0))
    assert (chosen.group >= 0).all()
    assert chosen.stream.all()


def agree(network, until=15.0, record=None, record_at=0.25, threads=(2, 3, 4), python=True):
    """The specification's result, once all others have turned out to be the same."""
    what = {"record": record, "record_at": record_at if record else None}
    expected = es.simulate(network, until, backend="simpy", **what)
    for backend in ("compiled", "python") if python else ("compiled",):
        same(expected, es.simulate(network, until, backend=backend, **what))
    for n, part, room in zip(threads, (1.0, 0.5, 1 / math.pi), (100, 1, 100), strict=False):
        same(expected, run(network, until, **what, seed=network.seed, threads=n, window=part * network.min_delay,
                           room=room))
    return expected


def describe(graph):
    return "\n".join(map(str, [*graph.nodes(data=True), *graph.edges(data=True)]))


KINDS = {"resting": [], "moving": [lif_moving], "moving slowly": [lif_moving_slowly]}


@pytest.mark.parametrize("kind", KINDS)
def test_random_networks_agree_with_the_specification(kind):
    @settings(max_examples=max(EXAMPLES // (2 if kind == "resting" else 4), 5), **PATIENT)
    @given(driven(*KINDS[kind]), st.booleans(), st.booleans(), st.sampled_from([4, 64]),
           st.sampled_from([0, 2, 256]))
    def check(graph, recorded, cut, batch, levels):
        note(describe(graph))
        with smaller(*((4, 3) if cut else (4096, 1 << 16)), batch, levels):
            network = es.compile(graph, seed=1)
            agree(network, record=neurons(network) if recorded else None)

    check()


@pytest.mark.parametrize(("block", "dense"), [(3, 0), (7, 0), (16, 0), (3, 100), (8, 100)])
def test_rows_of_one_instant_that_go_by_blocks_of_neurons(block, dense):
    """A piece much longer than a block; inputs that cancel, multapses, and neurons that fire together.

    dense: whether sums act by their targets' numbers or one after the other through the block."""
    def forget():
        link._build.cache_clear()
        link._digest.cache_clear()

    g = nx.MultiDiGraph()
    g.add_node("x", size=40, **CELL)
    g.add_node("y", size=9, **CELL)
    g.add_node("in", model="spikes", size=12, times=[[float(k % 3) + 0.5 * (k % 2) for k in range(9)]] * 12)
    for post in ("x", "y"):
        g.add_edge("in", post, rule="fixed_indegree", indegree=6, weight=4.0, delay=1.0)
        g.add_edge("in", post, key="minus", rule="fixed_indegree", indegree=2, weight=-4.0, delay=1.0)
        g.add_edge("x", post, rule="fixed_indegree", indegree=7, weight=3.0, delay=1.0)
    drives(g, "x", 40, {"rate": 500.0})
    network = es.compile(g, seed=1)
    whole(network)
    expected = es.simulate(network, 15.0, backend="simpy")
    assert len(expected.spikes) > 100
    forget()
    with mock.patch("eventsnn.kernel.still.BLOCK", block), mock.patch("eventsnn.kernel.still.DENSE", dense):
        same(expected, es.simulate(network, 15.0, backend="python"))
    forget()
    same(expected, es.simulate(network, 15.0, backend="compiled"))


# ---------------------------------------------------------------------------------------------------- by hand
def drives(graph, post, size, *nodes, weight=5.0, delay=1.0):
    """Poisson populations, one source to each neuron of `post`."""
    for k, node in enumerate(nodes):
        graph.add_node(f"drive{k} of {post}", model="poisson", size=size, **node)
        graph.add_edge(f"drive{k} of {post}", post, rule="one_to_one", weight=weight, delay=delay)


@pytest.mark.parametrize("size", [1, 7])
def test_drives_of_every_kind_onto_the_same_neurons(size):
    """Streams that are merged in time: equal rates, own ones, that begin, end, step and swing; rows in between."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=size, **CELL)
    own = [2000.0] * size if size == 1 else [0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0]
    drives(g, "x", size, {"rate": 1500.0}, {"rate": own}, {"rate": 2000.0, "start": 3.0, "stop": 9.0},
           {"rate": 1500.0, "modulation": 1.0, "frequency": 200.0}, {"rate": 1000.0})
    g.add_edge("x", "x", rule="all_to_all", weight=-2.5, delay=1.0)
    for piece in (2, 1 << 16):
        with smaller(3, piece, 8):
            network = es.compile(g, seed=1)
            whole(network, 30.0)
            expected = agree(network, 30.0, neurons(network))
            assert len(expected.spikes) > 2 * size


@pytest.mark.parametrize("weight", [0.0, 7.0, [0.0, 4.0, 7.0, -2.0, 11.0]])
@pytest.mark.parametrize("batch", [2, 64])
def test_events_of_one_instant_are_one_input(weight, batch):
    """Late in time many of a stream's events act at one instant, whatever batch each was drawn in."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=5, **CELL)
    drives(g, "x", 5, {"rate": 200_000.0, "start": TIES}, weight=weight)
    g.add_node("more", model="poisson", size=5, rate=50_000.0, start=TIES)
    g.add_edge("more", "x", rule="one_to_one", weight=-3.0, delay=1.0)
    with smaller(4096, 1 << 16, batch):
        network = es.compile(g, seed=1)
        whole(network, TIES + 3.0)
        expected = agree(network, TIES + 3.0, python=False)
        counters = expected.counters
        assert counters["neuron_updates"] < 0.995 * counters["synaptic_operations"]


def test_a_population_of_several_blocks_over_several_shards():
    """No block of sources ends where a shard does: most streams are drawn in two shards, each keeping its part."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=5000, **CELL)
    g.add_node("y", size=300, **CELL)
    drives(g, "x", 5000, {"rate": 300.0}, weight=21.0)
    drives(g, "y", 300, {"rate": 900.0}, {"rate": 500.0}, weight=8.0)
    g.add_edge("x", "y", rule="fixed_indegree", indegree=10, weight=3.0, delay=0.5)
    g.add_edge("y", "x", rule="fixed_indegree", indegree=3, weight=-3.0, delay=0.5)
    network = es.compile(g, seed=1)
    whole(network, 6.0)
    assert len(agree(network, 6.0).spikes) > 3000


def test_plain_shards_reach_neurons_whose_place_is_far_from_their_number():
    """numpy's integers of 16 bits, in which the table has its ids, would wrap."""
    g = nx.MultiDiGraph()
    for n in "abcd":
        g.add_node(n, size=60, **CELL)
        drives(g, n, 60, {"rate": 900.0})
    for n in "abcd":
        for m in "abcd":
            g.add_edge(n, m, rule="fixed_indegree", indegree=5, weight=1.5, delay=1.0)
    g.add_edge("a", "c", rule="fixed_indegree", indegree=5, weight=1.5, delay={"uniform": [1.0, 2.0]})
    network = es.compile(g, seed=1)
    expected = es.simulate(network, 15.0, backend="simpy")
    for threads in (1, 2, 4):
        same(expected, run(network, 15.0, jit=False, seed=network.seed, threads=threads))


@pytest.mark.parametrize("offset", [0.0, [0.0, 1.0, 0.0, -1.0]])
def test_a_jump_of_exactly_the_threshold_reaches_it(offset):
    """From a drive, and from a row, whether all have one threshold or not."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=4, **CELL, i_offset=offset, v_init=np.multiply(offset, 10.0).tolist())      # V_inf
    g.add_node("y", size=20, **CELL)
    g.add_node("z", size=20, **CELL, i_offset=[0.0] * 19 + [1.0])
    drives(g, "x", 4, {"rate": 100.0}, weight=20.0)
    g.add_edge("x", "y", rule="all_to_all", weight=20.0, delay=0.5)
    g.add_edge("x", "z", rule="all_to_all", weight=20.0, delay=0.5)
    network = es.compile(g, seed=2)
    whole(network, 40.0)
    spikes = agree(network, 40.0).spikes
    first = spikes.of("x").time[0]
    assert (spikes.of("y").time == first + 0.5).sum() == 20
    assert (spikes.of("z").time == first + 0.5).sum() >= 19


def test_nothing_that_could_fire_endlessly_is_served():
    g = nx.MultiDiGraph()
    g.add_node("x", size=3, **{**CELL, "v_reset": 20.0, "tau_refrac": [1e-17, 2.0, 1e-7]})
    network = es.compile(g)
    assert (plan(laid_out(network, 5.0)[0], 1.0).group < 0).all()


@pytest.mark.parametrize("order", ["abd", "bad", "dab", "adb"])
@pytest.mark.parametrize("synapse", ["delta", "exp"])
def test_events_of_drives_and_rows_of_one_instant_are_summed_in_the_order_of_their_emitters(order, synapse):
    """(1e16 + 1) - 1e16 is 0 and (1e16 - 1e16) + 1 is 1; the trains a and b fall on the events of the drive d."""
    weight = {"a": 1e16, "b": -1e16, "d": 1.0}
    g = nx.MultiDiGraph()
    g.add_node("x", size=3, **{**CELL, "v_thresh": math.inf}, synapse=synapse,
               **({"tau_syn": 2.0} if synapse == "exp" else {}))
    for name in order:
        g.add_node(name, size=3, **({"model": "poisson", "rate": 300.0} if name == "d" else {"model": "spikes"}))
        g.add_edge(name, "x", rule="one_to_one", weight=weight[name], delay=1.0)
    heard = es.simulate(es.compile(g, seed=1), 15.0, record={"d": ["spikes"]}).sources["d"]
    trains = [heard.time[heard.neuron == heard.neuron.min() + k].tolist() for k in range(3)]
    for name in "ab":
        g.nodes[name]["times"] = trains
    network = es.compile(g, seed=1)
    whole(network)
    result = agree(network, record=neurons(network), record_at=sorted(t + 1.0 for t in heard.time if t < 14.0))
    assert len(heard) > 5
    if synapse == "delta":
        first = result.recorded["x"]["v"][0, heard.neuron[0] - heard.neuron.min()]
        assert first == pytest.approx({"abd": 1.0, "bad": 1.0, "dab": 0.0, "adb": 0.0}[order])


@pytest.mark.parametrize("receptors", [1, 2])
@pytest.mark.parametrize("emitters", [["in"], ["in", "in too"]])
def test_rows_of_one_instant_are_summed_before_the_threshold_is_judged(receptors, emitters):
    """+5 and -5 mV over two edges of one delay, of one source or two; and +5 twice, which is the threshold exactly."""
    g = nx.MultiDiGraph()
    for name in emitters:
        g.add_node(name, model="spikes", times=[1.0, 4.0])
    g.add_node("x", size=40, **{**CELL, "v_thresh": 5.0}, synapse=["delta"] * receptors, tau_syn=[None] * receptors)
    g.add_node("y", size=40, **{**CELL, "v_thresh": 10.0}, synapse=["delta"] * receptors, tau_syn=[None] * receptors)
    for post, second in (("x", -5.0), ("y", 5.0)):
        g.add_edge(emitters[0], post, rule="all_to_all", weight=5.0, delay=1.0)
        g.add_edge(emitters[-1], post, rule="all_to_all", weight=second, delay=1.0, receptor=receptors - 1)
    network = es.compile(g)
    whole(network)
    spikes = agree(network, record=neurons(network), record_at=[1.9, 2.0, 4.0, 5.0]).spikes
    assert set(zip(spikes.time.tolist(), spikes.neuron.tolist(), strict=True)) == {
        (t, j) for t in (2.0, 5.0) for j in range(40, 80)}


def test_a_shard_that_lacks_a_row_still_sums_what_two_emitters_send():
    """`two` has a row of single synapses and one of double ones; a shard with the latter alone has it after `one`'s."""
    g = nx.MultiDiGraph()
    for name in ("one", "two"):
        g.add_node(name, model="spikes", times=[1.0])
    g.add_node("x", size=4, **{**CELL, "v_thresh": 4.0})
    g.add_edge("one", "x", rule="pairs", source=[0] * 2, target=[2, 3], weight=5.0, delay=1.0)
    g.add_edge("two", "x", rule="pairs", source=[0] * 6, target=[0, 1, 2, 2, 3, 3], weight=-2.5, delay=1.0)
    network = es.compile(g)
    whole(network)
    assert len(agree(network, record=neurons(network)).spikes) == 0


def test_rows_onto_currents_of_neurons_that_are_alike():
    g = nx.MultiDiGraph()
    g.add_node("x", size=12, **CELL, synapse=["exp", "exp"], tau_syn=[0.5, 5.0], i_offset=1.9, v_init=5.0,
               tau_w=[30.0], b_w=[0.0])                    # as `lif_moving` has it: compiled once
    drives(g, "x", 12, {"rate": 400.0}, weight=2.0)
    for weight, receptor in ((1.0, 0), (0.5, 1), (-0.5, 1)):
        g.add_edge("x", "x", rule="fixed_indegree", indegree=4, weight=weight, delay=1.0, receptor=receptor)
    network = es.compile(g, seed=1)
    whole(network, 40.0)
    assert len(agree(network, 40.0).spikes) > 12


def test_a_row_onto_a_current_makes_neurons_at_rest_fire():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0, 6.0])
    g.add_node("x", size=5, **CELL, synapse="exp", tau_syn=2.0)
    g.add_edge("in", "x", rule="all_to_all", weight=30.0, delay=1.0)
    network = es.compile(g)
    whole(network)
    assert len(agree(network, record=neurons(network)).spikes) >= 10


@pytest.mark.parametrize("offset", [1.0, [0.5, 1.0, 1.5] * 4])
def test_rows_onto_alpha_currents_beside_all_others(offset):
    """Two alpha receptors, exp and delta, adaptation; neurons that are alike or not.  In plain Python: no compiling."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=12, **CELL, synapse=["alpha", "delta", "alpha", "exp"], tau_syn=[2.0, None, 5.0, 3.0],
               i_init=[1.0, None, -1.0, 0.0], tau_w=[30.0], b_w=[0.2], i_offset=offset, v_init=5.0)
    drives(g, "x", 12, {"rate": 400.0}, weight=2.0)
    for k, (weight, receptor) in enumerate(((1.5, 0), (1.0, 1), (-1.0, 2), (0.5, 3), (-0.5, 0), (1.0, 2))):
        for delay in (1.0, 1.0 + 0.125 * k):               # all at one instant, and each alone
            g.add_edge("x", "x", rule="fixed_indegree", indegree=3, weight=weight, delay=delay, receptor=receptor)
    g.add_edge("x", "x", rule="fixed_indegree", indegree=2, weight={"uniform": [-1.0, 2.0]},
               delay={"uniform": [0.5, 2.0]})
    network = es.compile(g, seed=1)
    whole(network, 40.0)
    what = {"record": neurons(network), "record_at": 0.25}
    expected, result = (es.simulate(network, 40.0, backend=b, **what) for b in ("simpy", "python"))
    same(expected, result)
    assert len(expected.spikes) > 24
    assert result.provenance["kernel"] == "coefficients"
    same(expected, run(network, 40.0, **what, jit=False, seed=network.seed, threads=2))


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("synapse", ["delta", "exp"])
def test_synapses_with_own_delays_meet_drives_and_rows_at_one_instant(synapse, merge):
    """Few different delays and trains at multiples of them: most instants have several inputs."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=9, **CELL, synapse=synapse, **({"tau_syn": 2.0} if synapse == "exp" else {}))
    g.add_node("y", size=9, **CELL, synapse=synapse, **({"tau_syn": 2.0} if synapse == "exp" else {}))
    g.add_node("in", model="spikes", size=3, times=[[1.0, 2.0, 3.5], [1.0, 4.0, 4.5], [2.5, 4.0, 9.0]])
    rng = np.random.default_rng(5)
    drives(g, "x", 9, {"rate": 500.0}, {"rate": 300.0}, weight=4.0)
    for post, weight in (("x", 8.0), ("y", 11.0), ("x", -2.0)):
        g.add_edge("in", post, rule="fixed_indegree", indegree=4, weight=weight, delay=rng.choice([0.5, 1.0, 1.5], 36))
        g.add_edge("in", post, rule="all_to_all", weight=weight, delay=1.0)
        g.add_edge("x", post, rule="fixed_indegree", indegree=5, weight=rng.choice([-3.0, 0.0, 9.0], 45).tolist(),
                   delay={"uniform": [0.5, 4.0]})
    for piece in (4, 1 << 16):
        with smaller(4096, piece, 8, 0):
            network = es.compile(g, seed=1, merge=merge)
            assert (network.synapses.spread >= 0).any()
            assert (network.synapses.spread < 0).any()
            whole(network, 20.0)
            assert len(agree(network, 20.0, neurons(network)).spikes) > 20


def test_multapses_of_one_row_are_one_input_merged_or_not():
    g = nx.MultiDiGraph()
    g.add_node("x", size=4, **CELL)
    drives(g, "x", 4, {"rate": 2000.0})
    g.add_edge("x", "x", rule="fixed_indegree", indegree=9, weight=2.5, delay=1.0)
    a, b = (agree(es.compile(g, seed=3, merge=merge), 40.0) for merge in (True, False))
    assert a.spikes == b.spikes
    assert len(a.spikes) > 20


@pytest.mark.parametrize(("reset", "rest"), [(20.0, 2.0), (25.0, 1.3), (0.0, 0.0), (19.0, 0.0), (0.0, 2.0)])
def test_neurons_that_start_at_the_threshold_and_that_are_reset_to_it(reset, rest):
    """A reset at or above the threshold fires at each release, with or without inputs."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=3, **{**CELL, "v_reset": reset, "tau_refrac": rest}, v_init=[20.0, 0.0, 41.0])
    drives(g, "x", 3, {"rate": 1000.0})
    network = es.compile(g, seed=1)
    whole(network)
    spikes = agree(network, record=neurons(network), record_at=0.1).spikes
    assert (spikes.time == 0.0).sum() == 2
    if reset >= 20.0:
        assert spikes.of("x").time[spikes.of("x").neuron == 0].tolist() == pytest.approx(np.arange(0.0, 15.0, rest))


def test_many_epochs_of_silence_within_one_window():
    """tau is far less than a window: neurons with nothing left to decay skip epochs, but none with an event in it."""
    g = nx.MultiDiGraph()
    g.add_node("x", **{**CELL, "tau_m": 0.25})
    drives(g, "x", 1, {"rate": 100.0}, weight=21.0, delay=7.0)
    g.add_node("little", model="poisson", rate=60.0)
    g.add_edge("little", "x", weight=5.0, delay=7.0)
    network = es.compile(g, seed=1)
    whole(network, 900.0)
    assert len(agree(network, 900.0, neurons(network), 3.3).spikes) > 20


def test_many_epochs_while_all_are_refractory_within_one_window():
    g = nx.MultiDiGraph()
    g.add_node("x", size=2, **{**CELL, "tau_m": 0.7, "tau_refrac": [5.3, 6.7]}, synapse="exp", tau_syn=0.25,
               i_offset=[40.0, 55.0], v_init=20.0)
    g.add_edge("x", "x", rule="all_to_all", weight=0.0, delay=7.0)
    network = es.compile(g)
    whole(network, 900.0)
    assert len(agree(network, 900.0, neurons(network), 3.3).spikes) > 20


def test_currents_change_who_is_alike_and_who_fires():
    """dc and steps on some neurons or all: a threshold that is each neuron's own, a rise that reaches it exactly."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=6, **CELL)
    g.add_node("all", model="dc", amplitude=1.0, start=2.0, stop=8.0)
    g.add_node("some", model="steps", times=[1.0, 5.0, 8.0], amplitudes=[0.5, 1.0, -1.0])
    drives(g, "x", 6, {"rate": 2500.0})
    g.add_edge("all", "x")
    g.add_edge("some", "x", rule="pairs", source=[0, 0], target=[2, 5])
    g.add_edge("x", "x", rule="all_to_all", weight=1.0, delay=1.0)
    network = es.compile(g, seed=1)
    whole(network)
    assert len(agree(network, record=neurons(network), record_at=[0.0, 1.0, 2.0, 5.0, 7.5, 8.0, 9.0]).spikes) > 6


@pytest.mark.parametrize("at", [0.25, [2.0, 2.0, 3.5, 4.0]])
def test_readouts_are_recorded_at_the_instants_of_arrivals(at):
    """A right limit: what arrives at the instant has arrived."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[1.0, 2.5, 3.0], [1.0, 3.0]])
    g.add_node("x", size=3, **{**CELL, "v_thresh": math.inf})
    g.add_edge("in", "x", rule="all_to_all", weight=[1.0, 2.0, 3.0, 1.0, 1.0, 1.0], delay=1.0)
    network = es.compile(g)
    whole(network, 6.0)
    v = agree(network, 6.0, neurons(network), at).recorded["x"]["v"]
    where = {0.25: 8}.get(at if isinstance(at, float) else 0, 0)
    assert v[where].tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("other", ["exp", "delta"])
def test_coefficients_with_all_that_moves_them(other):
    """exp and exp or delta, adaptation, drives onto both receptors, steps, own weights, short epochs."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=6, **{**CELL, "tau_m": 2.0}, synapse=["exp", other], tau_syn=[0.5, 8.0 if other == "exp" else
               None], tau_w=[30.0], b_w=[0.5], i_offset=[0.0, 5.0, 9.0, 12.0, 15.0, 0.0], v_init=[0.0, 20.0] * 3)
    for k, (weight, receptor) in enumerate(((12.0, 0), ([0.0, 4.0, -2.0, 3.0, 5.0, 1.0], 1), (2.0, 1))):
        g.add_node(f"drive{k}", model="poisson", size=6, rate=800.0)
        g.add_edge(f"drive{k}", "x", rule="one_to_one", weight=weight, delay=1.0, receptor=receptor)
    g.add_node("stairs", model="steps", times=[3.0, 6.0, 9.0], amplitudes=[6.0, -2.0, 8.0])
    g.add_edge("stairs", "x", rule="pairs", source=[0] * 3, target=[1, 2, 5])
    rng = np.random.default_rng(1)
    for receptor in (0, 1):
        g.add_edge("x", "x", rule="all_to_all", weight=rng.choice([-3.0, 0.0, 1.0, 4.0], 36), delay=0.5,
                   receptor=receptor)
        g.add_edge("x", "x", rule="fixed_indegree", indegree=3, weight=1.0, delay=0.5, receptor=receptor)
    for piece in (2, 1 << 16):
        with smaller(4096, piece, 8):
            network = es.compile(g, seed=1)
            whole(network, 40.0)
            assert len(agree(network, 40.0, neurons(network)).spikes) > 30


def test_what_a_listener_hears_decides_no_bit():
    """A recorded source is no direct stream: the same spikes by another way."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=5, **CELL)
    drives(g, "x", 5, {"rate": 2000.0}, {"rate": 1500.0}, weight=[2.0, 3.0, 5.0, 7.0, 11.0])
    network = es.compile(g, seed=1)
    whole(network, 50.0)
    heard = es.simulate(network, 50.0, backend="compiled", record={"drive0 of x": ["spikes"]})
    assert heard.spikes == es.simulate(network, 50.0, backend="compiled").spikes
    assert heard.counters == agree(network, 50.0).counters
    instants = sorted(t + 1.0 for t in heard.sources["drive0 of x"].time if t < 9.0)         # a right limit there too
    agree(network, 15.0, neurons(network), instants)


def test_little_networks_are_left_to_the_general_loop_and_keep_their_bits():
    g = nx.DiGraph()
    g.add_node("n", model="lif", size=60, v_init={"uniform": [-65.0, -50.0]})
    g.add_node("drive", model="poisson", size=60, rate=500.0)
    g.add_edge("drive", "n", rule="one_to_one", weight=4.0, delay=1.0)
    g.add_edge("n", "n", rule="fixed_indegree", indegree=5, weight=2.0, delay=1.5)
    kernels = {}
    for small in (0, 100):
        with mock.patch("eventsnn.kernel.quick.SMALL", small):
            kernels[small] = es.simulate(es.compile(g, seed=2), 40.0, backend="python")
    assert [kernels[small].provenance["kernel"] for small in (0, 100)] == ["rows", "general"]
    assert len(kernels[0].spikes) > 20
    assert kernels[0].spikes == kernels[100].spikes


# ------------------------------------------------------------------------------------------------ own tau_m
@settings(max_examples=max(EXAMPLES // 2, 5), **PATIENT)
@given(driven(lif_uneven, 2), st.booleans(), st.booleans(), st.sampled_from([4, 64]), st.sampled_from([0, 2, 256]),
       st.integers(2, 3))
def test_random_networks_of_neurons_with_own_tau_agree_with_the_specification(graph, recorded, cut, batch, levels, n):
    """Compiled, see below: here every other mixture of kernels would be compiled too."""
    note(describe(graph))
    with smaller(*((4, 3) if cut else (4096, 1 << 16)), batch, levels):
        network = es.compile(graph, seed=1)
        what = {"record": neurons(network) if recorded else None, "record_at": 0.25 if recorded else None}
        expected = es.simulate(network, 15.0, backend="simpy", **what)
        same(expected, es.simulate(network, 15.0, backend="python", **what))
        same(expected, run(network, 15.0, **what, seed=network.seed, jit=False, threads=n,
                           window=network.min_delay / math.pi))


@pytest.mark.parametrize("receptors", [1, 2])
def test_own_tau_compiled_with_all_that_moves_it(receptors):
    """More neurons than are computed together; thresholds, refractory periods and currents of their own, multapses, own
    delays and weights, direct streams that meet or do not, many rows at one instant."""
    size = uneven.CHUNK + 9
    rng = np.random.default_rng(7)
    own = {"tau_m": rng.uniform(0.5, 9.0, size).tolist(), "tau_refrac": rng.choice([0.0, 0.5, 2.0], size).tolist(),
           "v_thresh": rng.choice([10.0, 15.0, math.inf], size).tolist(), "synapse": ["delta"] * receptors,
           "tau_syn": [None] * receptors}
    g = nx.MultiDiGraph()
    g.add_node("x", size=size, **{**CELL, **own}, i_offset=rng.choice([0.0, 1.0, -1.0], size).tolist())
    g.add_node("y", size=size, **{**CELL, **{name: own[name] for name in ("tau_m", "synapse", "tau_syn")}})
    g.add_node("in", model="spikes", size=4, times=[[float(k) for k in range(1, 15)]] * 4)
    for post in ("x", "y"):
        drives(g, post, size, {"rate": 900.0}, {"rate": 600.0}, weight=4.0)
        g.add_edge("in", post, rule="fixed_indegree", indegree=2, weight=3.0, delay=1.0)
        g.add_edge("in", post, rule="fixed_indegree", indegree=2, weight=-3.0, delay=1.0,
                   receptor=receptors - 1)
        g.add_edge("x", post, rule="fixed_indegree", indegree=5, weight=0.5, delay=1.0)
        g.add_edge("y", post, rule="fixed_indegree", indegree=5, delay=1.5,
                   weight=rng.choice([-2.0, 0.0, 3.0], 5 * size))
        g.add_edge("y", post, rule="fixed_indegree", indegree=3, weight=2.0, delay={"uniform": [1.0, 4.0]},
                   receptor=receptors - 1)
    g.add_node("stairs", model="steps", times=[3.0, 6.0, 9.0], amplitudes=[0.2, -0.3, 0.0])
    g.add_edge("stairs", "x", rule="pairs", source=[0] * 3, target=[1, 2, size - 1])
    with smaller(64, 100, 256, 2):
        network = es.compile(g, seed=1)
        whole(network)
        expected = agree(network, record=neurons(network), record_at=[0.0, 1.0, 2.0, 3.0, 6.5, 9.0, 14.0],
                         python=False)
        assert len(expected.spikes) > 2 * size
        assert es.simulate(network, 15.0).provenance["kernel"] == "uneven"
        with mock.patch("eventsnn.kernel.quick.SMALL", network.neurons + 1):
            general = es.simulate(es.compile(g, seed=1), 15.0, backend="python")
        assert general.provenance["kernel"] == "general"
        assert general.spikes == expected.spikes


def test_own_tau_late_in_time_and_after_long_silence():
    """Where time goes by steps of 2^-12 ms, rounding takes much from a phase; and some have slept a million epochs."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=5, **{**CELL, "tau_m": [0.25, 3.0, 10.0, 0.01, 7.0]})
    drives(g, "x", 5, {"rate": 20_000.0, "start": TIES}, weight=7.0)
    g.add_node("in", model="spikes", times=[1.0, 700.0, TIES + 0.5])
    g.add_edge("in", "x", rule="all_to_all", weight=5.0, delay=1.0)
    network = es.compile(g, seed=1)
    expected = es.simulate(network, TIES + 3.0, backend="simpy", record=neurons(network), record_at=[2.5, 701.0])
    assert len(expected.spikes) >= 4
    for threads in (1, 2):
        same(expected, run(network, TIES + 3.0, neurons(network), [2.5, 701.0], network.seed, jit=False,
                           threads=threads))


def test_nobody_who_has_come_to_the_end_of_an_epoch_is_taken_for_one_who_has_not():
    """`near` allows for all that rounding can take from a phase, and for little more."""
    rng = np.random.default_rng(3)
    for exponent in rng.uniform(0.0, 45.0, 20_000):
        tau, k = rng.uniform(0.3, 60.0), int(2.0**exponent)
        t = (k + 1) * tau
        cells = uneven.Uneven(*[None] * 5, np.array([1.0 / tau]), *[None] * 10)
        bound = uneven.near(cells, t)
        assert phase(t, k * tau, 1.0 / tau) >= bound
        assert phase(t - t * 2.0**-48, k * tau, 1.0 / tau) < bound


@pytest.mark.parametrize("edges", [5, 40])
def test_two_spikes_of_one_emitter_at_one_instant_go_edge_by_edge(edges):
    """Parallel edges of other weights each, fewer and more than one entry of the calendar stands for."""
    weights = np.random.default_rng(0).uniform(0.1, 1.0, edges)
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0 + 0.37 * k for k in range(20) for _ in range(2)])
    g.add_node("x", size=120, **{**CELL, "v_thresh": 1e3})
    for weight in weights.tolist():
        g.add_edge("in", "x", rule="all_to_all", weight=weight, delay=10.0)
    network = es.compile(g, seed=1)
    how = {"record": {"x": ["v"]}, "record_at": 0.37}
    expected = es.simulate(network, 20.0, backend="simpy", **how)
    for threads in (1, 2, 4):
        same(expected, run(network, 20.0, **how, seed=1, jit=False, threads=threads))


def test_who_lacks_room_in_a_later_group_takes_nothing_more_of_an_earlier_one():
    """One shard holds the first group's pieces long; the other, done with that group, comes back with more room."""
    from eventsnn.kernel import loop, pieces

    cell = {**CELL, "v_thresh": 10.0}
    rng = np.random.default_rng(0)
    g = nx.MultiDiGraph()
    g.add_node("x", size=16, **cell, synapse="exp", tau_syn=3.0)
    g.add_node("y", size=100, **{**cell, "tau_refrac": 0.1})
    g.add_node("in", model="spikes", size=6, times=[sorted(rng.uniform(0.0, 8.0, 400).tolist()) for _ in range(6)])
    g.add_node("all", model="spikes", times=[0.05 + 0.12 * k for k in range(60)])
    g.add_edge("in", "x", rule="all_to_all", weight=0.4, delay=1.0)
    g.add_edge("all", "y", rule="all_to_all", weight=11.0, delay=1.0)
    grown, growths, usual = threading.Event(), [], loop.room

    def leave(pool, b, after):
        slow = threading.current_thread() is threading.main_thread() and len(pool.home) <= 8 and after % 12
        if slow:
            grown.clear()
            grown.wait(0.006)
        pool.stage[PAD * b] = after
        if slow:
            time.sleep(0.003)

    def room(out, n):
        grown.set()
        growths.append(n)
        return usual(out, n)

    with smaller(piece=8):
        network = es.compile(g, seed=1)
        expected = run(network, 4.0, jit=False)
        with mock.patch.object(pieces, "leave", leave), mock.patch.object(loop, "room", room):
            link._build.cache_clear()
            link._digest.cache_clear()
            found = run(network, 4.0, jit=False, threads=2)
        link._build.cache_clear()
        link._digest.cache_clear()
    assert growths
    same(expected, found)
