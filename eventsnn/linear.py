"""The linear membrane: V and its currents between events, in closed form and without a singularity (law 1.1, 1.3).

    tau dV/dt = -V + (tau/C) (I_e + sum_j I_j),   I_j(x) = I_j e^{-x/ts_j},   x = time since the reference point

A record p holds tau, cm, tau_syn[n] (0 marks a delta receptor, which has no current); a record s holds v, drive (I_e)
and i[n].  The response to one current is the divided difference of two exponentials written with phi1(x) = (e^x - 1)/x,
so equal and nearly equal time constants are no special case (Rotter & Diesmann 1999; error < 62 u, law 1.4).
"""

import math

from .doubledouble import add, divide, multiply, two_product, two_sum
from .doubledouble import exp as dd_exp
from .doubledouble import phi1 as dd_phi1
from .model import inf


def phi1(x):
    return math.expm1(x) / x if x != 0.0 else 1.0


def gap(tau, ts):
    """1/tau - 1/ts without cancellation."""
    return (ts - tau) / (ts * tau) if tau != inf else -1.0 / ts


def response(tau, ts, x):
    """C V(x) for a unit current that decays with ts, from V = 0; and that current's value at x."""
    y = gap(tau, ts) * x
    if y <= 0.0:
        fall = math.exp(-x / tau)
        q = math.expm1(y)
        return x * fall * (q / y if y != 0.0 else 1.0), fall * (1.0 + q)
    fall = math.exp(-x / ts)
    return x * fall * phi1(-y), fall


def potential(p, s, x):
    """V(x)."""
    a = -x / p.tau
    v = s.v + math.expm1(a) * s.v
    v += (s.drive / p.cm) * x * phi1(a)
    for j in range(len(p.tau_syn)):
        if p.tau_syn[j] > 0.0:
            v += (s.i[j] / p.cm) * response(p.tau, p.tau_syn[j], x)[0]
    return v


def tangent(p, s, x):
    """V, V', V'' at x; M >= sup of V'' from x on while V <= theta (law 2.4); the positive drive; and two magnitudes:

    S = |theta| + sum of |terms of V|, which bounds rounding errors, and K >= sup |V'''| from x on.
    """
    m = 1.0 / p.tau
    a = -x / p.tau
    term = (s.drive / p.cm) * x * phi1(a)
    v = s.v + math.expm1(a) * s.v + term
    size = abs(p.theta) + abs(s.v) + abs(term)
    total, push, bend, brake = s.drive, s.drive, 0.0, 0.0
    k1, k2 = abs(s.drive), 0.0
    for j in range(len(p.tau_syn)):
        ts = p.tau_syn[j]
        if ts > 0.0:
            r, left = response(p.tau, ts, x)
            v += (s.i[j] / p.cm) * r
            size += abs((s.i[j] / p.cm) * r)
            i, g = s.i[j] * left, 1.0 / ts
            total += i
            bend += g * i
            k1 += abs(i)
            k2 += (m * g + g * g) * abs(i)
            if i > 0.0:
                push += i
            else:
                brake += (m + g) * -i
    slope = total / p.cm - m * v
    curve = -m * slope - bend / p.cm
    bound = m * m * p.theta - (m * s.drive - brake) / p.cm
    return v, slope, curve, bound, push, size, m * m * (m * size + k1 / p.cm) + k2 / p.cm


def excess(p, s, x):
    """V(x) - theta in double-double (the state taken as exact)."""
    big_x = (x, 0.0)
    if p.tau == inf:
        a, fall = (0.0, 0.0), (1.0, 0.0)
    else:
        a = divide((-x, 0.0), (p.tau, 0.0))
        fall = dd_exp(a)
    total = add(multiply((s.v, 0.0), fall), (-p.theta, 0.0))
    rise = multiply(big_x, dd_phi1(a)) if a[0] != 0.0 else big_x
    total = add(total, divide(multiply((s.drive, 0.0), rise), (p.cm, 0.0)))
    for j in range(len(p.tau_syn)):
        ts = p.tau_syn[j]
        if ts > 0.0:
            if p.tau == inf:
                y = divide((-x, 0.0), (ts, 0.0))
            else:
                y = divide(multiply(two_sum(ts, -p.tau), big_x), two_product(ts, p.tau))
            if y[0] > 0.0:
                y = (-y[0], -y[1])
                part = dd_exp(divide((-x, 0.0), (ts, 0.0)))
            else:
                part = fall
            if y[0] != 0.0:
                part = multiply(part, dd_phi1(y))
            part = multiply(multiply(big_x, part), (s.i[j], 0.0))
            total = add(total, divide(part, (p.cm, 0.0)))
    return total
