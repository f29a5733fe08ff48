"""Which window is to be scored: times in UTC, so that no clock is ever put back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ringfence.errors import UsageError
from ringfence.loaders.window import Window

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3660)


def read_span(text: str) -> timedelta:
    """Return the length that ``90m``, ``24h`` or ``7d`` says.

    Raises:
        UsageError: it says none, or one that is nothing or more than ten years.
    """
    told = re.fullmatch(r"([0-9]{1,9})([mhd])", text.strip())
    if told is None:
        raise UsageError(f"--window is {text!r}. Write minutes, hours or days, such as 90m, 24h or 7d.")
    span = timedelta(**{_UNITS[told[2]]: int(told[1])}) if int(told[1]) < 10**7 else _LONGEST * 2
    if not timedelta() < span <= _LONGEST:
        raise UsageError(f"--window is {text!r}. A window is at least 1m and at most {_LONGEST.days}d long.")
    return span


def read_moment(text: str) -> tuple[datetime, bool]:
    """Return an ISO 8601 time in UTC, and whether it names its zone; without one, UTC is meant.

    Raises:
        UsageError: it is none, or the year is before 2000 or after 2099.
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"--as-of is {text!r}, no ISO 8601 time. Write one such as 2026-03-02T14:00:00Z."
        ) from error
    zoned = when.tzinfo is not None
    if not 2000 <= when.year < 2100:
        raise UsageError(f"--as-of is {text!r}; logs are read between 2000 and 2100.")
    return (when.astimezone(UTC) if zoned else when.replace(tzinfo=UTC)), zoned


def last_full_hour(now: datetime) -> datetime:
    """Return the hour that ended last, in UTC."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def window_until(end: datetime, span: timedelta) -> Window:
    """Return the window of a length that ends at a moment."""
    return Window(end - span, end)


def folder_name(window: Window) -> str:
    """Return what the folder of a window is called, such as ``20260301T140000Z_20260302T140000Z``."""
    return f"{_compact(window.start)}_{_compact(window.end)}"


def _compact(when: datetime) -> str:
    fraction = f".{when.microsecond:06}" if when.microsecond else ""
    return f"{when:%Y%m%dT%H%M%S}{fraction}Z"
