"""A network on several cores with a router between them (rtl/cores.v): where it is cut, and what the cores are told.

Cores are alike: as large as the largest part needs.  Parts are ranges of neurons, so that the spikes of a tick come out
in the order in which one core would say them, with no table that says who is where.  They are cut so that the memory of
a core is as small as can be, then so that the part with the most work, synapses and neurons, has as little as can be.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network, flat

from ..fixed import lif
from ..vectors import Vector
from . import images
from .images import SMALLEST, Design, width

MOST = 100                       # images are numbered with two digits


def design(network: Network, cores: int, vector: Vector | None = None) -> Design:
    """Parameters and images of a network in event mode on so many cores."""
    if isinstance(cores, bool) or not isinstance(cores, (int, np.integer)) or not 1 <= cores <= MOST:
        raise Mistake(f"cores is {cores!r}: give a whole number from 1 to {MOST}")
    (group,) = network.groups
    if group.dynamics.name != lif.DYNAMICS.name:
        raise Mistake("several cores are for event mode: quantise with mode=\"event\", or take one core")
    if cores > network.neurons:
        raise Mistake(f"{cores} cores for {network.neurons} neurons: give at most a core for each neuron")
    p = images.design(network, vector).parameters
    neuron = p["SLOTS"] * (p["SUM"] + 1) + p["V"] + p["AGE"] + p["KIND"]
    synapses = np.bincount(flat(network.synapses).target, minlength=network.neurons).tolist()
    return images.design(network, vector, cut(synapses, cores, images.word_bits(p)["synapses"], neuron))


def told(parameters: Mapping[str, int], bases: Sequence[int]) -> dict[str, Any]:
    """What cores.v is told in place of event_core's parameters."""
    numbers = ", ".join(f"32'd{base}" for base in reversed(bases))
    return {"CORES": len(bases) - 1, "BASES": f"{{{numbers}}}",
            **{name: value for name, value in parameters.items() if name != "NEURONS"}}


def words(bases: Sequence[int]) -> str:
    """What the folder's README.md says of them; nothing of one core."""
    if not bases:
        return ""
    begin = ", ".join(str(base) for base in bases[:-1])
    return f"""
There are {len(bases) - 1} cores with a router between them (`rtl/cores.v`), alike but for the images `rows00.hex`,
`synapses00.hex`, `kinds00.hex` and so on. They begin with neurons {begin}; words and their order are those of one core.
"""


def cut(synapses: Sequence[int], cores: int, synapse_bits: int, neuron_bits: int) -> tuple[int, ...]:
    """The first neuron of each core, and the number of neurons, for neurons that so many synapses lead to."""
    total = [0, *accumulate(synapses)]
    n = len(total) - 1

    def memory(a: int, b: int) -> int:
        return (synapse_bits << width(total[b] - total[a])) + (neuron_bits << max(SMALLEST, width(b - a)))

    def work(a: int, b: int) -> int:
        return total[b] - total[a] + b - a

    def fitting(bits: int, most: int) -> tuple[int, ...] | None:
        """Cuts between parts that need no more than that, as large as may be; one is left for each that follows."""
        found = [0]
        for k in range(cores):
            a = b = found[-1]
            while b < n - (cores - 1 - k) and memory(a, b + 1) <= bits and work(a, b + 1) <= most:
                b += 1
            if b == a:
                return None
            found.append(b)
        return tuple(found) if found[-1] == n else None

    bits = least(lambda limit: fitting(limit, work(0, n)) is not None, memory(0, n))
    most = least(lambda limit: fitting(bits, limit) is not None, work(0, n))
    found = fitting(bits, most)
    assert found is not None
    return found


def least(holds: Callable[[int], bool], high: int) -> int:
    """The smallest whole number up to `high` from which on it holds."""
    low = 0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
