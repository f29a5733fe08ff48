"""Addresses and networks in one spelling each."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_MAPPED_PREFIX = 96
_IPV4 = rf"^{_OCTET}(?:\.{_OCTET}){{3}}$"


def canonical_addresses(text: pa.Array) -> pa.Array:
    """Return IP addresses in canonical spelling (IPv4-mapped IPv6 as IPv4); null where there is none."""
    return _respelt(text, lambda values: pc.match_substring_regex(values, _IPV4), _address)


def canonical_networks(text: pa.Array) -> pa.Array:
    """Return CIDR networks in canonical spelling, a bare address as a network of one; null where none."""
    return _respelt(text, lambda values: pa.nulls(len(values), pa.bool_()).fill_null(False), _network)


def _respelt(
    text: pa.Array, is_canonical: Callable[[pa.Array], pa.Array], spell: Callable[[str], str | None]
) -> pa.Array:
    """Spell each distinct value once, and those that are canonical already not at all."""
    other = pc.invert(pc.fill_null(is_canonical(text), True))
    if not pc.any(other).as_py():
        return text
    coded = text.filter(other).dictionary_encode()
    spelt = pa.array([spell(value) for value in coded.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(text, other, spelt.take(coded.indices))


def _address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        # From its number, which leaves out the scope: a name on the machine that saw it.
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)


def _network(text: str) -> str | None:
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped and network.prefixlen >= _MAPPED_PREFIX:
        return f"{mapped}/{network.prefixlen - _MAPPED_PREFIX}"
    return str(network)
