"""Stimuli and expected spikes as files that every target reads: C, Verilog, whatever comes.

    stimulus.hex    one word of 8 hex digits per line: kind in bits 31..30, the rest its argument
                    0 EVENT a         row a spikes: neurons are rows 0 .. neurons - 1, sources follow in node order
                    1 END_OF_TICK     all that acts at this tick was said: judge it; the spikes that follow are of it
                    2 TIME k          END_OF_TICK k times, 1 <= k < 2^16
    expected.csv    "tick,neuron" per spike, by tick, then neuron, a neuron as often as it spikes
    manifest.json   what the folder is, and the sha256 of every other file

Ticks count from 0.  The spikes of tick n, from neurons or sources, follow END_OF_TICK n, since delays are at least 1:
the words of a run over n ticks begin with END_OF_TICK 0 and end with END_OF_TICK n, after which nothing is expected.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.files import atomic
from eventsnn.network import Network
from eventsnn.result import Result
from eventsnn.simulate import simulate, ticks_until

from .fixed.modelfile import checksum

STIMULUS, EXPECTED, MANIFEST = "stimulus.hex", "expected.csv", "manifest.json"
EVENT, END_OF_TICK, TIME = 0, 1, 2
ARGUMENT, LONGEST = (1 << 30) - 1, (1 << 16) - 1


class Vector(NamedTuple):
    """One run of the emulator."""

    ticks: int                        # it covers ticks 0 .. ticks - 1
    stimulus: np.ndarray              # (n, 2) int64: tick, row; by tick, then row
    expected: np.ndarray              # (m, 2) int64: tick, neuron; by tick, then neuron


def vector(network: Network, until: float, inputs: Mapping[Any, Any] | None = None,
           backend: str = "auto") -> Vector:
    """What an integer network's sources emit, and what its neurons must answer, by the emulator."""
    sources = [p.name for p in network.populations if p.kind == "source"]
    return of_run(simulate(network, until, inputs=inputs, record={name: ["spikes"] for name in sources},
                           backend=backend), until)


def of_run(result: Result, until: float) -> Vector:
    """The vector of a run [0, until) ms in which every source's spikes were recorded."""
    network: Any = result.network
    found, row = [np.empty((0, 2), np.int64)], network.neurons
    for p in (p for p in network.populations if p.kind == "source"):
        spikes = result.sources[p.name]
        found.append(np.stack([np.rint(spikes.time / network.tick).astype(np.int64), row + spikes.neuron], axis=1))
        row += p.size
    ticks, given = int(ticks_until(until, network.tick)), np.concatenate(found)
    given = given[given[:, 0] < ticks]
    expected = np.stack([np.rint(result.spikes.time / network.tick).astype(np.int64), result.spikes.neuron], axis=1)
    return Vector(ticks, given[np.lexsort((given[:, 1], given[:, 0]))], expected)


def rows(network: Network) -> np.ndarray:
    """(emitters,) int64: the emitter behind each row."""
    by_kind = [np.arange(p.emitter, p.emitter + p.size) for kind in ("neuron", "source")
               for p in network.populations if p.kind == kind]
    return np.concatenate([np.empty(0, np.int64), *by_kind])


def words(v: Vector) -> Iterable[int]:
    """The stimulus as words."""
    before = -1
    for tick, row in v.stimulus.tolist():
        yield from passed(tick - before)
        before = tick
        yield EVENT << 30 | row
    yield from passed(v.ticks - before)


def passed(ticks: int) -> Iterable[int]:
    while ticks > 0:
        yield END_OF_TICK << 30 if ticks == 1 else TIME << 30 | min(ticks, LONGEST)
        ticks -= LONGEST


def save(v: Vector, folder: Path) -> list[Path]:
    """stimulus.hex and expected.csv."""
    with atomic(folder / STIMULUS) as file:
        file.writelines(f"{word:08x}\n" for word in words(v))
    with atomic(folder / EXPECTED) as file:
        file.write("tick,neuron\n")
        file.writelines(f"{tick},{neuron}\n" for tick, neuron in v.expected.tolist())
    return [folder / STIMULUS, folder / EXPECTED]


def expected(folder: Path) -> list[tuple[int, int]]:
    """The lines of expected.csv."""
    path = Path(folder) / EXPECTED
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        if head != "tick,neuron":
            raise ValueError("its first line is not 'tick,neuron'")
        return [(int(a), int(b)) for a, b in (line.split(",") for line in lines)]
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}: write the export with inputs or until") from error
    except ValueError as error:
        raise Mistake(f"{path} is no list of spikes: {error}") from error


def stimulus(folder: Path) -> np.ndarray:
    """The events of stimulus.hex, as a `Vector` has them."""
    path = Path(folder) / STIMULUS
    try:
        found = np.array([int(word, 16) for word in path.read_text(encoding="utf-8").split()], np.int64)
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}: write the export with inputs or until") from error
    except ValueError as error:
        raise Mistake(f"{path} is no list of words: {error}") from error
    kind, argument = found >> 30, found & ARGUMENT
    tick = np.cumsum(np.where(kind == END_OF_TICK, 1, np.where(kind == TIME, argument, 0))) - 1
    return np.stack([tick, argument], axis=1)[kind == EVENT]


def seal(folder: Path, target: str, told: Mapping[str, Any], paths: Iterable[Path]) -> Path:
    """manifest.json: last, so that a folder with one is whole."""
    sums = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    body = {"target": target, **told, "sha256": dict(sorted(sums.items()))}
    for stale in former(folder) - set(sums):               # of an export into this folder before
        if (folder / stale).resolve().is_relative_to(folder.resolve()):
            (folder / stale).unlink(missing_ok=True)
    with atomic(folder / MANIFEST) as file:
        json.dump({**body, "seal": sealed(body)}, file, indent=1)
    return folder / MANIFEST


def sealed(told: Mapping[str, Any]) -> str:
    """The sha256 of all else that a manifest says."""
    return checksum({name: value for name, value in told.items() if name != "seal"})


def former(folder: Path) -> set[str]:
    """The files that an export wrote there, if a whole one did."""
    try:
        return set(manifest(folder)["sha256"])
    except Mistake:
        return set()


def target(folder: Path) -> str:
    """Which target a folder is for."""
    return str(manifest(folder)["target"])


def manifest(folder: Path) -> dict[str, Any]:
    """What manifest.json says."""
    path = Path(folder) / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}: export a network into that folder first") from error
    except ValueError as error:
        raise Mistake(f"{path} is no JSON: {error}") from error
    if not isinstance(told, dict) or not {"target", "sha256"} <= set(told):
        raise Mistake(f"{path} is no manifest of an export")
    if told.get("seal") != sealed(told):
        raise Mistake(f"{path} is not what was written: its seal differs; export again")
    return told


def opened(folder: Path, target: str) -> dict[str, Any]:
    """The manifest of a folder whose files are all what was written."""
    path, told = Path(folder) / MANIFEST, manifest(folder)
    if told["target"] != target:
        raise Mistake(f"{path} is of no {target} export")
    for name, promised in told["sha256"].items():
        try:
            found = hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()
        except OSError as error:
            raise Mistake(f"{path} lists {name!r}, which cannot be read: {error.strerror}") from error
        if found != promised:
            raise Mistake(f"{Path(folder) / name} is not what was written: its sha256 differs from the manifest's")
    return told
