"""exp, log and exponential waiting times in plain double arithmetic: the same bits in numba, CPython, any IEEE machine.

The event law needs them to be one function everywhere (S11: E; S12: the exponential draws), and what has no calls and
no branches can be vectorised.  Errors, measured by tests/test_elementary.py against mpmath: exp < 1.05 ulp for
|x| <= 700, log < 0.9 ulp on (0, 1), waiting < 2e-12.  Methods: Tang 1989 (tables), Cody & Waite 1980 (reduction), atanh
series.
"""

import math
from decimal import Decimal

import numpy as np

LN2_HI = float.fromhex("0x1.62e42fee00000p-1")   # 32 bits: k * LN2_HI is exact for |k| < 2^20
LN2_LO = float.fromhex("0x1.a39ef35793c76p-33")
LN2 = LN2_HI + LN2_LO
STEP_HI = LN2_HI / 128.0                         # ln(2) / 128, again in two parts
STEP_LO = LN2_LO / 128.0
PER_STEP = float.fromhex("0x1.71547652b82fep+7")
ROUND = 1.5 * 2.0 ** 52                          # adding and subtracting it rounds to a whole number

ROOT = Decimal(2).sqrt().sqrt().sqrt().sqrt().sqrt().sqrt().sqrt()         # 2^(1/128)
POWERS = np.array([float(ROOT ** i) for i in range(128)])

# Doubles taken apart by their bits, in steps that every vector unit has.
MANTISSA = np.uint64(0xFFFFFFFFFFFFF)
LOWEST = np.array(0.5 ** 0.5).view(np.uint64)[()]            # a double is m 2^k with m from here on below its double
TWO52 = np.array(2.0 ** 52).view(np.uint64)[()]              # put over a whole number, it makes a double of it
S1, S52 = np.uint64(1), np.uint64(52)
# (2 atanh(s) / s - 2) / s^2 as a polynomial of s^2, |s| <= 0.1716: the largest error of s^3 times it is least (Remez)
W0, W1, W2, W3 = (float.fromhex(c) for c in (
    "0x1.555554cd7e8eep-1", "0x1.999abcc4203a7p-2", "0x1.242b1a00c934cp-2", "0x1.e4bc9ce52e790p-3"))


BARE = ("exp", "exp_along", "log", "waiting")                # see kernel/link.py


def wide():
    """The function that says so prefers the widest vectors once it is compiled (see `link.py` and `atomic.py`)."""


def apart():
    """The arrays that the function which says so is given do not overlap: no loop of its need look (likewise)."""


def exp(x):
    """e**x for |x| <= 700: 2^(n/128) from a table, times e^r with |r| <= ln(2)/256."""
    n = x * PER_STEP + ROUND - ROUND
    r = (x - n * STEP_HI) - n * STEP_LO
    q = r + r * r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0))))
    i = np.int64(n)
    power = POWERS[i & 127]
    return np.int64(np.float64(power + power * q).view(np.int64) + ((i >> 7) << 52)).view(np.float64)


def exp_along(times, start, rate, out):
    """exp((t - start) rate) of ascending times: `exp`'s bits, its table looked up once if they are near each other."""
    wide()
    if len(times) == 0:
        return
    n = (times[0] - start) * rate * PER_STEP + ROUND - ROUND
    if n != (times[-1] - start) * rate * PER_STEP + ROUND - ROUND:
        for k in range(len(times)):
            out[k] = exp((times[k] - start) * rate)
        return
    i = np.int64(n)
    high, low, power, scale = n * STEP_HI, n * STEP_LO, POWERS[i & 127], (i >> 7) << 52
    for k in range(len(times)):
        r = ((times[k] - start) * rate - high) - low
        q = r + r * r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0))))
        out[k] = np.int64(np.float64(power + power * q).view(np.int64) + scale).view(np.float64)


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


def waiting(bits):
    """-log((bits + 1/2) / 2^32) of 32 random bits (uint64): an exponential number of mean 1, at most 22.9.

    It errs by 1e-12 at most, a hundredth of what the bits resolve.
    """
    odd = np.uint64((bits << S1) | S1 | TWO52).view(np.float64) - 2.0 ** 52
    w = np.float64(odd).view(np.uint64) - LOWEST                             # odd = m 2^k
    k = np.uint64((w >> S52) | TWO52).view(np.float64) - 2.0 ** 52
    m = np.uint64((w & MANTISSA) + LOWEST).view(np.float64)
    s = (m - 1.0) / (m + 1.0)                                                # log(m) = 2 atanh(s)
    z = s * s
    return (33.0 - k) * LN2 - s * (2.0 + z * (W0 + z * (W1 + z * (W2 + z * W3))))

