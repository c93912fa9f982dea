"""states(folder, simulator): V, currents and refractory counts of tick_core after each tick, by simulation.

The circuit writes back a neuron's state at the end of its visit, and the testbench says so; a neuron that sleeps keeps
what it has.  iverilog and verilator look inside, CXXRTL does not.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import vectors
from .simulators import STATE, Ran, simulate
from .writer import DESIGN


class States(NamedTuple):
    """After each tick, in LSBs."""

    ran: Ran
    v: np.ndarray                # (ticks, neurons) int64
    left: np.ndarray             # (ticks, neurons) int64: ticks still to stand still
    currents: np.ndarray         # (ticks, neurons, currents) int64, of the receptors that have one
    visits: np.ndarray           # (ticks,) int64: neurons that were visited


def states(folder: str | Path, simulator: str = "iverilog", pressure: int = 0, seed: int = 1,
           reset: int | None = None) -> States:
    """Simulate with an eye on the state."""
    folder = Path(folder).resolve()
    ran = simulate(folder, simulator, pressure, seed, reset, (STATE.split(".")[0].upper(),))
    p = json.loads((folder / DESIGN).read_text("utf-8"))["parameters"]
    ticks, neurons = int(vectors.manifest(folder)["ticks"]), p["NEURONS"]
    v, left, visits = (np.zeros(shape, np.int64) for shape in ((ticks, neurons), (ticks, neurons), ticks))
    currents = np.zeros((ticks, neurons, p["CURRENTS"]), np.int64)
    seen = np.zeros((ticks, neurons), bool)
    for line in (folder / STATE).read_text("utf-8").splitlines():
        what, tick, j, *values = line.split(",")
        at = int(tick), int(j)
        if at[0] >= ticks:
            continue
        if what == "v":
            v[at], left[at] = int(values[0]), int(values[1])
            visits[at[0]] += 1
            seen[at] = True
        else:
            word = int(values[0], 16)
            fields = [word >> k * p["I"] & (1 << p["I"]) - 1 for k in range(p["CURRENTS"])]
            currents[at] = [x - (x >> p["I"] - 1 << p["I"]) for x in fields]
    last = np.maximum.accumulate(np.where(seen, np.arange(ticks)[:, None], 0), axis=0)
    mine = last, np.arange(neurons)[None, :]
    return States(ran, v[mine], left[mine], currents[mine], visits)
