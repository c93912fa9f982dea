"""exp and log in plain double arithmetic: the same bits in numba, in CPython and on any IEEE machine.

The event law needs them to be one function everywhere (S11: E; S12: the exponential draws), and a polynomial without
calls can be vectorised.  Errors, measured by tests/test_elementary.py against mpmath: exp < 0.9 ulp on [-0.5, 1.5],
log < 0.9 ulp on (0, 1).  Method: Cody & Waite 1980 (reduction), Taylor and atanh series.
"""

import math

LN2_HI = float.fromhex("0x1.62e42fee00000p-1")   # 32 bits: k * LN2_HI is exact for |k| < 2^20
LN2_LO = float.fromhex("0x1.a39ef35793c76p-33")
INV_LN2 = float.fromhex("0x1.71547652b82fep+0")


def exp(x):
    """e**x for |x| <= 700."""
    k = math.floor(x * INV_LN2 + 0.5)
    hi = x - k * LN2_HI
    lo = k * LN2_LO
    r = hi - lo
    # e^r - 1 - r = r^2 (1/2 + r/6 + ...), |r| <= 0.347: 13 terms reach 2^-58
    q = 1.0 / 6227020800.0
    q = q * r + 1.0 / 479001600.0
    q = q * r + 1.0 / 39916800.0
    q = q * r + 1.0 / 3628800.0
    q = q * r + 1.0 / 362880.0
    q = q * r + 1.0 / 40320.0
    q = q * r + 1.0 / 5040.0
    q = q * r + 1.0 / 720.0
    q = q * r + 1.0 / 120.0
    q = q * r + 1.0 / 24.0
    q = q * r + 1.0 / 6.0
    q = q * r + 0.5
    tail = r * r * q + ((hi - r) - lo)
    return math.ldexp(1.0 + (r + tail), int(k))


def log(x):
    """Natural logarithm of a positive normal double."""
    m, k = math.frexp(x)                     # x = m 2^k, 0.5 <= m < 1
    if m < 0.7071067811865476:
        m = m + m
        k = k - 1
    f = m - 1.0                              # exact
    z = f / (2.0 + f)                        # log(1 + f) = 2 atanh z, |z| <= 0.1716
    w = z * z
    q = 2.0 / 23.0
    q = q * w + 2.0 / 21.0
    q = q * w + 2.0 / 19.0
    q = q * w + 2.0 / 17.0
    q = q * w + 2.0 / 15.0
    q = q * w + 2.0 / 13.0
    q = q * w + 2.0 / 11.0
    q = q * w + 2.0 / 9.0
    q = q * w + 2.0 / 7.0
    q = q * w + 2.0 / 5.0
    q = q * w + 2.0 / 3.0
    half = 0.5 * f * f                       # log(1+f) = f - (half - z (half + w q)), as fdlibm arranges it
    return k * LN2_HI - ((half - (z * (half + w * q) + k * LN2_LO)) - f)
