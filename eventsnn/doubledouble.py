"""Double-double arithmetic (about 106 bits), for the one question doubles cannot answer: does a grazing peak touch?

A number is a pair (hi, lo), hi = fl(hi + lo).  Knuth's two-sum, Dekker's product (Dekker 1971; no fma needed, so numba
and CPython agree to the bit).  Slow, and called only inside the grazing band of law 2.7.
"""

import math

SPLIT = 134217729.0                              # 2^27 + 1
HALF_PI = (float.fromhex("0x1.921fb54442d18p+0"), float.fromhex("0x1.1a62633145c07p-54"))
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


def phi2(x):
    """(e^x - 1 - x) / x^2 for x <= 0: the series, or where it is slow the definition."""
    if x[0] < -4.0:
        above = add(add(exp(x), (-1.0, 0.0)), (-x[0], -x[1]))
        return divide(above, multiply(x, x))
    total = (1.0, 0.0)
    for k in range(48, 2, -1):
        total = add((1.0, 0.0), divide(multiply(total, x), (float(k), 0.0)))
    return 0.5 * total[0], 0.5 * total[1]


def psi(z):
    """(1 - (1 + z) e^{-z}) / z^2 for z >= 0, as (phi1(-z) - e^{-z}) / z or the series sum (-z)^k / (k! (k + 2))."""
    if z[0] > 4.0:
        down = (-z[0], -z[1])
        fall = exp(down)
        return divide(add(phi1(down), (-fall[0], -fall[1])), z)
    total, power = (0.5, 0.0), (1.0, 0.0)
    for k in range(1, 52):
        power = divide(multiply(power, (-z[0], -z[1])), (float(k), 0.0))
        total = add(total, divide(power, (k + 2.0, 0.0)))
    return total


def scaled_turns(frequency, t):
    """frequency (Hz) times t (ms) in cycles, without whole ones."""
    high, low = two_product(frequency, t)
    return divide(two_sum(high % 1000.0, low), (1000.0, 0.0))


def sine(x):
    """sin x for a few turns at most: quarter turns off, then Taylor series."""
    return quarter_sine(x, 0)


def cosine(x):
    return quarter_sine(x, 1)


def quarter_sine(x, more):
    """sin(x + more quarter turns)."""
    n = math.floor(x[0] / HALF_PI[0] + 0.5)
    r = add(x, multiply((-float(n), 0.0), HALF_PI))
    n = (int(n) + more) % 4
    square = multiply(r, r)
    total = (1.0, 0.0)
    for k in range(26, 0, -2):
        j = k + 1 if n % 2 == 0 else k
        part = divide(multiply(total, square), (float(j * (j - 1)), 0.0))
        total = add((1.0, 0.0), (-part[0], -part[1]))
    if n % 2 == 0:
        total = multiply(total, r)
    return total if n < 2 else (-total[0], -total[1])
