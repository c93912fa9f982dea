"""eventsnn inspect: every number of a model file, in words and units."""

import json
import math

import numpy as np
import pytest
from eventsnn.exporters import export, quantise
from eventsnn.exporters.fixed.explain import inspected
from test_fixed_modelfile import clocked, network

from eventsnn.cli import main
from eventsnn.graph import compile


def words_of(fixed, folder):
    export(fixed, "json", folder)
    return {title: dict(facts) for title, facts in inspected(folder)}


@pytest.mark.parametrize("make", [network, clocked])
def test_every_format_shift_scale_and_image_is_explained(make, tmp_path):
    fixed = make()
    told = words_of(fixed, tmp_path)
    for p in fixed.populations:
        if p.kind == "neuron":
            form, facts = fixed.fixed.formats[p.name], told[f"population {p.name!r}"]
            assert facts["V"].startswith(f"{form.bits} bits signed, within +-{form.top}")
            assert facts["LSB of V"].startswith(f"2^{round(math.log2(form.lsb))} = {form.lsb:.6g} mV")
            assert facts["guard bits"].startswith(f"{form.guard} bits")
            assert facts["decay of V"].startswith(form.decay)
            assert form.decay == "none" or f"2^{form.decay_bits}" in facts["decay of V"]
            for c in form.currents:
                assert facts[f"receptor {c.receptor}"].startswith(f"exp: a current I of {c.bits} bits")
                assert f"I >> {c.fall}" in facts[f"LSB of I {c.receptor}"]
                assert f"2^{c.decay_bits} each tick" in facts[f"decay of I {c.receptor}"]
    for q in fixed.fixed.projections:
        facts = told[f"projection {q.source!r} -> {q.target!r}, receptor {q.receptor}"]
        assert facts["weight"].startswith(f"mantissa << {q.shift}: a mantissa of 1 is {2**q.shift} LSBs of ")
        assert facts["mantissa"].startswith(f"{fixed.fixed.formats[q.target].weight_bits} bits signed")
    header = json.loads((tmp_path / "model.json").read_text())
    assert told["images"].keys() == header["images"].keys()
    for name, entry in header["images"].items():
        assert told["images"][name].endswith(entry["meaning"])
        assert f"{entry['bits']} bits used" in told["images"][name]
    assert told["file"]["digest"].startswith(fixed.digest)


def test_a_weights_unit_in_words_is_what_the_integers_stand_for(tmp_path):
    """A neuron of 0.05 nA synapses: mantissa << shift LSBs of I are that many nA, and mV in V's first tick."""
    fixed = clocked()
    facts = words_of(fixed, tmp_path)["projection 'in' -> 7, receptor 0"]
    report = next(q for q in fixed.fixed.report["projections"] if q["target"] == 7 and q["receptor"] == 0)
    assert facts["mantissa's unit"].startswith(f"2^{round(math.log2(report['weight_lsb_mv']))} = ")
    low, high = (float(x) for x in facts["mantissa's unit"].split(" = ")[-1].removesuffix(" nA").split(" .. "))
    assert 0 < low < high < 0.05 / 40                        # five neurons of three tau_m: 7 bits of the largest weight
    mantissas = facts["synapses"].split("mantissas ")[1].split(" .. ")
    assert 0.02 < int(mantissas[0]) * low < int(mantissas[1]) * high < 0.1


def test_other_roundings_saturations_comparisons_and_decays_are_told(tmp_path):
    fixed = clocked(rounding="FLOOR", saturation="wrap", compare=">", decay="shift", i_decay="linear", input_first=True)
    facts = words_of(fixed, tmp_path)["population 7"]
    assert facts["rounding"].startswith("FLOOR: down")
    assert "what is beyond wraps" in facts["V"]
    assert "a spike when V > it" in facts["threshold"]
    assert facts["decay of V"].startswith("shift: V := V - (V >> 7 .. 8) each tick, at least 1 LSB (1 of 5 neurons")
    assert facts["decay of I 0"].startswith("linear: |I| loses ")
    assert facts["order"].startswith("a current takes in its input, then decays")
    again = words_of(clocked(decay="shift", min1=False, rounding="ROUND"), tmp_path)["population 7"]
    assert "at least" not in again["decay of V"]
    assert "it comes to rest at 128 and -128 LSBs" in again["dead zone of V"]


def test_subtraction_and_readouts_are_told(tmp_path):
    graph = network().graph
    graph.nodes[7].update(reset="subtract", tau_refrac=0.0)
    told = words_of(quantise(compile(graph), mode="tick", spikes=5), tmp_path)
    lsb = told["population 7"]["reset"]
    assert lsb.startswith("V := V - (")
    assert lsb.endswith("at most 5 spikes a tick")
    assert told["population 'out'"]["threshold"] == f"{2**63 - 1}: never reached"


def test_the_command_prints_the_sections_or_one_json_object(tmp_path, capsys):
    fixed = clocked()
    export(fixed, "json", tmp_path)
    assert main(["inspect", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "population 7\n" in text
    assert "\n  LSB of V " in text
    assert main(["inspect", str(tmp_path / "model.json"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {"name": "seed", "words": "4: what random sources and compile draw from"} in data["file"]
    header = json.loads((tmp_path / "model.json").read_text())
    assert [fact["name"] for fact in data["images"]] == list(header["images"])


def test_the_command_refuses_a_damaged_file_by_name(tmp_path, capsys):
    export(clocked(), "json", tmp_path)
    image = tmp_path / "neurons.rate.bin"
    data = np.frombuffer(image.read_bytes(), np.uint8).copy()
    data[0] ^= 4
    image.write_bytes(data.tobytes())
    assert main(["inspect", str(tmp_path)]) == 2
    assert "image 'neurons.rate' is damaged" in capsys.readouterr().err
