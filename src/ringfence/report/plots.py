"""Plots of a scorecard, laid out to be drawn: curves on the unit square, and intervals on a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.worlds.score.calibration import Reliability
from ringfence.worlds.score.intervals import Share
from ringfence.worlds.score.ranking import RECALLS
from ringfence.worlds.score.rows import interval, rate
from ringfence.worlds.score.scorecard import Scorecard
from ringfence.worlds.score.timeline import Detection

WIDTH, HEIGHT = 380, 330
LEFT, RIGHT, TOP, BOTTOM = 62, 368, 14, 282
SPAN = 260
"""Width of the line on which intervals are drawn."""
_EDGE = 8
_SMALLEST = 1e-4
"""The smallest share that has a place of its own on the logarithmic line; zero stands left of it."""
_ZERO_ROOM = 30


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a plot, with its interval where it has one."""

    x: float
    y: float
    title: str
    low: float | None = None
    """Where its interval ends below, in the plot's own units; None without one."""
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A line, the dots on it, or both, in one colour."""

    name: str
    path: str
    """SVG path data; empty without a line."""
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True, slots=True)
class Square:
    """A plot of shares against shares."""

    title: str
    """Read out in place of the picture."""
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    diagonal: bool = False
    """Whether x = y is drawn, where statement and truth agree."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share and its interval on a line of :data:`SPAN` units."""

    at: float
    low: float
    high: float
    title: str


def precision_recall(cards: Sequence[Scorecard]) -> Square | None:
    """Lay out precision against recall of every detector's account score; None where no ring was planted.

    The dots are what the clusters name: reported ones, and all flagged ones.
    """
    series = tuple(
        Series(card.detector, _path(zip(RECALLS, curve, strict=True)), _named(card))
        for card in cards
        if (curve := card.accounts.ranking.curve)
    )
    title = "Precision against recall over accounts: " + "; ".join(
        f"{card.detector}, average precision {card.accounts.ranking.average_precision.value:.2f}"
        for card in cards
    )
    return Square(title, "Recall", "Precision", series) if series else None


def reliability_plot(name: str, said: Reliability) -> Square:
    """Lay out stated probabilities against the share that came true, with 95% intervals.

    Args:
        name: What was stated: clusters or accounts.
        said: The statements.
    """
    dots = tuple(
        Dot(
            _x(b.mean),
            _y(b.true.value),
            f"Stated {rate(b.mean)}: {interval(b.true)} of {b.true.of:,} came true",
            _y(b.true.low),
            _y(b.true.high),
        )
        for b in said.bins
        if b.true.of
    )
    title = f"Reliability of {name}: expected calibration error {said.ece:.3f}, Brier score {said.brier:.3f}"
    return Square(title, "Stated probability", "Share that came true", (Series(name, "", dots),), True)


def detection_plot(detection: Detection) -> Square:
    """Lay out which share of the planted rings was found by the time a share of their traffic was spent."""
    names = {"review": "flagged", "ring": "reported as a ring"}
    lines = tuple(Series(name, _steps(detection, level)) for level, name in names.items())
    ends = " and ".join(
        f"{late.found} of {late.rings} {names[level]}"
        for level in names
        for late in (detection.lateness(level),)
    )
    title = f"Share of planted rings found against the share of their traffic spent: in the end {ends}"
    return Square(title, "Share of a ring's distilling traffic spent", "Share of rings found", lines)


def whisker(share: Share, *, logarithmic: bool = False) -> Whisker | None:
    """Lay out a share with its interval; None where nothing was counted."""
    if not share.of:
        return None
    at, low, high = (place(value, logarithmic=logarithmic) for value in (share.value, share.low, share.high))
    return Whisker(at, low, high, f"{interval(share)}; {share.hits:,} of {share.of:,}")


def place(value: float, *, logarithmic: bool = False) -> float:
    """Return where a share stands on the line."""
    room = SPAN - 2 * _EDGE
    if not logarithmic:
        return round(_EDGE + room * value, 1)
    if value < _SMALLEST:
        return round(_EDGE + _ZERO_ROOM * value / _SMALLEST, 1)
    decades = math.log10(value / _SMALLEST) / -math.log10(_SMALLEST)
    return round(_EDGE + _ZERO_ROOM + (room - _ZERO_ROOM) * decades, 1)


def _named(card: Scorecard) -> tuple[Dot, ...]:
    scores = card.accounts
    return tuple(
        Dot(
            _x(rates.recall.value),
            _y(rates.precision.value),
            f"{card.detector}, {what}: precision {rate(rates.precision.value)}, "
            f"recall {rate(rates.recall.value)}",
        )
        for what, rates in (("reported as rings", scores.ring), ("flagged", scores.review))
        if rates.precision.of and rates.recall.of
    )


def _steps(detection: Detection, level: str) -> str:
    shares = detection.rings[f"share_at_{level}"].dropna().astype(float).sort_values().tolist()
    count = len(detection.rings)
    points = [(0.0, 0.0)]
    for number, share in enumerate(shares, 1):
        points += [(share, (number - 1) / count), (share, number / count)]
    return _path([*points, (1.0, len(shares) / count if count else 0.0)])


def _path(points: Sequence[tuple[float, float]] | zip[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_x(x)} {_y(y)}" for x, y in points)


def _x(value: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * value, 1)


def _y(value: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value, 1)
