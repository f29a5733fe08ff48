"""Accounts placed component by component, held against all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.join import join_pieces
from ringfence.graphbuild.placement import place_accounts

ACCOUNTS = np.array([f"acc-{number:03}" for number in range(120)])


def some_links(seed: int) -> pd.DataFrame:
    """Return links of several components, some of which hold several communities."""
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(0, 24, (400, 2)) + 24 * rng.integers(0, 4, (400, 1)), axis=1)
    # A few communities within each component: most links stay within a run of eight accounts.
    near = (ends[:, 0] // 8 == ends[:, 1] // 8) | (rng.random(400) < 0.1)
    ends = np.unique(ends[near & (ends[:, 0] < ends[:, 1])], axis=0)
    return pd.DataFrame(
        {
            "account_a": ACCOUNTS[ends[:, 0]],
            "account_b": ACCOUNTS[ends[:, 1]],
            "weight": rng.uniform(2, 9, len(ends)).round(6),
        }
    )


def as_table(rows: pd.DataFrame) -> Any:
    return ibis.memtable(pa.Table.from_pandas(rows, preserve_index=False))


class Spread:
    """The local engine, its rows as if they were spread over many machines."""

    spread = True

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("follow", [False, True])
def test_component_by_component_is_the_same_as_all_at_once(
    seed: int, follow: bool, engine: Any, tmp_path: Path
) -> None:
    rows = some_links(seed)
    ends = np.stack([np.searchsorted(ACCOUNTS, rows[end]) for end in ("account_a", "account_b")], axis=1)
    previous = np.random.default_rng(seed).integers(-1, 12, len(ACCOUNTS)) if follow else None
    options: dict[str, Any] = {"resolution": 1.0, "seed": 5, "previous": previous}
    expected = find_communities(len(ACCOUNTS), ends, rows["weight"].to_numpy(), **options)
    assert 4 < expected.community.max() < 40
    for number, one in enumerate((engine, Spread(engine))):
        links = as_table(rows.sample(frac=1, random_state=seed))
        found = place_accounts(one, links, pa.array(ACCOUNTS), tmp_path / str(number), **options)
        np.testing.assert_array_equal(found.component, expected.component)
        np.testing.assert_array_equal(found.community, join_pieces(ends, expected.community))


def test_without_links_each_account_is_alone(engine: Any, tmp_path: Path) -> None:
    links = as_table(some_links(0).head(0))
    found = place_accounts(
        Spread(engine), links, pa.array(ACCOUNTS), tmp_path / "none", resolution=1.0, seed=5
    )
    np.testing.assert_array_equal(found.component, np.arange(len(ACCOUNTS)))
    assert (found.community == -1).all()
