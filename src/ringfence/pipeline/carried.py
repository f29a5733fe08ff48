"""What single values carry of the links of the rings that a report shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.engine import connect
from ringfence.files import Workspace
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.explain.adding import Adding
from ringfence.graphbuild.explain.shared import Shared, Sightings, shared_of
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.loaders.load import canonical_table
from ringfence.pipeline.finished import resolved
from ringfence.records import Ring
from ringfence.report.evidence import CARRIED_COLUMNS
from ringfence.report.view import PICTURED

_MOST_LINKS = 300_000
"""Links of all rings together whose values are looked up; the rest of the rings is shown by family alone."""


def carried_values(
    rings: Sequence[Ring],
    work: Workspace,
    links: pd.DataFrame,
    templates: pd.DataFrame,
    manifest: Mapping[str, Any],
) -> pd.DataFrame:
    """Return :data:`~ringfence.report.evidence.CARRIED_COLUMNS` of the rings that a report shows in full.

    Args:
        rings: All that was judged, in their order.
        work: Sightings and addresses.
        links: Those between judged accounts.
        templates: template_id, public.
        manifest: Settings of the links.
    """
    shown = [ring for ring in rings if ring.flagged][:PICTURED]
    inside = _inside(shown, links)
    nothing = pd.DataFrame(columns=list(CARRIED_COLUMNS))
    if inside.empty:
        return nothing
    settings = resolved(LinkSettings, manifest["settings"]["links"])
    totals = (manifest.get("links") or {}).get("sightings", {})
    with _sightings(work, templates, settings, totals) as sightings:
        shared = shared_of(sightings, inside[list(PAIR)].sort_values(list(PAIR), ignore_index=True))
    owner = inside.set_index(list(PAIR))["ring_id"]
    values, views = (_by_ring(frame, owner) for frame in (shared.values, shared.views))
    parts = [
        Adding.of(part, Shared(values[name], views[name]), settings).carried().assign(ring_id=name)
        for name, part in ((str(ring_id), part) for ring_id, part in inside.groupby("ring_id", sort=False))
        if name in values and name in views
    ]
    return pd.concat(parts, ignore_index=True)[list(CARRIED_COLUMNS)] if parts else nothing


def _inside(rings: Sequence[Ring], links: pd.DataFrame) -> pd.DataFrame:
    """Return the links inside rings with the ring of each; the first rings whose links are few enough."""
    ring_of = {member.account_id: ring.ring_id for ring in rings for member in ring.members}
    owner = links["account_a"].map(ring_of)
    inside = links.assign(ring_id=owner)[(owner == links["account_b"].map(ring_of)) & owner.notna()]
    counts = inside.groupby("ring_id").size().reindex([ring.ring_id for ring in rings]).fillna(0).cumsum()
    return inside[inside["ring_id"].isin(counts.index[counts <= _MOST_LINKS])]


def _by_ring(frame: pd.DataFrame, owner: pd.Series) -> dict[str, pd.DataFrame]:
    rows = frame.join(owner, on=list(PAIR))
    return {str(ring_id): part.drop(columns="ring_id") for ring_id, part in rows.groupby("ring_id")}


@contextmanager
def _sightings(
    work: Workspace, templates: pd.DataFrame, settings: LinkSettings, totals: Mapping[str, int]
) -> Iterator[Sightings]:
    engine = connect(work.spill)
    try:
        public = pa.table(
            {"entity_id": pa.array(templates.loc[templates["public"], "template_id"], pa.string())}
        )
        yield Sightings(
            engine,
            lambda name: engine.read_parquet(str(sightings_path(work, name))),
            engine.read_parquet(str(work.links / "addresses.parquet")),
            canonical_table(engine, work, "payments"),
            ibis.memtable(public),
            settings,
            totals,
        )
    finally:
        engine.disconnect()
