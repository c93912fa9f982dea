"""compare: what differs between two runs, and whether it matters."""

import dataclasses
import importlib
import json
import time
import warnings

import networkx as nx
import numpy as np
import pytest

import eventsnn as es
from eventsnn.beside import beside
from eventsnn.compare import CHEAP, compare
from eventsnn.distances import match
from eventsnn.divergence import first_difference, matching
from eventsnn.errors import Mistake
from eventsnn.floors import frozen, one_spike_less
from eventsnn.result import Result
from eventsnn.simulate import simulate
from eventsnn.sparseness import footprint, matrix_cells, source_spikes, sparseness
from eventsnn.spikes import Spikes

POPULATIONS = (("exc", 0, 3), ("inh", 3, 2))
UNTIL = 60.0


def spikes(*pairs, populations=POPULATIONS):
    return Spikes.make([t for t, _ in pairs], [n for _, n in pairs], populations)


@pytest.fixture(scope="module")
def network():
    graph = nx.MultiDiGraph()
    neuron = {"model": "lif", "tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 10.0, "tau_refrac": 2.0}
    graph.add_node("exc", size=16, **neuron)
    graph.add_node("inh", size=4, **neuron)
    graph.add_node("drive", model="poisson", size=20, rate=400.0)
    graph.add_node("kick", model="spikes", size=1, times=[5.0, 25.0])
    graph.add_edge("drive", "exc", rule="fixed_indegree", indegree=4, weight=2.0, delay=1.0)
    graph.add_edge("drive", "inh", rule="fixed_indegree", indegree=4, weight=2.0, delay=1.0)
    graph.add_edge("kick", "exc", rule="all_to_all", weight=3.0, delay=0.5)
    graph.add_edge("exc", "inh", rule="fixed_indegree", indegree=5, weight=1.0, delay=1.5)
    graph.add_edge("inh", "exc", rule="fixed_indegree", indegree=2, weight=-2.0, delay=1.5)
    return es.compile(graph, seed=3)


@pytest.fixture(scope="module")
def run(network):
    return simulate(network, UNTIL, record={"exc": ["v"]}, record_at=0.5, backend="python")


@pytest.fixture(scope="module")
def emulated(network, run):
    quantise = importlib.import_module("eventsnn.exporters.fixed.quantise").quantise
    return simulate(quantise(network, calibrate=run), UNTIL, record={"exc": ["v"]}, record_at=0.5, backend="python")


@pytest.fixture(scope="module")
def report(run, emulated):
    return compare(run, emulated, score=(0.97, 0.96))


def test_a_report_is_true_exactly_when_the_spikes_are_equal_to_the_last_bit():
    a = spikes((1.0, 0), (2.0, 3))
    assert compare(a, spikes((2.0, 3), (1.0, 0)))
    assert not compare(a, spikes((1.0, 0), (np.nextafter(2.0, 3.0), 3)))
    assert not compare(a, spikes((1.0, 0), (2.0, 4)))
    assert not compare(a, spikes((1.0, 0)))
    assert compare(spikes(), spikes())


def test_the_first_difference_names_the_neuron_the_time_and_both_values():
    a = spikes((1.0, 0), (2.0, 3), (3.0, 0), (9.0, 4))
    assert first_difference(a, a) is None
    assert first_difference(a, spikes((1.0, 0), (2.5, 3), (2.75, 0), (9.0, 4))) == {
        "id": 3, "population": "inh", "neuron": 0, "time_ms": 2.0, "a_ms": 2.0, "b_ms": 2.5}
    assert first_difference(a, spikes((1.0, 0), (2.0, 3), (3.0, 0))) == {
        "id": 4, "population": "inh", "neuron": 1, "time_ms": 9.0, "a_ms": 9.0, "b_ms": None}
    early = first_difference(spikes((5.0, 1)), spikes((4.0, 1), (5.0, 1)))
    assert (early["time_ms"], early["a_ms"], early["b_ms"]) == (4.0, 5.0, 4.0)
    double = first_difference(spikes((5.0, 1), (5.0, 1)), spikes((5.0, 1), (6.0, 1)))
    assert (double["time_ms"], double["a_ms"], double["b_ms"]) == (5.0, 5.0, 6.0)


def test_divergence_is_the_earliest_spike_without_a_partner_within_delta():
    a, b = spikes((1.0, 0), (2.0, 3), (5.0, 0), (8.0, 1)), spikes((1.5, 0), (2.0, 3), (7.0, 0), (8.5, 1))
    found = matching(a, b, 0.5, match(a, b, 0.5))
    assert (found["matched"], found["missed"], found["extra"]) == (3, 1, 1)
    assert found["abs_dt_ms"] == {"median": 0.5, "p99": 0.5, "max": 0.5}
    assert found["divergence"] == {"id": 0, "population": "exc", "neuron": 0, "time_ms": 5.0, "only_in": "a",
                                   "a_ms": 5.0, "b_ms": 7.0}
    extra = matching(b, a, 0.25, match(b, a, 0.25))["divergence"]
    assert (extra["time_ms"], extra["only_in"], extra["a_ms"], extra["b_ms"]) == (1.0, "b", 1.5, 1.0)
    assert matching(a, b, 2.0, match(a, b, 2.0))["divergence"] is None
    fewer = matching(a, spikes((1.0, 0)), 1.0, match(a, spikes((1.0, 0)), 1.0))
    assert (fewer["matched"], fewer["missed"], fewer["extra"]) == (1, 3, 0)


def test_the_emulator_equals_the_integer_reference_in_spikes_and_v(report):
    verdict, = report.data["reference"]
    assert verdict["equal"] is True
    assert verdict["ticks"] == verdict["of_ticks"] == 600
    assert verdict["spikes"] == report.data["spikes"]["b"] > 20


def test_a_reference_that_differs_in_one_v_or_one_spike_is_found(run, emulated):
    original = importlib.import_module("eventsnn.exporters.fixed.reference").run

    def other_v(*arguments):
        trace = original(*arguments)
        trace.v[-1][0] += 1
        return trace

    def other_spike(*arguments):
        trace = original(*arguments)
        return trace._replace(spikes=trace.spikes[:-1])

    for reference, spikes_equal, v_equal in ((other_v, True, False), (other_spike, False, True)):
        found = compare(run, emulated, reruns=False, reference=reference)
        verdict = found.data["reference"][0]
        assert (verdict["equal"], verdict["equal_spikes"], verdict["equal_v"]) == (False, spikes_equal, v_equal)
        assert "DIFFERENT (" + ("spikes" if v_equal else "V") in found.text()


def test_an_emulator_whose_run_is_not_its_own_is_found(run, emulated):
    forged = dataclasses.replace(emulated, spikes=Spikes(emulated.spikes.time[1:], emulated.spikes.neuron[1:],
                                                         emulated.spikes.populations))
    assert not compare(run, forged, reruns=False).data["reference"][0]["equal_spikes"]


def test_work_bounds_the_stretch_that_is_checked(run, emulated):
    few = compare(run, emulated, reruns=False, work=2000).data["reference"][0]
    assert 0 < few["ticks"] < 120
    assert few["equal"]
    none = compare(run, emulated, reruns=False, work=0)
    assert none.data["reference"][0]["equal"] is None
    assert "not checked" in none.text()


def test_what_integers_cost_comes_from_the_quantisation_report(report, emulated):
    told, = report.data["fixed"]
    weights = sum(q["synapses"] for q in emulated.network.fixed.report["projections"])
    assert (told["label"], told["weights"], told["saturations"]) == ("fixed", weights, emulated.counters["saturations"])
    assert told["tau_m_ms"][0]["asked"] == 20.0
    assert told["tau_m_ms"][0]["effective"] == pytest.approx(20.0, rel=1e-3)
    assert told["dead_zones"][0]["population"] == "exc"


def test_floors_replay_the_run_bit_for_bit_and_take_away_one_spike(network, run):
    again, given = frozen(run)
    replay = simulate(again, UNTIL)
    assert replay.spikes == run.spikes
    total = sum(len(t) for trains in given.values() for t in trains)
    less = list(one_spike_less(run, 3))
    assert len(less) == 3
    assert any(s != run.spikes for s in less)
    assert total == source_spikes(dataclasses.replace(run, sources=simulate(
        network, UNTIL, record={"drive": ["spikes"]}).sources))


def test_distances_stand_beside_their_floors_and_ks_beside_the_one_between_seeds(report):
    for name, found in report.data["distances"].items():
        assert found["value"] is not None, name
        assert found["between_seeds"] is not None, name
        assert len(found["one_input_spike_less_runs"]) == 5
    assert report.data["distances"]["gamma_1ms"]["between_seeds"] < report.data["distances"]["gamma_1ms"]["value"]
    rate = report.data["statistics"]["rate"]
    assert 0.0 <= rate["ks"] <= 1.0
    assert 0.0 < rate["ks_between_seeds"] <= 1.0


def test_a_floor_is_reached_where_no_run_with_one_input_less_is_nearer():
    less = [np.array([0.5, 0.9, np.nan]), np.array([0.7, 0.5, 0.2]), np.array([0.9, 0.7, 0.4])]    # means .7 .467 .667
    for better in (1.0, -1.0):
        found = beside(better * np.array([0.6, 0.8, np.nan]), None, [better * m for m in less], better)
        assert found["value"] == pytest.approx(better * 0.7)
        assert found["one_input_spike_less"] == pytest.approx(better * 2.0 / 3.0)
        assert (found["at_floor"], found["within_floor"], found["neurons_within"]) == (True, True, 1.0)
        lower = beside(better * np.array([0.4, 0.6, np.nan]), None, [better * m for m in less], better)
        assert (lower["at_floor"], lower["within_floor"], lower["neurons_within"]) == (False, True, 0.5)
        last = beside(better * np.array([0.3, 0.4, np.nan]), None, [better * m for m in less], better)
        assert (last["at_floor"], last["within_floor"], last["neurons_within"]) == (False, False, 0.0)
    none = beside(np.array([1.0]), None, [], 1.0)
    assert (none["at_floor"], none["within_floor"], none["neurons_within"]) == (None, None, None)


def test_a_network_without_random_sources_says_so_instead_of_a_number():
    graph = nx.DiGraph()
    graph.add_node("n", model="lif", v_thresh=5.0, v_rest=0.0, v_reset=0.0, i_offset=1.0)
    a = simulate(es.compile(graph), 50.0)
    found = compare(a, a)
    assert found.data["statistics"]["rate"]["ks_between_seeds"] is None
    assert "nothing in this network is random" in found.text()
    assert "no floor of one input spike" in found.text()


def test_long_runs_are_not_repeated_unless_asked(run):
    long = dataclasses.replace(run, counters={**run.counters, "synaptic_operations": CHEAP})
    found = compare(long, run)
    assert found.data["distances"]["spike_sync"]["between_seeds"] is None
    assert "reruns=True" in found.text()


def test_sparseness_is_counted_by_hand_on_a_small_network():
    graph = nx.MultiDiGraph()
    graph.add_node("in", model="spikes", size=2, times=[[1.0], [1.0, 2.0]])
    graph.add_node("out", model="lif", size=3, v_thresh=10.0, v_rest=0.0, v_reset=0.0, tau_refrac=0.0)
    graph.add_edge("in", "out", rule="pairs", source=[0, 1, 1], target=[0, 1, 2], weight=[20.0, 20.0, 0.0], delay=1.0)
    network = es.compile(graph)
    result = simulate(network, 10.0)
    assert matrix_cells(network) == (6, 2)
    assert source_spikes(result) == 3
    found = sparseness(result, 0.5)
    assert (found["synaptic_operations"], found["neuron_updates"], found["spikes"]) == (5, 5, 3)
    assert found["ticks"] == 20
    assert found["dense"] == {"synaptic_operations": 6 * 20, "neuron_updates": 3 * 20, "memory_words": (6 + 4 * 3) * 20}
    assert found["memory_words"] == 5 + 4 * (5 + 3) + 2 * (3 + 3)
    assert found["dense_over_event"]["synaptic_operations"] == 24.0
    assert found["awake_fraction"] == pytest.approx(5 / 60)
    bench = found["neurobench"]
    assert bench["connection_sparsity"] == pytest.approx(1 - 2 / 6)
    assert bench["activation_sparsity"] == pytest.approx(1 - 3 / 60)
    assert bench["synaptic_operations"] == {"Effective_MACs": 0, "Effective_ACs": 3, "Dense": 120}


def test_every_projection_counts_its_whole_matrix(network):
    cells, used = matrix_cells(network)
    assert cells == 20 * 16 + 20 * 4 + 1 * 16 + 16 * 4 + 4 * 16
    assert used == len(network.synapses.target)


def test_an_integer_network_has_the_smaller_footprint(network, emulated):
    assert 0 < footprint(emulated.network) < footprint(network) / 3


def test_the_text_is_aligned_one_fact_a_line_and_the_json_holds_everything(report):
    lines = report.text().splitlines()
    assert str(report) == report.text()
    column = len(lines[0]) - len(lines[0].split("  ", 1)[1].lstrip())
    assert all(line[column - 2:column] == "  " and line[column] != " " for line in lines)
    assert len({line[:column] for line in lines}) == len(lines)
    for words in ("spikes of float", "within 1 ms: matched spikes", "within 2 ms: first divergence", "rate: fixed",
                  "V of exc, frozen input: arithmetic alone",
                  "at the floor of one input spike less", "energy if clocked, dense",
                  "fixed: saturations", "task score of fixed", "fixed against the integer reference", "NeuroBench"):
        assert words in report.text()
    assert json.loads(report.json()) == json.loads(json.dumps(report.data))


def test_recorded_v_is_compared_where_both_runs_have_it(report, run):
    entry, = report.data["recorded"]
    assert (entry["population"], entry["variable"], entry["equal"]) == ("exc", "v", False)
    assert 0.0 < entry["rms"] <= entry["max_abs"]
    assert compare(run, run, reruns=False).data["recorded"][0]["equal"]


def test_what_cannot_be_compared_is_refused_with_the_remedy(run):
    with pytest.raises(Mistake, match="Results or Spikes, not list"):
        compare([], run)
    with pytest.raises(Mistake, match=r"'exc' \(16\).*'exc' \(3\)"):
        compare(run, spikes())
    with pytest.raises(Mistake, match="delta is -1"):
        compare(run, run, delta=-1)
    with pytest.raises(Mistake, match="covers only 60 ms"):
        compare(run, run, until=61.0)
    short = simulate(run.network, 30.0)
    with pytest.raises(Mistake, match="until=30 compares what both have"):
        compare(run, short)
    assert compare(run, short, until=30.0, reruns=False)


def test_a_loaded_result_without_its_network_and_bare_spikes_are_compared_too(run):
    bare = dataclasses.replace(run, network=None)
    assert "no network to run again" in compare(bare, run).text()
    found = compare(run.spikes, run)
    assert found
    assert found.data["distances"]["spike_sync"]["value"] == 1.0
    unlabelled = Spikes(run.spikes.time, run.spikes.neuron)
    assert compare(unlabelled, run.spikes).data["neurons"] == 20


def test_silence_and_valid_input_raise_no_warning(run, emulated):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for a, b in ((spikes(), spikes()), (spikes((1.0, 0)), spikes()), (spikes(), spikes((0.0, 0)))):
            compare(a, b).text()
        compare(run, emulated, reruns=False).text()


def test_a_hundred_thousand_spikes_of_twelve_thousand_neurons_take_seconds():
    rng = np.random.default_rng(1)
    t, n = rng.uniform(0.0, 1000.0, 100_000), rng.integers(0, 12_500, 100_000)
    a = Spikes.make(t, n, [("p", 0, 12_500)])
    b = Spikes.make(np.maximum(t + rng.normal(0.0, 0.3, len(t)), 0.0), n, [("p", 0, 12_500)])
    began = time.perf_counter()
    found = compare(a, b)
    assert time.perf_counter() - began < 6.0            # about 1 s on a quiet machine
    assert 0.9 < found.data["distances"]["gamma_1ms"]["value"] < 1.0


def test_result_is_what_the_package_hands_out(run):
    assert es.compare is compare
    assert isinstance(run, Result)
