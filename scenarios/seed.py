"""The seed: one integrate-and-fire membrane, exact, and beside the forward Euler of the notebook it all grew from.

    C dU/dt = I(t) - (U - leak)/R;   a spike where U >= theta, then U := reset

The notebook steps with dt = 0.01 ms.  Every step is a little wrong, every spike falls on the grid, and the errors add
up from spike to spike: with its own parameters it gets the spike count wrong on 41 of the 101 positions of its current
slider.  Here are all its figures, and its sliders:

    eventsnn scenario seed                                     every section as the notebook shows it
    eventsnn scenario seed --section sine --I_max 3 --f 0.2    one section, with sliders moved
    eventsnn scenario seed --section sine --slider I_max       one section, and a slider moved from end to end
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn import plot
from eventsnn.errors import Mistake, nearest
from eventsnn.files import atomic

UNTIL, DT = 100.0, 0.01                                   # ms
EXACT, EULER, CURRENT = plot.FIRST, plot.SECOND, "#5b8c3a"
Nodes = Mapping[str, Mapping[str, Any]]                   # current nodes: their attributes by name


class Membrane(NamedTuple):
    R: Any                # MOhm; each a number, or an array of them
    C: Any                # nF
    theta: Any            # mV
    start: Any            # mV
    reset: Any            # mV
    leak: Any = 0.0       # mV: where U goes without current


class Slider(NamedTuple):
    low: float
    high: float
    step: float
    default: float


class Section(NamedTuple):
    """One figure of the notebook: its sliders, and what a setting of them means."""

    title: str
    sliders: Mapping[str, Slider]
    setup: Callable[..., tuple[Membrane, Nodes]]


# ---------------------------------------------------------------------------------------------------- the notebook
def dc(amplitude: Any) -> dict[str, Any]:
    return {"model": "dc", "amplitude": amplitude}


def constant(I: Any, R: Any, C: Any, theta: Any, u_rest: Any) -> tuple[Membrane, Nodes]:  # noqa: E741, N803
    """Section 1.  U starts at u_rest and is reset to it, but the leak goes to 0."""
    return Membrane(R, C, theta, u_rest, u_rest), {"I": dc(I)}


def step(I: Any, R: Any, C: Any, theta: Any, u_rest: Any) -> tuple[Membrane, Nodes]:  # noqa: E741, N803
    """The post's step of current."""
    return Membrane(R, C, theta, u_rest, u_rest), {"I": {**dc(I), "start": 20.0, "stop": 80.0}}


def odd_sine(u_rest: Any, u_r: Any, theta: Any, R: Any, tau_m: Any, t_max: Any) -> tuple[Membrane, Nodes]:  # noqa: N803
    """Section 2a, du = (u_rest - u + R I/tau_m) dt/tau_m with I = sin t, its dimensions as they are: a membrane of time
    constant tau_m that the current moves by R/tau_m instead of R; 1 MOhm under (R/tau_m) sin t, then.

    As the notebook sets it, U starts above theta: there is a spike at t = 0 (Euler's loop looks one step later).
    """
    sine = {"model": "sine", "amplitude": R / tau_m, "frequency": 500.0 / np.pi}
    return Membrane(1.0, tau_m, theta, u_rest, u_r, u_rest), {"I": sine}


def sine(I_max: Any, f: Any, R: Any, C: Any, theta: Any) -> tuple[Membrane, Nodes]:  # noqa: N803
    """Section 2b, I = I_max sin(2 pi f t) with f per ms."""
    return Membrane(R, C, theta, 0.0, 0.0), {"I": {"model": "sine", "amplitude": I_max, "frequency": 1000.0 * f}}


def two(I1: Any, I2: Any, R: Any, C: Any, theta: Any, u_rest: Any) -> tuple[Membrane, Nodes]:  # noqa: N803
    """Section 3: currents add up."""
    return Membrane(R, C, theta, u_rest, u_rest), {"I1": dc(I1), "I2": dc(I2)}


def decaying(I_peak: Any, tau: Any, R: Any, C: Any, theta: Any) -> tuple[Membrane, Nodes]:  # noqa: N803
    """Section 4, I = I_peak e^{-t/tau}: what is left of a synaptic current."""
    return Membrane(R, C, theta, 0.0, 0.0), {"I": {"model": "decay", "amplitude": I_peak, "tau": tau}}


def around(sliders: Mapping[str, Slider], **defaults: float) -> dict[str, Slider]:
    return {name: slider._replace(default=defaults.get(name, slider.default)) for name, slider in sliders.items()}


FIRST = {"I": Slider(0, 10, 0.1, 0.8), "R": Slider(1, 10, 0.1, 6.4), "C": Slider(0.1, 1, 0.05, 0.9),
         "theta": Slider(1, 10, 0.5, 5.0), "u_rest": Slider(0, 1, 0.05, 0.4)}
ODD = {"u_rest": Slider(-100, 100, 1, 48.4), "u_r": Slider(-100, 100, 1, -70), "theta": Slider(-100, 100, 1, 48.2),
       "R": Slider(0, 100, 1, 100), "tau_m": Slider(0, 100, 1, 6.3), "t_max": Slider(0, 1000, 10, 100)}
SINE = {"I_max": Slider(0, 10, 0.1, 1), "f": Slider(0.01, 1, 0.01, 0.1), "R": FIRST["R"]._replace(default=5.0),
        "C": FIRST["C"]._replace(default=0.5), "theta": FIRST["theta"]}
TWO = {"I1": FIRST["I"]._replace(default=1.0), "I2": FIRST["I"]._replace(default=1.3),
       **around({name: FIRST[name] for name in ("R", "C", "theta", "u_rest")}, R=3.3, C=1.0, theta=7.5, u_rest=0.2)}
FOUR = {"I_peak": Slider(0, 10, 0.1, 10), "tau": Slider(1, 100, 1, 10),          # ours: the notebook has none here
        **{name: SINE[name] for name in ("R", "C", "theta")}}
SECTIONS = {
    "constant": Section("one constant current", FIRST, constant),
    "step": Section("a step of current", around(FIRST, I=1.2), step),
    "two currents": Section("two constant currents", TWO, two),
    "odd sine": Section("a sine, dimensions as they are", ODD, odd_sine),
    "sine": Section("a sine", SINE, sine),
    "scenario 1": Section("1: high peak, short", around(FOUR, I_peak=10, tau=10), decaying),
    "scenario 2": Section("2: low peak, long", around(FOUR, I_peak=1, tau=100), decaying),
    "scenario 3": Section("3: high peak, long", around(FOUR, I_peak=10, tau=100), decaying),
    "scenario 4": Section("4: low peak, short", around(FOUR, I_peak=1, tau=10), decaying),
}


def settings(name: str, moved: Mapping[str, float]) -> dict[str, float]:
    """Where a section's sliders stand, when some are moved; `Mistake` for what no slider can do."""
    if name not in SECTIONS:
        raise Mistake(f"the seed has no section {name!r}{nearest(name, SECTIONS)}")
    sliders = SECTIONS[name].sliders
    for key, value in moved.items():
        if key not in sliders:
            raise Mistake(f"section {name!r} has no slider {key!r}{nearest(key, sliders)}")
        if not sliders[key].low <= value <= sliders[key].high:
            raise Mistake(f"section {name!r}: {key} = {value:g} is outside its slider's range, "
                          f"{sliders[key].low:g} to {sliders[key].high:g}")
        if value == 0.0 and key in ("tau_m", "t_max"):
            raise Mistake(f"section {name!r}: {key} = 0 leaves nothing to simulate: move it above 0")
    values = {key: moved.get(key, slider.default) for key, slider in sliders.items()}
    membrane, _ = SECTIONS[name].setup(**values)
    if membrane.reset >= membrane.theta:
        key = "u_r" if "u_r" in sliders else "u_rest"
        raise Mistake(f"section {name!r}: {key} = {membrane.reset:g} is not below theta = {membrane.theta:g}, the "
                      f"membrane would fire endlessly: move {key} down or theta up")
    return values


# ---------------------------------------------------------------------------------------------------- two ways
def stimulus(name: str, **values: Any) -> Nodes:
    """A section's current nodes."""
    return SECTIONS[name].setup(**{**settings(name, {}), **values})[1]


def build(name: str = "constant", **values: Any) -> nx.DiGraph:
    """A section's membrane with its currents; where a value is an array, one membrane for each entry."""
    (m, nodes), g = SECTIONS[name].setup(**{**settings(name, {}), **values}), nx.DiGraph()
    size = max(np.size(value) for value in values.values()) if values else 1
    g.add_node("membrane", model="lif", size=size, tau_m=m.R * m.C, cm=m.C, v_rest=m.leak, v_init=m.start,
               v_reset=m.reset, v_thresh=m.theta, tau_refrac=0.0)
    for node, attributes in nodes.items():
        g.add_node(node, size=size, **attributes)
        g.add_edge(node, "membrane", rule="one_to_one")
    return g


def waves(nodes: Nodes) -> Iterator[tuple[Any, Any, float, float]]:
    """The currents as Re(a e^{l t}) on [start, stop): a (nA), l (1/ms), start and stop (ms)."""
    for node in nodes.values():
        rate = {"dc": 0.0, "sine": 2j * np.pi * node.get("frequency", 0.0) / 1000.0,
                "decay": -1.0 / node.get("tau", np.inf)}[node["model"]]
        amplitude = node["amplitude"] * (-1j if node["model"] == "sine" else 1.0)
        yield amplitude, rate, node.get("start", 0.0), node.get("stop", np.inf)


def current(nodes: Nodes, t: Any) -> Any:
    """I (nA) at times t (ms)."""
    return sum(np.where((t >= start) & (t < stop), (a * np.exp(rate * t)).real, 0.0)
               for a, rate, start, stop in waves(nodes))


def euler(m: Membrane, nodes: Nodes, until: float, size: int = 1) -> tuple[np.ndarray, list[np.ndarray]]:
    """The notebook's loop, for `size` membranes at once: U (steps, size) at every step, and the spike times of each."""
    t = np.arange(0, until, DT)
    u, fired = np.empty((len(t), size)), np.zeros((len(t), size), bool)
    u[0] = m.start
    flow = np.broadcast_to(current(nodes, t[:, None]), u.shape)
    for i in range(1, len(t)):
        u[i] = u[i - 1] + (flow[i] - (u[i - 1] - m.leak) / m.R) / m.C * DT
        fired[i] = u[i] >= m.theta
        u[i] = np.where(fired[i], m.reset, u[i])
    return u, [t[column] for column in fired.T]


def answer(m: Membrane, nodes: Nodes, u: Any, since: Any, t: Any) -> Any:
    """U at t from U = u at `since`: the currents through the membrane's kernel e^{-(t - t')/RC}, integrated by hand."""
    tau = m.R * m.C
    total = m.leak + (u - m.leak) * np.exp(-(t - since) / tau)
    for a, rate, start, stop in waves(nodes):
        left, right = np.maximum(since, start), np.minimum(t, stop)
        k = rate + 1.0 / tau
        grown = (np.exp(rate * right - (t - right) / tau) - np.exp(rate * left - (t - left) / tau)) / k \
            if abs(k) > 1e-9 else (right - left) * np.exp(rate * right - (t - right) / tau)
        total = total + np.where(right > left, (a / m.C * grown).real, 0.0)
    return total


def run(name: str, **moved: float) -> dict[str, Any]:
    """One section, both ways, and how far the exact run is from the membrane's formula."""
    values = settings(name, moved)
    m, nodes = SECTIONS[name].setup(**values)
    until = values.get("t_max", UNTIL)
    t = np.arange(0, until, DT)[::max(int(until / UNTIL), 1) * 2]
    result = es.simulate(es.compile(build(name, **values)), until=until, record={"membrane": ["v"]}, record_at=t)
    u, (times,) = euler(m, nodes, until)
    spikes = result.spikes.time
    since, first = np.append(0.0, spikes), np.append(m.start, np.full(len(spikes), m.reset))
    ends = np.append(spikes, until)
    within = since + (ends - since) * np.linspace(0, 1, 201)[:, None]
    course = answer(m, nodes, first, since, within)[:, ends > since]        # a spike at 0 has no course before it
    return {"title": SECTIONS[name].title, "values": values, "theta": m.theta, "until": until, "t": t,
            "current": current(nodes, t), "exact": spikes, "euler": times,
            "v": result.recorded["membrane"]["v"][:, 0], "u": u[np.rint(t / DT).astype(int), 0],
            "off": float(np.abs(course[-1, :-1] - m.theta).max(initial=0.0)),
            "above": float((course - m.theta).max())}


def sweep(name: str = "constant", slider: str = "I", **moved: float) -> dict[str, Any]:
    """One section at all positions of one of its sliders that mean something: the spike counts."""
    sliders = SECTIONS[name].sliders
    if slider not in sliders or slider == "t_max":
        raise Mistake(f"section {name!r} has no slider {slider!r} to move"
                      f"{nearest(slider, [key for key in sliders if key != 't_max'])}")
    low, high, by, _ = sliders[slider]
    positions = np.array([x for x in np.round(low + by * np.arange(round((high - low) / by) + 1), 10)
                          if not senseless(name, {**moved, slider: x})])
    values: dict[str, Any] = {**settings(name, moved), slider: positions}
    until = values.get("t_max", UNTIL)
    result = es.simulate(es.compile(build(name, **values)), until=until)
    _, times = euler(*SECTIONS[name].setup(**values), until, len(positions))
    return {"section": name, "slider": slider, "until": until, "position": positions,
            "exact": np.array([len(train) for train in result.spikes.trains()]),
            "euler": np.array([len(train) for train in times])}


def senseless(name: str, moved: Mapping[str, float]) -> bool:
    try:
        settings(name, moved)
    except Mistake:
        return True
    return False


# ---------------------------------------------------------------------------------------------------- the scenario
def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    sections, moved = outcome["sections"], outcome["sweep"]
    off, above = (max(s[what] for s in sections.values()) for what in ("off", "above"))
    facts = [(f"by the membrane's own formula U stands {off:.1e} mV or less from theta at every exact spike",
              off < 1e-10),
             (f"and never above theta between them (at most {above:.1e} mV, at a spike)", above < 1e-10)]
    if not outcome["whole"]:
        return facts
    constant, third, odd = (sections[name] for name in ("constant", "scenario 3", "odd sine"))
    early = float(constant["exact"][-1] - constant["euler"][-1]) if len(constant["euler"]) else np.inf
    m, _ = SECTIONS["constant"].setup(**constant["values"])
    settled = m.R * moved["position"]
    with np.errstate(divide="ignore", invalid="ignore"):
        period = m.R * m.C * np.log((settled - m.reset) / (settled - m.theta))
        count = np.where(settled > m.theta, np.ceil(UNTIL / period) - 1, 0)
    silent, wrong = sections["sine"], np.count_nonzero(moved["exact"] != moved["euler"])
    return [
        *facts,
        (f"constant current: {len(constant['exact'])} spikes against Euler's {len(constant['euler'])}, "
         f"its last {early:.3f} ms early",
         len(constant["exact"]) == len(constant["euler"]) == 4 and abs(early - 0.045) < 0.0005),
        (f"decaying current, scenario 3: {len(third['exact'])} spikes against Euler's {len(third['euler'])}",
         (len(third["exact"]), len(third["euler"])) == (232, 229)),
        (f"odd sine: U starts above theta and there is a spike at t = {odd['exact'][0]:g} ms, "
         f"with Euler at {odd['euler'][0]:g}", (odd["exact"][0], odd["euler"][0]) == (0.0, DT)),
        (f"sine: {len(silent['exact'])} spikes, U reaches {silent['v'].max():.2f} of {silent['theta']:g} mV",
         len(silent["exact"]) == len(silent["euler"]) == 0),
        (f"the current slider: Euler's spike count is wrong on {wrong} of {len(moved['exact'])} positions",
         wrong == 41),
        (f"at I = 9.4: {moved['exact'][94]} spikes against Euler's {moved['euler'][94]}",
         (moved["exact"][94], moved["euler"][94]) == (216, 212)),
        ("all exact counts equal the closed form of the period", bool(np.all(moved["exact"] == count))),
    ]


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         section: str | None = None, slider: str | None = None,
         I: float | None = None, I1: float | None = None, I2: float | None = None,            # noqa: E741, N803
         I_max: float | None = None, I_peak: float | None = None, tau: float | None = None,   # noqa: N803
         f: float | None = None, R: float | None = None, C: float | None = None,              # noqa: N803
         theta: float | None = None, u_rest: float | None = None, u_r: float | None = None,
         tau_m: float | None = None, t_max: float | None = None) -> dict[str, Any]:
    """All sections and the sweep of the current; or one `section`, its sliders where they are put.

    Pictures and numbers go into `out`.  It is small already.
    """
    given = {"I": I, "I1": I1, "I2": I2, "I_max": I_max, "I_peak": I_peak, "tau": tau, "f": f, "R": R, "C": C,
             "theta": theta, "u_rest": u_rest, "u_r": u_r, "tau_m": tau_m, "t_max": t_max}
    moved = {name: value for name, value in given.items() if value is not None}
    if section is None and (moved or slider):
        raise Mistake(f"{next(iter(moved), 'slider')} belongs to one section: say which, section=NAME "
                      f"(there is: {', '.join(SECTIONS)})")
    if section is None:
        outcome: dict[str, Any] = {"sections": {name: run(name) for name in SECTIONS}, "sweep": sweep(), "whole": True}
    else:
        outcome = {"sections": {section: run(section, **moved)}, "whole": False,
                   "sweep": sweep(section, slider, **moved) if slider else None}
    for name, s in outcome["sections"].items():
        n = min(len(s["exact"]), len(s["euler"]))
        apart = f", up to {np.abs(s['exact'][:n] - s['euler'][:n]).max():.3f} ms apart" if n else ""
        say(f"{name}: {len(s['exact'])} spikes exact, {len(s['euler'])} by Euler{apart}")
    if slider:
        counts = outcome["sweep"]
        say(f"slider {slider}: Euler's spike count is wrong on {np.count_nonzero(counts['exact'] != counts['euler'])} "
            f"of {len(counts['exact'])} positions")
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        say(f"wrote {', '.join(write(outcome, Path(out)))} into {out}")
    return outcome


def write(outcome: Mapping[str, Any], out: Path) -> list[str]:
    """The pictures and the numbers; their names."""
    sections, moved = outcome["sections"], outcome["sweep"]
    names = list(sections)
    pictures = {"seed_currents": names[:3], "seed_sines": names[3:5], "seed_scenarios": names[5:]} \
        if outcome["whole"] else {f"seed_{names[0].replace(' ', '_')}": names}
    for picture, chosen in pictures.items():
        plot.save(draw_sections([sections[name] for name in chosen]), out / f"{picture}.png")
    if moved is not None:
        plot.save(draw_sweep(moved), out / "seed_slider.png")
        pictures["seed_slider"] = []
    with atomic(out / "seed.json") as file:
        json.dump({"sections": {name: {"values": s["values"], "exact_ms": s["exact"].tolist(),
                                       "euler_ms": s["euler"].tolist()} for name, s in sections.items()},
                   "slider": moved}, file, indent=1, default=np.ndarray.tolist)
    return [*(f"{picture}.png" for picture in pictures), "seed.json"]


def draw_sections(sections: list[Mapping[str, Any]]) -> Any:
    """Rows of I(t) and V(t), spikes on top: exact in front, Euler behind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.0 + 2.0 * len(sections)), layout="constrained")
    axes = figure.subplots(len(sections), 2, sharex=True, width_ratios=[1, 2.2], squeeze=False)
    for (left, right), s in zip(axes, sections, strict=True):
        left.fill_between(s["t"], s["current"], color=CURRENT, alpha=0.25, lw=0)
        left.plot(s["t"], s["current"], color=CURRENT, lw=1.4)
        most = 1.25 * (np.abs(s["current"]).max() or 1.0)
        left.set(ylabel="I (nA)", ylim=(-most if s["current"].min() < 0 else 0, most))
        left.set_title(s["title"], loc="left", fontsize=10)
        theta, crowded = s["theta"], max(len(s["exact"]), len(s["euler"])) > 60
        low, high = min(s["v"].min(), 0.0), max(theta, s["v"].max())
        height, thin = high - low, 0.6 if crowded else 1.3
        right.axhline(theta, color="0.6", lw=0.8, ls=(0, (4, 3)))
        if not crowded:                                   # two dense traces over each other would tell nothing
            right.plot(s["t"], s["u"], color=EULER, lw=thin)
        right.plot(s["t"], s["v"], color=EXACT, lw=thin)
        for times, colour, row in ((s["exact"], EXACT, 0.12), (s["euler"], EULER, 0.30)):
            right.vlines(times, high + row * height, high + (row + 0.14) * height, color=colour, lw=thin)
        right.set(ylabel="V (mV)", ylim=(low - 0.05 * height * (low < 0), high + 0.5 * height),
                  xlim=(-0.002 * s["until"], s["until"]))
        right.set_title(f"exact: {len(s['exact'])} spikes", loc="left", fontsize=10, color=EXACT)
        right.set_title(f"Euler: {len(s['euler'])} spikes", loc="right", fontsize=10, color=EULER)
    for axis in axes[-1]:
        axis.set_xlabel("t (ms)")
    _quiet(axes)
    return figure


def draw_sweep(sweep: Mapping[str, Any]) -> Any:
    """Spike counts along the slider, and what Euler misses."""
    from matplotlib.figure import Figure

    missed, position, name = sweep["exact"] - sweep["euler"], sweep["position"], sweep["slider"]
    gap = float(np.diff(position).min())
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    top, bottom = axes = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.plot(position, sweep["exact"], color=EXACT, lw=1.6, label="exact")
    top.plot(position, sweep["euler"], ".", color=EULER, ms=4, label="Euler, dt = 0.01 ms")
    top.set(ylabel=f"spikes in {sweep['until']:g} ms", ylim=(0, None))
    wrong = np.count_nonzero(missed)
    top.set_title(f"Euler's spike count is wrong on {wrong} of {len(missed)} positions of the slider", loc="left")
    top.legend(frameon=False)
    bottom.bar(position, missed, width=0.7 * gap, color=EULER)
    bottom.set(ylabel="spikes Euler misses", xlabel="constant current I (nA)" if name == "I" else f"slider {name}",
               xlim=(position[0] - gap, position[-1] + gap))
    bottom.yaxis.get_major_locator().set_params(integer=True)
    _quiet(axes)
    return figure


def _quiet(axes: Any) -> None:
    for axis in np.ravel(axes):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(length=3, color="0.6", labelsize=9)


if __name__ == "__main__":
    main(Path("out/seed"))
