"""Address → subnet, and autonomous system and kind of range where ``ip_ranges`` tells."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_IPV4_SUBNET, _IPV6_SUBNET = 24, 48
# One number line for all addresses, its numbers as bytes: IPv4 below IPv6, so that no IPv6 range, not even
# ::/0, holds one.
_BYTES = 17
_IPV4_LEAD, _IPV6_LEAD = bytes(_BYTES - 4), b"\1"
_AT_ONCE = 1 << 17
"""Addresses that are Python's strings at one time."""

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
        self.ranges = list(ranges)
        spans = [(*_span(entry.cidr), place) for place, entry in enumerate(self.ranges)]
        # Wide ranges first: CIDR ranges nest, so what comes later lies inside or outside, never across. What
        # is said of one range twice is put in an order of its own, not that of the input.
        spans.sort(key=lambda span: (span[0], -span[1], _words(self.ranges[span[2]])))
        starts, owners = zip(*_pieces(spans), strict=True)
        self._starts = np.array([start.to_bytes(_BYTES) for start in starts], f"S{_BYTES}")
        self._owners = np.array(owners)

    def find(self, addresses: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the place in :attr:`ranges` of the smallest range over each address; -1 where there is none.

        Of two entries for one range, the one whose words sort last holds.

        Args:
            addresses: In canonical spelling.
        """
        numbers = np.array([_packed(address) for address in addresses], f"S{_BYTES}")
        owners: npt.NDArray[np.int64] = self._owners[np.searchsorted(self._starts, numbers, "right") - 1]
        return owners


def describe_addresses(addresses: pa.Array, ranges: Iterable[AddressRange]) -> pa.Table:
    """Return :data:`ADDRESS_SCHEMA` for distinct canonical addresses, in their order."""
    index = RangeIndex(ranges)
    told = [
        pa.array([None if entry.asn is None else str(entry.asn) for entry in index.ranges], pa.string()),
        pa.array([entry.as_name for entry in index.ranges], pa.string()),
        pa.array([entry.kind for entry in index.ranges], pa.string()),
    ]
    parts = []
    for start in range(0, len(addresses), _AT_ONCE):
        part = addresses[start : start + _AT_ONCE]
        texts = part.to_pylist()
        subnets = pa.array([_subnet(text) for text in texts], pa.string())
        found = index.find(texts)
        owners = pa.array(found, mask=found < 0)
        columns = [part, subnets, *(words.take(owners) for words in told)]
        parts.append(pa.record_batch(columns, schema=ADDRESS_SCHEMA))
    return pa.Table.from_batches(parts, ADDRESS_SCHEMA)


def _pieces(spans: list[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where each piece of the number line starts, and who owns it: -1 for nobody.

    Args:
        spans: First number, last number and owner of each range, in order, the wide before the narrow.
    """
    yield 0, -1
    open_ranges: list[tuple[int, int]] = []
    for first, last, owner in [*spans, (2 << 128, 0, -1)]:
        while open_ranges and open_ranges[-1][0] < first:
            end, _ = open_ranges.pop()
            yield end + 1, open_ranges[-1][1] if open_ranges else -1
        yield first, owner
        open_ranges.append((last, owner))


def _subnet(address: str) -> str:
    if ":" in address:
        kept = _IPV6_SUBNET // 8
        return f"{inet_ntop(AF_INET6, inet_pton(AF_INET6, address)[:kept] + bytes(16 - kept))}/{_IPV6_SUBNET}"
    return f"{address[: address.rindex('.')]}.0/{_IPV4_SUBNET}"


def _packed(address: str) -> bytes:
    """Return the address' number."""
    if ":" in address:
        return _IPV6_LEAD + inet_pton(AF_INET6, address)
    return _IPV4_LEAD + inet_pton(AF_INET, address)


def _words(entry: AddressRange) -> tuple[str, str, str]:
    return str(entry.asn), str(entry.as_name), str(entry.kind)


def _span(cidr: str) -> tuple[int, int]:
    network = ipaddress.ip_network(cidr)
    first = int.from_bytes(_packed(str(network.network_address)))
    return first, first + network.num_addresses - 1
