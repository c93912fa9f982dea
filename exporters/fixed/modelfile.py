"""The model file (target "json"): an integer network as a JSON header and binary images, complete and checkable.

    model.json     format and version; tick, seed, digest; every population with its Format and the float values its
                   integers came from; projections with their shifts; the quantisation report; the list of images
    graph.json     the graph it was quantised from, with which `compile` gives the float original
    <image>.bin    little-endian arrays in C order; the header has each one's shape, type, bits, sha256 and meaning

Each field of the header has a checksum of its own, so that a damaged file is refused with the name of what is wrong,
and the header ends with a seal, the sha256 of every byte before it.  docs/model-file.md is written for other readers.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from eventsnn.errors import Mistake
from eventsnn.files import atomic
from eventsnn.jsonfile import load, text_of
from eventsnn.network import Network, Population
from eventsnn.tables import drives, sums

from . import clocked, lif
from .format import VERSION, Current, Fixed, Format, Projection
from .images import group_of, images_of, synapses_of
from .profiles import PROFILES

NAME, GRAPH, FORMAT, NUMBER = "model.json", "graph.json", "eventsnn integer network", 3
ALWAYS = {"name": VERSION, "accumulation": "exact, saturated once", "ticks": "rint(t/tick), delays at least 1"}
ARITHMETIC: Mapping[str, Mapping[str, Any]] = {
    "event": {**ALWAYS, "mode": "event", "rounding": "DOWN", "saturation": "symmetric", "comparison": ">=",
              "judged": "once per neuron and tick, after its last input", "state": ["V"]},
    "tick": {**ALWAYS, "mode": "tick", "rounding": "neurons.rounding", "saturation": "neurons.saturation",
             "comparison": "neurons.strict", "judged": "every neuron at every tick, after its last input",
             "state": ["V", "I", "refractory"]},
    **{name: {"name": name, "mode": name, "ticks": ALWAYS["ticks"], "state": list(profile.variables),
              "accumulation": "one by one, saturated each" if profile.dynamics.separate else "exact",
              "judged": "every neuron at every tick, after its last input"}
       for name, profile in PROFILES.items()},               # docs/profiles.md says what they compute
}
SECOND = {"name": VERSION, "mode": "event", "rounding": "DOWN", "saturation": "symmetric", "comparison": ">=",
          "accumulation": "exact, saturated once", "judged": "once per neuron and tick",
          "ticks": "rint(t/tick), delays at least 1"}      # what version 2 said; its images were alike
FIELDS = ("format", "version", "arithmetic", "tick_ms", "seed", "digest", "populations", "projections", "report",
          "images", "graph")
OWN = ("name", "model", "kind", "size", "neuron", "emitter", "receptors", "rest")
SEAL = ',\n "seal": '                                      # and the sha256, as the text's end


# ---------------------------------------------------------------------------------------------------- writing
def write(network: Network, folder: str | Path) -> list[Path]:
    """Write the model file; `read` gives back a network with the same digest.  All files appear, the header last."""
    if not isinstance(network.fixed, Fixed):
        raise Mistake("only an integer network has a model file: quantise(network) first")
    kinds = (lif.DYNAMICS, clocked.DYNAMICS, *(profile.dynamics for profile in PROFILES.values()))
    if network.groups[0].dynamics not in kinds:
        raise Mistake(f"the model file has no {network.groups[0].dynamics.name}: it holds FX-LIF v1 and the profiles")
    folder, images = Path(folder), images_of(network)
    entries = {}
    for name, (values, bits, meaning) in images.items():
        entries[name] = {"file": f"{name}.bin", "shape": list(values.shape), "type": values.dtype.str, "bits": bits,
                         "sha256": hashlib.sha256(values.tobytes()).hexdigest(), "meaning": meaning}
    mode = "tick" if network.groups[0].dynamics == clocked.DYNAMICS else "event"
    mode = network.fixed.version if network.fixed.version in PROFILES else mode
    header: dict[str, Any] = {
        "format": FORMAT, "version": NUMBER, "arithmetic": ARITHMETIC[mode], "tick_ms": network.tick,
        "seed": network.seed, "digest": network.digest,
        "populations": [described(p, network.fixed) for p in network.populations],
        "projections": [q._asdict() for q in network.fixed.projections], "report": network.fixed.report,
        "images": entries, "graph": None}
    graph = "" if network.graph is None else text_of(network.graph)
    if graph:
        header["graph"] = {"file": GRAPH, "sha256": hashlib.sha256(graph.encode()).hexdigest()}
    header["checksums"] = {name: checksum(header[name]) for name in FIELDS}
    paths = [folder / entry["file"] for entry in entries.values()]
    with ExitStack() as stack:                         # leaves in reverse: the images get their names, the header last
        top = stack.enter_context(atomic(folder / NAME))
        if graph:
            stack.enter_context(atomic(folder / GRAPH)).write(graph)
        for path, (values, _, _) in zip(paths, images.values(), strict=True):
            stack.enter_context(atomic(path, "wb")).write(values.tobytes())
        top.write(sealed(json.dumps(header, indent=1, allow_nan=False)))
    return [folder / NAME, *([folder / GRAPH] if header["graph"] else []), *paths]


def sealed(text: str) -> str:
    """A JSON object's text with its seal."""
    before = text.removesuffix("\n}")
    return f'{before}{SEAL}"{hashlib.sha256(before.encode()).hexdigest()}"\n}}'


def described(p: Population, fixed: Fixed) -> dict[str, Any]:
    """A population as the header shows it."""
    form = asdict(fixed.formats[p.name]) if p.kind == "neuron" else None
    if form:
        form["currents"] = [c._asdict() for c in fixed.formats[p.name].currents]
    return {name: getattr(p, name) for name in OWN} | {
        "format": form, "variables": list(p.variables), "units": {name: plain(each) for name, each in p.units.items()},
        "float": {name: plain(value) for name, value in p.params.items()}}


def plain(value: Any) -> Any:
    """Parameters as JSON: an array is {"every": x, "size": n} or {"values": [...]}; infinities are words."""
    if isinstance(value, np.ndarray):
        if value.size and (value == value[0]).all():
            return {"every": plain(float(value[0])), "size": value.size}
        return {"values": [plain(x) for x in value.tolist()]}
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def checksum(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


# ---------------------------------------------------------------------------------------------------- reading
def read(path: str | Path) -> Network:
    """The integer network of a model file (its folder or its model.json).

    Raises `Mistake` with the name of the field or image that is missing, damaged or unknown.
    """
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    header = header_of(path)
    tables = {name: loaded(path, name, entry) for name, entry in header["images"].items()}
    fixed = Fixed({q["name"]: format_of(q["format"]) for q in header["populations"] if q["format"]},
                  tuple(Projection(**q) for q in header["projections"]), header["report"], tables["synapses.original"],
                  header["arithmetic"]["name"])
    mode = header["arithmetic"]["mode"]
    group = group_of(tables, sum(q["size"] for q in header["populations"] if q["kind"] == "neuron"), mode)
    populations = tuple(population(q, fixed, group.dynamics.exactness) for q in header["populations"])
    network = Network(populations, (group,), synapses_of(tables, populations, fixed.projections),
                      drives(sums([], len(group.neuron))), header["seed"], graph_of(path, header["graph"]),
                      header["tick_ms"], fixed)
    if network.digest != header["digest"]:
        raise Mistake(f"{path}: the network does not have the digest that field 'digest' promises, though every field "
                      "and image is intact: it was written by another version of eventsnn")
    return network


def header_of(path: Path) -> dict[str, Any]:
    """The header, each field present and intact."""
    try:
        data = path.read_bytes()
        header = json.loads(data)
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Mistake(f"{path} is no JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise Mistake(f"{path} is no model file: its field 'format' is not {FORMAT!r}")
    version = header.get("version")
    if version == 1:
        raise Mistake(f"{path}: field 'version' is 1, a table of synapses that this eventsnn no longer reads: quantise "
                      f"{path.parent / GRAPH} again (eventsnn quantise)")
    if version not in (2, NUMBER):
        raise Mistake(f"{path}: field 'version' is {version!r}, this eventsnn reads versions 2 and {NUMBER}")
    sums = header.get("checksums")
    for name in FIELDS:
        if name not in header or not isinstance(sums, dict) or name not in sums:
            raise Mistake(f"{path}: field {name!r} or its checksum is missing")
        if sums[name] != checksum(header[name]):
            raise Mistake(f"{path}: field {name!r} is not what was written (its checksum differs)")
    mode = header["arithmetic"].get("mode")
    known = SECOND if version == 2 else ARITHMETIC.get(mode, ARITHMETIC["event"])
    if header["arithmetic"] != known:
        odd = next((k for k in known if header["arithmetic"].get(k) != known[k]), "more than it may")
        raise Mistake(f"{path}: field 'arithmetic' asks for {odd} {header['arithmetic'].get(odd)!r}, this eventsnn has "
                      f"{known.get(odd)!r}")
    if version == NUMBER and sealed(data.decode().partition(SEAL)[0] + "\n}") != data.decode():
        raise Mistake(f"{path}: field 'seal' is not what was written, or the text before it is not: the fields' values "
                      "are intact, but not every byte is")
    return header


def format_of(told: Mapping[str, Any]) -> Format:
    return Format(**{**told, "currents": tuple(Current(**c) for c in told.get("currents", ()))})


def loaded(path: Path, name: str, entry: Mapping[str, Any]) -> np.ndarray:
    """One image, whole and unchanged."""
    file = path.parent / entry["file"]
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Mistake(f"{path}: image {name!r} cannot be read: {file}: {error.strerror}") from error
    kind = np.dtype(entry["type"])
    size = math.prod(entry["shape"]) * kind.itemsize
    if len(data) != size:
        raise Mistake(f"{path}: image {name!r} has {len(data)} bytes, its shape and type need {size}: {file} is "
                      f"{'truncated' if len(data) < size else 'too long'}")
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise Mistake(f"{path}: image {name!r} is damaged: the sha256 of {file} differs from the header's")
    return np.frombuffer(data, kind).reshape(entry["shape"])


def graph_of(path: Path, entry: Mapping[str, Any] | None) -> Any:
    """The networkx graph beside the header, unchanged."""
    if entry is None:
        return None
    file = path.parent / entry["file"]
    if not file.exists() or digest_of(file) != entry["sha256"]:
        raise Mistake(f"{path}: field 'graph': {file} is missing, or its sha256 differs from the header's")
    return load(file)


def population(q: Mapping[str, Any], fixed: Fixed, exactness: str) -> Population:
    own = {name: q[name] for name in OWN}
    params = {name: lists(value) for name, value in q["float"].items()}
    if q["kind"] != "neuron":
        return Population(**own, params=params)
    return Population(**own, params=params, group=0, offset=q["neuron"],
                      variables=tuple(q.get("variables", lif.VARIABLES)), scale=fixed.formats[q["name"]].lsb,
                      units={name: lists(each) for name, each in q.get("units", {}).items()}, exactness=exactness)


def lists(value: Any) -> Any:
    """What `plain` wrote."""
    if isinstance(value, dict):
        if "every" in value:
            return np.full(value["size"], float(value["every"]))
        return np.array([float(x) for x in value["values"]])
    return [lists(x) for x in value] if isinstance(value, list) else value
