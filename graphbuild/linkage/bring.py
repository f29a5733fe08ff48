"""Sightings → the pairs that they bring, and in how much they agree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ibis
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.links import PAIR, brought_pairs
from ringfence.graphbuild.linkage.neighbours import hub_neighbours
from ringfence.graphbuild.linkage.pairs import shared_hubs, shared_values, summed, view_weights
from ringfence.graphbuild.linkage.rarity import Crowd, measure_crowd, rarity, uses
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import View, view_kinds

Sightings = Callable[[View], Any]
"""View → Ibis table with account_id, entity_id, first_seen, a row a pair."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one view shows."""

    view: View
    crowd: Crowd
    used: Any
    """As :func:`~ringfence.graphbuild.linkage.rarity.uses` makes it."""
    near: Any | None
    """What pairs share of it but for hubs, summed; None for a weak view."""


@dataclass(frozen=True, slots=True)
class Bringing:
    """How sightings of any kind, real or rewired, bring pairs."""

    steps: Steps
    numbers: Any
    """Ibis table with account_id and account."""
    addresses: Any
    """Ibis table with address, subnet, asn, kind."""
    public: Collection[str]
    """Templates whose wording everybody can find."""
    settings: LinkSettings

    def crowds(self, views: Collection[View], sightings: Sightings) -> dict[View, Crowd]:
        """Return how the values of each view spread; views in which nobody shares anything are left out."""
        crowds = {
            view: measure_crowd(self.steps.engine, sightings(view), view, self.settings) for view in views
        }
        return {view: crowd for view, crowd in crowds.items() if crowd.shared}

    def bring(self, crowds: Mapping[View, Crowd], sightings: Sightings) -> Any:
        """Return the pairs as :func:`brought_pairs` makes them.

        Args:
            crowds: What is looked at, and how it spreads; at least one view that is not weak.
            sightings: View → Ibis table with account_id, entity_id, first_seen, a row a pair.
        """
        looks = [self._look(view, crowd, sightings(view)) for view, crowd in crowds.items()]
        pairs = self._candidates(looks)
        weighed = [self._weigh(look, pairs) for look in looks]
        return self.steps.keep(brought_pairs(ibis.union(*weighed), self.settings), "brought")

    def _look(self, view: View, crowd: Crowd, sightings: Any) -> _Look:
        keep, settings = self.steps.keep, self.settings
        public = ibis.memtable(pa.table({"entity_id": pa.array(sorted(self.public), pa.string())}))
        kinds = view_kinds(view, self.addresses, public)
        rare = rarity(sightings, view, crowd, settings, kinds)
        used = keep(uses(sightings, self.numbers, rare), f"uses-{view.name}")
        near = None if view.weak else keep(summed(shared_values(used)), f"near-{view.name}")
        return _Look(view, crowd, used, near)

    def _candidates(self, looks: Collection[_Look]) -> Any:
        """Return account_a, account_b of those weighed in full: rare values or many hubs join them."""
        settings, strong = self.settings, [look for look in looks if not look.view.weak]
        rows = ibis.union(*(view_weights(look.near, look.view, settings) for look in strong))
        close = rows.group_by(*PAIR).agg(weight=rows["weight"].sum())
        close = close.filter(close["weight"] >= settings.least_candidate).select(*PAIR)
        met = [
            self.steps.keep(
                hub_neighbours(look.used, settings.least_weight / settings.scaled(look.view.name), settings),
                f"neighbours-{look.view.name}",
            )
            for look in strong
            if look.crowd.hubs
        ]
        pairs = ibis.union(close, *met, distinct=True) if met else close
        return self.steps.keep(pairs, "candidates")

    def _weigh(self, look: _Look, pairs: Any) -> Any:
        parts = [] if look.near is None else [look.near.semi_join(pairs, PAIR)]
        if look.crowd.hubs:
            keep = partial(self.steps.keep, name=f"hubs-{look.view.name}")
            parts.append(summed(shared_hubs(look.used, pairs, keep)))
        return view_weights(ibis.union(*parts), look.view, self.settings)
