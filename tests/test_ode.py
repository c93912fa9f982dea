"""Neurons that are integrated: against multi-precision, against scipy's integrator, and the verbs' promises."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import eventsnn as es
from eventsnn.course import loose
from eventsnn.dense import crossing, dense
from eventsnn.kernel.link import link
from eventsnn.model import Verbs
from eventsnn.models.hodgkin_huxley import rates

GOLDEN = json.loads((Path(__file__).parent / "golden" / "ode.json").read_text())


def one(until, inputs=(), currents=(), backend="compiled", record=None, at=None, **node):
    """One neuron under inputs (time, receptor, weight) and injected currents."""
    g = nx.MultiDiGraph()
    g.add_node("n", **node)
    for k, (time, receptor, weight) in enumerate(inputs):
        g.add_node(f"in {k}", model="spikes", times=[time - 0.125])
        g.add_edge(f"in {k}", "n", weight=weight, delay=0.125, receptor=receptor)
    for k, current in enumerate(currents):
        g.add_node(f"i {k}", **current)
        g.add_edge(f"i {k}", "n")
    return es.simulate(es.compile(g), until, backend=backend, record={"n": record} if record else None, record_at=at)


def node_of(name):
    """A golden case as a node, and what flows into it."""
    case = GOLDEN[name]
    p, start = case["parameters"], case["start"]
    if name.startswith("izhikevich"):
        return {"model": "izhikevich", **{key: p[key] for key in "abcd"}, "i_offset": p["I"], "v_spike": case["peak"],
                "v_init": start[0], "u_init": start[1]}, []
    if name == "fitzhugh_nagumo":
        return {"model": "fitzhugh_nagumo", "a": p["a"], "b": p["b"], "tau_w": p["tau"], "i_offset": p["I"],
                "v_thresh": case["peak"], "v_init": start[0], "w_init": start[1]}, []
    return {"model": "qif", "tau_m": 1.0, "cm": 1.0, "a": 1.0, "v_rest": 0.0, "v_crit": 0.0, "i_offset": p["I"],
            "v_peak": case["peak"], "v_reset": -2.0, "v_init": start[0]}, [
        {"model": "sine", "amplitude": p["A"], "frequency": p["omega"] * 500.0 / math.pi}]


@pytest.mark.parametrize("name", GOLDEN)
def test_spikes_are_those_of_a_taylor_series_in_multi_precision(name):
    """1e-9 ms is promised; what is reached is nearer to 1e-12."""
    node, currents = node_of(name)
    result = one(GOLDEN[name]["until"], currents=currents, **node)
    assert result.spikes.time == pytest.approx([float(t) for t in GOLDEN[name]["spikes"]], abs=1e-10, rel=0.0)
    assert result.provenance["exactness"]["n"] == "ode(1e-13, 1e-13)"


@pytest.mark.parametrize("name", GOLDEN)
def test_a_smaller_tolerance_brings_spikes_nearer(name):
    node, currents = node_of(name)
    exact = np.array([float(t) for t in GOLDEN[name]["spikes"]])
    errors = [
        np.abs(one(GOLDEN[name]["until"], currents=currents, **node, rtol=tol, atol=tol).spikes.time - exact).max()
        for tol in (1e-4, 1e-7, 1e-10)
    ]
    assert errors[0] > 10.0 * errors[1] > 100.0 * errors[2]


def squid(t, y, current):
    """Hodgkin & Huxley's equations, once more."""
    v, m, h, n = y
    am, bm, ah, bh, an, bn = rates(v)
    return [120.0 * m**3 * h * (50.0 - v) + 36.0 * n**4 * (-77.0 - v) + 0.3 * (-54.4 - v) + current(t, v),
            am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]


def test_inputs_inside_steps_and_conductances_are_met_as_another_integrator_meets_them():
    """Two conductances, alpha and exponential, a jump and a sine, segment by segment with scipy's DOP853."""
    inputs = [(3.0, 0, 2.0), (3.75, 1, 1.5), (9.5, 2, 4.0), (11.0, 0, 3.0)]
    times = np.array([2.0, 3.5, 3.75, 6.0, 9.5, 10.5, 11.5, 19.0])
    result = one(20.0, inputs, [{"model": "sine", "amplitude": 2.0, "frequency": 80.0, "phase": 30.0}], record=["v"],
                 at=times, model="hodgkin_huxley", synapse=["exp", "alpha", "delta"], tau_syn=[2.0, 1.0, None],
                 e_rev=[0.0, -80.0, None])

    def current(t, v):
        total = 2.0 * math.sin(2.0 * math.pi * 0.08 * t + math.pi / 6.0)
        for at, receptor, weight in inputs:
            if at <= t and receptor == 0:
                total += weight * math.exp(-(t - at) / 2.0) * (0.0 - v)
            elif at <= t and receptor == 1:
                total += weight * (t - at) * math.exp(1.0 - (t - at)) * (-80.0 - v)
        return total

    a, b = np.array(rates(-65.0)).reshape(3, 2).T
    y, t, expected = [-65.0, *(a / (a + b))], 0.0, []
    for stop in sorted({*times, *(at for at, _, _ in inputs)}):
        inside = np.nextafter(stop, 0.0)                   # inputs act from their time on
        y = solve_ivp(squid, (t, inside), y, "DOP853", args=(current,), rtol=3e-14, atol=1e-13).y[:, -1]
        y[0] += sum(weight for at, receptor, weight in inputs if at == stop and receptor == 2)
        t = stop
        if stop in times:
            expected.append(y[0])
    assert result.recorded["n"]["v"][:, 0] == pytest.approx(expected, abs=1e-9)


def test_a_crossing_by_the_input_itself_is_a_spike_at_that_instant_and_the_next_needs_a_descent():
    times = one(6.0, [(1.0, 0, 80.0), (1.25, 0, 1.0)], model="hodgkin_huxley").spikes.time
    assert times.tolist() == [1.0]
    assert len(one(60.0, [(1.0, 0, 80.0), (30.0, 0, 80.0)], model="hodgkin_huxley").spikes) == 2
    assert one(2.0, model="hodgkin_huxley", v_init=10.0).spikes.time.tolist() == [0.0]


def test_v_is_held_in_refractoriness_while_the_adaptation_goes_on():
    node = {"model": "adex", "tau_refrac": 5.0, "i_offset": 1.0, "v_reset": -60.0}
    result = one(60.0, [], record=["v", "w"], at=0.01, **node)
    spike = result.spikes.time[0]
    t = np.arange(6000) * 0.01
    held = (t >= spike) & (t < spike + 5.0)
    v, w = (result.recorded["n"][name].ravel() for name in "vw")
    assert np.all(v[held] == -60.0)
    assert v[np.flatnonzero(held)[-1] + 2] != -60.0
    steady = 0.004 * (-60.0 + 70.6)
    first = w[held][0]
    assert w[held] == pytest.approx(steady + (first - steady) * np.exp(-(t[held] - t[held][0]) / 144.0), abs=1e-11)


@pytest.mark.parametrize("name", ["eif", "adex", "izhikevich", "hodgkin_huxley", "fitzhugh_nagumo"])
def test_a_spike_time_depends_neither_on_the_horizon_nor_on_how_often_it_is_asked_for(name):
    g = nx.MultiDiGraph()
    g.add_node("n", model=name, i_offset={"eif": 1.0, "adex": 1.0, "fitzhugh_nagumo": 0.8}.get(name, 10.0))
    (group,) = es.compile(g).groups
    verbs = Verbs(*(link(verb, jit=False) for verb in group.dynamics.verbs))
    (p,) = loose(group.params)

    def spikes(horizons):
        (s,) = loose(group.state)
        found = []
        for horizon in horizons:
            while (t := verbs.next_spike(p, s, horizon)) <= horizon:
                verbs.fire(p, s, t)
                found.append(t)
        return found

    assert len(spikes([60.0])) >= 1
    assert spikes([60.0]) == spikes(np.linspace(0.0, 60.0, 777)) == spikes([0.1, 33.3, 33.4, 60.0])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7), st.floats(-1.0, -1e-3), st.floats(0.0, 0.9),
       st.booleans())
def test_the_first_crossing_of_a_steps_polynomial_is_found(coefficients, start, low, falling):
    """Against all roots by numpy, up to the digits that a cluster of roots leaves."""
    s = SimpleNamespace(a=[start, 0.0], poly=[x for c in coefficients for x in (c, 0.0)])
    sign = -1.0 if falling else 1.0
    grid = np.linspace(low, 1.0, 20001)
    values = dense(s, 0, grid)
    target = values[0] + sign * 1e-3
    x = crossing(s, target, sign, low)
    above = np.flatnonzero(sign * (values - target) >= 0.0)
    if x < 0.0:
        assert not len(above)
    else:
        assert abs(dense(s, 0, x) - target) < 1e-9
        assert not len(above) or x <= grid[above[0]] + 1e-12
        assert np.all(sign * (values[grid < x - 1e-9] - target) < 1e-12)


@pytest.mark.parametrize("weight", [-3e3, 1e4, 1e9])
@pytest.mark.parametrize("name", ["eif", "adex", "izhikevich", "hodgkin_huxley", "fitzhugh_nagumo"])
def test_absurd_inputs_have_one_outcome_in_all_engines(name, weight):
    def outcome(backend):
        try:
            return one(6.0, [(1.0, 0, weight), (4.0, 0, -weight)], backend=backend, model=name).spikes
        except es.Mistake as mistake:
            return str(mistake)

    assert outcome("compiled") == outcome("python") == outcome("simpy")


@pytest.mark.parametrize("tau", [0.01, 0.05, 0.3])
def test_a_brief_current_after_a_long_silence_is_not_stepped_over(tau):
    def rise(t):
        result = one(t + 5.0, [(t, 0, 1.0)], backend="python", record=["v"], at=[t + 4.0], model="lif_cond",
                     synapse="alpha", tau_syn=[tau], e_rev=[0.0], v_thresh=math.inf)
        return result.recorded["n"]["v"][0, 0] + 65.0

    assert rise(400.125) == pytest.approx(rise(0.125), rel=1e-9)
    assert rise(0.125) > 1.0


@pytest.mark.parametrize("below", [1e-8, 1e-7, 1e-5, 3e-4, 1e-2])
def test_an_up_and_a_down_crossing_within_one_step_are_one_spike(below):
    node = {"backend": "python", "model": "hodgkin_huxley"}
    highest = 40.4145785001                                    # of V after this input, by scipy's DOP853
    assert len(one(4.0, [(1.0, 0, 15.0)], v_thresh=highest - below, **node).spikes) == 1
    assert len(one(4.0, [(1.0, 0, 15.0)], v_thresh=highest + 1e-8, **node).spikes) == 0


def test_a_neuron_held_far_above_its_onset_and_a_sharp_onset_are_served():
    held = {"model": "eif", "delta_T": 0.01, "v_reset": -40.0, "tau_refrac": 1.0, "i_offset": 1.0}
    assert len(one(40.0, backend="python", **held).spikes) == 13
    sharp = one(30.0, backend="python", model="eif", delta_T=1e-6, i_offset=1.0, v_reset=-65.0, tau_refrac=0.0)
    assert sharp.spikes.time[0] == pytest.approx(20.0 * math.log(20.0 / 5.0), abs=1e-4)       # as a lif at -50 mV


def test_what_cannot_be_integrated_is_an_error_that_names_the_neuron():
    with pytest.raises(es.Mistake, match="node 'n', neuron 0: its equations could not be integrated"):
        one(60.0, [(1.0, 0, 1e25)], backend="python", model="fitzhugh_nagumo")
    flood = {"model": "eif", "synapse": "exp", "tau_syn": [0.5], "i_offset": 1.0}
    with pytest.raises(es.Mistake, match=r"neuron 0: it(s equations could not be integrated| fires endlessly)"):
        one(60.0, [(1.0, 0, 1e25), (50.0, 0, 1e-3)], backend="python", **flood)


@pytest.mark.parametrize(("node", "message"), [
    ({"model": "eif", "v_reset": 5.0}, "v_spike 0 is not above v_reset 5 (neuron 0): raise v_spike"),
    ({"model": "adex", "v_thresh": -30.0}, "v_spike -40 is not above v_thresh -30 (neuron 0): raise v_spike"),
    ({"model": "izhikevich", "c": 40.0}, "v_spike 30 is not above c 40 (neuron 0): raise v_spike"),
    ({"model": "eif", "rtol": 0.0}, "rtol must be > 0, not 0.0"),
    ({"model": "eif", "e_rev": [0.0, 0.0]}, "e_rev has 2 entries for 1 receptors"),
    ({"model": "hodgkin_huxley", "e_rev": [0.0]}, "receptor 0 is delta and has no e_rev"),
    ({"model": "hodgkin_huxley", "m_init": 5.0}, "m_init is 5: gates are between 0 and 1"),
    ({"model": "eif", "synapse": "exp", "e_rev": [0.0], "i_init": [-1.0]}, "its i_init must be >= 0 uS, not -1"),
])
def test_mistakes_are_named(node, message):
    g = nx.MultiDiGraph()
    g.add_node("n", **node)
    with pytest.raises(es.Mistake) as caught:
        es.compile(g)
    assert message in str(caught.value)


def test_a_conductance_takes_no_negative_weight():
    g = nx.MultiDiGraph()
    g.add_node("n", model="eif", synapse=["exp", "delta"], tau_syn=[2.0, None], e_rev=[-80.0, None])
    g.add_node("s", model="spikes", times=[1.0])
    g.add_edge("s", "n", weight=-1.0, delay=1.0, receptor=1)
    es.compile(g)
    g.add_edge("s", "n", weight=-1.0, delay=1.0)
    with pytest.raises(es.Mistake, match='receptor 0 of "n" is a conductance: its weights must be >= 0 uS, not -1'):
        es.compile(g)
