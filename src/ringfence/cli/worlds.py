"""``ringfence worlds``: simulated providers with planted rings, and what a detector makes of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.demo import say_rows
from ringfence.cli.run import ForceOption, JsonOption, display
from ringfence.config import DEFAULT_SEED, Settings
from ringfence.errors import OutputError

if TYPE_CHECKING:
    from ringfence.worlds.make import WorldRequest
    from ringfence.worlds.score.timeline import Detection

app = typer.Typer(
    help="Make worlds with known rings, and score what was found in them.", no_args_is_help=True
)

WorldArgument = Annotated[Path, typer.Argument(metavar="WORLD", help="Folder that `worlds make` wrote.")]
ScenarioOption = Annotated[str, typer.Option(metavar="NAME", help="Which world; see `worlds list`.")]
ScaleOption = Annotated[
    float, typer.Option(help="1 is the published scale: 2,024,000 accounts, 40 million requests.")
]
WorldSeedOption = Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")]
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


@app.command()
def make(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; must be empty or new.")],
    scenario: ScenarioOption = "published",
    scale: ScaleOption = 0.01,
    seed: WorldSeedOption = 1,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of ring accounts, such as 0.01; the scenario's if not given.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(exists=True, help="File or folder of real prompts to fill the world with.")
    ] = None,
    labels: Annotated[bool, typer.Option(help="Whether reviewers have labelled some accounts.")] = True,
    attack: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What operators do against being found; repeatable."),
    ] = None,
    template_ids: Annotated[
        bool,
        typer.Option("--template-ids", help="Let the provider log which template a prompt was made from."),
    ] = False,
    swap_languages: Annotated[
        bool, typer.Option("--swap-languages", help="Each language in place of another, all else equal.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make days at once.")] = min(
        os.cpu_count() or 1, 4
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the world would hold.")] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a simulated month of a provider: canonical tables in OUT/input, the truth in OUT/truth."""
    from ringfence.worlds.make import WorldRequest, make_world

    request = WorldRequest(
        scenario,
        scale,
        seed,
        prevalence=prevalence,
        prompts=prompts,
        labels=labels,
        attacks=tuple(attack or ()),
        template_ids=template_ids,
        swap_languages=swap_languages,
    )
    if dry_run:
        _say_plan(request, as_json=as_json)
        return
    with display().stage("Make the world") as tick:
        world = make_world(out, request, force=force, workers=workers if scale > 0.02 else 1, tick=tick)
    if as_json:
        typer.echo(json.dumps({"world": str(out), "rows": world.rows}))
        return
    say_rows("Rows", [("table", "rows"), *((name, f"{count:,}") for name, count in world.rows.items())])
    typer.echo(f"\nNext:  ringfence run {world.input} --out {out}-run --neo4j none")
    typer.echo(f"       ringfence worlds score {out}-run {out}")


def _say_plan(request: WorldRequest, *, as_json: bool) -> None:
    from collections import Counter

    import numpy as np

    from ringfence.worlds.make import check, make_plan

    check(request)
    plan = make_plan(request)
    volume = plan.accounts.own_volume + plan.accounts.group_volume
    names = [plan.kinds[k].name for k in plan.accounts.kind.tolist()]
    counted = Counter(names)
    requests = np.bincount(plan.accounts.kind, weights=volume)
    expected = {plan.kinds[n].name: round(float(r)) for n, r in enumerate(requests)}
    if as_json:
        typer.echo(json.dumps({"accounts": counted, "requests": expected}))
        return
    rows = [(name, f"{counted[name]:,}", f"{expected[name]:,}") for name in counted]
    total = ("all", f"{plan.size:,}", f"{sum(expected.values()):,}")
    say_rows("Would be made", [("kind", "accounts", "requests planned"), *rows, total])


@app.command()
def score(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder of a run.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="The world, or the truth folder in it.")],
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
    from ringfence.worlds.score.findings import read_findings
    from ringfence.worlds.score.rows import as_rows, detection_rows, detector_rows
    from ringfence.worlds.score.scorecard import score as judge
    from ringfence.worlds.score.truth import read_truth

    if html is not None:
        _check_file(html, force=force)
    known = read_truth(truth)
    cards = [judge(read_findings(out, known), known)]
    if baselines:
        cards += _baselines(truth)
    detection = _read_detection(replayed) if replayed else None
    if html is not None:
        from ringfence.report.scorecard import render_scorecard

        html.write_text(render_scorecard(cards, detection), encoding="utf-8")
    if as_json:
        said = {card.detector: card.as_json() for card in cards}
        typer.echo(
            json.dumps({**said, "detection": detection.as_json() if detection else None}, ensure_ascii=False)
        )
        return
    titled = as_rows(cards[0]) | {"Detector": detector_rows(cards)}
    if detection:
        titled["How late rings were found"] = detection_rows(detection)
    for title, rows in titled.items():
        say_rows(title, rows)


def _baselines(world: Path) -> list[Any]:
    from ringfence.engine import connect
    from ringfence.errors import UsageError
    from ringfence.worlds.baselines.panel import run_baselines
    from ringfence.worlds.score.scorecard import score as judge
    from ringfence.worlds.score.truth import read_truth

    known = read_truth(world)
    folder = next((p / "input" for p in (world, world.parent) if (p / "input").is_dir()), None)
    if folder is None:
        raise UsageError(f"Baselines need the world's tables, and {world} has no `input` in it or beside it.")
    with display().stage("Run the baselines") as tick:
        answers = run_baselines(folder, known.accounts, connect(None), tick=tick)
    return [judge(answer, known) for answer in answers]


@app.command()
def separable(world: WorldArgument, as_json: JsonOption = False) -> None:
    """Check that no column of single accounts gives the rings away: the world's own examination."""
    from ringfence.engine import connect
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
    if as_json:
        typer.echo(json.dumps({"boosted_trees": trees, "columns": single.to_dict("records")}))
        return
    head = ("column", "kind", "average precision at 1 %", "ROC-AUC")
    rows = [
        (str(column), str(kind), f"{precision:.3f}", f"{roc:.3f}")
        for column, kind, precision, roc in single.head(20).itertuples(index=False)
    ]
    say_rows("A depth-3 tree on one column, the most telling first", [head, *rows])
    typer.echo(f"\nBoosted trees on all columns of single accounts: average precision {trees:.3f} at 1 %.")


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
    from ringfence.pipeline.replay import replay as run_again
    from ringfence.worlds.score.rows import detection_rows

    if out is not None:
        _check_file(out, force=force)
    with display().stage("Replay") as tick:
        told = run_again(world, every, Settings(seed=seed), scratch, tick)
    if out is not None:
        out.write_text(json.dumps(told.as_json(), indent=2) + "\n", encoding="utf-8")
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
    from ringfence.pipeline.fairness import fairness_swap

    with display().stage("Swap") as tick:
        told = fairness_swap(world, out, Settings(seed=seed), scratch, twin=twin, tick=tick)
    if as_json:
        typer.echo(json.dumps(told.as_json()))
    else:
        rows = [(s.attribute, f"{s.accounts:,}", f"{len(s.changed):,}") for s in told.swaps]
        say_rows("Decisions changed by a swap", [("swapped", "accounts", "changed"), *rows])
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
    from ringfence.pipeline.duel import DUEL_FILES, DuelRequest, write_duel
    from ringfence.pipeline.duel import duel as fight
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


@app.command()
def gate(
    raise_floors: Annotated[
        bool, typer.Option("--raise", help="Commit what was measured as the new bounds; none is loosened.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run on three fixed small worlds; exit with 1 when a figure falls below what was reached before."""
    from ringfence.pipeline.gate import gate as hold
    from ringfence.pipeline.gate import raised, read_floors, write_floors

    worlds = read_floors()
    with display().stage("Hold the gate") as tick:
        told = hold(worlds, tick=tick)
    if raise_floors:
        write_floors(raised(worlds, told))
    if as_json:
        typer.echo(json.dumps(told.as_json()))
    else:
        head = ("world", "figure", "value", "bound", "")
        rows = [
            (
                r.world,
                r.figure,
                f"{r.value:.3f}",
                f"{'≥' if r.rising else '≤'} {r.bound:g}",
                "" if r.holds else "CROSSED",
            )
            for r in told.readings
        ]
        say_rows("Figures and their bounds", [head, *rows])
        for name in told.changed:
            typer.secho(
                f"{name} is another world than its bounds were measured on: `gate --raise`.", fg="red"
            )
    raise typer.Exit(0 if told.passes or raise_floors else 1)


def _read_detection(path: Path) -> Detection:
    from ringfence.errors import InputError
    from ringfence.worlds.score.timeline import detection_of

    try:
        return detection_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, InputError) as error:
        raise InputError(f"{path} is not what `worlds replay --out` writes: {error}") from error


def _check_file(path: Path, *, force: bool) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path} is no place for a file.")
    if path.exists() and not force:
        raise OutputError(f"{path} is there already. Name another file, or replace it with --force.")
