"""Many stimuli through one simulated circuit, each after a reset: built once, clocks told word by word.

`simulate` replays the one stimulus that an export has with it, and compares; this is for measuring, an image after
another, and for whoever has stimuli of their own.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np

from eventsnn.errors import Mistake, nearest
from eventsnn.files import atomic

from .. import vectors
from .simulators import QUIET, core_cc, engines, runtime
from .tools import call, compiler, verilated
from .writer import DESIGN, HERE, RTL

SERIES = ("verilator", "cxxrtl")         # iverilog takes a hundred times longer, a netlist longer to build


class Run(NamedTuple):
    """What one stimulus gave."""

    spikes: np.ndarray           # (n, 2) int64: tick, neuron, in order of arrival
    clock: np.ndarray            # (n,) int64: clocks from the end of the reset until the word was out
    cycles: int                  # until the last word was


def simulator() -> str:
    """The quickest one that this machine has; `Mistake` if none."""
    lacks = engines()
    for name in SERIES:
        if not lacks[name]:
            return name
    raise Mistake(f"nothing here simulates a circuit: {' or '.join(f'{lacks[n]} for {n}' for n in SERIES)} is missing: "
                  "pip install 'eventsnn[hardware]', or apt install verilator")


def series(folder: str | Path, runs: Sequence[vectors.Vector], by: str | None = None) -> list[Run]:
    """Simulate an exported circuit on each of these stimuli; only their `ticks` and `stimulus` are read."""
    folder, by = Path(folder).resolve(), by or simulator()
    if by not in SERIES:
        raise Mistake(f"a series takes no {by!r}{nearest(by, SERIES)}")
    vectors.opened(folder, "verilog")
    most = json.loads((folder / DESIGN).read_text("utf-8"))["most_spikes_of_a_source_per_tick"]
    for k, run in enumerate(runs):
        together = np.unique(run.stimulus, axis=0, return_counts=True)[1].max(initial=0)
        if together > most:
            raise Mistake(f"run {k} has {together} spikes of a source in one tick, and the circuit's sums have room "
                          f"for {most}: export with a stimulus that has as many")
    program = built(folder, by)
    with atomic(folder / "series.hex") as file:
        for run in runs:
            file.write(f"run {run.ticks}\n")
            file.writelines(f"{word:08x}\n" for word in vectors.words(run))
    said = call([str(program)], folder, by)
    if f"DONE runs {len(runs)}" not in said:
        raise Mistake(f"the simulation in {folder} did not end: {said.strip()[-300:]}")
    return list(heard(folder / "series.csv"))


def heard(path: Path) -> Iterator[Run]:
    """What the program wrote, run by run."""
    spikes, clock = list[tuple[int, int]](), list[int]()
    for line in path.read_text(encoding="utf-8").splitlines():
        _, tick, neuron, at = line.split(",")
        if tick == "end":
            yield Run(np.array(spikes, np.int64).reshape(-1, 2), np.array(clock, np.int64), int(at))
            spikes, clock = [], []
        else:
            spikes.append((int(tick), int(neuron)))
            clock.append(int(at))


def built(folder: Path, by: str) -> Path:
    """The program, made once per folder and manifest."""
    build = folder / "build" / f"series-{by}"
    program = build / "series"
    if program.exists() and program.stat().st_mtime > (folder / vectors.MANIFEST).stat().st_mtime:
        return program
    build.mkdir(parents=True, exist_ok=True)
    argument = json.loads((folder / DESIGN).read_text("utf-8"))["parameters"]["ARGUMENT"]
    source = build / "series.cc"
    with atomic(source) as file:
        file.write(Template(HERE.joinpath("templates/series.cc").read_text("utf-8")).substitute(argument=argument))
    sources = ["top.v", *(f"rtl/{name}.v" for name in RTL)]
    if by == "verilator":
        verilated(folder, program, ["--cc", "--exe", "--build", "-O3", *QUIET, "--top-module", "top", "-CFLAGS",
                                    "-DVERILATED -O2"], [source, *sources])
    else:
        core_cc(folder, build, sources)
        call([*compiler(), "-std=c++14", "-O1", "-I", str(runtime()), "-I", str(build), "-o", str(program),
              str(source)], folder, "the C++ compiler")
    return program
