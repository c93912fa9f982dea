"""A race: ours, the peer, ours, the peer ... on one core, and the figures that come of it."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Run = Mapping[str, Any]
KEYS = ("name", "peer", "ours_s", "peer_s", "ratio", "events", "ns_per_event", "rss_mb", "bytes_per_synapse",
        "spikes_ours", "spikes_peer")


def take_turns(runs: int, *sides: Callable[[], Run] | None) -> list[list[Run]]:
    """Each side's runs, made in turns: A B A B."""
    made: list[list[Run]] = [[] for _ in sides]
    for _ in range(runs):
        for side, mine in zip(sides, made, strict=True):
            if side is not None:
                mine.append(side())
    return made


def median(runs: Iterable[Run], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def alone(name: str, **figures: Any) -> dict[str, Any]:
    """The JSON object of a benchmark: every one has all of KEYS, null where there is nothing to say."""
    return {**dict.fromkeys(KEYS), "name": name, **figures}


def figures(name: str, facts: Run, ours: list[Run], peer: str | None = None,
            theirs: Iterable[Run] = ()) -> dict[str, Any]:
    """Medians of both sides and what shows that they did the same work."""
    theirs = list(theirs)
    ours_s, events = median(ours, "seconds"), ours[0]["events"]
    told = alone(name, peer=peer, ours_s=ours_s, events=events, ns_per_event=1e9 * ours_s / max(events, 1),
                 events_per_s=events / ours_s,
                 rss_mb=ours[0]["rss_mb"], bytes_per_synapse=facts["bytes_per_synapse"], spikes_ours=ours[0]["spikes"],
                 ns_random_update=median(ours, "ns_random_update"), kernel=ours[0]["kernel"],
                 neurons=facts["neurons"], synapses=facts["synapses"], build_s=facts["build_s"],
                 ours_all_s=[run["seconds"] for run in ours])
    if "crc" in ours[0]:
        told["crc_ours"] = ours[0]["crc"]
    if peer is not None:
        peer_s = median(theirs, "seconds")
        told |= {"peer_s": peer_s, "ratio": peer_s / ours_s, "spikes_peer": theirs[0]["spikes"],
                 "events_peer": theirs[0]["events"],
                 "ratio_per_event": peer_s / theirs[0]["events"] / (ours_s / events), "sim": theirs[0]["sim"],
                 "peer_all_s": [run["seconds"] for run in theirs]}
        if "crc" in theirs[0]:
            told["crc_peer"] = theirs[0]["crc"]
    return told
