"""The same integers as an asynchronous machine of events and as a clocked one: the same spikes, not the same work.

Brunel's balanced network (see balanced.py) in FX-LIF v1, with a decay that both modes make alike: in event mode a
neuron computes when something arrives and catches up on its decay, in tick mode at every tick.  By the theorem of the
fixed-point specification both leave the same spikes to the last bit, as nothing drifts between events.  What differs is
the work, and by how much depends on how much is going on: so the drive is varied.  A dense core, which touches every
cell of every matrix at every tick, is the third machine.  Energies are ranges over published figures
(eventsnn/energy.py).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from eventsnn.scenarios import balanced

import eventsnn as es
from eventsnn import plot
from eventsnn.files import atomic
from eventsnn.sparseness import sparseness

MACHINES = {"event": ("asynchronous, event-driven", plot.FIRST), "clocked": ("clocked, sparse synapses", "#E69F00"),
            "dense": ("clocked and dense", plot.PALE)}


def build(n: int, eta: float) -> Any:
    """Brunel's network with strong inhibition, driven at eta times what just reaches the threshold."""
    return balanced.build(n, g=6.0, eta=eta)


def measure(n: int, eta: float, until: float, tick: float, seed: int) -> tuple[dict[str, Any], es.Result, es.Result]:
    """One drive: both machines' spikes, and the counts of all three."""
    network = es.compile(build(n, eta), seed=seed)
    calibration = es.simulate(network, min(until, 50.0))
    runs = [es.simulate(es.quantise(network, calibrate=calibration, tick=tick, decay="mul", mode=mode), until)
            for mode in ("event", "tick")]
    found = sparseness(runs[0], tick)
    rate = len(runs[0].spikes) / n / until * 1000.0
    return {"eta": eta, "rate": rate, "equal": runs[0].spikes == runs[1].spikes, "work": found}, runs[0], runs[1]


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    rows = outcome["drives"]
    facts = []
    for row in rows:
        w = row["work"]
        ratio = w["clocked"]["neuron_updates"] / max(w["neuron_updates"], 1)
        awake = 100.0 * w["awake_fraction"]
        facts.append((f"{row['rate']:.2f} Hz: the same {w['spikes']:,} spikes from both; awake {awake:.3g} % of the "
                      f"time, {ratio:.3g} times fewer neuron updates than clocked, "
                      f"{w['dense_over_event']['synaptic_operations']:.3g} times fewer operations than dense",
                      row["equal"] and ratio > 1.0))
    busy = [row["work"]["awake_fraction"] for row in rows]
    facts.append(("the less goes on, the less a machine of events does", bool(np.all(np.diff(busy) > 0))))
    return facts


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *, n: int | None = None,
         until: float | None = None, tick: float = 0.1, eta: Sequence[float] | None = None,
         seed: int = 1) -> dict[str, Any]:
    """Run every drive on both machines; `small` takes 250 neurons and 60 ms."""
    n, until = n or (250 if small else 1250), until or (60.0 if small else 500.0)
    rows, pairs = [], []
    for x in sorted(eta or ((0.2, 0.5) if small else (0.4, 0.5, 0.6, 0.8, 1.2, 2.0))):
        row, *pair = measure(n, x, until, tick, seed)
        rows.append(row)
        pairs.append(pair)
        for key, (name, _) in MACHINES.items():
            e = row["work"]["energy"][key]
            say(f"{row['rate']:6.2f} Hz, {name}: {e['lowest']['uj']:.3g} uJ ({e['lowest']['name']}) to "
                f"{e['highest']['uj']:.3g} uJ ({e['highest']['name']})")
    outcome: dict[str, Any] = {"n": n, "until": until, "tick": tick, "drives": rows}
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome, pairs[len(pairs) // 2]), out / "sparse.png")
        with atomic(out / "sparse.json") as file:
            json.dump(outcome, file, indent=1)
        say(f"wrote sparse.png and sparse.json into {out}")
    return outcome


def draw(outcome: Mapping[str, Any], pair: Sequence[es.Result]) -> Any:
    """Both rasters of one drive; work, awake fraction and energy over activity."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.4), layout="constrained")
    grid = figure.add_gridspec(3, 3, height_ratios=[1, 1, 1.7])
    shown, last = 60, min(outcome["until"], 100.0)
    axes = []
    for row, (run, colour, name) in enumerate(zip(pair, (plot.FIRST, "#E69F00"),
                                                  ("asynchronous, event-driven", "clocked"), strict=True)):
        axis = figure.add_subplot(grid[row, :])
        seen = (run.spikes.neuron < shown) & (run.spikes.time < last)
        axis.vlines(run.spikes.time[seen], run.spikes.neuron[seen] - 0.4, run.spikes.neuron[seen] + 0.4, color=colour,
                    lw=1.3)
        axis.set(xlim=(0.0, last), ylim=(-1, shown), ylabel="neuron")
        axis.set_title(name + (": the same spikes, to the last bit" if row else ""), loc="left", color=colour,
                       fontsize=10)
        axes.append(axis)
    axes[-1].set_xlabel("t (ms)")
    rates = [max(row["rate"], 1e-2) for row in outcome["drives"]]
    work = [row["work"] for row in outcome["drives"]]
    updates, operations, energy = (figure.add_subplot(grid[2, column]) for column in range(3))
    for axis, kind, title in ((updates, "neuron_updates", "neuron updates"),
                              (operations, "synaptic_operations", "synaptic operations")):
        for key in ("clocked", "event", "dense"):          # where two are equal both are seen
            name, colour = MACHINES[key]
            axis.plot(rates, [w[kind] if key == "event" else w[key][kind] for w in work], "o-", color=colour,
                      label=name, lw=3.0 if key == "clocked" else 1.4, ms=4)
        axis.set(xscale="log", yscale="log", xlabel="mean rate (Hz)")
        axis.set_title(title, loc="left", fontsize=10)
    for rate, w in zip(rates, work, strict=True):
        updates.annotate(f"{100 * w['awake_fraction']:.2g} % awake", (rate, w["neuron_updates"]), xytext=(4, -11),
                         textcoords="offset points", fontsize=7.5, color=plot.FIRST)
    updates.margins(x=0.15, y=0.15)
    operations.legend(frameon=False, fontsize=8, loc="center left")
    for key, (_, colour) in MACHINES.items():
        told = [w["energy"][key] for w in work]
        low, high = ([t[end]["uj"] for t in told] for end in ("lowest", "highest"))
        energy.fill_between(rates, low, high, color=colour, alpha=0.22, lw=0)
        for name in ("Loihi", "bare arithmetic"):
            values = [next(e["uj"] for e in t["estimates"] if e["name"] == name) for t in told]
            energy.plot(rates, values, color=colour, lw=1.3, ls="-" if name == "Loihi" else (0, (2, 2)),
                        label=name if key == "event" else None)
    energy.set(xscale="log", yscale="log", xlabel="mean rate (Hz)", ylabel="uJ")
    energy.set_title("energy: range of published figures", loc="left", fontsize=10)
    energy.legend(frameon=False, fontsize=8)
    for axis in (*axes, updates, operations, energy):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main(Path("out/sparse"))
