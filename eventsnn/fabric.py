"""A network on many cores, and what gets lost on the way: an asynchronous fabric of address events, in SimPy.

    tick's end -> sweep of each core -> spike -> port of its core -> bus, or links of a mesh -> queue of each core with
    synapses of it -> synapses

Time counts clock cycles.  Each arrow is a station: a queue and a server that takes a word at a time.  Cores take
`word_cycles` and `synapse_cycles` for each synapse that a word has there; the bus is shared by all and arbitrated first
come, first served; a mesh sends a word along x, then y, and copies it where ways part (multicast).  A full queue blocks
whoever comes, or drops the new word, or the oldest one.  A tick's end takes `tick_cycles` and, where a neuron was
reached, `sweep_cycles` and `visit_cycles` for each; a core's spikes leave when its sweep is over, while it goes on with
synapses.  `of` takes all that from what was measured of a circuit.

`run` needs an integer network.  Tick n is judged at cycle n * clock * tick, on all cores at once.  A synapse whose word
was served later than that acts at the next tick instead: it is late, and what follows is another run.  Without late and
lost words it is the emulator's, to the bit.  Spike sources are generators on the cores: they send no words.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import simpy

from .cores import COSTS, EVENT_CORE, Fabric, of
from .course import loose
from .errors import Mistake
from .kernel.link import link
from .model import Verbs
from .network import Network, flat
from .placement import place, seats
from .result import Result
from .simulate import simulate, ticks_until
from .spikes import Spikes
from .stations import Flow, Judgement, Station, Told, Word, summary

__all__ = ["COSTS", "EVENT_CORE", "Fabric", "Machine", "Ran", "emulate", "of", "run", "slowed", "turning", "ways"]


class End(NamedTuple):
    """A tick's end on one core."""

    visits: int                  # neurons that were reached
    words: list[Word]            # of those that spiked


class Ran(NamedTuple):
    """A run on a fabric."""

    spikes: Spikes
    cycles: float                # length of the run
    latency: np.ndarray          # cycles from a spike's tick to the end of its service at each core, one per copy
    stations: dict[str, Told]
    words: int                   # spikes that had a word to send
    copies: int                  # deliveries to cores
    acted: int                   # synapses of those
    late: int                    # synapses that acted later than they should have
    lateness: np.ndarray         # ticks, one per late synapse
    dropped: dict[str, int]      # words, by the kind of station that dropped them
    inversions: int              # copies that a core served after a copy of a younger spike
    stuck: int                   # words still under way at the end
    entries: np.ndarray          # (cores,) routing table entries: emitters that turn, part or end there

    def percentiles(self, which: Iterable[float] = (50.0, 90.0, 99.0, 100.0)) -> dict[float, float]:
        """Of the latency, in cycles."""
        return {q: float(np.percentile(self.latency, q)) if len(self.latency) else 0.0 for q in which}

    def utilisation(self, kind: str) -> float:
        """The highest of a kind of station: "core", "sweep", "port", "link", "bus"."""
        return max((t.utilisation for name, t in self.stations.items() if name.split()[0] == kind), default=0.0)


def ways(start: tuple[int, int], ends: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """The multicast tree from a seat to others, along x, then y: seat -> the seats that follow it."""
    tree: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for x, y in ends:
        at = start
        while at != (x, y):
            along_x, along_y = (x > at[0]) - (x < at[0]), (y > at[1]) - (y < at[1])
            step = (at[0] + along_x, at[1]) if along_x else (at[0], at[1] + along_y)
            following = tree.setdefault(at, [])
            if step not in following:
                following.append(step)
            at = step
    return tree


class Machine:
    """One run: the stations, the neurons, and what is on its way."""

    def __init__(self, network: Network, fabric: Fabric, emulated: Result, core: np.ndarray, closed: bool) -> None:
        self.network, self.fabric, self.core = network, fabric, core
        self.ticks = int(ticks_until(emulated.until, network.tick))
        self.period = fabric.clock * 1e3 * network.tick
        self.emitter_of = np.concatenate([np.empty(0, np.int64), *(
            p.emitter + np.arange(p.size) for p in network.populations if p.kind == "neuron")])
        self.env = simpy.Environment()
        self.judged, self.serial = -1, 0
        self.due: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        self.neurons = {int(j): (Verbs(*(link(verb, jit=False) for verb in g.dynamics.verbs)), p, s)
                        for g in network.groups
                        for j, p, s in zip(g.neuron, loose(g.params), loose(g.state), strict=True)}
        self.restless = set(self.neurons) if any(g.dynamics.judged_last for g in network.groups) else set[int]()
        self.receptors = max(1, *(p.receptors for p in network.populations), 1)
        self.given = None if closed else by_tick([(0, emulated.spikes)], network.tick)
        self.outside = by_tick([(p.emitter, emulated.sources[p.name]) for p in network.populations
                                if p.kind == "source"], network.tick)
        self.home = homes(network, core)
        self.synapses = outgoing(network, self.home)
        self.targets = [sorted(by_core) for by_core in self.synapses]
        self.spikes: list[tuple[int, int]] = []
        self.latency: list[float] = []
        self.lateness: list[int] = []
        self.youngest = [-1] * fabric.cores
        self.words = self.copies = self.acted = self.inversions = 0
        self.build()

    def build(self) -> None:
        f, env = self.fabric, self.env
        self.ports = [Station(env, f"port {c}", lambda _: f.spike_cycles, partial(self.leave, c))
                      for c in range(f.cores)]
        self.inlets = [Station(env, f"core {c}", partial(self.work, c), partial(self.act, c), f.queue, f.policy)
                       for c in range(f.cores)]
        self.sweeps = [Station(env, f"sweep {c}", self.ending, self.swept) for c in range(f.cores)]
        self.between: dict[Any, Station] = {}
        self.tree: list[dict[tuple[int, int], list[tuple[int, int]]]] = []
        entries = np.zeros(f.cores, np.int64)
        if f.topology == "bus":
            self.between["bus"] = Station(env, "bus", lambda _: f.hop_cycles, self.broadcast, f.link_queue, f.policy)
        else:
            self.seat = seats(f.cores)
            at = {seat: c for c, seat in enumerate(self.seat)}
            for a in self.seat:
                for b in ((a[0] + 1, a[1]), (a[0] - 1, a[1]), (a[0], a[1] + 1), (a[0], a[1] - 1)):
                    if b in at:
                        self.between[a, b] = Station(env, f"link {at[a]}-{at[b]}", lambda _: f.hop_cycles,
                                                     partial(self.arrive, b), f.link_queue, f.policy)
            self.at, senders = at, set(self.emitter_of.tolist())
            for e, targets in enumerate(self.targets):
                tree = ways(self.seat[self.core[e]], [self.seat[c] for c in targets])
                self.tree.append(tree)
                ends = {self.seat[c] for c in targets}
                if ends and e in senders:
                    for a in {self.seat[self.core[e]], *ends, *turning(tree)}:
                        entries[at[a]] += 1
        self.entries = entries

    def stations(self) -> list[Station]:
        return [*self.sweeps, *self.ports, *self.inlets, *self.between.values()]

    # ------------------------------------------------------------------------------------------------ on the way
    def leave(self, core: int, word: Word) -> Flow:
        """A port lets a word out: to its own core's queue, and to all others that have synapses of it."""
        if core in self.synapses[word.emitter]:
            yield from self.inlets[core].offer(word)
        if self.fabric.topology == "bus":
            if any(c != core for c in self.targets[word.emitter]):
                yield from self.between["bus"].offer(word)
        else:
            yield from self.copy(word, self.seat[core])

    def broadcast(self, word: Word) -> Flow:
        for c in self.targets[word.emitter]:
            if c != self.core[word.emitter]:
                yield from self.inlets[c].offer(word)

    def arrive(self, seat: tuple[int, int], word: Word) -> Flow:
        """A link has brought a word to a router."""
        if self.at[seat] in self.synapses[word.emitter]:
            yield from self.inlets[self.at[seat]].offer(word)
        yield from self.copy(word, seat)

    def copy(self, word: Word, seat: tuple[int, int]) -> Flow:
        for following in self.tree[word.emitter].get(seat, ()):
            yield from self.between[seat, following].offer(word)

    def work(self, core: int, word: Word) -> float:
        f = self.fabric
        return f.word_cycles + f.synapse_cycles * len(self.synapses[word.emitter][core])

    def act(self, core: int, word: Word) -> None:
        """A core has served a word: its synapses act when they should, or at the next tick that is still open."""
        self.latency.append(self.env.now - word.born)
        self.copies += 1
        self.acted += len(self.synapses[word.emitter][core])
        self.inversions += word.serial < self.youngest[core]
        self.youngest[core] = max(self.youngest[core], word.serial)
        for delay, target, receptor, weight in self.synapses[word.emitter][core]:
            tick = word.tick + delay
            if tick <= self.judged:
                self.lateness.append(self.judged + 1 - tick)
                tick = self.judged + 1
            self.due[tick][target].append((receptor, weight))

    # ------------------------------------------------------------------------------------------------ ticks
    def ending(self, end: End) -> float:
        f = self.fabric
        return f.tick_cycles + (f.sweep_cycles + f.visit_cycles * end.visits if end.visits else 0.0)

    def swept(self, end: End) -> None:
        for word in end.words:
            self.env.process(self.ports[self.core[word.emitter]].offer(word))

    def judge(self) -> None:
        """The next tick, on all cores at once."""
        n = self.judged = self.judged + 1
        arrived = self.due.pop(n, {})
        visited = sorted({*arrived, *self.restless, *(self.neurons if n == 0 else ())})
        if self.given is None:
            fired = [j for j in visited for _ in range(self.spikes_of(j, n, arrived.get(j)))]
        else:
            fired = self.given.get(n, [])
        ends = [End(count, []) for count in np.bincount(self.home[visited], minlength=len(self.sweeps)).tolist()]
        for j in fired:
            self.spikes.append((n, j))
            emitter = int(self.emitter_of[j])
            if self.targets[emitter]:
                self.words += 1
                ends[self.home[j]].words.append(Word(emitter, n, self.env.now, self.serial))
            self.serial += 1
        for sweep, end in zip(self.sweeps, ends, strict=True):
            if self.ending(end) or end.words:
                self.env.process(sweep.offer(end))
        for emitter in self.outside.get(n, ()):                    # sources are generators on the cores: no words
            for by_core in self.synapses[emitter].values():
                for delay, target, receptor, weight in by_core:
                    self.due[n + delay][target].append((receptor, weight))
        if n + 1 < self.ticks:
            Judgement(self.env, (n + 1) * self.period, self.judge)

    def spikes_of(self, j: int, n: int, arrived: list[tuple[int, int]] | None) -> int:
        """How often neuron j spikes at tick n."""
        verbs, p, s = self.neurons[j]
        if arrived:
            sums = np.zeros(self.receptors, np.int64)
            for receptor, weight in arrived:
                sums[receptor] += weight
            verbs.receive(p, s, float(n), sums.tolist())
        count = 0
        while verbs.next_spike(p, s, float(n)) <= n:
            verbs.fire(p, s, float(n))
            count += 1
        return count

    def run(self) -> Ran:
        if self.ticks:
            Judgement(self.env, 0.0, self.judge)
        self.env.run()                                             # until nothing moves any more
        end = max(self.ticks * self.period, self.env.now)
        populations = [(p.name, p.neuron, p.size) for p in self.network.populations if p.kind == "neuron"]
        ticks, neurons = np.array(self.spikes, np.int64).reshape(-1, 2).T
        told = {station.name: summary(station, end) for station in self.stations()}
        dropped: Counter[str] = Counter()
        for name, t in told.items():
            dropped[name.split()[0]] += t.dropped
        stuck = sum(station.present for station in self.stations())
        return Ran(Spikes.make(ticks * self.network.tick, neurons, populations), end, np.array(self.latency), told,
                   self.words, self.copies, self.acted, len(self.lateness), np.array(self.lateness, np.int64),
                   {kind: n for kind, n in dropped.items() if n}, self.inversions, stuck, self.entries)


def turning(tree: Mapping[tuple[int, int], list[tuple[int, int]]]) -> set[tuple[int, int]]:
    """Seats where a word does not just go straight on: a router needs an entry there."""
    came = {b: a for a, following in tree.items() for b in following}
    return {seat for seat, following in tree.items()
            if len(following) > 1 or seat not in came
            or (seat[0] - came[seat][0], seat[1] - came[seat][1])
            != (following[0][0] - seat[0], following[0][1] - seat[1])}


def homes(network: Network, core: np.ndarray) -> np.ndarray:
    """(neurons,) the core of each."""
    found = np.empty(network.neurons, np.int64)
    for p in network.populations:
        if p.kind == "neuron":
            found[p.neuron:p.neuron + p.size] = core[p.emitter:p.emitter + p.size]
    return found


def outgoing(network: Network, home: np.ndarray) -> list[dict[int, list[tuple[int, int, int, int]]]]:
    """emitter -> core -> (delay in ticks, target, receptor, weight) of its synapses there."""
    found: list[dict[int, list[tuple[int, int, int, int]]]] = [{} for _ in range(network.emitters)]
    t = flat(network.synapses)
    for e, d, j, r, w in zip(t.emitter.tolist(), t.delay.tolist(), t.target.tolist(), t.receptor.tolist(),
                             t.weight.tolist(), strict=True):
        found[e].setdefault(int(home[j]), []).append((int(d), j, r, int(w)))
    return found


def by_tick(found: Iterable[tuple[int, Spikes]], tick: float) -> dict[int, list[int]]:
    """Tick -> the numbers that spike at it, from spikes and the number of their first neuron."""
    whose: dict[int, list[int]] = defaultdict(list)
    for first, spikes in found:
        for n, j in zip(np.rint(spikes.time / tick).astype(int).tolist(), spikes.neuron.tolist(), strict=True):
            whose[n].append(first + j)
    return dict(whose)


def emulate(network: Network, until: float, inputs: Any = None) -> Result:
    """The emulator's run over [0, until) ms, its sources' spikes included: what a fabric's run is compared with."""
    if not network.tick:
        raise Mistake("a fabric runs integer networks: quantise(network) first")
    return simulate(network, until, inputs=inputs,
                    record={p.name: ["spikes"] for p in network.populations if p.kind == "source"})


def run(network: Network, fabric: Fabric, until: float, *, inputs: Any = None, core: np.ndarray | None = None,
        closed: bool = True, emulated: Result | None = None) -> Ran:
    """Run an integer network on a fabric over [0, until) ms.

    core       (emitters,) where each neuron and source lives; default: `place`
    closed     whether late and lost words change what follows; False: the emulator's spikes come whatever happens
    emulated   a run by `emulate`, if there is one already
    """
    emulated = emulate(network, until, inputs) if emulated is None else emulated
    core = place(network, fabric.cores) if core is None else np.asarray(core, np.int64)
    if core.shape != (network.emitters,) or (len(core) and not 0 <= core.min() <= core.max() < fabric.cores):
        raise Mistake(f"core must be {network.emitters} numbers from 0 to {fabric.cores - 1}, one for each emitter")
    return Machine(network, fabric, emulated, core, closed).run()


def slowed(network: Network, fabric: Fabric, until: float, clocks: Iterable[float], inputs: Any = None
           ) -> Iterator[tuple[float, Ran, bool]]:
    """The run at each of these clocks (MHz), and whether its spikes are the emulator's."""
    emulated = emulate(network, until, inputs)
    core = place(network, fabric.cores)
    for clock in clocks:
        ran = run(network, replace(fabric, clock=clock), until, core=core, emulated=emulated)
        yield clock, ran, ran.spikes == emulated.spikes
