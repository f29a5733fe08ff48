"""Indicators as feeds give them → indicators that can be looked for, and why the others cannot."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

INDICATOR_COLUMNS = ("kind", "value", "actor", "tactic", "confidence", "source")

_STIX_SCALE = 100.0


@dataclass(frozen=True, slots=True)
class Usable:
    """Indicators to look for, and how many were left out."""

    rows: pd.DataFrame
    """:data:`INDICATOR_COLUMNS`, each row once, values written as tables write them, confidence 0..1."""
    expired: int
    malformed: int
    """What the kind cannot have: no address, no range, no number of an autonomous system."""
    out_of_range: int
    """Confidence that is neither a share nor on STIX's scale."""


def usable_indicators(indicators: pd.DataFrame, now: datetime | None, unstated_confidence: float) -> Usable:
    """Return the indicators that hold at a time.

    Confidence is a share, 0..1, or on STIX's scale, 0..100. Which, is a matter of the source, not of the row:
    a source that goes above 1 anywhere uses STIX's scale everywhere.

    Args:
        indicators: The canonical table.
        now: The last time seen in the logs, not the clock's, so that a run can be repeated; None where
            the logs have no times, and then nothing expires.
        unstated_confidence: Confidence where none is given.
    """
    rows = indicators.reset_index(drop=True)
    expires = pd.to_datetime(rows["expires_at"], utc=True)
    expired = np.zeros(len(rows), bool) if now is None else (expires <= pd.Timestamp(now)).to_numpy(bool)
    values = [_canonical(kind, value) for kind, value in zip(rows["kind"], rows["value"], strict=True)]
    malformed = np.array([value is None for value in values], bool)
    confidence = _as_share(rows["confidence"], rows["source"]).fillna(unstated_confidence)
    outside = ~confidence.between(0.0, 1.0).to_numpy(bool)
    rows = rows.assign(value=pd.Series(values, dtype="str"), confidence=confidence)
    kept = rows.loc[~(expired | malformed | outside), list(INDICATOR_COLUMNS)].drop_duplicates()
    return Usable(
        kept.reset_index(drop=True),
        int(expired.sum()),
        int((malformed & ~expired).sum()),
        int((outside & ~malformed & ~expired).sum()),
    )


def _as_share(confidence: pd.Series, source: pd.Series) -> pd.Series:
    stated = confidence.astype("float64")
    highest = stated.groupby(source.fillna("").astype(str)).transform("max")
    return stated.where(~(highest > 1), stated / _STIX_SCALE)


def _canonical(kind: str, value: str) -> str | None:
    """Return a value as the canonical tables write it; None where it is none of its kind."""
    text = value.strip()
    try:
        return _WRITTEN.get(kind, str)(text) or None
    except ValueError:
        return None


def _address(text: str) -> str:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        # From its number, which leaves out the scope: a name on the machine that saw it.
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)


def _range(text: str) -> str:
    network = ipaddress.ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return f"{mapped}/{network.prefixlen - _MAPPED_BITS}"
    return str(network)


_MAPPED_BITS = 96


def _system(text: str) -> str:
    return str(int(text.upper().removeprefix("AS")))


def _domain(text: str) -> str:
    return text.lower().removeprefix("@").rstrip(".")


_WRITTEN: dict[str, Callable[[str], str]] = {
    "ip": _address,
    "cidr": _range,
    "asn": _system,
    "email_domain": _domain,
}
