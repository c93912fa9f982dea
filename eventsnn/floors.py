"""How far a run lies from itself: with another seed, and with one input spike removed.

A difference between float and fixed means something only beside these floors (a 1-ulp change is none: networks of delta
synapses absorb it).  `frozen` replaces random sources by the trains they emitted, so that one spike can be taken away.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from .network import Network
from .result import Result
from .simulate import simulate
from .spikes import Spikes


def random_sources(network: Network) -> list[str | int]:
    """The nodes that draw anew with each seed of `simulate`."""
    return [p.name for p in network.populations if p.kind == "source" and p.model != "spikes"]


def reseeded(result: Result, step: int = 1) -> Spikes:
    """The spikes of the same network under the next seed, or the one so many steps on."""
    seed = int(result.provenance["seed"]) + step
    return simulate(result.network, result.until, inputs=result.inputs, seed=seed,
                    backend=result.provenance["backend"]).spikes


def frozen(result: Result) -> tuple[Network, dict[str | int, list[np.ndarray]]]:
    """The network with every source a `spikes` node, and the trains (ms) that repeat the run bit for bit."""
    network = result.network
    sources = [p.name for p in network.populations if p.kind == "source"]
    heard = simulate(network, result.until, inputs=result.inputs, seed=result.provenance["seed"],
                     backend=result.provenance["backend"], record={name: ["spikes"] for name in sources}).sources
    given = {name: heard[name].trains() for name in sources}
    populations = tuple(dataclasses.replace(p, model="spikes", params={"times": given[p.name]})
                        if p.kind == "source" else p for p in network.populations)
    return dataclasses.replace(network, populations=populations), given


def one_spike_less(result: Result, runs: int) -> Iterator[Spikes]:
    """The run again, each time without one input spike; nothing where there is no input.

    The spikes are an even choice from the first fifth: quantisation, too, disturbs a run from its beginning.
    """
    network, given = frozen(result)
    places = [(t, name, k, n) for name, trains in given.items() for k, train in enumerate(trains)
              for n, t in enumerate(train.tolist())]
    places.sort(key=lambda place: place[0])
    early = max(len(places) // 5, min(runs, len(places)))
    for run in range(min(runs, len(places))):
        _, name, k, n = places[int((run + 0.5) / runs * early)]
        trains = list(given[name])
        trains[k] = np.delete(trains[k], n)
        yield simulate(network, result.until, inputs={**given, name: flat(trains)},
                       backend=result.provenance["backend"]).spikes


def flat(trains: list[np.ndarray]) -> Any:
    """Trains as `inputs` takes them: one flat list for size 1."""
    return trains[0] if len(trains) == 1 else trains
