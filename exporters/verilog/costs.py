"""costs(network): what a core of the circuit takes for each thing that it does, in clocks, measured in simulation.

    synapse_cycles   of a synapse, what its word takes included (word_cycles is 0)
    tick_cycles      of a tick's end at which nothing was reached
    sweep_cycles     besides, where something was
    visit_cycles     besides, for each neuron that was reached

The circuit is the network's own, but no neuron ever fires.  Each figure is a difference between stimuli that repeat at
every tick, over 100 ticks; a sweep runs beside the synapses of the next tick, so what is measured is what limits.
`eventsnn.fabric.of` makes cores of them.
"""

import dataclasses
import tempfile
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.network import Network, flat

from .. import checks, vectors
from ..fixed.format import NEVER
from .images import BURST
from .series import series
from .writer import write

TICKS = 100


def costs(network: Network, by: str | None = None) -> dict[str, float]:
    """Clocks of an integer network's core, by verilator or cxxrtl; None: the quickest there is."""
    checks.exportable(network)
    table = flat(network.synapses)
    if not len(table.target):
        raise Mistake("a network without synapses has nothing to measure")
    of_row = np.argsort(vectors.rows(network))                      # the row of each emitter
    row, longest = of_row[table.emitter], int(table.delay.max())
    reach = {int(r): len(np.unique(table.target[row == r])) for r in np.unique(row)}
    few, many = min(reach, key=lambda r: (reach[r], r)), max(reach, key=lambda r: (reach[r], -r))
    every = sorted(reach)
    stimuli: list[Sequence[int]] = [[], [few], [many], every * (BURST - 1), every * BURST]
    with tempfile.TemporaryDirectory() as folder:
        write(silenced(network), folder)
        runs = series(folder, [repeated(rows, longest + 20 + more) for rows in stimuli for more in (0, TICKS)], by)
    empty, short, long, less, full = ((b.cycles - a.cycles) / TICKS for a, b in list(pairwise(runs))[::2])
    visit = (long - short) / (reach[many] - reach[few]) if reach[many] > reach[few] else 1.0
    return {"synapse_cycles": max((full - less) / len(row), 1.0), "word_cycles": 0.0, "tick_cycles": empty,
            "sweep_cycles": max(short - empty - visit * reach[few], 0.0), "visit_cycles": visit}


def silenced(network: Network) -> Network:
    """The network with thresholds that are never reached."""
    (group,) = network.groups
    params = group.params.copy()
    params["theta"] = NEVER
    return dataclasses.replace(network, groups=(group._replace(params=params),))


def repeated(rows: Sequence[int], ticks: int) -> vectors.Vector:
    """The same rows at every tick."""
    events = np.array([(tick, row) for tick in range(ticks) for row in rows], np.int64).reshape(-1, 2)
    return vectors.Vector(ticks, events, events[:0])
