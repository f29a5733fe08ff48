"""What an account's neighbours are like, as columns: the inputs of the tree models.

The recipe is XGBGraph's (Tang et al., GADBench, 2023): own features beside aggregates of the neighbours'
features over each relation, over one hop (mean and maximum) and two (mean of means).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ringfence.gnn.features import ACCOUNT, LINK, Floats, degrees, log_scale
from ringfence.snapshot import Edges, Snapshot

Nodes = npt.NDArray[np.int64]


def own_features(snapshot: Snapshot) -> Floats:
    """Return the accounts' attributes as they are, NaN where missing; shape: ``(n, f)``."""
    return snapshot.features[ACCOUNT]


def neighbour_features(snapshot: Snapshot) -> Floats:
    """Return own attributes, degrees, and aggregates of the neighbours'.

    Returns:
        shape ``(n, f + r + 3·f·v)`` for f attributes, r degree columns and v views: one a relation between
        accounts and entities, one a direction of a relation among accounts, none where a relation has no
        edges. An account is no neighbour of its own; one without neighbours gets NaN.
    """
    values = log_scale(snapshot.features[ACCOUNT])
    columns = [own_features(snapshot), degrees(snapshot, ACCOUNT)]
    for (source, relation, target), edges in sorted(snapshot.edges.items()):
        if not edges.index.size or not values.size:
            continue
        if source == ACCOUNT and target == ACCOUNT:
            for ends in _directions(relation, edges):
                columns += _aggregates(_AmongAccounts(ends, len(values)), values)
        elif ACCOUNT in (source, target):
            accounts, entities = edges.index if source == ACCOUNT else edges.index[::-1]
            columns += _aggregates(_ThroughEntities(accounts, entities, edges.weight, len(values)), values)
    return np.hstack(columns).astype(np.float32)


def _directions(relation: str, edges: Edges) -> list[Edges]:
    """Return edges to read from row 0 to row 1: both ways in one view for links, a view a way for others."""
    turned = Edges(edges.index[::-1], edges.weight)
    if relation != LINK:
        return [edges, turned]
    return [
        Edges(np.hstack([edges.index, turned.index]), np.concatenate([edges.weight, turned.weight])),
    ]


def _aggregates(view: _AmongAccounts | _ThroughEntities, values: Floats) -> list[Floats]:
    mean = view.mean(values)
    return [mean, view.mean(np.nan_to_num(mean)), view.maximum(values)]


class _AmongAccounts:
    """Neighbours over edges among accounts."""

    def __init__(self, edges: Edges, size: int) -> None:
        self._from, self._to = edges.index
        self._weights = sparse.csr_array(
            (edges.weight.astype(np.float64), (self._from, self._to)), (size, size)
        )

    def mean(self, values: Floats) -> Floats:
        """Return the weighted mean over neighbours; shape: as given."""
        return _divide(self._weights @ values, self._weights.sum(axis=1))

    def maximum(self, values: Floats) -> Floats:
        """Return the maximum over neighbours; shape: as given."""
        return _grouped_maximum(values[self._to], self._from, len(values))


class _ThroughEntities:
    """Neighbours over entities in common, without a matrix of pairs: a hub of h accounts costs h, not h²."""

    def __init__(self, accounts: Nodes, entities: Nodes, weight: Floats, size: int) -> None:
        count = int(entities.max(initial=-1)) + 1
        self._accounts, self._entities = accounts, entities
        sharing = np.bincount(entities, minlength=count)
        # 1 / (h - 1) gives each entity one vote, divided among the others that use it: hubs say little.
        rarity = np.where(sharing > 1, 1 / np.maximum(sharing - 1, 1), 0)
        seen = sparse.csr_array((weight.astype(np.float64), (accounts, entities)), (size, count))
        self._towards, self._back = seen * rarity[None, :], sparse.csr_array(seen.T)
        self._itself = (seen.power(2) * rarity[None, :]).sum(axis=1)

    def mean(self, values: Floats) -> Floats:
        """Return the mean over other accounts, weighted by what is shared; shape: as given."""
        total = self._towards @ (self._back @ values.astype(np.float64)) - self._itself[:, None] * values
        weight = self._towards @ self._back.sum(axis=1) - self._itself
        alone = ~(self._towards.sum(axis=1) > 0)
        return _divide(total, np.where(alone, 0, weight))

    def maximum(self, values: Floats) -> Floats:
        """Return the maximum over other accounts; shape: as given."""
        best = np.column_stack([self._best_other(column[self._accounts]) for column in values.T])
        largest = _grouped_maximum(best, self._accounts, len(values))
        return np.where(np.isneginf(largest), np.nan, largest).astype(np.float32)

    def _best_other(self, values: Floats) -> Floats:
        """Return, per sighting, the largest value among the entity's other sightings, -inf where none."""
        order = np.lexsort((values, self._entities))
        ranked, entity = values[order], self._entities[order]
        last = np.append(np.flatnonzero(np.diff(entity)), len(entity) - 1)
        group = np.cumsum(np.append(0, np.diff(entity) != 0))
        second = np.where(np.append(-1, last[:-1]) < last - 1, ranked[last - 1], -np.inf)
        other = ranked[last][group]
        other[last] = second
        result: Floats = np.empty_like(values)
        result[order] = other
        return result


def _divide(total: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> Floats:
    known = weight > 0
    result = np.full(total.shape, np.nan)
    result[known] = total[known] / weight[known, None]
    return result.astype(np.float32)


def _grouped_maximum(values: Floats, group: Nodes, size: int) -> Floats:
    result = np.full((size, values.shape[1]), np.nan, np.float32)
    if len(group):
        order = np.argsort(group, kind="stable")
        starts = np.append(0, np.flatnonzero(np.diff(group[order])) + 1)
        result[group[order][starts]] = np.maximum.reduceat(values[order], starts, axis=0)
    return result
