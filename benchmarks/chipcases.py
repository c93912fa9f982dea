"""Networks in the chips' own integers, with what the chips' references say of them: what mutants are hunted with.

Random ones, half of them extreme; the borders of every register; a long rest, which whoever does not sleep does not
live through.  Every register is compared at every tick; runs that nobody watches are too, where neurons are asked less
often, and so is the first fault of a strict run.
"""

import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn.errors import Mistake
from eventsnn.network import Network

from .cases import REST, Case, at_rest

HALF, TOP = 2**23, 2**23 - 1


def made(graph: nx.MultiDiGraph, profile: str, until: float, swept: bool = False) -> Case:
    """Through the general loop and the specification, or (swept) through the kernel that sweeps blocks."""
    from eventsnn.exporters.fixed import profiles
    from eventsnn.exporters.fixed.reference import run

    network = profiles.network(graph, profile)
    if until >= REST:
        return at_rest(network, until, swept)
    trace = run(network, until, {p.emitter + k: train.tolist() for p in network.populations if p.kind == "source"
                                 for k, train in enumerate(p.params["times"])})
    currents = [p for p in network.populations if p.kind == "neuron" for _ in range(p.size)]
    registers = (trace.v, [[list(row[j])[:width(currents[j])] for j in range(len(row))] for row in trace.currents])
    seen, heard = (trace.spikes, *registers, trace.saturations), (trace.spikes, trace.saturations)
    if swept:
        return Case(network, until, through_kernel(until), [seen, updates(network, until, "simpy")])
    return Case(network, until, through_loop(until), [seen, heard, heard, min(trace.faults, default=None)])


def width(p: Any) -> int:
    return sum(name != "v" for name in p.variables)


def through_loop(until: float) -> Callable[[Network], Any]:
    def run(network: Network) -> Any:
        return [watched(network, until), unwatched(network, until, "python"), unwatched(network, until, "simpy"),
                first_fault(network, until)]
    return run


def through_kernel(until: float) -> Callable[[Network], Any]:
    def run(network: Network) -> Any:
        with mock.patch("eventsnn.kernel.quick.SMALL", 0):
            return [watched(network, until), updates(network, until, "python")]
    return run


def updates(network: Network, until: float, backend: str) -> int:
    return es.simulate(network, until, backend=backend).counters["neuron_updates"]


def unwatched(network: Network, until: float, backend: str) -> Any:
    result = es.simulate(network, until, backend=backend)
    return told(result), result.counters["saturations"]


def told(result: Any) -> list[tuple[int, int]]:
    return list(zip(result.spikes.time.astype(int).tolist(), result.spikes.neuron.tolist(), strict=True))


def watched(network: Network, until: float) -> Any:
    """(tick, neuron) of every spike; v, then the currents, of every neuron at every tick; saturations."""
    neurons = [p for p in network.populations if p.kind == "neuron"]
    names = {p.name: list(dict.fromkeys(name.rstrip("0123456789") for name in p.variables)) for p in neurons}
    result = es.simulate(network, until, backend="python", record=names, record_at=1.0)
    v, currents = [], []
    for p in neurons:
        own = {name: np.rint(values).astype(int) for name, values in result.recorded[p.name].items()}
        v.append(own.pop("v"))
        (flow,) = own.values()
        currents.append(flow.reshape(*v[-1].shape, -1).transpose(1, 0, 2))
    flows = [each.tolist() for part in currents for each in part]                 # by neuron, then tick
    return (told(result), np.concatenate(v, axis=1).tolist(),
            [[flow[n] for flow in flows] for n in range(len(flows[0]))], result.counters["saturations"])


def first_fault(network: Network, until: float) -> Any:
    """(tick, neuron, register, value) of a strict run, as the reference has it."""
    try:
        es.simulate(network, until, backend="python", strict=True)
    except Mistake as error:
        found = re.search(r"'(\w+)', neuron (\d+): at tick (\d+) .*its (\w+) comes to (-?\d+),", str(error))
        if found:
            name, k, tick, register, value = found.groups()
            p = network.by_name[name]
            return int(tick), p.neuron + int(k), p.variables.index(register), int(value)
    return None


# ---------------------------------------------------------------------------------------------------- Loihi 1
def loihi() -> list[Case]:
    return [*(made(loihi_graph(np.random.default_rng(n)), "loihi1_lava", 40.0) for n in range(24)),
            *(made(graph, "loihi1_lava", 12.0) for graph in loihi_borders()), resting("loihi1_lava", du=1000, dv=500)]


def loihi_columns() -> list[Case]:
    return [*(made(graph, "loihi1_lava", 6.0, True) for graph in loihi_borders()),
            *(made(loihi_graph(np.random.default_rng(n)), "loihi1_lava", 20.0, True) for n in range(3)),
            made(driven(255, 7, 1000, [1], 64), "loihi1_lava", 4.0, True),               # a whole block is loud
            resting("loihi1_lava", True, vth=131071, v=5),         # at rest off 0
            resting("loihi1_lava", True, True, du=4095, vth=131071)]


def loihi_graph(rng: np.random.Generator) -> nx.MultiDiGraph:
    """Two populations behind sources, each other and themselves."""
    g, extreme = nx.MultiDiGraph(), bool(rng.integers(2))
    g.add_node("in", model="spikes", size=4, times=[np.flatnonzero(rng.random(40) < 0.3).tolist() for _ in range(4)])
    for name in "ab":
        g.add_node(name, model="loihi1_lava", size=3, du=int(rng.choice([0, 1, 409, 2047, 4094, 4095])),
                   dv=int(rng.choice([0, 1, 128, 1024, 4095])),
                   vth=int(rng.choice([0, 1, 3000, 131071])) if extreme else int(rng.integers(20, 2000)),
                   bias_mant=rng.integers(-4096, 4096, 3) * rng.integers(0, 2, 3), bias_exp=rng.integers(0, 8, 3),
                   u=rng.integers(1 - HALF, HALF + 1, 3) * extreme,
                   v=rng.integers(-TOP, TOP + 1, 3) >> 12 * (not extreme))
    for pre, post in (("in", "a"), ("in", "b"), ("a", "b"), ("b", "a"), ("a", "a"), ("in", "a")):
        low, high = ((0, 256), (-255, 1), (-256, 256))[int(rng.integers(3))]
        g.add_edge(pre, post, rule="all_to_all", weight=rng.integers(low, high, 3 * g.nodes[pre]["size"]),
                   weight_exp=int(rng.integers(-8, 8)) if extreme else int(rng.integers(-3, 3)))
    return g


def driven(weight: int, exponent: int, sources: int, times: list[int], size: int = 2) -> nx.MultiDiGraph:
    """Two populations behind sources that fire together."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=sources, times=[times] * sources if sources > 1 else times)
    for name, du in (("a", 4095), ("b", 0)):
        g.add_node(name, model="loihi1_lava", size=size, du=du, dv=2000, vth=131071, v=np.resize([0, -7], size),
                   bias_mant=np.resize([0, 3], size))
        g.add_edge("in", name, rule="all_to_all", weight=weight, weight_exp=exponent)
    return g


def loihi_borders() -> list[nx.MultiDiGraph]:
    """u and v at and beside the ends of their ranges, and thresholds; arrivals that lead there; sums that no 32 bits
    hold; neurons that move at one register only."""
    near = np.array([0, 1, 2, -1, -2])
    ends = np.concatenate([near, TOP - np.abs(near), np.abs(near) - TOP])
    found = []
    for du, dv, vth in ((4095, 0, 131071), (0, 0, 131071), (4095, 0, 1), (0, 4095, 0), (1, 1, 131071), (4095, 64, 100)):
        g = nx.MultiDiGraph()
        for name, values, us in (("a", ends, [0, HALF, 1 - HALF, TOP, 5, -5, 4095, 4096]),
                                 ("b", (vth << 6) + near, [0, 5, -5, 4095, 4096])):      # apart: blocks are made as one
            v = np.repeat(values, 3)
            g.add_node(name, model="loihi1_lava", size=len(v), du=du, dv=dv, vth=vth, v=v,
                       bias_mant=np.resize([0, 1, -1], len(v)), u=np.resize(us, len(v)))
        found.append(g)
    for weight, exponent, sources, times in (
            (8, 7, 128, [1, 9]), (-8, 7, 128, [1, 9]), (8, 7, 129, [1, 9]), (-8, 7, 127, [1, 9]), (-3, -1, 1, [1, 9]),
            (1, 0, 1, [1, 9]), (255, 7, 1000, [1, 2, 3, 4]), (255, 7, 1, [1] * 2056),     # a sum of 2^26
            (136, 7, 256, [1, 9])):                                                        # u of 2^28
        found.append(driven(weight, exponent, sources, times))
    whole = nx.MultiDiGraph()                            # a whole block fires at v's end
    whole.add_node("a", model="loihi1_lava", size=64, vth=1, v=TOP, bias_mant=4095, bias_exp=7)
    found.append(whole)
    two = nx.MultiDiGraph()                              # sums of two receptors, together and alone
    two.add_node("in", model="spikes", size=2, times=[[1.0, 3.0], [2.0, 3.0]])
    two.add_node("a", model="loihi1_lava", size=2, du=1000, dv=300, vth=500)
    for source, exponent, weight in ((0, -1, 7), (1, 2, 9), (1, -3, -77)):
        two.add_edge("in", "a", rule="pairs", source=[source, source], target=[0, 1], weight=[weight, -weight],
                     weight_exp=exponent)
    return [*found, two]


# ---------------------------------------------------------------------------------------------------- Xylo
def xylo() -> list[Case]:
    return [*(made(xylo_graph(np.random.default_rng(n), 1 + n % 2), f"xylo_v{1 + n % 2}", 10.0) for n in range(12)),
            *(made(graph, f"xylo_v{version}", 12.0) for version in (1, 2) for graph in xylo_borders(version)),
            resting("xylo_v2", side="hidden", threshold=30000, dash_mem=3, dash_syn=2)]


def xylo_graph(rng: np.random.Generator, version: int) -> nx.MultiDiGraph:
    g, extreme = nx.MultiDiGraph(), bool(rng.integers(2))
    g.add_node("in", model="spikes", size=3, times=[np.flatnonzero(rng.random(14) < 0.5).tolist()
                                                    for _ in range(3)])
    for side, size in (("hidden", 4), ("readout", 2)):
        dash = (0, 16) if extreme else (1, 7)
        g.add_node(side, model=f"xylo_v{version}", size=size, side=side,
                   threshold=rng.choice([50, 300, 2000, 32767], size) if extreme else rng.integers(60, 600, size),
                   dash_mem=rng.integers(*dash, size), dash_syn=rng.integers(*dash, size),
                   **({"dash_syn2": rng.integers(*dash, size)} if side == "hidden" else {}),
                   **({"bias": rng.integers(-32768, 32768, size) >> 11 * (not extreme)} if version == 2 else {}))
    for pre, post in (("in", "hidden"), ("hidden", "hidden"), ("hidden", "readout")):
        shift = int(rng.integers(0, 9)) if extreme else int(rng.integers(0, 3))
        for receptor in (0, 1)[:1 + (post == "hidden")]:
            pairs = g.nodes[pre]["size"] * g.nodes[post]["size"]
            g.add_edge(pre, post, rule="all_to_all", weight=rng.integers(-128, 128, pairs) * rng.integers(0, 2, pairs),
                       receptor=receptor, shift=shift)
    return g


def xylo_borders(version: int) -> list[nx.MultiDiGraph]:
    """Currents and v that come to the ends of 16 bits from either side, decays of 0 to 15, thresholds met exactly."""
    found = []
    for weight, shift, dash_syn, dash_mem in (
            (127, 8, 15, 15), (-128, 8, 15, 15), (-128, 8, 0, 0), (64, 0, 15, 15), (1, 0, 15, 15), (-1, 0, 15, 0),
            (1, 0, 1, 3), (127, 8, 1, 0), (-128, 8, 1, 0)):
        g = nx.MultiDiGraph()
        g.add_node("in", model="spikes", size=1, times=[0.0, 1.0, 1.0, 2.0, 4.0, 5.0])
        bias = {"bias": [0, 1, -1, 32767, -32768, 5]} if version == 2 else {}
        g.add_node("hidden", model=f"xylo_v{version}", size=6, side="hidden", dash_syn=dash_syn, dash_syn2=dash_syn,
                   dash_mem=dash_mem, threshold=[1, 64, 63, 32767, 128, 2], **bias)
        for receptor in (0, 1):
            g.add_edge("in", "hidden", rule="all_to_all", weight=weight, shift=shift, receptor=receptor)
        found.append(g)
    return found


def resting(profile: str, swept: bool = False, loud: bool = False, **own: Any) -> Case:
    """One input, or (loud) as many at its tick as take u to nearly 2^31, and then nothing for a long time."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0] * (1024 if loud else 1))
    g.add_node("hidden", model=profile, **own)
    g.add_edge("in", "hidden", **({"weight": 255, "weight_exp": 7} if loud else {"weight": 100}))
    return made(g, profile, REST, swept)
