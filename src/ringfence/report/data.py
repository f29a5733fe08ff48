"""What the report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ringfence.records import FileAccount, Ring


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the report shows; the page is a function of it and of nothing else."""

    rings: Sequence[Ring]
    """In the order of ``rings.jsonl``: rings, then reviews, then benign communities."""
    sightings: pd.DataFrame
    """account_id, entity_type, entity_id, count: what the members used."""
    links: pd.DataFrame
    """account_a, account_b, weight (nats); further columns are ignored. Links between members."""
    activity: pd.DataFrame
    """account_id, day (date), requests: how much the members sent."""
    files: Sequence[FileAccount]
    """The balance of every input file."""
    templates: pd.DataFrame
    """template_id, skeleton (``▢`` for slots, null where not told), tactics (label → score), public."""
    manifest: Mapping[str, Any]
    """What ``manifest.json`` says. Its ``scoring`` (``method``, ``calibrated``, ``reason``, ``comparison``;
    each may be missing) tells how it was decided; everything else is listed at the end."""
