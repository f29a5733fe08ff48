"""What ``ringfence enforce`` tells: orders, what waits to be sent, and what a dry run found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ringfence.cli.say import printable, say_rows, warn
from ringfence.cli.state import open_casebook
from ringfence.state import StateFolder

if TYPE_CHECKING:
    from ringfence.enforcement.impact import Totals
    from ringfence.enforcement.policy.ask import PlannedRing
    from ringfence.pipeline.enforcement.enforce import DryRun
    from ringfence.pipeline.enforcement.steps import Step

SHADOW = "Shadow mode: recorded, and sent nowhere."


def outbox(state: Path, by: str, *, send: bool) -> dict[str, Any]:
    """Send what is due where that is wanted; return what was sent and what waits."""
    from ringfence.enforcement.sinks.open import read_entries

    sent = _delivered(state, by) if send else None
    with open_casebook(state) as book:
        waiting = book.read("SELECT count(*) AS waiting FROM exports WHERE status = 'waiting'")[0]["waiting"]
    sinks = len(read_entries(StateFolder(state).sinks))
    return {"waiting": waiting, "delivered": sent, "sinks": sinks}


def say_outbox(found: dict[str, Any]) -> None:
    """Tell what waits to be sent, and how it is sent."""
    if found["delivered"] is not None:
        told = [f"{count:,} {what}" for what, count in found["delivered"].items() if count]
        typer.echo(f"Outbox: {', '.join(told) or 'nothing was due'}.")
    if (found["delivered"] or {}).get("failed") or (found["delivered"] or {}).get("dead"):
        warn("Why, says `ringfence outbox status`.")
    if found["waiting"]:
        many = "1 waits" if found["waiting"] == 1 else f"{found['waiting']:,} wait"
        them = "it" if found["waiting"] == 1 else "them"
        typer.echo(f"{many} in the outbox; `ringfence outbox deliver` sends {them}.")
    say_sinks(found["sinks"])


def say_sinks(count: int) -> None:
    """Warn where no sink is named."""
    if not count:
        warn(
            "The sinks file names no sink, so nobody is told of an order, and a sink that is added later is "
            "not told of earlier ones. Begin with `ringfence sinks init`."
        )


def _delivered(state: Path, by: str) -> dict[str, int]:
    from ringfence.enforcement.outbox.deliver import deliver
    from ringfence.pipeline.enforcement.enforce import opened_sinks

    with open_casebook(state) as book, opened_sinks(StateFolder(state)) as sinks:
        counts: dict[str, int] = deliver(book, sinks, by=by).as_json()
        return counts


def say_step(what: str, step: Step, *, dry_run: bool) -> None:
    """Tell of a step in one line."""
    order = step.order
    many = "1 account" if step.accounts == 1 else f"{step.accounts:,} accounts"
    until = f" until {order.expires_at[:16]}Z" if order.expires_at else ""
    named = "." if dry_run else f", {order.order_id}."
    what = f"Would be {what.lower()}" if dry_run else what
    typer.echo(f"{what}: {order.action} on {many} of {order.ring_id}{until}{named}")
    if order.status == "awaiting approval" and not dry_run:
        typer.echo(f"Somebody else approves it: `ringfence enforce approve {order.order_id}`.")
    if order.shadow:
        warn(SHADOW)


def say_dry_run(found: DryRun) -> None:
    """Tell what a dry run found: per ring what is planned and who is left out, then the sums."""
    if found.brake is not None:
        warn(str(found.brake))
    if found.mode == "shadow":
        warn(SHADOW)
    if not found.rings:
        typer.echo("The policy asks for nothing: no ring meets it, or all that do are dealt with.")
        return
    for one in found.rings:
        _say_ring(one)
    say_rows(
        "What would be done", [_HEADING, *(_row(action, totals) for action, totals in found.impact.by_action)]
    )
    say_rows(
        "What else could be done", [_HEADING, *(_row(name, totals) for name, totals in found.impact.options)]
    )
    typer.echo(
        "\nInnocents: the expected number, and the range in nine cases of ten if each account is right or\n"
        "wrong by itself; where a ring is wrong as a whole, all are. Cards only: whoever paid with what\n"
        "members share. Capacity left: share of the requests by members that nothing would hinder."
    )
    if found.impact.unseen:
        warn(
            f"{found.impact.unseen:,} of the accounts are not in the run's output, or it is gone; "
            "they are in no sum."
        )
    if any(one.waits_for is None and one.plan.orders for one in found.rings):
        typer.echo("To order it, say why: the same with --reason instead of --dry-run.")


def _say_ring(found: PlannedRing) -> None:
    typer.secho(f"\n{found.case.ring_id}", bold=True, nl=False)
    probability = "not calibrated" if found.case.probability is None else f"{found.case.probability:.2f}"
    typer.echo(f"  {found.case.state}, {found.case.decision}, probability {probability}")
    for order in found.plan.orders:
        until = "" if order.expires_at is None else f", until {order.expires_at:%Y-%m-%d}"
        typer.echo(f"  {order.action} on {len(order.targets):,}: needs {order.needs}{until}")
    counts = Counter(left.why for left in found.plan.left_out)
    if counts:
        told = ", ".join(f"{count:,} {why}" for why, count in counts.most_common())
        typer.echo(f"  left out: {told}")
    if found.waits_for is not None:
        typer.echo(f"  waits: {printable(found.waits_for)}")


_HEADING = (
    "",
    "accounts",
    "not members",
    "innocents",
    "requests",
    "tokens",
    "payments",
    "paid USD",
    "capacity left",
)


def _row(name: str, totals: Totals | None) -> tuple[str, ...]:
    if totals is None:
        return (name, *["unknown"] * (len(_HEADING) - 1))
    innocents = totals.innocents
    return (
        name,
        f"{totals.accounts:,}",
        f"{totals.outside:,}",
        "unknown" if innocents is None else f"{innocents.mean:.1f} ({innocents.low} to {innocents.high})",
        *(_count(value) for value in (totals.requests, totals.tokens, totals.payments, totals.amount_usd)),
        "unknown" if totals.capacity_left is None else f"{totals.capacity_left:.0%}",
    )


def _count(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
