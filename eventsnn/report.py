"""The text of a comparison: plain, aligned, one fact a line, every number with its unit."""

from collections.abc import Iterator, Mapping
from typing import Any

UNITS = {"rate": " Hz"}
NAMES = {"rate": "rate", "cv": "CV of intervals", "lv": "LV of intervals", "correlation": "pairwise correlation",
         "spike_sync": "SPIKE-synchrony"}


def facts(data: Mapping[str, Any]) -> list[str]:
    """The lines of the report."""
    told = list(_facts(data))
    width = max(len(name) for name, _ in told)
    return [f"{name:<{width}}  {value}" for name, value in told]


def _facts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    a, b = data["labels"]
    yield "spikes identical", "yes, to the last bit" if data["identical"] else "no"
    yield "compared", f"{count(data['neurons'])} neurons over {number(data['until_ms'])} ms"
    for key, name in (("a", a), ("b", b)):
        yield f"spikes of {name}", count(data["spikes"][key])
    if data["difference"]:
        yield "first difference", moment(data["difference"], a, b)
    for m in data["matching"]:
        yield from _matching(m, a, b)
    for r in data["recorded"]:
        unit = {"v": " mV", "i": " nA"}.get(r["variable"], "")
        what = f"{r['variable']} of {r['population']}"
        yield f"{what}: largest difference", number(r["max_abs"]) + unit
        yield f"{what}: rms difference", number(r["rms"]) + unit
        yield f"{what}: mean difference", number(r["bias"]) + unit
    if data["frozen"]:
        yield from _frozen(data["frozen"])
    if data["reruns"]:
        yield "floors", data["reruns"]
    for name, s in data["statistics"].items():
        unit = UNITS.get(name, "")
        for key, run in (("a", a), ("b", b)):
            if s[key]["n"]:
                yield f"{NAMES[name]}: {run}", f"{number(s[key]['mean'])} +- {number(s[key]['sd'])}{unit}"
        for key, what in (("ks", "KS distance"), ("ks_between_seeds", "KS distance between seeds")):
            if s[key] is not None:
                yield f"{NAMES[name]}: {what}", number(s[key])
    for name, d in data["distances"].items():
        for key, what in (("value", ""), ("one_input_spike_less", ", floor: one input spike less"),
                          ("between_seeds", ", floor: another seed")):
            if d[key] is not None:
                runs = [v for v in d["one_input_spike_less_runs"] if v is not None]
                spread = f" ({number(min(runs))} to {number(max(runs))} in {len(runs)} runs)" if "less" in key else ""
                yield f"{distance(name)}{what}", number(d[key]) + spread
        if d["at_floor"] is not None:
            yield f"{distance(name)}, at the floor of one input spike less", (
                f"{floored(d)}; {100.0 * d['neurons_within']:.3g} % of neurons are within theirs")
    for x in data["fixed"]:
        yield from _fixed(x)
    if data["score"]:
        for key, name in (("a", a), ("b", b)):
            yield f"task score of {name}", number(data["score"][key])
    for r in data["reference"]:
        yield f"{r['label']} against the integer reference", verdict(r)
    for key, name in (("a", a), ("b", b)):
        if key in data["sparseness"]:
            yield from _sparseness(data["sparseness"][key], name)


def _matching(m: Mapping[str, Any], a: str, b: str) -> Iterator[tuple[str, str]]:
    within = f"within {m['delta_ms']:g} ms"
    yield f"{within}: matched spikes", count(m["matched"])
    yield f"{within}: missed (only in {a})", count(m["missed"])
    yield f"{within}: extra (only in {b})", count(m["extra"])
    for key, value in (m["abs_dt_ms"] or {}).items():
        yield f"{within}: {key} |dt|", f"{number(value)} ms"
    yield f"{within}: first divergence", moment(m["divergence"], a, b) if m["divergence"] else "none"


def floored(d: Mapping[str, Any]) -> str:
    return "yes" if d["at_floor"] else "no, but within its runs" if d["within_floor"] else "no"


def _frozen(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if f["why"]:
        yield "frozen input", f"not compared: {f['why']}"
    for p in f["populations"]:
        told = f"V of {p['population']}, frozen input"
        for key, what in (("arithmetic", "arithmetic alone"), ("all", "with times in ticks")):
            if p[key]["rmse_mv"] is not None:
                e = p[key]
                sqnr = "" if e["sqnr_db"] is None else f", SQNR {e['sqnr_db']:.1f} dB"
                yield f"{told}: {what}", f"bias {number(e['bias_mv'])} mV, rmse {number(e['rmse_mv'])} mV{sqnr}"
        yield f"{told}: samples", (f"{count(p['samples'])}, clear of spikes and refractoriness, of "
                                   f"{count(p['neurons'])} of {count(p['of_neurons'])} neurons")


def _fixed(x: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    label = x["label"]
    if x["saturations"] is not None:
        yield f"{label}: saturations", count(x["saturations"])
    yield f"{label}: zeroed weights", f"{count(x['zeroed_weights'])} of {count(x['weights'])}"
    yield f"{label}: clipped weights", f"{count(x['clipped_weights'])} of {count(x['weights'])}"
    for tau in x["tau_m_ms"]:
        if tau["effective"] is not None:
            off = 100.0 * (tau["effective"] / tau["asked"] - 1.0)
            yield f"{label}: tau_m of {tau['population']}", \
                f"{number(tau['effective'])} ms for {number(tau['asked'])} ms ({off:+.2g} %)"
    for tau in x["tau_syn_ms"]:
        if tau["effective"] is not None:
            yield f"{label}: tau_syn {tau['receptor']} of {tau['population']}", \
                f"{number(tau['effective'])} ms for {number(tau['asked'])} ms"
    for dead in x["dead_zones"]:
        yield f"{label}: {dead['population']} in its dead zone", \
            f"{100.0 * dead['occupancy']:.3g} % of samples (0 < |V| <= {count(dead['lsb'])} LSB)"
    for words in x["warnings"]:
        yield f"{label}: warning", words


def _sparseness(s: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    yield f"{name}: spikes", count(s["spikes"])
    if "dense" not in s:
        yield f"{name}: synaptic operations", count(s["synaptic_operations"])
        yield f"{name}: neuron updates", count(s["neuron_updates"])
        return
    core = f"a clocked dense core at {s['tick_ms']:g} ms"
    for key in ("synaptic_operations", "neuron_updates", "memory_words"):
        ratio = s["dense_over_event"][key]
        yield f"{name}: {key.replace('_', ' ')}", \
            f"{count(s[key])}; {core}: {count(s['dense'][key])}" + (f" ({ratio:.3g} times)" if ratio else "")
    yield f"{name}: awake fraction", f"{100.0 * s['awake_fraction']:.3g} % (updates per neuron and tick)"
    for key, machine in (("event", "event-driven"), ("clocked", "clocked, sparse"), ("dense", "clocked, dense")):
        yield f"{name}: energy if {machine}", energy(s["energy"][key])
    bench = s["neurobench"]
    yield f"{name}: NeuroBench footprint", f"{count(bench['footprint_bytes'])} bytes"
    if bench["connection_sparsity"] is not None:
        yield f"{name}: NeuroBench connection sparsity", f"{bench['connection_sparsity']:.4f}"
    yield f"{name}: NeuroBench activation sparsity", f"{bench['activation_sparsity']:.6f}"
    operations = bench["synaptic_operations"]
    yield f"{name}: NeuroBench synaptic operations", \
        f"Effective_ACs {count(operations['Effective_ACs'])}, Dense {count(operations['Dense'])}"


def energy(e: Mapping[str, Any]) -> str:
    """A range, and whose figures bound it."""
    both = (f"{micro(of['uj'])} ({of['name']}, {of['node']}: {of['scope']})" for of in (e["lowest"], e["highest"]))
    return f"{' to '.join(both)}; {len(e['estimates'])} published figures, sources in the JSON"


def micro(uj: float) -> str:
    """An energy of uJ with a unit that suits it."""
    for size, unit in ((1e6, "J"), (1e3, "mJ"), (1.0, "uJ"), (1e-3, "nJ")):
        if uj >= size:
            return f"{uj / size:.3g} {unit}"
    return f"{uj * 1e6:.3g} pJ"


def moment(found: Mapping[str, Any], a: str, b: str) -> str:
    """A neuron, a time and both values."""
    who = f"neuron {found['neuron']}" + (f" of {found['population']}" if found["population"] is not None else "")
    both = ", ".join(f"{name} {exact(found[key])}" for key, name in (("a_ms", a), ("b_ms", b)))
    return f"{who} at {exact(found['time_ms'])} ({both})"


def verdict(r: Mapping[str, Any]) -> str:
    if r["equal"] is None:
        return f"not checked: {r['why']}"
    over = f"over {count(r['ticks'])} of {count(r['of_ticks'])} ticks, {count(r['neurons'])} neurons, " \
           f"{count(r['spikes'])} spikes"
    if r["equal"]:
        return f"equal, spikes, V and currents, {over}" if "equal_i" in r else f"equal, spikes and V, {over}"
    states = (("spikes", "spikes"), ("v", "V"), ("i", "currents"))
    wrong = [what for key, what in states if not r.get(f"equal_{key}", True)]
    return f"DIFFERENT ({' and '.join(wrong)}) {over}"


def distance(name: str) -> str:
    kind, _, width = name.rpartition("_")
    known = {"gamma": f"Gamma, {width[:-2]} ms", "van_rossum": f"van Rossum, tau {width[:-2]} ms"}
    return known.get(kind) or NAMES[name]


def exact(ms: float | None) -> str:
    return "none" if ms is None else f"{ms!r} ms"


def number(x: float) -> str:
    return f"{x:.6g}"


def count(n: int) -> str:
    return f"{n:,}"
