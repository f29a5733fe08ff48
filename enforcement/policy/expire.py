"""Orders whose time is over: undone, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.orders.place import withdraw_order
from ringfence.enforcement.orders.records import Order, OrderStatus, orders
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import PolicyError, UnknownCaseError

EXPIRED = "The time that it was ordered for is over."


@dataclass(frozen=True, slots=True)
class Expired:
    """What has run out."""

    reversals: tuple[Order, ...] = ()
    withdrawn: tuple[Order, ...] = ()
    """Orders whose time was over before anybody approved them."""
    stuck: tuple[str, ...] = ()
    """Why others could not be undone; they are tried again next time."""


def expire(writing: Writing, sinks: Mapping[str, Sink]) -> Expired:
    """Undo every order whose time is over, and withdraw those that nobody approved in time.

    One that cannot be undone, since a sink that must hear of it is no longer in the sinks file, keeps no
    other account waiting.
    """
    back: list[Order] = []
    withdrawn: list[Order] = []
    stuck: list[str] = []
    for found in orders(writing.connection):
        if found.expires_at is None or found.expires_at > writing.stamp:
            continue
        try:
            with writing.apart():
                if found.status is OrderStatus.ACTIVE:
                    back.append(reverse(writing, found.order_id, EXPIRED, sinks))
                elif found.status is OrderStatus.AWAITING:
                    withdrawn.append(withdraw_order(writing, found.order_id, EXPIRED))
        except (UnknownCaseError, PolicyError) as error:
            stuck.append(str(error))
    return Expired(tuple(back), tuple(withdrawn), tuple(stuck))
