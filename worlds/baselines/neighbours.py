"""Columns of an account's neighbours, as XGBGraph has them.

Tang, Hua, Gao, Zhao and Li (2023), *GADBench: Revisiting and Benchmarking Supervised Graph Anomaly
Detection*: trees on features that are aggregated over neighbours stand up to graph neural networks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ringfence.worlds.baselines.clusters import Floats, numbered
from ringfence.worlds.baselines.tables import Tables, contents, fetched, sightings, without_hubs

KINDS = ("instrument", "device", "ip", "template")
HUB_CAP = 200
"""Entities that more accounts have make no neighbours."""


def shared_entities(tables: Tables, engine: Any, cap: int = HUB_CAP) -> pd.DataFrame:
    """Return account_id, kind, entity, sharers of entities that 2 to ``cap`` accounts have, contents too."""
    seen = without_hubs(sightings(tables, KINDS, contents(tables)), cap)
    rows: pd.DataFrame = fetched(engine, seen.order_by("kind", "entity", "account_id"))
    return rows


def neighbour_columns(columns: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with the mean and maximum of each over the accounts that share an entity.

    Someone who shares two entities counts twice in a mean; the account itself does not count. The maximum is
    over everyone who has one of the account's shared entities, the account included. Per entity type there is
    how many shared entities an account has, and how many other accounts have them.

    Args:
        columns: Own columns, indexed by account_id.
        seen: account_id, kind, entity, sharers, of :func:`shared_entities`.
    """
    account = numbered(columns.index, seen["account_id"])
    entity, names = pd.MultiIndex.from_frame(seen[["kind", "entity"]]).factorize()
    shape = (len(columns), len(names))
    has = sparse.csr_matrix((np.ones(len(seen), np.float32), (account, entity)), shape)
    pooled = [_pooled(columns[name].to_numpy(np.float32), has) for name in columns]
    means = pd.DataFrame({f"{n}:mean": mean for n, (mean, _max) in zip(columns, pooled, strict=True)})
    peaks = pd.DataFrame({f"{n}:max": peak for n, (_mean, peak) in zip(columns, pooled, strict=True)})
    counts = _counts(seen, account, len(columns))
    sides = [part.set_axis(columns.index, axis="index") for part in (means, peaks, counts)]
    return pd.concat([columns, *sides], axis="columns").astype("float32")


def _pooled(values: Any, has: Any) -> tuple[Floats, Floats]:
    """Return the mean over neighbours and the maximum over all who share, NaN where nobody has a value."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0).astype(np.float64)
    own = np.diff(has.indptr)
    total = has @ (has.T @ filled) - own * filled
    count = has @ (has.T @ known.astype(np.float64)) - own * known
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
    lowest = np.where(known, values, -np.inf).astype(np.float64)
    peak = _maximum(has, _maximum(has.T.tocsr(), lowest))
    return mean, np.where(np.isfinite(peak), peak, np.nan)


def _maximum(matrix: Any, values: Floats) -> Floats:
    """Return for each row the largest value of its columns; -inf for rows with none."""
    result = np.full(matrix.shape[0], -np.inf)
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if len(filled):
        result[filled] = np.maximum.reduceat(values[matrix.indices], matrix.indptr[filled])
    return result


def _counts(seen: pd.DataFrame, account: Any, accounts: int) -> pd.DataFrame:
    columns: dict[str, Floats] = {}
    for kind in sorted(set(seen["kind"])):
        rows = (seen["kind"] == kind).to_numpy()
        weights = seen["sharers"].to_numpy(np.float64)[rows] - 1
        columns[f"{kind}:shared"] = _summed(account[rows], np.ones(rows.sum()), accounts)
        columns[f"{kind}:sharers"] = _summed(account[rows], weights, accounts)
    return pd.DataFrame(columns, index=range(accounts))


def _summed(account: Any, weights: Floats, accounts: int) -> Floats:
    return np.bincount(account, weights=weights, minlength=accounts).astype(np.float64)
