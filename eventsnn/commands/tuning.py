"""`eventsnn tune`: the fewest bits that keep a quality, of a network's file or of a scenario's task."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Mistake, nearest
from ..terminal import Talk
from .options import DONE, INTERRUPTED, NO, Debug, Json, Out, Quiet, Seed, opened, writable
from .staging import imported, scenarios


def tune(what: Annotated[str, typer.Argument(help="A networkx graph as node-link JSON, or a scenario with a task.")],
         until: Annotated[float | None, typer.Option(help="Compare spikes over [0, UNTIL) ms.")] = None,
         budget: Annotated[int, typer.Option(help="Candidates to try at most.")] = 60,
         at_least: Annotated[float | None, typer.Option(help="The quality to keep; default: the floor's, or a task's "
                                                             "at 8/24 bits.")] = None,
         measure: Annotated[str, typer.Option(help="Of spikes: spike_sync or statistics.")] = "spike_sync",
         tick: Annotated[list[float] | None, typer.Option(help="ms, the finest first; repeatable.")] = None,
         weight_bits: Annotated[list[int] | None, typer.Option(help="To try, the most first; repeatable.")] = None,
         v_bits: Annotated[list[int] | None, typer.Option(help="Likewise.")] = None,
         decay_bits: Annotated[list[int] | None, typer.Option(help="Likewise.")] = None,
         workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
         scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler's address, instead.")] = None,
         seed: Seed = None, out: Out = None, json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Search for the fewest bits that keep a quality. Writes tuning.json, pareto.png and the model file of the best.
    Exit code 1: nothing keeps it."""
    from .. import tune as tuned
    from ..exporters import export, quantise
    from ..files import atomic

    talk = Talk(json, quiet)
    network, given, name, test = task_of(what, seed)
    out = out or Path("out") / f"tune_{name}"
    writable(out)
    axes = {axis: values for axis, values in (("tick", tick), ("weight_bits", weight_bits), ("v_bits", v_bits),
                                              ("decay_bits", decay_bits)) if values}
    with talk.busy(f"tuning {name}") as progress:
        found = tuned(network, budget, until=until, at_least=at_least, measure=measure, space=axes, workers=workers,
                      scheduler=scheduler, progress=progress, **given)
    with atomic(out / "tuning.json") as file:
        file.write(found.json())
    files = [out / "tuning.json", found.plot(out / "pareto.png")]
    tested: dict[str, dict[str, float]] = {}
    if found.best is not None:
        fixed = quantise(network, calibrate=given.get("calibrate"), **found.best.options)
        files.append(export(fixed, "json", out / "model")[0])
        if test is not None:
            base = quantise(network, calibrate=given.get("calibrate"), **found.trials[0].options)
            tested = {"test": {"exact": test(network), "base": test(base), "best": test(fixed)}}
    told = [(f"test, {which}", f"{score:.6g}") for which, score in tested.get("test", {}).items()]
    talk.tell([*found.facts(), *told, ("written to", str(out))],
              {"out": str(out), "files": [str(path) for path in files], **found.data, **tested})
    return INTERRUPTED if found.interrupted else DONE if found.best is not None else NO


def task_of(what: str, seed: int | None) -> tuple[Any, dict[str, Any], str, Any]:
    """The network, what `tune` is given besides, a name, and a score of what is chosen that chooses nothing."""
    if Path(what).exists():
        return opened(Path(what), seed), {"seed": seed}, Path(what).resolve().stem, None
    if what not in scenarios():
        raise Mistake(f"there is no file {what!r}, and no scenario of that name{nearest(what, scenarios())}")
    script = imported(what)
    if not hasattr(script, "task"):
        raise Mistake(f"scenario {what!r} has no task to tune for: give the file of a network, and --until")
    task = script.task()
    return task.network, {"score": task.score, "calibrate": task.calibration}, what, task.test
