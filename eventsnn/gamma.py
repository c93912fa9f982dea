"""Gamma distributed numbers: each a pure function of a key, a stream and a draw, however many attempts it takes.

Marsaglia & Tsang (2000): with d = a - 1/3, c = 1/(3 sqrt(d)), a normal x and v = (1 + c x)^3, the number d v is taken
with probability min(1, exp(x^2/2 + d (1 - v + log v))).  That is for shapes a >= 1; below, a number of shape a + 1 is
multiplied by U^(1/a).  The normal is Marsaglia's polar one (1964), as everywhere here.
"""

import math

from .elementary import exp, log
from .rng import U64, lane, philox, unit


def gamma(key, stream, draw, a):
    """Draw number `draw` of a stream: mean a, variance a.  Attempts take lanes 1, 2, ..., the factor U takes lane 0."""
    boosted = a < 1.0
    d = (a + 1.0 if boosted else a) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    attempt = 0
    while True:
        attempt += 1
        one, two = philox(key, lane(stream, attempt), U64(draw))
        x = 2.0 * unit(one) - 1.0
        y = 2.0 * unit(two) - 1.0
        square = x * x + y * y                             # never 0: unit has no value at 1/2
        if square < 1.0:
            x *= math.sqrt(-2.0 * log(square) / square)
            v = 1.0 + c * x
            if v > 0.0:
                v = v * v * v
                attempt += 1
                one, two = philox(key, lane(stream, attempt), U64(draw))
                if log(unit(one)) < 0.5 * x * x + d * (1.0 - v + log(v)):
                    break
    if not boosted:
        return d * v
    one, two = philox(key, lane(stream, 0), U64(draw))
    power = log(unit(one)) / a
    return d * v * exp(power) if power > -700.0 else 0.0
