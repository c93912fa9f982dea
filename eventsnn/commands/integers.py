"""`eventsnn quantise`: integers of a network, and what was lost."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..terminal import Talk
from .options import DONE, Debug, Json, Quiet, Seed, opened


def quantise(network: Annotated[Path, typer.Argument(help="A networkx graph as node-link JSON.")],
             out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the model file goes.")],
             until: Annotated[float | None, typer.Option(help="Calibrate by a run over [0, UNTIL) ms.")] = None,
             seed: Seed = None, tick: Annotated[float, typer.Option(help="ms")] = 0.1,
             weight_bits: Annotated[int, typer.Option(help="Of a weight's mantissa, 2 to 16.")] = 8,
             v_bits: Annotated[int, typer.Option(help="Of V, 8 to 32.")] = 24,
             guard_bits: Annotated[int | None, typer.Option(help="Of V, below the finest weight's last bit.")] = None,
             decay: Annotated[str | None, typer.Option(help="Of V: mul, linear, lut, shift or none.")] = None,
             mode: Annotated[str | None, typer.Option(help="event or tick; default event if that is the same.")] = None,
             i_bits: Annotated[int, typer.Option(help="Of synaptic currents, 8 to 32 (tick mode, as all that follow).")
                               ] = 24,
             i_decay: Annotated[str | None, typer.Option(help="Of currents: mul, linear, lut or shift.")] = None,
             rounding: Annotated[str, typer.Option(help="DOWN (toward zero), FLOOR or ROUND (ties to even).")] = "DOWN",
             saturation: Annotated[str, typer.Option(help="symmetric, full or wrap.")] = "symmetric",
             compare: Annotated[str, typer.Option(help="A spike when V >= or > its threshold.")] = ">=",
             profile: Annotated[str | None, typer.Option(help="A chip: loihi1_lava, xylo_v1 or xylo_v2; of all options "
                                                              "above, --until, --seed and --tick count then.")] = None,
             json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Make integers of a network. Writes a model file and says what was lost."""
    from .. import simulate
    from ..exporters import export
    from ..exporters import quantise as integers

    talk = Talk(json, quiet)
    exact, calibration = opened(network, seed), None
    if until is not None:
        with talk.busy("calibrating") as progress:
            calibration = simulate(exact, until, progress=progress)
    if calibration is not None and calibration.interrupted:
        raise KeyboardInterrupt
    with talk.busy(f"quantising {network.name}"):
        fixed = integers(exact, calibrate=calibration, tick=tick, weight_bits=weight_bits, v_bits=v_bits,
                         guard_bits=guard_bits, decay=decay, mode=mode, i_bits=i_bits, i_decay=i_decay,
                         rounding=rounding, saturation=saturation, compare=compare, profile=profile)
        paths = export(fixed, "json", out)
    talk.tell(losses(fixed.fixed.report, out), {"out": str(out), "files": [str(p) for p in paths],
                                                "report": fixed.fixed.report})
    return DONE


def losses(report: Any, out: Path) -> Iterator[tuple[str, str]]:
    """A quantisation report in lines."""
    yield "arithmetic", f"{report['version']} in {report['mode']} mode, tick {report['tick_ms']:g} ms"
    for p in report["populations"]:
        name = p["name"]
        yield f"{name}: V", (f"{p['v_bits']} bits, {p['guard_bits']} of them guard bits, LSB {p['lsb_mv']:g} mV, "
                             f"decay {p['decay']}")
        yield f"{name}: range", f"{p['range_mv']:g} mV, from {p['range_from']}"
        yield f"{name}: threshold off by", f"{p['threshold']['residual']:.3g} mV"
        if p["tau_m_ms"] and p["tau_m_ms"]["effective"]:
            yield f"{name}: tau_m", f"{p['tau_m_ms']['effective']:.6g} ms for {p['tau_m_ms']['asked']:.6g} ms"
        for c in p["currents"]:
            yield f"{name}: current {c['receptor']}", (
                f"{c['i_bits']} bits, LSB {c['lsb_na']:g} nA, decay {c['decay']}, tau_syn "
                f"{c['tau_syn_ms']['effective'] or math.nan:.6g} ms for {c['tau_syn_ms']['asked']:.6g} ms")
    for q in report["projections"]:
        name = f"{q['source']} -> {q['target']}"
        yield f"{name}: weights", (f"{q['synapses']:,} of {q['weight_bits']} bits, {q['zeroed']:,} zeroed, "
                                   f"{q['clipped']:,} clipped")
        yield f"{name}: weights off by", f"{q['weight_residual_mv']['largest']:.3g} mV at most"
        yield f"{name}: delays off by", f"{q['delay_residual_ms']:.3g} ms at most"
    for words in report["warnings"]:
        yield "warning", words
    yield "written to", str(out)
