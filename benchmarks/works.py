"""The benchmarks by name: each takes the options of the command line and returns its JSON object.

brunel, cuba, cuba_scaled, wave    the network against itself or a peer, in turns
cuba_alpha                         with alpha currents, alone
build                              1e8 synapses: seconds, bytes each, peak memory over the table's size
threads                            brunel on one thread, on either of two cores, and on two, in turns, by the clock
emulator_brunel                    brunel in integers on the emulator, and the exact one, in turns
emulator                           a network of Loihi 1 on the emulator, against other emulators and plain loops
microcircuit                       the scenario of that name
"""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .others import SCRIPTS, other
from .ours import Ours
from .race import alone, figures, median, take_turns


@dataclass(frozen=True)
class Options:
    peer: str | None = None
    runs: int = 5
    until: float | None = None     # ms; None: the benchmark's own
    scale: float = 1.0             # of the number of neurons (build: of the synapses)
    cpu: int | None = None         # the core that both sides keep to
    activity: float | None = None  # emulator: spikes per neuron and step


def race(name: str, network: str, size: dict[str, Any], until: float, chosen: Options) -> dict[str, Any]:
    """Ours and the peer in turns; `size` is what the network's function takes."""
    until = chosen.until or until
    peer = chosen.peer and other(name, chosen.peer, {**size, "until": until, "cpu": chosen.cpu})
    with Ours(network, size, until, chosen.cpu) as ours:
        runs = take_turns(chosen.runs, ours, peer or None)
    told = figures(name, ours.facts, runs[0], chosen.peer, runs[1])
    note = SCRIPTS[name, chosen.peer].note if chosen.peer else ""
    return told | {"until": until} | ({"note": note} if note else {})


def brunel_size(scale: float, small_world: bool = False) -> dict[str, Any]:
    """n and its 10 % inputs; NEURON, whose objects would not fit, has 100 inputs and resets to rest."""
    if small_world:
        return {"n": round(10_000 * scale), "indegree": 100, "v_reset": 0.0}
    n = round(12_500 * scale)
    return {"n": n, "indegree": round(0.08 * n) + round(0.02 * n)}


def brunel(chosen: Options) -> dict[str, Any]:
    """Also what a recurrent event costs: the run less one with the drive alone, over the recurrent events."""
    size, until = brunel_size(chosen.scale, chosen.peer == "neuron"), chosen.until or 200.0
    told = race("brunel", "brunel", size, until, chosen)
    with Ours("brunel", {**size, "connected": False}, until, chosen.cpu) as drive:
        (without,) = take_turns(min(chosen.runs, 3), drive)
    recurrent = told["events"] - without[0]["events"]
    return told | {"events_recurrent": recurrent, "drive_s": median(without, "seconds"),
                   "ns_per_recurrent_event": 1e9 * (told["ours_s"] - median(without, "seconds")) / max(recurrent, 1)}


def cuba(chosen: Options) -> dict[str, Any]:
    return race("cuba", "cuba", {"n": round(4000 * chosen.scale)}, 1000.0, chosen)


def cuba_scaled(chosen: Options) -> dict[str, Any]:
    return race("cuba_scaled", "cuba", {"n": round(64_000 * chosen.scale), "fixed": True}, 1000.0, chosen)


def cuba_alpha(chosen: Options) -> dict[str, Any]:
    return race("cuba_alpha", "cuba", {"n": round(4000 * chosen.scale), "synapse": "alpha"}, 1000.0, chosen)


def wave(chosen: Options) -> dict[str, Any]:
    return race("wave", "wave", {"n": max(round(5000 * chosen.scale), 2) * 100}, 200.0, chosen)


def build(chosen: Options) -> dict[str, Any]:
    """CPU seconds of `compile`, every time in a new process; once more with a delay and weight for each synapse."""
    size = {"n": max(round(100_000 * chosen.scale), 1000), "indegree": 1000}
    peer = chosen.peer and other("build", chosen.peer, {**size, "cpu": chosen.cpu})

    def built(own: bool = False) -> dict[str, Any]:
        with Ours("tables", {**size, "own": own}, 0.0, chosen.cpu, rehearsal={"n": 1000, "own": own}) as ours:
            return {**ours.facts, "seconds": ours.facts["build_s"]}

    ours, theirs = take_turns(chosen.runs, built, peer or None)
    own, fact, seconds = built(own=True), ours[0], median(ours, "seconds")
    told = alone("build", peer=chosen.peer, ours_s=seconds, rss_mb=fact["build_peak_mb"],
                 bytes_per_synapse=fact["bytes_per_synapse"], synapses=fact["synapses"],
                 ns_per_synapse=1e9 * seconds / fact["synapses"],
                 peak_over_table=fact["build_peak_mb"] / fact["table_mb"],
                 own_s=own["seconds"], bytes_per_synapse_own=own["bytes_per_synapse"],
                 peak_over_table_own=own["build_peak_mb"] / own["table_mb"], ours_all_s=[r["seconds"] for r in ours])
    if theirs:
        peer_s = median(theirs, "seconds")
        told |= {"peer_s": peer_s, "ratio": peer_s / seconds, "synapses_peer": theirs[0]["events"],
                 "sim": theirs[0]["sim"], "peer_all_s": [r["seconds"] for r in theirs]}
    return told


def threads(chosen: Options) -> dict[str, Any]:
    """Two threads on two cores, and one thread on the one and on the other core in turns.

    Cores of a shared machine differ, from minute to minute: two threads are compared with the mean speed of their two
    cores in the same round, and also with the quicker one's.
    """
    size, until, cores = brunel_size(chosen.scale), chosen.until or 200.0, two_cores()
    with Ours("brunel", size, until) as one, Ours("brunel", size, until, threads=2) as two:
        two.keep_to(*cores)
        first, second, twos = take_turns(chosen.runs, *(partial(one.on, core) for core in cores), two)
    told = figures("threads", one.facts, twos)
    rounds = [(a["wall_s"], b["wall_s"]) for a, b in zip(first, second, strict=True)]
    told |= {"ours_s": median(twos, "wall_s"), "one_s": statistics.median(map(statistics.harmonic_mean, rounds)),
             "quicker_s": statistics.median(map(min, rounds)), "two_s": median(twos, "wall_s"),
             "ours_all_s": [run["wall_s"] for run in twos], "one_all_s": rounds}
    return told | {"speed_up": told["one_s"] / told["two_s"],
                   "speed_up_over_quicker": told["quicker_s"] / told["two_s"],
                   "ns_per_event": 1e9 * told["two_s"] / told["events"],
                   "events_per_s": told["events"] / told["two_s"],
                   "same_bits": len({run["digest"] for run in (*first, *second, *twos)}) == 1, "until": until}


def two_cores() -> tuple[int, int]:
    """The first two that this program may run on; twice the same if there is but one."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 0]
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def emulator_brunel(chosen: Options) -> dict[str, Any]:
    size, until = brunel_size(chosen.scale), chosen.until or 200.0
    with (Ours("brunel", size, until, chosen.cpu, fixed=True) as integer,
          Ours("brunel", size, until, chosen.cpu) as exact):
        integers, exacts = take_turns(chosen.runs, integer, exact)
    told, float_s = figures("emulator_brunel", integer.facts, integers), median(exacts, "seconds")
    return told | {"operations_per_s": told["events_per_s"], "float_s": float_s, "until": until,
                   "over_float": told["events_per_s"] * float_s / exacts[0]["events"],
                   "float_operations_per_s": exacts[0]["events"] / float_s, "spikes_float": exacts[0]["spikes"]}


LOUD = 0.0262                      # spikes per neuron and step of the emulators' network, where all are driven
STEPS = {None: 20_000, "brian2": 20_000, "prototype": 20_000, "numpy_csr": 2000, "lava": 1000, "nengo_loihi": 500,
         "xylosim": 1000}

QUIET = 5                      # times as many where little happens, so that there is something to time


def emulator(chosen: Options) -> dict[str, Any]:
    """The Loihi rule, a tick a ms; events are synaptic operations.  Both sides' rasters have one checksum."""
    share = min(1.0, (chosen.activity or LOUD) / LOUD)
    size = {"n": round(1024 * chosen.scale), "fan_out": 32, "share": share}
    steps = chosen.until or STEPS[chosen.peer] * (QUIET if chosen.activity else 1)
    told = race("emulator", "emulator", size, steps, chosen)
    return told | {"us_per_step": 1e6 * told["ours_s"] / steps, "operations_per_s": told["events_per_s"],
                   "activity": told["spikes_ours"] / steps / size["n"]}


def microcircuit(chosen: Options) -> dict[str, Any]:
    return race("microcircuit", "microcircuit", {"scale": chosen.scale}, 1000.0, chosen)


def start(chosen: Options) -> dict[str, Any]:
    from .start import start
    return start(chosen.runs)


def crossing(chosen: Options) -> dict[str, Any]:
    from .crossing import crossing
    return alone("crossing") | crossing(max(round(100_000 * chosen.scale), 100))


def coefficients(chosen: Options) -> dict[str, Any]:
    from .coefficients import coefficients
    return alone("coefficients") | coefficients(max(round(100_000 * chosen.scale), 100))


def mutants(chosen: Options) -> dict[str, Any]:
    from .mutants import hunted
    return alone("mutants") | hunted(share=min(chosen.scale, 1.0))


def rtl(chosen: Options) -> dict[str, Any]:
    from .rtl import MUTANTS, measured
    return measured(min(chosen.runs, 3), max(round(MUTANTS * chosen.scale), 1))


WORKS: dict[str, Callable[[Options], dict[str, Any]]] = {
    f.__name__: f for f in (brunel, cuba, cuba_scaled, cuba_alpha, wave, build, threads, microcircuit,
                            emulator_brunel, start, emulator, crossing, coefficients, mutants, rtl)}
