"""JSON lines: a row per account, every value exactly as it is."""

from __future__ import annotations

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.rows import COLUMNS, of_accounts, of_event
from ringfence.enforcement.sinks.text import safe_json


class JsonlFiles(FileSink):
    """A JSON object a line, in plain ASCII."""

    extension = "jsonl"
    media_type = "application/x-ndjson"

    def render(self, event: Event) -> bytes:
        """Return a line per account."""
        shared = of_event(event)
        rows = (shared | account for account in of_accounts(event))
        return "".join(safe_json({name: row[name] for name in COLUMNS}) + "\n" for row in rows).encode()
