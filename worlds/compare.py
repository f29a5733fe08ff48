"""How the rings that a run found compare with those that were planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

_RANK = {"ring": 2, "review": 1, "benign": 0}


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one planted ring."""

    ring: str
    """Its name in the truth."""
    planted: int
    """How many accounts it has."""
    ring_id: str | None
    """The found community with the most of its accounts, suspected ones first; None where there is none."""
    decision: str | None
    probability: float | None
    found: int
    """How many of its accounts that community holds."""
    innocent: int
    """How many accounts of that community belong to no planted ring."""
    strangers: int
    """How many belong to another planted ring."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run's rings against the truth."""

    rings: tuple[Found, ...]
    """One a planted ring, by name."""
    accused: Mapping[str, int]
    """Population → innocents inside communities decided ``ring``; every innocent population is listed."""
    under_review: Mapping[str, int]
    """Population → innocents inside communities decided ``review``."""
    innocents: Mapping[str, int]
    """Population → innocents in all."""


def compare(rings: Sequence[Mapping[str, Any]], truth: pd.DataFrame) -> Comparison:
    """Compare a run with the truth.

    Args:
        rings: The lines of ``rings.jsonl`` as dictionaries.
        truth: account_id, population, ring (null for innocents); a row an account.
    """
    planted = {
        str(name): set(group) for name, group in truth.dropna(subset=["ring"]).groupby("ring")["account_id"]
    }
    guilty = set().union(*planted.values())
    innocent = truth[truth["ring"].isna()]
    population = dict(zip(innocent["account_id"], innocent["population"], strict=True))
    names = sorted(set(population.values()))
    return Comparison(
        rings=tuple(_found(name, planted[name], rings, population, guilty) for name in sorted(planted)),
        accused=_per_population(rings, "ring", population, names),
        under_review=_per_population(rings, "review", population, names),
        innocents=dict(sorted(Counter(population.values()).items())),
    )


def ring_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a table of what became of the planted rings; the first row is the heading."""
    head = ("planted ring", "found as", "decision", "probability", "members", "innocent")
    return [
        head,
        *(
            (
                ring.ring,
                ring.ring_id or "not found",
                ring.decision or "–",
                "–" if ring.probability is None else f"{ring.probability:.2f}",
                f"{ring.found} of {ring.planted}",
                str(ring.innocent),
            )
            for ring in comparison.rings
        ),
    ]


def population_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a table of what became of the innocents, by population; the first row is the heading."""
    return [
        ("innocents", "accounts", "in a ring", "under review"),
        *(
            (name, str(count), str(comparison.accused[name]), str(comparison.under_review[name]))
            for name, count in comparison.innocents.items()
        ),
    ]


def _found(
    name: str,
    planted: set[str],
    rings: Sequence[Mapping[str, Any]],
    population: Mapping[str, str],
    guilty: set[str],
) -> Found:
    held = [(ring, {member["account_id"] for member in ring["members"]}) for ring in rings]
    hits = [(ring, members) for ring, members in held if members & planted]
    if not hits:
        return Found(name, len(planted), None, None, None, 0, 0, 0)
    # A ring cut in two is known by its accused part, whatever else of it lies in a benign community.
    best, members = max(
        hits,
        key=lambda hit: (_RANK[hit[0]["decision"]] > 0, len(hit[1] & planted), _RANK[hit[0]["decision"]]),
    )
    return Found(
        ring=name,
        planted=len(planted),
        ring_id=best["ring_id"],
        decision=best["decision"],
        probability=best["probability"],
        found=len(members & planted),
        innocent=sum(account in population for account in members),
        strangers=len((members & guilty) - planted),
    )


def _per_population(
    rings: Sequence[Mapping[str, Any]], decision: str, population: Mapping[str, str], names: Sequence[str]
) -> dict[str, int]:
    inside = {m["account_id"] for ring in rings if ring["decision"] == decision for m in ring["members"]}
    counted = Counter(population[account] for account in inside if account in population)
    return {name: counted[name] for name in names}
