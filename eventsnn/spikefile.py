"""Spikes on disk: `.npy` (records that are appended and mapped), `.npz` (compressed arrays), `.csv` (text).

A `.npy` of spikes is numpy's own format: one record per spike, 16 bytes, little-endian: time_ms float64, neuron int64.
Its header has a fixed size and is rewritten after each append, so the file can be read at any moment, also when its
writer was killed; `numpy.load(path, mmap_mode="r")` maps it.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from .errors import Mistake

RECORD = np.dtype([("time_ms", "<f8"), ("neuron", "<i8")])
HEAD = 128                   # bytes of the header: room for 20 digits
CHUNK = 1 << 16              # spikes that are in memory at once while a file is written
Watch = Callable[[float, float], None]


def header(n: int) -> bytes:
    """numpy's header, version 1.0, of n records, padded to HEAD bytes."""
    text = f"{{'descr': {RECORD.descr!r}, 'fortran_order': False, 'shape': ({n},), }}"
    return b"\x93NUMPY\x01\x00" + (HEAD - 10).to_bytes(2, "little") + text.ljust(HEAD - 11).encode("latin1") + b"\n"


def records(time: np.ndarray, neuron: np.ndarray) -> np.ndarray:
    rows = np.empty(len(time), RECORD)
    rows["time_ms"], rows["neuron"] = time, neuron
    return rows


class Appender:
    """A `.npy` that grows.  An earlier file of that name is replaced, not cut: whoever has mapped it keeps it."""

    def __init__(self, path: Path):
        self.path, self.n = path, 0
        try:
            path.unlink(missing_ok=True)
            self.file = path.open("xb", buffering=0)
        except OSError as error:
            raise Mistake(f"cannot write {path}: {error.strerror}") from error
        self.add(np.empty(0), np.empty(0, np.int64))

    def add(self, time: np.ndarray, neuron: np.ndarray) -> None:
        """Append spikes that are later than all before.  When this returns they are in the file, and counted."""
        try:
            self.file.seek(HEAD + self.n * RECORD.itemsize)
            _write(self.file, records(time, neuron).tobytes())
            self.n += len(time)
            self.file.seek(0)
            _write(self.file, header(self.n))
        except OSError as error:
            raise Mistake(f"cannot write {self.path}: {error.strerror}; what came before is kept there") from error

    def take(self) -> tuple[np.ndarray, np.ndarray]:
        """The end of it: the file is closed and mapped."""
        self.file.close()
        return mapped(self.path)


def _write(file: IO[bytes], data: bytes) -> None:
    """All of it: an unbuffered file may take less at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest):]


def mapped(path: Path, n: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Times and neurons of a `.npy` (of its first n spikes) as arrays that are read from disk when they are used."""
    rows = np.load(path, mmap_mode="r", allow_pickle=False)
    if rows.dtype != RECORD or rows.ndim != 1:
        raise ValueError(f"its records are {rows.dtype}, not {RECORD}")
    if n is not None and n > len(rows):
        raise ValueError(f"it has {len(rows):,} of {n:,} spikes")
    rows = rows.view(np.ndarray)[:n]
    return rows["time_ms"], rows["neuron"]


def write_npy(file: IO[bytes], time: np.ndarray, neuron: np.ndarray, watch: Watch | None = None) -> None:
    file.write(header(len(time)))
    for part in parts(len(time), watch):
        file.write(records(time[part], neuron[part]).tobytes())


def write_csv(file: IO[str], time: np.ndarray, neuron: np.ndarray, populations: Sequence[tuple[Any, int, int]],
              watch: Watch | None = None) -> None:
    """time_ms (the shortest text that reads back to the same bits), population, neuron within it."""
    firsts = np.array([first for _, first, _ in populations] or [0])
    names = [quoted(name) for name, _, _ in populations] or [""]
    file.write("time_ms,population,neuron\n")
    for part in parts(len(time), watch):
        ids = neuron[part]
        where = np.searchsorted(firsts, ids, side="right") - 1
        rows = zip(time[part].tolist(), where.tolist(), (ids - firsts[where]).tolist(), strict=True)
        file.write("".join([f"{t!r},{names[w]},{n}\n" for t, w, n in rows]))


def quoted(name: Any) -> str:
    """A cell of a csv."""
    cell = io.StringIO()
    csv.writer(cell, lineterminator="").writerow([name, ""])
    return cell.getvalue()[:-1]


def parts(n: int, watch: Watch | None = None) -> Iterator[slice]:
    """n spikes, CHUNK at a time."""
    for first in range(0, n, CHUNK):
        yield slice(first, first + CHUNK)
        if watch:
            watch(min(first + CHUNK, n), n)


def read_csv(path: Path, populations: Any) -> tuple[list[float], list[int], Any]:
    """Times, neurons and populations: those given, or as far as the rows show them."""
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
    return ([float(r["time_ms"]) for r in rows], [first[r["population"]] + int(r["neuron"]) for r in rows],
            populations)
