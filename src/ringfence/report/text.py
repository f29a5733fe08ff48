"""How values are shown: hostile text made visible, numbers and dates made readable."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import date

LONGEST = 160
"""Characters of one value that are shown."""

_SIZES = 5
"""Sizes of sub-networks that are told one by one."""
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(value: object) -> str:
    r"""Return text in which every control, format and bidirectional character is spelt out.

    ``"a\u202eb"`` becomes ``"a‹U+202E›b"``. Text over 160 characters is cut, and says so. The result is
    plain text: whoever puts it into a page escapes it.
    """
    text = str(value)
    shown = "".join(_spelt(sign) for sign in text[:LONGEST])
    left = len(text) - LONGEST
    return f"{shown}… ({left:,} more characters)" if left > 0 else shown


def wording(text: str) -> str:
    """Return all of a prompt's wording with unseen characters spelt out and its lines kept."""
    return "".join(sign if sign == "\n" else _spelt(sign) for sign in text)


def _spelt(sign: str) -> str:
    return f"‹U+{ord(sign):04X}›" if unicodedata.category(sign) in _UNSEEN else sign


def number(value: int) -> str:
    """Return a whole number with its thousands set apart."""
    return f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``1 ring`` or ``2 rings``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sub_networks(parts: Sequence[Sequence[str]]) -> str:
    """Return in words how many parts a ring has, and of what sizes; the largest come first."""
    sizes = [f"{len(part):,}" for part in parts]
    last = sizes[-1] if len(sizes) <= _SIZES else "fewer"
    many = ", ".join(sizes[: min(len(sizes) - 1, _SIZES)])
    return (
        f"{len(sizes)} sub-networks of {many} and {last} accounts, which hold together by themselves better "
        "than as one"
    )


def percent(share: float) -> str:
    """Return a share as a whole percentage; never 100% or 0% where it is not quite so."""
    if 0.995 <= share < 1:
        return ">99%"
    if 0 < share < 0.005:
        return "<1%"
    return f"{share:.0%}"


def factor(nats: float) -> str:
    """Return a weight in nats as the factor it puts on the odds: ``7.0`` is ``about 1,100``."""
    value = math.exp(min(nats, 60.0))
    if value >= 1e6:
        return f"over {10 ** (len(str(int(value))) - 1):,}"
    digits = max(0, len(str(int(value))) - 2)
    return f"about {round(value, -digits):,.0f}" if value >= 10 else f"about {value:.1f}"


def day(value: date | None) -> str:
    """Return a date as ``2 Mar 2026``, or a dash where it is not known."""
    return "–" if value is None else f"{value.day} {value:%b %Y}"
