"""The certified first threshold crossing of a linear membrane (law 2.4 - 2.7): never missed, never false, one float.

From the reference point the search takes the steps of a concave or convex parabola that stays above V: it cannot pass
the first crossing, and converges to it quadratically.  Where no parabola reaches the threshold, silence is certified.
The result is the first iterate whose computed V is at or above the threshold, whatever the horizon.  Where V grazes the
threshold within rounding, double-double arithmetic decides at the local maximum.
"""

import math

import numpy as np

from .linear import excess, tangent
from .model import inf

U = 2.0 ** -53


def constant_crossing(p, s):
    """Without synaptic currents: the time from the reference point to the threshold, in closed form (law 2.1)."""
    if p.tau == inf:
        return (p.theta - s.v) * p.cm / s.drive if s.drive > 0.0 else inf
    over = s.drive * p.tau / p.cm - p.theta
    if s.drive * p.tau <= p.theta * p.cm or over <= 0.0:       # the products decide R I == theta exactly (S1)
        return inf
    return p.tau * math.log1p((p.theta - s.v) / over)


def never_from(p, push):
    """V < theta can never reach theta when even the positive drive alone would settle at or below it."""
    return push <= 0.0 if p.tau == inf else push * p.tau <= p.theta * p.cm


def nearby_maximum(p, s, x, slope, curve, reach):
    """The maximum of V within reach of a point where V' is about 0; V is concave there, so Newton's method finds it."""
    low, high = max(x - reach, 0.0), x + reach
    for _ in range(4):
        x = min(max(x - slope / curve, low), high)
        _, slope, curve, _, _, _, _ = tangent(p, s, x)
        if curve >= 0.0:
            break
    return x


def first_crossing(p, s, x, horizon):
    """The first t >= s.t with V(t) >= theta if t <= horizon, else a time > horizon before which there is none.

    V(s.t) < theta.  x is where the search stands: 0, or what an earlier search from the same state returned second.  An
    iterate follows from the one before alone, so going on is the same search.  Third: whether not even double-double
    could tell a graze from a miss (then it counts as a crossing).
    """
    while s.t + x <= horizon:
        v, slope, curve, bound, push, size, k = tangent(p, s, x)
        d = p.theta - v
        band = 4.0 * U * size
        grazes = d <= band and slope * slope <= 8.0 * U * size * max(abs(bound), abs(curve))
        skip = 0.0
        if grazes and curve < 0.0 and (x > 0.0 or slope > 0.0):
            peak = nearby_maximum(p, s, x, slope, curve, -curve / k)
            over = excess(p, s, peak)[0]
            if over >= -size * 2.0 ** -94:
                return s.t + x, x, over < size * 2.0 ** -94
            x = max(peak, x)                                   # past the maximum without a crossing: go on from there
            v, slope, curve, bound, push, size, k = tangent(p, s, x)
            d, band = -over, 0.0
            skip = -0.5 * curve / k                            # V'' keeps its sign that long
        elif d <= 0.0:
            return s.t + x, x, False
        if never_from(p, push):
            return inf, x, False
        up = slope + 8.0 * U * (size / p.tau + abs(push) / p.cm)
        room = up * up + 2.0 * bound * max(d - band, 0.0)
        if room < 0.0 or up + math.sqrt(room) <= 0.0:
            return inf, x, False
        root = math.sqrt(max(up * up + 2.0 * bound * d, 0.0))
        step = max(2.0 * d / (up + root) if up >= 0.0 else (root - up) / bound, skip)
        x = x + step if x + step > x else np.nextafter(x, inf)
    return s.t + x, x, False
