"""Random spike sources: their statistics, and that nothing but the seed moves an event."""

import itertools
import math
from types import SimpleNamespace

import mpmath
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventsnn as es
from eventsnn import rng
from eventsnn.gamma import gamma
from eventsnn.kernel import drive
from eventsnn.kernel.link import link
from eventsnn.rng import U64, key, lane, philox, unit
from eventsnn.streams import BLOCK, expected, next_event, rate_at, streams

inf = math.inf
COMPILED = link(next_event)


def network(**nodes):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif")
    for name, attributes in nodes.items():
        g.add_node(name, **attributes)
    return es.compile(g, seed=4)


def events(net, until, seed=4, step=COMPILED):
    """(time, emitter) of every spike of every stream before `until`, stream by stream."""
    table = streams(net, seed)
    found = []
    for k in range(len(table.of)):
        t = table.of.start[k]
        for i in itertools.count():
            t, emitter = step(table, k, i, t)
            if not t < until:
                break
            if emitter >= 0:
                found.append((float(t), int(emitter)))
    return found


def times(until, **attributes):
    """The trains of one population `p`."""
    net = network(p=attributes)
    found = events(net, until)
    return [np.array([t for t, e in found if e == j + 1]) for j in range(net.by_name["p"].size)]


def uniform_enough(counts, expectation):
    """Poisson (or more regular) counts are as expected: within 4.5 standard deviations each, and by chi-square."""
    from scipy.stats import chi2

    z = (np.asarray(counts) - expectation) / np.sqrt(expectation)
    assert np.abs(z).max() < 4.5
    assert chi2.sf((z ** 2).sum(), len(z)) > 1e-4


# ---------------------------------------------------------------------------------------------------- gamma
@pytest.mark.parametrize("shape", [0.05, 0.6, 1.0, 2.5, 40.0, 1e9])
def test_gamma_numbers_are_gamma_distributed(shape):
    from scipy.stats import gamma as distribution
    from scipy.stats import kstest

    draw = link(gamma)
    sample = np.array([draw(key(1, "x"), 7, i, shape) for i in range(20_000)])
    assert kstest(sample, distribution(shape).cdf).pvalue > 1e-3


def test_a_gamma_number_depends_on_its_key_stream_and_draw_alone():
    first = [gamma(key(1, "x"), 3, i, 0.7) for i in range(50)]
    assert [gamma(key(1, "x"), 3, i, 0.7) for i in reversed(range(50))] == first[::-1]
    assert [link(gamma)(key(1, "x"), 3, i, 0.7) for i in range(50)] == first
    others = {gamma(key(s, "x"), stream, 0, 0.7) for s in (1, 2) for stream in range(20)}
    assert len(others) == 40


def test_lanes_of_a_stream_never_meet_another_stream():
    assert lane(5, 0) == U64(5)
    assert len({int(lane(s, n)) for s in range(30) for n in range(30)}) == 900


# ---------------------------------------------------------------------------------------------------- renewal
@pytest.mark.parametrize(("shape", "dead"), [(0.4, 0.0), (1.0, 5.0), (3.0, 0.0), (3.0, 5.0), (50.0, 2.0)])
def test_renewal_intervals_are_a_dead_time_and_a_gamma_part_at_the_true_mean_rate(shape, dead):
    from scipy.stats import gamma as distribution
    from scipy.stats import kstest

    (train,) = times(400_000.0, model="renewal", rate=50.0, shape=shape, dead_time=dead)
    gaps = np.diff(train)
    cv = (20.0 - dead) / 20.0 / math.sqrt(shape)
    assert abs(len(train) - 20_000) < 4.5 * cv * math.sqrt(20_000)
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.05)
    assert gaps.min() >= dead
    assert kstest(gaps - dead, distribution(shape, scale=(20.0 - dead) / shape).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 0.03


@pytest.mark.parametrize(("shape", "dead"), [(0.4, 3.0), (1.0, 10.0), (4.0, 0.0), (100.0, 6.0)])
def test_a_renewal_source_is_stationary_from_its_start_on(shape, dead):
    from scipy.integrate import quad
    from scipy.stats import gamma as distribution
    from scipy.stats import kstest

    found = times(47.0, model="renewal", size=4096, rate=50.0, shape=shape, dead_time=dead, start=7.0)
    counts, _ = np.histogram(np.concatenate(found), 40, (7.0, 47.0))
    expectation = 4096 * 0.05
    spread = math.sqrt(expectation * max(1.0, 1.0 / shape))                # shape < 1 comes in bursts
    assert np.abs(counts - expectation).max() < 4.5 * spread
    assert abs(counts[:5].sum() / 5 - expectation) < 4.5 * spread / math.sqrt(5)
    firsts = np.array([train[0] for train in found if len(train)]) - 7.0
    rest = distribution(shape, scale=(20.0 - dead) / shape)
    grid = np.concatenate([np.linspace(0.0, dead, 20), np.linspace(dead, 40.0, 400)[1:]])
    density = [1.0 if x < dead else rest.sf(x - dead) for x in grid]
    reached = np.concatenate([[0.0], np.cumsum(np.diff(grid) * 0.5 * np.add(density[1:], density[:-1]))]) / 20.0
    total = reached[-1]
    assert total == pytest.approx((dead + quad(rest.sf, 0.0, 40.0 - dead, limit=200)[0]) / 20.0, abs=2e-3)
    within = firsts[firsts < 40.0]
    assert abs(len(within) / 4096 - total) < 0.03
    assert kstest(within, lambda x: np.interp(x, grid, reached) / total).pvalue > 1e-3


def test_a_renewal_interval_is_a_pure_function_of_seed_population_source_and_number():
    table = streams(network(p={"model": "renewal", "size": 3, "rate": 50.0, "shape": 2.0, "dead_time": 1.0}), 4)
    mine = key(4, "renewal", "p")
    for j in range(3):
        for i in (1, 2, 77):
            time, emitter = next_event(table, j, i, 100.0)
            assert time == 100.0 + (1.0 + gamma(mine, j, i, 2.0) / (2.0 / 19.0))
            assert emitter == 1 + j
        point, part = (unit(x) for x in philox(mine, U64(j), U64(0)))
        first = point * 20.0 if point * 20.0 < 1.0 else 1.0 + part * gamma(mine, j, 0, 3.0) / (2.0 / 19.0)
        assert next_event(table, j, 0, 0.0)[0] == pytest.approx(first, rel=1e-14)


def test_a_renewal_source_ends_at_its_stop_and_is_silent_at_rate_zero():
    long = times(500.0, model="renewal", size=2, rate=[80.0, 0.0], shape=2.0, start=20.0)
    short = times(500.0, model="renewal", size=2, rate=[80.0, 0.0], shape=2.0, start=20.0, stop=[100.0, 200.0])
    assert long[1].size == 0
    assert long[0].min() >= 20.0
    assert short[0].tolist() == [t for t in long[0] if t < 100.0]
    assert 0 < len(short[0]) < len(long[0])


# ---------------------------------------------------------------------------------------------------- varying rates
def test_a_constant_rate_draws_what_it_drew_before_rates_could_vary():
    """Times and members by law S12, written out again."""
    keys = philox(key(4, "poisson", "p"), lane(0, 2), U64(0))
    table = streams(network(p={"model": "poisson", "size": 3, "rate": [100.0, 200.0, 50.0]}), 4)
    t = 0.0
    for i in range(30):
        word = int(rng.word(*keys, U64(i)))
        sought = (word % 2**32 + 0.5) / 2**32 * 350.0
        t, emitter, before = *next_event(table, 0, i, t), t
        assert t == pytest.approx(before - math.log((word // 2**32 + 0.5) / 2**32) / 0.35, abs=1e-11)
        assert emitter == 1 + (sought >= 100.0) + (sought >= 300.0)


def test_a_rate_of_one_step_or_without_depth_is_a_constant_rate_bit_for_bit():
    plain = events(network(p={"model": "poisson", "size": 3, "rate": 300.0}), 200.0)
    stepped = {"model": "poisson", "size": 3, "times": [[0.0]] * 3, "rates": [[300.0]] * 3}
    assert events(network(p=stepped), 200.0) == plain
    flat = {"model": "poisson", "size": 3, "rate": 300.0, "modulation": 0.0, "frequency": 5.0}
    assert events(network(p=flat), 200.0) == plain
    one = events(network(p={**flat, "modulation": [0.0, 0.0, 1e-300]}), 200.0)
    assert one == plain


def test_a_piecewise_constant_rate_is_followed_and_is_zero_before_the_first_step():
    on, rates = [100.0, 300.0, 350.0, 700.0], [400.0, 0.0, 100.0, 800.0]
    found = times(1000.0, model="poisson", size=40, times=[on] * 40, rates=[rates] * 40)
    pooled = np.concatenate(found)
    assert pooled.min() >= 100.0
    assert not ((pooled >= 300.0) & (pooled < 350.0)).any()
    counts, _ = np.histogram(pooled, 20, (0.0, 1000.0))
    profile = np.array([0] * 2 + [400] * 4 + [0] + [100] * 7 + [800] * 6) * 40 * 0.05
    uniform_enough(counts[profile > 0], profile[profile > 0])
    each = np.array([len(train) for train in found])
    uniform_enough(each, 355.0)


def test_a_step_holds_from_its_very_time_on_for_its_own_source():
    on, rates = [[3.0], [5.0, 7.0], [], [6.0]], [[1.0], [10.0, 0.0], [], [20.0]]
    table = streams(network(p={"model": "poisson", "size": 4, "times": on, "rates": rates}), 4)
    for j, profile in enumerate([[0, 1, 1, 1, 1, 1], [0, 0, 10, 10, 0, 0], [0] * 6, [0, 0, 0, 20, 20, 20]]):
        assert [rate_at(table.source[j], table.step, t) for t in (0.0, 4.999, 5.0, 6.999, 7.0, 1e9)] == profile


def test_between_spikes_of_a_varying_source_the_integral_of_its_rate_is_exponential():
    """Time rescaled by the rate makes any inhomogeneous Poisson process a unit one (Brown et al. 2002)."""
    from scipy.stats import kstest

    (train,) = times(60_000.0, model="poisson", rate=100.0, modulation=0.9, frequency=3.0)
    speed = 2 * math.pi * 0.003
    gaps = np.diff(0.1 * (train - 0.9 * np.cos(speed * train) / speed))
    assert len(gaps) > 5000
    assert kstest(gaps, "expon").pvalue > 1e-3
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 0.05


@pytest.mark.parametrize("depth", [0.5, 1.0])
def test_a_modulated_rate_follows_its_sine(depth):
    found = times(4000.0, model="poisson", size=30, rate=100.0, modulation=depth, frequency=8.0, phase=60.0)
    counts, edges = np.histogram(np.concatenate(found) % 125.0, 25, (0.0, 125.0))
    angle = 2 * math.pi * edges / 125.0 + math.pi / 3
    profile = 12_000 * (1 / 25 - depth * np.diff(np.cos(angle)) / (2 * math.pi))
    uniform_enough(counts, profile)


def test_steps_are_modulated_too_and_members_differ():
    attributes = {"model": "poisson", "size": 3, "times": [[0.0, 500.0], [0.0], []],
                  "rates": [[600.0, 200.0], [500.0], []],
                  "modulation": [1.0, 0.0, 0.5], "frequency": [2.0, 0.0, 1.0], "phase": [-90.0, 0.0, 0.0]}
    first, second, third = times(1000.0, **attributes)
    assert len(third) == 0
    assert abs(len(second) - 500) < 4.5 * math.sqrt(500)
    early, late = (first < 250.0).sum(), (first >= 500.0).sum()            # a whole cycle: 500 ms
    assert abs((first < 500.0).sum() - 300) < 4.5 * math.sqrt(300)
    assert abs(late - 100) < 45
    assert abs(early - 150) < 4.5 * math.sqrt(150)
    assert (first < 60.0).sum() < 12                                       # where the sine begins at its lowest


def test_the_phase_is_kept_after_ten_million_cycles():
    net = network(p={"model": "poisson", "rate": 100.0, "modulation": 1.0, "frequency": 997.3, "phase": 20.0})
    table = streams(net, 4)
    with mpmath.workdps(50):
        for t in (0.0, 12.34, 1e7 + 0.1, 98765432.1):
            angle = 2 * mpmath.pi * (mpmath.mpf(997.3) * mpmath.mpf(t) / 1000 + mpmath.mpf(20) / 360)
            rate = float(100 * (1 + mpmath.sin(angle)))
            assert rate_at(table.source[0], table.step, t) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("attributes", [
    {"model": "renewal", "size": 50, "rate": 60.0, "shape": 2.0, "start": 100.0, "stop": 1500.0},
    {"model": "poisson", "size": 50, "rate": 60.0, "start": 100.0},
    {"model": "poisson", "size": 50, "rate": 60.0, "modulation": 0.7, "frequency": 0.4, "phase": 40.0, "start": 100.0},
    {"model": "poisson", "size": 50, "rate": 60.0, "modulation": 0.7, "frequency": 0.0, "phase": -30.0, "stop": 700.0},
    {"model": "poisson", "size": 50, "times": [[300.0, 600.0]] * 50, "rates": [[20.0, 90.0]] * 50, "stop": 900.0},
])
def test_the_expected_number_of_spikes_is_what_comes_on_average(attributes):
    net = network(p=attributes)
    found, mean = len(events(net, 1000.0)), expected(net.by_name["p"], 1000.0)
    assert abs(found - mean) < 4.5 * math.sqrt(mean)
    assert found > 900


# ---------------------------------------------------------------------------------------------------- law S12, S13
KINDS = {
    "renewal": {"model": "renewal", "size": 5, "rate": 300.0, "shape": 0.8, "dead_time": 0.5, "start": 2.0},
    "steps": {"model": "poisson", "size": 5, "times": [[1.0, 9.0]] * 5, "rates": [[500.0, 100.0]] * 5},
    "sine": {"model": "poisson", "size": 5, "rate": 400.0, "modulation": 0.9, "frequency": 80.0},
}


@pytest.mark.parametrize("kind", KINDS)
def test_plain_and_compiled_events_are_equal_bit_for_bit(kind):
    net = network(p=KINDS[kind])
    assert events(net, 60.0, step=next_event) == events(net, 60.0)
    assert len(events(net, 60.0)) > 20


@pytest.mark.parametrize(("last", "waits"), [
    (100.0, [0.75, 2.0 ** -46, 2.0 ** -47, 3.0 * 2.0 ** -47]),        # 2^-46 apart: halfway between two doubles
    (1.0, [0.1, 0.2, 0.3, 0.05]),                                     # over a power of two, where they lie wider apart
    (3.0, [1e-20, 0.1, 1e-20, 0.2]),
    (-2.0, [0.5, 0.1, 1.5, 0.3]), (0.0, [0.1, 0.2, 0.3, 0.4]), (5e-324, [1e-310, 0.1, 0.2, 0.3]),
    (64.0, [63.99, 0.001, 0.001, 0.001])])
def test_a_batch_is_summed_as_its_events_are_one_after_the_other(last, waits, monkeypatch):
    rows = [row[:size] for row in itertools.permutations(waits) for size in (1, 3, 4)]
    monkeypatch.setattr(drive, "waiting", lambda bits: waits[int(bits)])
    monkeypatch.setattr(drive, "stamp", lambda t, tick: t)
    for row in rows:
        bits = np.array([waits.index(w) for w in (*row, *row)], U64) << rng.S32
        flow = SimpleNamespace(last=last, delay=0.5, tick=0.0)
        time = np.empty(2 * len(row))
        drive.summed(flow, 1.0, time, bits)
        t, alone = last, []
        for w in (*row, *row):
            t += w
            alone.append(t + 0.5)
        assert (time.tolist(), flow.last) == (alone, t)


@pytest.mark.parametrize("kind", KINDS)
def test_another_node_moves_no_event_and_another_name_or_seed_moves_all(kind):
    alone = events(network(p=KINDS[kind]), 60.0)
    beside = events(network(a={**KINDS["sine"], "size": 2}, b={**KINDS["renewal"], "size": 3}, p=KINDS[kind]), 60.0)
    assert [(t, e - 5) for t, e in beside if e > 5] == alone
    assert not {t for t, _ in alone} & {t for t, _ in events(network(q=KINDS[kind]), 60.0)}
    assert not {t for t, _ in alone} & {t for t, _ in events(network(p=KINDS[kind]), 60.0, seed=5)}


@pytest.mark.parametrize("kind", ["steps", "sine"])
def test_the_first_block_does_not_see_that_there_are_more_sources(kind):
    def sized(n):
        lists = {name: [value[0]] * n for name, value in KINDS[kind].items() if isinstance(value, list)}
        return network(p={**KINDS[kind], **lists, "size": n})

    few, many = events(sized(BLOCK), 2.0), events(sized(BLOCK + 5), 2.0)
    assert few == [event for event in many if event[1] <= BLOCK]
    assert len(few) > 100


def test_more_renewal_sources_leave_the_first_ones_alone():
    few, many = (events(network(p={**KINDS["renewal"], "size": n}), 60.0) for n in (5, 9))
    assert few == [event for event in many if event[1] <= 5]


def shared(v):
    """One value of a population, or a list."""
    return st.one_of(v, st.lists(v, min_size=3, max_size=3))


@st.composite
def sources(draw):
    """A random source of size 3, of any kind."""
    node = {"model": draw(st.sampled_from(["renewal", "poisson"])), "size": 3,
            "start": draw(shared(st.sampled_from([0.0, 3.0, 7.5]))), "stop": draw(st.sampled_from([inf, 9.0, 12.25]))}
    rate = shared(st.sampled_from([0.0, 300.0, 1500.0]))
    if node["model"] == "renewal":
        node.update(rate=draw(rate), shape=draw(shared(st.sampled_from([0.3, 1.0, 2.7, 60.0]))),
                    dead_time=draw(st.sampled_from([0.0, 0.25])))
        return node
    if draw(st.booleans()):
        when = st.lists(st.sampled_from([0.0, 1.0, 2.5, 4.0, 10.0]), max_size=4, unique=True).map(sorted)
        node["times"] = [draw(when) for _ in range(3)]
        node["rates"] = [[draw(st.sampled_from([0.0, 200.0, 2000.0])) for _ in t] for t in node["times"]]
    else:
        node["rate"] = draw(rate)
    if draw(st.booleans()):
        node.update(modulation=draw(shared(st.sampled_from([0.0, 0.5, 1.0]))),
                    frequency=draw(st.sampled_from([0.0, 50.0, 333.3])), phase=draw(shared(st.floats(-400.0, 400.0))))
    return node


@settings(max_examples=30, deadline=None)
@given(sources(), sources(), st.integers(0, 5), st.sampled_from([0.02, 0.3, 1.0]))
def test_three_engines_and_all_windows_agree_on_every_source(one, two, seed, part):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=3, v_rest=0.0, v_reset=0.0, v_thresh=3.0, tau_refrac=0.5)
    g.add_node("one", **one)
    g.add_node("two", **two)
    g.add_edge("one", "n", weight=1.0, delay=1.0, rule="all_to_all")
    g.add_edge("two", "n", weight=0.75, delay=0.5, rule="one_to_one")
    net = es.compile(g, seed=seed)
    record = {"one": ["spikes"], "two": ["spikes"]}
    runs = [es.simulate(net, 15.0, record=record, backend=b) for b in ("compiled", "python", "simpy")]
    runs.append(es.simulate(net, 15.0, record=record, threads=2))
    cut = es.compile(g, seed=seed)
    vars(cut)["min_delay"] = 0.5 * part
    runs.append(es.simulate(cut, 15.0, record=record))
    for run in runs[1:]:
        assert run.spikes == runs[0].spikes
        assert run.sources == runs[0].sources
    drawn = {(t, e) for t, e in events(net, 15.0, seed=seed) if 3 <= e < 6}
    heard = runs[0].sources["one"]
    assert drawn == set(zip(heard.time.tolist(), (heard.neuron + 3).tolist(), strict=True))
    assert es.simulate(net, 15.0).spikes == runs[0].spikes
    assert es.simulate(net, 15.0, seed=seed + 1, record=record).sources["one"].time.tolist() != heard.time.tolist() \
        or not len(heard)


def test_ticks_of_an_integer_network_are_those_of_the_same_events():
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", v_rest=0.0, v_reset=0.0, v_thresh=3.0)
    for name, node in KINDS.items():
        g.add_node(name, **node)
        g.add_edge(name, "n", weight=1.0, delay=1.0)
    net = es.compile(g, seed=3)
    record = {name: ["spikes"] for name in KINDS}
    exact = es.simulate(net, 30.0, record=record, backend="python").sources
    fixed = es.quantise(net, tick=0.25)
    for backend in ("python", "simpy"):
        ticked = es.simulate(fixed, 30.0, record=record, backend=backend).sources
        for name in KINDS:
            rounded = np.sort(np.rint(exact[name].time / 0.25) * 0.25)
            np.testing.assert_array_equal(np.sort(ticked[name].time), rounded[rounded < 30.0])
