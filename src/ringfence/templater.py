"""What turns prompt text into template ids: given to the loaders, made by graphbuild."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa


class Templater(Protocol):
    """Turns prompt text into keys as it streams by, and keys into template ids when all has been read.

    No text that could name a person is kept.
    """

    def __call__(self, system: pa.Array | None, prompt: pa.Array | None, accounts: pa.Array) -> pa.Array:
        """Return a key a row (uint64), null where there is no text.

        Args:
            system: shape: ``(n,)``; system prompts, null or absent where there are none.
            prompt: shape: ``(n,)``; user prompts, likewise.
            accounts: shape: ``(n,)``; who sent them.
        """
        ...

    def finish(self) -> None:
        """Be told that all text has come; ids are final from here on."""
        ...

    def resolve(self, keys: pa.Array) -> pa.Array:
        """Return the template id of each key (string), null where a prompt has none."""
        ...
