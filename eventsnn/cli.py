"""The command `eventsnn`: run, emulate, quantise, compare, scenario, model.

Exit codes: 0 done; 1 the answer is no (two runs differ, a scenario broke a promise); 2 a mistake in what was given,
told in one line on stderr; 3 a bug in eventsnn; 130 Ctrl-C (`run` and `emulate` write what they have first).
"""

import dataclasses
import inspect
import os
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import Mistake, nearest
from .terminal import Talk, complain

DONE, NO, BAD, BUG, INTERRUPTED = 0, 1, 2, 3, 130
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but mistakes.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Until = Annotated[float, typer.Option(help="Run over [0, UNTIL) ms.")]
Seed = Annotated[int | None, typer.Option(help="Of everything random; default 0, or the model file's.")]
Record = Annotated[list[str] | None, typer.Option(metavar="POP:VARS", help='What to record, as "exc:v,i"; repeatable.')]
RecordAt = Annotated[float | None, typer.Option(metavar="STEP", help="ms between samples; default 1.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Where results go; default out/NAME.")]
Plot = Annotated[bool, typer.Option("--plot", help="Also draw the run: DIR/run.png.")]
Backend = Annotated[str, typer.Option(help="auto, compiled, python or simpy: the same bits, at different speeds.")]
Threads = Annotated[int, typer.Option(help="How many threads may work; no result depends on it.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script: runs a command, returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    usage: Any = typer.BadParameter.__mro__[2]       # ClickException, from click or from typer's own copy of it
    try:
        return app(given, prog_name="eventsnn", standalone_mode=False) or DONE
    except Mistake as mistake:
        if debug:
            raise
        complain(str(mistake))
    except usage as mistake:
        complain(f"{mistake.format_message().rstrip('.')} (eventsnn --help says more)")
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:                          # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO
    except Exception as error:
        if debug:
            raise
        complain(f"a bug, please report it: {type(error).__name__}: {error} (--debug shows where)")
        return BUG
    return BAD


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show it.")] = False,
          debug: Debug = False) -> None:
    """Event-driven simulation of spiking networks: exact spikes, integers, hardware."""
    if version:
        from . import __version__

        print(f"eventsnn {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


# ---------------------------------------------------------------------------------------------------- running
@app.command()
def run(network: Annotated[Path, typer.Argument(help="A networkx graph as node-link JSON, as es.save writes it.")],
        until: Until, seed: Seed = None, out: Out = None, record: Record = None, record_at: RecordAt = None,
        backend: Backend = "auto", threads: Threads = 1, plot: Plot = False, json: Json = False,
        quiet: Quiet = False, debug: Debug = False) -> int:
    """Simulate a network exactly. Writes spikes.csv, spikes.npz, result.json and what was recorded."""
    talk = Talk(json, quiet)
    with talk.busy(f"compiling {network.name}"):
        compiled = opened(network, seed)
    return simulated(talk, compiled, network, until, seed, out, record, record_at, backend, threads, plot)


@app.command()
def emulate(model: Annotated[Path, typer.Argument(help="A folder with a model file, as quantise writes it.")],
            until: Until, seed: Seed = None, out: Out = None, record: Record = None, record_at: RecordAt = None,
            backend: Backend = "auto", threads: Threads = 1, plot: Plot = False, json: Json = False,
            quiet: Quiet = False, debug: Debug = False) -> int:
    """Run an integer network bit for bit. Writes what run writes."""
    return simulated(Talk(json, quiet), reopened(model), model, until, seed, out, record, record_at, backend, threads,
                     plot)


def writable(folder: Path) -> None:
    """Make the folder before the work, so that a typo costs no run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"cannot write {folder}: {error.strerror}") from error


def simulated(talk: Talk, network: Any, file: Path, until: float, seed: int | None, out: Path | None,
              record: Iterable[str] | None, record_at: float | None, backend: str, threads: int, plot: bool) -> int:
    """Simulate, write, tell."""
    from . import simulate
    from .result import CSV, NEURONS

    out = out or Path("out") / file.resolve().stem
    writable(out)
    with talk.busy(f"simulating {file.name}") as progress:
        result = simulate(network, until, seed=seed, threads=threads, record=wanted(network, record or ()),
                          record_at=record_at, backend=backend, progress=progress, out=out)
    result = dataclasses.replace(result, provenance={**result.provenance, "file": str(file.resolve())})
    (out / "run.png").unlink(missing_ok=True)          # of an earlier run
    result.describe(out)
    try:
        with talk.busy(f"writing {out / CSV}") as progress:
            result.spikes.save(out / CSV, progress)
    except KeyboardInterrupt:
        complain(f"interrupted: no {CSV} was written; {out / NEURONS} has every spike")
        return INTERRUPTED
    paths = result.describe(out, CSV)
    if plot:
        from . import plot as pictures

        paths.append(pictures.save(pictures.run(result), out / "run.png"))
    summary = result.summary()
    talk.tell(facts(network, result, summary, out), {"out": str(out), "files": [str(p) for p in paths], **summary})
    return INTERRUPTED if result.interrupted else DONE


def facts(network: Any, result: Any, summary: Any, out: Path) -> Iterator[tuple[str, str]]:
    """A run in lines."""
    told = result.provenance
    yield "network", f"{network.neurons:,} neurons, {len(network.synapses.target):,} synapses"
    if result.interrupted:
        yield "interrupted", f"at {result.until:g} ms; what follows is up to there"
    yield "simulated", f"{result.until:g} ms, seed {told['seed']}, backend {told['backend']}"
    for name, count in result.counters.items():
        yield name.replace("_", " "), f"{count:,}"
    for name, rate in summary["rates_hz"].items():
        yield f"rate of {name}", f"{rate:.6g} Hz"
    yield "silent populations", ", ".join(map(str, result.silent)) or "none"
    yield "written to", str(out)


def wanted(network: Any, record: Iterable[str]) -> dict[Any, list[str]]:
    """{"exc": ["v", "i"]} from "exc:v,i"."""
    names = {str(p.name): p.name for p in network.populations}
    found: dict[Any, list[str]] = {}
    for words in record:
        name, colon, variables = words.rpartition(":")
        if not (colon and name and variables):
            raise Mistake(f"--record {words!r}: give a population and its variables, as \"exc:v,i\"")
        found.setdefault(names.get(name, name), []).extend(v.strip() for v in variables.split(","))
    return found


def opened(path: Path, seed: int | None) -> Any:
    """A graph's file, compiled."""
    from .graph import compile
    from .jsonfile import load

    if path.is_dir():
        raise Mistake(f"{path} is a folder: give the file of a network (a folder with a model file is for emulate)")
    return compile(load(path), seed=0 if seed is None else seed)


def reopened(folder: Path) -> Any:
    """A model file's integer network."""
    from .exporters import read

    return read(folder)


# ---------------------------------------------------------------------------------------------------- integers
@app.command()
def quantise(network: Annotated[Path, typer.Argument(help="A networkx graph as node-link JSON.")],
             out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the model file goes.")],
             until: Annotated[float | None, typer.Option(help="Calibrate by a run over [0, UNTIL) ms.")] = None,
             seed: Seed = None, tick: Annotated[float, typer.Option(help="ms")] = 0.1,
             weight_bits: Annotated[int, typer.Option(help="Of a weight's mantissa, 2 to 16.")] = 8,
             v_bits: Annotated[int, typer.Option(help="Of V, 8 to 32.")] = 24,
             guard_bits: Annotated[int | None, typer.Option(help="Of V, below the finest weight's last bit.")] = None,
             decay: Annotated[str | None, typer.Option(help="lut (default), mul, linear or none.")] = None,
             json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Make integers of a network. Writes a model file and says what was lost."""
    from . import simulate
    from .exporters import export
    from .exporters import quantise as integers

    talk = Talk(json, quiet)
    exact, calibration = opened(network, seed), None
    if until is not None:
        with talk.busy("calibrating") as progress:
            calibration = simulate(exact, until, progress=progress)
    if calibration is not None and calibration.interrupted:
        raise KeyboardInterrupt
    with talk.busy(f"quantising {network.name}"):
        fixed = integers(exact, calibrate=calibration, tick=tick, weight_bits=weight_bits, v_bits=v_bits,
                         guard_bits=guard_bits, decay=decay)
        paths = export(fixed, "json", out)
    talk.tell(losses(fixed.fixed.report, out), {"out": str(out), "files": [str(p) for p in paths],
                                                "report": fixed.fixed.report})
    return DONE


def losses(report: Any, out: Path) -> Iterator[tuple[str, str]]:
    """A quantisation report in lines."""
    yield "arithmetic", f"{report['version']}, tick {report['tick_ms']:g} ms"
    for p in report["populations"]:
        name = p["name"]
        yield f"{name}: V", (f"{p['v_bits']} bits, {p['guard_bits']} of them guard bits, LSB {p['lsb_mv']:g} mV, "
                             f"decay {p['decay']}")
        yield f"{name}: range", f"{p['range_mv']:g} mV, from {p['range_from']}"
        yield f"{name}: threshold off by", f"{p['threshold']['residual']:.3g} mV"
        if p["tau_m_ms"] and p["tau_m_ms"]["effective"]:
            yield f"{name}: tau_m", f"{p['tau_m_ms']['effective']:.6g} ms for {p['tau_m_ms']['asked']:.6g} ms"
    for q in report["projections"]:
        name = f"{q['source']} -> {q['target']}"
        yield f"{name}: weights", (f"{q['synapses']:,} of {q['weight_bits']} bits, {q['zeroed']:,} zeroed, "
                                   f"{q['clipped']:,} clipped")
        yield f"{name}: weights off by", f"{q['weight_residual_mv']['largest']:.3g} mV at most"
        yield f"{name}: delays off by", f"{q['delay_residual_ms']:.3g} ms at most"
    for words in report["warnings"]:
        yield "warning", words
    yield "written to", str(out)


# ---------------------------------------------------------------------------------------------------- comparing
@app.command()
def compare(a: Annotated[Path, typer.Argument(help="A folder that run or emulate wrote, or a file of spikes.")],
            b: Annotated[Path, typer.Argument(help="Another.")],
            delta: Annotated[list[float] | None, typer.Option(help="ms within which spikes match; repeatable.")] = None,
            until: Annotated[float | None, typer.Option(help="Compare [0, UNTIL) ms only.")] = None,
            plot: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw: a .png, .pdf or .svg.")] = None,
            json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Say what differs between two runs. Exit code 0: equal to the last bit; 1: not."""
    from . import compare as compared

    talk = Talk(json, quiet)
    with talk.busy("comparing"):
        report = compared(left(a), left(b), delta=delta or (1.0, 2.0), until=until)
        if plot is not None:
            report.plot(plot)
    for line in report.text().splitlines():
        talk.say(line)
    talk.tell([("picture", str(plot))] if plot else [], report.data)
    return DONE if report else NO


def left(path: Path) -> Any:
    """The run that a folder holds, with its network if that file is still the same; or a file's spikes."""
    from .result import Result
    from .spikes import Spikes

    if not path.is_dir():
        return Spikes.load(path)
    result = Result.load(path)
    told = result.provenance
    try:
        file = Path(told["file"])
        network = reopened(file) if told["tick"] else opened(file, told["seed"])
    except (KeyError, Mistake):              # moved or edited since; the spikes stand for themselves
        return result
    return dataclasses.replace(result, network=network) if network.digest == told["network"] else result


# ---------------------------------------------------------------------------------------------------- the manual
@app.command()
def model(name: Annotated[str | None, typer.Argument(help="Which; without it, what there is.")] = None,
          json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Print the manual page of a neuron model, spike source or current. With --json, its table."""
    from . import manual

    talk, known = Talk(json, quiet), manual.names()
    if name is None:
        talk.tell(known.items(), known)
        return DONE
    for line in manual.page(name).splitlines():
        talk.say(line)
    talk.tell([], manual.entry(name))
    return DONE


# ---------------------------------------------------------------------------------------------------- scenarios
@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def scenario(context: typer.Context,
             name: Annotated[str | None, typer.Argument(help="Which; without it, what there is.")] = None,
             out: Out = None, small: Annotated[bool, typer.Option("--small", help="A size for tests.")] = False,
             json: Json = False, quiet: Quiet = False, debug: Debug = False) -> int:
    """Run a scenario. Takes its own options, KEY=VALUE or --key VALUE. Exit code 1: it broke a promise."""
    from .course import watched

    talk, known = Talk(json, quiet), scenarios()
    if name is None:
        talk.tell(known.items(), known)
        return DONE
    if name not in known:
        raise Mistake(f"no scenario {name!r}{nearest(name, known)}")
    script = imported(name)
    chosen = options(script.main, context.args)
    out = out or Path("out") / name
    with talk.busy(f"scenario {name}", "left of this run") as progress, watched(progress):
        outcome = script.main(out, small, talk.say, **chosen)
    promises = script.expect(outcome)
    talk.tell([], {"scenario": name, "out": str(out), "promises": [{"fact": f, "kept": bool(k)} for f, k in promises]})
    return DONE if all(kept for _, kept in promises) else NO


def scenarios() -> dict[str, str]:
    """Every script in the folder, with its docstring's first line."""
    import pkgutil

    from . import scenarios as folder

    return {m.name: (imported(m.name).__doc__ or "").partition("\n")[0] for m in pkgutil.iter_modules(folder.__path__)}


def imported(name: str) -> Any:
    import importlib

    return importlib.import_module(f"eventsnn.scenarios.{name}")


def options(function: Any, words: Sequence[str]) -> dict[str, Any]:
    """The keywords that a scenario's main takes, from `key=value`, `--key=value` or `--key value`."""
    known = {p.name: p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
    found, rest = {}, list(words)
    while rest:
        word = rest.pop(0)
        key, equals, text = word.removeprefix("--").partition("=")
        key = key.replace("-", "_")
        if key not in known:
            raise Mistake(f"this scenario has no option {key!r}{nearest(key, known)}")
        if not equals:
            if not (word.startswith("--") and rest):
                raise Mistake(f"option {key!r} has no value: give {key}=VALUE")
            text = rest.pop(0)
        found[key] = converted(key, text, known[key].annotation)
    return found


def converted(key: str, text: str, kind: Any) -> Any:
    """Text as what an annotation says: int, float, `float | None`, Sequence[int], ..."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not types.NoneType)
    try:
        if typing.get_origin(kind):
            (each, *_) = typing.get_args(kind)
            return tuple(each(word) for word in text.split(","))
        return kind(text)
    except ValueError:
        raise Mistake(f"option {key}={text}: that is no {getattr(kind, '__name__', kind)}") from None
