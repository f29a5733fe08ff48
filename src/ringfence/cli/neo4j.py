"""``ringfence neo4j``: the local server, and loading a run's graph into a store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ringfence.progress import Tick
    from ringfence.stores.neo4j import Neo4jStore

app = typer.Typer(
    help="Start, look at, fill and stop the graph store.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Store = Annotated[
    str,
    typer.Option(
        "--neo4j",
        metavar="WHERE",
        help="`local`, or a bolt:// or neo4j:// address; user and password in it or in NEO4J_USERNAME and "
        "NEO4J_PASSWORD.",
    ),
]


@app.command()
def up(
    port: Annotated[int | None, typer.Option(help="Port to listen on; 7687 or the next free one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start the local Neo4j, fetching it first where it is not here yet."""
    from ringfence.stores import local

    with progress("Neo4j") as tick:
        server = local.up(port, tick)
    password_file = str(Path(local.status().folder) / "password")
    said = {"address": server.address, "user": server.user, "password_file": password_file, "pid": server.pid}
    _say(said, as_json=as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the local Neo4j runs, where, and what it holds."""
    from dataclasses import asdict

    from ringfence.stores import local

    said: dict[str, Any] = asdict(local.status())
    server = local.running()
    if server is not None:
        from ringfence.stores.neo4j import Neo4jStore

        with Neo4jStore(server.address, server.user, server.password) as store:
            said["holds"] = _holds(store)
    _say(said, as_json=as_json)


@app.command()
def down(as_json: AsJson = False) -> None:
    """Stop the local Neo4j; its data stays."""
    from ringfence.stores import local

    was_running = local.down()
    _say({"state": "stopped", "was_running": was_running}, as_json=as_json)


@app.command()
def load(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    where: Store = "local",
    force: Annotated[
        bool, typer.Option("--force", help="Replace another graph that the store holds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load the graph of a run; does nothing where the store holds it already."""
    from ringfence.stores.graph import read_graph
    from ringfence.stores.open import open_store

    graph = read_graph(out / "graph")
    with progress("Neo4j") as tick:
        store = open_store(where, tick)
    with store, progress("Graph into Neo4j") as tick:
        store.load(graph, replace=force, tick=tick)
        said = _holds(store)
    _say(said, as_json=as_json)


@contextmanager
def progress(title: str) -> Iterator[Tick]:
    """Show a bar on standard error where a person looks at it."""
    import sys

    from ringfence.progress import BarDisplay, QuietDisplay

    display = BarDisplay() if sys.stderr.isatty() else QuietDisplay()
    with display.stage(title) as tick:
        yield tick


def _holds(store: Neo4jStore) -> dict[str, Any] | None:
    from dataclasses import asdict

    from ringfence.errors import StoreConflictError

    try:
        state = store.state()
    except StoreConflictError as error:
        return {"foreign": str(error)}
    return None if state is None else {**asdict(state), "counts": store.counts()}


def _say(said: dict[str, Any] | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, value in _flat(said or {}):
        typer.echo(f"{name:<24} {value}")


def _flat(said: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name} ")
        elif value is not None:
            yield f"{before}{name}", value
