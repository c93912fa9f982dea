"""Profile `loihi1_lava`: Loihi 1 as Lava 0.10's bit-accurate models compute it, as verbs for the event loop.

    tick n   u := once around(tz(u (4096 - (du + 1)), 12) + (a << 6)),  a word of 32 bits, as a rule in (-2^23, 2^23]
             v := held(tz(v (4096 - dv), 12) + u + bias),               within +-(2^23 - 1)
             a spike if v > vth << 6; then v := 0

a is the sum of what arrives at n, each connection's own sum shifted down by its negative weight_exp first; a positive
one is in the weights.  The state at tick 0 is given and not judged: Lava's step k is tick k + 1.

`current` and `potential` are one tick's arithmetic, pure functions of scalars.  Alike in a population: du, dv, vth,
receptors and fall; bias is each neuron's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eventsnn.elementary import apart, wide
from eventsnn.errors import Mistake
from eventsnn.kernel.clocked import AWAKE, BLOCK, BLOCK_BITS, FIRED
from eventsnn.model import Bound, Dynamics, Quick, Strict, Verbs
from eventsnn.network import Population
from eventsnn.rng import U64
from eventsnn.values import at, quoted

from ..clocked import (
    advance,
    all_served,
    inject,
    next_spike,
    receive,
    room,
    through,
)
from ..format import Format, shifted
from ..watched import FIELDS, general, noted
from .build import Cells, Profile, Register, Wires, faults

BARE = ("columns", "fallen", "swept", "exactly", "settled")             # see kernel/link.py
INSIDE = ("columns",)
HALF, TOP, OVER = 1 << 23, (1 << 23) - 1, 1 << 31
WORD = np.int32
NOTHING = WORD(-1 << 31)                 # see kernel/clocked.py
NONE, TWO, SIX, TWELVE, SHORT, FRACTION = (WORD(x) for x in (0, 2, 6, 12, (1 << 15) - 1, (1 << 12) - 1))
HIGHEST, SIZED, OUTSIDE = WORD(TOP), WORD(1 << 25), WORD(-1 << 24)
ODD, LOUD = 4, 8                         # of a block: its tick is made `exactly`; some u leaves no choice
SOMETIMES = 8                            # ticks between looks at who may sleep
SCALARS = ("du", "dv", "vth", "bias", "receptors")
VARIABLES = ("v", "u")


def params_dtype(width: int) -> np.dtype:
    """fall: of each receptor, how far its sum is shifted down."""
    return np.dtype([*((name, "i8") for name in SCALARS), ("fall", "i8", (width,))])


def state_dtype(width: int) -> np.dtype:
    """As in `clocked.state_dtype`."""
    return np.dtype([("t", "f8"), ("v", "i8"), ("u", "i8"), ("pending", "i8", (width,)), ("shots", "i8"),
                     ("asleep", "i8"), ("saturations", "i8"), *FIELDS])


def current(du, u, a):
    """u after a tick at which `a` arrives, before it goes around."""
    return shifted(u, 4095 - du, 12) + (a << 6)


def around(x):
    x = (x + OVER & 2 * OVER - 1) - OVER          # Lava adds in words of 32 bits
    return x - 2 * HALF if x > HALF else x + 2 * HALF if x <= -HALF else x


def potential(dv, v, total):
    """v after a tick whose u and bias add up to `total`, before it is held."""
    return shifted(v, 4096 - dv, 12) + total


def held(x):
    return min(max(x, -TOP), TOP)


def over(p, v):
    return v > p.vth << 6


def finish(p, s):
    """Make the tick after s.t."""
    s.t += 1
    a, still = 0, True
    for k in range(p.receptors):
        if s.pending[k] != 0:
            a += s.pending[k] >> p.fall[k]
            s.pending[k] = 0
            still = False
    exact = current(p.du, s.u, a)
    u = around(exact)
    if u != exact:
        s.saturations += 1
        noted(s, 1, exact)
    if u != s.u:
        s.u = u
        still = False
    exact = potential(p.dv, s.v, u + p.bias)
    v = held(exact)
    if v != exact:
        s.saturations += 1
        noted(s, 0, exact)
        still = False                             # though it may be, each tick counts
    if v != s.v:
        s.v = v
        still = False
    s.shots = 1
    s.asleep = 1 if still and not over(p, v) else 0


def foreseen(p, s):
    """Whether the tick after s.t would give a spike if nothing more arrived at it."""
    a = 0
    for k in range(p.receptors):
        a += s.pending[k] >> p.fall[k]
    return over(p, held(potential(p.dv, s.v, around(current(p.du, s.u, a)) + p.bias)))


def fire(p, s, t):
    through(p, s, t)
    s.shots = 0
    s.v = 0
    s.asleep = 0


def value(p, s, t, which):
    through(p, s, np.floor(t))
    return float(s.v if which == 0 else s.u)


# ---------------------------------------------------------------------------------------------------- many neurons
def columns(cells, piece, slot, first, last, t):
    """Tick t of the piece's blocks first .. last - 1 (see `kernel/clocked.py`), in columns."""
    p, sums, others = cells.params[first << BLOCK_BITS], cells.sums[slot], 0
    if p.receptors > 1:
        others = fallen(sums, p, first << BLOCK_BITS, last << BLOCK_BITS)
    old, new = cells.register[piece.side], cells.register[1 - piece.side]
    if swept(old[0], old[1], cells.own[0], sums[0], new[0], new[1], cells.fired, cells.awake, WORD(4095 - p.du),
             WORD(4096 - p.dv), WORD(p.vth << 6), first, last):
        for b in range(first, last):
            if cells.awake[b] & ODD:
                exactly(cells, sums[0], old, new, b)
    if np.int64(t) % SOMETIMES == 0:
        settled(old[0], old[1], new[0], new[1], cells.awake, first, last)
    return others


def fallen(sums, p, low, high):
    """Each receptor has its own sum, and then its own shift; how many there are beyond each neuron's first."""
    others = 0
    for k in range(1, p.receptors):
        for j in range(low, high):
            a = sums[k, j]
            if a != NOTHING:
                others += sums[0, j] != NOTHING
                sums[k, j] = NOTHING
                sums[0, j] = (a >> p.fall[k]) + (sums[0, j] if sums[0, j] != NOTHING else 0)
    return others


def swept(us, vs, biases, sums, new_us, new_vs, fired, awake, keep_u, keep_v, theta, first, last):
    """`current` and `potential` in words of 32 bits.  A block where some u or v leaves 24 bits, or a sum 26, is ODD,
    and its tick is made again by somebody else; elsewhere nothing goes around, nothing is held, and no intermediate
    result takes more than a word.  Whether any block is."""
    wide()
    apart()
    strange = False
    for b in range(first, last):
        low, news, much = U64(b) << U64(BLOCK_BITS), NONE, NONE
        for k in range(BLOCK):
            j = low + U64(k)
            a = sums[j] if sums[j] != NOTHING else NONE
            much = WORD(much | WORD(a + SIZED))
            x = WORD(faded(us[j], keep_u) + WORD(a << SIX))
            y = WORD(WORD(faded(vs[j], keep_v) + x) + biases[j])
            new_us[j], new_vs[j] = x, y
            news = WORD(news | WORD(WORD(astray(x, y) | WORD(theta - y)) & OUTSIDE))       # y > theta: also negative
        state = ODD if awake[b] & LOUD or WORD(much >> TWO) & OUTSIDE else AWAKE
        if news != NONE and state == AWAKE:
            beyond = NONE
            for k in range(BLOCK):
                j = low + U64(k)
                y = new_vs[j]
                beyond = WORD(beyond | WORD(WORD(astray(new_us[j], y) | WORD(HIGHEST - y)) & OUTSIDE))
                fired[j] = y > theta
                new_vs[j] = NONE if y > theta else y
            state = ODD if beyond != NONE else FIRED
        if state != ODD:
            for k in range(BLOCK):
                sums[low + U64(k)] = NOTHING
        strange = strange or state == ODD
        awake[b] = state
    return strange


def astray(x, y):
    """Has bits OUTSIDE if x or y is too large or too small, but for a y above HIGHEST by one."""
    return WORD(WORD(x + HIGHEST) | WORD(y + HIGHEST))


def faded(x, keep):
    """tz(x keep, 12) for |x| <= 2^23, keep <= 2^12: x is a 2^12 + b, b >= 0; a is known to fit 16 bits, and keep 15, so
    that a compiler may take its multiplication of such."""
    high, low, keep = WORD(np.int16(x >> TWELVE)), WORD(x & FRACTION), WORD(keep & SHORT)
    up = FRACTION if x < NONE else NONE
    return WORD(WORD(high * keep) + WORD(WORD(WORD(low * keep) + up) >> TWELVE))


def exactly(cells, sums, old, new, b):
    """The block by the model's own functions."""
    state = AWAKE | ODD
    for j in range(b << BLOCK_BITS, (b + 1) << BLOCK_BITS):
        p, s = cells.params[j], cells.state[j]
        a = sums[j] if sums[j] != NOTHING else NONE
        sums[j] = NOTHING
        exact = current(p.du, np.int64(old[0, j]), np.int64(a))
        u = around(exact)
        total = potential(p.dv, np.int64(old[1, j]), u + np.int64(cells.own[0, j]))
        v = held(total)
        s.saturations += int(u != exact) + int(v != total)        # NumPy's booleans do not add
        cells.fired[j] = over(p, v)
        new[0, j], new[1, j] = u, 0 if over(p, v) else v
        state |= (FIRED if over(p, v) else 0) | (LOUD if abs(u) > HALF else 0)
    cells.awake[b] = state


def settled(us, vs, new_us, new_vs, awake, first, last):
    """Blocks that the tick has left as they were fall asleep, but for those where something is counted each tick."""
    wide()
    apart()
    for b in range(first, last):
        if awake[b] == AWAKE:
            low, changed = U64(b) << U64(BLOCK_BITS), NONE
            for k in range(BLOCK):
                j = low + U64(k)
                changed = WORD(changed | WORD(WORD(us[j] ^ new_us[j]) | WORD(vs[j] ^ new_vs[j])))
            awake[b] = AWAKE if changed != NONE else 0


def load(s, register, j):
    register[0, j], register[1, j] = s.u, s.v


def unload(s, register, j, t):
    s.u, s.v, s.t = int(register[0, j]), int(register[1, j]), t


OWN = {"finish": finish, "foreseen": foreseen, "over": over, "fire": fire, "value": value}
VERBS = Verbs(*(Bound.to(verb, OWN) for verb in (advance, receive, inject, next_spike, fire, value)))
DYNAMICS = Dynamics(
    "loihi1_lava/1", VERBS, "integer, tick mode", ("saturations",), judged_last=True,
    strict=Strict(general, faults(VARIABLES)),
    quick=Quick("clocked", {"sweep": columns, "next_spike": VERBS.next_spike, "fire": VERBS.fire, "load": load,
                            "unload": unload, "value": VERBS.value}, ("du", "dv", "vth"), all_served, ("u", "v"),
                ("bias",), "i4"))


# ---------------------------------------------------------------------------------------------------- the chip
REGISTERS = {
    "du": Register(4095, 0, 4095, "u keeps (4095 - du) / 4096 a tick"),
    "dv": Register(0, 0, 4095, "v keeps (4096 - dv) / 4096 a tick"),
    "vth": Register(10, 0, 131071, "v fires above vth << 6"),
    "bias_mant": Register(0, -4096, 4095, "v grows by bias_mant << bias_exp a tick"),
    "bias_exp": Register(0, 0, 7, "see bias_mant"),
    "u": Register(0, 1 - HALF, HALF, "u at tick 0"),
    "v": Register(0, -TOP, TOP, "v at tick 0"),
}
SETTINGS = {
    "weight_exp": Register(0, -8, 7, "weights count << weight_exp; a negative one shifts each target's sum down"),
    "num_weight_bits": Register(8, 1, 8, "how many bits of a weight are kept"),
}
MEANINGS = {
    "du": "u keeps (4095 - du) / 4096 a tick, rounded toward zero", "dv": "v keeps (4096 - dv) / 4096, likewise",
    "vth": "a spike if v > vth << 6", "bias": "v grows by it at every tick",
    "receptors": "how many columns of fall count",
    "fall": "per receptor: the sum of its weights is shifted down so far, before it is shifted up by 6 and added to u",
    "v": "v at tick 0", "u": "u at tick 0"}
SIGNS = ((0, 255, 0, 1), (-255, 0, 0, -1), (-256, 255, 1, 1))       # low, high, bits that a sign takes, of truncation
NEURONS = 128 * 1024                     # Davies et al. 2018: 128 cores of 1024 compartments
ARRIVING = (1 << 25) - (1 << 18)         # of one tick: Lava adds it to u in 32 bits


def form(registers: Mapping[str, Any], lsb: float, tick: float) -> Format:
    return Format(24, 0, lsb, tick, "mul", 12, 9, mode="tick", compare=">", spikes=1)


def signs(mantissa: np.ndarray) -> tuple[int, int, int, int]:
    """Of a projection all weights of which have one sign, or not."""
    return SIGNS[0 if mantissa.min(initial=0) >= 0 else 1 if mantissa.max(initial=0) <= 0 else 2]


def wired(cells: Mapping[Any, Cells], wires: Sequence[Wires]) -> list[Wires]:
    """The weights as the synapses hold them.  A projection whose exponent is negative gets a receptor of its own, and
    so does a second one between the same populations, whose shift may be another."""
    neurons = sum(len(c.registers["v"]) for c in cells.values())
    if neurons > NEURONS:
        raise Mistake(f"neurons: {neurons:,} of at most {NEURONS:,} (128 cores of 1024 compartments)")
    for name, c in cells.items():
        for key in ("du", "dv", "vth"):
            if np.any(c.registers[key] != c.registers[key][0]):
                raise Mistake(f"node {quoted(name)}: {key} differs within the population, which has one: split it")
    found: list[Wires] = []
    falls: dict[Any, list[tuple[int, set[Any]]]] = {name: [(0, set())] for name in cells}       # by receptor
    for w in wires:
        low, high, sign_bits, sign = signs(w.mantissa)
        with at(f"edge {quoted(w.source.name)} -> {quoted(w.target.name)}"):
            if w.mantissa.min(initial=0) < low or w.mantissa.max(initial=0) > high:
                raise Mistake(f"weight range: weights from {w.mantissa.min()} to {w.mantissa.max()}, these synapses "
                              f"hold {low} to {high}: use weight_exp")
        bits = 8 - w.settings.get("num_weight_bits", 8) + sign_bits
        exponent, mine = w.settings.get("weight_exp", 0), falls[w.target.name]
        receptor = next((k for k, (fall, sources) in enumerate(mine)
                         if fall == max(-exponent, 0) == 0 and w.source.name not in sources), len(mine))
        if receptor == len(mine):
            mine.append((max(-exponent, 0), set()))
        mine[receptor][1].add(w.source.name)
        found.append(w._replace(mantissa=sign * ((sign * w.mantissa) >> bits << bits), shift=max(exponent, 0),
                                part=w.part._replace(receptor=receptor)))
    return found


def records(p: Population, own: Cells, wires: Sequence[Wires]) -> tuple[np.recarray, np.recarray]:
    """Parameter and state records of one population; wires: those that lead to it."""
    total = np.zeros(p.size, np.int64)
    for w in wires:
        np.add.at(total, w.post - p.neuron, np.abs(w.mantissa) << w.shift)
    if total.max() > ARRIVING:
        raise Mistake(f"node {quoted(p.name)}: arriving: the weights into neuron {int(np.argmax(total))} add up to "
                      f"{total.max():,}, of at most {ARRIVING:,} in a tick: use a smaller weight_exp")
    receptors, r = 1 + max((w.receptor for w in wires), default=0), own.registers
    params: np.recarray = np.zeros(p.size, params_dtype(room(receptors))).view(np.recarray)
    state: np.recarray = np.zeros(p.size, state_dtype(room(receptors))).view(np.recarray)
    for name in ("du", "dv", "vth"):
        params[name] = r[name]
    params.bias, params.receptors = r["bias_mant"] << r["bias_exp"], receptors
    for w in wires:
        params.fall[:, w.receptor] = max(-w.settings.get("weight_exp", 0), 0)
    state.u, state.v = r["u"], r["v"]
    return params, state


PROFILE = Profile("loihi1_lava", DYNAMICS, VARIABLES, REGISTERS, {}, SETTINGS, form, wired, records,
                  "weight_exp", lambda width: (params_dtype(width), state_dtype(width)), MEANINGS)
