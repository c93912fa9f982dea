"""What integers cost a run, and whether the emulator that ran them equals the integer reference."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .network import Population
from .simulate import simulate
from .spikes import Spikes


def fixed(run: Any, label: str) -> dict[str, Any]:
    """What integers cost in this run, from the quantisation report and the emulator's counters."""
    network = run.network
    report = network.fixed.report
    dead = []
    for p in report["populations"]:
        v = run.recorded.get(p["name"], {}).get("v")
        if v is not None and v.size:
            population = network.by_name[p["name"]]
            lsb = np.abs(np.rint((v - population.rest) / population.scale))
            dead.append({"population": p["name"], "lsb": p["dead_zone_lsb"],
                         "occupancy": float(np.mean((lsb > 0) & (lsb <= p["dead_zone_lsb"])))})
    return {"label": label, "tick_ms": network.tick, "saturations": run.counters.get("saturations"),
            "weights": sum(q["synapses"] for q in report["projections"]),
            "zeroed_weights": sum(q["zeroed"] for q in report["projections"]),
            "clipped_weights": sum(q["clipped"] for q in report["projections"]), "dead_zones": dead,
            "tau_m_ms": [{"population": p["name"], **p["tau_m_ms"]} for p in report["populations"] if p["tau_m_ms"]],
            "tau_syn_ms": [{"population": p["name"], "receptor": c["receptor"], **c["tau_syn_ms"]}
                           for p in report["populations"] for c in p.get("currents", [])],
            "warnings": list(report["warnings"])}


def against_reference(run: Any, label: str, reference: Callable[..., Any] | None, work: int) -> dict[str, Any]:
    """The emulator beside the integer reference, spikes and states, for as many first ticks as `work` allows."""
    network, tick = run.network, run.network.tick
    if reference is None:                    # by name, as `quantise` is handed out: the core never imports exporters
        import importlib

        theirs = importlib.import_module("eventsnn.exporters.fixed.reference")
        unknown = [g.dynamics.name for g in network.groups if g.dynamics.name not in theirs.KINDS]
        if unknown:
            return {"label": label, "ticks": 0, "equal": None, "why": f"{unknown[0]} has a reference of its own"}
        reference = theirs.run
    ticks = max(int(np.ceil(run.until / tick - 1e-9)), 1)
    cost = network.neurons + run.counters["synaptic_operations"] / ticks
    n = min(ticks, int((work - len(network.synapses.target)) // cost))
    if n < 1:
        return {"label": label, "ticks": 0, "equal": None,
                "why": f"{network.neurons:,} neurons and {len(network.synapses.target):,} synapses; work= allows more"}
    sources = [p for p in network.populations if p.kind == "source"]
    neurons = [p for p in network.populations if p.kind == "neuron"]
    emulated = simulate(network, n * tick, inputs=run.inputs, seed=run.provenance["seed"], record_at=tick,
                        backend=run.provenance["backend"],
                        record={**{p.name: recordable(p) for p in neurons}, **{p.name: ["spikes"] for p in sources}})
    trace = reference(network, n * tick, {p.emitter + k: train.tolist() for p in sources
                                          for k, train in enumerate(emulated.sources[p.name].trains())})
    spikes = Spikes.make([t * tick for t, _ in trace.spikes], [j for _, j in trace.spikes], emulated.spikes.populations)
    same_spikes = spikes == emulated.spikes and run.spikes.before(n * tick) == emulated.spikes
    same = {"v": all(same_v(p, emulated.recorded[p.name]["v"], trace, n, network.neurons) for p in neurons)}
    if any("i" in recordable(p) for p in neurons):
        same["i"] = all(same_i(p, emulated.recorded[p.name]["i"], trace) for p in neurons if "i" in recordable(p))
    return {"label": label, "ticks": n, "of_ticks": ticks, "neurons": network.neurons, "spikes": len(spikes),
            "equal_spikes": same_spikes, **{f"equal_{name}": bool(equal) for name, equal in same.items()},
            "equal": bool(same_spikes and all(same.values())), "why": None}


def recordable(p: Population) -> list[str]:
    return ["v"] + ["i"] * any(name.rstrip("0123456789") == "i" for name in p.variables)


def same_v(p: Population, recorded: np.ndarray, trace: Any, ticks: int, neurons: int) -> bool:
    """V of a population in LSBs, at every tick."""
    v = np.array(trace.v, np.int64).reshape(ticks, neurons)[:, p.neuron:p.neuron + p.size]
    return np.array_equal(np.rint((recorded - p.rest) / p.scale), v)


def same_i(p: Population, recorded: np.ndarray, trace: Any) -> bool:
    """The currents of a population in LSBs, at every tick."""
    names = [name for name in p.variables if name.rstrip("0123456789") == "i"]
    theirs = np.array([[neuron[:len(names)] for neuron in tick[p.neuron:p.neuron + p.size]] for tick in trace.currents])
    units = np.array([p.units.get(name, np.ones(p.size)) for name in names]).T
    return np.array_equal(np.rint(np.divide(recorded, units, out=np.zeros_like(recorded), where=units != 0.0)), theirs)
