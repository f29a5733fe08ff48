"""Sinks that write a file for each event: whole or not at all, and once."""

from __future__ import annotations

import os
import re
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.protocol import Delivery, RefusedError, TryAgainError
from ringfence.enforcement.sinks.settings import Table

UNFINISHED = ".unfinished"
"""Folder within a sink's folder where files are written before they get their names."""

_HARMLESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_LEFT_OVER = 3600.0
"""Seconds after which an unfinished file has no writer any more."""


class FileSink(ABC):
    """Writes ``NUMBER-RING-KEY.EXTENSION`` into a folder; names sort as events follow each other."""

    extension: ClassVar[str]
    """Of the files, without a dot."""
    media_type: ClassVar[str]

    def __init__(self, name: str, folder: Path) -> None:
        """Name the folder; it is made when something goes there."""
        self.name = name
        self.folder = folder

    @classmethod
    def from_settings(cls, name: str, table: Mapping[str, Any], folder: Path) -> Self:
        """Return the sink of an entry: ``folder`` says where its files go.

        Raises:
            PolicyError: the entry does not say what it must.
        """
        entry = Table(name, table, folder)
        sink = cls(name, entry.path("folder"))
        entry.done()
        return sink

    @abstractmethod
    def render(self, event: Event) -> bytes:
        """Return the file's bytes."""

    def send(self, delivery: Delivery) -> str:
        """Write the file, unless it is there already.

        Returns:
            The file's name and the SHA-256 of what it holds.

        Raises:
            TryAgainError: the disk is full, read-only or gone.
            RefusedError: a file of that name holds something else; a person must look.
        """
        name = file_name(delivery, self.extension)
        try:
            _write_once(self.folder / name, delivery.body)
        except OSError as error:
            raise TryAgainError(f"Cannot write {self.folder / name}: {error.strerror or error}.") from error
        return f"{name} sha256:{sha256(delivery.body).hexdigest()}"

    def close(self) -> None:  # noqa: B027 - nothing is held open
        """Let go of nothing: no file stays open."""


def file_name(delivery: Delivery, extension: str) -> str:
    """Return what a delivery's file is called."""
    return f"{delivery.number:010}-{_harmless(delivery.ring_id)}-{_harmless(delivery.key)}.{extension}"


def _harmless(text: str) -> str:
    """Return a text as a part of a file's name; one that is changed for it still differs from all others."""
    if _HARMLESS.fullmatch(text):
        return text
    return f"{re.sub('[^A-Za-z0-9_]', '_', text)[:40]}_{sha256(text.encode()).hexdigest()[:16]}"


def _write_once(path: Path, body: bytes) -> None:
    with suppress(FileNotFoundError):
        if path.read_bytes() == body:
            return
        raise RefusedError(
            f"{path} is there already and holds something else. Move it away, then `ringfence outbox retry`."
        )
    unfinished = path.parent / UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    _tidy(unfinished)
    with tempfile.NamedTemporaryFile(dir=unfinished, delete=False) as stream:
        written = Path(stream.name)
        try:
            stream.write(body)
            stream.flush()
            os.fchmod(stream.fileno(), 0o640)
            os.fsync(stream.fileno())
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def _tidy(unfinished: Path) -> None:
    """Remove what senders left that were killed."""
    for path in unfinished.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _LEFT_OVER:
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
