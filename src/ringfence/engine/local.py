"""DuckDB, the table engine of one machine: what does not fit is spilled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import psutil
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.backends.sql.datatypes import DuckDBType

from ringfence.engine.protocol import Groups, Paths, files_of


class LocalEngine(Backend):  # type: ignore[misc]
    """Ibis' DuckDB backend, which reads folders of parts, too, and writes them."""

    spread = False

    def read_parquet(self, path: Paths, /, **options: Any) -> Any:
        """Return the table of a file, of a folder of parts, or of a list of files."""
        is_folder = isinstance(path, str | Path) and Path(path).is_dir()
        return super().read_parquet(files_of(path) if is_folder else path, **options)

    def to_parts(self, expr: Any, folder: str | Path, /) -> None:
        """Write the rows into a new folder; see :class:`ringfence.engine.Engine`."""
        Path(folder).mkdir(parents=True)
        self._run_pre_execute_hooks(expr)
        rows, path = self.compile(expr), Path(folder) / "part-00000.parquet"
        # DuckDB adds up integers in 128 bits and takes literals for decimals, whatever Ibis says of them.
        kept = ", ".join(
            f'"{name}"::{DuckDBType.to_string(kind)} AS "{name}"' for name, kind in expr.schema().items()
        )
        self.con.execute(f"COPY (SELECT {kept} FROM ({rows})) TO '{path}' (FORMAT parquet)")  # noqa: S608

    def map_groups(self, expr: Any, by: str, function: Groups, schema: pa.Schema) -> Any:
        """Return what ``function`` makes of all rows at once."""
        return ibis.memtable(function(self.to_pyarrow(expr)).cast(schema))


def connect(spill: Path | None, memory_limit: str = "1GiB") -> Any:
    """Return an Ibis backend on an in-memory DuckDB that spills into ``spill``.

    Args:
        spill: Folder for what does not fit; None forbids spilling.
        memory_limit: What the engine may hold before it spills, as DuckDB writes sizes.
    """
    backend = LocalEngine().connect(temp_directory="" if spill is None else str(spill))
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
    backend.con.execute("SET memory_limit = ?", [told_limit(limit)])


def told_limit(limit: str) -> str:
    """Return a memory limit as DuckDB writes sizes; ``auto`` is half of what is free, at least 1 GiB."""
    return f"{max(psutil.virtual_memory().available // 2**21, 1024)}MiB" if limit == "auto" else limit
