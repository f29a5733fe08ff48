"""``ringfence hold``: accounts that must not be erased."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.say import printable, say_rows, warn
from ringfence.cli.state import AsJson, ByOption, StateOption, open_casebook
from ringfence.errors import UsageError, near_names
from ringfence.state import StateFolder

if TYPE_CHECKING:
    from datetime import datetime

    from ringfence.enforcement.casebook.database import Casebook
    from ringfence.enforcement.holds import Hold

app = typer.Typer(
    help="Hold accounts against erasure: with an owner, a reason and an end.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def place(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account id.")],
    state: StateOption,
    by: ByOption,
    owner: Annotated[str, typer.Option(help="Who answers for the hold: a person or a department.")],
    reason: Annotated[str, typer.Option(help="Why, such as a case number.")],
    expires: Annotated[
        str, typer.Option(metavar="WHEN", help="When it ends: a date (to its end, UTC) or an ISO 8601 time.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be held.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hold an account: erasure is refused, and its exhibits are kept."""
    from ringfence.enforcement.holds import digest_key, place_hold

    end = moment(expires)
    with open_casebook(state) as book:
        _warn_if_unknown(book, account)
        if dry_run:
            said = {"account_id": account, "owner": owner, "reason": reason, "expires_at": end.isoformat()}
            typer.echo(
                json.dumps(said)
                if as_json
                else f"{printable(account)} would be held until {end.isoformat()}."
            )
            return
        key = digest_key(StateFolder(state))
        with book.writing(by) as writing:
            placed = place_hold(writing, key, account, owner, reason, end)
        _say(placed, book.now, as_json=as_json)


@app.command()
def lift(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `ringfence hold list` shows it.")],
    state: StateOption,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="Why it may end.")],
    as_json: AsJson = False,
) -> None:
    """End a hold before its time."""
    from ringfence.enforcement.holds import digest_key, lift_hold

    with open_casebook(state) as book:
        key = digest_key(StateFolder(state))
        with book.writing(by) as writing:
            lifted = lift_hold(writing, key, number, reason)
        _say(lifted, book.now, as_json=as_json)


@app.command("list")
def list_holds(
    state: StateOption,
    everything: Annotated[bool, typer.Option("--all", help="Also holds that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the holds that stand."""
    from ringfence.enforcement.holds import HoldState, holds

    with open_casebook(state, sign=False) as book, book.reading() as connection:
        now = book.now
        found = [h for h in holds(connection) if everything or h.state(now) is HoldState.STANDING]
    if as_json:
        typer.echo(json.dumps([one.as_json(now) for one in found], ensure_ascii=False))
        return
    if not found:
        typer.echo("No account is held.")
        return
    rows = [
        (
            str(h.number),
            printable(h.account_id),
            h.state(now),
            h.expires_at,
            *map(printable, (h.owner, h.reason)),
        )
        for h in found
    ]
    say_rows("Holds", [("hold", "account", "state", "until", "owner", "reason"), *rows])


def moment(text: str) -> datetime:
    """Return the time that a person means; a date ends when the day does, in UTC.

    Raises:
        UsageError: it is neither a date nor a time.
    """
    from datetime import UTC, date, datetime, timedelta

    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), datetime.min.time(), UTC)
        when = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no date or time; write 2027-01-31 or 2027-01-31T12:00:00Z.") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _warn_if_unknown(book: Casebook, account: str) -> None:
    """A hold on a misspelt account protects nobody."""
    if book.read("SELECT 1 FROM members WHERE account_id = ? LIMIT 1", (account,)):
        return
    known = [row["account_id"] for row in book.read("SELECT DISTINCT account_id FROM members LIMIT 100000")]
    warn(f"No ring of the casebook has {account!r}.{near_names(account, known)}")


def _say(hold: Hold, now: datetime, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(hold.as_json(now), ensure_ascii=False))
        return
    typer.echo(
        f"Hold {hold.number} on {printable(hold.account_id)} is {hold.state(now)}, until {hold.expires_at}."
    )
