"""Scorecards: what a detector says of a simulated world, held against what was planted there."""

from __future__ import annotations

from ringfence.worlds.score.findings import Findings, findings_of, read_findings
from ringfence.worlds.score.matching import match
from ringfence.worlds.score.rows import as_rows, detection_rows, detector_rows
from ringfence.worlds.score.scorecard import Scorecard, pool, score
from ringfence.worlds.score.timeline import Detection, detection_of
from ringfence.worlds.score.truth import Truth, make_truth, read_truth

__all__ = [
    "Detection",
    "Findings",
    "Scorecard",
    "Truth",
    "as_rows",
    "detection_of",
    "detection_rows",
    "detector_rows",
    "findings_of",
    "make_truth",
    "match",
    "pool",
    "read_findings",
    "read_truth",
    "score",
]
