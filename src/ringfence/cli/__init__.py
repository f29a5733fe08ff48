"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from ringfence.cli import (
    audit,
    demo,
    enforce,
    evidence,
    exhibits,
    hold,
    neo4j,
    outbox,
    query,
    rings,
    run,
    score,
    sinks,
    status,
    templates,
    why,
)
from ringfence.cli import worlds as worlds_commands
from ringfence.cli.say import printable
from ringfence.errors import RingfenceError

app = typer.Typer(
    name="ringfence",
    help="Find rings of accounts that one operator runs together to distil an AI model.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("doctor")(status.doctor)
app.command("run")(run.run)
app.command("score")(score.score)
app.command("status")(status.status)
app.command("why")(why.why)
app.add_typer(audit.app, name="audit")
app.add_typer(enforce.app, name="enforce")
app.add_typer(evidence.app, name="evidence")
app.add_typer(exhibits.app, name="exhibits")
app.add_typer(hold.app, name="hold")
app.add_typer(neo4j.app, name="neo4j")
app.add_typer(outbox.app, name="outbox")
app.add_typer(query.app, name="query")
app.add_typer(rings.app, name="rings")
app.add_typer(sinks.app, name="sinks")
app.add_typer(templates.app, name="templates")
app.add_typer(worlds_commands.app, name="worlds")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ringfence {version('ringfence')}")
        raise typer.Exit


@app.callback()
def _ringfence(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error of ours becomes its message and its exit code."""
    try:
        app()
    except RingfenceError as error:
        lines = map(printable, str(error).split("\n"))
        typer.secho("ringfence: " + "\n".join(lines), fg="red", err=True)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        typer.secho("ringfence: stopped; nothing half-written is left behind.", fg="red", err=True)
        raise SystemExit(130) from None
