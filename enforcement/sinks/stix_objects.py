"""STIX 2.1 objects as plain JSON values, with ids that follow from what they are about.

They are written down directly: the classes of ``stix2`` check each object as it is made, which takes ten
seconds for a ring of 24,000 accounts, and may write the same object differently one day. That library and
``stix2-validator`` read everything in the tests instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid5

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.settings import Table

Object = dict[str, Any]
"""A STIX object."""

TLP_LEVELS = ("clear", "green", "amber", "amber+strict", "red")
"""Levels of the Traffic Light Protocol, version 2."""

_NAMESPACE = UUID("cff50026-39b4-449a-a8b5-8f6f97ea7935")
"""Ours, for everything that has versions."""
_OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The standard's (STIX 2.1, section 2.9), for accounts and addresses: whoever names one gets the same id."""

_WORDED = "2026-03-01T00:00:00.000Z"
"""When producer and tactics were last worded otherwise: they are the same in all events, so unmarked."""

# Of OASIS' common object repository; STIX 2.1 itself has only version 1 of the protocol built in.
_TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_TLP_IDS = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}


@dataclass(frozen=True, slots=True)
class Times:
    """When an object came to be, and when this version of it did."""

    created: str
    modified: str

    @classmethod
    def of_event(cls, event: Event) -> Times:
        """Return the times of what one event makes and no other changes."""
        happened = _text(_whole(event.occurred_at))
        return cls(happened, happened)

    @classmethod
    def of_version(cls, event: Event) -> Times:
        """Return the times of what each event of a ring tells anew.

        Events are timed to the second; within one, versions of the ring count the milliseconds.
        """
        created = _whole(event.ring_opened_at or event.occurred_at)
        modified = _whole(event.occurred_at) + timedelta(milliseconds=event.version % 1000)
        return cls(_text(created), _text(max(created, modified)))

    @classmethod
    def of_reversal(cls, event: Event) -> Times:
        """Return the times of what a reversal revokes: later than what it revokes, whatever the clock did."""
        created = _whole(event.reverses_at or event.occurred_at)
        modified = max(_whole(event.occurred_at), created + timedelta(milliseconds=1))
        return cls(_text(created), _text(modified))


@dataclass(frozen=True, slots=True)
class Producer:
    """Who tells, and under which marking."""

    name: str
    tlp: str
    """One of :data:`TLP_LEVELS`."""
    account_type: str | None = None
    """Tells the provider's accounts from those of others, which may have the same names."""

    @classmethod
    def of(cls, entry: Table) -> Producer:
        """Read the producer from a sink's entry: ``producer``, ``tlp`` and ``account_type``.

        Raises:
            PolicyError: the entry does not say what it must.
        """
        return cls(
            entry.text("producer"),
            entry.choice("tlp", TLP_LEVELS, "amber"),
            entry.optional_text("account_type"),
        )

    @property
    def identity(self) -> str:
        """Id of the producer."""
        return f"identity--{uuid5(_NAMESPACE, self.name)}"

    @property
    def marking(self) -> str:
        """Id of the marking."""
        return _TLP_IDS[self.tlp]

    def told(self) -> list[Object]:
        """Return the objects that stand in every bundle: marking and producer."""
        marking: Object = {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": self.marking,
            "created": "2022-10-01T00:00:00.000Z",
            "name": f"TLP:{self.tlp.upper()}",
            "extensions": {_TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": self.tlp}},
        }
        identity: Object = {
            "type": "identity",
            "spec_version": "2.1",
            "id": self.identity,
            "created": _WORDED,
            "modified": _WORDED,
            "name": self.name,
            "identity_class": "organization",
        }
        return [marking, identity]

    def id_of(self, kind: str, *about: str) -> str:
        """Return the id of the producer's object of a kind about something."""
        return f"{kind}--{uuid5(_NAMESPACE, json.dumps([self.name, kind, *about]))}"

    def make(self, kind: str, about: tuple[str, ...], times: Times, **properties: Any) -> Object:
        """Return an object that has versions.

        Args:
            kind: Its type.
            about: What it is about; with the type, what its id follows from.
            times: When it came to be and was changed.
            **properties: Further properties; None and empty ones are left out.
        """
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": self.id_of(kind, *about),
            "created_by_ref": self.identity,
            "created": times.created,
            "modified": times.modified,
            **{name: value for name, value in properties.items() if value not in (None, "", [], ())},
            "object_marking_refs": [self.marking],
        }

    def pattern(self, name: str, **properties: Any) -> Object:
        """Return an attack pattern: a word of ours that tells of nobody, the same always, and unmarked."""
        made = self.make("attack-pattern", (name,), Times(_WORDED, _WORDED), name=name, **properties)
        del made["object_marking_refs"]
        return made

    def relate(
        self,
        source: str,
        kind: str,
        target: str,
        times: Times,
        about: tuple[str, ...] = (),
        **properties: Any,
    ) -> Object:
        """Return a relationship; its id follows from what it is about, or from the two that it joins."""
        return self.make(
            "relationship",
            about or (source, kind, target),
            times,
            relationship_type=kind,
            source_ref=source,
            target_ref=target,
            **properties,
        )

    def account(self, account_id: str) -> Object:
        """Return an account. It cannot be revoked: that it exists stays true."""
        named = {"user_id": account_id}
        if self.account_type is not None:
            named["account_type"] = self.account_type
        return self._observed("user-account", named)

    def address(self, entity: str) -> Object | None:
        """Return the address that an ``ip:…`` entity is, or None where it is none."""
        name, _, value = entity.partition(":")
        if name != "ip":
            return None
        try:
            version = ip_address(value).version
        except ValueError:
            return None
        return self._observed(f"ipv{version}-addr", {"value": value})

    def _observed(self, kind: str, named: Mapping[str, str]) -> Object:
        # Canonical JSON (RFC 8785), which for texts is this.
        canonical = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{uuid5(_OBSERVABLES, canonical)}",
            **named,
            "object_marking_refs": [self.marking],
        }


def written(when: datetime | None) -> str | None:
    """Return a time to the second, as STIX writes it; None for None."""
    return None if when is None else _text(_whole(when))


def _whole(when: datetime) -> datetime:
    """Return a time to the second: that is what an event keeps when it is written down and read again."""
    return when.astimezone(UTC).replace(microsecond=0)


def _text(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
