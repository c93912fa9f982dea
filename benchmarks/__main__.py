"""python -m benchmarks NAME [--peer PEER] [--json]: measured figures; the last line printed is one JSON object.

brunel           Brunel's network (2000), N = 12500, 1250 inputs each, delta synapses and Poisson drive, 200 ms
cuba             4000 neurons with exponential currents, 2 % connected, 1 s
cuba_scaled      64000 of them with 80 inputs each
cuba_alpha       cuba with alpha currents
wave             one wave through 500,000 silent neurons, 200 ms
build            1e8 synapses: seconds, bytes each, peak memory
threads          brunel on one and two threads
microcircuit     Potjans & Diesmann's cortical microcircuit (--scale 0.1, 1 s)
emulator         a network of Loihi 1 on the emulator, N = 1024, 32 targets each (--activity 0.001: a quiet one)
emulator_brunel  brunel in integers on the emulator, beside the exact one
start            seconds to `import eventsnn`, to a first result with a warm kernel cache, and to the first result ever
crossing         random first crossings: missed, false, ambiguous, evaluations per problem
coefficients     the same for membranes kept as scaled coefficients
mutants          mutants of the integer models: how many equality with the reference kills (--scale 0.1: every tenth)
rtl              the hardware core: clocks per synaptic operation, f_max after place and route, mutants killed (20 min)
scaling          cost against events, neurons and idle neurons; draws docs/scaling.png
table            the tables of docs/performance.md from saved JSON lines

With --peer both sides run in turns (ours, peer, ours, peer ...), each in processes kept to one core; seconds are CPU
seconds of the simulation alone, medians.  A peer's environment is made when first needed and kept in
~/.cache/eventsnn/peers ($EVENTSNN_PEERS).
"""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import table
from .others import SCRIPTS, peers_of
from .works import WORKS, Options

SAVED = Path(__file__).parents[1] / "docs" / "measured"
PAGE = SAVED.parent / "performance.md"
RUNS = {"threads": 15}           # of each side; of others 5.  Two cores are twice as often disturbed as one


def parsed(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*WORKS, "scaling", "table"])
    parser.add_argument("--peer", choices=sorted({peer for _, peer in SCRIPTS}))
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    parser.add_argument("--runs", type=int, help="of each side; 5 (threads: 15) unless said otherwise")
    parser.add_argument("--until", type=float, help="ms, instead of the benchmark's own")
    parser.add_argument("--scale", type=float, help="of the network's size")
    parser.add_argument("--activity", type=float, help="emulator: spikes per neuron and step, at most 0.026")
    parser.add_argument("--cpu", type=int, help="the core to keep to; the first one allowed unless said otherwise")
    parser.add_argument("--save", type=Path, nargs="?", const=SAVED, metavar="FOLDER",
                        help="keep the JSON line in FOLDER (docs/measured), for `table`")
    parser.add_argument("--folder", type=Path, default=SAVED, help="table: where the JSON lines are")
    parser.add_argument("--write", action="store_true", help="table: into docs/performance.md")
    chosen = parser.parse_args(words)
    if chosen.peer and chosen.peer not in peers_of(chosen.name):
        known = ", ".join(peers_of(chosen.name)) or "nobody"
        parser.error(f"{chosen.name} has no peer {chosen.peer!r}: it races {known}")
    for name in ("runs", "until", "scale", "activity"):
        value = getattr(chosen, name)
        if value is not None and not 0 < value < float("inf"):
            parser.error(f"--{name} is {value:g}: give a number > 0")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if chosen.cpu is None:
        chosen.cpu = cores[0] if cores else None
    elif chosen.cpu not in cores:
        parser.error(f"--cpu is {chosen.cpu}: this process may use {cores}")
    return chosen


def machine() -> str:
    """The processor and how many cores there are."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(map(written, value))
    if isinstance(value, dict):
        return " ".join(f"--{key} {written(part)}" for key, part in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def show(told: Mapping[str, Any]) -> None:
    """A line for each figure; both sides' counts stand next to each other, and so do an event and what bounds it."""
    first = ("name", "peer", "sim", "note", "ours_s", "peer_s", "ratio", "spikes_ours", "spikes_peer", "events",
             "events_peer", "ns_per_event", "ns_per_recurrent_event", "ns_random_update", "kernel")
    for key in (*(key for key in first if key in told), *(key for key in told if key not in first)):
        if told[key] not in (None, {}):
            print(f"{key:>22}  {written(told[key])}")


def main(words: Sequence[str] | None = None) -> None:
    chosen = parsed(words)
    if chosen.name == "table":
        text = table.tables(chosen.folder)
        if chosen.write:
            table.write(PAGE, text)
        print(text)
        return
    if chosen.name == "scaling":
        from .scaling import scaling
        told = scaling(PAGE.with_name("scaling.png"), chosen.scale or 1.0, chosen.runs or 3, chosen.cpu)
    else:
        scale = chosen.scale or (0.1 if chosen.name == "microcircuit" else 1.0)
        runs = chosen.runs or RUNS.get(chosen.name, 5)
        told = WORKS[chosen.name](Options(chosen.peer, runs, chosen.until, scale, chosen.cpu, chosen.activity))
    given = {name: value for name in ("scale", "until", "activity") if (value := getattr(chosen, name)) is not None}
    told |= {"options": given, "machine": machine()}
    if not chosen.json and chosen.name != "scaling":           # which has said each point as it was measured
        show(told)
    if chosen.save:
        table.save(chosen.save, told)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
