"""The model file (target "json"): an integer network as a JSON header and binary images, complete and checkable.

    model.json     format and version; tick, seed, digest; every population with its Format and the float values its
                   integers came from; projections with their shifts; the quantisation report; the list of images
    graph.json     the graph it was quantised from, with which `compile` gives the float original
    <image>.bin    little-endian arrays in C order; the header has each one's shape, type, bits, sha256 and meaning

An image of first dimension 1 where the neurons are more stands for all of them.  Synapses hold mantissas; a weight is
mantissa << shift of its projection (source population, target population, receptor).  Each field of the header has a
checksum of its own, so that a damaged file is refused with the name of what is wrong.
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
from eventsnn.jsonfile import load, save
from eventsnn.network import Group, Network, Population, Synapses
from eventsnn.tables import drives, sums

from . import lif
from .format import VERSION, Fixed, Format, Projection

NAME, GRAPH, FORMAT, NUMBER = "model.json", "graph.json", "eventsnn integer network", 2
ARITHMETIC = {"name": VERSION, "mode": "event", "rounding": "DOWN", "saturation": "symmetric", "comparison": ">=",
              "accumulation": "exact, saturated once", "judged": "once per neuron and tick",
              "ticks": "rint(t/tick), delays at least 1"}
FIELDS = ("format", "version", "arithmetic", "tick_ms", "seed", "digest", "populations", "projections", "report",
          "images", "graph")
OWN = ("name", "model", "kind", "size", "neuron", "emitter", "receptors", "rest")
IMAGES = {"weight": "mantissa", "weights": "mantissas"}    # where the name is not `Synapses`'
Image = tuple[np.ndarray, int, str]                    # values, bits that are used, meaning


# ---------------------------------------------------------------------------------------------------- writing
def write(network: Network, folder: str | Path) -> list[Path]:
    """Write the model file; `read` gives back a network with the same digest.  All files appear, the header last."""
    if not isinstance(network.fixed, Fixed):
        raise Mistake("only an integer network has a model file: quantise(network) first")
    folder, images = Path(folder), images_of(network)
    entries = {}
    for name, (values, bits, meaning) in images.items():
        entries[name] = {"file": f"{name}.bin", "shape": list(values.shape), "type": values.dtype.str, "bits": bits,
                         "sha256": hashlib.sha256(values.tobytes()).hexdigest(), "meaning": meaning}
    header: dict[str, Any] = {
        "format": FORMAT, "version": NUMBER, "arithmetic": ARITHMETIC, "tick_ms": network.tick, "seed": network.seed,
        "digest": network.digest, "populations": [described(p, network.fixed) for p in network.populations],
        "projections": [q._asdict() for q in network.fixed.projections], "report": network.fixed.report,
        "images": entries, "graph": None}
    if network.graph is not None:
        header["graph"] = {"file": GRAPH, "sha256": digest_of(save(network.graph, folder / GRAPH))}
    header["checksums"] = {name: checksum(header[name]) for name in FIELDS}
    paths = [folder / entry["file"] for entry in entries.values()]
    with ExitStack() as stack:                         # leaves in reverse: the images get their names, the header last
        top = stack.enter_context(atomic(folder / NAME))
        for path, (values, _, _) in zip(paths, images.values(), strict=True):
            stack.enter_context(atomic(path, "wb")).write(values.tobytes())
        json.dump(header, top, indent=1, allow_nan=False)
    return [folder / NAME, *([folder / GRAPH] if header["graph"] else []), *paths]


def images_of(network: Network) -> dict[str, Image]:
    """Every table of the network, as small as its values allow."""
    s, (group,) = network.synapses, network.groups
    shift = shifts(network.populations, network.fixed.projections, s)
    own = np.repeat(shift, np.where(s.varied >= 0, np.diff(s.first), 0))
    found: dict[str, Image] = {
        "synapses.first_row": image(s.first_row, "emitter e owns rows first_row[e] .. first_row[e+1] - 1"),
        "synapses.first": image(s.first, "row r owns synapses first[r] .. first[r+1] - 1"),
        "synapses.delay": image(s.delay.astype(np.int64), "ticks, one per row; of a row with own delays the least"),
        "synapses.mantissa": image(s.weight >> shift, "of each synapse of the row unless it has own ones; signed; "
                                                      "shift left by the projection's shift to get LSBs of V"),
        "synapses.receptor": image(s.receptor, "receptor of the target, one per row"),
        "synapses.count": image(s.count, "how many multapses were merged into each synapse of the row"),
        "synapses.varied": image(s.varied, "where a row's own mantissas begin in synapses.mantissas; -1: it has none"),
        "synapses.spread": image(s.spread, "where a row's own delays begin in synapses.delays; -1: it has none"),
        "synapses.apart": image(s.apart, "the row before is of the same emitter and delay and has none of its targets"),
        "synapses.target": image(s.target, "neuron ids"),
        "synapses.mantissas": image(s.weights >> own, "one per synapse of the rows that have own ones"),
        "synapses.delays": image(s.delays.astype(np.int64), "ticks, one per synapse of the rows that have own ones"),
        "synapses.pieces": image(s.pieces, "where the neurons are cut: rows of one delay lead into one piece"),
        "synapses.original": (network.fixed.original, 64, "float weight in mV that each synapse's integer came from"),
    }
    for name in lif.SCALARS:
        found[f"neurons.{name}"] = image(alike(group.params[name]), MEANINGS[name])
    for name in ("coarse", "fine"):
        rows, which = np.unique(group.params[name], axis=0, return_inverse=True)
        found[f"tables.{name}"] = image(rows, f"decay factors in units of 2^-bits: {name} part, one table a row")
        found[f"tables.{name}_of"] = image(alike(which.ravel()), f"row of tables.{name} that the neuron uses")
    found["neurons.v"] = image(alike(group.state["v"]), "V at tick 0, LSBs above rest")
    return found


MEANINGS = {
    "top": "V lies within [-top, top]", "theta": "threshold, LSBs above rest; 2^63 - 1: never",
    "reset": "LSBs above rest", "refrac": "R in ticks: input counts again R ticks after a spike",
    "subtract": "1: V := V - (theta - reset) while V >= theta; 0: V := reset",
    "decay": "0 none, 1 linear, 2 mul, 3 lut", "rate": "linear: LSBs a tick; mul: factor in units of 2^-bits",
    "bits": "fraction bits of the decay factors", "length": "lut: V is 0 from this age on, ticks",
    "fine_bits": "lut: age >> fine_bits indexes the coarse table, the rest the fine one",
}


def image(values: np.ndarray, meaning: str) -> Image:
    """Integers in the smallest type that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    bits = max(low.bit_length() if low >= 0 else (~low).bit_length(), high.bit_length()) + (low < 0)
    kind = next(t for t in (("i1", "i2", "i4", "i8") if low < 0 else ("u1", "u2", "u4", "u8"))
                if 8 * int(t[1]) >= max(bits, 1))
    return np.ascontiguousarray(values.astype(f"<{kind}")), max(bits, 1), meaning


def alike(values: np.ndarray) -> np.ndarray:
    """One value for all where all are equal."""
    return values[:1] if (values == values[0]).all() else values


def shifts(populations: Any, projections: Any, s: Any) -> np.ndarray:
    """The left shift of every row, from its projection."""
    emitting = [p for p in populations if p.kind != "current"]
    receiving = [p for p in populations if p.kind == "neuron"]
    at_source, at_target = ({p.name: k for k, p in enumerate(ps)} for ps in (emitting, receiving))
    known = sorted(((at_source[q.source] * len(receiving) + at_target[q.target]) * 256 + q.receptor, q.shift)
                   for q in projections)
    emitter = np.repeat(np.arange(len(s.first_row) - 1), np.diff(s.first_row))
    source = np.searchsorted([p.emitter for p in emitting], emitter, side="right") - 1
    target = np.searchsorted([p.neuron for p in receiving], s.target[s.first[:-1]], side="right") - 1
    which = np.searchsorted([k for k, _ in known], (source * len(receiving) + target) * 256 + s.receptor)
    return np.array([shift for _, shift in known], np.int64)[which]


def described(p: Population, fixed: Fixed) -> dict[str, Any]:
    """A population as the header shows it."""
    return {name: getattr(p, name) for name in OWN} | {
        "format": asdict(fixed.formats[p.name]) if p.kind == "neuron" else None,
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
    fixed = Fixed({q["name"]: Format(**q["format"]) for q in header["populations"] if q["format"]},
                  tuple(Projection(**q) for q in header["projections"]), header["report"], tables["synapses.original"])
    populations = tuple(population(q, fixed) for q in header["populations"])
    neurons = sum(p.size for p in populations if p.kind == "neuron")
    s = Synapses(*(tables[f"synapses.{IMAGES.get(name, name)}"].astype(kind) for name, kind in
                   zip(Synapses._fields, ("i8", "i8", "f8", "i8", "u1", "i4", "i8", "i8", "?", "i4", "i8", "f8", "i8"),
                       strict=True)))
    shift = shifts(populations, fixed.projections, s)
    s = s._replace(weight=s.weight << shift,
                   weights=s.weights << np.repeat(shift, np.where(s.varied >= 0, np.diff(s.first), 0)))
    network = Network(populations, (group(tables, neurons),), s, drives(sums([], neurons)), header["seed"],
                      graph_of(path, header["graph"]), header["tick_ms"], fixed)
    if network.digest != header["digest"]:
        raise Mistake(f"{path}: the network does not have the digest that field 'digest' promises, though every field "
                      "and image is intact: it was written by another version of eventsnn")
    return network


def header_of(path: Path) -> dict[str, Any]:
    """The header, each field present and intact."""
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Mistake(f"{path} is no JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise Mistake(f"{path} is no model file: its field 'format' is not {FORMAT!r}")
    if header.get("version") != NUMBER:
        raise Mistake(f"{path}: field 'version' is {header.get('version')!r}, this eventsnn reads version {NUMBER}")
    sums = header.get("checksums")
    for name in FIELDS:
        if name not in header or not isinstance(sums, dict) or name not in sums:
            raise Mistake(f"{path}: field {name!r} or its checksum is missing")
        if sums[name] != checksum(header[name]):
            raise Mistake(f"{path}: field {name!r} is not what was written (its checksum differs)")
    if header["arithmetic"] != ARITHMETIC:
        odd = next(k for k in ARITHMETIC if header["arithmetic"].get(k) != ARITHMETIC[k])
        raise Mistake(f"{path}: field 'arithmetic' asks for {odd} {header['arithmetic'].get(odd)!r}, this eventsnn has "
                      f"{ARITHMETIC[odd]!r}")
    return header


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
    graph = load(file)
    if digest_of(file) != entry["sha256"]:
        raise Mistake(f"{path}: field 'graph': the sha256 of {file} differs from the header's")
    return graph


def group(tables: Mapping[str, np.ndarray], neurons: int) -> Group:
    """The records of all neurons."""
    params: np.recarray = np.zeros(neurons, lif.params_dtype(tables["tables.fine"].shape[1])).view(np.recarray)
    state: np.recarray = np.zeros(neurons, lif.STATE).view(np.recarray)
    for name in lif.SCALARS:
        params[name] = tables[f"neurons.{name}"]
    for name in ("coarse", "fine"):
        params[name] = tables[f"tables.{name}"][tables[f"tables.{name}_of"]]
    state.v, state.hold = tables["neurons.v"], -1.0
    return Group(lif.DYNAMICS, np.arange(neurons, dtype=np.int64), params, state)


def population(q: Mapping[str, Any], fixed: Fixed) -> Population:
    own = {name: q[name] for name in OWN}
    params = {name: lists(value) for name, value in q["float"].items()}
    if q["kind"] != "neuron":
        return Population(**own, params=params)
    return Population(**own, params=params, group=0, offset=q["neuron"], variables=lif.VARIABLES,
                      scale=fixed.formats[q["name"]].lsb)


def lists(value: Any) -> Any:
    """What `plain` wrote."""
    if isinstance(value, dict):
        if "every" in value:
            return np.full(value["size"], float(value["every"]))
        return np.array([float(x) for x in value["values"]])
    return [lists(x) for x in value] if isinstance(value, list) else value
