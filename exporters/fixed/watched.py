"""Strict mode: integer neurons that remember the first value that a register could not hold.

first_t       its tick (0: there was none; nothing arrives at tick 0)
first_which   0: V; k: the current of receptor k - 1; -1: a stored time, whose age `limit` = 2^TW ticks aliases
first_value   the exact value, or the age
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from eventsnn.network import Group, Network

FIELDS = [("first_t", "i8"), ("first_which", "i8"), ("first_value", "i8")]
AGE = -1


def noted(s, which, value):
    """Remember a fault at s.t, unless there was one before."""
    if s.first_t == 0:
        s.first_t, s.first_which, s.first_value = int(s.t), which, value


def general(network: Network, group: Group) -> Group:
    """Neurons that remember anyway, on the general loop."""
    return group._replace(dynamics=dataclasses.replace(group.dynamics, quick=None))


def faults(params: Any, state: Any) -> Iterator[tuple[int, int, str]]:
    """(tick, index, what happened) of every neuron that has a fault."""
    for k in np.flatnonzero(state["first_t"]).tolist():
        which, value = int(state["first_which"][k]), int(state["first_value"][k])
        if which == AGE:
            text = (f"its V is {value} ticks old, and a stored time aliases after {int(state['limit'][k])}: take more "
                    "time_bits")
        else:
            top = int(params["top"][k] if which == 0 else params["top_i"][k, which - 1])
            what = "V" if which == 0 else f"the current of receptor {which - 1}"
            text = (f"{what} comes to {value}, beyond {top if value > 0 else -top}: take more "
                    f"{'v_bits' if which == 0 else 'i_bits'}, a calibration run, or smaller weights")
        yield int(state["first_t"][k]), k, text
