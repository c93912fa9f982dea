"""What `simulate` hands to an engine, and what an engine hands back: in the network's own unit of time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from .errors import Mistake
from .network import Network
from .stimuli import Trains
from .streams import Streams

RAPID, ENDLESS = 1e-9, 100_000        # that many spikes in a row less than 1e-9 ms apart: nobody can have meant it

Watch = Callable[[float, float], None]               # called with (time reached, until)
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(by: Watch) -> Iterator[None]:
    """While the block runs, `by` is the `progress` of every `simulate` that is given none."""
    token = _watch.set(by)
    try:
        yield
    finally:
        _watch.reset(token)


def watcher() -> Watch | None:
    return _watch.get()


class Probe(NamedTuple):
    """What is recorded of one group."""

    column: np.ndarray        # (n,) int64: the neuron's column, -1: not recorded
    variables: np.ndarray     # (k,) int64, as the dynamics' `value` numbers them
    samples: np.ndarray       # (k, times, columns) float64, filled by the engine


class Setup(NamedTuple):
    network: Network
    until: float              # exclusive
    times: np.ndarray         # (samples,) float64, ascending, in [0, until)
    probes: list[Probe]       # one per group
    keep: np.ndarray          # (emitters,) bool: whose spikes are wanted
    streams: Streams
    trains: Trains
    sink: Any                 # an `Intake`, called with (time, emitter, reached): all spikes of the emitters kept, in
                              # any order, from the last `reached` up to this one


class Outcome(NamedTuple):
    counters: np.ndarray      # (3,) int64: spikes, synaptic operations, neuron updates
    states: list[np.ndarray]  # each group's records at the end
    reached: float            # until, unless interrupted
    interrupted: bool
    kernels: tuple[str, ...]  # what ran


def endless(network: Network, neuron: int) -> Mistake:
    """The error for a neuron whose spikes do not let time pass."""
    return Mistake(f"{place(network, neuron)}: it fires endlessly, and time stands still; give it a longer tau_refrac, "
                   "a lower v_reset, or smaller weights")


def unsolved(network: Network, neuron: int) -> Mistake:
    """The error for a neuron whose ODE has no solution that steps could follow."""
    return Mistake(f"{place(network, neuron)}: its equations could not be integrated to the tolerances; give it milder "
                   "parameters or weights, or larger rtol and atol")


def place(network: Network, neuron: int) -> str:
    of = next(p for p in network.populations if p.kind == "neuron" and p.neuron <= neuron < p.neuron + p.size)
    return f"node {of.name!r}, neuron {neuron - of.neuron}"


def loose(records: np.ndarray) -> list[SimpleNamespace]:
    """Structured records as plain Python objects (floats, ints, lists): what plain Python runs on, much faster."""
    names = records.dtype.names or ()
    return [SimpleNamespace(**dict(zip(names, row, strict=True)))
            for row in zip(*(records[name].tolist() for name in names), strict=True)]


def tight(objects: list[SimpleNamespace], dtype: np.dtype) -> np.ndarray:
    """The records of plain objects."""
    records = np.zeros(len(objects), dtype)
    for name in dtype.names if objects and dtype.names else ():
        records[name] = [getattr(o, name) for o in objects]
    return records
