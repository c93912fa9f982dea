"""The peers' side of a race: which script of peers/ does which benchmark's work, how it is run, what it says.

A script runs from peers/ unchanged, once per call, on one core, in its peer's environment (`venvs`); our prototypes
run in this one.  What counts are the CPU seconds that it reports of its simulation alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import venvs
from .ours import pin

PEERS = Path(__file__).parent / "peers"


class Script(NamedTuple):
    venv: str | None                       # None: our own environment
    command: str                           # filled in with the benchmark's size: n, until ...
    pattern: str = ""                      # of what a prototype prints; the others print a JSON line
    note: str = ""                         # how its work differs
    only: Mapping[str, Any] = {}           # the sizes it is written for


def told(out: str, script: Script, size: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds, spikes and synaptic events out of what a script printed."""
    if not script.pattern:
        line = json.loads([line for line in out.splitlines() if line.startswith("{")][-1])
        known = {"crc": line["crc"]} if "crc" in line else {}
        return {"seconds": line["sim_cpu_s"], "spikes": line["spikes"], "sim": line["sim"],
                "events": line["synaptic_events"] + line.get("ext_events", 0), **known}
    found = re.search(script.pattern, out)
    if found is None:
        raise SystemExit(f"{script.command} said something else than expected:\n{out}")
    part = {key: float(value) for key, value in found.groupdict().items()}
    if "rate" in part:
        part["spikes"] = part["rate"] * size["n"] * size["until"] / 1000.0
    return {"seconds": part["seconds"], "spikes": round(part["spikes"]) if "spikes" in part else None,
            "events": round(part["events"] + part.get("external", 0.0)), "sim": script.command.split()[0]}


NO_DELAY = "no delay (ours and NEST's: 0.1 ms)"
FEW = "IntFire1: 10,000 cells, 100 inputs each, reset to rest; ours the same"
SLICES = r"theta 20: sim (?P<seconds>\S+) s rate (?P<rate>\S+) syn (?P<events>\S+) ext (?P<external>\S+)"
CALENDAR = r"numba cuba: sim (?P<seconds>\S+) s spikes (?P<spikes>\S+) nsyn (?P<events>\S+)"
RANDOM = r"fixed cpu (?P<seconds>\S+) wall \S+ syn (?P<events>\S+)"

SCRIPTS: dict[tuple[str, str], Script] = {
    ("brunel", "nest"): Script("nest", "nest_brunel.py --N {n} --T {until} --model grid"),
    ("brunel", "nest_ps"): Script("nest", "nest_brunel.py --N {n} --T {until} --model ps"),
    ("brunel", "brian2"): Script("brian2", "brian2_nets.py brunel --N {n} --T {until} --pin {cpu}"),
    ("brunel", "arbor"): Script("arbor", "arbor_brunel.py --N {n} --T {until}"),
    ("brunel", "neuron"): Script("neuron", "neuron_intfire.py --N {n} --T {until} --indeg {indegree}", note=FEW),
    ("brunel", "prototype"): Script(None, "delta_slices.py {until}", SLICES, only={"n": 12_500, "indegree": 1250}),
    ("cuba", "prototype"): Script(None, "exp_calendar.py", CALENDAR, only={"n": 4000, "until": 1000.0}),
    ("wave", "nest"): Script("nest", "nest_wave.py --N {n} --T {until} --norec", note="no spike recorder"),
    ("wave", "brian2"): Script("brian2", "brian2_nets.py wave --N {n} --T {until} --pin {cpu}"),
    ("build", "prototype"): Script(None, "build_random.py fixed", RANDOM, only={"n": 100_000, "indegree": 1000}),
}
XYLO = "Xylo's rule, not Loihi's: no such raster"
SIZE = "--N {n} --K {fan_out} --T {until:.0f}"
for _name, _venv, _command in (
        ("numpy_csr", None, f"numpy_ticked.py {SIZE} --how csr"), ("prototype", None, f"numba_ticked.py {SIZE}"),
        ("brian2", "brian2", f"brian2_loihi_rule.py {SIZE}"), ("xylosim", "xylosim", f"xylosim_net.py {SIZE}"),
        ("nengo_loihi", "nengo_loihi", f"nengo_loihi_net.py {SIZE}"), ("lava", "lava", f"lava_lif.py {SIZE} --check")):
    SCRIPTS["emulator", _name] = Script(_venv, f"_quiet.py {{share}} {_command}", note=XYLO * (_name == "xylosim"))
for _name, _net in (("cuba", "--N {n} --T {until} --conn p02"), ("cuba_scaled", "--N {n} --T {until} --conn fixed")):
    SCRIPTS |= {
        (_name, "nest"): Script("nest", f"nest_cuba.py {_net} --model iaf_psc_exp"),
        (_name, "nest_ps"): Script("nest", f"nest_cuba.py {_net} --model iaf_psc_exp_ps"),
        (_name, "brian2"): Script("brian2", f"brian2_nets.py cuba {_net} --pin {{cpu}}", note=NO_DELAY),
        (_name, "annarchy"): Script("annarchy", f"annarchy_cuba.py {_net}", note=NO_DELAY),
    }


def peers_of(name: str) -> list[str]:
    return [peer for benchmark, peer in SCRIPTS if benchmark == name]


def other(name: str, peer: str, size: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """A function that runs that peer once more; installs the peer first."""
    script = SCRIPTS[name, peer]
    wrong = {key: value for key, value in script.only.items() if size.get(key, value) != value}
    if wrong:
        raise SystemExit(f"{peer} does {name} only with {', '.join(f'{k} = {v}' for k, v in wrong.items())}")
    python = venvs.python(script.venv) if script.venv else Path(sys.executable)
    variables = venvs.environment(script.venv) if script.venv else {**os.environ, "OMP_NUM_THREADS": "1"}
    words = script.command.format(**size).split()
    cpu = None if "--pin" in words else size["cpu"]            # Brian2 compiles on all cores and pins its binary

    def run() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as here:
            done = subprocess.run([python, PEERS / words[0], *words[1:]], cwd=here, env={**variables, "TMPDIR": here},
                                  text=True, capture_output=True, preexec_fn=pin(cpu))
        if done.returncode:
            raise SystemExit(f"{peer} failed at {' '.join(words)}:\n{done.stderr[-3000:]}")
        return told(done.stdout, script, size)
    return run
