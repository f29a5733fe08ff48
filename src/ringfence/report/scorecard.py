"""The scorecard of detectors on simulated worlds, as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment

from ringfence.errors import UsageError
from ringfence.report import plots
from ringfence.report.render import environment
from ringfence.worlds.score import rows
from ringfence.worlds.score.scorecard import Scorecard
from ringfence.worlds.score.timeline import Detection

LISTED_RINGS = 200
"""Planted rings that are listed one by one, those that were missed first."""


def render_scorecard(cards: Sequence[Scorecard], detection: Detection | None = None) -> str:
    """Return a scorecard as one HTML page that asks nothing of the network and runs no script.

    The same figures give the same page.

    Args:
        cards: One a detector, all about the same worlds. The first is told in full, the others beside it.
        detection: When the first one's rings were found, from a replay.

    Raises:
        UsageError: there is no scorecard, or they are not about the same worlds.
    """
    if not cards:
        raise UsageError("A scorecard page needs at least one scorecard.")
    if len({card.worlds for card in cards}) > 1:
        raise UsageError("Scorecards about different worlds cannot stand beside each other; pool them first.")
    card = cards[0]
    said = card.calibration
    outcomes = sorted(card.outcomes, key=lambda o: (o.found_review, o.found_ring, o.world, o.ring))
    return (
        scorecard_environment()
        .get_template("scorecard.html.j2")
        .render(
            cards=cards,
            card=card,
            outcomes=outcomes[:LISTED_RINGS],
            left=max(0, len(outcomes) - LISTED_RINGS),
            curve=plots.precision_recall(cards),
            reliability={
                name: plots.reliability_plot(name, part)
                for name, part in (
                    ("clusters", said.clusters if said else None),
                    ("accounts", said.accounts if said else None),
                )
                if part
            },
            detection=detection,
            lateness=plots.detection_plot(detection) if detection else None,
        )
    )


@cache
def scorecard_environment() -> Environment:
    """Return the templates of pages, with what scorecards call besides."""
    made = environment().overlay()
    made.filters = made.filters | {
        "rate": rows.rate,
        "interval": rows.interval,
        "estimated": rows.estimated,
        "figure": rows.figure,
        "counted": rows.counted,
    }
    made.globals = made.globals | {
        "plots": plots,
        "claim_rows": rows.claim_rows,
        "detection_rows": rows.detection_rows,
    }
    return made
