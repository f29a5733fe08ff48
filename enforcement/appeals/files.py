"""Reading an appeals file, CSV or NDJSON: every row comes out as an appeal or as a refusal with its line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from ringfence.enforcement.appeals.intake import Appeal, Outcome
from ringfence.errors import InputError, near_names

_REQUIRED = ("appeal_id", "account_id", "ts", "text")
LONGEST_TEXT = 100_000
"""Characters of an appeal; a longer one is no appeal but a mistake."""

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read."""

    line: int
    """Where it begins, from 1."""
    appeal: Appeal


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that could not be taken in."""

    line: int
    reason: str


def read_appeals(path: Path) -> list[Row | Refused]:
    """Read an appeals file: appeal_id, account_id, ts (ISO 8601, UTC where it names no zone), text, outcome.

    Returns:
        A row or a refusal for each row of the file, in its order.

    Raises:
        InputError: it cannot be read, is neither CSV nor NDJSON, or a CSV file's header lacks a column.
    """
    readers = {".csv": _csv_rows, ".ndjson": _json_rows, ".jsonl": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path.name}: appeals are read from {', '.join(readers)}.")
    try:
        # What is no UTF-8 is kept apart in surrogates, so that it spoils one row and not the file.
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error
    return [_row(line, values) for line, values in reader(path.name, text)]


def _csv_rows(name: str, text: str) -> Iterator[tuple[int, Any]]:
    """Yield where a row begins and its values, or a sentence about what is wrong with it."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield line, f"is no CSV: {error}"
            continue
        if header is None:
            header = [column.strip() for column in values]
            _check_header(name, header)
        elif values and len(values) != len(header):
            yield line, f"has {len(values)} values under {len(header)} columns"
        elif values:
            yield line, dict(zip(header, values, strict=True))
    if header is None:
        raise InputError(f"{name} is empty; its first line names the columns {', '.join(_REQUIRED)}.")


def _check_header(name: str, header: list[str]) -> None:
    for column in _REQUIRED:
        if column not in header:
            raise InputError(f"{name} has no column {column!r}.{near_names(column, header)}")


def _json_rows(_name: str, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "is no JSON"
            continue
        yield number, values if isinstance(values, dict) else "is no JSON object"


def _row(line: int, values: Any) -> Row | Refused:
    if isinstance(values, str):
        return Refused(line, values)
    try:
        return Row(line, _appeal(values))
    except ValueError as error:
        return Refused(line, str(error))


def _appeal(values: dict[str, Any]) -> Appeal:
    """Return the appeal of a row.

    Raises:
        ValueError: it does not say what it must.
    """
    told = {column: values.get(column) for column in _REQUIRED}
    for column, value in told.items():
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"has no {column}")
        if not value.isprintable() and column == "appeal_id":
            raise ValueError(f"has signs in {column} that cannot be printed")
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise ValueError(f"has a {column} that is no UTF-8")
    for column, most in (("appeal_id", _LONGEST_ID), ("text", LONGEST_TEXT)):
        if len(str(told[column])) > most:
            raise ValueError(f"has more than {most:,} characters in {column}")
    return Appeal(
        appeal_id=str(told["appeal_id"]).strip(),
        account_id=str(told["account_id"]),
        ts=_time(str(told["ts"])),
        text=str(told["text"]),
        outcome=_outcome(values.get("outcome")),
    )


def _time(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text.strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("has a ts that is no ISO 8601 time") from error


def _outcome(value: Any) -> Outcome | None:
    word = value.strip().lower() if isinstance(value, str) else value
    if word in (None, ""):
        return None
    try:
        return Outcome(word)
    except ValueError as error:
        raise ValueError(f"has an outcome that is neither {' nor '.join(Outcome)}") from error
