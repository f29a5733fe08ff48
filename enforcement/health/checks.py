"""What looking something over came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Finding(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    finding: Finding
    found: str
    advice: str = ""
    """What to do; empty where all is well."""

    def as_json(self) -> dict[str, Any]:
        """Return the check as plain JSON values."""
        return asdict(self)
