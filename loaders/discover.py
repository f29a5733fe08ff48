"""Which files of a folder feed which canonical tables."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ringfence.errors import InputError, MappingError, NoUsableTableError, near_names
from ringfence.loaders.csv import CsvReader
from ringfence.loaders.mapping import TableMapping
from ringfence.loaders.ndjson import NdjsonReader
from ringfence.loaders.parquet import ParquetReader
from ringfence.loaders.protocol import Reader
from ringfence.schema import ACTIVITY_TABLES, TABLES

READERS: dict[str, Reader] = {
    ".parquet": ParquetReader(),
    ".csv": CsvReader(),
    ".tsv": CsvReader(),
    ".ndjson": NdjsonReader(),
    ".jsonl": NdjsonReader(),
    ".json": NdjsonReader(),
}
_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that feeds a table."""

    path: Path
    name: str
    """Its path below the input folder, as people see it."""
    mapping: TableMapping
    reader: Reader


@dataclass(frozen=True, slots=True)
class Discovery:
    """What an input folder holds."""

    sources: tuple[Source, ...]
    unused: tuple[str, ...]
    """Files that feed nothing."""


def discover(folder: Path, mappings: tuple[TableMapping, ...] = ()) -> Discovery:
    """Find the files that feed tables: by the mapping, then by name (``requests.csv.gz``, ``requests/…``).

    Raises:
        InputError: the folder is missing or cannot be read.
        MappingError: a mapping's source matches no readable file.
        NoUsableTableError: no file feeds a table that shows activity.
    """
    files = _files(folder)
    sources = [source for mapping in mappings for source in _mapped(folder, files, mapping)]
    claimed = {source.path for source in sources}
    for path in files:
        table = _named_table(path.relative_to(folder))
        if table and path not in claimed:
            sources.append(_source(folder, path, TableMapping(table)))
    used = {source.path for source in sources}
    unused = tuple(path.relative_to(folder).as_posix() for path in files if path not in used)
    if not any(source.mapping.name in ACTIVITY_TABLES for source in sources):
        raise NoUsableTableError(_nothing_usable(folder, unused))
    order = list(TABLES)
    sources.sort(key=lambda source: (order.index(source.mapping.name), source.name))
    return Discovery(tuple(sources), unused)


def _files(folder: Path) -> list[Path]:
    if not folder.exists():
        raise InputError(f"{folder} does not exist.{near_names(folder.name, _siblings(folder))}")
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; name the folder that holds the tables.")
    try:
        found = [path for path in folder.rglob("*") if path.is_file()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from error
    visible = [
        p for p in found if not any(part.startswith((".", "_")) for part in p.relative_to(folder).parts)
    ]
    for path in visible:
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():
            raise InputError(f"{name!r} has a name that cannot be printed. Rename the file.")
    return sorted(visible)


def _siblings(folder: Path) -> list[str]:
    return [path.name for path in folder.parent.iterdir()] if folder.parent.is_dir() else []


def _mapped(folder: Path, files: list[Path], mapping: TableMapping) -> list[Source]:
    matched = [path for path in files if fnmatchcase(path.relative_to(folder).as_posix(), mapping.source)]
    if not matched:
        names = [path.relative_to(folder).as_posix() for path in files]
        raise MappingError(
            f"The mapping of {mapping.name} reads {mapping.source!r}, which matches no file in {folder}."
            f"{near_names(mapping.source, names)}"
        )
    return [_source(folder, path, mapping) for path in matched]


def _source(folder: Path, path: Path, mapping: TableMapping) -> Source:
    reader = READERS.get(_suffix(path))
    name = path.relative_to(folder).as_posix()
    if reader is None:
        raise MappingError(
            f"{name} has no known format; known are {', '.join(READERS)}, also with .gz or .zst."
        )
    return Source(path, name, mapping, reader)


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _named_table(name: Path) -> str | None:
    """Return the table a file feeds by its own name, or by that of the folder it is a part in."""
    if _suffix(name) not in READERS:
        return None
    table = name.parts[0] if len(name.parts) > 1 else name.name.split(".", 1)[0]
    return table if table in TABLES else None


def _nothing_usable(folder: Path, unused: tuple[str, ...]) -> str:
    hints = [f"{name}:{hint}" for name in unused if (hint := near_names(Path(name).stem, ACTIVITY_TABLES))]
    found = f" Found {', '.join(unused[:8])}{'…' if len(unused) > 8 else ''}." if unused else " It is empty."
    return (
        f"{folder} holds none of {', '.join(ACTIVITY_TABLES)} (as .parquet, .csv or .ndjson)."
        f"{found}{''.join(' ' + hint for hint in hints)} Tables with other names need --mapping."
    )
