"""A receiver over real HTTP that fails on purpose, in a thread or a process of its own.

``python flaky_receiver.py --log FILE --inbox FILE --secret-env NAME --seed N [--ignore-keys] [--honest]``
prints its port. What goes wrong with a request is drawn from the seed, the key, and how often the key came:
the same keys fail alike whoever sends first. The log has a line for each request, written before the answer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

from ringfence.enforcement.receiver import Inbox, RejectedError

CLIENT_TIMEOUT = 2.0
"""Seconds that the sender is to wait for an answer."""

FAULTS = {
    "fine": 0.58,
    "error": 0.12,  # 500, not applied
    "busy": 0.08,  # 503 with Retry-After
    "lost": 0.08,  # applied, then hung up
    "slow": 0.06,  # applied, and answered late but in time
    "moved": 0.05,  # redirected
    "silent": 0.015,  # not applied, and no answer in time
    "late": 0.015,  # applied, and the answer comes too late
}
_APPLIED = ("fine", "lost", "slow", "late")

Decide = Callable[[str, int], str]
"""Key, how many times it came before → a fault."""


def drawn(seed: int) -> Decide:
    def decide(key: str, before: int) -> str:
        return Random(f"{seed}:{key}:{before}").choices(list(FAULTS), list(FAULTS.values()))[0]

    return decide


class FlakyReceiver(ThreadingHTTPServer):
    """Applies what it verified, once a key where it honours keys."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        inbox: Path,
        secrets: list[str],
        decide: Decide,
        log: Path | None = None,
        *,
        honours: bool = True,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.inbox, self.secrets, self.decide, self.honours = inbox, secrets, decide, honours
        self.log = None if log is None else log.open("a", encoding="utf-8")
        self.seen: Counter[str] = Counter()
        self.lines: list[dict[str, Any]] = []
        self.connections = 0
        self.guard = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def note(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        if self.log is not None:
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of senders that hang up: some are killed."""

    def __enter__(self) -> FlakyReceiver:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FlakyReceiver

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.inbox = Inbox.open(self.server.inbox, self.server.secrets)
        # Nobody pulls this receiver's plug: it need not wait for the disk.
        self.inbox.connection.execute("PRAGMA synchronous = OFF")

    def finish(self) -> None:
        super().finish()
        self.inbox.close()

    def log_message(self, *_said: object) -> None:
        pass

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        key = self.headers.get("webhook-id", "")
        inbox = self.inbox
        with self.server.guard:
            if len(body) < length:  # its sender died within it
                self.server.note({"key": key, "cut": True, "applied": False})
                return
            fault = self.server.decide(key, self.server.seen[key])
            self.server.seen[key] += 1
            line: dict[str, Any] = {
                "key": key,
                "fault": fault,
                "path": self.path,
                "digest": sha256(body).hexdigest(),
                "headers": dict(self.headers),
            }
            try:
                message = inbox.verify(dict(self.headers), body)
            except RejectedError as error:
                self.server.note({**line, "rejected": str(error), "applied": False})
                self._answer(401)
                return
            data = message.payload["data"]
            line |= {"ring": data["ring_id"], "version": data["version"], "kind": data["kind"]}
            with inbox.taking(message) if fault in _APPLIED else _nothing() as first:
                line["applied"] = fault in _APPLIED and (first or not self.server.honours)
            self.server.note(line)
        self._behave(fault)

    def _behave(self, fault: str) -> None:
        if fault in ("silent", "late"):
            time.sleep(CLIENT_TIMEOUT * 1.3)
        if fault in ("silent", "lost", "late"):
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(0.1)
        status, headers = {
            "fine": (200, {}),
            "slow": (202, {}),
            "error": (500, {}),
            "busy": (503, {"Retry-After": "0"}),
            "moved": (307, {"Location": "/elsewhere"}),
        }.get(fault) or (int(fault), {})
        self._answer(status, **headers)

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _nothing:  # noqa: N801
    def __enter__(self) -> bool:
        return False

    def __exit__(self, *_raised: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path)
    parser.add_argument("--inbox", type=Path, required=True)
    parser.add_argument("--secret-env", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ignore-keys", action="store_true")
    parser.add_argument("--honest", action="store_true", help="nothing goes wrong")
    said = parser.parse_args()
    decide = (lambda _key, _before: "fine") if said.honest else drawn(said.seed)
    receiver = FlakyReceiver(
        said.inbox, [os.environ[said.secret_env]], decide, said.log, honours=not said.ignore_keys
    )
    print(receiver.port, flush=True)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    sys.stdin.read()  # until whoever started it is gone


if __name__ == "__main__":
    main()
