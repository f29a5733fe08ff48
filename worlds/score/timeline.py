"""When a ring was found, and how much of its traffic was spent by then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ringfence.worlds.score.frames import require_columns, require_keys

COLUMNS = (
    "ring",
    "ring_type",
    "share_at_review",
    "share_at_ring",
    "hours_at_review",
    "hours_at_ring",
)


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late rings were found at one level. A ring never found has spent all of its traffic."""

    rings: int
    found: int
    median_share: float
    """Median share of the distilling traffic spent before it was found; NaN without rings."""
    worst_share: float
    median_hours: float
    """Median hours from the first request; infinite where half of the rings or more are never found."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures; None for what is not defined or infinite."""
        figures = {"median_share": self.median_share, "worst_share": self.worst_share}
        figures["median_hours"] = self.median_hours
        told = {name: figure if math.isfinite(figure) else None for name, figure in figures.items()}
        return {"rings": self.rings, "found": self.found, **told}


@dataclass(frozen=True, slots=True)
class Detection:
    """When each planted ring was found, from a replay."""

    rings: pd.DataFrame
    """ring, ring_type, share_at_review, share_at_ring (share of its distilling traffic spent, 0..1),
    hours_at_review, hours_at_ring (since its first request); NaN where it never was. A row a ring."""

    def __post_init__(self) -> None:
        require_columns(self.rings, COLUMNS, "The detection frame")
        require_keys(self.rings, "ring", "The detection frame")

    def shares(self, level: str) -> pd.Series[float]:
        """Return the share spent before each ring was found; 1 where it never was.

        Args:
            level: ring or review.
        """
        return self.rings[f"share_at_{level}"].astype(float).fillna(1.0)

    def lateness(self, level: str, ring_type: str | None = None) -> Lateness:
        """Return how late rings were found.

        Args:
            level: ring or review.
            ring_type: Only rings of this type; None takes all.
        """
        kept = self.rings if ring_type is None else self.rings[self.rings["ring_type"] == ring_type]
        shares = self.shares(level)[kept.index]
        hours = kept[f"hours_at_{level}"].astype(float)
        return Lateness(
            rings=len(kept),
            found=int(hours.notna().sum()),
            median_share=float(shares.median()) if len(kept) else math.nan,
            worst_share=float(shares.max()) if len(kept) else math.nan,
            median_hours=float(hours.fillna(math.inf).median()) if len(kept) else math.nan,
        )

    def types(self) -> tuple[str, ...]:
        """Return the ring types, by name."""
        return tuple(sorted(self.rings["ring_type"].astype(str).unique()))

    def as_json(self) -> dict[str, Any]:
        """Return the summary, that of each ring type, and each ring."""
        rows = self.rings[list(COLUMNS)].astype(object)
        return {
            "overall": {level: self.lateness(level).as_json() for level in ("review", "ring")},
            "by_type": {
                name: {level: self.lateness(level, name).as_json() for level in ("review", "ring")}
                for name in self.types()
            },
            "rings": rows.where(rows.notna(), None).to_dict("records"),
        }
