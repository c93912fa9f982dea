"""Networks in Lava 0.10's bit-accurate Loihi 1 models: python run.py PROBLEMS.json TRACES.json, under CPython 3.10.

A problem: steps; inputs (name -> [step][source]); populations (name -> what LIF takes); connections (what Dense takes).
A trace: u, v and s of each population, [step][neuron], after each step.  pip install lava-nc==0.10.0.
"""

import json
import platform
import sys
from importlib.metadata import version

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi1SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor


def trace(problem):
    steps = problem["steps"]
    out, into, cells, monitors = {}, {}, {}, {}
    for name, rows in problem["inputs"].items():
        out[name] = RingBuffer(data=np.array(rows).T.copy()).s_out
    for name, p in problem["populations"].items():
        cells[name] = lif = LIF(shape=(len(p["v"]),), **{k: np.array(x) if isinstance(x, list) else x
                                                         for k, x in p.items()})
        out[name], into[name] = lif.s_out, lif.a_in
    for c in problem["connections"]:
        dense = Dense(weights=np.array(c["weights"]), weight_exp=c["weight_exp"], num_weight_bits=c["num_weight_bits"])
        out[c["source"]].connect(dense.s_in)
        dense.a_out.connect(into[c["target"]])
    for name, lif in cells.items():
        for what, source in (("u", lif.u), ("v", lif.v), ("s", lif.s_out)):
            monitors[name, what] = monitor = Monitor()
            monitor.probe(source, steps)
    first = next(iter(cells.values()))
    first.run(condition=RunSteps(steps), run_cfg=Loihi1SimCfg(select_tag="fixed_pt"))
    found = {what: {name: next(iter(next(iter(monitors[name, what].get_data().values())).values())).astype(int).tolist()
                    for name in cells} for what in "uvs"}
    first.stop()
    return found


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        problems = json.load(file)
    made = {"ran": f"lava-nc {version('lava-nc')}, numpy {np.__version__}, {platform.python_implementation()} "
                   f"{platform.python_version()}", "traces": [trace(problem) for problem in problems]}
    with open(sys.argv[2], "w") as file:
        json.dump(made, file)
