"""Sightings → the pairs that they bring, and in how much they agree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ibis
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.draws import drawn_from
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

    def bring(self, crowds: Mapping[View, Crowd], sightings: Sightings, share: float = 1.0) -> Any:
        """Return the pairs as :func:`brought_pairs` makes them.

        Args:
            crowds: What is looked at, and how it spreads; at least one view that is not weak.
            sightings: View → Ibis table with account_id, entity_id, first_seen, a row a pair.
            share: Of the accounts, 0..1: only pairs are brought whose ``account_a`` is among them.
        """
        looks = [self._look(view, crowd, sightings(view), share) for view, crowd in crowds.items()]
        pairs = self._candidates(looks, share)
        weighed = [self._weigh(look, self._open(look, looks, pairs)) for look in looks]
        return self.steps.keep(brought_pairs(ibis.union(*weighed), self.settings), "brought")

    def _look(self, view: View, crowd: Crowd, sightings: Any, share: float) -> _Look:
        keep, settings = self.steps.keep, self.settings
        public = ibis.memtable(pa.table({"entity_id": pa.array(sorted(self.public), pa.string())}))
        kinds = view_kinds(view, self.addresses, public)
        rare = rarity(sightings, view, crowd, settings, kinds)
        used = keep(uses(sightings, self.numbers, rare), f"uses-{view.name}")
        near = None if view.weak else keep(summed(shared_values(used, share)), f"near-{view.name}")
        return _Look(view, crowd, used, near)

    def _candidates(self, looks: Collection[_Look], share: float) -> Any:
        """Return account_a, account_b of those weighed in full: rare values or many hubs join them."""
        least, strong = self.settings.least_candidate, [look for look in looks if not look.view.weak]
        rows = [self._near(look).select(*PAIR, "weight") for look in strong]
        rows += [
            self._met(look, share).mutate(weight=ibis.literal(least)) for look in strong if look.crowd.hubs
        ]
        found = ibis.union(*rows)
        close = found.group_by(*PAIR).agg(weight=found["weight"].sum())
        return self.steps.keep(close.filter(close["weight"] >= least).select(*PAIR), "candidates")

    def _met(self, look: _Look, share: float) -> Any:
        """Return account_a, account_b of those whom many hubs join."""
        least = self.settings.least_weight / self.settings.scaled(look.view.name)
        pairs = hub_neighbours(look.used, least, self.settings)
        pairs = pairs if share >= 1 else pairs.filter(drawn_from(pairs["account_a"], share))
        return self.steps.keep(pairs, f"neighbours-{look.view.name}")

    def _near(self, look: _Look) -> Any:
        """Return what a view that is not weak says of pairs, but for hubs, which can only add to it."""
        return view_weights(look.near, look.view, self.settings)

    def _open(self, look: _Look, looks: Collection[_Look], pairs: Any) -> Any:
        """Return those of the pairs for which a view can make a difference.

        Of a family's views the strongest counts, so a weak one need not be asked where another says more.
        """
        if not look.view.weak:
            return pairs
        for other in looks:
            if other.near is not None and other.view.family == look.view.family:
                said = self._near(other)
                pairs = pairs.anti_join(said.filter(said["weight"] >= self.settings.weak_cap), PAIR)
        return pairs

    def _weigh(self, look: _Look, pairs: Any) -> Any:
        near = None if look.near is None else look.near.semi_join(pairs, PAIR)
        if look.crowd.hubs:
            hubs = shared_hubs(look.used, pairs, partial(self.steps.keep, name=f"hubs-{look.view.name}"))
            near = summed(hubs if near is None else ibis.union(near, hubs.select(*near.columns)))
        return view_weights(near, look.view, self.settings)
