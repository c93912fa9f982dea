"""What makes an exported folder checkable: the network itself goes along, and runs are told apart to the tick.

`complete` ends a target's `write`, `opened` begins its `run`; files and checksums are those of `vectors`, and model/ is
the model file of the integer network.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network
from eventsnn.spikes import Spikes

from . import vectors
from .fixed import modelfile, read
from .fixed.format import Fixed

MODEL = "model"


class Opened(NamedTuple):
    """A folder whose files are all what was written."""

    network: Network
    told: dict[str, Any]         # the manifest


def exportable(network: Network) -> None:
    """Refuse what no target can take."""
    if not isinstance(getattr(network, "fixed", None), Fixed):
        raise Mistake("only an integer network can be exported: quantise(network) first")


def recorded(network: Network, inputs: Mapping[Any, Any] | None, until: float | None) -> vectors.Vector | None:
    """The emulator's run over [0, until) ms; None without `until`."""
    if until is not None:
        return vectors.vector(network, until, inputs)
    if inputs is not None:
        raise Mistake("inputs need until, ms: how long the run is that goes along")
    return None


def complete(target: str, network: Network, folder: Path, vector: vectors.Vector | None,
             paths: Iterable[Path]) -> list[Path]:
    """Add the model, the stimulus with what is expected, and the manifest; all paths."""
    paths = [*paths, *modelfile.write(network, folder / MODEL), *(vectors.save(vector, folder) if vector else [])]
    told = {"digest": network.digest, "tick_ms": network.tick, "ticks": vector.ticks if vector else None}
    return [*paths, vectors.seal(folder, target, told, paths)]


def opened(folder: str | Path, target: str) -> Opened:
    """A folder's network and manifest; `Mistake` names the first file that is missing or damaged."""
    told = vectors.opened(Path(folder), target)
    return Opened(read(Path(folder) / MODEL), told)


def to_spikes(events: np.ndarray, network: Network) -> Spikes:
    """Spikes of the network's neurons from (n, 2) ticks and neurons, bit for bit as the emulator gives them."""
    return Spikes.make(events[:, 0] * network.tick, events[:, 1],
                       [(p.name, p.neuron, p.size) for p in network.populations if p.kind == "neuron"])


def of_spikes(spikes: Spikes, tick: float) -> np.ndarray:
    """(n, 2) int64: tick and neuron of each spike."""
    return np.stack([np.rint(spikes.time / tick).astype(np.int64), spikes.neuron], axis=1)


def difference(expected: np.ndarray, got: np.ndarray) -> str:
    """The first tick and neuron at which two lists of spikes differ, with both numbers of spikes; "" if they do not."""
    if np.array_equal(expected, got):
        return ""
    n = min(len(expected), len(got))
    apart = np.flatnonzero((expected[:n] != got[:n]).any(axis=1))
    k = int(apart[0]) if len(apart) else n
    tick, neuron = min(tuple(int(x) for x in run[k]) for run in (expected, got) if k < len(run))
    wanted, found = (int(np.count_nonzero((run == (tick, neuron)).all(axis=1))) for run in (expected, got))
    if wanted == found:
        return f"tick {tick}, neuron {neuron}: its spikes come in another order"
    return f"tick {tick}, neuron {neuron}: {spikes_of(found)} instead of {spikes_of(wanted)}"


def spikes_of(n: int) -> str:
    return f"{n or 'no'} spike{'' if n == 1 else 's'}"


def drift(expected: np.ndarray, got: np.ndarray) -> str:
    """The first tick and neuron whose V is not what a (ticks, neurons) table says, with both; "" if there is none.

    got: (n, 3) tick, neuron and V, of as many ticks as an engine tells.
    """
    wanted = expected[got[:, 0], got[:, 1]]
    apart = np.flatnonzero(wanted != got[:, 2])
    if not len(apart):
        return ""
    tick, neuron, v = got[apart[0]].tolist()
    return f"tick {tick}, neuron {neuron}: V = {v} instead of {wanted[apart[0]]}"


def replayed(network: Network, stimulus: np.ndarray) -> Network:
    """The network with this stimulus, (n, 2) tick and row, in place of whatever its sources would do."""
    populations, row = [], network.neurons
    for p in network.populations:
        if p.kind == "source":
            own = stimulus[(stimulus[:, 1] >= row) & (stimulus[:, 1] < row + p.size)]
            trains = [own[own[:, 1] == row + k, 0] * network.tick for k in range(p.size)]
            p, row = dataclasses.replace(p, model="spikes", params={"times": trains}), row + p.size
        populations.append(p)
    return dataclasses.replace(network, populations=tuple(populations))
