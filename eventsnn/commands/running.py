"""`eventsnn run` and `emulate`: a network, float or integer, runs, and is written."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Mistake
from ..terminal import Talk, complain
from .options import (
    DONE,
    INTERRUPTED,
    Backend,
    Debug,
    Json,
    Out,
    Plot,
    Quiet,
    Record,
    RecordAt,
    Seed,
    Threads,
    Until,
    opened,
    reopened,
    writable,
)


def run(network: Annotated[Path, typer.Argument(help="A networkx graph as node-link JSON, as es.save writes it.")],
        until: Until, seed: Seed = None, out: Out = None, record: Record = None, record_at: RecordAt = None,
        backend: Backend = "auto", threads: Threads = 1, plot: Plot = False, json: Json = False,
        quiet: Quiet = False, debug: Debug = False) -> int:
    """Simulate a network exactly. Writes spikes.csv, spikes.npz, result.json and what was recorded."""
    talk = Talk(json, quiet)
    with talk.busy(f"compiling {network.name}"):
        compiled = opened(network, seed)
    return simulated(talk, compiled, network, until, seed, out, record, record_at, backend, threads, plot)


def emulate(model: Annotated[Path, typer.Argument(help="A folder with a model file, as quantise writes it.")],
            until: Until, seed: Seed = None, out: Out = None, record: Record = None, record_at: RecordAt = None,
            backend: Backend = "auto", threads: Threads = 1, plot: Plot = False,
            strict: Annotated[bool, typer.Option("--strict", help="An overflow, a saturation or an aliasing time is an "
                                                                  "error that names neuron, tick and value.")] = False,
            json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Run an integer network bit for bit. Writes what run writes."""
    return simulated(Talk(json, quiet), reopened(model), model, until, seed, out, record, record_at, backend, threads,
                     plot, strict)


def simulated(talk: Talk, network: Any, file: Path, until: float, seed: int | None, out: Path | None,
              record: Iterable[str] | None, record_at: float | None, backend: str, threads: int, plot: bool,
              strict: bool = False) -> int:
    """Simulate, write, tell."""
    from .. import simulate
    from ..result import CSV, NEURONS

    out = out or Path("out") / file.resolve().stem
    writable(out)
    with talk.busy(f"simulating {file.name}") as progress:
        result = simulate(network, until, seed=seed, threads=threads, record=wanted(network, record or ()),
                          record_at=record_at, backend=backend, progress=progress, out=out, strict=strict)
    result = dataclasses.replace(result, provenance={**result.provenance, "file": str(file.resolve())})
    (out / "run.png").unlink(missing_ok=True)          # of an earlier run
    result.describe(out)
    try:
        with talk.busy(f"writing {out / CSV}") as progress:
            result.spikes.save(out / CSV, progress)
    except KeyboardInterrupt:
        complain(f"interrupted: no {CSV} was written; {out / NEURONS} has every spike")
        return INTERRUPTED
    paths = result.describe(out, CSV)
    if plot:
        from .. import plot as pictures

        paths.append(pictures.save(pictures.run(result), out / "run.png"))
    summary = result.summary()
    talk.tell(facts(network, result, summary, out), {"out": str(out), "files": [str(p) for p in paths], **summary})
    return INTERRUPTED if result.interrupted else DONE


def facts(network: Any, result: Any, summary: Any, out: Path) -> Iterator[tuple[str, str]]:
    """A run in lines."""
    told = result.provenance
    yield "network", f"{network.neurons:,} neurons, {len(network.synapses.target):,} synapses"
    if result.interrupted:
        yield "interrupted", f"at {result.until:g} ms; what follows is up to there"
    yield "simulated", f"{result.until:g} ms, seed {told['seed']}, backend {told['backend']}"
    for name, count in result.counters.items():
        yield name.replace("_", " "), f"{count:,}"
    for name, rate in summary["rates_hz"].items():
        yield f"rate of {name}", f"{rate:.6g} Hz"
    yield "silent populations", ", ".join(map(str, result.silent)) or "none"
    yield "written to", str(out)


def wanted(network: Any, record: Iterable[str]) -> dict[Any, list[str]]:
    """{"exc": ["v", "i"]} from "exc:v,i"."""
    names = {str(p.name): p.name for p in network.populations}
    found: dict[Any, list[str]] = {}
    for words in record:
        name, colon, variables = words.rpartition(":")
        if not (colon and name and variables):
            raise Mistake(f"--record {words!r}: give a population and its variables, as \"exc:v,i\"")
        found.setdefault(names.get(name, name), []).extend(v.strip() for v in variables.split(","))
    return found
