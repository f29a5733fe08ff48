"""Which of many address ranges hold an address: all of them, not the smallest alone."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_FAMILIES = ((socket.AF_INET, ">u4", 4), (socket.AF_INET6, "S16", 6))

Numbers = npt.NDArray[Any]
"""IPv4 addresses as numbers; IPv6 ones as bytes of equal length, whose order is that of the numbers."""

Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Places of addresses, and at each the place of a range that holds it."""


def covering(addresses: Sequence[str], cidrs: Sequence[str]) -> Pairs:
    """Return every address with every range that holds it, by address, the narrowest range first.

    Args:
        addresses: Canonical addresses; IPv4 and IPv6 never hold each other.
        cidrs: Distinct canonical ranges.
    """
    found = [_one_family(addresses, cidrs, *family) for family in _FAMILIES]
    address = np.concatenate([pairs[0] for pairs in found])
    cidr = np.concatenate([pairs[1] for pairs in found])
    order = np.argsort(address, kind="stable")
    return address[order], cidr[order]


def _one_family(
    addresses: Sequence[str], cidrs: Sequence[str], family: int, packed: str, version: int
) -> Pairs:
    colon = version == 6
    places = np.array([i for i, text in enumerate(addresses) if (":" in text) is colon], np.int64)
    ranges = [(i, ipaddress.ip_network(text)) for i, text in enumerate(cidrs) if (":" in text) is colon]
    if not len(places) or not ranges:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # Wide ranges first: CIDR ranges nest, so the last one that begins at or before an address, or one that
    # is around that range, is the narrowest that holds it.
    ranges.sort(key=lambda item: (int(item[1].network_address), item[1].prefixlen))
    firsts = _packed([network.network_address.packed for _, network in ranges], packed)
    lasts = _packed([network.broadcast_address.packed for _, network in ranges], packed)
    around = _around(ranges)
    numbers = _packed([socket.inet_pton(family, addresses[i]) for i in places], packed)
    at = np.searchsorted(firsts, numbers, side="right") - 1
    owner = np.array([i for i, _ in ranges], np.int64)
    return _climb(places, at, numbers, lasts, around, owner)


def _climb(
    places: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    numbers: Numbers,
    lasts: Numbers,
    around: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int64],
) -> Pairs:
    """Go from each address's range to those around it, one step for all addresses at a time."""
    found_places, found_ranges = [places[:0]], [owner[:0]]
    while len(at):
        inside = at >= 0
        places, at, numbers = places[inside], at[inside], numbers[inside]
        holds = numbers <= lasts[at]
        found_places.append(places[holds])
        found_ranges.append(owner[at[holds]])
        at = around[at]
    return np.concatenate(found_places), np.concatenate(found_ranges)


def _around(
    ranges: Sequence[tuple[int, ipaddress.IPv4Network | ipaddress.IPv6Network]],
) -> npt.NDArray[np.int64]:
    """Return the place of the narrowest range around each one; -1 where there is none."""
    around = np.full(len(ranges), -1, np.int64)
    open_ranges: list[tuple[int, int]] = []
    for place, (_, network) in enumerate(ranges):
        first = int(network.network_address)
        while open_ranges and open_ranges[-1][1] < first:
            open_ranges.pop()
        if open_ranges:
            around[place] = open_ranges[-1][0]
        open_ranges.append((place, int(network.broadcast_address)))
    return around


def _packed(values: Sequence[bytes], packed: str) -> Numbers:
    """Return addresses as values whose order is that of the numbers."""
    kind = np.dtype(packed)
    return np.frombuffer(b"".join(values), kind).astype(kind.newbyteorder("="))
