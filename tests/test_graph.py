"""compile: what a graph means, and what every mistake in one says."""

import math
import tracemalloc

import networkx as nx
import numpy as np
import pytest

import eventsnn as es
from eventsnn.columns import of_edge
from eventsnn.graph import compile
from eventsnn.model import Field
from eventsnn.network import Network, flat
from eventsnn.rules import connect


def graph(*nodes, edges=(), kind=nx.MultiDiGraph, **attributes):
    g = kind()
    for name, model, size in nodes:
        g.add_node(name, model=model, size=size, **attributes.get(str(name), {}))
    for pre, post, edge in edges:
        g.add_edge(pre, post, **edge)
    return g


def synapse_list(network):
    """(emitter, delay, target, weight, receptor, count) of every synapse, as the table lists them."""
    s = flat(network.synapses)
    return list(zip(*(c.tolist() for c in (s.emitter, s.delay, s.target, s.weight, s.receptor, s.count)), strict=True))


def drive_of(network, neuron):
    d = network.drives
    mine = slice(d.first[d.line[neuron]], d.first[d.line[neuron] + 1])
    return list(zip(d.time[mine].tolist(), d.amount[mine].tolist(), strict=True))


# ---------------------------------------------------------------------------------------------------- what it builds
def test_neurons_and_emitters_are_numbered_in_node_order():
    g = graph(("b", "lif", 3), ("noise", "poisson", 2), ("step", "dc", 1), ("a", "lif", 4), (7, "spikes", 1),
              noise={"rate": 5}, step={"amplitude": 1})
    network = compile(g)
    found = [(p.name, p.kind, p.neuron, p.emitter) for p in network.populations]
    assert found == [("b", "neuron", 0, 0), ("noise", "source", -1, 3), ("step", "current", -1, -1),
                     ("a", "neuron", 3, 5), (7, "source", -1, 9)]
    assert network.neurons == 7
    assert network.emitters == 10


def test_populations_of_one_dynamics_share_a_group_of_contiguous_records():
    network = compile(graph(("a", "lif", 3), ("q", "qif", 2), ("b", "lif", 4), a={"tau_m": 10.0}, b={"tau_m": 30.0}))
    a, q, b = network.populations
    assert (a.group, a.offset, q.group, q.offset, b.group, b.offset) == (0, 0, 1, 0, 0, 3)
    shared, other = network.groups
    assert shared.neuron.tolist() == [0, 1, 2, 5, 6, 7, 8]
    assert other.neuron.tolist() == [3, 4]
    for group in network.groups:
        assert isinstance(group.params, np.recarray)
        assert group.params.flags.c_contiguous
        assert len(group.state)
    alone = compile(graph(("b", "lif", 4), b={"tau_m": 30.0})).groups[0]
    assert shared.params[3:].tobytes() == alone.params.tobytes()
    assert shared.state[3:].tobytes() == alone.state.tobytes()


def test_parameters_keep_every_attribute_with_its_default_filled_in():
    g = graph(("a", "lif", 2), a={"tau_m": "15.5", "v_thresh": [np.inf, "-40"], "synapse": ["delta", "exp"],
                                  "tau_syn": [None, [2.0, 3.0]]})
    params = compile(g).by_name["a"].params
    assert params["tau_m"].tolist() == [15.5, 15.5]
    assert params["v_thresh"].tolist() == [math.inf, -40.0]
    assert params["tau_syn"][0] is None
    assert params["tau_syn"][1].tolist() == [2.0, 3.0]
    assert params["reset"] == "value"
    assert params["v_rest"].shape == (2,)


def test_rows_stand_by_delay_then_edge_then_count_and_targets_ascend():
    g = graph(("a", "lif", 2), ("b", "lif", 3), ("in", "spikes", 1), edges=[
        ("in", "b", {"weight": [3, 2, 1], "delay": [2.0, 1.0, 2.0]}),
        ("in", "a", {"weight": 9, "delay": 2.0}),
        ("a", "b", {"rule": "pairs", "source": [1, 0, 1, 1], "target": [2, 1, 0, 2], "weight": [5, 6, 7, 8],
                    "delay": [1.0, 1.0, 1.0, 0.5]})])
    assert synapse_list(compile(g)) == [
        (0, 1.0, 3, 6.0, 0, 1),
        (1, 0.5, 4, 8.0, 0, 1), (1, 1.0, 2, 7.0, 0, 1), (1, 1.0, 4, 5.0, 0, 1),
        (5, 1.0, 3, 2.0, 0, 1),
        (5, 2.0, 2, 3.0, 0, 1), (5, 2.0, 4, 1.0, 0, 1), (5, 2.0, 0, 9.0, 0, 1), (5, 2.0, 1, 9.0, 0, 1)]


def test_multapses_of_one_edge_are_one_synapse_of_summed_weight():
    weights = [0.1, 0.2, 0.3, 0.7]
    edge = {"rule": "pairs", "source": [0, 0, 0, 0], "target": [1, 1, 1, 1], "weight": weights,
            "delay": [1.0, 1.0, 1.0, 2.0]}
    g = graph(("a", "lif", 2), edges=[("a", "a", edge), ("a", "a", {**edge, "weight": 0.1})])
    assert synapse_list(compile(g)) == [
        (0, 1.0, 1, 0.1 + 0.2 + 0.3, 0, 3), (0, 1.0, 1, 0.1 + 0.1 + 0.1, 0, 3), (0, 2.0, 1, 0.7, 0, 1),
        (0, 2.0, 1, 0.1, 0, 1)]
    apart = synapse_list(compile(g, merge=False))
    assert [row[3] for row in apart] == [0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.7, 0.1]
    assert all(row[5] == 1 for row in apart)


def test_copies_of_a_target_go_into_rows_by_how_many_there_are_or_unmerged_by_which_they_are():
    edge = {"rule": "pairs", "source": [0] * 7, "target": [2, 1, 2, 0, 1, 3, 2], "weight": 0.5, "delay": 1.0}
    g = graph(("a", "lif", 4), edges=[("a", "a", edge)])
    s = compile(g).synapses
    assert (s.first.tolist(), s.target.tolist()) == ([0, 2, 3, 4], [0, 3, 1, 2])
    assert (s.count.tolist(), s.weight.tolist(), s.varied.tolist()) == ([1, 2, 3], [0.5, 1.0, 1.5], [-1] * 3)
    s = compile(g, merge=False).synapses
    assert (s.first.tolist(), s.target.tolist()) == ([0, 4, 6, 7], [0, 1, 2, 3, 1, 2, 2])
    assert (s.count.tolist(), s.weight.tolist()) == ([1] * 3, [0.5] * 3)


def test_receptors_and_edges_are_never_merged_with_one_another():
    g = graph(("a", "lif", 1), a={"synapse": ["delta", "exp"], "tau_syn": [None, 5.0]},
              edges=[("a", "a", {"weight": 1, "delay": 1, "receptor": r}) for r in (1, 0, "1")])
    assert [(row[3], row[4], row[5]) for row in synapse_list(compile(g))] == [(1, 1, 1), (1, 0, 1), (1, 1, 1)]


def test_the_table_equals_a_sort_of_all_synapses_one_by_one():
    g = graph(("a", "lif", 40), ("b", "lif", 25), edges=[
        ("a", "b", {"rule": "fixed_indegree", "indegree": 30, "weight": {"normal": [1, 0.5]},
                    "delay": {"uniform": [1, 2], "clip": [1.2, 1.9]}}),
        ("a", "b", {"rule": "bernoulli", "p": 0.4, "weight": 2.0, "delay": 1.5}),
        ("b", "a", {"rule": "fixed_outdegree", "outdegree": 60, "weight": -1.0, "delay": 1.5}),
        ("b", "b", {"rule": "all_to_all", "weight": 0.5, "delay": [float(1 + k % 3) for k in range(625)]})])
    network = compile(g, seed=5)
    drawn = {name: of_edge(value, 750, Field(None, "", ""), name, (5, name, "a", "b", 0)).of(0, 750)
             for name, value in (("weight", {"normal": [1, 0.5]}), ("delay", {"uniform": [1, 2], "clip": [1.2, 1.9]}))}
    rules = [("a", "b", "fixed_indegree", {"indegree": 30}, drawn["weight"], drawn["delay"], 0),
             ("a", "b", "bernoulli", {"p": 0.4}, 2.0, 1.5, 1),
             ("b", "a", "fixed_outdegree", {"outdegree": 60}, -1.0, 1.5, 0),
             ("b", "b", "all_to_all", {}, 0.5, [float(1 + k % 3) for k in range(625)], 0)]
    merged, unmerged = {}, []
    for edge, (pre, post, rule, arguments, weight, delay, key) in enumerate(rules):
        pre, post = network.by_name[pre], network.by_name[post]
        source, target = connect(rule, arguments, pre.size, post.size, pre is post, 5, (pre.name, post.name, key))
        for s, t, w, d in zip(*np.broadcast_arrays(source, target, weight, delay), strict=True):
            where = (int(s) + pre.emitter, float(d), edge, int(t) + post.neuron)
            total, n = merged.get(where, (0.0, 0))
            merged[where] = (total + float(w), n + 1)
            unmerged.append((*where, float(w)))
    assert sorted(row[:4] for row in synapse_list(compile(g, seed=5, merge=False))) == sorted(
        (e, d, t, w) for e, d, _, t, w in unmerged)
    assert sorted(synapse_list(network)) == sorted((e, d, t, w, 0, n) for (e, d, _, t), (w, n) in merged.items())
    assert any(n > 1 for _, n in merged.values())


def promised(network):
    """Every promise of `Synapses` about the order of rows and targets."""
    s = network.synapses
    each = flat(s)
    assert len(s.first_row) == network.emitters + 1
    assert s.first_row[-1] == len(s.delay) == len(s.first) - 1
    assert (np.diff(s.first) > 0).all()
    piece = np.searchsorted(s.pieces, each.target, side="right") - 1
    for r in range(len(s.delay)):
        mine = slice(s.first[r], s.first[r + 1])
        if s.spread[r] < 0:
            assert (np.diff(s.target[mine].astype(int)) > 0).all()
            assert len(set(piece[mine])) == 1
        else:
            by = list(zip(each.delay[mine].tolist(), s.target[mine].tolist(), strict=True))
            assert by == sorted(by)
            assert s.delay[r] == each.delay[mine][0]
    assert sorted(s.varied[s.varied >= 0]) == [0, *np.cumsum(np.diff(s.first)[s.varied >= 0])][:(s.varied >= 0).sum()]
    assert len(s.weights) == np.diff(s.first)[s.varied >= 0].sum()
    assert len(s.delays) == np.diff(s.first)[s.spread >= 0].sum()
    for e in range(network.emitters):
        rows = slice(s.first_row[e], s.first_row[e + 1])
        assert (np.diff(s.delay[rows]) >= 0).all()


@pytest.mark.parametrize("merge", [True, False])
def test_a_row_of_one_delay_has_distinct_ascending_targets_in_one_piece(merge, monkeypatch):
    monkeypatch.setattr("eventsnn.synapses.PIECE", 16)
    monkeypatch.setattr("eventsnn.synapses.SHORT", 4)
    monkeypatch.setattr("eventsnn.columns.LEVELS", 5)
    g = graph(("a", "lif", 40), ("b", "lif", 50), ("c", "lif", 20), edges=[
        ("a", "b", {"rule": "fixed_indegree", "indegree": 60, "weight": 0.1, "delay": 1.5}),
        ("a", "b", {"rule": "fixed_outdegree", "outdegree": 60, "weight": {"normal": [1, 1]}, "delay": 1.0}),
        ("a", "b", {"rule": "fixed_total", "total": 900, "weight": {"normal": [1, 1]}, "delay": {"uniform": [1, 3]}}),
        ("b", "c", {"rule": "bernoulli", "p": 0.1, "weight": 1.0, "delay": 2.0}),
        ("b", "b", {"rule": "fixed_indegree", "indegree": 40, "weight": 0.3, "delay": [1.0, 2.0, 3.0, 2.5] * 500})])
    network = compile(g, seed=3, merge=merge)
    promised(network)
    s = network.synapses
    assert s.pieces.tolist() == [0, 16, 32, 40, 56, 72, 88, 90, 110]     # rows into c are short: it is whole
    assert s.count.max() > 1 if merge else s.count.max() == 1
    assert (s.spread >= 0).any()
    assert (s.varied >= 0).any()
    assert flat(s).count.sum() == 50 * 60 + 40 * 60 + 900 + 2000 + (flat(s).delay == 2.0)[flat(s).target >= 90].sum()


def test_drawn_weights_and_delays_are_float32_numbers_inside_their_clip():
    clip = [0.1, 0.3]
    g = graph(("a", "lif", 300), edges=[("a", "a", {
        "rule": "fixed_indegree", "indegree": 3, "multapses": False, "weight": {"normal": [0.2, 0.2], "clip": clip},
        "delay": {"uniform": [0.1, 0.3]}})])
    each = flat(compile(g).synapses)
    assert (each.weight == each.weight.astype(np.float32)).all()
    assert (each.delay == each.delay.astype(np.float32)).all()
    assert clip[0] <= each.weight.min()
    assert each.weight.max() <= clip[1]
    with pytest.raises(es.Mistake, match="no float32 number lies inside the clip"):
        of_edge({"uniform": [0.1, 0.1 + 2e-12], "clip": [0.1, 0.1 + 1e-12]}, 3, Field(None, "", ""), "weight",
                (1, "weight"))


def test_own_values_are_stored_in_float32_where_that_is_exact_and_saves_something(monkeypatch):
    def stored(weight, rule="pairs", **more):
        edge = {"rule": rule, "weight": weight, "delay": 1.0, **more}
        s = compile(graph(("a", "lif", 3), edges=[("a", "a", edge)])).synapses
        return s.weights.dtype, s.weights.tolist()
    pairs = {"source": [0, 0, 1], "target": [1, 1, 2]}
    assert stored([0.5, 0.25, 2.0], **pairs) == (np.float64, [0.75, 2.0])
    monkeypatch.setattr("eventsnn.synapses.SMALL", 1)
    assert stored([0.5, 0.25, 2.0], **pairs) == (np.float32, [0.75, 2.0])
    assert stored([0.5, 0.1, 2.0], **pairs) == (np.float64, [0.5 + 0.1, 2.0])
    assert stored([1.0, 2.0 ** -30, 2.0], **pairs) == (np.float64, [1.0 + 2.0 ** -30, 2.0])     # no float32 as a sum
    dtype, drawn = stored({"normal": [1.0, 0.1]}, **pairs)
    assert dtype == np.float32                                 # sums of draws are rounded as they were
    monkeypatch.setattr("eventsnn.synapses.SMALL", 100)
    assert stored({"normal": [1.0, 0.1]}, **pairs) == (np.float64, drawn)
    assert stored([0.5] * 3, **pairs) == (np.float64, [])      # one weight for all


def test_few_different_delays_make_rows_and_many_make_one_row_of_own_delays():
    edge = {"rule": "all_to_all", "weight": 1.0}
    few = compile(graph(("a", "lif", 20), edges=[("a", "a", {**edge, "delay": [1.0, 2.0] * 200})])).synapses
    assert (len(few.delay), len(few.delays)) == (40, 0)
    many = compile(graph(("a", "lif", 20), edges=[("a", "a", {**edge, "delay": {"uniform": [1, 2]}})])).synapses
    assert (len(many.delay), len(many.delays)) == (20, 400)


@pytest.mark.parametrize(("size", "indegree", "own", "bytes_per_synapse"), [(5000, 500, False, 3.0),
                                                                           (5000, 300, True, 12.5)])
def test_a_synapse_takes_few_bytes_and_building_few_more(size, indegree, own, bytes_per_synapse):
    edge = {"rule": "fixed_indegree", "indegree": indegree, "weight": 0.1, "delay": 1.5}
    if own:
        edge |= {"weight": {"normal": [1, 0.1]}, "delay": {"normal": [1.5, 0.5], "clip": [0.1, 9]}}
    g = graph(("a", "lif", size), edges=[("a", "a", edge)])
    compile(g)                                                 # its own memory is numba's
    tracemalloc.start()
    synapses = compile(g).synapses
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    taken = sum(column.nbytes for column in synapses)
    assert taken <= bytes_per_synapse * size * indegree
    assert peak <= 1.3 * taken + 12 * 2 ** 20                  # chunks and records of neurons: the same for any size


def test_the_compiled_and_the_plain_table_builder_agree(monkeypatch):
    g = graph(("a", "lif", 100), ("b", "lif", 70), edges=[
        ("a", "b", {"rule": "fixed_indegree", "indegree": 90, "weight": {"normal": [1, 0.5]}, "delay": 1.5}),
        ("b", "b", {"rule": "bernoulli", "p": 0.3, "autapses": False, "weight": 2.0, "delay": {"uniform": [1, 2]}})])
    compiled = compile(g, seed=2)                                  # over 5000 synapses, so compiled loops made it
    monkeypatch.setattr("eventsnn.synapses.link", lambda function: function)
    for module in ("synapses", "rules", "values"):
        monkeypatch.setattr(f"eventsnn.{module}.loop", lambda function, work: function)
    assert compile(g, seed=2).digest == compiled.digest


def test_a_digraph_compiles_as_the_multidigraph_of_its_edges():
    parts = [("a", "lif", 5), ("b", "lif", 5)]
    edges = [("a", "b", {"rule": "fixed_indegree", "indegree": 3, "weight": 1.0, "delay": 1.0})]
    assert (compile(graph(*parts, edges=edges), seed=4).digest
            == compile(graph(*parts, edges=edges, kind=nx.DiGraph), seed=4).digest)


def test_an_edge_to_or_from_a_single_neuron_needs_no_rule():
    g = graph(("a", "lif", 1), ("b", "lif", 3), edges=[("a", "b", {"weight": [1, 2, 3], "delay": 1}),
                                                        ("b", "a", {"weight": 4, "delay": 1})])
    assert [row[:4] for row in synapse_list(compile(g))] == [(0, 1.0, 1, 1.0), (0, 1.0, 2, 2.0), (0, 1.0, 3, 3.0),
                                                              (1, 1.0, 0, 4.0), (2, 1.0, 0, 4.0), (3, 1.0, 0, 4.0)]


def test_a_network_without_synapses_has_empty_tables():
    network = compile(graph(("a", "lif", 3)))
    assert isinstance(network, Network)
    assert synapse_list(network) == []
    assert network.min_delay == math.inf
    assert network.drives.line.tolist() == [0, 0, 0]
    assert network.drives.first.tolist() == [0, 0]


# ---------------------------------------------------------------------------------------------------- currents
def test_currents_into_a_neuron_add_up_at_every_breakpoint():
    g = graph(("x", "dc", 1), ("y", "steps", 1), ("a", "lif", 3), x={"amplitude": 2.0, "start": 5, "stop": 20},
              y={"times": [0.0, 10.0, 30.0], "amplitudes": [1.0, 3.0, 4.0], "start": 2.0, "stop": 40.0},
              edges=[("x", "a", {"weight": [1.0, 0.5, 0.5]}),
                     ("y", "a", {"rule": "pairs", "source": [0, 0], "target": [1, 2]})])
    network = compile(g)
    assert drive_of(network, 0) == [(5.0, 2.0), (20.0, 0.0)]
    assert drive_of(network, 1) == [(2.0, 1.0), (5.0, 2.0), (10.0, 4.0), (20.0, 3.0), (30.0, 4.0), (40.0, 0.0)]
    assert network.drives.line.tolist() == [1, 2, 2]


def test_neurons_that_receive_nothing_have_the_empty_line_and_equal_lines_are_shared():
    amplitude = {"amplitude": [1.0, 2.0, 1.0]}
    g = graph(("x", "dc", 3), ("a", "lif", 3), ("b", "lif", 2), x=amplitude, edges=[("x", "a", {"rule": "one_to_one"})])
    drives = compile(g).drives
    assert drives.line.tolist() == [1, 2, 1, 0, 0]
    assert drives.first.tolist() == [0, 0, 1, 2]


def test_currents_are_added_in_node_order_of_the_currents():
    def total(names):
        g = graph(*((n, "dc", 1) for n in names), ("a", "lif", 1), edges=[(n, "a", {}) for n in "xyz"],
                  **{n: {"amplitude": v} for n, v in zip("xyz", (0.1, 0.2, 0.3), strict=True)})
        return drive_of(compile(g), 0)
    assert total("xyz") == [(0.0, 0.1 + 0.2 + 0.3)]
    assert total("zyx") == [(0.0, 0.3 + 0.2 + 0.1)]
    assert total("xyz") != total("zyx")


def test_ramps_and_waves_become_lines_and_slots_of_each_neuron():
    """Slot -1 is the line, 2 k the k-th decaying current, 2 k + 1 the k-th sine; a factor acts on all of it."""
    g = graph(("r", "ramp", 1), ("d", "decay", 2), ("s", "sine", 1), ("a", "lif", 2),
              r={"first": 1.0, "last": 5.0, "start": 2.0, "stop": 4.0},
              d={"amplitude": [3.0, 4.0], "tau": [5.0, 6.0], "stop": 9.0},
              s={"amplitude": 2.0, "frequency": 10.0, "phase": 90.0, "offset": 0.5, "start": 1.0},
              edges=[("r", "a", {"weight": -1.0}),
                     ("d", "a", {"rule": "pairs", "source": [0, 1], "target": [1, 1], "weight": [1.0, 0.5]}),
                     ("s", "a", {"rule": "pairs", "source": [0], "target": [0]})])
    d = compile(g).drives

    def rows(neuron):
        mine = slice(d.first[d.line[neuron]], d.first[d.line[neuron] + 1])
        return list(zip(*(column[mine].tolist() for column in (d.time, d.slot, d.amount, d.slope)), strict=True))

    assert rows(0) == [(1.0, -1, 0.5, 0.0), (1.0, 1, 2.0, 0.0), (2.0, -1, -0.5, -2.0), (4.0, -1, 0.5, 0.0)]
    assert rows(1) == [(0.0, 0, 3.0, 0.0), (0.0, 2, 2.0, 0.0), (2.0, -1, -1.0, -2.0), (4.0, -1, 0.0, 0.0),
                       (9.0, 0, 0.0, 0.0), (9.0, 2, 0.0, 0.0)]
    (p,) = (group.params for group in compile(g).groups)
    assert p.tau_c[1].tolist()[-2:] == [5.0, 6.0]
    assert p.frequency[0].tolist() == [10.0]
    assert p.phase[0].tolist() == [math.pi / 2]


# ---------------------------------------------------------------------------------------------------- random draws
def random_graph(extra=False):
    g = nx.MultiDiGraph()
    if extra:
        g.add_node("before", model="lif", size=7, tau_m={"uniform": [10, 20]})
    g.add_node("a", model="lif", size=50, tau_m={"normal": [20.0, 2.0], "clip": [15.0, 25.0]})
    if extra:
        g.add_node("between", model="poisson", size=3, rate=3.0)
    g.add_node("b", model="lif", size=30, synapse=["exp", "exp"], tau_syn=[{"uniform": [2, 3]}, {"uniform": [2, 3]}])
    g.add_edge("a", "b", rule="fixed_indegree", indegree=10, weight={"normal": [1, 0.1]}, delay={"uniform": [1, 2]})
    if extra:
        g.add_edge("between", "before", rule="bernoulli", p=0.5, weight=1.0, delay=1.0)
        g.add_edge("a", "before", rule="bernoulli", p=0.5, weight=1.0, delay=3.0)
    g.add_edge("b", "a", rule="bernoulli", p=0.3, weight={"uniform": [0, 1]}, delay=1.0)
    return g


def related(network):
    """Synapses between a and b and their parameters, with everything counted within the populations."""
    where = [(p.name, i) for p in network.populations if p.kind != "current" for i in range(p.size)]
    targets = [(p.name, i) for p in network.populations if p.kind == "neuron" for i in range(p.size)]
    rows = [(where[e], d, targets[t], w) for e, d, t, w, *_ in synapse_list(network)]
    params = {n: [np.asarray(v).tolist() if not isinstance(v, list) else [np.asarray(x).tolist() for x in v]
                  for v in network.by_name[n].params.values() if v is not None] for n in "ab"}
    return [row for row in rows if {row[0][0], row[2][0]} == {"a", "b"}], params


def test_unrelated_nodes_and_edges_move_no_draw():
    assert related(compile(random_graph(), seed=3)) == related(compile(random_graph(extra=True), seed=3))


def test_a_repeated_compile_is_the_same_network_and_another_seed_another():
    digest = compile(random_graph(), seed=3).digest
    assert compile(random_graph(), seed=3).digest == digest != compile(random_graph(), seed=4).digest


def test_the_digest_sees_which_neuron_has_which_dynamics_and_which_source_has_which_spike():
    delta, exp = {"v_rest": 1.0}, {"v_rest": 1.0, "synapse": "exp"}
    parts = [(n, "lif", 1) for n in "abc"]
    assert (compile(graph(*parts, a=delta, b=exp, c=delta)).digest
            != compile(graph(*parts, a=delta, b=delta, c=exp)).digest)
    together, apart = (compile(graph(("a", "lif", 1), ("s", "spikes", 2), s={"times": times}))
                       for times in ([[1.0, 2.0], []], [[1.0], [2.0]]))
    assert together.digest != apart.digest


def test_every_population_edge_and_purpose_draws_its_own_numbers():
    g = graph(("a", "lif", 20), ("b", "lif", 20), a={"v_init": {"uniform": [0, 1]}, "i_offset": {"uniform": [0, 1]}},
              b={"v_init": {"uniform": [0, 1]}}, edges=[
        ("a", "b", {"rule": "one_to_one", "weight": {"uniform": [1, 2]}, "delay": {"uniform": [1, 2]}})] * 2)
    network = compile(g)
    a, b = network.by_name["a"].params, network.by_name["b"].params
    draws = [a["v_init"], a["i_offset"], b["v_init"]]
    each = flat(network.synapses)
    draws += [each.weight - 1, each.delay - 1]
    values = np.concatenate(draws)
    assert len(np.unique(values)) == len(values)
    assert values.min() >= 0
    assert values.max() <= 1


# ---------------------------------------------------------------------------------------------------- mistakes
OK = {"weight": 1.0, "delay": 1.0}
TWO = [("a", "lif", 3), ("b", "lif", 3)]
CURRENT = [("x", "dc", 1), ("y", "dc", 1), ("p", "poisson", 1), ("a", "lif", 1)]
GIVEN = {"x": {"amplitude": 1}, "y": {"amplitude": 1}, "p": {"rate": 1}}


@pytest.mark.parametrize(("attributes", "message"), [
    ({"taw_m": 3}, "node \"exc\": lif has no 'taw_m' (did you mean 'tau_m'?)"),
    ({"model": "liff"}, "node \"exc\": there is no model 'liff' (did you mean 'lif'?)"),
    ({"model": "renewel"}, "there is no model 'renewel' (did you mean 'renewal'?)"),
    ({"model": 3}, "there is no model 3"),
    ({"tau_m": [1.0, 2.0]}, 'node "exc": tau_m has 2 values for 3 neurons: give one number, or 3'),
    ({"tau_m": [[1.0], [2.0], [3.0]]}, "tau_m must be one flat list of numbers, not an array of shape (3, 1)"),
    ({"tau_m": [[1.0], [2.0, 3.0]]}, "tau_m must be one flat list of numbers"),
    ({"tau_m": [1.0, float("nan"), 3.0]}, 'node "exc": tau_m is NaN (at index 1): give a number'),
    ({"tau_m": "nan"}, "tau_m is NaN: give a number"),
    ({"tau_m": "fast"}, "tau_m must be a number, not 'fast'"),
    ({"tau_m": True}, "tau_m must be a number, not True"),
    ({"tau_m": [1.0, None, 2.0]}, "tau_m must be a number, not None"),
    ({"tau_m": -1.0}, "tau_m must be > 0 ms, not -1.0"),
    ({"tau_refrac": [1.0, -2.0, 0.0]}, "tau_refrac must be >= 0 ms, not -2.0 (at index 1)"),
    ({"v_rest": "inf"}, "v_rest must be finite, not inf"),
    ({"reset": "subtrakt"}, "reset cannot be 'subtrakt' (did you mean 'subtract'?)"),
    ({"reset": 3}, "reset must be a word, not 3"),
    ({"synapse": 3}, "synapse must be a word or a list of words, not 3"),
    ({"synapse": ["exp", None]}, "synapse must be a word or a list of words, not ['exp', None]"),
    ({"tau_m": 10 ** 400}, "tau_m must be a number, not 1000"),
    ({"v_rest": {"normal": [1.7e308, 1e308]}}, "v_rest: normal is 1.7e+308 (at index 0): sizes go up to 1e+30"),
    ({"size": 1e300}, "size must be at most 2147483647, not 1000"),
    ({"synapse": "dalta"}, "node \"exc\": unknown synapse 'dalta' (did you mean 'delta'?)"),
    ({"synapse": "exp", "tau_syn": [[1.0, 2.0]]}, "tau_syn[0] has 2 values for 3 neurons"),
    ({"v_thresh": -70.0, "v_reset": -60.0, "tau_refrac": 0.0}, 'node "exc": v_thresh -70 is not above v_reset -60'),
    ({"size": 0}, "size must be at least 1, not 0"),
    ({"size": 2.5}, "size must be a whole number, not 2.5"),
    ({"size": "many"}, "size must be a whole number, not 'many'"),
    ({"tau_m": {"gaussian": [20, 1]}}, "tau_m: there is no draw 'gaussian'"),
    ({"tau_m": {"nromal": [20, 1]}}, "there is no draw 'nromal' (did you mean 'normal'?)"),
    ({"tau_m": {"clip": [20, 1]}}, 'a draw is {"normal": [mean, sd]} or {"uniform": [low, high]}'),
    ({"tau_m": {"normal": [20]}}, "tau_m: normal must be [mean, sd], not [20]"),
    ({"tau_m": {"normal": [20, -1]}}, "normal needs a finite mean and a finite sd >= 0, not [20, -1]"),
    ({"tau_m": {"uniform": [20, 10]}}, "uniform needs finite low <= high, not [20, 10]"),
    ({"tau_m": {"normal": [20, 1], "clip": [0, 1]}}, "tau_m: the clip [0, 1] keeps"),
    ({"tau_m": {"normal": [0, 1]}}, "tau_m must be > 0 ms, not -"),
])
def test_a_mistake_in_a_node_says_where_what_and_what_would_be_right(attributes, message):
    g = nx.MultiDiGraph()
    g.add_node("exc", **{"model": "lif", "size": 3, "i_offset": 1.0, **attributes})
    with pytest.raises(es.Mistake) as mistake:
        compile(g)
    assert message in str(mistake.value)
    assert str(mistake.value).startswith('node "exc": ')


@pytest.mark.parametrize(("edge", "message"), [
    ({**OK, "rule": "one_to_won"}, "there is no rule 'one_to_won' (did you mean 'one_to_one'?)"),
    ({**OK, "rule": 3}, "there is no rule 3 (there is: one_to_one, all_to_all"),
    (OK, "a rule is missing between populations of 3 and 3 (there is: one_to_one, all_to_all"),
    ({**OK, "rule": "fixed_indegree"}, "rule 'fixed_indegree' needs 'indegree'"),
    ({**OK, "rule": "fixed_indegree", "indegree": 1, "p": 0.1}, "rule 'fixed_indegree' has no argument 'p' "
                                                               "(it takes 'indegree')"),
    ({**OK, "rule": "fixed_indegree", "indegre": 1}, "an edge has no attribute 'indegre' (did you mean 'indegree'?)"),
    ({**OK, "rule": "one_to_one", "wait": 1}, "an edge has no attribute 'wait'"),
    ({**OK, "rule": "one_to_one", "autapses": "no"}, "autapses must be true or false, not 'no'"),
    ({"rule": "one_to_one", "delay": 1.0}, "a synapse needs a weight (mV or nA, as its receptor has it)"),
    ({"rule": "one_to_one", "weight": 1.0}, "a synapse needs a delay (ms)"),
    ({**OK, "rule": "one_to_one", "delay": 0}, "delay must be > 0 ms, not 0.0"),
    ({**OK, "rule": "one_to_one", "delay": [1, 2, -1]}, "delay must be > 0 ms, not -1.0 (at index 2)"),
    ({**OK, "rule": "one_to_one", "delay": math.inf}, "delay must be finite and > 0 ms, not inf"),
    ({**OK, "rule": "one_to_one", "delay": {"normal": [0, 1]}}, "delay must be > 0 ms, not -"),
    ({**OK, "rule": "one_to_one", "weight": math.nan}, "weight is NaN: give a number"),
    ({**OK, "rule": "one_to_one", "weight": -math.inf}, "weight must be finite, not -inf"),
    ({**OK, "rule": "one_to_one", "weight": [1, 2]}, "weight has 2 values for 3 synapses: give one number, or 3"),
    ({**OK, "rule": "all_to_all", "delay": [1] * 8}, "delay has 8 values for 9 synapses"),
    ({**OK, "rule": "one_to_one", "receptor": 1}, '"b" has no receptor 1: it has 1 receptor, counted from 0'),
    ({**OK, "rule": "one_to_one", "receptor": -1}, "receptor must be at least 0, not -1"),
    ({**OK, "rule": "one_to_one", "receptor": 0.5}, "receptor must be a whole number, not 0.5"),
])
def test_a_mistake_in_an_edge_says_where_what_and_what_would_be_right(edge, message):
    with pytest.raises(es.Mistake) as mistake:
        compile(graph(*TWO, edges=[("a", "b", edge)]))
    assert str(mistake.value).startswith('edge "a" -> "b": ')
    assert message in str(mistake.value)


@pytest.mark.parametrize(("pre", "post", "edge", "message"), [
    ("x", "y", {}, 'edge "x" -> "y": "y" is a current (dc) and receives nothing: an edge leads from a current to the '
                   "neurons that it drives"),
    ("x", "p", {}, 'edge "x" -> "p": "p" is a spike source (poisson) and receives nothing: only neurons do'),
    ("a", "p", OK, '"p" is a spike source (poisson) and receives nothing'),
    ("a", "x", OK, 'edge "a" -> "x": "x" is a current (dc) and receives nothing'),
    ("x", "a", {"delay": 1.0}, "a current takes no delay, since it acts at once: leave it out"),
    ("x", "a", {"receptor": 0}, "a current takes no receptor, since it enters the neuron itself: leave it out"),
    ("x", "a", {"weight": [1.0, 2.0]}, "weight has 2 values for 1 connection: give one number, or 1"),
    ("x", "a", {"wieght": 1.0}, "an edge has no attribute 'wieght' (did you mean 'weight'?)"),
])
def test_an_edge_between_the_wrong_kinds_of_nodes_says_what_would_be_right(pre, post, edge, message):
    with pytest.raises(es.Mistake) as mistake:
        compile(graph(*CURRENT, edges=[(pre, post, edge)], **GIVEN))
    assert message in str(mistake.value)


def test_one_of_several_edges_is_named_with_its_key():
    with pytest.raises(es.Mistake, match=r'^edge "a" -> 3 \(key 1\): delay must be > 0 ms'):
        compile(graph(("a", "lif", 1), (3, "lif", 1), edges=[("a", 3, OK), ("a", 3, {**OK, "delay": -1})]))


@pytest.mark.parametrize(("made", "message"), [
    (nx.MultiDiGraph(), "an empty network: add a node"),
    (graph(("p", "poisson", 1), p={"rate": 1}), "an empty network: no node is a neuron (there is: lif, "),
    (nx.Graph([(0, 1)]), "the graph is undirected"),
    ({"nodes": []}, "compile takes a networkx DiGraph or MultiDiGraph, not dict"),
    (graph((2.5, "lif", 1)), "node 2.5: a node's name must be a string or an integer"),
    (graph((3, "lif", 1), ("3", "lif", 1)), 'node "3": another node has this name as text'),
    (nx.DiGraph([("a", "b")]), 'node "a": it has no model (there is: lif, '),
])
def test_what_is_no_network_is_refused(made, message):
    with pytest.raises(es.Mistake) as mistake:
        compile(made)
    assert message in str(mistake.value)


def test_the_seed_must_be_an_integer():
    with pytest.raises(es.Mistake, match=r"seed must be an integer, not 1\.5"):
        compile(graph(*TWO), seed=1.5)


def test_valid_input_raises_no_warning():
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(random_graph(extra=True), seed=np.int64(3))


def test_weights_beyond_every_unit_are_refused():
    edge = {"rule": "pairs", "source": [0, 0], "target": [1, 1], "weight": 1e308, "delay": 1.0}
    with pytest.raises(es.Mistake, match=r"weight is 1e\+308: sizes go up to 1e\+30"):
        compile(graph(("a", "lif", 2), edges=[("a", "a", edge)]))
