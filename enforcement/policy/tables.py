"""A table of the policy file: keys of known types, and errors that name file, table and key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from ringfence.errors import PolicyError, near_names

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SPAN = re.compile(r"([1-9]\d{0,4})([hdw])")

Word = TypeVar("Word", bound=StrEnum)


def read_span(text: str) -> timedelta | None:
    """Return a span of time, such as ``90d``; None where the text is none."""
    read = _SPAN.fullmatch(text)
    return None if read is None else int(read[1]) * _UNITS[read[2]]


class Table:
    """A table whose keys are all known. Every method raises ``PolicyError`` where a value is off."""

    def __init__(self, where: str, written: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Take a table.

        Args:
            where: What messages call it: the file, and the table within.
            written: Its keys and values.
            known: The keys that it may have.

        Raises:
            PolicyError: it has another one.
        """
        self.written, self._where, self._known = written, where, known
        for key in written:
            if key not in known:
                hint = near_names(key, known) or f" It takes {', '.join(known)}."
                raise PolicyError(f"{where}: unknown key {key!r}.{hint}")

    def wrong(self, key: str, what: str) -> PolicyError:
        """Return the error that says what is off about a key."""
        return PolicyError(f"{self._where}, {key}: {what}")

    def word(self, key: str, words: type[Word]) -> Word:
        """Return one of some words."""
        return self._word(key, self.text(key), words)

    def words(self, key: str, words: type[Word], default: tuple[Word, ...]) -> tuple[Word, ...]:
        """Return a list of some words that is not empty."""
        found = self.written.get(key)
        if found is None:
            return default
        if not isinstance(found, list) or not found:
            raise self.wrong(key, f"must be a list of {', '.join(words)}.")
        return tuple(dict.fromkeys(self._word(key, one, words) for one in found))

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        found = self._needed(key)
        if not isinstance(found, str) or not found.strip():
            raise self.wrong(key, "must be a text in quotes that is not empty.")
        return found.strip()

    def number(self, key: str, least: float, most: float, default: float | None = None) -> float:
        """Return a number within bounds; without a default it must be there."""
        found = self._needed(key) if default is None else self.written.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= most:
            raise self.wrong(key, f"is {found!r}; it must be a number from {least:g} to {most:g}.")
        return float(found)

    def count(self, key: str, least: int, default: int) -> int:
        """Return a whole number."""
        found = self.written.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            raise self.wrong(key, f"is {found!r}; it must be a whole number of at least {least}.")
        return found

    def span(self, key: str) -> timedelta | None:
        """Return a span of time, such as ``"90d"``; None where the key is missing."""
        found = self.written.get(key)
        if found is None:
            return None
        span = read_span(found) if isinstance(found, str) else None
        if span is None:
            raise self.wrong(key, f"is {found!r}; write hours, days or weeks, like '12h', '90d' or '4w'.")
        return span

    def day(self, key: str) -> date:
        """Return a date that must be there."""
        found = self._needed(key)
        if isinstance(found, datetime) or not isinstance(found, date):
            raise self.wrong(key, "must be a date without quotes, like 2027-01-31.")
        return found

    def table(self, key: str, known: tuple[str, ...]) -> Table:
        """Return a table within; an empty one where it is missing."""
        found = self.written.get(key, {})
        if not isinstance(found, dict):
            raise self.wrong(key, f"write it as [{key}] with keys below.")
        return Table(f"{self._where}, [{key}]", found, known)

    def tables(self, key: str, known: tuple[str, ...]) -> Iterator[Table]:
        """Yield the tables of a list; none where it is missing."""
        found = self.written.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(key, f"write each entry as [[{key}]] with keys below.")
        for number, one in enumerate(found, 1):
            yield Table(f"{self._where}, [[{key}]] {number}", one, known)

    def _needed(self, key: str) -> Any:
        if key not in self.written:
            near = near_names(key, self.written)
            raise self.wrong(key, f"is missing.{near}")
        return self.written[key]

    def _word(self, key: str, found: Any, words: type[Word]) -> Word:
        if not isinstance(found, str) or found not in tuple(words):
            near = near_names(found, map(str, words)) if isinstance(found, str) else ""
            raise self.wrong(key, f"is {found!r}; it must be one of {', '.join(words)}.{near}")
        return words(found)
