"""Frozen input: what integers do to V when each neuron gets the float run's arrivals and resets."""

import dataclasses

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed import reference

import eventsnn as es
from eventsnn.replay import Arrivals, frozen_input, reset_ticks

QUANTISED = {"tick": 0.5}


def network(weight=1.0, theta=2.5, tau=np.inf, refrac=1.0, times=None, low=-0.5, **attributes):
    """Trains onto three neurons, the third of which also hears the first two."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=3,
               times=times or [[1.0, 2.0, 4.0, 4.5, 7.0, 9.0], [1.0, 5.0], [0.5, 6.0, 6.5]])
    g.add_node("n", size=3, model="lif", tau_m=tau, v_rest=-60.0, v_reset=-60.0 + low, v_thresh=-60.0 + theta,
               v_init=-60.0, tau_refrac=refrac, **attributes)
    g.add_edge("in", "n", rule="all_to_all", weight=weight, delay=1.0)
    g.add_edge("n", "n", rule="pairs", source=[0, 1], target=[2, 2], weight=weight / 2, delay=2.0)
    return es.compile(g)


def pair(net, until=20.0, **options):
    run = es.simulate(net, until, backend="python")
    return run, es.quantise(net, **{**QUANTISED, **options})


def test_where_nothing_is_lost_nothing_differs_and_v_is_the_emulators():
    """Dyadic weights, whole ticks, no decay: the integers are exact, so the frozen V is that of either run."""
    for options in ({}, {"reset": "subtract", "refrac": 0.0}):
        run, fixed = pair(network(**options))
        assert len(run.spikes) > 2
        found, (trace,) = frozen_input(run, fixed, 20.0)
        (p,) = found["populations"]
        assert p["all"] == p["arithmetic"] == {"bias_mv": 0.0, "rmse_mv": 0.0, "sqnr_db": None}
        assert (p["neurons"], p["of_neurons"]) == (3, 3)
        emulated = es.simulate(fixed, 20.0, record={"n": ["v"]}, record_at=0.5, backend="python")
        assert np.array_equal(emulated.recorded["n"]["v"][:, trace.neuron], trace.integers)
        assert emulated.spikes == run.spikes


def test_a_weight_that_is_rounded_shows_as_a_bias_of_its_own_size():
    """Three inputs of 1.03 mV become 1.0 mV of 3 bits: V is low by 0.03 mV for each that has arrived."""
    run, fixed = pair(network(weight=1.03, theta=np.inf, times=[[1.0], [5.0], [9.0]]), weight_bits=3)
    found, _ = frozen_input(run, fixed, 20.0)
    (p,) = found["populations"]
    since = np.arange(40) * 0.5 + 1e-9                           # the ticks that are sampled
    missing = 0.03 * sum((since >= t).astype(float) for t in (2.0, 6.0, 10.0))
    assert p["samples"] == 3 * 40
    assert p["arithmetic"]["bias_mv"] == pytest.approx(-missing.mean(), abs=1e-4)
    assert p["arithmetic"]["rmse_mv"] == pytest.approx(np.sqrt((missing ** 2).mean()), abs=1e-4)
    assert p["all"]["rmse_mv"] == pytest.approx(p["arithmetic"]["rmse_mv"], abs=1e-9)


def test_resets_are_the_float_runs_whatever_the_integers_would_do():
    """The threshold of 2.02 mV is met by 1.03 + 1.03 and not by 1 + 1: alone, the integers fire every third time."""
    run, fixed = pair(network(weight=1.03, theta=2.02, low=0.0, times=[[2.0 * k for k in range(9)], [], []]),
                      weight_bits=3)
    alone = es.simulate(fixed, 20.0, backend="python")
    assert len(alone.spikes) < len(run.spikes)
    found, _ = frozen_input(run, fixed, 20.0)
    assert found["populations"][0]["arithmetic"]["rmse_mv"] < 0.07           # two inputs' worth at most


def test_a_reset_never_comes_before_the_input_that_caused_it():
    arrivals = Arrivals(np.array([3, 11]), np.array([1.3, 5.26]), np.zeros(2, np.uint8), np.ones(2))
    assert reset_ticks(np.array([1.3, 5.26]), arrivals, 0.5).tolist() == [3, 11]       # rint gives 3 (1.3/.5) and 11
    late = arrivals._replace(tick=np.array([4, 12]))
    assert reset_ticks(np.array([1.3, 5.26]), late, 0.5).tolist() == [4, 12]
    assert reset_ticks(np.array([0.2]), late, 0.5).tolist() == [0]                     # nothing had arrived yet


def test_decay_by_table_and_by_factor_stay_within_their_rounding():
    rng = np.random.default_rng(5)
    times = [np.sort(rng.uniform(0.0, 90.0, 60)).tolist() for _ in range(3)]
    for decay in ("lut", "mul"):
        run, fixed = pair(network(weight=0.75, theta=4.0, tau=20.0, times=times, low=0.0), 100.0, decay=decay)
        found, (trace,) = frozen_input(run, fixed, 100.0)
        (p,) = found["populations"]
        assert len(run.spikes) > 10
        assert 0.0 < p["arithmetic"]["rmse_mv"] < 40.0 * p["lsb_mv"]
        assert p["arithmetic"]["sqnr_db"] > 50.0
        assert p["all"]["rmse_mv"] > p["arithmetic"]["rmse_mv"]              # the times of off-grid inputs
        assert trace.quiet.sum() < len(trace.quiet)


def test_fewer_bits_of_v_cost_six_decibels_each():
    rng = np.random.default_rng(6)
    times = [np.sort(rng.uniform(0.0, 190.0, 160)).tolist() for _ in range(3)]
    net = network(weight=0.75, theta=4.0, tau=20.0, times=times, low=0.0)
    sqnr = []
    for bits in (10, 14, 18):
        run, fixed = pair(net, 200.0, v_bits=bits)
        sqnr.append(frozen_input(run, fixed, 200.0)[0]["populations"][0]["arithmetic"]["sqnr_db"])
    assert np.all(np.abs(np.diff(sqnr) - 4 * 6.02) < 8.0), sqnr


def test_a_reset_below_rest_has_leaked_for_a_tick_more_in_integers():
    """FX-LIF decays before it masks, so a neuron that is released at n + R has decayed once by then."""
    run, fixed = pair(network(weight=1.0, theta=0.75, tau=20.0, low=-4.0, times=[[1.0], [], []]))
    _, (trace,) = frozen_input(run, fixed, 20.0)
    released = trace.time >= 1.0 + 1.0 + 1.0 + 0.5                        # train, delay, refractory period, a tick
    assert np.allclose((trace.integers - trace.floats)[released & trace.quiet],
                       -(trace.floats[released & trace.quiet] + 60.0) * -np.expm1(-0.5 / 20.0), atol=1e-3)


def test_a_budget_leaves_neurons_out_evenly_and_says_so():
    run, fixed = pair(network())
    (p,) = frozen_input(run, fixed, 20.0, budget=150)[0]["populations"]
    assert (p["neurons"], p["of_neurons"]) == (2, 3)
    report = es.compare(run, es.simulate(fixed, 20.0, backend="python"), reruns=False)
    assert report.data["frozen"] == {"why": "reruns=False", "populations": []}


def test_only_a_float_run_and_its_twin_are_compared_by_frozen_input():
    run, fixed = pair(network())
    emulated = es.simulate(fixed, 20.0, backend="python")
    assert es.compare(run, run).data["frozen"] is None
    assert es.compare(emulated, emulated).data["frozen"] is None
    assert es.compare(run, dataclasses.replace(emulated, network=None)).data["frozen"] is None
    assert es.compare(emulated, run).data["frozen"]["why"] is None


def clocked():
    """Neurons with currents, in tick mode, under off-grid trains."""
    rng = np.random.default_rng(7)
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=3, times=[np.sort(rng.uniform(0.0, 60.0, 40)).tolist() for _ in range(3)])
    g.add_node("n", size=3, model="lif", tau_m=20.0, cm=0.2, v_rest=-60.0, v_reset=-60.0, v_thresh=-55.0,
               tau_refrac=2.0, synapse=["exp", "delta"], tau_syn=[5.0, None])
    g.add_edge("in", "n", rule="all_to_all", weight=0.04, delay=1.0)
    g.add_edge("in", "n", rule="one_to_one", weight=0.5, delay=1.0, receptor=1)
    return es.compile(g)


def test_tick_mode_and_currents_are_replayed_and_checked_like_the_rest():
    net = clocked()
    run = es.simulate(net, 70.0, backend="python", record={"n": ["v"]})
    assert len(run.spikes) > 4
    rmse = []
    for tick in (0.1, 0.5):
        fixed = es.quantise(net, calibrate=run, tick=tick)
        assert fixed.groups[0].dynamics.judged_last
        (p,) = frozen_input(run, fixed, 70.0)[0]["populations"]
        assert p["all"]["sqnr_db"] > 5.0
        rmse.append(p["arithmetic"]["rmse_mv"])
    assert 3.0 < rmse[1] / rmse[0] < 8.0                                  # the clock's share goes with the tick
    emulated = es.simulate(fixed, 70.0, backend="python")
    report = es.compare(run, emulated, reruns=False)
    (verdict,) = report.data["reference"]
    assert (verdict["equal"], verdict["equal_v"], verdict["equal_i"]) == (True, True, True)
    assert "spikes, V and currents" in report.text()
    assert "tau_syn 0 of n" in report.text()


def test_a_reference_that_differs_in_one_current_is_found():
    net = clocked()
    emulated = es.simulate(es.quantise(net, tick=0.5), 30.0, backend="python")

    def other(*arguments):
        trace = reference.run(*arguments)
        trace.currents[-1][0][0] += 1
        return trace

    report = es.compare(emulated, emulated, reruns=False, reference=other)
    verdict, _ = report.data["reference"]
    assert [verdict[f"equal{key}"] for key in ("", "_spikes", "_v", "_i")] == [False, True, True, False]
    assert "DIFFERENT (currents)" in report.text()


@pytest.mark.parametrize("own", [{}, {"i_offset": 1.0}])
def test_a_neuron_that_nothing_reaches_is_replayed_too(own):
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[])
    g.add_node("n", model="lif", **own)
    g.add_edge("in", "n", weight=1.0, delay=0.1)
    net = es.compile(g)
    found, _ = frozen_input(es.simulate(net, 5.0, backend="python"), es.quantise(net), 5.0)
    (p,) = found["populations"]
    assert p["samples"] > 0
    assert abs(p["all"]["bias_mv"]) < 0.1
