"""Address → subnet, and autonomous system and kind of range where ``ip_ranges`` tells."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

_IPV4_SUBNET, _IPV6_SUBNET = 24, 48
# One number line for all addresses: IPv4 below zero, so that no IPv6 range, not even ::/0, holds one.
_IPV4_ORIGIN = -(1 << 32)

ADDRESS_SCHEMA = pa.schema([(name, pa.string()) for name in ("address", "subnet", "asn", "as_name", "kind")])


@dataclass(frozen=True, slots=True)
class AddressRange:
    """A row of ``ip_ranges``."""

    cidr: str
    asn: int | None
    as_name: str | None
    kind: str | None


class RangeIndex:
    """Finds the smallest range that holds an address.

    Ranges are cut into pieces that do not overlap, each owned by the smallest range over it, so that a
    look-up is one bisection.
    """

    def __init__(self, ranges: Iterable[AddressRange]) -> None:
        spans = [(*_span(r.cidr), r) for r in ranges]
        # Wide ranges first: CIDR ranges nest, so what comes later lies inside or outside, never across. What
        # is said of one range twice is put in an order of its own, not that of the input.
        spans.sort(key=lambda span: (span[0], -span[1], _words(span[2])))
        self._starts: list[int] = []
        self._owners: list[AddressRange | None] = []
        open_ranges: list[tuple[int, AddressRange]] = []
        for first, last, owner in spans:
            self._close(open_ranges, before=first)
            self._cut(first, owner)
            open_ranges.append((last, owner))
        self._close(open_ranges, before=1 << 128)

    def _close(self, open_ranges: list[tuple[int, AddressRange]], *, before: int) -> None:
        while open_ranges and open_ranges[-1][0] < before:
            last, _owner = open_ranges.pop()
            self._cut(last + 1, open_ranges[-1][1] if open_ranges else None)

    def _cut(self, start: int, owner: AddressRange | None) -> None:
        self._starts.append(start)
        self._owners.append(owner)

    def find(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> AddressRange | None:
        """Return the smallest range over an address; None where there is none.

        Of two entries for one range, the one whose words sort last holds.
        """
        place = bisect_right(self._starts, _number(address)) - 1
        return self._owners[place] if place >= 0 else None


def describe_addresses(addresses: pa.Array, ranges: Iterable[AddressRange]) -> pa.Table:
    """Return :data:`ADDRESS_SCHEMA` for distinct canonical addresses, in their order."""
    index = RangeIndex(ranges)
    rows = []
    for text in addresses.to_pylist():
        address = ipaddress.ip_address(text)
        found = index.find(address) or AddressRange("", None, None, None)
        asn = None if found.asn is None else str(found.asn)
        rows.append((text, _subnet(address), asn, found.as_name, found.kind))
    columns = list(zip(*rows, strict=True)) or [()] * len(ADDRESS_SCHEMA)
    return pa.table([pa.array(column, pa.string()) for column in columns], ADDRESS_SCHEMA)


def _subnet(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    prefix = _IPV4_SUBNET if address.version == 4 else _IPV6_SUBNET
    width = address.max_prefixlen - prefix
    first = type(address)(int(address) >> width << width)
    return f"{first}/{prefix}"


def _number(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    return int(address) + _IPV4_ORIGIN if address.version == 4 else int(address)


def _words(entry: AddressRange) -> tuple[str, str, str]:
    return str(entry.asn), str(entry.as_name), str(entry.kind)


def _span(cidr: str) -> tuple[int, int]:
    network = ipaddress.ip_network(cidr)
    return _number(network.network_address), _number(network.broadcast_address)
