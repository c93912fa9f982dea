"""Statistics of spikes against their textbook formulas."""

import warnings

import numpy as np
import pytest

from eventsnn.errors import Mistake
from eventsnn.spikes import Spikes
from eventsnn.statistics import activity, correlation, cv, ks, lv, rate, statistics


def network(*trains):
    rows = [(t, n) for n, train in enumerate(trains) for t in train]
    return Spikes.make([t for t, _ in rows], [n for _, n in rows], [("p", 0, len(trains))])


def poisson(rng, neurons, spikes, until):
    return Spikes.make(rng.uniform(0.0, until, spikes), rng.integers(0, neurons, spikes), [("p", 0, neurons)])


def test_rates_count_silent_neurons():
    np.testing.assert_array_equal(rate(network([1.0, 2.0], [], [3.0]), 500.0), [4.0, 0.0, 2.0])


def test_cv_and_lv_are_their_formulas_per_neuron():
    trains = [[0.0, 1.0, 3.0, 7.0], [2.0, 4.0, 6.0], [1.0, 2.0], []]
    isi = np.diff(trains[0])
    expected = [isi.std() / isi.mean(), 0.0, np.nan, np.nan]
    np.testing.assert_allclose(cv(network(*trains)), expected, atol=1e-15)
    terms = ((isi[1:] - isi[:-1]) / (isi[1:] + isi[:-1])) ** 2
    np.testing.assert_allclose(lv(network(*trains)), [3.0 * terms.mean(), 0.0, np.nan, np.nan], atol=1e-15)


def test_a_poisson_train_has_cv_and_lv_one_and_independent_neurons_do_not_correlate():
    spikes = poisson(np.random.default_rng(3), 50, 20_000, 20_000.0)
    assert np.nanmean(cv(spikes)) == pytest.approx(1.0, abs=0.02)
    assert np.nanmean(lv(spikes)) == pytest.approx(1.0, abs=0.03)
    pairs = correlation(spikes, 20_000.0)
    assert len(pairs) == 50 * 49 // 2
    assert abs(pairs.mean()) < 0.002


def test_correlation_is_numpys():
    rng = np.random.default_rng(4)
    trains = [np.sort(rng.uniform(0.0, 100.0, 40)) for _ in range(3)]
    counts = [np.histogram(t, bins=np.arange(0.0, 102.0, 2.0))[0] for t in trains]
    np.testing.assert_allclose(correlation(network(*trains), 100.0), np.corrcoef(counts)[np.triu_indices(3, 1)],
                               atol=1e-12)
    twice = correlation(network(trains[0], trains[0]), 100.0)
    assert twice == pytest.approx([1.0])


def test_correlation_takes_an_even_sample_of_large_networks_and_bounded_memory_of_long_ones():
    spikes = poisson(np.random.default_rng(5), 5000, 50_000, 100.0)
    assert len(correlation(spikes, 100.0)) == 200 * 199 // 2
    assert len(correlation(spikes, 1e6)) == 40 * 39 // 2


def test_activity_integrates_to_the_mean_rate_and_scales_a_short_last_bin():
    spikes = network([0.5, 1.5, 1.6], [2.1])
    centres, hz = activity(spikes, 2.5, 1.0)
    np.testing.assert_allclose(centres, [0.5, 1.5, 2.25])
    np.testing.assert_allclose(hz, [500.0, 1000.0, 1000.0])


def test_ks_is_the_largest_gap_between_distribution_functions():
    assert ks([1, 2, 3], [1, 2, 3]) == 0.0
    assert ks([1, 2], [3, 4]) == 1.0
    assert ks([1, 1, 2, np.nan], [1, 2, 2]) == pytest.approx(1.0 / 3.0)
    assert np.isnan(ks([], [1.0]))
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(6)
    x, y = rng.normal(size=100).round(1), rng.normal(0.3, 1.0, 77).round(1)
    assert ks(x, y) == pytest.approx(ks_2samp(x, y).statistic, abs=1e-15)


def test_silence_gives_numbers_not_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for spikes in (Spikes.make([], [], [("p", 0, 3)]), Spikes.make([], []), network([1.0, 1.0, 1.0])):
            found = statistics(spikes, 100.0)
            assert len(found["correlation"]) == 0
            activity(spikes, 100.0)


def test_a_run_of_no_length_is_refused():
    with pytest.raises(Mistake, match="until is 0"):
        rate(network([]), 0.0)
