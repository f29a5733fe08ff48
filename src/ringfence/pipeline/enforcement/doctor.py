"""What a person would look at first when something is wrong: the machine, and the state folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ringfence.config import home
from ringfence.enforcement.casebook.database import utc_now
from ringfence.enforcement.health.checks import Check, Finding
from ringfence.enforcement.health.doctor import check_state, writable
from ringfence.state import StateFolder
from ringfence.stores import local

_LEAST_PYTHON = (3, 11)
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""This program is younger than that; a clock that says less is off."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def examine(state: Path | None) -> list[Check]:
    """Return what was found; nothing is changed.

    Args:
        state: A state folder; None to look at the machine only.
    """
    now = utc_now()
    checks = [_python(), _packages(), _neo4j(), _clock(now)]
    return checks if state is None else [*checks, *check_state(StateFolder(state), now)]


def _python() -> Check:
    said = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _LEAST_PYTHON:
        return Check("python", Finding.FAIL, said, "Ringfence needs Python 3.11 or later.")
    return Check("python", Finding.OK, said)


def _packages() -> Check:
    missing = [name for name in _needed() if not _there(name)]
    if missing:
        return Check(
            "packages", Finding.FAIL, f"not installed: {', '.join(missing)}", "Install Ringfence again."
        )
    return Check("packages", Finding.OK, f"ringfence {version('ringfence')} and all that it needs")


def _needed() -> Iterator[str]:
    for line in requires("ringfence") or ():
        name, _, marker = line.partition(";")
        found = _NAME.match(name)
        if found and "extra" not in marker:
            yield found.group()


def _there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _neo4j() -> Check:
    if not writable(home()):
        said = f"{home()} cannot be written to"
        return Check("neo4j", Finding.FAIL, said, "Name another folder in RINGFENCE_HOME.")
    said = local.status().state
    if said == "starting":
        return Check(
            "neo4j", Finding.WARN, "starting, or hanging", "Wait; then `ringfence neo4j down` and `up`."
        )
    return Check("neo4j", Finding.OK, f"{said}, in {home()}")


def _clock(now: datetime) -> Check:
    if now < _BUILT:
        return Check("time", Finding.FAIL, f"the clock says {now.date()}", "Set the clock.")
    return Check("time", Finding.OK, now.isoformat(timespec="seconds"))
