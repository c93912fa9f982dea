"""`eventsnn scenario`: the scripts of scenarios/, with the options of their `main`."""

import inspect
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Mistake, nearest
from ..terminal import Talk
from .options import DONE, NO, Debug, Json, Out, Quiet


def scenario(context: typer.Context,
             name: Annotated[str | None, typer.Argument(help="Which; without it, what there is.")] = None,
             out: Out = None, small: Annotated[bool, typer.Option("--small", help="A size for tests.")] = False,
             json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Run a scenario. Takes its own options, KEY=VALUE or --key VALUE. Exit code 1: it broke a promise."""
    from ..course import watched

    talk, known = Talk(json, quiet), scenarios()
    if name is None:
        talk.tell(known.items(), known)
        return DONE
    if name not in known:
        raise Mistake(f"no scenario {name!r}{nearest(name, known)}")
    script = imported(name)
    chosen = options(script.main, context.args)
    out = out or Path("out") / name
    with talk.busy(f"scenario {name}", "left of this run") as progress, watched(progress):
        outcome = script.main(out, small, talk.say, **chosen)
    promises = script.expect(outcome)
    talk.tell([], {"scenario": name, "out": str(out), "promises": [{"fact": f, "kept": bool(k)} for f, k in promises]})
    return DONE if all(kept for _, kept in promises) else NO


def scenarios() -> dict[str, str]:
    """Every script in the folder, with its docstring's first line."""
    import pkgutil

    from .. import scenarios as folder

    return {m.name: (imported(m.name).__doc__ or "").partition("\n")[0] for m in pkgutil.iter_modules(folder.__path__)}


def imported(name: str) -> Any:
    import importlib

    return importlib.import_module(f"eventsnn.scenarios.{name}")


def options(function: Any, words: Sequence[str]) -> dict[str, Any]:
    """The keywords that a scenario's main takes, from `key=value`, `--key=value` or `--key value`."""
    known = {p.name: p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
    found, rest = {}, list(words)
    while rest:
        word = rest.pop(0)
        key, equals, text = word.removeprefix("--").partition("=")
        key = key.replace("-", "_")
        if key not in known:
            raise Mistake(f"this scenario has no option {key!r}{nearest(key, known)}")
        if not equals:
            if not (word.startswith("--") and rest):
                raise Mistake(f"option {key!r} has no value: give {key}=VALUE")
            text = rest.pop(0)
        found[key] = converted(key, text, known[key].annotation)
    return found


def converted(key: str, text: str, kind: Any) -> Any:
    """Text as what an annotation says: int, float, `float | None`, Sequence[int], ..."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not types.NoneType)
    try:
        if typing.get_origin(kind):
            (each, *_) = typing.get_args(kind)
            return tuple(each(word) for word in text.split(","))
        return kind(text)
    except ValueError:
        raise Mistake(f"option {key}={text}: that is no {getattr(kind, '__name__', kind)}") from None
