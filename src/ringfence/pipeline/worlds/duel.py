"""A duel: an operator adds attack to attack, pays for each, and the whole pipeline looks again each time."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ringfence.config import Settings
from ringfence.errors import UsageError
from ringfence.files import digest_json, published, write_json
from ringfence.pipeline.run import NO_STORE, RunRequest, run
from ringfence.pipeline.worlds.escalate import (
    Step,
    cost_per_request,
    duel_frame,
    escalate_greedily,
    escalate_in_order,
)
from ringfence.progress import Tick, silent
from ringfence.report.duel import render_duel
from ringfence.worlds.attack import ATTACKS
from ringfence.worlds.make import WorldRequest, check, make_world
from ringfence.worlds.score.findings import read_findings
from ringfence.worlds.score.intervals import Share
from ringfence.worlds.score.scorecard import Scorecard, score
from ringfence.worlds.score.truth import Truth, read_truth

DUEL_FILES = ("duel.json", "duel.html")


@dataclass(frozen=True, slots=True)
class DuelRequest:
    """What a user asks for."""

    scenario: str = "demo"
    scale: float = 0.0025
    seed: int = 1
    attacks: tuple[str, ...] = tuple(ATTACKS)
    """What the operator may do; where it is not adaptive, in this order."""
    adaptive: bool = False
    """Whether it tries every attack left before it takes the one that hides most per dollar."""
    budget_usd: float | None = None
    """The most that attacks may cost per distilled request; None: whatever they cost."""
    labels: bool = True
    """Whether reviewers have labelled some accounts; without them nothing is called a ring."""
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Duel:
    """What came of a duel."""

    request: DuelRequest
    steps: tuple[Step, ...]
    """What the operator did: without any attack first, then one more a step."""
    tried: tuple[Step, ...]
    """What it tried and did not take."""

    def as_json(self) -> dict[str, Any]:
        """Return the duel as plain JSON values."""
        return {
            "request": {**asdict(self.request), "settings": digest_json(asdict(self.request.settings))},
            "steps": [step.as_json() for step in self.steps],
            "tried": [step.as_json() for step in self.tried],
        }


def duel(request: DuelRequest, scratch: Path | None = None, tick: Tick = silent) -> Duel:
    """Let an operator escalate against the pipeline.

    Each step is the same world (scenario, scale, seed) with one more attack, made anew and run on from
    nothing, labels included. Costs are those of the attacks alone: see :func:`cost_per_request`.

    Args:
        request: Which world, which attacks, and how they are chosen.
        scratch: Where worlds are made, one at a time; the platform's place for what is temporary where None.
            Nothing is left there.
        tick: Told how much is done; an adaptive operator who stops early is done before the end.

    Raises:
        UsageError: there is no such scenario or attack, or an attack stands twice.
    """
    if len(set(request.attacks)) < len(request.attacks):
        raise UsageError(f"An attack stands twice in {', '.join(request.attacks)}.")
    check(_world(request, request.attacks))
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    count, done = len(request.attacks), 0
    looks = 1 + (count * (count + 1) // 2 if request.adaptive else count)
    with tempfile.TemporaryDirectory(prefix=".duel-", dir=scratch) as place:

        def measure(attacks: tuple[str, ...]) -> Step:
            nonlocal done
            step = _measure(request, attacks, Path(place) / "world")
            done += 1
            tick(done / looks)
            return step

        escalate = escalate_greedily if request.adaptive else escalate_in_order
        steps, tried = escalate(measure, request.attacks, request.budget_usd)
    tick(1.0)
    return Duel(request, steps, tried)


def write_duel(made: Duel, out: Path, *, force: bool = False) -> None:
    """Write ``duel.json`` and ``duel.html`` into a folder, both or neither.

    Raises:
        OutputError: the folder is not empty, or cannot be written.
    """
    request = made.request
    with published(out, force=force, ours=DUEL_FILES) as building:
        world = f"{request.scenario}, scale {request.scale:g}, seed {request.seed}"
        page = render_duel(
            duel_frame(made.steps), world, adaptive=request.adaptive, budget=request.budget_usd
        )
        (building / "duel.html").write_text(page, encoding="utf-8")
        write_json(building / "duel.json", made.as_json())


def step_of(attacks: tuple[str, ...], card: Scorecard, truth: Truth) -> Step:
    """Return what a scorecard says of an operator who takes these attacks.

    Args:
        attacks: Names.
        card: Of a run on the world after them.
        truth: Of that world.
    """
    spared = card.bystanders.spared_ring
    accounts, distilled = int(truth.rings["accounts"].sum()), int(truth.rings["requests"].sum())
    return Step(
        attacks=attacks,
        cost_usd=cost_per_request(attacks, accounts, distilled),
        latest_usd=sum(ATTACKS[name].cost_per_account_usd for name in attacks[-1:]) * accounts,
        distilled=distilled,
        found_review=card.rings.review.recall,
        found_ring=card.rings.ring.recall,
        average_precision=card.accounts.ranking.average_precision.value,
        flagged=card.innocents.review,
        accused=card.innocents.ring,
        framed=Share(spared.of - spared.hits, spared.of),
    )


def _measure(request: DuelRequest, attacks: tuple[str, ...], folder: Path) -> Step:
    world = make_world(folder / "made", _world(request, attacks))
    run(RunRequest(world.input, folder / "out", neo4j=NO_STORE, settings=request.settings))
    truth = read_truth(world.folder)
    step = step_of(attacks, score(read_findings(folder / "out", truth), truth), truth)
    shutil.rmtree(folder)
    return step


def _world(request: DuelRequest, attacks: tuple[str, ...]) -> WorldRequest:
    return WorldRequest(request.scenario, request.scale, request.seed, labels=request.labels, attacks=attacks)
