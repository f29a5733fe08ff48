"""``ringfence worlds make``: write a simulated provider."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.run import ForceOption, JsonOption, display
from ringfence.cli.say import say_rows, warn

if TYPE_CHECKING:
    from ringfence.worlds.make import WorldRequest

ScenarioOption = Annotated[str, typer.Option(metavar="NAME", help="Which world; see `worlds list`.")]
ScaleOption = Annotated[
    float, typer.Option(help="1 is the published scale: 2,024,000 accounts, 40 million requests.")
]
WorldSeedOption = Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")]


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
    warning = seed_warning(scenario, seed)
    if warning:
        warn(warning)
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


def seed_warning(scenario: str, seed: int) -> str | None:
    """Return what is wrong with a seed: those of reporting worlds are kept apart from all others."""
    from ringfence.worlds.scenarios import GATE, REPORT, REPORTING_SEEDS

    kept = f"{REPORTING_SEEDS.start} to {REPORTING_SEEDS.stop - 1}"
    if scenario in REPORT and seed not in REPORTING_SEEDS:
        return f"{scenario} is for reporting, and seed {seed} is not: report on seeds {kept} alone."
    if scenario in ("tuning", *GATE) and seed in REPORTING_SEEDS:
        return f"Seeds {kept} are kept for reporting, and {scenario} is not: take another than {seed}."
    return None
