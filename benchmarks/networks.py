"""The networks of the races: the same work as the scripts in peers/, parameter by parameter.

brunel   Brunel (2000), model A: delta synapses, 10 % random inputs, every neuron with its Poisson drive
cuba     Brette et al. (2007), benchmark 2: exponential currents, given there as jumps of R I in mV
wave     a ring of layers, each neuron reached by some of the layer before: one wave through silence
emulator the Loihi network of the peers' scripts, made by their own code
tables   random connections that are only built: all alike, or each with its own delay and weight

Each function returns the graph and its number of synapses (None: drawn).
"""

import math

import networkx as nx
import numpy as np

Made = tuple[nx.DiGraph, int | None]


def brunel(n: int = 12_500, indegree: int = 1250, v_reset: float = 10.0, eta: float = 2.0, g: float = 5.0,
           connected: bool = True, idle: int = 0) -> Made:
    """J C_E = 100 mV, so that the drive per neuron is eta C_E 10 Hz: 20 kHz of 0.1 mV at full size.

    connected=False leaves the drive alone, without a threshold; `idle` neurons stand by, with nothing to do.
    """
    sizes = {"exc": round(0.8 * n), "inh": n - round(0.8 * n)}
    excitatory = round(0.8 * indegree)
    j, delay = 100.0 / excitatory, 1.5
    cell = {"model": "lif", "tau_m": 20.0, "v_rest": 0.0, "v_reset": v_reset, "tau_refrac": 2.0,
            "v_thresh": 20.0 if connected else np.inf}
    graph = nx.DiGraph()
    for name, size in sizes.items():
        graph.add_node(name, size=size, **cell)
    for name, size in sizes.items():
        graph.add_node(f"drive_{name}", model="poisson", size=size, rate=eta * 10.0 * excitatory)
        graph.add_edge(f"drive_{name}", name, rule="one_to_one", weight=j, delay=delay)
        if connected:
            graph.add_edge("exc", name, rule="fixed_indegree", indegree=excitatory, weight=j, delay=delay)
            graph.add_edge("inh", name, rule="fixed_indegree", indegree=indegree - excitatory, weight=-g * j,
                           delay=delay)
    if idle:
        graph.add_node("idle", size=idle, **cell)
    return graph, n + connected * n * indegree


def cuba(n: int = 4000, fixed: bool = False, synapse: str = "exp") -> Made:
    """2 % at random, or (fixed) 64 + 16 inputs each, whatever n; an alpha current brings the same charge."""
    sizes = {"exc": int(0.8 * n), "inh": n - int(0.8 * n)}
    tau_m, cm, charge = 20.0, 1.0, math.e if synapse == "alpha" else 1.0
    cell = {"tau_m": tau_m, "cm": cm, "v_rest": -49.0, "v_reset": -60.0, "v_thresh": -50.0, "tau_refrac": 5.0,
            "synapse": [synapse, synapse], "tau_syn": [5.0, 10.0], "v_init": {"uniform": [-60.0, -50.0]}}
    graph = nx.DiGraph()
    for name, size in sizes.items():
        graph.add_node(name, model="lif", size=size, **cell)
    for pre, jump, receptor, indegree in (("exc", 1.62, 0, 64), ("inh", -9.0, 1, 16)):
        rule = {"rule": "fixed_indegree", "indegree": indegree} if fixed else {"rule": "bernoulli", "p": 0.02}
        for post in sizes:
            graph.add_edge(pre, post, **rule, weight=jump * cm / tau_m / charge, delay=0.1, receptor=receptor)
    return graph, 80 * n if fixed else None


def wave(n: int = 500_000, width: int = 100, indegree: int = 20) -> Made:
    """Half a neuron's inputs would do, so each layer makes the next fire; the first is kicked at 1 ms."""
    graph = nx.DiGraph()
    graph.add_node("ring", model="lif", size=n, tau_m=20.0, v_rest=0.0, v_reset=0.0, v_thresh=20.0, tau_refrac=2.0)
    graph.add_node("kick", model="spikes", times=[1.0])
    target = np.repeat(np.arange(n, dtype=np.int32), indegree)
    layer = (target // width - 1) % (n // width)
    source = (layer * width + np.random.default_rng(1).integers(0, width, len(target))).astype(np.int32)
    graph.add_edge("ring", "ring", rule="pairs", source=source, target=target, weight=40.0 / indegree, delay=1.0)
    graph.add_edge("kick", "ring", rule="pairs", source=np.zeros(width, np.int32), target=np.arange(width),
                   weight=25.0, delay=1.0)
    return graph, n * indegree + width


def tables(n: int = 100_000, indegree: int = 1000, own: bool = False) -> Made:
    graph = nx.DiGraph()
    graph.add_node("n", model="lif", size=n, v_rest=0.0, v_thresh=20.0)
    graph.add_edge("n", "n", rule="fixed_indegree", indegree=indegree,
                   weight={"normal": [0.1, 0.01]} if own else 0.1, delay={"uniform": [0.5, 3.0]} if own else 1.5)
    return graph, n * indegree


def emulator(n: int = 1024, fan_out: int = 32, share: float = 1.0) -> Made:
    """In Loihi's integers; only a share of the neurons is driven (see peers/_quiet.py)."""
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent / "peers"))
    from _loihi_net import DU, DV, Net

    net, k = Net(n, fan_out, 1), np.arange(n)
    rest = np.floor((k + 1) * share) == np.floor(k * share)
    net.bias_mant[rest] = net.v0[rest] = 0
    graph = nx.DiGraph()
    graph.add_node("n", model="loihi1_lava", size=n, du=DU, dv=DV, vth=net.vth, bias_mant=net.bias_mant, bias_exp=3,
                   v=net.v0)
    graph.add_edge("n", "n", rule="pairs", source=np.repeat(np.arange(n), fan_out), target=net.targets,
                   weight=net.weights)
    return graph, n * fan_out


def microcircuit(scale: float = 0.1) -> Made:
    from eventsnn.scenarios import microcircuit as scenario

    return scenario.build(scale), scenario.synapses(scale) + sum(scenario.sizes(scale).values())


NETWORKS = {f.__name__: f for f in (brunel, cuba, wave, emulator, tables, microcircuit)}
