"""The linear membrane between events, in closed form and without a singularity (law 1.1 - 1.3, 1.7).

    C dV/dt = -(C/tau) V + I(x),   I = line + channels + sines (see `channels`),   x = time since s.t, the reference
    a spike where V reaches theta(x) = theta + sum_k h_k e^{-x/tau_th_k}

A record p holds tau, cm, theta, tau_th beside the channels'; a record s holds v and h.  Every response is written with
divided differences of exponentials, so equal and nearly equal time constants are no special case (Rotter & Diesmann
1999; error < 62 u, law 1.4).
"""

import math

from .channels import angle, line
from .model import inf


def phi1(x):
    """(e^x - 1) / x."""
    return math.expm1(x) / x if x != 0.0 else 1.0


def phi2(x):
    """(e^x - 1 - x) / x^2 for x <= 0."""
    if x < -1.0:
        return (math.expm1(x) - x) / (x * x)
    total = 1.0
    for k in range(20, 2, -1):
        total = 1.0 + total * x / k
    return 0.5 * total


def psi(z):
    """(1 - (1 + z) e^{-z}) / z^2 for z >= 0: the integral of r e^{-z r} over [0, 1]."""
    if z > 1.0:
        return (1.0 - (1.0 + z) * math.exp(-z)) / (z * z)
    total, power = 0.5, 1.0
    for k in range(1, 21):
        power *= -z / k
        total += power / (k + 2)
    return total


def gap(tau, ts):
    """1/tau - 1/ts without cancellation."""
    return (ts - tau) / (ts * tau) if tau != inf else -1.0 / ts


def response(tau, ts, x):
    """C V(x) for a unit current that decays with ts, from V = 0; and that current's value at x."""
    y = gap(tau, ts) * x
    if y <= 0.0:
        fall = math.exp(-x / tau)
        q = math.expm1(y)
        left = fall * (1.0 + q) if q > -0.875 else math.exp(-x / ts)      # 1 + q has lost its digits
        return x * fall * (q / y if y != 0.0 else 1.0), left
    fall = math.exp(-x / ts)
    return x * fall * phi1(-y), fall


def rising_response(tau, ts, x):
    """C V(x) for the current x e^{-x/ts}, from V = 0."""
    y = gap(tau, ts) * x
    if y < 0.0:
        return x * x * math.exp(-x / tau) * psi(-y)
    return x * x * math.exp(-x / ts) * phi2(-y)


def straight_response(p, s, x, a):
    """V(x) from 0 under the line, and the sum of its |terms|; a = -x/tau."""
    rise = x * phi1(a) / p.cm
    if s.slope == 0.0:
        return s.drive * rise, abs(s.drive) * rise
    bent = s.slope * (x * x * phi2(a) / p.cm)
    return line(s, 0.0) * rise + bent, (abs(s.drive) + abs(s.slope * (s.t - s.origin))) * rise + abs(bent)


def free(v, a):
    """v e^a, to the last digits also where little of v is gone."""
    return v + math.expm1(a) * v if a > -0.5 else v * math.exp(a)


def swing(p, s, k, turned):
    """The stationary response of V to sine k where its angle is `turned`, and its slope, law 1.3."""
    m, w = 1.0 / p.tau, 2.0 * math.pi * p.frequency[k] / 1000.0
    size = s.sine[k] / (p.cm * (m * m + w * w))
    sine, cosine = math.sin(turned), math.cos(turned)
    return size * (m * sine - w * cosine), size * w * (m * cosine + w * sine)


def potential(p, s, x):
    """V(x)."""
    a = -x / p.tau
    v = free(s.v, a) + straight_response(p, s, x, a)[0]
    for k in range(len(p.tau_c)):
        ts = p.tau_c[k]
        if ts > 0.0:
            if s.i[k] != 0.0:
                v += (s.i[k] / p.cm) * response(p.tau, ts, x)[0]
            if p.rise[k] > 0.0:
                v += (s.y[k] / p.cm) * rising_response(p.tau, ts, x)
    for k in range(len(s.sine)):
        if s.sine[k] != 0.0:
            v += swing(p, s, k, angle(p, s, k, x))[0] - swing(p, s, k, angle(p, s, k, 0.0))[0] * math.exp(a)
    return v


def threshold(p, s, x):
    """theta(x)."""
    theta = p.theta
    for k in range(len(p.tau_th)):
        theta += s.h[k] * math.exp(-x / p.tau_th[k])
    return theta


def peak(a, b, g):
    """The largest of 0 and (a + b u) e^{-g u}, u >= 0."""
    if b > 0.0 and b > g * a:
        return b / g * math.exp(g * a / b - 1.0)
    return max(a, 0.0)


def better(bound, other, falls):
    """The better M: while the line falls the first is good for a time tau only, the other, at least 0, for ever."""
    return bound if bound < 0.0 or (bound < other and not falls) else max(other, 0.0)


def tangent(p, s, x):
    """What the search for a crossing wants to know at x of F = V - theta(x), while F <= 0 (law 2.4, 2.7):

    F, F', F";  M, so that F' grows by at most M y within any time y (if M < 0 while the line falls: y <= tau);  bounds
    of the rounding errors of F and F' in units of 2^-53;  K, so that F" moves by at most K y within any y <= |F"| / K
    on either side;  push, which the current stays below from x on;  how far theta(x) stands above theta, and how far
    below it may fall;  since V = W + sines <= W + P with P the sum of the sines' amplitudes in V: F, F', M of that
    envelope, and P;  and the B of M.

    M is the better of two: F" <= m^2 theta - m I + I' with all that decays to the good left out, m = 1/tau (in currents
    over C); and, as F" + m F' <= B with B >= I' from x on, F' <= F'(x) e^{-my} + (1 - e^{-my}) B / m.
    K is 8 > e^2 times a sum of |terms| of F"' at x: none grows by more than e within 1/L of x, L the fastest rate, and
    V, which the current drives there, by no more than e and e^2 times the current's sum; and K >= |F"| L.
    """
    m = 1.0 / p.tau
    a = -x / p.tau
    straight, span = straight_response(p, s, x, a)
    drive = line(s, x)
    v = free(s.v, a)
    ulps = 16.0 + 2.0 * len(p.tau_c) + 2.0 * len(s.sine) + len(p.tau_th)     # of each term, and of summing them
    blur = ulps * (abs(p.theta) + span) + (ulps - a) * abs(v)
    v += straight
    current = abs(s.drive) + abs(s.slope) * (abs(s.t - s.origin) + x)
    haze = ulps * current
    total, push, bend, lift, grow = drive, drive, s.slope, -m * drive, s.slope
    sharp, fastest = 2.0 * m * m * current + 3.0 * m * abs(s.slope), m
    if s.slope > 0.0:
        push = inf
        lift += s.slope
    elif m == 0.0:
        lift += s.slope
    for k in range(len(p.tau_c)):
        ts = p.tau_c[k]
        if ts > 0.0 and (s.i[k] != 0.0 or s.y[k] != 0.0):
            g = 1.0 / ts
            fastest = max(fastest, g)
            r, left = response(p.tau, ts, x)
            more = ulps + x / max(p.tau, ts)
            i, part = s.i[k] * left, (s.i[k] / p.cm) * r
            reach = abs(i)
            v += part
            blur += more * abs(part)
            if p.rise[k] > 0.0:
                y, part = s.y[k] * left, (s.y[k] / p.cm) * rising_response(p.tau, ts, x)
                i += y * x
                v += part
                blur += (16.0 + more) * abs(part)
                bend += y
                reach += abs(y) * (x + ts)
                push += peak(i, y, g)
                lift += peak(y - (m + g) * i, -(m + g) * y, g)
                grow += peak(y - g * i, -g * y, g)
            else:
                push += max(i, 0.0)
                lift -= min((m + g) * i, 0.0)
                grow -= min(g * i, 0.0)
            total += i
            bend -= g * i
            haze += (ulps + x * g) * reach
            sharp += (2.0 * m * m + 2.0 * m * g + 3.0 * g * g) * reach
    over = v - p.theta
    slope = total / p.cm - m * v
    curve = (bend - m * total) / p.cm + m * m * v
    bound = m * m * p.theta + lift / p.cm
    grow /= p.cm
    haze /= p.cm
    sharp = sharp / p.cm + m * m * m * abs(v)
    above, below = 0.0, 0.0
    for k in range(len(p.tau_th)):
        g = 1.0 / p.tau_th[k]
        h = s.h[k] * math.exp(-x * g)
        over -= h
        slope += g * h
        curve -= g * g * h
        bound += max((m * m - g * g) * h, 0.0)
        grow += max((m - g) * g * h, 0.0)
        blur += (ulps + x * g) * abs(h)
        haze += (ulps + x * g) * g * abs(h)
        sharp += g * g * g * abs(h)
        fastest = max(fastest, g)
        above += max(h, 0.0)
        below -= min(h, 0.0)
    soft, soft_slope, soft_bound, soft_grow, swings = over, slope, bound, grow, 0.0
    for k in range(len(s.sine)):
        if s.sine[k] != 0.0:
            w = 2.0 * math.pi * p.frequency[k] / 1000.0
            most = abs(s.sine[k]) / (p.cm * math.hypot(m, w))
            here, steep = swing(p, s, k, angle(p, s, k, x))
            start = swing(p, s, k, angle(p, s, k, 0.0))[0] * math.exp(a)
            over += here - start
            soft += most - start
            slope += steep + m * start
            soft_slope += m * start
            curve -= w * w * here + m * m * start
            bound += math.hypot(m, w) * abs(s.sine[k]) / p.cm
            soft_bound -= m * m * most
            grow += w * abs(s.sine[k]) / p.cm
            swings += most
            blur += (96.0 + ulps) * most + (ulps - a) * abs(start)
            haze += (96.0 + ulps) * w * most
            sharp += w * w * w * most + m * m * m * abs(start)
            fastest = max(fastest, w)
    bound = better(bound, grow - m * slope, s.slope < 0.0)
    soft_bound = better(soft_bound, soft_grow - m * soft_slope, s.slope < 0.0)
    return over, slope, curve, bound, blur, haze + m * blur, max(8.0 * sharp, fastest * abs(curve), 1e-300), push, \
        above, below, soft, soft_slope, soft_bound, swings, grow
