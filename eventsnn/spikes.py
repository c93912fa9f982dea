"""What a run leaves: `Spikes`, the currency of every simulator and chip here, and `Result` around them."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Mistake, nearest
from .files import atomic


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
        order = np.lexsort((neuron, time))
        return cls(time[order], neuron[order], tuple((n, int(a), int(b)) for n, a, b in populations))

    def __len__(self) -> int:
        return len(self.time)

    def __eq__(self, other: object) -> bool:
        """Bitwise: every time to the last bit, every neuron, every label."""
        return (isinstance(other, Spikes) and self.populations == other.populations
                and self.time.tobytes() == other.time.tobytes() and self.neuron.tobytes() == other.neuron.tobytes())

    def __hash__(self) -> int:
        return hash((self.time.tobytes(), self.neuron.tobytes(), self.populations))

    def of(self, name: str | int) -> "Spikes":
        """The spikes of one population, with indices within it."""
        for label, first, size in self.populations:
            if label == name:
                mine = (self.neuron >= first) & (self.neuron < first + size)
                return Spikes(self.time[mine], self.neuron[mine] - first, ((label, 0, size),))
        raise Mistake(f"no population {name!r}{nearest(name, [p[0] for p in self.populations])}")

    def trains(self) -> list[np.ndarray]:
        """One ascending array of times (ms) per neuron."""
        size = max((first + n for _, first, n in self.populations), default=int(self.neuron.max(initial=-1)) + 1)
        order = np.argsort(self.neuron, kind="stable")
        return np.split(self.time[order], np.cumsum(np.bincount(self.neuron, minlength=size))[:-1]) if size else []

    def save(self, path: str | Path) -> None:
        """Write `.npz` (arrays, bit for bit) or `.csv` (time_ms with 17 digits, population, neuron within it)."""
        path = Path(path)
        if path.suffix == ".npz":
            with atomic(path, "wb") as file:
                np.savez_compressed(file, time=self.time, neuron=self.neuron,
                                    populations=np.array(json.dumps(self.populations)))
        elif path.suffix == ".csv":
            firsts = np.array([first for _, first, _ in self.populations] or [0])
            names = [name for name, _, _ in self.populations] or [""]
            where = np.searchsorted(firsts, self.neuron, side="right") - 1
            with atomic(path) as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["time_ms", "population", "neuron"])
                writer.writerows((repr(t), names[w], n) for t, w, n in
                                 zip(self.time.tolist(), where.tolist(), (self.neuron - firsts[where]).tolist(),
                                     strict=True))
        else:
            raise Mistake(f"{path}: spikes are written as .npz or .csv, not {path.suffix or 'without a suffix'!r}")

    @classmethod
    def load(cls, path: str | Path, populations: Any = None) -> "Spikes":
        """Read what `save` wrote.  A csv knows no sizes: pass `populations` (of the Spikes saved) to get equal ones."""
        path = Path(path)
        try:
            if path.suffix == ".npz":
                with np.load(path) as file:
                    return cls.make(file["time"], file["neuron"], json.loads(str(file["populations"])))
            with open(path, encoding="utf-8", newline="") as text:
                rows = list(csv.DictReader(text))
            if not rows and path.read_text(encoding="utf-8").strip() != "time_ms,population,neuron":
                raise ValueError("no header")
            if any(not 0 <= float(row["time_ms"]) < np.inf or int(row["neuron"]) < 0 for row in rows):
                raise ValueError("a time or a neuron is negative or no number")
            if populations is None:
                size: dict[str, int] = {}
                for row in rows:
                    size[row["population"]] = max(size.get(row["population"], 0), int(row["neuron"]) + 1)
                firsts = np.cumsum([0, *size.values()]).tolist()
                populations = [(name, first, n) for (name, n), first in zip(size.items(), firsts, strict=False)]
            first = {str(name): start for name, start, _ in populations}
            return cls.make([float(r["time_ms"]) for r in rows],
                            [first[r["population"]] + int(r["neuron"]) for r in rows], populations)
        except OSError as error:
            raise Mistake(f"cannot read {path}: {error.strerror}") from error
        except Exception as error:          # a damaged file fails in as many ways as there are parsers below
            raise Mistake(f"{path} is no spike file: expected what Spikes.save writes ({error})") from error


@dataclass(frozen=True, eq=False)
class Result:
    """One run over [0, until).

    spikes       of all neurons
    recorded     recorded[population][variable]: "v" (samples, size) in mV; "i" (samples, size, receptors) in nA
    recorded_at  (samples,) float64, ms
    sources      Spikes of each source recorded with "spikes"
    counters     spikes, synaptic_operations, neuron_updates, n_ambiguous
    provenance   seed, until, backend, kernel, versions, digest of the network, exactness of each population
    """

    spikes: Spikes
    recorded: Mapping[str | int, Mapping[str, np.ndarray]]
    recorded_at: np.ndarray
    sources: Mapping[str | int, Spikes]
    counters: Mapping[str, int]
    provenance: Mapping[str, Any]
    network: Any = None
    inputs: Any = None
    interrupted: bool = False

    @property
    def until(self) -> float:
        return float(self.provenance["until"])

    @property
    def silent(self) -> list[str | int]:
        """Populations without a single spike."""
        return [name for name, _, _ in self.spikes.populations if not len(self.spikes.of(name))]

    def summary(self) -> dict[str, Any]:
        """What result.json holds: counters, rates in Hz, silent populations, provenance."""
        seconds = self.until / 1000.0
        rates = {str(name): len(self.spikes.of(name)) / size / seconds if seconds else 0.0
                 for name, _, size in self.spikes.populations}
        return {"counters": dict(self.counters), "rates_hz": rates, "silent": self.silent,
                "interrupted": self.interrupted, "provenance": dict(self.provenance)}

    def save(self, folder: str | Path) -> list[Path]:
        """Write spikes.csv, spikes.npz, result.json and, if something was recorded, recorded.npz and source_K.npz.

        result.json comes last and names the others; parts of an earlier result in that folder are removed.
        """
        folder = Path(folder)
        paths = [folder / "spikes.csv", folder / "spikes.npz"]
        for path in paths:
            self.spikes.save(path)
        arrays = {f"{p}/{name}": a for p, by in self.recorded.items() for name, a in by.items()}
        if arrays:
            paths.append(folder / "recorded.npz")
            with atomic(paths[-1], "wb") as file:
                np.savez_compressed(file, recorded_at=self.recorded_at, **arrays)  # type: ignore[arg-type]
        for k, spikes in enumerate(self.sources.values()):
            paths.append(folder / f"source_{k}.npz")
            spikes.save(paths[-1])
        with atomic(folder / "result.json") as file:
            json.dump({**self.summary(), "files": [path.name for path in paths]}, file, indent=1)
        for path in (folder / "recorded.npz", *folder.glob("source_*.npz")):
            if path not in paths:
                path.unlink(missing_ok=True)
        return [*paths, folder / "result.json"]

    @classmethod
    def load(cls, folder: str | Path) -> "Result":
        """Read what `save` wrote: everything but the network and the inputs."""
        folder = Path(folder)
        path = folder / "result.json"
        spikes = Spikes.load(folder / "spikes.npz")
        names = {str(name): name for name, _, _ in spikes.populations}
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            _ = float(told["provenance"]["until"]), told["provenance"]["network"], told["files"]
            recorded: dict[str | int, dict[str, np.ndarray]] = {}
            times = np.empty(0)
            if "recorded.npz" in told["files"]:
                path = folder / "recorded.npz"
                with np.load(path) as file:
                    times = file["recorded_at"]
                    for key in file.files:
                        name, _, variable = key.rpartition("/")
                        if "/" in key:
                            recorded.setdefault(names[name], {})[variable] = file[key]
            sources = [Spikes.load(folder / name) for name in told["files"] if name.startswith("source_")]
            return cls(spikes, recorded, times, {s.populations[0][0]: s for s in sources}, told["counters"],
                       told["provenance"], interrupted=told["interrupted"])
        except Mistake:
            raise
        except OSError as error:
            raise Mistake(f"cannot read {path}: {error.strerror}") from error
        except Exception as error:          # as in Spikes.load
            raise Mistake(f"{path} is no part of a result: expected what Result.save writes ({error})") from error
