"""`eventsnn inspect`: a model file in words."""

from pathlib import Path
from typing import Annotated

import typer

from ..terminal import Talk
from .options import DONE, Debug, Json, Quiet


def inspect(model: Annotated[Path, typer.Argument(help="A folder with a model file, or its model.json.")],
            json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Explain every number of a model file, in words and units. Refuses a damaged one by name."""
    from ..exporters.fixed.explain import inspected

    talk = Talk(json, quiet)
    sections = inspected(model)
    for title, facts in sections:
        talk.say(title, "bold")
        width = max((len(name) for name, _ in facts), default=0)
        for name, words in facts:
            talk.say(f"  {name:<{width}}  {words}")
    talk.tell([], {title: [{"name": name, "words": words} for name, words in facts] for title, facts in sections})
    return DONE
