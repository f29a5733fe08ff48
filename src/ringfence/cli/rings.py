"""``ringfence rings``: the casebook's rings, and what people decide about them."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ringfence.cli import rings_decide, rings_feedback
from ringfence.cli.rings_complete import RingArgument, states
from ringfence.cli.rings_say import say_account, say_cases, say_changes, say_dossier
from ringfence.cli.state import AsJson, StateOption, open_casebook
from ringfence.errors import UsageError, near_names

app = typer.Typer(
    help="The casebook: rings that were found, and what people decide about them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("record")(rings_decide.record)


@app.command("list")
def list_rings(
    state: StateOption,
    state_is: Annotated[
        list[str] | None,
        typer.Option(
            "--state-is",
            metavar="STATE",
            help="Only rings in this state, such as new or 'in review'; may be given several times.",
            autocompletion=states,
        ),
    ] = None,
    assignee: Annotated[str | None, typer.Option(help="Only rings given to this person.")] = None,
    merged: Annotated[
        bool, typer.Option("--merged", help="Also rings that have merged into others.")
    ] = False,
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only rings that this account is a member of.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the rings, those to look at first first."""
    from ringfence.enforcement.appeals.intake import appealed
    from ringfence.enforcement.casebook.cases import cases
    from ringfence.enforcement.casebook.history import changed_since_verdict, rings_of, seen_before
    from ringfence.enforcement.casebook.life import State

    known = [str(one) for one in State]
    for word in state_is or []:
        if word not in known:
            near = near_names(word, known)
            raise UsageError(f"There is no state {word!r}; take {', '.join(known)}.{near}")
    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = cases(connection, tuple(State(word) for word in state_is or []), merged=merged)
        changed, before, open_appeals = (
            changed_since_verdict(connection),
            seen_before(connection),
            appealed(connection),
        )
        theirs = None if account is None else rings_of(connection, account)
    found = [
        one
        for one in found
        if (assignee is None or one.assignee == assignee) and (theirs is None or one.ring_id in theirs)
    ]
    if not as_json:
        say_cases(found, changed, before, open_appeals)
        return
    rows = [
        {
            **one.as_json(),
            "changed_since_verdict": one.ring_id in changed,
            "seen_before": one.ring_id in before,
            "open_appeals": open_appeals.get(one.ring_id, 0),
        }
        for one in found
    ]
    typer.echo(json.dumps(rows))


@app.command()
def show(
    ring: RingArgument,
    state: StateOption,
    members: Annotated[bool, typer.Option("--members", help="Also list every member.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is known of a ring: evidence, verdicts, notes, orders, exports and where it comes from."""
    from ringfence.enforcement.dossier import dossier

    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = dossier(connection, ring)
    if as_json:
        typer.echo(json.dumps(found.as_json(members=members)))
    else:
        say_dossier(found, members=members)


@app.command()
def diff(
    ring: RingArgument,
    state: StateOption,
    since: Annotated[int, typer.Option(metavar="VERSION", min=1, help="The version to compare with.")],
    to: Annotated[
        int | None, typer.Option(metavar="VERSION", min=1, help="The later version; else the latest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of a ring between two versions."""
    from ringfence.enforcement.casebook.history import changes

    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = changes(connection, ring, since, to)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        say_changes(found)


app.command("assign")(rings_decide.assign)
app.command("verdict")(rings_decide.verdict)
app.command("note")(rings_decide.note)


@app.command()
def account(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account id.")],
    state: StateOption,
    as_json: AsJson = False,
) -> None:
    """Show every ring, order, verdict and appeal that names an account."""
    from ringfence.enforcement.dossier import account_dossier

    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = account_dossier(connection, account_id)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        say_account(found)


app.command("labels")(rings_feedback.labels)
app.command("appeals")(rings_feedback.appeals)
