"""Floats to Xylo's registers.

    dash = rint(log2(tau/tick)), so that an effective time constant is off by up to a factor of sqrt 2
    hidden neurons on one scale, the readout on another: the largest |weight| of the side is 127 << shift, with the
    largest shift at which v, the currents and thresholds still fit int16; inputs and recurrent connections each have
    the smallest shift at which their weights fit int8
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eventsnn.channels import receptors
from eventsnn.errors import Mistake
from eventsnn.network import Population
from eventsnn.values import at, quoted

from ..format import Current
from ..quantise import Part, Rounded
from .build import Cells
from .floats import Asked, Chip, Mapped, effective
from .xylo import HIGH, KINDS, REGISTERS, SETTINGS, decrement, form, membrane

TOP, SHIFT, DASH = 127, SETTINGS["shift"].high, REGISTERS["dash_mem"].high


def dash(tau: np.ndarray, tick: float) -> np.ndarray:
    return np.rint(np.log2(tau / tick)).astype(np.int64)


def refused(version: int) -> Any:
    def of(p: Population, tick: float) -> None:
        """What a core of this version cannot hold."""
        told = receptors(p.params, p.size)
        if p.params["reset"] != "subtract":
            raise Mistake('reset: reset = "value", but Xylo subtracts the threshold: take "subtract"')
        if "delta" in told["synapse"]:
            raise Mistake("current: a delta synapse has none, and Xylo's decay before they are used: take exp synapses "
                          "of at least 1.5 ticks")
        if len(told["synapse"]) > KINDS:
            raise Mistake(f"currents: {len(told['synapse'])} receptors, a neuron has {KINDS} at most")
        for what, taus, low in (("dash_mem", [p.params["tau_m"]], 0), ("dash_syn", told["tau_syn"], 1)):
            for tau in taus:
                with np.errstate(divide="ignore"):
                    exact = np.log2(tau / tick)
                if np.any(np.rint(exact) < low) or np.any(np.rint(exact) > DASH):
                    raise Mistake(f"{what}: a time constant of {2.0 ** float(exact[np.argmax(np.abs(exact))]):g} "
                                  f"ticks: the chip's are 2^{low} to 2^{DASH}; take another tick")
        start = p.params["v_init"]
        if (start is not None and np.any(start != p.params["v_rest"])) or any(np.any(x) for x in told["i_init"]
                                                                             if x is not None):
            raise Mistake("initial state: Xylo starts at rest, without currents: leave v_init and i_init out")
        if version == 1 and np.any(p.params["i_offset"]):
            raise Mistake("bias: version 1 of the core has none: take xylo_v2, or i_offset = 0")
    return of


def gains(p: Population, tick: float) -> Sequence[np.ndarray]:
    """What a weight adds to a current: the area under its PSP is the exact one."""
    v = p.params
    return [tau * v["tau_m"] / v["cm"] / tick / (2.0 ** dash(tau, tick) - 1.0) / 2.0 ** dash(v["tau_m"], tick)
            for tau in receptors(v, p.size)["tau_syn"]]


def mapped(version: int) -> Any:
    def of(asked: Mapping[Any, Asked], tick: float) -> dict[Any, Mapped]:
        found: dict[Any, Mapped] = {}
        for readout in (False, True):
            side = {name: a for name, a in asked.items() if a.readout == readout}
            if side:
                found |= on_one_scale(side, version, readout, tick)
        return {name: found[name] for name in asked}
    return of


def on_one_scale(side: Mapping[Any, Asked], version: int, readout: bool, tick: float) -> dict[Any, Mapped]:
    """The hidden populations, or the readouts."""
    push = {name: v["i_offset"] * v["tau_m"] / v["cm"] / 2.0 ** dash(v["tau_m"], tick)
            for name, v in ((name, a.p.params) for name, a in side.items())}
    marks = [a.marks.theta[np.isfinite(a.marks.theta)].max(initial=0.0) for a in side.values()]
    reach = max(*marks, *(a.span.range for a in side.values()), *(x for a in side.values() for x in a.span.currents),
                *(float(np.abs(x).max()) for x in push.values()))
    parts = [part for a in side.values() for part in a.parts]
    groups = {kind: max((float(np.abs(part.worth).max()) for part in parts if part.source.kind == kind), default=0.0)
              for kind in ("source", "neuron")}
    largest, finest = max(groups.values()), HIGH / reach
    scale = finest                                             # LSBs of v per mV
    if largest > 0.0:
        scale = min(finest, TOP * 2.0 ** min(math.floor(math.log2(finest * largest / TOP)), SHIFT) / largest) \
            if finest * largest >= TOP else finest
    shifts = {kind: min(max(0, math.ceil(math.log2(size * scale / TOP) - 1e-9)), SHIFT) if size > 0.0 else 0
              for kind, size in groups.items()}
    found = {}
    for name, a in side.items():
        with at(f"node {quoted(name)}"):
            found[name] = population(a, version, readout, tick, scale, shifts, push[name])
    return found


def population(a: Asked, version: int, readout: bool, tick: float, scale: float, shifts: Mapping[str, int],
               push: np.ndarray) -> Mapped:
    p = a.p
    never = np.isinf(a.marks.theta)
    theta = np.where(never, HIGH, np.rint(np.where(never, 0.0, a.marks.theta) * scale)).astype(np.int64)
    if theta.min() < 1:
        raise Mistake(f"threshold: v_thresh rounds to v_rest on a grid of {1.0 / scale:g} mV: weights or v are too "
                      "large beside it")
    mem, syn = dash(p.params["tau_m"], tick), [dash(tau, tick) for tau in a.tau_syn]
    bias = np.rint(push * scale).astype(np.int64)
    registers = {"threshold": theta, "dash_mem": mem, "dash_syn": syn[0], "dash_syn2": syn[-1], "bias": bias,
                 "side": "readout" if readout else "hidden"}
    own = form(registers, float(1.0 / scale), tick)
    own = type(own)(**{**vars(own), "currents": tuple(Current(k, 16, 0, "shift", 0) for k in range(p.receptors))})
    slow = int(np.argmax(p.params["tau_m"]))

    def area(weight: int, receptor: int) -> float:
        i, v, total, dash_i, dash_v = weight, 0, 0, int(syn[receptor][slow]), int(mem[slow])
        while i or v:
            i -= decrement(i, dash_i)
            v = membrane(version, dash_v, 0, v, i)[0]
            total += v
        return total / (weight * (2**dash_i - 1) * 2**dash_v)

    return Mapped(Cells(registers, own, float(p.params["v_rest"][0]),
                        {f"i{k}": 1.0 / scale / gain for k, gain in enumerate(a.gains)}),
                  [rounding(part, 1.0 / scale, shifts[part.source.kind]) for part in a.parts],
                  effective(1.0 - 0.5 ** mem, tick), [effective(1.0 - 0.5 ** k, tick) for k in syn],
                  np.zeros(p.size, np.int64), theta, 1 << int(mem[slow]), area)


def rounding(part: Part, lsb: float, shift: int) -> Rounded:
    exact = np.rint(part.worth / (lsb * 2.0**shift))
    mantissa = np.clip(exact, -TOP, TOP)
    return Rounded(shift, mantissa.astype(np.int64), int((mantissa != exact).sum()), np.ones(len(exact)), lsb)


CHIPS = {version: Chip(refused(version), gains, mapped(version)) for version in (1, 2)}
