"""exp, log and the random numbers are what they claim, in plain Python and compiled alike."""

import math
from itertools import pairwise

import mpmath as mp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsnn.elementary import exp, exp_along, log, waiting
from eventsnn.kernel.link import link
from eventsnn.rng import GOLDEN, below, key, lane, philox, unit, word

U64 = np.uint64
mp.mp.prec = 240


def ulps(value, true):
    return abs(mp.mpf(value) - true) / math.ulp(float(true))


@settings(deadline=None)
@given(st.one_of(st.floats(-0.5, 1.5), st.floats(-700.0, 700.0)))
def test_exp_is_within_1_05_ulp_and_compiled_the_same(x):
    assert ulps(exp(x), mp.exp(mp.mpf(x))) < 1.05
    assert link(exp)(x) == exp(x)


def test_exp_is_1_at_0_and_grows_within_an_epoch():
    assert exp(0.0) == 1.0
    x = np.sort(np.concatenate([np.arange(129) * math.log(2.0) / 128.0, np.random.default_rng(1).random(2000)]))
    values = [exp(v) for v in x.tolist()]
    assert all(a <= b for a, b in pairwise(values))


@settings(deadline=None)
@given(st.floats(0.0, 100.0), st.floats(1e-3, 1e3), st.floats(1e-9, 1.0), st.integers(0, 50))
def test_exp_along_a_line_is_exp_whether_or_not_one_entry_of_its_table_will_do(start, rate, step, n):
    times = start + np.arange(n) * step / rate
    for along in (exp_along, link(exp_along)):
        out = np.empty(n)
        along(times, start, rate, out)
        assert out.tolist() == [exp((t - start) * rate) for t in times]


@settings(deadline=None)
@given(st.one_of(st.integers(0, 2**32 - 1), st.integers(2**32 - 2**12, 2**32 - 1), st.integers(0, 2**12)))
def test_waiting_times_are_within_a_hundredth_of_what_their_bits_resolve_and_compiled_the_same(bits):
    true = -mp.log((mp.mpf(bits) + 0.5) / 2**32)
    assert abs(mp.mpf(waiting(U64(bits))) - true) < 2e-12
    assert 0.0 < waiting(U64(bits)) <= 22.9
    assert link(waiting)(U64(bits)) == waiting(U64(bits))


@settings(deadline=None)
@given(
    st.one_of(st.floats(1e-300, 1.0, exclude_max=True), st.integers(0, 2**52 - 1).map(lambda k: (k + 0.5) * 2.0**-52))
)
def test_log_is_within_0_9_ulp_and_compiled_the_same(x):
    assert ulps(log(x), mp.log(mp.mpf(x))) < 0.9
    assert link(log)(x) == log(x)


def test_philox_meets_the_known_answers_of_random123():
    """Salmon et al. 2011, Random123's kat_vectors for philox4x32-10."""
    ones = U64(2**64 - 1)
    assert philox(U64(0), U64(0), U64(0)) == (0xE169C58D6627E8D5, 0x9B00DBD8BC57AC4C)
    assert philox(ones, ones, ones) == (0x41C83B0E408F276D, 0x6D5451FDA20BC7C6)


@settings(deadline=None)
@given(*[st.integers(0, 2**64 - 1)] * 3)
def test_random_numbers_are_the_same_compiled(a, b, c):
    assert link(philox)(U64(a), U64(b), U64(c)) == philox(U64(a), U64(b), U64(c))


def mixed(first, second, i):
    """`word` in whole numbers of any size."""
    z = (first + i * int(GOLDEN)) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27 ^ second) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


@settings(deadline=None)
@given(*[st.integers(0, 2**64 - 1)] * 3)
def test_words_of_streams_are_what_they_say_without_a_warning(first, second, i):
    with np.errstate(all="raise"):
        assert word(U64(first), U64(second), U64(i)) == mixed(first, second, i)
    assert link(word)(U64(first), U64(second), U64(i)) == mixed(first, second, i)


def test_words_of_streams_begin_as_splitmix64_does():
    """Without the second key: its first three numbers from seed 1234567."""
    assert [word(U64(1234567), U64(0), U64(i)) for i in (1, 2, 3)] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_words_of_streams_are_independent_bits():
    """All bits are fair, and each is independent of the others, of the next words', and of other blocks' words."""
    keys = [map(int, philox(key(seed, "poisson", "p"), lane(block, 2), U64(0))) for seed in (1, 2) for block in (0, 1)]
    words = np.array([[mixed(first, second, i) for i in range(20_000)] for first, second in keys], np.uint64)
    bits = (words[..., None] >> np.arange(64, dtype=np.uint64) & U64(1)).astype(np.float64) * 2.0 - 1.0
    n = bits.shape[1]
    for one in bits:
        assert np.abs(one.mean(0)).max() * math.sqrt(n) < 5.0
        for lag in (0, 1, 2, 7):
            product = one[: n - lag].T @ one[lag:] / math.sqrt(n - lag)
            if lag == 0:
                np.fill_diagonal(product, 0.0)
            assert np.abs(product).max() < 5.5
    for other in bits[1:]:
        assert np.abs(bits[0].T @ other).max() / math.sqrt(n) < 5.5


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 2**31))
def test_units_lie_inside_0_and_1_and_choices_below_n(bits, n):
    assert 0.0 < unit(U64(bits)) < 1.0
    assert 0 <= below(U64(bits), n) < n


def test_keys_differ_by_seed_purpose_and_name():
    keys = {
        int(key(seed, purpose, name)) for seed in range(20) for purpose in ("a", "b") for name in ("x", "y", 1, "1")
    }
    assert len(keys) == 160
