"""JSON that keeps every value as it is, and that nothing on its way obeys."""

from __future__ import annotations

import json
from typing import Any

_HARMLESS = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&"})


def shown(said: object) -> str:
    """Return what a stranger said without the signs that a terminal would obey, or not show."""
    return "".join(sign for sign in str(said) if sign.isprintable())


def safe_json(value: Any) -> str:
    """Return compact JSON in plain ASCII: markup, control characters and changes of direction are escaped.

    The keys keep their order. ``NaN`` and infinities, which are no JSON, raise ``ValueError``.
    """
    # The signs that are replaced stand within texts only, never in what JSON itself is made of.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_HARMLESS)
