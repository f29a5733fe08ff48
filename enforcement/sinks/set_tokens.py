"""Security event tokens (RFC 8417): one for each account that an event says something of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ringfence.enforcement.events import Event, idempotency_key
from ringfence.enforcement.sinks.risc_events import said
from ringfence.enforcement.sinks.set_keys import SigningKey, compact, in_base64

MEDIA_TYPE = "application/secevent+jwt"
SUBJECTS = ("iss_sub", "opaque")
"""How an account is named (RFC 9493): together with who gave it its name, or by its name alone."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs, for whom, and how accounts are named."""

    issuer: str
    audience: str
    subject: str
    """One of :data:`SUBJECTS`."""
    subject_issuer: str
    """Who gave the accounts their names."""
    keys: tuple[SigningKey, ...]
    """The first signs; the others have signed what may still be under way."""

    def tokens(self, event: Event, sink: str) -> Iterator[str]:
        """Yield the tokens of an event in compact form, the same ones whenever it is asked.

        Args:
            event: What happened.
            sink: The sink's name: two sinks' tokens have ids of their own.
        """
        key = self.keys[0]
        header = in_base64(compact({"alg": key.algorithm, "kid": key.key_id, "typ": "secevent+jwt"}))
        idempotent, happened = idempotency_key(event, sink), int(event.occurred_at.timestamp())
        for one in said(event):
            claims = {
                "iss": self.issuer,
                "aud": self.audience,
                "iat": happened,
                "toe": happened,
                "txn": event.event_id,
                "jti": sha256(f"{idempotent}\0{one.account_id}".encode()).hexdigest()[:32],
                "sub_id": self._subject(one.account_id),
                "events": {one.event_type: one.claims},
            }
            signed = f"{header}.{in_base64(compact(claims))}"
            yield f"{signed}.{in_base64(key.sign(signed.encode()))}"

    def jwks(self) -> dict[str, Any]:
        """Return the public keys for receivers, the one that signs first."""
        return {"keys": [key.as_jwk() for key in self.keys]}

    def _subject(self, account_id: str) -> dict[str, str]:
        if self.subject == "opaque":
            return {"format": "opaque", "id": account_id}
        return {"format": "iss_sub", "iss": self.subject_issuer, "sub": account_id}
