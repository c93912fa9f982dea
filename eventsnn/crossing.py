"""The certified first threshold crossing of a linear membrane (law 2.4 - 2.7): never missed, never false, one float.

From the reference point the search takes the steps of a parabola that stays above F = V - theta(x): it cannot pass the
first crossing, and converges to it quadratically.  Where no parabola reaches zero, silence is certified.  Under sines a
second parabola stays above the envelope that they swing in, and the longer of both steps is taken.  The result is the
first iterate whose computed F is >= 0, whatever the horizon.  Where F grazes zero within rounding, double-double
arithmetic decides at the local maximum.
"""

import math

import numpy as np

from .linear import tangent
from .model import inf
from .verdict import excess

U = 2.0 ** -53


def constant_crossing(p, s):
    """Without channels and waves: the time from the reference point to the threshold, in closed form (law 2.1)."""
    if p.tau == inf:
        return (p.theta - s.v) * p.cm / s.drive if s.drive > 0.0 else inf
    over = s.drive * p.tau / p.cm - p.theta
    if s.drive * p.tau <= p.theta * p.cm or over <= 0.0:       # the products decide R I == theta exactly (S1)
        return inf
    return p.tau * math.log1p((p.theta - s.v) / over)


def settles_below(p, push, theta):
    """A potential below theta can never reach it when even the positive drive alone would settle there or below."""
    return push <= 0.0 if p.tau == inf else push * p.tau <= theta * p.cm


def leap(d, slope, bound, band):
    """How long the parabola from -d with this slope and this second derivative stays below 0; inf: for ever."""
    room = slope * slope + 2.0 * bound * max(d - band, 0.0)
    if room < 0.0 or slope + math.sqrt(room) <= 0.0:
        return inf
    root = math.sqrt(max(slope * slope + 2.0 * bound * d, 0.0))
    return 2.0 * d / (slope + root) if slope >= 0.0 else (root - slope) / bound


def nearby_maximum(p, s, x, slope, curve, reach):
    """The maximum of F within reach of a point where F' is about 0; F is concave there, so Newton's method finds it."""
    low, high = max(x - reach, 0.0), x + reach
    for _ in range(4):
        x = min(max(x - slope / curve, low), high)
        _, slope, curve, _, _, _, _, _, _, _, _, _, _, _ = tangent(p, s, x)
        if curve >= 0.0:
            break
    return x


def first_crossing(p, s, x, horizon):
    """The first t >= s.t with V(t) >= theta(t) if t <= horizon, else a time > horizon before which there is none.

    F(s.t) < 0.  x is where the search stands: 0, or what an earlier search from the same state returned second.  An
    iterate follows from the one before alone, so going on is the same search.  Third: whether not even double-double
    could tell a graze from a miss (then it counts as a crossing).  Fourth: how many points were looked at.
    """
    looks = 0
    while s.t + x <= horizon:
        looks += 1
        over, slope, curve, bound, size, haze, k, push, above, below, soft, soft_slope, soft_bound, swings = \
            tangent(p, s, x)
        d = -over
        band = 4.0 * U * size
        grazes = d <= band and slope * slope <= 8.0 * U * size * max(abs(bound), abs(curve))
        skip = 0.0
        if grazes and curve < 0.0 and (x > 0.0 or slope > 0.0):
            peak = nearby_maximum(p, s, x, slope, curve, -curve / k)
            top = excess(p, s, peak)[0]
            if top >= -size * 2.0 ** -94:
                return s.t + x, x, top < size * 2.0 ** -94, looks
            x = max(peak, x)                                   # past the maximum without a crossing: go on from there
            over, slope, curve, bound, size, haze, k, push, above, below, soft, soft_slope, soft_bound, swings = \
                tangent(p, s, x)
            d, band = -top, 0.0
            skip = -0.5 * curve / k                            # F'' keeps its sign that long
        elif d <= 0.0:
            return s.t + x, x, False, looks
        quiet = (above == 0.0 or soft + above < -band) if swings == 0.0 else soft + above < -4.0 * U * size
        if quiet and settles_below(p, push, p.theta - below - swings):
            return inf, x, False, looks
        up = slope + 8.0 * U * haze
        step = leap(d, up, bound, band)
        if swings > 0.0 and soft < 0.0:
            step = max(step, leap(-soft, soft_slope + 8.0 * U * haze, soft_bound, band))
        if s.slope < 0.0 and p.tau < inf:
            step = min(step, p.tau)                            # M holds that long while the line falls
        if step == inf:
            return inf, x, False, looks
        step = max(step, skip)
        x = x + step if x + step > x else np.nextafter(x, inf)
    return s.t + x, x, False, looks
