"""A ring whose prompts may be sealed, its custodians, and what nobody may find on the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from case_samples import accounts, confirmed, ring, targets_of
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from outbox_samples import ToldSink, sinks_of

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.custodians import add_custodian
from ringfence.enforcement.exhibits.records import Exhibit
from ringfence.enforcement.exhibits.seal import Sealing, seal
from ringfence.enforcement.exhibits.switch import switch
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Request
from ringfence.records import Action

PASSPHRASE = "seventeen brass keys"
MARKER = "marker-quillfeather"
SOAK = bool(os.environ.get("RINGFENCE_SOAK"))


def exhibits(count: int, prefix: str = "acct") -> list[Exhibit]:
    return [
        Exhibit(
            one,
            f"2026-02-{number % 28 + 1:02}T10:00:00Z",
            f"r{number}",
            f"{MARKER} s{number}",
            f"{MARKER} p{number}",
        )
        for number, one in enumerate(accounts(count, prefix))
    ]


def custodian(book: Casebook, name: str) -> X25519PrivateKey:
    key = X25519PrivateKey.generate()
    with book.writing("root") as writing:
        add_custodian(writing, name, key.public_key())
    return key


def ready(book: Casebook, ring_id: str = "R-1", prefix: str = "acct", size: int = 30) -> None:
    """A confirmed ring with a bystander, and leave to seal."""
    confirmed(book, ring(ring_id, accounts(size, prefix), [f"{prefix}_bystander"]))
    with book.writing("root") as writing:
        switch(writing, "Appeals need to be answered.", on=True)


def sealed_ring(
    book: Casebook, count: int = 5, ring_id: str = "R-1", prefix: str = "acct", days: int = 180
) -> Sealing:
    ready(book, ring_id, prefix)
    with book.writing("ada") as writing:
        return seal(writing, ring_id, exhibits(count, prefix), days)


def audited(book: Casebook, what: str) -> list[dict[str, Any]]:
    entries = [json.loads(row["entry"]) for row in book.read("SELECT entry FROM audit ORDER BY place")]
    return [entry for entry in entries if entry["what"] == what]


def found_on_disk(folders: Iterable[Path], secrets: Sequence[str]) -> list[str]:
    """Return the files in which a secret stands in the clear, as UTF-8, UTF-16 or JSON writes it."""
    wanted = [
        form
        for secret in secrets
        for form in (secret.encode(), secret.encode("utf-16-le"), json.dumps(secret)[1:-1].encode())
    ]
    return [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in wanted)
    ]


def ordered(book: Casebook, ring_id: str, prefix: str, approvals: int = 0) -> None:
    found = confirmed(book, ring(ring_id, accounts(4, prefix)))
    with book.writing("ada") as writing:
        asked = Request(ring_id, Action.SUSPEND, targets_of(found), "Shared cards.", approvals=approvals)
        place(writing, asked, sinks_of(ToldSink("desk")))
