"""Injected currents: their attributes, and what they amount to over time.

All are zero outside [start, stop).  `dc` is constant; `steps` holds amplitudes[k] from times[k] on; `ramp` goes
straight from `first` at start to `last` at stop; `sine` is offset + amplitude sin(2 pi frequency t + phase), its phase
counted from t = 0; `decay` is amplitude e^{-(t - start)/tau}.  A current is a line, piecewise linear, and at most one
wave.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .errors import Mistake
from .model import Field, Fields, inf
from .stimuli import START, STOP, TIMES, complete, paired

CURRENTS: dict[str, Fields] = {
    "dc": {
        "amplitude": Field(None, "nA", "the current; required"),
        "start": START,
        "stop": STOP,
    },
    "steps": {
        "times": TIMES._replace(meaning="when the amplitudes begin, ascending; required; shaped as spike times"),
        "amplitudes": Field(None, "nA", "the current from each time on, 0 before the first; required", per="list"),
        "start": START,
        "stop": STOP,
    },
    "ramp": {
        "first": Field(0.0, "nA", "the current at start"),
        "last": Field(None, "nA", "the current just before stop; required"),
        "start": START,
        "stop": STOP._replace(default=None, meaning="where the ramp ends; required, finite", finite=True),
    },
    "sine": {
        "amplitude": Field(None, "nA", "of the oscillation; required"),
        "frequency": Field(None, "Hz", "required", above=0.0),
        "phase": Field(0.0, "degree", "where the sine stands at t = 0"),
        "offset": Field(0.0, "nA", "constant current that comes on top"),
        "start": START,
        "stop": STOP,
    },
    "decay": {
        "amplitude": Field(None, "nA", "the current at start; required"),
        "tau": Field(None, "ms", "time constant of its decay; required", above=0.0),
        "start": START,
        "stop": STOP,
    },
}

ABOUT = {
    "dc": """A constant current.

    i(t) = amplitude   for start <= t < stop, else 0""",
    "steps": """A piecewise constant current.

    i(t) = amplitudes[k]   for times[k] <= t < times[k + 1] and start <= t < stop, else 0""",
    "ramp": """A current that changes linearly.

    i(t) = first + (last - first) (t - start) / (stop - start)   for start <= t < stop, else 0""",
    "sine": """A sinusoidal current.

    i(t) = offset + amplitude sin(2 pi frequency t + phase)   for start <= t < stop, else 0

The phase is kept to the last digits however late t is.""",
    "decay": """A current that decays exponentially.

    i(t) = amplitude e^{-(t - start)/tau}   for start <= t < stop, else 0""",
}


class Wave(NamedTuple):
    """What is not piecewise linear in a current: amplitude e^{-(t - start)/tau} if tau > 0, else a sine."""

    start: float             # ms
    stop: float              # ms
    amplitude: float         # nA
    tau: float               # ms, or 0
    frequency: float         # Hz
    phase: float             # radians


class Current(NamedTuple):
    """One current: from time[k] on it is amount[k] + slope[k] (t - time[k]), and 0 before the first; and its wave."""

    time: np.ndarray         # (n,) float64 ms, ascending
    amount: np.ndarray       # (n,) float64 nA
    slope: np.ndarray        # (n,) float64 nA/ms
    wave: Wave | None = None


def settle(model: str, values: dict[str, Any], size: int) -> dict[str, Any]:
    """The checked attributes of a current, complete; `Mistake` where they contradict each other."""
    complete(model, values)
    if model == "steps":
        paired(model, "amplitudes", values["times"], values["amplitudes"])
    if model == "ramp" and (values["stop"] == values["start"]).any():
        raise Mistake(f"a ramp needs a stop after its start, not both at {values['stop'].min():g}")
    return values


def dc(values: Mapping[str, Any], k: int) -> Current:
    return steady(values["start"][k:k + 1], values["amplitude"][k:k + 1])


def steps(values: Mapping[str, Any], k: int) -> Current:
    times, amplitudes, start = values["times"][k], values["amplitudes"][k], values["start"][k]
    held = max(int(np.searchsorted(times, start, side="right")) - 1, 0)         # the step that holds at `start`
    return steady(np.maximum(times[held:], start), amplitudes[held:])


def ramp(values: Mapping[str, Any], k: int) -> Current:
    first, last, start, stop = (values[name][k] for name in ("first", "last", "start", "stop"))
    return Current(np.array([start]), np.array([first]), np.array([(last - first) / (stop - start)]))


def sine(values: Mapping[str, Any], k: int) -> Current:
    offset = values["offset"][k:k + 1]
    return Current(values["start"][k:k + 1], offset, np.zeros(1),
                   Wave(values["start"][k], values["stop"][k], values["amplitude"][k], 0.0, values["frequency"][k],
                        math.fmod(values["phase"][k], 360.0) * math.pi / 180.0))


def decay(values: Mapping[str, Any], k: int) -> Current:
    return steady(np.empty(0), np.empty(0))._replace(
        wave=Wave(values["start"][k], values["stop"][k], values["amplitude"][k], values["tau"][k], 0.0, 0.0))


def steady(times: np.ndarray, amounts: np.ndarray) -> Current:
    return Current(times, amounts, np.zeros(len(times)))


SHAPES = {"dc": dc, "steps": steps, "ramp": ramp, "sine": sine, "decay": decay}


def current(model: str, values: Mapping[str, Any], k: int) -> Current:
    """Current k of a node."""
    shape, stop = SHAPES[model](values, k), values["stop"][k]
    before = shape.time < stop
    time, amount, slope = shape.time[before], shape.amount[before], shape.slope[before]
    if len(time) and stop < inf:
        time, amount, slope = np.append(time, stop), np.append(amount, 0.0), np.append(slope, 0.0)
    return Current(time, amount, slope, shape.wave if shape.wave and shape.wave.start < stop else None)
