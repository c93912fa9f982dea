"""The complete reference for first crossings: slow, in 400 bits, and nothing in common with `linear` and `crossing`.

F = V - theta(x) is written as a sum of cascades c (e^{-ax} * e^{-bx} * ...) (convolutions: one rate for what decays by
itself, two for an exponential current or a constant one, whose rate is 0, three for alpha currents and ramps) and
stationary sines.  It is evaluated by the textbook's partial fractions; the bits pay for nearly equal rates.

The search is complete.  From left to right an interval [a, b] is halved until one of these holds, proved with bounds of
the derivatives on all of it (up to rounding of 1e-12 in the bounds, which are enlarged by more):

    F < 0 by Taylor's formula about the middle, with or without the sines at their crest;
    F' has one sign, or F" has: then F's values at a, at b and at the one maximum decide.

Halving ends, since near a simple zero F' has one sign and near a simple maximum F" has.  The bound on [a, b] of the nth
derivative of a cascade is the smaller of its partial fractions' and, with k + 1 rates of which the least is l and the
greatest L, of the mean value form |d^k/dr^k (r^n e^{-rx})| / k! at some l <= r <= L.
"""

import math
from types import SimpleNamespace

import mpmath as mp

BITS = 400
SAFE = 1.0 + 1e-9


def cascade(rates):
    """Partial fractions of e^{-ax} * e^{-bx} * ...: {rate: coefficients of x^p e^{-rate x}}."""
    total = {rates[-1]: [mp.mpf(1)]}
    for a in rates[-2::-1]:
        longer: dict = {}
        for b, coefficients in total.items():
            for power, c in enumerate(coefficients):
                for rate, p, part in convolved(a, b, power):
                    terms = longer.setdefault(rate, [])
                    terms.extend([mp.mpf(0)] * (p + 1 - len(terms)))
                    terms[p] += c * part
        total = longer
    return total


def convolved(a, b, p):
    """e^{-ax} * (x^p e^{-bx}) as (rate, power, coefficient)s."""
    if a == b:
        return [(a, p + 1, mp.mpf(1) / (p + 1))]
    if p < 0:
        return [(a, 0, mp.mpf(1))]
    rest = convolved(a, b, p - 1)
    scale = (p if p else 1) / (a - b)
    return [(b, p, 1 / (a - b)), *[(rate, q, -scale * c) for rate, q, c in rest]]


def size_of(rate, p, n, a, b):
    """A bound on [a, b] of the nth derivative of x^p e^{-rate x}."""
    return math.exp(-rate * a) * sum(math.comb(n, j) * rate ** (n - j) * math.perm(p, j) * b ** (p - j)
                                     for j in range(min(n, p) + 1))


class Excess:
    """F of the records p and s (as of lif_linear), every double in them taken as exact."""

    def __init__(self, p, s):
        with mp.workprec(BITS):
            self.build(p, s)

    def build(self, p, s):
        m = mp.mpf(0) if p.tau == math.inf else 1 / mp.mpf(float(p.tau))
        cm, zero = mp.mpf(float(p.cm)), mp.mpf(0)
        steady = float(s.drive) + mp.mpf(float(s.slope)) * (mp.mpf(float(s.t)) - float(s.origin))
        parts = [(mp.mpf(float(s.v)), (m,)), (-mp.mpf(float(p.theta)), (zero,)), (steady / cm, (m, zero)),
                 (float(s.slope) / cm, (m, zero, zero))]
        for tau, i, y in zip(p.tau_c, s.i, s.y, strict=True):
            if tau > 0.0:
                g = 1 / mp.mpf(float(tau))
                parts += [(float(i) / cm, (m, g)), (float(y) / cm, (m, g, g))]
        parts += [(-mp.mpf(float(h)), (1 / mp.mpf(float(tau)),)) for h, tau in zip(s.h, p.tau_th, strict=True)]
        self.waves = []
        for amplitude, frequency, phase in zip(s.sine, p.frequency, p.phase, strict=True):
            if amplitude != 0.0:
                w = 2 * mp.pi * mp.mpf(float(frequency)) / 1000
                size = float(amplitude) / (cm * mp.sqrt(m * m + w * w))
                angle = w * mp.mpf(float(s.t)) + float(phase) - mp.atan2(w, m)
                self.waves.append((size, w, angle))
                parts.append((-size * mp.sin(angle), (m,)))
        self.sum(parts)

    def sum(self, parts):
        zero = mp.mpf(0)
        self.terms: dict = {}
        self.parts = []
        for c, rates in parts:
            if c == 0:
                continue
            fractions = cascade(rates)
            self.parts.append((float(abs(c)) * SAFE, [float(r) for r in rates],
                               [(float(r), k, float(abs(d)) * SAFE) for r, ds in fractions.items()
                                for k, d in enumerate(ds) if d != 0]))
            for rate, ds in fractions.items():
                sums = self.terms.setdefault(rate, [zero, zero, zero])
                for k, d in enumerate(ds):
                    sums[k] += c * d
        self.crest = sum(float(abs(a)) for a, _, _ in self.waves) * SAFE

    def smooth(self, x):
        """F, F' and F" but for the sines."""
        total, slope, curve = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for rate, (c, d, e) in self.terms.items():
            fall = mp.exp(-rate * x)
            f0, f1 = c + (d + e * x) * x, d + 2 * e * x
            total += f0 * fall
            slope += (f1 - rate * f0) * fall
            curve += (2 * e - 2 * rate * f1 + rate * rate * f0) * fall
        return total, slope, curve

    def __call__(self, x):
        """F, F' and F" at x."""
        x = mp.mpf(x)
        return self.with_waves(x, *self.smooth(x))

    def with_waves(self, x, total, slope, curve):
        for size, w, angle in self.waves:
            cosine, sine = mp.cos_sin(w * x + angle)
            total += size * sine
            slope += size * w * cosine
            curve -= size * w * w * sine
        return total, slope, curve

    def bound(self, n, a, b):
        """A bound on [a, b] of the nth derivative but for the sines, and one of the sines' nth derivative."""
        total = 0.0
        for c, rates, fractions in self.parts:
            k, low, high = len(rates) - 1, min(rates), max(rates)
            mean = math.exp(-low * a) * sum(math.comb(k, j) * math.perm(n, j) * high ** (n - j) * b ** (k - j)
                                            for j in range(min(k, n) + 1)) / math.factorial(k)
            total += c * min(mean, sum(d * size_of(rate, p, n, a, b) for rate, p, d in fractions))
        return total * SAFE, sum(float(abs(size)) * float(w) ** n for size, w, _ in self.waves) * SAFE


class CoefficientExcess(Excess):
    """F of the records p and s (as of lif_coefficients) from t on."""

    def __init__(self, p, s, t):
        self.t = t
        super().__init__(p, s)

    def build(self, p, s):
        y = mp.mpf(self.t) - mp.mpf(s.epoch * float(p.tau))
        parts = [(mp.mpf(float(s.v_inf)) - float(p.theta), (mp.mpf(0),))]
        for c, tau in ((s.a, p.tau), *zip(s.b, p.tau_c, strict=False)):
            if c != 0.0:
                m = 1 / mp.mpf(float(tau))
                parts.append((float(c) * mp.exp(-m * y), (m,)))
        for k, tau in enumerate(p.tau_r):
            b, c = s.b[len(p.tau_c) + 2 * k:len(p.tau_c) + 2 * k + 2]
            m = 1 / mp.mpf(float(tau))
            fall = mp.exp(-m * y)
            parts += [((float(b) + float(c) * y) * fall, (m,)), (float(c) * fall, (m, m))]
        self.waves = []
        self.sum(parts)


def zero_between(f, low, high, order):
    """The zero of F (order 0) or F' (order 1) between two points of different sign: Newton's method, kept inside."""
    rising = f(high)[order] > 0
    x = (low + high) / 2
    for _ in range(400):
        values = f(x)
        if (values[order] > 0) == rising:
            high = x
        else:
            low = x
        new = x - values[order] / values[order + 1] if values[order + 1] != 0 else low
        if not low < new < high:
            new = (low + high) / 2
        if abs(new - x) <= abs(x) * mp.mpf(2) ** -200:
            return new
        x = new
    return x


def first_crossing(p, s, until):
    """When F first reaches 0 in (0, until], F(0) < 0: a time from s.t on in many digits, or None: certainly never."""
    with mp.workprec(BITS):
        return search(Excess(p, s), float(until))


def search(f, until):
    waiting = [(0.0, until)]
    while waiting:
        a, b = waiting.pop()
        found = within(f, a, b)
        if found == "unclear":
            c = a + (b - a) / 2
            if not a < c < b:
                raise ArithmeticError(f"a maximum at {c} cannot be told from 0")
            waiting += [(c, b), (a, c)]
        elif found is not None:
            return found
    return None


def within(f, a, b):
    """The zero in (a, b], None, or that the bounds do not tell; F(a) < 0."""
    c, r = a + (b - a) / 2, (b - a) / 2 * SAFE
    smooth = f.smooth(mp.mpf(c))
    whole = f.with_waves(mp.mpf(c), *smooth)
    bend, ripple = f.bound(2, a, b)
    for (over, slope, _), second in (((smooth[0] + f.crest, smooth[1], 0), bend), (whole, bend + ripple)):
        reach = abs(float(slope)) * r + second * r * r / 2
        if float(over) + reach * SAFE < 0:
            return None
    over, slope, curve = whole
    if abs(float(slope)) > (bend + ripple) * r * SAFE:
        return None if slope < 0 else at_end(f, a, b)
    if abs(float(curve)) > sum(f.bound(3, a, b)) * r * SAFE:
        if curve > 0 or f(b)[1] >= 0:
            return at_end(f, a, b)
        if f(a)[1] <= 0:
            return None
        top = zero_between(f, mp.mpf(a), mp.mpf(b), 1)
        return at_end(f, a, top)
    return "unclear"


def at_end(f, a, b):
    """F(a) < 0 and at most one zero in (a, b]: then F(b) tells."""
    return zero_between(f, mp.mpf(a), mp.mpf(b), 0) if f(b)[0] >= 0 else None


def membrane(tau, theta, v, drive=0.0, channels=(), cm=1.0, sines=(), steps=(), slope=0.0, origin=0.0, t=0.0):
    """Records as plain namespaces: channels are (tau, i) or (tau, i, y), sines (frequency, phase, amplitude), steps
    (tau, h)."""
    channels = [(*entry, 0.0)[:3] for entry in channels]
    p = SimpleNamespace(tau=tau, cm=cm, theta=theta, tau_c=[ts for ts, _, _ in channels],
                        rise=[math.e / ts if y != 0.0 else 0.0 for ts, _, y in channels],
                        frequency=[f for f, _, _ in sines], phase=[q for _, q, _ in sines],
                        tau_th=[ts for ts, _ in steps])
    s = SimpleNamespace(t=t, v=v, drive=drive, slope=slope, origin=origin, i=[i for _, i, _ in channels],
                        y=[y for _, _, y in channels], sine=[a for _, _, a in sines], h=[h for _, h in steps])
    return p, s
