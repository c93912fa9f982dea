"""`lif` with delta synapses in scaled form (law S11): one E per instant, no exponential per arrival.

    V = v_rest + v_inf + u e^{-(t - k tau)/tau},   E(t) = e^{(t - k tau)/tau},   k = the epoch, k tau <= t < (k + 1) tau
    an input S:  u := u + fl(S E)          a spike if  u >= fl((theta - v_inf) E)
    a new epoch: u := u f, f = e^{-1}      v_inf changes: u := u + (old - new) E

theta and reset count from rest.  While held (refractory) u has no meaning; release sets it at s.end.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..channels import silent
from ..course import RAPID
from ..elementary import exp, exp_along, log
from ..model import Dynamics, Prepared, Quick, Verbs, Waves, inf

PARAMS = np.dtype([("tau", "f8"), ("cm", "f8"), ("theta", "f8"), ("reset", "f8"), ("refrac", "f8"), ("i_offset", "f8"),
                   ("jump", "f8"), ("rest", "f8"), ("subtract", "i8")])
STATE = np.dtype([("t", "f8"), ("u", "f8"), ("e", "f8"), ("v_inf", "f8"), ("end", "f8"), ("epoch", "i8"),
                  ("held", "i8"), ("drifts", "i8")])

F = float.fromhex("0x1.78b56362cef38p-2")     # e^-1
LEAST = 5e-324                                # u decays to this and keeps its sign: V approaches v_inf for ever


BARE = ("growing",)                           # see kernel/link.py


def epoch_of(t, tau):
    """k with fl(k tau) <= t < fl((k + 1) tau)."""
    k = int(t / tau)
    if k * tau > t:
        k -= 1
    if (k + 1) * tau <= t:
        k += 1
    return k


def growth(t, k, tau):
    """E at a time t in epoch k."""
    return exp(phase(t, k * tau, 1.0 / tau))


def phase(t, began, rate):
    """How much of its epoch, which began then, has passed at t.  rate: 1 / tau."""
    return (t - began) * rate


def growing(times, k, tau, out):
    """E at ascending times in epoch k."""
    exp_along(times, k * tau, 1.0 / tau, out)


def aged(u):
    """u one epoch later; what has decayed stays."""
    return u * F if abs(u) > LEAST else u


def rolled(u, k, tau, t):
    """u and its epoch, taken to the epoch of t by one multiplication each."""
    while abs(u) > LEAST and (k + 1) * tau <= t:
        u = aged(u)
        k += 1
    return (u, k) if abs(u) > LEAST else (u, epoch_of(t, tau))


def advance(p, s, t):
    if s.held:
        if t < s.end:
            s.t = t
            return
        s.held = 0
        s.epoch = epoch_of(s.end, p.tau)
        s.u = (p.reset - s.v_inf) * growth(s.end, s.epoch, p.tau)
    s.u, s.epoch = rolled(s.u, s.epoch, p.tau, t)
    s.e = growth(t, s.epoch, p.tau)
    s.t = t


def receive(p, s, t, sums):
    if silent(sums):
        return
    advance(p, s, t)
    if not s.held:
        total = sums[0]
        for k in range(1, len(sums)):
            total += sums[k]
        s.u += total * s.e


def inject(p, s, slot, amount, slope):
    i = p.i_offset + amount
    drifts = i * p.tau > p.theta * p.cm       # exact where R I equals the threshold exactly (S1)
    v_inf = i * p.tau / p.cm
    if not drifts:
        v_inf = min(v_inf, p.theta)
    if not s.held:
        s.u += (s.v_inf - v_inf) * s.e
    s.v_inf = v_inf
    s.drifts = drifts


def next_spike(p, s, horizon):
    if s.held:
        if s.end > horizon:
            return s.end
        advance(p, s, s.end)
    if s.u >= (p.theta - s.v_inf) * s.e:
        return s.t
    gap = s.v_inf - p.theta
    if not s.drifts or gap <= 0.0:
        return inf
    u, k = s.u, s.epoch
    while k == s.epoch or k * p.tau <= horizon:
        if -u < 2.75 * gap:                   # e^1 and a margin: the crossing may lie in this epoch
            t = k * p.tau + p.tau * log(-u / gap)
            if t <= (k + 1) * p.tau:
                return max(t, s.t, k * p.tau)
        u *= F
        k += 1
    return k * p.tau


def fire(p, s, t):
    if p.subtract:
        advance(p, s, t)
        s.u -= p.jump * s.e
        return
    s.t = t
    s.end = t + p.refrac
    s.held = 1
    advance(p, s, t)                          # without a refractory period this releases at once


def value(p, s, t, which):
    if s.held:
        if t < s.end:
            return p.rest + p.reset
        advance(p, s, s.end)                  # a release that is due changes nothing that could be asked
    u, k = rolled(s.u, s.epoch, p.tau, t)
    return p.rest + (s.v_inf + u / growth(t, k, p.tau))


def rests(p, most):
    """Whether V_inf stays at or below theta and a spike resets to a value, whence it does not fire endlessly: then
    nothing happens between inputs but ends of refractoriness."""
    settles = (p.i_offset + most) * p.tau <= p.theta * p.cm
    return settles & (p.subtract == 0) & ((p.reset < p.theta) | (p.refrac > 10.0 * RAPID))


DYNAMICS = Dynamics(
    "lif/scaled", Verbs(advance, receive, inject, next_spike, fire, value), "closed form",
    quick=Quick("rows", {"growth": growth, "growing": growing, "aged": aged, "epoch_of": epoch_of, "inject": inject,
                         "value": value}, ("tau",), rests))
UNEVEN = replace(DYNAMICS, name="lif/scaled, uneven", quick=Quick(           # in a population of several tau
    "uneven", {"phase": phase, "rolled": rolled, "epoch_of": epoch_of, "inject": inject, "value": value}, (), rests))


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    p: Any = np.zeros(size, PARAMS).view(np.recarray)
    p.tau, p.cm, p.rest, p.i_offset = values["tau_m"], values["cm"], values["v_rest"], values["i_offset"]
    p.theta, p.reset = values["v_thresh"] - p.rest, values["v_reset"] - p.rest
    p.jump, p.refrac = values["v_thresh"] - values["v_reset"], values["tau_refrac"]
    p.subtract = values["reset"] == "subtract"
    s: Any = np.zeros(size, STATE).view(np.recarray)
    s.e = 1.0
    s.drifts = p.i_offset * p.tau > p.theta * p.cm
    settled = p.i_offset * p.tau / p.cm
    s.v_inf = np.where(s.drifts, settled, np.minimum(settled, p.theta))
    s.u = (values["v_init"] - p.rest) - s.v_inf
    return Prepared(DYNAMICS if np.all(p.tau == p.tau[0]) else UNEVEN, p, s, len(values["synapse"]), ("v",))
