"""`lif_cond` with exponential conductances of one time constant, in closed form (see `conductance`).

V, theta, reset and the reversal potentials e count from rest.  `safe` is a certified time before which the neuron
cannot fire by itself, `sought` how far the search for the crossing has come (its next iterate).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..channels import silent
from ..conductance import first_crossing, potential
from ..model import Dynamics, Prepared, Verbs, Waves, inf
from .lif_linear import unknown


def records(receptors: int) -> tuple[np.dtype, np.dtype]:
    """The records' types for so many receptors."""
    return (np.dtype([("tau", "f8"), ("cm", "f8"), ("theta", "f8"), ("reset", "f8"), ("refrac", "f8"), ("rest", "f8"),
                      ("i_offset", "f8"), ("ts", "f8"), ("e", "f8", (receptors,))]),
            np.dtype([("t", "f8"), ("v", "f8"), ("drive", "f8"), ("end", "f8"), ("safe", "f8"), ("sought", "f8"),
                      ("held", "i8"), ("n_ambiguous", "i8"), ("g", "f8", (receptors,))]))


def pass_time(p, s, t, moves):
    """Commit the state to t; V stands still unless it moves."""
    if t > s.t:
        x = t - s.t
        if moves:                             # no crossing up to t: what rounding lifts to theta stays below it
            v = potential(p, s, x)[0]
            s.v = v if v < p.theta else np.nextafter(p.theta, -inf)
        fall = math.exp(-x / p.ts)
        for j in range(len(s.g)):
            s.g[j] *= fall
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


def receive(p, s, t, sums):
    if silent(sums):
        return
    advance(p, s, t)
    for j in range(len(s.g)):
        s.g[j] += sums[j]
    unknown(s)


def inject(p, s, slot, amount, slope):
    s.drive = p.i_offset + amount
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
    s.safe, s.sought, ambiguous, _ = first_crossing(p, s, s.sought, horizon)
    s.n_ambiguous += ambiguous
    return s.safe


def fire(p, s, t):
    pass_time(p, s, t, False)
    s.end = t + p.refrac
    s.held = 1
    unknown(s)
    advance(p, s, t)                          # without a refractory period this releases at once


def value(p, s, t, which):
    if s.held and t >= s.end:
        advance(p, s, s.end)                  # a release that is due changes nothing that could be asked
    if which == 0:
        return p.rest + (p.reset if s.held else potential(p, s, t - s.t)[0])
    return s.g[which - 1] * math.exp(-(t - s.t) / p.ts)


DYNAMICS = Dynamics("lif_cond/closed", Verbs(advance, receive, inject, next_spike, fire, value), "closed form",
                    counts=("n_ambiguous",))


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    receptors = len(values["e_rev"])
    params, state = records(receptors)
    p: Any = np.zeros(size, params).view(np.recarray)
    s: Any = np.zeros(size, state).view(np.recarray)
    p.tau, p.cm, p.rest, p.refrac = values["tau_m"], values["cm"], values["v_rest"], values["tau_refrac"]
    p.theta, p.reset = values["v_thresh"] - p.rest, values["v_reset"] - p.rest
    p.i_offset = s.drive = values["i_offset"]
    p.ts = values["tau_syn"][0]
    for j in range(receptors):
        p.e[:, j] = values["e_rev"][j] - p.rest
        s.g[:, j] = values["g_init"][j]
    s.v = values["v_init"] - p.rest
    return Prepared(DYNAMICS, p, s, receptors, ("v", *(f"g{j}" for j in range(receptors))),
                    tuple(range(receptors)))
