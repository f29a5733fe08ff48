"""``ringfence demo``: a small world with planted rings, made, run and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.run import (
    ForceOption,
    JsonOption,
    Neo4jOption,
    SeedOption,
    display,
    exit_code,
    say_result,
    summary,
)
from ringfence.cli.say import say_rows
from ringfence.config import DEFAULT_SEED, Settings
from ringfence.errors import OutputError

if TYPE_CHECKING:
    from ringfence.records import Ring


DEMO_SCALE = 0.0025
"""About 5,000 accounts."""


def demo(
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the world, its truth and the run.")
    ] = Path("ringfence-demo"),
    neo4j: Neo4jOption = "local",
    seed: SeedOption = DEFAULT_SEED,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a small world with six planted rings, run on it, and compare what was found."""
    from ringfence.pipeline.run import RunRequest, run
    from ringfence.worlds.make import WorldRequest, make_world
    from ringfence.worlds.score.findings import read_findings
    from ringfence.worlds.score.rows import accused_rows, ring_rows
    from ringfence.worlds.score.scorecard import score
    from ringfence.worlds.score.truth import read_truth

    _check(folder, force=force)
    show = display()
    with show.stage("Make the demo world") as tick:
        # An earlier demo in this folder is ours to replace.
        world = make_world(folder / "world", WorldRequest("demo", DEMO_SCALE, seed), force=True, tick=tick)
    request = RunRequest(
        world.input,
        folder / "out",
        neo4j=neo4j,
        force=True,
        disposable=True,
        replace_store=force,
        settings=Settings(seed=seed),
    )
    result = run(request, show)
    truth = read_truth(world.truth)
    card = score(read_findings(request.out, truth), truth)
    if as_json:
        planted = [dict(zip(ring_rows(card)[0], row, strict=True)) for row in ring_rows(card)[1:]]
        typer.echo(json.dumps({**summary(result), "planted": planted}, ensure_ascii=False))
    else:
        say_result(result)
        say_rows("Planted rings and what was found", ring_rows(card))
        say_rows("Innocents named", accused_rows((*card.populations, card.innocents)))
        say_next(result.rings, request.out, stored=neo4j != "none" and result.store_error is None)
    raise typer.Exit(exit_code(result, max_rejected=0.0))


def _check(folder: Path, *, force: bool) -> None:
    """Refuse to write into a folder that an earlier demo did not make."""
    ours = (folder / "world" / "world.json").is_file()
    if folder.exists() and not force and not ours and (folder.is_file() or any(folder.iterdir())):
        raise OutputError(
            f"{folder} is in use by something else. Name another folder with --out, or --force."
        )


def say_next(rings: tuple[Ring, ...], out: Path, *, stored: bool) -> None:
    """Say which questions to ask the graph next, and how people decide on what was found."""
    _say_questions(rings, stored=stored)
    typer.secho("\nDecide what becomes of the rings", bold=True)
    typer.echo(f"  ringfence rings record {out} --state state")
    typer.echo("  ringfence rings list --state state")
    for ring in rings[:1]:
        typer.echo(f"  ringfence enforce --dry-run --ring {ring.ring_id} --state state")


def _say_questions(rings: tuple[Ring, ...], *, stored: bool) -> None:
    typer.secho("\nAsk the graph next", bold=True)
    if not stored:
        typer.echo("  It is not in Neo4j: run again without `--neo4j none`, then `ringfence query list`.")
        return
    if rings:
        one, two = rings[0].members[0].account_id, rings[0].members[-1].account_id
        typer.echo(f"  ringfence query run ring-evidence --param ring={rings[0].ring_id}")
        typer.echo(f"  ringfence query run why-linked --param account_a={one} --param account_b={two}")
    typer.echo(
        '  ringfence query --cypher "MATCH (a:Account)-[:PAID_WITH]->(i:PaymentInstrument) '
        'RETURN i.instrument_id, count(a) AS accounts ORDER BY accounts DESC LIMIT 10"'
    )
    typer.echo("  ringfence query list")
