"""Address ranges of the simulated world.

All lie in blocks that serve no public customers (legacy military IPv4, unassigned IPv6), so that no real
network is ever named; AS numbers are from the private range.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Range:
    """An announced range and who runs it."""

    cidr: str
    asn: int
    as_name: str
    kind: str

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """The range as a network."""
        return ip_network(self.cidr)


RANGES = (
    Range("21.16.0.0/14", 4200000101, "Bluewater Broadband", "isp"),
    Range("22.80.0.0/14", 4200000102, "Hearth Fibre", "isp"),
    Range("26.128.0.0/14", 4200000103, "Cablewerk", "isp"),
    Range("29.64.0.0/14", 4200000104, "Telenorte Hogar", "isp"),
    Range("2d00:101::/32", 4200000101, "Bluewater Broadband", "isp"),
    Range("2d00:103::/32", 4200000103, "Cablewerk", "isp"),
    Range("28.10.0.0/16", 4200000201, "Airwave Mobile", "mobile"),
    Range("28.44.0.0/16", 4200000202, "Sakura Mobile", "mobile"),
    Range("33.20.0.0/16", 4200000203, "Celda Movil", "mobile"),
    Range("30.4.0.0/16", 4200000301, "Rackfield Cloud", "hosting"),
    Range("30.90.0.0/16", 4200000302, "Northpole Hosting", "hosting"),
    Range("55.7.0.0/16", 4200000303, "Stackyard", "hosting"),
    Range("55.60.0.0/20", 4200000401, "Lighthouse VPN", "vpn"),
    Range("33.200.0.0/20", 4200000402, "Quiet Exit", "vpn"),
    Range("22.200.0.0/16", 4200000501, "University of Eastmoor", "education"),
    Range("26.40.0.0/16", 4200000502, "Hochschule Altwerder", "education"),
    Range("29.200.0.0/16", 4200000503, "Instituto del Valle", "education"),
    Range("21.220.0.0/16", 4200000504, "Kitayama College", "education"),
    Range("28.200.0.0/16", 4200000601, "Metroplex Business Lines", "business"),
    Range("55.160.0.0/16", 4200000602, "Officelink", "business"),
)

_SUBNETS = 48
"""Subnets (/24 or /48) in use in each range: few, so that neighbours of every population share them."""


class AddressBook:
    """Hands out addresses from the ranges, none twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[str] = set()
        self._subnets = {r.cidr: self._draw_subnets(r) for r in RANGES}

    def fresh(self, kind: str, *, of: str | None = None) -> str:
        """Return an address nobody has, in a range of the kind, or of the range ``of`` (a CIDR)."""
        while True:
            choices = [of] if of else [r.cidr for r in RANGES if r.kind == kind]
            cidr = choices[int(self._rng.integers(len(choices)))]
            subnets = self._subnets[cidr]
            subnet = subnets[int(self._rng.integers(len(subnets)))]
            host = int(self._rng.integers(1, 255 if subnet.version == 4 else 2**32))
            address = str(subnet.network_address + host)
            if address not in self._used:
                self._used.add(address)
                return address

    def several(self, kind: str, count: int, *, of: str | None = None) -> tuple[str, ...]:
        """Return ``count`` fresh addresses."""
        return tuple(self.fresh(kind, of=of) for _ in range(count))

    def _draw_subnets(self, of: Range) -> list[IPv4Network | IPv6Network]:
        network = of.network
        bits = 24 if network.version == 4 else 48
        total = 2 ** (bits - network.prefixlen)
        step = 2 ** (network.max_prefixlen - bits)
        numbers = self._rng.choice(total, size=min(_SUBNETS, total), replace=False)
        return [ip_network((int(network.network_address) + int(n) * step, bits)) for n in sorted(numbers)]


def range_table() -> pd.DataFrame:
    """Return the canonical table ``ip_ranges``."""
    return pd.DataFrame(
        [(r.cidr, r.asn, r.as_name, r.kind) for r in RANGES], columns=["cidr", "asn", "as_name", "kind"]
    )
