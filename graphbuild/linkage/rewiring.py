"""Sightings as chance would have them: every account with as many values, every value with as many accounts.

The null against which links are significant. The values of a view are dealt out anew among its sightings
(the configuration model of a bipartite graph; a value that an account is dealt twice counts once). So what
single popular values, busy accounts and pairs with one card in common do to weights is in the null, and what
remains is what only common doings explain.
"""

from __future__ import annotations

from typing import Any

import ibis

from ringfence.graphbuild.linkage.draws import hashed


def rewired(sightings: Any, draw: int = 0) -> Any:
    """Return account_id, entity_id, first_seen with the entities dealt out anew.

    Args:
        sightings: Ibis table with account_id, entity_id and first_seen, a row a pair.
        draw: Another number deals otherwise.
    """
    order = ibis.row_number().over(order_by=["account_id", "entity_id"]).cast("int64")
    rows = sightings.mutate(place=order)
    dealt = rows.select("entity_id", mixed=hashed(rows["place"], draw), tie=rows["place"])
    order = ibis.row_number().over(order_by=["mixed", "tie"]).cast("int64")
    dealt = dealt.select("entity_id", to=order)
    seats = rows.select("account_id", "first_seen", "place")
    joined = seats.inner_join(dealt, seats["place"] == dealt["to"])
    return joined.group_by("account_id", "entity_id").agg(first_seen=joined["first_seen"].min())
