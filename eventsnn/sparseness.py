"""What a run cost in events, beside a clocked and a dense core doing the same job, energies, and NeuroBench's metrics.

Event-driven, as counted by the run: an operation per spike and synapse it reaches; an update per neuron and instant
with input.  Words: 1 per operation (the synapse), 2 S per update and per spike (S state words, read and written), 2 per
spike of any emitter (where its row begins and ends).

The dense core updates every neuron at every tick and, as it skips nothing, multiplies every cell of every projection's
full matrix (sources x targets, for each pair of populations and receptor with a synapse between them) at every tick:
the "Dense" of NeuroBench.  Words: 1 per cell and 2 S per neuron, each tick.

The clocked core is what most chips are: synapses are touched by spikes, as above, but every neuron is updated at every
tick.

Awake fraction: neuron updates per neuron and tick (in continuous time several may fall into one tick).
NeuroBench (Yik et al. 2025): footprint in bytes as stored; connection sparsity, the share of a matrix's cells without a
weight; activation sparsity, the share of (neuron, tick) cells without a spike; synaptic operations per run:
Effective_MACs (a weight and an activation other than 0 or +-1: none, spikes are binary), Effective_ACs (a weight and a
spike), Dense (as if nothing were zero).
"""

from typing import Any

import numpy as np

from .bits import memory_bits
from .energy import energy
from .network import Network, flat
from .result import Result
from .stimuli import trains
from .streams import expected

TICK = 0.1               # ms, of the dense core where both runs are in continuous time: quantise's default


def sparseness(result: Result, tick: float) -> dict[str, Any]:
    """All counts of a run; the dense core's and NeuroBench's need the network."""
    operations = int(result.counters["synaptic_operations"])
    updates = int(result.counters["neuron_updates"])
    spikes = int(result.counters["spikes"])
    network: Network | None = result.network
    counts: dict[str, Any] = {"synaptic_operations": operations, "neuron_updates": updates, "spikes": spikes}
    if network is None:
        return counts
    words, ticks = state_words(network), max(int(np.ceil(result.until / tick - 1e-9)), 1)
    sent = spikes + source_spikes(result)
    cells, used = matrix_cells(network)
    event = {"synaptic_operations": operations, "neuron_updates": updates,
             "memory_words": operations + 2 * words * (updates + spikes) + 2 * sent}
    clocked = {"synaptic_operations": operations, "neuron_updates": network.neurons * ticks,
               "memory_words": operations + 2 * words * network.neurons * ticks + 2 * sent}
    dense = {"synaptic_operations": cells * ticks, "neuron_updates": network.neurons * ticks,
             "memory_words": (cells + 2 * words * network.neurons) * ticks}
    active = np.unique(np.floor(result.spikes.time / tick + 1e-9) * network.neurons + result.spikes.neuron)
    return {**counts, "memory_words": event["memory_words"], "source_spikes": sent - spikes, "tick_ms": tick,
            "ticks": ticks, "awake_fraction": updates / (network.neurons * ticks), "dense": dense, "clocked": clocked,
            "dense_over_event": {name: dense[name] / event[name] if event[name] else None for name in event},
            "energy": {name: energy({**machine, "spikes": spikes})
                       for name, machine in (("event", event), ("clocked", clocked), ("dense", dense))},
            "neurobench": {"footprint_bytes": footprint(network),
                           "connection_sparsity": 1.0 - used / cells if cells else None,
                           "activation_sparsity": 1.0 - len(active) / (network.neurons * ticks),
                           "synaptic_operations": {"Effective_MACs": 0, "Dense": cells * ticks,
                                                   "Effective_ACs": operations - ineffective(result)}}}


def state_words(network: Network) -> int:
    """Words of one neuron's state: V, the time it is of, and a current per receptor that has one."""
    return 1 + max((len(p.variables) for p in network.populations if p.kind == "neuron"), default=1)


def source_spikes(result: Result) -> int:
    """Spikes of the sources: counted where given or recorded, else expected."""
    total = float(np.count_nonzero(trains(result.network, result.inputs).time < result.until))
    for p in result.network.populations:
        if p.kind == "source" and p.name in result.sources and p.model != "spikes":
            total += len(result.sources[p.name])
        elif p.kind == "source" and p.model != "spikes":
            total += expected(p, result.until)
    return round(total)


def matrix_cells(network: Network) -> tuple[int, int]:
    """Cells of all projections' full matrices, and how many of them hold a weight other than 0."""
    table = network.synapses
    emitting = sorted((p for p in network.populations if p.kind != "current"), key=lambda p: p.emitter)
    receiving = sorted((p for p in network.populations if p.kind == "neuron"), key=lambda p: p.neuron)
    emitter = np.repeat(np.arange(network.emitters), np.diff(table.first_row))
    source = np.searchsorted([p.emitter for p in emitting], emitter, side="right") - 1
    target = np.searchsorted([p.neuron for p in receiving], table.target[table.first[:-1]], side="right") - 1
    receptors = int(table.receptor.max(initial=0)) + 1
    code = (source * len(receiving) + target) * receptors + table.receptor     # a row leads to one population
    between = np.bincount(code, minlength=len(emitting) * len(receiving) * receptors) > 0
    sizes = np.multiply.outer(np.array([p.size for p in emitting]), np.array([p.size for p in receiving]))
    cells = int((between.reshape(*sizes.shape, receptors) * sizes[..., None]).sum())
    used = int(np.diff(table.first)[(table.varied < 0) & (table.weight != 0)].sum()) + np.count_nonzero(table.weights)
    return cells, min(used, cells)


def ineffective(result: Result) -> int:
    """Operations of synapses whose weight is 0: NeuroBench's effective ones leave them out."""
    network = result.network
    table = flat(network.synapses)
    zero = np.flatnonzero(table.weight == 0)
    if not len(zero):
        return 0
    spikes, unit, total = emitted(result), network.tick or 1.0, 0.0
    for e in np.unique(table.emitter[zero]).tolist():
        mine = zero[table.emitter[zero] == e]
        told = spikes[e]
        if isinstance(told, float):
            total += told * float(table.count[mine].sum())
        else:
            sent = np.searchsorted(told, result.until - table.delay[mine] * unit)
            total += float((sent * table.count[mine]).sum())
    return round(total)


def emitted(result: Result) -> list[np.ndarray | float]:
    """Of each emitter its spike times in ms or, of a random source that was not recorded, how many to expect."""
    given = trains(result.network, result.inputs)
    found: list[np.ndarray | float] = [0.0] * result.network.emitters
    for p in result.network.populations:
        if p.kind == "current":
            continue
        for k in range(p.size):
            if p.kind == "source" and p.model != "spikes" and p.name not in result.sources:
                found[p.emitter + k] = expected(p, result.until) / p.size
            elif p.kind == "source" and p.model == "spikes":
                found[p.emitter + k] = np.sort(given.time[given.emitter == p.emitter + k])
        if p.kind == "neuron" or p.name in result.sources:
            own = result.spikes.of(p.name) if p.kind == "neuron" else result.sources[p.name]
            found[p.emitter:p.emitter + p.size] = own.trains()
    return found


def footprint(network: Network) -> int:
    """Bytes: of the tables as they are, or of an integer network as its formats pack it (see `bits.py`)."""
    if network.fixed is not None:
        return -(-sum(memory_bits(network).values()) // 8)
    records = sum(group.params.nbytes + group.state.nbytes for group in network.groups)
    return records + sum(column.nbytes for column in network.synapses)
