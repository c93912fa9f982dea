"""Stations of a queueing network in SimPy: words, their queues and servers, and what is seen of them."""

from collections import Counter, deque
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
import simpy

POLICIES = ("block", "drop-new", "drop-old")
Flow = Generator[simpy.Event, Any, None]


class Word:
    """A spike on its way: each copy is one."""

    __slots__ = ("born", "emitter", "serial", "tick")

    def __init__(self, emitter: int, tick: int, born: float, serial: int) -> None:
        self.emitter, self.tick, self.born, self.serial = emitter, tick, born, serial


class Station:
    """A queue and its server: `time(word)` cycles each, then `then(word)`, which may have to wait for others."""

    def __init__(self, env: simpy.Environment, name: str, time: Callable[[Any], float], then: Callable[[Any], Any],
                 capacity: int | None = None, policy: str = "block") -> None:
        self.env, self.name, self.time, self.then = env, name, time, then
        self.capacity, self.policy = np.inf if capacity is None else capacity, policy
        self.queue: deque[tuple[Any, float]] = deque()
        self.room: deque[simpy.Event] = deque()
        self.idle: simpy.Event | None = None
        self.present, self.since, self.area = 0, 0.0, 0.0        # words here, and their integral over time
        self.busy = self.stalled = 0.0
        self.waits: list[float] = []
        self.stays: list[float] = []
        self.lengths: Counter[int] = Counter()                   # as each word finds the queue
        self.dropped = 0
        env.process(self.serve())

    def count(self, change: int) -> None:
        self.area += self.present * (self.env.now - self.since)
        self.present, self.since = self.present + change, self.env.now

    def offer(self, word: Any) -> Flow:
        """Come in; may take time, if the policy is to block."""
        self.lengths[len(self.queue)] += 1
        if len(self.queue) >= self.capacity:
            if self.policy == "drop-new":
                self.dropped += 1
                return
            if self.policy == "drop-old":
                self.queue.popleft()
                self.dropped += 1
                self.count(-1)
            while len(self.queue) >= self.capacity:
                room = self.env.event()
                self.room.append(room)
                yield room
        self.queue.append((word, self.env.now))
        self.count(1)
        if self.idle is not None:
            self.idle.succeed()
            self.idle = None

    def serve(self) -> Flow:
        env = self.env
        while True:
            if not self.queue:
                self.idle = env.event()
                yield self.idle
            word, came = self.queue.popleft()
            if self.room:
                self.room.popleft().succeed()
            self.waits.append(env.now - came)
            span = self.time(word)
            yield env.timeout(span)
            self.busy += span
            begin = env.now
            onward = self.then(word)
            if onward is not None:
                yield from onward
            self.stalled += env.now - begin
            self.stays.append(env.now - came)
            self.count(-1)


class Judgement(simpy.Event):
    """The end of a tick: after everything else of that instant."""

    def __init__(self, env: simpy.Environment, when: float, action: Callable[[], None]) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        self.callbacks = [lambda _: action()]
        env.schedule(self, priority=2, delay=max(when - env.now, 0.0))      # type: ignore[arg-type]


class Told(NamedTuple):
    """What a station has seen."""

    words: int
    utilisation: float           # part of the time at work
    stalled: float               # part of the time blocked by the next station
    wait: float                  # mean cycles in the queue
    stay: float                  # mean cycles in queue and service, blocked ones included
    present: float               # mean number of words there
    dropped: int
    lengths: dict[int, int]      # queue lengths as words found them


def summary(station: Station, end: float) -> Told:
    station.count(0)
    end = end or 1.0
    return Told(len(station.waits), min(station.busy / end, 1.0), station.stalled / end,
                float(np.mean(station.waits)) if station.waits else 0.0,
                float(np.mean(station.stays)) if station.stays else 0.0, station.area / end, station.dropped,
                dict(sorted(station.lengths.items())))
