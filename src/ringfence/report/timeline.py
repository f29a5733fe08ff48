"""The timeline of a ring: requests per day, as bars to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 720, 150
_LEFT, _TOP, _BOTTOM = 44, 12, 24
_MOST_BARS = 120


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, or several where the window is long."""

    x: float
    y: float
    width: float
    height: float
    first: date
    requests: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars on an axis that all rings of a report share."""

    bars: tuple[Bar, ...]
    first: date
    last: date
    peak: int
    """Requests in the highest bar."""
    total: int
    days_a_bar: int


def draw_timeline(requests: Mapping[date, int], first: date, last: date) -> Timeline | None:
    """Lay out requests per day between two dates, both included; None where there are no requests."""
    total = sum(requests.values())
    if total == 0:
        return None
    days = (last - first).days + 1
    step = -(-days // _MOST_BARS)
    counts = [0] * -(-days // step)
    for when, count in requests.items():
        counts[(when - first).days // step] += count
    peak = max(counts)
    slot = (WIDTH - _LEFT) / len(counts)
    room = HEIGHT - _TOP - _BOTTOM
    bars = tuple(
        Bar(
            x=round(_LEFT + n * slot + slot * 0.12, 2),
            y=round(_TOP + room * (1 - count / peak), 2),
            width=round(slot * 0.76, 2),
            height=round(room * count / peak, 2),
            first=first + timedelta(days=n * step),
            requests=count,
        )
        for n, count in enumerate(counts)
        if count
    )
    return Timeline(bars, first, last, peak, total, step)
