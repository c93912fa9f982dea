"""FX-LIF v1: formats, quantise, the integer twin of `lif`, its reference, and the model file."""

from .modelfile import read
from .quantise import quantise

__all__ = ["quantise", "read"]
