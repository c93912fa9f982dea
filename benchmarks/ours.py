"""Our side of a race, in a process of its own: `Ours` starts it, and every call runs the network once more.

The process builds the network (after a smaller one, the rehearsal, where building is what counts), runs it for a moment
so that all is compiled, says so, and then makes one run for every line that it reads; each answer is one JSON line.
Seconds are those of `es.simulate` alone, set-up and Result included.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

WARM = 20.0            # ms
UPDATES = 1 << 22      # random updates in one measurement
ROOT = Path(__file__).parents[1]


def pin(cpu: int | None) -> Callable[[], None] | None:
    """What a child does first: keep to one core."""
    if cpu is None or not hasattr(os, "sched_setaffinity"):
        return None
    return lambda: os.sched_setaffinity(0, {cpu})


class Ours:
    """The process; `facts` is what it said of the network.  Leave it by `with`, so that its memory goes."""

    def __init__(self, network: str, size: Mapping[str, Any], until: float, cpu: int | None = None, *,
                 threads: int = 1, fixed: bool = False, rehearsal: Mapping[str, Any] | None = None):
        job = {"network": network, "size": size, "until": until, "threads": threads, "fixed": fixed,
               "rehearsal": rehearsal}
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.ours", json.dumps(job)], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=pin(cpu))
        self.facts = self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()                  # type: ignore[union-attr]
        if not line:
            raise SystemExit(f"our side of the race ended with exit code {self.process.wait()}")
        return json.loads(line)

    def __call__(self) -> dict[str, Any]:
        self.process.stdin.write("\n")                         # type: ignore[union-attr]
        self.process.stdin.flush()                             # type: ignore[union-attr]
        return self._answer()

    def keep_to(self, *cpus: int) -> None:
        """Have the process, and what threads it starts from now on, run on these cores only."""
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, cpus)

    def on(self, cpu: int) -> dict[str, Any]:
        """A run on that core."""
        self.keep_to(cpu)
        return self()

    def __enter__(self) -> "Ours":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()                             # type: ignore[union-attr]
        self.process.wait()


# ---------------------------------------------------------------------------------------------------- in the process
def memory_mb(which: str = "VmHWM") -> float:
    """Resident memory of this program, its peak or (VmRSS) now; ru_maxrss would count what its parent had."""
    try:
        (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which)]
        return int(line.split()[1]) / 1024
    except (OSError, ValueError):
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table_bytes(table: Any) -> int:
    """Of all arrays in a (nested) tuple."""
    if isinstance(table, tuple):
        return sum(table_bytes(part) for part in table)
    return int(getattr(table, "nbytes", 0))


def table_entries(table: Any) -> int:
    """The length of the longest array."""
    if isinstance(table, tuple):
        return max((table_entries(part) for part in table), default=0)
    return int(getattr(table, "size", 0))


def random_updates(neurons: int) -> Callable[[], float]:
    """A measurement: nanoseconds for one update of a random one of so many 8-byte states, the physical limit."""
    import numba
    import numpy as np

    @numba.njit
    def run(state: Any, which: Any) -> None:
        for j in which:
            state[j] += 0.1

    state = np.zeros(neurons)
    which = np.random.default_rng(1).integers(0, neurons, UPDATES, dtype=np.int32)
    run(state, which[:1])

    def measure() -> float:
        began = time.process_time_ns()
        run(state, which)
        return (time.process_time_ns() - began) / UPDATES
    return measure


def built(graph: Any, until: float) -> tuple[Any, float]:
    """The network, of floats or of a chip's integers; and until when to run: a chip's tick 0 is no step."""
    from eventsnn.exporters.fixed import profiles

    import eventsnn as es

    chips = {a.get("model") for _, a in graph.nodes(data=True)} & set(profiles.PROFILES)
    if not chips:
        return es.compile(graph, seed=1), until
    return profiles.network(graph, chips.pop()), until and until + 1.0


def raster(result: Any) -> int:
    """The checksum of all steps' spikes that the peers print."""
    import zlib

    import numpy as np

    steps, size = int(result.until) - 1, result.network.neurons
    spiked = np.zeros((steps, size), bool)
    spiked[result.spikes.time.astype(int) - 1, result.spikes.neuron] = True
    crc = 0
    for row in np.packbits(spiked, axis=1):
        crc = zlib.crc32(row.tobytes(), crc)
    return crc


def main(network: str, size: Mapping[str, Any], until: float, threads: int, fixed: bool,
         rehearsal: Mapping[str, Any] | None) -> None:
    import eventsnn as es

    from .networks import NETWORKS

    def say(**facts: object) -> None:
        print(json.dumps(facts), flush=True)

    if rehearsal is not None:
        es.compile(NETWORKS[network](**rehearsal)[0])
    graph, synapses = NETWORKS[network](**size)
    before_mb, began = memory_mb("VmRSS"), time.process_time()
    compiled, until = built(graph, until)
    build_s, peak_mb = time.process_time() - began, memory_mb()
    if fixed:
        compiled = es.quantise(compiled, calibrate=es.simulate(compiled, min(until, 100.0)))
    table_mb = table_bytes(compiled.synapses) / 2 ** 20
    synapses = synapses or table_entries(compiled.synapses)
    if until:
        es.simulate(compiled, min(until, WARM), threads=threads, backend="compiled")
    updates = random_updates(compiled.neurons)
    say(build_s=build_s, build_peak_mb=peak_mb - before_mb, table_mb=table_mb, synapses=synapses,
        neurons=compiled.neurons, bytes_per_synapse=table_mb * 2 ** 20 / synapses)
    for _ in sys.stdin:
        began, wall = time.process_time(), time.perf_counter()
        result = es.simulate(compiled, until, threads=threads)
        seconds, wall = time.process_time() - began, time.perf_counter() - wall
        digest = hashlib.sha256(result.spikes.time.tobytes() + result.spikes.neuron.tobytes()).hexdigest()
        say(seconds=seconds, wall_s=wall, spikes=len(result.spikes), events=result.counters["synaptic_operations"],
            kernel=result.provenance["kernel"], digest=digest, rss_mb=memory_mb(), ns_random_update=updates(),
            **({"crc": raster(result)} if compiled.tick == 1.0 else {}))
        del result


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
