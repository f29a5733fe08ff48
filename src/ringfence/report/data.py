"""What the report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from ringfence.records import FileAccount, Ring
from ringfence.report.evidence import CARRIED_COLUMNS


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the report shows; the page is a function of it and of nothing else."""

    rings: Sequence[Ring]
    """In the order of ``rings.jsonl``: rings, then reviews, then benign communities."""
    sightings: pd.DataFrame
    """account_id, entity_type, entity_id, count: what the members of those shown in full used."""
    links: pd.DataFrame
    """account_a, account_b, weight (nats), and the families' where they are told. Links between them."""
    activity: pd.DataFrame
    """account_id, day (date), requests: how much they sent."""
    files: Sequence[FileAccount]
    """The balance of every input file."""
    templates: pd.DataFrame
    """template_id, skeleton (``▢`` for slots, null where not told), tactics (label → score), public."""
    manifest: Mapping[str, Any]
    """What ``manifest.json`` says. Its ``scoring`` (``method``, ``calibrated``, ``reason``, ``comparison``;
    each may be missing) tells how it was decided; everything else is listed at the end."""
    active: tuple[date, date] | None = None
    """First and last day on which anybody in ``rings`` was active; those of ``activity`` where None."""
    carried: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(CARRIED_COLUMNS)))
    """:data:`~ringfence.report.evidence.CARRIED_COLUMNS`: what values carry of links, most first."""
