"""Linkage as a whole: the same files for the same world, whatever the order of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds_at_random import random_world, shuffled

from ringfence.config import LinkSettings, Settings
from ringfence.files import Workspace
from ringfence.graphbuild.assemble import Built, build_graph
from ringfence.graphbuild.build import build_addresses, build_links, build_sightings, sightings_path
from ringfence.snapshot import read_snapshot

SETTINGS = Settings(links=LinkSettings(least_weight=0.2, least_candidate=0.1, family_cap={}, resolution=0.2))


def _built(
    engine: Any, tables: Any, world: dict[str, pd.DataFrame], folder: Path, settings: Settings = SETTINGS
) -> tuple[Workspace, Built]:
    work, read = Workspace(folder), tables(world)
    build_sightings(engine, read, work)
    build_addresses(engine, read, work)
    build_links(engine, read, len(world["accounts"]), work, settings, present=frozenset(world))
    return work, build_graph(engine, read, frozenset(world), work, settings)


@pytest.fixture(scope="module")
def world() -> dict[str, pd.DataFrame]:
    return random_world(8)


@pytest.fixture(scope="module")
def made(
    engine: Any, tables: Any, world: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Built]:
    return _built(engine, tables, world, tmp_path_factory.mktemp("made"))


def test_counts_are_those_of_the_files(made: tuple[Workspace, Built], world: dict[str, pd.DataFrame]) -> None:
    work, built = made
    members = pd.read_parquet(work.links / "members.parquet")
    assert built.accounts == len(members) == len(world["accounts"])
    assert built.links == len(pd.read_parquet(work.links / "links.parquet")) > 0
    assert built.communities == members.loc[members["community"] >= 0, "community"].nunique() > 0
    assert built.conflicting_labels == 0
    assert built.sightings == {
        name: len(pd.read_parquet(sightings_path(work, name))) for name in built.sightings
    }


def test_members_are_seen_from_their_first_event_to_their_last(
    made: tuple[Workspace, Built], world: dict[str, pd.DataFrame]
) -> None:
    members = pd.read_parquet(made[0].links / "members.parquet").set_index("account_id")
    events = pd.concat([world[name][["account_id", "ts"]] for name in ("requests", "payments", "logins")])
    spans = events.groupby("account_id")["ts"].agg(["min", "max"]).reindex(members.index)
    assert (members["first_seen"].isna() == spans["min"].isna()).all()
    seen = members["first_seen"].notna()
    assert (members.loc[seen, "first_seen"] == spans.loc[seen, "min"]).all()
    assert (members.loc[seen, "last_seen"] == spans.loc[seen, "max"]).all()


def test_the_snapshot_numbers_accounts_as_members_stand(
    made: tuple[Workspace, Built], world: dict[str, pd.DataFrame]
) -> None:
    work, _ = made
    members = pd.read_parquet(work.links / "members.parquet")
    snapshot = read_snapshot(work.links / "snapshot.safetensors")
    assert members["account_id"].is_monotonic_increasing
    np.testing.assert_array_equal(snapshot.community, members["community"])
    known = world["labels"].set_index("account_id")["label"].map({"ring": 1, "benign": 0})
    expected = known.reindex(members["account_id"]).fillna(-1)
    np.testing.assert_array_equal(snapshot.labels, expected.to_numpy(np.int8))


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_second_run_and_shuffled_rows_give_the_same_files(
    engine: Any,
    tables: Any,
    world: dict[str, pd.DataFrame],
    made: tuple[Workspace, Built],
    tmp_path: Path,
    seed: int | None,
) -> None:
    again = world if seed is None else shuffled(world, seed)
    work, built = _built(engine, tables, again, tmp_path)
    assert built == made[1]
    for name in (
        "snapshot.safetensors",
        "links.parquet",
        "members.parquet",
        "evidence.parquet",
        "memberships.parquet",
        "addresses.parquet",
    ):
        assert (work.links / name).read_bytes() == (made[0].links / name).read_bytes(), name


def test_country_and_plan_move_no_link_and_no_community(
    engine: Any,
    tables: Any,
    world: dict[str, pd.DataFrame],
    made: tuple[Workspace, Built],
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(1)
    accounts = world["accounts"]
    turned = accounts.assign(
        country=rng.permutation(accounts["country"]), plan=rng.permutation(accounts["plan"])
    )
    work, _ = _built(engine, tables, {**world, "accounts": turned}, tmp_path)
    for name in ("snapshot.safetensors", "links.parquet", "members.parquet", "evidence.parquet"):
        assert (work.links / name).read_bytes() == (made[0].links / name).read_bytes(), name


def test_a_world_that_links_nobody_is_built(engine: Any, tables: Any, tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b"]})
    work, built = _built(engine, tables, {"accounts": accounts}, tmp_path, Settings())
    assert (built.accounts, built.links, built.communities) == (2, 0, 0)
    assert pd.read_parquet(work.links / "evidence.parquet").empty
    assert read_snapshot(work.links / "snapshot.safetensors").community.tolist() == [-1, -1]


def test_shares_told_grow_to_one(
    engine: Any, tables: Any, world: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    shares: list[float] = []
    work, read = Workspace(tmp_path), tables(world)
    build_sightings(engine, read, work, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
