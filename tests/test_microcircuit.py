"""The cortical microcircuit: its numbers are the paper's, and a smaller one keeps what every neuron gets."""

import numpy as np
import pytest
from eventsnn.scenarios import microcircuit
from eventsnn.scenarios.microcircuit import BACKGROUND, NAMES, POPULATIONS, RATES, TAU_SYN

import eventsnn as es
from eventsnn.network import flat


def inputs(scale):
    """By population: mean (nA) and variance (per ms, nA^2) of the synaptic currents' drive at the published rates."""
    graph = microcircuit.build(scale)
    found = {}
    for post in NAMES:
        size, drive = graph.nodes[post]["size"], graph.edges[f"background {post}", post]["weight"]
        arriving = [(graph.nodes[f"background {post}"]["rate"], drive)]
        arriving += [(graph.edges[pre, post]["total"] / size * rate, graph.edges[pre, post]["weight"]["normal"][0])
                     for pre, rate in zip(NAMES, RATES, strict=True) if graph.has_edge(pre, post)]
        hertz, weight = np.array(arriving).T
        found[post] = (1e-3 * TAU_SYN * hertz @ weight + graph.nodes[post]["i_offset"], 1e-3 * hertz @ weight ** 2)
    return found


def test_the_full_model_has_the_papers_numbers():
    graph = microcircuit.build(1.0)
    assert sum(graph.nodes[name]["size"] for name in NAMES) == 77_169
    assert sum(total for _, _, total in graph.edges(data="total") if total) == 298_880_970 == microcircuit.synapses(1.0)
    assert all(graph.nodes[name]["i_offset"] == 0.0 for name in NAMES)
    assert not any(graph.has_edge("L6I", post) for post in ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I"))
    weights = {(pre, post): graph.edges[pre, post]["weight"]["normal"][0] for pre in NAMES for post in NAMES
               if graph.has_edge(pre, post)}
    assert weights["L4E", "L23E"] == 2.0 * weights["L4E", "L23I"] == 2.0 * 0.0878
    assert {w for (pre, _), w in weights.items() if pre.endswith("I")} == {-4.0 * 0.0878}
    assert round(microcircuit.indegree("L4I", "L4E")) == 795                   # as Bos et al. (2016) give it


def test_a_population_makes_a_pair_with_the_papers_probability():
    for post in NAMES:
        for pre, chance in zip(NAMES, POPULATIONS[post].chances, strict=True):
            pairs = POPULATIONS[pre].size * POPULATIONS[post].size
            total = microcircuit.indegree(pre, post) * POPULATIONS[post].size
            assert 1.0 - (1.0 - 1.0 / pairs) ** total == pytest.approx(chance, rel=1e-2, abs=1e-6)


@pytest.mark.parametrize("scale", [0.5, 0.1, 0.02])
def test_a_smaller_one_keeps_mean_and_variance_of_every_neurons_input(scale):
    for (post, (mean, variance)), (full_mean, full_variance) in zip(inputs(scale).items(), inputs(1.0).values(),
                                                                    strict=True):
        assert mean == pytest.approx(full_mean, abs=2e-3), post            # sizes and numbers are whole
        assert variance == pytest.approx(full_variance, rel=5e-3), post
        assert full_mean == pytest.approx(microcircuit.current(post), abs=1e-12)
        assert BACKGROUND * POPULATIONS[post].external > 0.0


def test_the_tables_hold_what_the_scenario_says():
    network = es.compile(microcircuit.build(0.02), seed=3)
    assert microcircuit.made(network) == microcircuit.synapses(0.02)
    assert {group.dynamics.name for group in network.groups} == {"lif/coefficients"}
    table = flat(network.synapses)
    for post, pre in (("L23E", "L4E"), ("L5E", "L5I"), ("L6I", "L6E")):
        at, of = network.by_name[post], network.by_name[pre]
        mine = ((table.emitter >= of.emitter) & (table.emitter < of.emitter + of.size)
                & (table.target >= at.neuron) & (table.target < at.neuron + at.size))
        degrees = np.bincount(table.target[mine] - at.neuron, table.count[mine], minlength=at.size)
        expected = 0.02 * microcircuit.indegree(pre, post)
        assert degrees.mean() == pytest.approx(expected, abs=0.51 / at.size)
        assert degrees.var() == pytest.approx(expected, rel=6.0 * (2.0 / at.size) ** 0.5)      # Poisson, nearly
        weight = microcircuit.weight(pre, post) / 0.02 ** 0.5
        assert table.weight[mine].mean() == pytest.approx(weight, rel=0.01)
        assert table.weight[mine].std() == pytest.approx(0.1 * abs(weight), rel=0.1)
        assert table.delay[mine].min() >= 0.1


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, float("nan")])
def test_a_scale_that_means_nothing_is_refused(scale):
    with pytest.raises(es.Mistake, match="give a part of the full size"):
        microcircuit.build(scale)


def outcome(scale, rates=RATES, cvs=microcircuit.CVS):
    return {"scale": scale, "until": 20_200.0, "synapses": microcircuit.synapses(scale), "rates": list(rates),
            "errors": [0.01] * 8, "cvs": list(cvs), "counted": [1000] * 8}


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.1, 0.02])
def test_the_published_activity_keeps_every_promise(scale):
    facts = microcircuit.expect(outcome(scale))
    assert all(kept for _, kept in facts)
    assert len(facts) >= 14


@pytest.mark.parametrize(("scale", "change"), [(1.0, {4: 5.0}), (0.1, {7: 4.0}), (0.02, {0: 6.0}), (1.0, {1: 0.8})])
def test_other_rates_break_a_promise(scale, change):
    rates = [change.get(k, rate) for k, rate in enumerate(RATES)]
    assert not all(kept for _, kept in microcircuit.expect(outcome(scale, rates)))


def test_regular_firing_breaks_a_promise_and_unknown_cvs_promise_nothing():
    assert not all(kept for _, kept in microcircuit.expect(outcome(0.1, cvs=[0.3] * 8)))
    unknown = outcome(0.1, cvs=[None] * 8) | {"counted": [0] * 8}
    assert all(kept for _, kept in microcircuit.expect(unknown))
