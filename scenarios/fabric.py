"""A balanced network on 1 to 64 cores: how late its spikes come, how many are lost, and where the network breaks.

Brunel's network in integers (see `balanced`) is placed on cores that a bus or a mesh connects, and run closed loop in
SimPy: a synapse whose word comes after its tick acts later, and the network goes on from there.  A core takes what the
circuit was measured to take, for a synapse and for a tick's end.  The load is the cores' own work per time, of synapses
or of ticks' ends, whichever is more; it rises as the clock slows.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from eventsnn.exporters import verilog
from eventsnn.scenarios import balanced

import eventsnn as es
from eventsnn import fabric, plot
from eventsnn.files import atomic
from eventsnn.placement import place

TICK, FAST, QUEUE = 0.1, 1000.0, 16              # ms, MHz of a clock that is never the trouble, words in a short queue


def stimulus(n: int) -> dict[str, Any]:
    """The drive of `balanced`; its sources are generators on the cores."""
    return balanced.stimulus(n)


def build(n: int = 1000) -> nx.DiGraph:
    """The network of `balanced`."""
    return balanced.build(n)


def measured(ran: fabric.Ran, emulated: es.Result, clock: float) -> dict[str, Any]:
    """One run in numbers."""
    latency = {q: cycles / clock for q, cycles in ran.percentiles().items()}           # microseconds
    return {"clock_mhz": clock, "spikes": len(ran.spikes), "equal": ran.spikes == emulated.spikes,
            "median_us": latency[50.0], "p99_us": latency[99.0], "late": ran.late / max(ran.acted, 1),
            "dropped": sum(ran.dropped.values()) / max(ran.copies + sum(ran.dropped.values()), 1),
            "inversions": ran.inversions, "core": ran.utilisation("core"), "sweep": ran.utilisation("sweep"),
            "between": max(ran.utilisation("bus"), ran.utilisation("link")), "stuck": ran.stuck}


def sweep(network: es.Network, emulated: es.Result, cores: int, loads: Sequence[float],
          costs: Mapping[str, float]) -> dict[str, Any]:
    """Bus and mesh with endless queues, and the mesh with short ones that drop, at each load."""
    core, until = place(network, cores), emulated.until
    kinds = {"mesh": fabric.of(costs, cores=cores), "bus": fabric.of(costs, cores=cores, topology="bus"),
             "mesh, short queues": fabric.of(costs, cores=cores, queue=QUEUE, link_queue=QUEUE, policy="drop-new")}
    fast = fabric.run(network, replace(kinds["mesh"], clock=FAST), until, core=core, emulated=emulated)
    work = max(sum(t.utilisation for name, t in fast.stations.items() if name.startswith(kind))
               for kind in ("core", "sweep")) * fast.cycles / cores
    found: dict[str, Any] = {"cores": cores, "cycles_per_ms": work / until, "entries": int(fast.entries.max()),
                             "in_time": fast.spikes == emulated.spikes and not fast.late}
    for name, kind in kinds.items():
        found[name] = []
        for load in loads:
            clock = work / until / 1e3 / load
            ran = fabric.run(network, replace(kind, clock=clock), until, core=core, emulated=emulated)
            found[name].append({"load": load, **measured(ran, emulated, clock)})
    return found


def slowest(runs: Sequence[Mapping[str, Any]]) -> float:
    """The slowest clock (MHz) up to which the spikes are the emulator's; inf if they never are."""
    good = float("inf")
    for run in sorted(runs, key=lambda run: -run["clock_mhz"]):
        if not run["equal"]:
            break
        good = run["clock_mhz"]
    return good


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    sweeps = outcome["sweeps"]
    first, last = sweeps[0], sweeps[-1]
    mesh = {s["cores"]: slowest(s["mesh"]) for s in sweeps}
    bus = {s["cores"]: slowest(s["bus"]) for s in sweeps}
    lossy = [s["mesh, short queues"][0]["dropped"] for s in (first, last)]
    return [
        (f"with a fast clock {', '.join(str(s['cores']) for s in sweeps)} cores give the emulator's spikes",
         all(s["in_time"] for s in sweeps)),
        (f"one core needs {mesh[first['cores']]:.3g} MHz for them, {last['cores']} on a mesh {mesh[last['cores']]:.3g}",
         mesh[last["cores"]] < mesh[first["cores"]]),
        (f"a bus between {last['cores']} cores needs {bus[last['cores']]:.3g} MHz",
         bus[last["cores"]] < mesh[first["cores"]]),
        (f"the 99th percentile of the latency rises with the load, on {last['cores']} cores from "
         f"{last['mesh'][0]['p99_us']:.3g} to {last['mesh'][-1]['p99_us']:.3g} microseconds",
         last["mesh"][-1]["p99_us"] > last["mesh"][0]["p99_us"]),
        (f"queues of {QUEUE} words lose {100 * lossy[0]:.2g} % on {first['cores']} core and {100 * lossy[1]:.2g} % on "
         f"{last['cores']}, at load {first['mesh'][0]['load']:g}", lossy[0] > lossy[1]),
        ("no word is stuck", not any(run["stuck"] for s in sweeps for kind in ("mesh", "bus") for run in s[kind])),
    ]


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *, n: int | None = None,
         until: float | None = None, cores: Sequence[int] | None = None, loads: Sequence[float] | None = None,
         bits: int = 8, rtl: int = 0, seed: int = 1) -> dict[str, Any]:
    """Quantise, emulate, then run on every number of cores at every load; `small` has 250 neurons and 5 ms.

    rtl=1: what a core takes is measured on this network's circuit, in simulation; else it is what was measured before.
    """
    n, until = n or (250 if small else 1000), until or (5.0 if small else 20.0)
    cores = cores or ((1, 4, 16) if small else (1, 4, 16, 64))
    loads = loads or ((0.1, 0.5, 1.5) if small else (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5))
    network = es.quantise(es.compile(build(n), seed=seed), tick=TICK, weight_bits=bits)
    emulated = fabric.emulate(network, until)
    say(f"{network.neurons:,} neurons, {len(network.synapses.target):,} synapses, {len(emulated.spikes):,} spikes in "
        f"{until:g} ms")
    costs = verilog.costs(network) if rtl else fabric.EVENT_CORE
    say("a core takes " + ", ".join(f"{cycles:.3g} {name.replace('_', ' ')}" for name, cycles in costs.items()))
    outcome: dict[str, Any] = {"n": n, "until": until, "costs": dict(costs), "sweeps": []}
    for number in cores:
        found = sweep(network, emulated, int(number), [float(load) for load in loads], costs)
        outcome["sweeps"].append(found)
        say(f"{number} cores: {found['cycles_per_ms']:.0f} cycles of work per core and ms, at most {found['entries']} "
            f"routing entries; slowest clock {slowest(found['mesh']):.3g} MHz, {slowest(found['bus']):.3g} with a bus")
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome), out / "fabric.png")
        with atomic(out / "fabric.json") as file:
            json.dump(outcome, file, indent=1)
        say(f"wrote fabric.png and fabric.json into {out}")
    return outcome


def draw(outcome: Mapping[str, Any]) -> Any:
    """Latency, lateness and losses over the load, and the slowest clock over the number of cores."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    (latency, late), (lost, clock) = figure.subplots(2, 2)
    sweeps = outcome["sweeps"]
    shades = colormaps["viridis"](np.linspace(0.05, 0.8, len(sweeps)))
    for s, colour in zip(sweeps, shades, strict=True):
        loads = [run["load"] for run in s["mesh"]]
        label = f"{s['cores']} core{'s' if s['cores'] > 1 else ''}"
        latency.loglog(loads, [run["p99_us"] for run in s["mesh"]], color=colour, label=label)
        latency.loglog(loads, [run["median_us"] for run in s["mesh"]], color=colour, ls=":")
        late.semilogx(loads, [100 * run["late"] for run in s["mesh"]], color=colour, label=label)
        late.semilogx(loads, [100 * run["late"] for run in s["bus"]], color=colour, ls="--")
        lost.semilogx(loads, [100 * run["dropped"] for run in s["mesh, short queues"]], color=colour, label=label)
    latency.set(xlabel="load of the cores", ylabel="latency (microseconds)")
    latency.set_title("99th percentile, and median (dotted), on a mesh", loc="left", fontsize=10)
    late.set(xlabel="load of the cores", ylabel="synapses that act too late (%)")
    late.set_title("mesh, and bus (dashed)", loc="left", fontsize=10)
    lost.set(xlabel="load of the cores", ylabel="words lost (%)")
    lost.set_title(f"queues of {QUEUE} words that drop the newest", loc="left", fontsize=10)
    numbers = [s["cores"] for s in sweeps]
    for name, colour in (("mesh", plot.FIRST), ("bus", plot.SECOND)):
        clock.loglog(numbers, [slowest(s[name]) for s in sweeps], "o-", color=colour, label=name)
    clock.set(xlabel="cores", ylabel="slowest clock (MHz)", xticks=numbers, xticklabels=[str(k) for k in numbers])
    clock.minorticks_off()
    clock.set_title("up to which the spikes are the emulator's", loc="left", fontsize=10)
    for axis in (latency, clock):
        axis.legend(frameon=False, fontsize=8)
    for axis in (latency, late, lost, clock):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main(Path("out/fabric"))
