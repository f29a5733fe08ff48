"""What the report needs of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ringfence.files import Workspace
from ringfence.graphbuild.build import sightings_path
from ringfence.pipeline.carried import carried_values
from ringfence.records import FileAccount, Ring
from ringfence.report.data import ReportData
from ringfence.schema import ENTITY_TYPES


def report_data(
    rings: Sequence[Ring],
    work: Workspace,
    files: Sequence[FileAccount],
    templates: pd.DataFrame,
    manifest: Mapping[str, Any],
) -> ReportData:
    """Return what the report shows: of sightings, links and activity only what concerns judged accounts."""
    members = {member.account_id for ring in rings for member in ring.members}
    seen = [
        _of(pd.read_parquet(sightings_path(work, name)), "account_id", members).assign(entity_type=name)
        for name in ENTITY_TYPES
    ]
    links = pd.read_parquet(work.links / "links.parquet")
    links = _of(_of(links, "account_a", members), "account_b", members)
    activity = _of(pd.read_parquet(sightings_path(work, "activity")), "account_id", members)
    columns = ["account_id", "entity_type", "entity_id", "count"]
    told = carried_values(rings, work, links, templates, manifest)
    return ReportData(rings, pd.concat(seen)[columns], links, activity, files, templates, manifest, told)


def _of(frame: pd.DataFrame, column: str, members: set[str]) -> pd.DataFrame:
    return frame[frame[column].isin(members)]
