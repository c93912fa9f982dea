"""compile: a networkx graph -> `Network`.

Nodes become populations in node order, edges become synapses or injected currents in edge order, each edge's in the
order of its rule (law S13).  Every mistake in a graph is found here and names the node or edge, what is wrong and what
would be right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import columns, currents, rules, stimuli, tables
from .currents import CURRENTS
from .errors import Mistake, nearest
from .model import Field, Prepared
from .models import MODELS
from .network import RECEPTORS, Group, Network, Population
from .stimuli import SOURCES
from .synapses import Projection, counted, synapses
from .values import at, column, is_list, lists, quoted, seed_of, values, whole

WEIGHT = Field(None, "", "mV or nA, as the receptor has it; of a current, a factor")
DELAY = Field(None, "ms", "from the spike to its effect", above=0.0)
SYNAPSE = ("rule", *rules.ARGUMENTS, "weight", "delay", "receptor")
INJECTION = ("rule", *rules.ARGUMENTS, "weight")


def compile(graph: Any, seed: int = 0, merge: bool = True) -> Network:
    """The network that a graph describes.

    graph   a networkx DiGraph or MultiDiGraph; see the user guide for the attributes of nodes and edges
    seed    of everything random: connections, drawn parameters, and (unless `simulate` gets another) Poisson sources
    merge   sum multapses of equal source, target, delay and receptor within an edge into one synapse (law S5)
    """
    seed = seed_of(seed)
    _check_graph(graph)
    populations = _nodes(graph, seed)
    neurons = sum(p.size for p in populations if p.kind == "neuron")
    emitters = sum(p.size for p in populations if p.kind != "current")
    injected = tables.sums(list(_edges(graph, populations, seed, "current")), neurons)
    populations, groups = _prepared(populations, injected)
    projections = list(_edges(graph, populations, seed, "synapse"))
    borders = np.array([*(p.neuron for p in populations if p.kind == "neuron"), neurons], np.int64)
    return Network(populations, groups, synapses(projections, emitters, borders, merge), tables.drives(injected), seed,
                   graph.copy())


def _edges(graph: Any, populations: Sequence[Population], seed: int, kind: str) -> Iterator[Any]:
    """The graph's synapses, or its injected currents, in edge order."""
    by_name = {p.name: p for p in populations}
    parallel = graph.is_multigraph()
    for pre_name, post_name, *rest in graph.edges(keys=True, data=True) if parallel else graph.edges(data=True):
        pre, post = by_name[pre_name], by_name[post_name]
        if (pre.kind == "current") != (kind == "current"):
            continue
        key, attributes = rest if parallel else (0, *rest)
        several = parallel and graph.number_of_edges(pre_name, post_name) > 1
        names = (pre.name, post.name, key)
        place = f"edge {quoted(pre.name)} -> {quoted(post.name)}{f' (key {quoted(key)})' if several else ''}"
        with at(place):
            _check_ends(pre, post)
            if kind == "current":
                yield _injection(pre, post, attributes, seed, names)
            else:
                yield _projection(pre, post, attributes, seed, names)._replace(place=place)


def _check_graph(graph: Any) -> None:
    import networkx as nx

    if not isinstance(graph, nx.Graph):
        raise Mistake(f"compile takes a networkx DiGraph or MultiDiGraph, not {type(graph).__name__}")
    if not graph.is_directed():
        raise Mistake("the graph is undirected, but synapses have a direction: use networkx.MultiDiGraph or DiGraph")
    if not len(graph):
        raise Mistake('an empty network: add a node, for example graph.add_node("exc", model="lif")')


# ---------------------------------------------------------------------------------------------------- nodes
@dataclass
class Gathering:
    """The populations of one group, while it grows."""

    number: int
    size: int = 0
    first: list[int] = field(default_factory=list)             # neuron ids
    parts: list[Prepared] = field(default_factory=list)

    def group(self) -> Group:
        neuron = np.concatenate([first + np.arange(len(part.params)) for first, part in
                                 zip(self.first, self.parts, strict=True)])
        return Group(self.parts[0].dynamics, neuron, _joined([part.params for part in self.parts]),
                     _joined([part.state for part in self.parts]))


def _joined(parts: Sequence[np.ndarray]) -> np.recarray:
    joined = np.empty(sum(len(part) for part in parts), parts[0].dtype)      # concatenate would repack the fields
    first = 0
    for part in parts:
        joined[first:first + len(part)] = part
        first += len(part)
    return joined.view(np.recarray)


def _nodes(graph: Any, seed: int) -> tuple[Population, ...]:
    """The graph's nodes, numbered; neurons not yet prepared."""
    populations: list[Population] = []
    labels: set[str] = set()
    neurons = emitters = 0
    for node, attributes in graph.nodes(data=True):
        with at(f"node {quoted(node)}"):
            name, kind, model, size, params = _read_node(node, attributes, seed)
            if str(name) in labels:
                raise Mistake("another node has this name as text: files could not tell them apart")
            labels.add(str(name))
        populations.append(Population(name, model, kind, size, params, neuron=neurons if kind == "neuron" else -1,
                                      emitter=emitters if kind != "current" else -1))
        neurons += size if kind == "neuron" else 0
        emitters += size if kind != "current" else 0
    if not neurons:
        raise Mistake(f"an empty network: no node is a neuron (there is: {', '.join(MODELS)})")
    return tuple(populations)


def _prepared(populations: Sequence[Population], injected: tables.Sums
              ) -> tuple[tuple[Population, ...], tuple[Group, ...]]:
    """The populations with their neurons' records in groups: a representation may depend on what is injected."""
    gathered: dict[Any, Gathering] = {}
    placed: list[Population] = []
    for p in populations:
        if p.kind == "neuron":
            with at(f"node {quoted(p.name)}"):
                prepared = MODELS[p.model].prepare(p.params, p.size, injected.waves(p.neuron, p.size))
                if prepared.receptors > RECEPTORS:
                    raise Mistake(f"{prepared.receptors} receptors, of at most {RECEPTORS}: let edges share one")
            alike = (prepared.dynamics, prepared.params.dtype, prepared.state.dtype)
            group = gathered.setdefault(alike, Gathering(len(gathered)))
            p = replace(p, group=group.number, offset=group.size, receptors=prepared.receptors,
                        conductances=prepared.conductances, variables=prepared.variables,
                        exactness=prepared.exactness or prepared.dynamics.exactness)
            group.first.append(p.neuron)
            group.parts.append(prepared)
            group.size += p.size
        placed.append(p)
    return tuple(placed), tuple(group.group() for group in gathered.values())


def _read_node(node: Any, attributes: Mapping[str, Any], seed: int) -> tuple[str | int, str, str, int, dict[str, Any]]:
    """Name, kind, model, size and checked parameters of one node."""
    if isinstance(node, (bool, np.bool_)) or not isinstance(node, (str, int, np.integer)):
        raise Mistake("a node's name must be a string or an integer")
    name = str(node) if isinstance(node, str) else int(node)
    tables_of = {"neuron": {n: m.fields for n, m in MODELS.items()}, "source": SOURCES, "current": CURRENTS}
    known = {model: (kind, fields) for kind, table in tables_of.items() for model, fields in table.items()}
    if "model" not in attributes:
        raise Mistake(f"it has no model (there is: {', '.join(known)})")
    model = attributes["model"]
    if not isinstance(model, str) or model not in known:
        raise Mistake(f"there is no model {model!r}{nearest(model, known)}")
    kind, fields = known[model]
    for key in attributes:
        if key not in fields and key not in ("model", "size"):
            raise Mistake(f"{model} has no {key!r}{nearest(key, [*fields, 'size'])}")
    size = whole(attributes.get("size", 1), "size", 1)
    params = {key: _read_field(attributes.get(key, row.default), size, row, key, (seed, key, name), kind)
              for key, row in fields.items()}
    if kind != "neuron":
        params = (stimuli if kind == "source" else currents).settle(str(model), params, size)
    return name, kind, str(model), size, params


def _read_field(value: Any, size: int, row: Field, key: str, draw: tuple[Any, ...], kind: str) -> Any:
    """One attribute: (size,) float64; a list of those; a word, or words; None where it follows from others."""
    if value is None:
        value = row.default
    if value is None:
        return None
    if row.per == "neuron":
        return column(value, size, row, key, draw, kind)
    if row.per == "list":
        return lists(value, size, row, key, kind)
    if row.per == "receptor":
        entries = list(value) if is_list(value) else [value]
        return [None if entry is None else column(entry, size, row, f"{key}[{j}]", (*draw, j), kind)
                for j, entry in enumerate(entries)]
    words = list(value) if is_list(value) and not row.words else [value]
    if not all(isinstance(word, str) for word in words):
        raise Mistake(f"{key} must be a word{'' if row.words else ' or a list of words'}, not {value!r}")
    if row.words and value not in row.words:
        raise Mistake(f"{key} cannot be {value!r}{nearest(value, row.words)}")
    return value if isinstance(value, str) else words


# ---------------------------------------------------------------------------------------------------- edges
def _check_ends(pre: Population, post: Population) -> None:
    if post.kind == "source":
        raise Mistake(f"{quoted(post.name)} is a spike source ({post.model}) and receives nothing: only neurons do")
    if post.kind == "current":
        raise Mistake(f"{quoted(post.name)} is a current ({post.model}) and receives nothing: an edge leads from a "
                      "current to the neurons that it drives")


def _pattern(pre: Population, post: Population, attributes: Mapping[str, Any], known: Sequence[str], seed: int,
             names: tuple[Any, ...]) -> rules.Pattern:
    """Who is connected, by the edge's rule, once every attribute's name is known."""
    for name in attributes:
        if name not in known:
            raise Mistake(f"an edge has no attribute {name!r}{nearest(name, known)}")
    arguments = {name: attributes[name] for name in rules.ARGUMENTS if name in attributes}
    return rules.pattern(attributes.get("rule"), arguments, pre.size, post.size, pre is post, seed, names)


def _projection(pre: Population, post: Population, attributes: Mapping[str, Any], seed: int,
                names: tuple[Any, ...]) -> Projection:
    pattern = _pattern(pre, post, attributes, SYNAPSE, seed, names)
    for name, meaning in (("weight", "mV or nA, as its receptor has it"), ("delay", "ms")):
        if name not in attributes:
            raise Mistake(f"a synapse needs a {name} ({meaning})")
    counts = counted(pattern, pre.size)
    weight, delay = (columns.of_edge(attributes[name], int(counts.sum()), domain, name, (seed, name, *names))
                     for name, domain in (("weight", WEIGHT), ("delay", DELAY)))
    receptor = whole(attributes.get("receptor", 0), "receptor", 0)
    if receptor >= post.receptors:
        have = f"{post.receptors} receptor{'s' * (post.receptors != 1)}"
        raise Mistake(f"{quoted(post.name)} has no receptor {receptor}: it has {have}, counted from 0")
    if receptor in post.conductances:
        def check(weights: np.ndarray) -> None:
            if np.any(weights < 0.0):
                raise Mistake(f"receptor {receptor} of {quoted(post.name)} is a conductance: its weights must be >= 0 "
                              f"uS, not {np.min(weights):g}; inhibition is a receptor with a low e_rev")
        weight = columns.guarded(weight, check)
    return Projection(pattern, counts, pre.emitter, post.neuron, weight, delay, receptor)


def _injection(pre: Population, post: Population, attributes: Mapping[str, Any], seed: int,
               names: tuple[Any, ...]) -> tables.Injection:
    for name, reason in (("delay", "acts at once"), ("receptor", "enters the neuron itself")):
        if name in attributes:
            raise Mistake(f"a current takes no {name}, since it {reason}: leave it out")
    source, target = rules.whole_of(_pattern(pre, post, attributes, INJECTION, seed, names))
    weight = values(attributes.get("weight", 1.0), len(target), WEIGHT, "weight", (seed, "weight", *names),
                    "connection")
    each = [currents.current(pre.model, pre.params, k) for k in range(pre.size)]
    return tables.Injection(each, source, target + np.int32(post.neuron), weight)
