"""Random spike sources while they run: streams of events, each a pure function of the seed and of numbers.

Law S12: the sources of a `poisson` population run in blocks of 4096 consecutive ones.  A block is one stream of events:
word i of (seed, population, block) gives the waiting time to event i, by exponential inversion of its high half, and by
its low half whose event it is, in proportion to the rates.  (The words' two keys are the first draw of the block's lane
2.)  Where rates vary, both go by each source's highest rate, and a third number, draw i of the block's lane 1, keeps
the event with probability rate(t) / highest (thinning: Lewis & Shedler 1979).  Interval i of a `renewal` source is a
function of (seed, population, source, i).  Nothing else moves an event.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .channels import TWO_PI, turns
from .elementary import waiting
from .gamma import gamma
from .network import Network, Population
from .rng import MASK, S32, U64, key, lane, philox, unit, word

BLOCK = 4096

STREAM = np.dtype([
    ("key", "u8"),               # of (seed, population)
    ("block", "i8"),             # its number within the population; of a renewal stream, its source's
    ("emitter", "i8"),           # of the block's first source
    ("sources", "i8"),
    ("rate", "f8"),              # events per ms of the whole block; of a renewal stream, order / mean gamma part
    ("wait", "f8"),              # 1 / rate, on average
    ("start", "f8"),             # ms: the earliest of the block, its t[-1]
    ("stop", "f8"),              # ms: the latest of the block
    ("uniform", "i8"),           # all highest rates are equal
    ("varies", "i8"),            # events are thinned
    ("order", "f8"),             # gamma shape of a renewal stream; 0: a Poisson block
    ("dead", "f8"),              # ms: dead time of a renewal stream
    ("first", "i8"),             # where the block begins in `Streams.cumulative` and `source`
    ("word0", "u8"),             # of a Poisson block, the keys of its words
    ("word1", "u8"),
])


SOURCE = np.dtype([
    ("highest", "f8"),           # Hz: its rate, or a bound of it where it varies
    ("start", "f8"),             # ms
    ("stop", "f8"),              # ms
    ("depth", "f8"),             # modulation
    ("frequency", "f8"),         # Hz
    ("phase", "f8"),             # radians
    ("begin", "i8"),             # its rates are steps begin .. end - 1; a block that does not vary has none
    ("end", "i8"),
])
STEP = np.dtype([
    ("time", "f8"),              # ms: when the rate begins
    ("rate", "f8"),              # Hz
])


BARE = ("next_event", "interval", "rate_at", "member")       # see link.py


class Streams(NamedTuple):
    """The random sources of a network: a stream per block of Poisson sources and per renewal source."""

    of: np.recarray              # (streams,) of type STREAM
    cumulative: np.ndarray       # (sources,) float64, Hz: running sums of the highest rates within a block
    source: np.recarray          # (sources,) of type SOURCE: the Poisson sources
    step: np.recarray            # (steps,) of type STEP


Block = tuple[tuple[Any, ...], np.ndarray, np.ndarray]      # of a STREAM `block` to `dead` but `wait`; SOURCEs; STEPs


def streams(network: Network, seed: int) -> Streams:
    """The streams of all `poisson` and `renewal` populations, in emitter order."""
    if "streams" not in network.kept:
        network.kept["streams"] = unkeyed(network)
    drawn, found = network.kept["streams"]
    of: Any = found.of.copy()
    keys = {p.name: key(seed, p.model, p.name) for p in drawn}
    of.key = [keys[p.name] for p in drawn]
    words = [philox(keyed, lane(block, 2), U64(0)) for keyed, block in zip(of.key, of.block, strict=True)]
    of.word0, of.word1 = np.array(words, np.uint64).reshape(-1, 2).T
    return found._replace(of=of)


def unkeyed(network: Network) -> tuple[list[Population], Streams]:
    """The same before there is a seed, and whose each stream is."""
    drawn, rows, cumulative, sources, steps = [], [], [np.empty(0)], [np.empty(0, SOURCE)], [np.empty(0, STEP)]
    first = begun = 0
    for population in network.populations:
        if population.kind == "source" and population.model in RANDOM:
            for row, source, step in RANDOM[population.model](population):
                drawn.append(population)
                rows.append((0, *row[:4], 1.0 / row[3] if row[3] > 0.0 else np.inf, *row[4:], first, 0, 0))
                cumulative.append(np.cumsum(source["highest"]))
                source["begin"] += begun
                source["end"] += begun
                sources.append(source)
                steps.append(step)
                first, begun = first + len(source), begun + len(step)
    return drawn, Streams(np.array(rows, STREAM).view(np.recarray), np.concatenate(cumulative),
                          np.concatenate(sources).view(np.recarray), np.concatenate(steps).view(np.recarray))


def poisson(population: Population) -> Iterator[Block]:
    """The blocks of a poisson population."""
    for block, low in enumerate(range(0, population.size, BLOCK)):
        p = {name: values[low:low + BLOCK] for name, values in population.params.items()}
        varies = "rates" in p or bool(p["modulation"].any())
        source = np.zeros(len(p["start"]), SOURCE)
        source["start"], source["stop"], source["depth"] = p["start"], p["stop"], p["modulation"]
        source["frequency"], source["phase"] = p["frequency"], np.deg2rad(p["phase"] % 360.0)
        times, rates = p.get("times", np.zeros((len(source), 1))), p["rates"] if "rates" in p else p["rate"][:, None]
        steady = np.array([steps.max(initial=0.0) for steps in rates]) if varies else p["rate"]
        highest = steady * (1.0 + source["depth"])
        source["highest"] = highest
        step = np.empty(0, STEP)
        if varies:
            step = np.empty(sum(map(len, rates)), STEP)
            step["time"], step["rate"] = np.concatenate(times), np.concatenate(rates)
            source["end"] = np.cumsum([len(steps) for steps in rates])
            source["begin"][1:] = source["end"][:-1]
        yield (block, population.emitter + low, len(source), np.cumsum(highest)[-1] * 1e-3, p["start"].min(),
               p["stop"].max(), bool((highest == highest[0]).all()), varies, 0.0, 0.0), source, step


def renewal(population: Population) -> Iterator[Block]:
    """The sources of a renewal population, each its own stream."""
    p = population.params
    rate = p["shape"] * p["rate"] / (1000.0 - p["rate"] * p["dead_time"])
    for j in range(population.size):
        yield (j, population.emitter + j, 1, rate[j], p["start"][j], p["stop"][j], True, False, p["shape"][j],
               p["dead_time"][j]), np.empty(0, SOURCE), np.empty(0, STEP)


RANDOM = {"poisson": poisson, "renewal": renewal}


def next_event(streams, k, i, t):
    """Event i of stream k, after event i - 1 at t (or the stream's start): its time (inf: there is none) and emitter.

    The emitter is -1 where the event falls outside its source's [start, stop), or is thinned away: it is then dropped,
    but time goes on.
    """
    b = streams.of[k]
    if not b.rate > 0.0:
        return np.inf, -1
    if b.order > 0.0:
        time = t + interval(b, i)
        return (time, b.emitter) if time < b.stop else (np.inf, -1)
    bits = word(b.word0, b.word1, U64(i))
    time = t + waiting(bits >> S32) * b.wait
    if not time < b.stop:
        return np.inf, -1
    whose = bits & MASK
    j = np.int64(whose * U64(b.sources) >> S32) if b.uniform else member(streams.cumulative, b.first, b.sources, whose)
    source = streams.source[b.first + j]
    active = source.start <= time < source.stop
    if active and b.varies:
        chance, _ = philox(U64(b.key), lane(b.block, 1), U64(i))
        active = unit(chance) * source.highest <= rate_at(source, streams.step, time)
    return time, (b.emitter + j if active else -1)


def interval(b, i):
    """The time before event i of a renewal stream: from event i - 1, or (i = 0) from the start.

    At a point that knows nothing of the process the next event comes after x with density P(interval > x) / mean (Cox
    1962, section 5.4): uniform within the dead time with probability dead / mean, else later by a uniform part of a
    gamma part that is longer in proportion to its length, of shape order + 1.
    """
    if i > 0:
        return b.dead + gamma(U64(b.key), b.block, i, b.order) / b.rate
    point, part = philox(U64(b.key), U64(b.block), U64(i))
    time = unit(point) * (b.dead + b.order / b.rate)
    if time < b.dead:
        return time
    return b.dead + unit(part) * gamma(U64(b.key), b.block, i, b.order + 1.0) / b.rate


def rate_at(source, step, t):
    """The rate at t, in Hz, of a source in a block that varies."""
    low, high = source.begin, source.end
    while low < high:                                    # to the first step after t
        middle = (low + high) // 2
        if step[middle].time > t:
            high = middle
        else:
            low = middle + 1
    if low == source.begin:
        return 0.0
    rate = step[low - 1].rate
    if source.depth > 0.0:
        rate *= 1.0 + source.depth * math.sin(TWO_PI * turns(source.frequency, t) + source.phase)
    return rate


def member(cumulative, first, size, bits):
    """Which source of a block, in proportion to the rates, from 32 random bits: the first whose sum lies above."""
    sought = (np.float64(bits) + 0.5) * 2.0 ** -32 * cumulative[first + size - 1]
    low, high = 0, size - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[first + middle] > sought:
            high = middle
        else:
            low = middle + 1
    return low


def expected(population: Population, until: float) -> float:
    """How many spikes a random population emits before `until` (ms) on average."""
    p = population.params
    start, stop = p["start"], np.maximum(np.minimum(p["stop"], until), p["start"])
    varied = population.model == "poisson" and ("rates" in p or p["modulation"].any())
    if not varied:
        return float(p["rate"] @ (stop - start)) * 1e-3
    total = 0.0
    for j in range(population.size):
        times, rates = (p["times"][j], p["rates"][j]) if "rates" in p else (np.zeros(1), p["rate"][j:j + 1])
        edges = np.clip(np.append(times, np.inf), start[j], stop[j])
        depth, speed, phase = p["modulation"][j], TWO_PI * 1e-3 * p["frequency"][j], np.deg2rad(p["phase"][j])
        swing = -np.diff(np.cos(speed * edges + phase)) / speed if speed > 0.0 else np.diff(edges) * np.sin(phase)
        total += float(rates @ (np.diff(edges) + depth * swing)) * 1e-3
    return total
