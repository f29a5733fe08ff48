"""The evidence of a ring as a waterfall: family by family, and the values that carry most of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ringfence.schema import LINK_FAMILIES

LISTED_VALUES = 8
CARRIED_COLUMNS = ("ring_id", "view", "value", "accounts", "kind", "links", "nats")
"""Columns of :attr:`ringfence.report.data.ReportData.carried`."""

_NAMES = {
    "ip": "IP address",
    "instrument": "Payment instrument",
    "device": "Device",
    "template": "Prompt template",
    "subnet": "Subnet",
    "asn": "Autonomous system",
    "bin": "Card range",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of the waterfall, in percent of the whole."""

    name: str
    nats: float
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Carrier:
    """A value that links rest on."""

    name: str
    value: str
    kind: str
    accounts: int
    """How many accounts have it in all."""
    links: int
    """Links of the ring that rest on it."""
    nats: float
    width: float
    """In percent of the one that carries most."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What the links of a ring rest on."""

    weight: float
    """Of all its links, in nats: the sum of the families."""
    links: int
    families: tuple[Bar, ...]
    """Largest first, each from where the one before ended."""
    values: tuple[Carrier, ...]
    values_left: int


def carried_evidence(members: Sequence[str], links: pd.DataFrame, values: pd.DataFrame) -> Carried | None:
    """Return what the links of a ring rest on; None where it has none, or no family is told of them.

    Args:
        members: Its accounts.
        links: Links of which account_a is a member, with or without the columns of the families.
        values: The ring's rows of :data:`CARRIED_COLUMNS`, most first.
    """
    names = [str(family) for family in LINK_FAMILIES]
    inside = links[links["account_b"].isin(members)]
    if inside.empty or not set(names) <= set(inside.columns):
        return None
    sums = inside[names].sum().sort_values(ascending=False, kind="stable")
    weight = float(sums.sum())
    bars, start = [], 0.0
    for name, nats in sums[sums > 0].items():
        width = 100 * float(nats) / weight
        bars.append(Bar(str(name), float(nats), round(start, 2), round(width, 2)))
        start += width
    most = float(values["nats"].max()) if len(values) else 1.0
    carriers = tuple(
        Carrier(
            _NAMES.get(row["view"], row["view"]),
            str(row["value"]),
            "" if pd.isna(row["kind"]) else str(row["kind"]),
            int(row["accounts"]),
            int(row["links"]),
            float(row["nats"]),
            round(100 * float(row["nats"]) / most, 2),
        )
        for row in values.head(LISTED_VALUES).to_dict("records")
    )
    return Carried(weight, len(inside), tuple(bars), carriers, len(values) - len(carriers))
