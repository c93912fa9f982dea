"""An integer network as what the RTL library is told: parameters, and one memory image per memory.

    rows.hex       {nonempty, start, length - 1} of each row: neurons first, then sources, in node order
    synapses.hex   {delay - DELAY_LEAST, weight >> SHIFT, neuron}, row by row
    kinds.hex      the kind of each neuron: neurons of equal parameters share one
    dynamics.hex   {none, step, length, rate, coarse base, fine base, V at tick 0} of each kind
    limits.hex     {never, subtract, theta, reset, mask} of each kind
    coarse.hex, fine.hex   the decay tables of all kinds, one after the other; index 0, the identity, is not looked up

Several cores have rows00.hex, rows01.hex, ..., synapses and kinds likewise; each counts rows and neurons from its own
first neuron on (several.py).  Networks differ in these only, never in logic.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network, flat

from ..fixed import lif
from ..fixed.format import NEVER
from ..vectors import Vector, rows

KINDS = {lif.NONE: 0, lif.LINEAR: 1, lif.LUT: 2}
BURST = 4                  # spikes of a source in one tick that the sums have room for, where no stimulus says more
SMALLEST = 5               # bits of a neuron's number: a word of `touched` is 16 neurons, and there are two at least


class Design(NamedTuple):
    """What the writer writes."""

    parameters: dict[str, int]
    images: dict[str, Sequence[int]]
    burst: int
    bases: tuple[int, ...] = ()          # of several cores: each one's first neuron, and the number of neurons


def width(n: int) -> int:
    """Bits that count from 0 to n - 1, at least one."""
    return max(1, (n - 1).bit_length())


def signed(low: int, high: int) -> int:
    """Bits of a two's complement number from low to high."""
    return 1 + max((~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length())


def packed(*fields: tuple[int, int]) -> int:
    """(value, bits) from the high end down, as one number."""
    word = 0
    for value, bits in fields:
        if not -(1 << bits) < value < 1 << bits:
            raise Mistake(f"{value} does not fit {bits} bits")
        word = word << bits | value & ((1 << bits) - 1)
    return word


def design(network: Network, vector: Vector | None = None, bases: tuple[int, ...] = ()) -> Design:
    """Parameters and images of a network in event mode; `Mistake` for what the core cannot be told."""
    (group,) = network.groups
    neurons = np.empty(network.neurons, np.int64)
    neurons[group.neuron] = np.arange(network.neurons)
    params: Any = group.params[neurons]
    start = group.state.v[neurons]
    images: dict[str, Sequence[int]] = {}
    most = max(b - a for a, b in pairwise(bases or (0, network.neurons)))
    parameters: dict[str, int] = {"NEURONS": network.neurons, "NEURON": max(SMALLEST, width(most))}
    parameters["V"] = same(params.top, "v_bits").bit_length() + 1
    burst = bursts(network, params, vector)
    parameters |= connected(network, burst, parameters["NEURON"], images, bases=bases)
    parameters |= dynamics(params, start, parameters, images, bases)
    return Design(parameters, images, int(burst[network.neurons:].max(initial=1)), bases)


def same(values: Any, what: str) -> int:
    if np.any(values != values[0]):
        raise Mistake(f"the core has one {what} for all neurons, and these differ: quantise all populations alike")
    return int(values[0])


def bursts(network: Network, params: Any, vector: Vector | None) -> np.ndarray:
    """How often each row can spike in one tick."""
    found = np.ones(network.emitters, np.int64)
    again = (params.subtract != 0) & (params.theta < NEVER)
    found[:network.neurons][again] += ((params.top - params.theta) // (params.theta - params.reset))[again]
    found[network.neurons:] = bursts_of_sources(network, vector)
    return found


def bursts_of_sources(network: Network, vector: Vector | None) -> np.ndarray:
    """How often each source spikes in one tick."""
    if vector is None:
        return np.full(network.emitters - network.neurons, BURST, np.int64)
    found = np.ones(network.emitters, np.int64)
    if len(vector.stimulus):
        each, count = np.unique(vector.stimulus, axis=0, return_counts=True)
        np.maximum.at(found, each[:, 1], count)
    return found[network.neurons:]


def connected(network: Network, burst: np.ndarray, neuron: int, images: dict[str, Sequence[int]],
              ports: int = 1, direct: int = 1, port_of: Callable[[Any], np.ndarray] | None = None,
              bases: tuple[int, ...] = ()) -> dict[str, int]:
    """Rows and synapses; `port_of` the table of synapses: to which of its target's `ports` sums each one adds, of which
    the first `direct` ones have a shift of their own."""
    table, order = flat(network.synapses), rows(network)
    row_of = np.empty(network.emitters, np.int64)
    row_of[order] = np.arange(network.emitters)
    row = row_of[table.emitter]
    by_row = np.argsort(row, kind="stable")
    row, target = row[by_row], table.target[by_row].astype(np.int64)
    weight, delay = table.weight[by_row].astype(np.int64), table.delay[by_row].astype(np.int64)
    port = port_of(table)[by_row] if port_of else np.zeros(len(row), np.int64)
    shift, other = zeros_of(weight[port < direct]), zeros_of(weight[port >= direct])
    mantissa = weight >> np.where(port < direct, shift, other)
    least, most = (int(delay.min()), int(delay.max())) if len(delay) else (1, 1)
    total = np.zeros(network.neurons * ports, np.int64)
    np.add.at(total, target * ports + port, np.abs(mantissa) * burst[row])
    mine = [np.flatnonzero((target >= a) & (target < b)) for a, b in pairwise(bases or (0, network.neurons))]
    length = [np.bincount(row[own], minlength=network.emitters) for own in mine]
    slots = most + 1 + (most + 1) % 2
    p = {"SYNAPSES": len(row), "ROW": max(neuron, width(network.emitters)),
         "SYNAPSE": width(max(len(own) for own in mine)), "LENGTH": width(int(max(n.max(initial=1) for n in length))),
         "WEIGHT": signed(int(mantissa.min(initial=0)), int(mantissa.max(initial=1))),
         "DELAY": (most - least).bit_length(), "DELAY_LEAST": least, "SHIFT": shift, "SLOTS": slots,
         "SLOT": width(slots), "PLACE": neuron + (slots // 2 - 1).bit_length()}
    p["SUM"] = max(p["WEIGHT"] + 1, int(total.max(initial=1)).bit_length() + 1)
    p["ARGUMENT"] = max(16, p["ROW"])
    if port_of:
        p |= {"PORTS": ports, "PORT": (ports - 1).bit_length(), "DIRECT": direct, "I_SHIFT": other}
    for name, base, own, lengths in zip(numbered(bases), bases[:-1] or (0,), mine, length, strict=True):
        first = np.cumsum(lengths) - lengths
        words = padded([packed((int(n > 0), 1), (int(at) if n else 0, p["SYNAPSE"]), (max(int(n) - 1, 0), p["LENGTH"]))
                        for at, n in zip(first, lengths, strict=True)], p["ROW"])
        images[f"rows{name}"] = words[base:] + words[:base]
        images[f"synapses{name}"] = padded(
            [packed((k, p.get("PORT", 0)), (d - least, p["DELAY"]), (w, p["WEIGHT"]), (t - base, neuron)) for k, d, w, t
             in zip(*(x[own].tolist() for x in (port, delay, mantissa, target)), strict=True)], p["SYNAPSE"])
    return p


def numbered(bases: tuple[int, ...]) -> list[str]:
    """What each core's own images have after their names; nothing, where there is but one core."""
    return [f"{k:02d}" for k in range(len(bases) - 1)] if bases else [""]


def zeros_of(weight: np.ndarray) -> int:
    """How many low bits are 0 in all of them."""
    union = int(np.bitwise_or.reduce(np.abs(weight), initial=0))
    return (union & -union).bit_length() - 1 if union else 0


def dynamics(params: Any, start: Any, known: Mapping[str, int], images: dict[str, Sequence[int]],
             bases: tuple[int, ...] = ()) -> dict[str, int]:
    """Kinds of neurons."""
    if (params.decay == lif.MUL).any():
        raise Mistake('decay = "mul" acts at every tick, which the event core does not: quantise with decay "lut" or '
                      '"linear"')
    v, neuron = known["V"], known["NEURON"]
    records = [record.tobytes() + int(s).to_bytes(8, "little", signed=True)
               for record, s in zip(params, start, strict=True)]
    kind_of = {r: k for k, r in enumerate(dict.fromkeys(records))}
    shown = [records.index(r) for r in kind_of]
    kinds, inits = params[shown], start[shown]
    decay = max((KINDS[int(d)] for d in kinds.decay), default=0)
    linear, lut = kinds.decay == lif.LINEAR, kinds.decay == lif.LUT
    length = np.where(lut, kinds.length, np.where(linear, -(-kinds.top // np.maximum(kinds.rate, 1)) + 1, 1))
    mask = np.where(kinds.subtract != 0, 0, np.maximum(kinds.refrac - 1, 0))
    age = max(int(length.max()) + (1 << neuron) + 2, int(mask.max()) + 2).bit_length() + 1
    fine_bits = int(kinds.fine_bits[lut].min(initial=62)) if lut.any() else 6
    coarse: list[int] = []
    fine: list[int] = []
    begun: dict[str, tuple[int, int]] = {}
    factor = int(kinds.bits[lut].max()) if lut.any() else 16
    base_of: dict[int, tuple[int, int]] = {}
    for k in np.flatnonzero(lut).tolist():
        finer = factor - int(kinds.bits[k])            # x * (entry << finer) >> factor is x * entry >> bits
        tables = [[int(entry) << finer for entry in table] for table in
                  (kinds.coarse[k][:-(-int(length[k]) >> int(kinds.fine_bits[k]))],
                   kinds.fine[k][:1 << int(kinds.fine_bits[k])])]
        key = repr(tables)
        if key not in begun:
            begun[key] = len(coarse), len(fine)
            for table, into in zip(tables, (coarse, fine), strict=True):
                if any(entry >> factor for entry in table[1:]):
                    raise Mistake(f"tau_m is so long that {int(kinds.bits[k])} decay_bits show no decay: take more "
                                  "decay_bits")
                into += [0, *table[1:]]
        base_of[k] = begun[key]
    p = {"AGE": age, "KIND": width(len(kind_of)), "SUBTRACT": int(kinds.subtract.any()), "DECAY": decay,
         "RATE": max(1, int(kinds.rate[linear].max(initial=1)).bit_length()), "FACTOR": factor,
         "COARSE": width(len(coarse)), "FINE": width(len(fine)), "FINE_BITS": fine_bits,
         "STEPS": int((kinds.fine_bits[lut].max(initial=fine_bits) - fine_bits) // 2 + 1)}
    if p["STEPS"] > 4:
        raise Mistake("the time constants lie too far apart for one core: its tables have four widths at most")
    for name, (a, b) in zip(numbered(bases), pairwise(bases or (0, len(records))), strict=True):
        images[f"kinds{name}"] = padded([kind_of[r] for r in records[a:b]], neuron)
    words = []
    for k in range(len(kinds)):
        base = base_of.get(k, (0, 0))
        step = (int(kinds.fine_bits[k]) - fine_bits) // 2 if lut[k] else 0
        words.append(packed((int(kinds.decay[k] == lif.NONE), 1), (step, 2), (int(length[k]), age),
                            (int(kinds.rate[k]) if linear[k] else 0, p["RATE"]), (base[0], p["COARSE"]),
                            (base[1], p["FINE"]), (int(inits[k]), v)))
    images["dynamics"] = padded(words, p["KIND"])
    top = (1 << (v - 1)) - 1
    images["limits"] = padded([packed((int(theta > top), 1), (int(sub), 1), (min(int(theta), top), v), (int(reset), v),
                                      (int(m), age)) for theta, sub, reset, m in
                               zip(kinds.theta, kinds.subtract, kinds.reset, mask, strict=True)], p["KIND"])
    images["coarse"], images["fine"] = padded(coarse, p["COARSE"]), padded(fine, p["FINE"])
    return p


def padded(words: list[int], bits: int) -> list[int]:
    """As many words as the memory has."""
    return words + [0] * ((1 << bits) - len(words))


def word_bits(p: Mapping[str, int]) -> dict[str, int]:
    """Bits of a word of each image."""
    return {"rows": 1 + p["SYNAPSE"] + p["LENGTH"], "synapses": p["DELAY"] + p["WEIGHT"] + p["NEURON"],
            "kinds": p["KIND"], "dynamics": 3 + p["AGE"] + p["RATE"] + p["COARSE"] + p["FINE"] + p["V"],
            "limits": 2 + 2 * p["V"] + p["AGE"], "coarse": p["FACTOR"], "fine": p["FACTOR"]}


def memory_bits(d: Design) -> dict[str, int]:
    """Bits of every memory, of all cores together."""
    p, of = d.parameters, numbered(d.bases)[0]
    size = {name: len(d.images.get(name + of, d.images.get(name, ()))) * bits for name, bits in word_bits(p).items()}
    size["sums"] = p["SLOTS"] * (1 << p["NEURON"]) * p["SUM"]
    size["touched"] = p["SLOTS"] << p["NEURON"]
    size["state"] = (p["V"] + p["AGE"]) << p["NEURON"]
    return {name: bits * max(len(d.bases) - 1, 1) for name, bits in size.items()}


def digits(bits: int) -> int:
    return math.ceil(bits / 4)
