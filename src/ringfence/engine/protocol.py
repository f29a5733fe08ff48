"""What a table engine must do: the one seam between the stages and what carries out their expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

Paths = str | Path | Sequence[str | Path]
"""One Parquet file, a folder of parts, or a list of files."""

Groups = Callable[[pa.Table], pa.Table]
"""A function of the rows of whole groups, which says of each what it would say of it alone."""


class Engine(Protocol):
    """Carries out Ibis expressions over Parquet."""

    spread: bool
    """Whether rows may lie on many machines, so that no step may gather them all on one."""

    def read_parquet(self, path: Paths, /) -> Any:
        """Return an Ibis table."""

    def to_parquet(self, expr: Any, path: str | Path, /) -> None:
        """Write one file, in the order of the expression."""

    def to_parts(self, expr: Any, folder: str | Path, /) -> None:
        """Write a folder of parts that is not there yet; in any order, from wherever the rows are."""

    def to_pyarrow(self, expr: Any, /) -> Any:
        """Return a table, column or scalar, in the order of the expression."""

    def map_groups(self, expr: Any, by: str, function: Groups, schema: pa.Schema) -> Any:
        """Return an Ibis table of what ``function`` makes of the rows, in any order.

        Args:
            expr: Ibis table.
            by: Its column that names a row's group.
            function: Is given whole groups. It runs wherever the rows are, so it must be one that can be
                imported or pickled there.
            schema: Of what it returns.
        """

    def disconnect(self) -> None:
        """Give back what the engine holds."""


def files_of(path: Paths) -> list[str]:
    """Return the files of a table, in their order: a file, a folder's parts, or those of a list.

    Raises:
        FileNotFoundError: there are none.
    """
    if isinstance(path, str | Path):
        place = Path(path)
        files = sorted(str(part) for part in place.glob("*.parquet")) if place.is_dir() else [str(place)]
    else:
        files = [str(one) for one in path]
    if not files:
        raise FileNotFoundError(f"{path} holds no Parquet file.")
    return files
