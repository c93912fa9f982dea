"""The numbers of FX-LIF v1: how a membrane is stored, rounded, saturated, and how it decays.

An integer v stands for v * lsb mV above rest.  In event mode rounding is QONNX's DOWN (toward zero) and saturation
symmetric; tick mode (see `clocked.py`) has other roundings and saturations too, and a decay by a shift.

    none         v
    linear       sgn(v) max(|v| - step n, 0)                               after n ticks
    mul(A, DF)   v := sgn(v) ((|v| A) >> DF), n times
    lut          v := sgn(v) ((|v| COARSE[n >> b]) >> LF), then the same with FINE[n & (2^b - 1)];  0 from n = LENGTH on
    shift(d)     v := v - (v >> d), n times, at least one LSB a tick while v is not 0; tick mode only

A plain table of LENGTH entries is the case b = 0.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from eventsnn.errors import Mistake

VERSION = "FX-LIF 1"
DECAYS = ("none", "linear", "mul", "lut", "shift")
ROUNDINGS = ("DOWN", "FLOOR", "ROUND")            # toward zero, down, to nearest with ties to even
SATURATIONS = ("symmetric", "full", "wrap")
NEVER = 2**63 - 1                    # a readout's threshold
WIDTH = 64                           # entries of the smallest table
LONGEST = 1 << 26                    # ticks that a table may last


def shifted(v, factor, bits):
    """v * factor / 2^bits, rounded toward zero; factor >= 0."""
    x = v * factor
    return (x + (x >> 63 & (1 << bits) - 1)) >> bits       # without a branch, so that loops over it vectorise


def saturated(v, top):
    """v held within [-top, top]."""
    return min(max(v, -top), top)


class Tables(NamedTuple):
    """A decay table as coarse x fine, entries in units of 2^-LF."""

    fine_bits: int
    length: int                      # from this age on V is 0
    coarse: np.ndarray               # uint32; [0] is the identity
    fine: np.ndarray                 # (2^fine_bits,) uint32; [0] is the identity


class Current(NamedTuple):
    """How the synaptic current of one receptor is stored: an integer i adds i / 2^fall LSBs to V at every tick."""

    receptor: int
    bits: int                        # IW
    fall: int                        # bits of I below V's last one: IF - VF
    decay: str
    decay_bits: int


@dataclass(frozen=True)
class Format:
    """How one population's membrane is stored, and its currents.

    bits          VW: V lies within +-(2^(bits-1) - 1)
    guard         bits of V below the finest weight's last bit
    lsb           mV per unit of V, a power of two
    tick          ms
    decay         one of DECAYS (neurons with tau_m = inf in it have none)
    decay_bits    DF or LF
    weight_bits   WW: signed mantissas within +-(2^(weight_bits-1) - 1)
    rounding      one of ROUNDINGS
    saturation    one of SATURATIONS
    mode          "event" or "tick"
    compare       ">=" or ">": when V has reached the threshold
    spikes        the most a neuron fires at one tick; 0: while V stands at the threshold (event mode)
    input_first   whether a current takes in its input before it decays
    min1          whether a shift's decay takes at least one LSB
    time_bits     TW: of a stored time, which begins again after 2^TW ticks (event mode)
    currents      of the receptors that have one (tick mode)
    """

    bits: int
    guard: int
    lsb: float
    tick: float
    decay: str
    decay_bits: int
    weight_bits: int
    rounding: str = "DOWN"
    saturation: str = "symmetric"
    mode: str = "event"
    compare: str = ">="
    spikes: int = 0
    input_first: bool = False
    min1: bool = True
    time_bits: int = 16
    currents: tuple[Current, ...] = ()

    @property
    def top(self) -> int:
        return (1 << (self.bits - 1)) - 1

    def units(self, mv: Any) -> np.ndarray:
        """mV above rest as integers: to nearest, ties to even."""
        return np.rint(np.asarray(mv, np.float64) / self.lsb).astype(np.int64)


class Projection(NamedTuple):
    """The synapses from one population to another at one receptor; weight = mantissa << shift LSBs, of V where the
    receptor is a delta one, else of its current."""

    source: str | int
    target: str | int
    receptor: int
    shift: int


@dataclass(frozen=True)
class Fixed:
    """What an integer network knows of its numbers (`Network.fixed`).

    formats       population -> Format
    projections   in order of their first synapse
    report        the quantisation report, JSON-able: scales, residuals, losses, warnings
    original      (synapses,) float64: the weights in mV that the integer weights came from
    """

    formats: Mapping[str | int, Format]
    projections: tuple[Projection, ...]
    report: Mapping[str, Any]
    original: np.ndarray
    version: str = VERSION


def guard_rule(ticks: float) -> int:
    """Guard bits that keep a PSP's area for tau = `ticks` ticks (inf: no decay, no rounding)."""
    return max(8, math.ceil(math.log2(ticks)) + 1) if 1.0 <= ticks < math.inf else 8


def factor(tau_ticks: float, bits: int, name: str = "tau_m") -> int:
    """A = exp(-1/tau) in units of 2^-bits, to nearest; `Mistake` where that is no decay at all, or nothing else."""
    a = round(math.exp(-1.0 / tau_ticks) * 2**bits)
    if not 0 < a < 2**bits:
        raise Mistake(f"{name} of {tau_ticks:g} ticks cannot be a factor of {bits} bits: "
                      + ("take a coarser tick or more decay_bits" if a else "take a finer tick"))
    return a


def tables(tau_ticks: float, bits: int, top: int) -> Tables:
    """A coarse x fine pair that carries V = top down to 0: a^length (top + 1) < 1.

    Few widths occur (64, 256, 1024, ... entries each), so that few record layouts have to be compiled.
    """
    least = math.floor(tau_ticks * math.log(top + 1)) + 1
    if least > LONGEST:
        raise Mistake(f"a time constant of {tau_ticks:.3g} ticks would need a table of {least:.3g} ticks, of at most "
                      f'{LONGEST:.3g}: take decay = "mul", a coarser tick, or a time constant of inf')
    fine_bits = WIDTH.bit_length() - 1
    while least > 1 << (2 * fine_bits):
        fine_bits += 2
    rows = -(-least // (1 << fine_bits))
    coarse = [round(math.exp(-(k << fine_bits) / tau_ticks) * 2**bits) for k in range(rows)]
    fine = [round(math.exp(-k / tau_ticks) * 2**bits) for k in range(1 << fine_bits)]
    return Tables(fine_bits, rows << fine_bits, np.array(coarse, np.uint32), np.array(fine, np.uint32))
