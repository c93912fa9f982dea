"""What commands have in common: their options, their exit codes, and how they open a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Mistake

DONE, NO, BAD, BUG, INTERRUPTED = 0, 1, 2, 3, 130

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but mistakes.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Until = Annotated[float, typer.Option(help="Run over [0, UNTIL) ms.")]
Seed = Annotated[int | None, typer.Option(help="Of everything random; default 0, or the model file's.")]
Record = Annotated[list[str] | None, typer.Option(metavar="POP:VARS", help='What to record, as "exc:v,i"; repeatable.')]
RecordAt = Annotated[float | None, typer.Option(metavar="STEP", help="ms between samples; default 1.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Where results go; default out/NAME.")]
Plot = Annotated[bool, typer.Option("--plot", help="Also draw the run: DIR/run.png.")]
Backend = Annotated[str, typer.Option(help="auto, compiled, python or simpy: the same bits, at different speeds.")]
Threads = Annotated[int, typer.Option(help="How many threads may work; no result depends on it.")]


def writable(folder: Path) -> None:
    """Make the folder before the work, so that a typo costs no run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"cannot write {folder}: {error.strerror}") from error


def opened(path: Path, seed: int | None) -> Any:
    """A graph's file, compiled."""
    from ..graph import compile
    from ..jsonfile import load

    if path.is_dir():
        raise Mistake(f"{path} is a folder: give the file of a network (a folder with a model file is for emulate)")
    return compile(load(path), seed=0 if seed is None else seed)


def reopened(folder: Path) -> Any:
    """A model file's integer network."""
    from ..exporters import read

    return read(folder)
