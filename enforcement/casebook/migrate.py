"""The casebook's tables, step by step: numbered scripts, each applied once, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from ringfence.errors import CasebookError

_MIGRATIONS = "ringfence.enforcement.casebook.migrations"


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that the file lacks, all or none; two processes at once do it once.

    Raises:
        CasebookError: a later version of Ringfence wrote the file, or another program.
    """
    steps = sorted(
        (step for step in files(_MIGRATIONS).iterdir() if step.name.endswith(".sql")),
        key=lambda step: step.name,
    )
    if _schema_version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        there = _schema_version(connection)
        if there > len(steps):
            raise CasebookError(
                f"{path} was written by a later version of Ringfence (schema {there}; this one knows "
                f"{len(steps)}). Update Ringfence; nothing was changed."
            )
        if there == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise CasebookError(f"{path} is another program's database. Name another folder.")
        for step in steps[there:]:
            for statement in _statements(step.read_text(encoding="utf-8")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction without keeping it; where the disk is full, SQLite has done so by itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; ``executescript`` would end the transaction around them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
