"""Sightings as chance would have them: every account with as many values, every value with as many accounts.

The null against which links are significant. The values of a view are dealt out anew among its sightings
(the configuration model of a bipartite graph; a value that an account is dealt twice counts once). So what
single popular values, busy accounts and pairs with one card in common do to weights is in the null, and what
remains is what only common doings explain.
"""

from __future__ import annotations

from typing import Any

import ibis


def rewired(sightings: Any, draw: int = 0) -> Any:
    """Return account_id, entity_id, first_seen with the entities dealt out anew.

    All sightings are put into an order that is as good as random, and each gets the entity of the next one.

    Args:
        sightings: Ibis table with account_id, entity_id and first_seen, a row a pair.
        draw: Another number deals otherwise.
    """
    named = sightings["account_id"] + "\x1f" + sightings["entity_id"] + f"\x1f{draw}"
    rows = sightings.select("account_id", "entity_id", "first_seen", mixed=named.hexdigest("md5"))
    order = [rows["mixed"], rows["account_id"], rows["entity_id"]]
    follows = rows["entity_id"].lead().over(ibis.window(order_by=order))
    first = rows["entity_id"].first().over(ibis.window(order_by=order))
    dealt = rows.select("account_id", "first_seen", entity_id=ibis.coalesce(follows, first))
    return dealt.group_by("account_id", "entity_id").agg(first_seen=dealt["first_seen"].min())
