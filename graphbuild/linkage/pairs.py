"""Which pairs share values of a view, and what that says of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ibis

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.draws import drawn_from
from ringfence.graphbuild.linkage.views import View

SUMMED = ("account_a", "account_b", "agreed", "shared", "led", "followed", "fewer")
"""Columns of what a pair shares of one view: ``account_a < account_b``, nats agreed, values shared, of how
many each side was seen first, and the values that the account with fewer of them has."""

TELLING = 1.0
"""Nats from which on a shared value tells who came first."""


def shared_values(used: Any, share: float = 1.0) -> Any:
    """Return what each pair shares but for hubs: :data:`SUMMED` and ``entity``, a row a value.

    Args:
        used: As :func:`ringfence.graphbuild.linkage.rarity.uses` makes them, of one view.
        share: Of the accounts, 0..1: only pairs are made whose ``account_a`` is among them.
    """
    near = used.filter(~used["hub"])
    other = near.view()
    drawn = near if share >= 1 else near.filter(drawn_from(near["account"], share))
    rows = drawn.inner_join(other, [drawn["entity"] == other["entity"], drawn["account"] < other["account"]])
    return _weighed(rows, drawn, other)


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
        agreed=weight,
        # Counts are floating point, since DuckDB adds up integers in 128 bits, at twice the cost.
        shared=ibis.literal(1.0),
        led=(telling & led.fill_null(True)).cast("float64"),
        followed=(telling & followed.fill_null(True)).cast("float64"),
        fewer=ibis.least(left["values"], right["values"]),
    )


def summed(shared: Any) -> Any:
    """Return :data:`SUMMED`, a row a pair, of rows of which a pair may have several."""
    return shared.group_by("account_a", "account_b").agg(
        agreed=shared["agreed"].sum(),
        shared=shared["shared"].sum(),
        led=shared["led"].sum(),
        followed=shared["followed"].sum(),
        fewer=shared["fewer"].max(),
    )


def view_weights(sums: Any, view: View, settings: LinkSettings) -> Any:
    """Return account_a, account_b, view, family, weak, weight, led, followed of the pairs a view speaks for.

    Each value of the account with fewer values that does not link it to the other costs ``-ln(1 - m)``, so
    that two busy accounts do not become a pair by chance; a view never speaks against a pair, since an
    operator who keeps cards apart is no innocent for that.

    Args:
        sums: Ibis table of :data:`SUMMED`, a row a pair.
        view: What they are of.
        settings: Agreement probabilities, scales, and the cap of weak views.
    """
    apart = (sums["fewer"] - sums["shared"]) * math.log(1 - settings.agreement[view.name])
    weight = (sums["agreed"] + apart) * settings.scaled(view.name)
    if view.weak:
        weight = ibis.least(weight, ibis.literal(settings.weak_cap))
    # Everybody has weak values, so nobody came first to them.
    telling = 0 if view.weak else 1
    weighed = sums.select(
        "account_a",
        "account_b",
        view=ibis.literal(view.name),
        family=ibis.literal(str(view.family)),
        weak=ibis.literal(view.weak),
        weight=weight.round(6),
        led=sums["led"] * telling,
        followed=sums["followed"] * telling,
    )
    return weighed.filter(weighed["weight"] > 0)
