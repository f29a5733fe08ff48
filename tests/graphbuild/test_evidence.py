"""Evidence: every number of a statement against a recount, and sentences that read well."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ringfence.graphbuild.evidence import (
    EVIDENCE_COLUMNS,
    community_evidence,
    community_links,
    describe_members,
)
from ringfence.graphbuild.numbered import Seen, seen_of
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

FAMILIES = [str(family) for family in LINK_FAMILIES]


def _unlinked(rng: np.random.Generator) -> dict[str, float]:
    """Return a pair before any family links it."""
    order = {name: int(rng.integers(3)) for name in ("led", "followed")}
    return {**dict.fromkeys(FAMILIES, 0.0), "significant": bool(rng.random() < 0.5), **order}


ACCOUNTS = [f"a{i:02}" for i in range(24)]
COMMUNITY = np.repeat([0, 1, 2, -1], 6)
MEMBERS = pd.DataFrame({"community": COMMUNITY})


def _seen(rows: pd.DataFrame, accounts: list[str]) -> Seen:
    table = pa.Table.from_pandas(rows.assign(count=1), preserve_index=False)
    return seen_of(table.column, pa.array(accounts))


def _world(seed: int) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return links wherever two share, and sightings."""
    rng = np.random.default_rng(seed)
    sightings = {}
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for name, entity in ENTITY_TYPES.items():
        pairs = sorted({(str(rng.choice(ACCOUNTS)), f"{name}{rng.integers(12)}") for _ in range(50)})
        seen = pd.DataFrame(pairs, columns=["account_id", "entity_id"])
        sightings[name] = seen
        has = seen.groupby("account_id")["entity_id"].agg(set)
        for a, b in combinations(has.index, 2):
            if has[a] & has[b] and rng.random() < 0.7:
                weights = rows.setdefault((a, b), _unlinked(rng))
                weights[str(entity.family)] = round(float(rng.uniform(1, 12)), 6)
    linked = pd.DataFrame(
        [
            {
                "account_a": ACCOUNTS.index(a),
                "account_b": ACCOUNTS.index(b),
                "weight": sum(w[f] for f in FAMILIES),
                **w,
            }
            for (a, b), w in rows.items()
        ]
    )
    return linked, sightings


@pytest.mark.parametrize("seed", range(4))
def test_numbers_equal_a_recount(seed: int) -> None:
    linked, sightings = _world(seed)
    inside = community_links(linked, COMMUNITY)
    evidence = community_evidence(COMMUNITY, inside, {n: _seen(s, ACCOUNTS) for n, s in sightings.items()})

    assert list(evidence.columns) == list(EVIDENCE_COLUMNS)
    rows = {(row["community"], row["family"]): row for row in evidence.to_dict("records")}
    expected = set()
    for number in range(3):
        members = set(np.flatnonzero(number == COMMUNITY))
        ids = {ACCOUNTS[member] for member in members}
        for name, entity in ENTITY_TYPES.items():
            family = str(entity.family)
            both = linked["account_a"].isin(members) & linked["account_b"].isin(members)
            of_family = linked[both & (linked[family] > 0)]
            if of_family.empty:
                continue
            expected.add((number, family))
            row = rows[number, family]
            assert row["weight"] == pytest.approx(of_family[family].sum() / 15, abs=1e-6)
            covered = set(of_family["account_a"]) | set(of_family["account_b"])
            assert row["coverage"] == pytest.approx(len(covered) / 6, abs=1e-6)
            _check_statement(row, ids, sightings[name], name)
    assert set(rows) == expected


def _check_statement(row: dict[str, object], members: set[str], seen: pd.DataFrame, name: str) -> None:
    users = {entity: set(group) for entity, group in seen.groupby("entity_id")["account_id"]}
    shared = {entity: who & members for entity, who in users.items() if len(who & members) > 1}
    ranked = sorted(shared, key=lambda e: (-(len(shared[e]) ** 2) / len(users[e]), e))
    assert row["entities"] == [f"{name}:{e}" for e in ranked[:10]]
    sharing = len(set().union(*shared.values()))
    elsewhere = len(users[ranked[0]]) - len(shared[ranked[0]])
    told = [int(n) for n in re.findall(r"\d+", str(row["statement"]))]
    expected = [sharing, 6, len(shared), len(shared[ranked[0]]), *([elsewhere] if elsewhere else [])]
    assert told == expected


def _one(name: str, entities: int, others: int) -> pd.Series:
    """Return the evidence on two accounts that share entities, each with so many others."""
    entity = ENTITY_TYPES[name]
    linked = pd.DataFrame([{"account_a": 0, "account_b": 1, **dict.fromkeys(FAMILIES, 0.0), "weight": 7.0}])
    linked[str(entity.family)] = 7.0
    seen = pd.DataFrame(
        [(account, f"e{i:02}") for i in range(entities) for account in [*"ab", *map(str, range(others))]],
        columns=["account_id", "entity_id"],
    )
    empty = seen.iloc[:0]
    accounts = ["a", "b", *map(str, range(others))]
    community = np.array([0, 0, *[-1] * others])
    sightings = {n: _seen(seen if n == name else empty, accounts) for n in ENTITY_TYPES}
    inside = community_links(linked, community)
    (row,) = community_evidence(community, inside, sightings).to_dict("records")
    return pd.Series(row)


@pytest.mark.parametrize(
    ("name", "entities", "others", "statement"),
    [
        ("device", 1, 1, "2 of 2 accounts used 1 device in common; it is shared by 2 of them and 1 other."),
        (
            "ip",
            2,
            3,
            "2 of 2 accounts used 2 IP addresses in common; the most telling one is shared by 2 of them and "
            "3 others.",
        ),
        (
            "instrument",
            1,
            0,
            "2 of 2 accounts paid with 1 payment instrument in common; it is shared by 2 of them and nobody "
            "else.",
        ),
        (
            "template",
            3,
            0,
            "2 of 2 accounts sent 3 prompt templates in common; the most telling one is shared by 2 of them "
            "and nobody else.",
        ),
    ],
)
def test_sentences_read_well(name: str, entities: int, others: int, statement: str) -> None:
    assert _one(name, entities, others)["statement"] == statement


def test_at_most_ten_entities_are_told() -> None:
    row = _one("device", 14, 0)
    assert row["entities"] == [f"device:e{i:02}" for i in range(10)]
    assert "14 devices" in row["statement"]


@pytest.mark.parametrize("seed", range(4))
def test_members_are_described_by_their_links_inside(seed: int) -> None:
    linked, _ = _world(seed)
    found = describe_members(MEMBERS, community_links(linked, COMMUNITY))
    for account, number in enumerate(COMMUNITY):
        peers = set(np.flatnonzero(number == COMMUNITY)) - {account} if number >= 0 else set()
        ends = linked[["account_a", "account_b"]]
        mine = linked[
            ((ends["account_a"] == account) & ends["account_b"].isin(peers))
            | ((ends["account_b"] == account) & ends["account_a"].isin(peers))
        ]
        assert found.loc[account, "inside_share"] == pytest.approx(len(mine) / 5 if peers else 0)
        assert found.loc[account, "inside_families"] == int((mine[FAMILIES] > 0).any().sum())
        assert found.loc[account, "significant_links"] == mine["significant"].sum()
        first = mine["account_a"] == account
        assert found.loc[account, "led"] == mine["led"].where(first, mine["followed"]).sum()
        assert found.loc[account, "followed"] == mine["followed"].where(first, mine["led"]).sum()


def test_no_links_make_no_evidence() -> None:
    linked, sightings = _world(0)
    nobody = community_links(linked.iloc[:0], COMMUNITY)
    seen = {name: _seen(rows, ACCOUNTS) for name, rows in sightings.items()}
    assert community_evidence(COMMUNITY, nobody, seen).empty
    assert (describe_members(MEMBERS, nobody)["inside_share"] == 0).all()
