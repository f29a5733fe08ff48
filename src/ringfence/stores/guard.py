"""What a query may do that people write themselves: read the graph, and nothing else.

A read-only session is no sandbox: it still reads files and addresses with LOAD CSV, calls procedures and
terminates transactions. So a query passes two checks. The first reads its text, because a plan does not
show the inside of subqueries in expressions. The second reads the server's plan, because only the server
knows what a text means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.errors import QueryError

PROCEDURES = frozenset({"db.labels", "db.relationshipTypes", "db.propertyKeys", "dbms.components"})
PROCEDURE_PREFIXES = ("db.schema.",)

EXPLAIN = "EXPLAIN "
"""What is put before a query to get its plan without running it."""

_FIRST_WORDS = ("MATCH", "OPTIONAL", "WITH", "UNWIND", "RETURN", "CALL")
_REFUSED_OPERATORS = ("LoadCSV", "Show", "Terminate", "AdministrationCommand")

_COMMENT = r"/\*.*?(?:\*/|\Z)|//[^\r\n]*"
_TEXT = r"'(?:\\.|[^'\\])*(?:'|\Z)|\"(?:\\.|[^\"\\])*(?:\"|\Z)"
_TOKEN = re.compile(rf"(?P<comment>{_COMMENT})|(?P<text>{_TEXT})|`(?P<name>(?:[^`]|``)*)(?:`|\Z)", re.DOTALL)
# What may stand between words: any character that is neither of a word nor printable ASCII.
_GAP = r"[^\w!-~]"
# A number may touch the word after it (1LOAD CSV); a name, a property or a label may not be that word.
_WORD = r"(?<![^\W\d])(?<![:$])(?<!\D\.)"
_CALLED = re.compile(rf"{_WORD}CALL{_GAP}+(\w+(?:{_GAP}*\.{_GAP}*\w+)*){_GAP}*(?:\(|YIELD\b)", re.IGNORECASE)
_LOAD_CSV = re.compile(rf"{_WORD}LOAD{_GAP}+CSV\b", re.IGNORECASE)


def check_text(cypher: str) -> None:
    r"""Refuse a text that does more than read, as far as a text can tell.

    ``\u`` escapes are refused wherever they stand: the server resolves them before it reads anything else, so
    with them a text is not what it looks like.

    Raises:
        QueryError: the text is refused; the message says what for.
    """
    if re.search(r"\\u", cypher, re.IGNORECASE):
        raise QueryError(
            r"A query cannot hold \u escapes. Write the character itself, or pass it as a parameter."
        )
    bare = _TOKEN.sub(_without_contents, cypher)
    first = re.search(r"\S+", bare)
    if first is None:
        raise QueryError("The query is empty.")
    word = re.match(r"\w*", first[0])
    if word is None or word[0].upper() not in _FIRST_WORDS:
        raise QueryError(
            f"A query cannot start with {first[0][:20]!r}: only with MATCH, OPTIONAL MATCH, WITH, UNWIND, "
            "RETURN or CALL. Queries read the graph and nothing else."
        )
    if _LOAD_CSV.search(bare):
        raise _no_load_csv()
    for call in _CALLED.finditer(bare):
        _check_procedure(re.sub(_GAP, "", call[1]))


def check_plan(query_type: str | None, plan: Mapping[str, Any] | None) -> None:
    """Refuse a query whose plan does more than read.

    Args:
        query_type: the type that EXPLAIN gives: ``r`` where it reads, ``s`` where it is about the server.
        plan: the plan that EXPLAIN gives, with ``operatorType``, ``args`` and ``children``.

    Raises:
        QueryError: the plan is refused; the message says what for.
    """
    called = False
    for step in _steps(plan or {}):
        operator = str(step.get("operatorType", "")).partition("@")[0]
        if operator.startswith("LoadCSV"):
            raise _no_load_csv()
        if operator.startswith(_REFUSED_OPERATORS):
            raise QueryError(
                f"A query cannot do what the server calls {operator}: it reads the graph and nothing else."
            )
        if operator == "ProcedureCall":
            _check_procedure(str(step["args"].get("Details", "")).partition("(")[0].strip())
            called = True
    # The server counts dbms.components as ``s``; whatever else is ``s`` calls no allowed procedure.
    if query_type != "r" and not (query_type == "s" and called):
        raise QueryError(
            "The query writes. Queries read the graph and nothing else; `ringfence neo4j load` writes it."
        )


def as_written(message: str) -> str:
    """Return the server's message with its positions counted in the query as it was written."""
    moved = re.sub(r"(?<=line 1, column )\d+|(?<=offset: )\d+", _moved_back, message)
    if f'"{EXPLAIN}' not in moved:
        return moved
    query, caret, rest = moved.replace(f'"{EXPLAIN}', '"', 1).partition("\n" + " " * len(EXPLAIN))
    return query + ("\n" + rest if caret else "")


def _moved_back(number: re.Match[str]) -> str:
    return str(max(int(number[0]) - len(EXPLAIN), 0))


def _steps(step: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield step
    for child in step.get("children", ()):
        yield from _steps(child)


def _check_procedure(name: str) -> None:
    if name not in PROCEDURES and not name.startswith(PROCEDURE_PREFIXES):
        allowed = ", ".join([*sorted(PROCEDURES), *(f"{prefix}*" for prefix in PROCEDURE_PREFIXES)])
        raise QueryError(f"A query cannot call the procedure {name}; it can call {allowed}.")


def _no_load_csv() -> QueryError:
    return QueryError(
        "A query cannot use LOAD CSV: it reads files and addresses. Queries read the graph only."
    )


def _without_contents(token: re.Match[str]) -> str:
    if token["comment"] is not None:
        return " "
    if token["text"] is not None:
        return "''"
    # A quoted name may be that of a procedure; anything but word characters in it names none.
    return " " + (re.sub(r"\W", "_", token["name"]) or "_") + " "
