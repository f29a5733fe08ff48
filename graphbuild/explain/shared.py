"""What given pairs of accounts share, value by value, weighed by the very functions that linked them.

The accounts are looked up first, and then nothing but the values that two of them have, so it takes seconds
however many accounts there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.graphbuild.linkage.pairs import shared_by, summed, view_weights
from ringfence.graphbuild.linkage.rarity import Crowd, rarity, uses
from ringfence.graphbuild.linkage.views import VIEWS, Seen, View, view_kinds, view_sightings
from ringfence.schema import ENTITY_TYPES

VALUE_COLUMNS = (*PAIR, "view", "value", "accounts", "kind", "nats", "led", "followed")
VIEW_COLUMNS = (*PAIR, "view", "family", "weak", "weight", "agreed", "shared", "fewer", "led", "followed")


@dataclass(frozen=True, slots=True)
class Sightings:
    """The sightings that a run linked accounts by."""

    engine: Any
    """A :class:`ringfence.engine.Engine`."""
    seen: Seen
    """Sightings of the entity types."""
    addresses: Any
    """Ibis table with address, subnet, asn, kind."""
    payments: Any
    """Ibis table with account_id, ts, bin, instrument_type."""
    public: Any
    """Ibis table with entity_id: templates whose wording everybody can find."""
    settings: LinkSettings
    totals: Mapping[str, int] = field(default_factory=dict)
    """View → its sightings in all, where that is known; counted where it is not."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What pairs share, in nats and before any cap; both in the order of the pairs."""

    values: pd.DataFrame
    """:data:`VALUE_COLUMNS`, a row a pair and value: how many ``accounts`` have it in all, what it says
    by itself; ``led`` and ``followed`` are 1 where it tells that account_a came no later, and no earlier."""
    views: pd.DataFrame
    """:data:`VIEW_COLUMNS`, a row a pair and view that speaks for it; ``agreed`` is the sum of the values."""


def shared_of(sightings: Sightings, pairs: pd.DataFrame) -> Shared:
    """Return what pairs of accounts share.

    Args:
        sightings: What the run saw.
        pairs: account_a < account_b, each once.
    """
    names = pd.Index(pd.unique(pairs[list(PAIR)].to_numpy().ravel())).sort_values()
    numbers = pa.table(
        {"account_id": pa.array(names, pa.string()), "account": pa.array(range(len(names)), pa.int64())}
    )
    numbered = pa.table({end: pa.array(names.get_indexer(pairs[end]), pa.int64()) for end in PAIR})
    views = [view for view in VIEWS if view.family not in sightings.settings.without]
    looks = [_Look(sightings, view, numbers, numbered).told() for view in views]
    return Shared(
        _named(
            [values for values, _ in looks],
            names,
            VALUE_COLUMNS,
            ["view", "nats", "value"],
            [True, False, True],
        ),
        _named([weighed for _, weighed in looks], names, VIEW_COLUMNS, ["view"], [True]),
    )


def _named(
    frames: list[pd.DataFrame], names: pd.Index, columns: tuple[str, ...], by: list[str], rising: list[bool]
) -> pd.DataFrame:
    """Return rows with the names of accounts, in the order of the pairs."""
    full = [frame for frame in frames if len(frame)] or frames[:1]
    rows = pd.concat(full, ignore_index=True)
    rows = rows.sort_values([*PAIR, *by], ascending=[True, True, *rising], ignore_index=True)
    return rows.assign(**{end: names.take(rows[end].to_numpy(np.int64)) for end in PAIR})[list(columns)]


def _whole(rows: Any, *columns: str) -> Any:
    """Return rows with counts as whole numbers."""
    return rows.mutate(**{name: rows[name].cast("int64") for name in columns})


@dataclass(frozen=True, slots=True)
class _Look:
    """One view of the pairs that are asked about."""

    sightings: Sightings
    view: View
    numbers: pa.Table
    pairs: pa.Table

    def told(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the values that the pairs share, and the views that speak for them; accounts are numbers."""
        engine, settings = self.sightings.engine, self.sightings.settings
        numbers = ibis.memtable(self.numbers)
        mine = self._seen(lambda rows: rows.semi_join(numbers, "account_id"))
        mine = ibis.memtable(engine.to_pyarrow(mine))
        common = mine.group_by("entity_id").agg(of=mine.count()).filter(lambda rows: rows["of"] > 1)
        common = engine.to_pyarrow(common.select(common=common["entity_id"]))
        if not common.num_rows:
            return pd.DataFrame(columns=list(VALUE_COLUMNS)), pd.DataFrame(columns=list(VIEW_COLUMNS))
        rare, kinds = self._rarity(common)
        used = uses(mine, numbers, rare)
        shared = ibis.memtable(engine.to_pyarrow(shared_by(used, ibis.memtable(self.pairs))))
        named = rare.select("entity", "entity_id", accounts="degree")
        values = shared.inner_join(named, "entity").left_join(kinds, "entity_id")
        values = _whole(values, "led", "followed").mutate(
            view=ibis.literal(self.view.name), value=values["entity_id"].cast("string")
        )
        sums = summed(shared)
        weighed = view_weights(sums, self.view, settings)
        views = weighed.inner_join(sums.select(*PAIR, "agreed", "shared", "fewer"), PAIR)
        views = _whole(views, "shared", "led", "followed")
        return (
            engine.to_pyarrow(values.rename(nats="agreed").select(*VALUE_COLUMNS)).to_pandas(),
            engine.to_pyarrow(views.select(*VIEW_COLUMNS)).to_pandas(),
        )

    def _rarity(self, common: pa.Table) -> tuple[Any, Any]:
        """Return what is known of the values that two of the accounts have, and the kinds of these."""
        engine, view = self.sightings.engine, self.view
        wanted = ibis.memtable(common)
        addresses = self._of(self.sightings.addresses, wanted) if self._placed else self.sightings.addresses
        public = self._of(self.sightings.public, wanted, "entity_id") if view.name == "template" else wanted
        kinds = view_kinds(view, addresses, public)
        if kinds is not None:
            kinds = ibis.memtable(
                engine.to_pyarrow(kinds.select("entity_id", kind=kinds["kind"].cast("string")))
            )
        near = ibis.memtable(engine.to_pyarrow(self._near(wanted)))
        # Whether a value is a hub decides which pairs are looked at, and these are given.
        crowd = Crowd(self._total(), 0, hubs=True, shared=True)
        rare = ibis.memtable(engine.to_pyarrow(rarity(near, view, crowd, self.sightings.settings, kinds)))
        nothing = rare.select("entity_id", kind=ibis.null("string")).filter(ibis.literal(False))
        return rare, nothing if kinds is None else kinds

    @property
    def _placed(self) -> bool:
        """Whether the values are addresses, or where these lie."""
        return self.view.name in ("ip", "subnet", "asn")

    def _of(self, rows: Any, wanted: Any, column: str | None = None) -> Any:
        column = column or ("address" if self.view.name == "ip" else self.view.name)
        return rows.semi_join(wanted, rows[column] == wanted["common"])

    def _seen(self, narrow: Callable[[Any], Any] = lambda rows: rows, addresses: Any | None = None) -> Any:
        """Return the view's sightings, of what ``narrow`` leaves of the rows that it looks at."""
        return view_sightings(
            self.view,
            lambda name: narrow(self.sightings.seen(name)),
            self.sightings.addresses if addresses is None else addresses,
            lambda _: narrow(self.sightings.payments),
        )

    def _near(self, wanted: Any) -> Any:
        """Return everybody's sightings of the values that are asked about."""
        if self.view.name in ENTITY_TYPES:
            return self._seen(lambda rows: self._of(rows, wanted, "entity_id"))
        if self._placed:
            return self._seen(addresses=self._of(self.sightings.addresses, wanted))
        return self._seen(lambda rows: self._of(rows, wanted))

    def _total(self) -> int:
        known = self.sightings.totals.get(self.view.name)
        return int(self.sightings.engine.to_pyarrow(self._seen().count()).as_py()) if known is None else known
