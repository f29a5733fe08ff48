"""What a STIX 2.1 bundle tells of an event.

- A **campaign** is what the ring does. It uses **attack-patterns** (a tactic each) and **infrastructure** (an
  entity that accounts share; addresses as such, too). These live as long as the ring and go by its id.
- A **user-account** is an account. A *relationship* to the campaign says that an order is on it, from
  ``start_time`` until ``stop_time``; its labels are the action and the account's role, its confidence the
  account's score. This is what a consumer acts on.
- A **grouping** is the event: its reason, and everything that it is about.

A reversal sends the same relationships again, ``revoked`` and later than before: an account whose
relationship is revoked is free. Where nothing of the order stands any more, its grouping is revoked, too.
Accounts cannot be revoked, nor is the campaign: what the ring did, it did. A ring that goes by other ids is
what their campaigns derive from; its orders stand.

There is no ``threat-actor``: who is behind a ring is for a named person to say, never for a model, and no
event says it. Nor is a prompt template infrastructure; the campaign's description tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ringfence.enforcement.events import Event, EventKind, Target
from ringfence.enforcement.sinks.stix_objects import Object, Producer, Times, written

_SENT = "template"
"""Type of entity that is no infrastructure."""
_EXTRACTION = {"source_name": "mitre-atlas", "external_id": "AML.T0024"}
"""Exfiltration via an AI inference API: what every tactic of a ring serves."""


def objects(event: Event, producer: Producer) -> list[Object]:
    """Return the objects that tell of an event, each once, those that others refer to first."""
    campaign = _campaign(event, producer)
    about: list[Object] = [campaign]
    if event.kind is EventKind.ENFORCED:
        about += [*_tactics(event, producer, campaign), *_infrastructure(event, producer, campaign)]
    if event.kind is EventKind.SUPERSEDED:
        about += _heirs(event, producer, campaign)
    revoked = []
    for target in event.accounts:
        account = producer.account(target.account_id)
        about.append(account)
        if event.kind is not EventKind.SUPERSEDED:
            about.append(_order(event, producer, target, account["id"], campaign["id"]))
    if event.reverses is not None and event.reverses_all:
        revoked.append(_undone(event, producer, [one["id"] for one in about]))
    return [*producer.told(), *about, *revoked, _grouping(event, producer, about)]


def bundle(event: Event, producer: Producer) -> Object:
    """Return the bundle of an event."""
    return {
        "type": "bundle",
        "id": producer.id_of("bundle", event.event_id),
        "objects": objects(event, producer),
    }


def _campaign(event: Event, producer: Producer) -> Object:
    grounds = event.grounds
    first, last = grounds.first_seen, grounds.last_seen
    return producer.make(
        "campaign",
        (event.ring_id,),
        Times.of_version(event),
        name=event.ring_id,
        description="\n".join(grounds.statements),
        first_seen=written(first),
        last_seen=None if last is None or _after(first, last) else written(last),
        confidence=_percent(grounds.probability),
        labels=["superseded"] if event.kind is EventKind.SUPERSEDED else None,
        external_references=_references(event.ring_id),
    )


def _tactics(event: Event, producer: Producer, campaign: Object) -> Iterator[Object]:
    for tactic in dict.fromkeys(one for one in event.grounds.tactics if one.strip()):
        pattern = producer.pattern(tactic, external_references=[_EXTRACTION])
        yield pattern
        yield producer.relate(campaign["id"], "uses", pattern["id"], Times.of_version(event))


def _infrastructure(event: Event, producer: Producer, campaign: Object) -> Iterator[Object]:
    times = Times.of_version(event)
    known = set()
    for entity in dict.fromkeys(event.grounds.entities):
        if entity.partition(":")[0] == _SENT:
            continue
        shared = producer.make(
            "infrastructure",
            (event.ring_id, entity),
            times,
            name=entity,
            description="Accounts of the ring share it.",
            infrastructure_types=["unknown"],
        )
        yield shared
        yield producer.relate(campaign["id"], "uses", shared["id"], times)
        address = producer.address(entity)
        if address is not None and address["id"] not in known:
            known.add(address["id"])
            yield address
            yield producer.relate(shared["id"], "consists-of", address["id"], times)


def _order(event: Event, producer: Producer, target: Target, account: str, campaign: str) -> Object:
    """Return what says that an order is on an account; revoked by its reversal, under the order's own id."""
    undone = event.kind is EventKind.REVERSED
    expires = event.expires_at
    return producer.relate(
        account,
        "related-to",
        campaign,
        Times.of_reversal(event) if undone else Times.of_event(event),
        # Not from the account's own id, which another account_type changes: a reversal must find it.
        ("order", event.reverses or event.event_id, target.account_id),
        revoked=True if undone else None,
        labels=[event.action, target.role],
        confidence=_percent(target.score),
        start_time=written(event.reverses_at if undone else event.occurred_at),
        stop_time=None if expires is None or _after(event.occurred_at, expires) else written(expires),
    )


def _grouping(event: Event, producer: Producer, about: list[Object]) -> Object:
    told = {
        EventKind.ENFORCED: f"{event.action} for {len(event.accounts):,} accounts",
        EventKind.REVERSED: f"{event.action} undone for {len(event.accounts):,} accounts",
        EventKind.SUPERSEDED: f"goes by {', '.join(event.superseded_by)}",
    }
    return producer.make(
        "grouping",
        (event.event_id,),
        Times.of_event(event),
        name=f"{event.ring_id}, version {event.version}: {told[event.kind]}",
        description=event.reason,
        context="suspicious-activity" if event.kind is EventKind.ENFORCED else "unspecified",
        labels=[event.kind, event.action],
        object_refs=[one["id"] for one in about],
        external_references=_references(event.event_id, event.order_id, event.reverses),
    )


def _undone(event: Event, producer: Producer, about: list[str]) -> Object:
    return producer.make(
        "grouping",
        (event.reverses or "",),
        Times.of_reversal(event),
        revoked=True,
        name=f"{event.action} of {event.ring_id}",
        context="suspicious-activity",
        labels=[EventKind.ENFORCED, event.action],
        object_refs=about,
        external_references=_references(event.reverses),
    )


def _heirs(event: Event, producer: Producer, campaign: Object) -> Iterator[Object]:
    for heir in event.superseded_by:
        yield producer.relate(
            producer.id_of("campaign", heir), "derived-from", campaign["id"], Times.of_version(event)
        )


def _references(*ids: str | None) -> list[Object]:
    return [{"source_name": "ringfence", "external_id": one} for one in ids if one]


def _percent(share: float | None) -> int | None:
    return None if share is None else round(100 * min(max(share, 0.0), 1.0))


def _after(first: datetime | None, last: datetime) -> bool:
    return first is not None and first >= last
