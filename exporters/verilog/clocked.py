"""An integer network in tick mode as what tick_core is told: parameters, and one memory image per memory.

    rows.hex, kinds.hex    as in `images`
    synapses.hex           {port, delay - DELAY_LEAST, weight >> SHIFT (I_SHIFT for a current's), neuron}, row by row
    dynamics.hex           {per current, the last first: none, rate, fall - FALL_LEAST, I at tick 0;  none, rate, bias,
                           V at tick 0} of each kind
    limits.hex             {never, subtract, bound, to, most, mask} of each kind: a spike where V >= bound, after which
                           V is `to`, or with subtract V + to

All receptors without a current add to one sum, port 0, where there is such a receptor; the others have one each.  A
strict threshold is a bound one higher.  Factors of fewer bits are the same in more bits, so all have as many, and the
core is told what they lack of 1, which is shorter; 0 for who has no decay.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network

from ..fixed.clocked import DIRECT, LINEAR, LUT, MUL, NONE, SHIFT
from ..fixed.format import DECAYS, NEVER
from ..vectors import Vector
from .images import SMALLEST, Design, bursts_of_sources, connected, packed, padded, same, width

DECAY = {NONE: 0, LINEAR: 1, MUL: 2, LUT: 2, SHIFT: 3}          # fade.v's numbers


class Fading(NamedTuple):
    """How one register of all neurons decays."""

    decay: int                   # fade.v's number
    rate: np.ndarray             # (n,) int64
    none: np.ndarray             # (n,) bool
    bits: int                    # of `rate`
    factor: int                  # mul: V loses rate / 2^factor of itself
    min1: int


def design(network: Network, vector: Vector | None = None) -> Design:
    """Parameters and images; `Mistake` for what the core cannot be told."""
    (group,) = network.groups
    order = np.argsort(group.neuron)
    params: Any = group.params[order]
    state: Any = group.state[order]
    n, used = network.neurons, np.arange(params.kind.shape[1]) < params.receptors[:, None]
    flows = used & (params.kind != DIRECT)                 # (n, receptors): it has a current
    columns = np.flatnonzero(flows.any(axis=0))
    direct = int((used & ~flows).any() or not len(columns))
    port = np.zeros(params.kind.shape, np.int64)
    port[:, columns] = np.where(flows[:, columns], direct + np.arange(len(columns)), 0)
    neuron = max(SMALLEST, width(n))
    burst = np.concatenate([again(params), bursts_of_sources(network, vector)])
    images: dict[str, Sequence[int]] = {}
    p = {"NEURONS": n, "NEURON": neuron}
    p |= connected(network, burst, neuron, images, direct + len(columns), direct,
                   lambda table: port[table.target, table.receptor])
    p |= alike(params, flows)
    p |= kinds(params, state, flows, columns, p, images)
    return Design(p, images, int(burst[n:].max(initial=1)))


def again(params: Any) -> np.ndarray:
    """How often each neuron can spike in one tick."""
    step = np.maximum(params.theta - params.reset, 1)
    repeats = np.where(params.subtract != 0, np.maximum(params.top - params.theta, 0) // step + 1, params.spikes)
    return np.where(params.theta < NEVER, np.maximum(np.minimum(repeats, params.spikes), 1), 1)


def alike(params: Any, flows: np.ndarray) -> dict[str, int]:
    """What the core has once for all neurons."""
    top_i = params.top_i[flows]
    return {"V": same(params.top, "v_bits").bit_length() + 1,
            "I": same(top_i, "i_bits").bit_length() + 1 if len(top_i) else 2,
            "ROUNDING": same(params.rounding, "rounding"), "SATURATION": same(params.saturation, "saturation"),
            "INPUT_FIRST": same(params.input_first, "input_first")}


def fading(kind: np.ndarray, rate: np.ndarray, bits: np.ndarray, size: int, what: str) -> Fading:
    """One decay for all; `size`: bits of the register."""
    found = {int(k) for k in np.unique(kind)} - {NONE}
    if len({DECAY[k] for k in found}) > 1:
        raise Mistake(f"the core has one decay of {what} for all neurons, and there are "
                      f"{' and '.join(sorted(DECAYS[k] for k in found))}: quantise all populations alike")
    decay, acts = DECAY[found.pop()] if found else 0, kind != NONE
    rate, min1, factor = np.where(acts, rate, 0), 0, 0
    if decay == DECAY[LINEAR]:
        rate = np.minimum(rate, (1 << size) - 1)
    elif decay == DECAY[MUL]:
        factor = int(bits[acts].max())
        rate = np.where(acts, (1 << factor) - (rate << np.where(acts, factor - bits, 0)), 0)
    elif decay == DECAY[SHIFT]:
        rate, min1 = np.minimum(rate, size), same(bits[acts], f"min1 of {what}")
    wide = max(1, int(rate.max()).bit_length())
    return Fading(decay, rate, ~acts, wide, max(factor, wide), min1)


def kinds(params: Any, state: Any, flows: np.ndarray, columns: np.ndarray, known: dict[str, int],
          images: dict[str, Sequence[int]]) -> dict[str, int]:
    """Kinds of neurons: those that have all their constants in common."""
    refused(params)
    v, i, top, count = known["V"], known["I"], (1 << (known["V"] - 1)) - 1, len(columns)
    decay_v = fading(params.decay, params.rate, params.bits, v, "V")
    mine, none = flows[:, columns], np.full((len(params), max(count, 1)), NONE)
    none[:, :count] = np.where(mine, params.kind[:, columns], NONE)
    zero = np.zeros_like(none)
    rate_i, bits_i = zero.copy(), zero.copy()
    rate_i[:, :count], bits_i[:, :count] = params.rate_i[:, columns], params.bits_i[:, columns]
    decay_i = fading(none, rate_i, bits_i, i, "currents")
    fall = params.fall[:, columns]
    least = int(fall[mine].min(initial=62)) if mine.any() else 0
    fall = np.where(mine, fall - least, 0)
    deep = int(fall.max(initial=0)).bit_length()
    start = np.where(mine, state.i[:, columns], 0)
    mask = np.maximum(params.refrac - 1, 0)
    bound = np.where(params.theta < NEVER, np.minimum(params.theta, top + 1) + params.strict, top + 1)
    to = np.where(params.subtract != 0, params.reset - np.minimum(params.theta, top + 1), params.reset)
    to = np.where(bound > top, 0, to)
    spikes = int(params.spikes.max())
    p = {"CURRENTS": count, "LEFT": max(1, int(mask.max()).bit_length()),
         "SPIKES": spikes.bit_length() if spikes > 1 else 0, "V_DECAY": decay_v.decay, "V_RATE": decay_v.bits,
         "V_FACTOR": decay_v.factor, "I_FACTOR": decay_i.factor,
         "V_NONE": int(decay_v.none.any()), "V_MIN1": decay_v.min1, "I_DECAY": decay_i.decay, "I_RATE": decay_i.bits,
         "I_NONE": int((decay_i.none[:, :count] & mine).any()), "I_MIN1": decay_i.min1, "FALL": deep,
         "FALL_LEAST": least}
    dynamics, limits, kind_of = [], [], dict[tuple[int, int], int]()
    each = []
    for j in range(len(params)):
        parts = [field for k in reversed(range(count)) for field in (
            (int(decay_i.none[j, k] and mine[j, k]), 1), (int(decay_i.rate[j, k]), p["I_RATE"]),
            (int(fall[j, k]), max(deep, 1)), (int(start[j, k]), i))]
        moves = packed(*parts, (int(decay_v.none[j]), 1), (int(decay_v.rate[j]), p["V_RATE"]),
                       (int(params.bias[j]), v), (int(state.v[j]), v))
        stops = packed((int(bound[j] > top), 1), (int(params.subtract[j]), 1), (min(int(bound[j]), top), v),
                       (int(to[j]) + (1 << v) & (1 << v) - 1, v), (int(params.spikes[j]), max(p["SPIKES"], 1)),
                       (int(mask[j]), p["LEFT"]))
        if (moves, stops) not in kind_of:
            kind_of[moves, stops] = len(kind_of)
            dynamics.append(moves)
            limits.append(stops)
        each.append(kind_of[moves, stops])
    p["KIND"] = width(len(kind_of))
    images["kinds"] = padded(each, known["NEURON"])
    images["dynamics"], images["limits"] = padded(dynamics, p["KIND"]), padded(limits, p["KIND"])
    return p


def refused(params: Any) -> None:
    """What a register would not hold."""
    for wrong, words in (
            (params.theta < -params.top, "its threshold lies below what V can hold: take more v_bits"),
            ((params.subtract != 0) & (params.theta < params.reset),
             "it resets by subtraction to a V above its threshold, so that V could leave its register: take v_reset <= "
             "v_thresh"), (params.spikes < 1, "it may not spike at all: take spikes >= 1")):
        if np.any(wrong):
            raise Mistake(f"neuron {int(np.argmax(wrong))}: {words}")


def word_bits(p: Mapping[str, int]) -> dict[str, int]:
    """Bits of a word of each image."""
    each = 1 + p["I_RATE"] + max(p["FALL"], 1) + p["I"]
    return {"rows": 1 + p["SYNAPSE"] + p["LENGTH"], "synapses": p["PORT"] + p["DELAY"] + p["WEIGHT"] + p["NEURON"],
            "kinds": p["KIND"], "dynamics": p["CURRENTS"] * each + 1 + p["V_RATE"] + 2 * p["V"],
            "limits": 2 + 2 * p["V"] + max(p["SPIKES"], 1) + p["LEFT"]}


def memory_bits(d: Design) -> dict[str, int]:
    """Bits of every memory."""
    p = d.parameters
    size = {name: len(d.images[name]) * bits for name, bits in word_bits(p).items()}
    size["sums"] = p["PORTS"] * (p["SLOTS"] * p["SUM"] << p["NEURON"])
    size["touched"] = p["SLOTS"] << p["NEURON"]
    size["awake"] = 1 << p["NEURON"]
    size["state"] = (p["V"] + p["LEFT"] + p["CURRENTS"] * p["I"]) << p["NEURON"]
    return size
