"""Binds plain functions together and compiles them: the only place that knows numba's decorators and cache.

`link(function)` follows the names a function uses to other functions of this package, rebinds them all into fresh copies
and compiles each one (or, with jit=False, leaves them plain Python).  `Bound(function, {"advance": lif_advance})`
replaces names on the way, so one loop serves every model.

The disk cache stays correct because the digest of every source file involved is part of each copy's qualified name:
numba's index sees an edit anywhere as another function, and two models can never share code.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

PACKAGE = __name__.split(".")[0]


class Bound(NamedTuple):
    """A function, and what some of the names it uses stand for (functions or Bounds)."""

    function: FunctionType | Callable[..., Any]
    names: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def to(cls, function: Callable[..., Any], names: Mapping[str, Any]) -> "Bound":
        return cls(function, tuple(names.items()))


@cache
def link(function: Callable[..., Any] | Bound, jit: bool = True) -> Callable[..., Any]:
    """The function with everything it calls bound in; compiled if `jit`."""
    bound = function if isinstance(function, Bound) else Bound(function)
    digest = hashlib.sha256(b"".join(_sources(bound))).hexdigest()[:16]
    return _build(bound, {}, digest, jit, {})


def loop(function: Callable[..., Any], work: int) -> Callable[..., Any]:
    """The function as it is for a little work, where compiling costs more than it saves, else compiled: same bits."""
    return function if work < 5000 else link(function)


def _own(value: Any) -> bool:
    return isinstance(value, FunctionType) and value.__module__.split(".")[0] == PACKAGE


def _names(bound: Bound, outer: Mapping[str, Any]) -> dict[str, Any]:
    """What each name of the function's code stands for: a binding if there is one, else the project's own functions."""
    inherited = {**outer, **dict(bound.names)}
    code, found = bound.function.__code__, {}
    for name in code.co_names:
        value = inherited.get(name, bound.function.__globals__.get(name))
        if isinstance(value, Bound) or _own(value):
            found[name] = value
    return found


def _build(bound: Bound, outer: Mapping[str, Any], digest: str, jit: bool, done: dict[Any, Any]) -> Callable[..., Any]:
    inherited = {**outer, **dict(bound.names)}
    same = (bound.function, frozenset(inherited.items()))
    if same not in done:
        done[same] = _copy(bound, outer, inherited, digest, jit, done)
    return done[same]


def _copy(bound: Bound, outer: Mapping[str, Any], inherited: Mapping[str, Any], digest: str, jit: bool,
          done: dict[Any, Any]) -> Callable[..., Any]:
    parts = {name: _build(part if isinstance(part, Bound) else Bound(part), inherited, digest, jit, done)
             for name, part in _names(bound, outer).items()}
    f = bound.function
    copy = FunctionType(f.__code__, {**f.__globals__, **parts}, f.__name__, f.__defaults__)
    copy.__qualname__ = f"{f.__qualname__}_{digest}"
    copy.__module__ = f.__module__
    if not jit:
        return copy
    import numba

    return numba.njit(nogil=True, cache=True, error_model="numpy")(copy)


def _sources(bound: Bound) -> list[bytes]:
    """The bindings' names and the text of every module involved, in a fixed order."""
    files: dict[str, bytes] = {}
    labels: list[str] = []

    def visit(part: Bound, outer: Mapping[str, Any]) -> None:
        file = inspect.getfile(part.function)
        files.setdefault(file, Path(file).read_bytes())
        labels.append(f"{part.function.__module__}.{part.function.__qualname__}")
        inherited = {**outer, **dict(part.names)}
        for name, value in _names(part, outer).items():
            labels.append(name)
            visit(value if isinstance(value, Bound) else Bound(value), inherited)

    visit(bound, {})
    return [*(files[name] for name in sorted(files)), "\n".join(labels).encode()]
