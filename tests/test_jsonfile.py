"""save and load: a network survives its file, and a bad file is refused with the place."""

import json
import math

import networkx as nx
import numpy as np
import pytest

import eventsnn as es
from eventsnn.graph import compile
from eventsnn.jsonfile import load, save


def rich(kind=nx.MultiDiGraph):
    g = kind(title="test")
    g.add_node("exc", model="lif", size=np.int64(4), tau_m=np.array([10.0, 20, 30, 0.1 + 0.2]), v_thresh=math.inf,
               synapse=("delta", "exp"), tau_syn=[None, np.float32(2.5)])
    g.add_node(7, model="lif", tau_m={"normal": [20.0, 1.0], "clip": (10, math.inf)})
    g.add_node("in", model="spikes", size=2, times=[np.array([1.0, 2.0]), []])
    g.add_node("step", model="steps", times=[0.0, 1.0], amplitudes=[1.0, -1.0])
    g.add_edge("in", "exc", rule="fixed_indegree", indegree=2, weight={"normal": [1, 0.1]}, delay=1.0)
    g.add_edge("exc", 7, weight=np.arange(4.0), delay=[1.0, 2.0, 3.0, 1e-3])
    g.add_edge("exc", "exc", rule="pairs", source=np.array([0, 1]), target=[2, 3], weight=1.0, delay=0.5)
    g.add_edge("step", "exc", weight=0.5)
    if g.is_multigraph():
        g.add_edge("exc", 7, key="second", weight=2.0, delay=1.0, receptor=0)
    return g


@pytest.mark.parametrize("kind", [nx.MultiDiGraph, nx.DiGraph])
def test_a_graph_read_back_compiles_to_the_same_network(tmp_path, kind):
    g = rich(kind)
    back = load(save(g, tmp_path / "new" / "net.json"))
    assert type(back) is kind
    assert list(back.nodes) == list(g.nodes)
    assert back.graph == {"title": "test"}
    assert compile(back, seed=3).digest == compile(g, seed=3).digest
    save(back, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "new" / "net.json").read_bytes()


def test_the_file_is_strict_json_with_lists_for_arrays_and_inf_as_text(tmp_path):
    def never(token):
        raise AssertionError(token)
    data = json.loads(save(rich(), tmp_path / "net.json").read_text(), parse_constant=never)
    exc = data["nodes"][0]
    assert exc["id"] == "exc"
    assert exc["v_thresh"] == "inf"
    assert exc["tau_m"] == [10.0, 20.0, 30.0, 0.30000000000000004]
    assert exc["tau_syn"] == [None, 2.5]
    assert next(e["pairs"] for e in data["edges"] if e.get("rule") == "pairs") == {"source": [0, 1], "target": [2, 3]}


def test_networkx_reads_what_save_writes(tmp_path):
    g = rich()
    back = nx.node_link_graph(json.loads(save(g, tmp_path / "net.json").read_text()), edges="edges")
    assert set(back.edges(keys=True)) == set(g.edges(keys=True))
    assert back.nodes["exc"]["v_thresh"] == "inf"


@pytest.mark.parametrize("name", ["edges", "links"])
def test_what_networkx_writes_can_be_read(tmp_path, name):
    g = nx.MultiDiGraph()
    g.add_node("a", model="lif", size=2, v_thresh=math.inf)
    g.add_node(1, model="lif", size="3", tau_m="12.5")
    g.add_edge("a", 1, rule="fixed_indegree", indegree="2", weight="0.5", delay="1.5")
    g.add_edge("a", 1, rule="bernoulli", p="0.5", weight=["0.5"], delay="1.5")
    g.edges["a", 1, 1]["weight"] = 1.0
    text = json.dumps(nx.node_link_data(g, edges=name))
    assert "Infinity" in text
    (tmp_path / "net.json").write_text(text)
    back = load(tmp_path / "net.json")
    assert compile(back, seed=2).digest == compile(g, seed=2).digest
    assert compile(back).by_name[1].params["tau_m"].tolist() == [12.5] * 3


def test_edges_without_keys_become_parallel_edges(tmp_path):
    edge = {"source": "a", "target": "a", "weight": 1, "delay": 1}
    (tmp_path / "n.json").write_text(json.dumps({"nodes": [{"id": "a", "model": "lif"}], "edges": [edge, edge]}))
    g = load(tmp_path / "n.json")
    assert list(g.edges(keys=True)) == [("a", "a", 0), ("a", "a", 1)]
    assert compile(g).synapses.weight.tolist() == [1.0, 1.0]


NODES = '"nodes": [{"id": "abc", "model": "lif"}]'


@pytest.mark.parametrize(("text", "message"), [
    ('{"directed": true,\n "nodes": [{"id": "a"}, {"id"', "net.json, line 2, column "),
    ("", "line 1, column 1: Expecting value"),
    ("[1, 2]", 'this is no network: expected an object with "nodes" and "edges"'),
    ('{"network": 1}', "this is no network"),
    (f'{{{NODES}, "edgs": []}}', "unknown entry 'edgs' (did you mean 'edges'?)"),
    (f'{{{NODES}, "directed": false}}', '"directed" is not true, but synapses have a direction'),
    ('{"nodes": {"a": 1}}', '"nodes" must be a list of objects'),
    ('{"nodes": [{"model": "lif"}]}', 'nodes[0] has no "id"'),
    ('{"nodes": [{"id": [1]}]}', "the id of nodes[0] must be text or an integer, not [1]"),
    ('{"nodes": [{"id": 1}, {"id": 1}]}', "nodes[1]: there is a node 1 already"),
    (f'{{{NODES}, "edges": [{{"source": "abc"}}]}}', 'edges[0]: there is no "target"'),
    (f'{{{NODES}, "links": [{{"source": "abc", "target": "abd"}}]}}',
     "links[0]: there is no node \"abd\" (did you mean 'abc'?)"),
    (f'{{{NODES}, "edges": [{{"source": "abc", "target": "abc", "rule": "pairs"}}]}}',
     'edges[0]: rule "pairs" needs "pairs": {"source": [...], "target": [...]} (networkx.node_link_data loses'),
    (f'{{{NODES}, "edges": [{{"source": "abc", "target": "abc", "key": 1}}, '
     '{"source": "abc", "target": "abc", "key": 1}]}', 'edges[1]: a second edge "abc" -> "abc" with key 1'),
    (f'{{{NODES}, "multigraph": false, "edges": [{{"source": "abc", "target": "abc"}}, '
     '{"source": "abc", "target": "abc"}]}', 'edges[1]: a second edge "abc" -> "abc", but "multigraph" is false'),
])
def test_a_file_that_is_no_network_is_refused_with_its_name_and_the_place(tmp_path, text, message):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(es.Mistake) as mistake:
        load(path)
    assert str(path) in str(mistake.value)
    assert message in str(mistake.value)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(es.Mistake, match=r"cannot read .*nothing\.json: No such file"):
        load(tmp_path / "nothing.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(es.Mistake, match=r"binary\.json is not UTF-8 text"):
        load(tmp_path / "binary.json")


@pytest.mark.parametrize(("node", "attributes", "message"), [
    ("a", {"tau_m": object()}, 'node "a": tau_m is of type object, which JSON cannot hold'),
    ((1, 2), {"colour": {1, 2}}, "node (1, 2): colour is of type set, which JSON cannot hold"),
])
def test_what_json_cannot_hold_is_refused_and_leaves_no_file(tmp_path, node, attributes, message):
    g = nx.MultiDiGraph()
    g.add_node(node, **attributes)
    with pytest.raises(es.Mistake) as mistake:
        save(g, tmp_path / "net.json")
    assert message in str(mistake.value)
    assert list(tmp_path.iterdir()) == []


def test_save_takes_a_graph_only(tmp_path):
    with pytest.raises(es.Mistake, match="save takes a networkx graph, not dict"):
        save({}, tmp_path / "net.json")


@pytest.mark.parametrize(("text", "words"), [
    ('{"graph": 5, "nodes": []}', '"graph" must be an object, not 5'),
    ('{"multigraph": "no", "nodes": []}', '"multigraph" must be true or false'),
    ('{"nodes": [], "edges": [{}], "links": [{}]}', 'both "edges" and "links"'),
    ('{"nodes": [{"id": 1}], "edges": [{"source": 1, "target": 1, "pairs": 5}]}', '"pairs" must be an object'),
    ("[" * 100_000, "is no network"),
    ('{"nodes": [{"id": %s}]}' % ("1" * 5000), "is no network"),
])
def test_what_is_no_network_says_so(tmp_path, text, words):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(es.Mistake) as caught:
        es.load(path)
    assert words in str(caught.value)


def test_links_count_where_edges_is_empty(tmp_path):
    path = tmp_path / "net.json"
    path.write_text('{"nodes": [{"id": 1}], "edges": [], "links": [{"source": 1, "target": 1}]}')
    assert es.load(path).number_of_edges() == 1
