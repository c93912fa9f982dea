"""`Spikes`, the currency of every simulator and chip here: in memory, or mapped from a file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Mistake, nearest
from .files import atomic
from .spikefile import mapped, parts, read_csv, write_csv, write_npy


def ascend(time: np.ndarray, neuron: np.ndarray) -> bool:
    """Whether spikes stand in canonical order."""
    return not ((time[1:] < time[:-1]) | ((time[1:] == time[:-1]) & (neuron[1:] < neuron[:-1]))).any()


def sort(time: np.ndarray, neuron: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes in canonical order: that of complex numbers, by real and then by imaginary part.  Stretches that are in
    order already are merged."""
    key = np.empty(len(time), np.complex128)
    key.real, key.imag = time, neuron
    order = np.argsort(key, kind="stable")
    return time[order], neuron[order]


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike times in canonical order: by time, then neuron.

    time        (n,) float64, ms
    neuron      (n,) int64, ids
    populations ((name, first id, size), ...): whose ids these are
    """

    time: np.ndarray
    neuron: np.ndarray
    populations: tuple[tuple[str | int, int, int], ...] = ()

    @classmethod
    def make(cls, time: Any, neuron: Any, populations: Any = ()) -> "Spikes":
        """Spikes from arrays in any order."""
        time, neuron = np.asarray(time, np.float64), np.asarray(neuron, np.int64)
        time, neuron = sort(time, neuron)
        return cls(time, neuron, tuple((n, int(a), int(b)) for n, a, b in populations))

    def __len__(self) -> int:
        return len(self.time)

    def __eq__(self, other: object) -> bool:
        """Bitwise: every time to the last bit, every neuron, every label."""
        return (isinstance(other, Spikes) and self.populations == other.populations
                and same(self.time, other.time) and same(self.neuron, other.neuron))

    def __hash__(self) -> int:
        return hash((self.time.tobytes(), self.neuron.tobytes(), self.populations))

    def of(self, name: str | int) -> "Spikes":
        """The spikes of one population, with indices within it."""
        for label, first, size in self.populations:
            if label == name:
                mine = (self.neuron >= first) & (self.neuron < first + size)
                return Spikes(self.time[mine], self.neuron[mine] - first, ((label, 0, size),))
        raise Mistake(f"no population {name!r}{nearest(name, [p[0] for p in self.populations])}")

    def before(self, end: float) -> "Spikes":
        """Those earlier than `end` ms."""
        n = int(np.searchsorted(self.time, end))
        return Spikes(self.time[:n], self.neuron[:n], self.populations)

    def counts(self) -> dict[str | int, int]:
        """How many spikes each population has."""
        n = np.zeros(len(self.populations) + 1, np.int64)
        firsts = np.array([first for _, first, _ in self.populations], np.int64)
        for part in parts(len(self)):
            n += np.bincount(np.searchsorted(firsts, self.neuron[part], side="right"), minlength=len(n))
        return {name: int(k) for (name, _, _), k in zip(self.populations, n[1:], strict=True)}

    def trains(self) -> list[np.ndarray]:
        """One ascending array of times (ms) per neuron."""
        size = max((first + n for _, first, n in self.populations), default=int(self.neuron.max(initial=-1)) + 1)
        order = np.argsort(self.neuron, kind="stable")
        return np.split(self.time[order], np.cumsum(np.bincount(self.neuron, minlength=size))[:-1]) if size else []

    def save(self, path: str | Path, progress: Callable[[float, float], None] | None = None) -> None:
        """Write `.npz` (compressed, with the labels), `.npy` (records that can be mapped; no labels) or `.csv` (time_ms
        with 17 digits, population, neuron within it).  progress is called with (spikes written, all)."""
        path = Path(path)
        if path.suffix == ".npz":
            with atomic(path, "wb") as file:
                np.savez_compressed(file, time=self.time, neuron=self.neuron,
                                    populations=np.array(json.dumps(self.populations)))
        elif path.suffix == ".npy":
            with atomic(path, "wb") as file:
                write_npy(file, self.time, self.neuron, progress)
        elif path.suffix == ".csv":
            with atomic(path) as file:
                write_csv(file, self.time, self.neuron, self.populations, progress)
        else:
            raise Mistake(f"{path}: spikes are written as .npz, .npy or .csv, not "
                          f"{path.suffix or 'without a suffix'!r}")

    @classmethod
    def load(cls, path: str | Path, populations: Any = None, n: int | None = None) -> "Spikes":
        """Read what `save` wrote.  Neither a csv nor an npy knows sizes: pass `populations` to get equal Spikes.

        Of an npy only what is used is read, when it is used; n: its first n spikes.
        """
        path = Path(path)
        try:
            if path.suffix == ".npz":
                with np.load(path) as file:
                    return cls.make(file["time"], file["neuron"], json.loads(str(file["populations"])))
            if path.suffix == ".npy":
                return cls(*mapped(path, n), tuple((name, int(a), int(b)) for name, a, b in populations or ()))
            return cls.make(*read_csv(path, populations))
        except OSError as error:
            raise Mistake(f"cannot read {path}: {error.strerror}") from error
        except Exception as error:          # a damaged file fails in as many ways as there are parsers below
            raise Mistake(f"{path} is no spike file: expected what Spikes.save writes ({error})") from error


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays of 8-byte numbers are equal to the last bit."""
    return np.array_equal(a.view(np.int64), b.view(np.int64))
