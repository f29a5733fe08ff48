"""A scorecard as tables of text; the first row of each is its heading."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ringfence.worlds.score.innocents import ENOUGH_INNOCENTS, Accused
from ringfence.worlds.score.intervals import Estimate, Share
from ringfence.worlds.score.ranking import PREVALENCES
from ringfence.worlds.score.rings import ENOUGH_REPORTED
from ringfence.worlds.score.scorecard import Scorecard
from ringfence.worlds.score.timeline import Detection

Rows = list[tuple[str, ...]]


def as_rows(scorecard: Scorecard) -> dict[str, Rows]:
    """Return the tables of a scorecard: title → rows."""
    return {
        "Detector": detector_rows([scorecard]),
        "Planted rings and what was found": ring_rows(scorecard),
        "Rings found": recall_rows(scorecard),
        "Accounts, clusters, networks and probabilities": figure_rows(scorecard),
        "Innocents named": accused_rows((*scorecard.populations, scorecard.innocents)),
        **{
            f"Innocents named, by {fairness.attribute}": accused_rows(fairness.groups)
            for fairness in scorecard.fairness
        },
        "What is shown": claim_rows(scorecard),
    }


def detector_rows(scorecards: Sequence[Scorecard]) -> Rows:
    """Return the main figures, a row a detector."""
    head = (
        "detector", "ring precision", "ring recall", "ring F1", "at review", "account AP",
        *(f"AP at {100 * p:g}%" for p in PREVALENCES),
        "AP, unlabelled accounts",
        "innocents in a ring", "flagged", "B-cubed F1, flagged",
    )  # fmt: skip
    return [head, *(_detector_row(card) for card in scorecards)]


def ring_rows(scorecard: Scorecard) -> Rows:
    """Return what became of each planted ring."""
    head = ("planted ring", "found as", "decision", "probability", "members", "innocent", "pieces")
    return [
        head,
        *(
            (
                o.ring,
                o.cluster or "not found",
                o.decision or "–",
                "–" if o.probability is None else f"{o.probability:.2f}",
                f"{o.named} of {o.accounts}",
                str(o.innocent),
                str(o.pieces),
            )
            for o in scorecard.outcomes
        ),
    ]


def recall_rows(scorecard: Scorecard) -> Rows:
    """Return how many planted rings were found, by evidence, by what reviewers know, by type and by size."""
    rings = scorecard.rings
    return [
        ("planted rings", "as a ring", "flagged"),
        *(
            (recall.name, counted(recall.ring), counted(recall.review))
            for recall in (*rings.by_evidence, *rings.by_knowledge, *rings.by_type, *rings.by_size)
        ),
    ]


def figure_rows(scorecard: Scorecard) -> Rows:
    """Return the single figures: accounts named, clustering, blended networks, calibration, fairness gaps."""
    accounts, rings, inside = scorecard.accounts, scorecard.rings, scorecard.bystanders
    said = scorecard.calibration
    stated = [("clusters", said.clusters), ("accounts", said.accounts)] if said else []
    gaps = [(f.attribute, level, f.gap(level)) for f in scorecard.fairness for level in ("ring", "review")]
    return [
        ("figure", "value", "of"),
        *(
            (f"accounts {word}: {name}", interval(share), f"{share.of:,}")
            for word, rates in (("in a ring", accounts.ring), ("flagged", accounts.review))
            for name, share in (("precision", rates.precision), ("recall", rates.recall))
        ),
        ("B-cubed F1, all clusters", figure(rings.linked.f1), f"{rings.linked.accounts:,} ring accounts"),
        ("pieces a ring", figure(rings.pieces.per_ring), f"{rings.pieces.touched:,} rings"),
        ("clusters of two operators", str(rings.pieces.merged.hits), f"{rings.pieces.merged.of:,} flagged"),
        (
            "innocents in blended networks not accused",
            interval(inside.spared_ring),
            f"{inside.spared_ring.of:,}",
        ),
        ("the same, not flagged", interval(inside.spared_review), f"{inside.spared_review.of:,}"),
        ("ring accounts there, flagged", interval(inside.named_review), f"{inside.named_review.of:,}"),
        *(
            (f"calibration of {name}", f"ECE {part.ece:.3f}, Brier {part.brier:.3f}", f"{part.count:,}")
            for name, part in stated
            if part
        ),
        *(
            (f"largest gap by {name}, {level}", rate(gap.difference), f"{gap.highest} over {gap.lowest}")
            for name, level, gap in gaps
            if gap
        ),
    ]


def accused_rows(groups: Sequence[Accused]) -> Rows:
    """Return how many innocents of each group were named, and the false-positive rates."""
    return [
        ("innocents", "accounts", "in a ring", "rate", "flagged", "rate", "sample"),
        *(
            (
                g.name,
                f"{g.ring.of:,}",
                f"{g.ring.hits:,}",
                interval(g.ring),
                f"{g.review.hits:,}",
                interval(g.review),
                "too small for 0.1%" if g.too_small else "",
            )
            for g in groups
        ),
    ]


def claim_rows(scorecard: Scorecard) -> Rows:
    """Return which claims the intervals show, and whether the samples are large enough to."""
    rings, innocents = scorecard.rings, scorecard.innocents
    small = f"fewer than the {ENOUGH_INNOCENTS:,} that it takes" if innocents.too_small else "large enough"
    few = f"fewer than the {ENOUGH_REPORTED:,} that it takes" if rings.too_few_reported else "large enough"
    return [
        ("claim", "figure", "shown", "sample", "its size"),
        (
            "false accusations of 0.1% at most",
            interval(innocents.ring),
            _yes(innocents.claimed),
            f"{innocents.ring.of:,} innocents",
            small,
        ),
        (
            "ring precision of at least 0.99",
            interval(rings.ring.precision),
            _yes(rings.claimed),
            f"{rings.ring.precision.of:,} reported rings",
            few,
        ),
    ]


def detection_rows(detection: Detection) -> Rows:
    """Return how late rings were found, overall and by type, and replacements of banned accounts."""
    head = (
        "planted rings", "level", "found", "median share spent", "worst", "median hours", "worst hours",
    )  # fmt: skip
    rows: Rows = [head]
    for name in (None, *detection.types()):
        for level in ("review", "ring"):
            late = detection.lateness(level, name)
            rows.append(
                (
                    name or "all",
                    level,
                    f"{late.found} of {late.rings}",
                    rate(late.median_share),
                    rate(late.worst_share),
                    _hours(late.median_hours),
                    _hours(late.worst_hours),
                )
            )
    again = detection.replaced()
    if again.accounts:
        named = f"{again.named:,} of {again.accounts:,}"
        hours = (_hours(again.median_hours), _hours(again.worst_hours))
        rows.append(("replacements named", "review", named, "–", "–", *hours))
    return rows


def counted(share: Share) -> str:
    """Return ``3 of 4``."""
    return f"{share.hits:,} of {share.of:,}"


def rate(value: float) -> str:
    """Return a proportion as a percentage with two digits that count: ``0.021%``, ``4.3%``, ``37%``."""
    if math.isnan(value):
        return "–"
    percent = 100 * value
    if percent in (0, 100):
        return f"{percent:.0f}%"
    places = (
        0 if 10 <= percent < 99 else min(3, max(1, 1 - math.floor(math.log10(min(percent, 100 - percent)))))
    )
    return f"{percent:.{places}f}%"


def interval(share: Share) -> str:
    """Return a proportion with its 95% interval: ``0.1% (0.02–0.5%)``."""
    return f"{rate(share.value)} ({rate(share.low)}–{rate(share.high)})" if share.of else "–"


def estimated(estimate: Estimate) -> str:
    """Return an estimate with its 95% interval: ``0.83 (0.71–0.92)``."""
    if math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"


def _hours(hours: float) -> str:
    if math.isnan(hours):
        return "–"
    return f"{hours:,.0f}" if math.isfinite(hours) else "never"


def _yes(shown: bool) -> str:
    return "yes" if shown else "no"


def _detector_row(card: Scorecard) -> tuple[str, ...]:
    rings, ranking = card.rings, card.accounts.ranking
    return (
        card.detector,
        counted(rings.ring.precision),
        counted(rings.ring.recall),
        figure(rings.ring.f1),
        figure(rings.review.f1),
        estimated(ranking.average_precision),
        *(estimated(estimate) for _, estimate in ranking.at_prevalence),
        estimated(card.accounts.unlabelled.average_precision),
        rate(card.innocents.ring.value),
        rate(card.innocents.review.value),
        figure(rings.flagged.f1),
    )


def figure(value: float) -> str:
    """Return a figure between 0 and 1 with two digits, or a dash."""
    return "–" if math.isnan(value) else f"{value:.2f}"
