"""From a float network of `lif` neurons to a chip's registers: what all chips have in common.

A chip's mapping says how much a weight is worth (`gains`, from the time constants that its registers really have) and
makes registers and mantissas of potentials and weights (`mapped`).  Here: what no chip holds is refused, parts are
summed as a matrix has them, the calibration sets the ranges, and the report says what was lost.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.channels import receptors
from eventsnn.errors import Mistake
from eventsnn.network import Network, Population
from eventsnn.result import Result
from eventsnn.values import at, quoted

from .. import scales
from ..losses import known, projection_report, rounded, saturation, typical
from ..quantise import Part, Rounded, gathered, parts_of
from ..refusals import Options, checked, refuse
from .build import Cells, Profile, Wires, assembled, summed


class Asked(NamedTuple):
    """One population of a float network."""

    p: Population
    marks: scales.Marks
    span: scales.Span
    parts: Sequence[Part]                # that lead to it
    gains: Sequence[np.ndarray]          # mV that a weight of 1 is worth, per receptor, (size,) each
    readout: bool                        # it emits nothing, and hears no source

    @property
    def tau_syn(self) -> list[Any]:
        """(size,) ms per receptor, None: delta."""
        return list(receptors(self.p.params, self.p.size)["tau_syn"])

    @property
    def i_init(self) -> list[Any]:
        return list(receptors(self.p.params, self.p.size)["i_init"])


class Mapped(NamedTuple):
    """One population in registers, and what there is to say."""

    cells: Cells
    rounded: Sequence[Rounded]           # one per part
    tau_m: np.ndarray                    # (size,) ms, as the registers have it
    tau_syn: Sequence[np.ndarray | None] # likewise, per receptor
    start: np.ndarray                    # V at tick 0, LSBs
    threshold: np.ndarray                # LSBs
    dead_zone: int                       # |v| below which the decay is no longer exponential, LSBs
    area: Callable[[int, int], float]    # (weight in LSBs of its grid, receptor): the area of its PSP, of 1


class Chip(NamedTuple):
    """How a chip's registers come from floats; the first two take (population, tick)."""

    refused: Callable[..., None]         # what the chip cannot hold
    gains: Callable[..., Sequence[np.ndarray]]
    mapped: Callable[..., Mapping[Any, Mapped]]      # (asked by name, tick)


def quantised(network: Network, calibrate: Result | None, profile: Profile, how: Chip, tick: float) -> Network:
    """The chip's network of a float one."""
    options = checked(Options(tick=tick, mode="tick"))
    refuse(network, options)
    from eventsnn.graph import compile

    unmerged = compile(network.graph, seed=network.seed, merge=False)
    neurons = [p for p in unmerged.populations if p.kind == "neuron"]
    gains = {}
    for p in neurons:
        with at(f"node {quoted(p.name)}"):
            unheld(p, profile.name, options.tick)
            how.refused(p, options.tick)
            gains[p.name] = how.gains(p, options.tick)
    each = parts_of(unmerged, gains, {
        p.name: [np.full(p.size, bound) for bound in peaks(p, options.tick)] for p in neurons})
    delayed(each, profile.name, options.tick)               # before multapses become one, with one delay
    parts = [summed(part) for part in each]
    recorded, source = scales.recordings(network, calibrate)
    emitting, heard = {q.source.name for q in parts}, {q.target.name for q in parts if q.source.kind == "source"}
    asked = {}
    for p in neurons:
        into, marks = [part for part in parts if part.target.name == p.name], scales.Marks.of(p)
        span = scales.span(p, marks, gathered(into, p), recorded.get(p.name, {}), source, gains[p.name])
        asked[p.name] = Asked(p, marks, span, into, gains[p.name], p.name not in emitting | heard)
    mapped = how.mapped(asked, options.tick)
    wires = [Wires(part, r.mantissa, r.shift, {profile.exponent: r.shift}) for name, m in mapped.items()
             for part, r in zip(asked[name].parts, m.rounded, strict=True)]
    told: dict[str, Any] = {
        "version": profile.name, "mode": "tick", "tick_ms": options.tick, "calibration": source,
        "populations": [population_report(asked[name], m, options.tick) for name, m in mapped.items()],
        "projections": [projection_report(part, r, m.cells.form) for name, m in mapped.items()
                        for part, r in zip(asked[name].parts, m.rounded, strict=True)]}
    told["warnings"] = list(distorted(told)) + [
        f"{name!r}: it has no threshold; the chip's largest, {m.threshold.max()} LSBs, stands for it"
        for name, m in mapped.items() if np.isinf(asked[name].marks.theta).any()]
    return assembled(network, profile, {name: m.cells for name, m in mapped.items()}, wires, options.tick, told)


def distorted(told: Mapping[str, Any]) -> Iterator[str]:
    """What saturates, time constants and PSPs that the registers miss by more than a twentieth, weights that vanish."""
    for q in told["projections"]:
        for what in ("zeroed", "clipped"):
            if q[what]:
                yield f"{q['source']!r} -> {q['target']!r}: {q[what]} of {q['synapses']} weights {what}"
    for p in told["populations"]:
        if p["accepted"]["saturation"] is False:
            yield f"{p['name']!r}: not accepted for its saturation"
        for what, tau in [("tau_m", p["tau_m_ms"]), *((f"tau_syn of receptor {c['receptor']}", c["tau_syn_ms"])
                                                     for c in p["currents"])]:
            if tau and abs(tau["effective"] / tau["asked"] - 1.0) > 0.05:
                yield f"{p['name']!r}: {what} is {tau['effective']:.3g} ms where {tau['asked']:g} ms were asked for"
        worst = max((entry["loss"] for entry in p["psp_area_loss"]), key=abs, default=0.0)
        if abs(worst) > 0.05:
            yield f"{p['name']!r}: rounding {'takes' if worst > 0 else 'adds'} {100 * abs(worst):.2g} % of a PSP's area"


def unheld(p: Population, name: str, tick: float) -> None:
    """What neither chip has."""
    marks = scales.Marks.of(p)
    ticks = np.rint(marks.refrac / tick)
    if ticks.max() > 1:
        raise Mistake(f"refractory period: tau_refrac is {ticks.max():g} ticks, {name} has none: a neuron takes input "
                      f"again one tick after its spike; lower tau_refrac to a tick ({tick:g} ms)")
    if np.any(marks.reset):
        raise Mistake(f"reset: v_reset differs from v_rest, and {name} resets to rest, or by the threshold: make them "
                      "equal")
    if np.any(marks.theta <= 0):
        raise Mistake(f"threshold: v_thresh is not above v_rest; thresholds of {name} are positive")


def delayed(parts: Sequence[Part], name: str, tick: float) -> None:
    for part in parts:
        ticks = np.maximum(np.rint(part.delay / tick), 1.0)
        if ticks.max() > 1:
            raise Mistake(f"edge {quoted(part.source.name)} -> {quoted(part.target.name)}: delay: {ticks.max():g} "
                          f"ticks; {name} delivers at the next tick: make delays at most 1.5 ticks, by shorter ones "
                          f"or a longer tick (it is {tick:g} ms)")


def peaks(p: Population, tick: float) -> list[float]:
    """A bound of a PSP's peak in what its weight is worth, per receptor."""
    slow = float((p.params["tau_m"] / tick).max()) + 1.0
    return [1.0 if tau is None else min(slow, float((tau / tick).max()) + 1.0)
            for tau in receptors(p.params, p.size)["tau_syn"]]


def population_report(a: Asked, m: Mapped, tick: float) -> dict[str, Any]:
    """Scale, residuals, time constants and losses of one population; the keys are FX-LIF's."""
    p, form = a.p, m.cells.form
    tau = p.params["tau_m"]
    k = int(np.argmax(np.where(np.isfinite(tau), tau, 0.0)))
    taus = {c.receptor: {"asked": float(a.tau_syn[c.receptor][k]), "effective": float(m.tau_syn[c.receptor][k])}  # type: ignore[index]
            for c in form.currents}
    losses = []
    for receptor in sorted({part.receptor for part in a.parts}):
        integer = np.concatenate([r.mantissa << r.shift for part, r in zip(a.parts, m.rounded, strict=True)
                                  if part.receptor == receptor])
        unit = next(r.lsb for part, r in zip(a.parts, m.rounded, strict=True) if part.receptor == receptor)
        losses += [{"receptor": receptor, "weight_mv": w * unit, "loss": 1.0 - m.area(w, receptor)}
                   for w in (typical(integer) if np.isfinite(tau[k]) else [])]
    beyond = saturation(form, a.span)
    theta = np.where(np.isinf(a.marks.theta), math.inf, m.threshold.astype(float))
    return {
        "name": p.name, "size": p.size, "mode": form.mode, "decay": form.decay, "decay_bits": form.decay_bits,
        "v_bits": form.bits, "guard_bits": form.guard, "guard_rule": form.guard, "lsb_mv": form.lsb,
        "range_mv": a.span.range, "range_from": a.span.source, "mean_mv": known(a.span.mean), "sd_mv": known(a.span.sd),
        "threshold": rounded(a.marks.theta, theta, form.lsb),
        "reset": rounded(a.marks.reset, np.zeros(p.size), form.lsb),
        "v_init": rounded(a.marks.start, m.start, form.lsb),
        "refractory": rounded(a.marks.refrac, np.full(p.size, int(p.params["reset"] == "value")), tick),
        "tau_m_ms": {"asked": float(tau[k]), "effective": float(m.tau_m[k])} if np.isfinite(tau[k]) else None,
        "dead_zone_lsb": m.dead_zone, "psp_area_loss": losses,
        "currents": [{"receptor": c.receptor, "decay": c.decay, "decay_bits": c.decay_bits, "i_bits": c.bits,
                      "fall": 0, "lsb_mv": form.lsb, "lsb_na": form.lsb / float(a.gains[c.receptor][k]),
                      "range_mv": a.span.currents[c.receptor], "tau_syn_ms": taus[c.receptor], "dead_zone_lsb": 0,
                      "rests_at_lsb": [0, 0]} for c in form.currents],
        "registers": {name: x if isinstance(x, str) else sorted(set(x.tolist()))[:8]
                      for name, x in m.cells.registers.items()},
        "predicted_saturation": beyond, "accepted": {"saturation": None if beyond is None else beyond < 1e-6}}


def uniform(values: np.ndarray, what: str, register: str) -> float:
    """The one value of a population."""
    if np.any(values != values[0]):
        raise Mistake(f"{register}: {what} differs within the population, which has one {register}: split it")
    return float(values[0])


def effective(left: np.ndarray, tick: float) -> np.ndarray:
    """The time constant of a state of which a tick leaves so much."""
    with np.errstate(divide="ignore"):
        return np.where(left > 0.0, -tick / np.log(np.where(left > 0.0, np.minimum(left, 1.0), 0.5)), 0.0)

