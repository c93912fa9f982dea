"""From the edges of injected currents to lines of breakpoints by neuron, in the order of law S13 wherever something is
summed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .currents import Current, Wave
from .model import Waves
from .network import Drives

Part = tuple[Current, float]                          # a current and its factor


class Injection(NamedTuple):
    """The connections of one current's edge, in the rule's order."""

    currents: Sequence[Current]  # of each current of the node
    source: np.ndarray           # (n,) which of them
    target: np.ndarray           # (n,) neuron ids
    weight: np.ndarray           # (n,) or () float64, a factor


class Sums(NamedTuple):
    """What is injected into each neuron: the number of a sum, and the parts of each sum."""

    chosen: np.ndarray           # (neurons,) int64
    parts: list[list[Part]]

    def waves(self, first: int, size: int) -> Waves:
        """Those of the neurons first .. first + size - 1."""
        mine = distinct(self.chosen[first:first + size])
        which = np.searchsorted(mine, self.chosen[first:first + size])
        decays, sines = zip(*(waves_of(self.parts[k]) for k in mine), strict=True)
        taus, frequencies, phases = (
            [np.array([rows[slot][entry] if slot < len(rows) else blank for rows in table])[which]
             for slot in range(max(map(len, table)))]
            for table, entry, blank in ((decays, 3, 1.0), (sines, 4, 1.0), (sines, 5, 0.0)))
        ramps = any(bool(np.any(current.slope)) for k in mine for current, _ in self.parts[k])
        return Waves(taus, frequencies, phases, ramps)


def sums(injections: Sequence[Injection], neurons: int) -> Sums:
    """The currents into each neuron, in the order of the injections; neurons with the same ones share a sum."""
    chain: list[tuple[int, Part | None]] = [(0, None)]                   # a sum: an earlier one, and what it adds
    number: dict[tuple[int, int, int, float], int] = {}
    chosen = np.zeros(neurons, np.int64)
    for edge, (currents, source, target, weight) in enumerate(injections):
        factors = np.broadcast_to(weight, target.shape)
        for c, n, factor in zip(source.tolist(), target.tolist(), factors.tolist(), strict=True):
            step = (int(chosen[n]), edge, c, factor)
            if step not in number:
                number[step] = len(chain)
                chain.append((step[0], (currents[c], factor)))
            chosen[n] = number[step]
    parts: list[list[Part]] = [[]]
    for before, part in chain[1:]:
        parts.append([*parts[before], part] if part else [])
    return Sums(chosen, parts)


def drives(of: Sums) -> Drives:
    """The lines of breakpoints; equal ones are shared."""
    number = {b"": 0}
    tables, first = [np.empty((0, 4))], [0, 0]
    line = np.zeros(len(of.parts), np.int32)
    for k in distinct(of.chosen).tolist():
        rows = breakpoints(of.parts[k])
        if rows.tobytes() not in number:
            number[rows.tobytes()] = len(number)
            tables.append(rows)
            first.append(first[-1] + len(rows))
        line[k] = number[rows.tobytes()]
    time, slot, amount, slope = np.concatenate(tables).T
    return Drives(line[of.chosen], np.array(first, np.int64), time.copy(), slot.astype(np.int32), amount.copy(),
                  slope.copy())


def distinct(values: np.ndarray) -> np.ndarray:
    """Ascending, each once: np.unique, which would import numpy.ma first, a tenth of all that a small run takes."""
    values = np.sort(values)
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


def breakpoints(parts: Sequence[Part]) -> np.ndarray:
    """(n, 4): time, slot, amount, slope; by time, then slot (see `Waves`)."""
    time = distinct(np.concatenate([np.empty(0), *(current.time for current, _ in parts)]))
    amount, slope = np.zeros(len(time)), np.zeros(len(time))
    for current, factor in parts:
        if len(current.time):
            piece = np.searchsorted(current.time, time, side="right") - 1
            begun, piece = piece >= 0, np.maximum(piece, 0)
            part = current.amount[piece]
            if np.any(current.slope):
                part = part + current.slope[piece] * (time - current.time[piece])
            amount = np.where(begun, amount + part * factor, amount)
            slope = np.where(begun, slope + current.slope[piece] * factor, slope)
    rows = [np.column_stack([time, np.full(len(time), -1.0), amount, slope])]
    for odd, waves in enumerate(waves_of(parts)):
        for k, wave in enumerate(waves):
            rows.append(np.array([[wave.start, 2.0 * k + odd, wave.amplitude, 0.0]]))
            if wave.stop < np.inf:
                rows.append(np.array([[wave.stop, 2.0 * k + odd, 0.0, 0.0]]))
    table = np.concatenate(rows)
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def waves_of(parts: Sequence[Part]) -> tuple[list[Wave], list[Wave]]:
    """The decaying currents and the sines among the parts, their factors applied."""
    waves = [current.wave._replace(amplitude=current.wave.amplitude * factor)
             for current, factor in parts if current.wave]
    return [wave for wave in waves if wave.tau > 0.0], [wave for wave in waves if wave.tau == 0.0]
