"""``ringfence query``: the query pack, and Cypher of the user's own that only reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.neo4j import AsJson, Store
from ringfence.cli.state import ByOption, OptionalState

if TYPE_CHECKING:
    from ringfence.stores.neo4j import Neo4jStore
    from ringfence.stores.protocol import QueryResult

app = typer.Typer(
    help="Ask the graph: named queries, or Cypher that only reads.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

_LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|//[^\n]*|(?s:/\*.*?(?:\*/|$))|\b\d[\w.]*""")
"""Texts, comments and numbers within Cypher."""

Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="A parameter's value; may be given several times."),
]
Limit = Annotated[int, typer.Option(help="The most rows to show.")]
Timeout = Annotated[float, typer.Option(help="Seconds the store may take.")]


@app.callback()
def free(
    context: typer.Context,
    by: ByOption,
    cypher: Annotated[
        str | None, typer.Option(help="A query that only reads; its $names by --param.")
    ] = None,
    param: Params = None,
    where: Store = "local",
    limit: Limit = 1000,
    timeout: Timeout = 30.0,
    state: OptionalState = None,
    as_json: AsJson = False,
) -> None:
    """Ask the graph: named queries, or Cypher that only reads.

    Where a state folder is named, its audit log has an entry of the question before it is asked.
    """
    from ringfence.errors import UsageError

    if context.invoked_subcommand is not None:
        if any(_was_typed(context, name) for name in context.params):
            raise UsageError(
                f"Options go after `query {context.invoked_subcommand}`; those right after `query` are for "
                "--cypher."
            )
        return
    if cypher is None:
        typer.echo(context.get_help())
        return
    from ringfence.queries.runner import assignments, guessed

    parameters = guessed(assignments(param or []))
    _audit(state, by, cypher, parameters, named=False)
    with _reading(where) as store:
        _show(store.read(cypher, parameters, timeout=timeout, limit=limit), as_json=as_json)


def _was_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command("list")
def list_queries(as_json: AsJson = False) -> None:
    """List the named queries with their parameters."""
    from dataclasses import asdict

    from ringfence.queries.pack import queries

    if as_json:
        typer.echo(json.dumps([asdict(query) for query in queries().values()], ensure_ascii=False))
        return
    for query in queries().values():
        typer.echo(f"{query.name}\n    {query.question}")
        for parameter in query.parameters:
            default = "" if parameter.required else f", else {parameter.default}"
            typer.echo(f"    {parameter.name} ({parameter.type.value}{default}): {parameter.meaning}")


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `ringfence query list` shows.")],
    by: ByOption,
    param: Params = None,
    where: Store = "local",
    limit: Limit = 1000,
    timeout: Timeout = 30.0,
    state: OptionalState = None,
    as_json: AsJson = False,
) -> None:
    """Run a named query; where a state folder is named, its audit log has an entry before that."""
    from ringfence.queries import pack, runner

    given = runner.assignments(param or [])
    _audit(state, by, name, runner.coerce(pack.get(name), given), named=True)
    with _reading(where) as store:
        _show(runner.run(store, name, given, timeout=timeout, limit=limit), as_json=as_json)


def _audit(state: Path | None, by: str, query: str, parameters: dict[str, Any], *, named: bool) -> None:
    """Write down who asks what. Values may name accounts, and the log outlives them: it has their digest."""
    if state is None:
        return
    from ringfence.cli.state import open_casebook
    from ringfence.files import digest_json

    asked = query if named else _LITERAL.sub("…", query)
    with open_casebook(state, make=True) as book, book.writing(by) as writing:
        writing.audit("query asked", query=asked, digest=digest_json([query, parameters]))


@contextmanager
def _reading(where: str) -> Iterator[Neo4jStore]:
    """Open a store to read from; an empty local server is not started for it."""
    from ringfence.cli.neo4j import progress
    from ringfence.errors import StoreConflictError, StoreUnavailableError
    from ringfence.progress import silent
    from ringfence.stores import local
    from ringfence.stores.open import LOCAL, open_store

    status = local.status() if where == LOCAL else None
    if status is not None and not status.has_data:
        raise StoreUnavailableError(
            "The local Neo4j holds nothing yet. Fill it with `ringfence run INPUT --out OUT`, "
            "or `ringfence neo4j load OUT` for a run that is there."
        )
    stopped = status is not None and status.state == "stopped"
    with progress("Neo4j") if stopped else nullcontext(silent) as tick:
        opened = open_store(where, tick)
    with opened as store:
        # A database of the user's own may be asked, too.
        with suppress(StoreConflictError):
            _warn_of_part(store)
        yield store


def _warn_of_part(store: Neo4jStore) -> None:
    state = store.state()
    if state is not None and not state.complete:
        typer.echo(
            "The store holds part of a graph: its load was cut off. "
            "Repair it with `ringfence neo4j load OUT`.",
            err=True,
        )


def _show(result: QueryResult, *, as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        said = {"columns": result.columns, "rows": rows, "truncated": result.truncated}
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in result.columns:
        table.add_column(Text(column))
    for row in result.rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = Console()
    # Whatever reads a pipe wants whole rows, not ones folded to a terminal that is not there.
    console.print(table, width=None if console.is_terminal else 100_000, crop=False)
    rows_said = f"{len(result.rows)} row" + ("" if len(result.rows) == 1 else "s")
    typer.echo(f"The first {rows_said}; there are more (--limit)." if result.truncated else rows_said)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(_cell(item) for item in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # An id may hold anything, and a terminal obeys control characters.
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)
