"""A table from 64-bit keys to small numbers that grows as keys come: one entry for each different prompt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.templates.loops import keys as loops

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
        self._size = loops.number_keys(self._slots, self._keys, self._size, keys, out)
        return out

    def find(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the number of each key, -1 where it has none; shape: ``(n,)``."""
        out = np.empty(len(keys), np.int32)
        loops.find_keys(self._slots, self._keys, keys, out)
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
            loops.fill_slots(self._slots, self._keys, self._size)
