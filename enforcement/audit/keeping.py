"""Where checkpoints are kept: a line each in the state folder, and a note each wherever copies go.

Whoever can write the state folder can change the log and sign it anew. A copy elsewhere is what makes that
visible.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.enforcement.audit.checkpoints import (
    Checkpoint,
    Kept,
    origin_of,
    read_checkpoint,
    sign_checkpoint,
)
from ringfence.enforcement.audit.log import entries, length
from ringfence.enforcement.audit.merkle import Frontier
from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.keys import KeyFolder, SigningKey
from ringfence.errors import AuditError, EnforcementError
from ringfence.state import StateFolder

COPIES_ENVIRONMENT = "RINGFENCE_CHECKPOINTS"
"""Names the folder that copies of checkpoints go to where ``--copy-to`` does not."""

_TAIL = 65_536
"""Bytes of the file's end that its last line lies in; a line is well below a tenth of it."""


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """The checkpoints of a state folder, oldest first."""

    path: Path

    def lines(self) -> tuple[list[str], str]:
        """Return the whole lines, and what stands behind the last one: part of a line, or nothing.

        Raises:
            AuditError: the file cannot be read.
        """
        text = self._read(0)
        whole, _, rest = text.rpartition("\n")
        return [f"{line}\n" for line in whole.split("\n")] if whole else [], rest

    def last(self) -> Kept | None:
        """Return the latest checkpoint; None where there is none.

        Raises:
            AuditError: the file cannot be read, or its last line is damaged.
        """
        if not self.path.exists():
            return None
        start = max(self.path.stat().st_size - _TAIL, 0)
        whole, _, _rest = self._read(start).rpartition("\n")
        return Kept.from_line(whole.rpartition("\n")[2] + "\n") if whole else None

    def append(self, kept: Kept) -> None:
        """Add a checkpoint; it is on the disk when this returns. One process at a time may.

        Raises:
            AuditError: the file cannot be written.
        """
        try:
            with self.path.open("a+b") as file:
                start = max(file.seek(0, os.SEEK_END) - _TAIL, 0)
                file.seek(start)
                # A line that a crash cut off goes.
                file.truncate(start + file.read().rfind(b"\n") + 1)
                file.write(kept.as_line().encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AuditError(f"{self.path}: {error.strerror or error}. No checkpoint was made.") from error

    def _read(self, start: int) -> str:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                # The cut may go through a letter; what is whole is what counts.
                return file.read().decode("utf-8", "ignore" if start else "strict")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise AuditError(f"{self.path}: {error.strerror or error}.") from error
        except UnicodeDecodeError as error:
            raise AuditError(f"{self.path} is no text: it was changed.") from error


def keep_checkpoint(
    writing: Writing, state: StateFolder, keys: Sequence[SigningKey] = (), copies: Path | None = None
) -> Checkpoint:
    """Sign where the log stands, and keep that; where it stands as before, nothing is signed.

    The root is drawn from the last checkpoint and from what was added since, so that this takes as long as
    the news are, not as the log is. Entries written in this very transaction are covered, too.

    Args:
        writing: The transaction, which keeps others from signing at the same time.
        state: The state folder.
        keys: Sign; the folder's own key where none is given.
        copies: Folder for a copy of the note; None for none.

    Raises:
        AuditError: the log is empty or shorter than what was signed, or something cannot be written.
    """
    size, file = length(writing.connection), CheckpointFile(state.checkpoints)
    if size == 0:
        raise AuditError("The audit log is empty: nothing to sign.")
    last = file.last()
    if last is not None and last.checkpoint.size > size:
        raise AuditError(
            f"A checkpoint was signed of {last.checkpoint.size} entries, and the log has {size}: it was cut. "
            "`ringfence audit verify` says more; nothing was signed."
        )
    if last is None or last.checkpoint.size < size or keys:
        last = _sign(writing, last, keys or [KeyFolder(state.keys).signing()])
        file.append(last)
    if copies is not None:
        write_copy(last.checkpoint, copies)
    return last.checkpoint


def _sign(writing: Writing, last: Kept | None, keys: Sequence[SigningKey]) -> Kept:
    frontier = Frontier() if last is None else Frontier(last.frontier.size, last.frontier.parts)
    for entry in entries(writing.connection, frontier.size):
        if entry.place != frontier.size:
            raise AuditError(f"Entry {frontier.size} is missing from the audit log; nothing was signed.")
        frontier.append(entry.leaf)
    origin = last.checkpoint.origin if last else origin_of(next(entries(writing.connection)).leaf)
    return Kept(sign_checkpoint(origin, frontier.size, frontier.root(), keys), frontier)


def write_copy(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write a checkpoint's note into a folder, as a file of its own; return the file.

    Raises:
        AuditError: it cannot be written, or another one stands there.
    """
    path = folder / f"{checkpoint.origin.rpartition('/')[2]}-{checkpoint.size:012}.note"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_same(path, checkpoint)
        else:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(checkpoint.note)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise AuditError(f"{path}: {error.strerror or error}. The copy was not written.") from error
    return path


def _check_same(path: Path, checkpoint: Checkpoint) -> None:
    if read_checkpoint(path.read_text(encoding="utf-8")).root != checkpoint.root:
        raise AuditError(f"{path} says otherwise: the log was not the same then. Nothing was replaced.")


class _Signing(Casebook):
    """A casebook that signs where its log stands when it is closed."""

    at_end: Callable[[Casebook], None]

    def close(self) -> None:
        try:
            self.at_end(self)
        finally:
            super().close()


def open_signing(
    state: StateFolder, *, make: bool, copies: Path | None, tell: Callable[[str], None]
) -> Casebook:
    """Open a casebook; if anything was written by the time it is closed, a checkpoint is made then.

    Args:
        state: The state folder.
        make: Whether to make it where there is none.
        copies: Folder for copies of checkpoints.
        tell: Called with why no checkpoint could be made; what was written stands all the same.

    Raises:
        UnknownCaseError: there is none, and it is not to be made.
        CasebookError: it cannot be opened.
    """

    def sign(book: Casebook) -> None:
        try:
            sign_news(book, state, copies)
        except EnforcementError as error:
            tell(f"What was decided stands, but no checkpoint was made: {error}")

    book = _Signing.open(state.casebook, make=make)
    assert isinstance(book, _Signing)
    book.at_end = sign
    return book


def sign_news(book: Casebook, state: StateFolder, copies: Path | None = None) -> None:
    """Make a checkpoint if the log has grown since the last one.

    Raises:
        CasebookError: the casebook cannot be read, or another process holds it.
        AuditError: the checkpoint cannot be made.
    """
    with book.reading() as connection:
        size = length(connection)
    last = CheckpointFile(state.checkpoints).last()
    if size and (last is None or last.checkpoint.size < size):
        with book.writing("checkpoint") as writing:
            keep_checkpoint(writing, state, copies=copies)
