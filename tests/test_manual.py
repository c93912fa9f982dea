"""The manual says what the tables say, and the pages in docs/models are the manual."""

import json
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

import eventsnn as es
from eventsnn import manual
from eventsnn.channels import SYNAPSES
from eventsnn.cli import main
from eventsnn.commands.options import BAD, DONE
from eventsnn.currents import CURRENTS
from eventsnn.model import Field
from eventsnn.models import MODELS
from eventsnn.stimuli import SOURCES

FOLDER = Path(__file__).parents[1] / "docs" / "models"
FIELDS = {name: model.fields for name, model in MODELS.items()} | SOURCES | CURRENTS
AGAIN = "the tables have changed: run `python -m eventsnn.manual docs/models` and commit docs/models"


def test_the_pages_in_docs_are_what_the_tables_generate():
    committed = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    generated = manual.pages()
    assert sorted(committed) == sorted(generated), AGAIN
    for name, text in generated.items():
        assert committed[name] == text, f"{name}: {AGAIN}"


def test_the_module_writes_the_pages(tmp_path):
    subprocess.run([sys.executable, "-m", "eventsnn.manual", str(tmp_path / "new" / "models")], check=True)
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "new" / "models").iterdir()}
    assert written == manual.pages()


def test_every_model_source_and_current_has_a_page_and_a_line():
    assert list(manual.names()) == list(FIELDS)
    assert all(0 < len(line) < 100 and "\n" not in line for line in manual.names().values())
    assert all(f"[`{name}`]({name}.md)" in manual.contents() for name in FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_page_has_every_attribute_with_its_default_unit_and_meaning(name):
    page = manual.page(name)
    rows = {row.split("|")[1].strip(): row for row in page.splitlines() if row.startswith("| `")}
    for key, field in FIELDS[name].items():
        row = rows[f"`{key}`"]
        assert row.endswith(f"| {field.meaning} |")
        assert f"| {field.unit} |" in row
        if isinstance(field.default, float):
            shown = row.split("|")[2].strip()
            assert float(shown) == pytest.approx(field.default, rel=1e-9)
    assert page.startswith(f"# {name}\n\n")
    assert page.endswith("\n")
    assert "None" not in page


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_called_required_is_and_everything_else_has_a_default(name):
    told = {a["name"] for a in manual.entry(name)["attributes"] if a["required"]}
    for key, field in FIELDS[name].items():
        assert field.default is None or key not in told
    if name in MODELS:
        assert told == set()
    elif name != "poisson":                                # which takes one of two
        graph = nx.MultiDiGraph()
        graph.add_node("n", model="lif")
        given = {key: [1.0] if FIELDS[name][key].per == "list" else 1.0 for key in told}
        graph.add_node("it", model=name, **given)
        es.compile(graph)
        for key in told:
            missing = graph.copy()
            del missing.nodes["it"][key]
            with pytest.raises(es.Mistake, match=f"{name} needs '{key}'"):
                es.compile(missing)


@pytest.mark.parametrize("name", MODELS)
def test_what_can_be_recorded_and_how_exact_it_is_are_those_of_a_network(name):
    told = manual.entry(name)
    for synapse, exactness in told["exactness"].items():
        graph = nx.DiGraph()
        graph.add_node("it", model=name, **({"synapse": synapse, "tau_syn": [None if synapse == "delta" else 5.0]}
                                            if synapse else {}))
        network = es.compile(graph)
        names = {v.rstrip("0123456789") for v in network.by_name["it"].variables}
        assert names <= {v["name"] for v in told["variables"]}
        result = es.simulate(network, 1.0, backend="python", record={"it": sorted(names)})
        assert result.provenance["exactness"]["it"] == exactness
    assert set(told["exactness"]) <= {*SYNAPSES, ""}
    assert told["exactness"]
    known = {f"{v['name']}_init" for v in told["variables"]} - {f"{name}_init" for name in manual.OTHERS}
    assert known <= set(FIELDS[name]), "a state x that can be recorded has an attribute x_init, or stands in OTHERS"


@pytest.mark.parametrize("name", FIELDS)
def test_every_citation_has_its_reference(name):
    entry = manual.entry(name)
    missing = [c for c in manual.citations(entry["text"]) if c not in manual.REFERENCES]
    assert missing == [], f"add {missing} to REFERENCES in eventsnn/manual.py"
    assert all(reference in manual.page(name) for reference in entry["references"])


def test_citations_are_found_in_all_their_forms():
    text = ("A (Lapicque 1907; Rotter & Diesmann 1999 for the rest), Kobayashi, Tsubo &\nShinomoto 2009, Latham et al. "
            "2000, Hodgkin & Huxley (1952), Hodgkin & Huxley's neurons (1952), in 2000 steps, Fourcaud-Trocme, Hansel, "
            "van Vreeswijk & Brunel 2003")
    assert manual.citations(text) == ["Lapicque 1907", "Rotter 1999", "Kobayashi 2009", "Latham 2000", "Hodgkin 1952",
                                      "Fourcaud-Trocme 2003"]


@pytest.mark.parametrize(("field", "domain"), [
    (Field(1.0, "", ""), ""),
    (Field(1.0, "", "", finite=False), "any or inf"),
    (Field(1.0, "", "", above=0.0), "> 0"),
    (Field(1.0, "", "", above=0.5, closed=True, finite=False), ">= 0.5 or inf"),
    (Field("a", "", "", per="population", words=("a", "b")), "a, b"),
])
def test_a_domain_in_words(field, domain):
    assert manual.domain(field) == domain


def test_the_command_prints_pages_lists_and_tables(capsys):
    def call(*words):
        code = main(["model", *words])
        return code, *capsys.readouterr()

    assert call("lif") == (DONE, manual.page("lif"), "")
    code, out, _ = call()
    assert code == DONE
    assert [line.split()[0] for line in out.splitlines()] == list(FIELDS)
    assert json.loads(call("--json")[1]) == manual.names()
    told = json.loads(call("sine", "--json")[1])
    assert told == manual.entry("sine")
    assert [a["name"] for a in told["attributes"]] == list(CURRENTS["sine"])
    stop = next(a for a in told["attributes"] if a["name"] == "stop")
    assert (stop["default"], stop["unit"], stop["domain"]) == ("inf", "ms", ">= 0 or inf")
    assert call("renewall") == (BAD, "", "eventsnn: there is no model 'renewall' (did you mean 'renewal'?)\n")


def test_a_table_leaves_out_empty_columns_and_escapes_bars():
    text = manual.table(("a", "b", "c"), [("x|y", "", "1"), ("z", "", "2")])
    assert text == "| a | c |\n|---|---|\n| x\\|y | 1 |\n| z | 2 |"
