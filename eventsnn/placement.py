"""Which core each neuron lives on: populations are cut into blocks, blocks are put where most of their synapses are.

`place` cuts the graph of blocks (networkx) in two by Kernighan & Lin (1970), each half again, until there is a part for
every core.  On a mesh the halves are halves of the mesh, so that parts with much in common are neighbours.
"""

import math
from collections.abc import Sequence

import networkx as nx
import numpy as np
from networkx.algorithms.community import kernighan_lin_bisection

from .errors import Mistake
from .network import Network, flat

BLOCKS = 8                       # per core: what the partitioning can shift about


def place(network: Network, cores: int, seed: int = 0) -> np.ndarray:
    """(emitters,) the core of each neuron and source; a source is where most of its synapses are."""
    if isinstance(cores, bool) or not isinstance(cores, (int, np.integer)) or cores < 1:
        raise Mistake(f"cores is {cores!r}: give a whole number of at least 1")
    if cores > network.neurons:
        raise Mistake(f"{cores} cores for {network.neurons} neurons: give at most a core for each neuron")
    size = max(network.neurons // (cores * BLOCKS), 1)
    block, emitter_of = np.empty(network.neurons, np.int64), np.empty(network.neurons, np.int64)
    count = 0
    for p in network.populations:
        if p.kind == "neuron":
            block[p.neuron:p.neuron + p.size] = count + np.arange(p.size) // size
            emitter_of[p.neuron:p.neuron + p.size] = p.emitter + np.arange(p.size)
            count = int(block[p.neuron + p.size - 1]) + 1
    neuron_of = np.full(network.emitters, -1)
    neuron_of[emitter_of] = np.arange(network.neurons)
    table = flat(network.synapses)
    pre = neuron_of[table.emitter]
    inner = pre >= 0
    pairs = np.sort(np.stack([block[pre[inner]], block[table.target[inner]]], axis=1), axis=1)
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    for (a, b), n in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
        if a != b:
            graph.add_edge(int(a), int(b), weight=int(n))
    of_block = np.zeros(count, np.int64)
    for number, blocks in enumerate(parted(graph, list(range(count)), cores, seed)):
        of_block[blocks] = number
    core = np.zeros(network.emitters, np.int64)
    core[emitter_of] = of_block[block]
    sources = np.flatnonzero(neuron_of < 0)
    votes = np.zeros((network.emitters, cores), np.int64)
    np.add.at(votes, (table.emitter, of_block[block[table.target]]), 1)
    core[sources] = votes[sources].argmax(axis=1)
    return core


def parted(graph: nx.Graph, blocks: Sequence[int], parts: int, seed: int) -> list[list[int]]:
    """The blocks in so many parts of nearly equal size."""
    if parts == 1 or len(blocks) <= 1:
        return [list(blocks)] + [[] for _ in range(parts - 1)]
    left = parts // 2
    size = round(len(blocks) * left / parts)
    begin = (set(blocks[:size]), set(blocks[size:]))
    if 2 * size == len(blocks):
        begin = kernighan_lin_bisection(graph.subgraph(blocks), begin, weight="weight", seed=seed)
    a, b = (sorted(half) for half in begin)
    return parted(graph, a, left, seed) + parted(graph, b, parts - left, seed)


def mesh(cores: int) -> tuple[int, int]:
    """The width and height of the squarest mesh."""
    height = max(h for h in range(1, math.isqrt(cores) + 1) if cores % h == 0)
    return cores // height, height


def seats(cores: int) -> list[tuple[int, int]]:
    """Where each core sits on its mesh: halves of the numbers are halves of the mesh, again and again."""
    def halved(x: int, y: int, width: int, height: int) -> list[tuple[int, int]]:
        if width * height <= 1:
            return [(x, y)] * (width * height)
        if width >= height:
            w = width // 2
            return halved(x, y, w, height) + halved(x + w, y, width - w, height)
        h = height // 2
        return halved(x, y, width, h) + halved(x, y + h, width, height - h)

    return halved(0, 0, *mesh(cores))
