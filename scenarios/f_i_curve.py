"""Rate against current: six neurons, simulated beside what mathematics says of them.

Every curve is one run of one population whose `i_offset` is an array.  What is compared are intervals between spikes,
not counts: the last one of each neuron with the period that theory gives.

    lif              T = t_ref + tau ln((R I - V_r) / (R I - theta)), V from rest        (Lapicque 1907)
    adaptive lif     the first interval and the settled one: roots of one equation in what adaptation is left
    qif              T = t_ref + (pi/2 - atan(x_r / q)) / q, with x' = x^2 + q^2         (Ermentrout & Kopell 1986)
    eif              T = t_ref + int dV / V'(V) from reset to spike, by quadrature       (Fourcaud-Trocme et al. 2003)
    adex             no formula: it adapts, from its first interval on                   (Brette & Gerstner 2005)
    hodgkin_huxley   no formula: class 2, it starts with 50 Hz at once                   (Hodgkin & Huxley 1952)
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn import plot
from eventsnn.files import atomic

FIRST, SETTLED = plot.SECOND, plot.FIRST
Theory = Callable[[float], float]                         # period in ms at a current in nA; inf: it does not fire

Neuron = dict[str, Any]

LIF: Neuron = {"model": "lif", "tau_m": 20.0, "cm": 1.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
               "tau_refrac": 2.0}
ADAPTIVE: Neuron = {**LIF, "tau_w": [100.0], "b_w": [0.08]}
QIF: Neuron = {"model": "qif", "tau_m": 20.0, "cm": 1.0, "a": 0.1, "v_rest": -65.0, "v_crit": -55.0, "v_peak": np.inf,
               "v_reset": -70.0, "tau_refrac": 2.0}
EIF: Neuron = {"model": "eif", "tau_m": 20.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0, "delta_T": 2.0,
               "v_spike": 0.0, "v_reset": -60.0, "tau_refrac": 2.0}


# ---------------------------------------------------------------------------------------------------- theory
def lif(current: float) -> float:
    settled, jump = LIF["tau_m"] / LIF["cm"] * current, LIF["v_thresh"] - LIF["v_rest"]
    low = LIF["v_reset"] - LIF["v_rest"]
    return LIF["tau_refrac"] + LIF["tau_m"] * np.log((settled - low) / (settled - jump)) if settled > jump else np.inf


def adaptive(current: float, settled: bool = True) -> float:
    """The interval that begins with w = b (the first), or with w = b / (1 - e^{-T/tau_w}), which it reproduces."""
    from scipy.optimize import brentq

    tau, (tau_w,), (b,), hold = ADAPTIVE["tau_m"], ADAPTIVE["tau_w"], ADAPTIVE["b_w"], ADAPTIVE["tau_refrac"]
    low, jump = ADAPTIVE["v_reset"] - ADAPTIVE["v_rest"], ADAPTIVE["v_thresh"] - ADAPTIVE["v_rest"]

    def missing(period: float) -> float:
        w = b * np.exp(-hold / tau_w) / (-np.expm1(-period / tau_w) if settled else 1.0)
        s = period - hold
        pulled = w * tau_w / (tau_w - tau) * (np.exp(-s / tau_w) - np.exp(-s / tau))
        return (tau / ADAPTIVE["cm"]) * (-current * np.expm1(-s / tau) - pulled) + low * np.exp(-s / tau) - jump

    return brentq(missing, hold, 1e5, xtol=1e-14, rtol=1e-15) if missing(1e5) > 0.0 else np.inf


def slow(current: float) -> float:
    """The settled interval if adaptation were slow: the plain lif's under the current less its mean b tau_w / T."""
    from scipy.optimize import brentq

    flow = ADAPTIVE["tau_w"][0] * ADAPTIVE["b_w"][0]
    rest = LIF["cm"] / LIF["tau_m"] * (LIF["v_thresh"] - LIF["v_rest"])
    if current <= rest:
        return np.inf
    return 1.0 / brentq(lambda rate: rate - 1.0 / lif(current - flow * rate), 0.0, 1.0 / LIF["tau_refrac"], xtol=1e-14)


def qif(current: float) -> float:
    scale = QIF["a"] / QIF["tau_m"]
    square = scale * (current / QIF["cm"] - scale * (QIF["v_crit"] - QIF["v_rest"]) ** 2 / 4.0)
    if square <= 0.0:
        return np.inf
    q, x = np.sqrt(square), scale * (QIF["v_reset"] - 0.5 * (QIF["v_rest"] + QIF["v_crit"]))
    return QIF["tau_refrac"] + (np.pi / 2.0 - np.arctan(x / q)) / q


def eif(current: float) -> float:
    from scipy.integrate import quad

    delta, theta = EIF["delta_T"], EIF["v_thresh"]
    drive = EIF["v_rest"] + EIF["tau_m"] / EIF["cm"] * current
    if drive - theta + delta <= 0.0:                      # V' is least at v_thresh
        return np.inf

    def pace(v: float) -> float:
        return EIF["tau_m"] / (drive - v + delta * np.exp((v - theta) / delta))

    pieces = ((EIF["v_reset"], theta - 2.0), (theta - 2.0, theta + 2.0), (theta + 2.0, theta + 15.0),
              (theta + 15.0, EIF["v_spike"]))
    return EIF["tau_refrac"] + sum(quad(pace, a, b, epsabs=1e-13, epsrel=1e-13, limit=200)[0] for a, b in pieces)


# ---------------------------------------------------------------------------------------------------- curves
class Curve(NamedTuple):
    """A neuron, where it begins to fire (nA), how far to go, for how long (ms), and the settled period."""

    neuron: Neuron
    onset: float
    most: float
    until: float
    settled: Theory | None = None
    first: Theory | None = None


CURVES = {
    "lif": Curve(LIF, 0.75, 3.0, 2000.0, lif),
    "adaptive lif": Curve(ADAPTIVE, 0.75, 3.0, 4000.0, adaptive, lambda current: adaptive(current, False)),
    "qif": Curve(QIF, 0.125, 0.75, 2000.0, qif),
    "eif": Curve(EIF, 0.65, 2.6, 2000.0, eif),
    "adex": Curve({"model": "adex"}, 0.63, 2.5, 1500.0),
    "hodgkin_huxley": Curve({"model": "hodgkin_huxley"}, 6.27, 50.0, 800.0),
}


def stimulus(name: str, points: int = 40) -> np.ndarray:
    """Currents (nA) from below the onset up, closest together just above it."""
    curve = CURVES[name]
    above = curve.onset + (curve.most - curve.onset) * np.linspace(0.025, 1.0, points) ** 2
    return np.concatenate([curve.onset * np.array([0.5, 0.8, 0.95, 0.995]), above])


def build(name: str, currents: np.ndarray) -> nx.DiGraph:
    """A population of one kind, every neuron with its own current."""
    graph = nx.DiGraph()
    graph.add_node("neurons", **CURVES[name].neuron, size=len(currents), i_offset=currents)
    return graph


def run(name: str, points: int = 40, until: float | None = None) -> dict[str, Any]:
    """First and last intervals (ms; inf: it fell silent), and how far they are from theory."""
    curve, currents = CURVES[name], stimulus(name, points)
    until = until or curve.until
    trains = es.simulate(es.compile(build(name, currents)), until).spikes.trains()
    first = np.array([train[1] - train[0] if len(train) > 1 else np.inf for train in trains])
    last = np.array([train[-1] - train[-2] if len(train) > 1 and until - train[-1] < 2 * (train[-1] - train[-2])
                     else np.inf for train in trains])
    told = {"current": currents, "first": first, "last": last, "spikes": sum(map(len, trains))}
    for what, theory, found in (("settled", curve.settled, last), ("onset", curve.first, first)):
        if theory:
            period = np.array([theory(current) for current in currents])
            seen = np.isfinite(found)
            told[f"{what}_theory"] = period
            told[f"{what}_off"] = float(np.abs(found[seen] / period[seen] - 1.0).max())
            told[f"{what}_missing"] = int(np.sum(~seen & (period < until / 3.0)))
    return told


# ---------------------------------------------------------------------------------------------------- the scenario
def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    facts = []
    for name, how in (("lif", "the closed form"), ("qif", "the closed form"), ("eif", "the quadrature"),
                      ("adaptive lif", "its fixed point")):
        found = outcome[name]
        off = max(found["settled_off"], found.get("onset_off", 0.0))
        facts.append((f"{name}: every period within {off:.0e} of {how}",
                      off < 1e-9 and found["settled_missing"] == 0 and found.get("onset_missing", 0) == 0))
    adex, hh = outcome["adex"], outcome["hodgkin_huxley"]
    lasting = np.isfinite(adex["last"])
    falls = adex["last"][lasting] / adex["first"][lasting]
    facts.append((f"adex adapts: the last interval is {falls.min():.2f} to {falls.max():.2f} times the first",
                  bool(lasting.any()) and falls.min() > 1.5))
    fires = np.flatnonzero(np.isfinite(hh["last"]))
    onset, rate = hh["current"][fires[0]], 1000.0 / hh["last"][fires[0]]
    facts.append((f"hodgkin_huxley is of class 2: silent or a few spikes up to {hh['current'][fires[0] - 1]:.3f} nA, "
                  f"{rate:.1f} Hz at {onset:.3f} nA", 6.2 < onset < 6.4 and 48.0 < rate < 58.0))
    eif_low = 1000.0 / outcome["eif"]["last"][np.isfinite(outcome["eif"]["last"])].max()
    facts.append((f"eif is of class 1: it begins as slowly as one likes, {eif_low:.1f} Hz here", eif_low < 15.0))
    return facts


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         points: int | None = None) -> dict[str, Any]:
    """All six curves; pictures and numbers go into `out`.  `small` takes 12 currents above the onset instead of 40."""
    points = points or (12 if small else 40)
    outcome: dict[str, Any] = {}
    for name in CURVES:
        outcome[name] = run(name, points)
        say(f"{name}: {len(outcome[name]['current'])} currents, {outcome[name]['spikes']:,} spikes")
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome), out / "f_i_curve.png")
        with atomic(out / "f_i_curve.json") as file:
            json.dump({name: {key: [x if np.isfinite(x) else None for x in value.tolist()] if np.ndim(value) else value
                              for key, value in found.items()} for name, found in outcome.items()}, file, indent=1)
        say(f"wrote f_i_curve.png and f_i_curve.json into {out}")
    return outcome


def draw(outcome: Mapping[str, Any]) -> Any:
    """Six curves: lines are theory, dots are simulated."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    for axis, (name, curve) in zip(np.ravel(figure.subplots(2, 3)), CURVES.items(), strict=True):
        found = outcome[name]
        fine = curve.onset + (curve.most - curve.onset) * np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 120)])
        if name == "adaptive lif":
            axis.plot(fine, [1000.0 / lif(i) for i in fine], color=plot.PALE, lw=1.0, ls=(0, (4, 3)))
            axis.plot(fine, [1000.0 / slow(i) for i in fine], color=plot.INK, lw=1.0, ls=(0, (1, 1.5)), zorder=5)
            axis.annotate("without adaptation", (2.2, 1000.0 / lif(2.2)), color=plot.PALE, fontsize=8, ha="right")
            axis.annotate("dotted: if adaptation\nwere slow", (2.05, 1000.0 / slow(2.05)), color=plot.INK, fontsize=8,
                          va="top", xytext=(0, -14), textcoords="offset points")
        for theory, key, colour, label in ((curve.first, "first", FIRST, "first interval"),
                                           (curve.settled, "last", SETTLED, "settled")):
            if theory:
                axis.plot([curve.onset * 0.5, *fine], [0.0, *(1000.0 / theory(i) for i in fine)], color=colour, lw=1.4)
            if key == "last" or curve.first or name == "adex":
                axis.plot(found["current"], 1000.0 / found[key], "o", ms=4.2, color=colour, mec="white", mew=0.6,
                          label=label, clip_on=False)
        off = found.get("settled_off")
        axis.set_title(name, loc="left", fontsize=10.5, color=plot.INK)
        axis.set_title("simulated" if off is None else f"largest deviation from the line {off:.0e}", loc="right",
                       fontsize=8.5, color=plot.PALE)
        axis.set(xlim=(curve.onset * 0.4, curve.most * 1.02), ylim=(0, None), xlabel="current (nA)", ylabel="rate (Hz)")
        if curve.first or name == "adex":
            axis.legend(frameon=False, fontsize=8, loc="upper left")
        if name == "hodgkin_huxley":
            rate = 1000.0 / found["last"].max(where=np.isfinite(found["last"]), initial=0.0)
            axis.annotate(f"class 2: starts at {rate:.0f} Hz", (curve.onset, rate), xytext=(14, -14),
                          textcoords="offset points", fontsize=8.5, color=plot.INK)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(length=3, color=plot.PALE, labelsize=8.5)
    return figure


if __name__ == "__main__":
    main(Path("out/f_i_curve"))
