"""What became of each planted ring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ringfence.records import Decision
from ringfence.worlds.score.matching import Matched

_RANK = {Decision.RING.value: 2, Decision.REVIEW.value: 1, Decision.BENIGN.value: 0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one planted ring."""

    ring: str
    ring_type: str
    single_family: bool
    accounts: int
    """How many it has."""
    found_ring: bool
    found_review: bool
    cluster: str | None
    """What stands for it: the flagged cluster that names most of its accounts, else the benign one."""
    decision: str | None
    probability: float | None
    named: int
    """Its accounts that this cluster names."""
    innocent: int
    """Innocents that this cluster names."""
    strangers: int
    """Accounts of other rings that this cluster names."""
    pieces: int
    """Flagged clusters that name accounts of it."""
    world: str = ""


def judge_each(matched: Matched, world: str = "") -> tuple[Outcome, ...]:
    """Return what became of every planted ring, in the order of names.

    A ring cut in two is known by its accused part, whatever else of it lies in a benign cluster.
    """
    inside = matched.accounts.dropna(subset=["ring", "cluster"])
    held = inside.groupby(["ring", "cluster"]).size().rename("held").reset_index()
    held = held.merge(matched.clusters, on="cluster")
    rank = held["decision"].map(_RANK)
    order = held.assign(rank=rank, flagged=rank > 0).sort_values(
        ["ring", "flagged", "held", "rank", "cluster"], ascending=[True, False, False, False, True]
    )
    pieces = order[order["flagged"]].groupby("ring").size()
    best = order.drop_duplicates("ring").set_index("ring").to_dict("index")
    return tuple(
        _outcome(ring, best.get(ring["ring"]), int(pieces.get(ring["ring"], 0)), world)
        for ring in matched.rings.to_dict("records")
    )


def _outcome(ring: dict[Any, Any], best: dict[Any, Any] | None, pieces: int, world: str) -> Outcome:
    held = best or {"cluster": None, "decision": None, "probability": None}
    named, guilty = int(held.get("held", 0)), int(held.get("guilty", 0))
    return Outcome(
        ring=str(ring["ring"]),
        ring_type=str(ring["ring_type"]),
        single_family=bool(ring["single_family"]),
        accounts=int(ring["accounts"]),
        found_ring=bool(ring["found_ring"]),
        found_review=bool(ring["found_review"]),
        cluster=held["cluster"],
        decision=held["decision"],
        probability=_probability(held["probability"]),
        named=named,
        innocent=int(held.get("named", 0)) - guilty,
        strangers=guilty - named,
        pieces=pieces,
        world=world,
    )


def _probability(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
