"""The command line: what it writes, what it says into a pipe, and its exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import networkx as nx
import numpy as np
import pytest

import eventsnn as es
from eventsnn.cli import main
from eventsnn.commands.options import BAD, DONE, INTERRUPTED, NO


def balanced():
    g = nx.MultiDiGraph()
    g.add_node("exc", model="lif", size=8, tau_m=20.0, v_rest=0.0, v_reset=10.0, v_thresh=20.0, tau_refrac=2.0)
    g.add_node("drive", model="poisson", size=8, rate=15000.0)
    g.add_edge("drive", "exc", rule="one_to_one", weight=0.1, delay=1.5)
    g.add_edge("exc", "exc", rule="fixed_indegree", indegree=3, weight=0.1, delay=1.5)
    return g


@pytest.fixture
def file(tmp_path):
    """A file by networkx's own writer."""
    path = tmp_path / "net.json"
    path.write_text(json.dumps(nx.node_link_data(balanced(), edges="edges")))
    return path


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Runs a command in the temporary folder; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_run_writes_what_simulate_gives(call, file, tmp_path):
    code, out, err = call("run", file, "--until", 60, "--seed", 3, "--out", "a", "--record", "exc:v", "--plot")
    expected = es.simulate(es.compile(balanced(), seed=3), 60.0, record={"exc": ["v"]})
    assert (code, err) == (DONE, "")
    assert len(expected.spikes) > 0
    assert es.Spikes.load(tmp_path / "a" / "spikes.npy", [("exc", 0, 8)]) == expected.spikes
    assert (tmp_path / "a" / "spikes.csv").read_text().splitlines()[0] == "time_ms,population,neuron"
    assert {p.name for p in (tmp_path / "a").iterdir()} == {
        "spikes.csv", "spikes.npy", "result.json", "recorded.npz", "run.png"}
    loaded = es.Result.load(tmp_path / "a")
    assert loaded.spikes == expected.spikes
    assert loaded.counters == expected.counters
    assert np.array_equal(loaded.recorded_at, expected.recorded_at)
    assert loaded.recorded["exc"]["v"].tobytes() == expected.recorded["exc"]["v"].tobytes()
    facts = dict(line.split("  ", 1) for line in out.splitlines())
    assert facts["spikes"].strip() == str(len(expected.spikes))
    assert facts["written to"].strip() == "a"


def test_a_second_run_leaves_nothing_of_the_first(call, file, tmp_path):
    call("run", file, "--until", 5, "--out", "a", "--record", "exc:v", "--record", "drive:spikes", "--plot")
    assert (tmp_path / "a" / "source_0.npy").exists()
    call("run", file, "--until", 5, "--out", "a")
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"spikes.csv", "spikes.npy", "result.json"}


def test_results_go_to_a_folder_of_the_networks_name(call, file, tmp_path):
    assert call("run", file, "--until", 1)[0] == DONE
    assert (tmp_path / "out" / "net" / "result.json").exists()


def test_backends_give_equal_files(call, file, tmp_path):
    for backend in ("compiled", "python", "simpy"):
        call("run", file, "--until", 30, "--out", backend, "--backend", backend)
    written = {(tmp_path / backend / "spikes.csv").read_bytes() for backend in ("compiled", "python", "simpy")}
    assert len(written) == 1


def test_quantise_emulate_compare_is_a_chain(call, file, tmp_path):
    assert call("run", file, "--until", 40, "--seed", 1, "--out", "exact", "--record", "exc:v")[0] == DONE
    code, out, _ = call("quantise", file, "--until", 20, "--seed", 1, "--out", "model", "--weight-bits", 6)
    assert code == DONE
    assert "of 6 bits" in out
    assert (tmp_path / "model" / "model.json").exists()
    assert call("emulate", "model", "--until", 40, "--out", "fixed", "--record", "exc:v")[0] == DONE
    code, out, err = call("compare", "exact", "fixed", "--plot", "picture.png", "--html", "page.html")
    assert (code, err) == (NO, "")
    assert "fixed against the integer reference" in out
    assert "equal, spikes and V" in out
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert "Frozen input" in (tmp_path / "page.html").read_text("utf-8")
    assert call("compare", "fixed", "fixed")[0] == DONE
    assert call("compare", "exact/spikes.npy", "exact")[0] == DONE


def test_json_is_one_object_and_all_of_stdout(call, file):
    code, out, err = call("run", file, "--until", 20, "--out", "a", "--json")
    data = json.loads(out)
    assert (code, err) == (DONE, "")
    assert data["out"] == "a"
    assert data["counters"]["spikes"] == len(es.Spikes.load("a/spikes.npy"))
    assert json.loads(call("compare", "a", "a", "--json")[1])["identical"] is True
    assert set(json.loads(call("scenario", "--json")[1])) >= {"seed", "digits", "balanced"}
    assert "populations" in json.loads(call("quantise", file, "--out", "m", "--json")[1])["report"]


def test_quiet_says_nothing(call, file):
    assert call("run", file, "--until", 5, "--quiet") == (DONE, "", "")


def test_version_and_help(call):
    assert call("--version") == (DONE, f"eventsnn {es.__version__}\n", "")
    assert "compare" in call()[1]
    assert "--until" in call("run", "--help")[1]


@pytest.mark.parametrize(("words", "text"), [
    (["run", "nothing.json", "--until", 1], "cannot read nothing.json"),
    (["run", ".", "--until", 1], "is a folder"),
    (["run", "net.json"], "--until"),
    (["run", "net.json", "--until", "soon"], "--until"),
    (["run", "net.json", "--until", "nan"], "until is nan"),
    (["run", "net.json", "--until", -1], "until is -1"),
    (["run", "net.json", "--until", 1, "--record", "exk:v"], "did you mean 'exc'"),
    (["run", "net.json", "--until", 1, "--record", "exc"], "exc:v,i"),
    (["run", "net.json", "--until", 1, "--record", "exc:w"], "no 'w'"),
    (["run", "net.json", "--until", 1, "--backend", "simpi"], "did you mean 'simpy'"),
    (["run", "net.json", "--until", 1, "--out", "net.json"], "net.json"),
    (["run", "broken.json", "--until", 1], "line 1"),
    (["run", "wrong.json", "--until", 1], "did you mean 'tau_m'"),
    (["emulate", "nowhere", "--until", 1], "nowhere"),
    (["quantise", "net.json", "--out", "m", "--tick", 0], "tick"),
    (["compare", "nowhere", "net.json"], "nowhere"),
    (["scenario", "sed"], "did you mean 'seed'"),
    (["scenario", "digits", "--bit", "8"], "did you mean 'bits'"),
    (["scenario", "digits", "bits=x"], "bits=x"),
    (["scenario", "digits", "--bits"], "no value"),
    (["rnu"], "rnu"),
])
def test_mistakes_are_one_line_and_exit_2(call, file, tmp_path, words, text):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text(json.dumps({"nodes": [{"id": "n", "model": "lif", "taw_m": 1.0}]}))
    code, out, err = call(*words)
    assert (code, out) == (BAD, "")
    assert err.startswith("eventsnn: ")
    assert err.count("\n") == 1
    assert text in err


def test_debug_shows_the_traceback(call):
    with pytest.raises(es.Mistake):
        call("run", "nothing.json", "--until", 1, "--debug")


def test_scenarios_take_their_own_options_and_exit_by_their_promises(call, tmp_path, monkeypatch):
    from eventsnn.scenarios import balanced

    def small(out, small=False, say=print, *, n: int = 5, tick: float | None = None):
        say(f"n {n} tick {tick} small {small}")
        return {"n": n}

    monkeypatch.setattr(balanced, "main", small)
    monkeypatch.setattr(balanced, "expect", lambda outcome: [("n is 7", outcome["n"] == 7)])
    assert call("scenario", "balanced", "n=7", "--tick", "0.5", "--small") == (DONE, "n 7 tick 0.5 small True\n", "")
    assert call("scenario", "balanced", "--n=8") == (NO, "n 8 tick None small False\n", "")
    told = json.loads(call("scenario", "balanced", "--json")[1])
    assert told["promises"] == [{"fact": "n is 7", "kept": False}]


def test_a_scenarios_runs_tell_the_time_left(call, monkeypatch):
    from eventsnn.scenarios import balanced as script

    from eventsnn import terminal

    told = []
    monkeypatch.setattr(terminal.Progress, "__call__", lambda self, *times: told.append((self.left, *times)))
    monkeypatch.setattr(script, "main", lambda *words: es.simulate(es.compile(balanced()), 20.0))
    monkeypatch.setattr(script, "expect", lambda outcome: [])
    assert call("scenario", "balanced")[0] == DONE
    assert told[-1] == ("left of this run", 20.0, 20.0)
    before = len(told)
    es.simulate(es.compile(balanced()), 20.0)          # nobody watches any more
    assert len(told) == before


def test_an_interrupt_while_the_csv_is_written_leaves_all_spikes(call, file, tmp_path, monkeypatch):
    save = es.Spikes.save

    def interrupted(self, path, progress=None):
        if path.suffix == ".csv":
            raise KeyboardInterrupt
        save(self, path, progress)

    monkeypatch.setattr(es.Spikes, "save", interrupted)
    code, out, err = call("run", file, "--until", 40, "--out", "a")
    assert (code, out) == (INTERRUPTED, "")
    assert "no spikes.csv" in err
    result = es.Result.load(tmp_path / "a")
    assert result.spikes == es.simulate(es.compile(balanced()), 40.0).spikes
    assert result.provenance["file"] == str(file.resolve())
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"spikes.npy", "result.json"}


def test_into_a_pipe_no_line_is_wrapped_or_coloured(tmp_path):
    g = balanced()
    name = "a population whose name is much longer than any terminal is wide, " * 3
    g.add_node(name, model="lif")
    es.save(g, tmp_path / "net.json")
    done = subprocess.run([sys.executable, "-m", "eventsnn", "run", "net.json", "--until", "5"], cwd=tmp_path,
                          text=True, capture_output=True, check=True,
                          env={**os.environ, "COLUMNS": "40", "FORCE_COLOR": "1"})
    assert done.stderr == ""
    assert f"rate of {name}  0 Hz" in done.stdout.splitlines()
    assert "\x1b" not in done.stdout


def endless(tmp_path, **streams):
    es.save(balanced(), tmp_path / "net.json")
    command = [sys.executable, "-m", "eventsnn", "run", "net.json", "--until", "1e7", "--out", "a"]
    return subprocess.Popen(command, cwd=tmp_path, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                            **streams)


def test_ctrl_c_leaves_results_and_exits_130_and_a_terminal_sees_the_time_left(tmp_path):
    ours, theirs = pty.openpty()
    process = endless(tmp_path, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    seen, end = b"", time.monotonic() + 120
    while b"left" not in seen and time.monotonic() < end:
        seen += os.read(ours, 65536)
    assert b"left" in seen
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == INTERRUPTED
    assert "interrupted" in out
    result = es.Result.load(tmp_path / "a")
    assert result.interrupted
    assert 0.0 < result.until < 1e7
    exact = es.simulate(es.compile(balanced()), result.until)
    assert exact.spikes == result.spikes
