"""Networks as JSON: networkx's node-link format, with lists for arrays and "inf" as text.

    {"directed": true, "multigraph": true, "graph": {}, "nodes": [{"id": "exc", "model": "lif", ...}, ...],
     "edges": [{"source": "exc", "target": "exc", "key": 0, "weight": 0.1, "delay": 1.5, ...}, ...]}

`save` writes what `networkx.node_link_data` does, with one difference: the format needs "source" and "target" for the
ends of an edge, so the index arrays of a `pairs` edge go into "pairs": {"source": [...], "target": [...]}.  `load` also
takes the older "links" for "edges", bare Infinity, and text for numbers.
"""

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Mistake, nearest
from .files import atomic
from .values import at, quoted

ENDS = ("source", "target", "key")


def save(graph: Any, path: str | Path) -> Path:
    """Write a networkx graph; the file appears whole or not at all."""
    path, data = Path(path), described(graph)
    with atomic(path) as file:
        _write(data, file)
    return path


def text_of(graph: Any) -> str:
    """What `save` writes."""
    file = io.StringIO()
    _write(described(graph), file)
    return file.getvalue()


def described(graph: Any) -> dict[str, Any]:
    """A graph in JSON's terms."""
    if not hasattr(graph, "is_multigraph"):
        raise Mistake(f"save takes a networkx graph, not {type(graph).__name__}")
    multigraph = graph.is_multigraph()
    nodes, edges = [], []
    for node, attributes in graph.nodes(data=True):
        with at(f"node {quoted(node)}"):
            nodes.append({"id": plain(node, "its name"), **_attributes(attributes)})
    for pre, post, *rest in graph.edges(keys=True, data=True) if multigraph else graph.edges(data=True):
        with at(f"edge {quoted(pre)} -> {quoted(post)}"):
            ends = {"source": plain(pre, "its source"), "target": plain(post, "its target")}
            if multigraph:
                ends["key"] = plain(rest[0], "its key")
            own = _attributes(rest[-1])
            lists = {name: own.pop(name) for name in ("source", "target") if name in own}
            edges.append({**ends, **own, **({"pairs": lists} if lists else {})})
    return {"directed": graph.is_directed(), "multigraph": multigraph, "graph": _attributes(graph.graph),
            "nodes": nodes, "edges": edges}


def _write(data: Mapping[str, Any], file: Any) -> None:
    """One node or edge per line."""
    parts = []
    for name, value in data.items():
        if isinstance(value, list):
            lines = ",\n  ".join(json.dumps(item, allow_nan=False) for item in value)
            parts.append(f' {json.dumps(name)}: [\n  {lines}\n ]' if value else f" {json.dumps(name)}: []")
        else:
            parts.append(f" {json.dumps(name)}: {json.dumps(value, allow_nan=False)}")
    file.write("{\n" + ",\n".join(parts) + "\n}\n")


def _attributes(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): plain(value, str(name)) for name, value in attributes.items()}


def plain(value: Any, what: str) -> Any:
    """A value as JSON has it: lists for arrays, text for what is not finite."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(name): plain(item, what) for name, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(item, what) for item in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    raise Mistake(f"{what} is of type {type(value).__name__}, which JSON cannot hold: give numbers, text, lists or "
                  "mappings")


# ---------------------------------------------------------------------------------------------------- reading
def load(path: str | Path) -> Any:
    """Read a networkx MultiDiGraph (or DiGraph, if the file says "multigraph": false)."""
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Mistake(f"{path} is not UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        raise Mistake(f"{path}, line {error.lineno}, column {error.colno}: {error.msg} (is the file whole?)") from error
    except (RecursionError, ValueError) as error:          # nested without end; a number of thousands of digits
        raise Mistake(f"{path} is no network: {error}") from error
    with at(str(path)):
        return _graph(data)


def _graph(data: Any) -> Any:
    import networkx as nx

    if not isinstance(data, Mapping) or "nodes" not in data:
        raise Mistake("this is no network: expected an object with \"nodes\" and \"edges\", as es.save writes")
    known = ("directed", "multigraph", "graph", "nodes", "edges", "links")
    for name in data:
        if name not in known:
            raise Mistake(f"unknown entry {name!r}{nearest(name, known)}")
    if data.get("directed", True) is not True:
        raise Mistake('"directed" is not true, but synapses have a direction: write a DiGraph or MultiDiGraph')
    for name, kind, example in (("multigraph", bool, "true or false"), ("graph", Mapping, "an object")):
        if name in data and not isinstance(data[name], kind):
            raise Mistake(f'"{name}" must be {example}, not {data[name]!r}')
    if data.get("edges") and data.get("links"):
        raise Mistake('there are both "edges" and "links": networkx writes one of them')
    multigraph = data.get("multigraph", True)
    graph = nx.MultiDiGraph() if multigraph else nx.DiGraph()
    graph.graph.update(data.get("graph", {}))
    for n, node in enumerate(_objects(data["nodes"], "nodes")):
        if "id" not in node:
            raise Mistake(f'nodes[{n}] has no "id"')
        name = _hashable(node["id"], f"the id of nodes[{n}]")
        if name in graph:
            raise Mistake(f"nodes[{n}]: there is a node {quoted(name)} already")
        graph.add_nodes_from([(name, {k: v for k, v in node.items() if k != "id"})])
    links = "edges" if data.get("edges") or "links" not in data else "links"
    for n, edge in enumerate(_objects(data.get(links, []), links)):
        with at(f"{links}[{n}]"):
            _add_edge(graph, edge, bool(multigraph))
    return graph


def _objects(items: Any, what: str) -> Iterable[Mapping[str, Any]]:
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise Mistake(f'"{what}" must be a list of objects')
    return items


def _hashable(name: Any, what: str) -> Any:
    if not isinstance(name, (str, int)):
        raise Mistake(f"{what} must be text or an integer, not {name!r}")
    return name


def _add_edge(graph: Any, edge: Mapping[str, Any], multigraph: bool) -> None:
    ends = []
    for name in ("source", "target"):
        if name not in edge:
            raise Mistake(f'there is no "{name}"')
        end = _hashable(edge[name], f'"{name}"')
        if end not in graph:
            raise Mistake(f"there is no node {quoted(end)}{nearest(end, graph)}")
        ends.append(end)
    attributes = {k: v for k, v in edge.items() if k not in (*ENDS, "pairs")}
    lists = edge.get("pairs", {})
    if not isinstance(lists, Mapping):
        raise Mistake(f'"pairs" must be an object with "source" and "target", not {lists!r}')
    if attributes.get("rule") == "pairs" and not (isinstance(lists, Mapping) and {"source", "target"} <= set(lists)):
        raise Mistake('rule "pairs" needs "pairs": {"source": [...], "target": [...]} (networkx.node_link_data loses '
                      "these lists, as it writes its own source and target: use es.save)")
    attributes.update(lists)
    if not multigraph:
        if graph.has_edge(*ends):
            raise Mistake(f"a second edge {quoted(ends[0])} -> {quoted(ends[1])}, but \"multigraph\" is false")
        graph.add_edges_from([(*ends, attributes)])
        return
    key = _hashable(edge["key"], '"key"') if "key" in edge else graph.new_edge_key(*ends)
    if graph.has_edge(*ends, key):
        raise Mistake(f"a second edge {quoted(ends[0])} -> {quoted(ends[1])} with key {quoted(key)}")
    graph.add_edges_from([(*ends, key, attributes)])
