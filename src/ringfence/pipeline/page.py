"""What the report needs of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.files import Workspace
from ringfence.graphbuild.build import sightings_path
from ringfence.pipeline.carried import carried_values
from ringfence.records import FileAccount, Ring
from ringfence.report.data import ReportData
from ringfence.report.view import pictured
from ringfence.schema import ENTITY_TYPES


def report_data(
    rings: Sequence[Ring],
    work: Workspace,
    files: Sequence[FileAccount],
    templates: pd.DataFrame,
    manifest: Mapping[str, Any],
) -> ReportData:
    """Return what the report shows: of sightings, links and activity only what it shows in full."""
    shown = pictured(rings)
    mine = _by(shown, "account_id")
    seen = [
        pq.read_table(sightings_path(work, name), columns=["account_id", "entity_id", "count"], filters=mine)
        .to_pandas()
        .assign(entity_type=name)
        for name in ENTITY_TYPES
    ]
    inside = _by(shown, "account_a") & _by(shown, "account_b")
    links = pq.read_table(work.links / "links.parquet", filters=inside).to_pandas()
    activity = sightings_path(work, "activity")
    days = pq.read_table(activity, columns=["day"], filters=_by(rings, "account_id"))["day"]
    return ReportData(
        rings,
        pd.concat(seen),
        links,
        pq.read_table(activity, filters=mine).to_pandas(),
        files,
        templates,
        manifest,
        active=(pc.min(days).as_py(), pc.max(days).as_py()) if len(days) else None,
        carried=carried_values(shown, work, links, templates, manifest),
    )


def _by(rings: Sequence[Ring], column: str) -> pc.Expression:
    """Return the condition that a row's account is a member of one of these."""
    members = [member.account_id for ring in rings for member in ring.members]
    return pc.field(column).isin(pa.array(members, pa.string()))
