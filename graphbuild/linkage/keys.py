"""Join keys of several columns."""

from __future__ import annotations

from typing import Any

import ibis


def as_one(*columns: Any) -> Any:
    """Return columns as one text, to be compared as a whole.

    Compared by itself, a column with few values (a model, an actor) could be taken to join all who have it
    with all others, before the pairs that are asked for are looked at.
    """
    # No identifier holds this separator.
    return ibis.literal("\x1f").join([column.cast("string") for column in columns])
