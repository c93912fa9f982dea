"""Integer networks that reach the corners, each with what the reference says of it: what mutants are hunted with."""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn.errors import Mistake
from eventsnn.network import Network

REST = 1e7                       # ticks: minutes for whoever is not asleep


class Case(NamedTuple):
    """A network, how long it runs, and the reference's trace in the form that `emulated` gives."""

    network: Network
    until: float
    emulated: Callable[[Network], Any]
    expected: Any


def emulated(until: float) -> Callable[[Network], Any]:
    """The plain-Python run: (tick, neuron) of every spike, V in LSBs at every tick, saturations."""
    def run(network: Network) -> Any:
        neurons = [p for p in network.populations if p.kind == "neuron"]
        result = es.simulate(network, until, backend="python", record={p.name: ["v"] for p in neurons},
                             record_at=network.tick)
        v = np.concatenate([(result.recorded[p.name]["v"] - p.rest) / p.scale for p in neurons], axis=1)
        ticks = np.rint(result.spikes.time / network.tick).astype(int).tolist()
        spikes = list(zip(ticks, result.spikes.neuron.tolist(), strict=True))
        return spikes, v.tolist(), result.counters["saturations"]
    return run


def referred(network: Network, until: float) -> Any:
    from eventsnn.exporters.fixed.reference import run

    sources = {p.emitter + k: train.tolist() for p in network.populations if p.kind == "source"
               for k, train in enumerate(p.params["times"])}
    trace = run(network, until, sources)
    return trace.spikes, trace.v, trace.saturations


def event_mode() -> list[Case]:
    """Delta neurons: every decay, both resets, both rails, refractoriness, coarse and fine ages, starts off rest."""
    made: list[Case] = []
    for n in range(48):
        rng = np.random.default_rng(n)
        decay, until = ("lut", "mul", "linear", "none")[n % 4], (30.0, 90.0)[n % 8 > 3]
        graph = random_graph(rng, decay, until)
        try:
            network = es.quantise(es.compile(graph, seed=n), tick=(0.5, 0.1)[n % 8 > 3], decay=decay,
                                  v_bits=int(rng.choice([8, 10, 16, 24])), weight_bits=int(rng.choice([3, 8, 16])),
                                  guard_bits=(None, 0, 4)[n % 3], decay_bits=(None, None, 5, 8)[n % 5 % 4])
        except Mistake:                                    # a grid too coarse for the threshold or the decay
            continue
        made.append(Case(network, until, emulated(until), referred(network, until)))
        made.append(Case(network, until, advanced, advanced_reference(network)))
    return made


def advanced(network: Network) -> Any:
    """V of each neuron after `advance` by some ticks, twice: event mode never calls that verb, but it must be right."""
    (group,) = network.groups
    found = []
    for p, start in zip(group.params, group.state, strict=True):
        for first, second in AGES:
            s = start.copy()
            s.hold = 3.0
            for t in (first, second):
                group.dynamics.verbs.advance(p, s, float(t))
            found.append((int(s.v), float(s.t)))
    return found


AGES = ((1, 2), (2, 3), (3, 4), (4, 9), (5, 5), (40, 90), (3, 5000))


def advanced_reference(network: Network) -> Any:
    from eventsnn.exporters.fixed.reference import Neuron

    (group,) = network.groups
    found = []
    for p, start in zip(group.params, group.state, strict=True):
        for first, second in AGES:
            neuron = Neuron(p, start)
            for before, after in ((3, first), (max(3, first), second)):       # masked up to tick 3
                for _ in range(after - before):
                    neuron.leak()
                neuron.settle(neuron.v)                                       # a table counts from the last commitment
            found.append((neuron.v, float(second)))
    return found


def random_graph(rng: np.random.Generator, decay: str, until: float) -> nx.MultiDiGraph:
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=4,
               times=[np.sort(rng.uniform(0, until, rng.integers(2, 15))) for _ in range(4)])
    for name in "ab":
        subtract = bool(rng.integers(2))
        g.add_node(name, model="lif", size=2, synapse=["delta", "delta", "delta"], tau_syn=[None] * 3,
                   v_rest=-60.0, reset="subtract" if subtract else "value",
                   tau_m=math.inf if decay == "none" else rng.choice([2.0, 10.0, 50.0], 2),
                   v_thresh=float(rng.choice([-55.0, -59.0, math.inf])), v_reset=float(rng.choice([-60.0, -63.0])),
                   v_init=float(rng.choice([-60.0, -57.0, -54.0, -75.0])),
                   tau_refrac=0.0 if subtract else float(rng.choice([0.0, 0.5, 1.0, 2.3])))
    for pre, post in (("in", "a"), ("in", "b"), ("a", "b"), ("b", "a"), ("a", "a")):
        n = g.nodes[post]["size"] * g.nodes[pre]["size"]
        weight = rng.integers(-20, 40, n) / 4.0
        if pre != "in" and g.nodes[post]["reset"] == "subtract":
            weight = -np.abs(weight)                       # they would excite each other without bound
        g.add_edge(pre, post, rule="all_to_all", weight=weight, delay=rng.uniform(0.2, 4.0, n),
                   receptor=int(rng.integers(3)))
    return g


# ---------------------------------------------------------------------------------------------------- tick mode
DECAYS = ("mul", "shift", "linear", "lut")


def tick_mode() -> list[Case]:
    """Exp and delta receptors: every decay, rounding, saturation, comparison, both orders of a current's tick."""
    made: list[Case] = []
    for n in range(40):
        rng, until = np.random.default_rng(n), 16.0
        graph = with_currents(random_graph(rng, "none" if n % 5 == 4 else "mul", until), rng)
        try:
            network = es.quantise(
                es.compile(graph, seed=n), mode="tick", tick=0.5, decay="none" if n % 5 == 4 else DECAYS[n % 4],
                i_decay=DECAYS[n // 2 % 4], rounding=("DOWN", "FLOOR", "ROUND")[n % 3], min1=n % 8 > 3,
                saturation=("symmetric", "full", "wrap")[n // 3 % 3], compare=(">=", ">")[n % 2],
                input_first=n % 4 > 1, spikes=int(rng.choice([1, 2, 31])), v_bits=int(rng.choice([8, 10, 16, 24])),
                i_bits=int(rng.choice([8, 10, 24])), weight_bits=int(rng.choice([3, 8])),
                guard_bits=(None, 1)[n % 7 > 3])
        except Mistake:                                    # a grid too coarse for the threshold or the decay
            continue
        made.append(Case(network, until, each_tick(until), expected_at_each_tick(network, until)))
    lonely = nx.MultiDiGraph()                             # they fire by themselves in a block that nothing wakes
    lonely.add_node("a", model="lif", size=3, synapse=["exp"], tau_syn=[2.0], i_offset=[1.0, 2.0, 0.0])
    many = nx.MultiDiGraph()                               # two blocks that are awake together, and fire
    many.add_node("in", model="spikes", size=1, times=[[0.5, 3.0, 5.0]])
    many.add_node("a", model="lif", size=70, synapse=["exp"], tau_syn=[2.0], tau_refrac=1.0)
    many.add_edge("in", "a", rule="all_to_all", weight=np.linspace(5.0, 40.0, 70), delay=0.5)
    for graph, until in ((lonely, 60.0), (many, 12.0)):
        network = es.quantise(es.compile(graph), tick=0.5)
        made.append(Case(network, until, each_tick(until), expected_at_each_tick(network, until)))
    resting = nx.MultiDiGraph()
    resting.add_node("in", model="spikes", size=1, times=[[0.5]])
    resting.add_node("a", model="lif", size=3, synapse=["exp"], tau_syn=[2.0])
    resting.add_edge("in", "a", rule="all_to_all", weight=[1.0, 40.0, 100.0], delay=0.5)
    made.append(at_rest(es.quantise(es.compile(resting), tick=0.5), 0.5 * REST, True, False))
    return [*made, *corners(made[0].network)]


def counted(network: Network, until: float, swept: bool) -> Any:
    """What a run counts, through the loop or (swept) through the kernel that sweeps blocks."""
    with mock.patch("eventsnn.kernel.quick.SMALL", 0 if swept else network.neurons + 1):
        return es.simulate(network, until, backend="python").counters


def at_rest(network: Network, until: float, *swept: bool) -> Case:
    """A long rest, which whoever does not sleep does not live through."""
    def run(network: Network) -> Any:
        return [counted(network, until, each) for each in swept]
    return Case(network, until, run, run(network))


def corners(network: Network) -> list[Case]:
    """What quantise seldom makes: an input that holds V where it is, a drift that is over the threshold in
    refractoriness, several spikes a tick and refractoriness."""
    (group,), until = network.groups, 16.0
    found = []
    for own in ({"decay": 1, "rate": 8, "theta": 2**62}, {"bias": 90, "theta": 40, "reset": 0, "refrac": 4},
                {"bias": 90, "theta": 40, "reset": 0, "refrac": 3, "subtract": 1, "spikes": 2}):
        params, state = group.params.copy(), group.state.copy()
        params["kind"], params["top"], state["v"] = -1, 2**20, 1000
        for name, value in own.items():
            params[name] = value
        weights = network.synapses._replace(weight=np.full_like(network.synapses.weight, 8),
                                            weights=np.full_like(network.synapses.weights, 8))
        state["shots"] = params["spikes"]
        changed = dataclasses.replace(network, groups=(group._replace(params=params, state=state),), synapses=weights)
        found.append(Case(changed, until, each_tick(until), expected_at_each_tick(changed, until)))
    return found


def with_currents(graph: nx.MultiDiGraph, rng: np.random.Generator) -> nx.MultiDiGraph:
    """The graph with an exp receptor or two, biases, and thresholds below rest here and there."""
    for name in "ab":
        kinds = [str(kind) for kind in rng.choice(["exp", "delta"], 3)]
        node = graph.nodes[name]
        node.update(synapse=kinds, cm=1.0, i_offset=float(rng.choice([0.0, 0.5, -0.3])),
                    tau_syn=[None if kind == "delta" else float(rng.choice([0.5, 3.0, 20.0])) for kind in kinds],
                    i_init=[None if kind == "delta" else float(rng.choice([0.0, 0.4])) for kind in kinds])
        if node["reset"] == "value" and node["tau_refrac"] > 0.0 and rng.random() < 0.3:
            node["v_thresh"] = -62.0
    for _, post, own in graph.edges(data=True):
        if graph.nodes[post]["synapse"][own["receptor"]] == "exp":
            own["weight"] = own["weight"] / 8.0
    return graph


def each_tick(until: float) -> Callable[[Network], Any]:
    """The loop's run watched at every tick: spikes, V, currents, refractory counts, saturations; and the
    specification's unwatched, where neurons are asked less often: spikes, saturations, and the loop's first fault."""
    def run(network: Network) -> Any:
        unwatched = es.simulate(network, until, backend="simpy")
        ticks = np.rint(unwatched.spikes.time / network.tick).astype(int).tolist()
        with mock.patch("eventsnn.kernel.quick.SMALL", 0):     # through the kernel, which sweeps blocks
            swept = seen(network, until)
            unrecorded = es.simulate(network, until, backend="python")
        if swept != seen(network, until) or unrecorded.spikes != unwatched.spikes:
            return None
        if unrecorded.counters != unwatched.counters:
            return None
        return [swept, list(zip(ticks, unwatched.spikes.neuron.tolist(), strict=True)),
                unwatched.counters["saturations"],
                first_fault(network, until) if unwatched.counters["saturations"] else None]
    return run


def first_fault(network: Network, until: float) -> Any:
    """(tick, neuron, register, value) of a strict run."""
    try:
        es.simulate(network, until, backend="python", strict=True)
    except Mistake as error:
        found = re.search(r"'(\w+)', neuron (\d+): at tick (\d+) .* (V|receptor \d+) comes to (-?\d+),", str(error))
        if found:
            name, k, tick, where, value = found.groups()
            register = 0 if where == "V" else int(where.split()[1]) + 1
            return int(tick), network.by_name[name].neuron + int(k), register, int(value)
    return None


def seen(network: Network, until: float) -> Any:
    neurons = [p for p in network.populations if p.kind == "neuron"]
    result = es.simulate(network, until, backend="python", record_at=network.tick,
                         record={p.name: ["v", "refractory", *(["i"] if p.units else [])] for p in neurons})
    got = result.recorded
    v = np.concatenate([np.rint((got[p.name]["v"] - p.rest) / p.scale) for p in neurons], axis=1)
    held = np.concatenate([got[p.name]["refractory"] for p in neurons], axis=1)
    flow = [np.rint(got[p.name]["i"][..., int(name[1:])] / unit).tolist() for p in neurons
            for name, unit in p.units.items()]
    ticks = np.rint(result.spikes.time / network.tick).astype(int).tolist()
    return (list(zip(ticks, result.spikes.neuron.tolist(), strict=True)), v.tolist(), held.tolist(), flow,
            result.counters["saturations"])


def expected_at_each_tick(network: Network, until: float) -> Any:
    from eventsnn.exporters.fixed.reference import run

    trace = run(network, until, {p.emitter + k: train.tolist() for p in network.populations if p.kind == "source"
                                 for k, train in enumerate(p.params["times"])})
    flow = [[[float(row[j][int(name[1:])]) for j in range(p.neuron, p.neuron + p.size)] for row in trace.currents]
            for p in network.populations if p.kind == "neuron" for name in p.units]
    return [(trace.spikes, trace.v, trace.masked, flow, trace.saturations), trace.spikes, trace.saturations,
            min(trace.faults, default=None)]
