"""Every scenario, found by looking into the folder: its small size runs, leaves its pictures and keeps its promises."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "scenarios"
SCENARIOS = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def load(path):
    spec = importlib.util.spec_from_file_location(f"scenario_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_folder_is_not_empty():
    assert {path.stem for path in SCENARIOS} >= {"seed", "digits", "balanced"}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_small_size_keeps_every_promise(path, tmp_path):
    scenario, lines = load(path), []
    outcome = scenario.main(tmp_path / "out", small=True, say=lines.append)
    facts = scenario.expect(outcome)
    assert facts
    assert [fact for fact, kept in facts if not kept] == []
    assert all(any(fact in line for line in lines) for fact, _ in facts)
    assert all("\n" not in line for line in lines)
    written = {file.suffix for file in (tmp_path / "out").iterdir()}
    assert {".png", ".json"} <= written
