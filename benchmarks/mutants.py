"""Mutants of the integer models, hunted with the vectors of tests: what share the equality with the reference kills.

A mutant is one change (see `mutations`) in a function that the emulator runs: of the models themselves and of the
arithmetic they import.  It runs in plain Python over networks that reach the corners, until V, a spike or a count of
saturations differs from the reference's, an error is raised, or it has taken far too long: then it is killed.  Those
that come through are listed; some can only be equivalent ones.
"""

import dataclasses
import importlib
import importlib.util
import inspect
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from eventsnn.network import Network

from . import cases, chipcases
from .mutations import Mutant, mutants

PATIENCE = 10.0              # seconds for one network, which takes a fraction of one


class Subject(NamedTuple):
    """Integer models and what they are checked with."""

    functions: Mapping[str, Sequence[str]]     # module -> functions that are mutated, imported modules first
    networks: Callable[[], list[cases.Case]]


COMMON = ("eventsnn.exporters.fixed.format", "eventsnn.exporters.fixed.clocked")         # what chips' modules import
LOIHI, XYLO = "eventsnn.exporters.fixed.profiles.loihi1_lava", "eventsnn.exporters.fixed.profiles.xylo"
SUBJECTS: dict[str, Subject] = {
    "fx_lif": Subject({
        "eventsnn.exporters.fixed.format": ("shifted", "saturated"),
        "eventsnn.exporters.fixed.lif": ("decayed", "by_table", "by_steps", "received", "left", "mask", "advance",
                                         "receive", "next_spike", "fire", "value"),
    }, cases.event_mode),
    "fx_lif_clocked": Subject({
        "eventsnn.exporters.fixed.clocked": ("quotient", "faded", "held", "current", "potential", "over", "finish",
                                             "through", "foreseen", "receive", "next_spike", "fire", "value", "sweep"),
    }, cases.tick_mode),
    "loihi1_lava": Subject({
        **dict.fromkeys(COMMON, ()),
        LOIHI: ("current", "around", "potential", "held", "over", "finish", "foreseen", "fire", "value"),
    }, chipcases.loihi),
    "loihi1_lava, in columns": Subject({
        **dict.fromkeys(COMMON, ()),
        LOIHI: ("columns", "fallen", "swept", "astray", "faded", "exactly", "settled", "load", "unload"),
    }, chipcases.loihi_columns),
    "xylo": Subject({
        **dict.fromkeys(COMMON, ()),
        XYLO: ("held", "decrement", "membrane", "over", "receive", "finish", "foreseen", "fire", "value"),
    }, chipcases.xylo),
}


def hunted(names: Sequence[str] = tuple(SUBJECTS), share: float = 1.0,
           say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """How many mutants of these subjects there are, how many were killed, and who survived."""
    total = killed = 0
    survivors: list[str] = []
    for name in names:
        subject = SUBJECTS[name]
        networks = subject.networks()
        if any(differs(case, case.network) for case in networks):
            raise SystemExit(f"{name} differs from its reference before anything is changed: nothing can be said")
        found = [(module, mutant) for module, functions in subject.functions.items()
                 for mutant in mutants(source_of(module), functions)]
        step = max(1, round(1 / share))
        for n, (module, mutant) in enumerate(found[::step]):
            alive = survives(list(subject.functions), module, mutant, networks)
            total, killed = total + 1, killed + (not alive)
            if alive:
                survivors.append(f"{module.rsplit('.', 1)[1]}.{mutant}")
                say(f"survivor: {survivors[-1]}")
            if n % 25 == 24:
                say(f"{name}: {n + 1} of {len(found[::step])}, {len(survivors)} survivors")
    return {"mutants": total, "killed": killed, "share": killed / max(total, 1), "survivors": survivors}


def survives(modules: Sequence[str], changed: str, mutant: Mutant, networks: Sequence[cases.Case]) -> bool:
    """Whether no network tells the mutant from the original."""
    try:
        with replaced(modules, changed, mutant) as made:
            known = {d.name: d for module in made.values() for d in vars(module).values() if hasattr(d, "verbs")}
            return not any(differs(case, with_dynamics(case.network, known)) for case in networks)
    except Exception:                                      # whatever a mutant raises, it has shown itself
        return False


def source_of(module: str) -> str:
    return Path(inspect.getsourcefile(importlib.import_module(module)) or "").read_text("utf-8")


@contextmanager
def replaced(modules: Sequence[str], changed: str, mutant: Mutant) -> Iterator[dict[str, ModuleType]]:
    """Fresh copies of the modules, in their order of import, one of them mutated; the originals come back."""
    originals = {name: importlib.import_module(name) for name in modules}
    made: dict[str, ModuleType] = {}
    try:
        for name in modules:
            tree: Any = mutant.tree if name == changed else source_of(name)
            module = importlib.util.module_from_spec(importlib.util.find_spec(name))       # type: ignore[arg-type]
            sys.modules[name] = made[name] = module
            exec(compile(tree, f"<a copy of {name}>", "exec"), module.__dict__)
        yield made
    finally:
        sys.modules.update(originals)


def with_dynamics(network: Network, known: Mapping[str, Any]) -> Network:
    groups = tuple(g._replace(dynamics=known.get(g.dynamics.name, g.dynamics)) for g in network.groups)
    return dataclasses.replace(network, groups=groups)


def differs(case: cases.Case, network: Network) -> bool:
    """Whether the emulator's run of the network is another than the reference's of the case."""
    with patience(PATIENCE):
        return case.emulated(network) != case.expected


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in what takes longer, of this process's own time: others may keep the machine busy."""
    def late(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
