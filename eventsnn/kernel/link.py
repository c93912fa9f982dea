"""Binds plain functions together and compiles them: the only place that knows numba's decorators and cache.

`link(function)` follows the names a function uses to other functions of this package, rebinds them into fresh copies
and compiles each one (or, with jit=False, leaves them plain Python).  `Bound(function, {"advance": lif_advance})`
replaces names on the way, so one loop serves every model.

A module may list functions as BARE: they make no arrays, and so do without counting references to those they get,
which costs more than a hot loop's own work.  And as INSIDE: they are compiled into whoever calls them, since handing on
a hundred arrays, each seven words, costs more than a short function's work.

The disk cache stays correct because each copy's qualified name carries a digest of the code objects and constants it is
made of (not of files, which may have been edited since they were imported): numba's index sees an edit anywhere as
another function, and two models can never share code.
"""

import dis
import hashlib
from collections.abc import Callable
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .. import __version__
from ..model import Bound

PACKAGE = __name__.split(".")[0]
OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
Function = Callable[..., Any]
_asked: dict[Function, int] = {}                           # of `loop`


def link(function: Function | Bound, jit: bool = True) -> Function:
    """The function with everything it calls bound in; compiled if `jit`."""
    return _build(function if isinstance(function, Bound) else Bound(function), jit, True)


def loop(function: Callable[..., Any], work: int) -> Callable[..., Any]:
    """The function as it is for a little work, where compiling costs more than it saves, else compiled: same bits.

    Little is what a process has asked of it so far and now: a hundred small edges are much."""
    _asked[function] = _asked.get(function, 0) + work
    return function if _asked[function] < 5000 else link(function)


@cache
def used(function: FunctionType) -> tuple[str, ...]:
    """The global names in a function's code; `co_names` would list its attributes' names too."""
    return tuple(dict.fromkeys(step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"))


@cache
def _build(bound: Bound, jit: bool, outermost: bool) -> Function:
    parts = {name: _build(part, jit, False) for name, part in _parts(bound).items()}
    f = bound.function
    if jit and ("wide" in parts or "apart" in parts):
        from .atomic import DISABLED, apart, wide

        parts |= {} if DISABLED else {"wide": wide, "apart": apart}
    copy = FunctionType(f.__code__, {**f.__globals__, **parts}, f.__name__, f.__defaults__)
    copy.__qualname__ = f"{f.__qualname__}_{'whole' if outermost else 'part'}_{_digest(bound)}"
    copy.__module__ = f.__module__
    if not jit:
        return copy
    import numba

    # Only the outermost function is called from Python; a wrapper for each part would cost seconds of compilation.
    compiler: Any = numba.njit                             # its annotations know fewer options than it takes
    bare, inside = _marks(f)
    return compiler(nogil=True, cache=True, error_model="numpy", no_cfunc_wrapper=True, forceinline=inside,
                    no_cpython_wrapper=not outermost, _nrt=not bare)(copy)


def _marks(function: FunctionType) -> list[bool]:
    """Whether its module lists it as BARE, and as INSIDE."""
    return [function.__name__ in function.__globals__.get(mark, ()) for mark in ("BARE", "INSIDE")]


def _parts(bound: Bound) -> dict[str, Bound]:
    """What each name in the function's code stands for: a binding if there is one, else the project's own functions.

    Each part inherits just the bindings that it can use, so that equal parts are compiled once whatever surrounds them.
    """
    given = dict(bound.names)
    found = {}
    for name in used(bound.function):
        part = given.get(name, bound.function.__globals__.get(name))
        if isinstance(part, Bound):
            found[name] = part
        elif isinstance(part, FunctionType) and part.__module__.split(".")[0] == PACKAGE:
            found[name] = Bound.to(part, {n: v for n, v in given.items() if n in _reach(part, bound.names)})
    return found


@cache
def _reach(function: FunctionType, names: tuple[tuple[str, Any], ...]) -> frozenset[str]:
    """All names that the function and its parts use, as far as the bindings concern them."""
    given, waiting = dict(names), [function]
    reach: set[str] = set()
    seen = set()
    while waiting:
        f = waiting.pop()
        if f in seen:
            continue
        seen.add(f)
        reach.update(used(f))
        for name in used(f):
            part = given.get(name, f.__globals__.get(name))
            if isinstance(part, FunctionType) and part.__module__.split(".")[0] == PACKAGE:
                waiting.append(part)
    return frozenset(reach)


@cache
def _digest(bound: Bound) -> str:
    """A digest of the code, constants and bindings of a function and all its parts, and of how `link` compiles.

    And of the version: numba's index of a function names the classes of its arguments, which another may lack."""
    f = bound.function
    known = {name: f.__globals__.get(name) for name in used(f)}
    constants = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in known.items()
                 if isinstance(value, int | float | tuple | np.generic | np.ndarray)}
    how = f"{__version__} {OPTIONS} {_marks(f)}"
    text = f"{how} {f.__module__}.{f.__qualname__} {f.__defaults__} {sorted(constants.items())}"
    h = hashlib.sha256(text.encode() + _content(f.__code__))
    for name, value in sorted(known.items()):
        if hasattr(value, "_defn"):                       # one of numba's intrinsics (see `atomic.py`)
            h.update(name.encode() + _content(value._defn.__code__))
    for name, part in sorted(_parts(bound).items()):
        h.update(f"{name}={_digest(part)}".encode())
    return h.hexdigest()[:16]


def _content(code: CodeType) -> bytes:
    """What a code object does, as bytes."""
    constants = b"".join(_content(c) if isinstance(c, CodeType) else repr(c).encode() for c in code.co_consts)
    return code.co_code + constants + repr((code.co_names, code.co_varnames, code.co_freevars)).encode()
