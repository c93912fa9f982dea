"""Event-driven simulation of spiking networks: graph -> exact spikes -> integers -> emulator -> hardware.

    network = compile(graph, seed=1)            # a networkx graph of neurons or populations
    result = simulate(network, until=1000.0)    # exact spikes
    fixed = quantise(network, calibrate=result) # an integer network
    emulated = simulate(fixed, until=1000.0)    # the bit-accurate emulator
    print(compare(result, emulated))            # what quantisation did
"""

__version__ = "0.1.0"

import importlib
from typing import Any

from .compare import Report, compare
from .errors import Mistake
from .network import Network
from .result import Result
from .simulate import simulate
from .spikes import Spikes

# What is handed out when asked for, so that `import eventsnn` stays quick and the core never imports the exporters.
LAZY = {
    "compile": "graph",
    "save": "jsonfile", "load": "jsonfile",
    "quantise": "exporters.fixed", "export": "exporters",
    "tune": "tuning", "Tuning": "tuning",
}

__all__ = ["LAZY", "Mistake", "Network", "Report", "Result", "Spikes", "compare", "simulate", *LAZY]


def __getattr__(name: str) -> Any:
    if name in LAZY:
        value = getattr(importlib.import_module(f".{LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
