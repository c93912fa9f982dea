"""Distances between spike trains: the oracle's values, PySpike's, naive twins, and what a distance must keep."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsnn.distances import (
    each_gamma,
    each_spike_sync,
    each_van_rossum,
    gamma,
    isi_distance,
    match,
    spike_distance,
    spike_sync,
    van_rossum,
    victor_purpura,
)
from eventsnn.errors import Mistake
from eventsnn.spikes import Spikes

CASES = json.loads((Path(__file__).parent / "golden" / "oracle.json").read_text())["cases"]
CASE = next(case for case in CASES if case["name"] == "spike_train_metrics")
A, B = ([float(t) for t in CASE["params"][name]] for name in "AB")
SPAN = tuple(float(t) for t in CASE["params"]["interval"])

free = st.lists(st.floats(0.0, 10.0).map(lambda t: round(t, 6)), max_size=8).map(sorted)
grid = st.lists(st.integers(0, 40), max_size=8).map(lambda ks: sorted(k / 4.0 for k in ks))     # ties and duplicates
train = st.one_of(free, grid)
distinct = st.lists(st.integers(1, 39), max_size=8, unique=True).map(lambda ks: sorted(k / 4.0 for k in ks))
few = settings(max_examples=60, deadline=None)


def test_oracle_values_to_1e_12():
    for tau, value in CASE["van_rossum"].items():
        assert van_rossum(A, B, float(tau)) == pytest.approx(float(value), abs=1e-12)
    for q, value in CASE["victor_purpura"].items():
        assert victor_purpura(A, B, float(q)) == pytest.approx(float(value), abs=1e-12)
    kreuz = {"isi_distance": isi_distance, "spike_distance": spike_distance, "spike_sync": spike_sync}
    for name, value in CASE["pyspike"].items():
        assert kreuz[name](A, B, SPAN) == pytest.approx(value, abs=1e-12)
    assert gamma(A, B, 0.5, SPAN[1]) == pytest.approx(float(CASE["gamma_delta_0p5"]), abs=1e-12)


@pytest.mark.parametrize(("a", "b", "isi", "spike", "sync"), [      # computed with PySpike 0.9.0 on [0, 10]
    ([], [2.25, 3.5], 0.51125, 0.29138781366009925, 0.0),
    ([], [], 0.0, 0.0, 1.0),
    ([4.0], [], 0.48, 0.350765306122449, 0.0),
    ([5.0], [5.5], 0.095, 0.09974937343358395, 1.0),
    ([0.0, 2.0, 2.25, 7.5, 10.0], [0.5, 2.0, 6.0, 8.75], 0.25687905844155845, 0.2618725920554668, 0.4444444444444444),
])
def test_pyspike_values_at_the_edges(a, b, isi, spike, sync):
    for function, value in ((isi_distance, isi), (spike_distance, spike), (spike_sync, sync)):
        assert function(a, b, (0.0, 10.0)) == pytest.approx(value, abs=1e-12)
        assert function(b, a, (0.0, 10.0)) == pytest.approx(value, abs=1e-12)


@few
@given(train, train, st.sampled_from([0.01, 0.5, 10.0, 1e6]))
def test_van_rossum_is_the_double_sum(a, b, tau):
    times = [(t, 1.0) for t in a] + [(t, -1.0) for t in b]
    squared = 0.5 * math.fsum(x * y * math.exp(-abs(s - t) / tau) for s, x in times for t, y in times)
    assert van_rossum(a, b, tau) ** 2 == pytest.approx(squared, abs=1e-12)


def test_a_lone_extra_spike_is_half_a_van_rossum_square():
    assert van_rossum([5.0, 500.0], [5.0], 1.0) ** 2 == pytest.approx(0.5, abs=1e-15)
    # 1 - exp(-1e-10) needs expm1: the double sum loses ten digits here
    assert van_rossum([5.0], [5.0 + 2.0**-30], 8.0) == pytest.approx(math.sqrt(2.0**-33), rel=1e-9)


@few
@given(train, train, st.sampled_from([0.0, 0.3, 1.0, 50.0]))
def test_victor_purpura_is_the_cheapest_edit(a, b, q):
    cost = [[float(i + j) if not i or not j else 0.0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            moved = cost[i - 1][j - 1] + q * abs(a[i - 1] - b[j - 1])
            cost[i][j] = min(cost[i - 1][j] + 1.0, cost[i][j - 1] + 1.0, moved)
    assert victor_purpura(a, b, q) == pytest.approx(cost[-1][-1], abs=1e-12)


@few
@given(distinct, distinct)
def test_isi_and_sync_are_what_their_definitions_say_at_every_moment(a, b):
    def isi_at(train, t):
        inner = train or [0.0, 10.0]
        before, after = [x for x in inner if x <= t], [x for x in inner if x > t]
        if not before:
            return max(inner[0], inner[1] - inner[0] if len(inner) > 1 else 0.0)
        if not after:
            return max(10.0 - inner[-1], inner[-1] - inner[-2] if len(inner) > 1 else 0.0)
        return after[0] - before[-1]

    quarters = [(isi_at(a, 0.25 * k + 0.125), isi_at(b, 0.25 * k + 0.125)) for k in range(40)]
    assert isi_distance(a, b, (0.0, 10.0)) == pytest.approx(
        math.fsum(abs(x - y) / max(x, y) for x, y in quarters) / 40.0, abs=1e-12)

    def window(train, i):
        return 0.5 * min([10.0, *(abs(train[i] - train[j]) for j in (i - 1, i + 1) if 0 <= j < len(train))])

    hits = sum(2 for i in range(len(a)) for j in range(len(b))
               if a[i] == b[j] or abs(a[i] - b[j]) < min(window(a, i), window(b, j)))
    assert spike_sync(a, b, (0.0, 10.0)) == pytest.approx(hits / (len(a) + len(b)) if a or b else 1.0, abs=1e-15)


@few
@given(train, train, st.sampled_from([0.0, 0.25, 1.0, 3.0]))
def test_the_greedy_matching_is_one_to_one_within_the_closed_window_and_as_large_as_any(a, b, delta):
    sa, sb = (Spikes.make(t, np.zeros(len(t))) for t in (a, b))
    i, j = match(sa, sb, delta)
    assert len(set(i)) == len(i) == len(j) == len(set(j))
    assert np.all(np.abs(sb.time[j] - sa.time[i]) <= delta)
    partner: dict[int, int] = {}             # the largest matching, by augmenting paths

    def augment(x, seen):
        for y in range(len(b)):
            if abs(b[y] - a[x]) <= delta and y not in seen:
                seen.add(y)
                if y not in partner or augment(partner[y], seen):
                    partner[y] = x
                    return True
        return False

    assert len(i) == sum(augment(x, set()) for x in range(len(a)))


@few
@given(train, train, train)
def test_metric_axioms(a, b, c):
    span = (0.0, 10.0)
    for d in (lambda x, y: van_rossum(x, y, 2.0), lambda x, y: victor_purpura(x, y, 0.7),
              lambda x, y: isi_distance(x, y, span)):
        assert d(a, a) == 0.0
        assert d(a, b) == pytest.approx(d(b, a), abs=1e-12)
        assert d(a, c) <= d(a, b) + d(b, c) + 1e-12
    assert van_rossum(a, b, 2.0) > 0.0 or a == b
    assert victor_purpura(a, b, 0.7) > 0.0 or a == b
    assert spike_distance(a, a, span) == 0.0
    assert spike_sync(a, a, span) == 1.0 or len(set(a)) < len(a)
    assert spike_distance(a, b, span) == pytest.approx(spike_distance(b, a, span), abs=1e-12)
    assert spike_sync(a, b, span) == spike_sync(b, a, span)
    for bounded in (isi_distance(a, b, span), spike_distance(a, b, span), spike_sync(a, b, span)):
        assert 0.0 <= bounded <= 1.0 + 1e-12


def test_duplicates_are_spikes_of_their_own():
    assert spike_sync([1.0, 1.0], [1.0], (0.0, 10.0)) == pytest.approx(2.0 / 3.0)
    assert spike_sync([1.0, 1.0], [1.0, 1.0], (0.0, 10.0)) == 1.0
    assert spike_sync([1.0, 1.0], [1.5], (0.0, 10.0)) == 0.0         # an interval of 0 leaves no window
    assert van_rossum([1.0, 1.0], [1.0], 3.0) ** 2 == pytest.approx(0.5)
    assert victor_purpura([1.0, 1.0], [1.0], 3.0) == 1.0


def test_empty_trains():
    assert gamma([], [], 1.0, 10.0) == 1.0
    assert gamma([1.0], [], 1.0, 10.0) == 0.0 == gamma([], [1.0], 1.0, 10.0)
    assert van_rossum([], [], 1.0) == 0.0 == victor_purpura([], [], 1.0)
    assert victor_purpura([], [1.0, 2.0], 1.0) == 2.0 == victor_purpura([1.0, 2.0], [], 1.0)


def test_gamma_is_one_for_equal_trains_zero_at_chance_and_nan_where_it_means_nothing():
    assert gamma(A, A, 0.5, 25.0) == pytest.approx(1.0)
    rng = np.random.default_rng(1)
    a, b = (np.sort(rng.uniform(0.0, 1e5, 4000)) for _ in range(2))
    assert abs(gamma(a, b, 0.2, 1e5)) < 0.02
    assert math.isnan(gamma([1.0], [1.0, 2.0, 3.0, 4.0, 5.0], 1.0, 10.0))


@few
@given(st.lists(st.tuples(train, train), max_size=4))
def test_each_neuron_of_a_network_gets_the_value_of_its_own_pair(pairs):
    def spikes(which):
        rows = [(t, n) for n, pair in enumerate(pairs) for t in pair[which]]
        return Spikes.make([t for t, _ in rows], [n for _, n in rows])

    a, b, size, span = spikes(0), spikes(1), len(pairs) + 1, (0.0, 10.0)
    alone = [*pairs, ([], [])]
    np.testing.assert_allclose(each_van_rossum(a, b, 2.0, size), [van_rossum(x, y, 2.0) for x, y in alone], atol=1e-12)
    np.testing.assert_array_equal(each_gamma(a, b, 0.5, 10.0, size), [gamma(x, y, 0.5, 10.0) for x, y in alone])
    np.testing.assert_array_equal(each_spike_sync(a, b, span, size), [spike_sync(x, y, span) for x, y in alone])


def test_a_wrong_train_or_parameter_is_refused_by_name():
    with pytest.raises(Mistake, match="ascending"):
        van_rossum([2.0, 1.0], [], 1.0)
    with pytest.raises(Mistake, match="finite"):
        victor_purpura([math.nan], [], 1.0)
    with pytest.raises(Mistake, match=r"11\.0 ms lies outside"):
        isi_distance([11.0], [], (0.0, 10.0))
    with pytest.raises(Mistake, match="later end"):
        spike_sync([], [], (1.0, 1.0))
    with pytest.raises(Mistake, match="tau is 0"):
        van_rossum([], [], 0)
    with pytest.raises(Mistake, match="q is -1"):
        victor_purpura([], [], -1)
