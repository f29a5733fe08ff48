"""The table engine: Ibis expressions, carried out by DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis


def connect(spill: Path | None, memory_limit: str = "1GiB") -> Any:
    """Return an Ibis backend on an in-memory DuckDB that spills into ``spill``.

    Args:
        spill: Folder for what does not fit; None forbids spilling.
        memory_limit: What the engine may hold before it spills, as DuckDB writes sizes.
    """
    backend = ibis.duckdb.connect(temp_directory="" if spill is None else str(spill))
    for name, value in (
        ("memory_limit", memory_limit),
        ("TimeZone", "UTC"),
        ("enable_progress_bar", False),
        # Nothing is fetched behind the user's back.
        ("autoinstall_known_extensions", False),
    ):
        backend.con.execute(f"SET {name} = ?", [value])
    return backend
