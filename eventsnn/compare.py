"""compare(a, b): what differs between two runs of a network, and whether it matters.

    spikes        the first difference; pairs within delta (greedy, one to one), |dt|, what is alone, the first of those
    statistics    rate, CV, LV, correlation of both, and their KS distance beside the one between two seeds
    distances     Gamma, van Rossum, SPIKE-synchrony of the neurons, beside their floors: another seed, one input less
    frozen        V of every neuron in integers that gets the float run's arrivals: bias, rmse, SQNR
    fixed         what integers cost: saturations, dead zones, zeroed and clipped weights, effective time constants
    reference     the emulator against the integer reference: equality of spikes and V over a first stretch
    sparseness    events beside a clocked and a dense core, energy as a range with its sources, NeuroBench's metrics

`Report` is true exactly when the spikes are equal to the last bit.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .beside import compared_distances, compared_statistics
from .distances import match
from .divergence import first_difference, matching
from .errors import Mistake
from .floors import one_spike_less, random_sources, reseeded
from .integers import against_reference, fixed
from .replay import Trace, frozen_input
from .report import facts
from .result import Result
from .sparseness import TICK, source_spikes, sparseness
from .spikes import Spikes
from .statistics import size_of

Run = Result | Spikes
REMOVALS = 5                 # runs with one input spike less
CHEAP = 5_000_000            # synaptic operations and input spikes of a run that is repeated without being asked
WORK = 600_000               # neuron-ticks and synaptic operations of the reference: about a second


@dataclass(frozen=True, eq=False)
class Report:
    """The verdict of `compare`; `bool(report)` says whether the spikes are equal to the last bit."""

    data: dict[str, Any]                     # everything, JSON-able
    runs: tuple[Run, Run] = field(repr=False)
    traces: Sequence[Trace] = field(default=(), repr=False)      # of frozen input: a neuron of each population

    def __bool__(self) -> bool:
        return bool(self.data["identical"])

    def text(self) -> str:
        """Plain text, one fact a line."""
        return "\n".join(facts(self.data))

    def json(self) -> str:
        return json.dumps(self.data, indent=1)

    def plot(self, path: str | Path) -> Path:
        """Rasters over each other, V traces, time differences: a .png, .pdf or .svg."""
        from . import plot

        first = self.data["matching"][0]
        found = first["divergence"]
        return plot.save(plot.compare(*self.runs, delta=first["delta_ms"], until=self.data["until_ms"],
                                      divergence=found and (found["time_ms"], found["id"]),
                                      labels=tuple(self.data["labels"])), path)

    def html(self, path: str | Path) -> Path:
        """One page that needs nothing else: every fact, with pictures inside it and the sources of its figures."""
        from .page import write

        return write(self, path)

    def __str__(self) -> str:
        return self.text()


def compare(a: Run, b: Run, *, delta: float | Sequence[float] = (1.0, 2.0), until: float | None = None,
            score: tuple[float, float] | None = None, labels: tuple[str, str] | None = None, reruns: bool | None = None,
            reference: Callable[..., Any] | None = None, work: int = WORK) -> Report:
    """Compare a run (or bare spikes) b with a: float with float, float with fixed.

    delta       windows of the matching, ms; the first one decides what diverges
    until       compare [0, until) only; needed where the runs differ in length
    score       of the task, of a and b
    labels      what to call the runs; "float" and "fixed", or "a" and "b"
    reruns      run a again with another seed and with one input spike less; None: if it is small
    reference   the integer reference, run(network, until, sources); None: the exporters' own
    work        how much of a run to check against it, in neuron-ticks and synaptic operations
    """
    windows = [float(d) for d in np.atleast_1d(np.asarray(delta, np.float64))]
    if not windows or not all(0.0 <= d < np.inf for d in windows):
        raise Mistake(f"delta is {delta}: give one or several windows >= 0 ms")
    sa, sb, end = common(a, b, until)
    names = labels or (("float", "fixed") if tick_of(a) == 0.0 < tick_of(b) else ("a", "b"))
    size = max(size_of(sa), size_of(sb))
    pairs = [match(sa, sb, d) for d in windows]
    data: dict[str, Any] = {
        "identical": sa.time.tobytes() == sb.time.tobytes() and sa.neuron.tobytes() == sb.neuron.tobytes(),
        "labels": list(names), "until_ms": end, "neurons": size, "spikes": {"a": len(sa), "b": len(sb)},
        "difference": first_difference(sa, sb),
        "matching": [matching(sa, sb, d, p) for d, p in zip(windows, pairs, strict=True)],
        "recorded": recorded(a, b),
    }
    again, words = repeated(a, end, reruns)
    data["statistics"] = compared_statistics(sa, sb, end, again[0])
    data["distances"] = compared_distances(sa, sb, end, windows, pairs, size, again)
    data["reruns"] = words
    data["frozen"], traces = frozen(a, b, end, reruns)
    data["fixed"] = [fixed(x, name) for x, name in ((a, names[0]), (b, names[1])) if is_fixed(x)]
    data["score"] = None if score is None else {"a": float(score[0]), "b": float(score[1])}
    data["reference"] = [against_reference(x, name, reference, work)
                         for x, name in ((a, names[0]), (b, names[1])) if is_fixed(x)]
    tick = tick_of(b) or tick_of(a) or TICK
    data["sparseness"] = {key: sparseness(x, tick) for key, x in (("a", a), ("b", b)) if isinstance(x, Result)}
    return Report(data, (a, b), traces)


def tick_of(run: Run) -> float:
    """ms of an integer network's tick; 0 for continuous time and for bare spikes."""
    return float(getattr(getattr(run, "network", None), "tick", 0.0))


def is_fixed(run: Run) -> bool:
    return getattr(getattr(run, "network", None), "fixed", None) is not None


def common(a: Run, b: Run, until: float | None) -> tuple[Spikes, Spikes, float]:
    """Both runs' spikes over the same neurons and the same stretch of time."""
    for run in (a, b):
        if not isinstance(run, (Result, Spikes)):
            raise Mistake(f"compare takes Results or Spikes, not {type(run).__name__}")
    sa, sb = (run.spikes if isinstance(run, Result) else run for run in (a, b))
    if sa.populations and sb.populations and sa.populations != sb.populations:
        told = [", ".join(f"{name!r} ({n})" for name, _, n in s.populations) for s in (sa, sb)]
        raise Mistake(f"these are runs of different networks: one has {told[0]}, the other {told[1]}")
    lengths = {run.until for run in (a, b) if isinstance(run, Result)}
    if until is None and len(lengths) > 1:
        raise Mistake(f"one run covers {max(lengths):g} ms, the other {min(lengths):g} ms: "
                      f"until={min(lengths):g} compares what both have")
    if until is not None and not 0.0 < until < np.inf:
        raise Mistake(f"until is {until}; it must be > 0 ms and finite")
    if until is not None and lengths and until > min(lengths):
        raise Mistake(f"until is {until:g} ms, but a run covers only {min(lengths):g} ms")
    if until is None and not lengths:        # bare spikes: past the last one
        last = max([0.0, *sa.time[-1:].tolist(), *sb.time[-1:].tolist()])
        return labelled(sa, sb), labelled(sb, sa), float(np.nextafter(last, np.inf)) if last else 1.0
    end = float(max(lengths) if until is None else until) or 1.0
    return labelled(sa.before(end), sb), labelled(sb.before(end), sa), end


def labelled(spikes: Spikes, other: Spikes) -> Spikes:
    return Spikes(spikes.time, spikes.neuron, spikes.populations or other.populations)


def recorded(a: Run, b: Run) -> list[dict[str, Any]]:
    """The differences of whatever both runs recorded at the same times."""
    found: list[dict[str, Any]] = []
    if not (isinstance(a, Result) and isinstance(b, Result) and np.array_equal(a.recorded_at, b.recorded_at)):
        return found
    for name, by in a.recorded.items():
        for variable, x in by.items():
            y = b.recorded.get(name, {}).get(variable)
            if y is not None and y.shape == x.shape and x.size:
                apart = np.subtract(y, x, out=np.zeros_like(x), where=y != x)          # inf and inf are not
                found.append({"population": name, "variable": variable, "equal": x.tobytes() == y.tobytes(),
                              "max_abs": float(np.abs(apart).max()), "rms": float(np.sqrt(np.mean(apart ** 2))),
                              "bias": float(np.mean(apart))})
    return found


def repeated(a: Run, end: float, asked: bool | None) -> tuple[tuple[Spikes | None, list[Spikes]], str | None]:
    """a again: under another seed, and with one input spike less each; or, in words, why not."""
    if not isinstance(a, Result) or a.network is None:
        return (None, []), "no floors: the first run carries no network to run again"
    if asked is False:
        return (None, []), "no floors: reruns=False"
    cost = rerun_cost(a)
    if asked is None and cost > CHEAP:
        return (None, []), (f"no floors: a rerun has {cost:,} synaptic operations and input spikes; "
                            "reruns=True runs it")
    other = reseeded(a).before(end) if random_sources(a.network) else None
    less = [s.before(end) for s in one_spike_less(a, REMOVALS)]
    words = [] if other is not None else ["no floor between seeds: nothing in this network is random"]
    return (other, less), "; ".join(words + ([] if less else ["no floor of one input spike: there is none"])) or None


def frozen(a: Run, b: Run, end: float, asked: bool | None) -> tuple[dict[str, Any] | None, list[Trace]]:
    """The frozen-input comparison, where one run is of a float network and the other of its integer twin."""
    one, other = (a, b) if is_fixed(b) else (b, a)
    if is_fixed(one) or not isinstance(one, Result) or one.network is None:
        return None, []
    if not isinstance(other, Result) or not is_fixed(other):
        return None, []
    if asked is False:
        return {"why": "reruns=False", "populations": []}, []
    if asked is None and rerun_cost(one) > CHEAP:
        return {"why": f"a rerun has {rerun_cost(one):,} synaptic operations and input spikes; reruns=True runs it",
                "populations": []}, []
    return frozen_input(one, other.network, end)


def rerun_cost(run: Result) -> int:
    return int(run.counters["synaptic_operations"]) + source_spikes(run)


