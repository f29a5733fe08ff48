"""Run a query of the pack: read what was given for its parameters, and ask the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.errors import QueryError, UsageError, near_names
from ringfence.queries.pack import Parameter, Query, get
from ringfence.stores.protocol import QueryResult, SupportsCypher


def run(
    store: SupportsCypher, name: str, given: Mapping[str, str], *, timeout: float = 30.0, limit: int = 1000
) -> QueryResult:
    """Return what a query of the pack answers.

    Args:
        store: the store that is asked.
        name: the query's name.
        given: parameter → value, as text.
        timeout: seconds the store may take.
        limit: the most rows that are returned.

    Raises:
        QueryError: there is no such query, a parameter is missing, unknown or of another type, or the query
            fails.
    """
    query = get(name)
    return store.read(query.cypher, coerce(query, given), timeout=timeout, limit=limit)


def coerce(query: Query, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a query's parameters, by the types it declares; defaults where none is given.

    Raises:
        QueryError: a parameter is missing, unknown or of another type.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            hint = near_names(name, known) or f" It has: {', '.join(known) or 'none'}."
            raise QueryError(f"The query {query.name!r} has no parameter {name!r}.{hint}")
    missing = [name for name, parameter in known.items() if parameter.required and name not in given]
    if missing:
        options = " ".join(f"--param {name}=…" for name in missing)
        raise QueryError(f"The query {query.name!r} needs {options}")
    return {name: _value(query, parameter, given.get(name)) for name, parameter in known.items()}


def assignments(words: Iterable[str]) -> dict[str, str]:
    """Return ``name=value`` words as a dictionary.

    Raises:
        UsageError: a word has no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {word!r} gives no value; write --param name=value.")
        if name in found:
            raise UsageError(f"--param {name} is given twice.")
        found[name] = value
    return found


def guessed(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values for a query that declares no types: JSON where a text is JSON, else the text."""
    return {name: _json_or_text(text) for name, text in given.items()}


def _value(query: Query, parameter: Parameter, text: str | None) -> Any:
    if text is None:
        return parameter.default
    try:
        return parameter.type.read(text)
    except ValueError as error:
        raise QueryError(
            f"The parameter {parameter.name!r} of {query.name!r} is {parameter.type.value}; {text!r} is not."
        ) from error


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
