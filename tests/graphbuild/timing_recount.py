"""Timing evidence counted one pair and one unit of time at a time, in plain Python."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from ringfence.graphbuild.linkage.timing import TimingSettings

Minutes = Mapping[str, Iterable[int]]
"""Account → the minutes since the start in which it sends something."""
START = pd.Timestamp("2026-03-02", tz="UTC")


def recount(
    sent: Minutes, settings: TimingSettings
) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    """Return weight, shared and expected of every pair, one pair and one unit at a time."""
    scales = [_Scale(sent, unit, cell, settings) for unit, cell in ((1440, 60), (60, 10), (10, 1))]
    found = {}
    for a, b in itertools.combinations(sorted(sent), 2):
        days = scales[0].shared(a, b)
        if len(days) < settings.least_units or not scales[0].met(a, b):
            continue
        found[a, b, "hours"] = scales[0].ratio(a, b, days, settings.together)
        hours = scales[1].shared(a, b)
        if len(hours) < settings.least_units:
            continue
        tens = scales[2].shared(a, b)
        for signal, rate in (("minutes", settings.same_minute), ("handover", settings.taking_turns)):
            parts = [scales[1].ratio(a, b, hours, rate)]
            parts += [scales[2].ratio(a, b, tens, rate)] if tens else []
            nats, shared, expected = map(sum, zip(*parts, strict=True))
            found[a, b, signal] = (nats - math.log(2), shared, expected)
    return found


class _Scale:
    def __init__(self, sent: Minutes, unit: int, cell: int, settings: TimingSettings) -> None:
        epoch = int(START.timestamp()) // 60
        self.size, self.settings = unit // cell, settings
        self.cells: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for account, minutes in sent.items():
            for minute in minutes:
                self.cells[account][(epoch + minute) // unit].add((epoch + minute) // cell)
        self.seen = Counter(c for days in self.cells.values() for unit in days.values() for c in unit)
        self.there = Counter(unit for days in self.cells.values() for unit in days)
        self.habitual = unit == 1440

    def shared(self, a: str, b: str) -> list[int]:
        return sorted(self.cells[a].keys() & self.cells[b].keys())

    def met(self, a: str, b: str) -> bool:
        return any(self.cells[a][unit] & self.cells[b][unit] for unit in self.shared(a, b))

    def credit(self, unit: int, cell: int) -> float:
        if self.habitual:
            usual = sum(n for c, n in self.seen.items() if c % self.size == cell % self.size)
        else:
            usual = sum(self.seen.values()) / self.size
        prior = self.settings.crowd_prior
        share = usual / sum(self.there.values())
        return min(1.0, (share * self.there[unit] + prior) / (self.seen[cell] + prior)) ** 2

    def ratio(self, a: str, b: str, units: list[int], rate: float) -> tuple[float, float, float]:
        met = credited = more = both = 0.0
        for unit in units:
            of_a, of_b = self.cells[a][unit], self.cells[b][unit]
            less = min(len(of_a), len(of_b))
            met += len(of_a & of_b) / less
            credited += sum(self.credit(unit, cell) for cell in of_a & of_b) / less
            more += max(len(of_a), len(of_b))
            both += len(of_a) * len(of_b)
        every = [[c for cells in self.cells[x].values() for c in cells] for x in (a, b)]
        overlap = sum(c % self.size == d % self.size for c in every[0] for d in every[1])
        chances, at_once = overlap * more / both, both / (len(every[0]) * len(every[1]))
        if rate > 1:
            charge = chances * math.log(1 + (rate - 1) * at_once)
            return credited * math.log(rate) - charge, credited, chances * at_once
        expected = min(chances * at_once, more / self.size)
        return met * math.log(rate) + (1 - rate) * expected, met, expected
