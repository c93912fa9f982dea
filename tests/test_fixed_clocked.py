"""The clocked emulator against the plain-integer, dense reference: V, every I and the refractory count of every neuron
at every tick, and every spike, by ==."""

import dataclasses
import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed import clocked, psp, quantise
from eventsnn.exporters.fixed.format import NEVER
from eventsnn.exporters.fixed.reference import run
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eventsnn.errors import Mistake
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


def test_the_compiled_loop_equals_the_dense_reference_on_a_million_neuron_ticks():
    ticks = 0
    for seed in range(9):
        net, trains = network(seed, 200, 60, rate=(0.002, 0.02, 0.1)[seed % 3], until=600)
        trace = same(net, trains, 600, "compiled")
        ticks += sum(len(row) for row in trace.v)
        assert len(trace.spikes) > 1000
        assert trace.saturations > 1000
    assert ticks >= 1_000_000


def test_the_other_two_engines_equal_it_too():
    for seed in range(2):
        net, trains = network(seed, 12, until=60)
        for backend in ("python", "simpy"):
            assert len(same(net, trains, 60, backend).spikes) > 20
    net, trains = network(5, 40, until=60)
    same(net, trains, 60, "compiled", threads=2)


def test_nothing_depends_on_being_watched():
    """Without samples neurons are asked less often, and finish many ticks at once."""
    for seed, size, backends in ((3, 12, ("python", "simpy")), (4, 120, ("compiled",))):
        net, trains = network(seed, size, until=120)
        trace = run(net, 120, trains)
        for backend in backends:
            r = simulate(net, 120, backend=backend)
            assert list(zip(r.spikes.time.astype(int).tolist(), r.spikes.neuron.tolist(), strict=True)) == trace.spikes
            assert r.counters["saturations"] == trace.saturations


@pytest.mark.parametrize("seed", range(4))
def test_strict_mode_names_the_first_value_that_did_not_fit_as_the_reference_has_it(seed):
    net, trains = network(seed, 8, until=60)
    tick, neuron, register, value = min(run(net, 60, trains).faults)
    what = "V" if register == 0 else f"the current of receptor {register - 1}"
    with pytest.raises(Mistake, match=rf"node 'n', neuron {neuron}: at tick {tick} .* {what} comes to {value}, beyond"):
        simulate(net, 60, backend="python", strict=True)


# ---------------------------------------------------------------------------------------------------- by quantise
numbers = st.integers(-40, 40).map(lambda k: k / 4)
times = st.lists(st.integers(0, 90).map(lambda k: k / 6), max_size=8)


@st.composite
def graphs(draw):
    """Small networks with currents: sources onto one or two populations, and those onto each other."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=3, times=[draw(times) for _ in range(3)])
    names = ["a", "b"][:draw(st.integers(1, 2))]
    for name in names:
        size, subtract = draw(st.integers(1, 2)), draw(st.booleans())
        kinds = draw(st.lists(st.sampled_from(["exp", "delta"]), min_size=1, max_size=3))
        g.add_node(name, model="lif", size=size, v_rest=-60.0, reset="subtract" if subtract else "value", cm=0.5,
                   tau_m=draw(st.lists(st.sampled_from([2.0, 10.0, 50.0, math.inf]), min_size=size, max_size=size)),
                   v_thresh=draw(st.sampled_from([-55.0, -59.5, math.inf] + [-61.0] * (not subtract))), synapse=kinds,
                   tau_syn=[None if kind == "delta" else draw(st.sampled_from([0.5, 3.0, 20.0])) for kind in kinds],
                   i_init=[None if kind == "delta" else draw(st.sampled_from([0.0, 0.3])) for kind in kinds],
                   i_offset=draw(st.sampled_from([0.0, 0.4, -0.2])),
                   v_reset=draw(st.sampled_from([-60.0, -63.0])), v_init=draw(st.sampled_from([-60.0, -57.0, -54.0])),
                   tau_refrac=0.0 if subtract else draw(st.sampled_from([0.5, 1.0, 2.3])))
    for pre, post in draw(st.lists(st.tuples(st.sampled_from(["in", *names]), st.sampled_from(names)), min_size=1,
                                   max_size=4)):
        own = g.nodes[post]
        receptor = draw(st.integers(0, len(own["synapse"]) - 1))
        n = own["size"] * g.nodes[pre]["size"]
        g.add_edge(pre, post, rule="all_to_all", receptor=receptor,
                   weight=[w * (1.0 if own["synapse"][receptor] == "delta" else 0.1)
                           for w in draw(st.lists(numbers, min_size=n, max_size=n))],
                   delay=draw(st.lists(st.integers(1, 24).map(lambda k: k / 6), min_size=n, max_size=n)))
    return g


options = st.fixed_dictionaries({
    "decay": st.sampled_from(["mul", "lut", "shift", "linear"]), "i_decay": st.sampled_from([None, "shift", "linear"]),
    "rounding": st.sampled_from(["DOWN", "FLOOR", "ROUND"]),
    "saturation": st.sampled_from(["symmetric", "full", "wrap"]),
    "compare": st.sampled_from([">=", ">"]), "spikes": st.sampled_from([1, 3]), "input_first": st.booleans(),
    "min1": st.booleans(), "v_bits": st.sampled_from([12, 16, 24, 32]), "i_bits": st.sampled_from([12, 24, 32]),
    "weight_bits": st.sampled_from([4, 8, 16]), "guard_bits": st.sampled_from([None, 2])})


@settings(max_examples=60, deadline=None)
@given(graphs(), options)
def test_quantised_networks_equal_the_reference_whatever_the_options(graph, chosen):
    net = compile(graph, seed=3)
    try:
        fixed = quantise(net, mode="tick", tick=0.5, **chosen)
    except Mistake as error:
        if "more v_bits" not in str(error):
            raise
        assume(False)                                           # a grid too coarse for it
    trains = {p.emitter + k: train.tolist() for p in fixed.populations if p.kind == "source"
              for k, train in enumerate(p.params["times"])}
    trace = run(fixed, 15.0, trains)
    neurons = [p for p in fixed.populations if p.kind == "neuron"]
    r = simulate(fixed, 15.0, backend="python", record_at=0.5,
                 record={p.name: ["v", "refractory", *(["i"] if p.units else [])] for p in neurons})
    ticks = np.rint(r.spikes.time / 0.5).astype(int).tolist()
    assert list(zip(ticks, r.spikes.neuron.tolist(), strict=True)) == trace.spikes
    for p in neurons:
        mine = slice(p.neuron, p.neuron + p.size)
        got = r.recorded[p.name]
        assert np.rint((got["v"] - p.rest) / p.scale).astype(int).tolist() == [row[mine] for row in trace.v]
        assert got["refractory"].astype(int).tolist() == [row[mine] for row in trace.masked]
        for name in p.units:
            k = int(name[1:])
            i = got["i"][..., k] if got["i"].ndim == 3 else got["i"]
            assert np.rint(i / p.units[name]).astype(int).tolist() == [
                [of[k] for of in row[mine]] for row in trace.currents]
    assert r.counters["saturations"] == trace.saturations


# ---------------------------------------------------------------------------------------------------- one tick
@settings(deadline=None)
@given(st.integers(-2**50, 2**50), st.integers(0, 31))
def test_a_quotient_rounds_toward_zero_down_or_to_the_nearest_even(x, bits):
    exact = Fraction(x, 2**bits)
    assert clocked.quotient(x, bits, clocked.DOWN) == math.trunc(exact)
    assert clocked.quotient(x, bits, clocked.FLOOR) == math.floor(exact)
    assert clocked.quotient(x, bits, clocked.ROUND) == round(exact)


@settings(deadline=None)
@given(st.integers(-2**40, 2**40), st.integers(1, 31))
def test_a_register_holds_what_fits_and_saturates_or_wraps_what_does_not(x, bits):
    top = 2**bits - 1
    symmetric, full, wrap = (clocked.held(x, top, how) for how in (clocked.SYMMETRIC, clocked.FULL, clocked.WRAP))
    assert symmetric == max(-top, min(top, x))
    assert full == max(-top - 1, min(top, x))
    assert -top - 1 <= wrap <= top
    assert (wrap - x) % 2**(bits + 1) == 0


@pytest.mark.parametrize(("rounding", "ends"), [("DOWN", (7, 0)), ("FLOOR", (7, 0)), ("ROUND", (4, -4))])
def test_a_shift_without_the_min_1_rule_sticks_where_the_specification_says_and_with_it_never(rounding, ends):
    """fixed-point.md, section 2: v -= v >> d sticks at 2^d - 1 and is asymmetric."""
    how = clocked.ROUNDINGS.index(rounding)
    assert psp.rests(clocked.SHIFT, 3, 1, how, 100.0) == [0, 0]
    stuck = psp.rests(clocked.SHIFT, 3, 0, how, 100.0)
    assert stuck == ([7, -7] if rounding == "DOWN" else list(ends))


@pytest.mark.parametrize(("tau", "nearest"), [(10, 4), (20, 9), (100, 49)])
def test_a_factor_rests_where_the_specification_measured(tau, nearest):
    rate = round(2**20 * (1 - 1 / tau))
    assert psp.rests(clocked.MUL, rate, 20, clocked.DOWN, tau) == [0, 0]
    above, below = psp.rests(clocked.MUL, rate, 20, clocked.ROUND, tau)
    assert (above, below) == (-below, below)
    assert abs(above - nearest) <= 1
    assert psp.rests(clocked.MUL, rate, 20, clocked.FLOOR, tau)[1] in (-tau, -(tau - 1))


# ---------------------------------------------------------------------------------------------------- order and sleep
def alone(until=10, kind=None, times=((1,),), weights=(1,), receptor=0, **fields):
    """One neuron behind a source per train, one tick away; `fields` of its records."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=len(times), times=[list(t) for t in times])
    g.add_node("n", model="lif", synapse=["delta"] * WIDTH)
    g.add_edge("in", "n", rule="all_to_all", weight=[float(w) for w in weights], delay=1.0, receptor=receptor)
    p, s = clocked.silent(1, WIDTH)
    p.top = p.top_i = 10_000
    p.theta, p.receptors = NEVER, WIDTH
    if kind is not None:
        p.kind[:, 0] = kind
    for name, value in fields.items():
        (s if name in s.dtype.names else p)[name] = value
    s.shots = p.spikes
    return same(ticked(compile(g), p, s), {k: list(t) for k, t in enumerate(times)}, until, "python")


def test_the_threshold_is_judged_after_all_that_arrives_at_a_tick():
    """The bias alone would reach it at tick 5, but what arrives there comes first; the float law has it too late."""
    drift = {"bias": 2, "theta": 10}
    assert alone(times=[()], **drift).spikes == [(5, 0)]
    assert alone(times=[(4,)], weights=(-1,), **drift).spikes == [(6, 0)]
    assert alone(times=[(3, )], weights=(2,), **drift).spikes == [(4, 0), (9, 0)]


def test_a_current_acts_at_the_tick_of_its_arrival_and_fades_before_or_after_it_is_fed():
    halved = {"kind": clocked.MUL, "rate_i": 8, "bits_i": 4, "weights": (64,), "until": 5}
    assert [row[0][0] for row in alone(**halved).currents] == [0, 0, 64, 32, 16]
    assert [row[0] for row in alone(**halved).v] == [0, 0, 64, 96, 112]
    assert [row[0][0] for row in alone(**halved, input_first=1).currents] == [0, 0, 32, 16, 8]
    assert [row[0] for row in alone(**halved, fall=3).v] == [0, 0, 8, 12, 14]


def test_in_refractoriness_v_stands_still_and_is_not_judged_while_the_current_goes_on():
    trace = alone(kind=clocked.NONE, weights=(3,), theta=6, reset=-1, refrac=3, until=9)
    assert [row[0] for row in trace.v] == [0, 0, 3, -1, -1, -1, 2, 5, -1]
    assert [row[0] for row in trace.masked] == [0, 0, 0, 2, 1, 0, 0, 0, 2]
    assert trace.spikes == [(3, 0), (8, 0)]


def test_subtract_gives_at_most_so_many_spikes_a_tick_and_the_rest_at_the_next():
    many = {"weights": (35,), "theta": 10, "subtract": 1, "until": 6}
    assert alone(**many, spikes=9).spikes == [(2, 0)] * 3
    assert alone(**many, spikes=2).spikes == [(2, 0), (2, 0), (3, 0)]
    assert alone(**many, spikes=1).spikes == [(2, 0), (3, 0), (4, 0)]


def test_equality_fires_only_where_it_is_asked_for():
    assert alone(weights=(5,), theta=5).spikes == [(2, 0)]
    assert alone(weights=(5,), theta=5, strict=1).spikes == []
    assert alone(weights=(6,), theta=5, strict=1).spikes == [(2, 0)]


def test_an_input_that_just_holds_v_where_it_is_does_not_put_the_neuron_to_sleep():
    held = alone(times=[(1, 2, 3)], weights=(2,), decay=clocked.LINEAR, rate=2, v=9, until=7)
    assert [row[0] for row in held.v] == [9, 7, 7, 7, 7, 5, 3]


def test_a_neuron_that_would_reach_the_threshold_in_refractoriness_waits_for_its_end():
    assert alone(times=[()], bias=50, theta=20, refrac=3, until=10).spikes == [(1, 0), (4, 0), (7, 0)]
    left = alone(weights=(95,), theta=20, subtract=1, spikes=2, refrac=3, until=9)
    assert left.spikes == [(2, 0), (2, 0), (5, 0), (5, 0)]


def test_a_neuron_that_nothing_moves_sleeps_however_long():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0, 5e8])
    g.add_node("n", model="lif", synapse=["delta"] * WIDTH)
    g.add_edge("in", "n", weight=7.0, delay=1.0)
    p, s = clocked.silent(1, WIDTH)
    p.theta, p.receptors, p.top, p.decay, p.rate = NEVER, 1, 100, clocked.LINEAR, 1
    net = ticked(compile(g), p, s)
    r = simulate(net, 1e9, backend="python", record={"n": ["v"]}, record_at=[2.0, 4.0, 9.0, 10.0, 5e8 + 1, 9e8])
    assert r.recorded["n"]["v"][:, 0].tolist() == [7.0, 5.0, 0.0, 0.0, 7.0, 0.0]
