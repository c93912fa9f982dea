"""`lif` as V and its channels (law section 1): currents of every kind, mixed with delta synapses, and tau_m = inf.

V, theta and reset count from rest.  The threshold steps h add to theta and decay.  `safe` is a certified time before
which the neuron cannot fire by itself, `sought` how far the search for the crossing has come (its next iterate).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..channels import channel, decay, fill, force, kicked, layout, pairs, silent, take_in
from ..crossing import constant_crossing, first_crossing
from ..linear import potential, threshold
from ..model import Dynamics, Prepared, Verbs, Waves, inf


def records(channels: int, sines: int, steps: int) -> tuple[np.dtype, np.dtype]:
    """The records' types for so many channels, sines and threshold steps."""
    p, s = layout(channels, sines)
    return (np.dtype([("tau", "f8"), ("cm", "f8"), ("theta", "f8"), ("reset", "f8"), ("refrac", "f8"), ("jump", "f8"),
                      ("rest", "f8"), ("subtract", "i8"), ("bare", "i8"), ("tau_th", "f8", (steps,)),
                      ("b_th", "f8", (steps,)), *p]),
            np.dtype([("t", "f8"), ("v", "f8"), ("end", "f8"), ("safe", "f8"), ("sought", "f8"), ("held", "i8"),
                      ("n_ambiguous", "i8"), ("h", "f8", (steps,)), *s]))


def unknown(s):
    """The state has changed: nothing is known of the next spike."""
    s.safe = s.t
    s.sought = 0.0


def pass_time(p, s, t, moves):
    """Commit the state to t; V stands still unless it moves."""
    if t > s.t:
        x = t - s.t
        v = potential(p, s, x) if moves else s.v
        decay(p, s, x)
        for k in range(len(p.tau_th)):
            s.h[k] *= math.exp(-x / p.tau_th[k])
        s.t = t
        if moves:                             # no crossing up to t: what rounding lifts to theta stays below it
            theta = threshold(p, s, 0.0)
            s.v = v if v < theta else np.nextafter(theta, -inf)
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
    jump = take_in(p, s, sums)
    if not s.held:
        s.v += jump
    unknown(s)


def inject(p, s, slot, amount, slope):
    force(p, s, slot, amount, slope)
    unknown(s)


def next_spike(p, s, horizon):
    if s.held:
        if s.end > horizon:
            return s.end
        advance(p, s, s.end)
    if s.v >= threshold(p, s, 0.0):
        return s.t
    if p.theta == inf or horizon < s.safe:
        return s.safe if p.theta < inf else inf
    if p.bare and s.slope == 0.0:
        s.safe = s.t + constant_crossing(p, s)
    else:
        s.safe, s.sought, ambiguous, _ = first_crossing(p, s, s.sought, horizon)
        s.n_ambiguous += ambiguous
    return s.safe


def fire(p, s, t):
    if p.subtract:
        advance(p, s, t)
        s.v -= p.jump
    else:
        pass_time(p, s, t, False)
    kicked(p, s)
    for k in range(len(p.b_th)):
        s.h[k] += p.b_th[k]
    unknown(s)
    if not p.subtract:
        s.end = t + p.refrac
        s.held = 1
        advance(p, s, t)                      # without a refractory period this releases at once


def value(p, s, t, which):
    if s.held and t >= s.end:
        advance(p, s, s.end)                  # a release that is due changes nothing that could be asked
    if which == 0:
        return p.rest + (p.reset if s.held else potential(p, s, t - s.t))
    if which == 1:
        return p.rest + threshold(p, s, t - s.t)
    current = channel(p, s, which - 2, t - s.t)
    return current if which - 2 < p.receptors else -current


DYNAMICS = Dynamics("lif/linear", Verbs(advance, receive, inject, next_spike, fire, value), "closed form",
                    counts=("n_ambiguous",))


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    adapting, moving = pairs(values, "tau_w", "b_w"), pairs(values, "tau_th", "b_th")
    receptors = len(values["synapse"])
    params, state = records(receptors + len(adapting) + len(waves.decay), len(waves.frequency), len(moving))
    p: Any = np.zeros(size, params).view(np.recarray)
    s: Any = np.zeros(size, state).view(np.recarray)
    fill(p, s, values, adapting, waves)
    p.tau, p.cm, p.rest = values["tau_m"], values["cm"], values["v_rest"]
    p.theta, p.reset = values["v_thresh"] - p.rest, values["v_reset"] - p.rest
    p.jump, p.refrac = values["v_thresh"] - values["v_reset"], values["tau_refrac"]
    p.subtract = values["reset"] == "subtract"
    p.bare = not (np.any(p.tau_c > 0.0) or waves.frequency or moving)
    for j, (tau, b) in enumerate(moving):
        p.tau_th[:, j], p.b_th[:, j] = tau, b
    s.v = values["v_init"] - p.rest
    names = [*(f"i{j}" for j in range(receptors)), *(f"w{j}" for j in range(len(adapting)))]
    return Prepared(DYNAMICS, p, s, receptors, ("v", "theta", *names))
