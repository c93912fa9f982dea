"""Connection rules: who is connected with whom, in an order that is part of the network (law S13).

A rule gives a `Pattern`: pairs of indices within the two populations, one pair per synapse, by the chunk.

    rule            arguments        order of its synapses
    one_to_one                       by index
    all_to_all                       by source, then target
    fixed_indegree  indegree         by target, then as drawn; stream = target
    fixed_outdegree outdegree        by source, then as drawn; stream = source
    fixed_total     total            by target, then as drawn; stream = target
    bernoulli       p                by target, then source; stream = target
    pairs           source, target   as given

`multapses=False`: no pair twice.  `autapses=False`: no neuron onto itself, where both ends are one population.  The
fixed degrees then draw from what is left (the degree stays; so does the total, which knows no `multapses=False`),
`pairs` refuses, the others leave such pairs out.  Rules that never make a pair twice take either value of `multapses`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .elementary import log
from .errors import Mistake, nearest
from .kernel.link import loop
from .rng import U64, below, key, lane, philox, several_below, unit
from .values import indices, numbers, truth, whole

Pairs = tuple[np.ndarray, np.ndarray]         # source, target: int32, of equal length
CHUNK = 1 << 18                               # synapses at once, about: more would leave the caches
SLICE = 1 << 16                               # targets that fixed_total draws from one stream


class Ends(NamedTuple):
    """What a rule connects."""

    pre: int                     # size of the population in front
    post: int                    # size of the one behind
    same: bool                   # both are one population
    multapses: bool
    autapses: bool
    key: np.uint64               # of the random numbers

    @property
    def others(self) -> bool:
        """A neuron may not connect to itself."""
        return self.same and not self.autapses


class Pattern(NamedTuple):
    """The pairs of one edge, in the rule's order.  A chunk can be asked for any number of times."""

    chunks: int
    chunk: Callable[[int], Pairs]
    ascending: bool              # each source meets its targets in ascending order


class Rule(NamedTuple):
    connect: Callable[..., Pattern]
    arguments: tuple[str, ...] = ()


def pattern(rule: str | None, arguments: Mapping[str, Any], pre: int, post: int, same: bool,
            seed: int, names: tuple[Any, ...]) -> Pattern:
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


def connect(rule: str | None, arguments: Mapping[str, Any], pre: int, post: int, same: bool,
            seed: int, names: tuple[Any, ...]) -> Pairs:
    """All pairs at once."""
    return whole_of(pattern(rule, arguments, pre, post, same, seed, names))


def whole_of(pattern: Pattern) -> Pairs:
    none = np.empty(0, np.int32)
    source, target = zip((none, none), *map(pattern.chunk, range(pattern.chunks)), strict=True)
    return np.concatenate(source), np.concatenate(target)


def by_owner(owners: int, each: float, make: Callable[[int, int], Pairs], ascending: bool = True) -> Pattern:
    """Chunks of whole owners, which have about `each` synapses: make(a, b) gives those of owners a .. b - 1."""
    step = max(1, int(CHUNK / max(each, 1.0)))
    return Pattern(-(-owners // step), lambda k: make(k * step, min(owners, (k + 1) * step)), ascending)


# ---------------------------------------------------------------------------------------------------- the rules
def one_to_one(ends: Ends) -> Pattern:
    if ends.pre != ends.post:
        raise Mistake(f"rule 'one_to_one' needs populations of one size, not {ends.pre} and {ends.post}")

    def make(a: int, b: int) -> Pairs:
        return np.arange(a, b, dtype=np.int32), np.arange(a, b, dtype=np.int32)
    return by_owner(0 if ends.others else ends.pre, 1, make)


def all_to_all(ends: Ends) -> Pattern:
    def make(a: int, b: int) -> Pairs:
        source = np.repeat(np.arange(a, b, dtype=np.int32), ends.post)
        target = np.tile(np.arange(ends.post, dtype=np.int32), b - a)
        if ends.others:
            other = source != target
            source, target = source[other], target[other]
        return source, target
    return by_owner(ends.pre, ends.post, make)


def fixed_indegree(ends: Ends, indegree: Any) -> Pattern:
    return _partners(ends, ends.pre, ends.post, whole(indegree, "indegree", 0), "indegree")


def fixed_outdegree(ends: Ends, outdegree: Any) -> Pattern:
    found = _partners(ends, ends.post, ends.pre, whole(outdegree, "outdegree", 0), "outdegree")
    return Pattern(found.chunks, lambda k: found.chunk(k)[::-1], False)


def fixed_total(ends: Ends, total: Any) -> Pattern:
    """Each synapse draws its target, which makes the number of synapses of each target; each target its sources."""
    number = whole(total, "total", 0)
    if not ends.multapses:
        raise Mistake("rule 'fixed_total' draws every pair on its own, so it cannot have multapses=False: take "
                      "'bernoulli', or 'fixed_indegree'")
    if number and not ends.pre - ends.others:
        raise Mistake(f"total {number} is too large for 0 possible partners (with autapses=False)")
    degree = np.zeros(ends.post, np.int64)
    loop(draw_degrees, number)(degree, ends.key, number)
    done = np.concatenate(([0], np.cumsum(degree)))
    cuts = [0]
    while cuts[-1] < ends.post:
        cuts.append(max(cuts[-1] + 1, int(np.searchsorted(done, done[cuts[-1]] + CHUNK, side="right")) - 1))
    draw = loop(draw_with, number)

    def chunk(k: int) -> Pairs:
        a, b = cuts[k:k + 2]
        return (draw(ends.key, ends.pre, a, degree[a:b], ends.others),
                np.repeat(np.arange(a, b, dtype=np.int32), degree[a:b]))
    return Pattern(len(cuts) - 1, chunk, True)


def bernoulli(ends: Ends, p: Any) -> Pattern:
    given = numbers(p, "p")
    if given.ndim or not 0.0 <= given <= 1.0:
        raise Mistake(f"p must be one number from 0 to 1, not {p!r}")
    chance = float(given)
    if chance == 1.0:
        found = all_to_all(ends._replace(pre=ends.post, post=ends.pre))
        return found._replace(chunk=lambda k: found.chunk(k)[::-1])
    if 1.0 - chance == 1.0:                                    # below the spacing of doubles: never
        return Pattern(0, lambda k: (np.empty(0, np.int32), np.empty(0, np.int32)), True)
    draw = loop(skip, int(ends.pre * ends.post * chance) + ends.post)

    def make(a: int, b: int) -> Pairs:
        expected = ends.pre * (b - a) * chance
        room = int(expected + 6.0 * expected ** 0.5) + 16      # grows if that should not do
        return draw(ends.key, ends.pre, a, b, 1.0 / log(1.0 - chance), ends.others, room)
    return by_owner(ends.post, ends.pre * chance, make)


def pairs(ends: Ends, source: Any, target: Any) -> Pattern:
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
    return by_owner(len(pre), 1, lambda a, b: (pre[a:b], post[a:b]), False)


RULES: dict[str, Rule] = {
    "one_to_one": Rule(one_to_one),
    "all_to_all": Rule(all_to_all),
    "fixed_indegree": Rule(fixed_indegree, ("indegree",)),
    "fixed_outdegree": Rule(fixed_outdegree, ("outdegree",)),
    "fixed_total": Rule(fixed_total, ("total",)),
    "bernoulli": Rule(bernoulli, ("p",)),
    "pairs": Rule(pairs, ("source", "target")),
}
OPTIONS = ("multapses", "autapses")
ARGUMENTS = (*{name: None for rule in RULES.values() for name in rule.arguments}, *OPTIONS)


# ---------------------------------------------------------------------------------------------------- their loops
def _partners(ends: Ends, partners: int, owners: int, degree: int, what: str) -> Pattern:
    """`degree` random partners for each owner, as (partner, owner)."""
    candidates = partners - ends.others
    if (degree > candidates and not ends.multapses) or (degree and not candidates):
        without = "".join(f" {name}=False" for name, on in (("multapses", ends.multapses), ("autapses", ends.autapses))
                          if not on)
        raise Mistake(f"{what} {degree} is too large for {candidates} possible partners (with{without})")
    draw = loop(draw_with if ends.multapses else draw_without, owners * degree)

    def make(a: int, b: int) -> Pairs:
        degrees = np.full(b - a, degree)
        return draw(ends.key, partners, a, degrees, ends.others), np.repeat(np.arange(a, b, dtype=np.int32), degree)
    return by_owner(owners, degree, make)


def draw_with(seed, partners, owner, degrees, not_itself):
    """Partners with replacement, of owner, owner + 1, ...: draw i of stream `owner` is its partner i."""
    total, most = 0, 0
    for k in range(len(degrees)):
        total += degrees[k]
        most = max(most, degrees[k])
    out = np.empty(total, np.int32)
    words = np.empty((4, most // 2 + 1), np.uint64)
    n = 0
    for k in range(len(degrees)):
        several_below(out, n, degrees[k], words, seed, U64(owner + k), partners - 1 if not_itself else partners)
        if not_itself:
            for i in range(n, n + degrees[k]):
                out[i] += out[i] >= owner + k
        n += degrees[k]
    return out


def draw_without(seed, partners, owner, degrees, not_itself):
    """Partners without replacement: the first steps of a Fisher-Yates shuffle, undone before the next owner."""
    total, most = 0, 0
    for k in range(len(degrees)):
        total += degrees[k]
        most = max(most, degrees[k])
    out = np.empty(total, np.int32)
    candidates = partners - 1 if not_itself else partners
    pool = np.arange(candidates)
    place = np.empty(most, np.int64)
    n = 0
    for k in range(len(degrees)):
        for i in range(degrees[k]):
            bits, _ = philox(seed, U64(owner + k), U64(i))
            j = i + below(bits, candidates - i)
            place[i] = j
            partner = pool[j]
            pool[j] = pool[i]
            pool[i] = partner
            out[n] = partner + 1 if not_itself and partner >= owner + k else partner
            n += 1
        for i in range(degrees[k] - 1, -1, -1):
            j = place[i]
            partner = pool[j]
            pool[j] = pool[i]
            pool[i] = partner
    return out


def draw_degrees(degree, seed, total):
    """Add to each target's degree how many of `total` draws fall on it."""
    words = np.empty((4, SLICE // 2 + 1), np.uint64)
    drawn = np.empty(SLICE, np.int32)
    for start in range(0, total, SLICE):
        n = min(SLICE, total - start)
        several_below(drawn, 0, n, words, seed, lane(start // SLICE, 1), len(degree))
        for i in range(n):
            degree[drawn[i]] += 1


def skip(seed, pre, begin, end, per_log, not_itself, room):
    """Bernoulli pairs of the targets begin .. end - 1 by geometric skipping (Batagelj & Brandes 2005): one draw per
    synapse, not per pair."""
    source = np.empty(room, np.int32)
    target = np.empty(room, np.int32)
    n = 0
    for j in range(begin, end):
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
