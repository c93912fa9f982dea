"""The compiled kernels: the cache is warm, never stale and never confused; pauses, Ctrl-C and growth lose nothing."""

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import time

import networkx as nx
import numpy as np
import pytest

import eventsnn as es
from eventsnn.kernel import link as linking
from eventsnn.kernel.calendar import Due, calendar, collect, count, enter, in_order, nothing, reserve, sized
from eventsnn.kernel.link import Bound, link

JITTED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
needs_jit = pytest.mark.skipif(not JITTED, reason="NUMBA_DISABLE_JIT is set: there is nothing to compile")


def module(folder, text):
    """A module of a package called eventsnn_x in a folder of its own."""
    path = folder / "mod.py"
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location("eventsnn.mod_for_test", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@needs_jit
def test_an_edit_of_a_function_that_a_cached_one_calls_is_seen(tmp_path):
    script = textwrap.dedent("""
        import importlib.util, sys
        spec = importlib.util.spec_from_file_location("eventsnn.mod_for_test", sys.argv[1])
        m = sys.modules[spec.name] = importlib.util.module_from_spec(spec); spec.loader.exec_module(m)
        from eventsnn.kernel.link import link
        print(link(m.outer)(1.0))
    """)
    file = tmp_path / "mod.py"

    def run(text):
        file.write_text(text)
        done = subprocess.run(
            [sys.executable, "-c", script, str(file)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        )
        return float(done.stdout)

    text = "def inner(x):\n    return x + 1.0\n\n\ndef outer(x):\n    return inner(x) * 2.0\n"
    assert run(text) == 4.0
    assert run(text) == 4.0
    stamp = file.stat().st_mtime_ns
    edited = text.replace("1.0\n\n\n", "2.0\n\n\n")
    file.write_text(edited)
    os.utime(file, ns=(stamp, stamp))  # even an editor that keeps the time stamp is no way in
    assert run(edited) == 6.0


@needs_jit
def test_two_models_of_one_layout_never_share_code(tmp_path):
    m = module(
        tmp_path,
        """
        def verb(x):
            raise ValueError

        def loop(x):
            return verb(x) + 0.5

        def one(x):
            return 1.0

        def two(x):
            return 2.0
    """,
    )
    assert [link(Bound.to(m.loop, {"verb": v}))(0.0) for v in (m.one, m.two, m.one)] == [1.5, 2.5, 1.5]


def test_another_version_of_the_package_reads_no_index_of_this_one(monkeypatch):
    """The index holds the arguments' classes by name: one that has moved since would end the run in an ImportError."""
    digests = set()
    for version in ("0.1.0", "0.2.0"):
        monkeypatch.setattr(linking, "__version__", version)
        digests.add(linking._digest.__wrapped__(Bound(collect)))
    assert len(digests) == 2


@needs_jit
def test_a_second_process_finds_its_kernels_in_the_cache():
    script = textwrap.dedent("""
        import networkx as nx, eventsnn as es
        from numba.core.event import install_recorder
        g = nx.DiGraph()
        g.add_node("n", model="lif", i_offset=2.0)
        with install_recorder("numba:compile") as compiled:
            es.simulate(es.compile(g), 10.0, backend="compiled")
        print(len(compiled.buffer))
    """)
    for _ in range(2):                                     # what the first compiles, if anything, the second does not
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_the_calendar_returns_every_delivery_once_in_its_window():
    rng = np.random.default_rng(1)
    book = calendar(0.5, 3.0)
    first_row, delay = np.array([0, 1, 3]), np.array([0.5, 0.7, 40.0])  # 40 ms: many laps
    due, got, now = [], [], 0.0
    taken, spare = nothing(), nothing()
    for _ in range(300):
        n = int(rng.integers(0, 30))
        times, emitters = np.sort(now + 0.5 * rng.random(n)), rng.integers(0, 2, n)
        rows = sum(int(first_row[e + 1] - first_row[e]) for e in emitters)
        book = reserve(book, rows)
        for t, e in zip(times, emitters, strict=True):
            for r in range(first_row[e], first_row[e + 1]):
                enter(book, t + delay[r], r, t, 7)
        due += [
            (t + delay[r], r)
            for t, e in zip(times, emitters, strict=True)
            for r in range(first_row[e], first_row[e + 1])
        ]
        n = count(book, now, now + 0.5)
        taken, spare = sized(taken, n), sized(spare, n)
        collect(book, now, now + 0.5, spare)
        assert spare.size[0] == n
        in_order(spare, taken, now, now + 0.5)
        size = taken.size[0]
        assert (taken.synapse[:size] == 7).all()
        got += list(zip(taken.time[:size].tolist(), taken.part[:size].tolist(), strict=True))
        now += 0.5
    expected = sorted((float(t), int(r)) for t, r in due if t < now)
    assert got == expected
    assert book.free[1] == len(book.time) - sum(t >= now for t, _ in due)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 17, 100, 257, 3000])
@pytest.mark.parametrize("times", [10, 1 << 20])
def test_what_is_due_is_sorted_by_time_then_row_then_synapse(n, times):
    """Where many act at one instant, too: then not by slices."""
    rng = np.random.default_rng(n)
    due = Due(rng.integers(0, times, n) * 5 / times, rng.integers(0, 5, n), rng.integers(0, 3, n), np.empty(n),
              np.empty(n, np.int64), np.array([n]))
    order = np.lexsort((due.synapse, due.part, due.time))
    expected = [column[order] for column in due[:3]]
    found = sized(nothing(), n)
    in_order(due, found, 0.0, 5.0)
    assert found.size[0] == n
    for column, want in zip(found[:3], expected, strict=True):
        assert np.array_equal(column[:n], want)


def busy(size=20):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=size, i_offset=3.0, v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_m=5.0)
    g.add_edge("n", "n", rule="fixed_indegree", indegree=5, weight=0.1, delay=1.0)
    return es.compile(g, seed=1)


def test_ctrl_c_leaves_what_was_reached_and_it_is_the_beginning_of_the_whole():
    network = busy()

    def stop(t, until):
        if t > 100.0:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    part = es.simulate(network, 4e3, progress=stop, backend="python", record={"n": ["v"]}, record_at=10.0)
    assert part.interrupted
    assert 100.0 < part.until < 4e3
    whole = es.simulate(network, part.until, backend="python")
    assert part.spikes == whole.spikes
    assert len(part.recorded_at) == np.ceil(part.until / 10.0) == len(part.recorded["n"]["v"])


def test_inputs_replace_trains_without_a_new_compile_and_seeds_govern_the_sources():
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", v_rest=0.0, v_reset=0.0, v_thresh=1.0)
    g.add_node("in", model="spikes", times=[1.0])
    g.add_node("noise", model="poisson", rate=100.0)
    g.add_edge("in", "n", weight=2.0, delay=1.0)
    g.add_edge("noise", "n", weight=0.0, delay=1.0)
    network = es.compile(g, seed=7)
    assert es.simulate(network, 9.0).spikes.time.tolist() == [2.0]
    assert es.simulate(network, 9.0, inputs={"in": [3.0, 5.0]}).spikes.time.tolist() == [4.0, 6.0]
    a, b, c = (es.simulate(network, 500.0, seed=s, record={"noise": ["spikes"]}).sources["noise"] for s in (None, 7, 8))
    assert a == b
    assert a != c
    assert len(a) > 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": -1.0}, ["until", "-1"]),
        ({"until": float("nan")}, ["until"]),
        ({"until": 5.0, "backend": "numba"}, ["backend", "numba"]),
        ({"until": 5.0, "threads": 0}, ["threads"]),
        ({"until": 5.0, "seed": 1.5}, ["seed", "1.5"]),
        ({"until": 5.0, "record": {"m": ["v"]}}, ["'m'"]),
        ({"until": 5.0, "record": {"n": ["w"]}}, ["'w'", "v"]),
        ({"until": 5.0, "record_at": [1.0, 5.0]}, ["record_at", "[0, 5)"]),
        ({"until": 5.0, "record_at": 0.0}, ["record_at"]),
        ({"until": 5.0, "inputs": {"n": [1.0]}}, ["'n'"]),
    ],
)
def test_a_mistaken_argument_is_named(options, words):
    with pytest.raises(es.Mistake) as caught:
        es.simulate(busy(1), **options)
    assert all(word in str(caught.value) for word in words)
