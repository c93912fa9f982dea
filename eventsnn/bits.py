"""How many bits of memory an integer network takes, part by part: the formula of `tune` and of NeuroBench's footprint.

    weights     WW per synapse: its mantissa
    targets     ceil(log2 N) per synapse, N neurons
    delays      ceil(log2(D + 1)) per row of synapses (per synapse, where each has its own), D the longest in ticks
    pointers    ceil(log2(S + 1)) per row and per emitter: where it begins among S synapses
    state       per neuron VW, IW per current, and what tells time: ceil(log2(R + 1)) of a refractory countdown, and in
                event mode TW, the tick V is of; without what sums up a tick's arrivals
    constants   per population threshold and reset of VW each, R, bias, shifts of 5 bits per projection into it (and per
                current into V); what differs between neurons counts per neuron
    tables      decay factors of LF (DF) bits: every entry of each different table, 1 for `mul`; likewise of currents

N, S and the rest are the network's own; nothing is rounded up to a byte or a word.
"""

from typing import Any

import numpy as np

from .network import Network

SHIFT = 5
REGISTERS = {"du": 12, "dv": 12, "vth": 17, "threshold": 16, "dash_mem": 4, "dash_syn": 8}    # of the chips' profiles


def memory_bits(network: Network) -> dict[str, int]:
    """Bits by part."""
    table, formats = network.synapses, network.fixed.formats
    receiving = sorted((p for p in network.populations if p.kind == "neuron"), key=lambda p: p.neuron)
    arriving = np.bincount(np.searchsorted([p.neuron for p in receiving], table.target, side="right") - 1,
                           minlength=len(receiving))
    synapses, rows = len(table.target), len(table.delay)
    own = int(np.diff(table.first)[table.spread >= 0].sum())
    bits = dict.fromkeys(("weights", "targets", "delays", "pointers", "state", "constants", "tables"), 0)
    bits["targets"] = synapses * width(network.neurons - 1)
    bits["delays"] = (rows - int((table.spread >= 0).sum()) + own) * width(int(network.max_delay))
    bits["pointers"] = (rows + network.emitters) * width(synapses)
    for p, n in zip(receiving, arriving.tolist(), strict=True):
        form, group = formats[p.name], network.groups[p.group]
        records: Any = group.params[p.offset:p.offset + p.size]
        bits["weights"] += n * form.weight_bits
        counted = width(int(records["refrac"].max(initial=0))) if "refrac" in records.dtype.names else 0
        age = form.time_bits if form.mode == "event" else 0
        bits["state"] += p.size * (form.bits + sum(c.bits for c in form.currents) + counted + age)
        shifts = SHIFT * (sum(q.target == p.name for q in network.fixed.projections) + len(form.currents))
        bits["constants"] += shifts + sum(many * w for many, w in (
            (different(records, "theta"), form.bits), (different(records, "reset"), form.bits),
            (different(records, "bias"), form.bits), (different(records, "refrac"), counted)))
        bits["tables"] += entries(records) * form.decay_bits
        if "rate_i" in records.dtype.names:
            bits["tables"] += sum(factors(records["rate_i"][:, c.receptor]) * c.decay_bits for c in form.currents)
        bits["constants"] += sum(different(records, name) * w for name, w in REGISTERS.items())
    return bits


def width(largest: int) -> int:
    """Bits of an unsigned number up to `largest`."""
    return max(int(largest).bit_length(), 1)


def different(records: Any, name: str) -> int:
    """1 where all neurons have the same (0 where nobody has any), else one each."""
    if name not in records.dtype.names or not len(records) or (name == "bias" and not records[name].any()):
        return 0
    return 1 if (records[name] == records[name][0]).all() else len(records)


def factors(rates: np.ndarray) -> int:
    return len(np.unique(rates[rates > 0]))


def entries(records: Any) -> int:
    """Decay factors of a population, equal tables counted once."""
    if "fine" not in records.dtype.names:
        return factors(records["rate"]) if "rate" in records.dtype.names else 0
    used = records[records["length"] > 0]
    found = factors(records["rate"])
    for length, fine_bits in np.unique(np.stack([used["length"], used["fine_bits"]], axis=-1), axis=0).tolist():
        mine = used[(used["length"] == length) & (used["fine_bits"] == fine_bits)]
        found += len(np.unique(mine["coarse"], axis=0)) * (length >> fine_bits)
        found += len(np.unique(mine["fine"], axis=0)) * (1 << fine_bits)
    return found
