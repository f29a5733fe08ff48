"""The table engine: Ibis expressions, carried out by DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import psutil


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


def set_memory_limit(backend: Any, limit: str) -> None:
    """Let the engine hold so much from now on.

    Args:
        backend: As :func:`connect` gives it.
        limit: As DuckDB writes sizes, or ``auto`` for half of what the machine has free, and at least 1 GiB.
    """
    if limit == "auto":
        limit = f"{max(psutil.virtual_memory().available // 2**21, 1024)}MiB"
    backend.con.execute("SET memory_limit = ?", [limit])
