"""`eventsnn compare`: the report of two runs."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Mistake
from ..terminal import Talk
from .options import DONE, NO, Debug, Json, Quiet, opened, reopened


def compare(a: Annotated[Path, typer.Argument(help="A folder that run or emulate wrote, or a file of spikes.")],
            b: Annotated[Path, typer.Argument(help="Another.")],
            delta: Annotated[list[float] | None, typer.Option(help="ms within which spikes match; repeatable.")] = None,
            until: Annotated[float | None, typer.Option(help="Compare [0, UNTIL) ms only.")] = None,
            plot: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw: a .png, .pdf or .svg.")] = None,
            html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the report as one page.")] = None,
            reruns: Annotated[bool | None, typer.Option(help="Floors, frozen input: at any cost, or not.")] = None,
            json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Say what differs between two runs. Exit code 0: equal to the last bit; 1: not."""
    from .. import compare as compared

    talk = Talk(json, quiet)
    with talk.busy("comparing"):
        report = compared(left(a), left(b), delta=delta or (1.0, 2.0), until=until, reruns=reruns)
        if plot is not None:
            report.plot(plot)
        if html is not None:
            report.html(html)
    for line in report.text().splitlines():
        talk.say(line)
    talk.tell([(name, str(path)) for name, path in (("picture", plot), ("page", html)) if path], report.data)
    return DONE if report else NO


def left(path: Path) -> Any:
    """The run that a folder holds, with its network if that file is still the same; or a file's spikes."""
    from ..result import Result
    from ..spikes import Spikes

    if not path.is_dir():
        return Spikes.load(path)
    result = Result.load(path)
    told = result.provenance
    try:
        file = Path(told["file"])
        network = reopened(file) if told["tick"] else opened(file, told["seed"])
    except (KeyError, Mistake):              # moved or edited since; the spikes stand for themselves
        return result
    return dataclasses.replace(result, network=network) if network.digest == told["network"] else result
