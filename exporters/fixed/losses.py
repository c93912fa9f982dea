"""What rounding costs: the quantisation report, per population and per projection, and its warnings.

Everything here is predicted from the integers themselves; real saturations are counted by the emulator.
Acceptance: P(saturation) < 1e-6 per update, LSB sqrt(1/(12 (1 - a^2))) < 0.05 sd(v), |bias| < 0.02 (threshold - reset).
The bias is what half an LSB per tick makes against the leak, LSB / (2 (1 - a)), of DOWN and FLOOR: an upper bound for
"lut".  Each current adds half an LSB of V a tick where it falls into V, and its own bias; with ROUND there is none.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eventsnn.channels import receptors

from .format import DECAYS, NEVER, Format, guard_rule
from .psp import dead_zone, effective_tau, is_clocked, psp_area, rests, table_tau


def population_report(p: Any, marks: Any, form: Format, span: Any, records: Any, into: Sequence[tuple[Any, Any]],
                      gains: Sequence[np.ndarray]) -> dict[str, Any]:
    """Scale, residuals, decay and the acceptance of one population; `into`: (part, rounded) of what it receives."""
    params, state = records
    tau = p.params["tau_m"] / form.tick
    leaky = np.isfinite(tau)
    report: dict[str, Any] = {
        "name": p.name, "size": p.size, "mode": form.mode, "decay": form.decay, "decay_bits": form.decay_bits,
        "v_bits": form.bits, "guard_bits": form.guard, "lsb_mv": form.lsb,
        "guard_rule": guard_rule(float(tau[leaky].max(initial=0.0))),
        "range_mv": span.range, "range_from": span.source, "mean_mv": known(span.mean), "sd_mv": known(span.sd),
        "threshold": rounded(marks.theta, np.where(params.theta == NEVER, math.inf, params.theta), form.lsb),
        "reset": rounded(marks.reset, params.reset, form.lsb), "v_init": rounded(marks.start, state.v, form.lsb),
        "refractory": rounded(marks.refrac, params.refrac, form.tick),
        "tau_m_ms": None, "dead_zone_lsb": 0, "psp_area_loss": [], "accepted": {}, "currents": [],
    }
    slowest = int(np.argmax(np.where(leaky, tau, 0.0)))
    record, slow = params[slowest], float(tau[slowest])
    if is_clocked(record):
        report["currents"] = [current_report(p, c, form, span, record, slowest, gains[c.receptor])
                              for c in form.currents]
        report["i_offset"] = offset_report(p, form, params, tau)
    if leaky.any():
        how = int(record.decay), int(record.rate), int(record.bits)
        a = math.exp(-1.0 / slow)
        by_age = DECAYS[how[0]] == "lut" and not is_clocked(record)
        effective = table_tau(record, slow) if by_age else effective_tau(*how)
        report["tau_m_ms"] = {"asked": slow * form.tick, "effective": effective and effective * form.tick}
        report["dead_zone_lsb"] = 1 if by_age else dead_zone(*how)
        report["rests_at_lsb"] = rests(*how, int(record.rounding), slow) if is_clocked(record) else [0, 0]
        report["psp_area_loss"] = area_losses(record, slow, form, into)
        gap = float((marks.theta - marks.reset)[np.isfinite(marks.theta)].min(initial=math.inf))
        bias = bias_of(form, report, a)
        noise = form.lsb * math.sqrt(1.0 / (12.0 * (1.0 - a * a)))
        report |= {"bias_mv": bias, "noise_mv": noise}
        quiet = None if math.isnan(span.sd) else noise < 0.05 * span.sd
        report["accepted"] = {"bias": bias < 0.02 * abs(gap), "noise": quiet}
    beyond = saturation(form, span)
    report["predicted_saturation"] = beyond
    report["accepted"]["saturation"] = None if beyond is None else beyond < 1e-6
    return report


def current_report(p: Any, c: Any, form: Format, span: Any, record: Any, neuron: int, gain: np.ndarray
                   ) -> dict[str, Any]:
    """One receptor's current; of its neuron with the slowest membrane."""
    k, asked = c.receptor, float(receptors(p.params, p.size)["tau_syn"][c.receptor][neuron])
    how = int(record.kind[k]), int(record.rate_i[k]), int(record.bits_i[k])
    effective = effective_tau(*how)
    return {"receptor": k, "decay": c.decay, "decay_bits": c.decay_bits, "i_bits": c.bits, "fall": c.fall,
            "lsb_mv": math.ldexp(form.lsb, -c.fall), "lsb_na": math.ldexp(form.lsb, -c.fall) / float(gain[neuron]),
            "range_mv": span.currents[k],
            "tau_syn_ms": {"asked": asked, "effective": effective and effective * form.tick},
            "dead_zone_lsb": dead_zone(*how), "rests_at_lsb": rests(*how, int(record.rounding), asked / form.tick)}


def offset_report(p: Any, form: Format, params: Any, tau: np.ndarray) -> dict[str, Any]:
    """i_offset as LSBs a tick, and what its rounding moves V by in the long run."""
    leaky = np.isfinite(tau)
    exact = p.params["i_offset"] * np.where(leaky, p.params["tau_m"], 0.0) / p.params["cm"]
    left = np.array([1.0 - gone(effective_tau(int(r.decay), int(r.rate), int(r.bits)), t) for r, t in
                     zip(params, tau, strict=True)])
    residual = params.bias[leaky] * form.lsb / (1.0 - left[leaky]) - exact[leaky]
    return {"float": short(p.params["i_offset"].tolist()), "integer": short(params.bias.tolist()),
            "residual_mv": float(np.abs(residual).max(initial=0.0))}


def area_losses(record: Any, tau: float, form: Format, into: Sequence[tuple[Any, Any]]) -> list[dict[str, Any]]:
    """For the smallest, median and largest weight of each receptor: how much of the PSP's area is lost."""
    found, fall = [], {c.receptor: c.fall for c in form.currents}
    for receptor in sorted({part.receptor for part, _ in into}):
        mine = [(part, r) for part, r in into if part.receptor == receptor]
        integer = np.concatenate([r.mantissa << r.shift for _, r in mine])
        for w in typical(integer):
            unit = math.ldexp(form.lsb, -fall.get(receptor, 0))
            slow = 1.0 / -math.expm1(-1.0 / tau)
            exact = w * slow
            if receptor in fall:                           # what a weight is worth has the integers' own factors in it
                how = int(record.kind[receptor]), int(record.rate_i[receptor]), int(record.bits_i[receptor])
                own = effective_tau(*how)
                if own is None:
                    continue                               # a linear current has another shape
                leak = gone(effective_tau(int(record.decay), int(record.rate), int(record.bits)), tau)
                exact = math.ldexp(w, -fall[receptor]) / gone(own) / leak
            area = psp_area(record, w, receptor if receptor in fall else -1)
            if area is not None:                           # else the report says where V rests
                found.append({"receptor": receptor, "weight_mv": w * unit, "loss": 1.0 - area / exact})
    return found


def gone(tau: float | None, else_tau: float = 0.0) -> float:
    """What a tick takes away; 0.0 ticks: everything; None, of a linear decay: as `else_tau` would."""
    tau = else_tau if tau is None else tau
    return -math.expm1(-1.0 / tau) if tau else 1.0


def bias_of(form: Format, report: Mapping[str, Any], a: float) -> float:
    if form.rounding == "ROUND":
        return 0.0
    half = 1.0
    for c in report["currents"]:
        tau = c["tau_syn_ms"]["effective"]
        own = -math.expm1(-form.tick / tau) if tau else 1.0
        half += (1.0 if c["fall"] else 0.0) + math.ldexp(1.0, -c["fall"]) / own
    return half * form.lsb / (2.0 * (1.0 - a))


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
    unit = math.ldexp(r.lsb, r.shift)
    residual = np.abs(r.mantissa * unit - part.worth)
    current = any(c.receptor == part.receptor for c in form.currents)
    return {
        "source": part.source.name, "target": part.target.name, "receptor": part.receptor, "synapses": len(part.weight),
        "weight_bits": form.weight_bits, "shift": r.shift, "into": "I" if current else "V", "weight_lsb_mv": unit,
        "clipped": r.clipped, "zeroed": int(((r.mantissa == 0) & (part.weight != 0.0)).sum()),
        "weight_residual_mv": {"largest": float(residual.max()), "rms": float(np.sqrt(np.mean(residual**2)))},
        "delay_residual_ms": float(np.abs(r.delay * form.tick - part.delay).max()),
    }


def warnings_of(report: Mapping[str, Any]) -> list[str]:
    """What a reader of the report should not overlook, in sentences."""
    found = []
    for p in report["populations"]:
        losses = [] if p["decay"] == "linear" else p["psp_area_loss"]             # a linear decay has another shape
        worst = max((entry["loss"] for entry in losses), key=abs, default=0.0)
        if p["currents"] and abs(worst) > 0.01:
            found.append(f"{p['name']!r}: predicted loss of PSP area {100.0 * worst:.2g} % (more v_bits and i_bits, or "
                         "larger weight_bits, leave room for less)")
        elif p["guard_bits"] < p["guard_rule"] and worst > 0.01:
            found.append(f"{p['name']!r}: {p['guard_bits']} guard bits where the rule asks for {p['guard_rule']}; "
                         f"predicted loss of PSP area {100.0 * worst:.2g} % (more v_bits leave room for more)")
        for what, where in [("V", p), *((f"the current of receptor {c['receptor']}", c) for c in p["currents"])]:
            if any(where.get("rests_at_lsb", [0, 0])):
                found.append(f"{p['name']!r}: {what} does not decay to 0 but rests at "
                             + " and ".join(f"{x} LSB" for x in where["rests_at_lsb"] if x))
        found += [f"{p['name']!r}: not accepted for its {what}" for what, good in p["accepted"].items() if not good
                  and good is not None]
    for q in report["projections"]:
        for what in ("zeroed", "clipped"):
            if q[what]:
                found.append(f"{q['source']!r} -> {q['target']!r}: {q[what]} of {q['synapses']} weights {what}")
    return found
