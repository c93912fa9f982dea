"""The tables of docs/performance.md: what was measured (one saved JSON line a benchmark and peer) beside the bars."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from eventsnn.files import atomic

BEGIN, END = "<!-- python -m benchmarks table -->", "<!-- end of the tables -->"


class Bar(NamedTuple):
    name: str
    peer: str | None
    key: str                 # of the JSON object
    must: float | None
    goal: float | None
    what: str = ""
    least: bool = True       # the bar is to be exceeded; otherwise not to be


RACES = [Bar(name, peer, "ratio", must, goal) for name, peer, must, goal in (
    ("brunel", "nest", 10, 15), ("brunel", "nest_ps", 40, 70), ("brunel", "brian2", 4, 8),
    ("brunel", "arbor", None, None), ("brunel", "neuron", None, None), ("brunel", "prototype", 0.6, 0.9),
    ("cuba", "nest", 8, 12), ("cuba", "nest_ps", 13, 20), ("cuba", "brian2", 1, 2), ("cuba", "annarchy", 1, 2),
    ("cuba", "prototype", 0.6, 0.9),
    ("cuba_scaled", "nest", None, None), ("cuba_scaled", "brian2", None, None), ("cuba_scaled", "annarchy", None, None),
    ("wave", "nest", 500, 5000), ("wave", "brian2", 50, 500),
    ("build", "prototype", None, None),
    ("emulator", "numpy_csr", 10, 15), ("emulator", "lava", 50, 150), ("emulator", "brian2", 0.8, 1.3),
    ("emulator", "nengo_loihi", None, None), ("emulator", "xylosim", None, None), ("emulator", "prototype", None, None),
    ("emulator, quiet", "brian2", 5, 50),
)]
ALONE = [
    Bar("build", None, "bytes_per_synapse", 8, 4.5, "bytes per synapse, one delay and weight", False),
    Bar("build", None, "bytes_per_synapse_own", 16, 12, "bytes per synapse, own delay and weight", False),
    Bar("build", None, "peak_over_table", 1.3, 1.3, "peak memory of the build over the table", False),
    Bar("build", None, "peak_over_table_own", 1.3, 1.3, "the same, own delay and weight", False),
    Bar("build", None, "ours_s", 5, 1.5, "1e8 synapses built, s", False),
    Bar("threads", None, "speed_up", 1.6, 1.9, "two threads on brunel"),
    Bar("threads", None, "speed_up_over_quicker", None, None, "the same, beside the quicker core of the two"),
    Bar("threads", None, "same_bits", 1, 1, "the same bits on one and two threads"),
    Bar("start", None, "import_s", 0.3, 0.2, "`import eventsnn`, s", False),
    Bar("start", None, "warm_s", 1, 0.5, "first result, warm cache, s", False),
    Bar("start", None, "ever_s", 10, 5, "first result ever, s", False),
    Bar("emulator_brunel", None, "operations_per_s", 5e7, None, "emulator: synaptic operations a second"),
    Bar("emulator_brunel", None, "over_float", None, 1, "the same over the exact kernel's, in turns"),
    Bar("emulator", None, "operations_per_s", 2e8, 3e8, "Loihi's rule, 1024 neurons: synaptic operations a second"),
    Bar("microcircuit", None, "ours_s", None, None, "microcircuit at a tenth of its size, 1 s, in CPU seconds"),
]


def save(folder: Path, told: Mapping[str, Any]) -> None:
    """One file for a benchmark and peer; the last one measured counts."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = told["options"].get("activity") and "quiet"
    with atomic(folder / ("-".join(filter(None, (told["name"], quiet, told["peer"]))) + ".json")) as file:
        file.write(json.dumps(told) + "\n")


def load(folder: Path) -> dict[tuple[str, str | None], dict[str, Any]]:
    lines = [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*.json"))]
    return {(told["name"] + ", quiet" * ("activity" in told["options"]), told["peer"]): told for told in lines}


def short(value: Any, digits: int = 3) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value >= 1e5:
        return f"{value:.3g}".replace("e+0", "e")
    return f"{value:.0f}" if value >= 10.0 ** digits else f"{value:.{digits}g}"


def verdict(bar: Bar, value: Any) -> str:
    """Which bar is met."""
    if value is None:
        return ""
    for words, limit in (("goal", bar.goal), ("yes", bar.must)):
        if limit is not None and (value >= limit if bar.least else value <= limit):
            return words
    return "" if bar.must is None else "**no**"


def row(*cells: Any) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def both(told: Mapping[str, Any], key: str, theirs: str) -> str:
    """Ours and theirs, as numbers that one can compare."""
    return " / ".join("-" if told.get(k) is None else f"{told[k]:,}" for k in (key, theirs)) if told else ""


def given(told: Mapping[str, Any]) -> str:
    """The options that made it smaller than the benchmark is."""
    return "".join(f" `--{name} {value:g}`" for name, value in told.get("options", {}).items())


def cell(told: Mapping[str, Any], key: str) -> str:
    return "" if told.get(key) is None else short(told[key])


def tables(folder: Path) -> str:
    """Both tables, as markdown; what has not been measured is empty."""
    measured = load(folder)
    heads = ("work", "peer", "ours (s)", "peer (s)", "ratio", "must", "goal", "met", "spikes: ours / peer",
             "events: ours / peer", "ns per event", "ns per random update", "kernel")
    lines = [row(*heads), row(*["---"] * len(heads))]
    for bar in RACES:
        told = measured.get((bar.name, bar.peer), {})
        lines.append(row(bar.name + given(told), bar.peer, *(cell(told, key) for key in ("ours_s", "peer_s", "ratio")),
                         short(bar.must), short(bar.goal), verdict(bar, told.get("ratio")),
                         both(told, "spikes_ours", "spikes_peer"), both(told, "events", "events_peer"),
                         cell(told, "ns_per_event"), cell(told, "ns_random_update"), told.get("kernel", "")))
    lines += ["", row("what", "measured", "must", "goal", "met"), row(*["---"] * 5)]
    for bar in ALONE:
        told = measured.get((bar.name, bar.peer), {})
        lines.append(row(bar.what + given(told), cell(told, bar.key), short(bar.must), short(bar.goal),
                         verdict(bar, told.get(bar.key))))
    machines = sorted({told["machine"] for told in measured.values()})
    return "\n".join([*lines, *(["", f"Measured on {'; '.join(machines)}."] if machines else [])])


def write(page: Path, text: str) -> None:
    """Put the tables between the page's two marks."""
    before, rest = page.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    with atomic(page) as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
