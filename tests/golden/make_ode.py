"""Makes ode.json: spike times of neurons without a closed form, to 30 digits, by Taylor series in multi-precision.

    python tests/golden/make_ode.py

Each step sums the Taylor series of the solution to order 30 (recurrences for the polynomial right-hand sides of
Izhikevich's and FitzHugh-Nagumo's equations and of qif under a sine), in 36 digits; halving the step moves no digit
that is kept.  A spike is found by Newton's method on the series.
"""

import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 36
ORDER = 30


def product(a, b, k):
    """Coefficient k of the product of two series."""
    return mp.fsum(a[j] * b[k - j] for j in range(k + 1))


def izhikevich(p, y, t):
    v, u = [y[0]], [y[1]]
    for k in range(ORDER):
        constant = 140 + p["I"] if k == 0 else 0
        v.append((p["quad"] * product(v, v, k) + 5 * v[k] - u[k] + constant) / (k + 1))
        u.append(p["a"] * (p["b"] * v[k] - u[k]) / (k + 1))
    return v, u


def fitzhugh_nagumo(p, y, t):
    v, w, square = [y[0]], [y[1]], []
    for k in range(ORDER):
        square.append(product(v, v, k))
        cube = mp.fsum(square[j] * v[k - j] for j in range(k + 1))
        v.append((v[k] - cube / 3 - w[k] + (p["I"] if k == 0 else 0)) / (k + 1))
        w.append((v[k] + (p["a"] if k == 0 else 0) - p["b"] * w[k]) / p["tau"] / (k + 1))
    return v, w


def qif_sine(p, y, t):
    """x' = x^2 + I + A sin(w t)."""
    x, w = [y[0]], p["omega"]
    for k in range(ORDER):
        drive = p["A"] * mp.sin(w * t + k * mp.pi / 2) * w ** k / mp.factorial(k)
        x.append((product(x, x, k) + drive + (p["I"] if k == 0 else 0)) / (k + 1))
    return (x,)


def evaluate(series, x):
    return mp.polyval(series[::-1], x)


def run(system, p, y, peak, after, until, h):
    """Spike times; `after` maps the state at a spike, or is None where a spike is an upward crossing."""
    t, times, below = mp.mpf(0), [], y[0] < peak
    while t < until:
        series = system(p, y, t)
        end = [evaluate(s, h) for s in series]
        if below and end[0] >= peak:
            x = h * (peak - y[0]) / (end[0] - y[0])
            for _ in range(60):
                slope = mp.fsum(k * c * x ** (k - 1) for k, c in enumerate(series[0]) if k)
                step = (evaluate(series[0], x) - peak) / slope
                x -= step
                if abs(step) < mp.mpf(10) ** -34:
                    break
            times.append(t + x)
            if after:
                y, t = after([evaluate(s, x) for s in series]), t + x
                continue
        y, t, below = end, t + h, end[0] < peak
    return times


F = mp.mpf          # of floats: the very doubles that the simulator gets
CELL = {"quad": F(0.04), "a": F(0.02), "b": F(0.2), "I": F(10.0)}
CASES = {
    "izhikevich_rs": (izhikevich, {**CELL, "c": F(-65.0), "d": F(8.0)}, [F(-70.0), F(-14.0)], F(30.0), 150, 32),
    "izhikevich_ch": (izhikevich, {**CELL, "c": F(-50.0), "d": F(2.0)}, [F(-70.0), F(-14.0)], F(30.0), 60, 32),
    "fitzhugh_nagumo": (fitzhugh_nagumo, {"a": F(0.7), "b": F(0.8), "tau": F(12.5), "I": F(0.5)},
                        [F(-1.0), F(-0.5)], F(0.5), 150, 16),
    "qif_sine": (qif_sine, {"I": F(0.0625), "A": F(0.125), "omega": F(0.5)}, [F(-1.0)], F(16.0), 60, 128),
}


def main():
    out = {}
    for name, (system, p, y, peak, until, steps) in CASES.items():
        after = None
        if system is izhikevich:
            def after(end, p=p):
                return [p["c"], end[1] + p["d"]]
        elif system is qif_sine:
            def after(end):
                return [F(-2.0)]
        runs = [run(system, p, y, peak, after, until, mp.mpf(1) / n) for n in (steps, 2 * steps)]
        worst = max(abs(a - b) for a, b in zip(*runs, strict=True))
        if worst > mp.mpf(10) ** -25:
            raise ArithmeticError(f"{name}: halving the step moves a spike by {worst}")
        out[name] = {"parameters": {key: float(value) for key, value in p.items()},
                     "start": [float(value) for value in y], "peak": float(peak), "until": until,
                     "spikes": [mp.nstr(t, 30) for t in runs[0]]}
        print(name, len(runs[0]), mp.nstr(worst, 3))
    path = Path(__file__).with_name("ode.json")
    path.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
