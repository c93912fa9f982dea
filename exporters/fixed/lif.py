"""FX-LIF v1 in event mode: `lif` with delta synapses in integers, as verbs for the event loop.

A tick n, in order: V := decay(V), V := sat(V + all arrivals of n, summed exactly), the refractory mask, V >= theta
judged once, reset.  After a spike at n, V stands at reset and inputs are discarded at n+1 .. n+R-1; at n+R V has
decayed by one tick and accepts.  Between events nothing drifts: a spike falls on an arrival, or on tick 0 by v_init.
subtract: V := V - (theta - reset), and again, each time a spike, while V >= theta (law S6).

Times are ticks held in float64 (exact below 2^53), V counts LSBs above rest.  A verb sees nothing but its two records,
so the decay tables live in the record: neurons may each have their own tau_m, and coarse x fine keeps the pair short
(2 x 64 entries, half a kilobyte, up to tau_m = 256 ticks at 24 bits; one table would need 4083).
"""

from typing import Any, NamedTuple

import numpy as np

from eventsnn.model import Dynamics, Quick, Strict, Verbs, inf
from eventsnn.network import Group, Network

from .format import saturated, shifted
from .watched import AGE, FIELDS, faults, noted

NONE, LINEAR, MUL, LUT = range(4)                # of DECAYS
STATE = np.dtype([("t", "f8"), ("v", "i8"), ("hold", "f8"), ("saturations", "i8")])
VARIABLES = ("v",)
SCALARS = ("top", "theta", "reset", "refrac", "subtract", "decay", "rate", "bits", "length", "fine_bits")


class Constants(NamedTuple):
    """What an input needs of a parameter record, in one hand: a compiler would look it up for each input again."""

    top: int
    theta: int
    decay: int
    rate: int
    bits: int
    length: int
    fine_bits: int
    coarse: Any                  # (width,) uint32
    fine: Any


def params_dtype(width: int) -> np.dtype:
    """The parameter record, with room for tables of this width."""
    return np.dtype([*((name, "i8") for name in SCALARS), ("coarse", "u4", (width,)), ("fine", "u4", (width,))])


def constants(p):
    return Constants(p.top, p.theta, p.decay, p.rate, p.bits, p.length, p.fine_bits, p.coarse, p.fine)


def decayed(p, v, n):
    """V after n >= 0 ticks without input."""
    return by_table(p, v, n) if p.decay == LUT else by_steps(p, v, n)


def by_table(p, v, n):
    if n >= p.length:
        return 0
    v = shifted(v, p.coarse[n >> p.fine_bits], p.bits)
    return shifted(v, p.fine[n & ((1 << p.fine_bits) - 1)], p.bits)


def by_steps(p, v, n):
    if p.decay == MUL:
        while n > 0 and v != 0:
            v = shifted(v, p.rate, p.bits)
            n -= 1
        return v
    if p.decay == LINEAR:
        size = abs(v)
        left = max(size - p.rate * min(n, size), 0)      # rate >= 1, so |v| ticks always suffice: no overflow
        return left if v >= 0 else -left
    return v


def received(p, v, n, total):
    """V when `total` arrives n >= 0 ticks after it was v, and whether it stops at a rail."""
    exact = decayed(p, v, n) + total
    v = saturated(exact, p.top)
    return v, v != exact


def left(p, v):
    """V after a spike."""
    return v - (p.theta - p.reset) if p.subtract else p.reset


def mask(p):
    """How many ticks after a spike's own discard inputs."""
    return max(p.refrac - 1, 0)                        # 0 with subtract: there is no refractoriness


def advance(p, s, t):
    since = max(s.t, s.hold)
    if t > since:
        s.v = decayed(p, s.v, int(t - since))
    s.t = t


def receive(p, s, t, sums):
    since = max(s.t, s.hold)
    s.t = t
    if t <= s.hold:
        return
    total = sums[0]
    for k in range(1, len(sums)):
        total += sums[k]
    s.v, clipped = received(p, s.v, int(t - since), total)
    s.saturations += clipped


def inject(p, s, slot, amount, slope):
    """Nothing: `quantise` refuses currents, V would drift between events."""


def next_spike(p, s, horizon):
    return s.t if s.v >= p.theta else inf


def fire(p, s, t):
    s.v = left(p, s.v)
    s.hold = t + mask(p)


def value(p, s, t, which):
    since = max(s.t, s.hold)
    return float(decayed(p, s.v, int(t - since)) if t > since else s.v)


def settles(p, most):
    """Whether a spike leaves V below the threshold, or nearer to it."""
    return p.reset < p.theta


take_in = receive                        # the verb's own name stands for `receive_watching` there


def receive_watching(p, s, t, sums):
    """`receive`, with an eye on what the registers of a chip could not hold."""
    if t > s.hold:
        age, v = int(t - max(s.t, s.hold)), s.v
        aliased = age >= s.limit and decayed(p, v, age) != decayed(p, v, age % s.limit)
        total = decayed(p, v, age)
        for k in range(len(sums)):
            total += int(sums[k])
        take_in(p, s, t, sums)
        if aliased:
            noted(s, AGE, age)
        elif abs(total) > p.top:
            noted(s, 0, total)
    else:
        take_in(p, s, t, sums)


def watching(network: Network, group: Group) -> Group:
    """The same neurons with room to remember the first fault; limit: the age at which a stored time aliases."""
    state: Any = np.zeros(len(group.neuron), [*FIELDS, ("limit", "i8"), *STATE.descr]).view(np.recarray)
    for name in STATE.names or ():
        state[name] = group.state[name]
    for p in network.populations:
        if p.kind == "neuron":
            state.limit[p.offset:p.offset + p.size] = 1 << network.fixed.formats[p.name].time_bits
    return group._replace(dynamics=WATCHED, state=state)


WATCHED = Dynamics("fx_lif/1", Verbs(advance, receive_watching, inject, next_spike, fire, value),
                   "integer, event mode", ("saturations",), strict=Strict(watching, faults))
DYNAMICS = Dynamics(
    "fx_lif/1", Verbs(advance, receive, inject, next_spike, fire, value), "integer, event mode", ("saturations",),
    strict=Strict(watching, faults),
    quick=Quick("ticks", {"constants": constants, "received": received, "left": left, "mask": mask, "value": value}, (),
                settles))
