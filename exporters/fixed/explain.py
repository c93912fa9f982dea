"""A model file in words: every number of its header and images, with its unit and what it does."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eventsnn.network import Network, Population, flat

from . import modelfile
from .clocked import DIRECT
from .format import DECAYS, NEVER, Format, Projection
from .images import Image, images_of
from .profiles import PROFILES
from .profiles.build import Profile
from .psp import effective_tau

ROUND = {"DOWN": "toward zero", "FLOOR": "down", "ROUND": "to nearest, ties to even"}
RANGE = {"symmetric": "what is beyond stops at the rail", "wrap": "what is beyond wraps",
         "full": "what is beyond stops at the rail; the lower rail is one LSB further"}


class Section(NamedTuple):
    """One thing of the file, and its facts: (name, words)."""

    title: str
    facts: list[tuple[str, str]]


def inspected(path: str | Path) -> list[Section]:
    """The sections of a model file; `Mistake` where it is damaged, as `read` has it."""
    path = Path(path)
    path = path / modelfile.NAME if path.is_dir() else path
    network = modelfile.read(path)
    header = modelfile.header_of(path)
    images = images_of(network)
    neurons = [p for p in network.populations if p.kind == "neuron"]
    return [Section("file", list(of_file(path, header, images))),
            *(Section(f"source {p.name!r}", list(of_source(p))) for p in network.populations if p.kind == "source"),
            *(Section(f"population {p.name!r}", list(of_population(p, network))) for p in neurons),
            *projections(network),
            Section("images", [(name, of_image(it)) for name, it in images.items()]),
            Section("what was lost", list(of_report(network.fixed.report)))]


def projections(network: Network) -> Iterator[Section]:
    """A section for each; edges that lead the same way to the same receptor have a number too."""
    seen: Counter[Any] = Counter()
    for q, told in zip(network.fixed.projections, network.fixed.report["projections"], strict=True):
        seen[way := q[:3]] += 1
        edge = f", edge {seen[way]}" if seen[way] > 1 else ""
        yield Section(f"projection {q.source!r} -> {q.target!r}, receptor {q.receptor}{edge}",
                      list(of_projection(q, network, told)))


def of_file(path: Path, header: Mapping[str, Any], images: Mapping[str, Image]) -> Iterator[tuple[str, str]]:
    told = header["arithmetic"]
    yield "file", f"{path}: {header['format']}, version {header['version']}"
    yield "intact", (f"every field ({len(modelfile.FIELDS)} checksums), every image ({len(images)} sha256)"
                     + (", the graph" if header["graph"] else "") + (", every byte of the header (the seal)"
                                                                     if "seal" in header else ""))
    yield "arithmetic", f"{told['name']} in {told['mode']} mode; inputs of a tick are summed: {told['accumulation']}"
    yield "judged", f"against the threshold {told['judged']}"
    yield "tick", f"{header['tick_ms']:g} ms; times become {told['ticks']}"
    yield "seed", f"{header['seed']}: what random sources and compile draw from"
    yield "digest", f"{header['digest']}: sha256 of everything that decides a run"


def of_source(p: Population) -> Iterator[tuple[str, str]]:
    yield "emitters", f"{span(p.emitter, p.size)}, one per source; {p.model}, in the file as floats"


def of_population(p: Population, network: Network) -> Iterator[tuple[str, str]]:
    form: Format = network.fixed.formats[p.name]
    told = next(q for q in network.fixed.report["populations"] if q["name"] == p.name)
    group = network.groups[p.group]
    params: Any = group.params[p.offset:p.offset + p.size]
    state: Any = group.state[p.offset:p.offset + p.size]
    yield "neurons", f"{span(p.neuron, p.size)}; emitters {span(p.emitter, p.size)}"
    if network.fixed.version in PROFILES:
        yield from of_chip(p, form, PROFILES[network.fixed.version], params, state)
        return
    yield "V", (f"{form.bits} bits signed, within {limits(form.top, form)}: {-form.top * form.lsb:g} to "
                f"{form.top * form.lsb:g} mV about v_rest = {p.rest:g} mV; {RANGE[form.saturation]}")
    yield "LSB of V", f"{power(form.lsb)} mV; the range asked for was {told['range_mv']:g} mV, {told['range_from']}"
    yield "guard bits", (f"{form.guard} bits of V below the last bit of the finest weight; the rule for this tau_m "
                         f"asks for {told['guard_rule']}")
    yield "threshold", potential(params.theta, form, p) + (
        f"; a spike when V {form.compare} it" if np.any(params.theta != NEVER) else "")
    low = (params.theta - params.reset)[params.theta != NEVER]          # of a readout it is no difference at all
    yield "reset", (f"V := V - ({many(low)}), at most "
                    f"{form.spikes or 'as many as it takes'} spikes a tick" if np.any(params.subtract)
                    else "V := " + potential(params.reset, form, p))
    yield "v_init", potential(state.v, form, p)
    yield "refractory", (f"{many(params.refrac)} ticks = {many(params.refrac * form.tick)} ms: a spike at n, and V "
                         "takes input again at n + that")
    if form.mode == "tick":
        yield "bias", (f"{many(params.bias)} LSBs = {many(params.bias * form.lsb)} mV a tick, for i_offset = "
                       f"{many(p.params['i_offset'])} nA; off by {told['i_offset']['residual_mv']:.3g} mV in the long "
                       "run")
        yield "rounding", f"{form.rounding}: {ROUND[form.rounding]}, of decays and of currents that fall into V"
        order = "takes in its input, then decays" if form.input_first else "decays, then takes in its input"
        if form.currents:
            yield "order", f"a current {order}; then V decays; then V takes in currents, direct input and bias at once"
    else:
        yield "stored times", f"{form.time_bits} bits: an age of {2**form.time_bits:,} ticks aliases"
    yield "decay of V", decay(form.decay, params, form, "V", told["tau_m_ms"], form.decay_bits)
    if told["tau_m_ms"]:
        yield "dead zone of V", dead(told, form.lsb, "mV")
    for k in range(p.receptors if form.mode == "tick" else 0):
        if np.all(params.kind[:, k] == DIRECT):
            yield f"receptor {k}", "delta: its input goes into V, in V's LSBs"
    for c, its in zip(form.currents, told["currents"], strict=True):
        k, top = c.receptor, (1 << (c.bits - 1)) - 1
        unit = math.ldexp(form.lsb, -c.fall)
        yield f"receptor {k}", (f"exp: a current I of {c.bits} bits signed, within {limits(top, form)}; the range "
                                f"asked for was {its['range_mv']:g} mV a tick")
        yield f"LSB of I {k}", (f"{power(unit)} mV that V moves by in a tick = {many(p.units[f'i{k}'])} nA: 2^{c.fall} "
                                f"of them are one LSB of V, so V takes in I >> {c.fall}, rounded")
        yield f"I {k} at tick 0", f"{many(state.i[:, k])} LSBs"
        yield f"decay of I {k}", decay(c.decay, Columns(params, k), form, "I", its["tau_syn_ms"], c.decay_bits)
        yield f"dead zone of I {k}", dead(its, its["lsb_na"], "nA")


def of_chip(p: Population, form: Format, profile: Profile, params: Any, state: Any) -> Iterator[tuple[str, str]]:
    """A chip's registers, by their own names."""
    yield "chip", f"{profile.name}; docs/profiles.md says what it computes"
    yield "LSB of v", f"{power(form.lsb)} mV, about v_rest = {p.rest:g} mV"
    for name, unit in p.units.items():
        yield f"LSB of {name}", f"{many(unit)} nA"
    for name, meaning in profile.meanings.items():
        given = name in (params.dtype.names or ())
        yield name if given else f"{name} at tick 0", f"{many((params if given else state)[name].ravel())}: {meaning}"


class Columns:
    """One receptor's decay, named as V's is."""

    def __init__(self, params: Any, k: int) -> None:
        self.decay, self.rate, self.bits = params.kind[:, k], params.rate_i[:, k], params.bits_i[:, k]


def decay(kind: str, params: Any, form: Format, what: str, tau: Mapping[str, Any] | None, bits: int) -> str:
    """One population's decay as an assignment, and the time constant it makes."""
    fade = np.asarray(params.decay) != DECAYS.index("none")
    rate = many(np.asarray(params.rate)[fade])
    made = {
        "none": f"none: {what} stays",
        "linear": f"linear: |{what}| loses {rate} LSBs a tick, down to 0",
        "mul": f"mul: {what} := {what} * {rate} / 2^{bits} each tick, rounded",
        "shift": f"shift: {what} := {what} - ({what} >> {rate}) each tick"
                 + (", at least 1 LSB" if form.min1 else ""),
        "lut": f"lut: {what} := {what} * {rate} / 2^{bits} each tick, rounded: a table's entry for a tick"
               if form.mode == "tick" else table(params, bits),
    }[kind]
    if tau is None:
        return made
    rates = [effective_tau(int(d), int(r), int(b)) for d, r, b in
             {(int(d), int(r), int(b)) for d, r, b in zip(params.decay, params.rate, params.bits, strict=True)}
             if DECAYS[int(d)] in ("mul", "shift")] if form.mode == "tick" or kind == "mul" else []
    spread = f" ({many(np.array([t * form.tick for t in rates if t]))} ms over the neurons)" if len(rates) > 1 else ""
    made += "" if fade.all() else f" ({np.count_nonzero(~fade)} of {len(fade)} neurons do not decay)"
    return made + (f"; that is tau = {tau['effective']:.6g} ms, asked for {tau['asked']:g} ms{spread}"
                   if tau["effective"] else f"; asked for tau = {tau['asked']:g} ms")


def table(params: Any, bits: int) -> str:
    return (f"lut: V := V * coarse[age >> b] / 2^{bits}, then * fine[age & (2^b - 1)] / 2^{bits}, b = "
            f"{many(getattr(params, 'fine_bits', 0))}; 0 from an age of {many(getattr(params, 'length', 0))} ticks on")


def dead(told: Mapping[str, Any], lsb: float, unit: str) -> str:
    """Below what the decay is not exponential, and where it ends."""
    rests = told.get("rests_at_lsb", [0, 0])
    return (f"below {told['dead_zone_lsb']} LSBs = {told['dead_zone_lsb'] * lsb:.3g} {unit} less than an LSB a tick is "
            "due: " + (f"it comes to rest at {rests[0]} and {rests[1]} LSBs" if any(rests) else "it still comes to 0"))


def of_projection(q: Projection, network: Network, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    form = network.fixed.formats[q.target]
    target = network.by_name[q.target]
    current = next((c for c in form.currents if c.receptor == q.receptor), None)
    what = f"I of receptor {q.receptor}" if current else "V"
    step = 2**q.shift * math.ldexp(form.lsb, -(current.fall if current else 0))
    yield "weight", f"mantissa << {q.shift}: a mantissa of 1 is {2**q.shift} LSBs of {what}"
    yield "mantissa's unit", (f"{power(step)} mV that V moves by at the tick of an arrival"
                              + (f" = {many(2**q.shift * target.units[f'i{q.receptor}'])} nA"
                                 if current and f"i{q.receptor}" in target.units else ""))
    yield "mantissa", f"{form.weight_bits} bits signed, within +-{(1 << (form.weight_bits - 1)) - 1}"
    source, table = network.by_name[q.source], flat(network.synapses)
    mine = ((table.emitter >= source.emitter) & (table.emitter < source.emitter + source.size) & (
        table.target >= target.neuron) & (table.target < target.neuron + target.size) & (table.receptor == q.receptor))
    yield "synapses", (f"{told['synapses']:,}, multapses one by one; {np.count_nonzero(mine):,} this way; mantissas "
                       f"{many(table.weight[mine] >> q.shift)}")
    yield "delay", (f"{many(table.delay[mine])} ticks = {many(table.delay[mine] * form.tick)} ms; off by "
                    f"{told['delay_residual_ms']:.3g} ms at most")
    off = told["weight_residual_mv"]
    yield "lost", (f"{told['zeroed']:,} weights became 0, {told['clipped']:,} were clipped; off by "
                   f"{off['largest']:.3g} mV at most, {off['rms']:.3g} mV rms")


def of_image(it: Image) -> str:
    values = it.values
    shape = " x ".join(str(n) for n in values.shape)
    return f"{shape} of {values.dtype.str}, {it.bits} bits used, {many(values.ravel())}: {it.meaning}"


def of_report(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for p in report["populations"]:
        name = str(p["name"])
        for loss in p["psp_area_loss"]:
            yield f"{name}: PSP area", (f"{100.0 * loss['loss']:.3g} % lost of a weight of {loss['weight_mv']:.4g} mV "
                                        f"at receptor {loss.get('receptor', 0)}")
        if "bias_mv" in p:
            yield f"{name}: rounding", (f"shifts V by {p['bias_mv']:.3g} mV at most on average, and adds "
                                        f"{p['noise_mv']:.3g} mV of noise")
        if p["predicted_saturation"] is not None:
            yield f"{name}: saturation", f"predicted for {p['predicted_saturation']:.3g} of the updates"
        for what, good in p["accepted"].items():
            if good is not None:
                yield f"{name}: {what}", "accepted" if good else "not accepted"
    for words in report["warnings"]:
        yield "warning", words


# ---------------------------------------------------------------------------------------------------- numbers
def potential(values: Any, form: Format, p: Population) -> str:
    """LSBs, and the mV they stand for."""
    real = np.asarray(values)[np.asarray(values) != NEVER]
    never = "never reached" if len(real) < len(values) else ""
    if not len(real):
        return f"{NEVER}: {never}"
    return (f"{many(real)} LSBs above rest = {many(real * form.lsb + p.rest)} mV"
            + (f", of some {never}" if never else ""))


def limits(top: int, form: Format) -> str:
    return f"+-{top}" if form.saturation == "symmetric" else f"{-top - 1} .. {top}"


def many(values: Any) -> str:
    """One value, or the smallest and the largest."""
    values = np.atleast_1d(values)
    if not len(values):
        return "none"
    low, high = (f"{x:.6g}" if isinstance(x, float) else str(x) for x in (values.min().item(), values.max().item()))
    return low if low == high else f"{low} .. {high}"


def power(x: float) -> str:
    """A power of two, and its value; chips' scales are none."""
    if math.frexp(x)[0] != 0.5:
        return f"{x:.6g}"
    return f"2^{math.frexp(x)[1] - 1} = {x:.6g}"


def span(first: int, size: int) -> str:
    return str(first) if size == 1 else f"{first} .. {first + size - 1}"
