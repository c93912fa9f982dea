"""Pictures: what a run did, and where two runs part.  matplotlib is imported when a picture is asked for.

`run(result)` and `compare(a, b)` return a `Figure` of their own (no pyplot, no display, no global state); `save` writes
it.  Large rasters show an even choice of neurons, and a comparison the stretch around the first divergence.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .distances import match
from .errors import Mistake
from .files import atomic
from .result import Result
from .spikes import Spikes
from .statistics import activity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST, SECOND = "#0072B2", "#D55E00"                     # Okabe & Ito's blue and vermilion: safe for colour-blind eyes
COLOURS = (FIRST, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", SECOND)
INK, PALE = "#333333", "#8a8a8a"
ROWS, MARKS, POINTS = 60, 40_000, 20_000                 # at most: rows of a comparison, spikes of a raster, points
FORMATS = ("png", "pdf", "svg")


def run(result: Result) -> "Figure":
    """Raster, population rates and, if v was recorded, traces of one neuron of each population."""
    populations = _populations(result.spikes)
    traced = [(name, by["v"]) for name, by in result.recorded.items() if "v" in by and len(by["v"])]
    figure, axes = _figure([3.2, 1.1] + [1.4] * bool(traced), 1.3)
    raster(axes[0], result.spikes)
    _title(axes[0], f"{len(result.spikes):,} spikes of {sum(n for _, _, n in populations):,} neurons "
                    f"in {result.until:g} ms")
    width = result.until / min(max(len(result.spikes) // 20, 25), 250)
    for (name, first, size), colour in zip(populations, _colours(len(populations)), strict=True):
        mine = (result.spikes.neuron >= first) & (result.spikes.neuron < first + size)
        part = Spikes(result.spikes.time[mine], result.spikes.neuron[mine] - first, ((name, 0, size),))
        centre, hz = activity(part, result.until, width)
        axes[1].plot(centre, hz, color=colour, lw=1.0, drawstyle="steps-mid", label=str(name))
    axes[1].set_ylabel("rate (Hz)")
    axes[1].set_ylim(bottom=0.0)
    if len(populations) > 1:
        _legend(axes[1])
    if traced:
        colours = dict(zip([name for name, _, _ in populations], _colours(len(populations)), strict=True))
        for name, v in traced[:4]:
            spikes = result.spikes.of(name)
            k = int(np.argmax(np.bincount(spikes.neuron, minlength=v.shape[1])))       # the liveliest tells most
            axes[2].plot(result.recorded_at, v[:, k], color=colours[name], lw=1.0, label=f"{name} {k}")
            _threshold(axes[2], result, name, k, colours[name])
        axes[2].set_ylabel("V (mV)")
        _legend(axes[2])
    _time_axis(axes, (0.0, result.until))
    return figure


def compare(a: Result | Spikes, b: Result | Spikes, *, delta: float = 1.0, until: float | None = None,
            divergence: tuple[float, int] | None = None, labels: tuple[str, str] = ("a", "b")) -> "Figure":
    """Rasters over each other, V traces where both recorded them, and the time differences of matched spikes.

    delta        window of the matching, ms
    divergence   (time in ms, neuron) of the first divergent spike, to be marked
    """
    sa, sb = (x.spikes if isinstance(x, Result) else x for x in (a, b))
    end = until or max([*(x.until for x in (a, b) if isinstance(x, Result)), *sa.time[-1:], *sb.time[-1:], 1e-3])
    pairs = match(sa, sb, delta)
    chosen, span = _excerpt(sa, sb, end, divergence)
    traced = _common_traces(a, b, divergence)
    figure, axes = _figure([3.4] + [1.5] * bool(traced) + [1.5], 1.35)

    top = axes[0]
    alone_a, alone_b = np.ones(len(sa), bool), np.ones(len(sb), bool)
    alone_a[pairs[0]] = alone_b[pairs[1]] = False
    for spikes, alone, colour, label, low in ((sa, alone_a, FIRST, labels[0], 0.5),
                                              (sb, alone_b, SECOND, labels[1], 0.0)):
        seen = np.isin(spikes.neuron, chosen) & (spikes.time >= span[0]) & (spikes.time <= span[1])
        row = np.searchsorted(chosen, spikes.neuron[seen]) + low - 0.45
        top.vlines(spikes.time[seen], row, row + 0.45, color=colour, lw=1.0, label=label, rasterized=seen.sum() > 5000)
        single = alone[seen]
        if 0 < single.sum() <= 400:          # a dot says: no partner in the other run
            top.plot(spikes.time[seen][single], row[single] + 0.22, "o", ms=3.2, color=colour, mec="white", mew=0.4)
    top.set_ylim(-0.8, len(chosen) - 0.2)
    _name_rows(top, sa, sb, chosen)
    lone_a, lone_b = int(alone_a.sum()), int(alone_b.sum())
    lone = f", {lone_a:,} only in {labels[0]}, {lone_b:,} only in {labels[1]} (dots)" if lone_a or lone_b else ""
    _title(top, f"{labels[0]}: {len(sa):,} spikes, {labels[1]}: {len(sb):,};  "
                f"within {delta:g} ms {len(pairs[0]):,} matched{lone}")
    _legend(top)
    if traced:
        name, k, va, vb = traced
        axes[1].plot(*va, color=FIRST, lw=2.2, alpha=0.55, label=labels[0])
        axes[1].plot(*vb, color=SECOND, lw=0.9, label=labels[1])
        _threshold(axes[1], a if isinstance(a, Result) else b, name, k, INK)
        axes[1].set_ylabel(f"V of {name} {k} (mV)")
        _legend(axes[1])
    _differences(axes[-1], sa.time[pairs[0]], sb.time[pairs[1]] - sa.time[pairs[0]], labels)
    if divergence is not None:
        for ax in axes:
            ax.axvline(divergence[0], color=INK, lw=0.9, ls=(0, (3, 2)), zorder=0)
        top.annotate("first divergence", (divergence[0], 1.0), xycoords=("data", "axes fraction"), xytext=(4, -3),
                     textcoords="offset points", va="top", fontsize=8, color=INK,
                     bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1.0})
    _time_axis(axes[:-1], span)
    _time_axis(axes[-1:], (0.0, end))
    if span != (0.0, end):                   # only the differences show the whole run
        axes[-1].axvspan(*span, color=PALE, alpha=0.15, lw=0)
    return figure


def raster(ax: "Axes", spikes: Spikes, *, rows: int = 600, colours: Any = None) -> None:
    """A mark per spike; with more than `rows` neurons or MARKS spikes an even choice of neurons, and it says so."""
    populations = _populations(spikes)
    size = sum(n for _, _, n in populations)
    stride = max(-(-size // rows), -(-len(spikes) // MARKS), 1)
    offset, shown = 0, 0
    for (name, first, n), colour in zip(populations, colours or _colours(len(populations)), strict=True):
        step = min(stride, n) or 1
        mine = (spikes.neuron >= first) & (spikes.neuron < first + n)
        time, neuron = spikes.time[mine], spikes.neuron[mine] - first
        keep = neuron % step == 0
        marker, area = ("|", 4000.0 / max(size / stride, 30.0)) if size <= 100 else (".", 7.0)
        ax.scatter(time[keep], neuron[keep] + offset, s=area, marker=marker, color=colour,
                   linewidths=1.0 if marker == "|" else 0.0, label=str(name), rasterized=keep.sum() > 5000)
        offset, shown = offset + n, shown + -(-n // step)
    ax.set_ylim(-0.02 * size - 0.5, 1.02 * size - 0.5)
    ax.set_ylabel("neuron" if shown == size else f"neuron ({shown:,} of {size:,} shown)")
    if len(populations) > 1:
        edges = np.cumsum([0, *(n for _, _, n in populations)])
        for edge in edges[1:-1]:
            ax.axhline(edge - 0.5, color=PALE, lw=0.5)
        twin = ax.secondary_yaxis("right")
        twin.set_yticks(0.5 * (edges[1:] + edges[:-1]) - 0.5, [str(name) for name, _, _ in populations])
        twin.tick_params(length=0, labelsize=9)
        twin.spines["right"].set_visible(False)


def save(figure: "Figure", path: str | Path) -> Path:
    """Write a picture as its suffix says; the file appears whole or not at all."""
    path = Path(path)
    kind = path.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise Mistake(f"{path}: pictures are written as .png, .pdf or .svg, not {path.suffix or 'without a suffix'!r}")
    with atomic(path, "wb") as file:
        figure.savefig(file, format=kind, dpi=150)
    return path


def _figure(heights: list[float], scale: float) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, scale * sum(heights)), layout="constrained")
    axes = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8, color=PALE)
        ax.xaxis.label.set_size(9)
        ax.yaxis.label.set_size(9)
    return figure, axes


def _title(ax: "Axes", words: str) -> None:
    ax.set_title(words, loc="left", fontsize=9.5, color=INK)


def _time_axis(axes: "list[Axes]", span: tuple[float, float]) -> None:
    for ax in axes:
        ax.set_xlim(*span)
        ax.tick_params(labelbottom=ax is axes[-1])
    axes[-1].set_xlabel("time (ms)")


def _legend(ax: "Axes") -> None:
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False, handlelength=1.2)


def _colours(n: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(n)]


def _populations(spikes: Spikes) -> tuple[tuple[str | int, int, int], ...]:
    return spikes.populations or (("all", 0, int(spikes.neuron.max(initial=0)) + 1),)


def _excerpt(a: Spikes, b: Spikes, end: float,
             divergence: tuple[float, int] | None) -> tuple[np.ndarray, tuple[float, float]]:
    """Which neurons, and which stretch of time, a comparison can show legibly."""
    active = np.unique(np.concatenate([a.neuron, b.neuron]))
    if not len(active):
        return active, (0.0, end)
    chosen = active[np.linspace(0, len(active) - 1, min(ROWS, len(active))).round().astype(np.int64)]
    if divergence is not None and divergence[1] not in chosen:
        chosen[np.abs(chosen - divergence[1]).argmin()] = divergence[1]
        chosen = np.unique(chosen)
    marks = sum(int(np.isin(s.neuron, chosen).sum()) for s in (a, b))
    if marks <= 3000:
        return chosen, (0.0, end)
    length = end * 3000 / marks
    start = 0.0 if divergence is None else min(max(divergence[0] - 0.3 * length, 0.0), end - length)
    return chosen, (start, start + length)


def _name_rows(ax: "Axes", a: Spikes, b: Spikes, chosen: np.ndarray) -> None:
    """Label rows by population and index within it."""
    firsts = sorted((first, str(name)) for name, first, _ in a.populations or b.populations) or [(0, "")]
    step = max(len(chosen) // 12, 1)
    labels = []
    for neuron in chosen[::step]:
        first, name = max(pair for pair in firsts if pair[0] <= neuron)
        labels.append(f"{name} {neuron - first}".strip())
    ax.set_yticks(np.arange(len(chosen))[::step], labels)
    total = len(np.unique(np.concatenate([a.neuron, b.neuron])))
    ax.set_ylabel("neuron" if total == len(chosen) else f"neuron ({len(chosen)} of {total:,} that spike)")


def _common_traces(a: Any, b: Any, divergence: tuple[float, int] | None) -> Any:
    """(population, index, (times, v of a), (times, v of b)) of the neuron that diverges first, else of the first."""
    if not (isinstance(a, Result) and isinstance(b, Result)):
        return None
    both = [name for name in a.recorded if "v" in a.recorded[name] and "v" in b.recorded.get(name, {})]
    if not both:
        return None
    name, k = both[0], 0
    for label, first, size in a.spikes.populations:
        if divergence is not None and label in both and first <= divergence[1] < first + size:
            name, k = label, divergence[1] - first
    return name, k, (a.recorded_at, a.recorded[name]["v"][:, k]), (b.recorded_at, b.recorded[name]["v"][:, k])


def _threshold(ax: "Axes", result: Any, name: Any, k: int, colour: str) -> None:
    """The neuron's constant threshold, where it has one."""
    population = getattr(result.network, "by_name", {}).get(name)
    theta = np.ravel([] if population is None else population.params.get("v_thresh", []))
    if len(theta) > k and np.isfinite(theta[k]):
        ax.axhline(theta[k], color=colour, lw=0.7, ls=(0, (4, 3)), alpha=0.8)


def _differences(ax: "Axes", time: np.ndarray, dt: np.ndarray, labels: tuple[str, str]) -> None:
    """Time differences along the run, and how often each occurs."""
    ax.set_ylabel(f"t({labels[1]}) - t({labels[0]}) (ms)")
    if not np.any(dt):
        words = f"all {len(dt):,} matched spikes are equal to the last bit" if len(dt) else "no spike is matched"
        ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", fontsize=9, color=INK)
        ax.set_yticks([0.0])
        return
    some = slice(None, None, -(-len(dt) // POINTS))
    ax.axhline(0.0, color=PALE, lw=0.6)
    ax.scatter(time[some], dt[some], s=5.0, color=INK, alpha=0.5 if len(dt) < 2000 else 0.2, linewidths=0.0,
               rasterized=len(dt) > 5000)
    beside = ax.inset_axes((1.01, 0.0, 0.11, 1.0), sharey=ax)
    beside.hist(dt, bins=41, orientation="horizontal", color=PALE)
    beside.tick_params(labelleft=False, labelbottom=False, length=0)
    beside.spines[["top", "right", "bottom"]].set_visible(False)
