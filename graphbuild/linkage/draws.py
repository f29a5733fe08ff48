"""Draws that are the same on every engine: numbers in, numbers out."""

from __future__ import annotations

from typing import Any

PRIME = 2_147_483_647
"""2³¹ - 1. Products of two numbers below it fit into 64 bits on every engine."""
_STEP = 1_103_515_245


def hashed(number: Any, draw: int) -> Any:
    """Return an Ibis integer of 0..:data:`PRIME` - 1 for an integer from 0 on, another one for each draw."""
    factor = (_STEP * (2 * draw + 3)) % PRIME
    # Spark numbers rows in 32 bits, whatever Ibis says of them; through a float they become 64.
    wide = number.cast("float64").cast("int64")
    once = (wide % PRIME * factor + 12_345 * (draw + 1)) % PRIME
    # Squaring breaks the line that a single multiplication keeps.
    return (once * once + factor) % PRIME


def drawn_from(number: Any, share: float) -> Any:
    """Return whether an integer is among a share of them, 0..1, that is drawn."""
    return hashed(number, 0) < round(share * PRIME)
