"""The neuron models, one file each.  A new neuron is one file and one line here."""

from ..model import Model
from .adex import ADEX
from .eif import EIF
from .fitzhugh_nagumo import FITZHUGH_NAGUMO
from .hodgkin_huxley import HODGKIN_HUXLEY
from .izhikevich import IZHIKEVICH
from .lif import LIF
from .lif_cond import LIF_COND
from .qif import QIF

MODELS: dict[str, Model] = {
    m.name: m for m in (LIF, LIF_COND, QIF, EIF, ADEX, IZHIKEVICH, HODGKIN_HUXLEY, FITZHUGH_NAGUMO)}
