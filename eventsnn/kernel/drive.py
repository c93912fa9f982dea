"""Poisson sources that drive one neuron each: their streams are drawn in batches, straight into the neurons' windows.

A stream of `streams.py` is direct if source j of its block has one synapse only, and that leads to neuron n + j: then
nothing has to be queued or sorted.  Events that belong to no neuron here (another shard's, or thinned away) go to a
place of their own, the trash.
"""

from typing import Any, NamedTuple

import numpy as np

from ..elementary import waiting, wide
from ..model import unbound
from ..rng import GOLDEN, MASK, MIX1, MIX2, S27, S30, S31, S32, U64, word
from ..streams import Streams, next_event
from .pool import PAD

BARE = ("draw", "next_time", "draw_plain", "summed", "draw_any", "head")            # see link.py
INSIDE = ("head", "next_time")
BATCH = 512                      # events drawn at once
EXPONENT = 0x7FF << 52
STEPS = np.arange(BATCH, dtype=np.uint64) * GOLDEN


stamp = unbound                  # the network's clock


FLOW = np.dtype([
    ("number", "i8"),            # which stream
    ("emitter", "i8"),           # of the block's source 0
    ("base", "i8"),              # the place of that source's neuron
    ("low", "i8"),               # places low .. high - 1 are here
    ("high", "i8"),
    ("trash", "i8"),             # the place of all others
    ("whole", "i8"),             # no event goes to the trash
    ("plain", "i8"),             # constant equal rates, and every source is always active
    ("alike", "i8"),             # all synapses have this weight, which is not 0, and none is of multapses:
    ("weight", "f8"),
    ("delay", "f8"),
    ("receptor", "i8"),
    ("tick", "f8"),              # ms; 0: continuous time
    ("drawn", "i8"),             # number of the next event to draw
    ("last", "f8"),              # time of the last one drawn
    ("position", "i8"),          # the next event of the batch
    ("ready", "i8"),             # how many events have their growth
    ("calm", "i8"),              # no event of the batch acts at one instant with another or the next, and `alike`
    ("pad", "i8", (PAD,)),
])


class Drive(NamedTuple):
    """The direct streams while they run, n of them."""

    flow: Any                    # (n,) of type FLOW
    time: np.ndarray             # (n, 2, batch) float64, [:, 0]: when the events act: emission plus delay.  ([:, 1]
                                 # keeps what the hardware fetches ahead of a batch off the next, another shard's)
    place: np.ndarray            # (n, 2, batch) uint32
    growth: np.ndarray           # (n, 2, batch) float64: E, of the first `ready`
    bits: np.ndarray             # (batch,) uint64: work space
    streams: Streams             # all of the network


def draw(flow, time, place, bits, streams):
    """The next batch of a stream."""
    wide()
    if flow.plain:
        draw_plain(flow, streams.of[flow.number], time, place, bits)
    else:
        draw_any(flow, streams, time, place)
    same = 0
    for i in range(1, len(time)):
        same += time[i] == time[i - 1]
    flow.drawn += len(time)
    following = next_time(flow, streams)
    flow.calm = flow.alike and same == 0 and time[-1] != stamp(following, flow.tick) + flow.delay
    flow.position = 0
    flow.ready = 0


def next_time(flow, streams):
    """Of the first event of the next batch."""
    b = streams.of[flow.number]
    if flow.plain:
        return flow.last + waiting(word(b.word0, b.word1, U64(flow.drawn)) >> S32) * b.wait
    following, _ = next_event(streams, flow.number, flow.drawn, flow.last)
    return following


def draw_plain(flow, b, time, place, bits):
    """`streams.next_event` for a whole batch, in short loops that vectorise: long ones wait for their own results."""
    wide()
    begin, second = U64(b.word0) + U64(flow.drawn) * GOLDEN, U64(b.word1)
    for i in range(len(bits)):                                   # rng.word
        z = begin + STEPS[i]
        z = (z ^ (z >> S30)) * MIX1
        bits[i] = z ^ (z >> S27) ^ second
    for i in range(len(bits)):
        z = bits[i] * MIX2
        bits[i] = z ^ (z >> S31)
    sources, base, low, high, trash = U64(b.sources) & MASK, flow.base, flow.low, flow.high, flow.trash
    if flow.whole:
        for i in range(len(bits)):
            place[i] = base + np.int64(((bits[i] & MASK) * sources) >> S32)
    else:
        for i in range(len(bits)):
            k = base + np.int64(((bits[i] & MASK) * sources) >> S32)
            place[i] = k if low <= k < high else trash
    summed(flow, b.wait, time, bits)


def summed(flow, wait, time, bits):
    """When the events of a batch act: waiting times summed one after the other, each sum rounded.

    From t to the next power of two, doubles are the multiples of one unit, so a rounded sum is t plus the waiting time
    rounded to it (unless that lies halfway between two), and such sums are exact in any order: in quarters, side by
    side.
    """
    wide()
    t, delay, tick = flow.last, flow.delay, flow.tick
    low = np.int64(np.float64(max(t, 0.0)).view(np.int64) & EXPONENT).view(np.float64)      # the power of two before t
    half = low * 2.0 ** -53
    doubtful = len(time) % 4 > 0
    for i in range(len(time)):
        w = waiting(bits[i] >> S32) * wait
        rounded = w + low - low
        time[i] = rounded
        doubtful |= abs(w - rounded) == half
    quarter = len(time) // 4
    q0, q1, q2, q3 = time[:quarter], time[quarter:2 * quarter], time[2 * quarter:3 * quarter], time[3 * quarter:]
    s0 = s1 = s2 = s3 = 0.0
    for i in range(quarter):
        s0 += q0[i]
        s1 += q1[i]
        s2 += q2[i]
        s3 += q3[i]
        q0[i], q1[i], q2[i], q3[i] = s0, s1, s2, s3
    end = t + (s0 + s1 + s2 + s3)
    if doubtful or not end < 2.0 * low:
        for i in range(len(time)):
            t += waiting(bits[i] >> S32) * wait
            time[i] = stamp(t, tick) + delay                 # law S9
        flow.last = t
        return
    flow.last = end
    for i in range(quarter):
        q0[i] = stamp(t + q0[i], tick) + delay
        q1[i] = stamp(t + s0 + q1[i], tick) + delay
        q2[i] = stamp(t + (s0 + s1) + q2[i], tick) + delay
        q3[i] = stamp(t + (s0 + s1 + s2) + q3[i], tick) + delay


def draw_any(flow, streams, time, place):
    """A batch of a stream whose sources differ, begin, end or vary."""
    t = flow.last
    for i in range(len(time)):
        emitter = -1
        if t < np.inf:
            t, emitter = next_event(streams, flow.number, flow.drawn + i, t)
        time[i] = stamp(t, flow.tick) + flow.delay
        k = flow.base + emitter - flow.emitter
        place[i] = k if emitter >= 0 and flow.low <= k < flow.high else flow.trash
    flow.last = t


def head(drive, d):
    """When the next event of stream d acts."""
    flow = drive.flow[d]
    if flow.position == len(drive.bits):
        draw(flow, drive.time[d, 0], drive.place[d, 0], drive.bits, drive.streams)
    return drive.time[d, 0, flow.position]
