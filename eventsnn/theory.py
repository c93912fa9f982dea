"""Rates of a leaky integrate-and-fire neuron that need no simulation: constant drive, white noise, shot noise.

    tau_m dV/dt = mu - V + sigma sqrt(tau_m) xi(t);   V >= v_thresh: a spike, then V = v_reset for tau_refrac

    constant_rate    sigma = 0, in closed form                                 Lapicque 1907
    siegert_rate     white noise: the limit of many small independent jumps    Siegert 1951; Brunel 2000
    siegert_cv       and the irregularity of its intervals                     Brunel 2000, appendix
    shot_noise_rate  Poisson jumps of exponentially distributed size: exact    Richardson & Swarbrick 2010

Potentials in mV from any common zero, times in ms, rates in Hz.  A rate too low for a double is 0.
"""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

from .errors import Mistake

inf = math.inf
ROOT_PI = math.sqrt(math.pi)


def diffusion(inputs: Iterable[tuple[float, float]], tau_m: float) -> tuple[float, float]:
    """mu and sigma (mV) of independent Poisson inputs, (rate in Hz, jump in mV) each, for V that rests at 0."""
    pairs = [(rate / 1000.0, jump) for rate, jump in inputs]
    return (tau_m * math.fsum(rate * jump for rate, jump in pairs),
            math.sqrt(tau_m * math.fsum(rate * jump * jump for rate, jump in pairs)))


def constant_rate(mu: float, *, tau_m: float, v_thresh: float, v_reset: float, tau_refrac: float) -> float:
    """Hz of a neuron whose V heads for mu; 0 where mu <= v_thresh."""
    _check(mu, 0.0, tau_m, v_thresh, v_reset, tau_refrac)
    if mu <= v_thresh:
        return 0.0
    return 1000.0 / (tau_refrac + tau_m * math.log1p((v_thresh - v_reset) / (mu - v_thresh)))


def siegert_rate(mu: float, sigma: float, *, tau_m: float, v_thresh: float, v_reset: float, tau_refrac: float) -> float:
    """Hz under white noise.  sigma is sqrt(2) times the standard deviation of V without a threshold."""
    _check(mu, sigma, tau_m, v_thresh, v_reset, tau_refrac)
    if sigma == 0.0 or abs(v_reset - mu) / sigma == inf:
        return constant_rate(mu, tau_m=tau_m, v_thresh=v_thresh, v_reset=v_reset, tau_refrac=tau_refrac)
    low, high = (v_reset - mu) / sigma, (v_thresh - mu) / sigma
    shrink = _shrink(high)
    return 1000.0 * shrink / (tau_refrac * shrink + tau_m * ROOT_PI * _passage(low, high))


def siegert_cv(mu: float, sigma: float, *, tau_m: float, v_thresh: float, v_reset: float, tau_refrac: float) -> float:
    """The coefficient of variation of the intervals under white noise; 1 where they are too long for a double."""
    _check(mu, sigma, tau_m, v_thresh, v_reset, tau_refrac)
    if sigma == 0.0 or abs(v_reset - mu) / sigma == inf:
        return 0.0
    low, high = (v_reset - mu) / sigma, (v_thresh - mu) / sigma
    if _shrink(high) == 0.0:
        return 1.0
    mean = tau_refrac * _shrink(high) / tau_m + ROOT_PI * _passage(low, high)      # of an interval, in tau_m
    return math.sqrt(2.0 * math.pi * _spread(low, high)) / mean


def shot_noise_rate(excitation: tuple[float, float], inhibition: tuple[float, float] = (0.0, 1.0), *, v_rest: float,
                    tau_m: float, v_thresh: float, v_reset: float, tau_refrac: float) -> float:
    """Hz under Poisson jumps whose sizes are exponentially distributed: (rate in Hz, mean size in mV > 0) of each sign.

    Exact for jumps of any size, as long as V cannot drift over the threshold: v_rest <= v_thresh.  With P(s) the
    bilateral Laplace transform of V's stationary density (v_rest = 0; A and B jumps per tau_m, of mean sizes a and b),

        dP/ds = P [A a / (1 - a s) - B b / (1 + b s)] - tau_m rate / s [exp(s v_thresh) / (1 - a s) - exp(s v_reset)]

    P(0) = 1 - tau_refrac rate, and since P is finite at s = 1/a, that decides the rate (PRL 105, 178102).
    """
    for name, (rate, size) in (("excitation", excitation), ("inhibition", inhibition)):
        if not (0.0 <= rate < inf and 0.0 < size < inf):
            raise Mistake(f"{name} is ({rate!r}, {size!r}): give a rate >= 0 (Hz) and a mean size > 0 (mV)")
    _check(v_rest, 0.0, tau_m, v_thresh, v_reset, tau_refrac)
    if v_rest > v_thresh:
        raise Mistake(f"v_rest ({v_rest:g}) lies above v_thresh ({v_thresh:g}): V would drift over the threshold, and "
                      "the formula counts only jumps over it")
    many, often = excitation[0] / 1000.0 * tau_m, inhibition[0] / 1000.0 * tau_m      # jumps in tau_m
    if many == 0.0:
        return 0.0
    up, down, gap = excitation[1], inhibition[1], v_thresh - v_reset
    power = 1.0 / min(many, 1.0)                   # 1 - up s = w^power leaves no singularity at the end, w = 0

    def integrand(w: float) -> float:
        left = power * math.log(w)                 # log(1 - up s)
        s = -math.expm1(left) / up
        outer = s * (v_reset - v_rest) + many * left + often * math.log1p(down * s)
        inner = s * gap - left
        grown = math.exp(outer + inner + math.log(power) + (power - 1.0) * math.log(w)) / up
        return -grown * math.expm1(-inner) / s

    narrow = min(0.5, (up * up * many + down * down * often) ** -0.5 * up / power)
    try:
        total = sum(_integral(integrand, *piece) for piece in _pieces(*(1.0 - k * narrow for k in (1.0, 8.0, 64.0))))
    except OverflowError:                          # an interval too long for a double
        return 0.0
    return 1000.0 / (tau_refrac + tau_m * total)


# ---------------------------------------------------------------------------------------------------- integrals
def _check(mu: float, sigma: float, tau_m: float, v_thresh: float, v_reset: float, tau_refrac: float) -> None:
    if not (0.0 < tau_m < inf and 0.0 <= tau_refrac < inf and 0.0 <= sigma < inf and abs(mu) < inf):
        raise Mistake(f"tau_m must be > 0, tau_refrac and sigma >= 0 and all finite, not tau_m = {tau_m!r}, "
                      f"tau_refrac = {tau_refrac!r}, sigma = {sigma!r}, mu = {mu!r}")
    if not -inf < v_reset < v_thresh < inf:
        raise Mistake(f"v_thresh ({v_thresh!r}) must lie above v_reset ({v_reset!r})")


def _pieces(*inner: float) -> list[tuple[float, float]]:
    places = [0.0, *sorted(place for place in inner if 0.0 < place < 1.0), 1.0]
    return list(pairwise(places))


def _integral(f: Callable[[float], float], low: float, high: float) -> float:
    from scipy.integrate import quad

    return quad(f, low, high, epsabs=0.0, epsrel=1e-11, limit=200, full_output=1)[0] if high > low else 0.0


def _tail(f: Callable[[float], float], low: float, high: float) -> float:
    """The integral of f(-x) over 0 <= low <= x <= high, for an f that falls as a power of x: smooth in log(1 + x)."""
    def stretched(u: float) -> float:
        return f(-math.expm1(u)) * math.exp(u)

    first, last = math.log1p(low), math.log1p(high)
    middle = min(max(first, 3.0), last)
    return _integral(stretched, first, middle) + _integral(stretched, middle, last)


def _shrink(high: float) -> float:
    """exp(-high^2) for a threshold above mu: the scale of all that follows, so that nothing overflows."""
    return math.exp(-high * high) if high > 0.0 else 1.0


def _rising(x: float) -> float:
    """exp(x^2) (1 + erf x) for x <= 0."""
    from scipy.special import erfcx

    return float(erfcx(-x))


def _passage(low: float, high: float) -> float:
    """The integral of exp(x^2) (1 + erf x) from low to high, times _shrink(high)."""
    from scipy.special import dawsn

    below = _tail(_rising, max(-high, 0.0), -low) if low < 0.0 else 0.0
    if high <= 0.0:
        return below
    start = max(low, 0.0)
    # 1 + erf x = 2 - erfc x; the integral of exp(x^2) is exp(x^2) times Dawson's function.
    above = 2.0 * (dawsn(high) - math.exp(start * start - high * high) * dawsn(start))
    return float(above) + _shrink(high) * (below - _tail(_rising, start, high))


def _variation(x: float) -> float:
    """exp(x^2) times the integral of exp(y^2) (1 + erf y)^2 over y < x, for x <= 0."""
    def inner(z: float) -> float:                  # y = x - z / (1 - x)
        z /= 1.0 - x
        return math.exp(2.0 * x * z - z * z) * _rising(x - z) ** 2 / (1.0 - x)

    return _integral(inner, 0.0, 2.0) + _integral(inner, 2.0, 40.0)


def _spread(low: float, high: float) -> float:
    """The integral of exp(x^2) int_(y<x) exp(y^2) (1 + erf y)^2 dy dx from low to high, times _shrink(high)^2."""
    from scipy.special import dawsn, erf

    below = _tail(_variation, max(-high, 0.0), -low) if low < 0.0 else 0.0
    if high <= 0.0:
        return below
    start = max(low, 0.0)

    def rest(y: float) -> float:                   # the integral of exp(x^2) from y to high, shrunk
        return float(dawsn(high)) - math.exp(y * y - high * high) * float(dawsn(y))

    def above(y: float) -> float:
        return math.exp(y * y - high * high) * (1.0 + float(erf(y))) ** 2 * rest(max(y, start))

    middle = max(high - 4.0 / max(high, 1.0), 0.0)
    shrink = _shrink(high)
    return (shrink * shrink * below + shrink * _variation(0.0) * rest(start)
            + _integral(above, 0.0, middle) + _integral(above, middle, high))
