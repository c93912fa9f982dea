"""Double-double arithmetic (about 106 bits), for the one question doubles cannot answer: does a grazing peak touch?

A number is a pair (hi, lo), hi = fl(hi + lo).  Knuth's two-sum, Dekker's product (Dekker 1971; no fma needed, so numba
and CPython agree to the bit).  Slow, and called only inside the grazing band of law 2.7.
"""

import math

SPLIT = 134217729.0                              # 2^27 + 1
LN2 = (float.fromhex("0x1.62e42fefa39efp-1"), float.fromhex("0x1.abc9e3b39803fp-56"))


def two_sum(a, b):
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def two_product(a, b):
    p = a * b
    c = SPLIT * a
    ah = c - (c - a)
    al = a - ah
    c = SPLIT * b
    bh = c - (c - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def add(x, y):
    s, e = two_sum(x[0], y[0])
    t, f = two_sum(x[1], y[1])
    s, e = two_sum(s, e + t)
    return two_sum(s, e + f)


def multiply(x, y):
    p, e = two_product(x[0], y[0])
    return two_sum(p, e + (x[0] * y[1] + x[1] * y[0]))


def divide(x, y):
    q = x[0] / y[0]
    r = add(x, multiply((-q, 0.0), y))
    q2 = r[0] / y[0]
    r = add(r, multiply((-q2, 0.0), y))
    q3 = r[0] / y[0]
    return add(two_sum(q, q2), (q3, 0.0))


def phi1(x):
    """(e^x - 1)/x for x <= 0; Taylor series after halving x until |x| < 1/4: phi1(2y) = phi1(y) (1 + y phi1(y)/2)."""
    if x[0] < -300.0:
        return divide((-1.0, 0.0), x)
    n = 0
    while abs(x[0]) > 0.25:
        x = (0.5 * x[0], 0.5 * x[1])
        n += 1
    total = (1.0, 0.0)
    for k in range(22, 1, -1):
        total = add((1.0, 0.0), divide(multiply(total, x), (float(k), 0.0)))
    for _ in range(n):
        half = multiply(total, (0.5 * x[0], 0.5 * x[1]))
        total = multiply(total, add((1.0, 0.0), half))
        x = (2.0 * x[0], 2.0 * x[1])
    return total


def exp(x):
    """e^x for x <= 0."""
    if x[0] < -700.0:
        return 0.0, 0.0
    k = math.floor(x[0] / LN2[0] + 0.5)
    r = add(x, multiply((-float(k), 0.0), LN2))
    r = (r[0] / 256.0, r[1] / 256.0)
    total = (1.0, 0.0)
    for n in range(12, 0, -1):
        total = add((1.0, 0.0), divide(multiply(total, r), (float(n), 0.0)))
    for _ in range(8):
        total = multiply(total, total)
    scale = math.ldexp(1.0, int(k))
    return total[0] * scale, total[1] * scale
