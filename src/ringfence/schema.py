"""The canonical tables (what comes in) and the graph (what is stored)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringfence.records import Family


class Kind(StrEnum):
    """What a canonical column holds."""

    IDENTIFIER = "identifier"
    TEXT = "text"
    TIME = "time"
    INTEGER = "integer"
    REAL = "real"
    ADDRESS = "address"
    NETWORK = "network"
    PROMPT = "prompt"
    """Text that is never written to disk."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a canonical table."""

    name: str
    kind: Kind
    required: bool = False
    values: tuple[str, ...] = ()
    """The values allowed; empty where any is."""


@dataclass(frozen=True, slots=True)
class Table:
    """A canonical table."""

    name: str
    columns: tuple[Column, ...]
    key: str | None = None
    """The column whose value names a row; two rows of one key with other contents are both refused."""

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(c.name for c in self.columns if c.required)

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that may be written to disk: all but prompt text."""
        return tuple(c for c in self.columns if c.kind is not Kind.PROMPT)

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            KeyError: the table has none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


_KINDS = {
    "id": Kind.IDENTIFIER,
    "text": Kind.TEXT,
    "time": Kind.TIME,
    "int": Kind.INTEGER,
    "real": Kind.REAL,
    "ip": Kind.ADDRESS,
    "net": Kind.NETWORK,
    "prompt": Kind.PROMPT,
}


def _table(name: str, columns: str, key: str | None = None, **values: tuple[str, ...]) -> Table:
    """Read a table from ``name:kind`` words; ``*`` marks a required column."""
    read = []
    for word in columns.split():
        column, kind = word.split(":")
        bare = column.rstrip("*")
        read.append(Column(bare, _KINDS[kind], required=column.endswith("*"), values=values.get(bare, ())))
    return Table(name, tuple(read), key)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "accounts",
            "account_id*:id created_at:time org_id:id plan:text email_domain:text country:text status:text",
            key="account_id",
        ),
        _table(
            "requests",
            "request_id*:id account_id*:id ts*:time ip:ip device_id:id user_agent:text model:text "
            "end_user_id:id session_id:id access_route:text system_prompt:prompt prompt:prompt "
            "template_id:id input_tokens:int output_tokens:int reasoning_tokens:int tool_calls:int "
            "stop_reason:text status_code:int",
            key="request_id",
        ),
        _table(
            "payments",
            "payment_id*:id account_id*:id ts:time instrument_id*:id instrument_type:text bin:text "
            "amount_usd:real",
            key="payment_id",
        ),
        _table("logins", "account_id*:id ts*:time ip:ip device_id:id user_agent:text"),
        _table("transfers", "from_account_id*:id to_account_id*:id ts:time amount_usd:real"),
        _table(
            "account_events",
            "account_id*:id ts*:time event*:text reason:text",
            event=("banned", "limited", "reinstated", "verified", "appeal_upheld", "appeal_denied"),
        ),
        _table("models", "model*:id released_at*:time", key="model"),
        _table(
            "indicators",
            "kind*:text value*:id tactic:text actor:text confidence:real expires_at:time source:text",
            kind=("ip", "cidr", "asn", "instrument", "device", "template", "email_domain"),
        ),
        _table(
            "ip_ranges",
            "cidr*:net asn:int as_name:text kind:text",
            kind=("isp", "mobile", "hosting", "vpn", "education", "business", "tor"),
        ),
        _table(
            "labels",
            "account_id*:id label*:text ring_name:text source:text ts:time",
            label=("ring", "benign"),
        ),
    )
}

# A run needs at least one of these: the others say nothing about who moves together.
ACTIVITY_TABLES = ("requests", "payments", "logins")


@dataclass(frozen=True, slots=True)
class EntityType:
    """A kind of thing that accounts have in common."""

    name: str
    family: Family
    label: str
    """Node label in the graph."""
    key: str
    """Property that names a node of the label."""
    relationship: str
    """Type of the sighting relationship from the account."""
    sources: tuple[tuple[str, str], ...]
    """Canonical (table, column) pairs that sight it."""


ENTITY_TYPES: dict[str, EntityType] = {
    entity.name: entity
    for entity in (
        EntityType("ip", Family.NETWORK, "IP", "address", "USED_IP", (("requests", "ip"), ("logins", "ip"))),
        EntityType(
            "instrument",
            Family.PAYMENT,
            "PaymentInstrument",
            "instrument_id",
            "PAID_WITH",
            (("payments", "instrument_id"),),
        ),
        EntityType(
            "device",
            Family.DEVICE,
            "Device",
            "device_id",
            "USED_DEVICE",
            (("requests", "device_id"), ("logins", "device_id")),
        ),
        EntityType(
            "template",
            Family.CONTENT,
            "PromptTemplate",
            "template_id",
            "SENT",
            (("requests", "template_id"),),
        ),
    )
}

NODE_KEYS: dict[str, str] = {
    "Account": "account_id",
    **{entity.label: entity.key for entity in ENTITY_TYPES.values()},
    "Subnet": "cidr",
    "ASN": "asn",
    "Organization": "org_id",
    "Ring": "ring_id",
}
"""Node label → the property that names a node."""

RELATIONSHIPS: dict[str, tuple[str, str]] = {
    **{entity.relationship: ("Account", entity.label) for entity in ENTITY_TYPES.values()},
    "IN_SUBNET": ("IP", "Subnet"),
    "IN_ASN": ("Subnet", "ASN"),
    "TRANSFERRED_TO": ("Account", "Account"),
    "BELONGS_TO": ("Account", "Organization"),
    "LINKED_TO": ("Account", "Account"),
    "MEMBER_OF": ("Account", "Ring"),
}
"""Relationship type → (label it starts at, label it ends at)."""

LINK_FAMILIES: tuple[Family, ...] = tuple(Family)
"""The weight columns of ``links.parquet``, in order."""
