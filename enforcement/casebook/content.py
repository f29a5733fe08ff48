"""What the casebook keeps of a ring: what a run told of it, deflated, and a digest of what matters."""

from __future__ import annotations

import json
import zlib
from typing import Any

from ringfence.files import digest_json
from ringfence.records import Ring, Role


def packed(value: Any) -> bytes:
    """Return a JSON value deflated; the same bytes for the same value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return zlib.compress(text.encode(), 6)


def unpacked(content: bytes) -> Any:
    """Return the value that :func:`packed` wrote."""
    return json.loads(zlib.decompress(content))


def matters(ring: Ring) -> str:
    """Return the digest of what a person decides on: the decision, who is in it as what, the families.

    A score that moves by a hundredth makes no new version: no reviewer would ever be up to date.
    """
    members = sorted((member.account_id, member.role is Role.BYSTANDER) for member in ring.members)
    return digest_json([ring.decision, members, sorted({line.family for line in ring.evidence})])
