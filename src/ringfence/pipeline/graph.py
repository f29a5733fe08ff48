"""What the stages made → the graph of the run, as a store is loaded from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
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

_ENDS = ("start", "end")
_TIME = pa.timestamp("us", tz="UTC")


def graph_nodes(
    accounts: pd.DataFrame, work: Workspace, templates: pd.DataFrame, rings: list[Ring]
) -> Iterator[tuple[str, pa.Table]]:
    """Yield each label with its nodes, in the order of their keys.

    Args:
        accounts: account_id, created_at, plan, status, email_domain, org_id, first_seen, last_seen,
            banned_at, requests, tokens, amount_usd, score, ring_probability, community.
        work: Sightings and addresses.
        templates: template_id, prompts, skeleton, family, tactics (label → score), public.
        rings: The judged communities; benign ones do not become nodes.
    """
    yield "Account", _table(accounts.drop(columns="org_id"))
    for entity in ENTITY_TYPES.values():
        seen = _read(sightings_path(work, entity.name), ["entity_id"])
        nodes = _counted(seen["entity_id"], entity.key, "accounts")
        if entity.name == "ip":
            nodes = _placed(nodes, _addresses(work, "address", "kind", "asn"))
        yield entity.label, _described(nodes, templates) if entity.name == "template" else nodes
    yield "Subnet", _counted(_addresses(work, "subnet")["subnet"], "cidr", "addresses")
    placed = _addresses(work, "asn", "as_name", "kind")
    systems = placed.filter(placed["asn"].is_valid()).group_by("asn", use_threads=False)
    systems = systems.aggregate([("as_name", "first"), ("kind", "first")]).sort_by("asn")
    yield "ASN", systems.rename_columns(["asn", "name", "kind"])
    yield "Organization", _table(accounts[["org_id"]].dropna().drop_duplicates().sort_values("org_id"))
    yield "Ring", _rings(rings)


def graph_relationships(
    accounts: pd.DataFrame, work: Workspace, rings: list[Ring]
) -> Iterator[tuple[str, pa.Table]]:
    """Yield each type with its relationships, in the order of their ends; see :func:`graph_nodes`."""
    for entity in ENTITY_TYPES.values():
        seen = _read(sightings_path(work, entity.name))
        seen = seen.rename_columns({"account_id": "start", "entity_id": "end"})
        # Accounts are linked by BINs, too; without them nobody could tell why.
        seen = seen.join(_bins(work), list(_ENDS)) if entity.name == "instrument" else seen
        yield entity.relationship, _by_ends(seen)
    yield "IN_SUBNET", _by_ends(_addresses(work, "address", "subnet").rename_columns(_ENDS))
    in_asn = _addresses(work, "subnet", "asn").rename_columns(_ENDS).drop_null()
    yield "IN_ASN", _by_ends(in_asn.group_by(list(_ENDS)).aggregate([]))
    yield "TRANSFERRED_TO", _by_ends(_read(sightings_path(work, "transfers")))
    belongs = accounts[["account_id", "org_id"]].dropna()
    yield "BELONGS_TO", _by_ends(_table(belongs).rename_columns(_ENDS))
    linked = _read(work.links / "links.parquet")
    yield "LINKED_TO", _by_ends(linked.rename_columns({"account_a": "start", "account_b": "end"}))
    members = [
        (m.account_id, ring.ring_id, m.score, str(m.role))
        for ring in rings
        if ring.flagged
        for m in ring.members
    ]
    yield "MEMBER_OF", _by_ends(_table(pd.DataFrame(members, columns=[*_ENDS, "score", "role"])))


def _counted(values: pa.ChunkedArray, key: str, count: str) -> pa.Table:
    """Return the values and how often each is there, as columns of these names."""
    found = pc.value_counts(values.drop_null())
    return pa.table([found.field("values"), found.field("counts")], [key, count]).sort_by(key)


def _placed(nodes: pa.Table, addresses: pa.Table) -> pa.Table:
    """Return addresses with what is known of where they lie."""
    at = pc.index_in(nodes["address"], addresses["address"])
    for name in ("kind", "asn"):
        nodes = nodes.append_column(name, addresses[name].take(at))
    return nodes.combine_chunks()


def _described(nodes: pa.Table, templates: pd.DataFrame) -> pa.Table:
    labels = pd.Series([sorted(t) if t else None for t in templates["tactics"]], templates.index, "object")
    told = nodes.to_pandas().merge(templates.assign(tactics=labels), on="template_id", how="left")
    told["public"] = told["public"].fillna(False).astype(bool)
    told["prompts"] = told["prompts"].astype("Int64")
    return _table(told)


def _by_ends(rows: pa.Table) -> pa.Table:
    return rows.sort_by([(end, "ascending") for end in _ENDS]).combine_chunks()


def _bins(work: Workspace) -> pa.Table:
    """Return start, end and bin of payments, but for those with what anybody can buy in a shop."""
    parts = sorted((work.tables / "payments").glob("*.parquet"))
    if not parts:
        return pa.table({name: pa.array([], pa.large_string()) for name in (*_ENDS, "bin")})
    rows = _read(parts, ["account_id", "instrument_id", "bin", "instrument_type"])
    told = pc.and_(rows["bin"].is_valid(), pc.not_equal(pc.fill_null(rows["instrument_type"], ""), PREPAID))
    found = rows.filter(told).group_by(["account_id", "instrument_id"]).aggregate([("bin", "max")])
    return found.rename_columns([*_ENDS, "bin"])


def _addresses(work: Workspace, *columns: str) -> pa.Table:
    return _read(work.links / "addresses.parquet", list(columns))


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
    return _typed(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata())


def _read(path: Path | list[Path], columns: list[str] | None = None) -> pa.Table:
    return _typed(pq.read_table(path, columns=columns))


def _typed(table: pa.Table) -> pa.Table:
    """Return the table with text of any length; a column without a value gets a type, which Parquet wants."""
    types = {pa.string(): pa.large_string(), pa.null(): pa.string()}
    return table.cast(pa.schema([(field.name, types.get(field.type, field.type)) for field in table.schema]))
