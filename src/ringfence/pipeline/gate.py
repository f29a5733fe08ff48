"""The gate: three small worlds, run and scored; what was reached once may not be lost again."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ringfence.config import Settings
from ringfence.engine import connect
from ringfence.errors import InputError
from ringfence.files import write_json
from ringfence.pipeline.run import NO_STORE, RunRequest, run
from ringfence.progress import Tick, silent
from ringfence.worlds.baselines.columns import own_columns
from ringfence.worlds.baselines.shared_identifiers import shared_identifiers
from ringfence.worlds.baselines.tables import open_tables
from ringfence.worlds.make import World, WorldRequest, generator_digest, make_world
from ringfence.worlds.scenarios import SCENARIOS
from ringfence.worlds.score.findings import read_findings
from ringfence.worlds.score.scorecard import Scorecard, score
from ringfence.worlds.score.truth import Truth, read_truth
from ringfence.worlds.separable import single_columns

FLOORS = Path(__file__).with_name("gate.json")
"""World → the floors and ceilings that are committed."""

HIGHER: Mapping[str, Callable[[Scorecard], float]] = {
    "rings_flagged": lambda card: card.rings.review.recall.value,
    "rings_accused": lambda card: card.rings.ring.recall.value,
    "b_cubed_f1": lambda card: card.rings.linked.f1,
    "account_average_precision": lambda card: card.accounts.ranking.average_precision.value,
}
"""What may not sink."""

LOWER: Mapping[str, Callable[[Scorecard], float]] = {
    "innocents_accused": lambda card: card.innocents.ring.value,
    "innocents_flagged": lambda card: card.innocents.review.value,
}
"""What may not rise."""

_COLUMN_CEILING = 0.15
_RECIPE_CEILING = 0.5
_SLACK: Mapping[str, float] = {
    "rings_flagged": 0.15,
    "rings_accused": 0.1,
    "b_cubed_f1": 0.08,
    "account_average_precision": 0.1,
    "innocents_accused": 0.0,
    "innocents_flagged": 0.01,
}
"""How far from a figure its bound is set: another platform rounds otherwise, and a ring more or less is much
in a small world. No innocent more may be accused."""


@dataclass(frozen=True, slots=True)
class GateWorld:
    """A fixed world, and what it must give."""

    scenario: str
    scale: float
    seed: int
    labels: bool
    generator_digest: str
    """Of the world that the floors were measured on; another world has no floors."""
    floors: Mapping[str, float]
    ceilings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure and its bound."""

    world: str
    figure: str
    value: float
    bound: float
    rising: bool
    """Whether the bound is a floor."""

    @property
    def holds(self) -> bool:
        """Whether the bound is kept; a figure that is not defined keeps none."""
        return self.value >= self.bound if self.rising else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate found."""

    readings: tuple[Reading, ...]
    changed: tuple[str, ...] = field(default=())
    """Worlds whose generator is not that of the floors."""

    @property
    def passes(self) -> bool:
        """Whether every bound is kept, on the worlds it was set on."""
        return not self.changed and all(reading.holds for reading in self.readings)

    def as_json(self) -> dict[str, Any]:
        """Return the gate as plain JSON values."""
        told = [{**asdict(r), "holds": r.holds} for r in self.readings]
        return {"passes": self.passes, "changed": list(self.changed), "readings": told}


def read_floors(path: Path = FLOORS) -> tuple[GateWorld, ...]:
    """Read the committed worlds and bounds.

    Raises:
        InputError: the file cannot be read as that.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return tuple(GateWorld(**world) for world in told)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} does not hold the gate's worlds: {error}") from error


def gate(worlds: Sequence[GateWorld], settings: Settings | None = None, tick: Tick = silent) -> Gate:
    """Make each world, run on it, score it, and hold its figures against the bounds.

    Each world is also asked whether it is still hard: no single column and no shared-identifier recipe may
    find its rings.

    Args:
        worlds: As :func:`read_floors` gives them.
        settings: Of the runs.
        tick: Told how much is done.
    """
    readings: list[Reading] = []
    changed = []
    for done, world in enumerate(worlds, 1):
        with tempfile.TemporaryDirectory(prefix=".gate-") as place:
            request = WorldRequest(world.scenario, world.scale, world.seed, labels=world.labels)
            made = make_world(Path(place) / "world", request)
            readings += _readings(world, made, settings or Settings())
        if generator_digest(SCENARIOS[world.scenario]) != world.generator_digest:
            changed.append(world.scenario)
        tick(done / len(worlds))
    return Gate(tuple(readings), tuple(changed))


def raised(worlds: Sequence[GateWorld], measured: Gate) -> tuple[GateWorld, ...]:
    """Return the worlds with bounds as tight as what was measured allows; none is ever loosened.

    A world whose generator has changed gets new bounds.
    """
    return tuple(_raised(world, measured) for world in worlds)


def write_floors(worlds: Sequence[GateWorld], path: Path = FLOORS) -> None:
    """Write worlds and bounds for :func:`read_floors`."""
    write_json(path, [asdict(world) for world in worlds])


def _readings(world: GateWorld, made: World, settings: Settings) -> list[Reading]:
    truth = read_truth(made.truth)
    out = made.folder.parent / "out"
    run(RunRequest(made.input, out, neo4j=NO_STORE, settings=settings))
    card = score(read_findings(out, truth), truth)
    readings = [
        Reading(world.scenario, name, figure(card), world.floors.get(name, 0.0), rising=True)
        for name, figure in HIGHER.items()
    ]
    readings += [
        Reading(world.scenario, name, figure(card), world.ceilings.get(name, 1.0), rising=False)
        for name, figure in LOWER.items()
    ]
    return readings + _hardness(world.scenario, made, truth)


def _hardness(name: str, made: World, truth: Truth) -> list[Reading]:
    engine = connect(None)
    recipe = score(shared_identifiers(open_tables(made.input, engine), engine), truth)
    columns = single_columns(own_columns(made.input, engine), truth.accounts)
    told = columns[columns["kind"] == "other"]["average_precision"].max()
    f1 = recipe.rings.ring.f1
    return [
        Reading(name, "shared_identifiers_f1", 0.0 if math.isnan(f1) else f1, _RECIPE_CEILING, rising=False),
        Reading(name, "single_column_precision", float(told), _COLUMN_CEILING, rising=False),
    ]


def _raised(world: GateWorld, measured: Gate) -> GateWorld:
    values = {r.figure: r.value for r in measured.readings if r.world == world.scenario}
    anew = world.scenario in measured.changed
    floors = {n: round(max(values[n] - _SLACK[n], 0.0), 3) for n in HIGHER}
    ceilings = {n: round(values[n] + _SLACK[n], 4) for n in LOWER}
    if not anew:
        floors = {n: max(v, world.floors.get(n, 0.0)) for n, v in floors.items()}
        ceilings = {n: min(v, world.ceilings.get(n, 1.0)) for n, v in ceilings.items()}
    digest = generator_digest(SCENARIOS[world.scenario])
    return GateWorld(world.scenario, world.scale, world.seed, world.labels, digest, floors, ceilings)
