"""Pairs through hubs without cliques: of all who share a hub, those who share most else.

A template that four thousand accounts send makes eight million pairs, and a ring of four thousand has no
other. So accounts are sorted, for several independent draws, by a signature of all the hubs they were seen
with, and each is paired with the next few of the same signature: a number of pairs that grows with the
accounts and not with their square. Signatures are weighted minwise hashes (Broder 1997; rare hubs are drawn
more often, after the exponential draws of Chum, Philbin and Zisserman 2008), several of them in a row (Indyk
and Motwani 1998), so that two accounts meet the likelier the more of their rare hubs they have in common.
"""

from __future__ import annotations

from typing import Any

import ibis

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.draws import PRIME, hashed


def hub_neighbours(used: Any, least: float, settings: LinkSettings) -> Any:
    """Return account_a < account_b, each once: accounts that are likely to share much through hubs.

    Args:
        used: As :func:`ringfence.graphbuild.linkage.rarity.uses` makes them, of one view.
        least: Nats. Accounts whose hubs could not add up to so much, if all were shared, are left out.
        settings: How many signatures, how long, and how many neighbours in each.
    """
    hubs = used.filter(used["hub"])
    says = hubs["factor"] * (hubs["says"] - hubs["crowd"])
    hubs = hubs.select("account", "entity", says=says).filter(says > 0)
    total = hubs["says"].sum().over(ibis.window(group_by="account"))
    hubs = hubs.mutate(total=total)
    hubs = hubs.filter(hubs["total"] >= least).select("account", "entity", "says")
    drawn = [_paired(hubs, draw, settings) for draw in range(settings.hub_signatures)]
    return ibis.union(*drawn).distinct()


def _paired(hubs: Any, draw: int, settings: LinkSettings) -> Any:
    """Return the pairs of one draw."""
    parts = {
        f"part_{i}": _minwise(hubs, draw * settings.signature_length + i)
        for i in range(settings.signature_length)
    }
    signed = hubs.group_by("account").agg(**parts)
    place = hashed(signed["account"], settings.hub_signatures * settings.signature_length + draw)
    order = ibis.window(group_by=list(parts), order_by=[place, signed["account"]])
    nexts = {
        f"next_{i}": signed["account"].lead(i).over(order) for i in range(1, settings.hub_neighbours + 1)
    }
    rows = signed.mutate(**nexts)
    pairs = ibis.union(*(rows.select("account", other=name) for name in nexts))
    pairs = pairs.filter(pairs["other"].notnull())
    return pairs.select(
        account_a=ibis.least(pairs["account"], pairs["other"]),
        account_b=ibis.greatest(pairs["account"], pairs["other"]),
    )


def _minwise(hubs: Any, draw: int) -> Any:
    """Return the hub that an account draws: each with a chance in proportion to what it says."""
    uniform = (hashed(hubs["entity"], draw).cast("float64") + 0.5) / PRIME
    # The earliest of exponential waiting times; rounded, so that no engine's logarithm decides a tie.
    waits = (-uniform.ln() / hubs["says"]).round(9)
    return hubs["entity"].argmin(waits)
