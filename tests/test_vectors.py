"""The stimulus and expected files that hardware targets share."""

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters import export, quantise, vectors
from eventsnn.exporters.fixed.reference import run

from eventsnn.errors import Mistake
from eventsnn.graph import compile


@pytest.fixture(scope="module")
def fixed():
    g = nx.MultiDiGraph()
    g.add_node("first", model="spikes", times=[0.0, 0.5, 30.0, 30.0])
    g.add_node("n", model="lif", size=2, v_thresh=-60.0, v_init=[-65.0, -60.0])
    g.add_node("last", model="spikes", size=2, times=[[], [1.0, 49.9]])
    g.add_edge("first", "n", weight=8.0, delay=0.5)
    g.add_edge("last", "n", rule="one_to_one", weight=8.0, delay=0.5)
    return quantise(compile(g), tick=0.5)


def test_a_vector_is_what_the_reference_says(fixed):
    v = vectors.vector(fixed, 50.0, backend="python")
    trains = {p.emitter + k: t for p in fixed.populations if p.kind == "source"
              for k, t in enumerate(p.params["times"])}
    assert v.ticks == 100
    assert v.expected.tolist() == [list(s) for s in run(fixed, 50.0, trains).spikes]
    assert [0, 1] in v.expected.tolist()
    assert v.stimulus.tolist() == [[0, 2], [1, 2], [2, 4], [60, 2], [60, 2]]      # neurons first; 49.9 rounds beyond
    assert vectors.rows(fixed).tolist() == [1, 2, 0, 3, 4]


def test_words_tell_the_stimulus(fixed):
    v = vectors.vector(fixed, 50.0, backend="python")
    tick, found = -1, []
    for word in vectors.words(v):
        kind, argument = word >> 30, word & vectors.ARGUMENT
        tick += {vectors.EVENT: 0, vectors.END_OF_TICK: 1, vectors.TIME: argument}[kind]
        if kind == vectors.EVENT:
            found.append([tick, argument])
    assert tick == v.ticks
    assert found == v.stimulus.tolist()


def test_files_come_back_and_damage_is_named(fixed, tmp_path):
    v = vectors.vector(fixed, 50.0, backend="python")
    vectors.seal(tmp_path, "c", {"neurons": 2}, vectors.save(v, tmp_path))
    assert vectors.opened(tmp_path, "c")["neurons"] == 2
    assert np.array_equal(vectors.expected(tmp_path), v.expected)
    with pytest.raises(Mistake, match="no verilog export"):
        vectors.opened(tmp_path, "verilog")
    file = tmp_path / vectors.EXPECTED
    file.write_text(file.read_text().replace("0,1", "0,0", 1))
    with pytest.raises(Mistake, match=r"expected\.csv is not what was written"):
        vectors.opened(tmp_path, "c")


def test_export_hands_options_to_its_target(fixed, tmp_path):
    with pytest.raises(TypeError, match="nonsense"):
        export(fixed, "json", tmp_path, nonsense=1)
