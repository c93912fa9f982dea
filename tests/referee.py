"""One neuron and its exact input list in multi-precision: the referee where two simulators disagree.

Between inputs V(s) = sum over rates r of p_r(s) exp(-r s), p_r polynomials.  With lambda one of the rates, the
derivative of exp(lambda s) V(s) is exp(lambda s) times a sum of the same kind that is one term (or one degree) shorter.
So the zeros of a sum are found one by one between the zeros of the shorter one: all of them, without any grid, and no
matter how close they lie.  Nothing is shared with the simulator; 40 digits leave cancellation nothing to spoil.
"""

from mpmath import exp, mp, mpf

DIGITS = 40


def plus(terms, rate, *coefficients):
    """terms {rate: [c0, c1, ...]} with another polynomial added at that rate."""
    old = terms.setdefault(rate, [])
    old.extend([mpf(0)] * (len(coefficients) - len(old)))
    for k, c in enumerate(coefficients):
        old[k] += c


def at(terms, s):
    """The sum's value."""
    return sum((sum((c * s**k for k, c in enumerate(p)), mpf(0)) * exp(-r * s) for r, p in terms.items()), mpf(0))


def shorter(terms, chosen):
    """exp(-chosen s) d/ds [exp(chosen s) terms(s)]."""
    found = {}
    for r, p in terms.items():
        grown = [(chosen - r) * c + (k + 1) * (p[k + 1] if k + 1 < len(p) else 0) for k, c in enumerate(p)]
        while grown and grown[-1] == 0:
            grown.pop()
        if grown:
            found[r] = grown
    return found


def zeros(terms, end):
    """All s in (0, end) where the sum changes its sign, ascending."""
    if not terms:
        return []
    places = [mpf(0), *zeros(shorter(terms, next(iter(terms))), end), end]
    signs = [at(terms, s) for s in places]
    return [bisect(terms, a, b, x) for a, b, x, y in zip(places, places[1:], signs, signs[1:], strict=False)
            if (x < 0) != (y < 0)]


def bisect(terms, a, b, at_a):
    """The one zero between a and b, to 30 digits: regula falsi with the Illinois rule."""
    x, y = at_a, at(terms, b)
    side = 0
    while b - a > b * mpf(10) ** -30:
        s = (a * y - b * x) / (y - x)
        z = at(terms, s)
        if z == 0:
            return s
        if (z < 0) == (x < 0):
            a, x, y, side = s, z, y / 2 if side == -1 else y, -1
        else:
            b, y, x, side = s, z, x / 2 if side == 1 else x, 1
    return b


def membrane(p, v, currents):
    """V(s) above rest, from v and the currents (i, y) of each receptor: I(s) = (i + y s) exp(-s / tau)."""
    m = 1 / p["tau_m"]
    terms, settled = {}, p["I_e"] * p["tau_m"] / p["C_m"]
    plus(terms, mpf(0), settled)
    plus(terms, m, v - settled)
    for (i, y), tau in zip(currents, p["tau_syn"], strict=True):
        g = 1 / tau
        b = y / p["C_m"] / (m - g)
        a = (i / p["C_m"] - b) / (m - g)
        plus(terms, g, a, b)
        plus(terms, m, -a)
    return terms


def spikes(neuron, inputs, until):
    """Spike times (mpf) in [0, until) of one neuron.

    neuron   tau_m, C_m, E_L, V_th, V_reset, t_ref, V_m (at t = 0), I_e; synapse "delta", "exp" or "alpha"; tau_syn
    inputs   (arrival time, receptor, weight) in any order; what arrives at one instant acts at once
    """
    with mp.workdps(DIGITS):
        p = {k: mpf(float(neuron[k])) for k in ("tau_m", "C_m", "E_L", "V_th", "V_reset", "t_ref", "V_m", "I_e")}
        p["tau_syn"] = [mpf(tau) for tau in neuron["tau_syn"]]
        theta, reset, v = p["V_th"] - p["E_L"], p["V_reset"] - p["E_L"], p["V_m"] - p["E_L"]
        currents = [(mpf(0), mpf(0))] * len(p["tau_syn"])
        instants = {}
        for time, receptor, weight in inputs:
            if time < until:
                instants.setdefault(mpf(time), []).append((receptor, mpf(weight)))
        t, release, found = mpf(0), mpf(0), []
        for event in [*sorted(instants), mpf(until)]:
            while t < event:                                   # t: what the state stands at; held while t < release
                if t < release:
                    held = min(release, event)
                    t, currents = held, decayed(p, currents, held - t)
                    continue
                terms = membrane(p, v, currents)
                plus(terms, mpf(0), -theta)
                crossing = [mpf(0)] if v >= theta else zeros(terms, event - t)
                step = crossing[0] if crossing else event - t
                v = at(terms, step) + theta
                t, currents = t + step, decayed(p, currents, step)
                if crossing:
                    found.append(t)
                    v, release = reset, t + p["t_ref"]
            for receptor, weight in instants.get(event, []):
                if neuron["synapse"] == "delta":
                    v += weight if event >= release else 0
                else:
                    i, y = currents[receptor]
                    alpha = neuron["synapse"] == "alpha"       # its weight is the peak of the current
                    currents[receptor] = (i, y + weight * exp(1) / p["tau_syn"][receptor]) if alpha else (i + weight, y)
        return found


def decayed(p, currents, s):
    """The currents (i, y) a time s later."""
    left = [exp(-s / tau) for tau in p["tau_syn"]]
    return [((i + y * s) * e, y * e) for (i, y), e in zip(currents, left, strict=True)]
