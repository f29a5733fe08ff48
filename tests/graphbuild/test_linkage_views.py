"""Coarser views of sightings, and what kind their values are of."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from canonical_frames import as_tables
from linkage_worlds import Row, address_table, seen_table

from ringfence.graphbuild.linkage.views import VIEWS, view_kinds, view_sightings
from ringfence.schema import ENTITY_TYPES

VIEW = {view.name: view for view in VIEWS}
ADDRESSES = [
    {"address": "192.0.2.1", "subnet": "192.0.2.0/24", "asn": "64500", "kind": "isp"},
    {"address": "192.0.2.9", "subnet": "192.0.2.0/24", "asn": "64500", "kind": None},
    {"address": "198.51.100.1", "subnet": "198.51.100.0/24", "asn": None, "kind": "vpn"},
]
SEEN: list[Row] = [("a", "192.0.2.1", 50), ("a", "192.0.2.9", 20), ("b", "198.51.100.1", None)]


def _rows(engine: Any, name: str, payments: pd.DataFrame | None = None) -> list[tuple[Any, ...]]:
    tables = as_tables({} if payments is None else {"payments": payments})
    found = view_sightings(VIEW[name], lambda _: seen_table(SEEN), address_table(ADDRESSES), tables)
    assert tuple(found.columns) == ("account_id", *(c for c in found.columns if c != "account_id"))
    listed = engine.to_pyarrow(found).to_pylist()
    return sorted(
        (row["account_id"], row["entity_id"], row["first_seen"] and int(row["first_seen"].timestamp()))
        for row in listed
    )


def test_every_entity_type_is_a_view_and_views_of_half_a_country_are_weak() -> None:
    assert set(ENTITY_TYPES) == {view.name for view in VIEWS if not view.weak}
    assert {view.name for view in VIEWS if view.weak} == {"subnet", "asn", "bin"}


@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
def test_an_entity_type_is_seen_as_it_is(engine: Any, name: str) -> None:
    assert _rows(engine, name) == SEEN


def test_addresses_are_seen_by_subnet_and_system_once_and_from_the_first(engine: Any) -> None:
    assert _rows(engine, "subnet") == [("a", "192.0.2.0/24", 20), ("b", "198.51.100.0/24", None)]
    assert _rows(engine, "asn") == [("a", "64500", 20)]


def test_bins_of_prepaid_cards_are_not_looked_at(engine: Any) -> None:
    payments = pd.DataFrame(
        {
            "account_id": ["a", "a", "b", "c", "d"],
            "bin": ["400000", "400000", "400000", None, "510000"],
            "instrument_type": ["credit", "credit", None, "credit", "prepaid"],
            "ts": pd.to_datetime([90, 30, 10, 10, 10], unit="s", utc=True),
        }
    )
    assert _rows(engine, "bin", payments) == [("a", "400000", 30), ("b", "400000", 10)]


def test_values_are_of_the_kind_that_their_range_or_wording_is_of(engine: Any) -> None:
    public = ibis.memtable(pa.table({"entity_id": ["t7"]}))
    kinds = {}
    for view in VIEWS:
        found = view_kinds(view, address_table(ADDRESSES), public)
        if found is not None:
            rows = engine.to_pyarrow(found).to_pylist()
            kinds[view.name] = {row["entity_id"]: row["kind"] for row in rows}
    assert kinds == {
        "ip": {"192.0.2.1": "isp", "192.0.2.9": None, "198.51.100.1": "vpn"},
        "subnet": {"192.0.2.0/24": "isp", "198.51.100.0/24": "vpn"},
        "asn": {"64500": "isp"},
        "template": {"t7": "public"},
    }
