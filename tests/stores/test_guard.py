"""What people's queries may do: the guard alone, on texts and on plans as the server gives them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import QueryError
from ringfence.stores.guard import as_written, check_plan, check_text

ALLOWED = [
    "MATCH (n) RETURN n",
    "  match (n) return n;",
    "// what is there?\nMATCH (n) RETURN n",
    "/* LOAD CSV */ OPTIONAL MATCH (n) RETURN n",
    "WITH 1 AS x RETURN x",
    "UNWIND $rows AS row RETURN row",
    "CALL db.labels()",
    "CALL `db`.`labels`() YIELD label RETURN label",
    "CALL db.schema.visualization()",
    "CALL { MATCH (n) RETURN count(n) AS n } RETURN n",
    "MATCH (n) CALL (n) { RETURN 1 AS one } RETURN one",
    "RETURN 'LOAD CSV FROM x' AS text, \"CALL dbms.listConfig()\" AS other",
    "MATCH (n:Load)-[:CALL]->(m) RETURN n.load, m.call",
    "MATCH (n) WHERE n.call AND (n:Call OR n:Load) RETURN n",
    "RETURN 'it\\'s LOAD CSV' AS text",
]

REFUSED = {
    "": "empty",
    "  // nothing\n": "empty",
    "CREATE (n)": "cannot start with 'CREATE'",
    "MERGE (n) RETURN n": "cannot start with 'MERGE'",
    "EXPLAIN MATCH (n) RETURN n": "cannot start with 'EXPLAIN'",
    "/**/PROFILE MATCH (n) RETURN n": "cannot start with 'PROFILE'",
    "CYPHER runtime=slotted MATCH (n) RETURN n": "cannot start with 'CYPHER'",
    "SHOW SETTINGS": "cannot start with 'SHOW'",
    "TERMINATE TRANSACTION 'neo4j-1'": "cannot start with 'TERMINATE'",
    "USE system MATCH (n) RETURN n": "cannot start with 'USE'",
    "\u180eSHOW SETTINGS": "cannot start",
    "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l": "cannot start with 'LOAD'",
    "MATCH (n) LOAD CSV FROM $x AS l RETURN l": "LOAD CSV",
    "RETURN [x IN [1] | COLLECT { LOAD/**/CSV FROM $x AS l RETURN l }]": "LOAD CSV",
    "RETURN COLLECT { load\n//\nCSV FROM $x AS l RETURN l }": "LOAD CSV",
    "RETURN COLLECT { LOAD\u180eCSV FROM $x AS l RETURN l }": "LOAD CSV",
    "RETURN 'a' + COLLECT { LOAD CSV FROM 'b' AS l RETURN l }": "LOAD CSV",
    r"RETURN COLLECT { L\u004fAD CSV FROM $x AS l RETURN l }": "escapes",
    r"RETURN '\u0027 + COLLECT { LOAD CSV FROM $x AS l RETURN l }": "escapes",
    "RETURN COLLECT { WITH 1 AS x WHERE 1=1LOAD CSV FROM $x AS l RETURN l }": "LOAD CSV",
    "RETURN COLLECT { WITH 1 AS x WHERE 1=1.LOAD CSV FROM $x AS l RETURN l }": "LOAD CSV",
    "RETURN COLLECT { WITH 1 AS x WHERE 1=1CALL db.ping() YIELD success RETURN success }": "db.ping",
    "CALL dbms.listConfig()": "dbms.listConfig",
    "CALL`dbms`.`listConfig`()": "dbms.listConfig",
    "MATCH (n) CALL /* db.labels( */ apoc.load.json ('x') YIELD value RETURN value": "apoc.load.json",
    "RETURN COLLECT { CALL db . ping () YIELD success RETURN success }": "db.ping",
    "RETURN COLLECT { CALL db.ping YIELD success RETURN success }": "db.ping",
    "CALL db.labelsX()": "db.labelsX",
}


@pytest.mark.parametrize("cypher", ALLOWED)
def test_texts_that_read_pass(cypher: str) -> None:
    check_text(cypher)


@pytest.mark.parametrize(("cypher", "says"), REFUSED.items())
def test_texts_that_do_more_are_refused_and_told_why(cypher: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        check_text(cypher)


GAPS = st.lists(
    st.sampled_from(
        [" ", "\n", "\t", "\r", "\x0b", "\x1c", "\u00a0", "\u180e", "\u2003", "/**/", "/* ' */", "//`\n"]
    ),
    min_size=1,
).map("".join)
LETTERS = st.lists(st.booleans(), min_size=7, max_size=7)


@given(gap=GAPS, upper=LETTERS, before=st.sampled_from(["", "'x' + ", '"\\"" + ', "`a``b` + ", '/* " */']))
def test_no_disguise_hides_load_csv(gap: str, upper: list[bool], before: str) -> None:
    load, csv = "load", "csv"
    mixed = "".join(c.upper() if up else c for c, up in zip(load + csv, upper, strict=True))
    with pytest.raises(QueryError, match="LOAD CSV"):
        check_text(f"RETURN {before}COLLECT {{ {mixed[:4]}{gap}{mixed[4:]} FROM 'x' AS l RETURN l }}")


@given(text=st.text(st.characters(exclude_characters="\\'")))
def test_no_text_in_quotes_is_taken_for_a_command(text: str) -> None:
    check_text(f"RETURN '{text}' AS x")


def plan(operator: str, details: str = "", *children: dict[str, object]) -> dict[str, object]:
    return {"operatorType": f"{operator}@neo4j", "args": {"Details": details}, "children": list(children)}


def test_plans_that_read_pass() -> None:
    labels = plan("ProcedureCall", "db.labels() :: (label :: STRING)")
    check_plan("r", plan("ProduceResults", "label", labels))
    check_plan("s", plan("ProduceResults", "name", plan("ProcedureCall", "dbms.components() :: (name)")))


@pytest.mark.parametrize(
    ("query_type", "step", "says"),
    [
        ("w", plan("Create", "(n)"), "writes"),
        ("rw", plan("SetProperty"), "writes"),
        ("s", plan("CreateIndex"), "writes"),
        (None, plan("AllNodesScan"), "writes"),
        ("r", plan("Apply", "", plan("LoadCSV", "l")), "LOAD CSV"),
        ("r", plan("ProcedureCall", "db.ping() :: (success :: BOOLEAN)"), "db.ping"),
        ("s", plan("ProcedureCall", "dbms.killConnection($x) :: ()"), "dbms.killConnection"),
        ("r", plan("TerminateTransactions"), "TerminateTransactions"),
        ("r", plan("ShowSettings"), "ShowSettings"),
    ],
)
def test_plans_that_do_more_are_refused(query_type: str, step: dict[str, object], says: str) -> None:
    with pytest.raises(QueryError, match=says):
        check_plan(query_type, plan("ProduceResults", "", step))


def test_positions_are_those_of_the_query_as_written() -> None:
    said = 'Invalid input (line 1, column 18 (offset: 17))\n"EXPLAIN MATCH (n RETURN n"\n                  ^'
    assert (
        as_written(said) == 'Invalid input (line 1, column 10 (offset: 9))\n"MATCH (n RETURN n"\n          ^'
    )
    later = 'Variable `m` not defined (line 2, column 8 (offset: 25))\n"RETURN m"\n        ^'
    assert as_written(later) == later.replace("25", "17")
