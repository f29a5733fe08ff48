"""A ring decided once more, from what a bundle holds and from nothing else, by the rule that decided it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ringfence.config import DecisionSettings, LinkSettings, Settings
from ringfence.errors import AuditError
from ringfence.gnn.rings import decide_rings
from ringfence.gnn.scores import AccountScores
from ringfence.graphbuild.evidence import community_evidence, community_links, describe_members
from ringfence.pipeline.evidence.slice import NODES, RELATIONS, Rows, read_rows
from ringfence.records import Ring
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

_COMMUNITY = 0
_COUNTS = ("significant", "led", "followed")


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
    community = accounts.set_index("account_id")["community"]
    inside = community_links(
        _links(read_rows(files, f"{RELATIONS}LINKED_TO")), community, settings.links.least_family_weight
    )
    members = describe_members(accounts, inside)
    evidence = community_evidence(members, inside, _sightings(files))
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


def _links(rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["start", "end", "weight", *LINK_FAMILIES, *_COUNTS])
    return frame.rename(columns={"start": "account_a", "end": "account_b"}).astype(
        {**dict.fromkeys(("weight", *LINK_FAMILIES), np.float64), **dict.fromkeys(_COUNTS, np.int64)}
    )


def _sightings(files: Mapping[str, bytes]) -> dict[str, pd.DataFrame]:
    """Return entity type → account_id, entity_id, degree: the accounts that share the entity in all."""
    seen = {}
    for name, entity in ENTITY_TYPES.items():
        degree = {row[entity.key]: row["accounts"] for row in read_rows(files, NODES + entity.label)}
        rows = [
            (row["start"], row["end"], degree[row["end"]])
            for row in read_rows(files, RELATIONS + entity.relationship)
        ]
        seen[name] = pd.DataFrame(rows, columns=["account_id", "entity_id", "degree"])
    return seen
