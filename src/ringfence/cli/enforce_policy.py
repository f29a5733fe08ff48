"""The policy file and the brake: subcommands of ``ringfence enforce``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.say import printable, say_rows
from ringfence.cli.state import AsJson, ByOption, OptionalState, StateOption, open_casebook
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.enforcement.policy.records import Policy, Tier


def brake(
    state: StateOption,
    by: ByOption,
    release: Annotated[bool, typer.Option("--release", help="Let automatic orders go again.")] = False,
    reason: Annotated[str | None, typer.Option(help="What was looked at, and what was found.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show whether the brake halts automatic orders, and release it."""
    from ringfence.enforcement.policy.brake import release as release_brake
    from ringfence.enforcement.policy.brake import tripped

    if (reason is not None) is not release:
        raise UsageError("--release and --reason go together.")
    with open_casebook(state) as book:
        if reason is None:
            with book.reading() as connection:
                on = tripped(connection)
        else:
            with book.writing(by) as writing:
                on = release_brake(writing, reason)
    if as_json:
        trip = None if on is None else on.as_json()
        typer.echo(json.dumps({"on": on is not None and not release, "released": release, "trip": trip}))
    elif release:
        typer.echo("The brake is released; the next run's automatic orders go.")
    else:
        typer.echo("The brake is off." if on is None else str(on))


def policy(
    state: OptionalState = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Say whether this file could be the policy.")
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Write the policy that ships into the state folder, to be changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the policy that holds, check a file, or write one to start from."""
    from ringfence.enforcement.policy.read import default_policy, read_policy
    from ringfence.state import StateFolder

    if check is not None and init:
        raise UsageError("--check reads a file, --init writes one; take one of them.")
    if check is not None:
        _say(read_policy(check, needed=True), str(check), as_json=as_json)
        return
    if state is None:
        raise UsageError("Name the state folder by --state, or a file by --check.")
    path = StateFolder(state).policy
    if init:
        _write(path, default_policy())
        typer.echo(json.dumps({"written": str(path)}) if as_json else f"Written: {path}. Change it there.")
        return
    _say(read_policy(path), str(path) if path.is_file() else "The policy that ships", as_json=as_json)


def _write(path: Path, text: str) -> None:
    from ringfence.cli.files import check_file, write_file

    if path.exists():
        raise UsageError(f"{path} is there already. Change it, or move it away first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    check_file(path, force=False)
    write_file(path, text)


def _say(found: Policy, name: str, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        typer.echo(json.dumps({"policy": name, **asdict(found)}, default=str, ensure_ascii=False))
        return
    typer.echo(f"{name}: {found.mode}.")
    say_rows(
        "Tiers: the first that fits a member decides",
        [_TIERS, *(_tier(*one) for one in enumerate(found.tiers, 1))],
    )
    if found.allow:
        rows = [
            tuple(map(printable, (one.kind, one.value, one.who, one.owner, str(one.expires))))
            for one in found.allow
        ]
        say_rows("Never enforced", [("by", "which", "who", "owner", "until"), *rows])
    typer.echo(
        f"\nThe brake: {found.brake.factor:g} times above or below the median of up to {found.brake.window} "
        f"runs, from {found.brake.least_runs} on."
    )


_TIERS = ("tier", "action", "needs", "ring", "account", "roles", "families", "size", "for")


def _tier(place: int, tier: Tier) -> tuple[str, ...]:
    days = "" if tier.expires is None else f"{tier.expires.total_seconds() / 86_400:g} days"
    return (
        str(place),
        tier.action,
        tier.needs,
        f">= {tier.least_probability:g}",
        f">= {tier.least_score:g}",
        ", ".join(tier.roles),
        f">= {tier.least_families}",
        f">= {tier.least_size}",
        days,
    )
