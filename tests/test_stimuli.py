"""Spike sources and currents: what they promise at run time, and what they refuse."""

import math

import networkx as nx
import numpy as np
import pytest

from eventsnn import rng
from eventsnn.currents import current as injected
from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.kernel.link import link
from eventsnn.rng import U64, key, lane, philox
from eventsnn.stimuli import trains
from eventsnn.streams import BLOCK, member, next_event, streams

inf = math.inf


def network(**nodes):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif")
    for name, attributes in nodes.items():
        g.add_node(name, **attributes)
    return compile(g, seed=9)


def poisson(**attributes):
    return network(p={"model": "poisson", **attributes})


def events(net, until, seed=9, step=next_event):
    """(time, emitter) of every event of every stream before `until`."""
    table = streams(net, seed)
    found = []
    for k in range(len(table.of)):
        i, t = 0, table.of.start[k]
        while True:
            t, emitter = step(table, k, i, t)
            i += 1
            if not t < until:
                break
            found.append((float(t), int(emitter)))
    return sorted(found)


# ---------------------------------------------------------------------------------------------------- poisson
def test_an_event_is_a_pure_function_of_seed_population_block_and_number():
    table = streams(poisson(size=5, rate=100.0), 9)
    keys = philox(key(9, "poisson", "p"), lane(0, 2), U64(0))
    t = 0.0
    for i in range(50):
        word = int(rng.word(*keys, U64(i)))
        time, emitter = next_event(table, 0, i, t)
        assert time == pytest.approx(t - math.log((word // 2**32 + 0.5) / 2**32) / 0.5, abs=1e-11)
        assert time > t
        assert emitter == 1 + word % 2**32 * 5 // 2**32
        t = time


def test_blocks_are_4096_consecutive_sources_each_its_own_stream():
    table = streams(poisson(size=2 * BLOCK + 10, rate=2.0), 9)
    assert table.of.sources.tolist() == [4096, 4096, 10]
    assert table.of.emitter.tolist() == [1, 4097, 8193]
    assert table.of.block.tolist() == [0, 1, 2]
    assert table.of.first.tolist() == [0, 4096, 8192]
    np.testing.assert_allclose(table.of.rate, [8.192, 8.192, 0.02])
    assert len(np.unique(table.of.key)) == 1
    assert next_event(table, 0, 0, 0.0)[0] != next_event(table, 1, 0, 0.0)[0]


def test_the_first_block_does_not_see_that_there_are_more_sources():
    few, many = events(poisson(size=BLOCK, rate=20.0), 1.0), events(poisson(size=BLOCK + 5, rate=20.0), 1.0)
    assert few == [event for event in many if event[1] <= BLOCK]
    assert len(few) > 50


def test_other_nodes_and_other_seeds():
    alone = events(poisson(size=3, rate=200.0), 50.0)
    shifted = events(network(a={"model": "poisson", "size": 2, "rate": 10.0}, p={"model": "poisson", "size": 3,
                                                                                  "rate": 200.0}), 50.0)
    assert [(t, e + 2) for t, e in alone] == [(t, e) for t, e in shifted if e >= 3]
    assert alone != events(poisson(size=3, rate=200.0), 50.0, seed=10)


def test_rates_and_waiting_times_are_those_of_poisson_processes():
    from scipy.stats import kstest

    rate = [100.0, 0.0, 300.0, 50.0]
    found = events(poisson(size=4, rate=rate), 20_000.0, step=link(next_event))
    counts = np.bincount([e - 1 for _, e in found], minlength=4)
    expected = np.array(rate) * 20.0
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()
    for j in (0, 2, 3):
        gaps = np.diff([t for t, e in found if e == j + 1])
        assert kstest(gaps, "expon", (0, 1000.0 / rate[j])).pvalue > 0.001


def test_a_source_is_silent_outside_its_start_and_stop_and_its_events_inside_stay():
    free = events(poisson(size=3, rate=500.0), 100.0)
    some = events(poisson(size=3, rate=500.0, start=[0.0, 20.0, 0.0], stop=[inf, 60.0, 50.0]), 100.0)
    kept = [(t, e) for t, e in some if e >= 0]
    assert kept == [(t, e) for t, e in free if e == 1 or (e == 2 and 20 <= t < 60) or (e == 3 and t < 50)]
    assert len(some) == len(free)


def test_a_block_begins_at_its_earliest_start_and_ends_at_its_latest_stop():
    late = events(poisson(size=2, rate=500.0, start=30.0, stop=[70.0, 80.0]), inf)
    assert late[0][0] >= 30.0
    assert late[-1][0] < 80.0
    free = events(poisson(size=2, rate=500.0, stop=50.0), inf)
    np.testing.assert_allclose([t for t, _ in late if t < 70], [t + 30 for t, _ in free if t < 40], rtol=1e-12)


def test_silent_sources_have_no_event():
    assert events(poisson(size=3, rate=0.0), inf) == []


def test_a_member_is_drawn_in_proportion_to_the_rates_and_never_with_rate_zero():
    table = streams(poisson(size=6, rate=[0, 1, 0, 2, 5, 0]), 1)
    assert not table.of[0].uniform
    drawn = [member(table.cumulative, 0, 6, philox(key(1, "x"), U64(0), U64(i))[0] >> U64(32)) for i in range(8000)]
    assert np.abs(np.bincount(drawn, minlength=6) / 1000 - [0, 1, 0, 2, 5, 0]).max() < 0.15
    assert np.bincount(drawn, minlength=6)[[0, 2, 5]].sum() == 0
    extremes = (0, 2 ** 32 - 1, 2 ** 29, 2 ** 29 - 1)
    assert [int(member(table.cumulative, 0, 6, U64(bits))) for bits in extremes] == [1, 4, 3, 1]


def test_plain_and_compiled_streams_agree_bit_for_bit():
    net = poisson(size=3, rate=[10.0, 200.0, 300.0], start=[5.0, 0.0, 0.0], stop=[90.0, 80.0, 70.0])
    assert events(net, 200.0) == events(net, 200.0, step=link(next_event))
    equal = poisson(size=7, rate=90.0)
    assert events(equal, 200.0) == events(equal, 200.0, step=link(next_event))


# ---------------------------------------------------------------------------------------------------- given spikes
def given():
    return network(one={"model": "spikes", "times": [3.0, "1.5", 2]}, none={"model": "spikes", "size": 2},
                   two={"model": "spikes", "size": 2, "times": [[2.0, 2.0], [1.5]]})


def test_trains_stand_by_time_then_emitter():
    found = trains(given())
    assert list(zip(found.time.tolist(), found.emitter.tolist(), strict=True)) == [
        (1.5, 1), (1.5, 5), (2.0, 1), (2.0, 4), (2.0, 4), (3.0, 1)]
    assert (found.time.dtype, found.emitter.dtype) == (np.float64, np.int64)
    assert len(trains(network()).time) == 0


def test_inputs_replace_the_times_of_the_nodes_they_name_only():
    found = trains(given(), {"two": [[], np.array([7.0])], "none": [[9.0], []]})
    assert list(zip(found.time.tolist(), found.emitter.tolist(), strict=True)) == [
        (1.5, 1), (2.0, 1), (3.0, 1), (7.0, 5), (9.0, 2)]


@pytest.mark.parametrize(("inputs", "message"), [
    ({"won": [1.0]}, "no spike source 'won'"),
    ({"n": [1.0]}, "no spike source 'n'"),
    ({"p": [1.0]}, "node \"p\" is a 'poisson' source: inputs are for 'spikes' nodes"),
    ({"one": [1.0, math.nan]}, 'inputs of node "one": times is NaN (at index 1): give a number'),
    ({"one": [-1.0]}, "times must be >= 0 ms, not -1.0 (at index 0)"),
    ({"one": [inf]}, "times must be finite and >= 0 ms, not inf"),
    ({"one": 3.0}, "times must be a list of numbers, not 3.0"),
    ({"one": [[1.0], [2.0]]}, "times must be one flat list of numbers"),
    ({"two": [1.0, 2.0]}, 'inputs of node "two": times must be 2 lists of numbers, one per source, not one flat list'),
    ({"two": [[1.0]] * 3}, "times must be 2 lists of numbers, one per source, not 3 lists"),
    ({"two": [[1.0], ["x"]]}, "times[1] must be a number, not 'x'"),
    ({"two": "12"}, "times must be a list of numbers, not '12'"),
])
def test_a_train_that_cannot_be_played_is_refused(inputs, message):
    g = given().graph
    g.add_node("p", model="poisson", rate=1.0)
    with pytest.raises(Mistake) as mistake:
        trains(compile(g), inputs)
    assert message in str(mistake.value)


def test_times_of_a_node_are_read_like_inputs():
    with pytest.raises(Mistake, match=r'^node "s": times must be 3 lists of numbers, one per source, not 2 lists'):
        network(s={"model": "spikes", "size": 3, "times": [[1.0], [2.0]]})
    assert trains(network(s={"model": "spikes", "times": [[1.0, 2.0]]})).time.tolist() == [1.0, 2.0]


# ---------------------------------------------------------------------------------------------------- currents
def current(model, k=0, **attributes):
    params = network(c={"model": model, **attributes}).by_name["c"].params
    made = injected(model, params, k)
    assert made.wave is None
    assert not made.slope.any()
    return list(zip(made.time.tolist(), made.amount.tolist(), strict=True))


def test_a_dc_is_constant_from_start_to_stop():
    assert current("dc", amplitude=2.0) == [(0.0, 2.0)]
    assert current("dc", amplitude=2.0, start=5, stop=7) == [(5.0, 2.0), (7.0, 0.0)]
    assert current("dc", amplitude=2.0, start=5, stop=5) == []
    assert current("dc", 1, size=2, amplitude=[1.0, 2.0], stop=["inf", 9.0]) == [(0.0, 2.0), (9.0, 0.0)]


def test_steps_hold_from_each_time_on_and_are_zero_outside_start_and_stop():
    given = {"times": [10.0, 20.0, 30.0], "amplitudes": [1.0, 2.0, -3.0]}
    assert current("steps", **given) == [(10.0, 1.0), (20.0, 2.0), (30.0, -3.0)]
    assert current("steps", **given, start=5.0) == [(10.0, 1.0), (20.0, 2.0), (30.0, -3.0)]
    assert current("steps", **given, start=20.0) == [(20.0, 2.0), (30.0, -3.0)]
    assert current("steps", **given, start=25.0, stop=40.0) == [(25.0, 2.0), (30.0, -3.0), (40.0, 0.0)]
    assert current("steps", **given, start=12.0, stop=30.0) == [(12.0, 1.0), (20.0, 2.0), (30.0, 0.0)]
    assert current("steps", **given, stop=10.0) == []
    assert current("steps", **given, start=99.0, stop=99.0) == []
    assert current("steps", times=[], amplitudes=[]) == []


def test_a_population_of_steps_has_a_list_each():
    assert current("steps", 1, size=2, times=[[1.0], [2.0, 3.0]], amplitudes=[[5.0], [6.0, 7.0]]) == [
        (2.0, 6.0), (3.0, 7.0)]


@pytest.mark.parametrize(("attributes", "message"), [
    ({"model": "poisson"}, 'node "c": poisson needs \'rate\''),
    ({"model": "poisson", "rate": -1}, "rate must be >= 0 Hz, not -1.0"),
    ({"model": "poisson", "rate": inf}, "rate must be finite and >= 0 Hz, not inf"),
    ({"model": "poisson", "raet": 1}, "poisson has no 'raet' (did you mean 'rate'?)"),
    ({"model": "poisson", "rates": 1}, "rates must be a list of numbers, not 1"),
    ({"model": "poisson", "times": [0.0]}, "poisson needs 'rates'"),
    ({"model": "poisson", "rates": [1.0]}, "poisson needs 'times'"),
    ({"model": "poisson", "rate": 2, "times": [0.0], "rates": [1.0]},
     "rate and rates exclude each other: give rate, or times and rates"),
    ({"model": "poisson", "times": [0.0, 2.0], "rates": [1.0]}, "poisson needs as many rates as times, not 1 and 2"),
    ({"model": "poisson", "times": [0.0, 2.0, 1.0], "rates": [1, 2, 3]}, "times must ascend, but 1 follows 2"),
    ({"model": "poisson", "times": [0.0], "rates": [-1.0]}, "rates must be >= 0 Hz, not -1.0"),
    ({"model": "poisson", "size": 2, "times": [0.0], "rates": [[1.0], [2.0]]},
     "times must be 2 lists of numbers, one per source, not one flat list"),
    ({"model": "poisson", "size": 2, "rate": 1, "modulation": [0.5, 1.5], "frequency": 1},
     "modulation must be <= 1, not 1.5 (source 1): the rate would fall below 0"),
    ({"model": "poisson", "rate": 1, "modulation": -0.5}, "modulation must be >= 0, not -0.5"),
    ({"model": "poisson", "rate": 1, "modulation": 0.5}, "poisson needs 'frequency'"),
    ({"model": "poisson", "rate": 1, "phase": inf}, "phase must be finite, not inf"),
    ({"model": "renewal", "shape": 2}, "renewal needs 'rate'"),
    ({"model": "renewal", "rate": 2}, "renewal needs 'shape'"),
    ({"model": "renewal", "rate": 2, "shape": 0}, "shape must be >= 0.001, not 0.0"),
    ({"model": "renewal", "size": 2, "rate": 2, "shape": [1, 1e10]}, "shape must be <= 1e+09, not 1e+10 (source 1)"),
    ({"model": "renewal", "rate": 200, "shape": 2, "dead_time": 5},
     "a dead_time of 5 ms is too long for a rate of 200 Hz (source 0): it must be under 5 ms"),
    ({"model": "renewal", "rate": 200, "shape": 2, "dead_time": -1}, "dead_time must be >= 0 ms, not -1.0"),
    ({"model": "renewal", "rate": 200, "shape": 2, "start": 5, "stop": 4}, "stop (4) lies before start (5)"),
    ({"model": "poisson", "size": 2, "rate": [1, 2, 3]}, "rate has 3 values for 2 sources: give one number, or 2"),
    ({"model": "poisson", "rate": 1, "start": 5, "stop": 4}, "stop (4) lies before start (5)"),
    ({"model": "poisson", "rate": 1, "start": -1}, "start must be >= 0 ms, not -1.0"),
    ({"model": "spikes", "times": [1.0, None]}, "times must be a number, not None"),
    ({"model": "spikes", "rate": 3}, "spikes has no 'rate' (there is: times, size)"),
    ({"model": "dc"}, "dc needs 'amplitude'"),
    ({"model": "dc", "amplitude": math.nan}, "amplitude is NaN"),
    ({"model": "steps", "times": [1.0]}, "steps needs 'amplitudes'"),
    ({"model": "steps", "times": [1.0, 2.0], "amplitudes": [1.0]},
     "steps needs as many amplitudes as times, not 1 and 2"),
    ({"model": "steps", "times": [1.0, 3.0, 3.0], "amplitudes": [1, 2, 3]}, "times must ascend, but 3 follows 3"),
    ({"model": "steps", "times": [-1.0], "amplitudes": [1]}, "times must be >= 0 ms, not -1.0"),
    ({"model": "steps", "size": 2, "times": [1.0], "amplitudes": [[1], [2]]},
     "times must be 2 lists of numbers, one per current, not one flat list"),
])
def test_a_mistake_in_a_stimulus_says_where_what_and_what_would_be_right(attributes, message):
    with pytest.raises(Mistake) as mistake:
        network(c=attributes)
    assert message in str(mistake.value)
    assert str(mistake.value).startswith('node "c": ')


def test_rates_and_amplitudes_may_be_drawn():
    net = network(p={"model": "poisson", "size": 50, "rate": {"uniform": [1, 2]}},
                  c={"model": "dc", "size": 50, "amplitude": {"normal": [0, 1]}})
    assert len(np.unique(net.by_name["p"].params["rate"])) == 50
    assert len(np.unique(net.by_name["c"].params["amplitude"])) == 50
