"""What a store may replace: one rule, whichever store it is."""

from __future__ import annotations

from ringfence.errors import StoreConflictError
from ringfence.stores.protocol import StoreState

_FORCE = "Load it with --force to replace what is there, or name another store with --neo4j."


def needs_load(held: StoreState | None, digest: str, *, replace: bool) -> bool:
    """Return whether the graph ``digest`` has to be written into a store that holds ``held``.

    Raises:
        StoreConflictError: it holds another state, complete and not disposable, and ``replace`` is off.
    """
    if held is None:
        return True
    if held.digest == digest:
        return not held.complete
    if held.complete and not held.disposable and not replace:
        raise StoreConflictError(
            f"The store holds the graph {short(held.digest)}, and this one is {short(digest)}. {_FORCE}"
        )
    return True


def foreign_data() -> StoreConflictError:
    """Return the error for a store with data that Ringfence did not write."""
    return StoreConflictError(f"The store holds data that Ringfence did not write. {_FORCE}")


def short(digest: str) -> str:
    """Return the part of a digest that people compare."""
    return digest[:12]
