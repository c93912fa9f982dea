"""V(x) - theta(x) of a linear membrane in double-double, the state taken as exact: decides grazes (law 2.7).

The same sums as `linear.potential` and `linear.threshold`, term by term, in 106 bits, and their slope.
"""

from .doubledouble import add, cosine, divide, exp, multiply, phi1, phi2, psi, scaled_turns, sine, two_product, two_sum
from .model import inf

ONE = (1.0, 0.0)
TWO_PI = (float.fromhex("0x1.921fb54442d18p+2"), float.fromhex("0x1.1a62633145c07p-52"))


def excess(p, s, x):
    """V - theta at x."""
    return closely(p, s, x)[0]


def closely(p, s, x):
    """V - theta at x, and its derivative."""
    big_x = (x, 0.0)
    if p.tau == inf:
        m, a, fall = (0.0, 0.0), (0.0, 0.0), ONE
    else:
        m = divide(ONE, (p.tau, 0.0))
        a = divide((-x, 0.0), (p.tau, 0.0))
        fall = exp(a)
    cm = (p.cm, 0.0)
    total = multiply((s.v, 0.0), fall)
    rise = multiply(big_x, phi1(a))
    steady = (s.drive, 0.0)
    if s.slope != 0.0:
        since = two_sum(s.t, -s.origin)
        steady = add(steady, multiply((s.slope, 0.0), since))
        ramp = multiply(multiply(big_x, big_x), phi2(a))
        total = add(total, divide(multiply((s.slope, 0.0), ramp), cm))
    total = add(total, divide(multiply(steady, rise), cm))
    current = add(steady, two_product(s.slope, x))
    for k in range(len(p.tau_c)):
        ts = p.tau_c[k]
        if ts > 0.0 and (s.i[k] != 0.0 or s.y[k] != 0.0):
            if p.tau == inf:
                z = divide(big_x, (ts, 0.0))                     # (1/ts - 1/tau) x
            else:
                z = divide(multiply(two_sum(p.tau, -ts), big_x), two_product(ts, p.tau))
            down = (-abs(z[0]), -z[1] if z[0] > 0.0 else z[1])
            left = exp(divide((-x, 0.0), (ts, 0.0)))
            part = fall if z[0] >= 0.0 else left
            current = add(current, multiply(add((s.i[k], 0.0), two_product(s.y[k], x)), left))
            once = multiply(multiply(big_x, part), phi1(down))
            total = add(total, divide(multiply(once, (s.i[k], 0.0)), cm))
            if s.y[k] != 0.0:
                twice = psi(z) if z[0] >= 0.0 else phi2(down)
                twice = multiply(multiply(multiply(big_x, big_x), part), twice)
                total = add(total, divide(multiply(twice, (s.y[k], 0.0)), cm))
    for k in range(len(s.sine)):
        if s.sine[k] != 0.0:
            w = divide(multiply(TWO_PI, (p.frequency[k], 0.0)), (1000.0, 0.0))
            size = divide((s.sine[k], 0.0), multiply(cm, add(multiply(m, m), multiply(w, w))))
            before = scaled_turns(p.frequency[k], s.t)
            start = add(multiply(TWO_PI, before), (p.phase[k], 0.0))
            here = add(multiply(TWO_PI, add(before, scaled_turns(p.frequency[k], x))), (p.phase[k], 0.0))
            swung = add(multiply(m, sine(here)), negative(multiply(w, cosine(here))))
            swing = add(multiply(m, sine(start)), negative(multiply(w, cosine(start))))
            swung = add(swung, negative(multiply(swing, fall)))
            total = add(total, multiply(size, swung))
            current = add(current, multiply((s.sine[k], 0.0), sine(here)))
    slope = add(divide(current, cm), negative(multiply(m, total)))
    total = add(total, (-p.theta, 0.0))
    for k in range(len(p.tau_th)):
        step = multiply((s.h[k], 0.0), exp(divide((-x, 0.0), (p.tau_th[k], 0.0))))
        total = add(total, negative(step))
        slope = add(slope, divide(step, (p.tau_th[k], 0.0)))
    return total, slope


def negative(x):
    return -x[0], -x[1]
