"""JSON lines: a row per account, every value exactly as it is."""

from __future__ import annotations

import json
from typing import Any

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.rows import COLUMNS, of_accounts, of_event

_HARMLESS = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\x7f"})


class JsonlFiles(FileSink):
    """A JSON object a line; pure ASCII: whatever a page, a terminal or a log would obey is escaped."""

    extension = "jsonl"
    media_type = "application/x-ndjson"

    def render(self, event: Event) -> bytes:
        """Return a line per account."""
        shared = of_event(event)
        return "".join(_line({**shared, **account}) for account in of_accounts(event)).encode("ascii")


def _line(row: dict[str, Any]) -> str:
    ordered = {name: row[name] for name in COLUMNS}
    # These signs stand within texts only, never in what JSON itself is made of.
    return json.dumps(ordered, separators=(",", ":"), allow_nan=False).translate(_HARMLESS) + "\n"
