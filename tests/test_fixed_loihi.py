"""Profile loihi1_lava: Lava's own traces, the integer reference, and the emulator are the same u, v and spikes, by ==.

tests/golden/lava.json holds what Lava 0.10 computed; where EVENTSNN_LAVA names a CPython 3.10 that has it, new random
networks are compared as well.
"""

import hashlib
import importlib.util
import json
import os
import random
from pathlib import Path

import chips
import pytest

GOLDEN = Path(__file__).parent / "golden"
SHA256 = "2adeab5f6f64339cd788c63221d8b5077b9c318eaace7a8dbccf103146401a91"
HALF = 2**23


def recorded():
    data = (GOLDEN / "lava.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256, "tests/golden/lava.json is not what Lava gave"
    return json.loads(data)


def asked_of_lava(problems):
    """Their traces by Lava, now."""
    python = os.environ.get("EVENTSNN_LAVA")
    if not python:
        pytest.skip("Lava 0.10 needs CPython 3.10: name one that has lava-nc==0.10.0 in EVENTSNN_LAVA to compare new "
                    "networks (its recorded traces are compared in any case)")
    spec = importlib.util.spec_from_file_location("make_lava", GOLDEN / "make_lava.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.by_lava(python, problems)["traces"]


def test_the_golden_networks_wrap_saturate_and_fire():
    made = recorded()
    assert made["ran"].startswith("lava-nc 0.10.0, ")
    networks = made["networks"]
    populations = [(network, name, p) for network in networks for name, p in network["problem"]["populations"].items()]
    assert any(abs(a) > HALF // 2 and abs(b) > HALF // 2 and a * b < 0 for network, name, p in populations
               for before, after in zip(network["u"][name], network["u"][name][1:], strict=False)
               for a, b in zip(before, after, strict=True)), "no u that wraps"
    assert any(1 - HALF in row for network, name, _ in populations for row in network["v"][name])  # above, it fires
    exponents = {c["weight_exp"] for network in networks for c in network["problem"]["connections"]}
    assert min(exponents) < 0 < max(exponents)
    assert {8, 6, 3} == {c["num_weight_bits"] for network in networks for c in network["problem"]["connections"]}
    assert sum(s for network, name, _ in populations for row in network["s"][name] for s in row) > 100


def test_the_reference_equals_lavas_recorded_traces():
    for network in recorded()["networks"]:
        assert chips.by_loihi_reference(network["problem"]) == {name: network[name] for name in "uvs"}


def test_the_reference_equals_lava_on_new_networks():
    rng = random.Random(1)
    problems = [chips.loihi(rng) for _ in range(20)]
    for problem, trace in zip(problems, asked_of_lava(problems), strict=True):
        assert chips.by_loihi_reference(problem) == trace
