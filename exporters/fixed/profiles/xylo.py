"""Profiles `xylo_v1` and `xylo_v2`: Xylo's two cores as xylosim 0.1.3 computes them, as verbs for the event loop.

All states are int16; S(x) is x held within [-32768, 32767]; dec(x, d) is x >> d rounded down, or sgn x where that is 0.

    tick n   I_k := S(I_k + w) for every single arrival, sources before neurons, each in ascending order
             I_k := I_k - dec(I_k, dash_syn_k)
             v   := S(v + S(S(int16(-dec(v, dash_mem)) + sum I) + bias))   version 2
             v   := S(v - dec(v, dash_mem) + sum I)                       version 1
             while v >= threshold, at most `most` times: v := v - threshold, a spike

States begin at 0, and tick 0 is not judged: xylosim's step k is tick k + 1.  Aliases couple neurons within a tick,
which no event loop can; `xylo_reference` has them.

`decrement` and `membrane` are one tick's arithmetic, pure functions of scalars.  Alike in a population: version and
most; all other constants are each neuron's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.model import Bound, Dynamics, Strict, Verbs
from eventsnn.network import Population
from eventsnn.values import at, quoted

from ..clocked import advance, inject, next_spike, through
from ..format import Format
from ..watched import FIELDS, general, noted
from .build import Cells, Profile, Register, Wires, faults

LOW, HIGH = -(1 << 15), (1 << 15) - 1
KINDS = 2                                # currents of a neuron
SCALARS = ("version", "threshold", "dash_mem", "bias", "most")
VARIABLES = ("v", "i0", "i1")
PARAMS = np.dtype([*((name, "i8") for name in SCALARS), ("dash_syn", "i8", (KINDS,))])
STATE = np.dtype([("t", "f8"), ("v", "i8"), ("i", "i8", (KINDS,)), ("shots", "i8"), ("asleep", "i8"),
                  ("saturations", "i8"), *FIELDS])


def held(x):
    return min(max(x, LOW), HIGH)


def decrement(x, dash):
    """What a tick takes from x: a negative x >> dash is never 0."""
    return max(x >> dash, 1) if x > 0 else x >> dash


def membrane(version, dash, bias, v, total):
    """v after a tick with currents that add up to `total`, and the value that was to be held."""
    lost = decrement(v, dash)
    exact = v - lost + total + bias
    if version == 1:
        return held(exact), exact
    gained = LOW if lost == LOW else -lost       # int16 has no 32768
    return held(v + held(held(gained + total) + bias)), exact


def over(p, v):
    return v >= p.threshold


def receive(p, s, t, sums):
    """One arrival: the current it goes to saturates each time."""
    through(p, s, t - 1)
    for k in range(min(KINDS, len(sums))):
        if sums[k] != 0:
            exact = s.i[k] + int(sums[k])
            s.i[k] = held(exact)
            if s.i[k] != exact:
                s.saturations += 1
                if s.first_t == 0:                # as `noted`, which would say tick s.t
                    s.first_t, s.first_which, s.first_value = int(t), k + 1, exact
            s.asleep = 0


def finish(p, s):
    """Make the tick after s.t."""
    s.t += 1
    total, still = 0, True
    for k in range(KINDS):
        if s.i[k] != 0:
            s.i[k] -= decrement(s.i[k], p.dash_syn[k])
            total += s.i[k]
            still = False
    v, exact = membrane(p.version, p.dash_mem, p.bias, s.v, total)
    if v != exact:
        s.saturations += 1
        noted(s, 0, exact)
        still = False                             # though it may be, each tick counts
    if v != s.v:
        s.v = v
        still = False
    s.shots = p.most
    s.asleep = 1 if still and not over(p, v) else 0


def foreseen(p, s):
    """Whether the tick after s.t would give a spike if nothing more arrived at it."""
    total = 0
    for k in range(KINDS):
        total += s.i[k] - decrement(s.i[k], p.dash_syn[k])
    return over(p, membrane(p.version, p.dash_mem, p.bias, s.v, total)[0])


def fire(p, s, t):
    through(p, s, t)
    s.shots -= 1
    s.v -= p.threshold
    s.asleep = 0


def value(p, s, t, which):
    through(p, s, np.floor(t))
    return float(s.v if which == 0 else s.i[which - 1])


OWN = {"finish": finish, "foreseen": foreseen, "over": over}
DYNAMICS = Dynamics(
    "xylo/1", Verbs(*(Bound.to(verb, OWN) for verb in (advance, receive, inject, next_spike, fire, value))),
    "integer, tick mode", ("saturations",), judged_last=True, separate=True,
    strict=Strict(general, faults(VARIABLES)))


# ---------------------------------------------------------------------------------------------------- the chip
DASH = "decays lose x >> dash a tick"
REGISTERS = {
    "threshold": Register(1, 1, HIGH, "v fires from there on, and is less by it"),
    "dash_mem": Register(1, 0, 15, f"of v: {DASH}"),
    "dash_syn": Register(1, 0, 15, f"of the current of receptor 0: {DASH}"),
    "dash_syn2": Register(1, 0, 15, f"of the current of receptor 1: {DASH}"),
    "bias": Register(0, LOW, HIGH, "v grows by it a tick; version 2 only"),
}
WORDS = {"side": ("hidden", "readout")}
SETTINGS = {"shift": Register(0, 0, 8, "weights count << shift; one for all inputs, one for all recurrent connections, "
                                       "one for all connections into the readout")}
MEANINGS = {
    "version": "of the core", "threshold": "a spike if v >= threshold, and v is less by it",
    "most": "spikes at one tick",
    "dash_mem": "v loses v >> dash_mem a tick, rounded down, and at least 1", "bias": "v grows by it at every tick",
    "dash_syn": "per receptor: its current loses so much, likewise", "v": "v at tick 0", "i": "currents at tick 0"}
# Rockpool 3.1's mapper (SYNS61201) and shape (SYNS61300)
CHANNELS, HIDDEN, READOUT = 16, 1000, 8
INPUTS, SPIKES = 15, 31                  # the most events of a channel, spikes of a hidden neuron, in a tick


def form(registers: Mapping[str, Any], lsb: float, tick: float) -> Format:
    return Format(16, 0, lsb, tick, "shift", 0, 8, "FLOOR", "full", "tick", ">=",
                  1 if registers["side"] == "readout" else SPIKES)


def wired(cells: Mapping[Any, Cells], wires: Sequence[Wires]) -> list[Wires]:
    """The projections, checked: who may reach whom, one shift a side."""
    sides = {name: c.registers["side"] for name, c in cells.items()}
    shifts: dict[str, int] = {}
    first = min((w.target.emitter for w in wires), default=0)
    for w in wires:
        source, target = sides.get(w.source.name, "input"), sides[w.target.name]
        with at(f"edge {quoted(w.source.name)} -> {quoted(w.target.name)}"):
            if source == "readout" or (source == "input" and target == "readout"):
                raise Mistake(f"topology: Xylo has nothing from {source} to {target}: inputs reach hidden neurons, and "
                              "those each other and the readout")
            if w.receptor >= (1 if target == "readout" else KINDS):
                raise Mistake(f"receptor {w.receptor}: a hidden neuron has currents 0 and 1, a readout neuron has 0")
            if w.mantissa.min(initial=0) < -128 or w.mantissa.max(initial=0) > 127:
                raise Mistake(f"weight range: weights from {w.mantissa.min()} to {w.mantissa.max()}, the chip's are "
                              "-128 to 127: use shift")
            if source == "input" and w.source.emitter > first:
                raise Mistake("order: a chip takes its inputs before its own spikes, so spike sources come first in "
                              "the graph: add them before the neurons")
            side = "weight_shift_out" if target == "readout" else "weight_shift_rec" if source == "hidden" else \
                "weight_shift_inp"
            if shifts.setdefault(side, w.shift) != w.shift:
                raise Mistake(f"{side}: {w.shift} here, {shifts[side]} elsewhere: one for all")
    sizes = {side: sum(len(c.registers["bias"]) for c in cells.values() if c.registers["side"] == side)
             for side in WORDS["side"]}
    channels = {w.source.name: w.source for w in wires if w.source.kind == "source"}
    for what, number, most in (
            ("input channels", sum(p.size for p in channels.values()), CHANNELS),
            ("hidden neurons", sizes["hidden"], HIDDEN), ("readout neurons", sizes["readout"], READOUT)):
        if number > most:
            raise Mistake(f"{what}: {number:,} of at most {most:,}")
    tick = next(iter(cells.values())).form.tick
    for p in channels.values():
        if p.model == "spikes":
            for k, train in enumerate(p.params["times"]):
                together = np.unique(np.rint(np.asarray(train) / tick), return_counts=True)[1]
                if together.max(initial=0) > INPUTS:
                    raise Mistake(f"node {quoted(p.name)}: input events: {together.max()} spikes of source {k} in one "
                                  f"tick, of at most {INPUTS}: take a shorter tick")
    return list(wires)


def records(version: int) -> Any:
    def made(p: Population, own: Cells, wires: Sequence[Wires]) -> tuple[np.recarray, np.recarray]:
        """Parameter and state records of one population."""
        params: np.recarray = np.zeros(p.size, PARAMS).view(np.recarray)
        r = own.registers
        if version == 1 and np.any(r["bias"]):
            raise Mistake(f"node {quoted(p.name)}: bias: version 1 of the core has none")
        for name in ("threshold", "dash_mem", "bias"):
            params[name] = r[name]
        params.version, params.most = version, own.form.spikes
        params.dash_syn[:, 0], params.dash_syn[:, 1] = r["dash_syn"], r["dash_syn2"]
        return params, np.zeros(p.size, STATE).view(np.recarray)
    return made


V1, V2 = (Profile(f"xylo_v{k}", DYNAMICS, VARIABLES, REGISTERS, WORDS, SETTINGS, form, wired, records(k), "shift",
              lambda width: (PARAMS, STATE), MEANINGS)
          for k in (1, 2))
