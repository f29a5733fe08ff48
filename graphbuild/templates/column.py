"""Values in a row that more are put behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_FIRST_ROOM = 1 << 10


class Column:
    """An array that grows; its room doubles, so that each value is copied a few times at most.

    Args:
        kind: Type of the values.
        width: Values a row; None for one.
    """

    def __init__(self, kind: npt.DTypeLike, width: int | None = None) -> None:
        self._room = np.empty(_FIRST_ROOM if width is None else (_FIRST_ROOM, width), kind)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> npt.NDArray[Any]:
        """All values, to be read and changed; shape: ``(n,)`` or ``(n, width)``."""
        return self._room[: self._size]

    def extend(self, values: npt.NDArray[Any]) -> None:
        """Put values behind the others; shape: ``(m,)`` or ``(m, width)``."""
        size = self._size + len(values)
        if size > len(self._room):
            grown = np.empty((max(2 * len(self._room), size), *self._room.shape[1:]), self._room.dtype)
            grown[: self._size] = self.values
            self._room = grown
        self._room[self._size : size] = values
        self._size = size
