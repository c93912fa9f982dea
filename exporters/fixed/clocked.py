"""FX-LIF v1 in tick mode: a clocked `lif` in integers, as verbs for the event loop.

Tick n = 1, 2, ..., in order (the state at tick 0 is given, and judged):

    1  collect all that arrives at n, summed exactly per receptor
    2  I_k := sat(decay(I_k) + input_k)             or, with input_first, decay(sat(I_k + input_k))
    3  V := decay(V)
    4  V := sat(V + sum of round(I_k / 2^fall_k) + direct input + bias), summed exactly
    5  in refractoriness (ticks n+1 .. n+R-1 after a spike at n) V stands still instead of 3 and 4, and is not judged
    6  a spike if V >= theta (or, with strict, V > theta); 7  V := reset, or V := V - (theta - reset) and 6 again, at
       most `spikes` times a tick

    decay   none v;  linear sgn(v) max(|v| - rate, 0);  mul, lut round(v rate / 2^bits): a table's entry for one tick;
            shift v - y with y = round(v / 2^rate), and with bits = 1 at least one LSB (y = sgn v) while v is not 0

A tick is finished as soon as nothing more can arrive at it, and never before: `receive` only collects.  A neuron that a
tick without input leaves as it is sleeps, and no tick is made until something arrives: so ticks cost what is awake.

`faded`, `current`, `potential`, `held` and `quotient` are one tick's arithmetic, pure functions of scalars.  Alike in
all neurons of a population: top, rounding, saturation, strict, subtract, spikes, input_first, bits, receptors and the
arrays kind, bits_i, top_i, fall; of each neuron its own: theta, reset, refrac, bias, decay, rate and rate_i.
"""

from collections.abc import Sequence

import numpy as np

from eventsnn.kernel.clocked import AWAKE, BLOCK_BITS, FIRED
from eventsnn.kernel.ticks import NOTHING
from eventsnn.model import Dynamics, Quick, Strict, Verbs, inf

from .format import DECAYS, ROUNDINGS, SATURATIONS
from .watched import FIELDS, faults, general, noted

NONE, LINEAR, MUL, LUT, SHIFT = range(len(DECAYS))
DOWN, FLOOR, ROUND = range(len(ROUNDINGS))
SYMMETRIC, FULL, WRAP = range(len(SATURATIONS))
DIRECT = -1                  # the kind of a receptor whose input goes straight into V
RECEPTORS = 4                # of the smallest record: one layout serves nearly all networks
SCALARS = ("top", "theta", "reset", "refrac", "bias", "decay", "rate", "bits", "rounding", "saturation", "strict",
           "subtract", "spikes", "input_first", "receptors")
ARRAYS = ("kind", "rate_i", "bits_i", "top_i", "fall")


def room(receptors: int) -> int:
    """How many receptors a record has that must have so many."""
    width = RECEPTORS
    while width < receptors:
        width *= 2
    return width


def params_dtype(width: int) -> np.dtype:
    return np.dtype([*((name, "i8") for name in SCALARS), *((name, "i8", (width,)) for name in ARRAYS)])


def state_dtype(width: int) -> np.dtype:
    """t: the last finished tick; pending: what has arrived at the next; left: ticks still to stand still; shots: spikes
    that tick t may still give; first_*: see `watched`."""
    return np.dtype([("t", "f8"), ("v", "i8"), ("i", "i8", (width,)), ("pending", "i8", (width,)), ("left", "i8"),
                     ("shots", "i8"), ("asleep", "i8"), ("saturations", "i8"), *FIELDS])


def variables(receptors: int, currents: bool) -> tuple[str, ...]:
    """What `value` numbers."""
    return ("v", "refractory", *(f"i{k}" for k in range(receptors) if currents))


# ---------------------------------------------------------------------------------------------------- one tick
def quotient(x, bits, rounding):
    """x / 2^bits as an integer: toward zero, down, or to nearest with ties to even."""
    if rounding == FLOOR:
        return x >> bits
    if rounding == DOWN:
        return x >> bits if x >= 0 else -(-x >> bits)
    return (x + ((1 << bits) >> 1) - 1 + (x >> bits & 1)) >> bits if bits > 0 else x


def faded(kind, rate, bits, rounding, v):
    """v after one tick of decay."""
    if kind in (MUL, LUT):
        return quotient(v * rate, bits, rounding)
    if kind == SHIFT:
        y = quotient(v, rate, rounding)
        if y == 0 and bits != 0:
            y = int(v > 0) - int(v < 0)            # NumPy's booleans do not subtract
        return v - y
    if kind == LINEAR:
        return v - max(min(v, rate), -rate)
    return v


def held(x, top, saturation):
    """x in the range of a register whose largest value is top = 2^(B-1) - 1."""
    if saturation == WRAP:
        return (x + top + 1 & 2 * top + 1) - top - 1
    return min(max(x, -top if saturation == SYMMETRIC else -top - 1), top)


def current(p, k, i, x):
    """I_k after a tick at which x arrives, and the exact value that was to be held."""
    if p.input_first:
        exact = i + x
        return faded(p.kind[k], p.rate_i[k], p.bits_i[k], p.rounding, held(exact, p.top_i[k], p.saturation)), exact
    exact = faded(p.kind[k], p.rate_i[k], p.bits_i[k], p.rounding, i) + x
    return held(exact, p.top_i[k], p.saturation), exact


def potential(p, v, total):
    """V after a tick whose currents, direct input and bias add up to `total`, and the exact value."""
    exact = faded(p.decay, p.rate, p.bits, p.rounding, v) + total
    return held(exact, p.top, p.saturation), exact


def over(p, v):
    """Whether v fires."""
    return v > p.theta if p.strict else v >= p.theta


# ---------------------------------------------------------------------------------------------------- verbs
def finish(p, s):
    """Make the tick after s.t."""
    s.t += 1
    total, still = p.bias, s.left == 0
    for k in range(p.receptors):
        x = s.pending[k]
        if x != 0:
            s.pending[k], still = 0, False
        if p.kind[k] == DIRECT:
            total += x
        else:
            i, exact = current(p, k, s.i[k], x)
            if held(exact, p.top_i[k], p.saturation) != exact:
                s.saturations += 1
                noted(s, k + 1, exact)
                still = False                     # though it may be, each tick counts
            if i != s.i[k]:
                s.i[k], still = i, False
            total += quotient(i, p.fall[k], p.rounding)
    if s.left > 0:
        s.left, s.shots = s.left - 1, 0
    else:
        v, exact = potential(p, s.v, total)
        if v != exact:
            s.saturations += 1
            noted(s, 0, exact)
            still = False
        if v != s.v:
            s.v, still = v, False
        s.shots = p.spikes
    s.asleep = 1 if still and not over(p, s.v) else 0


def through(p, s, t):
    """Finish all ticks up to t."""
    while s.t < t:
        if s.asleep:
            s.t = t
        else:
            finish(p, s)


def foreseen(p, s):
    """Whether the tick after s.t would give a spike if nothing more arrived at it."""
    if s.left > 0:
        return False
    total = p.bias
    for k in range(p.receptors):
        if p.kind[k] == DIRECT:
            total += s.pending[k]
        else:
            total += quotient(current(p, k, s.i[k], s.pending[k])[0], p.fall[k], p.rounding)
    return over(p, potential(p, s.v, total)[0])


def advance(p, s, t):
    through(p, s, t - 1)


def receive(p, s, t, sums):
    through(p, s, t - 1)
    for k in range(p.receptors):
        if sums[k] != 0:
            s.pending[k], s.asleep = s.pending[k] + int(sums[k]), 0


def inject(p, s, slot, amount, slope):
    """Nothing: `quantise` refuses currents other than a bias."""


def next_spike(p, s, horizon):
    if s.shots > 0 and over(p, s.v):
        return s.t
    while not s.asleep:
        n = s.t + 1
        if n > horizon:
            return n
        if n == horizon:                          # something may still arrive at it
            return n if foreseen(p, s) else n + 1
        finish(p, s)
        if s.shots > 0 and over(p, s.v):
            return n
    return inf


def fire(p, s, t):
    through(p, s, t)
    s.v = s.v - (p.theta - p.reset) if p.subtract else p.reset
    s.shots, s.left, s.asleep = s.shots - 1, max(p.refrac - 1, 0), 0


def value(p, s, t, which):
    """The tick t itself is over when somebody asks for it, so to finish it changes nothing that could be asked."""
    through(p, s, np.floor(t))
    if which == 0:
        return float(s.v)
    if which == 1:
        return float(s.left)
    return float(s.i[which - 2])


# ---------------------------------------------------------------------------------------------------- many neurons
def sweep(cells, piece, slot, first, last, t):
    """Tick t of the piece's blocks first .. last - 1 (see `kernel/clocked.py`): in their records."""
    others, sums = 0, cells.sums[slot]
    for b in range(first, last):
        state = 0
        for j in range(b << BLOCK_BITS, min((b + 1) << BLOCK_BITS, piece.last)):
            p, s = cells.params[j], cells.state[j]
            arrived = 0
            through(p, s, t - 1)
            for k in range(len(sums)):
                x = sums[k, j]
                if x != NOTHING:
                    sums[k, j] = NOTHING
                    arrived += 1
                    if x != 0:
                        s.pending[k] += int(x)
                        s.asleep = 0
            through(p, s, t)
            n = 0
            while s.shots > 0 and over(p, s.v):
                fire(p, s, t)
                n += 1
            cells.fired[j] = n > 0
            cells.more[j] = n - 1
            state |= (0 if s.asleep else AWAKE) | (FIRED if n > 0 else 0)
            others += max(arrived - 1, 0)
        cells.awake[b] = state
    return others


def loaded(s, register, j):
    """Nothing: the records are the registers."""


def unloaded(s, register, j, t):
    """Nothing: see `loaded`."""


def all_served(p, most):
    return np.ones(len(p), np.bool_)


DYNAMICS = Dynamics(
    "fx_lif_clocked/1", Verbs(advance, receive, inject, next_spike, fire, value), "integer, tick mode",
    ("saturations",), judged_last=True, strict=Strict(general, faults),
    quick=Quick("clocked", {"sweep": sweep, "next_spike": next_spike, "fire": fire, "load": loaded, "unload": unloaded,
                            "value": value}, (), all_served))


def silent(size: int, width: int) -> tuple[np.recarray, np.recarray]:
    """Records of neurons that do nothing: DOWN, symmetric, no decay, no receptors; the state is judged at tick 0."""
    params: np.recarray = np.zeros(size, params_dtype(width)).view(np.recarray)
    state: np.recarray = np.zeros(size, state_dtype(width)).view(np.recarray)
    params.kind, params.spikes, params.top = DIRECT, 1, 1
    params.top_i = 1
    state.shots = 1
    return params, state


def kinds(synapse: Sequence[str], decay: str) -> list[int]:
    """A receptor's kind: how its current decays, or DIRECT."""
    return [DIRECT if kind == "delta" else DECAYS.index(decay) for kind in synapse]
