"""The one set of vectors that every engine runs: integer networks under stimuli that reach the corners.

Each is small and named for the corner it reaches; `drawn(seed)` gives random ones.  Those named tick and `still`, and
every third of the random ones, are in tick mode, the others in event mode.
"""

import dataclasses
import math
import random

import chips
import networkx as nx
import numpy as np
from eventsnn.exporters import quantise
from eventsnn.exporters.fixed import profiles
from eventsnn.exporters.fixed.format import tables

from eventsnn.errors import Mistake
from eventsnn.graph import compile

TICK = 0.5
DECAYS = ("none", "linear", "mul", "lut")


def made(g, decay="lut", **options):
    decay = None if decay == "none" else decay
    return quantise(compile(g, seed=3), **{"tick": TICK, "decay": decay, **options})


def cells(g, name="n", decay="lut", **more):
    """A population whose tau_m suits the decay."""
    tau = math.inf if decay == "none" else 10.0
    g.add_node(name, model="lif", **{"v_rest": -60.0, "v_reset": -61.0, "v_thresh": -55.0, "tau_m": tau,
                                     "tau_refrac": 1.0, "size": 3, **more})


def rails(decay):
    """V is driven to both rails and back, and judged there."""
    g = nx.MultiDiGraph()
    g.add_node("up", model="spikes", size=3, times=[[k * 0.5 for k in range(0, 40)]] * 3)
    g.add_node("down", model="spikes", size=3, times=[[k * 0.5 for k in range(40, 90)]] * 3)
    cells(g, decay=decay, v_thresh=math.inf, size=2)
    cells(g, "judged", decay=decay, size=2)
    for name in ("n", "judged"):
        g.add_edge("up", name, rule="all_to_all", weight=4.0, delay=0.5)
        g.add_edge("down", name, rule="all_to_all", weight=-4.0, delay=1.0)
    return made(g, decay, v_bits=10 if decay != "linear" else 12, guard_bits=3), 60.0


def together():
    """Many arrivals of both signs at one tick: summed exactly, over the rail and back, judged once, by equality too."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=8, times=[[1.0, 5.0, 5.0, 5.2, 9.0, *([12.0] * (300 if k == 0 else 1))]
                                                    for k in range(8)])
    cells(g, decay="none", size=4, v_thresh=[-59.0, -58.0, -56.0, -55.0], tau_refrac=0.0)
    g.add_edge("in", "n", rule="all_to_all", weight=[x for k in range(8) for x in [(-1) ** k * (k + 1) * 0.5] * 4],
               delay=1.0)
    g.add_edge("in", "n", rule="all_to_all", weight=0.25, delay=1.0)
    return made(g, "none", v_bits=12), 20.0


def silence(decay):
    """Nothing happens for longer than a 16-bit time stamp tells apart, then neurons are reached at awkward ages."""
    g = nx.MultiDiGraph()
    late = [66000 * 0.5, 131073 * 0.5]
    g.add_node("in", model="spikes", size=3, times=[[1.0, late[0]], [1.0, 65536 * 0.5 + 1.5], [32768.0, late[1]]])
    cells(g, decay=decay, tau_m=math.inf if decay == "none" else 3000.0 if decay == "linear" else 40.0, size=2)
    g.add_edge("in", "n", rule="all_to_all", weight=[3.0, 4.9, -4.0, 2.0, 3.0, -0.5], delay=2.0)
    g.add_edge("n", "n", rule="all_to_all", weight=0.5, delay=7.0)
    return made(g, decay, v_bits=24), 66000.0


def ages():
    """Neurons are reached just before, at and just after the age from which their decay table says 0."""
    g = nx.MultiDiGraph()
    length = tables(10.0 / TICK, 16, 2**11 - 1).length
    gaps = np.cumsum([2, length - 1, length, length + 1, 2 * length, 1]) * TICK
    g.add_node("in", model="spikes", times=gaps.tolist())
    cells(g, size=2, v_thresh=math.inf)
    g.add_edge("in", "n", rule="all_to_all", weight=[3.0, -4.5], delay=0.5)
    network = made(g, v_bits=12, guard_bits=6)
    assert set(network.groups[0].params["length"].tolist()) == {length}
    return network, gaps[-1] + 5.0


def sparse():
    """Emitters without synapses, neurons without input, rows far apart."""
    g = nx.MultiDiGraph()
    g.add_node("mute", model="spikes", size=2, times=[[1.0], [2.0, 2.0]])
    cells(g, "alone", size=2, v_init=[-54.0, -70.0])
    g.add_node("in", model="spikes", size=3, times=[[0.0], [0.0, 100.0], []])
    cells(g, size=34, tau_refrac=0.0)
    g.add_edge("in", "n", rule="pairs", source=[0, 1, 2, 1], target=[33, 0, 5, 32], weight=[9.0, 6.0, 9.0, 7.0],
               delay=[0.5, 40.0, 1.0, 30.0])
    g.add_edge("n", "n", rule="pairs", source=[0, 33, 32], target=[31, 32, 33], weight=8.0, delay=[127.5, 0.5, 33.5])
    return made(g), 150.0


def nothing():
    """No synapse at all: v_init decays, or spikes at tick 0."""
    g = nx.MultiDiGraph()
    cells(g, size=3, v_init=[-50.0, -90.0, -60.0])
    return made(g), 20.0


def loops():
    """Multapses and autapses, excitatory and inhibitory, with own delays."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[0.5 * k for k in range(0, 60, 3)], [0.5 * k for k in range(60)]])
    cells(g, size=4, tau_refrac=[0.0, 0.5, 1.5, 4.0])
    g.add_edge("in", "n", rule="pairs", source=[0, 0, 0, 1, 1], target=[0, 0, 1, 2, 3], weight=3.0, delay=0.5)
    g.add_edge("n", "n", rule="pairs", source=[0, 0, 1, 2, 2, 3], target=[0, 0, 1, 2, 2, 3],
               weight=[2.0, 2.0, -3.0, 4.0, 0.5, 1.0], delay=[0.5, 0.5, 1.0, 2.5, 2.5, 20.0])
    g.add_edge("n", "n", rule="all_to_all", weight=0.4, delay=1.0)
    return made(g, "mul"), 40.0


def many():
    """Several spikes of one neuron at one tick (reset by subtraction), and from tick 0 on."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=1, times=[1.0, 1.0, 4.0, 4.0, 4.0, 11.0])
    cells(g, size=3, reset="subtract", tau_refrac=0.0, v_reset=-60.0, v_thresh=-59.0, v_init=[-60.0, -57.2, -59.0])
    cells(g, "after", size=2, reset="value")
    g.add_edge("in", "n", rule="all_to_all", weight=3.3, delay=0.5)
    g.add_edge("n", "after", rule="all_to_all", weight=0.6, delay=[0.5, 1.5, 0.5, 2.5, 0.5, 0.5])
    g.add_edge("n", "n", rule="all_to_all", weight=-0.3, delay=0.5)
    return made(g, guard_bits=4), 20.0


def wide():
    """32 bits of V, 16 of the weights, the longest factors."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=4, times=[np.arange(k, 60, k + 1.5).tolist() for k in range(4)])
    cells(g, size=5, tau_m=[2.0, 5.0, 20.0, 100.0, 31.0], v_thresh=[-55.0, -50.0, -40.0, -30.0, math.inf])
    g.add_edge("in", "n", rule="all_to_all", weight={"normal": [3.0, 4.0]}, delay={"uniform": [0.5, 6.0]})
    g.add_edge("n", "n", rule="all_to_all", weight={"normal": [-0.5, 1.0]}, delay={"uniform": [0.5, 6.0]})
    return made(g, "mul", v_bits=32, weight_bits=16, decay_bits=31), 60.0


def ticked(rounding="DOWN", saturation="symmetric", decay="mul", i_decay="mul", tight=True, **options):
    """Tick mode: currents and direct input, a bias, refractoriness; small registers that clip or wrap."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=3, times=[[k * 0.5 for k in range(1, 24)], [3.0, 3.0, 30.0],
                                                   [k * 0.5 for k in range(60, 75)]])
    cells(g, "again", size=1, v_thresh=-59.0, v_reset=-58.0, v_init=-58.0, tau_refrac=2.0)      # V rests above theta
    cells(g, size=4, synapse=["exp", "delta"], tau_syn=[3.0, None], tau_m=[5.0, 10.0, 20.0, 8.0], i_offset=0.03,
          tau_refrac=[0.0, 1.0, 2.5, 1.0], v_init=[-60.0, -54.0, -70.0, -60.0])
    cells(g, "quiet", size=33, tau_m=10.0, v_thresh=-59.0)
    g.add_edge("in", "n", rule="all_to_all", weight=[0.4, 0.3, -0.5, 0.6] * 2 + [-0.9] * 4, delay=[0.5, 1.0, 2.0] * 4)
    g.add_edge("in", "n", rule="all_to_all", weight=1.5, delay=1.0, receptor=1)
    g.add_edge("n", "n", rule="all_to_all", weight={"normal": [0.0, 0.3]}, delay={"uniform": [0.5, 4.0]})
    g.add_edge("n", "quiet", rule="pairs", source=[0, 1, 2, 3], target=[0, 32, 32, 7], weight=1.5, delay=1.0)
    network = made(g, decay, mode="tick", rounding=rounding, saturation=saturation, i_decay=i_decay, **options)
    return narrow(network) if tight else network, 70.0


def narrow(network):
    """Registers that just hold thresholds and initial values: quantise would have made them wider."""
    (group,) = network.groups
    params = group.params.copy()
    params.top = (1 << int(max(params.theta.max(), np.abs(group.state.v).max())).bit_length()) - 1
    params.top_i = (1 << int(params.top_i.max() // 8).bit_length()) - 1
    return dataclasses.replace(network, groups=(group._replace(params=params),))


def still():
    """Tick mode without currents: subtraction with a bound of spikes per tick, a strict threshold, long silence."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=1, times=[1.0, 1.0, 4.0, 4.0, 4.0, 5000.0])
    cells(g, size=3, reset="subtract", tau_refrac=0.0, v_reset=-60.0, v_thresh=-59.0, v_init=[-60.0, -57.2, -59.0])
    cells(g, "after", size=2)
    g.add_edge("in", "n", rule="all_to_all", weight=3.25, delay=0.5)
    g.add_edge("n", "after", rule="all_to_all", weight=0.6, delay=[0.5, 1.5, 0.5, 2.5, 0.5, 0.5])
    return made(g, "mul", mode="tick", spikes=2, compare=">"), 5020.0


CORNERS = {
    **{f"rails_{decay}": lambda decay=decay: rails(decay) for decay in DECAYS},
    **{f"silence_{decay}": lambda decay=decay: silence(decay) for decay in DECAYS},
    "ages": ages, "together": together, "sparse": sparse, "nothing": nothing, "loops": loops, "many": many,
    "wide": wide,
    "tick": lambda: ticked(i_bits=10, v_bits=12, guard_bits=3),
    "tick_floor": lambda: ticked("FLOOR", "full", "mul", "shift", i_bits=12, v_bits=12, guard_bits=3, min1=False),
    "tick_round": lambda: ticked("ROUND", "wrap", "shift", "linear", i_bits=10, v_bits=11, guard_bits=2, compare=">"),
    "tick_first": lambda: ticked("ROUND", "symmetric", "lut", "lut", False, input_first=True, v_bits=32, i_bits=32),
    "still": still,
}


def loihi(seed, steps=24):
    """A random network in Loihi 1's own numbers, and until when its steps are."""
    problem = chips.loihi(random.Random(f"loihi {seed}"), steps)
    return profiles.network(chips.loihi_graph(problem), "loihi1_lava"), steps + 1.0, problem


def xylo(version, seed, ticks=24):
    """A random network in Xylo's own numbers; 15 events are the most that a channel takes in a tick."""
    problem = chips.xylo(random.Random(f"xylo {seed}"), version, ticks, size=8, strongest=8, events=15)
    return profiles.network(chips.xylo_graph(problem), f"xylo_v{version}"), ticks + 1.0, problem


def one_by_one():
    """A current that stops at both rails within a tick, so that the order of its arrivals counts: parallel synapses of
    both signs, several spikes of each source, sources that fire in descending order before and beside neurons."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=3, times=[[2.0] * 5 + [3.0], [1.0] * 3 + [2.0] * 9, [0.0, 1.0, 1.0, 2.0]])
    g.add_node("n", model="xylo_v2", size=2, threshold=[1000, 300], dash_mem=3, dash_syn=[2, 1], bias=[0, -7])
    for weight in (127, -128, 90):
        g.add_edge("in", "n", rule="all_to_all", weight=weight, shift=8)
        g.add_edge("n", "n", rule="all_to_all", weight=-weight - 1, shift=7)
    return profiles.network(g, "xylo_v2"), 40.0, None


def loihi_loud():
    """Sums that no 32 bits hold."""
    problem = chips.loud_loihi()
    return profiles.network(chips.loihi_graph(problem), "loihi1_lava"), problem["steps"] + 1.0, problem


def loihi_edges():
    """u comes to just 2^23 and just -2^23, v to just its threshold, and v stays at its rail, held at every tick."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[1.0] * 8 + [3.0] * 7 + [5.0] * 9 + [7.0], [2.0] * 8 + [4.0] * 9])
    g.add_node("n", model="loihi1_lava", size=2, vth=131071, dv=4095, bias_mant=[0, -4096], bias_exp=[0, 7],
               v=[0, 1 - 2**23])
    g.add_node("rail", model="loihi1_lava", vth=131071, bias_mant=-4096, bias_exp=7, v=1 - 2**23)
    g.add_node("judged", model="loihi1_lava", size=2, vth=128, dv=4095, bias_mant=[0, 1])
    for target, exponent in (("n", 7), ("judged", 0)):
        g.add_edge("in", target, rule="pairs", source=[0, 0, 1, 1], target=[0, 1, 0, 1], weight=[128, 128, -128, -128],
                   weight_exp=exponent)
    return profiles.network(g, "loihi1_lava"), 20.0, None


def xylo_edges():
    """v2's sum is held at each of its steps; v comes to the lowest value, whose decrement no 16 bits hold, and stays at
    a rail, held at every tick."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[1.0, 1.0, 2.0, 3.0, 9.0, 9.0, 9.0], [5.0, 6.0, 6.0, 12.0, 12.0]])
    g.add_node("n", model="xylo_v2", size=8, threshold=32767, dash_mem=[0, 15] * 4, dash_syn=15, dash_syn2=[15, 0] * 4,
               bias=[0, 0, 32767, 32767, -32768, -32768, 100, -100])
    g.add_node("rail", model="xylo_v2", threshold=32767, dash_mem=15, bias=-32768)
    for receptor in (0, 1):
        g.add_edge("in", "n", rule="all_to_all", weight=[-128] * 8 + [127] * 8, shift=8, receptor=receptor)
    return profiles.network(g, "xylo_v2"), 40.0, None


CHIPS = {
    **{f"loihi1_lava_{seed}": lambda seed=seed: loihi(seed) for seed in range(6)},
    **{f"xylo_v{version}_{seed}": lambda version=version, seed=seed: xylo(version, seed)
       for version in (1, 2) for seed in range(4)},
    "loihi_loud": loihi_loud, "loihi_edges": loihi_edges, "xylo_edges": xylo_edges, "xylo_one_by_one": one_by_one,
}


def drawn(seed, parts=1):
    """A random network: of so many random graphs that have nothing to do with each other but their formats."""
    rng = np.random.default_rng([seed, 17])
    pick, clocked = picker(rng), seed % 3 == 2                             # every third in tick mode
    options = {"v_bits": pick(8, 12, 24, 32), "weight_bits": pick(2, 4, 8, 16), "guard_bits": pick(None, 0, 4),
               "decay_bits": pick(None, 8), "decay": pick("lut", "mul", "linear")}
    if clocked:
        options |= {"mode": "tick", "rounding": pick("DOWN", "FLOOR", "ROUND"), "i_bits": pick(12, 24, 32),
                    "spikes": pick(1, 3, 31),
                    "saturation": pick("symmetric", "full", "wrap"), "compare": pick(">=", ">"),
                    "i_decay": pick("mul", "shift", "linear"), "input_first": bool(pick(0, 1))}
    g = nx.MultiDiGraph()
    while parts:
        one = graph(rng, clocked)
        try:
            made(one, **options)
        except Mistake as error:                                           # a grid too coarse for threshold or decay
            if "more v_bits" not in str(error) and "does not fit" not in str(error):
                raise
            continue
        g = nx.union(g, nx.relabel_nodes(one, lambda name, part=parts: f"{name}{part}"))
        parts -= 1
    return made(g, **options), 30.0


def receptors(seed):
    """A random network in tick mode of four populations, each of one to three receptors with currents or without."""
    rng = np.random.default_rng([seed, 29])
    pick = picker(rng)
    options = {"mode": "tick", "rounding": pick("DOWN", "FLOOR", "ROUND"), "compare": pick(">=", ">"),
               "saturation": pick("symmetric", "full", "wrap"), "decay": pick("mul", "shift", "linear", "lut"),
               "i_decay": pick("mul", "shift", "linear", "lut"), "input_first": bool(pick(0, 1)),
               "weight_bits": pick(4, 8), "v_bits": pick(12, 16, 24, 32), "i_bits": pick(8, 12, 24, 32),
               "spikes": pick(1, 3, 31), "min1": bool(pick(0, 1)), "guard_bits": pick(None, 2)}
    choice = [["exp"], ["exp", "exp"], ["delta", "exp"], ["exp", "delta", "exp"], ["delta", "delta", "exp"], ["delta"]]
    choice = choice[:pick(2, 6, 6)]                                        # sometimes no receptor without a current
    while True:
        g = nx.MultiDiGraph()
        g.add_node("in", model="spikes", size=4, times=[sorted((rng.choice(60, 20) * TICK).tolist()) for _ in range(4)])
        kinds = [pick(*choice) for _ in range(4)]
        for name, synapse in enumerate(kinds):
            size, subtract = pick(1, 3, 8), bool(pick(0, 1))
            tau = [None if s == "delta" else pick(1.0, 3.0, 8.0) for s in synapse]
            cells(g, name, "mul", size=size, synapse=synapse, tau_syn=tau, reset="subtract" if subtract else "value",
                  tau_m=[pick(3.0, 10.0, 50.0, math.inf) for _ in range(size)], v_thresh=pick(-55.0, -58.0, math.inf),
                  v_reset=pick(-60.0, -62.0), v_init=[pick(-60.0, -57.0, -70.0) for _ in range(size)],
                  tau_refrac=0.0 if subtract else pick(0.0, 1.0, 2.5),
                  i_offset=[pick(0.0, 0.0, 0.05, -0.1) for _ in range(size)],
                  i_init=[0.0 if t is None else pick(0.0, 0.3) for t in tau])
            for receptor in range(len(synapse)):
                g.add_edge("in", name, rule="all_to_all", weight={"uniform": [-1.0, 2.0]},
                           delay={"uniform": [0.5, pick(0.6, 4.0)]}, receptor=receptor)
        for name, synapse in enumerate(kinds):
            most = -0.1 if g.nodes[name]["reset"] == "subtract" else 1.0
            for receptor in range(len(synapse)):
                g.add_edge(pick(0, 1, 2, 3), name, rule="all_to_all", weight={"uniform": [-1.0, most]},
                           delay={"uniform": [0.5, 3.0]}, receptor=receptor)
        try:
            return made(g, **options), 30.0
        except Mistake as error:                                           # a grid too coarse
            if "more v_bits" not in str(error) and "does not fit" not in str(error):
                raise


def crowd():
    """Tick mode: many synapses a tick, of both parities of delays, onto a few neurons that lie far apart."""
    g, rng = nx.MultiDiGraph(), np.random.default_rng(7)
    times = [[0.5 * k for k in range(36) if (k * (j + 1)) % 7 < 5] for j in range(6)]
    g.add_node("in", model="spikes", size=6, times=times)
    cells(g, size=200, synapse=["exp", "delta"], tau_syn=[2.0, None], tau_refrac=1.0)
    for receptor, weight in enumerate((0.1, 0.4)):
        g.add_edge("in", "n", rule="pairs", source=np.repeat(np.arange(6), 25).tolist(),
                   target=(16 * rng.integers(0, 13, 150)).tolist(), weight={"uniform": [-weight, 1.5 * weight]},
                   delay={"uniform": [0.5, 2.5]}, receptor=receptor)
    g.add_edge("n", "n", rule="pairs", source=(16 * np.arange(13)).tolist(), target=(16 * np.arange(13)[::-1]).tolist(),
               weight=0.5, delay={"uniform": [0.5, 2.5]}, receptor=1)
    return made(g, "shift", mode="tick", i_decay="mul"), 20.0


def picker(rng):
    return lambda *values: values[int(rng.integers(len(values)))]


def graph(rng, currents):
    """One or two populations behind three sources, onto each other and themselves; with exponential currents or not."""
    pick, g = picker(rng), nx.MultiDiGraph()
    times = [0.0, 0.5, 2.25, 7.0, 7.0, 11.3, 19.9, 20.0, 26.5]
    g.add_node("in", model="spikes", size=3, times=[sorted(rng.choice(times, rng.integers(0, 40)).tolist())
                                                    for _ in range(3)])
    names = ["a", "b"][:rng.integers(1, 3)]
    for name in names:
        size, subtract = int(rng.integers(1, 4)), bool(rng.integers(2))
        g.add_node(name, model="lif", size=size, v_rest=-60.0, reset="subtract" if subtract else "value",
                   tau_m=[pick(2.0, 10.0, 50.0, math.inf) for _ in range(size)], v_thresh=pick(-55.0, -59.5, math.inf),
                   v_reset=pick(-60.0, -63.0), v_init=pick(-60.0, -57.0, -54.0, -75.0),
                   tau_refrac=0.0 if subtract else pick(0.0, 0.5, 1.0, 2.3),
                   **({"synapse": "exp", "tau_syn": pick(1.0, 4.0), "i_offset": pick(0.0, 0.1)} if currents and subtract
                      else {}))
    for _ in range(rng.integers(1, 6)):
        pre, post = pick("in", *names), pick(*names)
        rule = pick({"rule": "all_to_all"}, {"rule": "fixed_indegree", "indegree": 3})
        n = g.nodes[post]["size"] * (g.nodes[pre]["size"] if rule["rule"] == "all_to_all" else 3)
        weights = rng.integers(-16, 33, n) / 4
        if pre != "in" and g.nodes[post]["reset"] == "subtract":
            weights = -np.abs(weights)                                     # they would excite each other without bound
        g.add_edge(pre, post, **rule, weight=weights.tolist(), delay=(rng.integers(1, 25, n) / 6).tolist())
    return g
