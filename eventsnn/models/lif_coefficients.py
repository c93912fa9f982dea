"""`lif` with exponential and alpha currents as scaled coefficients (law S11): no exponential per arrival, one E per
instant.

    V = v_rest + v_inf + a e^{-y/tau} + sum_j b_j e^{-y/tau_j} + sum_k (b_k + c_k y) e^{-y/tau_k}
    y = t - n tau in epoch n,  j: exp receptors and spike-triggered currents,  k: alpha receptors   (see `coefficients`)
    an arrival w:  change = fl(w gain_j), gain_j = R c_j:   b_j := b_j + change E_j,   a := a - change E
    at alpha:      C = fl(w R e / (tau_k - tau)):   c_k := c_k + C E_k,   b_k := b_k - (lag_k + y) C E_k,
                   a := a + C lag_k E,  lag_k = tau tau_k / (tau_k - tau)
    a jump S:      a := a + fl(S E)         v_inf changes: a := a + (old - new) E
    a new epoch:   a := a e^{-1}, b_j := b_j f_j, f_j = e^{-tau/tau_j};   b_k := (b_k + c_k tau) f_k, c_k := c_k f_k

theta and reset count from rest.  While held (refractory) a has no meaning; release sets it at s.end, to V = reset.
`safe` is a certified time before which the neuron cannot fire by itself: after what may bring a spike nearer t +
`wait`, then the iterates of the search, each from the one before and the coefficients alone; -inf: it is at or above
theta.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..channels import pairs, silent
from ..coefficients import (
    FAR,
    NEAR,
    F,
    below,
    dimmed,
    growth,
    risen,
    shifted,
    step,
    sunk,
    survey,
    swell,
    tally,
    view,
    wait,
    without,
)
from ..course import RAPID
from ..elementary import exp
from ..model import Dynamics, Prepared, Quick, Verbs, Waves, inf
from .lif_scaled import epoch_of


def records(channels: int, rising: int = 0) -> tuple[np.dtype, np.dtype]:
    """The records' types for so many receptors and spike-triggered currents, and so many alpha receptors among them.

    The channel of a delta or alpha receptor stays 0; an alpha one's `pair` says where its b and c stand in s.b.  Where
    there is none, compilers leave out all that is for them.
    """
    each, two = (channels,), (rising,)
    return (np.dtype([("tau", "f8"), ("cm", "f8"), ("theta", "f8"), ("reset", "f8"), ("refrac", "f8"),
                      ("i_offset", "f8"), ("jump", "f8"), ("rest", "f8"), ("subtract", "i8"), ("receptors", "i8"),
                      ("tau_c", "f8", each), ("gain", "f8", each), ("share", "f8", each), ("f", "f8", each),
                      ("near", "f8", each), ("far", "f8", each), ("kick", "f8", each), ("pair", "i8", each),
                      ("tau_r", "f8", two), ("gain_r", "f8", two), ("lag", "f8", two), ("share_r", "f8", two),
                      ("climb", "f8", two), ("f_r", "f8", two), ("near_r", "f8", two), ("far_r", "f8", two),
                      ("near_top", "f8", two), ("far_top", "f8", two)]),
            np.dtype([("t", "f8"), ("a", "f8"), ("v_inf", "f8"), ("end", "f8"), ("safe", "f8"), ("epoch", "i8"),
                      ("held", "i8"), ("doubtful", "i8"), ("n_ambiguous", "i8"),
                      ("b", "f8", (channels + 2 * rising,))]))


def roll(p, s, t):
    """The coefficients, taken to the epoch of t."""
    epoch = epoch_of(t, p.tau)
    n = epoch - s.epoch
    if n > 0:
        s.a = sunk(s.a, n)
        for j in range(len(p.tau_c)):
            s.b[j] = dimmed(s.b[j], p.f[j], n)
        for k in range(len(p.tau_r)):
            i = len(p.tau_c) + 2 * k
            s.b[i], s.b[i + 1] = shifted(s.b[i], s.b[i + 1], p.f_r[k], p.tau, n)
        s.epoch = epoch


def foresee(p, s, t, leaps):
    """A spike may have come nearer at t: safe anew; V only reaches theta there if it leaps."""
    if p.theta < inf:
        seen = survey(p, t, s.epoch, s.b, p.theta - s.v_inf)
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
        v = without(p, s.end, s.epoch, s.b, p.reset - s.v_inf)
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


def raise_slowly(p, s, i, w, e):
    """An alpha current w more at s.t, where b and c stand at i and i + 1; e = E."""
    k = (i - len(p.tau_c)) // 2
    more, steeper, off = risen(p, k, w, s.t - s.epoch * p.tau, growth(s.t, s.epoch, p.tau, p.tau_r[k]), e)
    s.b[i] += more
    s.b[i + 1] += steeper
    if not s.held:
        s.a += off


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
            elif len(p.tau_r) > 0 and p.pair[j] > 0:
                raise_slowly(p, s, p.pair[j], sums[j], e)
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
        if len(p.tau_r) > 0 and p.pair[j] > 0:
            k = (p.pair[j] - len(p.tau_c)) // 2
            b, c = shifted(s.b[p.pair[j]], s.b[p.pair[j] + 1], p.f_r[k], p.tau, n)
            left = (b + c * (t - epoch * p.tau + p.lag[k])) * (1.0 / growth(t, epoch, p.tau, p.tau_r[k]))
            return left / p.gain[j]
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
    for k in range(len(p.tau_r)):
        i = len(p.tau_c) + 2 * k
        if s.b[i] != 0.0 or s.b[i + 1] != 0.0:
            b, c = shifted(s.b[i], s.b[i + 1], p.f_r[k], p.tau, n)
            v += (b + c * (t - epoch * p.tau)) * (1.0 / growth(t, epoch, p.tau, p.tau_r[k]))
    return p.rest + v


def resets(p, most):
    """Whether a spike resets to a value for a while, as the kernel of pieces has it, so that none fires endlessly."""
    return (p.subtract == 0) & (p.refrac > 10.0 * RAPID)


APART = {"exp": 8.0, "alpha": 4.0}            # tau_j and tau_m differ by more than this part of the longer
DYNAMICS = Dynamics(
    "lif/coefficients", Verbs(advance, receive, inject, next_spike, fire, value), "closed form",
    counts=("n_ambiguous",),
    quick=Quick("coefficients", {part.__name__: part for part in (
        growth, sunk, dimmed, shifted, risen, epoch_of, view, tally, swell, survey, without, below, wait, step, inject,
        value)}, ("tau", "cm", "tau_c", "tau_r"), resets))


def serves(values: Mapping[str, Any], waves: Waves) -> bool:
    """Whether the time constants are finite and apart, and all currents exponential or piecewise constant (law S11)."""
    if values["tau_th"] or values["b_th"] or not waves.steps:
        return False
    kinds = [*values["synapse"], *("exp" for _ in values["tau_w"] or [])]
    taus = [(kind, tau) for kind, tau in zip(kinds, [*values["tau_syn"], *(values["tau_w"] or [])], strict=True)
            if tau is not None]
    tau_m = values["tau_m"]
    if len(taus) > 16 or not np.all(np.isfinite(tau_m)):
        return False
    apart = all(np.all(np.abs(tau - tau_m) > np.maximum(tau, tau_m) / APART[kind]) for kind, tau in taus)
    return apart and all(bool(np.all(tau_m <= 100.0 * tau)) for _, tau in taus)


def prepare(values: Mapping[str, Any], size: int, waves: Waves) -> Prepared:
    adapting, receptors = pairs(values, "tau_w", "b_w"), len(values["synapse"])
    rising = [j for j, kind in enumerate(values["synapse"]) if kind == "alpha"]
    channels = receptors + len(adapting)
    params, state = records(channels, len(rising))
    p: Any = np.zeros(size, params).view(np.recarray)
    s: Any = np.zeros(size, state).view(np.recarray)
    p.tau, p.cm, p.rest, p.i_offset = values["tau_m"], values["cm"], values["v_rest"], values["i_offset"]
    p.theta, p.reset = values["v_thresh"] - p.rest, values["v_reset"] - p.rest
    p.jump, p.refrac = values["v_thresh"] - values["v_reset"], values["tau_refrac"]
    p.subtract, p.receptors = values["reset"] == "subtract", receptors
    taus = [*values["tau_syn"], *(tau for tau, _ in adapting)]
    for j, tau in enumerate(taus):
        if tau is not None:
            p.gain[:, j] = p.tau / p.cm * (tau / (tau - p.tau))
        if tau is not None and j not in rising:
            p.tau_c[:, j] = tau
            p.share[:, j] = (tau - p.tau) / tau
            for field, x in (("f", 1.0), ("near", NEAR), ("far", FAR)):
                p[field][:, j] = powers(p.tau, tau, x)
    for k, j in enumerate(rising):
        tau = taus[j]
        p.pair[:, j] = channels + 2 * k
        p.tau_r[:, k], p.climb[:, k], p.share_r[:, k] = tau, tau - p.tau, (tau - p.tau) / tau
        p.gain_r[:, k] = p.tau / p.cm * (math.e / (tau - p.tau))
        p.lag[:, k] = p.tau * tau / (tau - p.tau)
        p.f_r[:, k] = powers(p.tau, tau, 1.0)
        for name, x in (("near", NEAR), ("far", FAR)):
            p[f"{name}_r"][:, k] = left = powers(p.tau, tau, x)
            p[f"{name}_top"][:, k] = np.where(x * p.tau < tau, x * p.tau / tau * left, F)
    for j, (_, b) in enumerate(adapting, receptors):
        p.kick[:, j] = -b
    for j, i in enumerate(values["i_init"]):
        s.b[:, channels + 2 * rising.index(j) if j in rising else j] = i * p.gain[:, j]
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
