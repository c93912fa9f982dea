"""First crossings of 100,000 random membranes, solved, sampled, and some of them looked up in the complete reference.

The problems (a function of their number alone): 1 to 6 channels, exp and alpha, of both signs, tau_m finite or inf,
time constants apart, equal or equal up to 2^-20 .. 2^-50; up to two sines of 0.5 Hz to 2 kHz, ramps both ways,
threshold steps of both signs, all mixed; some start within rounding of the threshold, and in nearly half of them theta
is put next to a maximum: peak (1 +- 10^-k), k = 3 .. 16, or a double at the peak itself.

On all of them V - theta is stepped densely up to the crossing reported or the window's end (and on 1/32, 1/1024 and
1/32768 of that again), and each maximum near theta is refined, within rounding in double-double: one above it is a
crossing `missed`.  A crossing at which V - theta does not reach 0 in double-double is `false`.  Both also count what
differs from the reference (tests/exact.py) in a sample: the closest grazes and the first of every kind.
"""

import math
import sys
import time
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from eventsnn.crossing import first_crossing, rises
from eventsnn.kernel.link import link
from eventsnn.linear import phi1, phi2, potential, response, rising_response, tangent, threshold
from eventsnn.model import Bound
from eventsnn.models.lif_linear import records
from eventsnn.rng import key, philox, unit
from eventsnn.verdict import excess

U = 2.0 ** -53
CHANNELS, SINES, STEPS, WINDOW, FINEST = 6, 2, 2, 200.0, 20000
KINDS = ("channels", "steps", "ramp", "sine", "fast sine", "mixed")
U64 = np.uint64


def bound(function: Any) -> Bound:
    """The function with those of its own module that it uses, which `link` would leave alone."""
    known, home = function.__globals__, function.__module__
    parts = {name: known.get(name) for name in function.__code__.co_names}
    return Bound.to(function, {name: bound(part) for name, part in parts.items()
                               if isinstance(part, FunctionType) and part.__module__ == home})


# ---------------------------------------------------------------------------------------------------- the problems
class Draws:
    """Arrays of uniform numbers, one per problem: the next draw of each one's stream."""

    def __init__(self, n: int):
        self.key, self.streams, self.draw = key(0, "benchmarks", "crossing"), np.arange(n, dtype=np.uint64), 0

    def __call__(self, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        self.draw += 1
        return low + (high - low) * unit(philox(self.key, self.streams, U64(self.draw))[0])

    def log(self, low: float, high: float) -> np.ndarray:
        return np.exp(self(math.log(low), math.log(high)))

    def chance(self, share: float) -> np.ndarray:
        return self() < share

    def whole(self, low: int, high: int) -> np.ndarray:
        return np.floor(self(low, high + 1))


def problems(n: int) -> tuple[Any, Any, np.ndarray]:
    """Records p and s of n problems, and the number of each one's kind."""
    kinds = records(CHANNELS, SINES, STEPS)
    p, s = (np.zeros(n, kind).view(np.recarray) for kind in kinds)
    draw = Draws(n)
    p.tau = np.where(draw.chance(0.1), np.inf, np.where(draw.chance(0.3), 10.0, draw.log(0.5, 60.0)))
    p.cm, p.theta = draw.log(0.05, 500.0), draw(5.0, 20.0) * np.where(draw.chance(0.05), -1.0, 1.0)
    scale = np.abs(p.theta) * p.cm / np.where(p.tau < np.inf, p.tau, 50.0)
    s.t = np.where(draw.chance(0.3), draw(0.0, 1e4), 0.0)
    s.drive = np.where(draw.chance(0.8), draw(-1.5, 1.5) * scale, 0.0)
    many = draw.whole(1, CHANNELS)
    for k in range(CHANNELS):
        usual = np.where(p.tau < np.inf, p.tau, 10.0)
        near = usual * (1.0 + np.where(draw.chance(0.5), 1.0, -1.0) * 2.0 ** -draw.whole(20, 50))
        choice, free, last = draw(), draw.log(0.2, 60.0), p.tau_c[:, k - 1]
        tau = np.select([choice < 0.4, choice < 0.6, choice < 0.8], [free, usual, near], last)
        p.tau_c[:, k] = np.where(k < many, np.where(tau > 0.0, tau, free), 0.0)
        alpha, there = draw.chance(0.5), k < many
        size = draw(-3.0, 4.0) * np.abs(p.theta) * p.cm / np.minimum(np.maximum(tau, 0.2), usual)
        p.rise[:, k] = np.where(alpha & there, math.e / np.where(there, p.tau_c[:, k], 1.0), 0.0)
        s.y[:, k] = np.where(alpha & there, size * p.rise[:, k], 0.0)
        s.i[:, k] = np.where(there & (~alpha | draw.chance(0.5)), draw(0.0, 1.0) * size, 0.0)
    kind = np.floor(draw() * 1.6 * len(KINDS)).astype(np.int64)
    kind = np.where(kind >= len(KINDS), 0, kind)
    swinging, m = kind >= 3, 1.0 / p.tau
    for k in range(SINES):
        p.frequency[:, k] = np.where(kind == 3, draw.log(0.5, 100.0), np.where(kind == 4, draw.log(100.0, 2000.0),
                                                                              draw.log(0.5, 2000.0)))
        p.phase[:, k] = draw(-math.pi, math.pi)
        most = draw.log(0.01, 1.0) * np.abs(p.theta) * p.cm * np.hypot(m, 2.0 * math.pi * p.frequency[:, k] / 1000.0)
        s.sine[:, k] = np.where(swinging & (draw.chance(0.5) if k else True), most, 0.0)
    ramp = (kind == 2) | ((kind == 5) & draw.chance(0.6))
    s.slope = np.where(ramp, draw(-1.0, 1.0) * scale / draw.log(1.0, 100.0), 0.0)
    s.origin = s.t - np.where(draw.chance(0.5), np.minimum(draw(0.0, 50.0), s.t), 0.0)
    stepped = (kind == 1) | ((kind == 5) & draw.chance(0.6))
    for k in range(STEPS):
        p.tau_th[:, k] = draw.log(1.0, 100.0)
        s.h[:, k] = np.where(stepped & (draw.chance(0.6) if k else True), draw(-1.0, 1.5) * np.abs(p.theta), 0.0)
    margin = np.where(draw.chance(0.1), 10.0 ** -draw(3.0, 17.0), draw(0.001, 2.0)) * np.abs(p.theta)
    top = p.theta + s.h.sum(1)
    s.v = np.minimum(top - margin, np.nextafter(top, -np.inf))
    link(bound(place))(p, s, draw(), draw.chance(0.45), draw.whole(3, 17), np.where(draw.chance(0.5), 1.0, -1.0),
                       np.empty(FINEST + 1))
    return p, s, kind


# ---------------------------------------------------------------------------------------------------- compiled parts
def over(p, s, x):
    return potential(p, s, x) - threshold(p, s, x)


def count(p, s, end):
    """How many steps to end see every swing 24 times."""
    most = 1000
    for k in range(len(s.sine)):
        if s.sine[k] != 0.0:
            most = max(most, int(end * p.frequency[k] * 0.024))
    return min(most, FINEST)


def walk(p, s, h, n, f):
    """F at 0, h, .. n h, stepped by the membrane's propagators: quicker than `potential`, and nothing in common with it
    but them; good to about n roundings."""
    m, fall = 1.0 / p.tau, math.exp(-h / p.tau)
    i, y, own, rising, left = np.zeros(CHANNELS), np.zeros(CHANNELS), np.zeros(CHANNELS), np.zeros(CHANNELS), \
        np.zeros(CHANNELS)
    sine, cosine, turn, back = np.zeros(SINES), np.zeros(SINES), np.zeros(SINES), np.zeros(SINES)
    step, down = np.zeros(STEPS), np.zeros(STEPS)
    flat, bent = h * phi1(-h / p.tau) / p.cm, h * h * phi2(-h / p.tau) / p.cm
    v = s.v
    for k in range(CHANNELS):
        i[k], y[k] = s.i[k], s.y[k]
        if p.tau_c[k] > 0.0:
            own[k], rising[k] = response(p.tau, p.tau_c[k], h)[0] / p.cm, rising_response(p.tau, p.tau_c[k], h) / p.cm
            left[k] = math.exp(-h / p.tau_c[k])
    for k in range(SINES):
        w = 2.0 * math.pi * p.frequency[k] / 1000.0
        turned = w * s.t + p.phase[k] - math.atan2(w, m)
        most = s.sine[k] / (p.cm * math.hypot(m, w))
        sine[k], cosine[k], turn[k], back[k] = most * math.sin(turned), most * math.cos(turned), math.cos(w * h), \
            math.sin(w * h)
        v -= sine[k]
    for k in range(STEPS):
        step[k], down[k] = s.h[k], math.exp(-h / p.tau_th[k])
    for j in range(n + 1):
        total = v - p.theta
        for k in range(SINES):
            total += sine[k]
            sine[k], cosine[k] = sine[k] * turn[k] + cosine[k] * back[k], cosine[k] * turn[k] - sine[k] * back[k]
        for k in range(STEPS):
            total -= step[k]
            step[k] *= down[k]
        f[j] = total
        v = v * fall + (s.drive + s.slope * ((s.t - s.origin) + j * h)) * flat + s.slope * bent
        for k in range(CHANNELS):
            v += i[k] * own[k] + y[k] * rising[k]
            i[k] = (i[k] + y[k] * h) * left[k]
            y[k] *= left[k]


def summit(p, s, low, high):
    """The maximum of F between two points, in doubles: golden section."""
    ratio = 0.6180339887498949
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    at_a, at_b = over(p, s, a), over(p, s, b)
    for _ in range(45):
        if at_a < at_b:
            low, a, at_a = a, b, at_b
            b = low + ratio * (high - low)
            at_b = over(p, s, b)
        else:
            high, b, at_b = b, a, at_a
            a = high - ratio * (high - low)
            at_a = over(p, s, a)
    return 0.5 * (low + high)


def sharp_summit(p, s, low, high):
    """The maximum of F between two points, in double-double, and F there."""
    ratio = 0.6180339887498949
    for _ in range(75):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        x, y = excess(p, s, a), excess(p, s, b)
        if x[0] < y[0] or (x[0] == y[0] and x[1] < y[1]):
            low = a
        else:
            high = b
    x = 0.5 * (low + high)
    return x, excess(p, s, x)[0]


def sharp_top(p, s, x, low, high):
    """F in double-double at the maximum that doubles put at x, as well as they can."""
    values = tangent(p, s, x)
    width = 8.0 * math.sqrt(U * values[4] / max(abs(values[2]), 1e-300)) + 1e-12 * x
    return sharp_summit(p, s, max(x - width, low), min(x + width, high))[1]


def reached(p, s, x, low, high):
    """Whether F reaches 0 at its maximum near x, between low and high, and its distance in units of rounding."""
    x = summit(p, s, low, high)
    top, blur = over(p, s, x), U * tangent(p, s, x)[4]
    if abs(top) <= 2.0 * blur:
        top = sharp_top(p, s, x, low, high)
    return top > 0.0, abs(top) / blur


def inspect(p, s, end, f):
    """Whether F reaches 0 before end, at a sample or at the maximum near one; the closest call in units of rounding."""
    closest, missed = math.inf, False
    if over(p, s, end) > -1e-9 * abs(p.theta):
        values = tangent(p, s, end)                       # what rounding may have delayed is no crossing missed
        end -= 8.0 * min(U * values[4] / max(abs(values[1]), 1e-300),
                         math.sqrt(U * values[4] / max(abs(values[2]), 1e-300)))
    for zoom in (1.0, 32.0, 1024.0, 32768.0):
        last = end / zoom
        if last <= 0.0:
            break
        n = count(p, s, last)
        h = last / n
        walk(p, s, h, n, f)
        for j in range(1, n):
            if f[j] >= f[j - 1] and f[j] >= f[j + 1] and 3.0 * f[j] - f[j - 1] - f[j + 1] > -1e-7 * abs(p.theta):
                found, distance = reached(p, s, j * h, (j - 1) * h, (j + 1) * h)
                missed, closest = missed or found, min(closest, distance)
            elif f[j] > 0.0 and over(p, s, j * h) > U * tangent(p, s, j * h)[4]:
                missed = True
    return missed, closest


def confirmed(p, s, x):
    """Whether F reaches 0 at x, up to rounding."""
    values = tangent(p, s, x)
    slope, band = values[1] - U * values[5], U * values[4]
    if values[0] > band:
        return True
    if rises(slope, values[2], values[6], band):
        return excess(p, s, x + 4.0 * band / slope)[0] >= 0.0
    return sharp_top(p, s, x, 0.0, math.inf) >= -2.0 ** -90 * values[4]


def place(p, s, which, wanted, k, sign, f):
    """Put theta next to one of the maxima that exceed all before, within the window."""
    tops = np.empty(8)
    for i in range(len(p)):
        if not wanted[i]:
            continue
        theta, p[i].theta = p[i].theta, 0.0
        n, found = count(p[i], s[i], WINDOW), 0
        h = WINDOW / n
        walk(p[i], s[i], h, n, f)
        best = f[0]
        for j in range(1, n):
            if f[j] > best and f[j] >= f[j - 1] and f[j] > f[j + 1] and found < 8:
                tops[found] = summit(p[i], s[i], (j - 1) * h, (j + 1) * h)
                best = over(p[i], s[i], tops[found])
                found += 1
        if found > 0:
            x = tops[int(which[i] * found)]
            peak = over(p[i], s[i], x)
            if k[i] < 17.0:
                peak = peak * (1.0 + sign[i] * 10.0 ** -k[i])
            else:
                p[i].theta = peak
                peak += sharp_top(p[i], s[i], x, 0.0, WINDOW)
                peak = np.nextafter(peak, peak + sign[i])
            p[i].theta = peak
        if found == 0 or s[i].v >= threshold(p[i], s[i], 0.0) or abs(p[i].theta) < 1e-6 * abs(theta):
            p[i].theta = theta


def solve(p, s, found, x, ambiguous, looks):
    for i in range(len(p)):
        t, x[i], ambiguous[i], looks[i] = first_crossing(p[i], s[i], 0.0, s[i].t + WINDOW)
        found[i] = t <= s[i].t + WINDOW


def judge(p, s, found, x, missed, false, closest, f):
    for i in range(len(p)):
        end = x[i] if found[i] else WINDOW
        missed[i], closest[i] = inspect(p[i], s[i], end, f)
        if found[i]:
            false[i] = not confirmed(p[i], s[i], x[i])


# ---------------------------------------------------------------------------------------------------- the reference
def compare(p: Any, s: Any, found: bool, x: float) -> tuple[bool, bool, float]:
    """Missed and false by the complete reference, and how many attainable errors the time is off."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import exact
    import mpmath as mp

    true = exact.first_crossing(p, s, WINDOW)
    if true is None:
        return False, found, 0.0
    values = tangent(p, s, float(true))
    band = U * values[4]
    with np.errstate(divide="ignore"):
        attainable = min(band / abs(values[1]), math.sqrt(2.0 * band / max(abs(values[2]), 1e-300))) + math.ulp(x)
    if not found:
        return bool(true <= WINDOW - attainable), False, 0.0
    off = float(mp.mpf(x) - true) / attainable
    return off > 16.0, off < -16.0, abs(off)


def crossing(n: int = 100_000, sample: int = 300) -> dict[str, object]:
    def say(*words: object) -> None:
        print(f"{time.perf_counter() - began:7.1f} s ", *words, file=sys.stderr, flush=True)

    began = time.perf_counter()
    p, s, kind = problems(n)
    say(n, "problems")
    found, ambiguous, missed, false = (np.zeros(n, np.bool_) for _ in range(4))
    x, looks, closest = np.zeros(n), np.zeros(n, np.int64), np.zeros(n)
    link(bound(solve))(p, s, found, x, ambiguous, looks)
    before = time.process_time()
    link(bound(solve))(p, s, found, x, ambiguous, looks)
    seconds = time.process_time() - before
    say("solved;", int(found.sum()), "crossings")
    link(bound(judge))(p, s, found, x, missed, false, closest, np.empty(FINEST + 1))
    say("sampled;", int(missed.sum()), "missed,", int(false.sum()), "false")
    hardest = np.argsort(closest, kind="stable")[:sample // 2]
    each = [np.flatnonzero(kind == k)[:sample // 2 // len(KINDS)] for k in range(len(KINDS))]
    chosen = np.unique(np.concatenate([hardest, *each, np.flatnonzero(ambiguous | missed | false)[:20]]))
    worst = 0.0
    for i in chosen:
        late, wrong, off = compare(p[i], s[i], bool(found[i]), float(x[i]))
        missed[i] |= late
        false[i] |= wrong
        worst = max(worst, off)
    say(len(chosen), "compared with the reference")
    means = {name: round(float(looks[kind == k].mean()), 2) for k, name in enumerate(KINDS)}
    return {"name": "crossing", "problems": n, "missed": int(missed.sum()), "false": int(false.sum()),
            "ambiguous": int(ambiguous.sum()), "evaluations": float(looks.mean()), "evaluations_max": int(looks.max()),
            "evaluations_by_kind": means, "crossings": int(found.sum()), "grazes": int((closest < 1e4).sum()),
            "compared": len(chosen), "time_error_over_attainable": worst, "ns_per_problem": 1e9 * seconds / n,
            "seconds": time.perf_counter() - began}
