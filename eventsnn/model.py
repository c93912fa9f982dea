"""What a neuron is: a table of attributes that users write, and six verbs on two records.

A `Model` is the vocabulary ("lif", its `Fields`) and turns attribute values into a `Dynamics` with its records.
A `Dynamics` is what the event loop runs.  Its verbs are plain functions of a parameter record p and a state record s
(law S0-S13); the kernel compiles them, the plain-Python run and the SimPy specification call them as they are:

    advance(p, s, t)              commit the state to time t, through the end of refractoriness and epochs
    receive(p, s, t, sums)        advance to t and apply its inputs, summed per receptor; sums of zeros are no event
    inject(p, s, slot, amount, slope)   an injected current changes at s.t: see `Waves`
    next_spike(p, s, horizon)     the first spike if it is <= horizon; else a time > horizon with no spike up to it
    fire(p, s, t)                 the neuron's own spike at t: reset, refractoriness
    value(p, s, t, which)         variable number `which` at t >= s.t, committing nothing

Two promises: a spike time does not depend on the horizon or on how often it was asked for, and the state after a
sequence of inputs is a function of that sequence alone.  An engine promises in turn that whatever arrives before the
horizon of a question has been received, so that a clocked neuron may finish its ticks up to there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

inf = float("inf")


class Field(NamedTuple):
    """One attribute: its default (None: follows from others, see the meaning), unit, meaning and domain."""

    default: float | str | None
    unit: str
    meaning: str
    per: str = "neuron"          # "neuron": scalar or array of size; "receptor": list of those; "population": one word
    above: float = -inf          # values must be > above (or, with closed, >= above) ...
    closed: bool = False
    finite: bool = True          # ... and finite, unless inf has a meaning
    words: tuple[str, ...] = ()  # what a "population" field may say


Fields = Mapping[str, Field]


class Verbs(NamedTuple):
    """Functions, or functions with some of their names bound (`Bound`)."""

    advance: Any
    receive: Any
    inject: Any
    next_spike: Any
    fire: Any
    value: Any


class Quick(NamedTuple):
    """How a dynamics serves a specialised kernel, whose functions of one instant are the verbs' own."""

    kernel: str                  # "rows" (kernel/still.py), "uneven", "coefficients" (moving.py), "ticks",
                                 # "clocked"
    functions: Mapping[str, Any] # what that kernel binds
    shared: tuple[str, ...]      # fields of params that all neurons of a piece must have in common
    serves: Callable[..., Any]   # (params, most) -> (n,) bool: which neurons, if at most `most` (n,) nA is injected
    registers: tuple[str, ...] = ()      # "clocked": fields of the state that stand in columns while it runs
    constants: tuple[str, ...] = ()      # likewise, of params
    lane: str = "i8"             # the integers that these columns and sums are of


class Strict(NamedTuple):
    """How a dynamics of integers tells what its registers could not hold (see `strict.py`)."""

    prepare: Callable[..., Any]  # (network, group) -> a group whose neurons remember their first fault
    faults: Callable[..., Any]   # (params, state) -> (tick, index, what happened) of those that have one


@dataclass(frozen=True)
class Dynamics:
    """A representation of a neuron's state with the verbs that move it."""

    name: str                    # "lif/scaled"
    verbs: Verbs
    exactness: str               # "closed form" or "ode(rtol, atol)"
    counts: tuple[str, ...] = () # integer fields of the state that a Result adds up and reports
    quick: Quick | None = field(default=None, compare=False)
    strict: Strict | None = field(default=None, compare=False)
    judged_last: bool = False    # the inputs of an instant come before a spike at it; law S2: a drift's spike first
    separate: bool = False       # the inputs of an instant are received one by one, in key order; else law S5: summed


class Bound(NamedTuple):
    """A function, and what some of the names that it and its parts use stand for (functions or Bounds)."""

    function: Any
    names: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def to(cls, function: Callable[..., Any], names: Mapping[str, Any]) -> "Bound":
        return cls(function, tuple(sorted(names.items())))


def unbound(*_: Any) -> Any:
    """What a name stands for that a `Bound` must bind."""
    raise TypeError("a name that link() binds")


class Waves(NamedTuple):
    """The injected currents that reach a population, beyond piecewise constant ones; each neuron has its own.

    `inject` speaks of them by slots: -1 is the line, amount + slope x from its time on; 2 k is decaying current k and
    2 k + 1 is sine k, which begin (or, with 0, end) with that amount.
    """

    decay: list[np.ndarray]      # time constants, ms, each (size,)
    frequency: list[np.ndarray]  # Hz, each (size,)
    phase: list[np.ndarray]      # radians, each (size,)
    ramps: bool                  # whether the line is ever steep

    @property
    def steps(self) -> bool:
        """All that is injected is piecewise constant."""
        return not (self.decay or self.frequency or self.ramps)


STEPS = Waves([], [], [], False)


class Prepared(NamedTuple):
    """A population ready to run."""

    dynamics: Dynamics
    params: np.ndarray           # (size,) structured
    state: np.ndarray            # (size,) structured, at t = 0; has a field "t"
    receptors: int               # number of receptors; sums have this length
    variables: tuple[str, ...]   # what `value` numbers: "v" first
    conductances: tuple[int, ...] = ()       # receptors that take no negative weights
    exactness: str = ""          # where it is not the dynamics' own: "ode(rtol, atol)"


@dataclass(frozen=True)
class Model:
    """A neuron model's vocabulary.  `prepare(values, size, waves)` gets every field of the table, checked and spread:

    "neuron" fields as float64 (size,), "receptor" fields as a list of those (or None for null), "population" fields as
    given.  It raises `Mistake` (without the node's name, which the caller adds) where values contradict each other.
    """

    name: str
    equations: str
    fields: Fields
    prepare: Callable[[Mapping[str, Any], int, Waves], Prepared]
