"""Single files that commands write: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from ringfence.errors import OutputError
from ringfence.files import whole_file


def check_file(path: Path, *, force: bool) -> None:
    """Refuse a file that would have to be overwritten.

    Raises:
        OutputError: something stands there and ``force`` is off, or there is no place for a file.
    """
    if (path.exists() and not path.is_file()) or not path.parent.is_dir():
        raise OutputError(f"{path} is no place for a file.")
    if path.exists() and not force:
        raise OutputError(f"{path} is there already. Name another file, or replace it with --force.")


def write_file(path: Path, text: str) -> None:
    """Write a file under another name beside it, and put it in its place at the end.

    Raises:
        OutputError: it cannot be written; what stood there stays.
    """
    with whole_file(path) as building:
        building.write_text(text, encoding="utf-8")
