"""The hardware core measured: clocks, place and route, mutants.

A network of 256 neurons and 4096 synapses (8-bit weights, 24-bit V, decay by table), all delays one tick: 8 sources
onto every neuron, each neuron onto 8.  "Dense": all sources spike at every tick; "sparse": one in ten, at random;
"empty": ticks in which nothing happens.  f_max is that of the slowest of the seeds.

rtl_mutants.py has the mutants.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from eventsnn.exporters import vectors, verilog
from eventsnn.exporters.verilog.simulators import simulate

import eventsnn as es

from .rtl_mutants import hunted

DEVICES = ("up5k", "hx8k", "ecp5-25k")
MUTANTS = 200
TICK = 0.1


def dense(ticks: int, active: float = 1.0) -> Any:
    rng = np.random.default_rng(1)
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=8, times=[(np.flatnonzero(rng.random(ticks) < active) * TICK).tolist()
                                                    for _ in range(8)])
    g.add_node("n", model="lif", size=256, v_rest=0.0, v_reset=0.0, v_thresh=20.0, tau_m=10.0, tau_refrac=1.0)
    g.add_edge("in", "n", rule="all_to_all", weight={"normal": [0.5, 1.0]}, delay=TICK)
    g.add_edge("n", "n", rule="fixed_outdegree", outdegree=8, weight={"normal": [0.0, 1.0]}, delay=TICK)
    return es.quantise(es.compile(g, seed=1), tick=TICK, decay="lut")


def clocks(folder: Path, ticks: int = 200) -> dict[str, float]:
    """Clocks per synaptic operation, and of an empty tick."""
    told = {}
    for name, active in (("dense", 1.0), ("sparse", 0.1)):
        verilog.write(dense(ticks, active), folder / name, until=ticks * TICK, backend="python")
        ran = simulate(folder / name)
        if ran.spikes != vectors.expected(folder / name):
            raise SystemExit(f"the circuit does not equal the emulator in {folder / name}")
        told[name] = ran
    found = {"cycles_per_synop": told["dense"].cycles / told["dense"].operations,
             "cycles_per_synop_sparse": told["sparse"].cycles / told["sparse"].operations,
             "operations_per_tick_sparse": told["sparse"].operations / ticks}
    cycles = []
    for n in (10, 1010):
        verilog.write(dense(1), folder / f"empty{n}", until=n * TICK, backend="python")
        cycles.append(simulate(folder / f"empty{n}").cycles)
    return found | {"cycles_empty_tick": (cycles[1] - cycles[0]) / 1000}


def routed(folder: Path, seeds: int) -> dict[str, Any]:
    """f_max and resources per device."""
    told: dict[str, Any] = {"fmax_mhz": {}, "fmax_mhz_all": {}, "used": {}}
    for device in DEVICES:
        found = [verilog.report(folder, device, seed, simulator=None) for seed in range(1, seeds + 1)]
        told["fmax_mhz_all"][device] = [r["fmax_mhz"] for r in found]
        told["fmax_mhz"][device] = min(told["fmax_mhz_all"][device])
        told["used"][device] = found[0]["used"]
    return told


def measured(seeds: int = 3, mutants: int = MUTANTS) -> dict[str, Any]:
    """All of it; each part is told on standard error when it is done."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told: dict[str, Any] = {"name": "rtl", "peer": None}
        for part in (lambda: clocks(folder), lambda: hunted(folder / "mutants", mutants),
                     lambda: routed(folder / "dense", seeds)):
            found = part()
            print(json.dumps(found), file=sys.stderr, flush=True)
            told |= found
        told["synops_per_second"] = {device: mhz * 1e6 / told["cycles_per_synop"]
                                     for device, mhz in told["fmax_mhz"].items()}
        return told
