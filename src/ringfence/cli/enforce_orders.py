"""Orders by hand, their approval, and the way back: subcommands of ``ringfence enforce``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.rings_complete import ring_ids
from ringfence.cli.say import printable, say_rows
from ringfence.cli.state import AsJson, ByOption, StateOption, Version, open_casebook
from ringfence.errors import UsageError, near_names

if TYPE_CHECKING:
    from ringfence.pipeline.enforcement.order import Person
    from ringfence.pipeline.enforcement.steps import Step, Steps

Deliver = Annotated[bool, typer.Option("--deliver", help="Send what is due at once.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, and change nothing.")]
Reason = Annotated[str, typer.Option(help="Why; whoever it meets may ask.")]
OrderArgument = Annotated[
    str, typer.Argument(metavar="ORDER", help="As `ringfence enforce orders` shows it.")
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ACCOUNT", help="This account; may be given several times. Else all."),
]


def order(
    ring: Annotated[str, typer.Argument(metavar="RING", help="A confirmed ring.", autocompletion=ring_ids)],
    state: StateOption,
    by: ByOption,
    reason: Reason,
    action: Annotated[str, typer.Option(help="monitor, rate-limit, step-up, suspend or ban.")],
    account: Accounts = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="Such as 12h, 90d or 4w; else as the policy says of the action."),
    ] = None,
    version: Version = None,
    dry_run: DryRun = False,
    deliver: Deliver = False,
    as_json: AsJson = False,
) -> None:
    """Order an action on accounts of a ring by hand. The policy says who else must agree."""
    from ringfence.enforcement.orders.records import ENFORCEABLE
    from ringfence.enforcement.policy.tables import read_span
    from ringfence.pipeline.enforcement.order import ByHand, place_by_hand
    from ringfence.records import Action

    if action not in tuple(ENFORCEABLE):
        near = near_names(action, map(str, ENFORCEABLE))
        raise UsageError(f"There is no action {action!r}; take {', '.join(ENFORCEABLE)}.{near}")
    span = None if expires is None else read_span(expires)
    if expires is not None and span is None:
        raise UsageError(f"--expires {expires!r} is no span of time; write 12h, 90d or 4w.")
    asked = ByHand(ring, Action(action), tuple(account or ()), reason, span, version)
    step = place_by_hand(_person(state, by, dry_run=dry_run), asked)
    _say_step("Ordered", step, state, by, dry_run=dry_run, deliver=deliver, as_json=as_json)


def approve(
    order: OrderArgument,
    state: StateOption,
    by: ByOption,
    deliver: Deliver = False,
    as_json: AsJson = False,
) -> None:
    """Approve an order that waits for a second person: it goes out."""
    from ringfence.pipeline.enforcement.order import approve as approve_order

    step = approve_order(_person(state, by), order)
    _say_step("Approved", step, state, by, deliver=deliver, as_json=as_json)


def withdraw(
    order: OrderArgument, state: StateOption, by: ByOption, reason: Reason, as_json: AsJson = False
) -> None:
    """Take back an order that waits for approval; nobody was told of it."""
    from ringfence.pipeline.enforcement.order import withdraw as withdraw_order

    step = withdraw_order(_person(state, by), order, reason)
    _say_step("Withdrawn", step, state, by, as_json=as_json)


def reverse(
    state: StateOption,
    by: ByOption,
    reason: Reason,
    order: Annotated[
        str | None, typer.Argument(metavar="ORDER", help="As `ringfence enforce orders` shows it.")
    ] = None,
    ring: Annotated[
        str | None, typer.Option("--ring", metavar="RING", help="All orders on this ring instead.")
    ] = None,
    account: Accounts = None,
    dry_run: DryRun = False,
    deliver: Deliver = False,
    as_json: AsJson = False,
) -> None:
    """Undo an order, or all of a ring, for all accounts or some; every sink that was told is told."""
    from ringfence.pipeline.enforcement.order import reverse_order, reverse_ring

    person = _person(state, by, dry_run=dry_run)
    if order is not None and ring is None:
        step = reverse_order(person, order, account or (), reason)
        _say_step("Reversed", step, state, by, dry_run=dry_run, deliver=deliver, as_json=as_json)
        _say_member(account or (), step.order.ring_id, as_json=as_json)
    elif ring is not None and order is None:
        steps = reverse_ring(person, ring, account or (), reason)
        _say_steps(steps, state, by, dry_run=dry_run, deliver=deliver, as_json=as_json)
        _say_member(account or (), ring, as_json=as_json)
    else:
        raise UsageError("Name one ORDER, or all orders of a ring by --ring RING.")


def orders(
    state: StateOption,
    ring: Annotated[
        str | None,
        typer.Option("--ring", metavar="RING", help="Of this ring alone.", autocompletion=ring_ids),
    ] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait for approval.")] = False,
    as_json: AsJson = False,
) -> None:
    """List orders and reversals, in the order of time."""
    from ringfence.pipeline.enforcement.steps import listed

    with open_casebook(state) as book, book.reading() as connection:
        found = listed(connection, ring, waiting=waiting)
    if as_json:
        typer.echo(json.dumps([step.as_json() for step in found], ensure_ascii=False))
        return
    if not found:
        typer.echo("No order waits for approval." if waiting else "Nothing was ordered yet.")
        return
    heading = ("order", "ring", "action", "accounts", "standing", "status", "by", "at", "until")
    say_rows("Orders", [heading, *(_row(step) for step in found)])


def expire(
    state: StateOption,
    by: ByOption,
    dry_run: DryRun = False,
    deliver: Deliver = False,
    as_json: AsJson = False,
) -> None:
    """Reverse every order whose time is over; run as often as you like."""
    from ringfence.pipeline.enforcement.order import expire_orders

    steps = expire_orders(_person(state, by, dry_run=dry_run))
    _say_steps(steps, state, by, dry_run=dry_run, deliver=deliver, as_json=as_json)


def _person(state: Path, by: str, *, dry_run: bool = False) -> Person:
    from ringfence.pipeline.enforcement.order import Person
    from ringfence.state import StateFolder

    return Person(StateFolder(state), by, dry_run)


def _row(step: Step) -> tuple[str, ...]:
    order = step.order
    what = f"{order.action}" if order.reverses is None else f"undo {order.action} of {order.reverses}"
    status = f"{order.status}, shadow" if order.shadow else str(order.status)
    by = order.ordered_by if order.approved_by is None else f"{order.ordered_by}, {order.approved_by}"
    until = "" if order.expires_at is None else order.expires_at[:10]
    standing = "" if order.reverses is not None else f"{step.standing:,}"
    return (
        order.order_id,
        order.ring_id,
        what,
        f"{step.accounts:,}",
        standing,
        status,
        printable(by),
        f"{order.ordered_at[:16]}Z",
        until,
    )


def _say_step(
    what: str,
    step: Step,
    state: Path,
    by: str,
    *,
    dry_run: bool = False,
    deliver: bool = False,
    as_json: bool,
) -> None:
    from ringfence.cli.enforce_say import outbox, say_outbox, say_step

    sent = outbox(state, by, send=deliver and not dry_run)
    if as_json:
        _say_json({"order": step.as_json(), "dry_run": dry_run, "outbox": sent})
        return
    say_step(what, step, dry_run=dry_run)
    say_outbox(sent)


def _say_member(accounts: Sequence[str], ring: str, *, as_json: bool) -> None:
    """Say what an order undone is not: the next verdict on the ring speaks of the account again."""
    if accounts and not as_json:
        typer.echo(
            f"Still a member of {ring}: a later verdict on it means the account, too. "
            "Clear whoever is innocent: "
            f"`ringfence rings verdict {ring} rejected --account ACCOUNT --reason …`."
        )


def _say_steps(steps: Steps, state: Path, by: str, *, dry_run: bool, deliver: bool, as_json: bool) -> None:
    from ringfence.cli.enforce_say import outbox, say_outbox, say_step

    sent = outbox(state, by, send=deliver and not dry_run)
    if as_json:
        _say_json({**steps.as_json(), "dry_run": dry_run, "outbox": sent})
        return
    told = (("Reversed", steps.reversals), ("Withdrawn", steps.withdrawn), ("Narrowed", steps.narrowed))
    for what, several in told:
        for step in several:
            say_step(what, step, dry_run=dry_run)
    if not any(several for _, several in told):
        typer.echo("Nothing to undo.")
    say_outbox(sent)


def _say_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
