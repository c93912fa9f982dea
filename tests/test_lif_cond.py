"""Conductances: V and spikes are the mathematics', no crossing is missed or false, and every engine agrees."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import mpmath as mp
import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventsnn as es
from eventsnn.conductance import first_crossing, highest, potential, settled
from eventsnn.kernel.link import link
from eventsnn.models.lif_cond_closed import records

inf = float("inf")
U = 2.0**-53
ENGINES = ("compiled", "python", "simpy")
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


# ---------------------------------------------------------------------------------------------------- mathematics
def problem(a, ts, tau, v, drive=0.0, share=1.0, cm=1.0, theta=15.0, e=(60.0, -15.0)):
    """The records of one membrane whose conductances make a = ts g / C; drive is ts I / C, in mV."""
    g = a * cm / ts
    p = SimpleNamespace(tau=tau, cm=cm, theta=theta, ts=ts, e=e)
    return p, SimpleNamespace(t=0.0, v=v, drive=drive * cm / ts, g=[g * share, g * (1 - share)])


def exact(p, s, x):
    """u(x) and the sum of its terms' sizes, from e^{-a D} = sum (-a D)^n / n! with as many digits as cancel."""
    ts, cm = mp.mpf(p.ts), mp.mpf(p.cm)
    a, b = ts / cm * sum(map(mp.mpf, s.g)), ts / cm * sum(mp.mpf(g) * e for g, e in zip(s.g, p.e, strict=True))
    c = ts / cm * mp.mpf(s.drive)
    kappa = ts / p.tau if p.tau < inf else mp.mpf(0)
    with mp.workdps(60 + int(a)):
        y = mp.mpf(x) / ts
        z, q = mp.exp(-y), mp.exp(-kappa * y)
        k0, k1, weight, n, power = mp.mpf(0), mp.mpf(0), mp.mpf(1), 0, mp.mpf(1)
        while mp.fabs(weight) > mp.eps:
            k1 += weight * (y * q if kappa == n else (power - q) / (kappa - n))
            n, power = n + 1, power * z
            k0 += weight * (y * q if kappa == n else (power - q) / (kappa - n))
            weight *= -a / n
        rise, fall = mp.exp(a * z), q * mp.exp(-a * (1 - z))
        parts = s.v * fall, b * k0 * rise, c * k1 * rise
        return sum(parts), sum(map(mp.fabs, parts))


@pytest.mark.parametrize(("a", "ts", "tau", "x"), [(7.0, 5.0, 20.0, 3.0), (0.5, 5.0, 7.0, 11.0), (40.0, 2.0, 9.0, 1.0)])
def test_the_reference_of_these_tests_is_the_incomplete_gamma_function_of_the_law(a, ts, tau, x):
    p, s = problem(a, ts, tau, -3.0, share=1.0)
    with mp.workdps(40):
        k, a, z = 1 - mp.mpf(ts) / tau, mp.mpf(ts) * s.g[0], mp.exp(-mp.mpf(x) / ts)
        terms = s.v + 60 * mp.mpf(s.g[0]) * ts * mp.exp(a) * a**-k * mp.gammainc(k, a * z, a)
        assert abs(mp.exp(-mp.mpf(x) / tau - a * (1 - z)) * terms - exact(p, s, x)[0]) < 1e-30


near = st.sampled_from([1.0, 1 + 2**-30, 1 + 2**-50, 0.5, 1 / 3, 2.0, 3.0, inf])
spans = st.one_of(
    st.sampled_from([0.0, math.log(2.0)]), st.floats(1e-9, 3.0), st.floats(-4.0, 6.0).map(lambda k: 10.0**k)
)


@settings(max_examples=200, **PATIENT)
@given(
    st.one_of(st.floats(-6.0, 2.0).map(lambda k: 10.0**k), st.sampled_from([0.0, 1.0, 1 + 2**-52, 1 + 1e-7, 1.5, 2.0])),
    st.sampled_from([0.7, 5.0, 30.0]),
    st.one_of(near, st.floats(-3.0, 3.0).map(lambda k: 10.0**k)),
    spans,
    st.floats(-30.0, 15.0),
    st.one_of(st.just(0.0), st.floats(-20.0, 20.0)),
    st.floats(0.0, 1.0),
)
def test_the_potential_is_the_mathematics_to_a_few_roundings(a, ts, ratio, span, v, drive, share):
    """Any time up to 1e6 time constants, equal and nearly equal time constants, no leak, strong and weak."""
    p, s = problem(a, ts, ts * ratio, v, drive, share)
    x = span * ts
    u, size = potential(p, s, x)
    truth, terms = exact(p, s, x)
    assert abs(u - truth) <= 8 * U * (terms + abs(v) + p.theta)
    assert size >= terms * (1 - 1e-9) - 1e-40
    assert size <= 4 * (terms + abs(v) + 60.0 * a)


def gamma_like(a, kappa, more):
    """int_1^inf w^(-kappa - more) e^{-a (w - 1)} dw, which is e^a E_n(a)."""
    rate = a + kappa
    return mp.quad(lambda v: (1 + v / rate) ** (-kappa - more) * mp.exp(-a * v / rate), [0, 2, 8, 40, 200, 1000]) / rate


@pytest.mark.parametrize("a", [1e3, 1e4])
@pytest.mark.parametrize("kappa", [0.0, 0.01, 1.0, 37.5, 1e3])
@pytest.mark.parametrize("y", [1e-5, 1e-3, 0.6, 0.995])
def test_conductances_thousands_of_times_the_leak_are_no_harder(a, kappa, y):
    ts = 5.0
    p, s = problem(a, ts, ts / kappa if kappa else inf, -3.0)
    x = -ts * math.log1p(-y)
    with mp.workdps(40):
        k, a, z = mp.mpf(ts) / p.tau if kappa else mp.mpf(0), mp.mpf(ts) * s.g[0], mp.exp(-mp.mpf(x) / ts)
        fall = mp.exp(-k * mp.mpf(x) / ts - a * (1 - z))
        truth = 60 * (a * z * gamma_like(a * z, k, 0) - a * gamma_like(a, k, 0) * fall) + s.v * fall
    assert abs(potential(p, s, x)[0] - truth) <= 4 * U * 80


def test_the_settled_solution_is_a_ratio_of_exponential_integrals():
    for a in (1.0, 2.0, 4.9, 33.0):
        for kappa in (0.01, 1.0, 2.76, 10.0, 400.0):
            with mp.workdps(30):
                q = gamma_like(mp.mpf(a), mp.mpf(kappa), 0) / gamma_like(mp.mpf(a), mp.mpf(kappa), 1)
                assert abs(settled(a, kappa, 60.0, 0.0)[0] / (60 * q / (a * q + kappa)) - 1) < 8 * U, (a, kappa)


# ---------------------------------------------------------------------------------------------------- crossings
def random_membranes(n, seed):
    """Records of membranes of all sorts, and for how long to watch each."""
    r = np.random.default_rng(seed)
    params, state = records(2)
    p, s = np.zeros(n, params).view(np.recarray), np.zeros(n, state).view(np.recarray)
    p.ts = np.where(r.random(n) < 0.3, r.uniform(0.3, 60.0, n), r.choice([1.0, 5.0, 30.0], n))
    p.tau = p.ts * r.choice([1.0, 1 + 2**-30, 1 + 2**-50, 0.5, 2.0, 0.1, 10.0, inf], n)
    p.tau = np.where(r.random(n) < 0.3, r.uniform(0.3, 60.0, n), p.tau)
    p.cm, p.theta = r.choice([0.25, 1.0, 200.0], n), r.choice([10.0, 15.0, 20.0], n)
    p.e[:, 0], p.e[:, 1] = r.uniform(20.0, 70.0, n), r.uniform(-30.0, 8.0, n)
    s.g = (10 ** r.uniform(-2.0, 2.0, (n, 2)) * (r.random((n, 2)) < [1.0, 0.7])) * (p.cm / p.ts)[:, None]
    scale = np.where(np.isinf(p.tau), p.ts, p.tau)
    s.drive = np.where(r.random(n) < 0.4, 0.0, r.uniform(-1.0, 1.3, n) * p.theta * p.cm / scale)
    s.v = np.minimum(r.uniform(-30.0, 10.0, n), p.theta - 1e-3)
    return p, s, 12.0 * np.maximum(np.where(np.isinf(p.tau), 0.0, p.tau), p.ts)


def watch(params, state, until, steps, out):
    """Per membrane: the crossing found, whether ambiguous, looks; the highest u - theta by dense sampling and a golden
    section search around it, where, the time of the first sample above theta; rounding of the highest."""
    for k in range(len(params)):
        p, s = params[k], state[k]
        out[k, 0], _, ambiguous, out[k, 2] = first_crossing(p, s, 0.0, until[k])
        out[k, 1] = 1.0 if ambiguous else 0.0
        best, where, out[k, 5] = -1e300, 0, inf
        for i in range(steps + 1):
            u = potential(p, s, until[k] * i / steps)[0] - p.theta
            if u > best:
                best, where = u, i
            if u > 1e-11:
                out[k, 5] = min(out[k, 5], until[k] * i / steps)
        low, high = until[k] * max(where - 1, 0) / steps, until[k] * min(where + 1, steps) / steps
        for _ in range(60):
            a, b = low + 0.381966 * (high - low), low + 0.618034 * (high - low)
            if potential(p, s, a)[0] < potential(p, s, b)[0]:
                low = a
            else:
                high = b
        u, size = potential(p, s, 0.5 * (low + high))
        out[k, 3], out[k, 4] = max(best, u - p.theta), 0.5 * (low + high)
        out[k, 6] = 4.0 * U * (size + p.theta)


def watched(p, s, until, steps=1000):
    out = np.empty((len(p), 7))
    link(watch)(p, s, until, steps, out)
    return out.T


def test_of_2000_random_membranes_none_misses_its_crossing_and_none_crosses_falsely():
    p, s, until = random_membranes(2000, 1)
    time, ambiguous, looks, highest, _, first, band = watched(p, s, until)
    found = time <= until
    assert 600 < found.sum() < 1400
    assert not np.any(~found & (highest > band))
    assert not np.any(found & (highest < -band))
    assert not np.any(found & (time > first * (1 + 1e-9) + 1e-9))
    assert ambiguous.sum() == 0
    assert looks.max() < 60


@settings(max_examples=300, **PATIENT)
@given(st.floats(-9.0, 9.0), st.floats(-9.0, 9.0), st.floats(0.0, 4.0), st.floats(0.0, 1.0), st.floats(-20.0, 0.0))
def test_the_curvature_of_no_path_below_threshold_exceeds_its_bound(drift, pull, g, z, below):
    """u" by its equation, at any later time and for any u <= theta: theta itself is the worst."""
    p = SimpleNamespace(tau=2.5, cm=0.5, ts=3.0)
    bound = highest(p, drift, pull, g, z)
    for later in np.linspace(0.0, z, 101):
        for d in (0.0, below):                # u - theta
            flow = drift + pull * later - (p.cm / p.tau + g * later) * d
            bend = -(p.cm / p.tau + g * later) * flow / p.cm + (g * d - pull) * later / p.ts
            assert bend / p.cm <= bound + 1e-9


@pytest.mark.parametrize("part", [1e-3, 1e-6, 1e-9, 1e-12, 3e-14])
def test_grazes_are_told_apart_down_to_the_band_of_rounding(part):
    p, s, until = random_membranes(1000, 2)
    _, _, _, highest, where, _, _ = watched(p, s, until)
    top = highest + p.theta
    inner = (where > 0.01 * until) & (where < 0.9 * until) & (top > 1.0) & (s.v < 0.99 * top)
    p, s, until, top = p[inner], s[inner], until[inner], top[inner]
    assert len(p) > 200
    for sign in (1, -1):
        p.theta = top * (1 - sign * part)
        time, ambiguous, looks, _, _, _, _ = watched(p, s, until, 2)
        assert np.all((time <= until) == (sign > 0))
        assert ambiguous.sum() <= (2 if part < 1e-13 else 0)
        assert looks.max() < 120


def test_a_graze_within_rounding_is_a_spike_and_is_counted():
    p, s = problem(4.0, 5.0, 10.0, 0.0)
    low, high = 0.0, 20.0
    for _ in range(100):                     # the summit
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (a, high) if exact(p, s, a)[0] < exact(p, s, b)[0] else (low, b)
    p.theta = float(exact(p, s, low)[0])
    t, _, ambiguous, _ = first_crossing(p, s, 0.0, 100.0)
    assert ambiguous
    assert t == pytest.approx(low, abs=1e-6)
    p.theta *= 1 + 1e-14
    assert first_crossing(p, s, 0.0, 100.0)[0] == inf


@settings(max_examples=60, **PATIENT)
@given(st.integers(0, 199), st.lists(st.floats(0.0, 40.0), max_size=12))
def test_a_crossing_does_not_depend_on_horizons(k, horizons):
    params, state, _ = random_membranes(200, 3)
    p, s = params[k], state[k]
    straight, _, _, _ = first_crossing(p, s, 0.0, 1e4)
    x = 0.0
    for horizon in [*sorted(horizons), 1e4]:
        t, x, _, _ = first_crossing(p, s, x, horizon)
        if t <= horizon:
            break
        assert t <= straight
    assert t == straight


# ---------------------------------------------------------------------------------------------------- the neuron
def alone(until, at=(), backend="python", trains=(), weight=0.02, current=None, **node):
    """One neuron; train k goes to receptor k, 1 ms late."""
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif_cond", **node)
    for k, train in enumerate(trains):
        g.add_node(f"in {k}", model="spikes", times=list(train))
        g.add_edge(f"in {k}", "n", weight=weight, delay=1.0, receptor=k)
    if current:
        g.add_node("current", **current)
        g.add_edge("current", "n")
    return es.simulate(es.compile(g), until, backend=backend, record={"n": ["v", "g"]}, record_at=list(at))


def way(result):
    return result.network.populations[0].exactness


@pytest.mark.parametrize("backend", ENGINES)
def test_the_oracles_spike_is_met_within_1e_12_ms(backend):
    cases = json.loads((Path(__file__).parent / "golden" / "oracle.json").read_text())["cases"]
    case = next(case for case in cases if case["name"] == "coba_lif_common_tau")
    q = {name: float(value) for name, value in case["params"].items()}
    result = alone(
        float(case["t_end"]), backend=backend, cm=q["C_m"], tau_m=q["C_m"] / q["g_L"], v_rest=q["E_L"],
        v_thresh=q["V_th"], v_reset=q["V_reset"], tau_refrac=q["t_ref"], v_init=q["V_0"], e_rev=[q["E_ex"], q["E_in"]],
        tau_syn=[q["tau_ex"], q["tau_in"]], g_init=[q["g_ex_0"], q["g_in_0"]],
    )  # fmt: skip
    assert way(result) == "closed form"
    assert len(result.spikes) == 1
    assert abs(result.spikes.time[0] - float.fromhex(case["spikes_f64"][0])) < 1e-12


def test_a_train_of_spikes_is_that_of_multi_precision():
    """Every interval from the reset on, and every input, solved anew with 50 digits."""
    node = {"tau_m": 10.0, "v_rest": -60.0, "v_reset": -62.0, "tau_refrac": 1.5, "i_offset": 0.5, "e_rev": [0.0, -80.0],
            "tau_syn": 4.0}  # fmt: skip
    trains = [[0.5, 2.0, 3.25, 7.5, 8.0, 12.0, 14.5], [4.0, 9.0]]
    spikes = alone(25.0, trains=trains, weight=0.3, **node).spikes.time
    assert len(spikes) > 8
    with mp.workdps(50):
        p = SimpleNamespace(tau=10.0, cm=1.0, ts=4.0, e=[60.0, -20.0])
        s = SimpleNamespace(v=mp.mpf(0), drive=0.5, g=[mp.mpf(0), mp.mpf(0)])
        t, free, predicted = mp.mpf(0), mp.mpf(0), []
        inputs = [(time + 1.0, k) for k, train in enumerate(trains) for time in train]
        for at, receptor in [*sorted(inputs), (25.0, 0)]:
            while True:
                if free > t:
                    end = min(free, mp.mpf(at))
                    s.g = [g * mp.exp(-(end - t) / 4) for g in s.g]
                    t = end
                if t >= at:
                    break
                samples = [mp.mpf(k) / 64 * (at - t) for k in range(65)]
                above = next((k for k in range(1, 65) if exact(p, s, samples[k])[0] >= 10), None)
                x = at - t
                if above:
                    x = mp.findroot(lambda x: exact(p, s, x)[0] - 10, (samples[above - 1], samples[above]), tol=1e-30)
                s.v = mp.mpf(-2) if above else exact(p, s, x)[0]
                s.g = [g * mp.exp(-x / 4) for g in s.g]
                t += x
                if above:
                    predicted.append(t)
                    free = t + 1.5
            s.g[receptor] += mp.mpf(0.3)
    assert len(spikes) == len(predicted)
    assert max(abs(time - exactly) for time, exactly in zip(spikes, predicted, strict=True)) < 1e-12


def test_conductances_are_recorded_and_outlast_refractoriness():
    result = alone(12.0, [0.5, 1.0, 3.0, 11.0], trains=[[0.0], [2.0]], weight=0.4, tau_syn=3.0, v_init=-50.0,
                   tau_refrac=5.0)  # fmt: skip
    assert result.spikes.time[0] == 0.0
    v, g = result.recorded["n"]["v"][:, 0], result.recorded["n"]["g"][:, 0]
    assert v[:3].tolist() == [-65.0] * 3
    assert g[:, 0] == pytest.approx([0.0, 0.4, 0.4 * math.exp(-2 / 3), 0.4 * math.exp(-10 / 3)])
    assert g[:, 1] == pytest.approx([0.0, 0.0, 0.4, 0.4 * math.exp(-8 / 3)])


def test_a_membrane_that_settles_at_its_threshold_exactly_never_fires():
    for tau, cm, theta in ((10.0, 1.0, 15.0), (20.0, 0.25, 16.0), (3.0, 1.0, 0.3), (7.3, 0.9, 14.6)):
        i = theta * cm / tau
        if i * tau == theta * cm:
            for trains in ([], [[], [3.0, 700.0]]):
                result = alone(3e3, trains=trains, tau_m=tau, cm=cm, v_rest=0.0, v_reset=0.0, v_thresh=theta,
                               i_offset=i, e_rev=[60.0, -15.0])  # fmt: skip
                assert len(result.spikes) == 0


def test_without_a_leak_and_without_a_threshold_it_still_follows_the_mathematics():
    result = alone(1e4, [9999.0], trains=[[0.0]], weight=0.1, tau_m=inf, v_thresh=inf)
    assert result.recorded["n"]["v"][0, 0] == pytest.approx(-65.0 * math.exp(-0.5), abs=1e-13)
    assert len(result.spikes) == 0


@pytest.mark.parametrize("v_thresh", [-50.0, inf])
def test_the_closed_form_and_the_integrated_neuron_are_one_neuron(v_thresh):
    """A silent alpha receptor sends the same neuron down the other way."""
    trains = [[1.0, 2.0, 2.5, 9.0], [5.0]]
    node = {"v_thresh": v_thresh, "i_offset": 0.5, "tau_refrac": 2.0}
    at = np.arange(0.25, 30.0, 0.5)
    closed = alone(30.0, at, trains=trains, weight=0.1, e_rev=[0.0, -70.0], **node)
    ode = alone(30.0, at, trains=trains, weight=0.1, e_rev=[0.0, -70.0, 0.0], synapse=["exp", "exp", "alpha"], **node)
    assert way(closed) == "closed form"
    assert way(ode).startswith("ode(")
    assert len(closed.spikes) == (len(ode.spikes) if v_thresh < inf else 0)
    assert closed.spikes.time == pytest.approx(ode.spikes.time, abs=1e-10)
    assert closed.recorded["n"]["v"] == pytest.approx(ode.recorded["n"]["v"], abs=1e-9)
    assert closed.recorded["n"]["g"] == pytest.approx(ode.recorded["n"]["g"][:, :, :2], abs=1e-14)


def test_a_conductance_takes_no_negative_weight():
    with pytest.raises(es.Mistake, match="weight"):
        alone(5.0, trains=[[1.0]], weight=-0.1)


SINE = {"model": "sine", "amplitude": 0.1, "frequency": 10.0}


@pytest.mark.parametrize(
    ("node", "current", "closed"),
    [
        ({}, None, True),
        ({"tau_syn": [5.0, 5.0], "size": 2}, {"model": "dc", "amplitude": 0.1}, True),
        ({"tau_syn": [3.0]}, {"model": "steps", "times": [1.0], "amplitudes": [0.1]}, True),
        ({"size": 2, "tau_syn": [[3.0, 4.0], [3.0, 4.0]]}, None, True),
        ({"size": 2, "tau_syn": [[3.0, 4.0], [3.0, 4.5]]}, None, False),
        ({"tau_syn": [5.0, 5.000001]}, None, False),
        ({"synapse": "alpha"}, None, False),
        ({"synapse": ["exp", "alpha"]}, None, False),
        ({}, SINE, False),
    ],
)
def test_the_attributes_alone_decide_how_it_is_solved(node, current, closed):
    assert (way(alone(1.0, current=current, **node)) == "closed form") == closed


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"synapse": "delta"}, ["'delta'", "conductance"]),
        ({"synapse": "alhpa"}, ["'alpha'"]),
        ({"synapse": []}, ["synapse", "empty"]),
        ({"synapse": ["exp", "exp", "exp"]}, ["e_rev"]),
        ({"e_rev": [0.0, None]}, ["e_rev"]),
        ({"e_rev": [0.0], "synapse": ["exp", "exp"]}, ["e_rev", "1", "2"]),
        ({"tau_syn": [1.0, 2.0, 3.0], "e_rev": [0.0, 1.0]}, ["3", "receptors"]),
        ({"g_init": [-0.1, 0.0]}, ["g_init"]),
        ({"v_reset": -40.0, "tau_refrac": 0.0}, ["v_thresh", "v_reset", "refractory"]),
        ({"v_thresh": -inf}, ["v_thresh"]),
    ],
)
def test_values_that_contradict_each_other_are_named(node, words):
    with pytest.raises(es.Mistake) as caught:
        alone(1.0, **node)
    assert 'node "n"' in str(caught.value)
    assert all(word in str(caught.value) for word in words)


# ---------------------------------------------------------------------------------------------------- engines
times = st.one_of(st.integers(0, 24).map(lambda k: k / 2), st.floats(0.0, 12.0))


@st.composite
def cells(draw):
    tau = st.sampled_from([0.7, 5.0, 10.0])
    return {
        "model": "lif_cond",
        "size": draw(st.integers(1, 3)),
        "tau_m": draw(st.sampled_from([5.0, 10.0, 10.0 * (1 + 2**-40), 40.0, inf])),
        "cm": draw(st.sampled_from([1.0, 0.25])),
        "v_reset": draw(st.sampled_from([-65.0, -55.0, -40.0])),
        "v_thresh": draw(st.sampled_from([-50.0, -50.0, inf])),
        "tau_refrac": draw(st.sampled_from([0.5, 2.0, 1.3])),
        "i_offset": draw(st.sampled_from([0.0, 0.5, 3.0, -1.0])),
        "v_init": draw(st.sampled_from([-65.0, -50.0, -51.0, -20.0])),
        "tau_syn": draw(tau),
        "e_rev": [0.0, draw(st.sampled_from([-70.0, -80.0, -45.0]))],
        "g_init": [draw(st.sampled_from([0.0, 0.3])), draw(st.sampled_from([0.0, 2.0]))],
    }


@st.composite
def networks(draw):
    """Two populations with conductances among each other, under spikes, noise and steps."""
    g = nx.MultiDiGraph()
    names = ["x", "y"]
    for name in names:
        g.add_node(name, **draw(cells()))
    given = [draw(st.lists(times, max_size=8)), draw(st.lists(times, max_size=8))]
    g.add_node("given", model="spikes", size=2, times=given)
    g.add_node("noise", model="poisson", size=3, rate=draw(st.sampled_from([0.0, 300.0, 1500.0])))
    for _ in range(draw(st.integers(1, 6))):
        pre = draw(st.sampled_from([*names, "given", "noise"]))
        weight = st.sampled_from([0.0, 0.01, 0.05] if pre in names else [0.02, 0.1, 0.5, 4.0])
        g.add_edge(pre, draw(st.sampled_from(names)), rule="all_to_all", weight=draw(weight),
                   receptor=draw(st.integers(0, 1)), delay=draw(st.sampled_from([0.5, 1.0, 1.5, 7.25])))  # fmt: skip
    g.add_node("stairs", model="steps", times=[1.0, 4.0, 9.0], amplitudes=draw(st.permutations([-1.0, 2.0, 0.3])))
    g.add_edge("stairs", draw(st.sampled_from(names)))
    return g


def same(a, b):
    assert a.spikes == b.spikes
    assert a.counters == b.counters
    for name, variables in a.recorded.items():
        for variable, values in variables.items():
            assert values.tobytes() == b.recorded[name][variable].tobytes(), (name, variable)


RECORD = {"x": ["v", "g"], "y": ["v", "g"]}


@settings(max_examples=80, **PATIENT)
@given(networks(), st.integers(0, 3))
def test_three_engines_agree_on_every_network_of_conductances(graph, seed):
    network = es.compile(graph, seed=seed)
    runs = [es.simulate(network, 15.0, backend=b, record=RECORD, record_at=0.75) for b in ENGINES]
    same(runs[0], runs[1])
    same(runs[1], runs[2])


@settings(max_examples=40, **PATIENT)
@given(networks(), st.floats(0.01, 1.0))
def test_no_spike_depends_on_windows_or_recording(graph, part):
    network = es.compile(graph, seed=1)
    plain = es.simulate(network, 15.0)
    cut = es.compile(graph, seed=1)
    vars(cut)["min_delay"] = max(0.01, part * min(network.min_delay, 1.0))
    same(plain, es.simulate(cut, 15.0))
    assert es.simulate(network, 15.0, record=RECORD, record_at=0.1).spikes == plain.spikes
