"""Little runs in plain Python: the same bits without a compiler, and never for long."""

import os
import signal
import subprocess
import sys

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks
from test_equivalence import everything, same
from test_threads import PATIENT, laid_out

import eventsnn as es
from eventsnn.kernel import brief


@pytest.fixture
def allowed(monkeypatch):
    monkeypatch.setattr(brief, "allowance", [3000])
    return brief.allowance


def one(size=1, **attributes):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=size, i_offset=3.0, v_rest=0.0, v_reset=0.0, v_thresh=10.0, **attributes)
    return g


def test_a_little_run_imports_no_compiler(tmp_path):
    code = "import sys, networkx as nx, eventsnn as es\n" \
           "g = nx.DiGraph(); g.add_node('n', model='lif', i_offset=2.0)\n" \
           "r = es.simulate(es.compile(g), 100.0, record={'n': ['v']})\n" \
           "print(len(r.spikes), r.provenance['backend'], sorted({'numba', 'scipy', 'numpy.ma'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)})
    assert done.stdout == "10 python []\n"
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, **PATIENT)
@given(networks(), st.integers(0, 3))
def test_no_bit_depends_on_it(graph, seed):
    brief.allowance, usual = [3000], brief.allowance
    try:
        network = es.compile(graph, seed=seed)
        how = {"record": everything(network), "record_at": 0.75}
        auto = es.simulate(network, 15.0, **how)
        compiled = es.simulate(network, 15.0, backend="compiled", **how)
        assert auto.provenance["backend"] in ("python", "compiled")
        assert compiled.provenance["backend"] == "compiled"
        same(auto, compiled)
    finally:
        brief.allowance = usual


def test_a_run_that_turns_out_larger_is_compiled_and_delivers_each_spike_once(allowed, tmp_path):
    g = one(20, tau_refrac=0.0)
    g.add_edge("n", "n", rule="fixed_indegree", indegree=2, weight=0.1, delay=1.0)
    network = es.compile(g)
    result = es.simulate(network, 200.0, out=tmp_path)
    assert result.provenance["backend"] == es.Result.load(tmp_path).provenance["backend"] == "compiled"
    assert result.spikes == es.simulate(network, 200.0, backend="simpy").spikes
    assert allowed == [3000 - brief.MOST]


def test_many_little_runs_come_to_be_compiled(allowed):
    network = es.compile(one())
    backends = [es.simulate(network, 50.0).provenance["backend"] for _ in range(200)]
    assert backends[0] == "python"
    assert backends[-1] == "compiled"
    assert backends == sorted(backends, reverse=True)  # one change, for good


@pytest.mark.parametrize("change", ["neurons", "samples", "sources", "ode", "trains", "synapses"])
def test_what_is_known_to_be_large_is_not_even_begun(allowed, change):
    g = one(5000 if change == "neurons" else 1)
    if change == "ode":
        g.add_node("m", model="izhikevich")
    if change == "sources":
        g.add_node("p", model="poisson", size=100, rate=2000.0)
    if change == "synapses":
        g.add_node("m", model="lif", size=40)
        g.add_edge("m", "m", rule="all_to_all", weight=0.1, delay=1.0)
    if change == "trains":
        g.add_node("s", model="spikes", times=[k / 100 for k in range(1, 2000)])
    setup, *_ = laid_out(es.compile(g), 50.0, {"n": ["v"]} if change == "samples" else None, 0.01)
    assert brief.brief(setup) is None
    assert allowed == [3000]


def test_whoever_names_a_backend_gets_it(allowed):
    network = es.compile(one())
    for backend in ("compiled", "python", "simpy"):
        assert es.simulate(network, 5.0, backend=backend).provenance["backend"] == backend
    assert allowed == [3000]


def test_ctrl_c_during_a_little_run_is_not_lost(allowed, monkeypatch):
    network = es.compile(one())
    usual = brief.run

    def interrupted(setup, *words, **how):
        def sink(*spikes):
            setup.sink(*spikes)
            os.kill(os.getpid(), signal.SIGINT)

        return usual(setup._replace(sink=sink), *words, **{**how, "most": 1})

    monkeypatch.setattr(brief, "run", interrupted)
    result = es.simulate(network, 500.0)
    assert result.interrupted
    assert 0.0 < result.until < 500.0
