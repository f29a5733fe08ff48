"""When a ring was found, and how much of its traffic was spent by then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ringfence.errors import InputError
from ringfence.worlds.score.frames import require_columns, require_keys, require_numbers

COLUMNS = (
    "ring",
    "ring_type",
    "share_at_review",
    "share_at_ring",
    "hours_at_review",
    "hours_at_ring",
)
REPLACEMENT_COLUMNS = ("account_id", "replaces", "ring", "hours")


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
    worst_hours: float
    """Infinite where one is never found."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures; None for what is not defined or infinite."""
        figures = {"median_share": self.median_share, "worst_share": self.worst_share}
        figures["median_hours"] = self.median_hours
        told = {name: figure if math.isfinite(figure) else None for name, figure in figures.items()}
        return {"rings": self.rings, "found": self.found, **told}


@dataclass(frozen=True, slots=True)
class Replaced:
    """How late the replacements of banned accounts were named by a flagged cluster."""

    accounts: int
    named: int
    median_hours: float
    """From the replacement's first request; infinite where half of them or more are never named, NaN without
    any."""
    worst_hours: float
    """Infinite where one is never named."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures; None for what is not defined or infinite."""
        hours = {"median_hours": self.median_hours, "worst_hours": self.worst_hours}
        told = {name: figure if math.isfinite(figure) else None for name, figure in hours.items()}
        return {"accounts": self.accounts, "named": self.named, **told}


def no_replacements() -> pd.DataFrame:
    """Return the frame of replacements of a world in which no banned account comes back."""
    return pd.DataFrame(columns=list(REPLACEMENT_COLUMNS))


@dataclass(frozen=True, slots=True)
class Detection:
    """When each planted ring was found, and each replacement of a banned account, from a replay."""

    rings: pd.DataFrame
    """ring, ring_type, share_at_review, share_at_ring (share of its distilling traffic spent, 0..1),
    hours_at_review, hours_at_ring (since its first request); NaN where it never was. A row a ring."""
    replacements: pd.DataFrame = field(default_factory=no_replacements)
    """account_id, replaces (the banned account), ring, hours (from the first request until a flagged cluster
    named it; NaN where none did). A row for each ring account that replaces a banned one."""

    def __post_init__(self) -> None:
        require_columns(self.rings, COLUMNS, "The detection frame")
        require_keys(self.rings, "ring", "The detection frame")
        require_numbers(self.rings, COLUMNS[2:], "The detection frame")
        require_columns(self.replacements, REPLACEMENT_COLUMNS, "The frame of replacements")
        require_keys(self.replacements, "account_id", "The frame of replacements")
        require_numbers(self.replacements, ("hours",), "The frame of replacements")

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
            worst_hours=float(hours.fillna(math.inf).max()) if len(kept) else math.nan,
        )

    def replaced(self) -> Replaced:
        """Return how late replacements were named."""
        hours = self.replacements["hours"].astype(float)
        late = hours.fillna(math.inf)
        return Replaced(
            accounts=len(hours),
            named=int(hours.notna().sum()),
            median_hours=float(late.median()) if len(late) else math.nan,
            worst_hours=float(late.max()) if len(late) else math.nan,
        )

    def types(self) -> tuple[str, ...]:
        """Return the ring types, by name."""
        return tuple(sorted(self.rings["ring_type"].astype(str).unique()))

    def as_json(self) -> dict[str, Any]:
        """Return the summary, that of each ring type, each ring, and each replacement."""
        return {
            "overall": {level: self.lateness(level).as_json() for level in ("review", "ring")},
            "by_type": {
                name: {level: self.lateness(level, name).as_json() for level in ("review", "ring")}
                for name in self.types()
            },
            "rings": _listed(self.rings[list(COLUMNS)]),
            "replacements": {
                **self.replaced().as_json(),
                "each": _listed(self.replacements[list(REPLACEMENT_COLUMNS)]),
            },
        }


def detection_of(told: Mapping[str, Any]) -> Detection:
    """Read what a replay wrote as JSON.

    Args:
        told: With ``detection`` as :meth:`Detection.as_json` gives it; one without replacements has none.

    Raises:
        InputError: it is something else.
    """
    try:
        rings = pd.DataFrame(told["detection"]["rings"])
        each = told["detection"].get("replacements", {}).get("each", [])
        replacements = pd.DataFrame(each) if each else no_replacements()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"This is not what a replay writes: {type(error).__name__} {error}.") from error
    return Detection(rings, replacements)


def _listed(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    rows = frame.astype(object)
    return rows.where(rows.notna(), None).to_dict("records")
