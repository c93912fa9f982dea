"""The fabric against queueing theory, against flight times told by hand, and against the emulator."""

import networkx as nx
import numpy as np
import pytest
import simpy
import vectors as chosen
from eventsnn.exporters import quantise

from eventsnn import fabric
from eventsnn.errors import Mistake
from eventsnn.fabric import Fabric
from eventsnn.graph import compile
from eventsnn.placement import mesh, parted, place, seats
from eventsnn.simulate import simulate
from eventsnn.stations import Station, Word, summary


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """The emulator runs as plain Python: no kernel is compiled for a few spikes."""
    monkeypatch.setattr(fabric, "simulate", lambda *words, **how: simulate(*words, **how | {"backend": "python"}))


# ---------------------------------------------------------------------------------------------------- stations
def queue(load, n=20_000, **options):
    """One station with words at random times (Poisson) and a service of one cycle each."""
    env, rng = simpy.Environment(), np.random.default_rng(7)
    station = Station(env, "s", lambda word: 1.0, lambda word: None, **options)

    def arrivals():
        for k, gap in enumerate(rng.exponential(1.0 / load, n)):
            yield env.timeout(gap)
            env.process(station.offer(Word(0, 0, env.now, k)))

    env.process(arrivals())
    env.run()
    return summary(station, env.now)


@pytest.mark.parametrize("load", [0.2, 0.5, 0.8])
def test_waiting_is_what_the_theory_of_m_d_1_says(load):
    told = queue(load)
    assert told.wait == pytest.approx(load / (2 * (1 - load)), rel=0.06)          # Pollaczek & Khinchine
    assert told.utilisation == pytest.approx(load, rel=0.02)
    empty = told.lengths[0] / told.words                          # nobody queues: at most one word is there
    assert empty == pytest.approx((1 - load) * np.exp(load), rel=0.04)


def test_littles_law_holds_to_the_last_digit():
    told = queue(0.7, 3000)
    assert told.present == pytest.approx(told.words * told.stay / (told.words * told.stay / told.present), rel=1e-12)
    env = simpy.Environment()
    station = Station(env, "s", lambda word: 2.0, lambda word: None)
    for k in range(4):
        env.process(station.offer(Word(0, 0, 0.0, k)))
    env.run()
    assert station.waits == [0.0, 2.0, 4.0, 6.0]
    assert sum(station.stays) == station.area + station.present * (env.now - station.since) == 20.0


@pytest.mark.parametrize(("policy", "served"), [("drop-new", [0, 1, 2]), ("drop-old", [0, 3, 4]),
                                                ("block", [0, 1, 2, 3, 4])])
def test_a_full_queue_drops_or_blocks_as_it_is_told(policy, served):
    env, seen = simpy.Environment(), []
    station = Station(env, "s", lambda word: 1.0, lambda word: seen.append(word.serial), 2, policy)

    def arrivals():
        yield env.timeout(1.0)
        yield from station.offer(Word(0, 0, env.now, 0))
        yield env.timeout(0.1)
        for k in range(1, 5):
            env.process(station.offer(Word(0, 0, env.now, k)))

    env.process(arrivals())
    env.run()
    assert seen == served
    assert station.dropped == 5 - len(served)
    assert station.present == 0


# ---------------------------------------------------------------------------------------------------- flight
def relay(n=4, delay=5.0, tick=0.5):
    """Neuron 0 spikes at 1 ms and reaches all others."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[0.5])
    g.add_node("n", model="lif", size=n, v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_m=10.0)
    g.add_edge("in", "n", rule="pairs", source=[0], target=[0], weight=11.0, delay=0.5)
    g.add_edge("n", "n", rule="pairs", source=[0] * (n - 1), target=list(range(1, n)), weight=11.0, delay=delay)
    return quantise(compile(g), tick=tick)


def test_without_load_the_latency_is_the_time_of_flight():
    """A row of four cores: port 1, then 4 cycles a link, and 4 + 1 cycles at each core."""
    network, f = relay(), Fabric(cores=4, topology="mesh", clock=1.0)
    core = np.array([0, 0, 1, 2, 3])
    ran = fabric.run(network, f, 10.0, core=core)
    distance = [abs(x - seats(4)[0][0]) + abs(y - seats(4)[0][1]) for x, y in seats(4)[1:]]
    assert sorted(ran.latency) == sorted(1.0 + 4.0 * d + 5.0 for d in distance)
    assert (ran.words, ran.copies, ran.late, ran.inversions, ran.stuck) == (1, 3, 0, 0, 0)
    bus = fabric.run(network, Fabric(cores=4, topology="bus", clock=1.0), 10.0, core=core)
    assert bus.latency.tolist() == [1.0 + 4.0 + 5.0] * 3
    alone = fabric.run(network, Fabric(cores=1, clock=1.0), 10.0)
    assert alone.latency.tolist() == [1.0 + 4.0 + 3.0]


def test_multicast_sends_one_copy_down_each_link_and_counts_routing_entries():
    tree = fabric.ways((0, 0), [(2, 0), (2, 1), (0, 1)])
    assert tree == {(0, 0): [(1, 0), (0, 1)], (1, 0): [(2, 0)], (2, 0): [(2, 1)]}
    assert fabric.turning(tree) == {(0, 0), (2, 0)}


def test_what_comes_too_late_acts_at_the_next_tick_and_changes_the_result():
    network = relay(delay=0.5)
    emulated = simulate(network, 10.0, backend="python").spikes
    core = np.array([0, 0, 1, 1, 1])
    due = 1 + 4 + 4 + 3                                           # cycles until the other core has served it
    for clock, late in ((due / 0.5 / 1e3, 0), ((due - 1) / 0.5 / 1e3, 3)):
        ran = fabric.run(network, Fabric(cores=2, clock=clock), 10.0, core=core)
        assert ran.late == late
        assert (ran.spikes == emulated) == (late == 0)
    assert ran.lateness.tolist() == [1, 1, 1]
    assert [round(t / 0.5) for t in ran.spikes.time] == [2, 4, 4, 4]
    replayed = fabric.run(network, Fabric(cores=2, clock=clock), 10.0, core=core, closed=False)
    assert replayed.late == 3
    assert replayed.spikes == emulated


def test_a_ticks_end_takes_its_time_before_spikes_leave():
    """The first core ends 20 ticks, at tick 0 with its one neuron and at tick 2 with the neuron that was reached."""
    network, f = relay(), Fabric(cores=4, clock=1.0, tick_cycles=16.0, sweep_cycles=40.0, visit_cycles=1.5)
    core = np.array([0, 0, 1, 2, 3])
    ran = fabric.run(network, f, 10.0, core=core)
    free = fabric.run(network, Fabric(cores=4, clock=1.0), 10.0, core=core)
    assert sorted(ran.latency) == [57.5 + cycles for cycles in sorted(free.latency)]
    assert (ran.late, ran.stuck) == (0, 0)
    told = ran.stations["sweep 0"]
    assert told.words == 20
    assert told.utilisation == pytest.approx((20 * 16.0 + 2 * 41.5) / ran.cycles)
    assert free.utilisation("sweep") == 0.0


def test_a_core_whose_ticks_end_too_slowly_falls_behind():
    """At 0.05 MHz a tick has 25 cycles: enough for what the synapses take, not for a tick's end of 30."""
    network, core = relay(delay=0.5), np.array([0, 0, 1, 1, 1])
    assert fabric.run(network, Fabric(cores=2, clock=0.05), 10.0, core=core).late == 0
    behind = fabric.run(network, Fabric(cores=2, clock=0.05, tick_cycles=30.0), 10.0, core=core)
    assert behind.late == 3
    assert behind.stuck == 0
    assert behind.utilisation("sweep") > 0.9
    assert behind.cycles == 20 * 30.0 > 20 * 25.0


def test_cores_take_what_was_measured_of_a_circuit():
    costs = {"synapse_cycles": 1.02, "word_cycles": 0.5, "tick_cycles": 8.0, "sweep_cycles": 30.0, "visit_cycles": 1.1}
    assert fabric.of(costs, cores=4) == Fabric(cores=4, **costs)
    assert fabric.of({"fmax_mhz": 112.5, "costs": costs, "cells": {}}, topology="bus", tick_cycles=0.0) == Fabric(
        topology="bus", clock=112.5, **costs | {"tick_cycles": 0.0})
    with pytest.raises(Mistake, match="does not tell tick_cycles and sweep_cycles and visit_cycles: give exporters"):
        fabric.of({"synapse_cycles": 1.0, "word_cycles": 0.0})
    assert set(fabric.EVENT_CORE) == set(fabric.COSTS)


# ---------------------------------------------------------------------------------------------------- networks
@pytest.mark.parametrize("topology", ["bus", "mesh"])
@pytest.mark.parametrize("name", ["loops", "many", "wide", "rails_mul", 1, 2, 3])
def test_in_time_the_spikes_are_the_emulators(name, topology):
    network, until = chosen.CORNERS[name]() if isinstance(name, str) else chosen.drawn(name, 2)
    emulated = fabric.emulate(network, until)
    ran = fabric.run(network, Fabric(cores=min(4, network.neurons), topology=topology), until, emulated=emulated)
    assert (ran.late, ran.dropped, ran.stuck) == (0, {}, 0)
    assert ran.spikes == emulated.spikes
    assert len(ran.spikes) > 0


def crowd(n=60):
    g = nx.MultiDiGraph()
    g.add_node("in", model="poisson", size=n, rate=1500.0)
    g.add_node("n", model="lif", size=n, v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_m=10.0, tau_refrac=2.0)
    g.add_edge("in", "n", rule="one_to_one", weight=2.0, delay=0.1)
    g.add_edge("n", "n", rule="fixed_indegree", indegree=20, weight=0.3, delay=0.3)
    return quantise(compile(g, seed=2), tick=0.1)


def test_a_slower_clock_makes_it_late_and_then_wrong_and_every_word_is_accounted_for():
    network = crowd()
    found = list(fabric.slowed(network, Fabric(cores=4), 20.0, [20.0, 0.1, 0.03]))
    assert [equal for _, _, equal in found] == [True, False, False]
    assert found[0][1].late == 0 < found[1][1].late
    assert found[1][1].lateness.mean() < found[2][1].lateness.mean()
    for _, ran, _ in found:
        assert ran.stuck == 0
        assert ran.copies == sum(t.words for name, t in ran.stations.items() if name.startswith("core"))
        for told in ran.stations.values():
            assert told.present * ran.cycles == pytest.approx(told.words * told.stay, rel=1e-9)        # Little's law
        assert list(ran.percentiles().values()) == sorted(ran.percentiles().values())
        assert max(t.utilisation for t in ran.stations.values()) <= 1.0


@pytest.mark.parametrize("policy", ["drop-new", "drop-old"])
def test_short_queues_drop_words_and_say_which_station_did(policy):
    network = crowd()
    ran = fabric.run(network, Fabric(cores=4, clock=2.0, queue=2, policy=policy), 20.0)
    assert set(ran.dropped) == {"core"}
    assert ran.dropped["core"] > 0
    whole = fabric.run(network, Fabric(cores=4, clock=2.0, queue=2), 20.0)
    assert whole.dropped == {}
    assert whole.percentiles()[99.0] > ran.percentiles()[99.0]
    assert max(t.stalled for t in whole.stations.values()) > 0.0
    assert all(max(t.lengths, default=0) <= 2 for name, t in whole.stations.items() if name.startswith("core"))


def test_younger_words_overtake_older_ones_and_are_counted():
    network = crowd()
    assert fabric.run(network, Fabric(cores=4, topology="bus", clock=2.0, hop_cycles=30.0), 20.0).inversions > 0


# ---------------------------------------------------------------------------------------------------- placement
def test_neurons_that_have_synapses_in_common_share_a_core():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=2, times=[[], []])
    g.add_node("n", model="lif", size=32)
    halves = [[j for j in range(32) if j // 2 % 2 == k] for k in (0, 1)]
    for k, half in enumerate(halves):
        pairs = [(a, b) for a in half for b in half]
        g.add_edge("n", "n", rule="pairs", source=[a for a, _ in pairs], target=[b for _, b in pairs], weight=0.1,
                   delay=1.0)
        g.add_edge("in", "n", rule="pairs", source=[k] * 16, target=half, weight=0.1, delay=1.0)
    network = quantise(compile(g))
    core = place(network, 2)
    mine, others = ({int(core[2 + j]) for j in half} for half in halves)
    assert (len(mine), len(others), mine & others) == (1, 1, set())
    assert ({int(core[0])}, {int(core[1])}) == (mine, others)


def test_cores_sit_on_the_squarest_mesh_each_on_its_own_seat():
    assert [mesh(n) for n in (1, 2, 12, 16, 7)] == [(1, 1), (2, 1), (4, 3), (4, 4), (7, 1)]
    for n in (1, 2, 7, 12, 16, 64):
        width, height = mesh(n)
        assert sorted(seats(n)) == [(x, y) for x in range(width) for y in range(height)]
    assert [len(part) for part in parted(nx.complete_graph(10), range(10), 3, 0)] == [3, 4, 3]


@pytest.mark.parametrize(("wrong", "text"), [
    ({"topology": "ring"}, "there is no topology 'ring'"), ({"policy": "blok"}, "did you mean 'block'"),
    ({"queue": 0}, "queue is 0"), ({"clock": 0.0}, "clock is 0"),
])
def test_a_fabric_that_cannot_be_is_a_mistake(wrong, text):
    with pytest.raises(Mistake, match=text):
        Fabric(**wrong)


def test_floats_and_wrong_places_are_mistakes():
    network = relay()
    with pytest.raises(Mistake, match="quantise"):
        fabric.run(compile(network.graph), Fabric(), 1.0)
    with pytest.raises(Mistake, match="16 cores for 4 neurons"):
        fabric.run(network, Fabric(), 1.0)
    with pytest.raises(Mistake, match="one for each emitter"):
        fabric.run(network, Fabric(cores=2), 1.0, core=[0, 1, 2, 0, 0])
