"""Addresses find the smallest range that holds them, as a search through all ranges does."""

from __future__ import annotations

import ipaddress
import random

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.networks import ADDRESS_SCHEMA, AddressRange, RangeIndex, describe_addresses

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A handful of bits, so that ranges nest and touch, at the low and the high end of each number line.
_BASES = (
    (4, 0),
    (4, 2**32 - 2**10),
    (6, 0),
    (6, 0xFFFF << 32),
    (6, 2**128 - 2**10),
)


@st.composite
def _addresses(draw: st.DrawFn) -> Address:
    version, base = draw(st.sampled_from(_BASES))
    number = base + draw(st.integers(0, 2**10 - 1))
    return ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)


@st.composite
def _ranges(draw: st.DrawFn) -> AddressRange:
    address = draw(_addresses())
    narrowest = address.max_prefixlen
    prefix = draw(st.one_of(st.integers(narrowest - 10, narrowest), st.integers(0, narrowest)))
    network = ipaddress.ip_network((address, prefix), strict=False)
    return AddressRange(str(network), draw(st.integers(1, 3)), None, draw(st.sampled_from(["vpn", None])))


def _smallest(address: Address, ranges: list[AddressRange]) -> int | None:
    """Return the prefix length of the smallest range over an address."""
    networks = [ipaddress.ip_network(r.cidr) for r in ranges]
    return max((n.prefixlen for n in networks if n.version == address.version and address in n), default=None)


@given(st.lists(_ranges(), max_size=12), st.lists(_addresses(), min_size=1, max_size=8))
def test_the_smallest_range_is_found(ranges: list[AddressRange], addresses: list[Address]) -> None:
    index = RangeIndex(ranges)
    edges = [a for r in ranges for a in (ipaddress.ip_network(r.cidr)[0], ipaddress.ip_network(r.cidr)[-1])]
    asked = [*addresses, *edges]
    for address, place in zip(asked, index.find([str(address) for address in asked]), strict=True):
        smallest = _smallest(address, ranges)
        if smallest is None:
            assert place == -1
        else:
            found = ipaddress.ip_network(index.ranges[place].cidr)
            assert address in found
            assert found.prefixlen == smallest


@given(st.lists(_ranges(), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_ranges_does_not_show(ranges: list[AddressRange], rng: random.Random) -> None:
    shuffled = rng.sample(ranges, len(ranges))
    asked = pa.array(["0.0.3.9", "255.255.255.255", "::5", "::ffff:0:7"])
    assert describe_addresses(asked, ranges) == describe_addresses(asked, shuffled)


@given(st.lists(st.ip_addresses(), min_size=1, max_size=8))
def test_subnets_are_those_of_the_standard_library(addresses: list[Address]) -> None:
    described = describe_addresses(pa.array([str(address) for address in addresses]), ())
    prefix = {4: 24, 6: 48}
    expected = [ipaddress.ip_network((a, prefix[a.version]), strict=False) for a in addresses]
    assert described["subnet"].to_pylist() == [str(network) for network in expected]


def test_no_ipv6_range_holds_an_ipv4_address() -> None:
    index = RangeIndex([AddressRange("::/0", 6, None, None)])
    asked = ["192.0.2.1", "255.255.255.255", "::", "2001:db8::1"]
    assert index.find(asked).tolist() == [-1, -1, 0, 0]


def test_addresses_are_described_in_their_order() -> None:
    addresses = pa.array(["203.0.113.77", "2001:db8:1:2::3", "192.0.2.255"])
    ranges = [
        AddressRange("203.0.0.0/16", 64500, "WIDE", "isp"),
        AddressRange("203.0.113.64/26", 4200000000, "NARROW", "vpn"),
    ]
    described = describe_addresses(addresses, iter(ranges))
    assert described.schema == ADDRESS_SCHEMA
    assert described.to_pylist() == [
        {
            "address": "203.0.113.77",
            "subnet": "203.0.113.0/24",
            "asn": "4200000000",
            "as_name": "NARROW",
            "kind": "vpn",
        },
        {
            "address": "2001:db8:1:2::3",
            "subnet": "2001:db8:1::/48",
            "asn": None,
            "as_name": None,
            "kind": None,
        },
        {"address": "192.0.2.255", "subnet": "192.0.2.0/24", "asn": None, "as_name": None, "kind": None},
    ]


def test_no_addresses_make_an_empty_table() -> None:
    assert describe_addresses(pa.array([], pa.string()), ()).schema == ADDRESS_SCHEMA
