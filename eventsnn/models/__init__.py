"""The neuron models, one file each.  A new neuron is one file and one line here."""

from ..model import Model
from .lif import LIF
from .qif import QIF

MODELS: dict[str, Model] = {m.name: m for m in (LIF, QIF)}
