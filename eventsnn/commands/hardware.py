"""`eventsnn export`, `verify` and `report`: an integer network for a target, and whether and how it runs there."""

import json as text
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Mistake
from ..terminal import Talk
from .options import DONE, NO, Debug, Json, Quiet, reopened

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that export wrote.")]


def export(target: Annotated[str, typer.Argument(help="c, verilog, json, ...")],
           model: Annotated[Path, typer.Argument(help="A folder with a model file, as quantise writes it.")],
           out: Annotated[Path, typer.Argument(metavar="DIR", help="Where the export goes.")],
           until: Annotated[float | None, typer.Option(help="A run over [0, UNTIL) ms goes along: its stimulus "
                                                            "and the emulator's spikes.")] = None,
           inputs: Annotated[Path | None, typer.Option(metavar="FILE", help='Trains for that run, as JSON: {"node": '
                                                                            "[times in ms]}, a list for each.")] = None,
           cores: Annotated[int | None, typer.Option(metavar="N", help="verilog: so many cores with a router between "
                                                                      "them.")] = None,
           json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Write an integer network for a target: C, Verilog, a model file."""
    from ..exporters import TARGETS
    from ..exporters import export as exported

    talk, options = Talk(json, quiet), dict[str, Any]()
    if until is not None:
        options["until"] = until
    if inputs is not None:
        if until is None:
            raise Mistake("--inputs needs --until: how many ms the run is that goes along")
        options["inputs"] = trains(inputs)
    if cores is not None:
        options["cores"] = cores
    for name in options:
        if target in TARGETS and name not in signature(TARGETS[target].write).parameters:
            why = "that is for verilog" if name == "cores" else "it has nothing to run"
            raise Mistake(f"target {target!r} takes no --{name}: {why}")
    with talk.busy(f"exporting {model.name}"):
        paths = exported(reopened(model), target, out, **options)
    size = sum(path.stat().st_size for path in paths)
    talk.tell([("files", f"{len(paths)}, {size:,} bytes"), ("written to", str(out))],
              {"out": str(out), "files": [str(path) for path in paths]})
    return DONE


def trains(path: Path) -> Any:
    """Trains by node from a JSON file."""
    try:
        found = text.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Mistake(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Mistake(f'{path} holds no trains by node: write {{"node": [times in ms]}}')
    return found


def verify(folder: Folder, json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Run every engine of this machine on a folder's stimulus. Exit code 1: one differs from the emulator."""
    from ..exporters.verify import verify as verified

    talk = Talk(json, quiet)
    with talk.busy(f"verifying {folder.name}"):
        rows = list(verified(folder))
    verdict = {True: "equal", False: "DIFFERS", None: "-"}
    talk.table(("engine", "verdict", "what"), [(row.engine, verdict[row.equal], row.words) for row in rows],
               [{True: "green", False: "bold red", None: "dim"}[row.equal] for row in rows])
    talk.tell([], {"folder": str(folder), "equal": all(row.equal is not False for row in rows),
                   "engines": [row._asdict() for row in rows]})
    return NO if any(row.equal is False for row in rows) else DONE


def report(folder: Folder, json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Tell what an exported design takes: code, tables and memory in C; resources, clock and cycles in Verilog."""
    from ..exporters.verify import report as told

    talk = Talk(json, quiet)
    with talk.busy(f"building {folder.name}"):
        found = told(folder)
    sheets = [dict(facts(each)) for each in found.values()]
    talk.table(("on", *found), [(name, *(shown(sheet.get(name)) for sheet in sheets))
                                for name in dict.fromkeys(name for sheet in sheets for name in sheet)])
    talk.tell([], {"folder": str(folder), "report": found})
    return DONE


def facts(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values; what has parts goes by "name part"."""
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} {part}", each) for part, each in value.items())
        elif name not in ("target", "device"):
            yield name, value


def shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else "" if value is None else f"{value:.4g}" if isinstance(
        value, float) else str(value)
