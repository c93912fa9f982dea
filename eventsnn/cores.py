"""What a fabric is made of: cores, and how long each thing takes; by hand, or from what was measured of a circuit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import Mistake, nearest
from .stations import POLICIES

TOPOLOGIES = ("bus", "mesh")


@dataclass(frozen=True)
class Fabric:
    """Cores and what connects them; times in clock cycles.

    The defaults are a pipelined core that does a synapse per clock and ends a tick at once, and a 4-phase AER bus.
    """

    cores: int = 16
    topology: str = "mesh"               # or "bus"
    clock: float = 50.0                  # MHz
    synapse_cycles: float = 1.0
    word_cycles: float = 4.0             # of a core, for each word besides its synapses
    tick_cycles: float = 0.0             # of a tick's end on a core,
    sweep_cycles: float = 0.0            # besides, if a neuron was reached,
    visit_cycles: float = 0.0            # besides, for each of those
    spike_cycles: float = 1.0            # of a port, for each spike that leaves
    hop_cycles: float = 4.0              # of the bus, or of each link
    queue: int | None = None             # words in front of a core; None: any number
    link_queue: int | None = None        # words in front of the bus or of a link
    policy: str = "block"                # of a full queue

    def __post_init__(self) -> None:
        for name, value, known in (("topology", self.topology, TOPOLOGIES), ("policy", self.policy, POLICIES)):
            if value not in known:
                raise Mistake(f"there is no {name} {value!r}{nearest(value, known)}")
        for name in ("queue", "link_queue"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise Mistake(f"{name} is {getattr(self, name)}: give at least 1 word, or None for any number")
        if not 0.0 < self.clock < np.inf:
            raise Mistake(f"clock is {self.clock}: give MHz > 0")


COSTS = ("synapse_cycles", "word_cycles", "tick_cycles", "sweep_cycles", "visit_cycles")
# The event core of exporters/verilog, by its `costs` of the balanced network of scenario `fabric`
EVENT_CORE: Mapping[str, float] = {"synapse_cycles": 1.0, "word_cycles": 0.0, "tick_cycles": 16.0, "sweep_cycles": 46.0,
                                   "visit_cycles": 1.8}


def of(report: Mapping[str, Any], **own: Any) -> Fabric:
    """A fabric whose cores take what a circuit was measured to take.

    report   `exporters.verilog.costs(network)`, or `exporters.verilog.report(folder)`, which has them, and f_max, which
             becomes the clock
    own      whatever else a Fabric has, and what should be otherwise
    """
    told = report.get("costs", report)
    lacking = [name for name in COSTS if name not in told]
    if lacking:
        raise Mistake(f"the report does not tell {' and '.join(lacking)}: give exporters.verilog.costs(network), or a "
                      "report whose simulator is verilator or cxxrtl")
    clock = {"clock": float(report["fmax_mhz"])} if "fmax_mhz" in report else {}
    return Fabric(**{**{name: float(told[name]) for name in COSTS}, **clock, **own})
