"""Target "c": an integer network as C99, tables beside a hand-written event loop that any compiler takes.

    network.h                         the tables
    eventsnn.h, eventsnn_types.h      the event loop and its arithmetic: no heap, no floating point, no recursion
    main.c, replay.h, stimulus.h      a program that replays the recorded stimulus and prints the spikes
    port_*.c, *.ld, library.c         what that takes on the host, on bare Cortex-M and RV32, on big-endian MIPS
    Makefile, README.md               how to build it, and how to use the network in a program of one's own

`run` builds and runs a folder, on the host or on a machine that QEMU emulates; `report` tells its size.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.files import atomic
from eventsnn.network import Network
from eventsnn.spikes import Spikes

from .. import checks
from .build import MACHINES, RUNTIME, available, missing, printed, program, sizes, symbols, workshop
from .tables import network_h, stimulus_h

NAME, TARGET = "net", "c"
SOURCES = sorted(path.name for path in RUNTIME.iterdir())
__all__ = ["MACHINES", "available", "engines", "missing", "report", "run", "symbols", "traced", "write"]


class Trace(NamedTuple):
    """What a run prints."""

    spikes: np.ndarray           # (n, 2) int64: tick, neuron
    v: np.ndarray                # (n, 3) int64: tick, neuron, LSBs above rest; only where it was asked for
    currents: np.ndarray         # (n, 4) int64: tick, neuron, receptor, LSBs; likewise, and in tick mode only
    saturations: int


def write(network: Network, folder: str | Path, inputs: Mapping[Any, Any] | None = None,
          until: float | None = None) -> list[Path]:
    """Write the export; with `until` (ms) also the stimulus of that run and the emulator's spikes; the paths."""
    checks.exportable(network)
    folder = Path(folder)
    vector = checks.recorded(network, inputs, until)
    texts = {name: (RUNTIME / name).read_text(encoding="utf-8") for name in SOURCES}
    texts["network.h"] = network_h(network, NAME)
    if vector is not None:
        texts["stimulus.h"] = stimulus_h(vector, NAME)
    for name, text in texts.items():
        with atomic(folder / name) as file:
            file.write(text)
    return checks.complete(TARGET, network, folder, vector, [folder / name for name in texts])


def run(folder: str | Path, target: str = "host") -> Spikes:
    """Build a folder's replay, run it, and give its spikes: "host", "cortex-m0", "cortex-m3", "rv32" or "mips".

    Raises `Mistake` if a tool is missing, a file is damaged, or the program does not fit the machine.
    """
    found = checks.opened(folder, TARGET)
    return checks.to_spikes(traced(folder, target, ()).spikes, found.network)


def engines() -> dict[str, str]:
    """Where it can run, and what this machine lacks for it."""
    return {target: f"needs {tool}: apt-get install {machine.package}" if (tool := missing(target)) else ""
            for target, machine in MACHINES.items()}


def traced(folder: str | Path, target: str = "host", flags: tuple[str, ...] = ("-DEVENTSNN_TRACE",)) -> Trace:
    """A run with V of every neuron after every tick that was not skipped."""
    folder = Path(folder)
    if not (folder / "stimulus.h").exists():
        raise Mistake(f"{folder} has no stimulus to replay: export with until")
    with workshop() as place:
        return parsed(printed(target, program(target, folder / "main.c", Path(place) / "replay", folder, flags)))


def parsed(text: str) -> Trace:
    """What replay.h prints."""
    spikes, v, currents, saturations = [], [], [], None
    for line in text.splitlines():
        words = line.split(",")
        if words[0] == "v":
            v.append([int(word) for word in words[1:]])
        elif words[0] == "i":
            currents.append([int(word) for word in words[1:]])
        elif words[0] == "end":
            saturations = int(words[2])
        else:
            spikes.append([int(word) for word in words])
    if saturations is None:
        raise Mistake("the replay stopped before its end")
    return Trace(np.array(spikes, np.int64).reshape(-1, 2), np.array(v, np.int64).reshape(-1, 3),
                 np.array(currents, np.int64).reshape(-1, 4), saturations)


def report(folder: str | Path, target: str = "host") -> dict[str, Any]:
    """Bytes of code, of constant tables and of RAM (without the stack) of a folder's replay, its stimulus included."""
    folder = Path(folder)
    checks.opened(folder, TARGET)
    with workshop() as place:
        binary = program(target, folder / "main.c", Path(place) / "replay", folder)
        soft = [name for name in symbols(target, binary) if is_soft_float(name)] if MACHINES[target].script else []
        return {"target": target, **sizes(target, binary), "soft_float": soft}


def is_soft_float(name: str) -> bool:
    """Whether a symbol is one of the functions that stand in for floating-point hardware."""
    arm = name.startswith(("__aeabi_d", "__aeabi_f", "__aeabi_cd", "__aeabi_cf")) and "divmod" not in name
    ends = ("sf2", "df2", "sf3", "df3", "sfsi", "dfsi", "sfdi", "dfdi", "sisf", "sidf", "disf", "didf")
    return arm or (name.startswith("__") and name.endswith(ends))
