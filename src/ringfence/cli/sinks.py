"""``ringfence sinks``: where orders go."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.say import printable, say_rows, warn
from ringfence.cli.state import AsJson, OptionalState, open_casebook
from ringfence.errors import OutputError, PolicyError, UnknownCaseError, UsageError, near_names
from ringfence.state import StateFolder

app = typer.Typer(
    help="Where orders go: files, webhooks, and what security systems read.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

FileOption = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="A sinks file elsewhere than in the state folder."),
]


@app.command("list")
def list_sinks(state: OptionalState = None, file: FileOption = None, as_json: AsJson = False) -> None:
    """List the sinks: their names, kinds, where they go, and which ones wanted nothing any more."""
    from ringfence.enforcement.sinks.look import look

    path = _path(state, file)
    halted, seen = _halted(state), look(path)
    if as_json:
        rows = [
            {"name": s.name, "kind": s.kind, "where": s.where, "halted": halted.get(s.name)} for s in seen
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif not seen:
        typer.echo(
            f"{path} names no sinks: orders are recorded and sent nowhere. Begin with `ringfence sinks init`."
        )
    else:
        table = [(one.name, one.kind, one.where, printable(halted.get(one.name, ""))) for one in seen]
        say_rows(f"Sinks of {path}", [("name", "kind", "where", "halted"), *table])


@app.command()
def check(state: OptionalState = None, file: FileOption = None, as_json: AsJson = False) -> None:
    """Read the sinks file and its secrets, and say what is off; nothing is sent."""
    from ringfence.enforcement.sinks.look import check as check_sinks

    path = _path(state, file)
    if not path.is_file():
        raise PolicyError(f"There is no sinks file {path}. Write one with `ringfence sinks init`.")
    seen = check_sinks(path)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in seen], ensure_ascii=False))
    for one in seen if not as_json else ():
        typer.echo(f"{one.name} ({one.kind}) → {one.where}: {'off' if one.problem else 'fine'}")
        for text in one.warnings:
            warn(f"  {text}")
    off = [one.problem for one in seen if one.problem]
    if off:
        raise PolicyError("\n".join(off))
    if not as_json:
        typer.echo(f"{len(seen)} of {len(seen)} can be used.")


@app.command()
def init(
    state: OptionalState = None,
    file: FileOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be written.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a sinks file to begin with: CSV files on, all else explained and off."""
    from importlib.resources import files

    text = (files("ringfence.enforcement.sinks") / "example.toml").read_text(encoding="utf-8")
    path = _path(state, file)
    if not dry_run:
        _write_new(path, text)
    if as_json:
        typer.echo(json.dumps({"file": str(path), "written": not dry_run}))
    else:
        typer.echo(
            text if dry_run else f"Wrote {path}. Edit it, then `ringfence sinks check`.", nl=not dry_run
        )


@app.command()
def keys(
    sink: Annotated[str, typer.Argument(metavar="SINK", help="A sink of kind risc.")],
    state: OptionalState = None,
    file: FileOption = None,
    as_json: AsJson = False,
) -> None:
    """Print the public keys that a sink signs with, as a JSON Web Key Set for whoever receives its tokens."""
    from contextlib import closing

    from ringfence.enforcement.sinks.open import open_sink, read_entries
    from ringfence.enforcement.sinks.risc import Risc

    path = _path(state, file)
    entries = {entry.name: entry for entry in read_entries(path)}
    if sink not in entries:
        raise UnknownCaseError(f"{path} names no sink {sink!r}.{near_names(sink, entries)}")
    with closing(open_sink(path, entries[sink])) as opened:
        if not isinstance(opened, Risc):
            raise UsageError(
                f"{sink} is of kind {entries[sink].kind}; only kind risc signs with public keys."
            )
        typer.echo(json.dumps(opened.jwks(), indent=None if as_json else 2))


def _path(state: Path | None, file: Path | None) -> Path:
    if file is not None:
        return file
    if state is None:
        raise UsageError("Name the state folder by --state, or the sinks file by --file.")
    return StateFolder(state).sinks


def _halted(state: Path | None) -> dict[str, str]:
    """Return sink → why it was halted; nothing where there is no casebook yet."""
    if state is None or not StateFolder(state).casebook.is_file():
        return {}
    with open_casebook(state) as book:
        return {row["sink"]: row["reason"] for row in book.read("SELECT sink, reason FROM halts")}


def _write_new(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise OutputError(
            f"{path} is there already, and stays as it is. Print a new one by --dry-run."
        ) from error
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from error
