"""The certified first threshold crossing of a linear membrane (law 2.4 - 2.7): never missed, never false, one float.

From the reference point the search takes the steps of a parabola that stays above F = V - theta(x): it cannot pass the
first crossing, and converges to it quadratically.  Where no parabola reaches zero, silence is certified.  Under sines a
second parabola stays above the envelope that they swing in, and the longer of both steps is taken.  The result is the
first iterate whose computed F is >= 0, whatever the horizon.  Where F grazes zero within rounding, double-double
arithmetic decides at the local maximum.
"""

import math

import numpy as np

from .doubledouble import add, multiply, two_product
from .linear import tangent
from .model import inf
from .verdict import closely

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


def spent(p, s):
    """Whether all the charge still to come cannot lift a perfect integrator above theta: reached in the limit, at most.

    Exact where the products' sum is (S1); where it is not, only as far as double-double tells.
    """
    if p.tau < inf or s.drive > 0.0 or s.slope != 0.0:
        return False
    total = add(two_product(s.v, p.cm), two_product(-p.theta, p.cm))
    for k in range(len(p.tau_c)):
        rate = (max(s.i[k], 0.0), 0.0)
        if s.y[k] > 0.0:
            rate = add(rate, two_product(s.y[k], p.tau_c[k]))
        total = add(total, multiply(rate, (p.tau_c[k], 0.0)))
    for k in range(len(p.tau_th)):
        if s.h[k] != 0.0:
            return False
    for k in range(len(s.sine)):
        if s.sine[k] != 0.0:
            return False
    return total[0] <= 0.0


def leap(d, slope, bound, band):
    """How long the parabola from -d with this slope and this second derivative stays below 0; inf: for ever.

    A parabola that turns within band below 0 counts as touching it there.
    """
    if bound <= 0.0:
        if slope <= 0.0 or slope * slope + 2.0 * bound * max(d - band, 0.0) < 0.0:
            return inf
        return 2.0 * d / (slope + math.sqrt(max(slope * slope + 2.0 * bound * d, 0.0)))
    root = math.sqrt(slope * slope + 2.0 * bound * d)
    return 2.0 * d / (slope + root) if slope > 0.0 else (root - slope) / bound


def rises(slope, curve, k, band):
    """Whether F, at most band below 0 with at least this slope, certainly reaches 0 within 2 band / slope."""
    return slope > 0.0 and slope * slope > 8.0 * band * abs(curve) and slope * slope * slope > 4.0 * k * band * band


def closest(p, s, x, slope, curve, haze, k):
    """Where F is largest near x, x >= 0, and by how much rounding may have kept it from the maximum; else x and -1.

    Within |F"| / K of x F is concave; a slope of at most F"^2 / 4K comes to 0 there, and Newton's method finds where.
    """
    if curve >= 0.0 or 4.0 * k * (abs(slope) + U * haze) > curve * curve:
        return x, -1.0
    top, reach = x, -curve / k
    for _ in range(6):
        top = min(max(top - slope / curve, x - reach, 0.0), x + reach)
        _, slope, curve, _, _, haze, _, _, _, _, _, _, _, _, _ = tangent(p, s, top)
        if curve >= 0.0:
            return x, -1.0
    return top, 0.0 if top == 0.0 else (abs(slope) + U * haze) * (abs(slope) + U * haze) / -curve


def first_crossing(p, s, x, horizon):
    """The first t >= s.t with V(t) >= theta(t) if t <= horizon, else a time > horizon before which there is none.

    F(s.t) < 0.  x is where the search stands: 0, or what an earlier search from the same state returned second.  An
    iterate follows from the one before alone, so going on is the same search.  Third: whether not even double-double
    could tell a graze from a miss (then it counts as a crossing).  Fourth: how many points were looked at.
    """
    looks = 0
    if x == 0.0 and spent(p, s):
        return inf, x, False, looks
    while s.t + x <= horizon:
        looks += 1
        over, slope, curve, bound, blur, haze, k, push, above, below, soft, soft_slope, soft_bound, swings, \
            grow = tangent(p, s, x)
        d, band, skip = -over, U * blur, 0.0
        if d <= band:
            if d < -band or rises(slope - U * haze, curve, k, band):
                if d <= 0.0:
                    return s.t + x, x, False, looks
                skip = band / (32.0 * slope)                   # lest rounding, which is coarser near x = 0, hold it up
            else:                                              # a graze, or a start at the threshold
                top, missing = closest(p, s, x, slope, curve, haze, k)
                (value, _), (steep, _) = closely(p, s, top)
                d, doubt = -value, blur * 2.0 ** -98 + max(missing, 0.0)
                if top > 0.0 and d < doubt:
                    sure = d <= -doubt or (missing < 0.0 and rises(slope - U * haze, curve, k, doubt))
                    return s.t + x, x, not sure, looks
                d = max(d, 0.0)                                # at the start F < 0, whatever rounding has made of it
                if missing >= 0.0:
                    x = max(top, x)                            # past the maximum without a crossing: go on from there
                    over, slope, curve, bound, blur, haze, k, push, above, below, soft, soft_slope, soft_bound, \
                        swings, grow = tangent(p, s, x)
                    skip = max(-0.5 * curve / k, 0.0)
                else:
                    if abs(bound) * p.tau < 4.0 * U * haze:    # M is but rounding, near an asymptote: its second form
                        bound = max(grow - steep / p.tau, 0.0)
                    slope, haze = steep, haze * 2.0 ** -45
                band = 0.0
        edge = U * blur
        if (soft + above < -edge or (above == 0.0 and swings == 0.0)) and \
                settles_below(p, push, p.theta - below - swings):
            return inf, x, False, looks
        lasts = p.tau if s.slope < 0.0 else inf
        ahead = leap(d, slope + U * haze, bound, band)
        step = max(min(ahead, lasts) if bound < 0.0 else ahead, skip)
        if curve < 0.0:                                        # F" <= curve / 2 that long
            step = max(step, min(leap(d, slope + U * haze, 0.5 * curve, band), -0.5 * curve / k))
        if swings > 0.0 and soft < -edge:                      # a crest might hide in what rounding passes over
            ahead = leap(-soft - edge, soft_slope + U * haze, soft_bound, 0.0)
            step = max(step, min(ahead, lasts) if soft_bound < 0.0 else ahead)
        if step == inf:
            return inf, x, False, looks
        x = x + step if x + step > x else np.nextafter(x, inf)
    return s.t + x, x, False, looks
