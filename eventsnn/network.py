"""The nouns: a network as flat tables, float or integer.  `graph.py` makes one from a networkx graph.

Neurons are numbered in node order; emitters (neurons and spike sources) in node order too; synapses in edge order, then
in the rule's own order (law S13).  Times are in units of `tick` ms; tick = 0 means continuous time in ms.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .errors import Mistake, nearest
from .model import Dynamics

RECEPTORS = 256              # of one neuron, at most: see `Synapses.receptor`


class Synapses(NamedTuple):
    """Rows of synapses by emitter.  The synapses of a row have their edge, receptor and count in common, and their
    weight and delay unless they have own ones; the order of the table is that of law S5."""

    first_row: np.ndarray    # (emitters + 1,) int64: emitter e owns rows first_row[e] .. first_row[e+1] - 1, by delay,
                             # then edge, then piece, then count
    first: np.ndarray        # (rows + 1,) int64: row r owns synapses first[r] .. first[r+1] - 1
    delay: np.ndarray        # (rows,) float64, ms or ticks, > 0; of a row with own delays the least
    weight: np.ndarray       # (rows,) float64, or int64 in an integer network: each synapse's; 0 in a row with own ones
    receptor: np.ndarray     # (rows,) uint8
    count: np.ndarray        # type: ignore[assignment]  # (rows,) int32: how many multapses became each synapse
    varied: np.ndarray       # (rows,) int64: where the row's own weights begin in `weights`; -1: it has none
    spread: np.ndarray       # (rows,) int64: where its own delays begin in `delays`; -1: it has none
    apart: np.ndarray        # (rows,) bool: the row before is of its emitter and delay, and has none of its targets
    target: np.ndarray       # (synapses,) neuron ids (see `ids`), ascending, distinct and in one piece within a row of
                             # one delay; by delay, then target, in a row with own delays
    weights: np.ndarray      # float64, int64, or float32 where every value survives it
    delays: np.ndarray       # float64, or float32 likewise
    pieces: np.ndarray       # (pieces + 1,) int64 neuron ids: where the neurons are cut


def ids(neurons: int) -> type:
    """The type of neuron ids in the table: what rows cost is reading them."""
    return np.uint16 if neurons < 1 << 16 else np.int32


class Flat(NamedTuple):
    """One entry per synapse, in the table's order: for small uses."""

    emitter: np.ndarray      # int64
    row: np.ndarray          # int64
    target: np.ndarray       # int32
    weight: np.ndarray       # float64 or int64
    delay: np.ndarray        # float64
    receptor: np.ndarray     # uint8
    count: np.ndarray        # type: ignore[assignment]  # int32


def flat(s: Synapses) -> Flat:
    """The columns of all synapses."""
    row = np.repeat(np.arange(len(s.delay)), np.diff(s.first))
    emitter = np.repeat(np.arange(len(s.first_row) - 1), np.diff(s.first_row))[row]
    within = np.arange(len(s.target)) - s.first[row]
    weight, delay = s.weight[row], s.delay[row]
    for column, where, own in ((weight, s.varied[row], s.weights), (delay, s.spread[row], s.delays)):
        mine = where >= 0
        column[mine] = own[where[mine] + within[mine]]
    return Flat(emitter, row, s.target.astype(np.int32), weight, delay, s.receptor[row], s.count[row])


class Drives(NamedTuple):
    """Injected currents.  Neurons that receive the same current share a line of breakpoints; line 0 is empty."""

    line: np.ndarray         # (neurons,) int32
    first: np.ndarray        # (lines + 1,) int64: line l owns breakpoints first[l] .. first[l+1] - 1
    time: np.ndarray         # (breakpoints,) float64, ascending within a line, >= 0
    slot: np.ndarray         # (breakpoints,) int32: what changes (see `model.Waves`); ascending within an instant
    amount: np.ndarray       # (breakpoints,) float64: of the whole line from that time on (0 before the first), or wave
    slope: np.ndarray        # (breakpoints,) float64: of the line


class Group(NamedTuple):
    """All neurons that share a dynamics and record layout, of one or several populations."""

    dynamics: Dynamics
    neuron: np.ndarray       # (n,) int64 neuron ids, ascending
    params: np.recarray      # (n,)
    state: np.recarray       # (n,) at t = 0


@dataclass(frozen=True)
class Population:
    """One node of the graph."""

    name: str | int
    model: str
    kind: str                            # "neuron", "source" or "current"
    size: int
    params: Mapping[str, Any]            # every attribute, defaults filled in: (size,) arrays, lists of those, words
    neuron: int = -1                     # id of the first neuron (kind "neuron")
    emitter: int = -1                    # number of the first emitter (neurons and sources)
    group: int = -1                      # where its records are: groups[group].params[offset : offset + size]
    offset: int = -1
    receptors: int = 0
    conductances: tuple[int, ...] = ()   # receptors that take no negative weights
    variables: tuple[str, ...] = ()      # what can be recorded, in the dynamics' numbering
    exactness: str = ""                  # "closed form", "ode(rtol, atol)", "integer, event mode"
    scale: float = 1.0                   # mV per unit of the recorded v: 1, or the LSB of an integer model
    units: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)     # likewise of the others, (size,)
    rest: float = 0.0                    # added to a recorded v (integer models count from rest)


@dataclass(frozen=True)
class Network:
    populations: tuple[Population, ...]
    groups: tuple[Group, ...]
    synapses: Synapses
    drives: Drives
    seed: int
    graph: Any = None                    # the networkx graph this was compiled from
    tick: float = 0.0                    # ms; 0: continuous time
    fixed: Any = None                    # an integer network's formats and quantisation report
    kept: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)   # what engines make once

    @cached_property
    def neurons(self) -> int:
        return sum(p.size for p in self.populations if p.kind == "neuron")

    @cached_property
    def emitters(self) -> int:
        return sum(p.size for p in self.populations if p.kind != "current")

    @cached_property
    def emitter_of_neuron(self) -> np.ndarray:
        """(neurons,) int64"""
        return np.concatenate([np.empty(0, np.int64), *(p.emitter + np.arange(p.size) for p in self.populations
                                                        if p.kind == "neuron")])

    @cached_property
    def number_of_emitter(self) -> np.ndarray:
        """(emitters,) int64: a neuron's id, a source's index in its population."""
        number = np.empty(self.emitters, np.int64)
        for p in self.populations:
            if p.kind != "current":
                number[p.emitter:p.emitter + p.size] = max(p.neuron, 0) + np.arange(p.size)
        return number

    @cached_property
    def by_name(self) -> dict[str | int, Population]:
        return {p.name: p for p in self.populations}

    @cached_property
    def min_delay(self) -> float:
        """The look-ahead: no spike acts before this much later (inf without synapses)."""
        return float(self.synapses.delay.min()) if len(self.synapses.delay) else float("inf")

    @cached_property
    def max_delay(self) -> float:
        """0 without synapses."""
        return float(max(self.synapses.delay.max(initial=0.0), self.synapses.delays.max(initial=0.0)))

    @cached_property
    def digest(self) -> str:
        """sha256 over everything that decides a run: equal digests, seeds and inputs give equal bits."""
        h = hashlib.sha256(f"{self.tick!r}".encode())
        for p in self.populations:
            h.update(f"{p.name!r} {p.model} {p.kind} {p.size}".encode())
            if p.kind == "source":
                for key in sorted(p.params):
                    values = p.params[key]
                    trains = values if isinstance(values, list) else [values]
                    h.update(f"{key} {[len(v) for v in trains]}".encode())
                    h.update(b"".join(np.ascontiguousarray(v).tobytes() for v in trains))
        for g in self.groups:
            h.update(g.dynamics.name.encode() + g.neuron.tobytes() + g.params.tobytes() + g.state.tobytes())
        for table in (*self.synapses._replace(target=self.synapses.target.astype(np.int32, copy=False)), *self.drives):
            h.update(np.ascontiguousarray(table).tobytes())
        return h.hexdigest()

    def population(self, name: str | int, kind: str | None = None) -> Population:
        """The node of that name; `Mistake` names the nearest one."""
        known = [p.name for p in self.populations if kind in (None, p.kind)]
        if name not in self.by_name or name not in known:
            what = {"neuron": "population of neurons", "source": "spike source"}.get(kind or "", "node")
            raise Mistake(f"no {what} {name!r}{nearest(name, known)}")
        return self.by_name[name]
