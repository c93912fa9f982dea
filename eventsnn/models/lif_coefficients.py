"""`lif` with exponential currents as scaled coefficients (law S11): no exponential per arrival, one E per instant.

    V = v_rest + v_inf + a e^{-y/tau} + sum_j b_j e^{-y/tau_j},   y = t - k tau in epoch k   (see `coefficients`)
    an arrival w:  change = fl(w gain_j), gain_j = R c_j:   b_j := b_j + change E_j,   a := a - change E
    a jump S:      a := a + fl(S E)         v_inf changes: a := a + (old - new) E
    a new epoch:   a := a e^{-1}, b_j := b_j f_j, f_j = e^{-tau/tau_j}

theta and reset count from rest.  While held (refractory) a has no meaning; release sets it at s.end, to V = reset.
`safe` is a certified time before which the neuron cannot fire by itself: after what may bring a spike nearer t +
`wait`, then the iterates of the search, each from the one before and the coefficients alone; -inf: it is at or above
theta.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..channels import pairs, silent
from ..coefficients import FAR, NEAR, below, dimmed, growth, step, sunk, tally, view, wait
from ..course import RAPID
from ..elementary import exp
from ..model import Dynamics, Prepared, Quick, Verbs, Waves, inf
from .lif_scaled import epoch_of


def records(channels: int) -> tuple[np.dtype, np.dtype]:
    """The records' types for so many receptors and spike-triggered currents; a delta receptor's channel stays 0."""
    each = (channels,)
    return (np.dtype([("tau", "f8"), ("cm", "f8"), ("theta", "f8"), ("reset", "f8"), ("refrac", "f8"),
                      ("i_offset", "f8"), ("jump", "f8"), ("rest", "f8"), ("subtract", "i8"), ("receptors", "i8"),
                      ("tau_c", "f8", each), ("gain", "f8", each), ("share", "f8", each), ("f", "f8", each),
                      ("near", "f8", each), ("far", "f8", each), ("kick", "f8", each)]),
            np.dtype([("t", "f8"), ("a", "f8"), ("v_inf", "f8"), ("end", "f8"), ("safe", "f8"), ("epoch", "i8"),
                      ("held", "i8"), ("doubtful", "i8"), ("n_ambiguous", "i8"), ("b", "f8", each)]))


def roll(p, s, t):
    """The coefficients, taken to the epoch of t."""
    epoch = epoch_of(t, p.tau)
    n = epoch - s.epoch
    if n > 0:
        s.a = sunk(s.a, n)
        for j in range(len(p.tau_c)):
            s.b[j] = dimmed(s.b[j], p.f[j], n)
        s.epoch = epoch


def survey(p, s, t):
    """The view at t, in the epoch of the coefficients."""
    seen = view(p.theta - s.v_inf)
    for j in range(len(p.tau_c)):
        if s.b[j] != 0.0:
            part = s.b[j] * (1.0 / growth(t, s.epoch, p.tau, p.tau_c[j]))
            seen = tally(seen, part, p.share[j], p.near[j], p.far[j])
    return seen


def foresee(p, s, t, leaps):
    """A spike may have come nearer at t: safe anew; V only reaches theta there if it leaps."""
    if p.theta < inf:
        seen = survey(p, s, t)
        e = growth(t, s.epoch, p.tau, p.tau)
        r = 1.0 / e
        d = below(seen, s.a, e, r)
        s.safe = -inf if leaps and d <= 0.0 else t + wait(seen, d, s.a * r, p.theta - s.v_inf, p.tau)


def advance(p, s, t):
    if s.held:
        if t < s.end:
            roll(p, s, t)
            s.t = t
            return
        roll(p, s, s.end)
        s.held = 0
        v = p.reset - s.v_inf
        for j in range(len(p.tau_c)):
            if s.b[j] != 0.0:
                v -= s.b[j] * (1.0 / growth(s.end, s.epoch, p.tau, p.tau_c[j]))
        s.a = v * growth(s.end, s.epoch, p.tau, p.tau)
        foresee(p, s, s.end, False)
        if p.reset >= p.theta:
            s.safe = -inf
        s.t = s.end
    roll(p, s, t)
    s.t = t


def charge(p, s, j, w, e):
    """A current w more in channel j at s.t, e = E."""
    change = w * p.gain[j]
    s.b[j] += change * growth(s.t, s.epoch, p.tau, p.tau_c[j])
    if not s.held:
        s.a -= change * e


def receive(p, s, t, sums):
    if silent(sums):
        return
    advance(p, s, t)
    e = growth(t, s.epoch, p.tau, p.tau)
    jump, nearer = 0.0, False
    for j in range(len(sums)):
        if j < p.receptors and sums[j] != 0.0:
            nearer = nearer or sums[j] > 0.0
            if p.tau_c[j] > 0.0:
                charge(p, s, j, sums[j], e)
            else:
                jump += sums[j]
    if not s.held:
        s.a += jump * e
        if nearer:
            foresee(p, s, t, jump > 0.0)


def inject(p, s, slot, amount, slope):
    v_inf = settled(p, p.i_offset + amount)
    old = s.v_inf
    s.v_inf = v_inf
    if not s.held:
        s.a += (old - v_inf) * growth(s.t, s.epoch, p.tau, p.tau)
        if v_inf > old:
            foresee(p, s, s.t, False)


def settled(p, i):
    """R i, and at most theta unless the products say that it is more (S1)."""
    v_inf = i * p.tau / p.cm
    return v_inf if i * p.tau > p.theta * p.cm else min(v_inf, p.theta)


def next_spike(p, s, horizon):
    if s.held:
        if s.end > horizon:
            return s.end
        advance(p, s, s.end)
    if s.safe == -inf:
        return s.t
    while s.safe <= horizon:
        roll(p, s, s.safe)
        after, verdict = step(p, s.safe, s.epoch, s.a, s.b, s.v_inf)
        if verdict > 0:
            s.doubtful = verdict - 1
            return s.safe
        s.safe = after
    return s.safe


def fire(p, s, t):
    advance(p, s, t)
    s.n_ambiguous += s.doubtful
    s.doubtful = 0
    if not p.subtract:
        s.held = 1
    e = growth(t, s.epoch, p.tau, p.tau)
    for j in range(p.receptors, len(p.tau_c)):
        if p.kick[j] != 0.0:
            charge(p, s, j, p.kick[j], e)
    if p.subtract:
        s.a -= p.jump * e
        foresee(p, s, t, True)
    else:
        s.end = t + p.refrac
        advance(p, s, t)                      # without a refractory period this releases at once


def value(p, s, t, which):
    if s.held and t >= s.end:
        advance(p, s, s.end)                  # a release that is due changes nothing that could be asked
    epoch = epoch_of(t, p.tau)
    n = max(epoch - s.epoch, 0)
    epoch = s.epoch + n
    if which == 1:
        return p.rest + p.theta
    if which > 1:
        j = which - 2
        if s.b[j] == 0.0:
            return 0.0
        i = dimmed(s.b[j], p.f[j], n) * (1.0 / growth(t, epoch, p.tau, p.tau_c[j])) / p.gain[j]
        return i if j < p.receptors else -i
    if s.held:
        return p.rest + p.reset
    v = s.v_inf + sunk(s.a, n) * (1.0 / growth(t, epoch, p.tau, p.tau))
    for j in range(len(p.tau_c)):
        if s.b[j] != 0.0:
            v += dimmed(s.b[j], p.f[j], n) * (1.0 / growth(t, epoch, p.tau, p.tau_c[j]))
    return p.rest + v


def resets(p, most):
    """Whether a spike resets to a value for a while, as the kernel of pieces has it, so that none fires endlessly."""
    return (p.subtract == 0) & (p.refrac > 10.0 * RAPID)


DYNAMICS = Dynamics(
    "lif/coefficients", Verbs(advance, receive, inject, next_spike, fire, value), "closed form",
    counts=("n_ambiguous",),
    quick=Quick("coefficients", {"growth": growth, "sunk": sunk, "dimmed": dimmed, "epoch_of": epoch_of, "view": view,
                                 "tally": tally, "below": below, "wait": wait, "step": step, "inject": inject,
                                 "value": value}, ("tau", "cm", "tau_c"), resets))


def serves(values: Mapping[str, Any], waves: Waves) -> bool:
    """Whether the time constants are finite and apart, and all currents exponential or piecewise constant (law S11)."""
    kinds = set(values["synapse"])
    if "alpha" in kinds or values["tau_th"] or values["b_th"] or not waves.steps:
        return False
    taus = [tau for tau in (*values["tau_syn"], *(values["tau_w"] or [])) if tau is not None]
    tau_m = values["tau_m"]
    if len(taus) > 16 or not np.all(np.isfinite(tau_m)):
        return False
    apart = all(np.all(np.abs(tau - tau_m) > np.maximum(tau, tau_m) / 8.0) for tau in taus)
    return apart and all(bool(np.all(tau_m <= 100.0 * tau)) for tau in taus)


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    adapting, receptors = pairs(values, "tau_w", "b_w"), len(values["synapse"])
    params, state = records(receptors + len(adapting))
    p: Any = np.zeros(size, params).view(np.recarray)
    s: Any = np.zeros(size, state).view(np.recarray)
    p.tau, p.cm, p.rest, p.i_offset = values["tau_m"], values["cm"], values["v_rest"], values["i_offset"]
    p.theta, p.reset = values["v_thresh"] - p.rest, values["v_reset"] - p.rest
    p.jump, p.refrac = values["v_thresh"] - values["v_reset"], values["tau_refrac"]
    p.subtract, p.receptors = values["reset"] == "subtract", receptors
    taus = [*values["tau_syn"], *(tau for tau, _ in adapting)]
    for j, tau in enumerate(taus):
        if tau is not None:
            p.tau_c[:, j] = tau
            p.gain[:, j] = p.tau / p.cm * (tau / (tau - p.tau))
            p.share[:, j] = (tau - p.tau) / tau
            for field, x in (("f", 1.0), ("near", NEAR), ("far", FAR)):
                p[field][:, j] = powers(p.tau, tau, x)
    for j, (_, b) in enumerate(adapting, receptors):
        p.kick[:, j] = -b
    for j, i in enumerate(values["i_init"]):
        s.b[:, j] = i * p.gain[:, j]
    settles = p.i_offset * p.tau / p.cm
    s.v_inf = np.where(p.i_offset * p.tau > p.theta * p.cm, settles, np.minimum(settles, p.theta))
    v = values["v_init"] - p.rest
    s.a = (v - s.v_inf) - s.b.sum(1)
    s.safe = np.where(v >= p.theta, -inf, np.where(p.theta < inf, 0.0, inf))
    names = [*(f"i{j}" for j in range(receptors)), *(f"w{j}" for j in range(len(adapting)))]
    return Prepared(DYNAMICS, p, s, receptors, ("v", "theta", *names))


def powers(tau_m: np.ndarray, tau: np.ndarray, x: float) -> np.ndarray:
    """e^{-x tau_m/tau} by the one exp."""
    ratios, where = np.unique(-x * (tau_m / tau), return_inverse=True)
    return np.array([exp(ratio) for ratio in ratios.tolist()])[where]
