"""What the stages made → the graph of the run, as a store is loaded from it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.files import Workspace
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.linkage.views import PREPAID
from ringfence.records import Ring
from ringfence.schema import ENTITY_TYPES

_TIME = pa.timestamp("us", tz="UTC")


def graph_nodes(
    accounts: pd.DataFrame, work: Workspace, templates: pd.DataFrame, rings: list[Ring]
) -> dict[str, pa.Table]:
    """Return the nodes of each label, in the order of their keys.

    Args:
        accounts: account_id, created_at, plan, status, email_domain, org_id, first_seen, last_seen,
            banned_at, requests, tokens, amount_usd, score, ring_probability, community.
        work: Sightings and addresses.
        templates: template_id, prompts, skeleton, family, tactics (label → score), public.
        rings: The judged communities; benign ones do not become nodes.
    """
    addresses = pd.read_parquet(work.links / "addresses.parquet")
    nodes = {"Account": _table(accounts.drop(columns="org_id"))}
    for entity in ENTITY_TYPES.values():
        seen = pd.read_parquet(sightings_path(work, entity.name), columns=["entity_id"])
        degree = seen.groupby("entity_id").size().rename("accounts").reset_index()
        frame = degree.rename(columns={"entity_id": entity.key})
        if entity.name == "ip":
            frame = frame.merge(addresses[["address", "kind", "asn"]], on="address", how="left")
        if entity.name == "template":
            labels = pd.Series(
                [sorted(t) if t else None for t in templates["tactics"]], templates.index, "object"
            )
            told = templates.assign(tactics=labels)
            frame = frame.merge(told, on="template_id", how="left")
            frame["public"] = frame["public"].fillna(False).astype(bool)
            frame["prompts"] = frame["prompts"].astype("Int64")
        nodes[entity.label] = _table(frame)
    subnets = addresses.groupby("subnet").size().rename("addresses").reset_index()
    nodes["Subnet"] = _table(subnets.rename(columns={"subnet": "cidr"}))
    systems = (
        addresses.dropna(subset=["asn"]).groupby("asn").agg(name=("as_name", "first"), kind=("kind", "first"))
    )
    nodes["ASN"] = _table(systems.reset_index())
    nodes["Organization"] = _table(accounts[["org_id"]].dropna().drop_duplicates().sort_values("org_id"))
    nodes["Ring"] = _rings(rings)
    return nodes


def graph_relationships(accounts: pd.DataFrame, work: Workspace, rings: list[Ring]) -> dict[str, pa.Table]:
    """Return the relationships of each type, in the order of their ends; see :func:`graph_nodes`."""
    addresses = pd.read_parquet(work.links / "addresses.parquet")
    relationships = {}
    for entity in ENTITY_TYPES.values():
        seen = pd.read_parquet(sightings_path(work, entity.name))
        seen = seen.rename(columns={"account_id": "start", "entity_id": "end"})
        # Accounts are linked by BINs, too; without them nobody could tell why.
        seen = (
            seen.merge(_bins(work), on=["start", "end"], how="left") if entity.name == "instrument" else seen
        )
        relationships[entity.relationship] = seen
    relationships["IN_SUBNET"] = addresses[["address", "subnet"]].set_axis(["start", "end"], axis=1)
    in_asn = addresses[["subnet", "asn"]].dropna().drop_duplicates()
    relationships["IN_ASN"] = in_asn.set_axis(["start", "end"], axis=1)
    relationships["TRANSFERRED_TO"] = pd.read_parquet(sightings_path(work, "transfers"))
    belongs = accounts[["account_id", "org_id"]].dropna()
    relationships["BELONGS_TO"] = belongs.set_axis(["start", "end"], axis=1)
    linked = pd.read_parquet(work.links / "links.parquet")
    relationships["LINKED_TO"] = linked.rename(columns={"account_a": "start", "account_b": "end"})
    members = [
        (m.account_id, ring.ring_id, m.score, str(m.role))
        for ring in rings
        if ring.flagged
        for m in ring.members
    ]
    relationships["MEMBER_OF"] = pd.DataFrame(members, columns=["start", "end", "score", "role"])
    return {name: _table(frame.sort_values(["start", "end"])) for name, frame in relationships.items()}


def _bins(work: Workspace) -> pd.DataFrame:
    """Return start, end and bin of payments, but for those with what anybody can buy in a shop."""
    parts = sorted((work.tables / "payments").glob("*.parquet"))
    columns = ["account_id", "instrument_id", "bin", "instrument_type"]
    if not parts:
        return pd.DataFrame(columns=["start", "end", "bin"], dtype="str")
    rows = pq.read_table(parts, columns=columns)
    told = pc.and_(rows["bin"].is_valid(), pc.not_equal(pc.fill_null(rows["instrument_type"], ""), PREPAID))
    found = rows.filter(told).group_by(["account_id", "instrument_id"]).aggregate([("bin", "max")])
    told_bins: pd.DataFrame = found.rename_columns(["start", "end", "bin"]).to_pandas()
    return told_bins


def _rings(rings: list[Ring]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "ring_id": ring.ring_id,
            "probability": ring.probability,
            "decision": str(ring.decision),
            "size": ring.size,
            "first_seen": ring.first_seen,
            "last_seen": ring.last_seen,
            "evidence_score": ring.evidence_score,
            "recommended_action": str(ring.recommended_action),
            "evidence_families": [str(evidence.family) for evidence in ring.evidence],
            "evidence_statements": [evidence.statement for evidence in ring.evidence],
            "evidence_weights": [evidence.weight for evidence in ring.evidence],
        }
        for ring in sorted(rings, key=lambda ring: ring.ring_id)
        if ring.flagged
    ]
    types = {
        "ring_id": pa.string(),
        "probability": pa.float64(),
        "decision": pa.string(),
        "size": pa.int64(),
        "first_seen": _TIME,
        "last_seen": _TIME,
        "evidence_score": pa.float64(),
        "recommended_action": pa.string(),
        "evidence_families": pa.list_(pa.string()),
        "evidence_statements": pa.list_(pa.string()),
        "evidence_weights": pa.list_(pa.float64()),
    }
    return pa.Table.from_pylist(rows, pa.schema(list(types.items())))


def _table(frame: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    # A column without a value has no type of its own, and Parquet wants one.
    fields = [f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields))
