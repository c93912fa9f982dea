"""The neurons the seed names, side by side on one fluctuating input; and one of them fitted to another.

Excitatory and inhibitory Poisson spikes, the same for all, go through exponential synapses into ten kinds of neuron.
Then a leaky integrate-and-fire neuron has to tell the spikes of Hodgkin & Huxley's axon from the input alone: with a
fixed threshold; with a threshold that every spike raises; and with a second current besides, by which the membrane
answers its input (what potassium does in the axon).  How well is the coincidence factor Gamma, within 2 ms, on spikes
that were held back from the fit (Kistler, Gerstner & van Hemmen 1997): 1 tells all, 0 no more than chance.

A population with arrays for parameters is a generation of candidates: one run judges them all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn import plot
from eventsnn.distances import each_gamma, gamma
from eventsnn.files import atomic

RATE, TAU_SYN, DELAY, WINDOW = 300.0, 3.0, 0.1, 2.0      # Hz of either kind, ms, ms, ms
Input = tuple[np.ndarray, np.ndarray]                    # spike times (ms), excitatory and inhibitory

# What any lif here may have, none of it in use: one layout for all of them, so one compiled loop.
LIF = {"model": "lif", "synapse": "exp", "tau_syn": [TAU_SYN, TAU_SYN], "tau_w": [100.0], "b_w": [0.0],
       "tau_th": [50.0], "b_th": [0.0], "tau_m": 10.0, "v_reset": -65.0, "tau_refrac": 2.0}
SYNAPSE = {"synapse": "exp", "tau_syn": [TAU_SYN]}


class Variant(NamedTuple):
    neuron: Mapping[str, Any]
    weight: float                 # of an excitatory spike; each such that the neuron fires some ten times a second
    inhibition: float = 1.0       # how many times that an inhibitory one has


VARIANTS = {
    "lif": Variant(LIF, 2.6),
    "lif, adaptation": Variant({**LIF, "b_w": [1.0]}, 4.0),
    "lif, moving threshold": Variant({**LIF, "b_th": [8.0]}, 3.2),
    "lif_cond": Variant({"model": "lif_cond", "tau_syn": [TAU_SYN, TAU_SYN], "tau_refrac": 2.0}, 0.035, 4.0),
    "qif": Variant({"model": "qif", **SYNAPSE, "v_peak": np.inf}, 1.8),
    "eif": Variant({"model": "eif", **SYNAPSE, "tau_m": 10.0}, 2.7),
    "adex": Variant({"model": "adex", **SYNAPSE}, 1.2),
    "izhikevich": Variant({"model": "izhikevich", **SYNAPSE, "d": 8.0}, 6.0),
    "fitzhugh_nagumo": Variant({"model": "fitzhugh_nagumo", **SYNAPSE}, 0.3),
    "hodgkin_huxley": Variant({"model": "hodgkin_huxley", **SYNAPSE}, 1.4),
}
AXON = VARIANTS["hodgkin_huxley"]


# ---------------------------------------------------------------------------------------------------- one input
def stimulus(until: float, seed: int) -> Input:
    """Poisson spikes of both kinds, kept, so that every neuron gets the same."""
    graph = nx.DiGraph()
    graph.add_node("listener", **LIF)
    for name in ("exc", "inh"):
        graph.add_node(name, model="poisson", rate=RATE)
        graph.add_edge(name, "listener", weight=0.0, delay=DELAY)
    result = es.simulate(es.compile(graph, seed=seed), until, record={"exc": ["spikes"], "inh": ["spikes"]})
    return result.sources["exc"].time, result.sources["inh"].time


def build(neuron: Mapping[str, Any], arrivals: Input, weights: Any, size: int = 1,
          delay: Any = DELAY) -> nx.MultiDiGraph:
    """Neurons of one kind under the input.  weights: of an excitatory spike and an inhibitory one, at each receptor."""
    graph = nx.MultiDiGraph()
    graph.add_node("neuron", **neuron, size=size)
    for name, times, by_receptor in zip(("exc", "inh"), arrivals, weights, strict=True):
        graph.add_node(name, model="spikes", times=times)
        for receptor, weight in enumerate(by_receptor):
            graph.add_edge(name, "neuron", weight=weight, delay=delay, receptor=receptor)
    return graph


def respond(variant: Variant, arrivals: Input, until: float, at: np.ndarray | None = None) -> es.Result:
    """One variant's spikes, and V at some times."""
    w = variant.weight
    weights = ([w], [-variant.inhibition * w])
    if variant.neuron["model"] == "lif_cond":            # conductances do not change sign: inhibition has its own
        weights = ([w, 0.0], [0.0, variant.inhibition * w])
    return es.simulate(es.compile(build(variant.neuron, arrivals, weights)), until,
                       record=None if at is None else {"neuron": ["v"]}, record_at=at)


# ---------------------------------------------------------------------------------------------------- the fit
class Free(NamedTuple):
    """What a candidate may choose: bounds, and what it is without choice."""

    low: float
    high: float
    off: float


# V in units of the threshold, from rest
FREE = {
    "tau_m": Free(0.5, 20.0, 0.0), "gain": Free(0.1, 8.0, 0.0), "v_reset": Free(-5.0, 0.9, 0.0),
    "tau_refrac": Free(1.0, 14.0, 0.0), "delay": Free(0.1, 4.0, 0.0), "b_th": Free(0.0, 8.0, 0.0),
    "tau_th": Free(3.0, 50.0, 50.0), "answer": Free(0.0, 1.0, 0.0), "tau_answer": Free(0.5, 30.0, 10.0),
}
FITS = {"plain lif": 5, "moving threshold": 7, "and an answering current": 9}      # how many of these are free
FOUND = {                                                # by a search with all its people and generations
    "plain lif": [0.95, 0.719, -1.957, 11.173, 2.301],
    "moving threshold": [0.95, 0.719, -1.957, 11.173, 2.301, 0.0, 50.0],
    "and an answering current": [1.595, 3.315, -4.043, 12.134, 3.238, 0.00775, 5.83, 0.7212, 4.075],
}


def candidates(x: np.ndarray, arrivals: Input, until: float) -> es.Spikes:
    """The spikes of one lif for each column of x, rows as in FREE."""
    p = dict(zip(FREE, x, strict=True))
    neuron = {**LIF, "tau_syn": [TAU_SYN, p["tau_answer"]], "tau_m": p["tau_m"], "cm": p["tau_m"], "v_rest": 0.0,
              "v_thresh": 1.0, "v_reset": p["v_reset"], "tau_refrac": p["tau_refrac"], "tau_th": [p["tau_th"]],
              "b_th": [p["b_th"]]}
    into = [p["gain"], -p["gain"] * p["answer"]]
    weights = into, [-AXON.inhibition * w for w in into]
    return es.simulate(es.compile(build(neuron, arrivals, weights, x.shape[1], p["delay"])), until).spikes


def coincidence(x: np.ndarray, arrivals: Input, spikes: np.ndarray, until: float) -> np.ndarray:
    """Gamma of every candidate with the axon's spikes."""
    n = x.shape[1]
    axon = es.Spikes.make(np.tile(spikes, n), np.repeat(np.arange(n), len(spikes)))
    return np.nan_to_num(each_gamma(axon, candidates(x, arrivals, until), WINDOW, until, n), nan=-1.0)


def fit(free: int, start: Sequence[float], arrivals: Input, spikes: np.ndarray, until: float, people: int,
        generations: int) -> np.ndarray:
    """The best candidate found by differential evolution (Storn & Price 1997), as a column; at least as good as
    `start`, if there is one.
    """
    from scipy.optimize import differential_evolution

    off = np.array([each.off for each in FREE.values()])

    def whole(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x, np.broadcast_to(off[free:, None], (len(off) - free, x.shape[1]))])

    best = differential_evolution(
        lambda x: -coincidence(whole(x), arrivals, spikes, until),
        [(each.low, each.high) for each in FREE.values()][:free], popsize=max(people // free, 1), maxiter=generations,
        tol=0.0, seed=1, polish=False, vectorized=True, updating="deferred",
        x0=[*start, *off[len(start):free]] if start else None)
    return whole(best.x[:, None])


# ---------------------------------------------------------------------------------------------------- the scenario
def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true.

    Gamma is uncertain by some 0.06 with the 40 spikes of 4 s.
    """
    fits, rates = outcome["fits"], outcome["rates"]
    plain, moving, answering = (fits[name]["test"] for name in FITS)
    return [
        (f"all {len(rates)} variants fire on the one input, {min(rates.values()):.1f} to {max(rates.values()):.1f} Hz",
         min(rates.values()) > 2.0 and max(rates.values()) < 40.0),
        (f"Gamma with Hodgkin & Huxley on {outcome['held_out']} spikes held back: plain lif {plain:.2f}, "
         f"moving threshold {moving:.2f}, and an answering current {answering:.2f}",
         answering > 0.6 and answering > plain + 0.15 and moving > plain - 0.15),
    ]


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         until: float | None = None, people: int | None = None, generations: int | None = None,
         seed: int = 1) -> dict[str, Any]:
    """The variants on one input, then the fits; `small` starts from parameters that a whole search once found.

    until        length of the input, and of that for the test (ms)
    people       candidates in a generation
    """
    until = until or (4000.0 if small else 10000.0)
    people, generations = people or (18 if small else 81), generations or (2 if small else 60)
    shown = np.arange(0.0, 600.0, 0.25)
    arrivals, held_back = (stimulus(until, seed + k) for k in (0, 1))
    runs = {}
    for name, variant in VARIANTS.items():
        length = until if variant is AXON else min(until, 4000.0)
        runs[name] = respond(variant, arrivals, length, shown)
        say(f"{name}: {len(runs[name].spikes) / length * 1000.0:.1f} Hz")
    axon, other = runs["hodgkin_huxley"].spikes.time, respond(AXON, held_back, until).spikes.time
    outcome: dict[str, Any] = {
        "until": until, "held_out": len(other), "fits": {},
        "rates": {name: len(result.spikes) / result.until * 1000.0 for name, result in runs.items()},
        "gamma": {name: gamma(axon[axon < result.until], result.spikes.time, WINDOW, result.until)
                  for name, result in runs.items()}}
    trains, best = {}, list[float]()
    for name, free in FITS.items():
        say(f"{name}: {generations} generations of {people} candidates, {free} parameters, {len(axon)} spikes to tell")
        start = FOUND[name] if small else best          # what one may do, the next may too
        x = fit(free, start, arrivals, axon, until, people, generations)
        trains[name] = candidates(x, held_back, until).time
        best = x[:free, 0].tolist()
        chosen = dict(zip(FREE, best, strict=False))
        train, test = (float(coincidence(x, *which, until)[0]) for which in ((arrivals, axon), (held_back, other)))
        outcome["fits"][name] = {"parameters": chosen, "train": train, "test": test}
        say(f"{name}: Gamma {train:.2f} fitted, {test:.2f} held back; "
            + ", ".join(f"{key} {value:.3g}" for key, value in chosen.items()))
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome, arrivals, runs), out / "variants.png")
        plot.save(draw_fit(outcome, other, trains), out / "variants_fit.png")
        with atomic(out / "variants.json") as file:
            json.dump(outcome, file, indent=1)
        say(f"wrote variants.png, variants_fit.png and variants.json into {out}")
    return outcome


def draw(outcome: Mapping[str, Any], arrivals: Input, runs: Mapping[str, es.Result]) -> Any:
    """The input and every variant's V, one above the other, spikes as strokes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.2 + 0.92 * len(runs)), layout="constrained")
    top, *axes = figure.subplots(len(runs) + 1, 1, sharex=True)
    end = runs["lif"].recorded_at[-1]
    for times, colour, row in ((arrivals[0], plot.SECOND, 1.1), (arrivals[1], plot.FIRST, 0.0)):
        top.vlines(times[times < end], row, row + 0.9, color=colour, lw=0.6)
    top.set_yticks([0.45, 1.55], ["inhibition", "excitation"], fontsize=8)
    for axis, (name, result) in zip(axes, runs.items(), strict=True):
        colour = plot.COLOURS[2] if name == "hodgkin_huxley" else plot.INK
        v, spikes = result.recorded["neuron"]["v"][:, 0], result.spikes.time[result.spikes.time < end]
        if name not in ("hodgkin_huxley", "fitzhugh_nagumo"):         # the others' spikes are instants: a stroke each
            low, high = v.min(), min(v.max(), -20.0)
            v = np.minimum(v, high)
            axis.vlines(spikes, high, high + 0.7 * (high - low), color=colour, lw=0.9)
        axis.plot(result.recorded_at, v, color=colour, lw=0.9)
        axis.text(1.005, 0.62, name, transform=axis.transAxes, fontsize=9, color=colour)
        rate = f"{outcome['rates'][name]:.0f} Hz"
        axis.text(1.005, 0.28, rate, transform=axis.transAxes, fontsize=8, color=plot.PALE)
        axis.set_yticks([])
    for axis in (top, *axes):
        axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axis.tick_params(length=0)
    axes[-1].set(xlabel="t (ms)", xlim=(0.0, end))
    axes[-1].tick_params(length=3, labelsize=9, color=plot.PALE)
    return figure


def draw_fit(outcome: Mapping[str, Any], axon: np.ndarray, trains: Mapping[str, np.ndarray]) -> Any:
    """The axon's spikes, held back, above what each fitted neuron says; and Gamma, fitted and held back."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3.2, 1])
    rows = ["hodgkin_huxley", *trains]
    end = min(outcome["until"], 2000.0)
    for row, times in enumerate([axon, *trains.values()]):
        times = times[times < end]
        alone = np.ones(len(times), bool)
        if row:
            alone = np.array([np.abs(axon - t).min() > WINDOW for t in times], bool)
            left.vlines(times[~alone], row - 0.38, row + 0.38, color=plot.FIRST, lw=1.4)
        left.vlines(times[alone], row - 0.38, row + 0.38, color=plot.SECOND if row else plot.COLOURS[2], lw=1.4)
    left.set_yticks(range(len(rows)), rows, fontsize=9)
    left.invert_yaxis()
    left.set(xlabel="t (ms)", xlim=(0.0, end))
    left.set_title("spikes held back; in vermilion those that the axon has not", loc="left", fontsize=10)
    for shift, key, colour in ((-0.19, "train", plot.PALE), (0.19, "test", plot.FIRST)):
        values = [fit[key] for fit in outcome["fits"].values()]
        right.barh(np.arange(1, 1 + len(values)) + shift, values, 0.36, color=colour,
                   label={"train": "fitted", "test": "held back"}[key])
        for row, value in enumerate(values, 1):
            right.text(value + 0.02, row + shift, f"{value:.2f}", va="center", fontsize=8, color=plot.INK)
    right.set(xlim=(0.0, 1.0), ylim=left.get_ylim(), yticks=[])
    right.set_title("Gamma", loc="left", fontsize=10)
    right.legend(frameon=False, fontsize=8, loc="upper right")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main(Path("out/variants"))
