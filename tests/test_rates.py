"""Firing rates: the formulas against multi-precision and direct simulation, then networks against the formulas."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from eventsnn.scenarios import siegert
from mpmath import erfc, exp, mp, mpf, pi, quad, sqrt

from eventsnn import theory
from eventsnn.errors import Mistake

CELL = {"tau_m": 10.0, "v_thresh": 15.0, "v_reset": 0.0, "tau_refrac": 2.0}
ORACLE = json.loads((Path(__file__).parent / "golden" / "oracle.json").read_text())["statistics"]
# (rate in Hz, mean in mV) of excitation and inhibition, v_rest: jumps from a tenth of the threshold to well beyond it
SHOTS = [
    ((1000.0, 1.5), (0.0, 1.0), 0.0),
    ((50.0, 10.0), (0.0, 1.0), 0.0),
    ((300.0, 4.0), (100.0, 8.0), 3.0),
    ((20.0, 20.0), (20.0, 5.0), 0.0),
]


# ---------------------------------------------------------------------------------------------------- formulas
@pytest.mark.parametrize("case", ORACLE["siegert"], ids=lambda case: f"mu = {case['mu']}")
def test_siegert_rate_and_cv_are_the_oracles(case):
    sigma = case["sigma"] if "sigma" in case else math.sqrt(case["sigma2"])
    cell = {"tau_m": case["tau_m"], "v_thresh": case["theta"], "v_reset": case["V_r"], "tau_refrac": case["t_ref"]}
    assert theory.siegert_rate(case["mu"], sigma, **cell) == pytest.approx(case["rate_hz"], rel=1e-13)
    assert theory.siegert_cv(case["mu"], sigma, **cell) == pytest.approx(case["cv"], abs=2e-8)     # as it is given


@pytest.mark.parametrize(("mu", "sigma"), [(15.0, 1.2), (10.0, 0.5), (-50.0, 5.0), (20.0, 0.05), (15.001, 0.01),
                                           (15.0, 1e-3), (100.0, 3.0), (14.9, 5000.0), (1.0, 14.9)])
def test_siegert_rate_keeps_its_digits_everywhere(mu, sigma):
    with mp.workdps(30):
        low, high = (mpf(0) - mu) / mpf(sigma), (mpf(15) - mu) / mpf(sigma)
        inner = [x for x in (*map(mpf, (-300, -30, -5, -1, 0)), high - 1, high - mpf(0.1)) if low < x < high]
        exact = 1000 / (2 + 10 * sqrt(pi) * quad(lambda x: exp(x * x) * erfc(-x), [low, *sorted(inner), high]))
    assert theory.siegert_rate(mu, sigma, **CELL) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize(("mu", "sigma", "cv"), [(15.0, 3.0, 0.39347908026150413), (10.0, 5.0, 0.72488019013068105),
                                                 (5.0, 4.0, 0.99377658481006092)])
def test_siegert_cv_is_brunels_double_integral(mu, sigma, cv):
    """As mpmath's nested quad has it, with 25 digits; that takes it a minute."""
    assert theory.siegert_cv(mu, sigma, **CELL) == pytest.approx(cv, rel=1e-13)


def test_a_constant_drive_has_its_closed_form():
    case = ORACLE["fI_closed_form"]
    assert theory.constant_rate(40.0, **CELL) == pytest.approx(case["rate_hz"], rel=1e-15)
    assert theory.constant_rate(15.0, **CELL) == 0.0
    assert theory.siegert_rate(22.5, 0.0, **CELL) == theory.constant_rate(22.5, **CELL)
    assert theory.siegert_rate(22.5, 1e-9, **CELL) == pytest.approx(theory.constant_rate(22.5, **CELL), rel=1e-9)


def test_extreme_arguments_give_numbers_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert theory.siegert_rate(-1e6, 1.0, **CELL) == 0.0
        assert theory.siegert_cv(-1e6, 1.0, **CELL) == 1.0
        assert theory.siegert_rate(20.0, 1e-320, **CELL) == theory.constant_rate(20.0, **CELL)
        assert theory.siegert_cv(22.5, 1e-9, **CELL) == pytest.approx(6.8449136e-11, rel=1e-6)
        assert theory.shot_noise_rate((1.0, 1e-3), v_rest=0.0, **CELL) == 0.0
        assert theory.shot_noise_rate((0.0, 1.0), v_rest=0.0, **CELL) == 0.0


def test_shot_noise_becomes_white_noise_as_the_jumps_shrink():
    for mu, variance in ((15.0, 1.5), (10.0, 50.0), (5.0, 30.0)):
        limit = theory.siegert_rate(mu, variance**0.5, **CELL)
        bias = []
        for mean in (1e-3, 1e-4):
            up, down = siegert.streams(mu, variance, mean, 2.0)
            bias.append(theory.shot_noise_rate((up, mean), (down, mean), v_rest=0.0, **CELL) / limit - 1.0)
        assert abs(bias[1]) < 1e-4
        assert bias[0] / bias[1] == pytest.approx(10.0, rel=0.02)


def test_mu_and_sigma_of_poisson_inputs_add_up():
    mu, sigma = theory.diffusion([(1000.0, 2.0), (500.0, -1.0)], 10.0)
    assert (mu, sigma**2) == (pytest.approx(15.0), pytest.approx(45.0))


@pytest.mark.parametrize(("excitation", "inhibition", "v_rest"), SHOTS)
def test_shot_noise_rate_is_that_of_a_direct_simulation(excitation, inhibition, v_rest):
    """Jump by jump in numpy, exponentially distributed as they are: nothing of the simulator is in it."""
    rng, n, steps = np.random.default_rng(1), 2000, 3000
    often = (excitation[0] + inhibition[0]) / 1000.0
    v, t, release, counts = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for step in range(steps):
        if step == 500:
            began, counts = t.copy(), np.zeros(n)
        before, t = t, t + rng.exponential(1.0 / often, n)
        v = v_rest + (v - v_rest) * np.exp(-np.maximum(t - np.maximum(before, release), 0.0) / CELL["tau_m"])
        up = rng.random(n) < excitation[0] / 1000.0 / often
        v = v + np.where(t < release, 0.0, rng.exponential(1.0, n) * np.where(up, excitation[1], -inhibition[1]))
        fired = v >= CELL["v_thresh"]
        counts += fired
        v[fired], release[fired] = CELL["v_reset"], t[fired] + CELL["tau_refrac"]
    seconds = (t - began) / 1000.0
    exact, rate = theory.shot_noise_rate(excitation, inhibition, v_rest=v_rest, **CELL), counts.sum() / seconds.sum()
    error = np.std(counts - rate * seconds, ddof=1) * math.sqrt(n) / seconds.sum()
    assert error < 0.004 * exact
    assert abs(rate - exact) < 3.0 * error


def test_what_no_formula_covers_is_refused():
    with pytest.raises(Mistake, match="drift over the threshold"):
        theory.shot_noise_rate((1.0, 1.0), v_rest=16.0, **CELL)
    with pytest.raises(Mistake, match="inhibition is"):
        theory.shot_noise_rate((1.0, 1.0), (1.0, -1.0), v_rest=0.0, **CELL)
    with pytest.raises(Mistake, match="must lie above v_reset"):
        theory.siegert_rate(1.0, 1.0, **{**CELL, "v_reset": 15.0})
    with pytest.raises(Mistake, match="tau_m must be > 0"):
        theory.siegert_cv(1.0, 1.0, **{**CELL, "tau_m": 0.0})


# ---------------------------------------------------------------------------------------------------- networks
def test_a_constant_current_fires_at_the_closed_form():
    steady = siegert.constant()
    assert steady["rate"] == pytest.approx(ORACLE["fI_closed_form"]["rate_hz"], rel=1e-13)


def test_small_jumps_fire_within_1_5_percent_of_siegert_and_the_bias_falls_with_them():
    large, middle, fine = rows = siegert.limit({0.1: (200, 4000.0), 0.05: (200, 2000.0), 0.02: (200, 1200.0)}, seed=1)
    assert large["theory"] == pytest.approx(27.1096, abs=1e-4)
    for row in rows:
        assert row["error"] < 0.006 * row["theory"]
        assert abs(siegert.off(row)) < 0.015
    assert abs(large["rate"] - 26.83) < 3.0 * large["error"]             # here excitation alone gives both moments
    assert siegert.off(large) < -2.0 * large["error"] / large["theory"]
    assert abs(siegert.off(fine)) < abs(siegert.off(large))
    assert middle["cv"] == pytest.approx(middle["cv_theory"], rel=0.03)


@pytest.mark.parametrize(("excitation", "inhibition", "v_rest"), SHOTS)
def test_exponential_jumps_fire_at_the_rate_of_richardson_and_swarbrick(excitation, inhibition, v_rest):
    n = 200
    inputs = [(excitation[0], siegert.exponential(excitation[1], n))]
    if inhibition[0]:
        inputs.append((inhibition[0], -siegert.exponential(inhibition[1], n)))
    exact = theory.shot_noise_rate(excitation, inhibition, v_rest=v_rest, **CELL)
    found = siegert.measure(inputs, n, 400_000.0 / exact, seed=1, v_rest=v_rest)
    assert found["error"] < 0.005 * exact
    assert abs(found["rate"] - exact) < 3.0 * found["error"]
