"""What a run would cost in energy on published hardware: a range with its sources, never a bare number.

A figure says what its authors counted into an operation (its scope), at which node, and where it was published; such
figures differ by a factor of hundreds for the same operation.  An estimate is counts times a figure's prices: it leaves
out what the figure leaves out (leakage, clocks, input and output, memory that is not there), so it orders machines and
does not predict a meter's reading.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """Prices in pJ; 0 where the figure has none of its own (it is then within another, or not counted)."""

    name: str
    node: str
    scope: str
    source: str
    operation: float             # per synaptic operation
    update: float = 0.0          # per neuron update
    spike: float = 0.0           # per spike sent
    word: float = 0.0            # per memory word (32 bits) touched


TABLED = "synaptic operation, as in that table", "Tang et al. 2023, Front. Neurosci. 17:1187252, table 3"
SYSTEM = "synaptic operation, as cited", "Hoeppner et al. 2019, as cited by keras-spiking"
FIGURES = (
    Figure("Loihi", "14 nm", "synaptic operation (23.6) and its spike (3.5), neuron update",
           "Davies et al. 2018, as cited by keras-spiking", 23.6 + 3.5, 81.0),
    Figure("Loihi, as SANA-FE describes it", "14 nm", "synapse (24.0 to 35.5: the middle), soma access and update, "
           "soma spike with axon out and one hop (3.0 to 4.2)", "SANA-FE's description of Loihi", 29.75, 51.2 + 21.6,
           69.3 + 111.0 + 3.6),
    Figure("Loihi, tabled", "14 nm", *TABLED, 23.6),
    Figure("TrueNorth", "28 nm", *TABLED, 2.5),
    Figure("SENECA", "22 nm", *TABLED, 2.8),
    Figure("ReckOn", "28 nm", *TABLED, 5.3),
    Figure("SpiNNaker2, tabled", "22 nm", *TABLED, 10.0),
    Figure("ODIN", "28 nm", *TABLED, 12.7),
    Figure("SpiNNaker, tabled", "130 nm", *TABLED, 45.0),
    Figure("SpiNNaker2", "22 nm", *SYSTEM, 450.0),
    Figure("SpiNNaker", "130 nm", *SYSTEM, 13_300.0),
    Figure("bare arithmetic", "45 nm", "32-bit addition per operation, multiplication per update, 8 kB SRAM per word",
           "Horowitz 2014, as cited in PMC8934428", 0.1, 3.1, 0.0, 5.0),
)


def energy(counts: Mapping[str, float]) -> dict[str, Any]:
    """uJ by every figure, and the range; counts: synaptic_operations, neuron_updates, spikes, memory_words."""
    estimates = []
    for f in FIGURES:
        pj = (f.operation * counts["synaptic_operations"] + f.update * counts["neuron_updates"]
              + f.spike * counts["spikes"] + f.word * counts["memory_words"])
        estimates.append({"name": f.name, "node": f.node, "scope": f.scope, "source": f.source, "uj": pj * 1e-6})
    by_size = sorted(estimates, key=lambda e: float(e["uj"]))       # type: ignore[arg-type]
    return {"lowest": by_size[0], "highest": by_size[-1], "estimates": estimates}
