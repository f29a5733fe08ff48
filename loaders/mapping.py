"""The mapping file: which tables with other names feed which canonical tables."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ringfence.errors import MappingError, near_names
from ringfence.schema import TABLES, Kind

TIME_UNITS = ("iso", "s", "ms", "us")

_Wanted = str | list[str] | dict[str, Any]
_TYPES: dict[str, _Wanted] = {
    "name": "",
    "source": "",
    "columns": {"*": ""},
    "time_units": {"*": ""},
    "values": {"*": {"*": ""}},
    "constants": {"*": ""},
    "only_where": [""],
}
"""Key of an entry → an example of its type; ``*`` is any key."""


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How one source feeds one canonical table."""

    name: str
    """Canonical table."""
    source: str = ""
    """File name or glob below the input folder; empty where the files are named as the table is."""
    columns: dict[str, str] = field(default_factory=dict)
    """Canonical column → column of the source; columns not named here keep their names."""
    time_units: dict[str, str] = field(default_factory=dict)
    """Canonical time column → ``iso`` (default), ``s``, ``ms`` or ``us`` since 1970."""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    """Canonical column → {value in the source: canonical value}; values not named stay."""
    constants: dict[str, str] = field(default_factory=dict)
    """Canonical column → the value every row has."""
    only_where: tuple[str, ...] = ()
    """Canonical columns; a source row with no value in one of them is no row of this table."""

    def source_of(self, column: str) -> str:
        """Return the source's name of a canonical column."""
        return self.columns.get(column, column)


def read_mapping(path: Path) -> tuple[TableMapping, ...]:
    """Read a mapping file (TOML, ``[[table]]`` entries with the fields of :class:`TableMapping`).

    Raises:
        MappingError: it is missing, no TOML, or names a table, column or unit that there is none of.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"Cannot read the mapping {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} is not TOML: {error}.") from error
    entries = written.pop("table", None)
    if written or not isinstance(entries, list) or not entries:
        odd = next(iter(written), None)
        found = f"it has {odd!r} at the top" if odd else "it has none"
        raise MappingError(f"{path} must hold [[table]] entries and nothing else; {found}.")
    return tuple(_table(path, number, entry) for number, entry in enumerate(entries, 1))


def _table(path: Path, number: int, entry: Any) -> TableMapping:
    where = f"{path}, table {number}"
    if not isinstance(entry, dict):
        raise MappingError(f"{where}: is {entry!r}; write it as [[table]] with keys below.")
    known = [f.name for f in fields(TableMapping)]
    for key in entry:
        if key not in known:
            raise MappingError(f"{where}: unknown key {key!r}.{near_names(key, known)}")
        _check_type(f"{where}: {key}", entry[key], _TYPES[key])
    name = entry.get("name", "")
    if name not in TABLES:
        raise MappingError(f"{where}: name is {name!r}, no canonical table.{near_names(name, TABLES)}")
    if not entry.get("source"):
        raise MappingError(f"{where} ({name}): source is missing; it names the file or files to read.")
    entry = {**entry, "only_where": tuple(entry.get("only_where", ()))}
    mapping = TableMapping(**entry)
    _check_columns(f"{where} ({name})", mapping)
    return mapping


def _check_type(where: str, written: Any, wanted: _Wanted) -> None:
    """Refuse what is not of the wanted type, at any depth."""
    if isinstance(wanted, dict) and isinstance(written, dict):
        for key, value in written.items():
            _check_type(f"{where}.{key}", value, wanted["*"])
    elif isinstance(wanted, list) and isinstance(written, list):
        for value in written:
            _check_type(where, value, wanted[0])
    elif not isinstance(wanted, str) or not isinstance(written, str):
        what = {str: "text in quotes", dict: "a table of keys and values", list: "a list of texts"}
        raise MappingError(f"{where} is {written!r}; it must be {what[type(wanted)]}.")


def _check_columns(where: str, mapping: TableMapping) -> None:
    table = TABLES[mapping.name]
    known = [column.name for column in table.columns]
    stored = [column.name for column in table.stored]
    judged = [*mapping.time_units, *mapping.values, *mapping.constants, *mapping.only_where]
    for column in [*mapping.columns, *judged]:
        if column not in known:
            raise MappingError(f"{where}: {column!r} is no column of it.{near_names(column, known)}")
    for column in judged:
        if column not in stored:
            raise MappingError(f"{where}: {column!r} is prompt text; only columns can name it.")
    for column, unit in mapping.time_units.items():
        if table.column(column).kind is not Kind.TIME:
            raise MappingError(f"{where}: {column!r} is no time, so it has no unit.")
        if unit not in TIME_UNITS:
            raise MappingError(f"{where}: unit {unit!r} of {column!r} is none of {', '.join(TIME_UNITS)}.")
