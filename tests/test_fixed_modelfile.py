"""The model file: a round trip to the bit, and every damage refused by name."""

import json
import math
import os
from pathlib import Path

import eventsnn.exporters.fixed.modelfile as modelfile
import networkx as nx
import numpy as np
import pytest
import vectors
from eventsnn.exporters import TARGETS, export, quantise, read
from eventsnn.exporters.fixed import reference

from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat
from eventsnn.simulate import simulate


def network(decay=None):
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=6, times=[[0.1 * k + j for k in range(j, 9)] for j in range(6)])
    g.add_node("noise", model="poisson", size=5, rate=800.0, stop=[math.inf, 10.0, 20.0, 30.0, 40.0])
    g.add_node(7, model="lif", size=5, tau_m=[10.0, 20.0, 30.0, math.inf, 10.0], v_rest=-60.0, v_reset=-61.0,
               v_thresh=-57.0, v_init=[-60.0, -59.0, -58.0, -58.5, -60.0])
    g.add_node("out", model="lif", size=2, v_thresh=math.inf, tau_m=50.0)
    g.add_edge("in", 7, rule="all_to_all", weight={"normal": [1.0, 1.0]}, delay={"uniform": [0.1, 3.0]})
    g.add_edge("noise", 7, rule="one_to_one", weight=0.7, delay=1.0)
    g.add_edge(7, "out", rule="fixed_indegree", indegree=12, weight=0.1, delay=1.5)
    g.add_edge(7, 7, rule="bernoulli", p=0.5, weight=-0.3, delay=1.5)
    return quantise(compile(g, seed=4), decay=decay)


def clocked(**options):
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=6, times=[[0.1 * k + j for k in range(j, 9)] for j in range(6)])
    g.add_node(7, model="lif", size=5, tau_m=[10.0, 20.0, 30.0, math.inf, 10.0], v_rest=-60.0, v_reset=-61.0, cm=0.2,
               v_thresh=-57.0, v_init=[-60.0, -59.0, -58.0, -58.5, -60.0], synapse=["exp", "delta", "exp"],
               tau_syn=[5.0, None, [2.0, 3.0, 4.0, 5.0, 6.0]], i_init=[0.01, None, 0.0], i_offset=0.001)
    g.add_node("out", model="lif", size=2, v_thresh=math.inf, tau_m=50.0)
    for receptor, weight in enumerate((0.05, 1.0, -0.03)):
        g.add_edge("in", 7, rule="all_to_all", weight={"normal": [weight, 0.01]}, delay={"uniform": [0.1, 3.0]},
                   receptor=receptor)
    g.add_edge(7, "out", rule="fixed_indegree", indegree=12, weight=0.1, delay=1.5)
    return quantise(compile(g, seed=4), **options)


@pytest.fixture(scope="module")
def fixed():
    return network()


@pytest.fixture
def folder(fixed, tmp_path):
    export(fixed, "json", tmp_path)
    return tmp_path


@pytest.mark.parametrize("decay", [None, "mul", "linear"])
def test_a_model_file_gives_back_the_same_network(decay, tmp_path):
    fixed = network(decay)
    paths = export(fixed, "json", tmp_path / "deep" / "down")
    assert sorted(paths) == sorted((tmp_path / "deep" / "down").iterdir())
    for again in (read(paths[0]), read(paths[0].parent)):
        assert again.digest == fixed.digest
        assert again.fixed.formats == fixed.fixed.formats
        assert again.fixed.projections == fixed.fixed.projections
        assert again.fixed.report == fixed.fixed.report
        assert again.fixed.original.tolist() == fixed.fixed.original.tolist()
        assert again.synapses.weight.dtype == fixed.synapses.weight.dtype
    record = {7: ["v"], "out": ["v"]}
    a, b = (simulate(n, 20.0, backend="python", record=record) for n in (fixed, again))
    assert a.spikes == b.spikes
    assert len(a.spikes)
    assert all(np.array_equal(a.recorded[p]["v"], b.recorded[p]["v"]) for p in record)
    assert a.counters == b.counters


@pytest.mark.parametrize("options", [{}, {"decay": "shift", "i_decay": "shift", "rounding": "FLOOR"}, {
    "decay": "linear", "saturation": "wrap", "compare": ">", "input_first": True}])
def test_a_clocked_model_file_gives_back_the_same_network(options, tmp_path):
    fixed = clocked(**options)
    paths = export(fixed, "json", tmp_path)
    again = read(tmp_path)
    assert sorted(paths) == sorted(tmp_path.iterdir())
    assert again.digest == fixed.digest
    assert again.fixed.formats == fixed.fixed.formats
    assert again.fixed.report == fixed.fixed.report
    record = {7: ["v", "i", "refractory"], "out": ["v"]}
    a, b = (simulate(n, 20.0, backend="python", record=record) for n in (fixed, again))
    assert a.spikes == b.spikes
    assert len(a.spikes)
    for name, several in record.items():
        assert all(np.array_equal(a.recorded[name][v], b.recorded[name][v]) for v in several)
    assert a.counters == b.counters


def test_the_float_original_can_be_compiled_from_what_was_read(fixed, folder):
    again = read(folder)
    assert compile(again.graph, seed=again.seed).digest == compile(fixed.graph, seed=fixed.seed).digest


def test_the_header_holds_the_float_values_formats_and_report(fixed, folder):
    header = json.loads((folder / "model.json").read_text())
    population = header["populations"][2]
    assert population["float"]["tau_m"] == {"values": [10.0, 20.0, 30.0, "inf", 10.0]}
    assert population["float"]["v_thresh"] == {"every": -57.0, "size": 5}
    assert population["format"]["bits"] == 24
    assert header["report"] == fixed.fixed.report
    for name, size in (("mantissa", len(fixed.synapses.delay)), ("mantissas", len(fixed.synapses.weights))):
        entry = header["images"][f"synapses.{name}"]
        assert entry["shape"] == [size]
        assert int(entry["type"][-1]) == (1 if entry["bits"] <= 8 else 2)
        assert 4 < entry["bits"] <= 8 + int(fixed.synapses.count.max()).bit_length()     # more where some were merged
        assert (folder / entry["file"]).stat().st_size == int(entry["type"][-1]) * size


@pytest.mark.parametrize("damage", ["flip", "truncate", "lengthen", "remove"])
def test_every_damaged_image_is_refused_by_name(damage, folder):
    header = json.loads((folder / "model.json").read_text())
    for name, entry in header["images"].items():
        file = folder / entry["file"]
        whole = file.read_bytes()
        if not whole and damage in ("flip", "truncate"):               # nothing there to damage
            continue
        if damage == "flip":
            file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        elif damage == "truncate":
            file.write_bytes(whole[:-1])
        elif damage == "lengthen":
            file.write_bytes(whole + b"\0")
        else:
            file.unlink()
        says = {"flip": "is damaged", "truncate": "truncated", "lengthen": "too long", "remove": "cannot be"}[damage]
        with pytest.raises(Mistake, match=f"image '{name}' .*{says}"):
            read(folder)
        file.write_bytes(whole)
    read(folder)


def test_every_changed_or_missing_header_field_is_refused_by_name(folder):
    path = folder / "model.json"
    header = json.loads(path.read_text())
    changed = {"format": "other", "version": 9, "tick_ms": 0.2, "seed": 5, "digest": "0" * 64, "graph": None}
    for name in modelfile.FIELDS:
        value = changed.get(name, header[name][:-1] if isinstance(header[name], list) else {})
        path.write_text(json.dumps(header | {name: value}))
        with pytest.raises(Mistake, match=f"field '{name}'"):
            read(folder)
        path.write_text(json.dumps({k: v for k, v in header.items() if k != name}))
        with pytest.raises(Mistake, match=f"field '{name}'"):
            read(folder)
    path.write_text(json.dumps({k: v for k, v in header.items() if k != "checksums"}))
    with pytest.raises(Mistake, match="checksum is missing"):
        read(folder)


def test_one_changed_number_deep_in_the_header_is_refused(folder):
    path = folder / "model.json"
    header = json.loads(path.read_text())
    header["projections"][0]["shift"] += 1
    path.write_text(json.dumps(header))
    with pytest.raises(Mistake, match="field 'projections' is not what was written"):
        read(folder)


def test_an_unknown_version_or_arithmetic_is_refused(folder):
    path = folder / "model.json"
    header = json.loads(path.read_text())
    path.write_text(json.dumps(header | {"version": 99}))
    with pytest.raises(Mistake, match="field 'version' is 99, this eventsnn reads versions 2 and 3"):
        read(folder)
    header["arithmetic"] |= {"rounding": "FLOOR"}
    header["checksums"]["arithmetic"] = modelfile.checksum(header["arithmetic"])
    path.write_text(json.dumps(header))
    with pytest.raises(Mistake, match="asks for rounding 'FLOOR', this eventsnn has 'DOWN'"):
        read(folder)


def test_a_truncated_header_a_missing_one_and_another_file_are_refused(folder, tmp_path):
    path = folder / "model.json"
    text = path.read_text()
    path.write_text(text[:len(text) // 2])
    with pytest.raises(Mistake, match=r"model\.json is no JSON"):
        read(folder)
    path.write_text("[1, 2]")
    with pytest.raises(Mistake, match="is no model file"):
        read(folder)
    path.unlink()
    with pytest.raises(Mistake, match=r"cannot read .*model\.json"):
        read(folder)
    with pytest.raises(Mistake, match="cannot read"):
        read(tmp_path / "nowhere")


def test_a_damaged_graph_is_refused(folder):
    text = (folder / "graph.json").read_text()
    for damaged in (text.replace("0.7", "0.8"), text[:-40]):
        (folder / "graph.json").write_text(damaged)
        with pytest.raises(Mistake, match="field 'graph'"):
            read(folder)
    (folder / "graph.json").unlink()
    with pytest.raises(Mistake, match="field 'graph'"):
        read(folder)


@pytest.mark.parametrize("make", [network, clocked, *(lambda name=name: vectors.CHIPS[name]()[0]
                                                      for name in ("loihi1_lava_1", "xylo_v2_1"))])
def test_one_flipped_bit_anywhere_in_any_file_is_refused_with_the_name_of_what_is_wrong(make, tmp_path):
    rng = np.random.default_rng(1)
    for path in export(make(), "json", tmp_path):
        whole = path.read_bytes()
        letters = [k for k, byte in enumerate(whole) if path.name == "model.json" and byte in b"eE"]
        spots = {(int(k), int(rng.integers(8))) for k in rng.integers(0, max(len(whole), 1), 40) if whole}
        spots |= {(int(k), 5) for k in rng.choice(letters, 20)} if letters else set()     # 1e-06 and 1E-06 are the same
        for k, bit in spots:
            path.write_bytes(whole[:k] + bytes([whole[k] ^ 1 << bit]) + whole[k + 1:])
            about = "field|no JSON|no model file" if path.name == "model.json" else "field 'graph'|image '"
            with pytest.raises(Mistake, match=about):
                read(tmp_path)
        path.write_bytes(whole)
    read(tmp_path)


def test_version_2_is_still_read_and_version_1_refused_with_the_remedy(fixed, folder):
    path = folder / "model.json"
    header = json.loads(path.read_text())
    new = ("mode", "compare", "spikes", "input_first", "min1", "time_bits", "currents")
    header |= {"version": 2, "arithmetic": modelfile.SECOND, "populations": [
        {name: value for name, value in q.items() if name not in ("variables", "units")} | {
            "format": q["format"] and {name: value for name, value in q["format"].items() if name not in new}}
        for q in header["populations"]]}
    del header["seal"]
    header["checksums"] = {name: modelfile.checksum(header[name]) for name in modelfile.FIELDS}
    path.write_text(json.dumps(header))
    again = read(folder)
    assert again.digest == fixed.digest
    assert again.fixed.formats == fixed.fixed.formats
    path.write_text(json.dumps(header | {"version": 1}))
    with pytest.raises(Mistake, match=r"field 'version' is 1.*quantise .*graph\.json again"):
        read(folder)


def test_a_failed_write_leaves_the_old_model_whole(fixed, folder, monkeypatch):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    other = network("mul")
    monkeypatch.setattr(modelfile, "sealed", lambda _: (_ for _ in ()).throw(OSError(28, os.strerror(28))))
    with pytest.raises(Mistake, match=os.strerror(28)):
        export(other, "json", folder)
    monkeypatch.undo()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert read(folder).digest == fixed.digest


def test_export_refuses_unknown_targets_and_float_networks(fixed, tmp_path):
    assert "json" in TARGETS
    with pytest.raises(Mistake, match=r"there is no target 'jsn'.*did you mean 'json'"):
        export(fixed, "jsn", tmp_path)
    with pytest.raises(Mistake, match=r"quantise\(network\) first"):
        export(compile(fixed.graph), "json", tmp_path)


# ---------------------------------------------------------------------------------------------------- the page
PAGE = Path(__file__).parents[1] / "docs" / "model-file.md"


def page():
    """The program that docs/model-file.md gives to other teams."""
    names: dict = {}
    exec(PAGE.read_text("utf-8").partition("```python\n")[2].partition("```")[0], names)
    return names["load"], names["run"]


@pytest.mark.parametrize("make", [
    network, lambda: network("mul"), lambda: network("linear"), clocked,
    lambda: clocked(decay="shift", i_decay="shift", rounding="FLOOR", saturation="full"),
    lambda: clocked(decay="linear", i_decay="linear", saturation="wrap", compare=">", v_bits=12, guard_bits=4),
    lambda: clocked(rounding="ROUND", input_first=True, v_bits=16, i_bits=12, decay="shift", min1=False)])
def test_the_program_on_the_page_computes_the_same_bits_from_the_files_alone(make, tmp_path):
    fixed = make()
    export(fixed, "json", tmp_path)
    load, run = page()
    header, images = load(tmp_path)
    given = [p for p in header["populations"] if p["model"] == "spikes"]
    trains = {p["emitter"] + k: np.rint(np.array(own["values"]) / header["tick_ms"]).astype(int).tolist()
              for p in given for k, own in enumerate(p["float"]["times"])}
    result = simulate(fixed, 15.0, backend="python", record={7: ["v"], "out": ["v"], **{
        p.name: ["spikes"] for p in fixed.populations if p.model == "poisson"}}, record_at=0.1)
    for name, spikes in result.sources.items():
        for time, k in zip(spikes.time, spikes.neuron, strict=True):
            trains.setdefault(fixed.by_name[name].emitter + int(k), []).append(round(time / 0.1))
    spikes, v = run(header, images, 150, trains)
    assert spikes == list(zip(np.rint(result.spikes.time / 0.1).astype(int).tolist(), result.spikes.neuron.tolist(),
                              strict=True))
    assert len(spikes)
    for p in fixed.populations:
        if p.kind == "neuron":
            mine = [row[p.neuron:p.neuron + p.size] for row in v]
            assert (np.array(mine) * p.scale + p.rest).tolist() == result.recorded[p.name]["v"].tolist()


def worked():
    """The page's worked example as a table of its ticks, below the constants that its file has."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[0.1, 0.3])
    g.add_node("n", model="lif", tau_m=1.0, cm=1.0, v_rest=0.0, v_reset=0.0, v_thresh=0.1, tau_refrac=0.3,
               synapse="exp", tau_syn=[0.5])
    g.add_edge("in", "n", weight=0.5, delay=0.1)
    fixed = quantise(compile(g), v_bits=12, i_bits=12, weight_bits=4)
    p, shift = fixed.groups[0].params[0], fixed.fixed.projections[0].shift
    form, current = fixed.fixed.formats["n"], fixed.fixed.formats["n"].currents[0]
    lsb = round(math.log2(form.lsb))
    lines = [f"| LSB of V | 2^{lsb} mV | top {p.top}, theta {p.theta}, reset {p.reset}, refrac {p.refrac} |",
             "|---|---|---|",
             f"| decay of V | V rate / 2^bits | rate {p.rate}, bits {p.bits} |",
             f"| LSB of I | 2^{lsb - current.fall} mV a tick | fall {p.fall[0]}, rate_i {p.rate_i[0]}, "
             f"bits_i {p.bits_i[0]}, top_i {p.top_i[0]} |",
             f"| weight | mantissa 2^shift | {int(flat(fixed.synapses).weight[0]) >> shift} * 2^{shift} = "
             f"{int(flat(fixed.synapses).weight[0])} LSBs of I |", "",
             "| tick | arrives | I | round(I / 2^fall) | V | |", "|---|---|---|---|---|---|"]
    trace = reference.run(fixed, 1.0, {0: [0.1, 0.3]})
    arrived = (2, 4)
    for n in range(9):
        i, (v,) = trace.currents[n][0][0], trace.v[n]
        note = "spike, then reset" if (n, 0) in trace.spikes else f"refractory, {trace.masked[n][0]} to go" if n and (
            trace.masked[n - 1][0]) else ""
        weight = int(flat(fixed.synapses).weight[0]) * (n in arrived)
        lines.append(f"| {n} | {weight or ''} | {i} | {i >> int(p.fall[0])} | {v} | {note} |")
    return "\n".join(lines), trace


def test_the_worked_example_on_the_page_is_what_is_computed():
    table, trace = worked()
    assert trace.spikes == [(4, 0)]
    assert table in PAGE.read_text("utf-8")


def test_a_write_that_fails_leaves_the_model_before_as_it_was(tmp_path, monkeypatch):
    export(clocked(), "json", tmp_path)
    before = read(tmp_path).digest
    usual, made = modelfile.atomic, []

    def full(path, mode="w"):
        made.append(path)
        if len(made) == 4:
            raise Mistake(f"cannot write {path}: No space left on device")
        return usual(path, mode)

    monkeypatch.setattr(modelfile, "atomic", full)
    with pytest.raises(Mistake, match="No space left"):
        export(clocked(v_bits=12), "json", tmp_path)
    assert read(tmp_path).digest == before
