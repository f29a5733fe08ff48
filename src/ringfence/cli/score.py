"""``ringfence score``: the last hours of the logs, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.run import (
    Device,
    EngineOption,
    SeedOption,
    SparkMasterOption,
    TableEngine,
    display,
    say_balance,
    say_store_error,
    too_many_rejected,
)
from ringfence.cli.say import say_rows, warn
from ringfence.cli.state import AsJson, StateOption, open_casebook
from ringfence.config import DEFAULT_SEED, Settings

if TYPE_CHECKING:
    from ringfence.enforcement.casebook.database import Casebook
    from ringfence.pipeline.scoring.plan import Planned, ScoreRequest
    from ringfence.pipeline.scoring.score import Scored
    from ringfence.state import StateFolder


def score(
    logs: Annotated[Path, typer.Argument(metavar="LOGS", help="Folder of Parquet, CSV or NDJSON tables.")],
    state: StateOption,
    window: Annotated[
        str, typer.Option(metavar="LENGTH", help="How far back to look: such as 90m, 24h or 7d.")
    ] = "24h",
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Where the window ends, ISO 8601; nothing later is looked at. Default: the last full hour.",
        ),
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps tables with other names.")] = None,
    neo4j: Annotated[
        str, typer.Option("--neo4j", metavar="none|local|ADDRESS", help="Where the graph goes, too.")
    ] = "none",
    seed: SeedOption = DEFAULT_SEED,
    device: Annotated[Device, typer.Option(help="Where the network is trained.")] = Device.AUTO,
    engine: EngineOption = TableEngine.DUCKDB,
    spark_master: SparkMasterOption = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Wait so long for another who scores the window.")
    ] = 0.0,
    deliver: Annotated[bool, typer.Option("--deliver", help="Send what is due, too.")] = False,
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows that may be refused before the exit code is 3.")
    ] = 0.01,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be scored; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score the last hours of the logs, record the result in the casebook, and do what the policy says.

    Safe to repeat: the same window, rows, settings and verdicts are scored once. A row that comes late opens
    its window again, and the new result supersedes the one before.

    Exit codes: 0 done, 1 error, 2 usage, 3 done but too many rows were refused, 4 done but the graph store
    failed.
    """
    from ringfence.pipeline.scoring.plan import plan_score
    from ringfence.pipeline.scoring.score import score as carry_out

    settings = Settings(seed=seed, device=device, engine=engine.value, spark_master=spark_master)
    request = _request(logs, state, window, as_of, mapping, neo4j, settings, wait)
    if dry_run:
        _say_planned(plan_score(request, display()), as_json=as_json)
        return
    done = carry_out(request, display())
    with open_casebook(request.state.root) as book:  # signs what was added
        sent = _deliver(request.state, book) if deliver else None
    if as_json:
        typer.echo(json.dumps(_summary(done, sent), ensure_ascii=False))
    else:
        _say(done, sent)
    if done.store_error is not None:
        raise typer.Exit(done.store_error.exit_code)
    raise typer.Exit(too_many_rejected(done.rejected_share, max_rejected))


def _request(
    logs: Path,
    state: Path,
    window: str,
    as_of: str | None,
    mapping: Path | None,
    neo4j: str,
    settings: Settings,
    wait: float,
) -> ScoreRequest:
    from datetime import UTC, datetime

    from ringfence.pipeline.run import check_store
    from ringfence.pipeline.scoring.plan import ScoreRequest
    from ringfence.pipeline.scoring.window import last_full_hour, read_moment, read_span
    from ringfence.state import StateFolder

    check_store(neo4j)
    span = read_span(window)
    until, zoned = (last_full_hour(datetime.now(UTC)), True) if as_of is None else read_moment(as_of)
    if not zoned:
        warn(f"--as-of names no zone; {until.isoformat()} is meant.")
    return ScoreRequest(logs, StateFolder(state.resolve()), span, until, mapping, neo4j, settings, wait)


def _deliver(state: StateFolder, book: Casebook) -> dict[str, Any]:
    from ringfence.enforcement.outbox.deliver import deliver
    from ringfence.pipeline.enforcement.enforce import opened_sinks
    from ringfence.pipeline.scoring.score import BY

    with opened_sinks(state) as sinks:
        return deliver(book, sinks, by=BY).as_json()


def _summary(done: Scored, sent: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "job": done.job.as_json(),
        "done_already": done.done_already,
        "out": str(done.out),
        "rows": done.manifest["rows"],
        "rows_outside": done.manifest["rows_outside"],
        "decisions": done.manifest["decisions"],
        "scoring": done.manifest["scoring"],
        "followed": None if done.followed is None else done.followed.as_json(),
        "delivered": sent,
        "store_error": None if done.store_error is None else str(done.store_error),
    }


def _say(done: Scored, sent: dict[str, Any] | None) -> None:
    job, manifest = done.job, done.manifest
    span = f"{_short(job.starts_at)} until {_short(job.ends_at)} UTC"
    if done.done_already:
        typer.echo(
            f"Done already: {span}, at {_short(job.followed_at or job.planned_at)}. Nothing was written."
        )
        if job.superseded_by is not None:
            typer.echo(f"A later result on the window holds: job {job.superseded_by}.")
    else:
        say_balance(manifest)
        typer.echo(f"Scored {span}; {manifest['rows_outside']:,} rows lie outside.")
        typer.echo(manifest["scoring"]["reason"])
    counts = manifest["decisions"]
    typer.echo(f"Decided: {counts['ring']} ring, {counts['review']} review, {counts['benign']} benign.")
    if done.followed is not None:
        _say_followed(done.followed.as_json())
    if sent is not None:
        typer.echo(f"Sent: {sent['delivered']} delivered, {sent['failed']} failed, {sent['dead']} stuck.")
    typer.echo(f"Read {done.out / 'report.html'}")
    if done.store_error is not None:
        say_store_error(done.store_error, done.out)


def _say_followed(then: dict[str, Any]) -> None:
    shadow = " in shadow mode" if then["shadow"] else ""
    typer.echo(
        f"Casebook: {then['born']} new, {then['changed']} changed, {then['merged']} merged, "
        f"{then['split']} split off; {len(then['orders'])} orders{shadow}, {len(then['expired'])} ran out."
    )
    if then["stuck"]:
        warn(f"{len(then['stuck']):,} orders have run out and could not be undone. {then['stuck'][0]}")
    if then["brake"] is not None:
        warn("The brake holds automatic orders back. See `ringfence enforce brake`.")
    elif then["halted"] is not None:
        warn(f"Nothing was ordered. {then['halted']}")


def _say_planned(planned: Planned, *, as_json: bool) -> None:
    if as_json:
        said = {
            "window": planned.window.as_json(),
            "job_id": planned.key.job_id,
            "input_digest": planned.key.input_digest,
            "model_digest": planned.key.model_digest,
            "rows": planned.rows,
            "labels": len(planned.labels),
            "out": str(planned.out),
            "state": None if planned.job is None else planned.job.state,
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    rows = [(name, f"{count:,}") for name, count in planned.rows.items()]
    say_rows("Rows of the window", [("table", "rows"), *rows])
    typer.echo(f"\n{len(planned.labels):,} labels from verdicts.")
    typer.echo("Done already." if planned.done else f"Would go to {planned.out}")


def _short(stamp: str) -> str:
    return stamp[:16].replace("T", " ")
