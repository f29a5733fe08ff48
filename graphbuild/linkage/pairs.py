"""Which pairs share values of a view, and what that says of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ibis

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.views import View

SUMMED = ("account_a", "account_b", "agreed", "shared", "led", "followed", "fewer")
"""Columns of what a pair shares of one view, see :func:`summed`."""

TELLING = 1.0
"""Nats from which on a shared value tells who came first."""


def shared_values(used: Any) -> Any:
    """Return what each pair shares but for hubs, a row a value.

    Columns are account_a < account_b, entity, weight in nats, led, followed (1 where the first came no
    later, no earlier) and fewer, the values of the account that has fewer.

    Args:
        used: As :func:`ringfence.graphbuild.linkage.rarity.uses` makes them, of one view.
    """
    near = used.filter(~used["hub"])
    other = near.view()
    rows = near.inner_join(other, [near["entity"] == other["entity"], near["account"] < other["account"]])
    return _weighed(rows, near, other)


def shared_hubs(used: Any, pairs: Any, keep: Callable[[Any], Any] | None = None) -> Any:
    """Return what ``pairs`` share of hubs, as :func:`shared_values` does.

    Args:
        used: As there.
        pairs: Ibis table with account_a < account_b, each once.
        keep: Carries out an expression, and returns the table of what came of it. An engine left to itself
            may join all who share a hub first, which are as many as accounts squared.
    """
    return _shared_by(used.filter(used["hub"]), pairs, keep)


def shared_by(used: Any, pairs: Any) -> Any:
    """Return everything that ``pairs`` share, as :func:`shared_values` does."""
    return _shared_by(used, pairs)


def _shared_by(used: Any, pairs: Any, keep: Callable[[Any], Any] | None = None) -> Any:
    left = used.inner_join(pairs, used["account"] == pairs["account_a"]).drop("account_a")
    left = keep(left) if keep else left
    other = used.view()
    rows = left.inner_join(other, [left["account_b"] == other["account"], left["entity"] == other["entity"]])
    return _weighed(rows, left, other)


def _weighed(rows: Any, left: Any, right: Any) -> Any:
    says = left["says"] - ibis.greatest(left["crowd"], right["crowd"])
    weight = ibis.greatest(left["factor"] * says, ibis.literal(0.0))
    telling = weight >= TELLING
    # Where a time is not known, nothing tells that one side came first.
    led, followed = (left["first"] <= right["first"]), (right["first"] <= left["first"])
    return rows.select(
        account_a=left["account"],
        account_b=right["account"],
        entity=left["entity"],
        weight=weight,
        led=(telling & led.fill_null(True)).cast("int64"),
        followed=(telling & followed.fill_null(True)).cast("int64"),
        fewer=ibis.least(left["values"], right["values"]),
    )


def summed(shared: Any) -> Any:
    """Return :data:`SUMMED`, a row a pair.

    They are nats agreed, values shared, of how many each side was seen first, and the values that the account
    with fewer of them has.
    """
    return shared.group_by("account_a", "account_b").agg(
        agreed=shared["weight"].sum(),
        shared=shared.count(),
        led=shared["led"].sum().cast("int64"),
        followed=shared["followed"].sum().cast("int64"),
        fewer=shared["fewer"].max(),
    )


def view_weights(sums: Any, view: View, settings: LinkSettings) -> Any:
    """Return account_a, account_b, view, family, weak, weight, led, followed of the pairs a view speaks for.

    Each value of the account with fewer values that does not link it to the other costs ``-ln(1 - m)``, so
    that two busy accounts do not become a pair by chance; a view never speaks against a pair, since an
    operator who keeps cards apart is no innocent for that.

    Args:
        sums: Ibis table of :data:`SUMMED`; a pair may have several rows, which add up.
        view: What they are of.
        settings: Agreement probabilities, scales, and the cap of weak views.
    """
    total = sums.group_by("account_a", "account_b").agg(
        agreed=sums["agreed"].sum(),
        shared=sums["shared"].sum().cast("int64"),
        led=sums["led"].sum().cast("int64"),
        followed=sums["followed"].sum().cast("int64"),
        fewer=sums["fewer"].max(),
    )
    apart = (total["fewer"] - total["shared"]) * math.log(1 - settings.agreement[view.name])
    weight = (total["agreed"] + apart) * settings.scaled(view.name)
    if view.weak:
        weight = ibis.least(weight, ibis.literal(settings.weak_cap))
    # Everybody has weak values, so nobody came first to them.
    telling = 0 if view.weak else 1
    weighed = total.select(
        "account_a",
        "account_b",
        view=ibis.literal(view.name),
        family=ibis.literal(str(view.family)),
        weak=ibis.literal(view.weak),
        weight=weight.round(6),
        led=total["led"] * telling,
        followed=total["followed"] * telling,
    )
    return weighed.filter(weighed["weight"] > 0)
