"""What a MISP event says of an order, a reversal, or a ring that goes by other ids.

What the casebook calls an event is an update of a MISP event: an order makes one, its reversals change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid5

from ringfence.enforcement.events import Event, EventKind, Target
from ringfence.records import iso_time

NAMESPACE = UUID("3137c6ec-0c19-4870-94da-87abe057433d")
"""Of all uuids that are made here; never to be changed: receivers know events by them."""

_TEMPLATE = {
    "name": "user-account",
    "meta-category": "misc",
    "description": "User-account object, defining aspects of user identification, authentication, privileges "
    "and other relevant data points.",
    "template_uuid": "49606b06-22f0-4ac8-8eee-2f12ad46f3d3",
    "template_version": "6",
}
"""What MISP's own template says; an object that says otherwise is shown as one without a template."""

_MEDIUM, _UNDEFINED = "2", "4"
_COMPLETED = "2"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What an event says of who tells it, and to whom."""

    tlp: str = "amber"
    distribution: int = 0
    organisation: tuple[str, str] | None = None
    """Name and uuid; without, it is whoever imports the event."""


def misp_event(event: Event, sharing: Sharing) -> dict[str, Any]:
    """Return an event as MISP's core format has it."""
    uuid = uuid5(NAMESPACE, event.reverses or event.event_id)
    since = event.occurred_at if event.reverses_at is None else event.reverses_at
    over = event.reverses_all or event.kind is EventKind.SUPERSEDED
    made: dict[str, Any] = {
        "uuid": str(uuid),
        "info": _info(event),
        "date": since.date().isoformat(),
        "timestamp": _seconds(event),
        "published": False,
        "publish_timestamp": "0",
        "threat_level_id": _UNDEFINED if over else _MEDIUM,
        "analysis": _COMPLETED,
        "distribution": str(sharing.distribution),
        "sharing_group_id": "0",
        "Attribute": _once(_attribute(event, uuid, **said) for said in _attributes(event)),
        "Tag": [{"name": f"tlp:{sharing.tlp}"}],
    }
    if event.accounts:
        made["Object"] = [_account(event, uuid, one) for one in event.accounts]
    if sharing.organisation is not None:
        name, known_as = sharing.organisation
        made["Orgc"] = {"name": name, "uuid": known_as}
    return made


def _info(event: Event) -> str:
    accounts = f"{len(event.accounts):,} account" + ("" if len(event.accounts) == 1 else "s")
    if event.kind is EventKind.SUPERSEDED:
        return f"Ringfence: ring {event.ring_id} goes by {', '.join(event.superseded_by)} from now on"
    if event.kind is EventKind.REVERSED:
        whole = "nothing of it stands" if event.reverses_all else "the rest of it stands"
        return f"Ringfence: {event.action} of ring {event.ring_id} taken back for {accounts}; {whole}"
    return f"Ringfence: {event.action} of ring {event.ring_id}, {accounts}"


def _attributes(event: Event) -> Iterator[dict[str, str]]:
    """Yield what is said of the ring as a whole: value, type, category and comment."""
    yield _internal(event.ring_id, f"ring, version {event.version}")
    yield _internal(event.event_id, f"event, {event.kind}")
    if event.reverses is not None:
        yield _internal(event.reverses, f"event, reversed by {event.event_id}")
    if event.order_id is not None:
        yield _internal(event.order_id, f"order: {event.action}, {_until(event)}")
    yield _remark(event.reason, f"reason for {event.event_id}; decided by {', '.join(event.decided_by)}")
    for ring in event.superseded_by:
        yield _internal(ring, f"ring that {event.ring_id} goes by")
    if event.kind is EventKind.ENFORCED:
        yield from _grounds(event)


def _grounds(event: Event) -> Iterator[dict[str, str]]:
    for statement in event.grounds.statements:
        yield _remark(statement, "evidence")
    for tactic in event.grounds.tactics:
        yield _remark(tactic, "tactic")
    for entity in event.grounds.entities:
        kind, _, value = entity.partition(":")
        comment = f"{kind}, shared by accounts of the ring"
        if kind == "ip" and _is_address(value):
            yield {"value": value, "type": "ip-src", "category": "Network activity", "comment": comment}
        else:
            yield {"value": value, "type": "text", "category": "Other", "comment": comment}


def _internal(value: str, comment: str) -> dict[str, str]:
    return {"value": value, "type": "text", "category": "Internal reference", "comment": comment}


def _remark(value: str, comment: str) -> dict[str, str]:
    return {"value": value, "type": "comment", "category": "Other", "comment": comment}


def _once(attributes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what was said before, and what is blank: MISP takes neither."""
    first: dict[str, dict[str, Any]] = {}
    for one in attributes:
        if one["value"].strip():
            first.setdefault(one["uuid"], one)
    return list(first.values())


def _attribute(event: Event, parent: UUID, **said: Any) -> dict[str, Any]:
    named = "\0".join((said["type"], said["category"], said["value"]))
    return {
        "uuid": str(uuid5(parent, named)),
        **said,
        "to_ids": said.get("to_ids", False),
        "disable_correlation": False,
        "timestamp": _seconds(event),
        "distribution": "5",
        "sharing_group_id": "0",
        "deleted": said.get("deleted", False),
    }


def _account(event: Event, parent: UUID, one: Target) -> dict[str, Any]:
    uuid = uuid5(parent, f"account\0{one.account_id}")
    free = event.kind is EventKind.REVERSED
    comment = (
        f"{event.action} taken back: {event.reason}"
        if free
        else f"{event.action}, {_until(event)}; {one.role}, score {one.score:g}"
    )
    user_id = _attribute(
        event,
        uuid,
        value=one.account_id,
        type="text",
        category="Other",
        object_relation="user-id",
        comment="",
        to_ids=not free,
        deleted=free,
    )
    return {
        **_TEMPLATE,
        "uuid": str(uuid),
        "timestamp": _seconds(event),
        "distribution": "5",
        "sharing_group_id": "0",
        "comment": comment,
        "deleted": free,
        "Attribute": [user_id],
    }


def _until(event: Event) -> str:
    return "no end set" if event.expires_at is None else f"until {iso_time(event.expires_at)}"


def _seconds(event: Event) -> str:
    return str(int(event.occurred_at.timestamp()))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
