"""Seconds by the clock to `import eventsnn`, to a result with a warm kernel cache, and to the first result ever."""

import os
import statistics
import subprocess
import sys
import tempfile

from .race import alone

FIRST_RESULT = """
import time
began = time.perf_counter()
import eventsnn as es
imported = time.perf_counter() - began
import networkx as nx
g = nx.DiGraph()
g.add_node("n", model="lif", i_offset=2.0)
network = es.compile(g)
es.simulate(network, 10.0)
print(imported, time.perf_counter() - began)
"""


def start(runs: int = 5) -> dict[str, object]:
    def first(cache: str) -> tuple[float, float]:
        done = subprocess.run([sys.executable, "-c", FIRST_RESULT], check=True, capture_output=True, text=True,
                              env={**os.environ, "NUMBA_CACHE_DIR": cache})
        imported, total = done.stdout.split()
        return float(imported), float(total)

    with tempfile.TemporaryDirectory() as cache:
        _, ever = first(cache)
        warm = [first(cache) for _ in range(runs)]
    warm_s = statistics.median(t for _, t in warm)
    return alone("start", ours_s=warm_s, import_s=statistics.median(i for i, _ in warm), warm_s=warm_s, ever_s=ever)
