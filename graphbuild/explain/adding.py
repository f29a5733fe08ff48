"""Links added up again without some of their evidence: what they would weigh had a value never been shared.

The steps are those of :mod:`~ringfence.graphbuild.linkage.pairs` and
:mod:`~ringfence.graphbuild.linkage.links`, over arrays, so that many such questions are answered in a
moment; with nothing left out, every link has the weight that the run gave it. Leaving out a family is
exact. Leaving out a value takes what it says from each pair that shares it, as if neither had been seen
with it; how rare the others are stays, and so do coarser views of it: an address leaves its subnet.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.config import LinkSettings
from ringfence.graphbuild.explain.shared import Shared
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.graphbuild.linkage.views import VIEWS
from ringfence.schema import LINK_FAMILIES

_FAMILY = {str(family): place for place, family in enumerate(LINK_FAMILIES)}
_ORDER = {view.name: place for place, view in enumerate(VIEWS)}
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Adding:
    """Links and what they rest on, as arrays."""

    settings: LinkSettings
    pairs: int
    names: pd.DataFrame
    """view, value, accounts: what is shared, by number."""
    pair: Ints
    """shape: ``(r,)``; the pair of each row of a pair and view."""
    family: Ints
    """shape: ``(r,)``."""
    order: Ints
    """shape: ``(r,)``; the place of the view among all: the first of equals counts."""
    agreed: Floats
    """shape: ``(r,)``; in nats, like the next."""
    apart: Floats
    scale: Floats
    most: Floats
    """shape: ``(r,)``; the most that the view adds."""
    told: Ints
    """shape: ``(r, 2)``; values to which account_a came no later, and no earlier."""
    row: Ints
    """shape: ``(v,)``; the row of each value that a pair shares."""
    value: Ints
    """shape: ``(v,)``; its number in ``names``."""
    nats: Floats
    """shape: ``(v,)``; what it says."""
    first: Ints
    """shape: ``(v, 2)``; as ``told``, of the value alone."""
    signals: Floats
    """shape: ``(pairs, families)``; what links have beyond what is shared."""

    @classmethod
    def of(cls, links: pd.DataFrame, shared: Shared, settings: LinkSettings) -> Adding:
        """Return links, ready to be added up without this or that.

        Args:
            links: Rows of ``links.parquet``, each pair once.
            shared: What these pairs share.
            settings: Those of the run.
        """
        place = pd.MultiIndex.from_frame(links[list(PAIR)])
        views, values = shared.views, shared.values
        rows = pd.MultiIndex.from_frame(views[[*PAIR, "view"]])
        where = rows.get_indexer(pd.MultiIndex.from_frame(values[[*PAIR, "view"]]))
        counted = values[where >= 0]
        named, numbers = np.unique(
            (counted["view"] + ":" + counted["value"]).to_numpy(str), return_inverse=True
        )
        names = (
            counted.assign(number=numbers).drop_duplicates("number").sort_values("number", ignore_index=True)
        )
        view = views["view"]
        missing = (views["fewer"] - views["shared"]).to_numpy(np.float64)
        apart = view.map(lambda name: math.log(1 - settings.agreement[name])).to_numpy(np.float64)
        bare = cls(
            settings=settings,
            pairs=len(links),
            names=names[["view", "value", "accounts", "kind"]].head(len(named)),
            pair=place.get_indexer(pd.MultiIndex.from_frame(views[list(PAIR)])).astype(np.int64),
            family=np.array([_FAMILY[name] for name in views["family"]], np.int64),
            order=np.array([_ORDER[name] for name in view], np.int64),
            agreed=views["agreed"].to_numpy(np.float64),
            apart=missing * apart,
            scale=view.map(settings.scaled).to_numpy(np.float64),
            most=np.where(views["weak"].to_numpy(bool), settings.weak_cap, np.inf),
            told=views[["led", "followed"]].to_numpy(np.int64),
            row=where[where >= 0].astype(np.int64),
            value=numbers.astype(np.int64),
            nats=counted["nats"].to_numpy(np.float64),
            first=counted[["led", "followed"]].to_numpy(np.int64),
            signals=np.zeros((len(links), len(LINK_FAMILIES))),
        )
        bare.signals[:] = links[list(LINK_FAMILIES)].to_numpy(np.float64) - bare.shared()
        bare.signals[np.abs(bare.signals) < 2e-6] = 0.0
        return bare

    def weights(self, values: Collection[int] = (), families: Collection[str] = ()) -> Floats:
        """Return what links weigh without some values and families; shape: ``(pairs, families)``, in nats.

        What is shared must bring a pair before signals about it are looked at, as when it was linked.
        """
        shared = self.shared(values, families)
        brought = shared.sum(axis=1) >= self.settings.least_candidate
        without = [_FAMILY[name] for name in families]
        caps = np.array([self.settings.cap(f) for f in LINK_FAMILIES])
        # What was capped when it was linked may be uncapped now; no more is known of it than what it added.
        total = np.minimum(shared + self.signals, caps + self.settings.signal_cap).round(6)
        total[:, without] = 0.0
        return np.where(brought[:, None], total, 0.0)

    def shared(self, values: Collection[int] = (), families: Collection[str] = ()) -> Floats:
        """Return the part of :meth:`weights` that is shared."""
        weight, told = self._views(values)
        weight[np.isin(self.family, [_FAMILY[name] for name in families])] = 0.0
        by_family = np.zeros((self.pairs, len(LINK_FAMILIES)))
        np.maximum.at(by_family, (self.pair, self.family), weight)
        by_family = np.minimum(by_family, [self.settings.cap(f) for f in LINK_FAMILIES])
        first = [np.bincount(self.pair, told[:, side] * (weight > 0), self.pairs) for side in (0, 1)]
        total, cap = by_family.sum(axis=1), self.settings.one_sided_cap
        alone = ((first[0] == 0) | (first[1] == 0)) & (total > cap)
        part = np.where(alone, cap / np.maximum(total, cap), 1.0)
        rounded: Floats = (by_family * part[:, None]).round(6)
        return rounded

    def carried(self, group: Ints | None = None) -> pd.DataFrame:
        """Return what each value carries, most first.

        Values of the strongest view of a family carry its weight in a link, each in proportion to what it
        says; with what signals add, they sum to the weight of the links.

        Args:
            group: Of each pair, shape ``(pairs,)``; groups are told apart. One of all pairs where None.

        Returns:
            view, value, accounts, kind, number, group, links, nats.
        """
        weight, _ = self._views()
        order = np.lexsort((self.order, -weight, self.family, self.pair))
        key = self.pair[order] * len(LINK_FAMILIES) + self.family[order]
        best = np.zeros(len(weight), np.bool_)
        best[order[np.diff(key, prepend=-1) != 0]] = True
        kept = self.shared()[self.pair, self.family] * best
        nats = self.nats * (kept / np.maximum(self.agreed, 1e-12))[self.row]
        of = np.zeros(self.pairs, np.int64) if group is None else group
        told, place = np.unique(of[self.pair[self.row]] * len(self.names) + self.value, return_inverse=True)
        groups, numbers = np.divmod(told, max(len(self.names), 1))
        rows = self.names.take(numbers).assign(
            number=numbers,
            group=groups,
            links=np.bincount(place, best[self.row], len(told)).astype(np.int64),
            nats=np.bincount(place, nats, len(told)).round(6),
        )
        rows = rows[rows["nats"] > 0]
        return rows.sort_values(["nats", "view", "value"], ascending=[False, True, True], ignore_index=True)

    def _views(self, values: Collection[int] = ()) -> tuple[Floats, Ints]:
        """Return what each row weighs, and who came first, without some values."""
        agreed, told = self.agreed.copy(), self.told.copy()
        gone = np.isin(self.value, np.fromiter(values, np.int64, len(values)))
        if gone.any():
            agreed -= np.bincount(self.row[gone], self.nats[gone], len(agreed))
            np.subtract.at(told, self.row[gone], self.first[gone] * (told[self.row[gone]] > 0))
        weight = np.minimum((agreed + self.apart) * self.scale, self.most).round(6)
        return np.maximum(weight, 0.0), told
