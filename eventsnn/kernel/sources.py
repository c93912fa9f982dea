"""Spike sources that are no neuron's alone: random streams and given trains, emitted window by window."""

from typing import NamedTuple

import numpy as np

from ..model import unbound
from ..streams import Streams, next_event
from .emitted import Emitted, room

stamp = unbound              # the network's clock


class Sources(NamedTuple):
    """A shard's spike sources: random streams with their next events, and given trains in one list."""

    streams: Streams             # all shards'
    stream: np.ndarray           # (n,) int64: the numbers of this shard's streams
    draw: np.ndarray             # (n,) int64: the number of the next event, -1 before the first
    time: np.ndarray             # (n,) float64: its time, ms; before the first, the stream's start
    member: np.ndarray           # (n,) int64: its emitter, -1: nobody's
    train_time: np.ndarray       # (spikes,) float64, ascending, ms
    train_emitter: np.ndarray    # (spikes,) int64
    cursor: np.ndarray           # (1,) int64: the next of those
    soonest: np.ndarray          # (1,) float64: nothing is emitted before


def sources_window(sources, end, tick, out):
    """Everything the sources emit before the end of the window."""
    if sources.soonest[0] >= end:
        return out
    n, soonest = out.n, np.inf
    for k in range(len(sources.time)):
        i, t, whose = sources.draw[k], sources.time[k], sources.member[k]
        while stamp(t, tick) < end:
            if whose >= 0:
                if n == len(out.time):
                    out = room(out, n + 1)
                out.time[n] = stamp(t, tick)
                out.emitter[n] = whose
                n += 1
            i += 1
            t, whose = next_event(sources.streams, sources.stream[k], i, t)
        sources.draw[k], sources.time[k], sources.member[k] = i, t, whose
        soonest = min(soonest, stamp(t, tick))
    c = sources.cursor[0]
    while c < len(sources.train_time) and stamp(sources.train_time[c], tick) < end:
        if n == len(out.time):
            out = room(out, n + 1)
        out.time[n] = stamp(sources.train_time[c], tick)
        out.emitter[n] = sources.train_emitter[c]
        n += 1
        c += 1
    if c < len(sources.train_time):
        soonest = min(soonest, stamp(sources.train_time[c], tick))
    sources.cursor[0], sources.soonest[0] = c, soonest
    return Emitted(out.time, out.emitter, n)
