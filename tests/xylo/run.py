"""Random cores in xylosim 0.1.3: python run.py CORES.json TRACES.json, in a process of its own.

CORES: a list of {version, synapses_in, synapses_rec, synapses_out, hidden, readout, shifts, aliases, inputs}, as
`xylo_reference.Core` has them.  TRACES: for each the spikes by tick, V and I by neuron.  xylosim crashes when synapses
are collected before their layer, so everything is kept until the process ends.
"""

import json
import os
import sys

from xylosim import v1, v2

KEPT = []


def layer(core):
    module = {1: v1, 2: v2}[core["version"]]
    tables = [[[module.XyloSynapse(*s) for s in row] for row in core[name]]
              for name in ("synapses_in", "synapses_rec", "synapses_out")]
    hidden, readout = core["hidden"], core["readout"]
    bias = {"has_bias": True, "bias": hidden["bias"], "bias_out": readout["bias"]} if core["version"] == 2 else {}
    made = module.XyloLayer(
        synapses_in=tables[0], synapses_rec=tables[1], synapses_out=tables[2], aliases=core["aliases"],
        threshold=hidden["threshold"], threshold_out=readout["threshold"], dash_mem=hidden["dash_mem"],
        dash_mem_out=readout["dash_mem"], dash_syns=hidden["dash_syns"], dash_syns_out=readout["dash_syns"],
        weight_shift_inp=core["weight_shift_inp"], weight_shift_rec=core["weight_shift_rec"],
        weight_shift_out=core["weight_shift_out"], name="core", **bias)
    KEPT.append((made, tables))
    return made


def trace(core):
    made = layer(core)
    made.evolve(core["inputs"])
    return {"spikes": made.rec_recurrent_spikes, "v": made.rec_v_mem, "i": [made.rec_i_syn, made.rec_i_syn2],
            "spikes_out": made.rec_out_spikes, "v_out": made.rec_v_mem_out, "i_out": [made.rec_i_syn_out]}


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        cores = json.load(file)
    with open(sys.argv[2], "w") as file:
        json.dump([trace(core) for core in cores], file)
    sys.stdout.flush()
    os._exit(0)                                   # nothing is collected
