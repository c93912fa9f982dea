"""Whether an exported folder still says what the emulator says: every engine of this machine against expected.csv.

A target takes part by `engines() -> {name: what is missing for it, or ""}`, `run(folder, name) -> Spikes` and
`report(folder, name) -> dict`, the last one by `devices()` if it has such.  Where the network itself goes along
(model/), the emulator and the integer reference run too, the reference with as many ticks as take about a second.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Misfit, Mistake
from eventsnn.network import Network
from eventsnn.simulate import simulate

from . import TARGETS, checks, vectors
from .fixed import read, reference

WORK = 600_000               # neuron-ticks of the reference: about a second


class Row(NamedTuple):
    """One engine's verdict."""

    engine: str
    equal: bool | None       # None: it could not run
    words: str


def target_of(folder: Path) -> tuple[str, ModuleType]:
    """The target that a folder is for."""
    target = vectors.target(folder)
    if target not in TARGETS:
        raise Mistake(f"{folder} is an export for {target!r}, which this eventsnn does not know")
    return target, TARGETS[target]


def verify(folder: str | Path) -> Iterator[Row]:
    """Row by row; the first is about the files, and the last if one of them is damaged."""
    folder = Path(folder)
    target, module = target_of(folder)
    if not hasattr(module, "engines"):
        raise Mistake(f"{folder}: there is nothing to run of the target {target!r}")
    try:
        told = vectors.opened(folder, target)
    except Mistake as mistake:
        yield Row("files", False, str(mistake))
        return
    yield Row("files", True, f"{len(told['sha256'])} files are what was written")
    if told.get("ticks") is None:
        yield Row("stimulus", None, "none went along: export with until, and there is something to run")
        return
    expected = np.array(vectors.expected(folder), np.int64).reshape(-1, 2)
    tick = float(told["tick_ms"])
    if (folder / checks.MODEL).is_dir():
        network = read(folder / checks.MODEL)
        yield judged("emulator", expected, tick, lambda: emulated(folder, network, told["ticks"]))
        yield referred(folder, network, expected, told["ticks"])
    for name, lack in module.engines().items():
        if lack:
            yield Row(f"{target}: {name}", None, f"not run: {lack}")
        else:
            yield judged(f"{target}: {name}", expected, tick, partial(module.run, folder, name))


def judged(engine: str, expected: np.ndarray, tick: float, run: Callable[[], Any]) -> Row:
    """The verdict on the spikes of one run."""
    try:
        got = run()
    except Misfit as misfit:
        return Row(engine, None, f"not run: {misfit}")
    except Mistake as mistake:
        return Row(engine, False, str(mistake))
    found = checks.difference(expected, checks.of_spikes(got, tick))
    return Row(engine, not found, found or f"{len(expected):,} spikes")


def emulated(folder: Path, network: Network, ticks: int) -> Any:
    """The emulator, on the stimulus of the folder."""
    return simulate(checks.replayed(network, vectors.stimulus(folder)), ticks * network.tick).spikes


def referred(folder: Path, network: Network, expected: np.ndarray, ticks: int) -> Row:
    """The integer reference on as much of the run as is quick."""
    most = min(ticks, max(WORK // max(network.neurons, 1), 1))
    rows, trains = vectors.rows(network), dict[int, list[float]]()
    for tick, row in vectors.stimulus(folder).tolist():
        trains.setdefault(int(rows[row]), []).append(tick * network.tick)
    trace = reference.run(network, most * network.tick, trains)
    found = checks.difference(expected[expected[:, 0] < most], np.array(trace.spikes, np.int64).reshape(-1, 2))
    words = f"{len(trace.spikes):,} spikes" + ("" if most == ticks else f" of the first {most:,} ticks")
    return Row("integer reference", not found, found or words)


def report(folder: str | Path) -> dict[str, dict[str, Any]]:
    """What the target tells of its design, by engine; of those that the machine has."""
    folder = Path(folder)
    _, module = target_of(folder)
    if not hasattr(module, "engines"):
        raise Mistake(f"{folder}: there is nothing to report of the target {target_of(folder)[0]!r}")
    known = getattr(module, "devices", module.engines)()
    if all(known.values()):
        raise Mistake("nothing here can report: " + "; ".join(f"{name} needs {lack}" for name, lack in known.items()))
    found: dict[str, dict[str, Any]] = {}
    for name, lack in known.items():
        if not lack:
            try:
                found[name] = module.report(folder, name)
            except Misfit as misfit:
                found[name] = {"left_out": str(misfit)}
    return found
