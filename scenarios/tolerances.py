"""What a tolerance buys: neurons without a closed form, their spikes against multi-precision ones.

These neurons are integrated by a Runge-Kutta method of order 8 that keeps every step's error below rtol and atol.  Each
case is one neuron whose spike times are known to 20 digits and more; a population repeats it with tolerances from 1e-4
to 1e-14, so one run draws its curve: the error of the spikes falls with the tolerance until double precision ends it.

The references were computed once, in 36 to 45 digits, by programs that share nothing with this one: Taylor series of
order 30 (izhikevich, fitzhugh_nagumo, qif, lif_cond; halving their step moved no digit shown), quadrature of dV/V'(V)
(eif) and extrapolation (adex, hodgkin_huxley).
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn import plot
from eventsnn.files import atomic
from eventsnn.models import MODELS

DEFAULT = MODELS["eif"].fields["rtol"].default
TOLERANCES = 10.0 ** -np.arange(4.0, 14.5, 0.5)          # rtol = atol
GOOD = 1e-9                                              # ms: what the default tolerance promises


class Case(NamedTuple):
    neuron: Mapping[str, Any]
    until: float                                         # ms
    spikes: tuple[str, ...]                              # ms
    sine: Mapping[str, float] | None = None              # a current into it


CASES = {
    "eif": Case(
        {"model": "eif", "cm": 0.2, "tau_m": 20.0, "v_rest": -65.0, "v_thresh": -50.0, "delta_T": 2.0, "v_spike": 0.0,
         "v_reset": -60.0, "tau_refrac": 2.0, "i_offset": 0.4},
        50.0, ("13.75748122663214371512105", "26.84470610043461714096334", "39.93193097423709056680563")),
    "adex": Case(
        {"model": "adex", "cm": 0.281, "tau_m": 281.0 / 30.0, "v_rest": -70.5, "v_thresh": -50.5, "delta_T": 2.0,
         "tau_w": 144.0, "a": 0.004, "b": 0.0805, "v_spike": 20.0, "v_reset": -70.5, "tau_refrac": 0.0,
         "i_offset": 1.0},
        90.0, ("11.62234490556422877753480", "24.99094506904977078045590", "40.53126458217776451983503",
               "58.74570262713208367410842", "80.14458539629683835217426")),
    "hodgkin_huxley": Case(
        {"model": "hodgkin_huxley", "i_offset": 10.0},
        40.0, ("1.90142059106831527429650", "16.8250353292804437792493", "31.4763863877648367566046")),
    "izhikevich": Case(
        {"model": "izhikevich", "d": 8.0, "i_offset": 10.0},
        150.0, ("3.4516249154737456391056", "20.5561056005886449292345", "65.4920652773668139699154",
                "110.304478945293383014956")),
    "fitzhugh_nagumo": Case(
        {"model": "fitzhugh_nagumo", "i_offset": 0.5, "v_init": -1.0, "w_init": -0.5, "v_thresh": 0.5},
        60.0, ("2.47264172428315581177512", "43.0183917301523742733201")),
    "qif": Case(
        {"model": "qif", "tau_m": 1.0, "a": 1.0, "v_rest": 0.0, "v_crit": 0.0, "v_init": -1.0, "v_reset": -2.0,
         "v_peak": 16.0, "i_offset": 0.0625},
        40.0, ("6.82377206852919111229374", "17.7364014362178371431551", "30.2008254423962753430229"),
        {"amplitude": 0.125, "frequency": 250.0 / np.pi}),
    "lif_cond": Case(
        {"model": "lif_cond", "tau_m": 16.0, "g_init": [0.25, 0.125], "tau_syn": [5.0, 10.0], "e_rev": [0.0, -80.0],
         "tau_refrac": 0.0},
        40.0, ("1.72530290289225722107692", "5.13691054198945198898935")),
}


def stimulus(name: str) -> dict[str, Any] | None:
    """A case's current node, if it has one."""
    sine = CASES[name].sine
    return {"model": "sine", **sine} if sine else None


def build(name: str, tolerances: np.ndarray) -> nx.DiGraph:
    """The case once for each tolerance."""
    graph = nx.DiGraph()
    graph.add_node("neurons", **CASES[name].neuron, size=len(tolerances), rtol=tolerances, atol=tolerances)
    if (current := stimulus(name)) is not None:
        graph.add_node("current", **current)
        graph.add_edge("current", "neurons")
    return graph


def errors(name: str, tolerances: np.ndarray) -> np.ndarray:
    """The largest error of a spike (ms) at each tolerance; inf where a spike is missing or one too many."""
    case = CASES[name]
    trains = es.simulate(es.compile(build(name, tolerances)), case.until).spikes.trains()
    near = np.array([float(t) for t in case.spikes])
    return np.array([np.abs(train - near).max() if len(train) == len(near) else np.inf for train in trains])


def cost(name: str, tolerance: float, repeat: int) -> float:
    """Processor time per neuron and ms of its life, in microseconds."""
    network = es.compile(build(name, np.full(repeat, tolerance)))
    es.simulate(network, 0.0)
    begun = time.process_time()
    es.simulate(network, CASES[name].until)
    return (time.process_time() - begun) * 1e6 / (repeat * CASES[name].until)


# ---------------------------------------------------------------------------------------------------- the scenario
def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    worst = max(outcome["cases"], key=lambda name: outcome["cases"][name]["default"])
    off = outcome["cases"][worst]["default"]
    facts = [(f"at the default tolerance {DEFAULT:g} no spike is more than {off:.0e} ms off (the worst: {worst})",
              off < GOOD)]
    for name, found in outcome["cases"].items():
        tight = found["error"][found["tolerance"] >= 1e-13].min()
        loose = found["error"][np.isfinite(found["error"])][0]
        facts.append((f"{name}: from {loose:.0e} ms down to {tight:.0e}, as tolerance^{found['order']:.2f}",
                      tight < GOOD and tight < 1e-5 * loose and found["order"] > 0.6))
    return facts


def order(tolerances: np.ndarray, found: np.ndarray) -> float:
    """The slope on log-log axes, down to where double precision interferes."""
    good = (found > 1e-11) & np.isfinite(found)
    return float(np.polyfit(np.log(tolerances[good]), np.log(found[good]), 1)[0])


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         repeat: int | None = None) -> dict[str, Any]:
    """All cases at all tolerances; `small` repeats the measurement of time less often.

    repeat  neurons in a measurement of time
    """
    repeat = repeat or (10 if small else 100)
    outcome: dict[str, Any] = {"default_tolerance": DEFAULT, "cases": {}}
    for name in CASES:
        found = errors(name, TOLERANCES)
        costs = [cost(name, tolerance, repeat) for tolerance in TOLERANCES[::2]]
        outcome["cases"][name] = {
            "tolerance": TOLERANCES, "error": found, "default": float(errors(name, np.array([DEFAULT]))[0]),
            "order": order(TOLERANCES, found), "microseconds_per_ms": np.array(costs)}
        say(f"{name}: {outcome['cases'][name]['default']:.1e} ms off at the default, "
            f"{costs[0]:.1f} us per ms at 1e-4, {costs[-1]:.1f} at 1e-14")
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome), out / "tolerances.png")
        with atomic(out / "tolerances.json") as file:
            json.dump(outcome, file, indent=1, default=np.ndarray.tolist)
        say(f"wrote tolerances.png and tolerances.json into {out}")
    return outcome


def draw(outcome: Mapping[str, Any]) -> Any:
    """Error against tolerance, and what an error costs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.25, 1])
    marks = "osD^vP*"
    left.plot([1e-4, 1e-14], [1e-4, 1e-14], color=plot.PALE, lw=0.9, ls=(0, (4, 3)), label="error in ms = tolerance")
    left.axvline(outcome["default_tolerance"], color=plot.INK, lw=0.8, ls=(0, (1, 1.5)))
    left.annotate("default", (outcome["default_tolerance"], 3e-3), xytext=(-4, 0), textcoords="offset points",
                  ha="right", rotation=90, va="top", fontsize=8, color=plot.INK)
    colours = (*plot.COLOURS, plot.INK)
    for (name, found), colour, mark in zip(outcome["cases"].items(), colours, marks, strict=True):
        look = {"color": colour, "marker": mark, "ms": 4.5, "lw": 1.2, "mec": "white", "mew": 0.5}
        floor = np.maximum(found["error"], 1e-16)                     # an error of 0 has no logarithm
        left.loglog(found["tolerance"], floor, label=f"{name}, {found['default']:.0e} ms at the default", **look)
        right.loglog(found["microseconds_per_ms"], floor[::2], label=name, **look)
    for axis in (left, right):
        axis.axhspan(1e-17, 1e-14, color=plot.PALE, alpha=0.12, lw=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(which="both", length=3, color=plot.PALE, labelsize=8.5)
        axis.grid(color=plot.PALE, alpha=0.15, lw=0.6)
    left.annotate("a double's last digit", (1.3e-13, 6e-15), fontsize=8, color=plot.PALE, ha="right", va="top")
    left.set(xlabel="tolerance, rtol = atol", ylabel="largest error of a spike (ms)", ylim=(5e-17, 3e-2))
    left.invert_xaxis()
    left.legend(frameon=False, fontsize=8, loc="lower left")
    left.set_title("spike times converge to the multi-precision ones", loc="left", fontsize=10.5)
    right.set(xlabel="processor time per neuron and ms simulated (µs)")
    right.set_title("and what that costs", loc="left", fontsize=10.5)
    return figure


if __name__ == "__main__":
    main(Path("out/tolerances"))
