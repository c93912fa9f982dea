"""The first crossing is never missed and never false, against multi-precision; the closest grazes are decided right."""

import math
from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsnn.crossing import first_crossing
from eventsnn.doubledouble import divide, exp, phi1, two_sum
from eventsnn.linear import excess, potential

mp.mp.prec = 240
inf = float("inf")


def problem(tau, theta, v, drive, channels, cm=1.0):
    """The records of one membrane: channels are (tau_syn, current)."""
    p = SimpleNamespace(tau=tau, cm=cm, theta=theta, tau_syn=[ts for ts, _ in channels])
    return p, SimpleNamespace(t=0.0, v=v, drive=drive, i=[i for _, i in channels])


def exact(p, s, x):
    """V(x) - theta in 240 bits, by the textbook formula."""
    x, tau = mp.mpf(x), mp.mpf(p.tau) if p.tau < inf else None
    m = 1 / tau if tau else mp.mpf(0)
    v = s.v * mp.exp(-m * x) + (s.drive / mp.mpf(p.cm)) * ((1 - mp.exp(-m * x)) / m if m else x)
    for ts, i in zip(p.tau_syn, s.i, strict=True):
        g = 1 / mp.mpf(ts)
        v += (i / mp.mpf(p.cm)) * (x * mp.exp(-m * x) if g == m else (mp.exp(-m * x) - mp.exp(-g * x)) / (g - m))
    return v - p.theta


def peak(p, s, low, high):
    """The maximum of V - theta next to the middle of [low, high], by Newton's method on V'."""
    m, c = 1 / mp.mpf(p.tau) if p.tau < inf else mp.mpf(0), mp.mpf(p.cm)
    x = mp.mpf(low + high) / 2
    for _ in range(9):
        currents = [(1 / mp.mpf(ts), i * mp.exp(-x / ts)) for ts, i in zip(p.tau_syn, s.i, strict=True)]
        slope = -m * (exact(p, s, x) + p.theta) + (s.drive + sum(i for _, i in currents)) / c
        x -= slope / (-m * slope - sum(g * i for g, i in currents) / c)
    return exact(p, s, x)


taus = st.one_of(
    st.sampled_from([1.0, 2.0, 5.0, 10.0, 20.0, 10.0 * (1 + 2**-30), 10.0 * (1 + 2**-50)]), st.floats(0.3, 60.0)
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(taus, st.just(inf)),
    st.lists(st.tuples(taus, st.floats(-20.0, 20.0)), min_size=1, max_size=3),
    st.floats(-20.0, 9.9),
    st.floats(-2.0, 2.0),
)
def test_the_first_crossing_is_neither_missed_nor_false(tau, channels, v, drive):
    p, s = problem(tau, 10.0, v, drive, channels)
    until = 200.0
    t, _, _ = first_crossing(p, s, 0.0, until)
    grid = np.linspace(0.0, until, 4001)
    values = np.array([potential(p, s, x) for x in grid]) - p.theta
    above = np.flatnonzero(values > 1e-9)
    if t > until:
        if len(above):
            assert exact(p, s, grid[above[0]]) < 0
        k = int(np.argmax(values))
        if values[k] > -0.05 and 0 < k < 4000:
            assert peak(p, s, grid[k - 1], grid[k + 1]) < 0
    else:
        assert abs(exact(p, s, t)) < 1e-11 * (1 + max(abs(i) for _, i in channels)) * 10
        assert not len(above) or t <= grid[above[0]]
        before = grid[grid < t * (1 - 1e-6)]
        assert all(potential(p, s, x) < p.theta for x in before)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([5.0, 10.0, 10.0 * (1 + 2**-40), 25.0, inf]),
    st.floats(1.0, 8.0),
    st.floats(3.0, 12.0),
    st.floats(-4.0, 0.0),
    st.integers(-3, 3),
)
def test_a_graze_by_the_last_bit_of_the_threshold_is_decided_right(tau, ts, current, drive, ulps):
    """theta is the double next to the exact peak, or up to three doubles off: above it silence, below a spike."""
    p, s = problem(tau, 0.0, 0.0, drive - 0.5, [(ts, current)])
    grid = np.linspace(0.0, 60.0, 1201)
    k = int(np.argmax([potential(p, s, x) for x in grid]))
    if not 0 < k < 1200:
        return
    top = peak(p, s, grid[k - 1], grid[k + 1])
    theta = float(top)
    for _ in range(abs(ulps)):
        theta = math.nextafter(theta, inf if ulps > 0 else -inf)
    if theta <= 0.0:
        return
    p.theta = theta
    t, _, ambiguous = first_crossing(p, s, 0.0, 1000.0)
    assert not ambiguous
    assert (t <= 1000.0) == (top >= theta)


@pytest.mark.parametrize("k", range(3, 17))
@pytest.mark.parametrize("sign", [1, -1])
def test_grazing_from_1e_3_to_1e_16_of_the_threshold(k, sign):
    p, s = problem(10.0, 15.0, 5.0, 100.0, [(2.0, 1930.0)], cm=250.0)
    low, high = mp.mpf(1900), mp.mpf(1960)
    for _ in range(70):  # the current whose peak is theta (1 + sign 10^-k)
        s.i = [(low + high) / 2]
        low, high = (s.i[0], high) if peak(p, s, 3.8, 4.0) < sign * mp.mpf(10) ** -k * 15 else (low, s.i[0])
    s.i = [float(low)]
    assert (first_crossing(p, s, 0.0, 100.0)[0] <= 100.0) == (peak(p, s, 3.8, 4.0) >= 0)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(0.1, 40.0), st.lists(st.tuples(taus, st.floats(-9.0, 9.0)), min_size=1, max_size=2), st.floats(0.5, 100.0)
)
def test_the_time_does_not_depend_on_the_horizon(theta, channels, horizon):
    p, s = problem(10.0, theta, theta - 0.1, 0.5, channels)
    t, _, _ = first_crossing(p, s, 0.0, 1000.0)
    sooner, stands, _ = first_crossing(p, s, 0.0, horizon)
    assert first_crossing(p, s, stands, 1000.0)[0] == t
    assert sooner == t if t <= horizon else horizon < sooner <= t


@settings(max_examples=100, deadline=None)
@given(st.floats(-300.0, -1e-9), st.floats(-1.0, 1.0))
def test_double_double_functions_have_94_bits(x, part):
    number = two_sum(x, x * part * 2.0**-54)
    value = mp.mpf(number[0]) + mp.mpf(number[1])
    for mine, true in (
        (exp(number), mp.exp(value)),
        (phi1(number), mp.expm1(value) / value),
        (divide(number, (3.0, 0.0)), value / 3),
    ):
        assert abs((mp.mpf(mine[0]) + mp.mpf(mine[1])) / true - 1) < mp.mpf(2) ** -94


@settings(max_examples=60, deadline=None)
@given(st.one_of(taus, st.just(inf)), taus, st.floats(0.01, 80.0))
def test_the_potential_is_accurate_and_its_double_double_twin_more_so(tau, ts, x):
    p, s = problem(tau, 10.0, -3.0, 0.75, [(ts, 4.0)])
    true = exact(p, s, x)
    assert abs(potential(p, s, x) - 10.0 - true) < 62 * 2.0**-53 * (13 + 4.75 * min(x, 80.0))
    over = excess(p, s, x)
    assert abs(mp.mpf(over[0]) + mp.mpf(over[1]) - true) < mp.mpf(2) ** -90 * 400
