"""python -m benchmarks NAME [--json]: measured figures, in CPU seconds of one thread; the last line is one JSON object.

brunel   Brunel's network (2000), N = 12500, 1000 + 250 inputs each, delta synapses, 100 ms, on the general loop
crossing 100,000 random first crossings: missed, false, ambiguous, evaluations per problem (see benchmarks/crossing.py)
start    seconds to `import eventsnn`, to a first result with a warm kernel cache, and to the first result ever: of one
         neuron, as it comes (plain Python) and with backend="compiled"
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from .crossing import crossing

FIRST_RESULT = """
import sys, time
began = time.perf_counter()
import eventsnn as es
imported = time.perf_counter() - began
import networkx as nx
g = nx.DiGraph()
g.add_node("n", model="lif", i_offset=2.0)
network = es.compile(g)
es.simulate(network, 10.0, backend=sys.argv[1])
print(imported, time.perf_counter() - began)
"""


def brunel(n: int = 12500, until: float = 100.0, runs: int = 3) -> dict[str, object]:
    from eventsnn.scenarios.balanced import build

    import eventsnn as es

    began = time.process_time()
    network = es.compile(build(n), seed=1)
    built = time.process_time() - began
    es.simulate(network, 1.0)
    seconds, result = [], None
    for _ in range(runs):
        began = time.process_time()
        result = es.simulate(network, until)
        seconds.append(time.process_time() - began)
    ours, events = statistics.median(seconds), result.counters["synaptic_operations"]
    return {"name": "brunel", "kernel": result.provenance["kernel"], "ours_s": ours, "build_s": built, "events": events,
            "events_per_s": events / ours, "ns_per_event": 1e9 * ours / events, "spikes_ours": len(result.spikes),
            "synapses": len(network.synapses.target),
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def start(runs: int = 5) -> dict[str, object]:
    def first(cache: str, backend: str) -> tuple[float, float]:
        done = subprocess.run([sys.executable, "-c", FIRST_RESULT, backend], check=True, capture_output=True, text=True,
                              env={**os.environ, "NUMBA_CACHE_DIR": cache})
        imported, total = done.stdout.split()
        return float(imported), float(total)

    measured: dict[str, object] = {"name": "start"}
    for backend, prefix in (("auto", ""), ("compiled", "compiled_")):
        with tempfile.TemporaryDirectory() as cache:
            _, ever = first(cache, backend)
            warm = [first(cache, backend) for _ in range(runs)]
        measured |= {"import_s": statistics.median(i for i, _ in warm),
                     f"{prefix}warm_s": statistics.median(t for _, t in warm), f"{prefix}ever_s": ever}
    return measured


BENCHMARKS = {"brunel": brunel, "crossing": crossing, "start": start}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    chosen = parser.parse_args()
    measured = BENCHMARKS[chosen.name]()
    if not chosen.json:
        for key, value in measured.items():
            print(f"{key:>14}  {value:.4g}" if isinstance(value, float) else f"{key:>14}  {value}")
    print(json.dumps(measured))
