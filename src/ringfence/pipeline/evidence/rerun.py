"""A ring decided once more, from what a bundle holds and from nothing else, by the rule that decided it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.config import DecisionSettings, LinkSettings, Settings
from ringfence.errors import AuditError
from ringfence.gnn.rings import decide_rings
from ringfence.gnn.scores import AccountScores
from ringfence.graphbuild.evidence import community_evidence, community_links, describe_members
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.graphbuild.numbered import Seen, numbered, seen_of
from ringfence.pipeline.evidence.slice import NODES, RELATIONS, Rows, read_rows
from ringfence.records import Ring
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

_COMMUNITY = 0
_COUNTS = ("significant", "led", "followed")
_SEEN = pa.schema([("start", pa.string()), ("end", pa.string()), ("count", pa.int64())])


def rerun(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Ring:
    """Return the ring as the graph slice, the scores and the settings make it.

    Links become evidence, evidence and scores a decision, by the very functions that a run uses.

    Args:
        files: Of the bundle.
        manifest: Of the run: its settings, and whether its scores were calibrated.

    Raises:
        AuditError: the bundle does not hold what that takes.
    """
    try:
        return _rerun(files, manifest)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, ArithmeticError) as error:
        raise AuditError(f"The bundle does not hold what a decision takes: {error}.") from error


def _rerun(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Ring:
    settings = _settings(manifest["settings"])
    accounts = _accounts(read_rows(files, f"{NODES}Account"))
    ids, community = pa.array(accounts["account_id"], pa.string()), accounts["community"].to_numpy()
    links = _links(read_rows(files, f"{RELATIONS}LINKED_TO"), ids)
    inside = community_links(links, community, settings.links.least_family_weight)
    members = describe_members(accounts, inside)
    evidence = community_evidence(community, inside, _sightings(files, ids))
    scored = {row["account_id"]: row["score"] for row in read_rows(files, "scores")}
    told = np.array([scored[account] for account in members["account_id"]], np.float64)
    how = manifest["scoring"]
    scores = AccountScores(told, bool(how["calibrated"]), how["method"], how["reason"], [])
    (ring,) = decide_rings(members, evidence, scores, settings)
    return ring


def _settings(told: Mapping[str, Any]) -> Settings:
    """Return the settings of the run; one that this version does not know is refused, not passed over."""
    return Settings(
        **{**told, "links": LinkSettings(**told["links"]), "decisions": DecisionSettings(**told["decisions"])}
    )


def _accounts(rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["account_id", "first_seen", "last_seen", "own_share"])
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame.assign(community=_COMMUNITY)


def _links(rows: Rows, accounts: pa.Array) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["start", "end", "weight", *LINK_FAMILIES, *_COUNTS])
    for end, name in zip(("start", "end"), PAIR, strict=True):
        frame[name] = numbered(pa.array(frame[end], pa.string()), accounts)
    return frame[(frame[list(PAIR)] >= 0).all(axis=1)].astype(
        {**dict.fromkeys(("weight", *LINK_FAMILIES), np.float64), **dict.fromkeys(_COUNTS, np.int64)}
    )


def _sightings(files: Mapping[str, bytes], accounts: pa.Array) -> dict[str, Seen]:
    """Return the sightings of each entity type, with the accounts that share an entity in all."""
    seen = {}
    for name, entity in ENTITY_TYPES.items():
        degree = {row[entity.key]: row["accounts"] for row in read_rows(files, NODES + entity.label)}
        rows = pa.Table.from_pylist(read_rows(files, RELATIONS + entity.relationship), _SEEN)
        rows = rows.filter(pc.is_in(rows["start"], accounts)).rename_columns(
            ["account_id", "entity_id", "count"]
        )
        found = seen_of(rows.column, accounts)
        seen[name] = replace(
            found, degree=np.array([degree[key] for key in found.names.to_pylist()], np.int64)
        )
    return seen
