"""What flows into a membrane: channels that decay by themselves, and currents given in time.

    channel   i(x) = (i + y x) e^{-x/tau}: a receptor's synaptic current (y only for alpha), a spike-triggered current,
              a decaying injected current
    sine      amplitude sin(2 pi frequency t + phase), t absolute
    line      drive + slope (t - origin): i_offset and everything piecewise linear

A record p holds tau_c (0: a delta receptor, which has no current), rise (e/tau for alpha, else 0) and kick (what the
neuron's own spike adds) of each channel, and the sines' frequency (Hz) and phase; a record s holds i, y, sine, drive,
slope, origin.  Receptors are the first channels; `decays` is the number of the first decaying injected current.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .doubledouble import two_product
from .errors import Mistake, nearest
from .model import Field, Waves

SYNAPSES = ("delta", "exp", "alpha")
TAU_SYN = 5.0
FIELDS = {
    "synapse": Field("delta", "", '"delta" (V jumps by the weight, mV), "exp" (a current jumps by the weight, nA, and '
                     'decays), "alpha" (a current whose peak is the weight, nA), or a list of those, one per receptor',
                     per="population"),
    "tau_syn": Field(None, "ms", "time constants of the synaptic currents; default 5, null for delta", per="receptor",
                     above=0.0),
    "i_init": Field(None, "nA", "synaptic currents at t = 0; default 0", per="receptor"),
}
TWO_PI = 2.0 * math.pi


# ---------------------------------------------------------------------------------------------------- verbs' parts
def silent(sums):
    """Nothing arrives but zeros: that is no event (law S5, S7)."""
    zeros = True
    for k in range(len(sums)):
        zeros = zeros and sums[k] == 0.0
    return zeros


def take_in(p, s, sums):
    """Add what arrived to the channels; returns the jump of V."""
    jump = 0.0
    for j in range(len(sums)):
        if j < p.receptors:
            if p.tau_c[j] == 0.0:
                jump += sums[j]
            elif p.rise[j] > 0.0:
                s.y[j] += sums[j] * p.rise[j]
            else:
                s.i[j] += sums[j]
    return jump


def decay(p, s, x):
    """The channels a time x later."""
    for k in range(len(p.tau_c)):
        if p.tau_c[k] > 0.0:
            fall = math.exp(-x / p.tau_c[k])
            if p.rise[k] > 0.0:
                s.i[k] = (s.i[k] + s.y[k] * x) * fall
                s.y[k] *= fall
            else:
                s.i[k] *= fall


def kicked(p, s):
    """The neuron's own spike acts on its channels."""
    for k in range(p.receptors, p.decays):
        s.i[k] += p.kick[k]


def force(p, s, slot, amount, slope):
    """From s.t on: the line (slot -1), decaying current slot/2, or sine (slot - 1)/2 of this amount."""
    if slot < 0:
        s.drive = p.i_offset + amount
        s.slope = slope
        s.origin = s.t
    elif slot % 2 == 0:
        s.i[p.decays + slot // 2] = amount
    else:
        s.sine[slot // 2] = amount


def line(s, x):
    """The piecewise linear current at s.t + x."""
    return s.drive + s.slope * ((s.t - s.origin) + x) if s.slope != 0.0 else s.drive


def channel(p, s, k, x):
    """Current k at s.t + x."""
    i = s.i[k] + s.y[k] * x if p.rise[k] > 0.0 else s.i[k]
    return i * math.exp(-x / p.tau_c[k]) if i != 0.0 and p.tau_c[k] > 0.0 else 0.0


def turns(frequency, t):
    """The phase of a frequency (Hz) at t (ms) in cycles, without whole ones: exact but for the last division (1.7)."""
    high, low = two_product(frequency, t)
    return (high % 1000.0 + low) / 1000.0


def angle(p, s, k, x):
    """The angle of sine k at s.t + x."""
    return TWO_PI * (turns(p.frequency[k], s.t) + turns(p.frequency[k], x)) + p.phase[k]


# ---------------------------------------------------------------------------------------------------- records
def layout(channels: int, sines: int) -> tuple[list[Any], list[Any]]:
    """The fields of the records p and s that belong to this module."""
    return ([("i_offset", "f8"), ("receptors", "i8"), ("decays", "i8"), ("tau_c", "f8", (channels,)),
             ("rise", "f8", (channels,)), ("kick", "f8", (channels,)), ("frequency", "f8", (sines,)),
             ("phase", "f8", (sines,))],
            [("drive", "f8"), ("slope", "f8"), ("origin", "f8"), ("i", "f8", (channels,)), ("y", "f8", (channels,)),
             ("sine", "f8", (sines,))])


def fill(p: Any, s: Any, values: Mapping[str, Any], spiked: Sequence[tuple[np.ndarray, np.ndarray]],
         waves: Waves) -> None:
    """Write the settled receptors, the spike-triggered currents (tau, b) and the waves into the records."""
    kinds, taus = values["synapse"], values["tau_syn"]
    p.i_offset = s.drive = values["i_offset"]
    p.receptors, p.decays = len(kinds), len(kinds) + len(spiked)
    for j, (kind, tau) in enumerate(zip(kinds, taus, strict=True)):
        p.tau_c[:, j] = 0.0 if tau is None else tau
        p.rise[:, j] = math.e / tau if kind == "alpha" else 0.0
        s.i[:, j] = values["i_init"][j]
    for j, (tau, b) in enumerate(spiked, len(kinds)):
        p.tau_c[:, j], p.kick[:, j] = tau, -b
    for j, tau in enumerate(waves.decay, len(kinds) + len(spiked)):
        p.tau_c[:, j] = tau
    for j, (frequency, phase) in enumerate(zip(waves.frequency, waves.phase, strict=True)):
        p.frequency[:, j], p.phase[:, j] = frequency, phase


def receptors(p: Mapping[str, Any], size: int) -> dict[str, Any]:
    """`synapse`, `tau_syn` (None for delta) and `i_init`, settled: one entry per receptor."""
    synapse, tau_syn, i_init = p["synapse"], p["tau_syn"], p["i_init"]
    kinds = [synapse] * len(tau_syn or i_init or [None]) if isinstance(synapse, str) else list(synapse)
    if not kinds:
        raise Mistake("synapse is an empty list: name at least one receptor's kind")
    for kind in kinds:
        if kind not in SYNAPSES:
            raise Mistake(f"unknown synapse {kind!r}{nearest(kind, SYNAPSES)}")
    for name, entries in (("tau_syn", tau_syn), ("i_init", i_init)):
        if entries is not None and len(entries) != len(kinds):
            raise Mistake(f"{name} has {len(entries)} entries for {len(kinds)} receptors: one per receptor, null for "
                          "delta")
    taus: list[Any] = []
    starts: list[np.ndarray] = []
    for k, kind in enumerate(kinds):
        tau = tau_syn[k] if tau_syn is not None else None
        start = i_init[k] if i_init is not None else None
        if kind == "delta" and tau is not None:
            raise Mistake(f"receptor {k} is delta and has no tau_syn: write null, or synapse = \"exp\"")
        if kind == "delta" and start is not None and np.any(start != 0):
            raise Mistake(f"receptor {k} is delta and carries no current: its i_init must be 0 or null")
        taus.append(None if kind == "delta" else np.full(size, TAU_SYN) if tau is None else tau)
        starts.append(np.zeros(size) if start is None else start)
    return {"synapse": kinds, "tau_syn": taus, "i_init": starts}


def pairs(p: Mapping[str, Any], tau: str, b: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lists of equal length: what the neuron's own spike starts, as (time constant, amount)."""
    taus, amounts = p[tau] or [], p[b] or []
    if len(taus) != len(amounts):
        raise Mistake(f"{tau} has {len(taus)} entries and {b} has {len(amounts)}: give as many of both")
    if any(entry is None for entry in [*taus, *amounts]):
        raise Mistake(f"{tau} and {b} have no null entries: leave both out")
    return list(zip(taus, amounts, strict=True))
