"""Neurons without a closed form: an error-controlled Runge-Kutta method whose steps know of no event (law 3.1).

    dy/dsigma = slopes(p, y, current),   y = (V or what stands for it, other states, time since s.t)

A model binds `slopes`, which also says how fast time passes: near a spike, where V runs away, dt/dsigma falls as dV/dt
grows, so that everything stays smooth (Sundman 1913) and the crossing of the peak is an ordinary one.  Steps depend on
the error estimate alone.  A spike is the first upward crossing of p.peak by the dense output's polynomial, found by its
Bernstein coefficients: no crossing of the polynomial is missed.  An input inside a step is met by the dense output, and
the integration starts anew from there.

What a model binds: slopes; volts(p, y0), what V is (mV); place(p, v), its inverse; reset(p, s), what a spike does.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import channels
from .channels import angle, channel, decay, force, layout, line, silent, take_in
from .dense import crossing, dense, solve
from .errors import Mistake
from .model import Bound, Dynamics, Field, Prepared, Verbs, Waves, inf
from .tableau import DENSE, ERROR3, ERROR5, STAGES

FIELDS = {
    **channels.FIELDS,
    "e_rev": Field(None, "mV", "reversal potentials: with one, a receptor is a conductance (weights and i_init in uS); "
                   "default null: a current", per="receptor"),
    "rtol": Field(1e-13, "1", "relative tolerance of a step", above=0.0),
    "atol": Field(1e-13, "mV", "absolute tolerance of a step (of every state, in its unit)", above=0.0),
}
FIRST, LONGEST = 0.1, 50.0   # ms: the first step that is tried, and what the longest takes of time
SHORTEST = 1e-9              # a step this short that is still too wrong means that there is no solution to follow
LEAST, MOST = 0.2, 6.0       # by how much a step's length may change at once


def fields(current: str, potential: str) -> dict[str, Field]:
    """FIELDS in other units of current and potential."""
    units = {"nA": current, "mV": potential}
    return {name: field._replace(unit=units.get(field.unit, field.unit)) for name, field in FIELDS.items()}


# ---------------------------------------------------------------------------------------------------- bound by models
def slopes(p, y, current, dy):
    """dy/dsigma; the last is dt/dsigma."""


def volts(p, y0):
    return y0


def place(p, v):
    return v


def reset(p, s):
    """What a spike does to the other states."""


# ---------------------------------------------------------------------------------------------------- steps
def inflow(p, s, x, v):
    """The current into the membrane at s.t + x, of conductances too (nA)."""
    total = line(s, x)
    for k in range(len(p.tau_c)):
        i = channel(p, s, k, x)
        if i != 0.0:
            total += i * (p.e_rev[k] - v) if p.e_rev[k] == p.e_rev[k] else i
    for k in range(len(s.sine)):
        if s.sine[k] != 0.0:
            total += s.sine[k] * math.sin(angle(p, s, k, x))
    return total


def derivative(p, s, y, dy):
    n = len(s.a)
    x = max(y[n - 1], 0.0)                    # a stage of a step too long may look back
    slopes(p, y, inflow(p, s, x, volts(p, y[0])), dy)
    if s.held:                                # V stands still, so time need not slow down
        for c in range(n):
            dy[c] /= dy[n - 1]
        dy[0] = 0.0


def start(s):
    """The state was changed at s.t: integrate anew from there."""
    s.a[len(s.a) - 1] = 0.0
    s.taken = 0
    unsearched(s)


def unsearched(s):
    """Nothing is known of spikes from here on."""
    s.since = 0.0
    s.turned = 0.0
    s.spike = inf


def stage(s, k, i, h, y):
    """y where stage i looks."""
    for c in range(len(s.a)):
        total = 0.0
        for j in range(i):
            total += STAGES[i, j] * k[j, c]
        y[c] = s.a[c] + h * total


def wrong(p, s, k, h, y):
    """The estimated error of a step of length h to y, in units of the tolerances."""
    n = len(s.a)
    fifth, third = 0.0, 0.0
    for c in range(n):
        high, low = 0.0, 0.0
        for j in range(13):
            high += ERROR5[j] * k[j, c]
            low += ERROR3[j] * k[j, c]
        scale = p.atol + p.rtol * max(abs(s.a[c]), abs(y[c]))
        fifth += (high / scale) * (high / scale)
        third += (low / scale) * (low / scale)
    if fifth == 0.0:
        return 0.0
    error = h * fifth / math.sqrt((fifth + 0.01 * third) * n)
    return error if error < inf else inf      # a NaN too


def growth(error):
    """By how much the next step may be longer: 0.9 error^(-1/8)."""
    return 0.9 / math.sqrt(math.sqrt(math.sqrt(error))) if error > 0.0 else MOST


def step(p, s):
    """One more step, from where the last one ended or from s.t, and its dense output."""
    n = len(s.a)
    k, y = np.empty((16, n)), np.empty(n)
    if s.taken:
        for c in range(n):
            s.a[c] = s.b[c]
            k[0, c] = s.f[c]
    else:
        derivative(p, s, s.a, k[0])
    h, most = s.h, MOST
    for c in range(len(p.tau_c)):             # a step of many time constants would not see a short current at all
        if p.tau_c[c] > 0.0 and (s.i[c] != 0.0 or s.y[c] != 0.0) and s.a[n - 1] < 40.0 * p.tau_c[c]:
            h = min(h, 4.0 * p.tau_c[c])
    while True:
        for i in range(1, 13):
            stage(s, k, i, h, y)
            derivative(p, s, y, k[i])
        error = wrong(p, s, k, h, y)
        if error <= 1.0:
            break
        if h < SHORTEST:                      # give up: the run ends in an error that names the neuron
            s.n_stuck += 1
            s.b[n - 1] = inf
            s.h, s.taken, s.spike = FIRST, 1, inf
            return
        h *= max(LEAST, growth(error)) if error < inf else LEAST
        most = 1.0                            # after a rejection, no growth at once
    for c in range(n):
        s.b[c] = y[c]
        s.f[c] = k[12, c]
    for i in range(13, 16):
        stage(s, k, i, h, y)
        derivative(p, s, y, k[i])
    for c in range(n):
        rise = s.b[c] - s.a[c]
        s.poly[c] = rise
        s.poly[n + c] = h * k[0, c] - rise
        s.poly[2 * n + c] = 2.0 * rise - h * (k[12, c] + k[0, c])
        for i in range(4):
            total = 0.0
            for j in range(16):
                total += DENSE[i, j] * k[j, c]
            s.poly[(3 + i) * n + c] = h * total
    s.h = min(h * min(growth(error), most), LONGEST / s.f[n - 1])
    s.taken = 1
    unsearched(s)


# ---------------------------------------------------------------------------------------------------- events
def search(p, s):
    """Look for a spike in the rest of the step: an upward crossing of the peak, once V has been below it."""
    while p.peak < inf:                       # a readout has none
        x = crossing(s, p.peak, 1.0 if s.armed else -1.0, s.since)
        if x < 0.0:
            return
        s.since = x
        if s.armed:
            s.spike = max(s.t + dense(s, len(s.a) - 1, x), s.t)
            return
        s.armed = 1
        s.turned = x


def reach(p, s, t):
    """Steps until the last one ends after t, or a spike is in sight, or nothing can be done."""
    while (not s.taken or s.t + s.b[len(s.a) - 1] <= t) and s.spike == inf and s.n_stuck == 0:
        step(p, s)
        if not s.held and s.n_stuck == 0:
            search(p, s)


def part_of(s, t):
    """Which part of the step stands for time t."""
    return s.since if t == s.spike else solve(s, len(s.a) - 1, t - s.t, 1.0, 0.0, 1.0)


# ---------------------------------------------------------------------------------------------------- verbs
def carry(p, s, t):
    """Commit the state to t."""
    if t <= s.t:
        return
    reach(p, s, t)
    x = part_of(s, t)
    for c in range(len(s.a)):
        s.b[c] = dense(s, c, x)
    for c in range(len(s.a)):
        s.a[c] = s.b[c]
    if not s.held and t < s.spike:            # no crossing up to t, in either direction: not by rounding either
        if s.armed and x >= s.turned:
            s.a[0] = min(s.a[0], np.nextafter(p.peak, -inf))
        else:
            s.armed = 0
            s.a[0] = max(s.a[0], p.peak)
    decay(p, s, t - s.t)
    s.t = t
    start(s)


def advance(p, s, t):
    if s.held:
        if t < s.end:
            carry(p, s, t)
            return
        carry(p, s, s.end)
        s.held = 0
        start(s)
    carry(p, s, t)


def receive(p, s, t, sums):
    if silent(sums):
        return
    advance(p, s, t)
    jump = take_in(p, s, sums)
    if jump != 0.0 and not s.held:
        s.a[0] = place(p, volts(p, s.a[0]) + jump)
        if s.a[0] < p.peak:
            s.armed = 1
    start(s)


def inject(p, s, slot, amount, slope):
    force(p, s, slot, amount, slope)
    start(s)


def next_spike(p, s, horizon):
    if s.held:
        if s.end > horizon:
            return s.end
        advance(p, s, s.end)
    if not s.taken and s.armed and s.a[0] >= p.peak:
        return s.t
    reach(p, s, horizon)
    return s.spike if s.spike < inf else s.t + s.b[len(s.a) - 1]


def fire(p, s, t):
    if p.resets:
        carry(p, s, t)
        reset(p, s)
        s.a[0] = p.reset
        s.end = t + p.refrac
        s.held = 1
        start(s)
        advance(p, s, t)                      # without a refractory period this releases at once
        return
    s.armed = 0                               # nothing happens to the state: the search goes on
    if s.taken:
        s.spike = inf
        search(p, s)


def value(p, s, t, which):
    if s.held and t >= s.end:
        advance(p, s, s.end)                  # a release that is due changes nothing that could be asked
    others = len(s.a) - 2
    if which > others:
        return channel(p, s, which - others - 1, t - s.t)
    y = s.a[which]
    if s.taken or t > s.t:
        reach(p, s, t)
        y = dense(s, which, part_of(s, t))
    return volts(p, y) if which == 0 else y


# ---------------------------------------------------------------------------------------------------- making models
def dynamics(name: str, hooks: Mapping[str, Callable[..., Any]]) -> Dynamics:
    """The dynamics of a model that binds `slopes` and, as it needs them, `volts`, `place` and `reset`."""
    verbs = (advance, receive, inject, next_spike, fire, value)
    return Dynamics(name, Verbs(*(Bound.to(verb, hooks) for verb in verbs)), "ode", counts=("n_stuck",))


def prepare(made: Dynamics, values: Mapping[str, Any], size: int, waves: Waves, parameters: Mapping[str, Any],
            states: Mapping[str, Any], peak: Any, after: Any = None) -> Prepared:
    """Records of a model.

    parameters  what `slopes` finds in p, by name
    states      at t = 0, by name: first what stands for V (mV, mapped by the caller), then the others
    peak        what V (mapped) crosses at a spike
    after       V (mapped) after a spike, held there for `tau_refrac`; None: a spike changes nothing
    """
    settled = {**values, **channels.receptors(values, size)}
    receptors, n = len(settled["synapse"]), len(states) + 1
    shared = ("peak", "reset", "refrac", "rtol", "atol")
    fields, state = layout(receptors + len(waves.decay), len(waves.frequency))
    params = np.dtype([*((name, "f8") for name in (*shared, *parameters)), ("resets", "i8"),
                       ("e_rev", "f8", (receptors + len(waves.decay),)), *fields])
    p: Any = np.zeros(size, params).view(np.recarray)
    s: Any = np.zeros(size, np.dtype([
        ("t", "f8"), ("end", "f8"), ("held", "i8"), ("h", "f8"), ("taken", "i8"), ("since", "f8"), ("turned", "f8"),
        ("spike", "f8"), ("armed", "i8"), ("n_stuck", "i8"), ("a", "f8", (n,)), ("b", "f8", (n,)), ("f", "f8", (n,)),
        ("poly", "f8", (7 * n,)), *state])).view(np.recarray)
    channels.fill(p, s, settled, [], waves)
    for name, value in parameters.items():
        p[name] = value
    p.peak, p.rtol, p.atol = peak, values["rtol"], values["atol"]
    if after is not None:
        p.resets, p.reset, p.refrac = 1, after, values["tau_refrac"]
    p.e_rev = np.nan
    for k, potential in enumerate(reversals(values["e_rev"], settled["synapse"])):
        if potential is not None:
            p.e_rev[:, k] = potential
            if np.any(s.i[:, k] < 0.0):
                raise Mistake(f"receptor {k} is a conductance: its i_init must be >= 0 uS, not {s.i[:, k].min():g}")
    for c, value in enumerate(states.values()):
        s.a[:, c] = value
    s.spike, s.armed, s.h = inf, 1, FIRST
    (loosest,), (widest,) = np.unique(values["rtol"])[-1:], np.unique(values["atol"])[-1:]
    return Prepared(made, p, s, receptors, (*states, *(f"i{k}" for k in range(receptors))),
                    tuple(k for k in range(receptors) if not np.all(np.isnan(p.e_rev[:, k]))),
                    f"ode({loosest:g}, {widest:g})")


def reversals(given: Any, kinds: list[str]) -> list[Any]:
    """One reversal potential, or None, per receptor."""
    if given is None:
        return [None] * len(kinds)
    if len(given) != len(kinds):
        raise Mistake(f"e_rev has {len(given)} entries for {len(kinds)} receptors: one per receptor, null for currents")
    for k, (potential, kind) in enumerate(zip(given, kinds, strict=True)):
        if potential is not None and kind == "delta":
            raise Mistake(f"receptor {k} is delta and has no e_rev: write null, or synapse = \"exp\"")
    return list(given)
