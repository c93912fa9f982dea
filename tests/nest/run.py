"""One random network in NEST's precise neurons: python run.py PROBLEM.npz SPIKES.npz, in a process of its own.

The problem: model, resolution, until; what all neurons share (`shared`, JSON) and what each has for itself (V_m, I_e);
the trains of the spike generators (times and whose they are); synapses (pre, post, weight, delay), where generators
count on from the last neuron.  The answer: time and neuron of every spike, in any order.
"""

import json
import sys

import nest
import numpy as np


def run(problem):
    nest.ResetKernel()
    nest.resolution = float(problem["resolution"])
    nest.total_num_virtual_procs = 1
    neurons, trains = len(problem["V_m"]), int(problem["trains"])
    cells = nest.Create(str(problem["model"]), neurons, json.loads(str(problem["shared"])))
    cells.set({name: problem[name] for name in ("V_m", "I_e")})
    given = nest.Create("spike_generator", trains, {"precise_times": True})
    for k in range(trains):
        given[k].spike_times = np.sort(problem["train_time"][problem["train"] == k])
    number = np.array(cells.tolist() + given.tolist())
    nest.Connect(number[problem["pre"]], number[problem["post"]], "one_to_one",
                 {"weight": problem["weight"], "delay": problem["delay"]})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(cells, recorder)
    nest.Simulate(float(problem["until"]))
    seen = recorder.events
    # A spike lies `offset` before the end of its step; the product is exact for a dyadic resolution.
    time = seen["times"] * float(problem["resolution"]) - seen["offsets"]
    return {"time": time, "neuron": seen["senders"] - cells[0].global_id}


if __name__ == "__main__":
    with np.load(sys.argv[1]) as problem:
        np.savez(sys.argv[2], version=nest.__version__, **run(problem))
