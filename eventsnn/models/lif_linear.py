"""`lif` as V and its synaptic currents (law section 1): exponential synapses, mixed with delta ones, and tau_m = inf.

V, theta and reset count from rest.  A delta receptor has tau_syn = 0 and no current.  `safe` is a certified time before
which the neuron cannot fire by itself, `sought` how far the search for the crossing has come (its next iterate).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..crossing import constant_crossing, first_crossing
from ..linear import potential
from ..model import Dynamics, Prepared, Verbs, inf


def layout(receptors: int) -> tuple[np.dtype, np.dtype]:
    """The records' types for a number of receptors."""
    params = [("tau", "f8"), ("cm", "f8"), ("theta", "f8"), ("reset", "f8"), ("refrac", "f8"), ("i_offset", "f8"),
              ("jump", "f8"), ("rest", "f8"), ("subtract", "i8"), ("currents", "i8"), ("tau_syn", "f8", (receptors,))]
    state = [("t", "f8"), ("v", "f8"), ("drive", "f8"), ("end", "f8"), ("safe", "f8"), ("sought", "f8"), ("held", "i8"),
             ("n_ambiguous", "i8"), ("i", "f8", (receptors,))]
    return np.dtype(params), np.dtype(state)


def unknown(s):
    """The state has changed: nothing is known of the next spike."""
    s.safe = s.t
    s.sought = 0.0


def pass_time(p, s, t, moves):
    """Commit the state to t; V stands still unless it moves."""
    if t > s.t:
        x = t - s.t
        if moves:
            v = potential(p, s, x)            # no crossing up to t: what rounding lifts to theta stays below it
            s.v = v if v < p.theta else np.nextafter(p.theta, -inf)
        for j in range(len(p.tau_syn)):
            if p.tau_syn[j] > 0.0:
                s.i[j] *= math.exp(-x / p.tau_syn[j])
        s.t = t
        unknown(s)


def advance(p, s, t):
    if s.held:
        if t < s.end:
            pass_time(p, s, t, False)
            return
        pass_time(p, s, s.end, False)
        s.held = 0
        s.v = p.reset
        unknown(s)
    pass_time(p, s, t, True)


def receive(p, s, sums):
    for j in range(len(p.tau_syn)):
        if p.tau_syn[j] > 0.0:
            s.i[j] += sums[j]
        elif not s.held:
            s.v += sums[j]
    unknown(s)


def inject(p, s, current):
    s.drive = p.i_offset + current
    unknown(s)


def next_spike(p, s, horizon):
    if s.held:
        if s.end > horizon:
            return s.end
        advance(p, s, s.end)
    if s.v >= p.theta:
        return s.t
    if p.theta == inf or horizon < s.safe:
        return s.safe if p.theta < inf else inf
    if p.currents == 0:
        s.safe = s.t + constant_crossing(p, s)
    else:
        s.safe, s.sought, ambiguous = first_crossing(p, s, s.sought, horizon)
        s.n_ambiguous += ambiguous
    return s.safe


def fire(p, s, t):
    if p.subtract:
        advance(p, s, t)
        s.v -= p.jump
        unknown(s)
        return
    pass_time(p, s, t, False)
    s.end = t + p.refrac
    s.held = 1
    advance(p, s, t)                          # without a refractory period this releases at once


def value(p, s, t, which):
    if s.held and t >= s.end:
        advance(p, s, s.end)                  # a release that is due changes nothing that could be asked
    if which > 0:
        ts = p.tau_syn[which - 1]
        return s.i[which - 1] * math.exp(-(t - s.t) / ts) if ts > 0.0 else 0.0
    return p.rest + (p.reset if s.held else potential(p, s, t - s.t))


DYNAMICS = Dynamics("lif/linear", Verbs(advance, receive, inject, next_spike, fire, value), "closed form",
                    counts=("n_ambiguous",))


def prepare(values: Mapping[str, Any], size: int) -> Prepared:
    taus = values["tau_syn"]
    params, state = layout(len(taus))
    p: Any = np.zeros(size, params).view(np.recarray)
    p.tau, p.cm, p.rest, p.i_offset = values["tau_m"], values["cm"], values["v_rest"], values["i_offset"]
    p.theta, p.reset = values["v_thresh"] - p.rest, values["v_reset"] - p.rest
    p.jump, p.refrac = values["v_thresh"] - values["v_reset"], values["tau_refrac"]
    p.subtract, p.currents = values["reset"] == "subtract", sum(tau is not None for tau in taus)
    s: Any = np.zeros(size, state).view(np.recarray)
    s.v = values["v_init"] - p.rest
    s.drive = p.i_offset
    for j, tau in enumerate(taus):
        p.tau_syn[:, j] = 0.0 if tau is None else tau
        s.i[:, j] = values["i_init"][j]
    names = [f"i{j}" for j in range(len(taus))] if p.currents[0] else []
    return Prepared(DYNAMICS, p, s, len(taus), ("v", *names))
