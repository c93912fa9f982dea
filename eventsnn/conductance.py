"""A membrane with conductances that decay together, in closed form (Brette 2006), and its certified first crossing.

    C du/dx = -(C/tau) u - g e^{-x/ts} u + G e^{-x/ts} + I,    g = sum g_j,  G = sum g_j E_j,    x = time since s.t

u and E_j count from rest.  With a = ts g/C, kappa = ts/tau, b = ts G/C, c = ts I/C and z = e^{-x/ts} the solution is
u = u0 P + b z K0 + c K1,  P = z^kappa e^{-a (1 - z)},  K_m = int_1^{1/z} w^{-kappa-m} e^{-a z (w - 1)} dw: differences
of incomplete gamma functions, which cancel.  Three forms without cancellation, each where it is good:

    series     a power series in y = 1 - z, while (a + kappa) y <= 1
    relaxed    a relaxation towards `settled`, the one solution without a past, while a z >= 1
    remaining  a <= 1: e^{-a z} as a sum of exponentials, whose responses are those of the linear membrane
"""

import math

import numpy as np

from .crossing import U, leap
from .linear import phi1, response
from .model import inf


# ---------------------------------------------------------------------------------------------------- solution
def series(u, a, kappa, b, c, y):
    """u where z = 1 - y, and the sum of its terms' sizes.

    The coefficient of y^n: (n + 1) c_{n+1} = (n - kappa - a) c_n + a c_{n-1} + (b + c, -b, 0, 0, ...)_n.
    """
    size = abs(u) + (abs(b) + abs(c) / (1.0 - y)) * y              # x/ts <= y / (1 - y)
    least = 2.0 ** -57 * size
    before = (b + c - (kappa + a) * u) * y
    term = ((1.0 - kappa - a) * before + (a * u - b) * y) * y / 2.0
    total = before
    n = 2
    while abs(before) > least or abs(term) > least:
        total += term
        after = ((n - kappa - a) * term + a * y * before) * y / (n + 1)
        before = term
        term = after
        n += 1
    return u + total, size


def settled(a, kappa, b, c):
    """The solution that has relaxed since ever, for a >= 1: (b q + c) / (a q + kappa), and the same of |b|, |c|.

    q = 1 + 1/(a + (kappa + 1)/(1 + 2/(a + (kappa + 2)/(1 + ...)))): Stieltjes' fraction of e^a E_kappa(a), all terms
    positive, evaluated backwards from where its tail's fixed point is good enough.
    """
    n = 10 + int(75.0 / a)
    d = a - kappa
    q = (d + math.sqrt(d * d + 4.0 * a * (kappa + n))) / (2.0 * a)
    while n > 0:
        q = 1.0 + n * q / (a * q + (kappa + n))
        n -= 1
    below = a * q + kappa
    return (b * q + c) / below, (abs(b) * q + abs(c)) / below


def relaxed(u, a, left, fall, kappa, b, c):
    """The same when a has become `left` >= 1; fall = P."""
    start, start_size = settled(a, kappa, b, c)
    end, end_size = settled(left, kappa, b * (left / a), c)
    return end + (u - start) * fall, end_size + (abs(u) + start_size) * fall


def remaining(u, size, a, tau, ts, b, c, x):
    """The same for a <= 1 and any time x (in ms): K_m = e^{a z} sum_n (-a)^n / n! R_{n+1-m}, R_n the linear membrane's
    response to e^{-n x/ts}."""
    left = a * math.exp(-x / ts)
    fall = math.exp((left - a) - x / tau)
    factor = math.exp(left) / ts
    r = x * phi1(-x / tau)
    weight, n = 1.0, 0
    k0, k1 = 0.0, 0.0
    while abs(weight) > 2.0 ** -57:
        k1 += weight * r
        n += 1
        r = response(tau, ts / n, x)[0]
        k0 += weight * r
        weight *= -a / n
    k0 *= factor
    k1 *= factor
    return u * fall + (b * k0 + c * k1), size * fall + (abs(b) * k0 + abs(c) * k1)


def totals(p, s):
    """g and G at s.t."""
    g, pull = 0.0, 0.0
    for j in range(len(s.g)):
        g += s.g[j]
        pull += s.g[j] * p.e[j]
    return g, pull


def potential(p, s, x):
    """u(x), and the sum of its terms' sizes."""
    g, pull = totals(p, s)
    part = p.ts / p.cm
    a, b, c = part * g, part * pull, part * s.drive
    kappa = p.ts / p.tau
    y = -math.expm1(-x / p.ts)
    if y <= 0.5 and (a + kappa) * y <= 1.0:
        return series(s.v, a, kappa, b, c, y)
    if a <= 1.0:
        return remaining(s.v, abs(s.v), a, p.tau, p.ts, b, c, x)
    left = a * math.exp(-x / p.ts)
    if left >= 1.0:
        return relaxed(s.v, a, left, math.exp(-a * y - x / p.tau), kappa, b, c)
    y = (a - 1.0) / a                         # first to a = 1, after ts log a
    spent = math.log(a)
    if y <= 0.5 and (a + kappa) * y <= 1.0:
        u, size = series(s.v, a, kappa, b, c, y)
    else:
        u, size = relaxed(s.v, a, 1.0, math.exp(1.0 - a - kappa * spent), kappa, b, c)
    return remaining(u, size, 1.0, p.tau, p.ts, b / a, c, max(x - p.ts * spent, 0.0))


# ---------------------------------------------------------------------------------------------------- crossing
def highest(p, drift, pull, g, z):
    """A bound of u" from now, when e^{-x/ts} = z, until u reaches theta; pull = G - g theta.

    C u" = -(C/tau + g z) u' + (g u - G) z/ts, where C u' >= drift + pull z (its value at theta) and g u - G <= -pull.
    This bound is a quadratic of z: its largest value on [0, z] is at an end or at its vertex.
    """
    m, k = 1.0 / p.tau, g / p.cm
    slope = -(m * pull + k * drift + pull / p.ts)
    curve = -k * pull
    most = max(0.0, (slope + curve * z) * z)
    if curve < 0.0 < slope < -2.0 * curve * z:
        most = slope * slope / (-4.0 * curve)
    return (most - m * drift) / p.cm


def first_crossing(p, s, x, horizon):
    """The first t >= s.t with u(t) >= theta if t <= horizon, else a time > horizon before which there is none.

    u(s.t) < theta.  x is where the search stands: 0, or what an earlier search from the same state returned second.
    Third: whether u grazes theta within rounding (law 2.7; then it counts as a crossing).  Fourth: how many points were
    looked at.

    While C u' at theta is <= 0, theta is a barrier: with d = theta - u, C d' >= -(C/tau + g z) d keeps d > 0.
    """
    g, pull = totals(p, s)
    drift = s.drive - p.theta * p.cm / p.tau                   # C u' at theta is drift + over z
    over = pull - g * p.theta
    sinks = s.drive * p.tau <= p.theta * p.cm if p.tau < inf else s.drive <= 0.0       # exact at equality (S1)
    drift = min(drift, 0.0) if sinks else drift
    if over < 0.0 < drift:                                     # inhibition holds the barrier until it has faded
        x = max(x, p.ts * math.log(-over / drift) * (1.0 - 2.0 ** -48))
    looks = 0
    while s.t + x <= horizon:
        looks += 1
        u, size = potential(p, s, x)
        d = p.theta - u
        if d <= 0.0:
            return s.t + x, x, False, looks
        z = math.exp(-x / p.ts)
        if sinks and over * z <= -drift:
            return inf, x, False, looks
        size += abs(p.theta)
        leak = 1.0 / p.tau + g * z / p.cm
        slope = (pull * z + s.drive) / p.cm - leak * u
        curve = (g * u - pull) * z / (p.cm * p.ts) - leak * slope
        band = 4.0 * U * size
        if d <= band and curve < 0.0 and (x > 0.0 or slope > 0.0) and slope * slope <= 2.0 * (d + band) * -curve:
            return s.t + x, x, True, looks                     # the peak is within the band: not told apart
        haze = (abs(pull) * z + abs(s.drive)) / p.cm + leak * size
        step = leap(d, slope + 8.0 * U * haze, highest(p, drift, over, g, z), band)
        if step == inf:
            return inf, x, False, looks
        x = x + step if x + step > x else np.nextafter(x, inf)
    return s.t + x, x, False, looks
