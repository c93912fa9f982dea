"""The seed: one integrate-and-fire membrane, exact, and beside the forward Euler of the notebook it all grew from.

    C dU/dt = I(t) - U/R;   a spike where U >= theta, then U := u_rest;   U(0) = u_rest

The notebook steps with dt = 0.01 ms over [0, 100) ms.  Every step is a little wrong, every spike falls on the grid, and
the errors add up from spike to spike: with its own parameters it gets the spike count wrong on 41 of the 101 positions
of its current slider.  Here are its figures with constant, stepped, doubled and decaying currents.
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

UNTIL, DT = 100.0, 0.01                                   # ms
EXACT, EULER, CURRENT = plot.FIRST, plot.SECOND, "#5b8c3a"


class Membrane(NamedTuple):
    R: float              # MOhm
    C: float              # nF
    theta: float          # mV
    u_rest: float         # mV: start and reset; the leak goes to 0


class Section(NamedTuple):
    """One figure of the notebook: a membrane and the current into it, as a formula and as the simulator takes it."""

    title: str
    membrane: Membrane
    current: Callable[[np.ndarray], np.ndarray]      # nA at times in ms
    sources: Mapping[str, Mapping[str, Any]] = {}    # current nodes
    attributes: Mapping[str, Any] = {}               # of the neuron itself


FIRST = Membrane(R=6.4, C=0.9, theta=5.0, u_rest=0.4)
THIRD = Membrane(R=3.3, C=1.0, theta=7.5, u_rest=0.2)
FOURTH = Membrane(R=5.0, C=0.5, theta=5.0, u_rest=0.0)


def decaying(title: str, peak: float, tau: float) -> Section:
    """I = peak exp(-t/tau): what is left of a synaptic current that stood at its peak at t = 0."""
    return Section(title, FOURTH, lambda t: peak * np.exp(-t / tau),
                   attributes={"synapse": "exp", "tau_syn": [tau], "i_init": [peak]})


SECTIONS = {
    "constant": Section("one constant current", FIRST, lambda t: np.full_like(t, 0.8),
                        {"I": {"model": "dc", "amplitude": 0.8}}),
    "step": Section("a step of current", FIRST, lambda t: np.where((t >= 20) & (t < 80), 1.2, 0.0),
                    {"I": {"model": "steps", "times": [20.0, 80.0], "amplitudes": [1.2, 0.0]}}),
    "two currents": Section("two constant currents", THIRD, lambda t: np.full_like(t, 1.0 + 1.3),
                            {"I1": {"model": "dc", "amplitude": 1.0}, "I2": {"model": "dc", "amplitude": 1.3}}),
    "scenario 1": decaying("1: high peak, short", 10.0, 10.0),
    "scenario 2": decaying("2: low peak, long", 1.0, 100.0),
    "scenario 3": decaying("3: high peak, long", 10.0, 100.0),
    "scenario 4": decaying("4: low peak, short", 1.0, 10.0),
}


def stimulus(name: str) -> tuple[Callable[[np.ndarray], np.ndarray], Mapping[str, Mapping[str, Any]]]:
    """A section's current: I(t), and the nodes that inject it."""
    return SECTIONS[name].current, SECTIONS[name].sources


def build(name: str = "constant", currents: np.ndarray | None = None) -> nx.DiGraph:
    """A section's membrane with its current; with `currents` (nA), one membrane for each of these constant ones."""
    m, g = SECTIONS[name].membrane, nx.DiGraph()
    neuron = {"model": "lif", "tau_m": m.R * m.C, "cm": m.C, "v_rest": 0.0, "v_init": m.u_rest, "v_reset": m.u_rest,
              "v_thresh": m.theta, "tau_refrac": 0.0}
    if currents is not None:
        g.add_node("membrane", **neuron, size=len(currents), i_offset=currents)
        return g
    g.add_node("membrane", **neuron, **SECTIONS[name].attributes)
    for node, attributes in SECTIONS[name].sources.items():
        g.add_node(node, **attributes)
        g.add_edge(node, "membrane")
    return g


def euler(current: np.ndarray, m: Membrane) -> tuple[np.ndarray, list[np.ndarray]]:
    """The notebook's loop, for all columns of `current` (steps, n) at once: U at every step, and the spike times."""
    t = np.arange(0, UNTIL, DT)
    u = np.full(current.shape, m.u_rest)
    fired = np.zeros(current.shape, bool)
    for i in range(1, len(t)):
        u[i] = u[i - 1] + (current[i] - u[i - 1] / m.R) / m.C * DT
        fired[i] = u[i] >= m.theta
        u[i, fired[i]] = m.u_rest
    return u, [t[column] for column in fired.T]


def run(name: str) -> dict[str, Any]:
    """One section, both ways."""
    section, t = SECTIONS[name], np.arange(0, UNTIL, DT)
    result = es.simulate(es.compile(build(name)), until=UNTIL, record={"membrane": ["v"]}, record_at=t[::2])
    u, (times,) = euler(section.current(t)[:, None], section.membrane)
    return {"title": section.title, "theta": section.membrane.theta, "t": t[::2], "current": section.current(t[::2]),
            "exact": result.spikes.time, "euler": times,
            "v": result.recorded["membrane"]["v"][:, 0], "u": u[::2, 0]}


def sweep() -> dict[str, np.ndarray]:
    """Section 1 at all 101 positions of its slider, I = 0, 0.1, ... 10: the spike counts."""
    slider = np.arange(101) / 10
    result = es.simulate(es.compile(build("constant", slider)), until=UNTIL)
    _, times = euler(np.tile(slider, (len(np.arange(0, UNTIL, DT)), 1)), FIRST)
    return {"I": slider, "exact": np.array([len(train) for train in result.spikes.trains()]),
            "euler": np.array([len(train) for train in times])}


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true.  Counts are from a closed form of the period."""
    constant, third, slider = outcome["sections"]["constant"], outcome["sections"]["scenario 3"], outcome["sweep"]
    early = float(constant["exact"][-1] - constant["euler"][-1]) if len(constant["euler"]) else np.inf
    m = FIRST
    with np.errstate(divide="ignore", invalid="ignore"):
        period = m.R * m.C * np.log((m.R * slider["I"] - m.u_rest) / (m.R * slider["I"] - m.theta))
        count = np.where(m.R * slider["I"] > m.theta, np.ceil(UNTIL / period) - 1, 0)
    wrong = int(np.sum(slider["exact"] != slider["euler"]))
    return [
        (f"constant current: {len(constant['exact'])} spikes against Euler's {len(constant['euler'])}, "
         f"its last {early:.3f} ms early",
         len(constant["exact"]) == len(constant["euler"]) == 4 and abs(early - 0.045) < 0.0005),
        (f"decaying current, scenario 3: {len(third['exact'])} spikes against Euler's {len(third['euler'])}",
         (len(third["exact"]), len(third["euler"])) == (232, 229)),
        (f"the current slider: Euler's spike count is wrong on {wrong} of {len(slider['I'])} positions", wrong == 41),
        (f"at I = 9.4: {slider['exact'][94]} spikes against Euler's {slider['euler'][94]}",
         (slider["exact"][94], slider["euler"][94]) == (216, 212)),
        ("all exact counts equal the closed form of the period", bool(np.all(slider["exact"] == count))),
    ]


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print) -> dict[str, Any]:
    """All sections and the sweep; pictures and numbers go into `out`.  It is small already."""
    outcome: dict[str, Any] = {"sections": {name: run(name) for name in SECTIONS}, "sweep": sweep()}
    for name, s in outcome["sections"].items():
        n = min(len(s["exact"]), len(s["euler"]))
        apart = f", up to {np.abs(s['exact'][:n] - s['euler'][:n]).max():.3f} ms apart" if n else ""
        say(f"{name}: {len(s['exact'])} spikes exact, {len(s['euler'])} by Euler{apart}")
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        sections, out = outcome["sections"], Path(out)
        few, grid = list(sections.values())[:3], list(sections.values())[3:]
        plot.save(draw_sweep(outcome["sweep"]), out / "seed_slider.png")
        plot.save(draw_sections(few), out / "seed_currents.png")
        plot.save(draw_sections(grid), out / "seed_scenarios.png")
        with atomic(out / "seed.json") as file:
            json.dump({"sections": {name: {"exact_ms": s["exact"].tolist(), "euler_ms": s["euler"].tolist()}
                                    for name, s in sections.items()},
                       "slider": {name: values.tolist() for name, values in outcome["sweep"].items()}}, file, indent=1)
        say(f"wrote seed_slider.png, seed_currents.png, seed_scenarios.png and seed.json into {out}")
    return outcome


def draw_sections(sections: list[Mapping[str, Any]]) -> Any:
    """Rows of I(t) and V(t), spikes on top: exact in front, Euler behind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.0 + 2.0 * len(sections)), layout="constrained")
    axes = figure.subplots(len(sections), 2, sharex=True, width_ratios=[1, 2.2], squeeze=False)
    for (left, right), s in zip(axes, sections, strict=True):
        left.fill_between(s["t"], s["current"], color=CURRENT, alpha=0.25, lw=0)
        left.plot(s["t"], s["current"], color=CURRENT, lw=1.4)
        left.set(ylabel="I (nA)", ylim=(0, 1.25 * s["current"].max()))
        left.set_title(s["title"], loc="left", fontsize=10)
        theta, crowded = s["theta"], len(s["exact"]) > 60
        thin = 0.6 if crowded else 1.3
        right.axhline(theta, color="0.6", lw=0.8, ls=(0, (4, 3)))
        if not crowded:                                   # two dense traces over each other would tell nothing
            right.plot(s["t"], s["u"], color=EULER, lw=thin)
        right.plot(s["t"], s["v"], color=EXACT, lw=thin)
        for times, colour, low in ((s["exact"], EXACT, 1.12), (s["euler"], EULER, 1.30)):
            right.vlines(times, low * theta, (low + 0.14) * theta, color=colour, lw=thin)
        right.set(ylabel="V (mV)", ylim=(0, 1.5 * theta), xlim=(0, UNTIL))
        right.set_title(f"exact: {len(s['exact'])} spikes", loc="left", fontsize=10, color=EXACT)
        right.set_title(f"Euler: {len(s['euler'])} spikes", loc="right", fontsize=10, color=EULER)
    for axis in axes[-1]:
        axis.set_xlabel("t (ms)")
    _quiet(axes)
    return figure


def draw_sweep(sweep: Mapping[str, np.ndarray]) -> Any:
    """Spike counts along the slider, and what Euler misses."""
    from matplotlib.figure import Figure

    missed = sweep["exact"] - sweep["euler"]
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    top, bottom = axes = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.plot(sweep["I"], sweep["exact"], color=EXACT, lw=1.6, label="exact")
    top.plot(sweep["I"], sweep["euler"], ".", color=EULER, ms=4, label="Euler, dt = 0.01 ms")
    top.set(ylabel="spikes in 100 ms", ylim=(0, None))
    wrong = np.count_nonzero(missed)
    top.set_title(f"Euler's spike count is wrong on {wrong} of {len(missed)} positions of the slider", loc="left")
    top.legend(frameon=False, loc="upper left")
    bottom.bar(sweep["I"], missed, width=0.07, color=EULER)
    bottom.set(ylabel="spikes Euler misses", xlabel="constant current I (nA)", xlim=(-0.1, 10.1))
    bottom.yaxis.get_major_locator().set_params(integer=True)
    _quiet(axes)
    return figure


def _quiet(axes: Any) -> None:
    for axis in np.ravel(axes):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(length=3, color="0.6", labelsize=9)


if __name__ == "__main__":
    main(Path("out/seed"))
