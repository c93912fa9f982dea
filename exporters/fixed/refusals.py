"""What `quantise` refuses, each with the condition's name and the remedy; and when event mode is the same as tick mode.

Event mode equals a clocked chip only where nothing drifts between events and every judged tick leaves V below the
threshold (fixed-point specification, theorem of section 1): `obstacle` names the first condition that fails.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from eventsnn.channels import receptors
from eventsnn.errors import Mistake, nearest
from eventsnn.network import Network, Population
from eventsnn.values import at, quoted

from .format import DECAYS, ROUNDINGS, SATURATIONS

V_BITS, WEIGHT_BITS, DECAY_BITS = (8, 32), (2, 16), (4, 31)      # |v| * factor stays below 2^62
MODES, COMPARES = ("event", "tick"), (">=", ">")


class Options(NamedTuple):
    """`quantise`'s arguments."""

    tick: float = 0.1
    weight_bits: int = 8
    v_bits: int = 24
    guard_bits: int | None = None
    decay: str | None = None
    decay_bits: int | None = None
    mode: str | None = None
    i_bits: int = 24
    i_decay: str | None = None
    i_decay_bits: int | None = None
    rounding: str = "DOWN"
    saturation: str = "symmetric"
    compare: str = ">="
    spikes: int = 31
    input_first: bool = False
    min1: bool = True
    time_bits: int = 16


TICKS_OWN = ("i_bits", "i_decay", "i_decay_bits", "spikes", "input_first", "min1")        # event mode has none


def checked(options: Options) -> Options:
    """Sensible options, or a `Mistake`."""
    try:
        tick = float(options.tick)
    except (TypeError, ValueError):
        raise Mistake(f"tick must be a time in ms, not {options.tick!r}") from None
    if not 0.0 < tick < math.inf:
        raise Mistake(f"tick must be > 0 and finite, not {tick:g} ms")
    for name, low, high in (("weight_bits", *WEIGHT_BITS), ("v_bits", *V_BITS), ("guard_bits", 0, V_BITS[1]),
                            ("decay_bits", *DECAY_BITS), ("i_bits", *V_BITS), ("i_decay_bits", *DECAY_BITS),
                            ("spikes", 1, 2**16), ("time_bits", 16, 48)):
        bits = getattr(options, name)
        if bits is None and name in ("guard_bits", "decay_bits", "i_decay_bits"):
            continue
        if isinstance(bits, bool) or not isinstance(bits, (int, np.integer)) or not low <= bits <= high:
            raise Mistake(f"{name} must be a whole number from {low} to {high}, not {bits!r}")
    for name, known in (("decay", DECAYS), ("i_decay", DECAYS), ("mode", MODES), ("rounding", ROUNDINGS),
                        ("saturation", SATURATIONS), ("compare", COMPARES)):
        word = getattr(options, name)
        if word not in known and not (word is None and name in ("decay", "i_decay", "mode")):
            raise Mistake(f"there is no {name} {word!r}{nearest(word, known)}")
    if options.i_decay == "none":
        raise Mistake('i_decay = "none" would never let a current end: take "mul", "shift" or "linear"')
    return options._replace(tick=tick)


def refuse(network: Network, options: Options) -> str:
    """The mode; `Mistake` for what no mode can keep, or the one that is asked for cannot."""
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
                raise Mistake("an injected current moves V between events, which event mode cannot keep, and tick mode "
                              "has no current but i_offset and those of exp synapses: deliver it as spikes (regular "
                              "trains of a 'spikes' node), or as i_offset if it is constant")
            if p.kind == "neuron":
                refuse_population(p, options)
    stands = next(obstacles(network, options), None)
    if options.mode is None:
        given = any(getattr(options, name) != Options._field_defaults[name] for name in TICKS_OWN)
        return "tick" if stands or given else "event"
    if options.mode == "event" and stands:
        raise stands
    return options.mode


def refuse_population(p: Population, options: Options) -> None:
    if p.model != "lif":
        raise Mistake(f"{p.model} has no integer twin yet: only lif has")
    for name, what in (("b_w", "a spike-triggered current"), ("b_th", "a threshold step")):
        if p.params[name] is not None:
            raise Mistake(f"{what} ({name}) has no integer twin yet: leave {name} and its time constants out")
    told = receptors(p.params, p.size)
    if "alpha" in told["synapse"]:
        raise Mistake("synapse = 'alpha' has no integer twin yet: only delta and exp synapses have")
    v = p.params
    for wrong, text in (
        (v["v_rest"] != v["v_rest"][0], "v_rest differs within the population, but an integer V counts from one rest: "
                                        "shift v_thresh, v_reset and v_init instead, or split the population"),
        (v["tau_m"] < options.tick, f"tau_m is shorter than the tick of {options.tick:g} ms, so V forgets within a "
                                    "tick: take a finer tick"),
        (np.isfinite(v["tau_m"]) & (options.decay == "none"), 'tau_m is finite, which decay = "none" would drop: take '
                                                              '"lut", "mul" or "linear", or tau_m = inf'),
        *((tau < options.tick, f"tau_syn of receptor {k} is shorter than the tick of {options.tick:g} ms: take a finer "
                               "tick, or a delta synapse") for k, tau in enumerate(told["tau_syn"]) if tau is not None),
    ):
        if np.any(wrong):
            raise Mistake(f"{text} (neuron {int(np.argmax(wrong))})")


def obstacles(network: Network, options: Options) -> Iterator[Mistake]:
    """What keeps event mode from being tick mode, one condition after another."""
    for name, asked, has in (("decay", options.decay, ("lut", "mul", "linear", "none", None)),
                             ("rounding", options.rounding, ("DOWN",)),
                             ("saturation", options.saturation, ("symmetric",)), ("compare", options.compare, (">=",))):
        if asked not in has:
            yield Mistake(f'event mode has no {name} = "{asked}": take mode = "tick", or '
                          + " or ".join(f'"{word}"' for word in has if word))
    for p in network.populations:
        if p.kind == "neuron":
            yield from (Mistake(f"node {quoted(p.name)}: {text}") for text in drifts(p))


def drifts(p: Population) -> Iterator[str]:
    """What moves V between this population's events, or leaves it above its threshold."""
    v, told = p.params, receptors(p.params, p.size)
    if "exp" in told["synapse"]:
        yield ("synapse = 'exp': a synaptic current moves V between events, which event mode cannot keep; take mode = "
               '"tick", or delta synapses')
    for wrong, text in (
        (v["i_offset"] != 0, "i_offset is not 0: it moves V between events, which event mode cannot keep; take mode = "
                             '"tick", or deliver it as spikes through delta synapses'),
        (v["v_thresh"] <= v["v_rest"], "v_thresh is not above v_rest: a neuron at rest would stand above its "
                                       'threshold; take mode = "tick", or raise v_thresh or lower v_rest'),
        (v["v_reset"] >= v["v_thresh"], "v_reset is not below v_thresh: V would stand above it after a spike; take "
                                        'mode = "tick", or lower v_reset'),
    ):
        if np.any(wrong):
            yield f"{text} (neuron {int(np.argmax(wrong))})"
