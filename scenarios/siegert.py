"""Firing rates against theory: what a neuron under Poisson bombardment does, and what three formulas say beforehand.

Many small jumps are white noise in the limit, and for that the rate is known (Siegert 1951): the simulation approaches
it as the jumps shrink at constant mean and variance.  For jumps of exponentially distributed size the rate is known
exactly, without the limit (Richardson & Swarbrick 2010), and a constant current has a closed form.  Independent neurons
in one run make the averages; every rate comes with its standard error.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn import plot, theory
from eventsnn.files import atomic
from eventsnn.statistics import intervals, rate

MEMBRANE = {"tau_m": 10.0, "v_thresh": 15.0, "v_reset": 0.0, "tau_refrac": 2.0}     # ms, mV, mV, ms
SETTLE = 200.0                                                # ms left out of the statistics
MU, VARIANCE = 15.0, 1.5                                      # mV, mV^2: NEST's test of its siegert_neuron
SHOT_MU, SHOT_VARIANCE = 10.0, 50.0                           # of the exponentially distributed jumps
PARTS = 256                                                   # jump sizes that stand for an exponential distribution

Inputs = Sequence[tuple[float, np.ndarray]]                   # Hz for a neuron; its jumps in mV, (neurons, sizes)


def streams(mu: float, variance: float, jump: float, second: float = 1.0) -> tuple[float, float]:
    """Rates (Hz) of excitation and inhibition with jumps of this mean that give mu (mV) and sigma^2 (mV^2).

    second: the mean square of the jumps' size over the squared mean: 1 where all are equal, 2 in an exponential law.
    """
    both, more = variance / (second * jump * jump), mu / jump                       # in tau_m
    scale = 500.0 / MEMBRANE["tau_m"]
    return scale * (both + more), max(scale * (both - more), 0.0)


def exponential(mean: float, neurons: int) -> np.ndarray:
    """Jumps (neurons, PARTS), equally likely within a neuron, that are exponentially distributed.

    Every neuron has one size in each of PARTS equally likely intervals, and each has another one there; a golden-ratio
    rotation keeps a neuron's places independent.  So the whole population has the law's quantiles in steps of
    1 / (neurons PARTS), and one neuron's mean is off by 1 / PARTS at most: what a rate depends on linearly is exact.
    """
    part, neuron = np.arange(PARTS), np.arange(neurons)[:, None]
    place = ((neuron + 0.5) / neurons + 0.6180339887 * part) % 1.0
    return -mean * np.log1p(-(part + place) / PARTS)


def stimulus(mu: float, variance: float, jump: float, neurons: int, shot: bool = False) -> Inputs:
    """Excitation and inhibition with jumps of one size, or (shot) of exponentially distributed sizes of that mean."""
    sizes = exponential(jump, neurons) if shot else np.full((neurons, 1), jump)
    up, down = streams(mu, variance, jump, 2.0 if shot else 1.0)
    return [(up, sizes)] + ([(down, -sizes)] if down > 0.0 else [])


def build(inputs: Inputs, neurons: int, i_offset: float = 0.0, v_rest: float = 0.0) -> nx.DiGraph:
    """Unconnected neurons; each has for every input its own Poisson sources, one for each size of its jumps."""
    graph = nx.DiGraph()
    graph.add_node("neurons", model="lif", size=neurons, **MEMBRANE, cm=1.0, v_rest=v_rest, i_offset=i_offset,
                   v_init={"uniform": [MEMBRANE["v_reset"], MEMBRANE["v_thresh"]]})
    for k, (hertz, sizes) in enumerate(inputs):
        each = sizes.shape[1]
        graph.add_node(f"input {k}", model="poisson", size=neurons * each, rate=hertz / each)
        graph.add_edge(f"input {k}", "neurons", rule="pairs", source=np.arange(neurons * each),
                       target=np.repeat(np.arange(neurons), each), weight=sizes.ravel(), delay=1.0)
    return graph


def measure(inputs: Inputs, neurons: int, until: float, seed: int = 1, v_rest: float = 0.0) -> dict[str, float]:
    """Rate in Hz, its standard error (by the spread over the neurons; at least one spike), the CV of all intervals."""
    spikes = es.simulate(es.compile(build(inputs, neurons, v_rest=v_rest), seed=seed), SETTLE + until).spikes
    late = es.Spikes.make(spikes.time[spikes.time >= SETTLE], spikes.neuron[spikes.time >= SETTLE], spikes.populations)
    rates, gaps = rate(late, until), intervals(late)[0]
    error = max(float(rates.std(ddof=1)) / neurons ** 0.5, 1000.0 / (neurons * until))
    return {"rate": float(rates.mean()), "error": error, "cv": float(gaps.std() / gaps.mean()) if len(gaps) else 0.0}


def limit(jumps: Mapping[float, tuple[int, float]], seed: int) -> list[dict[str, float]]:
    """The approach to white noise at MU and VARIANCE: by jump, how many neurons for how long; draws of their own."""
    exact = {"theory": theory.siegert_rate(MU, VARIANCE ** 0.5, **MEMBRANE),
             "cv_theory": theory.siegert_cv(MU, VARIANCE ** 0.5, **MEMBRANE)}
    return [{"jump": jump} | exact | measure(stimulus(MU, VARIANCE, jump, n), n, until, seed + k)
            for k, (jump, (n, until)) in enumerate(jumps.items())]


def shot_rate(mean: float) -> float:
    up, down = streams(SHOT_MU, SHOT_VARIANCE, mean, 2.0)
    return theory.shot_noise_rate((up, mean), (down, mean), v_rest=0.0, **MEMBRANE)


def shots(means: Sequence[float], neurons: int, until: float, seed: int) -> list[dict[str, float]]:
    """Exponentially distributed jumps of these means, at SHOT_MU and SHOT_VARIANCE."""
    rows = []
    for mean in means:
        measured = measure(stimulus(SHOT_MU, SHOT_VARIANCE, mean, neurons, shot=True), neurons, until, seed)
        rows.append({"jump": mean, "theory": shot_rate(mean)} | measured)
    return rows


def plane(mus: Sequence[float], sigmas: Sequence[float], neurons: int, until: float,
          seed: int) -> list[dict[str, float]]:
    """Rates over mu and sigma, jumps of sigma / 25 (or what excitation alone has)."""
    rows = []
    for sigma in sigmas:
        for mu in mus:
            inputs = stimulus(mu, sigma * sigma, min(0.04 * sigma, sigma * sigma / mu), neurons)
            exact = theory.siegert_rate(mu, sigma, **MEMBRANE)
            rows.append({"mu": mu, "sigma": sigma, "theory": exact} | measure(inputs, neurons, until, seed))
    return rows


def constant() -> dict[str, float]:
    """A constant current that would hold V at 40 mV: the rate from one interval, and the closed form."""
    drive = 40.0
    times = es.simulate(es.compile(build([], 1, i_offset=drive / MEMBRANE["tau_m"])), 100.0).spikes.time
    return {"rate": 1000.0 / float(times[-1] - times[-2]), "theory": theory.constant_rate(drive, **MEMBRANE)}


def off(row: Mapping[str, float]) -> float:
    """How far a simulated rate lies from theory, as a part of it."""
    return row["rate"] / row["theory"] - 1.0


def beside(row: Mapping[str, float]) -> float:
    """The distance from theory in units of 5 % or 3 standard errors, whichever is more."""
    return abs(row["rate"] - row["theory"]) / max(0.05 * row["theory"], 3.0 * row["error"])


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    steady, rows, shot, points = (outcome[name] for name in ("constant", "limit", "shots", "plane"))
    luck = 3.0 if outcome["small"] else 0.0        # standard errors that a short run may add to the 1.5 %
    facts = [(f"constant current: {steady['rate']:.4f} Hz; closed form {steady['theory']:.4f} Hz",
              abs(off(steady)) < 1e-10 and f"{steady['theory']:.4f}" == "149.2529")]
    facts += [(f"jumps of {r['jump']:g} mV: {r['rate']:.2f} +- {r['error']:.2f} Hz; Siegert {r['theory']:.4f} Hz "
               f"({off(r):+.2%})", abs(off(r)) < 0.015 + luck * r["error"] / r["theory"]) for r in rows]
    cv = rows[-1]["cv_theory"]
    facts.append((f"and with a CV of {rows[-1]['cv']:.3f}; theory {cv:.3f}", abs(rows[-1]["cv"] / cv - 1.0) < 0.05))
    if len(rows) > 2:
        told = ", ".join(f"{off(r):+.2%} +- {r['error'] / r['theory']:.2%} at {r['jump']:g} mV" for r in rows)
        facts.append((f"the bias falls with the jumps: {told}", abs(off(rows[-1])) < abs(off(rows[0]))))
    facts += [(f"exponential jumps of {r['jump']:g} mV: {r['rate']:.2f} +- {r['error']:.2f} Hz; Richardson-Swarbrick "
               f"{r['theory']:.2f} Hz", abs(r["rate"] - r["theory"]) < 3.0 * r["error"]) for r in shot]
    far = max(points, key=beside)
    facts.append((f"{len(points)} pairs of mu and sigma within 5 % or 3 standard errors of Siegert; the farthest: "
                  f"{far['rate']:.2f} +- {far['error']:.2f} Hz for {far['theory']:.2f} Hz", beside(far) < 1.0))
    return facts


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         seed: int = 1) -> dict[str, Any]:
    """All four comparisons; `small` takes seconds instead of minutes, and leaves out the smallest jumps."""
    if small:
        jumps, means, shown = {0.1: (100, 2000.0), 0.05: (100, 1000.0)}, [1.0, 2.5], ([10.0, 15.0, 20.0], 20, 200.0)
    else:
        jumps = {0.1: (200, 12_000.0), 0.05: (200, 8000.0), 0.02: (200, 3000.0)}
        means, shown = [0.5, 1.0, 1.5, 2.0, 2.5], ([6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0], 50, 600.0)
    mus, neurons, until = shown
    outcome: dict[str, Any] = {
        "small": small,
        "constant": constant(),
        "limit": limit(jumps, seed),
        "shots": shots(means, 100 if small else 200, 2000.0 if small else 10_000.0, seed),
        "plane": plane(mus, [1.0, 3.0, 6.0], neurons, until, seed),
    }
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome), out / "siegert.png")
        with atomic(out / "siegert.json") as file:
            json.dump(outcome, file, indent=1)
        say(f"wrote siegert.png and siegert.json into {out}")
    return outcome


def draw(outcome: Mapping[str, Any]) -> Any:
    """Rates over mu for each sigma, the approach to white noise, and shot noise without the limit."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1.3, 1])
    top, left, right = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
    points, mu = outcome["plane"], np.linspace(5.0, 21.0, 321)
    sigmas = sorted({p["sigma"] for p in points})
    colours = [plot.FIRST, plot.SECOND, plot.INK]
    top.plot(mu, [theory.constant_rate(m, **MEMBRANE) for m in mu], color="0.6", ls=(0, (4, 3)), lw=1.0)
    top.annotate("no noise", (16.0, theory.constant_rate(16.0, **MEMBRANE)), (8, -12), textcoords="offset points",
                 color="0.5", fontsize=9)
    for sigma, colour in zip(sigmas, colours, strict=False):
        mine = [p for p in points if p["sigma"] == sigma]
        top.plot(mu, [theory.siegert_rate(m, sigma, **MEMBRANE) for m in mu], color=colour, lw=1.4,
                 label=f"Siegert, σ = {sigma:g} mV")
        top.errorbar([p["mu"] for p in mine], [p["rate"] for p in mine], [p["error"] for p in mine], fmt="o", ms=4,
                     color=colour, capsize=3)
    top.set(xlabel="μ (mV)", ylabel="rate (Hz)", xlim=(5.0, 21.0), ylim=(0.0, None))
    top.set_title("lines: theory; points: simulation with standard errors", loc="left", fontsize=10)
    top.legend(frameon=False)

    rows = outcome["limit"]
    left.axhline(0.0, color=plot.SECOND, lw=1.4)
    left.errorbar([r["jump"] for r in rows], [100.0 * off(r) for r in rows],
                  [100.0 * r["error"] / r["theory"] for r in rows], fmt="o", color=plot.FIRST, capsize=3)
    left.set(xlabel="jump (mV)", ylabel="above Siegert (%)", xlim=(0.0, 0.11))
    left.set_title(f"μ = {MU:g} mV, σ² = {VARIANCE:g} mV²: white noise is the limit", loc="left", fontsize=10)

    shot, mean = outcome["shots"], np.geomspace(0.02, SHOT_VARIANCE / (2.0 * SHOT_MU), 60)
    exact = [shot_rate(m) for m in mean]
    right.axhline(theory.siegert_rate(SHOT_MU, SHOT_VARIANCE ** 0.5, **MEMBRANE), color=plot.SECOND, lw=1.4,
                  label="Siegert")
    right.plot(mean, exact, color=plot.INK, lw=1.4, label="Richardson & Swarbrick")
    right.errorbar([r["jump"] for r in shot], [r["rate"] for r in shot], [r["error"] for r in shot], fmt="o",
                   color=plot.FIRST, capsize=3, label="simulation")
    right.set(xlabel="mean jump (mV), exponentially distributed", ylabel="rate (Hz)", xlim=(0.0, None))
    right.set_title(f"μ = {SHOT_MU:g} mV, σ² = {SHOT_VARIANCE:g} mV²: exact for jumps of any size", loc="left",
                    fontsize=10)
    right.legend(frameon=False)
    for axis in (top, left, right):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main(Path("out/siegert"))
