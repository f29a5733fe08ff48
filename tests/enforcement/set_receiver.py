"""A receiver of security event tokens on loopback: checks each by PyJWT and a key set, takes each id once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
from serving import serving

AUDIENCE = "https://login.example.com/"
ISSUER = "https://api.example.com/"


def verified(token: str, jwks: dict[str, Any], audience: str = AUDIENCE) -> dict[str, Any]:
    """Return what a token says.

    Raises:
        jwt.PyJWTError: it is not to be believed.
    """
    header = jwt.get_unverified_header(token)
    if header.get("typ") != "secevent+jwt":
        raise jwt.InvalidTokenError("not a security event token")
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys}
    if header.get("kid") not in keys:
        raise jwt.InvalidKeyError("unknown key")
    read: dict[str, Any] = jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=["EdDSA", "RS256"],
        audience=audience,
        issuer=ISSUER,
        options={"require": ["iss", "aud", "iat", "jti"], "verify_sub": False},
    )
    return read


@dataclass
class Receiver:
    """What it has got, and how it answers."""

    jwks: dict[str, Any] = field(default_factory=dict)
    bearer: str | None = None
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """For the next requests, first to last; then it behaves."""
    always: tuple[int, bytes] | None = None
    """For all requests."""
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Token id → what it says, in the order applied."""
    attempts: list[str] = field(default_factory=list)
    """Every token that came, repeated ones and refused ones too."""
    url: str = ""

    def answer(self, token: str, headers: Any) -> tuple[int, bytes]:
        self.attempts.append(token)
        if self.always is not None:
            return self.always
        if self.answers and (said := self.answers.pop(0)) != (202, b""):
            return said
        if self.bearer is not None and headers.get("authorization") != f"Bearer {self.bearer}":
            return 401, b""
        if headers.get("content-type") != "application/secevent+jwt":
            return _refusal("invalid_request", "wrong media type")
        try:
            said_of = verified(token, self.jwks)
        except jwt.InvalidAudienceError as error:
            return _refusal("invalid_audience", str(error))
        except jwt.InvalidKeyError as error:
            return _refusal("invalid_key", str(error))
        except jwt.PyJWTError as error:
            return _refusal("invalid_request", str(error))
        self.taken.setdefault(said_of["jti"], said_of)
        return 202, b""


def _refusal(error: str, description: str) -> tuple[int, bytes]:
    return 400, json.dumps({"err": error, "description": description}).encode()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Yield a receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, said = receiver.answer(body.decode(), self.headers)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            if status == 429:
                self.send_header("retry-after", "7")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_said: object) -> None:
            pass

    with serving(Handler) as address:
        receiver.url = f"{address}/events"
        yield receiver
