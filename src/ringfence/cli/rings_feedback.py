"""What flows back from decisions: ``ringfence rings labels`` and ``ringfence rings appeals``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.rings_say import say_line, say_table
from ringfence.cli.rings_step import sinks_of
from ringfence.cli.say import printable, warn
from ringfence.cli.state import AsJson, ByOption, StateOption, open_casebook
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.pipeline.enforcement.appeals import TakenIn


def labels(
    state: StateOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="File to write: .csv, .ndjson or .parquet.")
    ],
    before: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only what was decided before (ISO 8601, else UTC).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what people decided as labels, in the canonical columns, for the next run to learn from."""
    from ringfence.enforcement.labels import labels as read_labels
    from ringfence.enforcement.labels import write_labels

    until = _moment(before)
    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = read_labels(connection, until)
    write_labels(out, found)
    rings = sum(one.is_ring for one in found)
    if as_json:
        typer.echo(json.dumps({"file": str(out), "ring": rings, "benign": len(found) - rings}))
    else:
        typer.echo(f"Wrote {out}: {rings:,} ring and {len(found) - rings:,} benign.")


def _moment(text: str | None) -> Any:
    from datetime import UTC, datetime

    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no time. Write it like 2026-03-01T12:00:00Z.") from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def appeals(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV or NDJSON: appeal_id, account_id, ts, text and, if decided, outcome."
        ),
    ],
    state: StateOption,
    by: ByOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read the file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in appeals, each once, and score the rings again that they are about.

    The outcome is upheld or denied; where it is missing, the appeal is open. The exit code is 1 where a row
    was refused.
    """
    from ringfence.cli.run import display
    from ringfence.pipeline.enforcement.appeals import look, take_in

    if dry_run:
        done = look(file)
    else:
        with (
            sinks_of(state) as sinks,
            open_casebook(state) as book,
            display().stage("Score rings again") as tick,
        ):
            done = take_in(book, file, by, sinks, tick)
    _say_taken_in(done, file, dry_run=dry_run, as_json=as_json)
    if done.refused:
        raise typer.Exit(1)


def _say_taken_in(done: TakenIn, file: Path, *, dry_run: bool, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        typer.echo(json.dumps({**asdict(done), "dry_run": dry_run}))
        return
    new = sum(not one.known for one in done.heard)
    verb = "can be read" if dry_run else "taken in"
    say_line(
        f"{file}: {new:,} {verb}, {len(done.heard) - new:,} known before, {len(done.refused):,} refused."
    )
    for one in done.refused:
        warn(printable(f"  line {one.line} {one.reason}"))
    say_table(
        "Orders undone or narrowed",
        ("appeal", "orders"),
        (
            (one.appeal_id, ", ".join((*one.reversed, *one.withdrawn)))
            for one in done.heard
            if one.reversed or one.withdrawn
        ),
    )
    say_table(
        "Rings scored again",
        ("ring", "probability before", "now", "decision", "what was found"),
        ((one.ring_id, one.before, one.probability, one.decision, one.told) for one in done.rescored),
    )
