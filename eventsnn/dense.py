"""The dense output of a step: a polynomial of degree 7 in the part x in [0, 1] of it, and where it crosses a level.

A record s holds a, the state at the step's beginning, and poly: seven coefficients per component c, nested as
a + x (p0 + (1 - x) (p1 + x (p2 + ...))).
"""

import numpy as np


def dense(s, c, x):
    """Component c at the part x in [0, 1] of the step."""
    n = len(s.a)
    y = s.poly[6 * n + c] * x
    y = (y + s.poly[5 * n + c]) * (1.0 - x)
    y = (y + s.poly[4 * n + c]) * x
    y = (y + s.poly[3 * n + c]) * (1.0 - x)
    y = (y + s.poly[2 * n + c]) * x
    y = (y + s.poly[n + c]) * (1.0 - x)
    return s.a[c] + (y + s.poly[c]) * x


def solve(s, c, target, sign, low, high):
    """Where component c, below the target at low (above it for sign -1), reaches it: by false position (Illinois)."""
    f_low, f_high = sign * (dense(s, c, low) - target), sign * (dense(s, c, high) - target)
    if f_high <= 0.0:
        return high
    if f_low >= 0.0:
        return low
    side = 0
    for _ in range(100):
        x = (low * f_high - high * f_low) / (f_high - f_low)
        if not low < x < high:
            x = 0.5 * (low + high)
            if not low < x < high:
                break
        f = sign * (dense(s, c, x) - target)
        if f >= 0.0:
            high, f_high = x, f
            f_low *= 0.5 if side > 0 else 1.0
            side = 1
        else:
            low, f_low = x, f
            f_high *= 0.5 if side < 0 else 1.0
            side = -1
        if f == 0.0 or high - low < 1e-16:
            break
    return high


def bernstein(s, target, sign, low, high):
    """The coefficients of sign (V - target) on [low, high] of the step: their hull holds the polynomial."""
    n = len(s.a)
    b = np.zeros(8)
    b[0] = s.poly[6 * n]
    for m in range(1, 8):                     # times x or 1 - x, in turn, plus the next coefficient
        for j in range(m, -1, -1):
            if m % 2 == 1:
                b[j] = b[j - 1] * j / m if j > 0 else 0.0
            else:
                b[j] = b[j] * (m - j) / m
            b[j] += s.poly[(6 - m) * n] if m < 7 else s.a[0] - target
    for k in range(1, 8):
        for j in range(8 - k):
            b[j] = (1.0 - low) * b[j] + low * b[j + 1]
    part = (high - low) / (1.0 - low)
    for k in range(1, 8):
        for j in range(7, k - 1, -1):
            b[j] = (1.0 - part) * b[j - 1] + part * b[j]
    for j in range(8):
        b[j] *= sign
    return b


def crossing(s, target, sign, low):
    """The first part x > low of the step where sign (V - target) rises to 0, being negative just after low; else -1."""
    while low < 1.0:
        high = 1.0
        while True:
            b = bernstein(s, target, sign, low, high)
            changes, negative = 0, True
            for j in range(1, 8):
                if (b[j] < 0.0) != negative:
                    negative = not negative
                    changes += 1
            if changes == 0:
                break
            below = sign * (dense(s, 0, low) - target) < 0.0          # rounding may have left it at the target
            if (changes == 1 and below) or high - low < 1e-13:
                return solve(s, 0, target, sign, low, high)
            high = 0.5 * (low + high)
        low = high
    return -1.0
