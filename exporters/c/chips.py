"""The chips' part of network.h: the constants of each kind of neuron, and registers at tick 0."""

import numpy as np

from .words import Parts, array


def loihi1_lava(name: str, p: np.ndarray, state: np.ndarray, kinds: np.ndarray) -> Parts:
    """Loihi 1: kinds share the shifts of their receptors' sums."""
    receptors = int(p["receptors"].max(initial=1))
    found: dict[tuple[int, ...], int] = {}
    lines = [f"static const struct eventsnn_loihi1_lava {name}_kinds[] = {{"]
    for kind in kinds:
        falls = found.setdefault(tuple(kind["fall"][:receptors].tolist()), receptors * len(found))
        lines.append(f"    {{.theta = {int(kind['vth']) << 6}, .bias = {kind['bias']}, .falls = {falls}, "
                     f".du = {kind['du']}, .dv = {kind['dv']}}},")
    u = state["u"]
    lines += ["};", "", *array(f"{name}_falls", [fall for falls in found for fall in falls]),
              *array(f"{name}_start_i", u if u.any() else [0], "int32_t")]
    return {"receptors": receptors, "currents": 1, "start_i_each": int(u.any())}, [], lines


def xylo(name: str, p: np.ndarray, state: np.ndarray, kinds: np.ndarray) -> Parts:
    """Xylo, both versions."""
    lines = [f"static const struct eventsnn_xylo {name}_kinds[] = {{"]
    for kind in kinds:
        own = ", ".join(f".{key} = {kind[key]}" for key in ("threshold", "bias", "version", "dash_mem", "most"))
        lines.append(f"    {{{own}, .dash_syn = {{{', '.join(map(str, kind['dash_syn'].tolist()))}}}}},")
    i = state["i"].T.ravel()
    lines += ["};", "", *array(f"{name}_start_i", i if i.any() else [0], "int32_t")]
    return {"currents": p["dash_syn"].shape[1], "start_i_each": int(i.any())}, [], lines
