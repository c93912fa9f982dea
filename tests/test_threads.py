"""No bit of a result depends on how many threads there are, on the windows' length, on recording, or on listeners."""

import math
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import lif_delta, networks
from test_equivalence import brunel, compiled, everything, few, same

import eventsnn as es
from eventsnn.kernel import engine, mail
from eventsnn.kernel.calendar import calendar, collect, enter, next_due, nothing, reserve
from eventsnn.kernel.link import link
from eventsnn.kernel.queue import RUN
from eventsnn.kernel.quick import plan
from eventsnn.kernel.shards import EVERYBODY, deal, together, wirings
from eventsnn.network import flat

sim = import_module("eventsnn.simulate")  # its name is also the function's
EXAMPLES = int(os.environ.get("EVENTSNN_EXAMPLES", "60"))
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
JITTED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"


def laid_out(network, until, record=None, record_at=0.75, seed=1):
    wanted, listened = sim.recordings(network, record or {})
    at = sim.sample_times(record_at, until) if wanted else np.empty(0)
    return sim.lay_out(network, until, at, wanted, listened, None, seed), wanted, listened, at


def run(network, until, record=None, record_at=0.75, seed=1, jit=True, progress=None, **how):
    """As `simulate`, with the engine's own switches; every thread a shard, however little there is to do."""
    setup, wanted, listened, at = laid_out(network, until, record, record_at, seed)
    outcome = engine.run(setup, jit, progress, **{"worth": 0.0, **how})
    return sim.collect(
        setup, outcome, until, wanted, listened, at, {"seed": seed, "backend": "compiled", "threads": 0}, None
    )


def nobodys(setup):
    """A plan for the general loop alone: no neuron is everybody's, no stream belongs to where its targets are."""
    chosen = plan(setup, 1.0)
    return chosen._replace(group=np.full_like(chosen.group, -1), stream=np.zeros_like(chosen.stream), groups=[])


parts = st.sampled_from([1.0, 0.5, 1 / math.pi])
rooms = st.sampled_from([1, mail.ROOM])


# ---------------------------------------------------------------------------------------------------- the promise
@settings(max_examples=max(EXAMPLES // 6, 5), **PATIENT)
@given(networks(), st.integers(0, 3), rooms, few)
def test_no_bit_depends_on_threads_windows_or_recording(graph, seed, room, levels):
    network = compiled(graph, seed, levels)
    recorded = run(network, 15.0, everything(network), seed=seed)
    plain = run(network, 15.0, seed=seed)
    assert plain.spikes == recorded.spikes
    assert plain.counters == recorded.counters
    for threads in (1, 2, 3, 4):
        for part in (1.0, 0.5, 1 / math.pi):
            how = {"seed": seed, "threads": threads, "window": part * network.min_delay, "room": room}
            same(recorded, run(network, 15.0, everything(network), **how))
            same(plain, run(network, 15.0, **how))


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_network_keeps_of_its_runs_does_not_grow_with_them(threads):
    network = es.compile(brunel(500), seed=1)

    def kept(until):
        run(network, until, threads=threads)
        assert any(found for key, (_, found) in network.kept.items() if key == ("shards", threads))
        return {key: len(found[1]) for key, found in network.kept.items()}
    assert kept(1.0) == kept(2.0) == kept(200.0)            # windows of 1/64, 1/32, 1.5 ms


@settings(max_examples=max(EXAMPLES // 10, 3), **PATIENT)
@given(networks(), st.integers(2, 4), parts, rooms, few)
def test_nor_in_plain_python(graph, threads, part, room, levels):
    network = compiled(graph, 1, levels)
    expected = es.simulate(network, 12.0, backend="simpy", record=everything(network), record_at=0.75)
    how = {"threads": threads, "window": part * network.min_delay, "room": room, "jit": False}
    same(expected, run(network, 12.0, everything(network), **how))


@settings(max_examples=max(EXAMPLES // 8, 3), **PATIENT)
@given(networks(kinds=(lif_delta,), currents=False), st.sampled_from([0.1, 0.5]), st.integers(2, 4), parts)
def test_nor_do_integer_networks(graph, tick, threads, part):
    for _, node in graph.nodes(data=True):
        if node["model"] == "lif":
            node.update(i_offset=0.0, v_reset=0.0)
    fixed = es.quantise(es.compile(graph, seed=1), tick=tick)
    expected = es.simulate(fixed, 15.0, backend="simpy", record=everything(fixed), record_at=0.75)
    same(expected, run(fixed, 15.0, everything(fixed), threads=threads, window=part * fixed.min_delay))


@settings(max_examples=max(EXAMPLES // 4, 5), **PATIENT)
@given(networks(), st.integers(1, 4), st.data())
def test_what_weighs_nothing_changes_no_spike(graph, threads, data):
    """Synapses of weight 0 anywhere, and a population that listens to all without being heard."""
    before = es.compile(graph, seed=1)
    spiking = [p.name for p in before.populations if p.kind != "current"]
    neurons = [p for p in before.populations if p.kind == "neuron"]
    delays = st.sampled_from([0.3, 0.5, 1.0, 2.0])
    for _ in range(data.draw(st.integers(1, 4))):
        post = data.draw(st.sampled_from(neurons))
        graph.add_edge(
            data.draw(st.sampled_from(spiking)),
            post.name,
            rule="all_to_all",
            weight=0.0,
            delay=data.draw(delays),
            receptor=data.draw(st.integers(0, post.receptors - 1)),
        )
    graph.add_node("probe", model="lif", size=2, tau_m=7.0, v_rest=0.0, v_thresh=math.inf)
    for name in spiking:
        graph.add_edge(
            name, "probe", rule="all_to_all", delay=data.draw(delays), weight=data.draw(st.sampled_from([0.0, 1.5]))
        )
    after = es.compile(graph, seed=1)
    runs = [
        es.simulate(before, 15.0),
        run(after, 15.0, {"probe": ["v"]}, threads=threads),
        es.simulate(after, 15.0, backend="python"),
        es.simulate(after, 15.0, backend="simpy"),
    ]
    for p in neurons:
        alone = runs[0].spikes.of(p.name)
        for other in runs[1:]:
            assert alone.time.tobytes() == other.spikes.of(p.name).time.tobytes(), p.name
            assert alone.neuron.tobytes() == other.spikes.of(p.name).neuron.tobytes(), p.name


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("jit", [True, False])
def test_inputs_of_one_instant_are_summed_in_the_order_of_their_emitters_wherever_those_are(threads, jit):
    """Sums of 1e16, 1, -1e16 and 3 tell every order from every other, nearly; each shard hears its own spikes first."""
    rng = np.random.default_rng(1)
    weights = [1e16, 1.0, -1e16, 3.0]
    g = nx.MultiDiGraph()
    g.add_node("early", model="spikes", size=6, times=[[1.0]] * 6)
    g.add_node("a", model="lif", size=12, v_rest=0.0, v_reset=0.0, v_thresh=10.0)
    g.add_node("late", model="spikes", size=6, times=[[2.0]] * 6)
    g.add_node("out", model="lif", size=8, v_rest=0.0, v_thresh=math.inf)
    g.add_edge("early", "a", rule="all_to_all", weight=5.0, delay=1.0)
    for name, n in (("early", 6), ("late", 6), ("a", 12)):
        delay = rng.choice([1.0, 1.5], n * 8) + (name == "early")
        g.add_edge(name, "out", rule="all_to_all", weight=rng.choice(weights, n * 8), delay=delay)
    network = es.compile(g, seed=1)
    expected = es.simulate(network, 6.0, backend="simpy", record={"out": ["v"]}, record_at=0.5)
    same(expected, run(network, 6.0, {"out": ["v"]}, 0.5, threads=threads, jit=jit))


@pytest.mark.parametrize("jit", [True, False])
def test_sources_emit_the_same_from_any_shard(jit):
    """Eight streams, given trains, and a listener to each source."""
    g = nx.MultiDiGraph()
    g.add_node("noise", model="poisson", size=3, rate=[100.0, 900.0, 0.0])
    g.add_node("given", model="spikes", size=3, times=[[1.0, 5.0], [0.0, 5.0], [7.5]])
    g.add_node("clocks", model="renewal", size=5, rate=200.0, shape=3.0)
    g.add_node("more", model="poisson", size=2, rate=500.0, modulation=0.5, frequency=50.0)
    g.add_node("n", model="lif", size=13, v_rest=0.0, v_reset=0.0, v_thresh=10.0)
    for name in ("noise", "given", "clocks", "more"):
        g.add_edge(name, "n", rule="all_to_all", weight=1.5, delay=1.0)
    network = es.compile(g, seed=1)
    expected = es.simulate(network, 30.0, backend="simpy", record=everything(network), record_at=0.75)
    assert len(expected.spikes) > 13
    for threads in (1, 2, 3, 4):
        same(expected, run(network, 30.0, everything(network), threads=threads, jit=jit))


def test_brunels_network_is_one_for_any_number_of_threads():
    """Large enough that `simulate` deals it out of its own accord, and that letters do not fit."""
    network = es.compile(brunel(2000), seed=1)
    setup = laid_out(network, 20.0)[0]
    assert [deal(setup, n, 1.5, 1000.0, plan(setup, 1.5)).shards for n in (1, 2, 3, 4)] == [1, 2, 3, 4]
    runs = [es.simulate(network, 20.0, threads=n) for n in (1, 2, 3, 4)]
    assert len(runs[0].spikes) > 200
    for other in (*runs[1:], run(network, 20.0, threads=2, room=100)):
        same(runs[0], other)


# ---------------------------------------------------------------------------------------------------- the deal
@settings(max_examples=max(EXAMPLES // 4, 5), **PATIENT)
@given(networks(), st.integers(2, 5), few)
def test_every_neuron_stream_and_synapse_is_somebodys_once_and_rows_keep_their_order(graph, threads, levels):
    setup = laid_out(compiled(graph, 1, levels), 15.0)[0]
    synapses, chosen = setup.network.synapses, plan(setup, 1.0)
    group = np.arange(setup.network.neurons) % 5 // 2 - 1                # of specialised kernels, -1: none
    of = deal(setup, threads, 1.0, 0.0, chosen._replace(group=group))
    assert of.shards == min(threads, setup.network.neurons)
    assert sorted(np.concatenate(of.streams)) == np.flatnonzero(~chosen.stream).tolist()
    shared = of.owner == EVERYBODY
    assert np.array_equal(shared & (of.shards > 1), (group >= 0) & (of.shards > 1))
    row = flat(synapses).row
    seen: list[int] = []
    for shard, wiring in enumerate(wirings(setup, of, group)):
        assert np.array_equal(wiring.mine, (of.owner == shard) | shared)
        assert (np.diff(wiring.row) >= 0).all()
        own: list[int] = []
        for e in range(setup.network.emitters):
            run_end = wiring.first_row[e]
            for p in range(wiring.first_row[e], wiring.first_row[e + 1]):
                if p == run_end:                                         # where an entry of the calendar begins
                    first, run_end = p, wiring.after[p]
                    assert p < run_end <= min(wiring.first_row[e + 1], p + RUN)
                if p > first:
                    alike = [(wiring.delay[q], group[synapses.target[wiring.begin[q]]]) for q in (first, p)]
                    assert alike[0] == alike[1]
                    assert alike[0][1] >= 0
                    assert (synapses.spread[wiring.row[first:p + 1]] < 0).all()
                r, part = wiring.row[p], np.arange(wiring.begin[p], wiring.end[p])
                assert synapses.first_row[e] <= r < synapses.first_row[e + 1]
                assert (row[part] == r).all()
                assert wiring.delay[p] == synapses.delay[r]
                if synapses.spread[r] < 0:
                    assert wiring.mine[synapses.target[part]].all()
                    homes = np.searchsorted(of.cuts, synapses.target[part], side="right")
                    assert len(set(homes)) == 1
                own += part[wiring.mine[synapses.target[part]]].tolist()
        assert own == sorted(own)
        own = np.array(own, np.int64)
        common = shared[synapses.target[own]]
        assert own[common].tolist() == np.flatnonzero(shared[synapses.target]).tolist()
        seen += own[~common].tolist()
    assert sorted(seen) == np.flatnonzero(~shared[synapses.target]).tolist()


def test_shards_get_equal_work_and_little_work_is_not_shared():
    setup = laid_out(es.compile(brunel(2000), seed=1), 20.0)[0]
    of = deal(setup, 4, 1.5, 1000.0, nobodys(setup))
    assert np.bincount(of.owner, minlength=4) == pytest.approx(500, abs=200)  # who has no stream has more neurons
    exc = of.owner[:1600]
    assert (np.diff(exc) >= 0).all()
    assert len(set(exc)) == len(set(of.owner[1600:])) == 4
    little = laid_out(es.compile(brunel(20), seed=1), 20.0)[0]
    assert deal(little, 4, 0.1, 1000.0, nobodys(little)).shards == 1


def test_everybodys_pieces_end_where_streams_do_and_none_is_most_of_the_work():
    g = nx.MultiDiGraph()
    for name, size in (("exc", 10_000), ("inh", 2500)):
        g.add_node(name, model="lif", size=size, v_rest=0.0, v_reset=0.0, v_thresh=10.0)
        g.add_node(f"to {name}", model="poisson", size=size, rate=1000.0)
        g.add_edge(f"to {name}", name, rule="one_to_one", weight=1.0, delay=1.5)
    setup = laid_out(es.compile(g, seed=1), 20.0)[0]
    for threads, cuts in ((2, [0, 4096, 8192, 10_000, 12_500]),
                          (3, [0, 2048, 4096, 6144, 8192, 10_000, 12_500])):     # a block is 4096 sources
        of = deal(setup, threads, 1.5, 0.0, plan(setup, 1.5))
        assert (of.owner == EVERYBODY).all()
        assert of.cuts.tolist() == cuts


# ---------------------------------------------------------------------------------------------------- manners
def test_ctrl_c_stops_all_shards_at_one_time():
    network = es.compile(brunel(200), seed=1)

    def stop(t, until):
        if t > 50.0:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    part = run(network, 1e6, {"exc": ["v"]}, 1000.0, threads=3, progress=stop)
    assert part.interrupted
    assert 50.0 < part.until < 1e6
    whole = run(network, part.until)
    assert part.spikes == whole.spikes
    assert {**part.counters} == {**whole.counters}


def test_a_neuron_that_fires_endlessly_is_named_alike():
    g = nx.DiGraph()
    g.add_node("good", model="lif", size=5)
    g.add_node(
        "bad",
        model="lif",
        size=6,
        v_rest=0.0,
        v_thresh=1e-9,
        v_reset=0.0,
        tau_refrac=0.0,
        i_offset=[0.0] * 4 + [1e6] * 2,
    )
    words = []
    for threads in (1, 3):
        with pytest.raises(es.Mistake) as caught:
            run(es.compile(g), 5.0, threads=threads)
        words.append(str(caught.value))
    assert "'bad', neuron 4" in words[0]
    assert words[0] == words[1]


def test_an_error_in_one_shard_surfaces_and_nobody_waits_for_ever():
    setup = laid_out(es.compile(brunel(20), seed=1), 20.0)[0]
    setup.streams.of.emitter[0] = 10_000  # only the shard of that stream will stumble
    with pytest.raises(IndexError):
        engine.run(setup, False, threads=3, worth=0.0)
    assert threading.active_count() == 1


@pytest.mark.skipif(not JITTED, reason="NUMBA_DISABLE_JIT is set: there is nothing to compile")
def test_compiled_shards_leave_a_meeting_that_was_broken_off():
    from eventsnn.kernel.atomic import meet

    post, answers = mail.mail(3, 1, True), []
    compiled = link(meet)

    def wait():
        answers.append(compiled(post, 0, 1))

    def stumble():
        time.sleep(0.1)
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"), ThreadPoolExecutor() as crew:
        together([wait, wait, stumble], lambda: mail.break_off(post), crew)
    assert answers == [False, False]


# ---------------------------------------------------------------------------------------------------- quiet time
@settings(max_examples=EXAMPLES, **PATIENT)
@given(
    st.lists(st.floats(0.0, 60.0), max_size=6),
    st.sampled_from([0.01, 0.5, 3.0]),
    st.floats(0.0, 30.0),
    st.floats(0.0, 100.0),
)
def test_the_calendar_knows_a_time_before_which_nothing_is_due(delays, width, start, ahead):
    book = calendar(width, 3.0)
    n = len(delays)
    book = reserve(book, n)
    for k in range(n):
        enter(book, delays[k], k, 0.0, 0)
    collect(book, 0.0, start, nothing())
    if len(book.slots) * width > start:  # else a real run would have taken more often
        left = min((d for d in delays if d >= start), default=math.inf)
        assert start <= next_due(book, start, start + ahead) <= min(left, start + ahead)


@pytest.mark.parametrize("threads", [1, 2])
def test_quiet_time_costs_nothing(threads):
    """1e11 windows of a delay of 1e-6 ms, all but a few skipped: the test ends."""
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=2, v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_m=20.0)
    g.add_node("in", model="spikes", times=[1.0, 5e4, 99_999.0])
    g.add_edge("in", "n", weight=2.0, delay=1e-6)
    g.add_edge("n", "n", rule="all_to_all", weight=0.25, delay=700.0)
    result = run(es.compile(g), 1e5, {"n": ["v"]}, 1e4, threads=threads)
    assert len(result.spikes) == 6


def test_a_run_of_no_time_is_empty_on_any_number_of_threads():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[1.0])
    g.add_node("x", model="lif", size=2)
    g.add_edge("in", "x", rule="all_to_all", weight=1.0, delay=1.0)
    assert len(es.simulate(es.compile(g), 0.0, backend="python", threads=2).spikes) == 0
