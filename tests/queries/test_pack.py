"""The query pack's files, and how parameters are read."""

from __future__ import annotations

import re

import pytest

from ringfence.errors import QueryError, UsageError
from ringfence.queries.pack import Query, get, parse, queries
from ringfence.queries.runner import assignments, coerce, guessed
from ringfence.stores.guard import check_text

NAMES = [
    "after-ban",
    "card-transfers",
    "entity-reach",
    "hubs",
    "ring-evidence",
    "ring-members",
    "shortest-path",
    "why-linked",
]

MINIMAL = """\
// question: What?
// param text_one (text): a text
// param count (integer = 3): a number
// param share (real = 0.5): another
// param maybe (text = null): perhaps
// columns: a, b
// example: --param text_one=x
RETURN $text_one AS a, $count + $share AS b, $maybe AS c
"""


def test_the_pack_is_complete() -> None:
    assert list(queries()) == NAMES


@pytest.mark.parametrize("query", queries().values(), ids=lambda query: query.name)
def test_a_header_and_its_query_agree(query: Query) -> None:
    body = "\n".join(line for line in query.cypher.splitlines() if not line.startswith("//"))
    assert set(re.findall(r"\$(\w+)", body)) == {parameter.name for parameter in query.parameters}
    example = dict(re.findall(r"--param (\w+)=(\S+)", query.example))
    assert set(coerce(query, example)) == {parameter.name for parameter in query.parameters}
    check_text(query.cypher)


def test_a_query_is_found_by_name_or_the_nearest_is_told() -> None:
    assert get("hubs").name == "hubs"
    with pytest.raises(QueryError, match=r"Did you mean 'ring-members'"):
        get("ring-member")
    with pytest.raises(QueryError, match="There are: after-ban, card-transfers"):
        get("zzz")


def test_values_are_read_by_the_types_declared() -> None:
    query = parse("q", MINIMAL)
    assert coerce(query, {"text_one": "7"}) == {"text_one": "7", "count": 3, "share": 0.5, "maybe": None}
    given = {"text_one": "a=b", "count": "4", "share": "1e-3", "maybe": "x"}
    assert coerce(query, given) == {"text_one": "a=b", "count": 4, "share": 0.001, "maybe": "x"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "needs --param text_one=…"),
        ({"text_one": "x", "cuont": "1"}, "no parameter 'cuont'. Did you mean 'count'"),
        ({"text_one": "x", "count": "1.5"}, "'count' of 'q' is integer; '1.5' is not"),
        ({"text_one": "x", "share": "half"}, "is real; 'half' is not"),
    ],
)
def test_values_that_do_not_fit_are_told(given: dict[str, str], says: str) -> None:
    with pytest.raises(QueryError, match=re.escape(says)):
        coerce(parse("q", MINIMAL), given)


@pytest.mark.parametrize(
    ("line", "instead", "says"),
    [
        ("// question: What?\n", "", "lacks question"),
        ("// columns: a, b\n", "", "lacks columns"),
        ("// columns: a, b", "// colums: a, b", "not understood: 'colums"),
        ("(integer = 3)", "(number = 3)", "parameter that is not understood"),
    ],
)
def test_a_header_that_is_off_is_refused(line: str, instead: str, says: str) -> None:
    with pytest.raises(QueryError, match=re.escape(says)):
        parse("q", MINIMAL.replace(line, instead))


def test_words_become_parameters() -> None:
    assert assignments(["a=1", "b=", "c=x=y"]) == {"a": "1", "b": "", "c": "x=y"}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            assignments(wrong)


def test_values_of_free_queries_are_json_where_they_are_json() -> None:
    given = {"n": "7", "list": "[1, 2]", "text": "acct-1", "quoted": '"7"'}
    assert guessed(given) == {"n": 7, "list": [1, 2], "text": "acct-1", "quoted": "7"}
