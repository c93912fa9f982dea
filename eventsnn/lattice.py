"""The smallest good place of a lattice, if more is never worse: what `tune` searches by."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class Search:
    """What is known of a lattice of candidates: places are tuples of indices, 0 the best of each axis."""

    def __init__(self, axes: Mapping[str, Sequence[Any]]) -> None:
        self.axes = axes
        self.sizes = [len(values) for values in axes.values()]
        self.asked: set[tuple[int, ...]] = set()
        self.bad: list[tuple[int, ...]] = []
        self.bits: dict[tuple[int, ...], int] = {}
        self.smallest = float("inf")
        base = (0,) * len(self.sizes)
        self.alone = [base, *((*base[:a], k, *base[a + 1:]) for a, n in enumerate(self.sizes) for k in range(1, n))]

    def options(self, place: tuple[int, ...]) -> dict[str, Any]:
        return {name: values[k] for (name, values), k in zip(self.axes.items(), place, strict=True)}

    def next(self, many: int, running: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Places to try now, so that at most `many` are running."""
        many -= len(running)
        chosen = [place for place in self.alone if place not in self.asked][:max(many, 0)]
        if not chosen and not running & set(self.alone):          # phase 3, once every axis is known
            open_ = self.open()
            where = np.unique(np.linspace(0, len(open_) - 1, max(many, 0) + 2)[1:-1].round().astype(int))
            chosen = [open_[k] for k in where] if open_ and many > 0 else []
        self.asked.update(chosen)
        return chosen

    def learn(self, place: tuple[int, ...], bits: int | None, good: bool) -> None:
        if bits is not None:
            self.bits[place] = bits
        if good and bits is not None:
            self.smallest = min(self.smallest, bits)
        elif not good:
            self.bad.append(place)

    def open(self) -> list[tuple[int, ...]]:
        """What may still be smaller than the best, by estimated memory."""
        found = []
        for place in itertools.product(*(range(n) for n in self.sizes)):
            if place in self.asked or any(all(k >= b for k, b in zip(place, bad, strict=True)) for bad in self.bad):
                continue
            size = self.estimate(place)
            if size < self.smallest:
                found.append((size, place))
        return [place for _, place in sorted(found)]

    def estimate(self, place: tuple[int, ...]) -> float:
        """As if the axes' savings added up, as they nearly do."""
        base = self.bits.get(self.alone[0], 0)
        return base + sum(self.bits.get(tuple(k if b == a else 0 for b in range(len(place))), base) - base
                          for a, k in enumerate(place) if k)

    def left(self) -> int:
        """How many more may be asked for."""
        alone = sum(place not in self.asked for place in self.alone)
        return alone or int(np.ceil(2.0 * np.log2(len(self.open()) + 1.0)))
