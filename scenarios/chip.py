"""Handwritten digits on a chip: from training data to a circuit that is placed and routed, and to how fast it answers.

The network of digits.py, in integers, as Verilog.  A circuit says nothing but spikes, so its readout has to answer in
one: when a digit has been shown, the world asks, tick after tick, with one small spike for all ten readouts alike, and
the first whose V comes to the threshold is the answer.  The circuit is simulated on each image from a reset, and must
say what the emulator says, spike for spike; place and route tells the fastest clock, the simulation how many clocks an
answer takes.  Energies are ranges over published figures of other chips (eventsnn/energy.py): no meter was read.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from eventsnn.exporters import vectors, verilog
from eventsnn.exporters.verilog.series import Run, series, simulator
from eventsnn.scenarios import digits

import eventsnn as es
from eventsnn import plot
from eventsnn.errors import Mistake, nearest
from eventsnn.files import atomic
from eventsnn.sparseness import sparseness

HIDDEN = 32                                    # enough for 97 %, and an iCE40 holds it
LOGIC = ("ICESTORM_LC", "TRELLIS_COMB")        # what nextpnr calls logic cells, memories, multipliers
MEMORY, MULTIPLY = ("ICESTORM_RAM", "DP16KD"), ("ICESTORM_DSP", "MULT18X18D")
COUNTED = 20                                   # images whose work is counted


def build(rates: digits.Rates, images: np.ndarray, asks: int, tick: float) -> nx.DiGraph:
    """digits.py's spiking twin, and a race: the questions lift each readout from the lowest winner to the threshold."""
    g = digits.build(rates, images)
    most = np.quantile(rates.hidden(images), 0.999)                       # as build has it: that fires LEVELS times
    scale = g.edges["hidden", "readout"]["weight"].max() / rates.w2.max() * digits.LEVELS / most     # mV an output
    winner = scale * (rates.hidden(images) @ rates.w2 + rates.b2).max(axis=1)
    theta = 1.25 * winner.max()                                           # out of reach until the world asks
    step = (theta - winner.min() + 0.1 * winner.max()) / asks
    g.nodes["readout"].update(v_thresh=theta)
    g.add_node("ask", model="spikes", times=digits.UNTIL + tick * np.arange(asks))
    g.add_edge("ask", "readout", rule="all_to_all", weight=step, delay=digits.DELAY)
    return g


def answer(spikes: np.ndarray, first: int) -> int:
    """Which readout fired first, -1: none; spikes: (n, 2) tick and neuron, first: the number of the first readout."""
    who = spikes[spikes[:, 1] >= first, 1]
    return int(who[0]) - first if len(who) else -1


def heard(run: Run, first: int) -> int:
    """The clock at which the answer was out, counted from the end of the reset."""
    return int(run.clock[run.spikes[:, 1] >= first][0]) if answer(run.spikes, first) >= 0 else run.cycles


def ready(devices: Sequence[str]) -> str:
    """The simulator there is; `Mistake` for what is missing, before anything is trained."""
    known = verilog.devices()
    for device in devices:
        if device not in known:
            raise Mistake(f"there is no device {device!r}{nearest(device, known)}")
        if known[device]:
            raise Mistake(f"{device} needs {known[device]}: pip install 'eventsnn[hardware]'")
    return simulator()


def routed(folder: Path, device: str, seed: int, clocks: float) -> dict[str, Any]:
    """Place and route: what fits, how fast; or why not."""
    try:
        told = verilog.report(folder, device, seed, simulator=None)
    except Mistake as mistake:
        return {"refused": str(mistake).strip().splitlines()[-1]}
    used = told["used"]
    return {"fmax_mhz": told["fmax_mhz"], "inferences_per_second": told["fmax_mhz"] * 1e6 / clocks,
            **{name: next((used[key] for key in keys if key in used), None)
               for name, keys in (("logic", LOGIC), ("memories", MEMORY), ("multipliers", MULTIPLY))}}


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    n, least = outcome["images"], 0.96 if outcome["images"] == 450 else 0.75       # of few images each weighs more
    energy = outcome["energy"]
    facts = [
        (f"emulator, {outcome['bits']}-bit weights: {100 * outcome['emulator']:.2f} % of {n} test images right; rate "
         f"network: {100 * outcome['rate']:.2f} %", outcome["emulator"] >= least),
        (f"circuit, by {outcome['simulator']}: {outcome['equal']} of {n} images give the emulator's spikes to the last "
         f"one ({outcome['spikes']:,}); {100 * outcome['circuit']:.2f} % right",
         outcome["equal"] == n and outcome["circuit"] == outcome["emulator"]),
        (f"an answer takes {outcome['clocks']:,.0f} clocks (at most {outcome['clocks_most']:,}), for "
         f"{outcome['operations']:,.0f} synaptic operations", outcome["clocks"] > outcome["operations"])]
    for name, device in outcome["devices"].items():
        if "refused" in device:
            facts.append((f"{name}: not routed: {device['refused']}", False))
            continue
        sizes = ", ".join(f"{device[kind][0]:,} of {device[kind][1]:,} {kind}"
                          for kind in ("logic", "memories", "multipliers") if device[kind])
        facts.append((f"{name}: {device['fmax_mhz']:.1f} MHz, {sizes}: {device['inferences_per_second']:,.0f} "
                      "inferences a second", device["inferences_per_second"] > 100))
    facts.append((f"energy of an inference by published figures of other chips: {energy['lowest']['uj']:.3g} uJ "
                  f"({energy['lowest']['name']}) to {energy['highest']['uj']:.3g} uJ ({energy['highest']['name']})",
                  energy["lowest"]["uj"] < energy["highest"]["uj"]))
    return facts


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         images: int | None = None, device: Sequence[str] | None = None, hidden: int | None = None, bits: int = 8,
         tick: float = 1.0, asks: int = 256, seed: int = 1) -> dict[str, Any]:
    """Train, quantise, export, simulate the circuit on each image, place and route.

    `small` has 12 images, and ECP5 alone, if its place and route is installed.

    device=up5k,hx8k,ecp5-25k are the parts; images of the test part that are run; hidden neurons; asks: how finely the
    readouts' race tells them apart; seed of place and route.
    """
    some = [name for name in ("ecp5-25k",) if not verilog.devices()[name]]
    devices = list(device or (some if small else ("up5k", "ecp5-25k")))
    by = ready(devices)
    learnt, shown, learnt_labels, labels = digits.data()
    n = min(images or (12 if small else 450), len(shown))
    shown, labels = shown[:n], labels[:n]
    rates = digits.train(learnt, learnt_labels, hidden or (16 if small else HIDDEN))
    network = es.compile(build(rates, learnt, asks, tick))
    fixed = es.quantise(network, calibrate=digits.busiest(network, learnt), weight_bits=bits, tick=tick)
    first, until = network.by_name["readout"].neuron, digits.UNTIL + (asks + 2) * tick
    say(f"trained, {len(rates.b1)} hidden neurons; {len(fixed.synapses.target):,} synapses of {bits} bits; emulating "
        f"{n} images")
    runs = [es.simulate(fixed, until, inputs=digits.stimulus(image),
                        record={name: ["spikes"] for name in ("pixels", "bias", "ask")}) for image in shown]
    wanted = [vectors.of_run(run, until) for run in runs]

    with tempfile.TemporaryDirectory() as place:
        folder = Path(out or place) / "circuit"
        verilog.write(fixed, folder, inputs=digits.stimulus(shown[0]), until=until)
        say(f"simulating the circuit with {by}")
        got = series(folder, wanted, by)
        clocks = [heard(run, first) for run in got]
        outcome: dict[str, Any] = {
            "images": n, "hidden": len(rates.b1), "bits": bits, "tick": tick, "simulator": by,
            "rate": float(np.mean(rates.answers(shown) == labels)),
            "emulator": right([v.expected for v in wanted], labels, first),
            "circuit": right([run.spikes for run in got], labels, first),
            "equal": sum(np.array_equal(run.spikes, v.expected) for run, v in zip(got, wanted, strict=True)),
            "spikes": sum(len(run.spikes) for run in got),
            "clocks": float(np.mean(clocks)), "clocks_most": max(clocks), "clocks_each": clocks,
            "operations": float(np.mean([run.counters["synaptic_operations"] for run in runs])),
            "energy": energy(runs[:COUNTED], tick), "devices": {}}
        for name in devices:
            say(f"synthesis, place and route for {name}")
            outcome["devices"][name] = routed(folder, name, seed, outcome["clocks"])
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(outcome, fixed, shown[0], got[0], until), out / "chip.png")
        with atomic(out / "chip.json") as file:
            json.dump(outcome, file, indent=1)
        say(f"wrote chip.png and chip.json into {out}; {out / 'circuit'} is the circuit")
    return outcome


def right(runs: Sequence[np.ndarray], labels: np.ndarray, first: int) -> float:
    """The part of the images that was named correctly."""
    return float(np.mean([answer(spikes, first) == label for spikes, label in zip(runs, labels, strict=True)]))


def energy(runs: Sequence[es.Result], tick: float) -> dict[str, Any]:
    """uJ of an inference by each figure, the mean over runs."""
    told = [sparseness(run, tick)["energy"]["event"]["estimates"] for run in runs]
    mean = [{**each[0], "uj": float(np.mean([e["uj"] for e in each]))} for each in zip(*told, strict=True)]
    by_size = sorted(mean, key=lambda e: float(e["uj"]))
    return {"lowest": by_size[0], "highest": by_size[-1], "estimates": mean}


def draw(outcome: Mapping[str, Any], network: Any, image: np.ndarray, run: Run, until: float) -> Any:
    """A digit and the readouts' race; what came out of the circuit when; clocks to an answer, parts, energies."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    grid = figure.add_gridspec(2, 6, height_ratios=[1.2, 1], width_ratios=[1.4, 1, 1, 1, 1.1, 1.1])
    digit, race, raster = (figure.add_subplot(grid[0, part]) for part in (slice(0, 1), slice(1, 4), slice(4, 6)))
    took, left, cost = (figure.add_subplot(grid[1, part]) for part in (slice(0, 2), slice(2, 4), slice(4, 6)))
    first = network.by_name["readout"].neuron

    digit.imshow(image.reshape(8, 8), cmap="Greys", vmin=0, vmax=digits.LEVELS)
    digit.set(xticks=[], yticks=[], title="a digit")
    seen = es.simulate(network, until, inputs=digits.stimulus(image), record={"readout": ["v"]},
                       record_at=outcome["tick"])
    v, who = seen.recorded["readout"]["v"], answer(run.spikes, first)
    for k in range(v.shape[1]):
        race.plot(seen.recorded_at, v[:, k], color=plot.FIRST if k == who else "0.75", lw=2.0 if k == who else 0.9)
    race.axhline(float(np.max(network.by_name["readout"].params["v_thresh"])), color=plot.INK, lw=0.8, ls=(0, (4, 3)))
    race.axvspan(digits.UNTIL, until, color="0.95", lw=0)
    race.set(xlabel="t (ms of the network)", ylabel="V of the readout (mV)", xlim=(0, until))
    race.set_title(f"shown, then asked (grey): {who} comes first", loc="left", fontsize=10)

    fastest = max((d.get("fmax_mhz", 0.0) for d in outcome["devices"].values()), default=0.0) or 1.0
    out = run.spikes[:, 1] >= first
    raster.scatter(run.clock[~out] / fastest, run.spikes[~out, 1], s=9, marker="|", color=plot.INK)
    raster.scatter(run.clock[out][:1] / fastest, run.spikes[out, 1][:1], s=40, color=plot.FIRST)
    raster.set(xlabel=f"t (us of the circuit, {fastest:.0f} MHz)", ylabel="neuron")
    raster.set_title(f"out of it: {np.count_nonzero(~out)} spikes, the answer", loc="left", fontsize=10)

    took.hist(np.array(outcome["clocks_each"]) / 1e3, bins=20, color=plot.FIRST)
    took.set(xlabel="clocks until the answer (thousands)", ylabel="images")
    took.set_title(f"{outcome['equal']} of {outcome['images']} images: the emulator's spikes", loc="left", fontsize=10)

    rows = [(f"{name}, {kind}", 100 * d[kind][0] / d[kind][1]) for name, d in outcome["devices"].items()
            if "refused" not in d for kind in ("logic", "memories") if d[kind]]
    bars = left.barh([name for name, _ in rows], [x for _, x in rows], color=plot.SECOND, height=0.6)
    left.bar_label(bars, [f"{x:.0f} %" for _, x in rows], padding=3, fontsize=9)
    left.set(xlabel="used (%)", xlim=(0, 115))
    left.invert_yaxis()
    left.set_title("; ".join(f"{name}: {d['inferences_per_second']:,.0f}/s" for name, d in outcome["devices"].items()
                             if "refused" not in d), loc="left", fontsize=10)

    told = sorted(outcome["energy"]["estimates"], key=lambda e: e["uj"])
    cost.plot([e["uj"] for e in told], range(len(told)), "o", color=plot.FIRST, ms=4)
    cost.set_yticks(range(len(told)), [e["name"].replace(", as SANA-FE describes it", " (SANA-FE)") for e in told],
                    fontsize=7)
    cost.set(xscale="log", xlabel="uJ an inference")
    cost.set_title("published figures of other chips", loc="left", fontsize=10)
    for axis in (race, raster, took, left, cost):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main(Path("out/chip"))
