"""Every engine gives the same spikes and the same V on the one set of vectors: tick by tick, neuron by neuron.

The C export of all of them is one program per machine.  Where cross compilers or QEMU are missing their tests are
skipped, unless EVENTSNN_TOOLS is "required", as in .ci/run, which installs them all.
"""

import os
import re
import subprocess
from functools import cache

import chips
import numpy as np
import pytest
import vectors as chosen
from eventsnn.exporters import c, checks, export, vectors, verify
from eventsnn.exporters.c import build, tables
from eventsnn.exporters.fixed import reference

from eventsnn.cli import BAD, DONE, NO, main
from eventsnn.errors import Misfit, Mistake
from eventsnn.simulate import simulate

RANDOM, PARTS = 10, 5                    # random networks of so many independent random graphs each
FLAGS = {"corners": ("-DEVENTSNN_TRACE", "-O1"), "random": ("-DEVENTSNN_TRACE",),      # -O2 takes twice as long
         "chips": ("-DEVENTSNN_TRACE", "-O1")}
BATCHES = {"corners": list(chosen.CORNERS), "random": [f"random_{seed}" for seed in range(RANDOM)],
           "chips": list(chosen.CHIPS)}


@cache
def case(name):
    """A network, its vector by the emulator, and the trace of the integer reference."""
    network, until = chosen.drawn(int(name[7:]), PARTS) if name.startswith("random_") else \
        {**chosen.CORNERS, **chosen.CHIPS}[name]()[:2]
    vector = vectors.vector(network, until, backend="python")
    of_row = vectors.rows(network)
    trains = {}
    for tick, row in vector.stimulus.tolist():
        trains.setdefault(int(of_row[row]), []).append(tick * network.tick)
    return network, vector, reference.run(network, until, trains)


def same(name, got, v=None, saturations=None):
    """Everything that an engine says is what the reference says."""
    _, vector, trace = case(name)
    assert checks.difference(vector.expected, np.asarray(got, np.int64).reshape(-1, 2)) == "", name
    if v is not None:
        assert checks.drift(np.array(trace.v), v) == "", name
        assert saturations == trace.saturations, name


@pytest.mark.parametrize("name", [name for batch in BATCHES.values() for name in batch])
def test_the_emulator_equals_the_integer_reference(name):
    same(name, case(name)[2].spikes)


def test_the_vectors_reach_their_corners():
    assert min(case(name)[2].saturations for name in ("tick", "tick_floor", "tick_round")) > 0
    top = int(case("tick_floor")[0].groups[0].params["top_i"].max())
    assert min(i for at in case("tick_floor")[2].currents for own in at for i in own) == -top - 1
    for decay in chosen.DECAYS:
        network, _, trace = case(f"rails_{decay}")
        top = int(network.groups[0].params["top"][0])
        v = np.array(trace.v)
        assert (v.min(), v.max()) == (-top, top), decay
        assert trace.saturations > 10
        assert case(f"silence_{decay}")[1].ticks > 2 * 2**16
    assert max(case("many")[2].spikes.count(spike) for spike in case("many")[2].spikes) > 2
    assert all(len(case(name)[2].spikes) for name in BATCHES["corners"] if name != "ages")
    assert sum(len(case(name)[2].spikes) for name in BATCHES["random"]) > 1000


def test_the_chips_vectors_are_what_the_profiles_own_references_say():
    """Registers of every neuron at every step: u and v of Loihi, v and the currents of Xylo."""
    def joined(*populations):
        return [[x for own in at for x in own] for at in zip(*populations, strict=True)]

    for name, make in chosen.CHIPS.items():
        problem, (_, _, trace) = make()[2], case(name)
        if problem and "populations" in problem:
            own = chips.by_loihi_reference(problem)
            assert joined(*own["v"].values()) == trace.v[1:], name
            assert joined(*own["u"].values()) == [[u for u, in at] for at in trace.currents[1:]], name
        elif problem:
            own = chips.by_xylo_reference(problem)
            assert joined(own["v"], own["v_out"]) == trace.v[1:], name
            for at, currents in zip(trace.currents[1:], joined(own["i"], own["i_out"]), strict=True):
                assert [i[:len(mine)] for i, mine in zip(at, currents, strict=True)] == currents, name


def test_the_chips_vectors_reach_their_corners():
    traces = {name: case(name)[2] for name in chosen.CHIPS}
    for chip in ("loihi1_lava", "xylo_v1", "xylo_v2"):
        own = [trace for name, trace in traces.items() if name.startswith(chip)]
        assert sum(len(trace.spikes) for trace in own) > 100, chip
        assert sum(trace.saturations > 0 for trace in own) > 1, chip
        assert sum(trace.saturations == 0 for trace in own) > 0, chip
    assert any((case(name)[0].groups[0].params["fall"] > 0).any() for name in traces if name.startswith("loihi"))
    assert max(trace.spikes.count(spike) for trace in traces.values() for spike in trace.spikes) == 31
    top, u = 2**23, {u for at in traces["loihi_edges"].currents for own in at for u in own}
    assert {top, top - 2**20, -top + 2**20} <= u
    assert {128 << 6, 1 - top} <= {v for at in traces["loihi_edges"].v for v in at}
    assert -2**15 in {v for at in traces["xylo_edges"].v for v in at}
    assert min(traces[name].saturations for name in ("loihi_edges", "xylo_edges", "xylo_one_by_one")) > 10


# ---------------------------------------------------------------------------------------------------- C
def written(names, folder):
    """One program that replays all these networks, one after another, in the same memory."""
    parts = {}
    for k, name in enumerate(names):
        network, vector, _ = case(name)
        (folder / f"n{k}.h").write_text(tables.network_h(network, f"n{k}") + tables.stimulus_h(vector, f"n{k}"))
        parts[f"n{k}"] = f'#include "n{k}.h"\n#include "eventsnn.h"\n#include "replay.h"\n'
    states = "".join(f"    struct {n}_state {n};\n" for n in parts)
    replays = "".join(f"    whole = {n}_replay(&memory.{n}) && whole;\n" for n in parts)
    (folder / "main.c").write_text(
        '#include "eventsnn_types.h"\n#include "say.h"\n' + "".join(parts.values())
        + f"static union {{\n{states}}} memory;\nint main(void)\n{{\n    bool whole = true;\n{replays}"
          "    say_flush();\n    return whole ? 0 : 1;\n}\n")
    return folder / "main.c"


def needs(target):
    """Skip where a user's machine lacks a tool; CI must have it."""
    if build.missing(target) and os.environ.get("EVENTSNN_TOOLS") != "required":
        pytest.skip(f"{build.missing(target)} is not installed: apt-get install {c.MACHINES[target].package}")


def replayed(names, target, folder, *flags):
    """Each network's trace, on one machine."""
    needs(target)
    binary = build.program(target, written(names, folder), folder / "replay", flags=flags)
    if target != "host":                                                # whose own library has them
        assert [name for name in build.symbols(target, binary) if c.is_soft_float(name)] == []
    text = build.printed(target, binary)
    found = [c.parsed(part) for part in re.findall(r"((?:(?!end).*\n)*end,.*\n)", text)]
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("target", c.MACHINES)
def test_the_c_export_equals_the_reference(target, batch, tmp_path):
    for name, trace in replayed(BATCHES[batch], target, tmp_path, *FLAGS[batch]).items():
        same(name, trace.spikes, trace.v, trace.saturations)
        currents = case(name)[2].currents
        for tick, neuron, receptor, value in trace.currents.tolist():
            own = currents[tick][neuron]
            assert value == (own[receptor] if receptor < len(own) else 0), (name, tick, neuron, receptor)
        assert len(trace.currents) > 0 or not ("tick" in name or batch == "chips")
        assert len(trace.v) >= case(name)[0].neurons


@pytest.mark.parametrize("batch", ["corners", "chips"])
def test_the_c_runtime_is_clean_under_sanitizers_and_after_a_reset_in_mid_run(batch, tmp_path):
    flags = ("-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DEVENTSNN_RESET=13")
    for name, trace in replayed(BATCHES[batch], "host", tmp_path, *flags).items():
        same(name, trace.spikes, None, None)
        assert trace.saturations == case(name)[2].saturations


def test_a_float_in_a_program_would_be_seen():
    assert c.is_soft_float("__aeabi_dmul")
    assert c.is_soft_float("__floatsidf")
    assert not c.is_soft_float("__aeabi_uldivmod")
    assert not c.is_soft_float("__udivdi3")


# ---------------------------------------------------------------------------------------------------- folders
@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An exported folder; the emulator runs as plain Python, so that no kernel is compiled for a few spikes."""
    monkeypatch.setattr(vectors, "simulate", lambda *words, **how: simulate(*words, **how | {"backend": "python"}))
    monkeypatch.setattr(verify, "simulate", lambda *words: simulate(*words, backend="python"))
    export(case("loops")[0], "c", tmp_path / "out", until=40.0)
    return tmp_path / "out"


def test_a_folder_runs_and_gives_the_emulators_spikes(folder):
    network = case("loops")[0]
    assert c.run(folder) == simulate(network, 40.0, backend="python").spikes
    assert len(c.run(folder)) > 40
    done = subprocess.run(["make", "check"], cwd=folder, capture_output=True, text=True, check=True)
    assert "equal to the emulator" in done.stdout


@pytest.mark.parametrize("name", ["loihi1_lava_1", "xylo_one_by_one"])
def test_a_chips_folder_runs_on_every_engine(name, tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "simulate", lambda *words, **how: simulate(*words, **how | {"backend": "python"}))
    monkeypatch.setattr(verify, "simulate", lambda *words: simulate(*words, backend="python"))
    export(case(name)[0], "json", tmp_path / "model")
    assert main(["export", "c", str(tmp_path / "model"), str(tmp_path / "out"), "--until", "25"]) == DONE
    assert len(c.run(tmp_path / "out")) == np.count_nonzero(case(name)[1].expected[:, 0] < 25) > 5
    rows = rows_of(tmp_path / "out")
    assert {"emulator", "integer reference", "c: host", "c: mips"} < set(rows)
    assert all(row.equal is not False for row in rows.values()), rows
    done = subprocess.run(["make", "check"], cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    assert "equal to the emulator" in done.stdout


def test_its_size_is_told(folder):
    needs("cortex-m0")
    told = c.report(folder, "cortex-m0")
    assert 1000 < told["code"] < 8000
    assert told["tables"] > 500
    assert 0 < told["ram"] < 16384
    assert told["soft_float"] == []


def test_a_folder_without_a_stimulus_has_nothing_to_replay(tmp_path):
    export(case("loops")[0], "c", tmp_path)
    with pytest.raises(Mistake, match="no stimulus to replay: export with until"):
        c.run(tmp_path)
    with pytest.raises(Mistake, match="inputs need until"):
        export(case("loops")[0], "c", tmp_path, inputs={"in": [[], []]})


@pytest.mark.parametrize("name", ["network.h", "expected.csv", "model/synapses.target.bin"])
def test_one_changed_bit_of_a_file_is_named(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(Mistake, match=f"{name} is not what was written"):
        c.run(folder)


def test_unknown_targets_and_missing_tools_are_mistakes(folder, monkeypatch):
    with pytest.raises(Mistake, match="did you mean 'cortex-m3'"):
        c.run(folder, "cortex-m1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Mistake, match="needs arm-none-eabi-gcc: on Debian, apt-get install gcc-arm-none-eabi"):
        c.run(folder, "cortex-m0")
    assert c.available() == []


@pytest.mark.parametrize(("got", "words"), [
    ([(1, 2), (4, 0)], ""),
    ([(1, 2)], "tick 4, neuron 0: no spikes instead of 1 spike"),
    ([(1, 2), (3, 5), (4, 0)], "tick 3, neuron 5: 1 spike instead of no spikes"),
    ([(1, 2), (1, 2), (4, 0)], "tick 1, neuron 2: 2 spikes instead of 1 spike"),
    ([(4, 0), (1, 2)], "tick 1, neuron 2: its spikes come in another order"),
])
def test_a_difference_is_told_as_tick_neuron_and_both_numbers(got, words):
    assert checks.difference(np.array([(1, 2), (4, 0)]), np.array(got)) == words


def test_a_different_v_is_told_as_tick_neuron_and_both_values():
    table = np.array([[0, 5], [1, 6], [2, 7]])
    assert checks.drift(table, np.array([[2, 1, 7], [0, 0, 0]])) == ""
    assert checks.drift(table, np.array([[0, 1, 5], [1, 1, -6]])) == "tick 1, neuron 1: V = -6 instead of 6"


# ---------------------------------------------------------------------------------------------------- verify
def rows_of(folder):
    """Verdicts by engine."""
    return {row.engine: row for row in verify.verify(folder)}


def test_verify_runs_every_engine_there_is(folder):
    rows = rows_of(folder)
    assert {"files", "emulator", "integer reference", *(f"c: {name}" for name in c.MACHINES)} == set(rows)
    for name, row in rows.items():
        lacking = name.startswith("c: ") and build.missing(name[3:])
        assert row.equal is (None if lacking else True), row
    assert rows["c: host"].words == f"{len(case('loops')[1].expected)} spikes"


@pytest.mark.parametrize("name", ["network.h", "expected.csv", "model/synapses.target.bin"])
def test_verify_names_a_damaged_file(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    (row,) = verify.verify(folder)
    assert row.equal is False
    assert f"{name} is not what was written" in row.words


def test_one_bit_of_the_manifest_is_seen(folder):
    whole = (folder / "manifest.json").read_bytes()
    for at in (whole.index(b"ticks"), whole.index(b"tick_ms"), whole.index(b'"digest"') + 12, len(whole) // 2):
        (folder / "manifest.json").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        with pytest.raises(Mistake, match=r"manifest.json is (not what was written|no JSON|no manifest)"):
            list(verify.verify(folder))


def test_what_does_not_fit_an_engine_is_not_called_different(folder, monkeypatch):
    def run(folder, name):
        raise Misfit("region 'ram' overflowed by 3948 bytes")

    monkeypatch.setattr(c, "engines", lambda: {"cortex-m0": ""})
    monkeypatch.setattr(c, "run", run)
    monkeypatch.setattr(c, "report", run)
    row = rows_of(folder)["c: cortex-m0"]
    assert (row.equal, row.words) == (None, "not run: region 'ram' overflowed by 3948 bytes")
    assert verify.report(folder) == {"cortex-m0": {"left_out": "region 'ram' overflowed by 3948 bytes"}}
    monkeypatch.setattr(c, "engines", lambda: {"cortex-m0": "a compiler"})
    with pytest.raises(Mistake, match="nothing here can report: cortex-m0 needs a compiler"):
        verify.report(folder)


def test_a_folder_that_is_written_again_keeps_nothing_of_before(folder):
    assert (folder / "stimulus.h").exists()
    export(case("loops")[0], "c", folder)
    assert not (folder / "stimulus.h").exists()
    assert vectors.manifest(folder)["ticks"] is None


def test_verify_sees_a_wrong_expectation_in_a_folder_whose_sums_are_right(folder, monkeypatch):
    monkeypatch.setattr(c, "engines", lambda: {"host": "", "cortex-m0": "needs a tool"})
    first = vectors.expected(folder)[0]
    text = (folder / "expected.csv").read_text().splitlines(True)
    (folder / "expected.csv").write_text("".join([text[0], *text[2:]]))
    told = vectors.manifest(folder)
    vectors.seal(folder, "c", {name: told[name] for name in ("digest", "tick_ms", "ticks")},
                 [folder / path for path in told["sha256"]])
    rows = rows_of(folder)
    assert {name for name, row in rows.items() if row.equal is False} == {"emulator", "integer reference", "c: host"}
    assert rows["c: host"].words == f"tick {first[0]}, neuron {first[1]}: 1 spike instead of no spikes"
    assert rows["c: cortex-m0"].equal is None


def test_the_command_line_exports_verifies_and_reports(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(vectors, "simulate", lambda *words, **how: simulate(*words, **how | {"backend": "python"}))
    monkeypatch.setattr(verify, "simulate", lambda *words: simulate(*words, backend="python"))
    monkeypatch.setattr(c, "engines", lambda: {"host": ""})
    export(case("loops")[0], "json", tmp_path / "model")
    (tmp_path / "trains.json").write_text('{"in": [[1.0, 2.0, 5.5], [3.0]]}')
    words = [str(tmp_path / "model"), str(tmp_path / "out")]
    assert main(["export", "c", *words, "--until", "20", "--inputs", str(tmp_path / "trains.json")]) == DONE
    assert vectors.stimulus(tmp_path / "out").tolist() == [[2, 4], [4, 4], [6, 5], [11, 4]]
    assert main(["verify", words[1]]) == DONE
    assert capsys.readouterr().out.splitlines()[-1].split()[:3] == ["c:", "host", "equal"]
    assert main(["report", words[1]]) == DONE
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[0] == ["on", "host"]
    assert [row[0] for row in table[1:]] == ["code", "tables", "ram", "soft_float"]
    (tmp_path / "out" / "expected.csv").write_text("tick,neuron\n")
    assert main(["verify", words[1]]) == NO
    assert "expected.csv is not what was written" in capsys.readouterr().out
    assert main(["export", "json", *words, "--until", "20"]) == BAD
    assert main(["verify", words[0]]) == BAD
    assert main(["export", "c", *words, "--inputs", words[0]]) == BAD
