"""Hashes, and tables that are addressed by them."""

from __future__ import annotations

from numba import uint64

from ringfence.graphbuild.templates.loops.compiled import helper


@helper
def mixed(value):
    """Return a hash of a 64-bit value (the finaliser of SplitMix64, Steele et al. 2014)."""
    value ^= value >> uint64(30)
    value *= uint64(0xBF58476D1CE4E5B9)
    value ^= value >> uint64(27)
    value *= uint64(0x94D049BB133111EB)
    return value ^ (value >> uint64(31))


@helper
def place_of(slots, known, key):
    """Return the slot with the number of a key, or the empty one (-1) where it belongs.

    Open addressing with linear probing. Keys are hashes, so that their own bits spread them.

    Args:
        slots: Numbers of keys, -1 where a slot is empty; shape: ``(a power of two,)``.
        known: Keys by their numbers.
        key: The key.
    """
    mask = uint64(slots.size - 1)
    place = (key ^ (key >> uint64(32))) & mask
    while slots[place] >= 0 and known[slots[place]] != key:
        place = (place + uint64(1)) & mask
    return place
