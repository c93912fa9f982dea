"""The specialised kernels are the law: compiled, in plain Python, in any number of shards, windows, pieces and batches,
they equal the SimPy specification by ==."""

import contextlib
import math
import os
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from strategies import driven, lif_moving
from test_equivalence import same
from test_threads import laid_out, run

import eventsnn as es
from eventsnn.kernel.quick import plan

EXAMPLES = int(os.environ.get("EVENTSNN_EXAMPLES", "250"))
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
CELL = {"model": "lif", "tau_m": 10.0, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 20.0, "tau_refrac": 2.0}
TIES = 2.0**40       # ms: from here on, time goes by 2^-12 ms, and Poisson sources meet all the time


@contextlib.contextmanager
def smaller(block=4, piece=3, batch=4):
    """Blocks of sources, pieces of populations and batches of events, so that little networks have many of each."""
    with mock.patch("eventsnn.streams.BLOCK", block), mock.patch("eventsnn.synapses.PIECE", piece), \
            mock.patch("eventsnn.synapses.SHORT", 0), mock.patch("eventsnn.kernel.quick.BATCH", batch), \
            mock.patch("eventsnn.kernel.quick.FEW", batch):
        yield


def neurons(network):
    """All variables of all neurons: to listen to a source would keep its stream from being direct."""
    return {p.name: sorted({v.rstrip("0123456789") for v in p.variables})
            for p in network.populations if p.kind == "neuron"}


def whole(network, until=15.0):
    """All neurons and all streams go to the specialised kernels."""
    chosen = plan(laid_out(network, until)[0], min(network.min_delay, until / 64.0))
    assert (chosen.group >= 0).all()
    assert chosen.stream.all()


def agree(network, until=15.0, record=None, record_at=0.25, threads=(2, 3, 4), python=True):
    """The specification's result, once all others have turned out to be the same."""
    expected = es.simulate(network, until, backend="simpy", record=record, record_at=record_at)
    for backend in ("compiled", "python") if python else ("compiled",):
        same(expected, es.simulate(network, until, backend=backend, record=record, record_at=record_at))
    for n, part, room in zip(threads, (1.0, 0.5, 1 / math.pi), (100, 1, 100), strict=False):
        same(expected, run(network, until, record, record_at, threads=n, window=part * network.min_delay, room=room))
    return expected


def describe(graph):
    return "\n".join(map(str, [*graph.nodes(data=True), *graph.edges(data=True)]))


@pytest.mark.parametrize("kind", ["resting", "moving"])
def test_random_networks_agree_with_the_specification(kind):
    @settings(max_examples=max(EXAMPLES // (2 if kind == "resting" else 4), 5), **PATIENT)
    @given(driven() if kind == "resting" else driven(lif_moving), st.booleans(), st.booleans(), st.sampled_from([4, 64]))
    def check(graph, recorded, cut, batch):
        note(describe(graph))
        with smaller(*((4, 3) if cut else (4096, 1 << 16)), batch):
            network = es.compile(graph, seed=1)
            agree(network, record=neurons(network) if recorded else None)

    check()
