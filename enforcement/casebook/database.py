"""The casebook's file: one SQLite database in WAL mode, brought up to date when it is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringfence.enforcement.audit.log import append
from ringfence.enforcement.casebook.migrate import migrate, roll_back
from ringfence.errors import CasebookError, EnforcementError, UnknownCaseError

Clock = Callable[[], datetime]
"""Tells the time in UTC."""

BUSY_SECONDS = 30.0
"""How long a step waits for another process to finish its own."""


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def stamp(when: datetime) -> str:
    """Return a time as the casebook writes it: UTC to the microsecond, so that text sorts as time does."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_stamp(text: str) -> datetime:
    """Return the time that :func:`stamp` wrote."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Writing:
    """A transaction under way: all of its steps are kept, or none."""

    connection: sqlite3.Connection
    now: datetime
    by: str
    """Who takes the step: a person, or a job such as ``score``."""

    @property
    def stamp(self) -> str:
        """The time of the transaction, as it is written."""
        return stamp(self.now)

    def execute(self, statement: str, values: dict[str, Any] | tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Carry out one statement."""
        return self.connection.execute(statement, values)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Make the steps of the block a part that is undone alone where one of them is refused."""
        self.execute("SAVEPOINT apart")
        try:
            yield
        except EnforcementError:
            self.execute("ROLLBACK TO apart")
            raise
        finally:
            # Where the whole transaction has ended, as it does when the disk is full, so has its part.
            if self.connection.in_transaction:
                self.execute("RELEASE apart")

    def audit(self, what: str, ring_id: str | None = None, **details: Any) -> int:
        """Add an entry to the audit log; return its place. Details name no account: they outlive erasure."""
        entry = {"at": self.stamp, "by": self.by, "what": what, "ring_id": ring_id, **details}
        return append(self.connection, entry)


class Casebook:
    """An open casebook. Every process, and every thread, opens its own."""

    def __init__(self, connection: sqlite3.Connection, path: Path, clock: Clock) -> None:
        self._connection, self._path, self._clock = connection, path, clock

    @classmethod
    def open(
        cls, path: Path, *, make: bool = True, clock: Clock = utc_now, patience: float = BUSY_SECONDS
    ) -> Casebook:
        """Open the file, make it where it is missing, and bring its tables up to date.

        Args:
            path: The file.
            make: Whether to make it where there is none.
            clock: Tells what time a step is taken.
            patience: Seconds that a step waits for another process to finish its own.

        Raises:
            UnknownCaseError: there is none, and it is not to be made.
            CasebookError: it cannot be opened, is another program's, or was written by a later version of
                Ringfence.
        """
        if not make and not path.is_file():
            raise UnknownCaseError(
                f"{path} is not there. Record a run first: `ringfence rings record OUT --state DIR`."
            )
        with _told(path), _told_of_files(path):
            _make_private(path)
            connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
        book = cls(connection, path, clock)
        try:
            with _told(path):
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                # Before anything is changed, this finds out whose file it is.
                migrate(connection, path)
                _write_ahead(connection, patience)
        except BaseException:
            connection.close()
            raise
        return book

    @contextmanager
    def writing(self, by: str) -> Iterator[Writing]:
        """Yield a transaction that is kept when the block ends well; one process at a time has one.

        Raises:
            CasebookError: another process holds the casebook, the disk is full, or the file is damaged.
        """
        with _told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(self._connection, self._clock(), by)
                self._connection.execute("COMMIT")
            except BaseException:
                roll_back(self._connection)
                raise

    def read(self, query: str, values: dict[str, Any] | tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query.

        Raises:
            CasebookError: the file cannot be read.
        """
        with _told(self._path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which all queries see one and the same state."""
        with _told(self._path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                roll_back(self._connection)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def now(self) -> datetime:
        """The time, as the casebook's clock tells it."""
        return self._clock()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Casebook:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()


def _make_private(path: Path) -> None:
    """Make an empty file that its owner alone can read; what SQLite keeps beside it gets the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Put the file into WAL mode; SQLite itself does not wait for another process that does so just now."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


_REASONS = {
    sqlite3.SQLITE_BUSY: "another process holds it and did not let go; try again",
    sqlite3.SQLITE_PROTOCOL: "other processes hold it; try again",
    sqlite3.SQLITE_LOCKED: "another process holds it; try again",
    sqlite3.SQLITE_FULL: "the disk is full; make room, then try again",
    sqlite3.SQLITE_READONLY: "it cannot be written; check who owns it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the folder and who owns it",
    sqlite3.SQLITE_IOERR: "the disk failed or is full",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a copy",
    sqlite3.SQLITE_NOTADB: "it is no casebook",
}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into words."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _REASONS:
            raise
        raise CasebookError(f"{path}: {_REASONS[code]}. Nothing of this step was kept.") from error
    except UnicodeEncodeError as error:
        raise CasebookError(
            f"{path}: a text holds {error.object[error.start]!r}, which is no letter but a part of one. "
            "Nothing of this step was kept."
        ) from error


@contextmanager
def _told_of_files(path: Path) -> Iterator[None]:
    """Turn what the file system raises into words; never around a step, whose own files may fail."""
    try:
        yield
    except OSError as error:
        raise CasebookError(f"{path}: {error.strerror or error}. Nothing of this step was kept.") from error
