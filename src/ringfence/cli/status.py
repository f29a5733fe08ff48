"""``ringfence status`` and ``ringfence doctor``: how things stand, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.say import say_rows
from ringfence.cli.state import AsJson, OptionalState, StateOption, open_casebook
from ringfence.state import StateFolder

if TYPE_CHECKING:
    from ringfence.enforcement.health.standing import AuditLog, Health

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def status(
    state: StateOption,
    prometheus: Annotated[
        Path | None,
        typer.Option(metavar="FILE.prom", help="Write the figures for node_exporter's textfile collector."),
    ] = None,
    otlp: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Push the figures once to an OpenTelemetry receiver (OTLP/HTTP)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how enforcement stands: cases, orders, outbox, last run, brake, audit log, exhibits, holds."""
    from ringfence.enforcement.health.metrics import push_otlp, write_prometheus
    from ringfence.enforcement.health.standing import health
    from ringfence.enforcement.sinks.open import read_entries

    folder = StateFolder(state)
    with open_casebook(state, sign=False) as book:
        found = health(book, folder, [entry.name for entry in read_entries(folder.sinks)])
    if prometheus is not None:
        write_prometheus(found, prometheus)
    if otlp is not None:
        push_otlp(found, otlp)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _show(found)


def doctor(state: OptionalState = None, as_json: AsJson = False) -> None:
    """Look for what is wrong with the installation and a state folder, and say what to do. Changes nothing.

    Exit codes: 0 nothing fails (there may be warnings), 1 something does.
    """
    from ringfence.pipeline.enforcement.doctor import examine

    checks = examine(state)
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in checks], ensure_ascii=False))
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            typer.secho(f"{one.finding:<4}", fg=_COLOURS[one.finding], nl=False)
            typer.echo(f"  {one.name.ljust(width)}  {one.found}")
            if one.advice:
                typer.echo(f"      {' ' * width}  → {one.advice}")
    raise typer.Exit(1 if any(one.finding == "fail" for one in checks) else 0)


def _show(found: Health) -> None:
    cases = ", ".join(f"{count:,} {name}" for name, count in found.cases.items() if count) or "none"
    typer.echo(f"Rings: {cases}. Orders awaiting approval: {found.awaiting_approval:,}.")
    typer.echo(_run_said(found))
    if found.brake is not None:
        typer.secho(str(found.brake), fg="red")
    if found.outbox:
        rows = [
            (
                one.sink,
                f"{one.waiting:,}",
                _age(one.oldest_seconds),
                f"{one.dead:,}",
                "told us to stop" if one.halted is not None else "",
            )
            for one in found.outbox
        ]
        say_rows("Outbox", [("sink", "waiting", "oldest", "dead", ""), *rows])
        typer.echo()
    scoring, audit = found.scoring, found.audit
    until = "no window yet" if scoring.scored_until is None else f"until {scoring.scored_until}"
    typer.echo(f"Scheduled scoring: {until}; {scoring.unfinished:,} jobs unfinished.")
    typer.echo(f"Audit log: {audit.entries:,} entries; {_signed(audit)}.")
    exhibits = ", ".join(f"{count:,} {name}" for name, count in found.exhibits.items() if count) or "none"
    typer.echo(
        f"Exhibits ({'allowed' if found.exhibits_enabled else 'off'}): {exhibits}; "
        f"{found.unlock_requests:,} requests open. Holds standing: {found.holds['standing']:,}."
    )


def _signed(audit: AuditLog) -> str:
    if audit.problem is not None:
        return audit.problem
    if audit.checkpoint_age_seconds is None:
        return "none is signed"
    return f"{audit.unsigned:,} not signed yet, last signed {_age(audit.checkpoint_age_seconds)} ago"


def _run_said(found: Health) -> str:
    run = found.last_run
    if run is None:
        return "No run is recorded."
    drift = "" if run.drift is None else f" ({run.drift:.1f}× the usual)"
    refused = "" if run.rejected_share is None else f", {run.rejected_share:.2%} of its rows refused"
    return (
        f"Last run {_age(run.age_seconds)} ago: {run.flagged_share:.2%} of accounts flagged{drift}{refused}."
    )


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
