"""What rounding costs: the quantisation report, per population and per projection, and its warnings.

Everything here is predicted from the integers themselves; real saturations are counted by the emulator.
Acceptance: P(saturation) < 1e-6 per update, LSB sqrt(1/(12 (1 - a^2))) < 0.05 sd(v), |bias| < 0.02 (threshold - reset),
where DOWN's bias is half an LSB per tick against the leak: LSB / (2 (1 - a)), an upper bound for "lut".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .format import DECAYS, NEVER, Format, guard_rule, shifted


def psp_area(record: Any, amplitude: int) -> int:
    """The sum over all ticks of V after one input of `amplitude` LSBs, at a neuron that decays."""
    v, total, kind = amplitude, 0, DECAYS[int(record.decay)]
    if kind == "lut":
        rows = (amplitude * record.coarse.astype(np.int64)) >> int(record.bits)
        used = int(record.length) >> int(record.fine_bits), 1 << int(record.fine_bits)
        return int(((rows[:used[0], None] * record.fine[:used[1]].astype(np.int64)) >> int(record.bits)).sum())
    if kind == "linear":
        steps = v // int(record.rate)
        return (steps + 1) * v - int(record.rate) * steps * (steps + 1) // 2
    rate, bits = int(record.rate), int(record.bits)
    while v:
        total += v
        v = shifted(v, rate, bits)
    return total


def effective_tau(record: Any, tau_ticks: float) -> float | None:
    """The time constant, in ticks, that the integers have; None for a linear decay."""
    one = 2.0 ** int(record.bits)
    if DECAYS[int(record.decay)] == "mul":
        return -1.0 / math.log(int(record.rate) / one)
    if DECAYS[int(record.decay)] == "lut":
        n = min(max(1, round(tau_ticks)), int(record.length) - 1)
        row, column = n >> int(record.fine_bits), n & ((1 << int(record.fine_bits)) - 1)
        left = int(record.coarse[row]) / one * int(record.fine[column]) / one
        return -n / math.log(left) if left > 0.0 else None
    return None


def dead_zone(record: Any) -> int:
    """The |v| in LSBs below which the decay is no longer exponential."""
    return {"none": 0, "linear": int(record.rate), "lut": 1,
            "mul": 2 ** int(record.bits) // max(1, 2 ** int(record.bits) - int(record.rate))}[DECAYS[int(record.decay)]]


def population_report(p: Any, marks: Any, form: Format, span: Any, records: Any, weights: np.ndarray) -> dict[str, Any]:
    """Scale, residuals, decay and the acceptance of one population; weights are those it receives, in LSBs."""
    params, state = records
    tau = p.params["tau_m"] / form.tick
    leaky = np.isfinite(tau)
    report: dict[str, Any] = {
        "name": p.name, "size": p.size, "decay": form.decay, "decay_bits": form.decay_bits,
        "v_bits": form.bits, "guard_bits": form.guard, "lsb_mv": form.lsb,
        "guard_rule": guard_rule(float(tau[leaky].max(initial=0.0))),
        "range_mv": span.range, "range_from": span.source, "mean_mv": known(span.mean), "sd_mv": known(span.sd),
        "threshold": rounded(marks.theta, np.where(params.theta == NEVER, math.inf, params.theta), form.lsb),
        "reset": rounded(marks.reset, params.reset, form.lsb), "v_init": rounded(marks.start, state.v, form.lsb),
        "refractory": rounded(marks.refrac, params.refrac, form.tick),
        "tau_m_ms": None, "dead_zone_lsb": 0, "psp_area_loss": [], "accepted": {},
    }
    if leaky.any():
        slowest = int(np.argmax(np.where(leaky, tau, 0.0)))
        record, slow = params[slowest], float(tau[slowest])
        a = math.exp(-1.0 / slow)
        effective = effective_tau(record, slow)
        report["tau_m_ms"] = {"asked": slow * form.tick, "effective": effective and effective * form.tick}
        report["dead_zone_lsb"] = dead_zone(record)
        report["psp_area_loss"] = [{"weight_mv": w * form.lsb, "loss": 1.0 - psp_area(record, w) * (1.0 - a) / w}
                                   for w in typical(weights)]
        gap = float((marks.theta - marks.reset)[np.isfinite(marks.theta)].min(initial=math.inf))
        bias = form.lsb / (2.0 * (1.0 - a))
        noise = form.lsb * math.sqrt(1.0 / (12.0 * (1.0 - a * a)))
        report |= {"bias_mv": bias, "noise_mv": noise}
        quiet = None if math.isnan(span.sd) else noise < 0.05 * span.sd
        report["accepted"] = {"bias": bias < 0.02 * gap, "noise": quiet}
    beyond = saturation(form, span)
    report["predicted_saturation"] = beyond
    report["accepted"]["saturation"] = None if beyond is None else beyond < 1e-6
    return report


def saturation(form: Format, span: Any) -> float | None:
    """P(|v| beyond the rails) if v were normal with the calibration's mean and sd."""
    if math.isnan(span.sd):
        return None
    rail = form.top * form.lsb
    if span.sd == 0.0:
        return float(abs(span.mean) > rail)
    return sum(0.5 * math.erfc((rail + sign * span.mean) / span.sd / math.sqrt(2.0)) for sign in (-1.0, 1.0))


def typical(weights: np.ndarray) -> list[int]:
    """The smallest, median and largest |weight| that is not zero."""
    sizes = np.sort(np.abs(weights[weights != 0]))
    return sorted({int(sizes[k]) for k in (0, len(sizes) // 2, -1)}) if len(sizes) else []


def rounded(asked: np.ndarray, integer: np.ndarray, lsb: float) -> dict[str, Any]:
    """Float values, their integers (one each where all are equal) and the largest residual; None: never."""
    finite = np.isfinite(asked)
    residual = np.abs(integer[finite] * lsb - asked[finite]).max(initial=0.0)
    return {"float": short([float(x) if math.isfinite(x) else None for x in asked]),
            "integer": short([int(x) if math.isfinite(x) else None for x in integer.tolist()]),
            "residual": float(residual)}


def short(values: Sequence[Any]) -> Any:
    """One value for all, or the list."""
    return values[0] if len(set(values)) == 1 else list(values)


def known(x: float) -> float | None:
    return None if math.isnan(x) else x


def projection_report(part: Any, r: Any, form: Format) -> dict[str, Any]:
    """Weights and delays of one projection."""
    unit = math.ldexp(form.lsb, r.shift)
    residual = np.abs(r.mantissa * unit - part.weight)
    return {
        "source": part.source.name, "target": part.target.name, "receptor": part.receptor, "synapses": len(part.weight),
        "weight_bits": form.weight_bits, "shift": r.shift, "weight_lsb_mv": unit,
        "clipped": r.clipped, "zeroed": int(((r.mantissa == 0) & (part.weight != 0.0)).sum()),
        "weight_residual_mv": {"largest": float(residual.max()), "rms": float(np.sqrt(np.mean(residual**2)))},
        "delay_residual_ms": float(np.abs(r.delay * form.tick - part.delay).max()),
    }


def warnings_of(report: Mapping[str, Any]) -> list[str]:
    """What a reader of the report should not overlook, in sentences."""
    found = []
    for p in report["populations"]:
        losses = p["psp_area_loss"] if p["decay"] in ("mul", "lut") else []    # a linear decay has another shape
        worst = max((entry["loss"] for entry in losses), default=0.0)
        if p["guard_bits"] < p["guard_rule"] and worst > 0.01:
            found.append(f"{p['name']!r}: {p['guard_bits']} guard bits where the rule asks for {p['guard_rule']}; "
                         f"predicted loss of PSP area {100.0 * worst:.2g} % (more v_bits leave room for more)")
        found += [f"{p['name']!r}: not accepted for its {what}" for what, good in p["accepted"].items() if not good
                  and good is not None]
    for q in report["projections"]:
        for what in ("zeroed", "clipped"):
            if q[what]:
                found.append(f"{q['source']!r} -> {q['target']!r}: {q[what]} of {q['synapses']} weights {what}")
    return found
