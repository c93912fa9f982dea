"""What a run leaves: `Result`, and the folder that it is written to.

A folder holds spikes.npy, source_K.npy (recorded sources), recorded.npz, result.json and, from `save` and the command
line, spikes.csv.  result.json comes last and names the others; while a run goes on (see `intake.py`) it says how many
records of each file count so far, so that whatever ends the run leaves a folder that can be read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Mistake
from .files import atomic
from .spikes import Spikes

NEURONS, SOURCE, RECORDED, CSV = "spikes.npy", "source_{}.npy", "recorded.npz", "spikes.csv"


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
        return [name for name, n in self.spikes.counts().items() if not n]

    def summary(self) -> dict[str, Any]:
        """What result.json says: counters, rates in Hz, silent populations, provenance."""
        seconds, counts = self.until / 1000.0, self.spikes.counts()
        rates = {str(name): counts[name] / size / seconds if seconds else 0.0
                 for name, _, size in self.spikes.populations}
        return {"counters": dict(self.counters), "rates_hz": rates, "silent": [n for n, k in counts.items() if not k],
                "interrupted": self.interrupted, "provenance": dict(self.provenance)}

    def save(self, folder: str | Path) -> list[Path]:
        """Write spikes.csv, spikes.npy, result.json and, if something was recorded, recorded.npz and source_K.npy.

        result.json comes last and names the others; parts of an earlier result in that folder are removed.
        """
        folder = Path(folder)
        for name, spikes in self._spikes().items():
            spikes.save(folder / name)
        self.spikes.save(folder / CSV)
        return self.finish(folder, CSV)

    def finish(self, folder: Path, *others: str) -> list[Path]:
        """What `save` does when the spikes are in the folder already, and others too (their names)."""
        arrays = {f"{p}/{name}": a for p, by in self.recorded.items() for name, a in by.items()}
        if arrays:
            with atomic(folder / RECORDED, "wb") as file:
                np.savez_compressed(file, recorded_at=self.recorded_at, **arrays)  # type: ignore[arg-type]
        return self.describe(folder, *others)

    def describe(self, folder: Path, *others: str) -> list[Path]:
        """Only result.json, for a folder that holds everything else."""
        names = [*others, *self._spikes(), *([RECORDED] if self.recorded else [])]
        with atomic(folder / "result.json") as file:
            json.dump({**self.summary(), "files": names,
                       "stored": {name: stored(len(s), s.populations) for name, s in self._spikes().items()}},
                      file, indent=1)
        for path in parts_of(folder):
            if path.name not in names:
                path.unlink(missing_ok=True)
        return [*(folder / name for name in names), folder / "result.json"]

    def _spikes(self) -> dict[str, Spikes]:
        """By the names of their files."""
        return {NEURONS: self.spikes, **{SOURCE.format(k): s for k, s in enumerate(self.sources.values())}}

    @classmethod
    def load(cls, folder: str | Path) -> "Result":
        """Read what `save`, or a run with `out=`, wrote: everything but the network and the inputs.

        Spikes are read from disk when they are used.  Of a run that goes on, or was killed, this is what there is up to
        `until`: it says `interrupted`, and knows only the counter of spikes.
        """
        folder = Path(folder)
        path = folder / "result.json"
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            _ = float(told["provenance"]["until"]), told["provenance"]["network"]
            spikes, *sources = (Spikes.load(folder / name, of["populations"], of["records"])
                                for name, of in told["stored"].items())
            names = {str(name): name for name, _, _ in spikes.populations}
            recorded: dict[str | int, dict[str, np.ndarray]] = {}
            times = np.empty(0)
            if RECORDED in told["files"]:
                path = folder / RECORDED
                with np.load(path) as file:
                    times = file["recorded_at"]
                    for key in file.files:
                        name, _, variable = key.rpartition("/")
                        if "/" in key:
                            recorded.setdefault(names[name], {})[variable] = file[key]
            return cls(spikes, recorded, times, {s.populations[0][0]: s for s in sources}, told["counters"],
                       told["provenance"], interrupted=told["interrupted"])
        except Mistake:
            raise
        except OSError as error:
            raise Mistake(f"cannot read {path}: {error.strerror}") from error
        except Exception as error:          # as in Spikes.load
            raise Mistake(f"{path} is no part of a result: expected what Result.save writes ({error})") from error


def stored(n: int, populations: Any) -> dict[str, Any]:
    """What result.json says of a file of spikes."""
    return {"records": n, "populations": populations}


def parts_of(folder: Path) -> list[Path]:
    return [folder / CSV, folder / NEURONS, folder / RECORDED, *folder.glob(SOURCE.format("*"))]


def clear(folder: Path) -> None:
    """Make the folder, or remove an earlier result from it: first of all what says that it is one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder / "result.json", *parts_of(folder)):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise Mistake(f"cannot write {folder}: {error.strerror}") from error
