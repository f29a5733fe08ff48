"""Address ranges of the simulated world, and the address that each use of one gets.

All lie in blocks that serve no public customers (legacy military IPv4, unassigned IPv6), so that no real
network is ever named; AS numbers are from the private range. Customers of every population sit in the
same subnets.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.worlds.hashing import Draw, Ints

ADDRESS_KINDS = ("isp", "mobile", "hosting", "vpn", "education", "business")
_PER_SUBNET = 14
"""Home addresses of customers in a subnet in use: at times a stranger gets an address another had before."""


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
    Range("6.0.0.0/8", 4200000101, "Bluewater Broadband", "isp"),
    Range("7.0.0.0/8", 4200000102, "Hearth Fibre", "isp"),
    Range("11.0.0.0/8", 4200000103, "Cablewerk", "isp"),
    Range("21.0.0.0/8", 4200000104, "Telenorte Hogar", "isp"),
    Range("22.0.0.0/8", 4200000105, "Lantern Home", "isp"),
    Range("26.0.0.0/8", 4200000106, "Rede Azul", "isp"),
    Range("2d00:101::/32", 4200000101, "Bluewater Broadband", "isp"),
    Range("2d00:103::/32", 4200000103, "Cablewerk", "isp"),
    Range("28.0.0.0/10", 4200000201, "Airwave Mobile", "mobile"),
    Range("28.64.0.0/10", 4200000202, "Sakura Mobile", "mobile"),
    Range("28.128.0.0/10", 4200000203, "Celda Movil", "mobile"),
    Range("30.0.0.0/10", 4200000301, "Rackfield Cloud", "hosting"),
    Range("30.64.0.0/10", 4200000302, "Northpole Hosting", "hosting"),
    Range("30.128.0.0/10", 4200000303, "Stackyard", "hosting"),
    Range("55.0.0.0/12", 4200000401, "Lighthouse VPN", "vpn"),
    Range("55.16.0.0/12", 4200000402, "Quiet Exit", "vpn"),
    Range("33.0.0.0/12", 4200000501, "Universitas Meridia", "education"),
    Range("33.16.0.0/12", 4200000502, "Lakeside Polytechnic", "education"),
    Range("33.32.0.0/12", 4200000503, "Instituto del Valle", "education"),
    Range("33.48.0.0/12", 4200000504, "Kitayama College", "education"),
    Range("33.128.0.0/11", 4200000601, "Metroplex Business Lines", "business"),
    Range("33.160.0.0/11", 4200000602, "Officelink", "business"),
)


class AddressPlan:
    """Gives every use of an address its address.

    Args:
        draw: The world's draws.
        accounts: How many accounts there are: so much of each range is in use.
    """

    def __init__(self, draw: Draw, accounts: int) -> None:
        self._draw = draw
        self._of_kind = [np.array([n for n, r in enumerate(RANGES) if r.kind == k]) for k in ADDRESS_KINDS]
        self._start = np.array([_start(r.network) for r in RANGES], dtype=np.int64)
        total = np.array([_subnets(r.network) for r in RANGES], dtype=np.int64)
        wanted = np.array([accounts * 4 // (_PER_SUBNET * len(self._of_kind[0])) + 24 for _ in RANGES])
        self._used = np.minimum(wanted, total)
        self._stride = total // self._used

    def numbers(self, entity: Ints, owner: Ints, kind: npt.NDArray[np.int8]) -> Ints:
        """Return the address of each entity as a number; see :func:`address_text`.

        Args:
            entity: Keys of the addresses; shape ``(n,)``.
            owner: Who has it: addresses of one owner are customers of one provider; shape ``(n,)``.
            kind: Index into :data:`ADDRESS_KINDS`; shape ``(n,)``.
        """
        choice = np.zeros(len(entity), dtype=np.int64)
        for code, ranges in enumerate(self._of_kind):
            mine = kind == code
            choice[mine] = ranges[self._draw.below(owner[mine], 101, len(ranges))]
        subnet = self._draw.below(entity, 102, self._used[choice]) * self._stride[choice]
        host = 1 + self._draw.below(entity, 103, 254)
        numbers: Ints = self._start[choice] + subnet * 256 + host
        return numbers


def address_text(numbers: Ints) -> list[str]:
    """Return addresses as text; numbers from 2**32 on are IPv6, by range, subnet and host."""
    return [_text(number) for number in numbers.tolist()]


def range_table() -> pd.DataFrame:
    """Return the canonical table ``ip_ranges``."""
    return pd.DataFrame(
        [(r.cidr, r.asn, r.as_name, r.kind) for r in RANGES], columns=["cidr", "asn", "as_name", "kind"]
    )


def _start(network: IPv4Network | IPv6Network) -> int:
    if network.version == 4:
        return int(network.network_address)
    # The first 32 bits of the prefix are kept above 24 bits of subnet and host.
    return (int(network.network_address) >> 96) << 24


def _subnets(network: IPv4Network | IPv6Network) -> int:
    return 2 ** (24 - network.prefixlen) if network.version == 4 else 2**16


def _text(number: int) -> str:
    if number < 2**32:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    prefix, below = number >> 24, number & 0xFFFFFF
    return f"{prefix >> 16:x}:{prefix & 0xFFFF:x}:{below >> 8:x}::{below & 255:x}"
