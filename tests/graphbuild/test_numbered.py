"""Ids by number against a search through all of them, and features of links against a recount."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.numbered import by_number, in_order, numbered, seen_of
from ringfence.graphbuild.structure import link_structure
from ringfence.schema import LINK_FAMILIES

FAMILIES = [str(family) for family in LINK_FAMILIES]
_IDS = st.lists(st.text(max_size=3), max_size=12)


@given(_IDS, _IDS)
def test_ids_have_their_place_among_the_names(ids: list[str], known: list[str]) -> None:
    names = in_order(pa.array(known, pa.string()))
    assert names.to_pylist() == sorted(set(known), key=str.encode)
    column = pa.chunked_array([pa.array(ids, pa.large_string())])
    expected = [names.to_pylist().index(name) if name in known else -1 for name in ids]
    assert numbered(column, names).tolist() == expected


def test_what_is_told_of_others_is_left_out() -> None:
    told = pd.Series({"c": 7, "stranger": 8, "a": 9})
    assert by_number(told, pa.array(["a", "b", "c"]), -1).tolist() == [9, -1, 7]
    assert by_number(told.iloc[:0], pa.array(["a", "b"]), -1).tolist() == [-1, -1]


def test_sightings_are_told_in_numbers() -> None:
    rows = {"account_id": ["b", "a", "b"], "entity_id": ["y", "y", "x"], "count": [1, 2, 3]}
    seen = seen_of(pa.table(rows).column, pa.array(["a", "b", "c"]))
    assert seen.account.tolist() == [1, 0, 1]
    assert seen.entity.tolist() == [1, 1, 0]
    assert seen.count.tolist() == [1, 2, 3]
    assert seen.names.to_pylist() == ["x", "y"]
    assert seen.degree.tolist() == [1, 2]


@pytest.mark.parametrize("links", [0, 20])
def test_features_of_links_equal_a_recount(links: int) -> None:
    rng = np.random.default_rng(3)
    ends = np.sort(rng.permutation([(a, b) for a in range(9) for b in range(a)])[:links], axis=1)
    frame = pd.DataFrame(ends.reshape(-1, 2), columns=["account_a", "account_b"])
    for family in FAMILIES:
        frame[family] = np.where(rng.random(len(frame)) < 0.5, rng.uniform(2, 9, len(frame)).round(6), 0.0)
    members = pd.DataFrame({"inside_share": rng.random(12), "inside_families": rng.integers(0, 5, 12)})
    found = link_structure(members, frame)
    for account, row in found.iterrows():
        mine = frame[(frame["account_a"] == account) | (frame["account_b"] == account)]
        assert row["links"] == len(mine)
        assert row["inside_share"] == members["inside_share"][account]
        assert row["inside_families"] == members["inside_families"][account]
        for family in FAMILIES:
            weights = mine[family] if len(mine) else pd.Series([0.0])
            assert row[f"{family}_links"] == pytest.approx((weights > 0).mean())
            assert row[f"{family}_link_weight"] == pytest.approx(weights.mean())
