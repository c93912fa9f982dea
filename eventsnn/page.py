"""A report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere.

Pictures are SVG inside the page (PNG where a raster would make a large one); every table is the report's own data.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from . import figures, plot
from .files import atomic
from .report import NAMES, UNITS, count, distance, exact, floored, micro, moment, number, verdict
from .result import Result

OPERATIONS = ("Effective_MACs", "Effective_ACs", "Dense")      # as NeuroBench names them
STYLE = """
:root{--ink:#1d2733;--pale:#66727f;--line:#e3e7eb;--card:#f6f8fa;--blue:#0072B2;--red:#D55E00;--good:#00795a}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:#fff;font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1060px;margin:0 auto;padding:36px 28px 60px}
h1{font-size:27px;line-height:1.25;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:18px;margin:46px 0 4px;padding-top:14px;border-top:1px solid var(--line)}
h2 small{color:var(--pale);font-weight:400;font-size:14px;margin-left:8px}
p{margin:6px 0 12px;max-width:78ch}p.note{color:var(--pale);font-size:13.5px}
.a{color:var(--blue);font-weight:600}.b{color:var(--red);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(195px,1fr));gap:12px;margin:22px 0 0}
.card{background:var(--card);border-radius:8px;padding:12px 15px}
.card b{display:block;font-size:21px;line-height:1.3;font-variant-numeric:tabular-nums}
.card span{color:var(--pale);font-size:13px;display:block;line-height:1.4}
.card.good b{color:var(--good)}.card.bad b{color:var(--red)}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:10px 0 4px;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:4px 14px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--pale);font-weight:500}th:first-child,td:first-child,td.text,th.text{text-align:left}
td:not(.text){white-space:nowrap}
img{display:block;width:100%;height:auto;margin:12px 0 4px}
ul{margin:6px 0;padding-left:20px}
footer{margin-top:46px;padding-top:14px;border-top:1px solid var(--line);color:var(--pale);font-size:12.5px}
code{font:12.5px ui-monospace,Menlo,Consolas,monospace}
@media print{main{padding:0}h2{break-after:avoid}img,table{break-inside:avoid}}
"""


def write(report: Any, path: str | Path) -> Path:
    """The page of a `Report`; the file appears whole or not at all."""
    path = Path(path)
    with atomic(path) as file:
        file.write(page(report))
    return path


def page(report: Any) -> str:
    """The HTML."""
    data = report.data
    a, b = (escape(str(name)) for name in data["labels"])
    body = "\n".join(part for part in sections(report) if part)
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{a} against {b}</title>'
            f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>\n<body><main>\n{body}\n'
            "</main></body></html>\n")


def sections(report: Any) -> Iterator[str]:
    data = report.data
    a, b = (escape(str(name)) for name in data["labels"])
    yield (f'<h1><span class="a">{a}</span> against <span class="b">{b}</span></h1>'
           f"<p>{escape(first_words(data))}</p>")
    yield cards(data)
    if data["frozen"] is not None:
        yield frozen(report)
    yield spikes(report)
    yield distances(data)
    yield distributions(report)
    if data["fixed"]:
        yield integers(data)
    if data["sparseness"]:
        yield from costs(data)
    yield provenance(report)


def first_words(data: Mapping[str, Any]) -> str:
    who = f"{count(data['neurons'])} neurons over {number(data['until_ms'])} ms"
    if data["identical"]:
        return f"{who}: all {count(data['spikes']['a'])} spikes are equal to the last bit."
    m = data["matching"][0]
    return (f"{who}: {count(data['spikes']['a'])} and {count(data['spikes']['b'])} spikes, of which "
            f"{count(m['matched'])} have a partner within {m['delta_ms']:g} ms.")


def cards(data: Mapping[str, Any]) -> str:
    """What to know at a glance."""
    told: list[tuple[str, str, str]] = []
    populations = (data["frozen"] or {}).get("populations", [])
    sqnr = [p["arithmetic"]["sqnr_db"] for p in populations if p["arithmetic"]["sqnr_db"] is not None]
    if sqnr:
        told.append((f"{min(sqnr):.1f} dB", "SQNR of V by arithmetic alone, frozen input"
                     + (", the worst population" if len(sqnr) > 1 else ""), ""))
    m = data["matching"][0]
    most = max(m["matched"] + m["missed"], m["matched"] + m["extra"])
    if most:
        told.append((f"{100.0 * m['matched'] / most:.3g} %", f"of spikes matched within {m['delta_ms']:g} ms", ""))
    floors = [d for d in data["distances"].values() if d["within_floor"] is not None]
    if floors:
        good = sum(d["within_floor"] for d in floors)
        told.append((f"{good} of {len(floors)}", "distances no worse than the floor's runs, one input spike less",
                     "good" if good == len(floors) else ""))
    if data["score"]:
        told.append((f"{100.0 * data['score']['b']:.4g} %", f"task score; {100.0 * data['score']['a']:.4g} % for "
                     f"{data['labels'][0]}", ""))
    for r in data["reference"]:
        if r["equal"] is not None:
            told.append(("equal" if r["equal"] else "DIFFERENT", f"{r['label']}: emulator against integer reference, "
                         f"{count(r['ticks'])} ticks", "good" if r["equal"] else "bad"))
    for s in list(data["sparseness"].values())[-1:]:
        if "dense" in s:
            ratio = s["dense_over_event"]["synaptic_operations"]
            if ratio:
                told.append((f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x",
                             "fewer synaptic operations than a dense clocked core", ""))
            e = s["energy"]["event"]
            told.append((f"{joules(e['lowest']['uj'])} – {joules(e['highest']['uj'])}",
                         f"energy, event-driven, by {len(e['estimates'])} published figures", ""))
    return '<div class="cards">' + "".join(
        f'<div class="card {kind}"><b>{escape(value)}</b><span>{escape(words)}</span></div>'
        for value, words, kind in told) + "</div>"


def frozen(report: Any) -> str:
    """Item 1."""
    f = report.data["frozen"]
    text = heading("Frozen input", "the arithmetic, free of chaos")
    if f["why"]:
        return text + f"<p>Not compared: {escape(f['why'])}.</p>"
    text += ("<p>Each neuron in integers gets the spikes that it got in the float run, and is reset where the float "
             "neuron was. What is left is the arithmetic: rounding, weights, decay. The second line of each population "
             "adds what times in ticks do: inputs that fall on the other side of a refractory period.</p>")
    if report.traces:
        text += picture(figures.frozen(report.traces), "V of a neuron per population in floats and integers")
    rows = []
    for p in f["populations"]:
        for key, what in (("arithmetic", "arithmetic alone"), ("all", "with times in ticks")):
            e = p[key]
            rows.append([p["population"] if key == "arithmetic" else "", what, maybe(e["bias_mv"]), maybe(e["rmse_mv"]),
                         "exact" if e["rmse_mv"] == 0.0 else maybe(e["sqnr_db"], ".1f"), number(p["lsb_mv"]),
                         f"{count(p['neurons'])} of {count(p['of_neurons'])}", count(p["samples"])])
    return text + table(["population", "", "bias (mV)", "rmse (mV)", "SQNR (dB)", "LSB (mV)", "neurons", "samples"],
                        rows, 2)


def spikes(report: Any) -> str:
    """Item 2."""
    data = report.data
    a, b = data["labels"]
    first = data["matching"][0]["divergence"]
    drawn = plot.compare(*report.runs, delta=data["matching"][0]["delta_ms"], until=data["until_ms"],
                         divergence=first and (first["time_ms"], first["id"]), labels=(a, b))
    text = heading("Spikes", "matched, missed, extra") + picture(drawn, "rasters over each other, time differences")
    if data["difference"]:
        text += f"<p>First difference of any size: {escape(moment(data['difference'], a, b))}.</p>"
    rows = []
    for m in data["matching"]:
        dt = m["abs_dt_ms"] or {}
        rows.append([f"{m['delta_ms']:g} ms", count(m["matched"]), count(m["missed"]), count(m["extra"]),
                     *(maybe(dt.get(key)) for key in ("median", "p99", "max")),
                     moment(m["divergence"], a, b) if m["divergence"] else "none"])
    return text + table(["within", "matched", f"missed (only in {a})", f"extra (only in {b})", "median |dt| (ms)",
                         "p99", "max", "first divergence"], rows, 1, {7})


def distances(data: Mapping[str, Any]) -> str:
    """Item 3."""
    text = heading("Distances of spike trains", "each beside its floor")
    if data["reruns"]:
        text += f"<p>{escape(data['reruns'][:1].upper() + data['reruns'][1:])}.</p>"
    text += ("<p>A distance means something beside the one that the first run has from itself: with one input spike "
             "removed (five such runs), and with another seed. Bars are neurons, 5 to 95 % with quartiles and median; "
             "dots are means.</p>")
    text += picture(figures.distances(data["distances"]), "distances beside their floors")
    rows = []
    for name, d in data["distances"].items():
        runs = [v for v in d["one_input_spike_less_runs"] if v is not None]
        rows.append([distance(name), maybe(d["value"]), maybe(d["one_input_spike_less"]),
                     f"{number(min(runs))} - {number(max(runs))}" if runs else "", maybe(d["between_seeds"]),
                     "" if d["at_floor"] is None else floored(d),
                     "" if d["neurons_within"] is None else f"{100.0 * d['neurons_within']:.3g} %"])
    return text + table(["mean over neurons", "this pair", "floor: one input spike less, median", "its runs",
                         "another seed", "at the floor", "neurons within theirs"], rows, 1)


def distributions(report: Any) -> str:
    """Item 4."""
    data = report.data
    a, b = data["labels"]
    sa, sb = (run.spikes if isinstance(run, Result) else run for run in report.runs)
    text = heading("Statistics", "and how far apart two seeds are")
    text += picture(figures.distributions(sa.before(data["until_ms"]), sb.before(data["until_ms"]), data["until_ms"],
                                          (a, b), data["statistics"]), "cumulative distributions")
    rows = []
    for name, s in data["statistics"].items():
        rows.append([NAMES[name] + (f" ({UNITS[name].strip()})" if name in UNITS else ""),
                     *(f"{number(s[key]['mean'])} ± {number(s[key]['sd'])}" if s[key]["n"] else "" for key in "ab"),
                     maybe(s["ks"]), maybe(s["ks_between_seeds"])])
    return text + table(["", a, b, "KS distance", "KS between seeds"], rows, 1)


def integers(data: Mapping[str, Any]) -> str:
    """Items 5 and 6."""
    text = heading("What the integers cost", "and whether the emulator is right")
    rows: list[list[str]] = []
    for x in data["fixed"]:
        rows.append(["saturations", "not counted" if x["saturations"] is None else count(x["saturations"])])
        rows.append(["weights that became zero", f"{count(x['zeroed_weights'])} of {count(x['weights'])}"])
        rows.append(["weights that were clipped", f"{count(x['clipped_weights'])} of {count(x['weights'])}"])
        rows += [[f"tau_m of {t['population']}", f"{number(t['effective'])} ms for {number(t['asked'])} ms"]
                 for t in x["tau_m_ms"] if t["effective"] is not None]
        rows += [[f"tau_syn {t['receptor']} of {t['population']}",
                  f"{number(t['effective'])} ms for {number(t['asked'])} ms"]
                 for t in x["tau_syn_ms"] if t["effective"] is not None]
        rows += [[f"{d['population']} in its dead zone", f"{100.0 * d['occupancy']:.3g} % of samples (0 < |V| <= "
                  f"{count(d['lsb'])} LSB)"] for d in x["dead_zones"]]
        rows.append(["tick", f"{number(x['tick_ms'])} ms"])
    rows += [[f"{r['label']}: emulator against the integer reference", verdict(r)] for r in data["reference"]]
    if data["score"]:
        rows += [[f"task score of {name}", number(data["score"][key])]
                 for key, name in zip("ab", data["labels"], strict=True)]
    text += table(["", ""], rows, 2)
    warnings = [w for x in data["fixed"] for w in x["warnings"]]
    return text + ("<ul>" + "".join(f"<li>{escape(w)}</li>" for w in warnings) + "</ul>" if warnings else "")


def costs(data: Mapping[str, Any]) -> Iterator[str]:
    """Sparseness, NeuroBench, energy and its sources."""
    labels = dict(zip("ab", data["labels"], strict=True))
    key, s = list(data["sparseness"].items())[-1]
    if "dense" not in s:
        return
    yield (heading("Work, and what it would cost in energy", f"of the run {labels[key]}")
           + "<p>The same job by three machines: event-driven (neurons work when something arrives), clocked with "
             f"sparse synapses (every neuron at every tick of {s['tick_ms']:g} ms), and clocked and dense (every cell "
             "of every matrix too).</p>" + picture(figures.work(s), "counts and energies of three machines"))
    rows = []
    for k, name in labels.items():
        if "dense" in data["sparseness"].get(k, {}):
            of = data["sparseness"][k]
            bench = of["neurobench"]
            rows.append([name, count(of["spikes"]), count(of["synaptic_operations"]), count(of["neuron_updates"]),
                         f"{100.0 * of['awake_fraction']:.3g} %", count(bench["footprint_bytes"]),
                         maybe(bench["connection_sparsity"], ".4f"), f"{bench['activation_sparsity']:.6f}",
                         *(count(bench["synaptic_operations"][n]) for n in OPERATIONS)])
    yield table(["", "spikes", "synaptic operations", "neuron updates", "awake", "footprint (bytes)",
                 "connection sparsity", "activation sparsity", *OPERATIONS], rows, 1)
    yield ('<p class="note">The last six are metrics of NeuroBench by its definitions (Yik et al. 2025); the last four '
           "are of the whole run.</p>")
    yield heading("Where the energies come from", "counts times published prices")
    estimates = {m: {e["name"]: e["uj"] for e in s["energy"][m]["estimates"]} for m in ("event", "clocked", "dense")}
    yield table(["figure", "node", "scope", "source", "event-driven", "clocked, sparse", "clocked, dense"],
                [[e["name"], e["node"].replace(" ", "\u00a0"), e["scope"], e["source"],
                  *(joules(estimates[m][e["name"]]) for m in ("event", "clocked", "dense"))]
                 for e in s["energy"]["event"]["estimates"]], 4)
    yield ('<p class="note">Each figure counts something else into an operation, on another node: hence the range. '
           "Read the order of the machines, not a prediction: leakage, clocks and input are left out.</p>")


def provenance(report: Any) -> str:
    """What ran."""
    told = []
    for label, run in zip(report.data["labels"], report.runs, strict=True):
        if isinstance(run, Result):
            p = run.provenance
            versions = ", ".join(f"{name} {v}" for name, v in p.get("versions", {}).items())
            told.append(f"{escape(str(label))}: seed {p.get('seed')}, backend {escape(str(p.get('backend')))}, network "
                        f"<code>{escape(str(p.get('network'))[:16])}</code>, {escape(versions)}")
    first = report.data["spikes"]
    end = exact(report.data["until_ms"])
    return f"<footer>Spikes in [0, {end}): {count(first['a'])} and {count(first['b'])}. {'; '.join(told)}.</footer>"


# ---------------------------------------------------------------------------------------------------- parts
def heading(words: str, under: str) -> str:
    return f"<h2>{escape(words)}<small>{escape(under)}</small></h2>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], texts: int, also: Iterable[int] = ()) -> str:
    """texts: so many first columns are words, and those of `also`."""
    words = {*range(texts), *also}

    def line(cells: Sequence[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}{' class=text' if n in words else ''}>{escape(str(cell))}</{tag}>"
                                for n, cell in enumerate(cells)) + "</tr>"

    top = f"<thead>{line(head, 'th')}</thead>" if any(head) else ""
    return f'<div class="wide"><table>{top}<tbody>{"".join(line(row, "td") for row in rows)}</tbody></table></div>'


def joules(uj: float) -> str:
    return micro(uj).replace(" uJ", " \u00b5J").replace(" ", "\u00a0")


def maybe(x: float | None, form: str = ".4g") -> str:
    return "" if x is None else format(x, form)


def picture(figure: Any, words: str) -> str:
    """A figure inside the page."""
    image, kind = figures.encoded(figure)
    return f'<img alt="{escape(words)}" src="data:image/{kind};base64,{base64.b64encode(image).decode()}">'
