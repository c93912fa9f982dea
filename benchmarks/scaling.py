"""What a run costs against its events, its neurons, and the neurons that have nothing to do: one log-log picture.

Every point is a network in a process of its own, kept to one core: CPU seconds of `es.simulate`, medians.  Dashed is
the physical limit, one random update of the same state for every event.
"""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .ours import Ours
from .race import alone, median, take_turns

WORKS: dict[str, tuple[str, dict[str, Any], list[float]]] = {         # network, its size, until (ms)
    "Brunel, 12,500 neurons": ("brunel", {"n": 12_500, "indegree": 1250}, [5.0, 20.0, 50.0, 200.0]),
    "CUBA, 4,000 neurons": ("cuba", {"n": 4000}, [3.0, 10.0, 100.0, 1000.0]),
    "wave, 50,000 neurons": ("wave", {"n": 50_000}, [5.0, 20.0, 60.0, 200.0]),
}
NEURONS = [100, 1000, 10_000, 100_000]              # of 100 inputs each, 100 ms
IDLE = [1000, 10_000, 100_000, 1_000_000]           # beside 1,250 that fire, 50 ms
CLOCK = 1.0e-9                                      # seconds for a neuron's step of 0.1 ms, were there a clock


def scaling(picture: Path | None, scale: float = 1.0, runs: int = 3, cpu: int | None = None) -> dict[str, Any]:
    """The three series; `scale` shortens and shrinks all of it.  Writes the picture, and returns the JSON object."""
    def point(network: str, size: Mapping[str, Any], until: float) -> dict[str, Any]:
        with Ours(network, size, until, cpu) as ours:
            (made,) = take_turns(runs, ours)
        told = {"neurons": ours.facts["neurons"], "until": until, "events": made[0]["events"],
                "seconds": median(made, "seconds"), "ns_random_update": median(made, "ns_random_update"),
                "kernel": made[0]["kernel"]}
        print(f"{network:>8} {told['neurons']:>9,} neurons {told['events']:>12,} events {told['seconds']:9.4f} s",
              file=sys.stderr, flush=True)
        return told

    def less(n: int) -> int:
        return max(round(n * scale), 1)

    events = {label: [point(network, size, max(until * scale, 3.0)) for until in untils]
              for label, (network, size, untils) in WORKS.items()}
    neurons = [point("brunel", {"n": less(n), "indegree": 100}, 100.0) for n in NEURONS]
    small = {"n": 1250, "indegree": 125}
    idle = [{**point("brunel", {**small, "idle": n}, 50.0), "idle": n} for n in map(less, IDLE)]
    told = alone("scaling", by_events=events, by_neurons=neurons, by_idle=idle)
    if picture is not None:
        from eventsnn import plot
        plot.save(draw(told), picture)
    return told


def draw(told: Mapping[str, Any]) -> Any:
    """Three panels; each has the measured points and what they should be read against."""
    from matplotlib.figure import Figure

    from eventsnn import plot

    figure = Figure(figsize=(12.5, 4.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    looks = ((plot.FIRST, 8), (plot.SECOND, 8), (plot.COLOURS[2], -15))
    for (colour, above), (label, points) in zip(looks, told["by_events"].items(), strict=True):
        points = [p for p in points if p["events"]]
        line(left, [p["events"] for p in points], points, colour, label)
        limit(left, [p["events"] for p in points], points, colour)
        each(left, points[-1]["events"], points[-1], colour, above)
    left.set(xlabel="synaptic events", ylabel="CPU seconds")
    left.set_title("longer runs", loc="left", fontsize=10)

    points = told["by_neurons"]
    line(middle, [p["neurons"] for p in points], points, plot.FIRST, "100 inputs each and a Poisson drive, 100 ms")
    limit(middle, [p["neurons"] for p in points], points, plot.FIRST)
    for p in points:
        each(middle, p["neurons"], p, plot.FIRST)
    middle.set(xlabel="neurons", ylabel="CPU seconds")
    middle.set_title("larger networks", loc="left", fontsize=10)

    points = told["by_idle"]
    idle = [p["idle"] for p in points]
    busy, until = points[0]["neurons"] - idle[0], points[0]["until"]
    line(right, idle, points, plot.FIRST, f"{busy:,} neurons that fire, {until:g} ms")
    right.plot(idle, [n * CLOCK * until / 0.1 for n in idle], color=plot.PALE, lw=1.2, ls=":",
               label="a clock: 1 ns per neuron and 0.1 ms step")
    right.set(xlabel="idle neurons beside them", ylabel="CPU seconds")
    right.set_title("more neurons with nothing to do", loc="left", fontsize=10)
    for axis in (left, middle):
        axis.plot([], [], color=plot.INK, lw=1.0, ls=(0, (4, 3)), alpha=0.7, label="one random update per event")
    for axis in (left, middle, right):
        axis.set(xscale="log", yscale="log")
        axis.margins(x=0.09)
        low, high = axis.get_ylim()
        axis.set_ylim(low, 10.0 ** (math.log10(high) + 0.3 * math.log10(high / low)))      # room for the legend
        axis.grid(which="major", color="0.9", lw=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def line(axis: Any, x: list[float], points: list[Mapping[str, Any]], colour: str, label: str) -> None:
    axis.plot(x, [p["seconds"] for p in points], "o-", color=colour, ms=5, lw=1.5, label=label)


def each(axis: Any, x: float, point: Mapping[str, Any], colour: str, above: int = 8) -> None:
    """What one event costs, written next to the point."""
    ns = 1e9 * point["seconds"] / max(point["events"], 1)
    axis.annotate(f"{ns:,.0f} ns" if ns >= 10.0 else f"{ns:.1f} ns", (x, point["seconds"]), (0, above),
                  textcoords="offset points", ha="center", fontsize=8, color=colour)


def limit(axis: Any, x: list[float], points: list[Mapping[str, Any]], colour: str) -> None:
    """A random update for every event."""
    axis.plot(x, [1e-9 * p["events"] * p["ns_random_update"] for p in points], color=colour, lw=1.0, ls=(0, (4, 3)),
              alpha=0.7)
