"""A table from 64-bit keys to small numbers that grows as keys come: one entry for each different prompt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, uint64

_FULL = 0.6
_FIRST_BITS = 14


class KeyTable:
    """Numbers 64-bit keys in the order in which they first come (open addressing, linear probing).

    Key 0 stands for *none* and gets no number.
    """

    def __init__(self) -> None:
        self._slots = np.full(1 << _FIRST_BITS, -1, np.int32)
        self._keys = np.empty(1 << _FIRST_BITS, np.uint64)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def keys(self) -> npt.NDArray[np.uint64]:
        """The keys by their numbers; shape: ``(n,)``."""
        return self._keys[: self._size]

    def number(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the number of each key, new ones getting the next; -1 for key 0; shape: ``(n,)``."""
        self._make_room(len(keys))
        out = np.empty(len(keys), np.int32)
        self._size = _number(self._slots, self._keys, self._size, keys, out)
        return out

    def find(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the number of each key, -1 where it has none; shape: ``(n,)``."""
        out = np.empty(len(keys), np.int32)
        _find(self._slots, self._keys, keys, out)
        return out

    def _make_room(self, more: int) -> None:
        if self._size + more > len(self._keys):
            grown = np.empty(max(2 * len(self._keys), self._size + more), np.uint64)
            grown[: self._size] = self.keys
            self._keys = grown
        if self._size + more > _FULL * len(self._slots):
            slots = len(self._slots)
            while self._size + more > _FULL * slots:
                slots *= 2
            self._slots = np.full(slots, -1, np.int32)
            _fill(self._slots, self._keys, self._size)


@njit(cache=True, inline="always")
def _place(slots, known, key):  # type: ignore[no-untyped-def]
    mask = uint64(slots.size - 1)
    place = (key ^ (key >> uint64(32))) & mask
    while slots[place] >= 0 and known[slots[place]] != key:
        place = (place + uint64(1)) & mask
    return place


@njit(cache=True)
def _number(slots, known, size, keys, out):  # type: ignore[no-untyped-def]
    for i in range(keys.size):
        if keys[i] == 0:
            out[i] = -1
            continue
        place = _place(slots, known, keys[i])
        if slots[place] < 0:
            slots[place] = size
            known[size] = keys[i]
            size += 1
        out[i] = slots[place]
    return size


@njit(cache=True)
def _find(slots, known, keys, out):  # type: ignore[no-untyped-def]
    for i in range(keys.size):
        out[i] = slots[_place(slots, known, keys[i])] if keys[i] != 0 else -1


@njit(cache=True)
def _fill(slots, known, size):  # type: ignore[no-untyped-def]
    for number in range(size):
        slots[_place(slots, known, known[number])] = number
