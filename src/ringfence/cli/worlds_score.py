"""What ``ringfence worlds score`` holds against what: runs and their worlds, one or several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringfence.cli.run import display
from ringfence.cli.say import warn
from ringfence.errors import InputError, UsageError

if TYPE_CHECKING:
    from ringfence.worlds.score.scorecard import Scorecard
    from ringfence.worlds.score.truth import Truth

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """A run and the world that it ran on."""

    out: Path
    truth: Path
    """The world, or the truth folder in it."""

    @property
    def world(self) -> Path:
        """The folder of the world."""
        return self.truth if (self.truth / "truth").is_dir() else self.truth.parent

    def manifest(self) -> dict[str, Any]:
        """Return what the world says of itself; nothing where it was not made by ``worlds make``."""
        try:
            said = json.loads((self.world / "world.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}


def pairs_of(out: Path, truth: Path, more: Sequence[str]) -> list[Pair]:
    """Return the pairs that a user names.

    Args:
        out: Of the first pair.
        truth: Of the first pair.
        more: Others, each ``OUT,TRUTH``.

    Raises:
        UsageError: one of these is no pair, or a world stands twice.
    """
    pairs = [Pair(out, truth)]
    for words in more:
        first, comma, second = words.rpartition(",")
        if not (comma and first and second):
            raise UsageError(f"--and takes two folders with a comma between them, and {words!r} is not that.")
        pairs.append(Pair(Path(first), Path(second)))
    if len({pair.world.resolve() for pair in pairs}) < len(pairs):
        raise UsageError("A world stands twice: pooled, it would count twice.")
    return pairs


def check_one_generator(manifests: Sequence[dict[str, Any]]) -> None:
    """Refuse worlds that different code made: their figures stand for different things.

    Digests of generators differ from scenario to scenario; those of the code do not.

    Raises:
        InputError: they were.
    """
    of_scenario: dict[Any, set[Any]] = {}
    for said in manifests:
        of_scenario.setdefault(said.get("scenario"), set()).add(said.get("generator_digest"))
    codes = {said.get("code_digest") for said in manifests}
    if len(codes) > 1 or any(len(digests) > 1 for digests in of_scenario.values()):
        raise InputError(
            "These worlds are of different generators, so their figures cannot be pooled. Make them anew."
        )


def world_facts(pair: Pair, said: dict[str, Any]) -> dict[str, Any]:
    """Return what to know of a world beside its figures."""
    kept = ("scenario", "scale", "seed", "generator_digest", "code_digest")
    return {"world": str(pair.world), **{name: said.get(name) for name in kept}}


def world_rows(facts: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the worlds as a table of text; its first row is the heading."""
    names = ("world", "scenario", "scale", "seed")
    rows = [
        (
            *("–" if fact[name] is None else str(fact[name]) for name in names),
            (fact["generator_digest"] or "–")[:_DIGITS],
        )
        for fact in facts
    ]
    return [(*names, "generator"), *rows]


def scorecards(pairs: Sequence[Pair], *, baselines: bool) -> list[Scorecard]:
    """Return a scorecard a detector, pooled over the worlds; ours first.

    A baseline that cannot answer in every world, such as one that learns from labels, is left out.
    """
    from ringfence.worlds.score.findings import read_findings
    from ringfence.worlds.score.scorecard import pool, score
    from ringfence.worlds.score.truth import read_truth

    cards: dict[str, list[Scorecard]] = {}
    for pair in pairs:
        known = read_truth(pair.truth)
        made = [score(read_findings(pair.out, known), known)]
        if baselines:
            made += _baselines(pair, known)
        for card in made:
            cards.setdefault(card.detector, []).append(card)
    for name, some in cards.items():
        if len(some) < len(pairs):
            warn(f"{name} answers in {len(some)} of {len(pairs)} worlds, and is left out.")
    return [pool(all_) if len(all_) > 1 else all_[0] for all_ in cards.values() if len(all_) == len(pairs)]


def _baselines(pair: Pair, known: Truth) -> list[Scorecard]:
    from ringfence.engine import connect
    from ringfence.worlds.baselines.panel import run_baselines
    from ringfence.worlds.score.scorecard import score

    folder = pair.world / "input"
    if not folder.is_dir():
        raise UsageError(
            f"Baselines need the world's tables, and {pair.truth} has no `input` in it or beside it."
        )
    with display().stage("Run the baselines") as tick:
        answers = run_baselines(folder, known.accounts, connect(None), tick=tick)
    return [score(answer, known) for answer in answers]
