"""How many bits does a published network need?

Each is searched by `tune` for the least memory that keeps what matters of it, widths of weights and of V varied: a
classifier its accuracy; the others, which are chaotic, their statistics: rates, CVs, LVs and correlations no farther
from the exact run's (the largest KS distance) than those of other seeds are.

    digits         64-64-10, integrate and fire                        scikit-learn's digits; digits.py
    balanced       excitation and inhibition, delta synapses           Brunel 2000; balanced.py
    cuba           exponential currents, no input: it feeds itself     Vogels & Abbott 2005; Brette et al. 2007
    microcircuit   four layers, all weights and delays different       Potjans & Diesmann 2014; microcircuit.py
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
from eventsnn.scenarios import balanced, digits, microcircuit

import eventsnn as es
from eventsnn import plot
from eventsnn.files import atomic

WIDTHS = {"weight_bits": (8, 7, 6, 5, 4, 3, 2), "v_bits": (24, 20, 16, 14, 12, 10), "tick": (0.1,)}
FEW = {"weight_bits": (8, 4), "v_bits": (24, 12), "tick": (0.1,)}


def cuba(n: int = 1000) -> nx.DiGraph:
    """Benchmark 2 of Brette et al. (2007): 80 inputs a neuron whatever n; currents that jump by 1.62 and -9 mV / R."""
    excitatory, tau = round(0.8 * n), 20.0
    graph = nx.DiGraph()
    cell = {"model": "lif", "tau_m": tau, "cm": 1.0, "v_rest": -49.0, "v_reset": -60.0, "v_thresh": -50.0,
            "tau_refrac": 5.0, "synapse": "exp", "tau_syn": [5.0, 10.0], "v_init": {"uniform": [-60.0, -50.0]}}
    for name, size in (("exc", excitatory), ("inh", n - excitatory)):
        graph.add_node(name, size=size, **cell)
    for name in ("exc", "inh"):
        for source, indegree, jump, receptor in (("exc", 64, 1.62, 0), ("inh", 16, -9.0, 1)):
            graph.add_edge(source, name, rule="fixed_indegree", indegree=indegree, weight=jump / tau, delay=0.1,
                           receptor=receptor)
    return graph


def build(name: str, small: bool) -> tuple[es.Network, dict[str, Any]]:
    """A network, and what `tune` is to keep of it."""
    if name == "digits":
        task = digits.task(small)
        return task.network, {"score": task.score, "calibrate": task.calibration}
    graph = {"balanced": lambda: balanced.build(250 if small else 1250), "cuba": lambda: cuba(250 if small else 1000),
             "microcircuit": lambda: microcircuit.build(0.01 if small else 0.02)}[name]()
    return es.compile(graph, seed=1), {"measure": "statistics", "until": 100.0 if small else 500.0}


def expect(outcome: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What this scenario promises, each with whether it came true."""
    facts = []
    for name, found in outcome["networks"].items():
        base, best = found["base"], found["best"]
        if best is None:
            facts.append((f"{name}: nothing keeps its {found['measure']} of {found['target']:.3f}", False))
            continue
        options = best["options"]
        facts.append((f"{name}: weights of {options['weight_bits']} bits, V of {options['v_bits']}: "
                      f"{best['bits'] / 8192:.3g} KiB, {100 * best['bits'] / base['bits']:.0f} % of 8/24 bits; quality "
                      f"{best['quality']:.4g}, to keep {found['target']:.4g}", best["bits"] < base["bits"]))
    return facts


def main(out: Path | None = None, small: bool = False, say: Callable[[str], object] = print, *,
         networks: Sequence[str] | None = None, budget: int | None = None,
         workers: int | None = None) -> dict[str, Any]:
    """Search for each network; `small` takes the balanced one, and four candidates in this process."""
    names = networks or (("balanced",) if small else ("digits", "balanced", "cuba", "microcircuit"))
    found = {}
    for name in names:
        if name not in ("digits", "balanced", "cuba", "microcircuit"):
            raise es.Mistake(f"there is no network {name!r} here: digits, balanced, cuba or microcircuit")
        network, keep = build(name, small)
        found[name] = es.tune(network, budget or (4 if small else 40), space=FEW if small else WIDTHS,
                              workers=1 if small else workers, **keep)
        say(f"{name}: {network.neurons:,} neurons, {len(network.synapses.target):,} synapses, "
            f"{len(found[name].trials)} candidates tried")
    outcome: dict[str, Any] = {"networks": {name: tuning.data for name, tuning in found.items()}}
    for fact, kept in expect(outcome):
        say(f"{'ok   ' if kept else 'WRONG'} {fact}")
    if out is not None:
        out = Path(out)
        plot.save(draw(found), out / "bits.png")
        with atomic(out / "bits.json") as file:
            json.dump(outcome, file, indent=1)
        say(f"wrote bits.png and bits.json into {out}")
    return outcome


def draw(found: Mapping[str, Any]) -> Any:
    """Of each network the quality of every candidate over widths of weights, and the smallest that keeps it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.1 * max(len(found), 2), 3.6), layout="constrained")
    axes = figure.subplots(1, len(found), squeeze=False)[0]
    for axis, (name, tuning) in zip(axes, found.items(), strict=True):
        known = [t for t in tuning.trials if t.quality is not None]
        for t in known:
            good = tuning.good(t)
            axis.scatter(t.options["weight_bits"], t.options["v_bits"], s=110, color=plot.FIRST if good else "white",
                         edgecolors=plot.FIRST if good else plot.PALE, linewidths=1.0)
        if tuning.best is not None:
            o = tuning.best.options
            axis.scatter(o["weight_bits"], o["v_bits"], s=320, facecolors="none", edgecolors=plot.SECOND,
                         linewidths=1.8)
            axis.set_title(f"{name}: {o['weight_bits']} / {o['v_bits']} bits\n{tuning.best.bits / 8192:.3g} KiB of "
                           f"{tuning.trials[0].bits / 8192:.3g}", loc="left", fontsize=10)
        else:
            axis.set_title(f"{name}: none", loc="left", fontsize=10)
        axis.set(xlabel="bits of a weight", xticks=range(2, 9), xlim=(1.4, 8.6), ylim=(8.5, 25.5))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("bits of V")
    figure.supxlabel("filled: keeps what matters; ring: the smallest that does", fontsize=8.5, color=plot.INK)
    return figure


if __name__ == "__main__":
    main(Path("out/bits"))
