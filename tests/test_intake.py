"""Runs onto disk: equal to runs in memory, in little memory, and readable whatever ended them."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from importlib import import_module

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks
from test_threads import PATIENT, laid_out

import eventsnn as es
from eventsnn.intake import Held, Intake
from eventsnn.kernel import engine
from eventsnn.spikefile import Appender
from eventsnn.spikes import sort

sim = import_module("eventsnn.simulate")  # its name is also the function's


def firing(size=20, gap=1.0):
    """Neurons that fire every `gap` ms or so, listened to by nobody."""
    g = nx.MultiDiGraph()
    g.add_node("a b, c", model="lif", size=size, tau_m=10.0, v_rest=0.0, v_reset=0.0, v_thresh=1.0,
               i_offset={"uniform": [0.9 / gap, 1.1 / gap]}, v_init={"uniform": [0.0, 1.0]})
    g.add_node(7, model="lif", i_offset=2.0)
    g.add_node("in", model="poisson", size=3, rate=500.0)
    g.add_edge("in", 7, weight=0.5, delay=1.5)
    return g


@settings(max_examples=40, **PATIENT)
@given(networks(), st.integers(1, 3))
def test_what_an_engine_delivers_later_is_later_in_time(graph, threads):
    """The claim that sorting each delivery by itself rests on."""
    network = es.compile(graph, seed=1)
    sources = {p.name: ["spikes"] for p in network.populations if p.kind == "source"}
    setup, *_ = laid_out(network, 15.0, sources)
    deliveries = []

    def watched(t, e, reached):
        deliveries.append((t.copy(), reached))
        setup.sink(t, e, reached)

    pause, engine.PAUSE = engine.PAUSE, 0.0  # return as often as can be
    try:
        outcome = engine.run(setup._replace(sink=watched), False, threads=threads, worth=0.0)
    finally:
        engine.PAUSE = pause
    start = 0.0
    for t, reached in deliveries:
        assert np.all((t >= start) & (t < reached))
        start = reached
    assert start == outcome.reached
    spikes, others = setup.sink.spikes(outcome.reached)
    for found in (spikes, *others.values()):
        assert found == es.Spikes.make(found.time, found.neuron, found.populations)
    assert spikes == es.simulate(network, 15.0, backend="python").spikes


@pytest.mark.parametrize("options", [{"backend": "compiled"}, {"backend": "compiled", "threads": 2},
                                     {"backend": "python"}, {"backend": "simpy"}])
def test_a_run_onto_disk_equals_one_in_memory(tmp_path, options):
    network = es.compile(firing(), seed=2)
    how = {"record": {"in": ["spikes"], 7: ["v"]}, **options}
    memory, disk = es.simulate(network, 100.0, **how), es.simulate(network, 100.0, out=tmp_path, **how)
    for result in (disk, es.Result.load(tmp_path)):
        assert result.spikes == memory.spikes
        assert result.sources == memory.sources
        assert result.counters == memory.counters
        assert result.provenance == memory.provenance
        assert result.recorded[7]["v"].tobytes() == memory.recorded[7]["v"].tobytes()
        assert not result.interrupted
        assert isinstance(result.spikes.time.base, np.ndarray)  # mapped, not read
    assert len(memory.spikes) > 1000
    assert {path.name for path in tmp_path.iterdir()} == {"spikes.npy", "source_0.npy", "recorded.npz", "result.json"}
    plain = np.load(tmp_path / "spikes.npy", mmap_mode="r")  # numpy's own format
    assert np.array_equal(plain["time_ms"], memory.spikes.time)


def test_a_second_run_replaces_the_first_and_who_has_mapped_that_keeps_it(tmp_path):
    network = es.compile(firing(), seed=2)
    first = es.simulate(network, 50.0, out=tmp_path, record={"in": ["spikes"]})
    copy = es.simulate(network, 50.0)
    es.simulate(network, 5.0, out=tmp_path)
    assert first.spikes == copy.spikes
    assert {path.name for path in tmp_path.iterdir()} == {"spikes.npy", "result.json"}
    assert es.Result.load(tmp_path).until == 5.0


def peak(act):
    tracemalloc.start()
    act()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_on_disk_no_memory_grows_with_the_number_of_spikes(tmp_path, monkeypatch):
    monkeypatch.setattr("eventsnn.spikefile.CHUNK", 2000)
    network = es.compile(firing(1000))
    each = np.sort(np.random.default_rng(1).random(2000))
    whose = np.arange(2000) % 1000

    def run(deliveries, out):
        intake = Intake(network, (), out, {"network": network.digest})
        for k in range(deliveries):
            intake(k + each, whose, k + 1.0)
        spikes, _ = intake.spikes(float(deliveries))
        assert len(spikes) == deliveries * 2000
        result = es.Result(spikes, {}, np.empty(0), {}, {}, {"until": float(deliveries)})
        if out:
            result.summary()
            result.spikes.save(out / "spikes.csv")

    run(1, tmp_path / "once")  # imports what it needs
    few, many = (peak(lambda n=n: run(n, tmp_path / str(n))) for n in (10, 100))
    assert many < 1.1 * few + 50_000
    assert peak(lambda: run(100, None)) > 6e6 > 3 * many  # in memory, by contrast


SLOW = """
import sys, json, time
import networkx as nx, eventsnn as es
network = es.compile(es.load(sys.argv[1]), seed=2)
es.simulate(network, 1e7, out=sys.argv[2], record={"in": ["spikes"]}, backend="python")
"""


def expected(result):
    """The same run up to where that one came, in memory."""
    network = es.compile(firing(), seed=2)
    return es.simulate(network, result.until, record={"in": ["spikes"]})


def test_a_killed_run_leaves_what_it_had_delivered(tmp_path):
    es.save(firing(), tmp_path / "net.json")
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "net.json"), str(tmp_path / "a")])
    end = time.monotonic() + 60
    counted = 0
    while counted < 3000 and time.monotonic() < end:
        time.sleep(0.02)
        if (tmp_path / "a" / "result.json").exists():
            running = es.Result.load(tmp_path / "a")  # one may look while it runs
            counted = len(running.spikes)
            assert running.interrupted
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    result = es.Result.load(tmp_path / "a")
    assert result.interrupted
    assert len(result.spikes) == result.counters["spikes"] >= 3000
    whole = expected(result)
    assert result.spikes == whole.spikes
    assert result.sources == whole.sources
    with open(tmp_path / "a" / "spikes.npy", "ab") as file:  # killed in the middle of a write: nobody counts that
        file.write(b"torn")
    assert es.Result.load(tmp_path / "a").spikes == result.spikes


def test_a_full_disk_is_a_mistake_and_leaves_what_there_was_room_for(tmp_path):
    es.save(firing(), tmp_path / "net.json")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n" + SLOW
    done = subprocess.run([sys.executable, "-c", limited, str(tmp_path / "net.json"), str(tmp_path / "a")],
                          capture_output=True, text=True)
    assert "Mistake: cannot write" in done.stderr
    assert "spikes.npy" in done.stderr
    result = es.Result.load(tmp_path / "a")
    assert result.interrupted
    assert len(result.spikes) > 3000
    assert result.spikes == expected(result).spikes


def test_an_interrupt_between_a_delivery_and_its_end_is_cut_off():
    network = es.compile(firing())
    intake = Intake(network)
    intake(np.array([0.5, 0.25]), np.array([1, 2]), 1.0)
    intake(np.array([1.5]), np.array([0]), 2.0)
    spikes, _ = intake.spikes(1.0)
    assert (spikes.time.tolist(), spikes.neuron.tolist()) == ([0.25, 0.5], [2, 1])


def test_what_cannot_fit_is_refused_before_the_run(monkeypatch, tmp_path):
    network = es.compile(firing())
    monkeypatch.setattr(sim, "available", lambda: 1e6)
    with pytest.raises(es.Mistake, match=r"record: .* 1\.6 MB, and there are 1 MB.*longer record_at"):
        es.simulate(network, 1e4, record={"a b, c": ["v"]}, out=tmp_path / "a")
    with pytest.raises(es.Mistake, match=r"record: 1e.09 samples"):
        es.simulate(network, 1e4, record={7: ["v"]}, record_at=1e-5)
    assert not (tmp_path / "a").exists()
    assert len(es.simulate(network, 10.0, record={"a b, c": ["v"]}).recorded_at) == 10
    monkeypatch.setattr("eventsnn.intake.available", lambda: 1e6)
    held = Held()
    with pytest.raises(es.Mistake, match=r"2,000,000 spikes fill the memory: .*out=FOLDER"):
        held.add(np.zeros(2_000_000), np.zeros(2_000_000, np.int64))


def test_damage_and_places_that_cannot_be_written_are_named(tmp_path):
    network = es.compile(firing())
    (tmp_path / "file").write_text("")
    with pytest.raises(es.Mistake, match=r"cannot write .*file"):
        es.simulate(network, 5.0, out=tmp_path / "file")
    es.simulate(network, 50.0, out=tmp_path / "a")
    with open(tmp_path / "a" / "spikes.npy", "r+b") as file:
        file.truncate(500)
    with pytest.raises(es.Mistake, match=r"spikes\.npy is no spike file"):
        es.Result.load(tmp_path / "a")
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(es.Mistake, match=r"b\.npy is no spike file.*float64"):
        es.Spikes.load(tmp_path / "b.npy")


def test_a_file_may_be_read_after_each_append(tmp_path):
    file = Appender(tmp_path / "s.npy")
    assert len(np.load(tmp_path / "s.npy")) == 0
    for k in range(12):
        file.add(np.array([float(k)]), np.array([k]))
        assert np.load(tmp_path / "s.npy")["neuron"].tolist() == list(range(k + 1))
    told = json.loads(json.dumps(es.Spikes.load(tmp_path / "s.npy", n=5).time.tolist()))
    assert told == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("instants", [1, 3, 40, 10_000])
def test_a_delivery_is_sorted_by_time_then_neuron_however_many_fire_at_one_instant(instants):
    rng = np.random.default_rng(instants)
    time, neuron = rng.integers(0, instants, 500) / 7.0, rng.integers(0, 30, 500)
    order = np.lexsort((neuron, time))
    when, who = sort(time, neuron)
    assert (when == time[order]).all()
    assert (who == neuron[order]).all()
