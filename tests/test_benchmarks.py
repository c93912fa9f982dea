"""python -m benchmarks: what it refuses, what its JSON line holds, whose turn it is; no peer is needed here."""

import ast
import json
import sys
from pathlib import Path

import pytest

import eventsnn as es
from benchmarks import __main__ as command
from benchmarks import mutants, mutations, networks, others, race, table, venvs
from benchmarks.ours import Ours
from benchmarks.works import WORKS, Options

ROOT = Path(__file__).parents[1]


def lines(capsys, *words):
    command.main(words)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("words", "said"), [
    (["nothing"], "invalid choice: 'nothing'"),
    (["brunel", "--peer", "annarchy"], "brunel has no peer 'annarchy': it races nest, nest_ps, brian2"),
    (["start", "--peer", "nest"], "start has no peer 'nest': it races nobody"),
    (["cuba", "--runs", "0"], "--runs is 0: give a number > 0"),
    (["cuba", "--until", "inf"], "--until is inf"),
    (["cuba", "--cpu", "100000"], "--cpu is 100000: this process may use"),
])
def test_what_cannot_be_is_refused_by_name(capsys, words, said):
    with pytest.raises(SystemExit):
        command.main(words)
    assert said in capsys.readouterr().err


def test_a_prototype_is_raced_only_at_its_own_size():
    with pytest.raises(SystemExit, match="prototype does cuba only with n = 4000"):
        WORKS["cuba"](Options("prototype", scale=0.1))


def test_sides_take_turns_and_medians_are_taken_of_each():
    order = []

    def side(name, seconds):
        seconds = iter(seconds)

        def run():
            order.append(name)
            return {"seconds": next(seconds), "spikes": 10, "events": 100, "rss_mb": 1.0, "kernel": "k", "sim": "S",
                    "ns_random_update": 1.0}
        return run

    ours, theirs = race.take_turns(3, side("A", [2.0, 90.0, 1.0]), side("B", [8.0, 6.0, 70.0]))
    facts = {"bytes_per_synapse": 4.0, "neurons": 5, "synapses": 6, "build_s": 0.1}
    told = race.figures("x", facts, ours, "peer", theirs)
    assert "".join(order) == "ABABAB"
    assert (told["ours_s"], told["peer_s"], told["ratio"], told["ns_per_event"]) == (2.0, 8.0, 4.0, 2e7)
    assert race.take_turns(2, side("A", [1.0, 1.0]), None)[1] == []


def test_the_last_line_is_one_json_object_with_all_keys(capsys):
    *shown, last = lines(capsys, "brunel", "--scale", "0.02", "--until", "30", "--runs", "1")
    told = json.loads(last)
    assert set(race.KEYS) <= set(told)
    assert told["peer"] is told["peer_s"] is told["ratio"] is told["spikes_peer"] is None
    assert told["events"] > told["spikes_ours"] > 0 < told["ns_random_update"]
    assert told["kernel"]
    assert any(line.split() == ["kernel", *told["kernel"].split()] for line in shown)


def test_json_alone_is_one_line_and_saved_it_fills_the_table(capsys, tmp_path):
    words = ["cuba", "--scale", "0.05", "--until", "50", "--runs", "1", "--json", "--save", str(tmp_path)]
    (line,) = lines(capsys, *words)
    told = json.loads(line)
    assert table.load(tmp_path) == {("cuba", None): told}
    raced = {**told, "peer": "nest", "ratio": 9.0, "peer_s": 1.0, "spikes_peer": 77, "events_peer": 88}
    table.save(tmp_path, raced)
    (row,) = [row for row in "\n".join(lines(capsys, "table", "--folder", str(tmp_path))).splitlines()
              if "| nest | " in row and row.startswith("| cuba `")]
    assert "| 9 | 8 | 12 | yes |" in row
    assert f"{told['spikes_ours']:,} / 77" in row
    assert row.startswith("| cuba `--scale 0.05` `--until 50` |")        # nobody takes it for the benchmark itself


def test_the_page_holds_the_table_that_the_command_prints():
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert page.split(table.BEGIN)[1].split(table.END)[0].strip() == table.tables(command.SAVED)
    assert [name for name in command.__doc__.split() if name in WORKS and f"`{name}`" not in page] == []


def test_a_run_in_our_process_is_the_run_here():
    with Ours("wave", {"n": 1000}, 10.0) as ours:
        once, again = ours(), ours()
    here = es.simulate(es.compile(networks.wave(1000)[0], seed=1), 10.0)
    assert once["digest"] == again["digest"]
    assert once["spikes"] == len(here.spikes) == 800                  # 100 each at 2 ms, 3 ms ... 9 ms
    assert once["events"] == here.counters["synaptic_operations"]


def test_the_networks_have_as_many_synapses_as_they_say():
    made = [networks.wave(1000), networks.brunel(250, 25), networks.brunel(250, 25, connected=False),
            networks.tables(100, 10), networks.cuba(200, fixed=True)]
    assert [synapses for _, synapses in made] == [len(es.compile(graph, merge=False).synapses.target)
                                                  for graph, _ in made]


@pytest.mark.parametrize("key", list(others.SCRIPTS))
def test_every_peer_has_its_script_and_its_environment(key):
    script = others.SCRIPTS[key]
    size = {"n": 1, "indegree": 1, "until": 1.0, "cpu": 0, "fan_out": 1, "share": 1.0}
    assert key[0] in WORKS
    assert (others.PEERS / script.command.format(**size).split()[0]).is_file()
    assert script.venv is None or script.venv in venvs.REQUIREMENTS


def test_what_scripts_print_is_read():
    script = others.SCRIPTS["brunel", "nest"]
    out = 'NEST says hello\n{"sim": "NEST", "sim_cpu_s": 2.5, "spikes": 7, "synaptic_events": 70, "ext_events": 30}\n'
    assert others.told(out, script, {}) == {"seconds": 2.5, "spikes": 7, "events": 100, "sim": "NEST"}
    script = others.SCRIPTS["brunel", "prototype"]
    out = "numba slices theta 20: sim 0.330 s rate 37.60 syn 1.17e+08 ext 5.00e+07 ns/(syn+ext) 1.98; first call 3.1\n"
    told = others.told(out, script, {"n": 12_500, "until": 200.0})
    assert told == {"seconds": 0.33, "spikes": 94_000, "events": 167_000_000, "sim": "delta_slices.py"}


def test_a_half_made_environment_is_made_again(monkeypatch, tmp_path):
    made = []

    def install(words, **_):
        made.append(words)
        (tmp_path / "nest").mkdir(exist_ok=True)
        return type("Done", (), {"returncode": 0})()

    monkeypatch.setenv("EVENTSNN_PEERS", str(tmp_path))
    monkeypatch.setattr(venvs.subprocess, "run", install)
    (tmp_path / "nest").mkdir()
    (tmp_path / "nest" / "half").touch()
    interpreter = venvs.python("nest")
    assert not (tmp_path / "nest" / "half").exists()
    assert len(made) == 2
    assert venvs.python("nest") == interpreter == tmp_path / "nest" / "bin" / "python"
    assert len(made) == 2                                             # whole: nothing is installed again
    monkeypatch.setitem(venvs.REQUIREMENTS, "nest", ("nest-simulator==4",))
    venvs.python("nest")
    assert len(made) == 4


def test_the_microcircuit_has_all_keys(capsys):
    told = json.loads(lines(capsys, "microcircuit", "--scale", "0.01", "--until", "50", "--runs", "1", "--json")[-1])
    assert set(race.KEYS) <= set(told)
    assert (told["neurons"], told["synapses"]) == (771, 29_859 + 771)
    assert told["events"] > 0


def test_mutants_are_made_one_change_each_and_only_where_asked():
    source = ('def f(a, b):\n    """1 >= 0"""\n    c = min(a, b) >> 2\n    return c if a >= b else -c\n'
              'def g(a):\n    return a + 1\n')
    made = [(m.kind, m.before, m.after) for m in mutations.mutants(source, ["f"])]
    assert ("comparison", "a >= b", "a > b") in made
    assert ("shift", "min(a, b) >> 2", "min(a, b) >> 2 + 1") in made
    assert ("saturation", "min(a, b)", "max(a, b)") in made
    assert ("sign", "-c", "+c") in made
    assert ("rounding", "c if a >= b else -c", "c if a >= b else c") in made
    assert {"deletion", "condition", "constant"} <= {kind for kind, _, _ in made}
    assert len({ast.unparse(m.tree) for m in mutations.mutants(source, ["f"])}) == len(made)
    assert ast.unparse(ast.parse(source)) not in {ast.unparse(m.tree) for m in mutations.mutants(source, ["f"])}


def test_a_mutant_dies_and_what_is_no_mutant_lives():
    subject = mutants.SUBJECTS["fx_lif"]
    networks, modules = subject.networks()[:4], list(subject.functions)
    source = mutants.source_of(modules[0])
    first = next(m for m in mutations.mutants(source, ["shifted"]) if m.kind == "shift")
    assert not mutants.survives(modules, modules[0], first, networks)
    assert mutants.survives(modules, modules[0], first._replace(tree=ast.parse(source)), networks)


def test_our_side_says_when_it_fails():
    with pytest.raises(SystemExit, match="our side of the race ended"):
        Ours("nothing", {}, 1.0)


def test_the_parent_keeps_small():
    """It waits between two sides: no compiler is imported there."""
    import subprocess
    code = "import sys, benchmarks.__main__; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
