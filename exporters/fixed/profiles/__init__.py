"""Other people's chips, exactly: profiles for `quantise`, and networks written in a chip's own integers.

    network(graph, "xylo_v2")     neurons and weights of the graph are the chip's registers already
    quantise(network, profile="xylo_v2")     they are made from a float network

A profile is one file: a tick's arithmetic, the registers with their limits, and how floats become registers.
"""

from collections.abc import Mapping
from typing import Any

from eventsnn.errors import Mistake, nearest
from eventsnn.network import Network
from eventsnn.result import Result

from . import build, floats, loihi1_floats, loihi1_lava, xylo, xylo_floats
from .build import Profile

PROFILES: Mapping[str, Profile] = {p.name: p for p in (loihi1_lava.PROFILE, xylo.V1, xylo.V2)}
CHIPS = {"loihi1_lava": loihi1_floats.CHIP, "xylo_v1": xylo_floats.CHIPS[1], "xylo_v2": xylo_floats.CHIPS[2]}


def profile_of(name: str) -> Profile:
    if name not in PROFILES:
        raise Mistake(f"there is no profile {name!r}{nearest(name, PROFILES)}")
    return PROFILES[name]


def network(graph: Any, profile: str, tick: float = 1.0, seed: int = 0) -> Network:
    """The integer network that a graph in a chip's own numbers describes: `simulate` runs it.

    graph     neurons have model=PROFILE and the chip's registers as attributes, edges whole weights (see
              docs/profiles.md); spike sources are as ever, their times in ms
    tick      ms
    seed      of rules and draws, as in `compile`
    """
    return build.network(graph, profile_of(profile), tick, seed)


def quantised(network: Network, calibrate: Result | None, profile: str, tick: float) -> Network:
    """`quantise(network, profile=...)`."""
    return floats.quantised(network, calibrate, profile_of(profile), CHIPS[profile], tick)


__all__ = ["PROFILES", "network", "quantised"]
