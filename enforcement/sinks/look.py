"""Looking over a sinks file: where its sinks go, and what is off, without sending anything."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ringfence.enforcement.sinks.open import Entry, open_sink, read_entries
from ringfence.errors import PolicyError

_OTHERS = 0o077
"""Rights of everybody but the owner."""
_PUBLIC = ("ca_file",)
"""Files that hold no secret."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one sink."""

    name: str
    kind: str
    where: str
    """A folder, or scheme, host and port: the rest of an address may be a secret."""
    problem: str | None
    """Why it cannot be used; None where it can."""
    warnings: tuple[str, ...]


def look(path: Path) -> list[Seen]:
    """Return where each sink goes, without opening it or reading its secrets.

    Raises:
        PolicyError: the file cannot be read, or a name or kind is off.
    """
    return [_seen(path, entry) for entry in read_entries(path)]


def check(path: Path) -> list[Seen]:
    """Make every sink, secrets and all, close it again, and say what is off.

    Raises:
        PolicyError: the file cannot be read, or a name or kind is off.
    """
    return [
        _seen(
            path, entry, problem=_problem(path, entry), warnings=(*_folder(path, entry), *_keys(path, entry))
        )
        for entry in read_entries(path)
    ]


def place(path: Path, entry: Entry) -> str:
    """Return where a sink goes, as far as it is no secret."""
    url, folder = entry.table.get("url"), entry.table.get("folder")
    if isinstance(url, str):
        return _host(url)
    return str(_there(path, folder)) if isinstance(folder, str) else "?"


def _seen(path: Path, entry: Entry, problem: str | None = None, warnings: tuple[str, ...] = ()) -> Seen:
    return Seen(entry.name, entry.kind, place(path, entry), problem, warnings)


def _host(url: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"
    return "?"


def _there(path: Path, named: str) -> Path:
    # Of a user whom this machine does not know, it is shown as written; making the sink says what is wrong.
    with suppress(RuntimeError):
        return path.absolute().parent / Path(named).expanduser()
    return path.absolute().parent / named


def _problem(path: Path, entry: Entry) -> str | None:
    try:
        open_sink(path, entry).close()
    except PolicyError as error:
        return str(error)
    return None


def _folder(path: Path, entry: Entry) -> tuple[str, ...]:
    named = entry.table.get("folder")
    if not isinstance(named, str):
        return ()
    folder = _there(path, named)
    if folder.exists() and not folder.is_dir():
        return (f"{folder} is a file; files cannot be written into it",)
    nearest = next(one for one in (folder, *folder.parents) if one.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return (f"{nearest} cannot be written to",)
    return ()


def _keys(path: Path, entry: Entry) -> tuple[str, ...]:
    """Return a warning for each secret's file that others can read."""
    table = entry.table
    named = [table[key] for key in table if key.endswith("_file") and key not in _PUBLIC]
    files = [one for value in named for one in (value if isinstance(value, list) else [value])]
    warnings = []
    for one in files:
        with suppress(OSError, TypeError, ValueError):
            held = _there(path, one)
            if held.stat().st_mode & _OTHERS:
                warnings.append(f"others on this machine can read {held}: `chmod 600` it")
    return tuple(warnings)
