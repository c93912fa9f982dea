"""One law, three engines: the compiled loop, the same loop in plain Python and the SimPy specification agree by ==."""

import math
import os
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import by_steps, lif_apart, lif_delta, networks, times, waved

import eventsnn as es
from eventsnn.kernel import engine

EXAMPLES = int(os.environ.get("EVENTSNN_EXAMPLES", "60"))  # fewer where each is slow: see .ci/run
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


few = st.sampled_from([0, 2, 256])  # how many different delays of an edge make rows; more are one row's own


def compiled(graph, seed, levels, merge=True):
    with mock.patch("eventsnn.columns.LEVELS", levels):
        return es.compile(graph, seed=seed, merge=merge)


def same(a, b):
    assert a.spikes == b.spikes
    assert a.counters == b.counters
    assert a.sources == b.sources
    assert a.recorded.keys() == b.recorded.keys()
    for name, variables in a.recorded.items():
        for variable, values in variables.items():
            assert values.tobytes() == b.recorded[name][variable].tobytes(), (name, variable)


def everything(network):
    return {
        p.name: ["spikes"] if p.kind == "source" else sorted({v.rstrip("0123456789") for v in p.variables})
        for p in network.populations
        if p.kind != "current"
    }


def three_agree(network, until):
    runs = [
        es.simulate(network, until, backend=b, record=everything(network), record_at=0.75)
        for b in ("compiled", "python", "simpy")
    ]
    same(runs[0], runs[1])
    same(runs[1], runs[2])


@settings(max_examples=EXAMPLES, **PATIENT)
@given(networks(), st.integers(0, 3), few)
def test_three_engines_agree_on_every_network(graph, seed, levels):
    three_agree(compiled(graph, seed, levels), 15.0)


@settings(max_examples=max(EXAMPLES // 8, 5), **PATIENT)
@given(networks(kinds=(lif_delta,), currents=False), few)
def test_multapses_may_be_merged_or_not(graph, levels):
    """Weights here are sums of powers of two, so the order of summing cannot tell."""
    for pre, _, attributes in graph.edges(data=True):
        attributes["weight"] = 0.25 if pre in ("given", "noise") else 0.125
    merged, apart = (es.simulate(compiled(graph, 1, levels, merge), 15.0) for merge in (True, False))
    assert merged.spikes == apart.spikes
    assert merged.counters == apart.counters


@settings(max_examples=max(EXAMPLES // 3, 5), **PATIENT)
@given(waved())
def test_three_engines_agree_on_the_whole_linear_family_under_every_current(graph):
    three_agree(es.compile(graph), 15.0)


@settings(max_examples=max(EXAMPLES // 3, 5), **PATIENT)
@given(networks(kinds=(lif_apart,)), st.floats(0.01, 1.0))
def test_three_engines_agree_on_scaled_coefficients_whatever_the_windows(graph, part):
    network = es.compile(graph, seed=1)
    assert {group.dynamics.name for group in network.groups} == {"lif/coefficients"}
    three_agree(network, 15.0)
    cut = es.compile(graph, seed=1)
    vars(cut)["min_delay"] = max(0.01, part * min(network.min_delay, 1.0))
    same(es.simulate(network, 15.0), es.simulate(cut, 15.0))
    assert es.simulate(network, 15.0, record=everything(network), record_at=0.1).spikes == \
        es.simulate(network, 15.0).spikes


INTEGRATED = {
    "eif": {"tau_refrac": st.sampled_from([0.0, 1.5]), "v_init": st.sampled_from([-65.0, -49.0, 1.0])},
    "adex": {"tau_refrac": st.sampled_from([0.0, 1.5]), "b": st.sampled_from([0.0, 5.0])},
    "izhikevich": {"d": st.sampled_from([2.0, 8.0]), "v_init": st.sampled_from([-70.0, 20.0, 40.0])},
    "hodgkin_huxley": {"v_init": st.sampled_from([-65.0, -20.0, 10.0])},
    "fitzhugh_nagumo": {"v_init": st.sampled_from([-1.2, -0.1, 0.3])},
    "qif": {"v_peak": st.sampled_from([20.0, math.inf]), "tau_refrac": st.sampled_from([0.0, 1.5])},
}


@pytest.mark.parametrize("model", INTEGRATED)
def test_three_engines_agree_on_what_is_integrated(model):
    @settings(max_examples=max(EXAMPLES // 40, 3), **PATIENT)
    @given(waved(by_steps(model, **INTEGRATED[model])))
    def agree(graph):
        three_agree(es.compile(graph), 13.5)

    agree()


@settings(max_examples=max(EXAMPLES // 4, 5), **PATIENT)
@given(networks(kinds=(lif_delta,), currents=False), st.sampled_from([0.1, 0.25, 0.5]), st.sampled_from([2, 4, 8]))
def test_three_engines_agree_on_every_integer_network(graph, tick, bits):
    for _, node in graph.nodes(data=True):
        if node["model"] == "lif":
            node.update(i_offset=0.0, v_reset=0.0)
    fixed = es.quantise(es.compile(graph, seed=1), tick=tick, weight_bits=bits)
    three_agree(fixed, 15.0)


@settings(max_examples=max(EXAMPLES // 6, 5), **PATIENT)
@given(networks(), st.floats(0.01, 1.0))
def test_no_result_depends_on_windows_or_recording(graph, part):
    network = es.compile(graph, seed=1)
    plain = es.simulate(network, 15.0)
    cut = es.compile(graph, seed=1)
    vars(cut)["min_delay"] = max(0.01, part * min(network.min_delay, 1.0))  # a shorter window is always allowed
    same(plain, es.simulate(cut, 15.0))
    assert es.simulate(network, 15.0, record=everything(network), record_at=0.1).spikes == plain.spikes


@settings(max_examples=max(EXAMPLES // 6, 5), **PATIENT)
@given(networks())
def test_a_pause_after_every_window_changes_nothing(graph):
    network = es.compile(graph, seed=1)
    plain = es.simulate(network, 15.0)
    pause, engine.PAUSE = engine.PAUSE, 0.0
    try:
        reached = []
        same(plain, es.simulate(network, 15.0, backend="python", progress=lambda t, until: reached.append(t)))
        assert reached[-1] == 15.0
    finally:
        engine.PAUSE = pause


def brunel(n):
    """Brunel's network in the AI state, scaled to n neurons: J C_E = 100 mV, eta = 2, g = 5."""
    g = nx.MultiDiGraph()
    cell = {"model": "lif", "tau_m": 20.0, "v_rest": 0.0, "v_reset": 10.0, "v_thresh": 20.0, "tau_refrac": 2.0}
    exc, inh = 4 * n // 5, n // 5
    j = 100.0 / (exc // 10)
    g.add_node("exc", size=exc, **cell)
    g.add_node("inh", size=inh, **cell)
    for post, size in (("exc", exc), ("inh", inh)):
        g.add_node(f"to {post}", model="poisson", size=size, rate=20.0 * (exc // 10))
        g.add_edge(f"to {post}", post, rule="one_to_one", weight=j, delay=1.5)
        g.add_edge("exc", post, rule="fixed_indegree", indegree=exc // 10, weight=j, delay=1.5)
        g.add_edge("inh", post, rule="fixed_indegree", indegree=inh // 10, weight=-5.0 * j, delay=1.5)
    return g


def test_brunels_network_with_its_ties_is_equal_in_all_engines():
    network = es.compile(brunel(200), seed=1)
    runs = [es.simulate(network, 60.0, backend=b) for b in ("compiled", "python", "simpy")]
    same(runs[0], runs[1])
    same(runs[1], runs[2])
    assert len(runs[0].spikes) > 200
    assert share_of_ties(runs[0].spikes.time) > 0.45


def share_of_ties(time):
    """The share of spikes whose time is another's too."""
    _, count = np.unique(time, return_counts=True)
    return count[count > 1].sum() / len(time)


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
@pytest.mark.parametrize("when", [0.0, 0.1, 1 / 3, 7.7, 19.99, 20.0, 123.456])
def test_twenty_jumps_of_1_mv_reach_a_threshold_of_20_mv_exactly(backend, when):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", tau_m=20.0, v_rest=0.0, v_reset=0.0, v_thresh=20.0, tau_refrac=2.0)
    g.add_node("in", model="spikes", size=20, times=[[when]] * 20)
    g.add_edge("in", "n", weight=1.0, delay=1.0)
    network = es.compile(g)
    assert es.simulate(network, when + 5.0, backend=backend).spikes.time.tolist() == [when + 1.0]
    one_less = {"in": [[when]] * 19 + [[]]}
    assert len(es.simulate(network, when + 5.0, inputs=one_less, backend=backend).spikes) == 0


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
def test_opposite_inputs_of_one_instant_cancel_before_the_threshold_is_judged(backend):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", v_rest=0.0, v_reset=0.0, v_thresh=4.0)
    g.add_node("in", model="spikes", times=[1.0])
    g.add_edge("in", "n", weight=5.0, delay=1.0)
    g.add_edge("in", "n", weight=-5.0, delay=1.0)
    assert len(es.simulate(es.compile(g), 5.0, backend=backend).spikes) == 0


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
def test_an_input_at_the_very_end_of_refractoriness_counts_and_one_before_does_not(backend):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_refrac=2.0)
    g.add_node("in", model="spikes", times=[1.0, 2.9375, 3.0])
    g.add_edge("in", "n", weight=10.0, delay=1.0)
    assert es.simulate(es.compile(g), 9.0, backend=backend).spikes.time.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
def test_a_spike_that_falls_on_an_arrival_comes_first(backend):
    """Law S2: the crossing is at exactly 36 ms (a perfect integrator), the input too: it is lost."""
    g = nx.MultiDiGraph()
    g.add_node(
        "n", model="lif", tau_m=float("inf"), v_rest=0.0, v_reset=0.0, v_thresh=18.0, tau_refrac=1.0, i_offset=0.5
    )
    g.add_node("in", model="spikes", times=[35.0])
    g.add_edge("in", "n", weight=5.0, delay=1.0)
    result = es.simulate(es.compile(g), 40.0, backend=backend, record={"n": ["v"]}, record_at=[36.5, 37.0, 38.0])
    assert result.spikes.time.tolist() == [36.0]
    assert result.recorded["n"]["v"][:, 0].tolist() == [0.0, 0.0, 0.5]


def potential_at_3(g, backend):
    """V of the readout "n" after all that arrives at 3 ms."""
    g.add_node("n", model="lif", v_rest=0.0, v_thresh=float("inf"))
    network = es.compile(g)
    return es.simulate(network, 5.0, backend=backend, record={"n": ["v"]}, record_at=[3.0]).recorded["n"]["v"][0, 0]


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
@pytest.mark.parametrize(("order", "total"), [("abc", 0.0), ("acb", 1.0), ("bac", 0.0), ("cab", 1.0)])
def test_inputs_of_one_instant_are_summed_in_the_order_of_their_emitters(backend, order, total):
    """Law S5: (1e16 + 1) - 1e16 is 0 and (1e16 - 1e16) + 1 is 1, whatever arrives over the longer delay."""
    weight = {"a": 1e16, "b": 1.0, "c": -1e16}
    g = nx.MultiDiGraph()
    for name in order:
        g.add_node(name, model="spikes", times=[2.0 - "abc".index(name) / 2])
        g.add_edge(name, "n", weight=weight[name], delay=1.0 + "abc".index(name) / 2)
    assert potential_at_3(g, backend) == pytest.approx(total)


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
def test_inputs_of_one_emitter_are_summed_in_the_order_of_the_table(backend):
    """Two spikes of one source meet at 3 ms through delays of 1 and 2 ms: rows go by delay, then by edge."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0, 2.0])
    for weight, delay in ((1e16, 2.0), (1.0, 1.0), (-1e16, 2.0), (3.0, 1.0)):
        g.add_edge("in", "n", weight=weight, delay=delay)
    left = 4.0 * np.exp(-1 / 20)  # of what the edges of 1 ms brought at 2 ms
    assert potential_at_3(g, backend) - left == pytest.approx(4.0)  # (1 + 3 + 1e16) - 1e16; in edge order it would be 3


@settings(max_examples=max(EXAMPLES // 8, 5), **PATIENT)
@given(st.lists(times, min_size=1, max_size=6), st.sampled_from([0.3, 1.0, 2.5]))
def test_a_probe_of_weight_zero_changes_nothing(train, delay):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", v_rest=0.0, v_reset=0.0, v_thresh=10.0, i_offset=1.0)
    g.add_node("in", model="spikes", times=train)
    g.add_edge("in", "n", weight=4.0, delay=delay)
    before = es.simulate(es.compile(g), 15.0).spikes
    g.add_node("probe", model="lif", v_rest=0.0, v_reset=0.0, v_thresh=float("inf"))
    g.add_edge("n", "probe", weight=0.0, delay=1.0)
    after = es.simulate(es.compile(g), 15.0).spikes
    assert np.array_equal(after.of("n").time, before.of("n").time)
