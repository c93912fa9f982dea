"""Profiles xylo_v1 and xylo_v2: xylosim, the integer reference and the emulator are the same V, I and spikes, by ==.

xylosim 0.1.3 (an extra of its own: pip install 'eventsnn[xylosim]') runs in another process, by default with this
interpreter; EVENTSNN_XYLOSIM names another one.  With EVENTSNN_XYLOSIM or CI set, it must be there.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import chips
import pytest


@pytest.fixture(scope="module")
def xylosim():
    python = os.environ.get("EVENTSNN_XYLOSIM", sys.executable)
    asked = "from importlib.metadata import version; from xylosim import v1, v2; print(version('xylosim'))"
    found = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    if found.returncode:
        if {"CI", "EVENTSNN_XYLOSIM"} & set(os.environ):
            pytest.fail(f"{python} has no xylosim: pip install 'eventsnn[xylosim]'\n{found.stderr}")
        pytest.skip("no xylosim here: pip install 'eventsnn[xylosim]' (it needs a C++ compiler), or name a Python that "
                    "has it in EVENTSNN_XYLOSIM")
    assert found.stdout.strip() == "0.1.3", "compared with another version"
    return python


def by_xylosim(python, problems, folder):
    (folder / "cores.json").write_text(json.dumps(problems))
    done = subprocess.run([python, str(Path(__file__).parent / "xylo" / "run.py"), str(folder / "cores.json"),
                           str(folder / "traces.json")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    traces = json.loads((folder / "traces.json").read_text())
    return [chips.as_ticks(trace, problem) for trace, problem in zip(traces, problems, strict=True)]


def steps(problems):
    return sum(len(p["inputs"]) * (len(p["hidden"]["bias"]) + len(p["readout"]["bias"])) for p in problems)


@pytest.mark.parametrize("version", [1, 2])
def test_the_reference_equals_xylosim_aliases_included(version, xylosim, tmp_path):
    rng = random.Random(version)
    problems = [chips.xylo(rng, version, aliases=True) for _ in range(60)]
    traces = by_xylosim(xylosim, problems, tmp_path)
    for problem, trace in zip(problems, traces, strict=True):
        assert chips.by_xylo_reference(problem) == trace
    assert steps(problems) > 50_000
    assert any(abs(x) >= 32767 for trace in traces for row in trace["v"] for x in row)          # at the rails
    assert any(abs(x) >= 32767 for trace in traces for row in trace["i"] for neuron in row for x in neuron)
    assert any(count == 31 for trace in traces for row in trace["spikes"] for count in row)
