"""The sinks file: where orders go. A kind's module is imported when the file names it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import PolicyError, near_names

KINDS = {
    "csv": "ringfence.enforcement.sinks.csv.CsvFiles",
    "jsonl": "ringfence.enforcement.sinks.jsonl.JsonlFiles",
    "parquet": "ringfence.enforcement.sinks.parquet.ParquetFiles",
    "webhook": "ringfence.enforcement.sinks.webhook.Webhook",
    "stix": "ringfence.enforcement.sinks.stix.StixFiles",
    "taxii": "ringfence.enforcement.sinks.taxii.Taxii",
    "misp": "ringfence.enforcement.sinks.misp.MispFiles",
    "risc": "ringfence.enforcement.sinks.risc.Risc",
}
"""What the sinks file calls a kind → the class that it is."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class SinkClass(Protocol):
    """A class of sinks that can be made from an entry of the sinks file."""

    def from_settings(self, name: str, table: Mapping[str, Any], folder: Path) -> Sink:
        """Return the sink of an entry; relative paths start at ``folder``.

        Raises:
            PolicyError: the entry does not say what it must.
        """


@dataclass(frozen=True, slots=True)
class Entry:
    """What the sinks file says of one sink."""

    name: str
    kind: str
    table: dict[str, Any]
    """All of its keys, ``kind`` among them."""


def open_sinks(path: Path) -> dict[str, Sink]:
    """Return the sinks of a sinks file by name, in the order written; none where there is no file.

    Raises:
        PolicyError: the file does not say what it must, or a secret that it names is not there.
    """
    opened: dict[str, Sink] = {}
    with ExitStack() as stack:
        for entry in read_entries(path):
            sink = open_sink(path, entry)
            stack.callback(sink.close)
            opened[entry.name] = sink
        stack.pop_all()
    return opened


def open_sink(path: Path, entry: Entry) -> Sink:
    """Return the sink of one entry.

    Raises:
        PolicyError: the entry does not say what it must, or a secret that it names is not there.
    """
    try:
        return sink_class(entry.kind).from_settings(entry.name, entry.table, path.absolute().parent)
    except PolicyError as error:
        raise PolicyError(f"{path}, {error}") from error


def sink_class(kind: str) -> SinkClass:
    """Return the class of a kind, one of :data:`KINDS`."""
    module, name = KINDS[kind].rsplit(".", 1)
    return cast(SinkClass, getattr(import_module(module), name))


def read_entries(path: Path) -> list[Entry]:
    """Read a sinks file without making anything of it; a missing file has no entries.

    Raises:
        PolicyError: it cannot be read, is no TOML, or a name or kind is off.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PolicyError(f"Cannot read the sinks file {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} is not TOML: {error}.") from error
    except RecursionError:
        raise PolicyError(f"{path} is nested too deep to be read.") from None
    tables = written.pop("sinks", {})
    if written or not isinstance(tables, dict):
        odd = next(iter(written), "sinks")
        raise PolicyError(
            f"{path}: it holds [sinks.NAME] tables and nothing else; found {odd!r}."
            f"{near_names(odd, ['sinks']) if written else ''}"
        )
    return [_entry(path, name, table) for name, table in tables.items()]


def _entry(path: Path, name: str, table: Any) -> Entry:
    if not _NAME.fullmatch(name):
        raise PolicyError(
            f"{path}: {name!r} cannot name a sink; take up to 40 letters, digits, - and _, "
            "a letter or digit first."
        )
    if not isinstance(table, dict):
        raise PolicyError(f"{path}, sink {name!r}: write it as [sinks.{name}] with keys below.")
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        said = "kind is missing" if kind is None else f"kind {kind!r} is unknown"
        near = near_names(kind, KINDS) if isinstance(kind, str) else ""
        raise PolicyError(f"{path}, sink {name!r}: {said}.{near or f' There are {_listed()}.'}")
    return Entry(name, kind, table)


def _listed() -> str:
    return ", ".join(KINDS)
