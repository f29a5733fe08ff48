"""What a miner of prompt templates does."""

from __future__ import annotations

from typing import Protocol

from ringfence.graphbuild.templates.skeleton import Told
from ringfence.templater import Templater


class TemplateMiner(Templater, Protocol):
    """A templater that says what it found."""

    def counts(self) -> dict[str, int]:
        """Return how much was found, by name, for the record."""
        ...

    def told(self) -> list[Told]:
        """Return what may be said of each template."""
        ...
