"""Kind ``stix``: a STIX 2.1 bundle for each event, a file each.

::

    [sinks.intel]
    kind = "stix"
    folder = "/srv/intel"
    producer = "Example AI"
    tlp = "amber+strict"        # clear, green, amber (where it is missing), amber+strict or red
    account_type = "example-ai" # tells your accounts from those of others

Ids follow from ``producer``: under another name, a reversal finds nothing that it could revoke. Leave it as
it is while orders stand.

:mod:`.stix_bundle` says what is in it, and what a reversal does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.settings import Table
from ringfence.enforcement.sinks.stix_bundle import bundle
from ringfence.enforcement.sinks.stix_objects import Producer


class StixFiles(FileSink):
    """Writes a bundle a file."""

    extension: ClassVar[str] = "json"
    media_type: ClassVar[str] = "application/stix+json;version=2.1"

    def __init__(self, name: str, folder: Path, producer: Producer) -> None:
        """Name the folder, and who tells."""
        super().__init__(name, folder)
        self._producer = producer

    @classmethod
    def from_settings(cls, name: str, table: Mapping[str, Any], folder: Path) -> Self:
        """Return the sink of an entry.

        Raises:
            PolicyError: the entry does not say what it must.
        """
        entry = Table(name, table, folder)
        sink = cls(name, entry.path("folder"), Producer.of(entry))
        entry.done()
        return sink

    def render(self, event: Event) -> bytes:
        """Return the event's bundle as JSON."""
        return json.dumps(bundle(event, self._producer), separators=(",", ":"), ensure_ascii=False).encode()
