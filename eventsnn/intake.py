"""Where the spikes of a running engine go: sorted as they come, into memory or onto a folder's files.

An engine hands over all spikes of complete windows [a, b), whatever thread they are from; all that it hands over later
is later in time.  So each delivery is sorted by itself, and what has been taken in is always in canonical order.

On a folder, result.json is rewritten after each delivery and says how many records of each file count, and up to when:
after Ctrl-C, an error or a kill the folder reads as an interrupted run up to there.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Mistake
from .files import atomic
from .memory import available
from .network import Network
from .result import NEURONS, SOURCE, clear, stored
from .spikefile import RECORD, Appender
from .spikes import Spikes, ascend, sort


class Held:
    """Spikes in memory: what `Appender` is on disk."""

    def __init__(self) -> None:
        self.n = 0
        self.pieces: list[tuple[np.ndarray, np.ndarray]] = [(np.empty(0), np.empty(0, np.int64))]

    def add(self, time: np.ndarray, neuron: np.ndarray) -> None:
        self.n += len(time)
        if self.n > 1 << 20 and self.n * RECORD.itemsize > available():      # taking them out needs as much again
            raise Mistake(f"{self.n:,} spikes fill the memory: give simulate(out=FOLDER), which keeps them on disk")
        self.pieces.append((time, neuron))

    def take(self) -> tuple[np.ndarray, np.ndarray]:
        times, neurons = zip(*self.pieces, strict=True)
        return np.concatenate(times), np.concatenate(neurons)


class Intake:
    """Called with (time, emitter, reached) in the engine's units; `spikes` at the end.

    All neurons go to one place, each source that is listened to goes to one of its own.
    """

    def __init__(self, network: Network, listened: Sequence[Any] = (), out: Path | None = None,
                 provenance: Mapping[str, Any] | None = None):
        self.unit, self.out, self.provenance = network.tick or 1.0, out, provenance or {}
        self.place = np.zeros(network.emitters, np.int64)      # of each emitter: where its spikes go
        self.number = network.number_of_emitter                # ... and under which number
        neurons = [p for p in network.populations if p.kind == "neuron"]
        sources = [network.by_name[name] for name in listened]
        for k, p in enumerate(sources, 1):
            self.place[p.emitter:p.emitter + p.size] = k
        self.labels = [tuple((p.name, p.neuron, p.size) for p in neurons), *(((p.name, 0, p.size),) for p in sources)]
        self.names = [NEURONS, *(SOURCE.format(k) for k in range(len(sources)))]
        self.kept: list[Any] = [Held() for _ in self.names]
        if out is not None:
            clear(out)                                         # says why, where it cannot write there
            self.kept = [Appender(out / name) for name in self.names]
            self._commit(0.0)

    def __call__(self, time: np.ndarray, emitter: np.ndarray, reached: float) -> None:
        """Take in all spikes, in any order, between the last `reached` and this one."""
        for k, kept in enumerate(self.kept):
            mine = slice(None) if len(self.kept) == 1 else self.place[emitter] == k
            when, who = time[mine] * self.unit, self.number[emitter[mine]]
            if not ascend(when, who):                          # ticks come in order, where there is one shard
                when, who = sort(when, who)
            kept.add(when, who)
        if self.out is not None:
            self._commit(reached)

    def _commit(self, reached: float) -> None:
        assert self.out is not None
        told = {"interrupted": True, "counters": {"spikes": self.kept[0].n},
                "provenance": {**self.provenance, "until": reached * self.unit},
                "stored": {name: stored(kept.n, of)
                           for name, kept, of in zip(self.names, self.kept, self.labels, strict=True)},
                "files": self.names}
        with atomic(self.out / "result.json") as file:
            json.dump(told, file, indent=1)

    def spikes(self, reached: float) -> tuple[Spikes, dict[Any, Spikes]]:
        """The neurons' and each source's, before `reached`: an interrupt may have come between a delivery and that."""
        found = []
        for kept, labels in zip(self.kept, self.labels, strict=True):
            time, number = kept.take()
            n = bisect_left(time, reached * self.unit)
            found.append(Spikes(time[:n], number[:n], labels))
        return found[0], {s.populations[0][0]: s for s in found[1:]}
