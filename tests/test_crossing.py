"""The first crossing is never missed and never false, against the complete reference; the closest grazes are decided
right; and what that rests on holds: the search's bounds, those of rounding, double-double, and the reference itself."""

import math

import exact
import mpmath as mp
import pytest
from exact import Excess, membrane
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsnn.crossing import first_crossing
from eventsnn.doubledouble import cosine, divide, exp, phi1, phi2, psi, scaled_turns, sine, two_product, two_sum
from eventsnn.linear import potential, tangent, threshold
from eventsnn.verdict import closely

mp.mp.prec = 240
inf, U = float("inf"), 2.0**-53

taus = st.one_of(
    st.sampled_from([1.0, 2.0, 5.0, 10.0, 20.0, 10.0 * (1 + 2**-20), 10.0 * (1 - 2**-35), 10.0 * (1 + 2**-50)]),
    st.floats(0.3, 60.0),
)
sizes = st.one_of(st.just(0.0), st.floats(-12.0, 12.0))


rises = st.one_of(st.just(0.0), st.floats(-6.0, 6.0))
below = st.floats(1e-17, 15.0)


@st.composite
def membranes(draw, margins=below):
    """One to four channels, exp and alpha, and often a ramp, one or two sines, a moving threshold."""
    channels = draw(st.lists(st.tuples(taus, sizes, rises), min_size=1, max_size=4))
    sines = draw(st.lists(st.tuples(st.sampled_from([0.5, 3.0, 17.0, 50.0, 333.0, 2000.0]), st.floats(-3.2, 3.2),
                                    st.floats(-4.0, 4.0)), max_size=2))
    steps = draw(st.lists(st.tuples(taus, st.floats(-9.0, 9.0)), max_size=2))
    t = draw(st.sampled_from([0.0, 0.0, 31.7, 1234.5]))
    theta = 10.0 + sum(h for _, h in steps)
    return membrane(tau=draw(st.one_of(taus, st.just(inf))), theta=10.0, drive=draw(st.floats(-1.5, 1.5)),
                    v=min(theta - draw(margins), math.nextafter(theta, -inf)),
                    channels=channels, cm=draw(st.sampled_from([1.0, 0.7])), sines=sines, steps=steps, t=t,
                    slope=draw(st.one_of(st.just(0.0), st.floats(-0.2, 0.2))), origin=t * 0.75)


def attainable(p, s, x):
    """How exactly rounding lets a crossing at x be known."""
    values = tangent(p, s, x)
    band = U * values[4]
    return min(band / abs(values[1] or 1e-300), math.sqrt(2 * band / abs(values[2] or 1e-300))) * 4 + 2 * math.ulp(x)


def decided_right(p, s, until):
    """The search and the reference agree."""
    t, x, ambiguous, _ = first_crossing(p, s, 0.0, s.t + until)
    true = exact.first_crossing(p, s, until)
    assert not ambiguous
    if true is None:
        assert t > s.t + until
    elif t > s.t + until:
        assert true > until - attainable(p, s, until)
    else:
        assert abs(x - true) <= attainable(p, s, float(true))
        assert t == s.t + x


# ---------------------------------------------------------------------------------------------------- decisions
@settings(max_examples=250, deadline=None)
@given(membranes())
def test_the_first_crossing_is_neither_missed_nor_false(problem):
    decided_right(*problem, 120.0)


@settings(max_examples=80, deadline=None)
@given(membranes(margins=st.floats(0.0, 1e-14)))
def test_a_start_within_rounding_of_the_threshold_is_no_crossing_and_hides_none(problem):
    p, s = problem
    t, x, _, looks = first_crossing(p, s, 0.0, s.t + 60.0)
    f = Excess(p, s)
    assert looks < 1000                                    # no crawling from double to double
    true = exact.first_crossing(p, s, 60.0)
    if true is None or true > 1e-9:                        # else it rises to it at once, within rounding
        assert f(0)[1] < 1e-12 or x < 1e-9
        if f(0)[1] < -1e-6:
            assert (t > s.t + 60.0) if true is None else abs(x - true) <= attainable(p, s, float(true))


FALLING = {
    "exp": dict(tau=10.0, drive=2.0, channels=[(2.0, -6.0)]),
    "integrator": dict(tau=inf, drive=2.0, channels=[(2.0, -6.0)]),
    "alpha": dict(tau=10.0, drive=1.0, channels=[(5.0, -1.0, 2.0)]),
    "sine": dict(tau=10.0, drive=1.0, sines=[(50.0, math.pi, 6.0)]),
    "ramp": dict(tau=10.0, drive=0.0, slope=0.2),
    "steps": dict(tau=10.0, drive=2.0, channels=[(4.0, -6.0)], steps=[(20.0, 3.0), (3.0, -1.0)]),
}


@pytest.mark.parametrize("name", FALLING)
@pytest.mark.parametrize("ulps", [1, 2, 5])
def test_who_falls_from_the_last_bits_below_the_threshold_comes_back(name, ulps):
    p, s = membrane(theta=15.0, v=0.0, **FALLING[name])
    s.v = threshold(p, s, 0.0)
    for _ in range(ulps):
        s.v = math.nextafter(s.v, -inf)
    assert exact.first_crossing(p, s, 300.0) > 1.0
    decided_right(p, s, 300.0)


def highest(p, s, until):
    """Where V - theta is greatest in the window, the closest that 4000 samples come, and its neighbours."""
    grid = [until * k / 4000 for k in range(4001)]
    values = [potential(p, s, x) - threshold(p, s, x) for x in grid]
    k = max(range(4001), key=values.__getitem__)
    return (grid[k - 1], grid[k + 1]) if 0 < k < 4000 else None


def summit(p, s, around):
    """The maximum of V - theta between two points, in 400 bits."""
    f = Excess(p, s)
    with mp.workprec(exact.BITS):
        low, high = map(mp.mpf, around)
        return f(exact.zero_between(f, low, high, 1))[0] if f(low)[1] > 0 > f(high)[1] else None


@settings(max_examples=100, deadline=None)
@given(membranes(), st.integers(-3, 3))
def test_a_graze_by_the_last_bit_of_the_threshold_is_decided_right(problem, ulps):
    """theta is the double next to the exact peak, or up to three doubles off: above it silence, below a spike."""
    p, s = problem
    around = highest(p, s, 60.0)
    top = around and summit(p, s, around)
    if top is None:
        return
    theta = float(top + p.theta)
    for _ in range(abs(ulps)):
        theta = math.nextafter(theta, math.copysign(inf, ulps))
    if abs(theta) < 1e-6 or s.v >= theta + sum(s.h):
        return
    p.theta = theta
    decided_right(p, s, 60.0)


GRAZES = {
    "exp": dict(tau=10.0, v=5.0, drive=0.4, channels=[(2.0, 7.7)]),
    "alpha": dict(tau=10.0, v=5.0, channels=[(2.0, 3.0, 4.0), (2.0, -1.0), (10.0, 0.5, 0.1)]),
    "degenerate": dict(tau=10.0, v=0.0, channels=[(10.0, 4.0), (10.0 * (1 + 2**-45), 0.0, 1.0)]),
    "ramp": dict(tau=10.0, v=5.0, drive=2.0, slope=-0.05),
    "sine": dict(tau=10.0, v=0.0, drive=1.0, sines=[(40.0, 0.3, 4.0)]),
    "fast": dict(tau=inf, v=0.0, drive=0.0, sines=[(2000.0, 0.3, 40.0)], channels=[(20.0, 0.5), (30.0, -0.5)]),
    "steps": dict(tau=10.0, v=0.0, drive=1.2, channels=[(5.0, 2.0)], steps=[(30.0, -6.0), (3.0, 9.0)]),
}


@pytest.mark.parametrize("name", GRAZES)
@pytest.mark.parametrize("sign", [1, -1])
def test_grazing_from_1e_3_to_1e_16_of_the_threshold(name, sign):
    p, s = membrane(theta=15.0, **GRAZES[name])
    peak = summit(p, s, highest(p, s, 60.0)) + p.theta
    for k in range(3, 17):
        p.theta = float(peak * (1 - sign * mp.mpf(10) ** -k))
        decided_right(p, s, 60.0)
        assert (first_crossing(p, s, 0.0, 60.0)[0] <= 60.0) == (peak >= p.theta)


def test_who_hardly_tops_its_asymptote_is_no_ambiguous_case():
    """A current that outlasts the membrane lifts V over R I = theta by less than rounding, for ever."""
    p, s = membrane(tau=2.0, theta=12.0, v=4.0, drive=6.0, channels=[(2.0, -6.8), (2.0, 1.8), (2.5, 0.01)])
    decided_right(p, s, 100.0)
    p.theta += 2e-15
    decided_right(p, s, 100.0)


@pytest.mark.parametrize("tau", [5.0, 10.0, 20.0])
def test_an_approach_to_the_threshold_that_never_ends_is_silence_soon_known(tau):
    """R I = theta exactly, from below, while an excitatory current and a larger inhibitory one fade together."""
    p, s = membrane(tau=10.0, theta=15.0, v=0.0, drive=1.5, channels=[(tau, 1.0), (tau, -1.01)])
    t, _, ambiguous, looks = first_crossing(p, s, 0.0, 3000.0)
    assert t == inf
    assert not ambiguous
    assert looks < 1000


@settings(max_examples=150, deadline=None)
@given(membranes(), st.floats(0.5, 100.0))
def test_the_time_does_not_depend_on_the_horizon(problem, horizon):
    p, s = problem
    t, _, _, _ = first_crossing(p, s, 0.0, s.t + 200.0)
    sooner, stands, _, _ = first_crossing(p, s, 0.0, s.t + horizon)
    if t <= s.t + horizon:
        assert sooner == t
    else:
        assert s.t + horizon < sooner <= max(t, sooner if t > s.t + 200.0 else 0.0)
        if sooner < inf:
            assert first_crossing(p, s, stands, s.t + 200.0)[0] == t


# ---------------------------------------------------------------------------------------------------- what it rests on
@settings(max_examples=200, deadline=None)
@given(membranes(), st.floats(0.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.0, 1.0))
def test_the_bounds_of_the_search_hold(problem, where, aside, ahead):
    """Up to the crossing: F' grows by M y at most, the envelope's too, F" moves by K y at most, theta stays in bounds,
    and the errors of F and F' are within those stated."""
    p, s = problem
    end = first_crossing(p, s, 0.0, s.t + 80.0)[1]
    x = min(end, 80.0) * where
    over, slope, curve, bound, blur, haze, k, _, above, below, soft, soft_slope, soft_bound, swings, _ = \
        tangent(p, s, x)
    f = Excess(p, s)
    f0, f1, f2 = f(x)
    w0, w1, _ = f.smooth(mp.mpf(x))
    slack = U * haze * 2
    assert abs(over - f0) <= U * blur
    assert abs(slope - f1) <= U * haze
    assert abs(soft - w0 - swings) <= U * blur
    assert abs(soft_slope - w1) <= slack
    assert abs(curve - f2) <= 1e-9 * k + 1e-12
    y = max(x + aside * abs(curve) / k, 0.0)
    assert abs(f(y)[2] - f2) <= k * abs(y - x) * (1 + 1e-9) + 1e-12
    y = x + (min(end, 80.0) - x) * ahead**3
    if not (s.slope < 0.0 and bound < 0.0 and y - x > p.tau):
        assert f(y)[1] - f1 <= bound * (y - x) + 1e-9 * abs(bound) * (y - x) + slack
    if not (s.slope < 0.0 and soft_bound < 0.0 and y - x > p.tau) and \
            all(f.smooth(mp.mpf(x + (y - x) * j / 40))[0] + swings <= 0 for j in range(41)):
        assert f.smooth(mp.mpf(y))[1] - w1 <= soft_bound * (y - x) + 1e-9 * abs(soft_bound) * (y - x) + slack
    assert p.theta - below - 1e-9 <= threshold(p, s, y) <= p.theta + above + 1e-9


@settings(max_examples=100, deadline=None)
@given(membranes(), st.floats(0.0, 80.0))
def test_the_potential_is_accurate_and_its_double_double_twin_more_so(problem, x):
    p, s = problem
    true, true_slope, _ = Excess(p, s)(x)
    _, _, _, _, blur, haze, *_ = tangent(p, s, x)
    assert abs(potential(p, s, x) - threshold(p, s, x) - true) <= U * blur
    over, slope = closely(p, s, x)
    assert abs(mp.mpf(over[0]) + mp.mpf(over[1]) - true) <= mp.mpf(2) ** -98 * blur
    assert abs(mp.mpf(slope[0]) + mp.mpf(slope[1]) - true_slope) <= mp.mpf(2) ** -98 * haze


@settings(max_examples=100, deadline=None)
@given(membranes(), st.floats(0.0, 80.0))
def test_the_reference_obeys_the_membrane_equation(problem, x):
    """V(0) = v and C V' = -C V / tau + I with I from the textbook: that is V."""
    p, s = problem
    with mp.workprec(exact.BITS):
        f, x = Excess(p, s), mp.mpf(x)
        current = s.drive + s.slope * (s.t - mp.mpf(s.origin) + x)
        current += sum((i + y * x) * mp.exp(-x / ts) for ts, i, y in zip(p.tau_c, s.i, s.y, strict=True))
        current += sum(a * mp.sin(2 * mp.pi * mp.mpf(f) * (s.t + x) / 1000 + q)
                       for a, f, q in zip(s.sine, p.frequency, p.phase, strict=True))
        theta = p.theta + sum(h * mp.exp(-x / ts) for h, ts in zip(s.h, p.tau_th, strict=True))
        moved = sum(-h / mp.mpf(ts) * mp.exp(-x / ts) for h, ts in zip(s.h, p.tau_th, strict=True))
        over, slope, _ = f(x)
        v = over + theta
        assert abs(f(0)[0] - (mp.mpf(s.v) - p.theta - mp.fsum(s.h))) < 1e-60
        assert abs(slope + moved - current / mp.mpf(p.cm) + (v / mp.mpf(p.tau) if p.tau < inf else 0)) < 1e-60
        assert abs((f(x + mp.mpf(2) ** -100)[0] - over) * mp.mpf(2) ** 100 - slope) < 1e-25
        assert abs((f(x + mp.mpf(2) ** -100)[1] - slope) * mp.mpf(2) ** 100 - f(x)[2]) < 1e-22


def test_the_reference_gives_the_closed_forms():
    """A constant current; tau_m = 2 tau_s (a quadratic in e^{-x/tau_m}); a ramp (Lambert's W); a sine, integrated."""
    mp_ = mp.mpf
    cases = [
        (membrane(tau=20.0, theta=15.0, v=2.0, drive=1.0), 20 * mp.log(mp_(18) / 5)),
        (membrane(tau=10.0, theta=5.0, v=0.0, channels=[(5.0, 3.0)]), -10 * mp.log((1 + mp.sqrt(mp_(1) / 3)) / 2)),
        (membrane(tau=10.0, theta=15.0, v=0.0, drive=0.0, slope=0.25),
         16 + 10 * mp.lambertw(-mp.exp(mp_(-16) / 10)).real),
        (membrane(tau=inf, theta=2.0, v=0.0, sines=[(125.0, 0.0, 1.0)]),
         mp.acos(1 - 2 * mp.pi / 4) * 4 / mp.pi),
    ]
    for (p, s), true in cases:
        assert abs(exact.first_crossing(p, s, 300.0) / true - 1) < mp_(10) ** -40
        decided_right(p, s, 300.0)


@settings(max_examples=150, deadline=None)
@given(st.floats(-300.0, -1e-9), st.floats(-1.0, 1.0))
def test_double_double_functions_have_94_bits(x, part):
    number = two_sum(x, x * part * 2.0**-54)
    minus = (-number[0], -number[1])
    with mp.workprec(700):
        value = mp.mpf(number[0]) + mp.mpf(number[1])
        for mine, true in (
            (exp(number), mp.exp(value)),
            (phi1(number), mp.expm1(value) / value),
            (phi2(number), (mp.expm1(value) - value) / value**2),
            (psi(minus), (1 - (1 - value) * mp.exp(value)) / value**2),
            (divide(number, (3.0, 0.0)), value / 3),
        ):
            assert abs((mp.mpf(mine[0]) + mp.mpf(mine[1])) / true - 1) < mp.mpf(2) ** -94


@settings(max_examples=150, deadline=None)
@given(st.floats(-20.0, 20.0), st.floats(-1.0, 1.0), st.floats(0.1, 2000.0), st.floats(1e-6, 1e6))
def test_double_double_sines_and_turns_have_98_bits(x, part, frequency, t):
    number = two_sum(x, x * part * 2.0**-54)
    value = mp.mpf(number[0]) + mp.mpf(number[1])
    for mine, true in ((sine(number), mp.sin(value)), (cosine(number), mp.cos(value))):
        assert abs(mp.mpf(mine[0]) + mp.mpf(mine[1]) - true) < mp.mpf(2) ** -98
    mine = scaled_turns(frequency, t)
    off = mp.mpf(mine[0]) + mp.mpf(mine[1]) - mp.mpf(frequency) * mp.mpf(t) / 1000
    assert abs(off - mp.nint(off)) < mp.mpf(2) ** -104
    product = two_product(frequency, t)
    assert mp.mpf(product[0]) + mp.mpf(product[1]) == mp.mpf(frequency) * mp.mpf(t)
