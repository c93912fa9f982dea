"""Every model keeps the promises of model.py: values against mathematics, both resets, refractoriness, mistakes."""

import math
import warnings

import mpmath as mp
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventsnn as es
from eventsnn.models import MODELS


def single(until, record_at=None, backend="python", times=(), weight=1.0, receptor=0, **node):
    """One neuron with one train of inputs, 1 ms late."""
    g = nx.MultiDiGraph()
    g.add_node("n", **node)
    if len(times):
        g.add_node("in", model="spikes", times=list(times))
        g.add_edge("in", "n", weight=weight, delay=1.0, receptor=receptor)
    at = [] if record_at is None else record_at
    variables = ["v", "i"] if node.get("synapse", "delta") != "delta" else ["v"]
    return es.simulate(es.compile(g), until, backend=backend, record={"n": variables}, record_at=at)


@pytest.mark.parametrize("name", MODELS)
def test_every_attribute_has_a_unit_or_words_and_a_meaning(name):
    model = MODELS[name]
    assert len(model.equations) > 100
    for field in model.fields.values():
        assert field.meaning
        assert field.unit or field.per == "population"


@pytest.mark.parametrize("name", MODELS)
def test_defaults_alone_make_a_silent_neuron_at_rest_without_any_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = single(50.0, [0.0, 25.0, 49.0], model=name)
    assert len(result.spikes) == 0
    v = result.recorded["n"]["v"][:, 0]
    assert v == pytest.approx([v[0]] * 3, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(st.floats(1.0, 40.0), st.floats(0.0, 3.0), st.floats(0.0, 60.0))
def test_lif_follows_the_closed_form_between_inputs(tau, current, t):
    v = single(
        61.0, [t], model="lif", tau_m=tau, cm=2.0, v_rest=-70.0, v_init=-60.0, v_thresh=math.inf, i_offset=current
    )
    settled = -70.0 + current * tau / 2.0
    exact = settled + (-60.0 - settled) * mp.exp(-mp.mpf(t) / tau)
    assert abs(v.recorded["n"]["v"][0, 0] - exact) < 1e-12


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 30.0), st.sampled_from([5.0, 10.0, math.inf]), st.floats(1.0, 60.0))
def test_an_exponential_synapse_follows_the_closed_form(ts, tau, t):
    result = single(
        61.0,
        [t],
        model="lif",
        tau_m=tau,
        v_rest=0.0,
        v_thresh=math.inf,
        synapse="exp",
        tau_syn=[ts],
        times=[0.0],
        weight=3.0,
    )
    x, m, g = mp.mpf(t) - 1, 1 / mp.mpf(tau) if tau < math.inf else mp.mpf(0), 1 / mp.mpf(ts)
    exact = 3 * (x * mp.exp(-m * x) if m == g else (mp.exp(-m * x) - mp.exp(-g * x)) / (g - m))
    assert abs(result.recorded["n"]["v"][0, 0] - exact) < 1e-12
    assert abs(result.recorded["n"]["i"][0, 0, 0] - 3 * mp.exp(-g * x)) < 1e-13
    assert result.recorded["n"]["i"].shape == (1, 1, 1)


def test_the_interval_is_that_of_the_f_i_curve_and_refractoriness_is_part_of_it():
    period = 2.0 + 10.0 * math.log(40.0 / 25.0)
    spikes = single(
        500.0,
        model="lif",
        tau_m=10.0,
        cm=250.0,
        i_offset=1000.0,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=15.0,
        tau_refrac=2.0,
    ).spikes.time
    assert np.diff(spikes) == pytest.approx(period, abs=1e-11)


def test_a_current_that_just_settles_at_the_threshold_never_fires():
    for tau, cm, theta in ((10.0, 1.0, 15.0), (20.0, 0.25, 16.0), (3.0, 1.0, 0.3), (7.3, 0.9, 14.6)):
        i = theta * cm / tau
        if i * tau == theta * cm:
            for synapse in ("delta", "exp"):
                assert (
                    len(
                        single(
                            5e3,
                            model="lif",
                            tau_m=tau,
                            cm=cm,
                            v_rest=0.0,
                            v_reset=0.0,
                            v_thresh=theta,
                            i_offset=i,
                            synapse=synapse,
                        ).spikes
                    )
                    == 0
                )


@pytest.mark.parametrize("tau", [10.0, math.inf])
def test_subtract_keeps_what_lies_above_the_threshold_and_may_fire_several_times_at_once(tau):
    result = single(
        9.0,
        [1.0],
        model="lif",
        tau_m=tau,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=2.0,
        reset="subtract",
        times=[0.0],
        weight=7.0,
    )
    assert result.spikes.time.tolist() == [1.0, 1.0, 1.0]
    assert result.recorded["n"]["v"][0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("tau", [10.0, math.inf])
def test_a_readout_only_integrates(tau):
    result = single(
        9.0, [1.0], model="lif", tau_m=tau, v_rest=0.0, v_reset=0.0, v_thresh=math.inf, times=[0.0], weight=1e6
    )
    assert len(result.spikes) == 0
    assert result.recorded["n"]["v"][0, 0] == 1e6


@pytest.mark.parametrize("synapse", ["delta", "exp"])
def test_a_start_at_the_threshold_fires_at_time_zero(synapse):
    assert single(5.0, model="lif", v_init=-50.0, synapse=synapse).spikes.time.tolist() == [0.0]


def test_a_perfect_integrator_counts_exactly():
    result = single(
        100.0, model="lif", tau_m=math.inf, v_rest=0.0, v_reset=0.0, v_thresh=4.0, i_offset=0.5, tau_refrac=0.0
    )
    assert result.spikes.time.tolist() == [8.0 * k for k in range(1, 13)]


def test_a_step_current_acts_between_its_breakpoints():
    g = nx.DiGraph()
    g.add_node("n", model="lif", tau_m=math.inf, v_rest=0.0, v_reset=0.0, v_thresh=math.inf)
    g.add_node("i", model="steps", times=[1.0, 2.0], amplitudes=[2.0, -1.0], stop=4.0)
    g.add_edge("i", "n", weight=0.5)
    for backend in ("compiled", "python", "simpy"):
        v = es.simulate(es.compile(g), 6.0, backend=backend, record={"n": ["v"]}).recorded["n"]["v"][:, 0]
        assert v.tolist() == [0.0, 0.0, 1.0, 0.5, 0.0, 0.0]


@settings(max_examples=60, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-2.0, 2.0), st.floats(0.01, 3.0))
def test_qif_flows_as_its_equation_says(x, d, t):
    """Against mpmath's own solution by Moebius maps: x' = x^2 + d."""
    g = nx.DiGraph()
    g.add_node(
        "n", model="qif", tau_m=1.0, a=1.0, v_rest=0.0, v_crit=0.0, v_peak=1e6, v_reset=-5.0, i_offset=d, v_init=x
    )
    result = es.simulate(es.compile(g), t + 1.0, backend="python", record={"n": ["v"]}, record_at=[t])
    q = mp.sqrt(mp.mpc(d))
    big_t = mp.tan(q * t) / q if d else mp.mpf(t)
    if not len(result.spikes) or result.spikes.time[0] > t:
        exact = mp.re((x + d * big_t) / (1 - x * big_t))
        assert abs(result.recorded["n"]["v"][0, 0] - exact) < 1e-9 * (1 + exact**2)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"reset": "subtract", "tau_refrac": 1.0}, ["subtract", "tau_refrac"]),
        ({"v_reset": -40.0, "tau_refrac": 0.0}, ["v_thresh", "v_reset", "refractory"]),
        ({"synapse": "expp"}, ["'expp'", "'exp'"]),
        ({"synapse": ["exp", "delta"], "tau_syn": [5.0]}, ["tau_syn", "1", "2"]),
        ({"synapse": ["delta"], "tau_syn": [5.0]}, ["delta", "tau_syn"]),
        ({"v_thresh": -math.inf}, ["v_thresh"]),
        ({"cm": 0.0}, ["cm"]),
        ({"tau_m": -1.0}, ["tau_m"]),
    ],
)
def test_values_that_contradict_each_other_are_named(node, words):
    g = nx.DiGraph()
    g.add_node("n", model="lif", **node)
    with pytest.raises(es.Mistake) as caught:
        es.compile(g)
    assert 'node "n"' in str(caught.value)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
@pytest.mark.parametrize(
    "node",
    [
        {"v_reset": -40.0, "v_thresh": -50.0, "v_init": -40.0, "tau_refrac": 1e-17},
        {"reset": "subtract"},
    ],
)
def test_endless_firing_is_an_error_that_names_the_neuron(node, backend):
    with pytest.raises(es.Mistake, match="neuron 0: it fires endlessly"):
        single(3.0, backend=backend, model="lif", times=[1.0], weight=1e18, **node)


@pytest.mark.parametrize("weight", [-1e-300, -1.0])
@pytest.mark.parametrize(
    "node",
    [
        {"tau_m": 20.0, "cm": 1.0, "v_thresh": 15.0, "i_offset": 0.75, "synapse": "exp"},
        {"tau_m": 10.0, "cm": 0.1, "v_thresh": 111.0, "i_offset": 1.11},
        {"tau_m": 1.0, "cm": 1.0, "v_thresh": 15.0, "i_offset": 15.0},
    ],
)
def test_a_membrane_settled_at_its_threshold_does_not_fire_on_a_silent_or_inhibitory_input(node, weight):
    assert (
        len(single(2e3, model="lif", v_rest=0.0, v_reset=0.0, times=[500.0, 1000.0], weight=weight, **node).spikes) == 0
    )


@pytest.mark.parametrize("backend", ["compiled", "simpy"])
@pytest.mark.parametrize(
    ("v", "tau", "when"),
    [
        (25.301972394288306, 18.486278344646646, 8.140037407857625),
        (34.40696185640128, 14.983429792301942, 4.705620423128129),
    ],
)
def test_qif_keeps_its_spike_when_an_input_comes_one_ulp_before_the_escape(v, tau, when, backend):
    result = single(
        when + 0.5,
        backend=backend,
        model="qif",
        a=0.1,
        v_rest=0.0,
        v_crit=5.0,
        v_peak=math.inf,
        v_reset=-3.0,
        v_init=v,
        tau_m=tau,
        times=[when - 1.0],
        weight=1e-300,
    )
    assert result.spikes.time == pytest.approx([when])


def test_a_slow_inhibition_under_a_strong_drive_is_searched_in_one_pass():
    result = single(
        7e3,
        backend="compiled",
        model="lif",
        tau_m=0.1,
        cm=0.1,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=15.0,
        i_offset=15.1,
        synapse="exp",
        tau_syn=[1000.0],
        times=[0.0],
        weight=-100.0,
    )
    time = result.spikes.time
    assert time[time > 2.0][0] == pytest.approx(1.0 + 1000.0 * math.log(1000.0), abs=1.0)  # where the drive wins again


@pytest.mark.parametrize("less", [0.0, 2.0**-49, -(2.0**-49)])
@pytest.mark.parametrize("synapse", ["exp", "alpha"])
def test_a_charge_that_just_reaches_the_threshold_in_the_limit_never_fires(synapse, less):
    """A perfect integrator and 4 nA that decay within 4 ms: 16 mV, at t = inf (S1).  One bit less is reached."""
    result = single(4e3, model="lif", tau_m=math.inf, v_rest=0.0, v_reset=0.0, v_thresh=16.0 - less, synapse=synapse,
                    tau_syn=[4.0], i_init=[4.0])
    assert len(result.spikes) == (1 if less > 0.0 else 0)
    assert result.counters["n_ambiguous"] == 0
