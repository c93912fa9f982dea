"""Random networks for the chips whose vendors have simulators of their own, as plain data.

`loihi(rng)` draws what tests/lava/run.py runs, `xylo(rng)` what tests/xylo/run.py runs; corners included: u that wraps,
v and I that saturate, every shift and decay the registers have.  rng is a random.Random, so that a seed means the same
everywhere.  `*_graph` is the same problem for the emulator, `*_trace` what the emulator makes of it.
"""

import networkx as nx
import numpy as np
from eventsnn.exporters.fixed.profiles import loihi1_lava_reference, xylo_reference
from eventsnn.exporters.fixed.reference import run

from eventsnn.simulate import simulate

SIGNS = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0)}


# ---------------------------------------------------------------------------------------------------- Loihi 1
def loihi(rng, steps=48, size=5):
    """Two populations behind sources, each other and themselves."""
    extreme = rng.random() < 0.4
    populations = {}
    for name in "ab":
        n = rng.randint(1, size)
        populations[name] = {
            "du": rng.choice([0, 1, 409, 1023, 2047, 4094, 4095]), "dv": rng.choice([0, 1, 64, 128, 1024, 4095]),
            "vth": rng.choice([0, 1, 131071, 3000]) if extreme else rng.randint(20, 2000),
            "bias_mant": [rng.choice([0, 0, rng.randint(-4096, 4095)]) for _ in range(n)],
            "bias_exp": [rng.randint(0, 7) if extreme else rng.randint(0, 3) for _ in range(n)],
            "u": [rng.randint(-2**23 + 1, 2**23) if extreme else 0 for _ in range(n)],
            "v": [rng.randint(-2**23 + 1, 2**23 - 1) if extreme else rng.randint(-5000, 5000) for _ in range(n)]}
    sources = rng.randint(1, size)
    inputs = {"in": [[int(rng.random() < 0.25) for _ in range(sources)] for _ in range(steps)]}
    sizes = {"in": sources} | {name: len(p["v"]) for name, p in populations.items()}
    ways = [("in", "a"), *(way for way in (("in", "b"), ("a", "a"), ("a", "b"), ("b", "a")) if rng.random() < 0.7)]
    connections = []
    for source, target in ways:
        low, high = SIGNS[rng.choice(["mixed", "mixed", "excitatory", "inhibitory"])]
        bits = rng.choice([8, 8, 8, 6, 3])
        weights = [[rng.randint(low, high) if rng.random() < 0.7 else 0 for _ in range(sizes[source])]
                   for _ in range(sizes[target])]
        connections.append({"source": source, "target": target, "weights": weights, "num_weight_bits": bits,
                            "weight_exp": rng.randint(-8, 7) if extreme else rng.randint(-3, 2)})
    return {"steps": steps, "inputs": inputs, "populations": populations, "connections": connections}


def loud_loihi(steps=60, sources=33):
    """All that its synapses hold, at every step, into currents that hardly decay: sums that no 32 bits hold."""
    signs = (255, -255, 255)
    return {"steps": steps, "inputs": {"in": [[1] * sources for _ in range(steps)]},
            "populations": {name: {"du": du, "dv": 64, "vth": 131071, "bias_mant": [0], "bias_exp": [0], "u": [0],
                                   "v": [0]}
                            for name, du in zip("abc", (0, 0, 9), strict=True)},
            "connections": [{"source": "in", "target": name, "weights": [[w] * sources], "num_weight_bits": 8,
                             "weight_exp": 7} for name, w in zip("abc", signs, strict=True)]}


def by_loihi_reference(problem):
    made = loihi1_lava_reference.run(
        {name: loihi1_lava_reference.Population(**p) for name, p in problem["populations"].items()},
        [loihi1_lava_reference.Connection(**c) for c in problem["connections"]], problem["inputs"], problem["steps"])
    return made._asdict()


def trains(counts, first):
    """Rows [tick][source] of counts as spike times."""
    return [[float(t + first) for t, row in enumerate(counts) for _ in range(row[k])] for k in range(len(counts[0]))]


def sources(g, name, counts, first):
    times = trains(counts, first)
    g.add_node(name, model="spikes", size=len(times), times=times if len(times) > 1 else times[0])


def loihi_graph(problem):
    """The problem in the profile's own numbers; a step is a tick of 1 ms."""
    g = nx.MultiDiGraph()
    for name, rows in problem["inputs"].items():
        sources(g, name, rows, first=1)
    for name, p in problem["populations"].items():
        g.add_node(name, model="loihi1_lava", size=len(p["v"]), **p)
    for c in problem["connections"]:
        weights = np.array(c["weights"])
        post, pre = np.indices(weights.shape)
        g.add_edge(c["source"], c["target"], rule="pairs", source=pre.ravel().tolist(), target=post.ravel().tolist(),
                   weight=weights.ravel().tolist(), weight_exp=c["weight_exp"], num_weight_bits=c["num_weight_bits"])
    return g


def counts_of(result, name, ticks):
    """Spikes [tick][neuron] of a run with a tick of 1 ms, without tick 0."""
    spikes = result.spikes.of(name)
    size = next(size for other, _, size in result.spikes.populations if other == name)
    counts = np.zeros((ticks, size), int)
    np.add.at(counts, (spikes.time.astype(int) - 1, spikes.neuron), 1)
    return counts.tolist()


def loihi_trace(network, problem, **how):
    """u, v and s as Lava's; the emulator's tick k + 1 is Lava's step k."""
    names, steps = list(problem["populations"]), problem["steps"]
    r = simulate(network, steps + 1.0, record={name: ["v", "u"] for name in names}, record_at=1.0, **how)
    found = {what: {name: r.recorded[name][what][1:].astype(int).tolist() for name in names} for what in "uv"}
    return {**found, "s": {name: counts_of(r, name, steps) for name in names}}


# ---------------------------------------------------------------------------------------------------- Xylo
def xylo(rng, version, ticks=100, size=20, aliases=False, strongest=9, events=20):
    """Channels, hidden neurons, a readout; weights are shifted by at most `strongest`."""
    extreme, n, m, channels = rng.random() < 0.3, rng.randint(1, size), rng.randint(1, 4), rng.randint(1, 5)
    kinds, low, high = rng.choice([1, 2]), *rng.choice([(-128, 127), (-20, 40), (-60, 60)])
    density = rng.uniform(0.1, 0.8) * min(1.0, 6.0 / n)

    def rows(sources, targets, syns):
        return [[[t, s, rng.randint(low, high)] for t in range(targets) for s in range(syns)
                 if rng.random() < density] for _ in range(sources)]

    def side(k, syns):
        dash = (0, 15) if extreme else (1, 6)
        return {"threshold": [rng.choice([1, 50, 300, 2000, 32767]) if extreme else rng.randint(60, 600)
                              for _ in range(k)],
                "dash_mem": [rng.randint(*dash) for _ in range(k)],
                "dash_syns": [[rng.randint(*dash) for _ in range(syns)] for _ in range(k)],
                "bias": [0 if version == 1 else rng.randint(-32768, 32767) if extreme and rng.random() < 0.2
                         else rng.randint(-5, 20) for _ in range(k)]}

    shifts = [rng.randint(0, strongest) if extreme else rng.randint(0, 2) for _ in range(3)]
    return {"version": version, "synapses_in": rows(channels, n, kinds), "synapses_rec": rows(n, n, kinds),
            "synapses_out": rows(n, m, 1), "hidden": side(n, kinds), "readout": side(m, 1),
            "weight_shift_inp": shifts[0], "weight_shift_rec": shifts[1], "weight_shift_out": shifts[2],
            "aliases": [[rng.randrange(n)] if aliases and rng.random() < 0.15 else [] for _ in range(n)],
            "inputs": [[rng.choice([0, 0, 0, 1, 2, rng.randint(0, events)]) for _ in range(channels)]
                       for _ in range(ticks)]}


def by_xylo_reference(problem):
    """spikes, v, i, spikes_out, v_out, i_out, as [tick][neuron] or [tick][neuron][synapse]."""
    own = {name: [[xylo_reference.Synapse(*s) for s in row] for row in problem[name]]
           for name in ("synapses_in", "synapses_rec", "synapses_out")}
    sides = {name: xylo_reference.Side(**problem[name]) for name in ("hidden", "readout")}
    rest = {name: problem[name] for name in ("version", "weight_shift_inp", "weight_shift_rec", "weight_shift_out",
                                             "aliases")}
    return xylo_reference.run(xylo_reference.Core(**rest, **own, **sides), problem["inputs"])._asdict()


def as_ticks(trace, problem):
    """What tests/xylo/run.py wrote, by tick."""
    kinds = {"i": len(problem["hidden"]["dash_syns"][0]), "i_out": 1}
    turned = dict(trace)
    for name in ("v", "v_out"):
        turned[name] = [list(row) for row in zip(*trace[name], strict=True)]
    for name, k in kinds.items():
        neurons = [list(zip(*each, strict=True)) for each in zip(*trace[name][:k], strict=True)]
        turned[name] = [[list(x) for x in row] for row in zip(*neurons, strict=True)]
    return turned


def xylo_graph(problem):
    """The problem in the profile's own numbers; a step is a tick of 1 ms.  Without aliases."""
    assert not any(problem["aliases"])
    g = nx.MultiDiGraph()
    sources(g, "in", problem["inputs"], first=0)
    for name in ("hidden", "readout"):
        own = dict(problem[name])
        dashes = np.array(own.pop("dash_syns")).T.tolist()
        g.add_node(name, model=f"xylo_v{problem['version']}", size=len(own["bias"]), side=name, **own,
                   **dict(zip(("dash_syn", "dash_syn2"), dashes, strict=False)))
    for table, pre, post, shift in (("synapses_in", "in", "hidden", "weight_shift_inp"),
                                    ("synapses_rec", "hidden", "hidden", "weight_shift_rec"),
                                    ("synapses_out", "hidden", "readout", "weight_shift_out")):
        for receptor in (0, 1):
            pairs = [(source, target, w) for source, row in enumerate(problem[table]) for target, syn, w in row
                     if syn == receptor]
            if pairs:
                source, target, weight = (list(x) for x in zip(*pairs, strict=True))
                g.add_edge(pre, post, rule="pairs", source=source, target=target, weight=weight, receptor=receptor,
                           shift=problem[shift])
    return g


def xylo_trace(network, problem, **how):
    """As `by_xylo_reference`; input row k of the chip is sent at tick k and acts at k + 1, the emulator's step k."""
    ticks, found = len(problem["inputs"]), {}
    r = simulate(network, ticks + 1.0, record={"hidden": ["v", "i"], "readout": ["v", "i"]}, record_at=1.0, **how)
    for name, end in (("hidden", ""), ("readout", "_out")):
        kinds = len(problem[name]["dash_syns"][0])
        found["spikes" + end] = counts_of(r, name, ticks)
        found["v" + end] = r.recorded[name]["v"][1:].astype(int).tolist()
        found["i" + end] = r.recorded[name]["i"][1:, :, :kinds].astype(int).tolist()
    return found


# ---------------------------------------------------------------------------------------------------- both
def by_reference(network, until):
    """The integer reference's trace of a network with given trains and a tick of 1 ms."""
    given = {p.emitter + k: list(train) for p in network.populations if p.kind == "source"
             for k, train in enumerate(p.params["times"])}
    return run(network, until, given)


def emulated(network, until, **how):
    """The same of the event loop, spikes, V and saturations."""
    names = [p.name for p in network.populations if p.kind == "neuron"]
    r = simulate(network, until, record={name: ["v"] for name in names}, record_at=1.0, **how)
    v = np.concatenate([np.rint((r.recorded[name]["v"] - network.by_name[name].rest) / network.by_name[name].scale)
                        for name in names], axis=1)
    spikes = list(zip(r.spikes.time.astype(int).tolist(), r.spikes.neuron.tolist(), strict=True))
    return spikes, v.astype(int).tolist(), r.counters["saturations"]
