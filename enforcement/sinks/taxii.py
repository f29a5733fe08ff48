"""Kind ``taxii``: the same STIX objects as of kind ``stix``, added to a collection of a TAXII 2.1 server.

::

    [sinks.sharing]
    kind = "taxii"
    url = "https://taxii.example.com/api1/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/"
    user = "ringfence"              # and password_file or password_env; or
    token_file = "sharing.token"    # a bearer token
    producer = "Example AI"         # this, tlp and account_type as of kind "stix"
    patience = 60                   # seconds to wait for a server that takes objects in later

and where wanted ``allow_private``, ``ca_file`` and ``timeout`` (seconds). The collection must let us write,
and should let us read: what a server would not take is looked up there; what it has already is no failure.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from taxii2client.exceptions import AccessError, TAXIIServiceException
from taxii2client.v21 import ApiRoot, Collection, Status

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.endpoint import Endpoint
from ringfence.enforcement.sinks.http import Poster
from ringfence.enforcement.sinks.protocol import Delivery, RefusedError, TryAgainError
from ringfence.enforcement.sinks.settings import Table
from ringfence.enforcement.sinks.stix_bundle import objects
from ringfence.enforcement.sinks.stix_objects import Object, Producer
from ringfence.enforcement.sinks.taxii_wire import MEDIA_TYPE, Wire

MOST_OBJECTS = 500
"""In one envelope: its status names each of them."""

_COLLECTION = re.compile(r"(.*/)collections/[^/]+/?")
_ASKED_AT_ONCE = 50
"""Ids in one address, which servers do not take at any length."""
_PAGE = 100


class Taxii:
    """Adds each event's objects to a collection, in as many envelopes as the server's limit asks for."""

    media_type: ClassVar[str] = MEDIA_TYPE

    def __init__(self, name: str, url: str, wire: Wire, producer: Producer, patience: float) -> None:
        """Take what :meth:`from_settings` read; nothing is connected yet."""
        self.name = name
        self._url, self._wire, self._producer, self._patience = url, wire, producer, patience

    @classmethod
    def from_settings(cls, name: str, table: Mapping[str, Any], folder: Path) -> Self:
        """Return the sink of an entry.

        Raises:
            PolicyError: the entry does not say what it must, or a secret that it names is not there.
        """
        entry = Table(name, table, folder)
        endpoint, url = Endpoint.from_table(entry), entry.text("url")
        if not _COLLECTION.fullmatch(url) or "?" in url:
            raise entry.wrong("url", "must be the address of a collection: it ends in /collections/ID/")
        shown, producer = _shown(entry), Producer.of(entry)
        patience = entry.number("patience", 60.0, least=1.0, most=600.0)
        entry.done()
        try:
            wire = Wire(Poster(endpoint), shown)
        except OSError as error:
            raise entry.wrong("ca_file", "names a file that holds no certificates") from error
        return cls(name, url, wire, producer, patience)

    def render(self, event: Event) -> bytes:
        """Return the event's objects in one envelope."""
        return _json({"objects": objects(event, self._producer)})

    def send(self, delivery: Delivery) -> str:
        """Add the objects; return how many were added, and how many were there.

        Raises:
            TryAgainError: the server is down, busy, lets us not in, or has not taken them in yet.
            RefusedError: it takes some of them never.
            GoneError: it wants nothing any more.
        """
        try:
            return self._send(json.loads(delivery.body)["objects"])
        except AccessError as error:
            raise TryAgainError(
                f"The collection does not let us write ({error}). Ask its owner, or name another user."
            ) from error
        except (TAXIIServiceException, KeyError, TypeError, AttributeError) as error:
            raise TryAgainError(f"The server's answer is not TAXII 2.1: {str(error)[:200]}.") from error

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _send(self, told: list[Object]) -> str:
        # Asked anew each time: limits and rights may have changed since the last.
        most = ApiRoot(_COLLECTION.sub(r"\1", self._url), conn=self._wire).max_content_length
        collection, there = Collection(self._url, conn=self._wire), 0
        for envelope in list(split(told, most)):
            status = collection.add_objects(envelope, poll_interval=0.5, timeout=self._patience)
            there += self._check(collection, status, json.loads(envelope)["objects"])
        return f"{len(told) - there:,} objects added, {there:,} there already"

    def _check(self, collection: Collection, status: Status, sent: list[Object]) -> int:
        """Return how many of the objects that a server did not add it has, the same version of them."""
        if status.status != "complete":
            raise TryAgainError(
                f"After {self._patience:.0f} s, {status.pending_count:,} of {status.total_count:,} objects "
                "are still to be taken in."
            )
        if not status.failure_count:
            return 0
        failed = {str(one.get("id")): str(one.get("message", "")) for one in status.failures}
        doubtful = [one for one in sent if one["id"] in failed]
        if len(doubtful) < status.failure_count:
            # It names fewer than it refused, or others than we sent: any of them may be missing.
            doubtful = sent
        missing = _missing(collection, doubtful)
        if missing:
            first = missing[0]["id"]
            raise RefusedError(
                f"The server took {status.success_count:,} of {status.total_count:,} objects and refused "
                f"{len(missing):,}; of {first} it says {failed.get(first, '')[:200]!r}."
            )
        return int(status.failure_count)


def _missing(collection: Collection, doubtful: list[Object]) -> list[Object]:
    """Return the objects that the collection does not have in their very versions."""
    if not collection.can_read:
        return doubtful
    known: set[tuple[str, str]] = set()
    for start in range(0, len(doubtful), _ASKED_AT_ONCE):
        ids = [one["id"] for one in doubtful[start : start + _ASKED_AT_ONCE]]
        for row in _manifest(collection, ids):
            known |= {(row["id"], _version(row["version"])), (row["id"], _version(""))}
    return [one for one in doubtful if (one["id"], _version(_version_of(one))) not in known]


def _manifest(collection: Collection, ids: list[str]) -> Iterator[dict[str, str]]:
    """Yield the versions that a collection has of some objects, page by page."""
    page = collection.get_manifest(id=ids, version="all", limit=_PAGE)
    yield from page.get("objects", [])
    while page.get("more"):
        page = collection.get_manifest(id=ids, version="all", limit=_PAGE, next=page["next"])
        yield from page.get("objects", [])


def split(told: list[Object], most: int) -> Iterator[bytes]:
    """Yield envelopes of at most so many bytes that hold all objects in order.

    Raises:
        RefusedError: one object alone is too long.
    """
    held: list[bytes] = []
    length = 0
    for one in told:
        written = _json(one)
        if len(written) + len(_envelope([])) > most:
            raise RefusedError(
                f"The server takes at most {most:,} bytes at once; {one['id']} alone has {len(written):,}."
            )
        if held and (length + len(written) + len(_envelope([])) > most or len(held) == MOST_OBJECTS):
            yield _envelope(held)
            held, length = [], 0
        held.append(written)
        length += len(written) + 1
    if held:
        yield _envelope(held)


def _envelope(written: list[bytes]) -> bytes:
    return b'{"objects":[' + b",".join(written) + b"]}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _version_of(one: Object) -> str:
    """Return an object's version; accounts and addresses have none, markings only their beginning."""
    return str(one.get("modified") or one.get("created") or "")


def _version(stamp: str) -> str:
    """Return a time without zeros at its end: servers write thousandths or millionths."""
    second, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{second}.{fraction.rstrip('0')}"


def _shown(entry: Table) -> str | None:
    user, token = entry.optional_text("user"), entry.optional_token("token")
    password = entry.optional_secret("password")
    if (user is None) != (password is None):
        raise entry.wrong("user", "and a password belong together; name both, or neither")
    if user is not None and token is not None:
        raise entry.wrong("user", "cannot stand beside a token; keep one of the two")
    if token is not None:
        return f"Bearer {token}"
    return None if user is None else f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
