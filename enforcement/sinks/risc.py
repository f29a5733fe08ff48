"""Kind ``risc``: signed security event tokens (RFC 8417), pushed one by one (RFC 8935) or written to a file.

::

    [sinks.login]
    kind = "risc"
    url = "https://login.example.com/events"    # or folder = "tokens": a file for each event, a token a line
    issuer = "https://api.example.com/"
    audience = "https://login.example.com/"
    key_file = ["new.pem", "old.pem"]           # or key_env; `openssl genpkey -algorithm ed25519` makes one
    token_file = "login.token"                  # or token_env: a bearer token, where the receiver wants one
    subject = "iss_sub"                         # or "opaque": name accounts by their ids alone
    subject_issuer = "https://id.example.com/"  # who named the accounts, where that is not the issuer

and where wanted ``allow_private``, ``ca_file``, ``timeout`` (seconds) and ``connections``. The first key
signs; receivers find them all in :meth:`Risc.jwks`. Ed25519 signs far faster than RSA.
:mod:`.risc_events` says what is told of which action.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.endpoint import Endpoint
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.http import Answer, Poster, check
from ringfence.enforcement.sinks.protocol import Delivery, RefusedError, TryAgainError
from ringfence.enforcement.sinks.set_keys import SigningKey
from ringfence.enforcement.sinks.set_tokens import MEDIA_TYPE, SUBJECTS, Issuer
from ringfence.enforcement.sinks.settings import Table
from ringfence.enforcement.sinks.text import shown
from ringfence.files import parse_json

_NOT_ABOUT_THE_TOKEN = ("authentication_failed", "access_denied")
"""Errors that are mended on the receiver's side, or in the sinks file."""


class _Way(Protocol):
    """How tokens get to the other side."""

    def render(self, event: Event) -> bytes: ...

    def send(self, delivery: Delivery) -> str: ...

    def close(self) -> None: ...


class Risc:
    """Tells of accounts that are disabled, enabled again, or a risk."""

    media_type: ClassVar[str] = MEDIA_TYPE

    def __init__(self, name: str, issuer: Issuer, way: _Way) -> None:
        """Take what :meth:`from_settings` read."""
        self.name = name
        self._issuer, self._way = issuer, way

    @classmethod
    def from_settings(cls, name: str, table: Mapping[str, Any], folder: Path) -> Self:
        """Return the sink of an entry.

        Raises:
            PolicyError: the entry does not say what it must, or a secret that it names is not there.
        """
        entry = Table(name, table, folder)
        issuer = entry.text("issuer")
        signing = Issuer(
            issuer=issuer,
            audience=entry.text("audience"),
            subject=entry.choice("subject", SUBJECTS, SUBJECTS[0]),
            subject_issuer=entry.optional_text("subject_issuer") or issuer,
            keys=tuple(_key(entry, pem) for pem in entry.secrets("key")),
        )
        way = _way(entry, signing, both="url" in table)
        entry.done()
        return cls(name, signing, way)

    def render(self, event: Event) -> bytes:
        """Return the event's tokens, one a line; none where there is nothing to tell."""
        return self._way.render(event)

    def send(self, delivery: Delivery) -> str:
        """Hand every token over; return how many.

        Raises:
            TryAgainError: one was not taken, or nobody knows whether it was. The next try of this process
                goes on from there; another process sends all again, and receivers know them by their ids.
            RefusedError: the receiver will never take one.
            GoneError: the receiver wants nothing any more.
        """
        return self._way.send(delivery) if delivery.body else "nothing to tell"

    def close(self) -> None:
        """Close all connections."""
        self._way.close()

    def jwks(self) -> dict[str, Any]:
        """Return the public keys, as a JSON Web Key Set (RFC 7517) for receivers."""
        return self._issuer.jwks()


class _Files(FileSink):
    """Writes tokens into a folder."""

    extension: ClassVar[str] = "jwt"
    media_type: ClassVar[str] = MEDIA_TYPE

    def __init__(self, name: str, folder: Path, issuer: Issuer) -> None:
        super().__init__(name, folder)
        self._issuer = issuer

    def render(self, event: Event) -> bytes:
        return _lines(self._issuer, event, self.name)


class _Push:
    """Posts tokens, several at once, and knows which ones were taken."""

    def __init__(self, name: str, endpoint: Endpoint, issuer: Issuer, token: str | None) -> None:
        self._name, self._issuer, self._poster = name, issuer, Poster(endpoint)
        self._headers = {"content-type": MEDIA_TYPE, "accept": "application/json", "user-agent": "ringfence"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"
        self._taken: dict[str, set[bytes]] = {}

    def render(self, event: Event) -> bytes:
        return _lines(self._issuer, event, self._name)

    def send(self, delivery: Delivery) -> str:
        tokens = delivery.body.splitlines()
        taken, failed = self._taken.setdefault(delivery.key, set()), threading.Event()
        left = [token for token in tokens if token not in taken]
        # Each token is of another account, so their order does not matter.
        lanes = min(self._poster.endpoint.connections, len(left))
        with ThreadPoolExecutor(max(lanes, 1), thread_name_prefix="tokens") as pool:
            for done in [pool.submit(self._post_all, left[i::lanes], taken, failed) for i in range(lanes)]:
                done.result()
        self._taken.pop(delivery.key)
        return f"{len(tokens):,} tokens accepted"

    def _post_all(self, tokens: list[bytes], taken: set[bytes], failed: threading.Event) -> None:
        for token in tokens:
            if failed.is_set():
                return
            try:
                self._post(token)
            except Exception:
                failed.set()
                raise
            taken.add(token)

    def close(self) -> None:
        self._poster.close()

    def _post(self, token: bytes) -> None:
        answer = self._poster.post(token, self._headers)
        host = self._poster.endpoint.host
        error, description = _said(answer)
        if error is not None:
            told = f"{host} did not take a token: {error}{f' ({description})' if description else ''}."
            if error in _NOT_ABOUT_THE_TOKEN:
                raise TryAgainError(told)
            raise RefusedError(told)
        check(answer, host)


def _lines(issuer: Issuer, event: Event, sink: str) -> bytes:
    return "".join(f"{token}\n" for token in issuer.tokens(event, sink)).encode()


def _said(answer: Answer) -> tuple[str | None, str]:
    """Return the error and the description that a refusal holds (RFC 8935, section 2.4)."""
    if answer.status != 400:
        return None, ""
    with suppress(ValueError):
        found = parse_json(answer.body)
        if isinstance(found, dict) and isinstance(found.get("err"), str):
            return _short(found["err"]), _short(found.get("description", ""))
    return None, ""


def _short(said: object) -> str:
    """Return what a stranger said, fit for a message."""
    return shown(said)[:200]


def _key(entry: Table, pem: str) -> SigningKey:
    try:
        return SigningKey.read(pem)
    except ValueError as error:
        raise entry.wrong("key_file or key_env", f"names a secret that {error}") from error


def _way(entry: Table, issuer: Issuer, *, both: bool) -> _Way:
    folder = entry.optional_path("folder")
    if folder is not None:
        if both:
            raise entry.wrong("folder", "cannot stand beside url; keep one of the two")
        return _Files(entry.name, folder, issuer)
    endpoint, token = Endpoint.from_table(entry), entry.optional_token("token")
    try:
        return _Push(entry.name, endpoint, issuer, token)
    except OSError as error:
        raise entry.wrong("ca_file", "names a file that holds no certificates") from error
