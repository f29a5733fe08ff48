"""What single values carry of the links of the rings that a report shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.engine import connect
from ringfence.files import Workspace
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.explain.adding import Adding
from ringfence.graphbuild.explain.shared import Sightings, shared_of
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.loaders.load import canonical_table
from ringfence.pipeline.finished import resolved
from ringfence.records import Ring
from ringfence.report.evidence import CARRIED_COLUMNS

_MOST_LINKS = 300_000
"""Links of all rings together whose values are looked up; the rest of the rings is shown by family alone."""


def carried_values(
    rings: Sequence[Ring],
    work: Workspace,
    links: pd.DataFrame,
    templates: pd.DataFrame,
    manifest: Mapping[str, Any],
) -> pd.DataFrame:
    """Return :data:`~ringfence.report.evidence.CARRIED_COLUMNS` of rings.

    Args:
        rings: Those that a report shows in full.
        work: Sightings and addresses.
        links: Those between their accounts.
        templates: template_id, public.
        manifest: Settings of the links.
    """
    number = {member.account_id: n for n, ring in enumerate(rings) for member in ring.members}
    inside = _inside(links, number)
    if inside.empty:
        return pd.DataFrame(columns=list(CARRIED_COLUMNS))
    settings = resolved(LinkSettings, manifest["settings"]["links"])
    totals = (manifest.get("links") or {}).get("sightings", {})
    with _sightings(work, templates, settings, totals) as sightings:
        shared = shared_of(sightings, inside[list(PAIR)])
    told = Adding.of(inside, shared, settings).carried(inside["ring"].to_numpy(np.int64))
    ring_ids = np.array([ring.ring_id for ring in rings], "object")
    return told.assign(ring_id=ring_ids[told["group"]])[list(CARRIED_COLUMNS)]


def _inside(links: pd.DataFrame, number: Mapping[str, int]) -> pd.DataFrame:
    """Return the links inside the first rings whose links are few enough, with the ``ring`` of each."""
    ring, other = (links[end].map(number) for end in PAIR)
    inside = links.assign(ring=ring)[ring == other].sort_values(list(PAIR), ignore_index=True)
    counts = inside.groupby("ring").size().cumsum()
    return inside[inside["ring"].isin(counts.index[counts <= _MOST_LINKS])]


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
