"""exp, log and exponential waiting times in plain double arithmetic: the same bits in numba, CPython, any IEEE machine.

The event law needs them to be one function everywhere (S11: E; S12: the exponential draws), and what has no calls and
no branches can be vectorised.  Errors, measured by tests/test_elementary.py against mpmath: exp < 1.05 ulp for
|x| <= 700, log < 0.9 ulp on (0, 1), waiting < 4e-15.  Methods: Tang 1989 (tables), Cody & Waite 1980 (reduction), atanh
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

POWERS = np.array([float(Decimal(2) ** (Decimal(i) / 128)) for i in range(128)])

# A double m in [0.6875, 1.375) has an index in its bits 45 .. 51, counted from those of 0.6875; m CENTRES[i] is near 1.
LOWEST = 0x3FE6000000000000
EDGES = (LOWEST + (np.arange(129) << 45)).view(np.float64)
CENTRES = np.rint(2.0 ** 13 / (EDGES[:-1] + EDGES[1:])) / 2.0 ** 12      # few bits: m CENTRES[i] - 1 stays exact
CENTRES[(EDGES[:-1] == 1.0) | (EDGES[1:] == 1.0)] = 1.0
LOGS = np.array([float(-Decimal(c).ln()) for c in CENTRES.tolist()])


def exp(x):
    """e**x for |x| <= 700: 2^(n/128) from a table, times e^r with |r| <= ln(2)/256."""
    n = x * PER_STEP + ROUND - ROUND
    r = (x - n * STEP_HI) - n * STEP_LO
    q = r + r * r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0))))
    i = np.int64(n)
    power = POWERS[i & 127]
    return np.int64(np.float64(power + power * q).view(np.int64) + ((i >> 7) << 52)).view(np.float64)


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
    """-log((bits + 1/2) / 2^32) of 32 random bits: an exponential number of mean 1, at most 22.9."""
    u = (np.float64(np.int64(bits)) + 0.5) * 2.0 ** -32
    w = np.float64(u).view(np.int64) - LOWEST
    k = w >> 52
    m = np.int64((w & 0xFFFFFFFFFFFFF) + LOWEST).view(np.float64)            # u = m 2^k
    i = (w >> 45) & 127
    f = m * CENTRES[i] - 1.0                                                 # exact, |f| < 2^-6
    p = f * f * (0.5 - f * (1.0 / 3.0 - f * (0.25 - f * (0.2 - f * (1.0 / 6.0)))))
    return ((p - f) - LOGS[i]) - k * LN2
