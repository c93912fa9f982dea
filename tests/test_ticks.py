"""The kernel of integer networks equals the general loop, the specification and the integer reference, bit for bit."""

import dataclasses
import math
import os
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed import quantise
from eventsnn.exporters.fixed.reference import run as reference
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_equivalence import brunel, everything, same
from test_threads import laid_out, run

import eventsnn as es
from eventsnn.kernel import engine, quick

EXAMPLES = int(os.environ.get("EVENTSNN_EXAMPLES", "60"))
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
TICK = 0.5

numbers = st.integers(-24, 40).map(lambda k: k / 4)
lags = st.integers(1, 24).map(lambda k: k / 6)
trains = st.lists(st.integers(0, 120).map(lambda k: k / 6), max_size=12)


@pytest.fixture(autouse=True, scope="module")
def kernels_at_any_size():
    """Little networks, as here, would otherwise go through the general loop."""
    with mock.patch("eventsnn.kernel.quick.SMALL", 0):
        yield


@pytest.fixture
def general(monkeypatch):
    """Calls a function as if there were no specialised kernels."""
    def call(function, *args, **how):
        with monkeypatch.context() as patch:
            for module in (engine, quick):                     # nor may anything be kept that was made for them
                patch.setattr(module, "once", lambda network, key, keep, make: make())
            patch.setattr(engine, "plan", lambda setup, width: quick.Plan(
                np.full(setup.network.neurons, -1), np.zeros(len(setup.streams.of), bool), [],
                list(range(len(setup.network.groups)))))
            return function(*args, **how)
    return call


@st.composite
def graphs(draw):
    """One or two populations of two receptors under given trains and Poisson drives, one source to a neuron; all of it
    in few different values, so that ties, exact thresholds and ends of refractoriness are the rule."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=3, times=[draw(trains) for _ in range(3)])
    names = ["a", "b"][:draw(st.integers(1, 2))]
    for name in names:
        size, subtract = draw(st.integers(1, 9)), draw(st.booleans())
        g.add_node(name, model="lif", size=size, v_rest=-60.0, reset="subtract" if subtract else "value",
                   synapse=["delta", "delta"], tau_syn=[None, None],
                   tau_m=draw(st.lists(st.sampled_from([2.0, 10.0, 50.0, math.inf]), min_size=size, max_size=size)),
                   v_thresh=draw(st.sampled_from([-55.0, -59.5, math.inf])),
                   v_reset=draw(st.sampled_from([-60.0, -63.0])),
                   v_init=draw(st.sampled_from([-60.0, -57.0, -54.0, -75.0])),
                   tau_refrac=0.0 if subtract else draw(st.sampled_from([0.0, 0.5, 1.0, 2.3])))
        for k in range(draw(st.integers(0, 2))):
            begins = draw(st.sampled_from([0.0, 0.0, 3.3]))
            g.add_node(f"noise {k} of {name}", model="poisson", size=size, rate=draw(st.sampled_from([40.0, 3000.0])),
                       start=begins, stop=draw(st.sampled_from([math.inf, 11.0])))
            one = draw(st.booleans())
            copies = draw(st.sampled_from([1, 1, 2]))
            pairs = np.repeat(np.arange(size), copies)
            g.add_edge(f"noise {k} of {name}", name, rule="pairs", source=pairs, target=pairs,
                       weight=draw(numbers if one else st.lists(numbers, min_size=len(pairs), max_size=len(pairs))),
                       delay=draw(lags), receptor=draw(st.integers(0, 1)))
    for pre, post in draw(st.lists(st.tuples(st.sampled_from(["in", *names]), st.sampled_from(names)), min_size=1,
                                   max_size=5)):
        rule = draw(st.sampled_from([{"rule": "all_to_all"}, {"rule": "fixed_indegree", "indegree": 3}]))
        n = g.nodes[post]["size"] * (g.nodes[pre]["size"] if rule["rule"] == "all_to_all" else 3)
        weights = draw(st.lists(numbers, min_size=n, max_size=n)) if draw(st.booleans()) else [draw(numbers)] * n
        if pre != "in" and g.nodes[post]["reset"] == "subtract":
            weights = [-abs(w) for w in weights]             # they would excite each other without bound
        g.add_edge(pre, post, **rule, weight=weights, receptor=draw(st.integers(0, 1)),
                   delay=draw(st.lists(lags, min_size=n, max_size=n)) if draw(st.booleans()) else draw(lags))
    return g


options = st.fixed_dictionaries({
    "decay": st.sampled_from(["lut", "mul", "linear"]), "v_bits": st.sampled_from([8, 12, 24, 32]),
    "weight_bits": st.sampled_from([2, 4, 8, 16]), "guard_bits": st.sampled_from([None, 0, 4])})


def integers(graph, chosen, tick=TICK):
    """The integer network, if its grid is fine enough for threshold and decay."""
    try:
        return quantise(es.compile(graph, seed=1), tick=tick, **chosen)
    except es.Mistake as error:
        if "more v_bits" not in str(error):
            raise
        assume(False)


def neurons_of(network):
    return {p.name: ["v"] for p in network.populations if p.kind == "neuron"}


# ---------------------------------------------------------------------------------------------------- the promise
@settings(max_examples=max(EXAMPLES // 3, 5), **PATIENT)
@given(graphs(), options, st.sampled_from([1.0, 0.5, 1 / math.pi]))
def test_all_engines_and_all_threads_agree_on_integer_networks(graph, chosen, part):
    fixed = integers(graph, chosen)
    expected = es.simulate(fixed, 20.0, backend="simpy", record=neurons_of(fixed), record_at=0.75)
    plain = run(fixed, 20.0, neurons_of(fixed), jit=False, threads=2, window=part * fixed.min_delay)
    assert plain.provenance["kernel"] == "ticks"
    same(expected, plain)
    for threads in (1, 2, 3, 4):
        same(expected, run(fixed, 20.0, neurons_of(fixed), threads=threads, window=part * fixed.min_delay))


@settings(max_examples=max(EXAMPLES // 3, 5), **PATIENT)
@given(graphs(), options)
def test_it_equals_the_integer_reference_on_the_spikes_of_the_same_sources(graph, chosen):
    """Sources that are listened to go through the calendar, others straight into the neurons: all the same."""
    fixed = integers(graph, chosen)
    heard = es.simulate(fixed, 20.0, record=everything(fixed), record_at=TICK)
    direct = es.simulate(fixed, 20.0, record=neurons_of(fixed), record_at=TICK)
    assert heard.spikes == direct.spikes
    assert heard.counters == direct.counters
    sources = {fixed.by_name[name].emitter + k: of.time[of.neuron == k]
               for name, of in heard.sources.items() for k in range(fixed.by_name[name].size)}
    trace = reference(fixed, 20.0, sources)
    ticks = np.rint(direct.spikes.time / TICK).astype(int).tolist()
    assert list(zip(ticks, direct.spikes.neuron.tolist(), strict=True)) == trace.spikes
    assert direct.counters["saturations"] == trace.saturations
    v = np.concatenate([(direct.recorded[name]["v"] - fixed.by_name[name].rest) / fixed.by_name[name].scale
                        for name in neurons_of(fixed)], axis=1)
    assert v.tolist() == trace.v


@pytest.mark.parametrize("decay", ["lut", "mul", "linear"])
def test_brunels_network_in_integers_is_equal_in_the_general_loop(decay, general):
    """Ticks that reach few neurons, and such that reach most; batches of events that end within a tick."""
    network = es.compile(brunel(300), seed=1)
    fixed = quantise(network, decay=decay, v_bits=28)
    wanted = {"inh": ["v"]}
    expected = general(run, fixed, 100.0, wanted)
    assert expected.provenance["kernel"] == "general"
    assert len(expected.spikes) > 500
    for threads in (1, 3):
        found = run(fixed, 100.0, wanted, threads=threads)
        assert found.provenance["kernel"] == "ticks"
        same(expected, found)
    coarse = quantise(network, decay=decay, tick=1.5, v_bits=28)         # hundreds of events a tick and neuron
    same(general(run, coarse, 60.0), run(coarse, 60.0))


def test_an_event_acts_at_the_tick_nearest_to_its_emission_after_a_whole_delay(general):
    """Both are rounded, each for itself: rint(t / tick) + rint(d / tick), not rint((t + d) / tick)."""
    g = nx.MultiDiGraph()
    g.add_node("noise", model="poisson", size=40, rate=300.0)
    g.add_node("n", model="lif", size=40, v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_refrac=0.0)
    g.add_edge("noise", "n", rule="one_to_one", weight=2.0, delay=1.4)
    fixed = quantise(es.compile(g, seed=5), tick=1.0)
    result = es.simulate(fixed, 50.0)
    emitted = es.simulate(es.compile(g, seed=5), 50.0, record={"noise": ["spikes"]}).sources["noise"]
    expected = sorted({(math.floor(t + 0.5) + 1.0, k) for t, k in zip(emitted.time, emitted.neuron, strict=True)})
    assert list(zip(result.spikes.time, result.spikes.neuron, strict=True)) == [e for e in expected if e[0] < 50.0]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("jit", [True, False])
def test_events_that_are_nobodys_here_reach_nobody(jit, threads):
    """Of sources that have stopped, of other shards; alone at their tick, so that a list would have no other entry."""
    g = nx.MultiDiGraph()
    g.add_node("noise", model="poisson", size=60, rate=30.0, stop=[math.inf, 0.0] * 30)
    g.add_node("n", model="lif", size=60, v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_refrac=0.0)
    g.add_edge("noise", "n", rule="one_to_one", weight=2.0, delay=1.4)
    fixed = quantise(es.compile(g, seed=1))
    expected = es.simulate(fixed, 60.0, backend="simpy")
    assert expected.counters["neuron_updates"] == len(expected.spikes) > 20
    same(expected, run(fixed, 60.0, jit=jit, threads=threads))


# ---------------------------------------------------------------------------------------------------- what is rare
def burst(height, start=0.0):
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0, 4.0])
    g.add_node("n", model="lif", size=3, v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_m=math.inf, reset="subtract",
               v_init=[0.0, start, start])
    g.add_edge("in", "n", weight=[height, 0.5, height], delay=1.0, rule="all_to_all")
    return quantise(es.compile(g), v_bits=32, weight_bits=16, guard_bits=0)


@pytest.mark.parametrize("jit", [True, False])
def test_one_tick_may_bring_more_spikes_than_there_is_room_for(jit, general):
    fixed = burst(700.0)
    result = run(fixed, 9.0, jit=jit)
    assert len(result.spikes) == 2 * 2 * 700 + 1
    same(general(run, fixed, 9.0), result)


def test_many_spikes_of_several_neurons_are_not_endless(general):
    fixed = burst(2.0, 60_000.0)
    result = run(fixed, 9.0)
    assert len(result.spikes) == 2 * 60_000 + 9              # jumps of 2, 0.5 and 2 mV, each twice
    same(general(run, fixed, 9.0), result)


def test_a_neuron_that_fires_endlessly_at_one_tick_is_named():
    fixed, words = burst(2.0, 150_000.0), []
    for how in ({"threads": 1}, {"threads": 2}, {"jit": False}):
        with pytest.raises(es.Mistake) as caught:
            run(fixed, 9.0, **how)
        words.append(str(caught.value))
    with pytest.raises(es.Mistake) as caught:
        es.simulate(fixed, 9.0, backend="simpy")
    assert {str(caught.value)} == set(words)
    assert "'n', neuron 1" in words[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_quiet_ticks_cost_nothing(threads):
    """1e10 windows of one tick, all but a few skipped: the test ends."""
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=2, v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_m=20.0)
    g.add_node("in", model="spikes", times=[1.0, 5e4, 99_999.0])
    g.add_node("rare", model="poisson", size=2, rate=1e-3)
    g.add_edge("in", "n", weight=2.0, delay=1e-5)
    g.add_edge("rare", "n", rule="one_to_one", weight=0.5, delay=1.0)
    result = run(quantise(es.compile(g), tick=1e-5), 1e5, {"n": ["v"]}, 1e4, threads=threads)
    assert result.provenance["kernel"] == "ticks"
    assert len(result.spikes) == 6


# ---------------------------------------------------------------------------------------------------- who runs
def varied(delays):
    """A population that rows with own delays lead to, and one that only common delays lead to."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0])
    for name in ("near", "far"):
        g.add_node(name, model="lif", size=300, v_rest=0.0, v_reset=0.0, v_thresh=1.0)
    g.add_edge("in", "near", rule="all_to_all", weight=2.0, delay=1.0)
    g.add_edge("in", "far", rule="all_to_all", weight=2.0, delay=delays)
    return es.compile(g)


def test_a_result_names_the_kernels_that_ran(tmp_path):
    own, alike = np.arange(1, 301) / 10, 2.0
    networks = [("rows", varied(alike)), ("ticks", quantise(varied(alike))), ("rows", varied(own)),
                ("ticks, general", quantise(varied(own)))]
    g = nx.MultiDiGraph()
    g.add_node("n", model="qif")
    networks.append(("general", es.compile(g)))
    g.add_node("lif", model="lif", size=300)
    networks.append(("rows, general", es.compile(g)))
    for kernel, network in networks:
        for backend in ("compiled", "python"):
            result = es.simulate(network, 40.0, backend=backend)
            assert result.provenance["kernel"] == kernel
            result.save(tmp_path / "run")
            assert es.Result.load(tmp_path / "run").provenance["kernel"] == kernel
        specified = es.simulate(network, 40.0, backend="simpy")
        assert specified.provenance["kernel"] == "specification"
        same(specified, result)


def test_a_network_of_two_kernels_counts_saturations_of_both():
    fixed = quantise(varied(np.arange(1, 301) / 10))
    state = fixed.groups[0].state.copy()
    state["v"] = -fixed.groups[0].params["top"]
    low = fixed.groups[0]._replace(state=state)
    weights = fixed.synapses.weight - (1 << 24)
    fixed = dataclasses.replace(fixed, groups=(low,), synapses=fixed.synapses._replace(weight=weights))
    found = es.simulate(fixed, 40.0)
    assert found.provenance["kernel"] == "ticks, general"
    assert found.counters["saturations"] == 600
    same(es.simulate(fixed, 40.0, backend="simpy"), found)


def test_multapses_of_a_direct_source_count_each():
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=3, v_rest=0.0, v_reset=0.0, v_thresh=20.0)
    g.add_node("noise", model="poisson", size=3, rate=500.0)
    twice = [0, 0, 1, 1, 2, 2]
    g.add_edge("noise", "n", rule="pairs", source=twice, target=twice, weight=1.0, delay=1.0)
    for network, kernel in ((es.compile(g), "rows"), (quantise(es.compile(g)), "ticks")):
        found = es.simulate(network, 50.0)
        assert found.provenance["kernel"] == kernel
        assert found.counters["synaptic_operations"] >= 2 * found.counters["neuron_updates"] > 100
        same(es.simulate(network, 50.0, backend="simpy"), found)


def test_a_direct_stream_is_one_that_nobody_listens_to():
    fixed = quantise(es.compile(brunel(50), seed=1))
    for record, direct in (({}, [True, True]), ({"to exc": ["spikes"]}, [False, True])):
        assert quick.plan(laid_out(fixed, 5.0, record)[0], 1.0).stream.tolist() == direct
