"""From what ``--neo4j`` says to a store."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from ringfence.errors import UsageError, near_names
from ringfence.progress import Tick, silent

if TYPE_CHECKING:
    from ringfence.stores.neo4j import Neo4jStore

LOCAL = "local"
SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is and how it lets us in."""

    address: str
    user: str
    password: str = field(repr=False)
    database: str | None
    """None for the server's default."""


def open_store(where: str, tick: Tick = silent) -> Neo4jStore:
    """Return the store that ``where`` names.

    Args:
        where: ``local`` (the server that Ringfence starts itself, started where it is stopped) or a
            ``bolt://`` or ``neo4j://`` address, also with ``+s`` or ``+ssc``. User and password come from the
            address (``neo4j://user:password@host``) or from NEO4J_USERNAME and NEO4J_PASSWORD; a path names
            the database.
        tick: told how far the start of the local server is.

    Raises:
        UsageError: ``where`` is neither, or no password is given.
        StoreUnavailableError: the local server cannot be fetched or does not start. Whether another one
            answers is only found out when the store is used.
    """
    from ringfence.stores.neo4j import Neo4jStore

    if where == LOCAL:
        from ringfence.stores import local

        server = local.up(tick=tick)
        return Neo4jStore(server.address, server.user, server.password)
    named = read_address(where)
    return Neo4jStore(named.address, named.user, named.password, named.database)


def read_address(where: str) -> Address:
    """Read the address of a user's own store, without asking whether anyone answers there.

    Raises:
        UsageError: it is no address of a store, or no password is given.
    """
    parts = _split(where)
    user = unquote(parts.username or "") or os.environ.get("NEO4J_USERNAME") or "neo4j"
    password = unquote(parts.password or "") or os.environ.get("NEO4J_PASSWORD")
    if not password:
        raise UsageError(
            f"No password for {_address(parts)}. Set NEO4J_PASSWORD (and NEO4J_USERNAME), "
            "or write neo4j://user:password@host."
        )
    return Address(_address(parts), user, password, parts.path.strip("/") or None)


def _split(where: str) -> SplitResult:
    try:
        parts = urlsplit(where)
        _ = parts.port
    except ValueError as error:
        # The parser's own message may quote the password.
        raise UsageError("The --neo4j address cannot be read: its port or host is off.") from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        shown = where if "@" not in where else f"{parts.scheme}://…"
        raise UsageError(
            f"--neo4j {shown!r} is no store. Give `local`, or an address such as neo4j://host:7687 "
            f"(schemes: {', '.join(SCHEMES)}).{near_names(where, [LOCAL])}"
        )
    return parts


def _address(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port is not None else "")
