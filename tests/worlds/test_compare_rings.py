"""A run's rings are held against the planted ones."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ringfence.worlds.compare import compare, population_rows, ring_rows

TRUTH = pd.DataFrame(
    {
        "account_id": ["a1", "a2", "a3", "b1", "b2", "x1", "x2", "y1"],
        "population": ["ring"] * 5 + ["family", "family", "university"],
        "ring": ["A", "A", "A", "B", "B", None, None, None],
    }
)


def ring(name: str, decision: str, *accounts: str, probability: float | None = None) -> dict[str, Any]:
    members = [{"account_id": a, "score": 0.5, "role": "member"} for a in accounts]
    return {"ring_id": name, "decision": decision, "probability": probability, "members": members}


def test_found_with_an_innocent_inside() -> None:
    found = compare([ring("r1", "ring", "a1", "a2", "x1", probability=0.97)], TRUTH).rings[0]
    assert (found.ring_id, found.decision, found.found, found.planted, found.innocent) == (
        "r1",
        "ring",
        2,
        3,
        1,
    )


def test_not_found() -> None:
    result = compare([], TRUTH)
    assert [f.ring_id for f in result.rings] == [None, None]
    assert ring_rows(result)[1] == ("A", "not found", "–", "–", "0 of 3", "0")


def test_a_suspected_part_counts_before_a_larger_benign_one() -> None:
    rings = [ring("big", "benign", "a1", "a2"), ring("small", "review", "a3")]
    assert compare(rings, TRUTH).rings[0].ring_id == "small"


def test_the_larger_part_names_a_ring_that_was_cut() -> None:
    rings = [ring("r1", "ring", "a1"), ring("r2", "review", "a2", "a3")]
    assert compare(rings, TRUTH).rings[0].ring_id == "r2"


def test_two_rings_in_one() -> None:
    first, second = compare([ring("r", "ring", "a1", "a2", "a3", "b1")], TRUTH).rings
    assert (first.strangers, second.strangers) == (1, 3)
    assert (first.innocent, second.innocent) == (0, 0)


def test_innocents_are_counted_by_population_and_decision() -> None:
    rings = [
        ring("r1", "ring", "a1", "x1"), ring("r2", "review", "y1", "x2"), ring("r3", "benign", "b1"),
        ring("r4", "review", "not-in-the-truth"),
    ]  # fmt: skip
    result = compare(rings, TRUTH)
    assert result.accused == {"family": 1, "university": 0}
    assert result.under_review == {"family": 1, "university": 1}
    assert population_rows(result)[1:] == [("family", "2", "1", "1"), ("university", "1", "0", "1")]
