"""`lif` as scaled coefficients: the first crossing is never missed and never false, whatever the horizons; the bounds
that its search rests on hold; and it stands for exactly the membranes of law S11."""

import math
from types import SimpleNamespace

import exact
import mpmath as mp
import networkx as nx
import numpy as np
import pytest
from exact import CoefficientExcess
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import lif_rising, networks
from test_equivalence import EXAMPLES, PATIENT, everything, same, three_agree

import eventsnn as es
from eventsnn.coefficients import FAR, NEAR, closely, look, survey
from eventsnn.models import lif_coefficients
from eventsnn.models.lif_coefficients import advance, next_spike, receive, roll, value

mp.mp.prec = 240
inf, U = float("inf"), 2.0**-53
taus = st.one_of(st.sampled_from([1.0, 2.0, 5.0, 10.0, 20.0]), st.floats(0.3, 60.0))


def node(tau_m=10.0, tau_syn=(2.0,), tau_w=(), delta=False, **attributes):
    """A lif node's attributes, resting at 0; with delta, one more receptor."""
    spiked = {"tau_w": list(tau_w), "b_w": [1.0] * len(tau_w)} if tau_w else {}
    return {"model": "lif", "tau_m": tau_m, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 10.0, "tau_refrac": 1.0,
            "synapse": ["exp"] * len(tau_syn) + ["delta"] * delta, "tau_syn": [*tau_syn] + [None] * delta,
            **spiked, **attributes}


def network(**attributes):
    g = nx.MultiDiGraph()
    g.add_node("n", **node(**attributes))
    return es.compile(g)


def dynamics(**attributes):
    return network(**attributes).groups[0].dynamics.name


def loose(record):
    return SimpleNamespace(**{name: value.tolist() if isinstance(value, np.ndarray) else value.item()
                              for name, value in ((name, record[name]) for name in record.dtype.names)})


def neuron(tau_m, channels, t=0.0, v=0.0, theta=10.0, r_i=0.0):
    """Records at t, after currents (tau, R i) were set at once, and alpha currents (tau, R w, R i) of weight w,
    beginning at i."""
    kinds = ["alpha" if len(channel) == 3 else "exp" for channel in channels]
    group = network(tau_m=tau_m, cm=tau_m, tau_syn=[channel[0] for channel in channels], synapse=kinds, v_thresh=theta,
                    v_init=v, i_offset=r_i).groups[0]
    p, s = loose(group.params[0]), loose(group.state[0])
    s.safe, s.a = inf, 0.0                                        # at rest until t
    advance(p, s, t)
    s.a = (v - s.v_inf) * lif_coefficients.growth(t, s.epoch, p.tau, p.tau)
    receive(p, s, t, [channel[1] for channel in channels])
    for j, (tau, *rest) in enumerate(channels):
        if len(rest) == 2:
            s.b[p.pair[j]] += rest[1] * p.gain[j] * lif_coefficients.growth(t, s.epoch, p.tau, tau)
            s.a -= rest[1] * p.gain[j] * lif_coefficients.growth(t, s.epoch, p.tau, p.tau)
    s.safe = t
    return p, s


def apart(tau_m, channels):
    return all(tau_m <= 100 * tau and abs(tau - tau_m) > max(tau, tau_m) / (4 if rest[1:] else 8)
               for tau, *rest in channels)


begins = st.sampled_from([0.0, 0.0, 3.7, 31.7, 1234.5])
early = st.sampled_from([0.0, 0.3, 17.0])


@st.composite
def neurons(draw, begin=begins):
    """One to three channels of either kind and sign, from V below theta at some time."""
    tau, size = draw(taus), st.floats(-120.0, 120.0)
    kind = st.one_of(st.tuples(taus, size), st.tuples(taus, size, st.one_of(st.just(0.0), size)))
    channels = draw(st.lists(kind, min_size=1, max_size=3))
    assume(apart(tau, channels))
    return neuron(tau, channels, draw(begin), 10.0 - draw(st.floats(1e-12, 15.0)), 10.0, draw(st.floats(-15.0, 15.0)))


def attainable(p, s, t, x):
    """How exactly rounding lets a crossing at t + x be known, a few epochs later too."""
    at = twin(s)
    roll(p, at, t + x)
    seen = look(p, t + x, at.epoch, at.a, at.b, at.v_inf)
    ends = at.epoch - s.epoch
    band = seen[5] * (1 + ends) + ends * math.ulp(t + x) * (seen[6] / (12 * U))
    return min(band / abs(seen[1] or 1e-300), math.sqrt(2 * band / abs(seen[2] or 1e-300))) * 4 + 2 * math.ulp(t + x)


def twin(s):
    return SimpleNamespace(**{**vars(s), "b": list(s.b)})


def decided_right(p, s, until):
    """The search and the complete reference agree on the time from s.t on; whether there is a crossing."""
    t, f = s.t, CoefficientExcess(p, s, s.t)
    with mp.workprec(exact.BITS):
        if f(0)[1] <= 0 <= f(0)[0]:
            return None                                           # rounding put the start above theta
        true = exact.search(f, until) if f(0)[0] < 0 else mp.mpf(0)
    mine = twin(s)
    spike = next_spike(p, mine, t + until)
    assert mine.doubtful == 0
    if true is None:
        assert spike > t + until
    elif spike > t + until:
        assert true > until - attainable(p, s, t, until)
    else:
        assert abs(spike - t - true) <= attainable(p, s, t, float(true))
    return true is not None


# ---------------------------------------------------------------------------------------------------- decisions
@settings(max_examples=200, deadline=None)
@given(neurons())
def test_the_first_crossing_is_neither_missed_nor_false(problem):
    decided_right(*problem, 120.0)


@settings(max_examples=80, deadline=None)
@given(neurons(), st.lists(st.floats(0.0, 1.0), max_size=12))
def test_the_time_does_not_depend_on_the_horizons_asked(problem, cuts):
    p, s = problem
    whole, parts = twin(s), twin(s)
    spike = next_spike(p, whole, s.t + 120.0)
    for cut in sorted(cuts):
        horizon = s.t + 120.0 * cut
        soon = next_spike(p, parts, horizon)
        assert soon > horizon or soon == spike
        if soon <= horizon:
            break
    assert next_spike(p, parts, s.t + 120.0) == spike


@settings(max_examples=80, deadline=None)
@given(neurons())
def test_the_wait_after_an_arrival_ends_before_the_crossing(problem):
    p, s = problem
    t = s.t
    before = twin(s)
    before.b = list(s.b)
    lif_coefficients.foresee(p, before, t, False)
    spike = next_spike(p, twin(s), t + 300.0)
    if spike <= t + 300.0:
        assert t <= before.safe <= spike + attainable(p, s, t, spike - t)
        again = next_spike(p, before, t + 300.0)
        assert abs(again - spike) <= 2 * attainable(p, s, t, spike - t)


def summit(p, s, until):
    """Where F is largest in (s.t, until), and F there, in 400 bits."""
    f = CoefficientExcess(p, s, s.t)
    grid = np.linspace(0.0, until, 1500)
    parts = [(float(c), float(d), float(rate)) for rate, (c, d, _) in f.terms.items()]
    values = sum((c + d * grid) * np.exp(-rate * grid) for c, d, rate in parts)
    k = int(np.argmax(values))
    if not 0 < k < len(grid) - 1:
        return None
    with mp.workprec(exact.BITS):
        low, high = mp.mpf(float(grid[k - 1])), mp.mpf(float(grid[k + 1]))
        if not f(low)[1] > 0 > f(high)[1]:
            return None
        x = exact.zero_between(f, low, high, 1)
        return float(x), f(x)[0]


def graze(p, s, shift):
    """Put theta where shift says, given the exact peak, and begin in the peak's own epoch; what decides is exact."""
    top = summit(p, s, 5.0 * p.tau)
    if top is None:
        return None
    roll(p, s, s.t + top[0])
    s.t = max(s.t, s.epoch * p.tau)
    s.safe = s.t
    top = summit(p, s, 3.0 * p.tau)
    if top is None or s.t + top[0] > (s.epoch + 1) * p.tau:
        return None
    theta = shift(top[1] + mp.mpf(p.theta))
    p.theta = float(theta)
    if p.theta <= s.v_inf or CoefficientExcess(p, s, s.t)(0)[0] >= -1e-12:
        return None
    return decided_right(p, s, (s.epoch + 1) * p.tau - s.t)


@settings(max_examples=120, deadline=None)
@given(neurons(early), st.integers(-3, 3))
def test_a_graze_by_the_last_bit_of_the_threshold_is_decided_right(problem, ulps):
    """theta is the double next to the exact peak, or up to three doubles off."""

    def shift(peak):
        theta = float(peak)
        for _ in range(abs(ulps)):
            theta = math.nextafter(theta, math.copysign(inf, ulps))
        return theta

    graze(*problem, shift)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("channels", [[(2.0, 40.0)], [(5.0, 30.0), (2.0, -40.0)], [(30.0, 15.0)], [(2.0, 25.0, 0.0)],
                                      [(5.0, 30.0, 0.0), (2.0, -20.0, -5.0)], [(30.0, 15.0, 0.0), (3.0, -5.0)]])
def test_grazing_from_1e_3_to_1e_16_of_the_threshold(channels, sign):
    for k in range(3, 17):
        p, s = neuron(10.0, channels, 20.3, 2.0, 15.0, 1.0)
        over = graze(p, s, lambda peak, k=k: peak * (1 - sign * mp.mpf(10) ** -k))
        assert over in ((sign > 0), None) or k == 16
        assert over is not None


# ---------------------------------------------------------------------------------------------------- the asymptote
@pytest.mark.parametrize("tau", [5.0, 20.0])
@pytest.mark.parametrize("rise", [0, 1])
@pytest.mark.parametrize("channels", [[1.0, -1.01], [-30.0], [0.3, -40.0]])
def test_an_approach_to_the_threshold_that_never_ends_is_silence_soon_known(tau, channels, rise):
    """R I = theta exactly, from below, while excitatory and larger inhibitory currents fade, or rise and fade."""
    taus = [tau, 2.0 * tau] if tau > 10 else [tau, 2.0]
    p, s = neuron(10.0, [(ts, i, 0.0)[:2 + rise] for ts, i in zip(taus, channels, strict=False)], 3.0, 0.0, 15.0, 15.0)
    looks = 0
    while s.safe < inf and looks < 2000:
        before = s.safe
        after = next_spike(p, s, before)
        assert after > before
        looks += 1
    with mp.workprec(exact.BITS):
        true = exact.search(CoefficientExcess(p, s, s.t), 600.0)
    assert (s.safe == inf) == (true is None)


@pytest.mark.parametrize("sums", [[-1.0, 0.0], [-1e-300, 0.0], [1.0, -2.0], [1e-9, -2e-9]])
def test_a_membrane_settled_at_its_threshold_stays_silent_under_inhibition(sums):
    """R I = theta exactly: only what wins over the inhibition can lift V above it."""
    p, s = neuron(10.0, [(5.0, 0.0), (7.0, 0.0)], 0.0, 0.0, 15.0, 15.0)
    assert next_spike(p, s, 499.0) > 499.0
    receive(p, s, 500.0, sums)
    assert next_spike(p, s, 2000.0) > 2000.0


# ---------------------------------------------------------------------------------------------------- what it rests on
@settings(max_examples=120, deadline=None)
@given(neurons(), st.floats(0.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.0, 1.0))
def test_the_bounds_of_the_search_hold(problem, where, aside, ahead):
    p, s = problem
    f = CoefficientExcess(p, s, s.t)
    end = min(next_spike(p, twin(s), s.t + 80.0), (s.epoch + 1) * p.tau) - s.t
    x = max(end, 0.0) * where
    t = s.t + x
    x = t - s.t
    d, slope, curve, bound, _, blur, haze, k, sure, never = look(p, t, s.epoch, s.a, s.b, s.v_inf)
    f0, f1, f2 = f(mp.mpf(t) - s.t)
    assert abs(-d - f0) <= blur
    assert abs(slope - f1) <= haze
    assert abs(curve - f2) <= 1e-9 * k + 1e-12
    y = max(x + aside * abs(curve) / k, 0.0)
    assert abs(f(y)[2] - f2) <= k * abs(y - x) * (1 + 1e-9) + 1e-12
    y = x + (end - x) * ahead**3
    assert f(y)[1] - f1 <= bound * (y - x) * (1 + 1e-9) + 2 * haze
    if never:
        assert f(x + 100.0 * ahead)[0] <= blur
    elif d > blur:
        assert f(x + sure * ahead)[0] <= 0


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([5.0, 10.0, 20.0]), taus, st.tuples(st.floats(-9.0, 9.0), st.floats(-9.0, 9.0)),
       st.floats(0.0, 1.0))
def test_what_an_alpha_current_comes_to_is_bounded_closely(tau, ts, parts, late):
    """Its value now, or a weight that arrives, of either sign: for ever, and within the spans of `wait`."""
    assume(apart(tau, [(ts, 1.0, 0.0)]))
    t = late * tau
    p, s = neuron(tau, [(ts, parts[1], parts[0])], t)
    now, grow = parts[0], parts[1] * math.e
    _, up, soon, later, size = survey(p, t, s.epoch, s.b, 10.0)
    slack = 300 * U * size
    for bound, end, close in ((up, 8.0 * ts, 1.2), (up + soon, NEAR * tau, 1.5), (up + later, FAR * tau, 1.5)):
        z = np.linspace(0.0, end, 4000) / ts
        most = float(np.max((now + grow * z) * np.exp(-z)))
        assert most <= bound + slack
        if now >= 0.0:
            assert bound <= close * most + slack
    assert soon <= later + slack


@settings(max_examples=60, deadline=None)
@given(st.floats(100.0, 1000.0), st.floats(12.0, 20.0, exclude_max=True))
def test_the_rounding_of_a_fast_alpha_current_late_in_an_epoch_is_bounded(weight, t):
    """There b and c y cancel by a factor of 66."""
    p, s = neuron(20.0, [(0.3, weight, 0.0)], t)
    d, slope, *_, blur, haze, _, _, _ = look(p, t, s.epoch, s.a, s.b, s.v_inf)
    f0, f1, _ = CoefficientExcess(p, s, t)(0)
    assert abs(-d - f0) <= blur
    assert abs(slope - f1) <= haze


@settings(max_examples=60, deadline=None)
@given(neurons(), st.floats(0.0, 1.0))
def test_the_double_double_twin_has_98_bits(problem, part):
    p, s = problem
    t = s.t + part * ((s.epoch + 1) * p.tau - s.t)
    true, true_slope, _ = CoefficientExcess(p, s, s.t)(mp.mpf(t) - s.t)
    seen = look(p, t, s.epoch, s.a, s.b, s.v_inf)
    over, slope = closely(p, t, s.epoch, s.a, s.b, s.v_inf)
    assert abs(mp.mpf(over[0]) + mp.mpf(over[1]) - true) <= mp.mpf(2) ** -45 * seen[5]
    assert abs(mp.mpf(slope[0]) + mp.mpf(slope[1]) - true_slope) <= mp.mpf(2) ** -45 * seen[6]


@settings(max_examples=60, deadline=None)
@given(neurons(early), st.floats(0.0, 60.0))
def test_potential_and_currents_obey_the_membrane_equation(problem, x):
    """V against 1.2 of the law: what was set at s.t, in closed form."""
    p, s = problem
    p.theta = inf
    v0, currents = value(p, s, s.t, 0), [value(p, s, s.t, 2 + j) for j in range(len(p.tau_c))]
    m = 1 / mp.mpf(p.tau)
    v = p.i_offset + (v0 - mp.mpf(p.i_offset)) * mp.exp(-m * x)
    for j, i in enumerate(currents):
        k = (p.pair[j] - len(p.tau_c)) // 2
        g = 1 / mp.mpf(p.tau_c[j] or p.tau_r[k])
        steep = 0.0 if p.tau_c[j] else s.b[p.pair[j] + 1] / (p.gain[j] * mp.exp((s.t - s.epoch * p.tau) * g))
        own, rise = mp.exp(-m * x), mp.exp(-g * x)
        v += i * m * (own - rise) / (g - m) + steep * m * (own - (1 + (g - m) * x) * rise) / (g - m)**2
        assert abs(value(p, s, s.t + x, 2 + j) - (i + steep * x) * rise) < 1e-12 * (1 + abs(i) + abs(steep) * p.tau)
    assert abs(value(p, s, s.t + x, 0) - v) < 1e-10


# ---------------------------------------------------------------------------------------------------- who is kept so
def test_parameters_alone_decide_who_is_kept_as_coefficients():
    assert dynamics() == dynamics(delta=True) == dynamics(tau_syn=[2.0, 5.0]) == dynamics(tau_w=[100.0]) \
        == dynamics(v_thresh=inf) == dynamics(tau_m=100.0, tau_syn=[1.0]) == dynamics(tau_syn=[2.0, 2.0]) \
        == dynamics(tau_w=[2.0]) == dynamics(synapse=["alpha"]) == dynamics(tau_syn=[8.0]) == "lif/coefficients"
    for other in (dict(tau_m=inf), dict(tau_syn=[9.0]), dict(tau_syn=[2.0, 9.0]), dict(tau_syn=[0.09]),
                  dict(tau_w=[9.0]), dict(tau_th=[3.0], b_th=[1.0]), dict(synapse=["alpha"], tau_syn=[8.0])):
        assert dynamics(**other) == "lif/linear"
    assert dynamics(tau_syn=[], delta=True) == "lif/scaled"


@pytest.mark.parametrize("reset", ["value", "subtract"])
@pytest.mark.parametrize("jump", [10.0, -4.0])
def test_three_engines_agree_on_a_bursting_network_over_many_epochs(reset, jump):
    g = nx.MultiDiGraph()
    refrac = 0.0 if reset == "subtract" else 1.5
    g.add_node("n", size=6, **{**node(tau_m=2.0, tau_syn=[0.5, 5.0], tau_w=[30.0], delta=True, i_offset=2.5, cm=0.5,
                                      reset=reset, tau_refrac=refrac), "v_init": [0.0, 10.0, 3.0, 9.0, -20.0, 9.99999]})
    g.add_node("in", model="poisson", size=6, rate=400.0)
    for receptor, weight in ((0, 9.0), (1, -2.0), (2, jump)):
        g.add_edge("in", "n", rule="all_to_all", receptor=receptor, weight=weight, delay=0.5 + receptor)
    g.add_edge("n", "n", rule="all_to_all", receptor=1, weight=-0.5, delay=1.0)
    g.add_node("stairs", model="steps", times=[20.0, 40.0], amplitudes=[-4.0, 1.0])
    g.add_edge("stairs", "n")
    net = es.compile(g)
    assert net.groups[0].dynamics.name == "lif/coefficients"
    three_agree(net, 80.0)


@settings(max_examples=max(EXAMPLES // 3, 5), **PATIENT)
@given(networks(kinds=(lif_rising,)))
def test_alpha_currents_among_all_others_are_the_specification(graph):
    """In plain Python; kernel/moving.py's, compiled too, are in test_pieces.py, one neuron's in test_oracle.py."""
    network = es.compile(graph, seed=1)
    assert {group.dynamics.name for group in network.groups} == {"lif/coefficients"}
    same(*(es.simulate(network, 15.0, backend=b, record=everything(network), record_at=0.75)
           for b in ("python", "simpy")))


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
@pytest.mark.parametrize("when", [0.0, 0.1, 1 / 3, 7.7, 19.99, 20.0, 123.456])
def test_twenty_jumps_of_1_mv_reach_a_threshold_of_20_mv_exactly(backend, when):
    g = nx.MultiDiGraph()
    g.add_node("n", **{**node(tau_m=20.0, delta=True, v_thresh=20.0), "v_reset": 0.0})
    g.add_node("in", model="spikes", size=20, times=[[when]] * 20)
    g.add_edge("in", "n", weight=1.0, delay=1.0, receptor=1)
    net = es.compile(g)
    assert es.simulate(net, when + 5.0, backend=backend).spikes.time.tolist() == [when + 1.0]
    assert len(es.simulate(net, when + 5.0, inputs={"in": [[when]] * 19 + [[]]}, backend=backend).spikes) == 0
