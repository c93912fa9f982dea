"""What README and guide say is true."""

import re
from pathlib import Path

from eventsnn.currents import CURRENTS
from eventsnn.models import MODELS
from eventsnn.rules import RULES
from eventsnn.stimuli import SOURCES

ROOT = Path(__file__).parents[1]


def test_the_readmes_example_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert "spikes identical" in capsys.readouterr().out
    assert (tmp_path / "build" / "model.json").exists()


def test_what_the_readme_shows_and_links_exists():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / link).is_file(), link


def test_the_guide_names_every_model_and_rule_and_the_attributes_of_what_is_not_a_neuron():
    """The neurons' attributes are in docs/models, made from the tables."""
    guide = (ROOT / "docs" / "guide.md").read_text("utf-8")
    fields = SOURCES | CURRENTS
    words = [*RULES, *MODELS, *fields, *(attribute for table in fields.values() for attribute in table)]
    assert [word for word in words if f"`{word}`" not in guide] == []
