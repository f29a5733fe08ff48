"""The query pack: one file a query in ``cypher/``, each with a header that says what it answers.

A header is the comment lines a file begins with::

    // question: Which accounts are members of a ring, and in what role?
    // param ring (text): the ring's id
    // param top (integer = 25): how many to show
    // columns: account_id, role
    // example: --param ring=ring-0001

A parameter's type is ``text``, ``integer`` or ``real``. One without a default is required; the default
``null`` stands for "not given".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from ringfence.errors import QueryError, near_names

FOLDER = Path(__file__).parent / "cypher"

_PARAMETER = re.compile(r"param (?P<name>\w+) \((?P<type>\w+)(?: = (?P<default>.+?))?\): (?P<meaning>.+)")


class ParameterType(StrEnum):
    """What a parameter's value is read as."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"

    def read(self, text: str) -> str | int | float:
        """Return the value that a text stands for.

        Raises:
            ValueError: the text is no such value.
        """
        if self is ParameterType.INTEGER:
            return int(text)
        return float(text) if self is ParameterType.REAL else text


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query."""

    name: str
    type: ParameterType
    required: bool
    default: str | int | float | None
    """The value where none is given; None too where the parameter is required."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the pack."""

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]
    example: str
    """The options of a call, such as ``--param ring=ring-0001``; empty where none are needed."""
    cypher: str
    """The whole file, header and all."""


@cache
def queries() -> dict[str, Query]:
    """Return the queries of the pack by name, in the order of their names."""
    files = sorted(FOLDER.glob("*.cypher"))
    return {path.stem: parse(path.stem, path.read_text(encoding="utf-8")) for path in files}


def get(name: str) -> Query:
    """Return the query of that name.

    Raises:
        QueryError: there is none.
    """
    known = queries()
    if name not in known:
        hint = near_names(name, known) or f" There are: {', '.join(known)}."
        raise QueryError(f"There is no query {name!r}.{hint}")
    return known[name]


def parse(name: str, text: str) -> Query:
    """Return the query that a file holds.

    Raises:
        QueryError: its header lacks something, or says something that is not understood.
    """
    said: dict[str, str] = {}
    parameters: list[Parameter] = []
    for line in _header(text):
        if line.startswith("param "):
            parameters.append(_parameter(name, line))
        else:
            key, colon, value = line.partition(":")
            if not colon or key not in ("question", "columns", "example"):
                raise QueryError(f"The header of query {name!r} has a line that is not understood: {line!r}.")
            said[key] = value.strip()
    missing = [key for key in ("question", "columns", "example") if key not in said]
    if missing:
        raise QueryError(f"The header of query {name!r} lacks {', '.join(missing)}.")
    columns = tuple(column.strip() for column in said["columns"].split(","))
    return Query(name, said["question"], tuple(parameters), columns, said["example"], text)


def _header(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
    return lines


def _parameter(query: str, line: str) -> Parameter:
    found = _PARAMETER.fullmatch(line)
    if found is None or found["type"] not in set(ParameterType):
        raise QueryError(f"The header of query {query!r} has a parameter that is not understood: {line!r}.")
    kind, default = ParameterType(found["type"]), found["default"]
    value = None if default in (None, "null") else kind.read(default)
    return Parameter(found["name"], kind, default is None, value, found["meaning"])
