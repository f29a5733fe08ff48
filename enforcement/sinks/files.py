"""Sinks that write a file for each event: whole or not at all, and once."""

from __future__ import annotations

import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
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
    """Write a file under its name; nothing that others put in the way is followed, waited for or deleted."""
    with suppress(FileNotFoundError):
        if _holds(path, body):
            return
        raise RefusedError(
            f"{path} is there already and holds something else. Move it away, then `ringfence outbox retry`."
        )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(FileExistsError):
            os.mkdir(UNFINISHED, 0o750, dir_fd=folder)
        unfinished = os.open(UNFINISHED, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            _tidy(unfinished)
            _write_within(unfinished, folder, path.name, body)
        finally:
            os.close(unfinished)
        # A new name in a folder is to outlast a power cut.
        os.fsync(folder)
    finally:
        os.close(folder)


def _holds(path: Path, body: bytes) -> bool:
    """Return whether a file is there with these very bytes; a link or a pipe does not hold them.

    Raises:
        FileNotFoundError: nothing is there.
    """
    if not S_ISREG(path.lstat().st_mode):
        return False
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        return S_ISREG(os.fstat(handle).st_mode) and stream.read(len(body) + 1) == body


def _write_within(unfinished: int, folder: int, name: str, body: bytes) -> None:
    partial = f"{name}.{token_hex(8)}"
    # The group may read it, unless the process's mask says otherwise.
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640, dir_fd=unfinished)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(handle)
        os.replace(partial, name, src_dir_fd=unfinished, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial, dir_fd=unfinished)
        raise


def _tidy(unfinished: int) -> None:
    """Remove what senders left that were killed."""
    for name in os.listdir(unfinished):
        with suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=unfinished, follow_symlinks=False)
            if S_ISREG(found.st_mode) and time.time() - found.st_mtime > _LEFT_OVER:
                os.unlink(name, dir_fd=unfinished)
