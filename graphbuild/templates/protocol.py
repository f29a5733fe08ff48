"""What a miner of prompt templates does."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa


class TemplateMiner(Protocol):
    """Turns prompt text into template ids as it streams by, and keeps no text that could name a person."""

    def __call__(self, system: pa.Array | None, prompt: pa.Array | None, accounts: pa.Array) -> pa.Array:
        """Return a template id a row, null where there is no text.

        Args:
            system: shape: ``(n,)``; system prompts, null or absent where there are none.
            prompt: shape: ``(n,)``; user prompts, likewise.
            accounts: shape: ``(n,)``; who sent them.
        """
        ...

    def skeletons(self) -> pa.Table:
        """Return template_id and skeleton of the templates that enough accounts sent."""
        ...
