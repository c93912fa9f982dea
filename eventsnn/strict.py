"""simulate(..., strict=True): whatever an integer neuron could not hold is an error that names neuron, tick and value.

A dynamics that can tell has a `Strict`; its neurons then run on the general loop and remember the first fault.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .course import place
from .errors import Mistake
from .network import Network


def watching(network: Network) -> Network:
    """The network with neurons that remember; `Mistake` where they cannot."""
    groups = []
    for group in network.groups:
        if group.dynamics.strict is None:
            raise Mistake(f"strict is for integer networks: {group.dynamics.name} has nothing that could overflow; "
                          "quantise(network) first")
        groups.append(group.dynamics.strict.prepare(network, group))
    return dataclasses.replace(network, groups=tuple(groups))


def refuse_faults(network: Network, states: Sequence[np.ndarray]) -> None:
    """The earliest fault of a run of a watching network, as an error."""
    faults = [(tick, int(group.neuron[k]), text) for group, state in zip(network.groups, states, strict=True)
              if group.dynamics.strict for tick, k, text in group.dynamics.strict.faults(group.params, state)]
    if faults:
        tick, neuron, text = min(faults)
        others = len({j for _, j, _ in faults}) - 1
        raise Mistake(f"{place(network, neuron)}: at tick {tick} ({tick * network.tick:g} ms) {text}"
                      + (f"; and {others} more neurons later" if others else ""))
