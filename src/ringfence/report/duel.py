"""A duel as one HTML page: detection against what the operator pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ringfence.report.scorecard import scorecard_environment
from ringfence.worlds.attack import ATTACKS
from ringfence.worlds.score.intervals import Share

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 62, 700, 18, 284
_LINES = {
    "rings flagged": "found_review",
    "rings reported": "found_ring",
    "average precision of accounts": "average_precision",
}
_TICKS = 6
"""About so many on the axis of costs."""


@dataclass(frozen=True, slots=True)
class Point:
    """A step on a line, with the 95% interval of a share where it is one."""

    x: float
    y: float
    low: float | None
    high: float | None
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one measure of detection as the operator paid more."""

    name: str
    path: str
    """SVG path data: each figure holds until the next attack is paid for."""
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """Detection against cost, laid out to be drawn."""

    title: str
    """Read out in place of the picture."""
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    """Places and words on the axis of costs."""


def render_duel(steps: pd.DataFrame, world: str, *, adaptive: bool, budget: float | None) -> str:
    """Return a duel as one HTML page that asks nothing of the network and runs no script.

    Args:
        steps: attack (empty in the first row), cost_usd (per distilled request), rings, found_review,
            found_ring, average_precision, innocents, flagged, accused, victims, framed; a row a step.
        world: What it was fought on, in words.
        adaptive: Whether the operator chose by what it saw.
        budget: The most that it would pay per distilled request; None: anything.
    """
    rows = [
        {
            **row,
            "what": ATTACKS[row["attack"]].what if row["attack"] in ATTACKS else "",
            "found_review": Share(row["found_review"], row["rings"]),
            "found_ring": Share(row["found_ring"], row["rings"]),
        }
        for row in steps.to_dict("records")
    ]
    template = scorecard_environment().get_template("duel.html.j2")
    return template.render(
        rows=rows, plot=duel_plot(steps), world=world, adaptive=adaptive, budget=budget, dollars=dollars
    )


def duel_plot(steps: pd.DataFrame) -> Plot:
    """Lay out detection against cost; see :func:`render_duel` for the columns of ``steps``."""
    most = float(steps["cost_usd"].max())
    ticks = cost_ticks(most)
    scale = ticks[-1]
    lines = tuple(_line(name, steps, column, scale) for name, column in _LINES.items())
    first, last = steps.iloc[0], steps.iloc[-1]
    title = (
        f"Detection against cost: {first['found_review']} of {first['rings']} rings are flagged before any "
        f"attack, {last['found_review']} of {last['rings']} at {dollars(float(last['cost_usd']))} a request"
    )
    return Plot(title, lines, tuple((_x(tick, scale), dollars(tick)) for tick in ticks))


def cost_ticks(most: float) -> list[float]:
    """Return round costs from 0 to the first that is not below ``most``; 0 and 1 where nothing is paid."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / _TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * (1 - 1e-9))
    return [n * step for n in range(math.ceil(most / step - 1e-9) + 1)]


def dollars(value: float) -> str:
    """Return dollars with the digits that a cost per request needs: ``$0``, ``$0.0012``, ``$3.5``."""
    return "$0" if value == 0 else f"${float(f'{value:.2g}'):.10f}".rstrip("0").rstrip(".")


def _line(name: str, steps: pd.DataFrame, column: str, scale: float) -> Line:
    points = []
    for row in steps.to_dict("records"):
        share = Share(int(row[column]), int(row["rings"])) if column.startswith("found") else None
        value = share.value if share else float(row[column])
        if math.isnan(value):
            continue
        said = f"{share.hits} of {share.of}" if share else f"{value:.2f}"
        points.append(
            Point(
                _x(float(row["cost_usd"]), scale),
                _y(value),
                _y(share.low) if share else None,
                _y(share.high) if share else None,
                f"{name}, {row['attack'] or 'no attack'}: {said} at {dollars(float(row['cost_usd']))}",
            )
        )
    return Line(name, _stairs(points), tuple(points))


def _stairs(points: Sequence[Point]) -> str:
    if not points:
        return ""
    path = f"M{points[0].x} {points[0].y}"
    return path + "".join(f"H{point.x}V{point.y}" for point in points[1:])


def _x(cost: float, scale: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * cost / scale, 1)


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)
