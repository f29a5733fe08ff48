"""``ringfence enforce``: from rings to orders, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli import enforce_orders, enforce_policy
from ringfence.cli.rings_complete import ring_ids
from ringfence.cli.say import printable
from ringfence.cli.state import AsJson, ByOption, OptionalState, Version
from ringfence.errors import UsageError
from ringfence.state import ENVIRONMENT

app = typer.Typer(
    help="Order what the policy says, or what a person does; approve, reverse, expire.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.command("order")(enforce_orders.order)
app.command("approve")(enforce_orders.approve)
app.command("withdraw")(enforce_orders.withdraw)
app.command("reverse")(enforce_orders.reverse)
app.command("orders")(enforce_orders.orders)
app.command("expire")(enforce_orders.expire)
app.command("brake")(enforce_policy.brake)
app.command("policy")(enforce_policy.policy)


@app.callback()
def enforce(
    context: typer.Context,
    by: ByOption,
    state: OptionalState = None,
    ring: Annotated[
        list[str] | None,
        typer.Option(
            "--ring",
            metavar="RING",
            help="This ring; may be given several times. Else all.",
            autocompletion=ring_ids,
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why; whoever it meets may ask. Needed unless it is a dry run.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and what else could be; do nothing.")
    ] = False,
    version: Version = None,
    deliver: enforce_orders.Deliver = False,
    as_json: AsJson = False,
) -> None:
    """Order what the policy says, or what a person does; approve, reverse, expire."""
    if context.invoked_subcommand is not None:
        if any(_was_typed(context, name) for name in context.params):
            raise UsageError(
                f"Options go after `enforce {context.invoked_subcommand}`; those right after `enforce` are "
                "for what the policy says."
            )
        return
    if state is None and not any(_was_typed(context, name) for name in context.params):
        typer.echo(context.get_help())
        return
    if state is None:
        raise UsageError(f"Name the state folder by --state, or by {ENVIRONMENT}.")
    if version is not None and len(ring or []) != 1:
        raise UsageError("--version is of one ring: name it by --ring.")
    if dry_run:
        _dry_run(state, ring or [], as_json=as_json)
        return
    if reason is None:
        raise UsageError("Say why by --reason, or look first with --dry-run.")
    _enforce(state, ring or [], by, reason, version, deliver=deliver, as_json=as_json)


def _was_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _dry_run(state: Path, rings: list[str], *, as_json: bool) -> None:
    from ringfence.cli.enforce_say import say_dry_run, say_sinks
    from ringfence.enforcement.sinks.open import read_entries
    from ringfence.pipeline.enforcement.enforce import dry_run
    from ringfence.state import StateFolder

    found = dry_run(StateFolder(state), rings)
    sinks = len(read_entries(StateFolder(state).sinks))
    if as_json:
        typer.echo(json.dumps({**found.as_json(), "sinks": sinks}, default=str, ensure_ascii=False))
        return
    say_dry_run(found)
    say_sinks(sinks)


def _enforce(
    state: Path, rings: list[str], by: str, reason: str, version: int | None, *, deliver: bool, as_json: bool
) -> None:
    from ringfence.cli.enforce_say import outbox, say_outbox, say_step
    from ringfence.errors import NotAllowedError
    from ringfence.pipeline.enforcement.enforce import enforce
    from ringfence.state import StateFolder

    done = enforce(StateFolder(state), rings, by, reason, version)
    if rings and not done.steps and done.held:
        raise NotAllowedError(
            " ".join(f"{one.case.ring_id}: {one.waits_for}" for one in done.held) + " Nothing was ordered."
        )
    sent = outbox(state, by, send=deliver)
    if as_json:
        typer.echo(json.dumps({**done.as_json(), "outbox": sent}, ensure_ascii=False))
        return
    for step in done.steps:
        say_step("Ordered", step, dry_run=False)
    for one in done.held:
        typer.echo(printable(f"{one.case.ring_id} waits: {one.waits_for}"))
    if not done.steps and not done.held:
        typer.echo("The policy asks for nothing: no ring meets it, or all that do are dealt with.")
    say_outbox(sent)
