"""A picture of growth: time and memory against the number of prompts, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ringfence.report.plots import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH

Curve = Sequence[tuple[float, float]]

_STEPS = 100
"""Pieces of the line that growth is held against."""

_STYLE = """
  svg { color-scheme: light dark; --ink: #16191f; --soft: #59616e; --line: #dde1e7; --mark: #1f4e8c; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e9ecf1; --soft: #a2abb8; --line: #2d333d; --mark: #8db8f0; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--soft); }
  .label { fill: var(--ink); }
  .grid { stroke: var(--line); }
  .straight, .limit { stroke: var(--soft); fill: none; stroke-dasharray: 4 4; }
  .curve { stroke: var(--mark); fill: none; stroke-width: 2; }
  .dot { fill: var(--mark); }
"""


def growth_svg(
    panels: Sequence[tuple[str, Curve, float | None]],
    x_label: str,
    title: str,
    law: Callable[[float], float] = float,
) -> str:
    """Return an SVG of panels side by side.

    Args:
        panels: What stands on the upright axis, points (x, y), all above 0, and where a limit is drawn, None
            without one. A broken line through the first point shows what grows by ``law``.
        x_label: What lies on the other axis.
        title: Read out in place of the picture.
        law: What growth is held against; in proportion, unless told.
    """
    drawn = "\n".join(
        f'<g transform="translate({number * WIDTH} 0)">\n{_panel(*panel, x_label, law)}\n</g>'
        for number, panel in enumerate(panels)
    )
    width = WIDTH * len(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" role="img">\n<title>{title}</title>\n<style>{_STYLE}</style>\n{drawn}\n</svg>\n'
    )


def _panel(
    y_label: str, curve: Curve, limit: float | None, x_label: str, law: Callable[[float], float]
) -> str:
    xs, ys = zip(*curve, strict=True)
    x_range, y_range = _decades(xs), _decades([*ys, *([limit] if limit else [])])

    def at(x: float, y: float) -> str:
        across = (math.log10(x) - x_range[0]) / (x_range[1] - x_range[0])
        upward = (math.log10(y) - y_range[0]) / (y_range[1] - y_range[0])
        return f"{LEFT + (RIGHT - LEFT) * across:.1f} {BOTTOM - (BOTTOM - TOP) * upward:.1f}"

    lines = []
    for power in range(x_range[0], x_range[1] + 1):
        x = at(10.0**power, 10.0 ** y_range[0]).split()[0]
        lines.append(f'<path class="grid" d="M{x} {TOP}V{BOTTOM}"/>')
        lines.append(f'<text x="{x}" y="{BOTTOM + 17}" text-anchor="middle">{_told(power)}</text>')
    for power in range(y_range[0], y_range[1] + 1):
        y = float(at(10.0 ** x_range[0], 10.0**power).split()[1])
        lines.append(f'<path class="grid" d="M{LEFT} {y}H{RIGHT}"/>')
        lines.append(f'<text x="{LEFT - 7}" y="{y + 4}" text-anchor="end">{_told(power)}</text>')
    lines.append(
        f'<path class="straight" d="M{"L".join(at(x, y) for x, y in _along(law, xs, ys, y_range))}"/>'
    )
    if limit:
        lines.append(f'<path class="limit" d="M{at(10.0 ** x_range[0], limit)}H{RIGHT}"/>')
    lines.append(f'<path class="curve" d="M{"L".join(at(x, y) for x, y in curve)}"/>')
    for x_value, y_value in curve:
        across, upward = at(x_value, y_value).split()
        lines.append(
            f'<circle class="dot" cx="{across}" cy="{upward}" r="4">'
            f"<title>{x_value:,.0f}: {y_value:,.4g}</title></circle>"
        )
    place = f'x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 10}"'
    turned = f'transform="translate(13 {(TOP + BOTTOM) / 2}) rotate(-90)"'
    for label, where in ((x_label, place), (y_label, turned)):
        lines.append(f'<text class="label" {where} text-anchor="middle">{label}</text>')
    return "\n".join(lines)


def _along(
    law: Callable[[float], float], xs: Sequence[float], ys: Sequence[float], frame: tuple[int, int]
) -> Curve:
    """Return the line of a law through the first point, as far as the frame reaches."""
    steps = [xs[0] * (xs[-1] / xs[0]) ** (step / _STEPS) for step in range(_STEPS + 1)]
    points = [(x, ys[0] * law(x) / law(xs[0])) for x in steps]
    return [point for point in points if point[1] <= 10.0 ** frame[1]]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Return the powers of ten around values, at least one decade apart."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _told(power: int) -> str:
    for least, sign in ((6, "M"), (3, "k")):
        if power >= least:
            return f"{10 ** (power - least)}{sign}"
    return f"{10.0**power:g}"
