"""Connection rules: who is connected with whom, in an order that is part of the network (law S13).

Each rule returns (source, target): two int32 arrays of indices within the two populations, one entry per synapse.

    rule            arguments        order of its synapses
    one_to_one                       by index
    all_to_all                       by source, then target
    fixed_indegree  indegree         by target, then as drawn; stream = target
    fixed_outdegree outdegree        by source, then as drawn; stream = source
    bernoulli       p                by target, then source; stream = target
    pairs           source, target   as given

`multapses=False`: no pair twice.  `autapses=False`: no neuron onto itself, where both ends are one population.  The
fixed degrees then draw from what is left (the degree stays), `pairs` refuses, the others leave such pairs out.  Rules
that never make a pair twice take either value of `multapses`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .elementary import log
from .errors import Mistake, nearest
from .kernel.link import loop
from .rng import U64, below, key, philox, unit
from .values import indices, numbers, truth, whole

Pairs = tuple[np.ndarray, np.ndarray]


class Ends(NamedTuple):
    """What a rule connects."""

    pre: int                     # size of the population in front
    post: int                    # size of the one behind
    same: bool                   # both are one population
    multapses: bool
    autapses: bool
    key: np.uint64               # of the random numbers


class Rule(NamedTuple):
    connect: Callable[..., Pairs]
    arguments: tuple[str, ...] = ()


def connect(rule: str | None, arguments: Mapping[str, Any], pre: int, post: int, same: bool,
            seed: int, names: tuple[Any, ...]) -> Pairs:
    """The pairs of one edge.  `names` (pre, post, edge key) key the random numbers; `arguments` are the edge's own."""
    if rule is None:
        if pre != 1 and post != 1:
            raise Mistake(f"a rule is missing between populations of {pre} and {post} (there is: {', '.join(RULES)})")
        rule = "all_to_all"
    if not isinstance(rule, str) or rule not in RULES:
        raise Mistake(f"there is no rule {rule!r}{nearest(rule, RULES)}")
    known = RULES[rule].arguments
    for name in known:
        if name not in arguments:
            raise Mistake(f"rule {rule!r} needs {name!r}")
    for name in arguments:
        if name not in (*known, *OPTIONS):
            takes = f"it takes {' and '.join(repr(k) for k in known)}" if known else "it takes no arguments"
            raise Mistake(f"rule {rule!r} has no argument {name!r} ({takes})")
    multapses, autapses = (truth(arguments.get(name, True), name) for name in OPTIONS)
    ends = Ends(pre, post, same, multapses, autapses, key(seed, "connect", *names))
    return RULES[rule].connect(ends, **{name: arguments[name] for name in known})


# ---------------------------------------------------------------------------------------------------- the rules
def one_to_one(ends: Ends) -> Pairs:
    if ends.pre != ends.post:
        raise Mistake(f"rule 'one_to_one' needs populations of one size, not {ends.pre} and {ends.post}")
    n = 0 if ends.same and not ends.autapses else ends.pre
    return np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32)


def all_to_all(ends: Ends) -> Pairs:
    source = np.repeat(np.arange(ends.pre, dtype=np.int32), ends.post)
    target = np.tile(np.arange(ends.post, dtype=np.int32), ends.pre)
    if ends.same and not ends.autapses:
        other = source != target
        source, target = source[other], target[other]
    return source, target


def fixed_indegree(ends: Ends, indegree: Any) -> Pairs:
    degree = whole(indegree, "indegree", 0)
    source = _partners(ends, ends.pre, ends.post, degree, "indegree")
    return source, np.repeat(np.arange(ends.post, dtype=np.int32), degree)


def fixed_outdegree(ends: Ends, outdegree: Any) -> Pairs:
    degree = whole(outdegree, "outdegree", 0)
    target = _partners(ends, ends.post, ends.pre, degree, "outdegree")
    return np.repeat(np.arange(ends.pre, dtype=np.int32), degree), target


def bernoulli(ends: Ends, p: Any) -> Pairs:
    given = numbers(p, "p")
    if given.ndim or not 0.0 <= given <= 1.0:
        raise Mistake(f"p must be one number from 0 to 1, not {p!r}")
    chance = float(given)
    if chance == 1.0:
        target, source = all_to_all(ends._replace(pre=ends.post, post=ends.pre))
        return source, target
    if 1.0 - chance == 1.0:                                    # below the spacing of doubles: never
        return np.empty(0, np.int32), np.empty(0, np.int32)
    expected = ends.pre * ends.post * chance
    room = int(expected + 6.0 * expected ** 0.5) + 16          # grows if that should not do
    return loop(skip, int(expected) + ends.post)(ends.key, ends.pre, ends.post, 1.0 / log(1.0 - chance),
                                                 ends.same and not ends.autapses, room)


def pairs(ends: Ends, source: Any, target: Any) -> Pairs:
    pre = indices(source, ends.pre, "source", "the population in front")
    post = indices(target, ends.post, "target", "the population behind")
    if len(pre) != len(post):
        raise Mistake(f"rule 'pairs' needs as many sources as targets, not {len(pre)} and {len(post)}")
    if ends.same and not ends.autapses and (pre == post).any():
        raise Mistake(f"pair {int(np.argmax(pre == post))} connects neuron {pre[pre == post][0]} with itself, "
                      "but autapses is false")
    if not ends.multapses:
        _, first = np.unique(pre.astype(np.int64) * ends.post + post, return_index=True)
        if len(first) < len(pre):
            k = int(np.setdiff1d(np.arange(len(pre)), first)[0])
            raise Mistake(f"pair {k} is a second {int(pre[k])} -> {int(post[k])}, but multapses is false")
    return pre, post


RULES: dict[str, Rule] = {
    "one_to_one": Rule(one_to_one),
    "all_to_all": Rule(all_to_all),
    "fixed_indegree": Rule(fixed_indegree, ("indegree",)),
    "fixed_outdegree": Rule(fixed_outdegree, ("outdegree",)),
    "bernoulli": Rule(bernoulli, ("p",)),
    "pairs": Rule(pairs, ("source", "target")),
}
OPTIONS = ("multapses", "autapses")
ARGUMENTS = (*{name: None for rule in RULES.values() for name in rule.arguments}, *OPTIONS)


# ---------------------------------------------------------------------------------------------------- their loops
def _partners(ends: Ends, partners: int, owners: int, degree: int, what: str) -> np.ndarray:
    """`degree` random partners for each owner, as int32 (owners * degree,)."""
    itself = ends.same and not ends.autapses
    candidates = partners - itself
    if (degree > candidates and not ends.multapses) or (degree and not candidates):
        without = "".join(f" {name}=False" for name, on in (("multapses", ends.multapses), ("autapses", ends.autapses))
                          if not on)
        raise Mistake(f"{what} {degree} is too large for {candidates} possible partners (with{without})")
    draw = draw_with if ends.multapses else draw_without
    return loop(draw, owners * degree)(ends.key, partners, owners, degree, itself)


def draw_with(seed, partners, owners, degree, not_itself):
    """Partners with replacement: draw i of stream `owner` is its partner i."""
    out = np.empty(owners * degree, np.int32)
    n = 0
    for owner in range(owners):
        for i in range(degree):
            bits, _ = philox(seed, U64(owner), U64(i))
            partner = below(bits, partners - 1 if not_itself else partners)
            out[n] = partner + 1 if not_itself and partner >= owner else partner
            n += 1
    return out


def draw_without(seed, partners, owners, degree, not_itself):
    """Partners without replacement: the first steps of a Fisher-Yates shuffle, undone before the next owner."""
    out = np.empty(owners * degree, np.int32)
    candidates = partners - 1 if not_itself else partners
    pool = np.arange(candidates)
    place = np.empty(degree, np.int64)
    n = 0
    for owner in range(owners):
        for i in range(degree):
            bits, _ = philox(seed, U64(owner), U64(i))
            j = i + below(bits, candidates - i)
            place[i] = j
            partner = pool[j]
            pool[j] = pool[i]
            pool[i] = partner
            out[n] = partner + 1 if not_itself and partner >= owner else partner
            n += 1
        for i in range(degree - 1, -1, -1):
            j = place[i]
            partner = pool[j]
            pool[j] = pool[i]
            pool[i] = partner
    return out


def skip(seed, pre, post, per_log, not_itself, room):
    """Bernoulli pairs by geometric skipping (Batagelj & Brandes 2005): one draw per synapse, not per pair."""
    source = np.empty(room, np.int32)
    target = np.empty(room, np.int32)
    n = 0
    for j in range(post):
        k = -1
        draw = 0
        while True:
            bits, _ = philox(seed, U64(j), U64(draw))
            draw += 1
            gap = log(unit(bits)) * per_log                    # a geometric number of failures is its whole part
            if gap >= pre - 1 - k:
                break
            k += 1 + int(gap)
            if k != j or not not_itself:
                if n == len(source):
                    source = np.concatenate((source, np.empty(n, np.int32)))
                    target = np.concatenate((target, np.empty(n, np.int32)))
                source[n] = k
                target[n] = j
                n += 1
    return source[:n].copy(), target[:n].copy()
