"""`eventsnn model`: the manual."""

from typing import Annotated

import typer

from ..terminal import Talk
from .options import DONE, Debug, Json, Quiet


def model(name: Annotated[str | None, typer.Argument(help="Which; without it, what there is.")] = None,
          json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Print the manual page of a neuron model, spike source or current. With --json, its table."""
    from .. import manual

    talk, known = Talk(json, quiet), manual.names()
    if name is None:
        talk.tell(known.items(), known)
        return DONE
    for line in manual.page(name).splitlines():
        talk.say(line)
    talk.tell([], manual.entry(name))
    return DONE
