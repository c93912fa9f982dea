"""Exponentials that keep their coefficients (law S11): the arithmetic that all engines of `lif_coefficients` share.

Within epoch k, y = t - k tau, and with c_j = tau_j / (tau_j - tau), R = tau/cm, V relative to rest:

    V = v_inf + a e^{-y/tau} + sum_j b_j e^{-y/tau_j},      g_j = R i_j = b_j e^{-y/tau_j} / c_j
    tau V' = v_inf - V + sum_j g_j

A current that rises and then decays (alpha) has two coefficients:  V's part is (b + c y) / E_k, and

    g_k = share (b + c y + lag c) / E_k,   share = (tau_k - tau)/tau_k,   lag = tau tau_k / (tau_k - tau)

Every function is one of scalars: nothing depends on who asks, when, or on when the neuron's last event was.  E_x =
e^{y/tau_x} is `growth`, its reciprocal 1/E_x decays.  A *view* is what `tally` gathers from the parts b_j / E_j, and
`swell` from those that rise: what room they leave below theta, the sum of what the g_j > 0 come to at most, the sums of
the g_j < 0 a little and much later (and of what those that rise lack by then), and the sum of sizes.
"""

import numpy as np

from .crossing import leap, rises
from .doubledouble import add, divide, multiply, two_product, two_sum
from .doubledouble import exp as sharp_exp
from .elementary import exp
from .model import inf

BARE = ("growth", "sunk", "dimmed", "shifted", "risen", "view", "tally", "swell", "survey", "without", "below", "span",
        "wait", "crest", "look", "closely", "closest", "step")
F = float.fromhex("0x1.78b56362cef38p-2")     # e^-1
TINY = 1e-300                                 # b vanishes here, a stays: V approaches v_inf for ever
U = 2.0 ** -53
MARGIN = 256.0 * U                            # covers the errors of V anywhere in an epoch, relative to its terms
NEAR, FAR = 0.05, 0.25                        # the spans of `wait`, in units of tau


def growth(t, epoch, tau, tau_x):
    """E_x = e^{(t - epoch tau) / tau_x}."""
    return exp((t - epoch * tau) / tau_x)


def sunk(a, n):
    """a, n epochs later."""
    for _ in range(n):
        if abs(a) <= TINY:
            break
        a *= F
    return a


def dimmed(b, f, n):
    """b, n epochs later, f = e^{-tau/tau_j}."""
    for _ in range(n):
        if b == 0.0:
            break
        b = b * f if abs(b) > TINY else 0.0
    return b


def shifted(b, c, f, tau, n):
    """b and c of a current that rises, n epochs later: y counts from there."""
    for _ in range(n):
        if b == 0.0 and c == 0.0:
            break
        b += c * tau
        b = b * f if abs(b) > TINY else 0.0
        c = c * f if abs(c) > TINY else 0.0
    return b, c


def risen(p, k, w, y, grown, e):
    """What an arrival w at the alpha channel k adds to its b and c, and to a; grown = E_k, e = E.

    With C = w gain_r more of c / E_k, the part of V must be lag C less for the current to begin at 0.
    """
    more = w * p.gain_r[k]
    steeper = more * grown
    return -((p.lag[k] + y) * steeper), steeper, more * p.lag[k] * e


# ---------------------------------------------------------------------------------------------------- safe for how long
def view(room):
    """The view of nothing: room = theta - v_inf."""
    return room, 0.0, 0.0, 0.0, abs(room)


def tally(sofar, part, share, near, far):
    """The view with one more part b_j / E_j; share = 1/c_j; near, far: e^{-x tau/tau_j} with x = NEAR, FAR."""
    left, up, soon, later, size = sofar
    g = part * share
    less = min(g, 0.0)                        # no branch, so that a loop over neurons can go in vectors
    return left - part, up + max(g, 0.0), soon + less * near, later + less * far, size + abs(part)


def crest(now, grow):
    """At most this, or 0, is (now + grow q x) e^{-q x} at any x >= 0 and rate q."""
    above = max(now, 0.0)                     # e^(z - 1) <= 1/e + z (1 - 1/e) for 0 <= z <= 1
    return above + F * max(grow - above, 0.0)


def swell(sofar, p, k, b, c, y, r):
    """The view with the alpha channel k; r = 1/E_k.

    From now on g_k is (now + grow x/tau_k) e^{-x/tau_k}: within x = NEAR, FAR tau the second term comes to its height
    at the first of x and tau_k, which near_top and far_top are for grow = 1.
    """
    left, up, soon, later, size = sofar
    fall = c * r
    part = (b + c * y) * r
    now = p.share_r[k] * (part + p.lag[k] * fall)
    grow = p.climb[k] * fall
    above, less, more = max(now, 0.0), min(now, 0.0), max(grow, 0.0)
    most = crest(now, grow)
    reach = (abs(b) + abs(c * y)) * r
    return left - part, up + most, soon + less * p.near_r[k] + min(above + more * p.near_top[k] - most, 0.0), \
        later + less * p.far_r[k] + min(above + more * p.far_top[k] - most, 0.0), \
        size + reach + abs(p.share_r[k]) * (reach + abs(p.lag[k] * fall))


def survey(p, t, epoch, b, room):
    """The view at t; b: the coefficients of all that decays, and then b and c of all that rises."""
    seen = view(room)
    for j in range(len(p.tau_c)):
        if b[j] != 0.0:
            part = b[j] * (1.0 / growth(t, epoch, p.tau, p.tau_c[j]))
            seen = tally(seen, part, p.share[j], p.near[j], p.far[j])
    for k in range(len(p.tau_r)):
        i = len(p.tau_c) + 2 * k
        if b[i] != 0.0 or b[i + 1] != 0.0:
            seen = swell(seen, p, k, b[i], b[i + 1], t - epoch * p.tau, 1.0 / growth(t, epoch, p.tau, p.tau_r[k]))
    return seen


def without(p, t, epoch, b, v):
    """What is left of v at t once the currents' parts are taken off."""
    for j in range(len(p.tau_c)):
        if b[j] != 0.0:
            v -= b[j] * (1.0 / growth(t, epoch, p.tau, p.tau_c[j]))
    for k in range(len(p.tau_r)):
        i = len(p.tau_c) + 2 * k
        if b[i] != 0.0 or b[i + 1] != 0.0:
            v -= (b[i] + b[i + 1] * (t - epoch * p.tau)) * (1.0 / growth(t, epoch, p.tau, p.tau_r[k]))
    return v


def below(seen, a, e, r):
    """theta - V, exactly <= 0 where a jump S >= theta from rest makes a = fl(S E); e = E, r = 1/E of the membrane."""
    return (seen[0] * e - a) * r


def span(d, over, tau, most):
    """A time that V, d below theta, needs to get there while its current would settle it at most over above theta.

    tau log(1 + d/over) >= 2 tau d / (2 over + d); within the time `most` for which this current is a bound.
    """
    return min(most, 2.0 * tau * d / (2.0 * over + d)) if over > 0.0 else most


def wait(seen, d, own, room, tau):
    """How long V, d below theta, certainly stays below: three bounds of its current, no logarithm; own = a/E."""
    _, up, soon, later, size = seen
    d -= MARGIN * (size + abs(own))
    if d <= 0.0:
        return 0.0
    over = up - room
    if over <= 0.0:
        return inf
    first = span(d, over + soon, tau, NEAR * tau)
    if first < NEAR * tau:
        return first                          # a longer span has a greater current
    return max(first, span(d, over + later, tau, FAR * tau), span(d, over, tau, inf))


# ---------------------------------------------------------------------------------------------------- first crossing
def look(p, t, epoch, a, b, v_inf):
    """What the search wants to know at t of F = V - theta <= 0 (law 2.4, 2.7; compare `linear.tangent`):

    d = -F, F', F";  M, so that F' grows by at most M y within any time y;  the B of M;  bounds of the rounding errors
    of F and F';  K, so that F" moves by at most K y within any y <= |F"| / K on either side;  `wait`;  and whether V
    can never reach theta, since its positive current alone would settle it there at most.

    M is the better of m^2 (theta - v_inf) + sum over g_j < 0 of (m/tau_j + m^2) |g_j|, m = 1/tau, and max(B - m F', 0)
    with B = sum over g_j < 0 of m |g_j| / tau_j; of a g_k that rises g_k' - m g_k and g_k', whose crests count.  K is
    3 > e times the sum of the sizes of the terms of F"': within 1/L, L the fastest rate, none grows by more than e; and
    K >= |F"| L.
    """
    m, room = 1.0 / p.tau, p.theta - v_inf
    e = growth(t, epoch, p.tau, p.tau)
    r = 1.0 / e
    own = a * r
    y = t - epoch * p.tau
    ulps = 12.0 + 2.0 * len(p.tau_c) + 4.0 * len(p.tau_r)                    # of each term, and of summing them
    seen = view(room)
    blur, haze = (ulps + y * m) * abs(own) + ulps * abs(room), ulps * abs(room)
    current, bend, lift, grow, fastest, sharp = 0.0, 0.0, 0.0, 0.0, m, m * m * m * abs(own)
    for j in range(len(p.tau_c)):
        if b[j] != 0.0:
            q = 1.0 / p.tau_c[j]
            part = b[j] * (1.0 / growth(t, epoch, p.tau, p.tau_c[j]))
            g = part * p.share[j]
            seen = tally(seen, part, p.share[j], p.near[j], p.far[j])
            blur += (ulps + y * q) * abs(part)
            haze += (ulps + y * q) * abs(g)
            current += g
            bend += q * g
            if g < 0.0:
                lift -= (m + q) * g
                grow -= q * g
            sharp += q * q * q * abs(part)
            fastest = max(fastest, q)
    for j in range(len(p.tau_r)):
        k = len(p.tau_c) + 2 * j
        if b[k] != 0.0 or b[k + 1] != 0.0:
            q = 1.0 / p.tau_r[j]
            shrunk = 1.0 / growth(t, epoch, p.tau, p.tau_r[j])
            fall, reach = b[k + 1] * shrunk, (abs(b[k]) + abs(b[k + 1] * y)) * shrunk
            part = (b[k] + b[k + 1] * y) * shrunk
            g, steep = p.share_r[j] * (part + p.lag[j] * fall), p.share_r[j] * fall
            seen = swell(seen, p, j, b[k], b[k + 1], y, shrunk)
            blur += (ulps + y * q) * reach
            haze += (ulps + y * q) * abs(p.share_r[j]) * (reach + abs(p.lag[j] * fall))
            current += g
            bend += q * g - steep
            lift += crest(steep - (m + q) * g, -(m + q) * steep * p.tau_r[j])
            grow += crest(steep - q * g, -steep)
            sharp += q * q * (q * abs(part) + 4.0 * abs(fall))
            fastest = max(fastest, q)
    d = below(seen, a, e, r)
    slope = m * ((current - room) + d)
    curve = -m * (slope + bend)
    grow *= m
    bound, other = m * (m * room + lift), grow - m * slope
    if bound >= 0.0:
        bound = min(bound, max(other, 0.0))
    k = max(3.0 * sharp, fastest * abs(curve), TINY)
    return d, slope, curve, bound, grow, U * blur, U * m * (haze + blur), k, \
        wait(seen, d, own, room, p.tau), seen[1] <= room


def closely(p, t, epoch, a, b, v_inf):
    """V - theta and V' at t in double-double, the coefficients taken as exact (law 2.7)."""
    back = epoch * p.tau - t                  # exact
    rate = divide((1.0, 0.0), (p.tau, 0.0))
    part = multiply((a, 0.0), sharp_exp(divide((back, 0.0), (p.tau, 0.0))))
    total = add(two_sum(v_inf, -p.theta), part)
    slope = multiply(rate, part)
    for j in range(len(p.tau_c)):
        if b[j] != 0.0:
            part = multiply((b[j], 0.0), sharp_exp(divide((back, 0.0), (p.tau_c[j], 0.0))))
            total = add(total, part)
            slope = add(slope, divide(part, (p.tau_c[j], 0.0)))
    for j in range(len(p.tau_r)):
        k = len(p.tau_c) + 2 * j
        if b[k] != 0.0 or b[k + 1] != 0.0:
            shrunk = sharp_exp(divide((back, 0.0), (p.tau_r[j], 0.0)))
            fall = multiply((b[k + 1], 0.0), shrunk)
            part = multiply(add((b[k], 0.0), two_product(b[k + 1], -back)), shrunk)
            total = add(total, part)
            slope = add(add(slope, divide(part, (p.tau_r[j], 0.0))), (-fall[0], -fall[1]))
    return total, (-slope[0], -slope[1])


def closest(p, t, epoch, a, b, v_inf, slope, curve, haze, k):
    """Where from t on F is largest nearby, and by how much rounding may have kept it from the maximum; else t and -1.

    Within |F"| / K of t F is concave; a slope of at most F"^2 / 4K comes to 0 there, and Newton's method finds where.
    """
    if curve >= 0.0 or 4.0 * k * (abs(slope) + haze) > curve * curve:
        return t, -1.0
    top, reach = t, -curve / k
    for _ in range(6):
        top = min(max(top - slope / curve, t), t + reach)
        _, slope, curve, _, _, _, haze, _, _, _ = look(p, top, epoch, a, b, v_inf)
        if curve >= 0.0:
            return t, -1.0
    rest = haze + (max(slope, 0.0) if top == t else abs(slope))
    return top, rest * rest / -curve


def step(p, t, epoch, a, b, v_inf):
    """The iterate after t of the search for the first crossing, and a verdict on t: 0 it is before the crossing, 1 it
    is the spike, 2 it counts as one, though not even double-double could tell a graze from a miss.

    t is at or before the first crossing; epoch and coefficients are t's.  The next iterate is, too, and no later than
    the next epoch's start; inf: there is no crossing.
    """
    d, slope, curve, bound, grow, band, haze, k, sure, never = look(p, t, epoch, a, b, v_inf)
    least, end = 0.0, (epoch + 1) * p.tau
    if d > band:
        if never:
            return inf, 0
        d -= band
        least = sure
    elif d < -band or rises(slope - haze, curve, k, band):
        if d <= 0.0:
            return t, 1
        least = band / (32.0 * slope)                          # lest rounding hold it up
    else:                                                      # a graze, or a start at the threshold
        top, missing = closest(p, t, epoch, a, b, v_inf, slope, curve, haze, k)
        (value, _), (steep, _) = closely(p, top, epoch, a, b, v_inf)
        d, doubt = -value, band * 2.0 ** -45 + max(missing, 0.0)
        if d < doubt and not (top == t and steep <= 0.0):      # who falls has not crossed
            certain = d <= -doubt or (missing < 0.0 and rises(slope - haze, curve, k, doubt))
            return t, 1 if certain else 2
        d = max(d, 0.0)
        if never:
            return inf, 0
        if missing >= 0.0:
            t = top                                            # past the maximum without a crossing: go on from there
            _, slope, curve, bound, grow, _, haze, k, _, _ = look(p, t, epoch, a, b, v_inf)
            least = max(-0.5 * curve / k, 0.0)
        else:
            if abs(bound) * p.tau < 4.0 * haze:                # M is but rounding, near an asymptote: its second form
                bound = max(grow - steep / p.tau, 0.0)
            slope, haze = steep, haze * 2.0 ** -45
    ahead = max(leap(d, slope + haze, bound, 0.0), least)
    if curve < 0.0:                                            # F" <= curve / 2 that long
        ahead = max(ahead, min(leap(d, slope + haze, 0.5 * curve, 0.0), -0.5 * curve / k))
    if ahead == inf:
        return inf, 0
    after = t + ahead
    if after <= t:
        after = np.nextafter(t, inf)
    return min(after, end) if t < end else after, 0
