"""Kind ``misp``: a MISP event for each order, a JSON file each, to import or to serve as a feed.

::

    [sinks.sharing]
    kind = "misp"
    folder = "/srv/misp"
    distribution = 0              # 0 (where it is missing) is your organisation only, up to 3, everybody
    tlp = "amber"                 # or clear, green, amber+strict, red
    organisation = "Example AI"   # who tells; with its uuid in MISP
    organisation_uuid = "…"

An order is a MISP event. What it says of an account is a ``user-account`` object; of a shared address, an
``ip-src``; of anything else, text. A reversal is the same MISP event with a later timestamp: MISP updates
what has the same uuid and is older. The accounts that it frees come with ``deleted`` and without ``to_ids``,
so that an instance that keeps deleted attributes does not act on them either.

Addresses never have ``to_ids``: a dormitory's address in a block list would hit whoever lives there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.misp_event import Sharing, misp_event
from ringfence.enforcement.sinks.settings import Table
from ringfence.enforcement.sinks.text import safe_json

TLP = ("clear", "green", "amber", "amber+strict", "red")


class MispFiles(FileSink):
    """Writes a MISP event a file."""

    extension = "json"
    media_type = "application/json"

    def __init__(self, name: str, folder: Path, sharing: Sharing) -> None:
        """Name the folder, and who tells whom."""
        super().__init__(name, folder)
        self._sharing = sharing

    @classmethod
    def from_settings(cls, name: str, table: Mapping[str, Any], folder: Path) -> Self:
        """Return the sink of an entry.

        Raises:
            PolicyError: the entry does not say what it must.
        """
        entry = Table(name, table, folder)
        sink = cls(name, entry.path("folder"), _sharing(entry))
        entry.done()
        return sink

    def render(self, event: Event) -> bytes:
        """Return the MISP event as JSON."""
        return safe_json({"Event": misp_event(event, self._sharing)}).encode()


def _sharing(entry: Table) -> Sharing:
    distribution = entry.number("distribution", 0.0, most=3.0)
    if not distribution.is_integer():
        raise entry.wrong("distribution", "must be 0, 1, 2 or 3")
    return Sharing(entry.choice("tlp", TLP, "amber"), int(distribution), _organisation(entry))


def _organisation(entry: Table) -> tuple[str, str] | None:
    name, known_as = entry.optional_text("organisation"), entry.optional_text("organisation_uuid")
    if name is None and known_as is None:
        return None
    if name is None or known_as is None:
        raise entry.wrong("organisation", "and organisation_uuid go together")
    try:
        return name, str(UUID(known_as))
    except ValueError as error:
        raise entry.wrong("organisation_uuid", "must be a uuid, as MISP shows it") from error
