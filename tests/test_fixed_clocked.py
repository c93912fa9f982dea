"""The clocked emulator against the plain-integer, dense reference: V, every I and the refractory count of every neuron
at every tick, and every spike, by ==."""

import dataclasses

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed import clocked
from eventsnn.exporters.fixed.format import NEVER
from eventsnn.exporters.fixed.reference import run

from eventsnn.graph import compile
from eventsnn.network import Group, Network
from eventsnn.simulate import simulate

WIDTH = clocked.RECEPTORS


def drawn(rng, size):
    """Records of neurons none of which is like another: every decay, rounding, saturation, comparison and reset."""
    p, s = clocked.silent(size, WIDTH)
    pick = rng.integers
    width = pick(5, 14, size)
    p.top = (1 << width) - 1
    p.rounding, p.saturation = pick(0, 3, size), pick(0, 3, size)
    p.strict, p.input_first = pick(0, 2, size), pick(0, 2, size)
    p.receptors = pick(1, WIDTH + 1, size)
    p.subtract = pick(0, 2, size)
    p.spikes = np.where(p.subtract, pick(1, 5, size), 1)
    p.refrac = pick(0, 6, size)
    p.theta = np.where(pick(0, 10, size) == 0, NEVER, (p.top * rng.uniform(0.05, 0.9, size)).astype(int))
    p.reset = np.where(p.theta == NEVER, 0, np.rint(np.minimum(p.theta, p.top) * rng.uniform(-0.5, 0.9, size)))
    odd = pick(0, 12, size) == 0                                # stands above its threshold after every spike
    p.reset[odd & (p.theta < NEVER)] = p.theta[odd & (p.theta < NEVER)] + 2
    p.bias = np.where(pick(0, 3, size) == 0, np.rint(p.top * rng.normal(0, 0.02, size)), 0)
    p.decay, p.rate, p.bits = decays(rng, size, p.top)
    for k in range(WIDTH):
        p.top_i[:, k] = (1 << pick(5, 14, size)) - 1
        kind, p.rate_i[:, k], p.bits_i[:, k] = decays(rng, size, p.top_i[:, k])
        p.kind[:, k] = np.where(pick(0, 3, size) == 0, clocked.DIRECT, kind)
        p.fall[:, k] = pick(0, 5, size)
        s.i[:, k] = np.where(p.kind[:, k] == clocked.DIRECT, 0, pick(-30, 30, size))
    s.i[np.arange(WIDTH) >= p.receptors[:, None]] = 0
    s.v = np.rint(p.top * rng.uniform(-0.9, 0.9, size))
    s.shots = p.spikes
    return p, s


def decays(rng, size, top):
    """Kinds, rates and bits."""
    kind = rng.integers(0, 5, size)
    bits = rng.integers(3, 13, size)
    tau = rng.choice([1.0, 3.0, 10.0, 60.0], size)
    rate = np.select([kind == clocked.LINEAR, kind == clocked.SHIFT], [np.ceil(top / 40), rng.integers(0, 6, size)],
                     np.rint(np.exp(-1 / tau) * 2.0**bits))
    return kind, rate, np.where(kind == clocked.SHIFT, rng.integers(0, 2, size), bits)


def network(seed, size=60, sources=20, rate=0.02, until=400):
    """A recurrent network of such neurons with a tick of 1 ms: Network, its trains by emitter."""
    rng = np.random.default_rng(seed)
    g = nx.MultiDiGraph()
    times = [np.flatnonzero(rng.random(until) < rate).tolist() for _ in range(sources)]
    g.add_node("in", model="spikes", size=sources, times=times)
    g.add_node("n", model="lif", size=size, synapse=["delta"] * WIDTH)
    for receptor in range(WIDTH):
        for pre, degree in (("in", 4), ("n", 3)):
            g.add_edge(pre, "n", rule="fixed_indegree", indegree=degree, weight={"normal": [0.0, 1.0]},
                       delay={"uniform": [0.6, 9.0]}, receptor=receptor)
    net = compile(g, seed=seed)
    return ticked(net, *drawn(rng, size), scale=300), {k: t for k, t in enumerate(times)}


def ticked(net: Network, params, state, scale=1.0):
    """The network with these records, whole weights and whole delays."""
    s = net.synapses

    def ints(x):
        return np.rint(np.asarray(x, float) * scale).astype(np.int64)

    # compile sorted rows by delay, so the delays stay in order when they are rounded up
    s = s._replace(weight=ints(s.weight), weights=ints(s.weights), delay=np.ceil(s.delay),
                   delays=np.ceil(s.delays.astype(float)))
    group = Group(clocked.DYNAMICS, np.arange(len(params)), params, state)
    populations = tuple(dataclasses.replace(p, group=0, offset=p.neuron, variables=clocked.variables(WIDTH, True))
                        if p.kind == "neuron" else p for p in net.populations)
    return dataclasses.replace(net, populations=populations, groups=(group,), synapses=s, tick=1.0)


def emulated(net, until, backend, **how):
    """Spikes, V, currents, refractory counts, saturations of the event loop."""
    record = {"n": ["v", "i", "refractory"]}
    r = simulate(net, until, backend=backend, record=record, record_at=1.0, **how)
    ticks = r.spikes.time.astype(int).tolist()
    got = r.recorded["n"]
    return (list(zip(ticks, r.spikes.neuron.tolist(), strict=True)), got["v"].astype(int).tolist(),
            got["i"].astype(int), got["refractory"].astype(int).tolist(), r.counters["saturations"])


def same(net, trains, until, backend, **how):
    """The emulator equals the reference; the reference's trace."""
    trace = run(net, until, trains)
    spikes, v, i, masked, saturations = emulated(net, until, backend, **how)
    assert spikes == trace.spikes
    assert v == trace.v
    assert masked == trace.masked
    params = net.groups[0].params
    for j in range(len(params)):
        for k in range(int(params.receptors[j])):
            assert i[:, j, k].tolist() == [row[j][k] for row in trace.currents]
    assert saturations == trace.saturations
    return trace


@pytest.mark.parametrize("seed", range(3))
def test_the_same_loop_in_plain_python_equals_the_dense_reference(seed):
    net, trains = network(seed, 20, until=150)
    trace = same(net, trains, 150, "python")
    assert len(trace.spikes) > 50
    assert trace.saturations > 10


def test_the_three_engines_equal_the_dense_reference():
    net, trains = network(11, 12, until=60)
    for backend in ("compiled", "simpy"):
        assert len(same(net, trains, 60, backend).spikes) > 20
