"""The programs that simulate, synthesise, place and route: where they are, and how they are called."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from eventsnn.errors import Mistake

DEBIAN = {"verilator": "apt install verilator", "iverilog": "apt install iverilog", "vvp": "apt install iverilog",
          "g++": "apt install g++, or pip install ziglang", "make": "apt install make"}


def found(name: str) -> str | None:
    """A program on the PATH, or beside this Python."""
    beside = Path(sys.executable).with_name(name)
    return shutil.which(name) or (str(beside) if beside.exists() else None)


def needed(name: str) -> str:
    """The same, or a Mistake that says where to get it."""
    path = found(name)
    if path is None:
        remedy = DEBIAN.get(name) or f"pip install {name} (or eventsnn[hardware])"
        raise Mistake(f"{name} is not installed: {remedy}")
    return path


def lacking(*names: str) -> str:
    """Which of these programs are not installed, in words; "" if none."""
    return " and ".join(name for name in names if found(name) is None)


def compiler() -> list[str]:
    """A C++ compiler: the system's, or zig's from PyPI."""
    for name in ("g++", "clang++", "c++"):
        path = found(name)
        if path:
            return [path]
    if found("python-zig"):
        return [needed("python-zig"), "c++"]
    return [needed("g++")]


def verilated(folder: Path, program: Path, options: Sequence[str], sources: Sequence[str | Path]) -> None:
    """Have verilator make a program of a folder's sources; C++ of ours may be among them, by its whole path.

    In a place of its own: its make takes no path with a space.
    """
    with tempfile.TemporaryDirectory() as place:
        named = [shutil.copy(source, place) if isinstance(source, Path) else source for source in sources]
        call([needed("verilator"), *options, "--Mdir", place, "-o", program.name, *named], folder, "verilator")
        shutil.copy(Path(place) / program.name, program)


def call(words: Sequence[str], folder: Path, what: str) -> str:
    """Run a program in a folder; what it printed.  A failure becomes a Mistake with its last lines."""
    done = subprocess.run(list(words), cwd=folder, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Mistake(f"{what} failed in {folder} (exit code {done.returncode}):\n" + "\n".join(lines[-12:]))
    return done.stdout
