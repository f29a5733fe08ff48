"""The gate: three small worlds, run and scored; what was reached once may not be lost again."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ringfence.config import Settings
from ringfence.errors import InputError, UsageError
from ringfence.files import write_json
from ringfence.pipeline.run import NO_STORE, RunRequest, run
from ringfence.pipeline.worlds.hardness import hardness
from ringfence.progress import Tick, silent
from ringfence.worlds.make import World, WorldRequest, generator_digest, make_world
from ringfence.worlds.scenarios import SCENARIOS
from ringfence.worlds.score.findings import read_findings
from ringfence.worlds.score.rings import SINGLE
from ringfence.worlds.score.scorecard import Scorecard, score
from ringfence.worlds.score.truth import Truth, read_truth

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
    "single_family_accused": lambda card: _accused_of_one_family(card),
}
"""What may not rise."""

_LIMITS: Mapping[str, float] = {"single_family_accused": 0.0}
"""Ceilings that hold whatever was measured: one family is never enough to accuse."""
_BY_RING = ("rings_flagged", "rings_accused")
_SLACK: Mapping[str, float] = {
    "b_cubed_f1": 0.08,
    "account_average_precision": 0.1,
    "innocents_accused": 0.0,
    "innocents_flagged": 0.01,
    "single_family_accused": 0.0,
}
"""How far from a figure its bound is set: another platform rounds otherwise. Of rings one fewer may be
found, and no innocent more may be accused."""


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
    planted: Mapping[str, int] = field(default_factory=dict)
    """World → its planted rings."""

    @property
    def passes(self) -> bool:
        """Whether every bound is kept, on the worlds it was set on."""
        return not self.changed and all(reading.holds for reading in self.readings)

    def as_json(self) -> dict[str, Any]:
        """Return the gate as plain JSON values."""
        told = [{**asdict(r), "holds": r.holds} for r in self.readings]
        return {"passes": self.passes, "changed": list(self.changed), "readings": told}


@dataclass(frozen=True, slots=True)
class Moved:
    """A committed bound that became another one."""

    world: str
    figure: str
    old: float | None
    """None where there was none."""
    new: float


def read_floors(path: Path = FLOORS) -> tuple[GateWorld, ...]:
    """Read the committed worlds and bounds.

    Raises:
        InputError: the file cannot be read as that.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, list):
            raise TypeError(f"a {type(told).__name__} in place of a list")
        return tuple(GateWorld(**world) for world in told)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} does not hold the gate's worlds: {error}") from error


def gate(worlds: Sequence[GateWorld], settings: Settings | None = None, tick: Tick = silent) -> Gate:
    """Make each world, run on it, score it, and hold its figures against the bounds.

    Each world is also asked whether it is still hard: no single column, no trees on all of them and no
    recipe over shared identifiers may find its rings.

    Args:
        worlds: As :func:`read_floors` gives them.
        settings: Of the runs.
        tick: Told how much is done.
    """
    readings: list[Reading] = []
    planted: dict[str, int] = {}
    for done, world in enumerate(worlds, 1):
        with tempfile.TemporaryDirectory(prefix=".gate-") as place:
            request = WorldRequest(world.scenario, world.scale, world.seed, labels=world.labels)
            made = make_world(Path(place) / "world", request)
            truth = read_truth(made.truth)
            readings += _readings(world, made, truth, settings or Settings())
            planted[world.scenario] = len(truth.rings)
        tick(done / len(worlds))
    return Gate(tuple(readings), changed_worlds(worlds), planted)


def changed_worlds(worlds: Sequence[GateWorld]) -> tuple[str, ...]:
    """Return the worlds whose generator is not that of their bounds."""
    return tuple(w.scenario for w in worlds if generator_digest(SCENARIOS[w.scenario]) != w.generator_digest)


def refuse_changed(changed: Sequence[str]) -> None:
    """Refuse to raise bounds of worlds that are no longer those they were measured on.

    Raises:
        UsageError: there is one.
    """
    if changed:
        raise UsageError(
            f"The generator has changed since the bounds of {', '.join(changed)} were measured. New bounds "
            "may be looser than the old ones: add --new-generator where that is meant."
        )


def raised(
    worlds: Sequence[GateWorld], measured: Gate, *, new_generator: bool = False
) -> tuple[GateWorld, ...]:
    """Return the worlds with bounds as tight as what was measured allows; none is ever loosened.

    Args:
        worlds: As they are committed.
        measured: On these worlds.
        new_generator: Give worlds whose generator has changed bounds of their own, looser ones, too.

    Raises:
        UsageError: a generator has changed, and ``new_generator`` is off.
    """
    if not new_generator:
        refuse_changed(measured.changed)
    return tuple(_raised(world, measured) for world in worlds)


def moved(old: Sequence[GateWorld], new: Sequence[GateWorld]) -> tuple[Moved, ...]:
    """Return the bounds that differ between the same worlds before and after."""
    return tuple(
        Moved(after.scenario, figure, was.get(figure), bound)
        for before, after in zip(old, new, strict=True)
        for was, now in ((before.floors, after.floors), (before.ceilings, after.ceilings))
        for figure, bound in now.items()
        if was.get(figure) != bound
    )


def held_against(worlds: Sequence[GateWorld], measured: Gate) -> Gate:
    """Return what was measured with the bounds of these worlds; bounds that no world sets stay."""
    bounds = {
        (world.scenario, figure): bound
        for world in worlds
        for figure, bound in (*world.floors.items(), *world.ceilings.items())
    }
    readings = tuple(replace(r, bound=bounds.get((r.world, r.figure), r.bound)) for r in measured.readings)
    return Gate(readings, changed_worlds(worlds), measured.planted)


def write_floors(worlds: Sequence[GateWorld], path: Path = FLOORS) -> None:
    """Write worlds and bounds for :func:`read_floors`."""
    write_json(path, [asdict(world) for world in worlds])


def _readings(world: GateWorld, made: World, truth: Truth, settings: Settings) -> list[Reading]:
    out = made.folder.parent / "out"
    run(RunRequest(made.input, out, neo4j=NO_STORE, settings=settings))
    card = score(read_findings(out, truth), truth)
    readings = [
        Reading(world.scenario, name, figure(card), world.floors.get(name, 0.0), rising=True)
        for name, figure in HIGHER.items()
    ]
    readings += [
        Reading(world.scenario, name, figure(card), _ceiling(world, name), rising=False)
        for name, figure in LOWER.items()
    ]
    return readings + [
        Reading(world.scenario, name, value, ceiling, rising=False)
        for name, value, ceiling in hardness(made.input, truth)
    ]


def _accused_of_one_family(card: Scorecard) -> float:
    """Return the share of rings that show in one evidence family which were accused; 0 where none does."""
    shares = [recall.ring for recall in card.rings.by_evidence if recall.name == SINGLE]
    return shares[0].value if shares and shares[0].of else 0.0


def _ceiling(world: GateWorld, figure: str) -> float:
    limit = _LIMITS.get(figure, 1.0)
    return min(limit, world.ceilings.get(figure, limit))


def _raised(world: GateWorld, measured: Gate) -> GateWorld:
    values = {r.figure: r.value for r in measured.readings if r.world == world.scenario}
    slack = {**_SLACK, **dict.fromkeys(_BY_RING, 1 / measured.planted[world.scenario])}
    old = replace(world, floors={}, ceilings={}) if world.scenario in measured.changed else world
    floors = {n: max(_below(values[n] - slack[n], 3), old.floors.get(n, 0.0)) for n in HIGHER}
    ceilings = {n: min(_above(values[n] + slack[n], 4), _ceiling(old, n)) for n in LOWER}
    digest = generator_digest(SCENARIOS[world.scenario])
    return GateWorld(world.scenario, world.scale, world.seed, world.labels, digest, floors, ceilings)


def _below(value: float, places: int) -> float:
    """Round down, but for what computers add to a figure."""
    scale = 10.0**places
    return math.floor(value * scale + 1e-6) / scale


def _above(value: float, places: int) -> float:
    """Round up, but for what computers add to a figure."""
    scale = 10.0**places
    return math.ceil(value * scale - 1e-6) / scale
