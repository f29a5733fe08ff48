"""Which addresses are of the open internet."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.enforcement.sinks.addresses import AddressError, inner, literal, resolve


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1"),
        *("192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.2.3", "240.0.0.1"),
        *(
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
        ),
        *("64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1"),
        *("3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1"),
    ],
)
def test_inner_addresses_are_known(address: str) -> None:
    assert inner(address) is not None


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111"],
)
def test_open_addresses_are_known(address: str) -> None:
    assert inner(address) is None


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_open(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert inner(str(address)) is not None


def test_a_way_of_writing_it_makes_no_difference() -> None:
    """The system reads numbers as addresses, so they are checked once it has."""
    for host in ("2130706433", "0x7f.1", "127.1", "localhost"):
        with pytest.raises(AddressError, match="no address of the open internet"):
            resolve(host, 443, allow_private=False, seconds=5)


def test_an_inner_address_may_be_allowed() -> None:
    assert resolve("127.0.0.1", 443, allow_private=True, seconds=5)[0].where[:2] == ("127.0.0.1", 443)


def test_a_name_is_no_address() -> None:
    assert literal("hooks.example.com") is None
    assert str(literal("::1")) == "::1"
