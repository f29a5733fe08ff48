"""The commands of ``ringfence rings`` by which runs come in and people decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.rings_complete import RingArgument, verdicts
from ringfence.cli.rings_say import say_line
from ringfence.cli.rings_step import place, sinks_of, step
from ringfence.cli.say import printable, warn
from ringfence.cli.state import AsJson, ByOption, StateOption, Version, open_casebook
from ringfence.errors import UsageError, near_names

if TYPE_CHECKING:
    from ringfence.enforcement.casework import Decided

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would come of it; nothing is kept or sent.")
]


def record(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a finished run.")],
    state: StateOption,
    by: ByOption,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a finished run into the casebook; what people decided stays as it is."""
    from dataclasses import asdict

    from ringfence.enforcement.casebook.reading import read_run
    from ringfence.enforcement.casebook.record import record_run
    from ringfence.enforcement.supersede import announce

    run = read_run(out)
    with (
        sinks_of(state) as sinks,
        place(state, dry_run=dry_run) as folder,
        open_casebook(folder, make=True, sign=not dry_run) as book,
        step(book, by, dry_run=dry_run) as writing,
    ):
        done = record_run(writing, run)
        told = announce(writing, done, sinks)
    said = {**asdict(done), "announced": list(told.rings), "missed_sinks": list(told.missed)}
    _say_recorded(said, dry_run=dry_run, as_json=as_json)


def _say_recorded(said: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**said, "dry_run": dry_run}))
        return
    if said["known"]:
        typer.echo("This run has been recorded before; nothing was added.")
        return
    would = "would be " if dry_run else ""
    counts = (
        f"{len(said['born']):,} new, {len(said['changed']):,} changed, {len(said['unchanged']):,} as before"
    )
    typer.echo(f"Rings {would}recorded: {counts}.")
    for old, new in said["merged"]:
        say_line(f"  {old} has merged into {new}.")
    for new, old in said["split"]:
        say_line(f"  {new} has split from {old}.")
    if said["born"] and not dry_run:
        typer.echo("See them: `ringfence rings list`.")
    if said["missed_sinks"]:
        warn(
            f"The sinks file no longer has {printable(', '.join(said['missed_sinks']))}, which heard of them."
        )


def assign(
    ring: RingArgument,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Who is to look at it.")],
    state: StateOption,
    by: ByOption,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Give a ring to a person; it is in review from then on, unless it is enforced."""
    from ringfence.enforcement.casebook import decide

    with open_casebook(state) as book, book.writing(by) as writing:
        found = decide.assign(writing, ring, person, version)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        say_line(f"{ring} is with {found.assignee}, {found.state}, at version {found.version}.")


def verdict(
    ring: RingArgument,
    verdict: Annotated[
        str,
        typer.Argument(metavar="VERDICT", help="confirmed, rejected or watch.", autocompletion=verdicts),
    ],
    state: StateOption,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="Why: whoever is banned for it may ask.")],
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Decide on this account alone; the ring stays.")
    ] = None,
    version: Version = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Decide on a ring, or on one of its accounts; what is rejected has its orders undone at once."""
    from ringfence.enforcement.casework import decide

    given = _verdict(verdict)
    with (
        sinks_of(state) as sinks,
        open_casebook(state, sign=not dry_run) as book,
        step(book, by, dry_run=dry_run) as writing,
    ):
        done = decide(writing, ring, given, reason, sinks, account_id=account, version=version)
    _say_decided(done, account, dry_run=dry_run, as_json=as_json)


def _verdict(word: str) -> Any:
    from ringfence.enforcement.casebook.life import Verdict

    known = [str(one) for one in Verdict]
    if word not in known:
        near = near_names(word, known)
        raise UsageError(f"There is no verdict {word!r}; take {', '.join(known)}.{near}")
    return Verdict(word)


def _say_decided(done: Decided, account: str | None, *, dry_run: bool, as_json: bool) -> None:
    changed = {"reversals": done.reversed, "withdrawn": done.withdrawn, "narrowed": done.narrowed}
    if as_json:
        ids = {what: [one.order_id for one in orders] for what, orders in changed.items()}
        typer.echo(json.dumps({**done.case.as_json(), **ids, "dry_run": dry_run}))
        return
    would = "would be" if dry_run else "is"
    about = "" if account is None else f"{account} {would} decided on. "
    say_line(f"{about}{done.case.ring_id} {would} {done.case.state}, at version {done.case.version}.")
    for what, orders in changed.items():
        if orders:
            say_line(f"  {what}: {', '.join(one.order_id for one in orders)}")
    if done.reversed and not dry_run:
        say_line("`ringfence outbox deliver` sends the reversals.")
    elif done.case.state == "confirmed" and not dry_run:
        say_line(f"What the policy asks for: `ringfence enforce --dry-run --ring {done.case.ring_id}`.")


def note(
    ring: RingArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be written down.")],
    state: StateOption,
    by: ByOption,
    as_json: AsJson = False,
) -> None:
    """Write something down about a ring."""
    from ringfence.enforcement.casebook.decide import add_note

    with open_casebook(state) as book, book.writing(by) as writing:
        add_note(writing, ring, text)
    if as_json:
        typer.echo(json.dumps({"ring_id": ring, "text": text.strip(), "by": by}))
    else:
        say_line(f"Noted with {ring}.")
