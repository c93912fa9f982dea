"""The manual: a page for every neuron model, spike source and current, from the very tables that the simulator reads.

`python -m eventsnn.manual docs/models` writes the pages that the repository shows; `eventsnn model NAME` prints one.  A
table says nothing twice: what a state variable x is stands in the attribute `x_init`, "X at t = 0".
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .channels import SYNAPSES
from .currents import ABOUT as ABOUT_CURRENTS
from .currents import CURRENTS
from .errors import Mistake, nearest
from .files import atomic
from .model import STEPS, Field, inf
from .models import MODELS
from .stimuli import ABOUT as ABOUT_SOURCES
from .stimuli import SOURCES

KINDS = {
    "neuron": ("Neurons", {name: (model.equations, model.fields) for name, model in MODELS.items()}),
    "source": ("Spike sources", {name: (ABOUT_SOURCES[name], fields) for name, fields in SOURCES.items()}),
    "current": ("Injected currents", {name: (ABOUT_CURRENTS[name], fields) for name, fields in CURRENTS.items()}),
}
SHAPES = {
    "neuron": "number",
    "receptor": "number or list",
    "population": "word",
    "list": "list of numbers",
}
OTHERS = {                               # recorded, but no state of its own
    "theta": Field(None, "mV", "threshold: v_thresh and its steps; not of a bare lif with delta synapses"),
    "w": Field(None, "nA", "spike-triggered currents, one per tau_w"),
}
REFERENCES = {                           # by first author and year, as texts cite them
    "Brette 2005": "Brette R, Gerstner W (2005) Adaptive exponential integrate-and-fire model as an effective "
                   "description of neuronal activity. J Neurophysiol 94:3637-3642",
    "Brette 2006": "Brette R (2006) Exact simulation of integrate-and-fire models with synaptic conductances. Neural "
                   "Comput 18:2004-2027",
    "Cox 1962": "Cox DR (1962) Renewal theory. Methuen, London",
    "Ermentrout 1986": "Ermentrout GB, Kopell N (1986) Parabolic bursting in an excitable system coupled with a slow "
                       "oscillation. SIAM J Appl Math 46:233-253",
    "FitzHugh 1961": "FitzHugh R (1961) Impulses and physiological states in theoretical models of nerve membrane. "
                     "Biophys J 1:445-466",
    "Fourcaud-Trocme 2003": "Fourcaud-Trocmé N, Hansel D, van Vreeswijk C, Brunel N (2003) How spike generation "
                            "mechanisms determine the neuronal response to fluctuating inputs. J Neurosci "
                            "23:11628-11640",
    "Hodgkin 1952": "Hodgkin AL, Huxley AF (1952) A quantitative description of membrane current and its application "
                    "to conduction and excitation in nerve. J Physiol 117:500-544",
    "Izhikevich 2003": "Izhikevich EM (2003) Simple model of spiking neurons. IEEE Trans Neural Netw 14:1569-1572",
    "Kobayashi 2009": "Kobayashi R, Tsubo Y, Shinomoto S (2009) Made-to-order spiking neuron model equipped with a "
                      "multi-timescale adaptive threshold. Front Comput Neurosci 3:9",
    "Lapicque 1907": "Lapicque L (1907) Recherches quantitatives sur l'excitation électrique des nerfs traitée comme "
                     "une polarisation. J Physiol Pathol Gén 9:620-635",
    "Latham 2000": "Latham PE, Richmond BJ, Nelson PG, Nirenberg S (2000) Intrinsic dynamics in neuronal networks. I. "
                   "Theory. J Neurophysiol 83:808-827",
    "Lewis 1979": "Lewis PAW, Shedler GS (1979) Simulation of nonhomogeneous Poisson processes by thinning. Naval Res "
                  "Logist Q 26:403-413",
    "Nagumo 1962": "Nagumo J, Arimoto S, Yoshizawa S (1962) An active pulse transmission line simulating nerve axon. "
                   "Proc IRE 50:2061-2070",
    "Rotter 1999": "Rotter S, Diesmann M (1999) Exact digital simulation of time-invariant linear systems with "
                   "applications to neuronal modeling. Biol Cybern 81:381-402",
}
NAME = r"(?:van |von |de )?[A-Z][\w'’-]+"
CITATION = re.compile(rf"({NAME})(?:, {NAME})*(?: et al\.|,? & {NAME}(?:'s [a-z ]+)?)? \(?([12]\d{{3}})\b")


# ---------------------------------------------------------------------------------------------------- one entry
def names() -> dict[str, str]:
    """Every model, source and current, with what it is in one line."""
    return {name: summary(text) for _, entries in KINDS.values() for name, (text, _) in entries.items()}


def summary(text: str) -> str:
    """The first sentence, without what stands in brackets."""
    plain = re.sub(r" \([^()]*\)", "", " ".join(paragraphs(text)[0].split()))
    return re.split(r"\.(?:\s|$)", plain)[0]


def paragraphs(text: str) -> list[str]:
    return [part.strip("\n") for part in re.split(r"\n\s*\n", text.strip())]


def entry(name: str) -> dict[str, Any]:
    """All that is known of a model, source or current, as plain data."""
    for kind, (_, entries) in KINDS.items():
        if name in entries:
            text, fields = entries[name]
            found = {"name": name, "kind": kind, "summary": summary(text), "text": text.strip(),
                     "attributes": [attribute(key, field) for key, field in fields.items()]}
            return {**found, **running(name, kind, fields), "references": references(text)}
    raise Mistake(f"there is no model {name!r}{nearest(name, names())}")


def attribute(name: str, field: Field) -> dict[str, Any]:
    default = field.default if field.default not in (inf, -inf) else str(field.default)
    shape = "word or list of words" if field.per == "population" and not field.words else SHAPES[field.per]
    return {"name": name, "default": default, "required": "required" in field.meaning, "unit": field.unit,
            "domain": domain(field), "shape": shape, "meaning": field.meaning}


def domain(field: Field) -> str:
    """Which values a field takes, as "> 0" or "value, subtract"; "" for any finite number."""
    if field.per == "population":
        return ", ".join(field.words)
    bound = f"{'>=' if field.closed else '>'} {field.above:g}" if field.above > -inf else ""
    return bound if field.finite else f"{bound or 'any'} or inf"


def running(name: str, kind: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    """What a run can record of it and how exact it is: asked of neurons with each kind of receptor that they take."""
    if kind != "neuron":
        return {"variables": [{"name": "spikes", "unit": "ms", "meaning": "what it emits"}] if kind == "source" else []}
    values: dict[str, Any] = {
        key: np.full(1, field.default) if field.per == "neuron" and field.default is not None else field.default
        for key, field in fields.items()}
    if "tau_w" in fields and fields["tau_w"].per == "receptor":
        values |= {"tau_w": [np.ones(1)], "b_w": [np.ones(1)]}
    exactness, variables = {}, {}
    for synapse in SYNAPSES if "synapse" in fields else ("",):
        try:
            it = MODELS[name].prepare({**values, "synapse": [synapse]} if synapse else values, 1, STEPS)
        except Mistake:
            continue
        exactness[synapse] = it.exactness or it.dynamics.exactness
        for variable in (v.rstrip("0123456789") for v in it.variables):
            start = fields.get(f"{variable}_init", OTHERS.get(variable, Field(None, "", variable)))
            meaning = start.meaning.partition(" at t = 0")[0]
            variables[variable] = {"name": variable, "unit": start.unit, "meaning": meaning}
    return {"variables": list(variables.values()), "exactness": exactness}


def citations(text: str) -> list[str]:
    """ "Brette 2005" for every "Brette & Gerstner 2005" or "(2005)"."""
    return list(dict.fromkeys(f"{author} {year}" for author, year in CITATION.findall(" ".join(text.split()))))


def references(text: str) -> list[str]:
    return [REFERENCES.get(citation, citation) for citation in citations(text)]


# ---------------------------------------------------------------------------------------------------- pages
def page(name: str) -> str:
    """The manual page of a model, source or current, in Markdown."""
    it = entry(name)
    blocks = [f"# {name}", *paragraphs(it["text"])]
    if it["kind"] == "neuron":
        blocks += [exact(it["exactness"])]
    blocks += ["## Attributes", table(("attribute", "default", "unit", "domain", "given as", "meaning"), [
        (f"`{a['name']}`", default(a), a["unit"], a["domain"], a["shape"], a["meaning"])
        for a in [*it["attributes"], SIZE]])]
    if it["variables"]:
        blocks += ["## What can be recorded", table(("name", "unit", "meaning"), [
            (f"`{v['name']}`", v["unit"], v["meaning"]) for v in it["variables"]])]
    if it["references"]:
        blocks += ["## References", "\n".join(f"- {reference}" for reference in it["references"])]
    return "\n\n".join(blocks) + "\n"


def exact(by: Mapping[str, str]) -> str:
    """One line about how the state between events is found."""
    ways = {way: [synapse for synapse in by if by[synapse] == way] for way in by.values()}
    parts = [f"{way} ({', '.join(synapses)} receptors)" if len(ways) > 1 else way for way, synapses in ways.items()]
    return f"Between events: {'; '.join(parts)}." + (" An ode has its relative and absolute tolerance."
                                                     if any(way.startswith("ode") for way in ways) else "")


SIZE = {"name": "size", "default": 1, "required": False, "unit": "", "domain": ">= 1", "shape": "whole number",
        "meaning": "how many"}


def default(a: Mapping[str, Any]) -> str:
    if a["default"] is None:
        return "required" if a["required"] else ""
    if isinstance(a["default"], str):
        return f'"{a["default"]}"' if a["shape"].startswith("word") else a["default"]
    return f"{a['default']:.10g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns that are empty everywhere are left out."""
    used = [k for k in range(len(head)) if any(row[k] for row in rows)]
    lines = ["| " + " | ".join(line[k].replace("|", "\\|") for k in used) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(used) + "|", *lines[1:]])


def contents() -> str:
    """The page that lists the others."""
    blocks = ["# Models", "Generated from the simulator's own tables by `python -m eventsnn.manual docs/models`. An "
              "attribute given as a number may also be a list of `size` numbers or a draw, as the "
              "[user's guide](../guide.md) says."]
    for title, entries in KINDS.values():
        lines = [f"- [`{name}`]({name}.md): {summary(text)}" for name, (text, _) in entries.items()]
        blocks += [f"## {title}", "\n".join(lines)]
    return "\n\n".join(blocks) + "\n"


def pages() -> dict[str, str]:
    """File names and texts."""
    return {"README.md": contents(), **{f"{name}.md": page(name) for name in names()}}


def write(folder: str | Path) -> list[Path]:
    """Write every page into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        with atomic(folder / name) as file:
            file.write(text)
    return [folder / name for name in pages()]


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "docs/models")
