"""Gradient-boosted trees on own and on neighbours' columns, learnt from the world's labels.

Every account, labelled or not, is scored by a model that saw no label of its ring or group. Accounts that
are more likely ring than not are joined by what they share, so that trees name rings, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ringfence.errors import InputError
from ringfence.worlds.baselines.clusters import Numbers, clustered, components, large
from ringfence.worlds.baselines.columns import model_columns
from ringfence.worlds.baselines.folds import Flags, boosted_trees, cross_fit, deal
from ringfence.worlds.baselines.neighbours import neighbour_columns, shared_entities
from ringfence.worlds.baselines.shared_identifiers import Sharing, sharing_accounts
from ringfence.worlds.baselines.tables import Tables, fetched
from ringfence.worlds.score.findings import Findings

OWN, NEIGHBOURS = "tree_own", "tree_neighbours"
THRESHOLD = 0.5
"""Probability from which an account is joined to others."""


def tree_own(
    tables: Tables, engine: Any, columns: pd.DataFrame, groups: pd.Series[str], *, seed: int = 7
) -> Findings:
    """Score accounts by their own columns.

    Args:
        tables: Canonical tables.
        engine: Ibis backend.
        columns: Own columns of every account, indexed by account_id.
        groups: account_id → what no fold may cut.
        seed: Of folds and trees.

    Raises:
        InputError: there are no labels of both kinds.
    """
    return _answer(OWN, tables, engine, model_columns(columns), groups, seed)


def tree_neighbours(
    tables: Tables, engine: Any, columns: pd.DataFrame, groups: pd.Series[str], *, seed: int = 7
) -> Findings:
    """Score accounts by their own columns and those of who shares an entity; as :func:`tree_own`."""
    wide = neighbour_columns(model_columns(columns), shared_entities(tables, engine))
    return _answer(NEIGHBOURS, tables, engine, wide, groups, seed)


def can_learn(tables: Tables, engine: Any) -> bool:
    """Return whether there are labels of both kinds."""
    label = tables("labels")["label"]
    return bool(engine.to_pyarrow(label.nunique()).as_py() > 1)


def _answer(
    detector: str, tables: Tables, engine: Any, columns: pd.DataFrame, groups: pd.Series[str], seed: int
) -> Findings:
    target, known = _labels(tables, engine, columns.index)
    dealt = groups.reindex(columns.index).fillna(pd.Series(columns.index, columns.index))
    scores = cross_fit(columns, target, known, deal(dealt, target & known, seed), boosted_trees(seed))
    share = target[known].mean()
    flagged = scores + np.log(share / (1 - share)) >= np.log(THRESHOLD / (1 - THRESHOLD))
    return clustered(detector, columns.index, _joined(tables, engine, columns.index, flagged), scores)


def _labels(tables: Tables, engine: Any, accounts: pd.Index[str]) -> tuple[Flags, Flags]:
    """Return which accounts are labelled ring, and which at all; an account's last label holds."""
    rows = fetched(engine, tables("labels").order_by("ts", "account_id", "label"))
    label = rows.groupby("account_id")["label"].last().reindex(accounts)
    target, known = (label == "ring").to_numpy(bool), label.notna().to_numpy(bool)
    if not 0 < target.sum() < known.sum():
        raise InputError("The world's labels name no ring account, or no benign one; trees cannot learn.")
    return target, known


def _joined(tables: Tables, engine: Any, accounts: pd.Index[str], flagged: Flags) -> Numbers:
    """Return the components of flagged accounts over shared entities; -1 for others; shape: ``(n,)``."""
    account, entity, _sharers = sharing_accounts(tables, engine, accounts, Sharing())
    inside = flagged[account]
    groups = components(len(accounts), account[inside], entity[inside])
    return large(np.where(flagged, groups, -1))
