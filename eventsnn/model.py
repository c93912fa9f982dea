"""What a neuron is: a table of attributes that users write, and six verbs on two records.

A `Model` is the vocabulary ("lif", its `Fields`) and turns attribute values into a `Dynamics` with its records.
A `Dynamics` is what the event loop runs.  Its verbs are plain functions of a parameter record p and a state record s
(law S0-S13); the kernel compiles them, the plain-Python run and the SimPy specification call them as they are:

    advance(p, s, t)              commit the state to time t, through the end of refractoriness and epochs
    receive(p, s, sums)           apply the inputs of one instant, summed per receptor, at s.t
    inject(p, s, current)         the injected current from s.t on (i_offset comes on top)
    next_spike(p, s, horizon)     the first spike if it is <= horizon; else a time > horizon with no spike up to it
    fire(p, s, t)                 the neuron's own spike at t: reset, refractoriness
    value(p, s, t, which)         variable number `which` at t >= s.t, committing nothing

Two promises: a spike time does not depend on the horizon or on how often it was asked for, and the state after a
sequence of inputs is a function of that sequence alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    advance: Callable[..., None]
    receive: Callable[..., None]
    inject: Callable[..., None]
    next_spike: Callable[..., float]
    fire: Callable[..., None]
    value: Callable[..., float]


@dataclass(frozen=True)
class Dynamics:
    """A representation of a neuron's state with the verbs that move it."""

    name: str                    # "lif/scaled"
    verbs: Verbs
    exactness: str               # "closed form" or "ode(rtol, atol)"
    counts: tuple[str, ...] = () # integer fields of the state that a Result adds up and reports


class Prepared(NamedTuple):
    """A population ready to run."""

    dynamics: Dynamics
    params: np.ndarray           # (size,) structured
    state: np.ndarray            # (size,) structured, at t = 0; has a field "t"
    receptors: int               # number of receptors; sums have this length
    variables: tuple[str, ...]   # what `value` numbers: "v", then one "i" per receptor where there are currents


@dataclass(frozen=True)
class Model:
    """A neuron model's vocabulary.  `prepare(values, size)` gets every field of the table, checked and broadcast:

    "neuron" fields as float64 (size,), "receptor" fields as a list of those (or None for null), "population" fields as
    given.  It raises `Mistake` (without the node's name, which the caller adds) where values contradict each other.
    """

    name: str
    equations: str
    fields: Fields
    prepare: Callable[[Mapping[str, Any], int], Prepared]
