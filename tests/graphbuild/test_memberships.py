"""A proxy network that carries two operators, and an account that serves a third: from sightings to rings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ringfence.config import Settings
from ringfence.files import Workspace
from ringfence.gnn.rings import decide_rings
from ringfence.gnn.scores import AccountScores
from ringfence.graphbuild.assemble import build_graph
from ringfence.graphbuild.build import build_addresses, build_links, build_sightings
from ringfence.graphbuild.memberships import memberships
from ringfence.pipeline.memberships import with_memberships
from ringfence.records import Decision, Ring

START = pd.Timestamp("2026-02-01", tz="UTC")
FIRST, SECOND, THIRD = (
    [f"{name}-{n:02}" for n in range(size)] for name, size in (("one", 16), ("two", 12), ("three", 10))
)
BOTH = FIRST[0]
"""Pays and works for the third operator, too."""


def _world() -> dict[str, pd.DataFrame]:
    """Return three operators, two of them behind the same addresses, among people who share nothing."""
    rng = np.random.default_rng(8)
    people = [f"person-{n:03}" for n in range(1500)]
    rows = [
        (person, f"device-of-{n}", f"card-of-{n}", f"10.0.{n // 250}.{n % 250}")
        for n, person in enumerate(people)
    ]

    def give(accounts: list[str], column: int, name: str, values: int, each: int) -> None:
        for account in accounts:
            for value in rng.choice(values, each, replace=False):
                row: list[Any] = [account, None, None, None]
                row[column] = f"{name}{value}"
                rows.append(tuple(row))

    for operator, accounts in (("a", FIRST), ("b", SECOND), ("c", [*THIRD, BOTH])):
        give(accounts, 1, f"device-{operator}", 6, 3)
        give(accounts, 2, f"card-{operator}", 4, 2)
    give([*FIRST, *SECOND], 3, "198.51.100.", 12, 8)
    give(THIRD, 3, "203.0.113.", 4, 2)
    seen = pd.DataFrame(rows, columns=["account_id", "device_id", "instrument_id", "ip"])
    seen["ts"] = START + pd.to_timedelta(rng.integers(0, 20 * 86_400, len(seen)), unit="s")
    paid = seen["instrument_id"].notna()
    return {
        "accounts": pd.DataFrame({"account_id": [*FIRST, *SECOND, *THIRD, *people]}),
        "requests": seen[seen["device_id"].notna() | seen["ip"].notna()].drop(columns="instrument_id"),
        "payments": seen.loc[paid, ["account_id", "instrument_id", "ts"]],
    }


@pytest.fixture(scope="module")
def work(engine: Any, tables: Any, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    world, work = _world(), Workspace(tmp_path_factory.mktemp("planted"))
    read, present = tables(world), frozenset(world)
    build_sightings(engine, read, work)
    build_addresses(engine, read, work)
    build_links(engine, read, len(world["accounts"]), work, Settings(), present=present)
    build_graph(engine, read, present, work, Settings())
    return work


def test_operators_whom_a_proxy_network_joins_are_told_apart(work: Workspace) -> None:
    members = pd.read_parquet(work.links / "members.parquet").set_index("account_id")["community"]
    (joined,), (apart,) = members[[*FIRST, *SECOND]].unique(), members[THIRD].unique()
    assert joined != apart
    found = pd.read_parquet(work.links / "memberships.parquet")
    assert list(found.columns) == ["account_id", "community", "part", "second", "share"]
    parts = {part: sorted(rows) for part, rows in found.groupby("part")["account_id"]}
    assert parts == {1: sorted(FIRST), 2: sorted(SECOND)}
    assert (found["community"] == joined).all()


def test_an_account_that_serves_two_is_named(work: Workspace) -> None:
    members = pd.read_parquet(work.links / "members.parquet").set_index("account_id")["community"]
    found = pd.read_parquet(work.links / "memberships.parquet")
    (row,) = found[found["second"].notna()].to_dict("records")
    assert row["account_id"] == BOTH
    assert row["second"] == members[THIRD[0]]
    links = pd.read_parquet(work.links / "links.parquet")
    mine = links[(links["account_a"] == BOTH) | (links["account_b"] == BOTH)]
    theirs = mine[mine["account_a"].isin(THIRD) | mine["account_b"].isin(THIRD)]
    assert row["share"] == pytest.approx(theirs["weight"].sum() / mine["weight"].sum(), abs=1e-6)


def _judged(work: Workspace) -> list[Ring]:
    members = pd.read_parquet(work.links / "members.parquet").assign(own_share=1.0)
    scores = AccountScores(np.full(len(members), 0.5), False, "evidence", "No labels.", [])
    evidence = pd.read_parquet(work.links / "evidence.parquet")
    return decide_rings(members, evidence, scores, Settings())


def test_rings_tell_their_parts_and_whom_else_their_members_serve(work: Workspace) -> None:
    judged = _judged(work)
    assert [ring.decision for ring in judged] == [Decision.REVIEW] * 2
    (joined, third) = with_memberships(judged, work)
    assert joined.parts == (tuple(FIRST), tuple(SECOND))
    assert [(one.account_id, one.ring_id) for one in joined.also_in] == [(BOTH, third.ring_id)]
    assert third == judged[1]
    assert Ring.from_json(joined.as_json()) == joined


def test_benign_communities_are_neither_told_nor_named(work: Workspace) -> None:
    joined, third = _judged(work)
    for cleared in (joined, third):
        rings = [
            replace(ring, decision=Decision.BENIGN) if ring is cleared else ring for ring in (joined, third)
        ]
        told = with_memberships(rings, work)
        assert not any(ring.also_in for ring in told)
        assert bool(told[0].parts) == (cleared is third)
    assert with_memberships([], work) == []


def test_small_communities_and_lone_links_say_nothing() -> None:
    pairs = np.array([(0, 1), (1, 2), (0, 2), (3, 4), (2, 3), (2, 4)])
    community = np.array([0, 0, 0, 1, 1, -1])
    found = memberships(pairs, np.full(len(pairs), 6.0), community, least_size=3, seed=1)
    assert found.empty
    (row,) = memberships(pairs, np.full(len(pairs), 6.0), community, least_size=2, seed=1).to_dict("records")
    assert (row["account"], row["second"], row["share"]) == (2, 1, 0.5)
