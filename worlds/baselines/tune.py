"""The best honest setting of each baseline: tried on a world of its own, never on one that is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ringfence.worlds.baselines import co_action, leiden, shared_identifiers, synchronous
from ringfence.worlds.baselines.co_action import CoAction
from ringfence.worlds.baselines.panel import UNTAUGHT
from ringfence.worlds.baselines.shared_identifiers import Sharing
from ringfence.worlds.baselines.synchronous import Synchrony
from ringfence.worlds.baselines.tables import Tables
from ringfence.worlds.score.findings import Findings

Setting = Sharing | CoAction | Synchrony
Judge = Callable[[Findings], float]
"""How good an answer is, such as the F1 of its rings."""

_KINDS = (("instrument", "device", "ip"), ("instrument", "device"), ("instrument",), ("device",), ("ip",))
_SIZES = (5, 10, 20)
_SHARINGS = tuple(
    Sharing(kinds, cap, size) for kinds in _KINDS for cap in (5, 10, 20, 50, 100) for size in _SIZES
)
GRIDS: Mapping[str, Sequence[Setting]] = {
    shared_identifiers.NAME: _SHARINGS,
    leiden.NAME: _SHARINGS,
    co_action.NAME: tuple(
        CoAction(window_seconds=window, quantile=quantile, least_size=size)
        for window in (10, 60, 600)
        for quantile in (0.0, 0.5, 0.9)
        for size in _SIZES
    ),
    synchronous.NAME: tuple(
        Synchrony(similarity=similarity, least_actions=actions, least_size=size)
        for similarity in (0.1, 0.3, 0.5)
        for actions in (1, 3)
        for size in _SIZES
    ),
}
"""Usual settings of each recipe."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting and how good it was."""

    setting: Setting
    goodness: float


def tune(
    detector: str, tables: Tables, engine: Any, judge: Judge, grid: Sequence[Setting] | None = None
) -> tuple[Tried, ...]:
    """Return every setting of a baseline with the judgement on it, the best first, equals in their order.

    Args:
        detector: A name of :data:`GRIDS`.
        tables: Of the tuning world.
        engine: Ibis backend.
        judge: Higher is better.
        grid: The settings; those of :data:`GRIDS` where None.
    """
    tried = [
        Tried(setting, judge(UNTAUGHT[detector](tables, engine, setting)))
        for setting in (GRIDS[detector] if grid is None else grid)
    ]
    return best_first(tried)


def averaged(worlds: Sequence[Sequence[Tried]]) -> tuple[Tried, ...]:
    """Return every setting with its mean over worlds that tried the same settings, the best first."""
    judged: dict[Setting, list[float]] = {}
    for world in worlds:
        for one in world:
            judged.setdefault(one.setting, []).append(one.goodness)
    return best_first([Tried(setting, fmean(goods)) for setting, goods in judged.items()])


def best_first(tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """Return the settings with the best first, equals in their order."""
    return tuple(sorted(tried, key=lambda one: -one.goodness))
