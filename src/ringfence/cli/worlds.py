"""``ringfence worlds``: simulated providers with planted rings, and what a detector makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.files import check_file, write_file
from ringfence.cli.run import ForceOption, JsonOption, display
from ringfence.cli.say import say_rows, warn
from ringfence.cli.worlds_gate import gate
from ringfence.cli.worlds_make import ScaleOption, ScenarioOption, WorldSeedOption, make
from ringfence.cli.worlds_score import check_one_generator, pairs_of, scorecards, world_facts, world_rows
from ringfence.config import DEFAULT_SEED, Settings
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.worlds.score.timeline import Detection

app = typer.Typer(
    help="Make worlds with known rings, and score what was found in them.", no_args_is_help=True
)

WorldArgument = Annotated[Path, typer.Argument(metavar="WORLD", help="Folder that `worlds make` wrote.")]
ScratchOption = Annotated[
    Path | None, typer.Option(help="Folder for what is made on the way and removed again.")
]
ReportOption = Annotated[Path | None, typer.Option("--html", help="Write a page with plots to this file.")]


@app.command("list")
def list_scenarios(as_json: JsonOption = False) -> None:
    """List the scenarios, ring types, innocent populations and attacks."""
    from ringfence.worlds.attack import ATTACKS
    from ringfence.worlds.innocents import INNOCENTS
    from ringfence.worlds.rings import REPORTING, RINGS
    from ringfence.worlds.scenarios import SCENARIOS

    if as_json:
        listed: dict[str, Any] = {
            "scenarios": {s.name: s.purpose for s in SCENARIOS.values()},
            "ring_types": {k.name: list(k.families) for k in RINGS.values()},
            "populations": list(INNOCENTS),
            "attacks": {a.name: a.what for a in ATTACKS.values()},
        }
        typer.echo(json.dumps(listed, ensure_ascii=False))
        return
    say_rows("Scenarios", [("name", "what it is"), *((s.name, s.purpose) for s in SCENARIOS.values())])
    types = [
        (k.name, "reporting" if k.name in REPORTING else "tuning", ", ".join(k.families))
        for k in RINGS.values()
    ]
    say_rows("Ring types", [("name", "is for", "shows in"), *types])
    say_rows("Innocent populations", [("name",), *((name,) for name in INNOCENTS)])
    say_rows("Attacks", [("name", "what it is"), *((a.name, a.what) for a in ATTACKS.values())])


app.command()(make)


@app.command()
def score(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder of a run.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="The world, or the truth folder in it.")],
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--and", metavar="OUT,TRUTH", help="Another run and its world, pooled with the first; repeatable."
        ),
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Run the usual recipes on the same files, in the same table.")
    ] = False,
    replayed: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            exists=True,
            help="What `worlds replay --out` wrote, to tell how late rings are found.",
        ),
    ] = None,
    html: ReportOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Hold a run against the truth: rings, accounts, innocents by population, calibration, fairness."""
    from ringfence.worlds.score.rows import as_rows, detection_rows, detector_rows

    pairs = pairs_of(out, truth, more or ())
    if replayed and more:
        raise UsageError("--replay tells of one world. Leave out --and, or --replay.")
    if html is not None:
        check_file(html, force=force)
    manifests = [pair.manifest() for pair in pairs]
    check_one_generator(manifests)
    worlds = [world_facts(pair, said) for pair, said in zip(pairs, manifests, strict=True)]
    cards = scorecards(pairs, baselines=baselines)
    detection = _read_detection(replayed) if replayed else None
    if html is not None:
        from ringfence.report.scorecard import render_scorecard

        write_file(html, render_scorecard(cards, detection))
    if as_json:
        said = {card.detector: card.as_json() for card in cards}
        late = detection.as_json() if detection else None
        typer.echo(json.dumps({**said, "detection": late, "worlds": worlds}, ensure_ascii=False))
        return
    say_rows("Worlds", world_rows(worlds))
    titled = as_rows(cards[0]) | {"Detector": detector_rows(cards)}
    if detection:
        titled["How late rings were found"] = detection_rows(detection)
    for title, rows in titled.items():
        say_rows(title, rows)


@app.command()
def separable(world: WorldArgument, as_json: JsonOption = False) -> None:
    """Check that no column of single accounts gives the rings away; exit with 1 where one does."""
    from ringfence.engine import connect
    from ringfence.pipeline.worlds.hardness import COLUMN_CEILING, TREES_CEILING
    from ringfence.worlds.baselines.columns import own_columns
    from ringfence.worlds.score.truth import read_truth
    from ringfence.worlds.separable import boosted, single_columns

    known = read_truth(world).accounts
    with display().stage("Try every column") as tick:
        columns = own_columns(world / "input", connect(None))
        tick(0.4)
        single = single_columns(columns, known)
        tick(0.7)
        trees = boosted(columns, known)
    easy = single.loc[single["average_precision"] > COLUMN_CEILING, "column"].astype(str).tolist()
    crossed = [*easy, *(["boosted_trees"] if trees > TREES_CEILING else [])]
    if as_json:
        limits = {"single_column": COLUMN_CEILING, "boosted_trees": TREES_CEILING}
        told = {"passes": not crossed, "crossed": crossed, "limits": limits, "boosted_trees": trees}
        typer.echo(json.dumps({**told, "columns": single.to_dict("records")}))
        raise typer.Exit(1 if crossed else 0)
    head = ("column", "kind", "average precision at 1 %", "ROC-AUC")
    rows = [
        (str(column), str(kind), f"{precision:.3f}", f"{roc:.3f}")
        for column, kind, precision, roc in single.head(20).itertuples(index=False)
    ]
    say_rows("A depth-3 tree on one column, the most telling first", [head, *rows])
    typer.echo(f"\nBoosted trees on all columns of single accounts: average precision {trees:.3f} at 1 %.")
    typer.echo(f"Limits: {COLUMN_CEILING:g} for a single column, {TREES_CEILING:g} for boosted trees.")
    if crossed:
        warn(f"Crossed by {', '.join(crossed)}: this world is too easy to prove anything.")
    raise typer.Exit(1 if crossed else 0)


@app.command()
def replay(
    world: WorldArgument,
    every: Annotated[float, typer.Option(min=1, metavar="HOURS", help="Time between two runs.")] = 24.0,
    out: Annotated[Path | None, typer.Option(help="JSON file to write, for `worlds score --replay`.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the runs.")] = DEFAULT_SEED,
    scratch: ScratchOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run again and again on what was known at each time: how late is each ring found?"""
    from ringfence.pipeline.worlds.replay import replay as run_again
    from ringfence.worlds.score.rows import detection_rows

    if out is not None:
        check_file(out, force=force)
    with display().stage("Replay") as tick:
        told = run_again(world, every, Settings(seed=seed), scratch, tick)
    if out is not None:
        write_file(out, json.dumps(told.as_json(), indent=2) + "\n")
    if as_json:
        typer.echo(json.dumps(told.as_json()))
        return
    say_rows("How late rings were found", detection_rows(told.detection))


@app.command()
def swap(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder of a run on WORLD.")],
    world: WorldArgument,
    twin: Annotated[
        Path | None, typer.Option(exists=True, help="The same world made with --swap-languages.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the run.")] = DEFAULT_SEED,
    scratch: ScratchOption = None,
    as_json: JsonOption = False,
) -> None:
    """Swap countries, with --twin languages, and run again: no decision may change."""
    from ringfence.pipeline.worlds.fairness import fairness_swap

    with display().stage("Swap") as tick:
        told = fairness_swap(world, out, Settings(seed=seed), scratch, twin=twin, tick=tick)
    if as_json:
        typer.echo(json.dumps(told.as_json()))
    else:
        rows = [(s.attribute, f"{s.accounts:,}", f"{s.named:,}", f"{len(s.changed):,}") for s in told.swaps]
        head = ("swapped", "accounts", "named", "changed")
        say_rows("Decisions changed by a swap; named: accounts flagged before", [head, *rows])
        if twin is None:
            typer.echo("\nlanguages: not swapped (--twin takes the world made with --swap-languages)")
    if not any(swap.named for swap in told.swaps):
        warn("Nobody was flagged before, so that nothing changed says little.")
    raise typer.Exit(0 if told.fair else 1)


@app.command()
def duel(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for duel.json and duel.html.")],
    scenario: ScenarioOption = "demo",
    scale: ScaleOption = 0.0025,
    seed: WorldSeedOption = 1,
    attack: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An attack to allow; repeatable; all if not given."),
    ] = None,
    adaptive: Annotated[
        bool,
        typer.Option(
            "--adaptive", help="Try every attack left at each step, and take what hides most per dollar."
        ),
    ] = False,
    budget: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="The most that attacks may cost per distilled request."),
    ] = None,
    scratch: ScratchOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let operators escalate against the whole pipeline, and plot detection against what it costs them."""
    from ringfence.files import check_output
    from ringfence.pipeline.worlds.duel import DUEL_FILES, DuelRequest, write_duel
    from ringfence.pipeline.worlds.duel import duel as fight
    from ringfence.worlds.attack import ATTACKS

    check_output(out, force=force, ours=DUEL_FILES)
    request = DuelRequest(scenario, scale, seed, tuple(attack or ATTACKS), adaptive, budget)
    with display().stage("Duel") as tick:
        made = fight(request, scratch, tick)
    write_duel(made, out, force=force)
    if as_json:
        typer.echo(json.dumps(made.as_json()))
        return
    rows = [
        (
            ", ".join(s.attacks[-1:]) or "none",
            f"{s.cost_usd:.3f}",
            f"{s.found_review.hits} of {s.found_review.of}",
            f"{s.found_ring.hits} of {s.found_ring.of}",
            f"{s.average_precision:.3f}",
            f"{s.accused.hits}",
        )
        for s in made.steps
    ]
    head = (
        "attack added",
        "USD a request",
        "rings flagged",
        "rings accused",
        "account AP",
        "innocents accused",
    )
    say_rows("The duel", [head, *rows])
    typer.echo(f"\nThe plot is in {out / 'duel.html'}.")


app.command()(gate)


def _read_detection(path: Path) -> Detection:
    from ringfence.errors import InputError
    from ringfence.worlds.score.timeline import detection_of

    try:
        return detection_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, InputError) as error:
        raise InputError(f"{path} is not what `worlds replay --out` writes: {error}") from error
