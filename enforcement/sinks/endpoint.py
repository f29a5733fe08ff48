"""An address that a sink posts to, as the sinks file gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from ringfence.enforcement.sinks.addresses import inner, literal
from ringfence.enforcement.sinks.settings import Table

_PLAIN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that a sink posts to, checked."""

    host: str
    port: int
    path: str
    """With the query."""
    tls: bool
    allow_private: bool = False
    ca_file: Path | None = None
    """Certificates to trust, where the system's will not do."""
    timeout: float = 15.0
    """Seconds that one exchange may take, from looking up the name to the answer's end."""
    connections: int = 8
    """How many may be open at once."""

    @classmethod
    def from_table(cls, entry: Table, key: str = "url") -> Self:
        """Read the keys ``url``, ``allow_private``, ``ca_file``, ``timeout`` and ``connections``.

        Raises:
            PolicyError: they do not say what they must.
        """
        written, allow_private = entry.text(key), entry.flag("allow_private", False)
        ca_file = entry.optional_path("ca_file")
        if ca_file is not None and not ca_file.is_file():
            raise entry.wrong("ca_file", f"names {ca_file}, which is not there")
        parts, host, port = _parts(entry, key, written)
        tls = parts.scheme == "https"
        fixed = literal(host)
        network = None if fixed is None else inner(str(fixed))
        loopback = host == "localhost" or (fixed is not None and fixed.is_loopback)
        if network is not None and not allow_private:
            raise entry.wrong(
                key,
                f"leads to no address of the open internet ({network}); set allow_private = true if that is "
                "meant",
            )
        if not tls and not (loopback and allow_private):
            raise entry.wrong(
                key,
                "must begin with https://; http:// will do only for this very machine, with "
                "allow_private = true",
            )
        return cls(
            host=host,
            port=port or (443 if tls else 80),
            path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            tls=tls,
            allow_private=allow_private,
            ca_file=ca_file,
            timeout=entry.number("timeout", 15.0, least=0.1, most=60.0),
            connections=int(entry.number("connections", 8, least=1, most=64)),
        )


def _parts(entry: Table, key: str, written: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(written)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise entry.wrong(key, "is no web address") from error
    if parts.scheme not in ("https", "http") or not host or not _PLAIN.fullmatch(written):
        raise entry.wrong(key, "must be a web address such as https://hooks.example.com/ringfence")
    if parts.username is not None or parts.password is not None:
        raise entry.wrong(key, "holds a user or password; secrets are not written into this file")
    if parts.fragment:
        raise entry.wrong(key, "has a # in it; what follows is never sent, so leave it out")
    return parts, host, port
