"""How long an export waits after an attempt that failed, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double, drawn anew each time ("full jitter"): a thousand exports do not return at once.

    With the defaults, an export is tried for about a day.
    """

    first: float = 2.0
    """The longest wait after the first attempt, seconds."""
    longest: float = 3600.0
    """No wait is longer, whatever the other side asks for, seconds."""
    most: int = 48
    """Attempts, after which an export is a dead letter."""

    def wait(self, attempts: int, draw: Random, after: float | None = None) -> float:
        """Return how many seconds to wait.

        Args:
            attempts: How many there were, from 1.
            draw: Where chance comes from.
            after: How long the other side asks to be left alone, if it does.
        """
        # 2 ** 60 seconds are past any cap; higher powers would only overflow.
        ceiling = min(self.longest, self.first * 2 ** min(attempts - 1, 60))
        return min(self.longest, max(draw.uniform(0.0, ceiling), after or 0.0))
