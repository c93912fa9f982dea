"""What `quantise` refuses, each with the condition's name and the remedy.

Event mode equals a clocked chip only where nothing drifts between events and every judged tick leaves V below the
threshold (fixed-point specification, theorem of section 1).
"""

import math
from typing import NamedTuple

import numpy as np

from eventsnn.errors import Mistake, nearest
from eventsnn.network import Network, Population
from eventsnn.values import at, quoted

from .format import DECAYS

V_BITS, WEIGHT_BITS, DECAY_BITS = (8, 32), (2, 16), (4, 31)      # |v| * factor stays below 2^62


class Options(NamedTuple):
    """`quantise`'s arguments."""

    tick: float
    weight_bits: int
    v_bits: int
    guard_bits: int | None
    decay: str | None
    decay_bits: int | None


def checked(options: Options, profile: str | None) -> Options:
    """Sensible options, or a `Mistake`."""
    if profile is not None:
        raise Mistake(f"there is no profile {profile!r}: FX-LIF v1 is all there is so far; leave profile out")
    try:
        tick = float(options.tick)
    except (TypeError, ValueError):
        raise Mistake(f"tick must be a time in ms, not {options.tick!r}") from None
    if not 0.0 < tick < math.inf:
        raise Mistake(f"tick must be > 0 and finite, not {tick:g} ms")
    for name, low, high in (("weight_bits", *WEIGHT_BITS), ("v_bits", *V_BITS), ("guard_bits", 0, V_BITS[1]),
                            ("decay_bits", *DECAY_BITS)):
        bits = getattr(options, name)
        if bits is None and name in ("guard_bits", "decay_bits"):
            continue
        if isinstance(bits, bool) or not isinstance(bits, (int, np.integer)) or not low <= bits <= high:
            raise Mistake(f"{name} must be a whole number from {low} to {high}, not {bits!r}")
    if options.decay not in (None, *DECAYS):
        raise Mistake(f"there is no decay {options.decay!r}{nearest(options.decay, DECAYS)}")
    return options._replace(tick=tick)


def refuse(network: Network, options: Options) -> None:
    """Everything that event mode cannot keep, each with its remedy."""
    if not isinstance(network, Network):
        raise Mistake(f"quantise takes a compiled network, not a {type(network).__name__}: compile the graph first")
    if network.tick:
        raise Mistake(f"this network is an integer one already (tick {network.tick:g} ms): quantise its float original "
                      "compile(network.graph, seed=network.seed)")
    if network.graph is None:
        raise Mistake("the network has no graph: quantise rounds each synapse before merging; compile it from a graph")
    for p in network.populations:
        with at(f"node {quoted(p.name)}"):
            if p.kind == "current" or (p.kind == "neuron" and network.drives.line[p.neuron:p.neuron + p.size].any()):
                raise Mistake("an injected current moves V between events, which event mode cannot keep: deliver it as "
                              "spikes through delta synapses (regular trains of a 'spikes' node)")
            if p.kind == "neuron":
                refuse_population(p, options)


def refuse_population(p: Population, options: Options) -> None:
    if p.model != "lif":
        raise Mistake(f"{p.model} has no integer twin yet: only lif has")
    for name, what in (("b_w", "a spike-triggered current"), ("b_th", "a threshold step")):
        if p.params[name] is not None:
            raise Mistake(f"{what} ({name}) has no integer twin yet: leave {name} and its time constants out")
    kinds = [p.params["synapse"]] if isinstance(p.params["synapse"], str) else p.params["synapse"]
    if any(kind != "delta" for kind in kinds):
        other = next(kind for kind in kinds if kind != "delta")
        raise Mistake(f"synapse = {other!r} has no integer twin yet: only delta synapses have")
    v = p.params
    for wrong, text in (
        (v["i_offset"] != 0, "i_offset is not 0: it moves V between events, which event mode cannot keep; deliver it "
                             "as spikes through delta synapses"),
        (v["v_rest"] != v["v_rest"][0], "v_rest differs within the population, but an integer V counts from one rest: "
                                        "shift v_thresh, v_reset and v_init instead, or split the population"),
        (v["v_thresh"] <= v["v_rest"], "v_thresh is not above v_rest: a neuron at rest would stand above its "
                                       "threshold; raise v_thresh or lower v_rest"),
        (v["v_reset"] >= v["v_thresh"], "v_reset is not below v_thresh: V would stand above it after a spike; lower "
                                        "v_reset"),
        (v["tau_m"] < options.tick, f"tau_m is shorter than the tick of {options.tick:g} ms, so V forgets within a "
                                    "tick: take a finer tick"),
        (np.isfinite(v["tau_m"]) & (options.decay == "none"), 'tau_m is finite, which decay = "none" would drop: take '
                                                              '"lut", "mul" or "linear", or tau_m = inf'),
    ):
        if np.any(wrong):
            raise Mistake(f"{text} (neuron {int(np.argmax(wrong))})")
