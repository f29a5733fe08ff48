"""A real TAXII 2.1 server on loopback: medallion in a process of its own, its collections in memory."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from taxii2client.v21 import Collection, as_pages

USER, PASSWORD = "ringfence", "correct horse"
COLLECTIONS = 40
LIMIT = 12_000


@dataclass
class Server:
    """A server process, and which of its collections nobody has used."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    used: int = field(default=0)

    def start(self) -> None:
        """Start it, with empty collections, and wait until it answers."""
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "medallion.scripts.run",
                "--port",
                str(self.port),
                str(self.folder / "config"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        by = time.monotonic() + 30
        while time.monotonic() < by:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("medallion did not start")

    def kill(self) -> None:
        """Kill it at once; what it held is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def fresh(self) -> str:
        """Return the address of an empty collection."""
        self.used += 1
        return f"http://127.0.0.1:{self.port}/root/collections/{collection_id(self.used)}/"


def collection_id(number: int) -> str:
    return str(uuid5(UUID(int=0), str(number)))


def prepared(folder: Path) -> Server:
    """Write the files of a server; collection 38 cannot be written, and collection 39 cannot be read."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    collections = [
        {
            "id": collection_id(number),
            "title": f"Collection {number}",
            "can_read": number != 39,
            "can_write": number != 38,
            "media_types": ["application/stix+json;version=2.1"],
            "objects": [],
            "manifest": [],
        }
        for number in range(COLLECTIONS)
    ]
    information = {
        "title": "Root",
        "versions": ["application/taxii+json;version=2.1"],
        "max_content_length": LIMIT,
    }
    root = {"information": information, "status": [], "collections": collections}
    data = {"/discovery": {"title": "Server", "api_roots": []}, "root": root}
    (folder / "data.json").write_text(json.dumps(data))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(folder / "data.json"),
    }
    config = {"backend": backend, "users": {USER: PASSWORD}, "taxii": {"max_page_size": 20}}
    (folder / "config").write_text(json.dumps(config))
    return Server(folder, port)


def held(url: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what a collection holds, by id and version, as its own client reads it."""
    with Collection(url, user=USER, password=PASSWORD) as collection:
        pages = as_pages(collection.get_objects, per_request=20, version="all")
        found = [one for page in pages for one in page.get("objects", [])]
    by_version = {(one["id"], one.get("modified", "")): one for one in found}
    assert len(by_version) == len(found), "something is there twice"
    return by_version
