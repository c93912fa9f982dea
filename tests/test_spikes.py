"""Spikes and Results: canonical order, bitwise equality, files that load back equal and are never half written."""

import csv
import json

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventsnn as es
from eventsnn import Mistake, Spikes
from eventsnn.files import atomic

LABELS = (("exc", 0, 3), (7, 3, 2))


def some():
    return Spikes.make([2.0, 0.1 + 0.2, 2.0, 1 / 3], [4, 0, 1, 3], LABELS)


def test_order_is_by_time_then_neuron():
    assert some().neuron.tolist() == [0, 3, 1, 4]


def test_equality_is_bitwise():
    assert some() == some()
    assert some() != Spikes.make([2.0, 0.3, 2.0, 1 / 3], [4, 0, 1, 3], LABELS)  # 0.1 + 0.2 is not 0.3
    assert some() != Spikes.make(some().time, some().neuron)


def test_of_gives_indices_within_the_population():
    assert some().of(7).neuron.tolist() == [0, 1]
    assert some().of("exc").time.tolist() == [0.1 + 0.2, 2.0]
    with pytest.raises(Mistake, match="did you mean 'exc'"):
        some().of("exz")


def test_trains_are_one_ascending_array_per_neuron():
    assert [t.tolist() for t in some().trains()] == [[0.1 + 0.2], [2.0], [], [1 / 3], [2.0]]


@pytest.mark.parametrize("suffix", ["npz", "npy", "csv"])
@given(times=st.lists(st.floats(0.0, 1e9), max_size=9), data=st.data())
def test_files_load_back_equal(tmp_path_factory, suffix, times, data):
    neurons = data.draw(st.lists(st.integers(0, 4), min_size=len(times), max_size=len(times)))
    spikes = Spikes.make(times, neurons, LABELS)
    path = tmp_path_factory.mktemp("s") / f"spikes.{suffix}"
    spikes.save(path)
    assert Spikes.load(path, None if suffix == "npz" else LABELS) == spikes


def test_csv_says_time_population_and_neuron(tmp_path):
    some().save(tmp_path / "s.csv")
    rows = list(csv.reader((tmp_path / "s.csv").read_text().splitlines()))
    assert rows[0] == ["time_ms", "population", "neuron"]
    assert rows[1] == ["0.30000000000000004", "exc", "0"]
    assert rows[2][1:] == ["7", "0"]


@pytest.mark.parametrize("text", ["", "time_ms,population\n1,a\n", "time_ms,population,neuron\nx,a,0\n"])
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "s.csv"
    path.write_text(text)
    if text:
        with pytest.raises(Mistake, match=r"s\.csv"):
            Spikes.load(path)
    (tmp_path / "s.npz").write_bytes(b"PK" + text.encode())
    with pytest.raises(Mistake, match=r"s\.npz"):
        Spikes.load(tmp_path / "s.npz")
    with pytest.raises(Mistake, match=r"none\.npz"):
        Spikes.load(tmp_path / "none.npz")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "f.txt"
    path.write_text("old")

    def fail_half_way():
        with atomic(path) as file:
            file.write("new, but")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(Mistake, match="cannot write"), atomic(path / "below"):
        pass


def test_a_result_writes_its_spikes_counters_and_provenance(tmp_path):
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", size=2, i_offset=2.0)
    g.add_node("quiet", model="lif")
    g.add_node("in", model="poisson", rate=500.0)
    g.add_edge("in", "n", weight=0.1, delay=1.0)
    network = es.compile(g, seed=3)
    result = es.simulate(network, 50.0, record={"n": ["v"], "in": ["spikes"]}, record_at=0.5)
    result.save(tmp_path)
    summary = json.loads((tmp_path / "result.json").read_text())
    assert summary["silent"] == ["quiet"]
    assert summary["counters"]["spikes"] == len(result.spikes) > 0
    assert summary["provenance"]["network"] == network.digest
    assert summary["provenance"]["exactness"] == {"n": "closed form", "quiet": "closed form"}
    assert Spikes.load(tmp_path / "spikes.npy", result.spikes.populations) == result.spikes
    assert Spikes.load(tmp_path / "spikes.csv", result.spikes.populations) == result.spikes
    assert Spikes.load(tmp_path / "source_0.npy", [("in", 0, 1)]) == result.sources["in"]
    with np.load(tmp_path / "recorded.npz") as file:
        assert file["n/v"].tobytes() == result.recorded["n"]["v"].tobytes()
