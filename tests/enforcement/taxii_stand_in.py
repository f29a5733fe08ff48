"""A TAXII server that answers as it is told: for what a real one does too rarely."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from serving import serving

MEDIA_TYPE = "application/taxii+json;version=2.1"


def status(state: str, **counts: int) -> dict[str, Any]:
    """Return a status resource; counts that are not given are 0."""
    told = {f"{name}_count": counts.get(name, 0) for name in ("success", "failure", "pending")}
    return {"id": "s-1", "status": state, "total_count": sum(told.values()), **told}


@dataclass
class StandIn:
    """What it answers, and what it got."""

    url: str = ""
    root: Any = field(
        default_factory=lambda: {"title": "R", "versions": [MEDIA_TYPE], "max_content_length": 1_000_000}
    )
    collection: Any = field(
        default_factory=lambda: {"id": "c-1", "title": "C", "can_read": True, "can_write": True}
    )
    added: Any = field(default_factory=lambda: status("complete"))
    polled: list[Any] = field(default_factory=list)
    """What it says when it is asked for the status, first to last; the last stays."""
    manifest: tuple[int, Any] = (200, {})
    media_type: str = MEDIA_TYPE
    shown: set[str] = field(default_factory=set)
    """Every ``Authorization`` that came."""

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        if method == "POST":
            return 202, self.added
        if "/status/" in path:
            return 200, self.polled.pop(0) if len(self.polled) > 1 else self.polled[0]
        if "/manifest/" in path:
            return self.manifest
        return 200, self.collection if "/collections/" in path else self.root


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Yield a stand-in that listens."""
    server_of = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            server_of.shown.add(self.headers.get("authorization", ""))
            code, said = server_of.answer(self.command, self.path)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(code)
            self.send_header("content-type", server_of.media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            pass

    with serving(Handler) as address:
        server_of.url = f"{address}/root/collections/c-1/"
        yield server_of
