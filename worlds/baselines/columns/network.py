"""Where an account comes from: addresses, subnets, kinds of address range."""

from __future__ import annotations

import socket
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ringfence.worlds.baselines.columns.helpers import share, shares, variety
from ringfence.worlds.baselines.tables import Tables, fetched

_IPV4_SUBNET, _IPV6_SUBNET = 24, 48
_BATCH = 500_000


def network(tables: Tables, engine: Any) -> list[Any]:
    """Return the groups of columns about the requests' addresses, each keyed by account_id."""
    rows = tables("requests").select("account_id", "ip")
    known = rows.filter(rows["ip"].notnull())
    places = ibis.memtable(pa.Table.from_pandas(_described(known, tables("ip_ranges"), engine)))
    placed = known.inner_join(places, "ip")
    return [
        placed.group_by("account_id").agg(ipv6_share=share(placed["ip"].contains(":"))),
        variety(placed, "ip", placed["ip"], own_rows="request"),
        variety(placed, "subnet", placed["subnet"], own_rows="request"),
        variety(placed, "asn", placed["asn"], own_rows="request"),
        shares(engine, placed, "kind", "ip_kind"),
    ]


def _described(rows: Any, ranges: Any, engine: Any) -> pd.DataFrame:
    """Return ip, subnet, asn, kind for each address once."""
    known = fetched(engine, ranges)
    addresses = fetched(engine, rows.select("ip").distinct().order_by("ip"))["ip"].to_numpy(object)
    parts = [
        describe(addresses[start : start + _BATCH], known)
        for start in range(0, max(len(addresses), 1), _BATCH)
    ]
    return pd.concat(parts, ignore_index=True)


def describe(addresses: npt.NDArray[np.object_], ranges: pd.DataFrame) -> pd.DataFrame:
    """Return ip, subnet, asn, kind of addresses, by the narrowest range over each.

    Args:
        addresses: Canonical IPv4 and IPv6 addresses. What cannot be read as one is in no range and no subnet.
        ranges: cidr, asn, kind. IPv6 ranges narrower than /64 are left out: 64 bits are looked at.
    """
    version, number = _numbers(addresses)
    place = np.full(len(addresses), -1, np.int64)
    cut = [_range(cidr) for cidr in ranges["cidr"]]
    for wide, bits, width in sorted({(v, b, w) for v, b, w, _first in cut}, key=lambda key: key[1]):
        rows = np.flatnonzero([(v, b, w) == (wide, bits, width) for v, b, w, _first in cut])
        firsts = np.asarray([cut[row][3] for row in rows], np.uint64)
        order = np.argsort(firsts, kind="stable")
        masked = _masked(number, bits, width)
        at = np.clip(np.searchsorted(firsts[order], masked), 0, len(rows) - 1)
        hit = (version == wide) & (firsts[order][at] == masked)
        place[hit] = rows[order][at][hit]
    subnet = np.where(version == 4, _masked(number, _IPV4_SUBNET, 32), _masked(number, _IPV6_SUBNET, 64))
    return pd.DataFrame(
        {
            "ip": addresses,
            "subnet": [f"{v}:{s}" if v else None for v, s in zip(version, subnet, strict=True)],
            "asn": _taken(ranges["asn"].astype("Int64"), place),
            "kind": _taken(ranges["kind"], place),
        },
        dtype="string",
    )


def _taken(values: pd.Series[Any], place: npt.NDArray[np.int64]) -> Any:
    """Return the values at places as text, null where the place is -1."""
    return values.astype("string").array.take(place, allow_fill=True)


def _numbers(addresses: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Return version and number of each address: all 32 bits of IPv4, the first 64 of IPv6; 0 of others."""
    read = [_read(address) for address in addresses]
    version = np.asarray([version for version, _number in read], np.int64)
    return version, np.asarray([number for _version, number in read], np.uint64)


def _read(address: str) -> tuple[int, int]:
    try:
        return (6 if ":" in address else 4), _number(address)
    except (OSError, ValueError):
        return 0, 0


def _number(address: str) -> int:
    if ":" in address:
        return int.from_bytes(socket.inet_pton(socket.AF_INET6, address)[:8], "big")
    return int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")


def _range(cidr: str) -> tuple[int, int, int, int]:
    """Return version, prefix bits, width of numbers and first number of a range."""
    address, _slash, prefix = cidr.partition("/")
    version, width = (6, 64) if ":" in address else (4, 32)
    bits = int(prefix) if prefix else 2 * width
    return version, bits, width, _number(address)


def _masked(number: npt.NDArray[np.uint64], bits: int, width: int) -> npt.NDArray[np.uint64]:
    """Return numbers with all but the first ``bits`` of ``width`` made 0."""
    free = width - bits
    if free >= 64:
        return np.zeros_like(number)
    return (number >> np.uint64(free)) << np.uint64(free)
