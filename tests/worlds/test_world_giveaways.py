"""No column of single accounts gives a world's rings away; a spoilt world is caught."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from made_world import MadeWorld, passing

from ringfence.engine import connect
from ringfence.worlds.baselines.columns import own_columns
from ringfence.worlds.make import WorldRequest
from ringfence.worlds.separable import boosted, single_columns

SINGLE, BOOSTED = 0.15, 0.5
"""The most that a shallow tree on one column, and boosted trees on all, may reach: precision at 1 % rings."""


@pytest.fixture(scope="module")
def plain_world() -> Iterator[MadeWorld]:
    """As figures are reported on: one account in a hundred is a ring's."""
    with passing(WorldRequest("report-everyday", 0.006, 1002)) as world:
        yield world


@pytest.fixture(scope="module")
def columns(plain_world: MadeWorld) -> pd.DataFrame:
    return own_columns(plain_world.folder / "input", connect(None))


@pytest.fixture(scope="module")
def guilty(plain_world: MadeWorld, columns: pd.DataFrame) -> pd.Series:
    ring = plain_world.truth.set_index("account_id")["ring"]
    return ring.notna().reindex(columns.index)


def test_a_tree_on_one_column_finds_next_to_nothing(plain_world: MadeWorld, columns: pd.DataFrame) -> None:
    found = single_columns(columns, plain_world.truth).set_index("column")["average_precision"]
    assert len(found) > 60
    assert found.max() < SINGLE, found.head().to_dict()
    for column in ("country", "language", "plan", "email_domain"):
        assert found.filter(like=column).max() < 0.03, column


def test_boosted_trees_on_all_columns_do_not_find_the_rings(
    plain_world: MadeWorld, columns: pd.DataFrame
) -> None:
    assert boosted(columns, plain_world.truth) < BOOSTED


def test_one_giveaway_column_is_caught(
    plain_world: MadeWorld, columns: pd.DataFrame, guilty: pd.Series
) -> None:
    rng = np.random.default_rng(1)
    spoilt = columns[["requests", "logins"]].assign(told=rng.normal(size=len(columns)) + 4 * guilty)
    found = single_columns(spoilt, plain_world.truth).set_index("column")["average_precision"]
    assert found["told"] > SINGLE
    assert found.drop(["told"]).max() < SINGLE


def test_small_hints_in_many_columns_are_caught(
    plain_world: MadeWorld, columns: pd.DataFrame, guilty: pd.Series
) -> None:
    rng = np.random.default_rng(2)
    hints = {f"hint_{n}": rng.normal(size=len(columns)) + 1.6 * guilty for n in range(6)}
    spoilt = columns[["requests"]].assign(**hints)
    alone = single_columns(spoilt, plain_world.truth)["average_precision"]
    assert alone.max() < SINGLE
    assert boosted(spoilt, plain_world.truth) > BOOSTED
