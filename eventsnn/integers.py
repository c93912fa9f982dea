"""What integers cost a run, and whether the emulator that ran them equals the integer reference."""

from collections.abc import Callable
from typing import Any

import numpy as np

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
            "warnings": list(report["warnings"])}


def against_reference(run: Any, label: str, reference: Callable[..., Any] | None, work: int) -> dict[str, Any]:
    """The emulator beside the integer reference, spikes and V, for as many first ticks as `work` allows."""
    if reference is None:                    # by name, as `quantise` is handed out: the core never imports exporters
        import importlib

        reference = importlib.import_module("eventsnn.exporters.fixed.reference").run
    from .simulate import simulate

    network, tick = run.network, run.network.tick
    ticks = max(int(np.ceil(run.until / tick - 1e-9)), 1)
    cost = network.neurons + run.counters["synaptic_operations"] / ticks
    n = min(ticks, int((work - len(network.synapses.target)) // cost))
    if n < 1:
        return {"label": label, "ticks": 0, "equal": None,
                "why": f"{network.neurons:,} neurons and {len(network.synapses.target):,} synapses; work= allows more"}
    names = [p.name for p in network.populations if p.kind == "neuron"]
    sources = [p for p in network.populations if p.kind == "source"]
    emulated = simulate(network, n * tick, inputs=run.inputs, seed=run.provenance["seed"], record_at=tick,
                        backend=run.provenance["backend"],
                        record={**{name: ["v"] for name in names}, **{p.name: ["spikes"] for p in sources}})
    trace = reference(network, n * tick, {p.emitter + k: train.tolist() for p in sources
                                          for k, train in enumerate(emulated.sources[p.name].trains())})
    theirs = Spikes.make([t * tick for t, _ in trace.spikes], [j for _, j in trace.spikes], emulated.spikes.populations)
    v = np.array(trace.v, np.int64).reshape(n, network.neurons)
    same_v = all(np.array_equal(np.rint((emulated.recorded[p.name]["v"] - p.rest) / p.scale),
                                v[:, p.neuron:p.neuron + p.size]) for p in network.populations if p.kind == "neuron")
    same_run = run.spikes.before(n * tick) == emulated.spikes
    return {"label": label, "ticks": n, "of_ticks": ticks, "neurons": network.neurons, "spikes": len(theirs),
            "equal_spikes": theirs == emulated.spikes and same_run, "equal_v": bool(same_v),
            "equal": bool(theirs == emulated.spikes and same_run and same_v), "why": None}
