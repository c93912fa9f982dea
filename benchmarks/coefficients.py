"""First crossings of 100,000 random membranes kept as scaled coefficients (`lif_coefficients`), solved and sampled.

The problems (a function of their number alone): one to three currents of both signs, half of them exponential, half
alpha, the latter just beginning or under way, at any time within an epoch up to 1e4 ms; a tenth starts within rounding
of the threshold, and in nearly half of them theta is put next to a maximum in the first epoch: peak (1 +- 10^-k), k = 3
.. 16, or the double next to the exact peak.

V - theta is sampled densely from the coefficients at the start, in their own words (no epochs), up to the crossing
reported or the window's end, and on 1/32 and 1/1024 of that again; each maximum near theta is refined in double-double.
One above theta is a crossing `missed`; a crossing where V - theta does not reach 0 is `false`.  Beyond the first epoch
a start of an epoch is rounded, which moves V: what is closer than that counts as neither.
"""

import math
import sys
import time
from typing import Any

import numpy as np

from eventsnn.coefficients import closely, look, risen, step
from eventsnn.kernel.link import link
from eventsnn.model import STEPS
from eventsnn.models.lif_coefficients import prepare, roll, serves
from eventsnn.models.lif_scaled import epoch_of

from .crossing import Draws, bound

U, CHANNELS, WINDOW, SAMPLES = 2.0 ** -53, 3, 200.0, 2000


def problems(n: int) -> tuple[Any, Any]:
    """Records of n problems; the state at s.t, where the search starts."""
    draw = Draws(n)
    tau = np.where(draw.chance(0.3), 10.0, draw.log(0.5, 60.0))
    cm, theta = draw.log(0.05, 500.0), draw(5.0, 20.0) * np.where(draw.chance(0.05), -1.0, 1.0)
    taus: list[np.ndarray] = []
    for _ in range(CHANNELS):
        good, ts = np.zeros(n, bool), np.ones(n)
        while not good.all():
            new = draw.log(0.2, 100.0)
            apart = [abs(x - new) > np.maximum(x, new) / 8.0 for x in (tau, *taus)]
            fits = (tau <= 100.0 * new) & np.all(apart, axis=0)
            ts, good = np.where(good, ts, new), good | fits
        taus.append(ts)
    r_i = np.where(draw.chance(0.8), draw(-1.5, 1.5) * theta, 0.0)
    many, many_drawn = draw.whole(1, CHANNELS), []
    for k, ts in enumerate(taus):
        size = draw(-3.0, 4.0) * np.abs(theta) * cm / np.minimum(ts, tau)
        many_drawn.append(np.where(k < many, size, 0.0))
    margin = np.where(draw.chance(0.1), 10.0 ** -draw(3.0, 16.0), draw(0.001, 2.0)) * np.abs(theta)
    rises = [draw.chance(0.5) & (abs(ts - tau) > np.maximum(ts, tau) / 4.0) for ts in taus]
    slow = [np.where(up, ts, 4.0 * tau) for up, ts in zip(rises, taus, strict=True)]
    begun = [np.where(up & draw.chance(0.5), draw(-1.0, 1.0) * size, 0.0)
             for up, size in zip(rises, many_drawn, strict=True)]
    weights = np.array([np.where(up, size, 0.0) for up, size in zip(rises, many_drawn, strict=True)]).T
    many_drawn = [np.where(up, 0.0, size) for up, size in zip(rises, many_drawn, strict=True)]
    values = {"tau_m": tau, "cm": cm, "v_rest": np.zeros(n), "v_thresh": theta, "v_reset": theta - 10.0,
              "reset": "value", "tau_refrac": np.ones(n), "i_offset": r_i * cm / tau, "v_init": theta - margin,
              "tau_w": None, "b_w": None, "synapse": ["exp"] * CHANNELS + ["alpha"] * CHANNELS,
              "tau_syn": [*taus, *slow], "i_init": [*many_drawn, *begun], "tau_th": None, "b_th": None}
    assert serves(values, STEPS)
    prepared = prepare(values, n, STEPS)
    p, s = prepared.params.view(np.recarray), prepared.state.view(np.recarray)
    s.t = np.where(draw.chance(0.3), draw(0.0, 1e4), np.where(draw.chance(0.5), draw(0.0, 1.0) * tau, 0.0))
    link(bound(begin))(p, s, weights, draw.chance(0.45), draw.whole(3, 17), np.where(draw.chance(0.5), 1.0, -1.0))
    return p, s


# ---------------------------------------------------------------------------------------------------- compiled parts
def over(p, s, t):
    """F at t in doubles, and the size of its terms."""
    y = t - s.epoch * p.tau
    part = s.a * math.exp(-y / p.tau)
    total, size = s.v_inf - p.theta + part, abs(s.v_inf - p.theta) + abs(part)
    for j in range(CHANNELS):
        part = s.b[j] * math.exp(-y / p.tau_c[j])
        total += part
        size += abs(part)
        k, fall = 2 * (CHANNELS + j), math.exp(-y / p.tau_r[j])
        total += (s.b[k] + s.b[k + 1] * y) * fall
        size += (abs(s.b[k]) + abs(s.b[k + 1] * y)) * fall
    return total, size


def sharp_over(p, s, t):
    return closely(p, t, s.epoch, s.a, s.b, s.v_inf)[0]


def sharp_top(p, s, low, high):
    """The maximum of F between two points, in double-double (relative to the last iterate's resolution)."""
    ratio, at = 0.6180339887498949, low
    width = high - low
    for _ in range(70):
        a, b = at + (1.0 - ratio) * width, at + ratio * width
        x, y = sharp_over(p, s, a), sharp_over(p, s, b)
        if x[0] < y[0] or (x[0] == y[0] and x[1] < y[1]):
            at = a
        width *= ratio
    t = at + 0.5 * width
    return t, sharp_over(p, s, t)[0]


def begin(p, s, weights, wanted, k, sign):
    """Coefficients as if all had been set at s.t, and theta next to a maximum where wanted."""
    for i in range(len(p)):
        s[i].epoch = epoch_of(s[i].t, p[i].tau)
        y = s[i].t - s[i].epoch * p[i].tau
        s[i].a *= math.exp(y / p[i].tau)
        for j in range(CHANNELS):
            s[i].b[j] *= math.exp(y / p[i].tau_c[j])
            at, grown = 2 * (CHANNELS + j), math.exp(y / p[i].tau_r[j])
            more, steeper, off = risen(p[i], j, weights[i, j], y, grown, math.exp(y / p[i].tau))
            s[i].b[at] = s[i].b[at] * grown + more
            s[i].b[at + 1] = steeper
            s[i].a += off
        s[i].safe = s[i].t
        theta, end = p[i].theta, (s[i].epoch + 1) * p[i].tau
        h = (end - s[i].t) / SAMPLES
        best, where = over(p[i], s[i], s[i].t)[0], 0
        for n in range(1, SAMPLES):
            f = over(p[i], s[i], s[i].t + n * h)[0]
            if f > best:
                best, where = f, n
        if wanted[i] and 0 < where < SAMPLES - 1:
            t, _ = sharp_top(p[i], s[i], s[i].t + (where - 1) * h, s[i].t + (where + 1) * h)
            peak = sharp_over(p[i], s[i], t)[0] + theta
            if k[i] < 17.0:
                p[i].theta = peak * (1.0 + sign[i] * 10.0 ** -k[i])
            else:
                p[i].theta = peak
                peak += sharp_over(p[i], s[i], t)[0]
                p[i].theta = np.nextafter(peak, peak + sign[i])
            if sharp_over(p[i], s[i], s[i].t)[0] >= 0.0 or abs(p[i].theta) < 1e-6 * abs(theta):
                p[i].theta = theta
        if sharp_over(p[i], s[i], s[i].t)[0] >= 0.0:               # rounded above it
            p[i].theta += 1e-9 * abs(p[i].theta)


def solve(p, s, found, t, ambiguous, looks):
    for i in range(len(p)):
        until = s[i].t + WINDOW
        while s[i].safe <= until:
            looks[i] += 1
            roll(p[i], s[i], s[i].safe)
            after, verdict = step(p[i], s[i].safe, s[i].epoch, s[i].a, s[i].b, s[i].v_inf)
            if verdict > 0:
                found[i], ambiguous[i] = True, verdict == 2
                break
            s[i].safe = after
        t[i] = s[i].safe


def slack(p, s, t):
    """How much of V is uncertain at t: nothing in the first epoch, where double-double tells."""
    epochs = epoch_of(t, p.tau) - s.epoch
    if epochs <= 0:
        return 0.0
    fastest = p.tau
    for j in range(CHANNELS):
        fastest = min(fastest, p.tau_c[j], p.tau_r[j])
    return (16.0 * U * (1.0 + epochs) + 2.0 * epochs * U * t / fastest) * over(p, s, s.t)[1]


def inspect(p, s, end):
    """Whether F reaches 0 before end, at a sample or at a maximum; the closest call in units of rounding."""
    missed, closest = False, math.inf
    for zoom in (1.0, 32.0, 1024.0):
        h = (end - s.t) / zoom / SAMPLES
        if h <= 16.0 * U * s.t:                            # finer than time itself
            break
        before, here, tops = over(p, s, s.t)[0], over(p, s, s.t + h)[0], 0
        for n in range(1, SAMPLES):
            t = s.t + n * h
            after, size = over(p, s, t + h)
            if here >= before and here >= after and here > -1e-7 * size:
                tops += 1
            if here >= before and here >= after and here > -1e-7 * size and tops < 6:   # the rest is noise of rounding
                top, f = sharp_top(p, s, t - h, t + h)
                unsure = slack(p, s, top) + 2.0 ** -90 * size
                if top < end - 8.0 * math.sqrt(U * size / max(2.0 * here - before - after, 1e-300)) * h:
                    missed = missed or f > unsure
                    if f < -unsure or f > unsure:
                        closest = min(closest, abs(f) / (U * size))
            elif here > 16.0 * U * size + slack(p, s, t) and n < SAMPLES - 2:
                missed = True
            before, here = here, after
    return missed, closest


def confirmed(p, s, now, t):
    """Whether F reaches 0 at t, or at the maximum just after it.  now: the state in t's epoch, where `look` holds."""
    f, size = over(p, s, t)
    unsure = slack(p, s, t)
    if f > 8.0 * U * size + unsure:
        return True
    seen = look(p, t, now.epoch, now.a, now.b, now.v_inf)
    reach = max(4.0 * math.sqrt(seen[5] / max(abs(seen[2]), 1e-300)), 1e-12 * t)
    if seen[1] > 0.0:
        reach = max(reach, 4.0 * seen[5] / seen[1])
    return sharp_top(p, s, max(t - reach, s.t), t + reach)[1] >= -unsure - 2.0 ** -90 * size


def judge(p, s, left, found, t, missed, false, closest):
    for i in range(len(p)):
        missed[i], closest[i] = inspect(p[i], s[i], t[i] if found[i] else s[i].t + WINDOW)
        if found[i]:
            false[i] = not confirmed(p[i], s[i], left[i], t[i])


def coefficients(n: int = 100_000) -> dict[str, object]:
    def say(*words: object) -> None:
        print(f"{time.perf_counter() - began:7.1f} s ", *words, file=sys.stderr, flush=True)

    began = time.perf_counter()
    p, s = problems(n)
    say(n, "problems")
    found, ambiguous, missed, false = (np.zeros(n, np.bool_) for _ in range(4))
    t, looks, closest = np.zeros(n), np.zeros(n, np.int64), np.zeros(n)
    run = link(bound(solve))
    run(p[:1], s[:1].copy(), found[:1], t[:1], ambiguous[:1], looks[:1].copy())
    left = s.copy()
    before = time.process_time()
    run(p, left, found, t, ambiguous, looks)
    seconds = time.process_time() - before
    say("solved;", int(found.sum()), "crossings")
    link(bound(judge))(p, s, left, found, t, missed, false, closest)
    return {"name": "coefficients", "problems": n, "missed": int(missed.sum()), "false": int(false.sum()),
            "ambiguous": int(ambiguous.sum()), "evaluations": float(looks.mean()), "evaluations_max": int(looks.max()),
            "crossings": int(found.sum()), "grazes": int((closest < 1e4).sum()), "ns_per_problem": 1e9 * seconds / n,
            "seconds": time.perf_counter() - began}
