"""A chain of table steps: each is carried out and read again, so that no plan grows long."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from ringfence.progress import Tick, silent


class Steps:
    """Carries out expressions into a folder, one after the other."""

    def __init__(self, engine: Any, folder: Path, expected: int, tick: Tick = silent) -> None:
        """Make a chain.

        Args:
            engine: A :class:`ringfence.engine.Engine`.
            folder: A folder that is not there yet.
            expected: About how many steps there will be.
            tick: Told the share of these that are done.
        """
        self.engine, self._folder, self._expected, self._tick = engine, folder, expected, tick
        self._count = itertools.count(1)

    def keep(self, expression: Any, name: str = "step") -> Any:
        """Carry out an expression, and return the table of what came of it."""
        number = next(self._count)
        folder = self._folder / f"{number:03}-{name}"
        self.engine.to_parts(expression, folder)
        self._tick(min(number / self._expected, 1.0))
        return self.engine.read_parquet(folder)
