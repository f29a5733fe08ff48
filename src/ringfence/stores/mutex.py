"""A lock between processes that its holder's death releases, on every platform."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ringfence.errors import StoreUnavailableError


@contextmanager
def mutex(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock file ``path`` during the block; at most one process of the machine does.

    SQLite's file lock is used: it works alike on Linux, macOS and Windows, and the system lets go of it when
    the holder dies.

    Args:
        path: the lock file; made where it is missing.
        timeout: seconds to wait for another holder.

    Raises:
        StoreUnavailableError: another process holds it longer than that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=timeout, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(
                f"Another process has been busy with {path.parent} for {timeout:.0f} s. "
                "Wait for it to end, then try again."
            ) from error
        yield
