"""write(network, folder): the library's sources, a network's parameters and memories, tops, testbenches, README.md."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from eventsnn.errors import Mistake
from eventsnn.files import atomic
from eventsnn.network import Network

from .. import checks, vectors
from ..fixed import clocked as ticked
from ..fixed import lif
from . import clocked, images, several
from .images import digits

HERE = files(__package__)
RTL = ("event_core", "tick_core", "front", "accumulate", "touched", "bits", "sweep", "judge", "decay", "active",
       "flags", "ticks", "current", "fade", "rounded", "held", "fire", "multiply", "later", "queue", "fifo", "rom",
       "ram", "aer_in", "aer_out", "widen", "narrow", "cores", "router", "link")
CONSTRAINTS = ("icebreaker.pcf", "hx8k_breakout.pcf", "ulx3s.lpf")
CORES = {lif.DYNAMICS.name: ("event_core", images), ticked.DYNAMICS.name: ("tick_core", clocked)}
DESIGN = "design.json"           # parameters, bits of every memory
DERIVED = ("SYNAPSES",)          # told, but no parameter of the core


def write(network: Network, folder: str | Path, inputs: Mapping[Any, Any] | None = None,
          until: float | None = None, backend: str = "auto", cores: int = 1) -> list[Path]:
    """Everything of one network; with `until` (ms) also a stimulus and the emulator's answer.

    inputs    trains for `spikes` nodes, as simulate takes them
    backend   the emulator's
    cores     how many, with a router between them, each with a part of the neurons and the synapses that lead to them
    """
    checks.exportable(network)
    if inputs is not None and until is None:
        raise Mistake("inputs need until, ms: how long the run is that goes along")
    folder = Path(folder)
    vector = vectors.vector(network, until, inputs, backend) if until is not None else None
    (group,) = network.groups
    if group.dynamics.name not in CORES:
        raise Mistake(f"there is no hardware for {group.dynamics.name} yet, only for {' and '.join(CORES)}")
    core, told_of = CORES[group.dynamics.name]
    made = told_of.design(network, vector) if cores == 1 else several.design(network, cores, vector)
    memories = told_of.memory_bits(made)
    p = made.parameters
    paths = [copied(f"rtl/{name}.v", folder) for name in RTL]
    for name, words in made.images.items():
        wide = digits(told_of.word_bits(p)[name.rstrip("0123456789")])
        paths.append(text(folder / f"{name}.hex", "".join(f"{word:0{wide}x}\n" for word in words)))
    told: dict[str, Any] = {name: value for name, value in p.items() if name not in DERIVED}
    inside = ["core"]
    if made.bases:
        core, told = "cores", several.told(told, made.bases)
        inside = [f"core.each[{k}].core" for k in range(cores)]
    paths.append(text(folder / "parameters.vh", "".join(f"localparam {k} = {v};\n" for k, v in told.items())))
    paths.append(filled("top.v", folder, core=core, high=p["ARGUMENT"] + 1,
                        connections=",\n".join(f"        .{name}({name})" for name in [*told, "DSP"]),
                        wires="" if made.bases else "    wire unused_judged;\n",
                        more="" if made.bases else ", .judged(unused_judged)"))
    wide = p["ARGUMENT"] + 2
    paths += [filled(f"{name}_top.v", folder, high=wide - 1, width=wide, bytes=-(-wide // 8))
              for name in ("bytes", "aer")]
    if vector is not None:
        count = sum(1 for _ in vectors.words(vector))
        paths.append(text(folder / "expected.hex", "".join(
            f"{tick:08x}{neuron:08x}\n" for tick, neuron in [*vector.expected.tolist(), (vector.ticks, 0)])))
        paths.append(filled("testbench.v", folder, words=count, ticks=vector.ticks, argument=p["ARGUMENT"],
                            spikes=len(vector.expected),
                            operations="\n        ".join(
                                f"if (top.{path}.synapse) operations = operations + 1;" for path in inside)))
        paths.append(filled("simulate.cc", folder, ticks=vector.ticks, argument=p["ARGUMENT"]))
    paths += [copied(f"constraints/{name}", folder) for name in CONSTRAINTS]
    paths.append(filled("README.md", folder, width=wide, bytes=-(-wide // 8), argument=p["ARGUMENT"],
                        last=network.neurons - 1, tick=f"{network.tick:g}", cores=several.words(made.bases)))
    design_told = {"parameters": p, "cores": cores, "bases": made.bases, "memory_bits": memories,
                   "most_spikes_of_a_source_per_tick": made.burst}
    paths.append(text(folder / DESIGN, json.dumps(design_told, indent=1)))
    return checks.complete("verilog", network, folder, vector, paths)


def copied(name: str, folder: Path) -> Path:
    """A source of the library."""
    return text(folder / name, HERE.joinpath(name).read_text("utf-8"))


def filled(name: str, folder: Path, **values: Any) -> Path:
    return text(folder / name, Template(HERE.joinpath(f"templates/{name}").read_text("utf-8")).substitute(values))


def text(path: Path, content: str) -> Path:
    with atomic(path) as file:
        file.write(content)
    return path
