"""The pictures of a report's page, beside those of `plot.py`: frozen input, distances and floors, statistics, work."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .plot import FIRST, INK, PALE, SECOND
from .replay import Trace
from .report import NAMES, UNITS, distance
from .spikes import Spikes
from .statistics import statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR, SEEDS = "#009E73", "#CC79A7"
LARGE = 500_000                          # bytes of SVG beyond which a picture is a PNG
MOST = 3                                 # populations in a picture of traces


def frozen(traces: Sequence[Trace]) -> "Figure":
    """V in floats and in integers under the same inputs and resets, and the difference, of a neuron per population."""
    shown = traces[:MOST]
    figure = new((10.0, 2.1 * len(shown) + 0.3))
    axes = figure.subplots(len(shown), 2, squeeze=False, width_ratios=[3, 1])
    for (left, right), t in zip(axes, shown, strict=True):
        some = slice(0, max(len(t.time) // 2, 60))
        left.plot(t.time[some], t.floats[some], color=FIRST, lw=2.4, alpha=0.5, label="float")
        left.plot(t.time[some], t.integers[some], color=SECOND, lw=0.9, label="integers")
        left.set_ylabel(f"V of {t.population} {t.neuron} (mV)")
        off = (t.integers - t.floats)[t.quiet] / t.lsb
        if len(off) and np.any(off):
            right.hist(off, bins=min(41, max(len(np.unique(off)), 5)), color=SECOND, alpha=0.8)
        else:
            right.text(0.5, 0.5, "no difference" if len(off) else "no quiet sample", transform=right.transAxes,
                       ha="center", va="center", fontsize=8, color=INK)
        right.axvline(0.0, color=INK, lw=0.7)
        right.set_yticks([])
        right.set_xlabel(f"integers - float (LSB of {t.lsb:.3g} mV)")
    axes[0, 0].legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    axes[-1, 0].set_xlabel("time (ms)")
    return dressed(figure)


def distances(found: Mapping[str, Any]) -> "Figure":
    """Each distance over the neurons (5 to 95 %, quartiles, median, and the mean as a dot) beside its floors."""
    figure = new((10.0, 1.9))
    axes = figure.subplots(1, len(found), squeeze=False)[0]
    rows = (("value", "this pair", SECOND), ("one_input_spike_less", "one input\nspike less", FLOOR),
            ("between_seeds", "another seed", SEEDS))
    for n, (ax, (name, d)) in enumerate(zip(axes, found.items(), strict=True)):
        for k, (key, _, colour) in enumerate(rows):
            q = d["quantiles"][key]
            if q is not None:
                ax.plot([q[0], q[4]], [-k, -k], color=colour, lw=1.2)
                ax.plot([q[1], q[3]], [-k, -k], color=colour, lw=7.0, alpha=0.45, solid_capstyle="butt")
                ax.plot([q[2]], [-k], "|", color=colour, ms=13, mew=1.8)
                ax.plot([d[key]], [-k], "o", color=colour, ms=4.5, mec="white", mew=0.6)
            else:
                ax.text(0.5, (2.6 - k) / 3.2 - 0.02, "none", transform=ax.transAxes, fontsize=7.5, color=PALE,
                        ha="center", va="center")
        ax.set_ylim(-2.6, 0.6)
        ax.set_yticks([0, -1, -2], [label for _, label, _ in rows] if n == 0 else ["", "", ""])
        ax.set_title(f"{distance(name)}", loc="left", fontsize=9, color=INK)
        better = "less" if "rossum" in name else "more"
        ax.set_xlabel(f"{better} is better", fontsize=8)
        ax.margins(x=0.08)
    return dressed(figure)


def distributions(a: Spikes, b: Spikes, end: float, labels: Sequence[str], told: Mapping[str, Any]) -> "Figure":
    """The cumulative distributions of what `compare` measures of both runs."""
    figure = new((10.0, 2.3))
    axes = figure.subplots(1, 4)
    both = statistics(a, end), statistics(b, end)
    for ax, name in zip(axes, both[0], strict=True):
        for of, colour, label, width in ((both[0], FIRST, labels[0], 2.2), (both[1], SECOND, labels[1], 1.1)):
            values = np.sort(of[name][~np.isnan(of[name])])
            if len(values):
                ax.step(values, (np.arange(len(values)) + 1.0) / len(values), where="post", color=colour, lw=width,
                        alpha=0.9 if width < 2 else 0.55, label=label)
        ks, seeds = told[name]["ks"], told[name]["ks_between_seeds"]
        words = "" if ks is None else f"KS {ks:.2g}" + ("" if seeds is None else f" (seeds: {seeds:.2g})")
        ax.set_title(words, loc="left", fontsize=8.5, color=INK)
        ax.set_xlabel(NAMES[name] + (f" ({UNITS[name].strip()})" if name in UNITS else ""))
        ax.set_ylim(0.0, 1.02)
    axes[0].set_ylabel("part of neurons (pairs)")
    axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    return dressed(figure)


def work(s: Mapping[str, Any]) -> "Figure":
    """Counts of three machines that do the job of one run, and their energies by every published figure."""
    machines = (("event-driven", "event", FIRST), ("clocked, sparse", "clocked", "#E69F00"),
                ("clocked, dense", "dense", PALE))
    figure = new((10.0, 2.9))
    counts, joules = figure.subplots(1, 2, width_ratios=[1.15, 1])
    kinds = (("synaptic_operations", "synaptic\noperations"), ("neuron_updates", "neuron\nupdates"),
             ("memory_words", "memory\nwords"))
    for m, (label, key, colour) in enumerate(machines):
        values = [max(float(s[kind] if key == "event" else s[key][kind]), 0.5) for kind, _ in kinds]
        drawn = counts.bar(np.arange(3) + 0.27 * (m - 1), values, 0.25, color=colour, label=label)
        counts.bar_label(drawn, [short(v) for v in values], fontsize=7, padding=1)
        energies = s["energy"][key]
        spread = [e["uj"] for e in energies["estimates"]]
        low, high = max(min(spread), 1e-9), max(max(spread), 1e-9)
        joules.plot([low, high], [-m, -m], color=colour, lw=9, alpha=0.35, solid_capstyle="butt")
        joules.plot(np.maximum(spread, 1e-9), [-m] * len(spread), "|", color=colour if m < 2 else INK, ms=11, mew=1.4)
        for x, which, side in ((low, energies["lowest"], "right"), (high, energies["highest"], "left")):
            joules.annotate(f"{which['name'].split(',')[0]}", (x, -m), xytext=(-5 if side == "right" else 5, 0),
                            textcoords="offset points", ha=side, va="center", fontsize=7, color=INK)
    counts.set_yscale("log")
    counts.margins(y=0.15)
    counts.set_xticks(np.arange(3), [label for _, label in kinds])
    counts.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0.0, 1.16), ncols=3)
    joules.set_xscale("log")
    low, high = joules.get_xlim()
    joules.set_xlim(low / 60.0, high * 60.0)
    joules.set_ylim(-2.6, 0.6)
    joules.set_yticks([0, -1, -2], [label for label, _, _ in machines])
    joules.set_xlabel("energy of the run (\u00b5J), a mark per published figure")
    return dressed(figure)


def pareto(tuning: Any) -> "Figure":
    """Quality over memory of all that were tried, the front, and the smallest that keeps the quality."""
    figure = new((7.6, 4.4))
    ax = figure.subplots()
    known = [t for t in tuning.trials if t.quality is not None]
    good = [t for t in known if tuning.good(t)]
    poor = [t for t in known if not tuning.good(t)]
    for some, colour, label in ((poor, PALE, "loses quality"), (good, FIRST, "keeps it")):
        ax.plot([t.bits / 8192 for t in some], [t.quality for t in some], "o", ms=5, color=colour, alpha=0.7,
                mec="white", mew=0.5, label=label)
    front = tuning.front
    ax.step([t.bits / 8192 for t in front], [t.quality for t in front], where="post", color=INK, lw=0.9, label="front")
    ax.axhline(tuning.target, color=FLOOR, lw=1.0, ls=(0, (4, 3)), label=f"to keep: {tuning.target:.4g}")
    base, best = tuning.trials[0], tuning.best
    for t, words, colour in ((base, "base", INK), (best, "smallest", SECOND)):
        if t is not None and t.quality is not None:
            ax.plot([t.bits / 8192], [t.quality], "o", ms=11, mfc="none", mec=colour, mew=1.6)
            of = ", ".join(f"{name.replace('_bits', '')} {value}" for name, value in t.options.items() if value)
            ax.annotate(f"{words}: {of}", (t.bits / 8192, t.quality), xytext=(0, 11 if words == "base" else -19),
                        textcoords="offset points", ha="right" if words == "base" else "left", fontsize=8, color=colour)
    ax.set_xlabel("memory (KiB)")
    ax.set_ylabel(tuning.measure)
    ax.margins(x=0.06, y=0.1)
    ax.legend(frameon=False, fontsize=8, loc="best")
    return dressed(figure)


def encoded(figure: "Figure") -> tuple[bytes, str]:
    """A picture for a page, and its kind: SVG, the same bytes every time, or PNG where that would be large."""
    import matplotlib as mpl

    held = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "eventsnn", "svg.fonttype": "path"}):
        figure.savefig(held, format="svg", metadata={"Date": None})
    if held.tell() <= LARGE:
        return held.getvalue(), "svg+xml"
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=170)
    return held.getvalue(), "png"


def short(n: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= size:
            return f"{n / size:.3g}{letter}"
    return f"{n:.3g}"


def new(size: tuple[float, float]) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def dressed(figure: "Figure") -> "Figure":
    axes: list[Axes] = figure.axes
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8, color=PALE)
        ax.xaxis.label.set_fontsize(8.5)
        ax.yaxis.label.set_fontsize(8.5)
    return figure
