"""Handwritten digits, all the way down: a trained rate network, the same network in spikes, the same in few bits.

scikit-learn's 1797 digits have 8 x 8 pixels from 0 (paper) to 16 (ink).  A 64-64-10 ReLU network learns three quarters.
Its spiking twin has the same weights.  A pixel of value x fires x times while the digit is shown; a hidden neuron is a
perfect integrator that fires once per quantum of input and keeps the rest (reset "subtract"), so its spike count is the
rectified activity; the readout only integrates, and its largest V is the answer.  `quantise` makes integers of it, and
the emulator says how few bits a weight needs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import eventsnn as es
from eventsnn import plot
from eventsnn.bits import memory_bits
from eventsnn.files import atomic

LEVELS = 16                                    # a pixel's largest value, and its spikes
SHOWN, DELAY = 100.0, 1.0                      # ms a digit is shown; ms from a spike to its effect
UNTIL = SHOWN + 3 * DELAY                      # pixels -> hidden -> readout
PHASE = np.arange(65) * 0.6180339887 % 1.0     # golden ratio: pixels and bias fire staggered, not in step
HIDDEN, EPOCHS = 64, 300
CHIPS = {"loihi1_lava": "value"}               # how a chip resets
ALPHA = 0.03                                   # weight decay: best of six in cross-validation on the training part


class Rates(NamedTuple):
    """A trained rate network: max(0, x w1 + b1) w2 + b2 for pixels x in 0 .. 1."""

    w1: np.ndarray         # (64, hidden)
    b1: np.ndarray         # (hidden,)
    w2: np.ndarray         # (hidden, 10)
    b2: np.ndarray         # (10,)

    def hidden(self, images: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, images / LEVELS @ self.w1 + self.b1)

    def answers(self, images: np.ndarray) -> np.ndarray:
        return np.argmax(self.hidden(images) @ self.w2 + self.b2, axis=1)


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, 64) to train and to test, a stratified quarter, and the labels of both."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    return tuple(train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=0))


def train(images: np.ndarray, labels: np.ndarray, hidden: int = HIDDEN) -> Rates:
    """Adam on the cross-entropy; the same weights every time."""
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    network = MLPClassifier((hidden,), alpha=ALPHA, random_state=0)
    with threadpool_limits(1):                 # matrices this small only wait for each other's threads
        for _ in range(EPOCHS):
            network.partial_fit(images / LEVELS, labels, classes=np.arange(10))
    (w1, w2), (b1, b2) = network.coefs_, network.intercepts_
    return Rates(w1, b1, w2, b2)


def build(rates: Rates, images: np.ndarray, reset: str = "subtract") -> nx.DiGraph:
    """The spiking twin.  `images` show how active the hidden neurons get: the most active fire LEVELS times.

    reset="value" is for chips that know nothing else.

    Each layer is free in its unit of V; the largest weight becomes 7/8 mV, a number that 4 bits and more can hold.
    """
    most = np.quantile(rates.hidden(images), 0.999)
    first = 0.875 / np.abs([*rates.w1, rates.b1]).max()
    second = 0.875 / np.abs([*rates.w2, rates.b2 / most]).max()
    integrator = {"model": "lif", "tau_m": np.inf, "v_rest": 0.0, "v_reset": 0.0, "tau_refrac": 0.0}
    theta = first * most

    g = nx.DiGraph()
    g.add_node("pixels", model="spikes", size=64)
    g.add_node("bias", model="spikes", times=train_of(LEVELS, PHASE[64]))
    g.add_node("hidden", size=len(rates.b1), **integrator, v_thresh=theta, v_init=theta / 2, reset=reset)
    g.add_node("readout", size=10, **integrator, v_thresh=np.inf)
    for pre, post, weight in (("pixels", "hidden", first * rates.w1), ("bias", "hidden", first * rates.b1),
                              ("hidden", "readout", second * rates.w2), ("bias", "readout", second * rates.b2 / most)):
        g.add_edge(pre, post, rule="all_to_all", weight=weight.ravel(), delay=DELAY)
    return g


def train_of(count: float, phase: float) -> np.ndarray:
    """`count` spikes, evenly over the time a digit is shown."""
    return (np.arange(count) + phase) * SHOWN / max(count, 1.0)


def stimulus(image: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The spikes of a digit: x from a pixel of value x."""
    return {"pixels": [train_of(x, phase) for x, phase in zip(image, PHASE, strict=False)]}


def show(network: Any, image: np.ndarray, **options: Any) -> Any:
    """One digit, shown to a network, float or integer: the run."""
    options = {"record": {"hidden": ["v"], "readout": ["v"]}, "record_at": [UNTIL - DELAY], **options}
    return es.simulate(network, UNTIL, inputs=stimulus(image), **options)


def readout(run: es.Result) -> np.ndarray:
    """The ten potentials when everything has arrived."""
    return run.recorded["readout"]["v"][-1]


def examine(network: Any, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Every image in turn: the part answered correctly, and the mean work per image."""
    runs = [show(network, image) for image in images]
    right = [np.argmax(readout(run)) == label for run, label in zip(runs, labels, strict=True)]
    return {"accuracy": float(np.mean(right)),
            "operations": float(np.mean([r.counters["synaptic_operations"] for r in runs])),
            "spikes": float(np.mean([len(r.spikes) for r in runs]))}


def accuracy(images: np.ndarray, labels: np.ndarray, network: Any) -> float:
    """The part of the images that a network, float or integer, names correctly."""
    return examine(network, images, labels)["accuracy"]


class Task(NamedTuple):
    """What `tune` needs."""

    network: Any                           # trained on three quarters of the training part
    score: Callable[[Any], float]          # on the last quarter, by which is chosen
    calibration: Any
    test: Callable[[Any], float]           # on the test images, which choose nothing


def task(small: bool = False) -> Task:
    from sklearn.model_selection import train_test_split

    learnt, images, learnt_labels, labels = data()
    learnt, chosen_by, learnt_labels, chosen_labels = train_test_split(
        learnt, learnt_labels, test_size=0.25, stratify=learnt_labels, random_state=0)
    network = es.compile(build(train(learnt, learnt_labels), learnt))
    some = slice(60 if small else None)
    return Task(network, partial(accuracy, chosen_by[some], chosen_labels[some]), busiest(network, learnt),
                partial(accuracy, images[some], labels[some]))


def busiest(network: Any, images: np.ndarray) -> Any:
    """The run, of a hundred, with the largest potentials."""
    return max((show(network, image) for image in images[:100]), key=lambda run: np.ptp(readout(run)))


def on_chip(rates: Rates, learnt: np.ndarray, images: np.ndarray, labels: np.ndarray, profile: str) -> dict[str, Any]:
    """A chip's own arithmetic, its limits included: the score, or what the chip refuses.  Its tick is a delay."""
    network = es.compile(build(rates, learnt, CHIPS.get(profile, "subtract")))
    try:
        fixed = es.quantise(network, calibrate=busiest(network, learnt), profile=profile, tick=DELAY)
    except es.Mistake as refusal:
        return {"refused": str(refusal)}
    return examine(fixed, images, labels)


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    exact, fixed, n = outcome["exact"], outcome["fixed"], outcome["images"]
    dense, clocked = outcome["operations_dense"], outcome["operations_clocked"]
    least, near = (0.97, 0.005) if n == 450 else (0.9, 0.03)     # of few images each weighs more
    facts = [
        (f"rate network: {100 * outcome['rate']:.2f} % of {n} test images right", outcome["rate"] >= least),
        (f"exact spiking network: {100 * exact['accuracy']:.2f} % right", exact["accuracy"] >= least),
        (f"{exact['operations']:,.0f} synaptic operations per inference; dense: {dense:,} multiplications for rates, "
         f"{clocked:,} additions for a clocked core", 20_000 < exact["operations"] < 30_000 < clocked)]
    facts += [(f"{name}, its own arithmetic: {100 * of['accuracy']:.2f} % right", of["accuracy"] >= least - 0.05)
              for name, of in outcome["profiles"].items() if "accuracy" in of]
    if 8 in fixed:
        facts.append((f"8-bit integers: {100 * fixed[8]['accuracy']:.2f} % right, exact +- {100 * near:g}",
                      abs(fixed[8]["accuracy"] - exact["accuracy"]) <= near + 1e-12))
    return facts


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         bits: Sequence[int] | None = None, profiles: Sequence[str] | None = None,
         tick: float = 0.1) -> dict[str, Any]:
    """Train, convert, quantise at each width of weights and for chips, and test; `small` shows 60 images, not all 450.

    bits=8 is that width alone; profiles=loihi1_lava,xylo_v2 are those chips.
    """
    profiles = () if bits and profiles is None else profiles or (() if small else ("loihi1_lava", "xylo_v2"))
    bits = bits or ((8, 4) if small else (8, 7, 6, 5, 4, 3))
    learnt, images, learnt_labels, labels = data()
    if small:
        images, labels = images[:60], labels[:60]
    rates = train(learnt, learnt_labels)
    network = es.compile(build(rates, learnt))
    outcome: dict[str, Any] = {"images": len(images), "rate": float(np.mean(rates.answers(images) == labels)),
               "exact": examine(network, images, labels), "fixed": {}, "profiles": {}, "tick": tick,
               "operations_dense": rates.w1.size + rates.w2.size,
               "operations_clocked": len(network.synapses.target) * round(UNTIL / tick)}
    say(f"rate network: {100 * outcome['rate']:.2f} %, {outcome['operations_dense']:,} multiplications per inference")
    say(f"exact: {100 * outcome['exact']['accuracy']:.2f} %, {outcome['exact']['operations']:,.0f} additions")
    calibration = busiest(network, learnt)
    fixed = {b: es.quantise(network, calibrate=calibration, weight_bits=b, tick=tick) for b in bits}
    for b in bits:
        outcome["fixed"][b] = score = examine(fixed[b], images, labels)
        score["memory_bits"] = sum(memory_bits(fixed[b]).values())
        say(f"{b} bits: {100 * score['accuracy']:.2f} %, {score['operations']:,.0f} additions, "
            f"{score['memory_bits'] / 8192:.2f} KiB")
    for name in profiles:
        outcome["profiles"][name] = of = on_chip(rates, learnt, images, labels, name)
        say(f"{name}: " + (f"refused: {of['refused']}" if "refused" in of else f"{100 * of['accuracy']:.2f} %"))
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome, network, images[0]), out / "digits.png")
        with atomic(out / "digits.json") as file:
            json.dump(outcome, file, indent=1)
        with atomic(out / "digits_report.txt") as file:
            file.write(f"{es.compare(show(network, images[0]), show(fixed[bits[0]], images[0]))}\n")
        say(f"wrote digits.png, digits.json and digits_report.txt ({bits[0]} bits against exact, one image) into {out}")
    return outcome


def draw(outcome: Mapping[str, Any], network: Any, image: np.ndarray) -> Any:
    """A digit, its spikes and the readout's race; accuracy against bits; work per inference."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    grid = figure.add_gridspec(2, 6, height_ratios=[1.25, 1])
    digit, raster, race = (figure.add_subplot(grid[0, part]) for part in (slice(0, 1), slice(1, 4), slice(4, 6)))
    accuracy, work = (figure.add_subplot(grid[1, part]) for part in (slice(0, 4), slice(4, 6)))

    digit.imshow(image.reshape(8, 8), cmap="Greys", vmin=0, vmax=LEVELS)
    digit.set(xticks=[], yticks=[], title="a digit")
    run = show(network, image, record_at=0.5, record={"readout": ["v"]})
    hidden, trains = run.spikes.of("hidden"), stimulus(image)["pixels"]
    raster.eventplot(trains, lineoffsets=range(64), linelengths=1.4, linewidths=1.0, color=plot.INK)
    raster.scatter(hidden.time, 68 + hidden.neuron, s=9, marker="|", color=plot.FIRST)
    raster.set(xlabel="t (ms)", xlim=(0, UNTIL), ylim=(-2, 134))
    raster.set_yticks([32, 100], ["64 pixels", "64 hidden"], rotation=90, va="center")
    raster.set_title(f"{sum(map(len, trains))} spikes in, {len(hidden)} hidden spikes", loc="left")
    v = run.recorded["readout"]["v"]
    for k in np.argsort(v[-1]):
        winner = k == np.argmax(v[-1])
        race.plot(run.recorded_at, v[:, k], color=plot.FIRST if winner else "0.75", lw=2.0 if winner else 0.9)
        race.text(UNTIL + 1.5, v[-1, k], str(k), va="center", fontsize=8, color=plot.FIRST if winner else plot.PALE)
    race.set(xlabel="t (ms)", ylabel="V of the readout (mV)", xlim=(0, UNTIL))
    race.set_title(f"the answer: {np.argmax(v[-1])}", loc="left")

    bits, exact = sorted(outcome["fixed"]), outcome["exact"]
    scores = [100 * outcome["fixed"][b]["accuracy"] for b in bits]
    for level, colour, style, name in ((outcome["rate"], plot.INK, (0, (1, 2)), "rate network"),
                                       (exact["accuracy"], plot.FIRST, "-", "exact spikes")):
        accuracy.axhline(100 * level, color=colour, ls=style, lw=1.5, label=f"{name}, {100 * level:.1f} %")
    accuracy.plot(bits, scores, "o-", color=plot.SECOND, lw=1.2, label="integers, emulated")
    for b, score in zip(bits, scores, strict=True):
        accuracy.annotate(f"{score:.1f}", (b, score), xytext=(0, -15), textcoords="offset points", ha="center")
    accuracy.set(xlabel="bits of a weight", xticks=bits, xlim=(min(bits) - 0.4, max(bits) + 0.4), ylabel="correct (%)",
                 ylim=(min(scores) - 2.5, 100))
    accuracy.set_title(f"accuracy on {outcome['images']} test images", loc="left")
    accuracy.legend(frameon=False, loc="lower right", fontsize=9)
    bars = {"rate network,\nmultiplications": (outcome["operations_dense"], plot.INK),
            "spikes,\nadditions": (exact["operations"], plot.FIRST),
            f"clocked dense,\n{outcome['tick']:g} ms tick": (outcome["operations_clocked"], plot.PALE)}
    drawn = work.bar(list(bars), [n for n, _ in bars.values()], color=[c for _, c in bars.values()], width=0.6)
    work.bar_label(drawn, [f"{n:,.0f}" for n, _ in bars.values()], fontsize=9, padding=2)
    work.set(yscale="log", ylim=(1e3, 3e7))
    work.tick_params(axis="x", labelsize=8, length=0)
    work.set_title("operations per inference", loc="left")
    for axis in (raster, race, accuracy, work):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main(Path("out/digits"))
