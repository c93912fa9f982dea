"""Connection rules and draws: what they promise about pairs, order, randomness and refusals."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsnn.errors import Mistake
from eventsnn.kernel.link import link
from eventsnn.rng import U64, batch, key, philox, several_below, unit
from eventsnn.rules import RULES, connect, draw_with, draw_without, pattern, skip
from eventsnn.values import drawn, fill_normal, fill_uniform, numbers

NAMES = ("a", "b", 0)


def pairs(rule, pre=4, post=4, same=False, seed=1, names=NAMES, **arguments):
    source, target = connect(rule, arguments, pre, post, same, seed, names)
    assert source.dtype == target.dtype == np.int32
    assert len(source) == len(target)
    return list(zip(source.tolist(), target.tolist(), strict=True))


def test_one_to_one_goes_by_index():
    assert pairs("one_to_one", 3, 3) == [(0, 0), (1, 1), (2, 2)]
    assert pairs("one_to_one", 3, 3, same=True, autapses=False) == []


def test_all_to_all_goes_by_source_then_target():
    assert pairs("all_to_all", 2, 3) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert pairs("all_to_all", 2, 2, same=True, autapses=False) == [(0, 1), (1, 0)]
    assert pairs("all_to_all", 2, 2, autapses=False) == pairs("all_to_all", 2, 2)       # two populations: no self


def test_pairs_are_taken_as_given():
    assert pairs("pairs", source=[3, 0, 3], target=np.array([1, 1, 1])) == [(3, 1), (0, 1), (3, 1)]
    assert pairs("pairs", source=[], target=[]) == []


def test_a_fixed_indegree_goes_by_target_and_a_fixed_outdegree_by_source():
    into = pairs("fixed_indegree", 20, 6, indegree=7)
    assert [t for _, t in into] == [t for t in range(6) for _ in range(7)]
    assert all(0 <= s < 20 for s, _ in into)
    out = pairs("fixed_outdegree", 6, 20, outdegree="7")
    assert [s for s, _ in out] == [s for s in range(6) for _ in range(7)]
    assert [t for _, t in out] == [s for s, _ in into]                     # the same draws, the other way round


@pytest.mark.parametrize("degree", [0, 1, 5, 8, 9])
def test_without_multapses_and_autapses_all_partners_are_distinct_others(degree):
    for rule, argument, own in (("fixed_indegree", "indegree", 1), ("fixed_outdegree", "outdegree", 0)):
        found = pairs(rule, 10, 10, same=True, multapses=False, autapses=False, **{argument: degree})
        assert len(found) == len(set(found)) == 10 * degree
        assert all(s != t for s, t in found)
        assert [pair[own] for pair in found] == sorted(pair[own] for pair in found)


def test_without_autapses_the_degree_stays_and_every_other_partner_is_possible():
    found = pairs("fixed_indegree", 5, 5, same=True, autapses=False, indegree=200)
    assert len(found) == 1000
    assert {s for s, t in found if t == 2} == {0, 1, 3, 4}
    assert any(s == t for s, t in pairs("fixed_indegree", 5, 5, same=True, indegree=200))


def test_multapses_occur_unless_they_are_refused():
    found = pairs("fixed_indegree", 5, 5, indegree=5)
    assert len(set(found)) < len(found)


def test_partners_without_replacement_are_equally_likely_in_every_place():
    """The place in a target's list must not favour a partner: user-given weights go by it."""
    source = np.array([s for s, _ in pairs("fixed_indegree", 6, 20_000, indegree=3, multapses=False)]).reshape(-1, 3)
    for place in range(3):
        counts = np.bincount(source[:, place], minlength=6)
        assert np.abs(counts - 20_000 / 6).max() < 5 * np.sqrt(20_000 / 6)


def test_partners_without_replacement_are_a_shuffle_that_begins_afresh_for_every_target():
    drawn_one_by_one = []
    for target in range(12):
        rest = list(range(9))
        for i in range(6):
            bits, _ = philox(key(1, "connect", *NAMES), U64(target), U64(i))
            j = i + int(unit(bits) * (9 - i))
            rest[i], rest[j] = rest[j], rest[i]
            drawn_one_by_one.append((rest[i], target))
    assert pairs("fixed_indegree", 9, 12, indegree=6, multapses=False) == drawn_one_by_one


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9, 0.999])
def test_bernoulli_connects_each_pair_once_with_its_probability(p):
    found = pairs("bernoulli", 300, 200, p=p)
    assert len(set(found)) == len(found)
    assert found == sorted(found, key=lambda pair: (pair[1], pair[0]))
    assert abs(len(found) - 60_000 * p) < 5 * np.sqrt(60_000 * p * (1 - p)) + 1
    columns = np.bincount([s for s, _ in found], minlength=300)            # no source is favoured, the last included
    assert np.abs(columns - 200 * p).max() < 6 * np.sqrt(200 * p * (1 - p)) + 1


def test_bernoulli_with_certainty_and_impossibility():
    assert pairs("bernoulli", 2, 2, p=1) == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert pairs("bernoulli", 2, 2, p="1.0", same=True, autapses=False) == [(1, 0), (0, 1)]
    assert pairs("bernoulli", 50, 50, p=0) == pairs("bernoulli", 50, 50, p=1e-17) == []


def test_bernoulli_leaves_autapses_out_and_moves_no_other_pair():
    with_self = pairs("bernoulli", 40, 40, same=True, p=0.3)
    assert any(s == t for s, t in with_self)
    assert pairs("bernoulli", 40, 40, same=True, p=0.3, autapses=False) == [(s, t) for s, t in with_self if s != t]


def test_fixed_total_goes_by_target_and_has_that_many_independent_pairs():
    found = pairs("fixed_total", 30, 20, total=60_000)
    assert len(found) == 60_000
    targets = [t for _, t in found]
    assert targets == sorted(targets)
    cells = np.bincount([s * 20 + t for s, t in found], minlength=600)
    assert abs(((cells - 100) ** 2 / 100).sum() - 599) < 5 * np.sqrt(2 * 599)     # chi-squared: multinomial
    assert pairs("fixed_total", 30, 20, total=0) == []
    assert all(s != t for s, t in pairs("fixed_total", 4, 4, same=True, autapses=False, total=300))
    assert pairs("fixed_total", 1 << 21, 3, total=8) == pairs("fixed_total", 1 << 21, 3, total="8")


@pytest.mark.parametrize(("rule", "arguments"), [
    ("one_to_one", {}), ("all_to_all", {}), ("fixed_indegree", {"indegree": 5}), ("fixed_outdegree", {"outdegree": 5}),
    ("fixed_indegree", {"indegree": 5, "multapses": False}), ("fixed_total", {"total": 150}), ("bernoulli", {"p": 0.3}),
    ("bernoulli", {"p": 1.0}), ("pairs", {"source": list(range(30)) * 3, "target": [1, 2, 3] * 30})])
@pytest.mark.parametrize("same", [True, False])
def test_chunks_are_bookkeeping(rule, arguments, same, monkeypatch):
    whole = pairs(rule, 30, 30, same=same, **arguments)
    monkeypatch.setattr("eventsnn.rules.CHUNK", 7)
    made = pattern(rule, arguments, 30, 30, same, 1, NAMES)
    assert made.chunks > 4
    parts = [list(zip(*(c.tolist() for c in made.chunk(k)), strict=True)) for k in range(made.chunks)]
    assert [pair for part in parts for pair in part] == whole
    if made.ascending:
        for source in range(30):
            mine = [t for s, t in whole if s == source]
            assert mine == sorted(mine)


def test_a_batch_holds_the_words_of_philox():
    for function in (batch, link(batch)):
        words = np.zeros((4, 9), np.uint64)
        function(words, key(1, "x"), U64(2 ** 33 + 5), 9)
        for draw in range(9):
            a, b = philox(key(1, "x"), U64(2 ** 33 + 5), U64(draw))
            x = words[:, draw]
            assert (a, b) == ((x[1] << U64(32)) | x[0], (x[3] << U64(32)) | x[2])


@pytest.mark.parametrize("n", [1, 7, 1 << 20, (1 << 20) + 1, 2 ** 31 - 1])
def test_several_below_fill_their_range_evenly_in_plain_python_too(n):
    found = []
    for function in (several_below, link(several_below)):
        out = np.zeros(999, np.int32)
        function(out, 1, 998, np.empty((4, 500), np.uint64), key(1, "y"), U64(3), n)
        found.append(out)
    assert (found[0] == found[1]).all()
    assert 0 <= found[0].min() <= found[0].max() < n
    assert abs(found[0][1:].mean() - (n - 1) / 2) < 5 * n / np.sqrt(12 * 998)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_plain_loops_and_the_compiled_ones_make_the_same_pairs(data):
    partners, owners = data.draw(st.integers(2, 30)), data.draw(st.integers(0, 10))
    itself = data.draw(st.booleans()) and owners <= partners
    degree = data.draw(st.integers(0, partners - itself))
    seed = key(data.draw(st.integers(0, 2 ** 40)), "test")
    for loop in (draw_with, draw_without):
        arguments = (seed, partners, 0, np.full(owners, degree), itself)
        assert (loop(*arguments) == link(loop)(*arguments)).all()
    room = data.draw(st.sampled_from([1, 3, 1000]))                        # a room too small grows
    plain, compiled = (f(seed, partners, 0, owners, -2.5, itself, room) for f in (skip, link(skip)))
    assert all((a == b).all() for a, b in zip(plain, compiled, strict=True))
    assert all((a == b).all() for a, b in zip(plain, skip(seed, partners, 0, owners, -2.5, itself, 5000), strict=True))


@pytest.mark.parametrize(("rule", "arguments"), [("fixed_indegree", {"indegree": 3}), ("bernoulli", {"p": 0.2}),
                                                 ("fixed_indegree", {"indegree": 3, "multapses": False})])
def test_the_partners_of_a_target_depend_on_nothing_but_seed_names_and_target(rule, arguments):
    few, many = pairs(rule, 30, 5, **arguments), pairs(rule, 30, 50, **arguments)
    assert few == [(s, t) for s, t in many if t < 5]
    for other in ({"seed": 2}, {"names": ("a", "c", 0)}, {"names": ("c", "b", 0)}, {"names": ("a", "b", 1)}):
        assert pairs(rule, 30, 50, **arguments, **other) != many


@pytest.mark.parametrize(("rule", "arguments", "message"), [
    ("one_to_one", {"pre": 3}, "rule 'one_to_one' needs populations of one size, not 3 and 4"),
    ("fixed_indegree", {"indegree": 5, "multapses": False}, "indegree 5 is too large for 4 possible partners "
                                                            "(with multapses=False)"),
    ("fixed_outdegree", {"outdegree": 4, "multapses": False, "autapses": False, "same": True},
     "outdegree 4 is too large for 3 possible partners (with multapses=False autapses=False)"),
    ("fixed_indegree", {"indegree": 1, "autapses": False, "same": True, "pre": 1, "post": 1},
     "indegree 1 is too large for 0 possible partners"),
    ("fixed_indegree", {"indegree": -1}, "indegree must be at least 0, not -1"),
    ("fixed_indegree", {"indegree": 1.5}, "indegree must be a whole number, not 1.5"),
    ("fixed_total", {"total": 3, "multapses": False}, "rule 'fixed_total' draws every pair on its own"),
    ("fixed_total", {"total": 3, "autapses": False, "same": True, "pre": 1, "post": 1},
     "total 3 is too large for 0 possible partners"),
    ("bernoulli", {"p": 1.5}, "p must be one number from 0 to 1, not 1.5"),
    ("bernoulli", {"p": -0.5}, "p must be one number from 0 to 1, not -0.5"),
    ("bernoulli", {"p": [0.1, 0.2]}, "p must be one number from 0 to 1, not [0.1, 0.2]"),
    ("bernoulli", {"p": {"uniform": [0, 1]}}, "p must be a number, not {'uniform': [0, 1]}"),
    ("pairs", {"source": [0]}, "rule 'pairs' needs 'target'"),
    ("pairs", {"source": [0, 4], "target": [0, 0]}, "source must hold indices from 0 to 3 (the population in front has "
                                                    "size 4), not 4 (at index 1)"),
    ("pairs", {"source": [0], "target": [-1]}, "target must hold indices from 0 to 3"),
    ("pairs", {"source": [0.5], "target": [1]}, "indices from 0 to 3 (the population in front has size 4), not 0.5"),
    ("pairs", {"source": [0, 1], "target": [0]}, "rule 'pairs' needs as many sources as targets, not 2 and 1"),
    ("pairs", {"source": 0, "target": [0]}, "source must be a list of indices, not 0"),
    ("pairs", {"source": [0, 2], "target": [1, 2], "same": True, "autapses": False},
     "pair 1 connects neuron 2 with itself, but autapses is false"),
    ("pairs", {"source": [0, 2, 0], "target": [1, 2, 1], "multapses": False},
     "pair 2 is a second 0 -> 1, but multapses is false"),
    ("one_to_one", {"p": 0.1}, "rule 'one_to_one' has no argument 'p' (it takes no arguments)"),
    ("pairs", {"source": [0], "target": [0], "indegree": 1},
     "rule 'pairs' has no argument 'indegree' (it takes 'source' and 'target')"),
])
def test_a_rule_refuses_what_it_cannot_do_with_the_numbers(rule, arguments, message):
    with pytest.raises(Mistake) as mistake:
        pairs(rule, **arguments)
    assert message in str(mistake.value)


def test_the_table_of_rules_is_the_contracts():
    assert list(RULES) == ["one_to_one", "all_to_all", "fixed_indegree", "fixed_outdegree", "fixed_total", "bernoulli",
                           "pairs"]


# ---------------------------------------------------------------------------------------------------- draws
def draw(spec, size=20_000, seed=1):
    return drawn(spec, size, "weight", (seed, "weight", "a"))


def test_normal_draws_have_mean_and_deviation_and_shape():
    values = draw({"normal": [3.0, 2.0]})
    z = np.sort((values - 3.0) / 2.0)
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03
    from scipy.stats import kstest
    assert kstest(z, "norm").pvalue > 0.01


def test_uniform_draws_fill_their_interval():
    values = draw({"uniform": [-1.0, 3.0]})
    assert values.min() > -1
    assert values.max() < 3
    assert abs(values.mean() - 1) < 0.05
    assert len(np.unique(values)) == 20_000


def test_a_clip_redraws_and_does_not_pile_up_at_its_ends():
    values, free = draw({"normal": [0, 1], "clip": [-0.5, "inf"]}), draw({"normal": [0, 1]})
    assert values.min() >= -0.5
    assert (values == -0.5).sum() == 0
    kept = free >= -0.5
    assert (values[kept] == free[kept]).all()
    assert not (values[~kept] == free[~kept]).any()


def test_a_draw_without_spread_is_its_value():
    assert set(draw({"normal": [2.5, 0]}, 10)) == set(draw({"uniform": ["2.5", 2.5]}, 10)) == {2.5}


def test_value_k_of_a_draw_does_not_depend_on_how_many_there_are():
    spec = {"normal": [0, 1], "clip": [-1, 1]}
    assert (draw(spec, 100) == draw(spec, 9000)[:100]).all()
    assert (draw(spec, 100) != draw(spec, 100, seed=2)).all()


def test_plain_and_compiled_draws_agree_bit_for_bit():
    for fill in (fill_normal, fill_uniform):
        plain, compiled = np.empty(500), np.empty(500)
        fill(plain, 7, key(3, "x"), 0.3, 1.7, 0.0, 1.5)
        link(fill)(compiled, 7, key(3, "x"), 0.3, 1.7, 0.0, 1.5)
        assert plain.tobytes() == compiled.tobytes()


def test_numbers_may_be_text_and_of_any_width():
    assert numbers(["1.5", 2, "-inf"], "x").tolist() == [1.5, 2.0, -np.inf]
    assert numbers(np.float32(0.5), "x").dtype == np.float64
    assert numbers(np.int8(3), "x") == 3.0
    assert numbers((1, 2), "x").tolist() == [1.0, 2.0]
    assert numbers([], "x").shape == (0,)
    for wrong in (None, "x", 1j, np.array(["2001"], "datetime64[s]"), [[1, 2], [3, 4]], {"a": 1}, object()):
        with pytest.raises(Mistake, match=r"^x must be"):
            numbers(wrong, "x")


def test_a_networkx_graph_of_every_rule_compiles():
    from eventsnn.graph import compile
    g = nx.MultiDiGraph()
    g.add_node("a", model="lif", size=6)
    given = {"fixed_indegree": {"indegree": 2}, "fixed_outdegree": {"outdegree": 2}, "bernoulli": {"p": 0.5},
             "fixed_total": {"total": 12}, "pairs": {"source": [1], "target": [2]}}
    for rule in RULES:
        g.add_edge("a", "a", rule=rule, weight=1.0, delay=1.0, **given.get(rule, {}))
    assert len(compile(g, merge=False).synapses.target) >= 6 + 36 + 12 + 12 + 12 + 1
