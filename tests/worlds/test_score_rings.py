"""Clusters against rings: definitions by example, B-cubed by brute force."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_samples import answer, truth_of

from ringfence.worlds.score import Truth, make_truth, match, score
from ringfence.worlds.score.rings import b_cubed, band

TRUTH = truth_of(
    [*((f"a{n}", "ring", "A") for n in range(4)), *((f"b{n}", "ring", "B") for n in range(4))]
    + [(f"x{n}", "family", None) for n in range(8)]
)


def shared_operator() -> Truth:
    rings = pd.DataFrame(
        [("A", "relay", "o", False), ("B", "slow", "o", True)],
        columns=["ring", "ring_type", "operator", "single_family"],
    )
    return make_truth(TRUTH.accounts, rings)


def found(clusters: dict[str, tuple[str, list[str]]], truth: Truth = TRUTH) -> tuple[list[bool], list[bool]]:
    rings = match(answer(truth, clusters), truth).rings
    return rings["found_ring"].tolist(), rings["found_review"].tolist()


def test_half_of_a_ring_in_a_right_cluster_is_found() -> None:
    assert found({"c": ("ring", ["a0", "a1", "x0", "x1"])}) == ([True, False], [True, False])


def test_less_than_half_is_not() -> None:
    assert found({"c": ("ring", ["a0"])}) == ([False, False], [False, False])


def test_a_wrong_cluster_finds_nothing() -> None:
    clusters = {"c": ("ring", ["a0", "a1", "x0", "x1", "x2"])}
    assert found(clusters) == ([False, False], [False, False])
    assert score(answer(TRUTH, clusters), TRUTH).rings.ring.precision.hits == 0


def test_two_right_pieces_add_up() -> None:
    clusters = {"c": ("ring", ["a0"]), "d": ("review", ["a1"])}
    assert found(clusters) == ([False, False], [True, False])


def test_a_review_counts_at_review_only_and_a_benign_cluster_never() -> None:
    members = ["a0", "a1", "a2"]
    assert found({"c": ("review", members)}) == ([False, False], [True, False])
    assert found({"c": ("benign", members)}) == ([False, False], [False, False])


def test_rings_of_one_operator_make_a_cluster_right_together() -> None:
    clusters = {"c": ("ring", ["a0", "b0", "x0", "x1"])}
    apart = match(answer(TRUTH, clusters), TRUTH).clusters
    together = match(answer(shared_operator(), clusters), shared_operator()).clusters
    assert (apart["right"].tolist(), together["right"].tolist()) == ([False], [True])
    assert (apart["operators"].tolist(), together["operators"].tolist()) == ([2], [1])


def test_bystanders_are_not_named() -> None:
    called = dict.fromkeys(("x0", "x1", "x2"), "bystander")
    findings = answer(TRUTH, {"c": ("ring", ["a0", "a1", *called])}, roles=called)
    card = score(findings, TRUTH)
    assert card.innocents.ring.hits == 0
    assert card.rings.ring.precision.hits == 1
    assert (
        score(
            answer(TRUTH, {"c": ("ring", ["a0"])}, roles={"a0": "bystander"}), TRUTH
        ).rings.ring.precision.hits
        == 0
    )


def test_ring_f1_at_both_levels() -> None:
    clusters = {"c": ("ring", ["a0", "a1"]), "d": ("review", ["b0", "b1"]), "e": ("ring", ["x0", "x1"])}
    rings = score(answer(TRUTH, clusters), TRUTH).rings
    assert (rings.ring.precision.value, rings.ring.recall.value, rings.ring.f1) == (0.5, 0.5, 0.5)
    assert rings.review.f1 == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))
    assert rings.too_few_reported


@pytest.mark.parametrize(
    ("rings", "wrong", "claimed", "few"),
    [(300, 0, False, True), (380, 0, False, True), (381, 0, True, False), (400, 9, False, False)],
)
def test_precision_is_claimed_where_its_interval_begins_high_enough(
    rings: int, wrong: int, claimed: bool, few: bool
) -> None:
    rows: list[tuple[str, str, str | None]] = [(f"a{n}", "ring", f"r{n}") for n in range(rings - wrong)]
    truth = truth_of(rows + [(f"x{n}", "family", None) for n in range(wrong + 1)])
    clusters = {f"c{n}": ("ring", [a]) for n, a in enumerate(truth.accounts["account_id"][:rings])}
    judged = score(answer(truth, clusters), truth).rings
    assert (judged.ring.precision.hits, judged.ring.precision.of) == (rings - wrong, rings)
    assert (judged.claimed, judged.too_few_reported) == (claimed, few)


def test_fragments_and_merges() -> None:
    clusters = {
        "c": ("ring", ["a0", "b0"]), "d": ("review", ["a1", "x0"]), "e": ("benign", ["a2"]),
        "f": ("ring", ["x1"]),
    }  # fmt: skip
    pieces = score(answer(TRUTH, clusters), TRUTH).rings.pieces
    assert (pieces.touched, pieces.fragments, pieces.most, pieces.per_ring) == (2, 3, 2, 1.5)
    assert (pieces.merged.hits, pieces.merged.of) == (1, 3)


def test_rings_of_one_family_stand_apart() -> None:
    truth = shared_operator()
    rings = score(answer(truth, {"c": ("ring", ["a0", "a1"]), "d": ("review", ["b0", "b1"])}), truth).rings
    assert [(r.name, r.ring.hits, r.review.hits, r.ring.of) for r in rings.by_evidence] == [
        ("several families", 1, 1, 1),
        ("one family", 0, 1, 1),
    ]
    assert {r.name for r in rings.by_type} == {"relay", "slow"}
    assert [(r.name, r.ring.of) for r in rings.by_size] == [("under 10", 2)]


@pytest.mark.parametrize(
    ("size", "name"),
    [(1, "under 10"), (9, "under 10"), (10, "10–49"), (49, "10–49"), (50, "50–199"), (200, "200–999"),
     (999, "200–999"), (1000, "1,000 and more"), (20_000, "1,000 and more")],
)  # fmt: skip
def test_size_bands(size: int, name: str) -> None:
    assert band(size) == name


def test_rings_known_to_reviewers_stand_apart() -> None:
    benign_too = {"a3": "ring", "b0": "benign", "x0": "ring"}
    truth = make_truth(TRUTH.accounts.assign(label=TRUTH.accounts["account_id"].map(benign_too)))
    assert truth.rings["labelled"].tolist() == [True, False]
    clusters = {"c": ("ring", ["a0", "a1"]), "d": ("review", ["b0", "b1"])}
    recalls = score(answer(truth, clusters), truth).rings.by_knowledge
    assert [(r.name, r.ring.hits, r.review.hits, r.ring.of) for r in recalls] == [
        ("known to reviewers in part", 1, 1, 1),
        ("unheard of", 0, 1, 1),
    ]


LABEL = st.sampled_from([None, "p", "q", "r"])


@given(st.lists(st.tuples(LABEL, LABEL), max_size=25))
def test_b_cubed_by_brute_force(rows: list[tuple[str | None, str | None]]) -> None:
    got = b_cubed(pd.DataFrame(rows, columns=["ring", "cluster"], dtype="object"))
    guilty = [(n, ring, cluster) for n, (ring, cluster) in enumerate(rows) if ring is not None]
    precision = recall = 0.0
    for n, ring, cluster in guilty:
        mates = [o for o in guilty if o[0] == n or (cluster is not None and o[2] == cluster)]
        both = sum(o[1] == ring for o in mates)
        precision += both / len(mates)
        recall += both / sum(o[1] == ring for o in guilty)
    assert (got.precision_sum, got.recall_sum) == pytest.approx((precision, recall))
    assert got.accounts == len(guilty)


def test_b_cubed_of_nothing_is_no_figure() -> None:
    assert math.isnan(b_cubed(pd.DataFrame({"ring": [None], "cluster": ["c"]})).f1)


def test_what_became_of_each_ring() -> None:
    clusters = {
        "big": ("benign", ["a0", "a1"]), "small": ("review", ["a2", "x0", "b0"]),
        "own": ("ring", ["b1", "b2"]),
    }  # fmt: skip
    first, second = score(answer(TRUTH, clusters, probability={"own": 0.9}), TRUTH).outcomes
    assert (first.cluster, first.named, first.innocent, first.strangers, first.probability) == (
        "small",
        1,
        1,
        1,
        None,
    )
    assert (second.cluster, second.decision, second.probability, second.pieces) == ("own", "ring", 0.9, 2)
    nothing = score(answer(TRUTH, {}), TRUTH).outcomes[0]
    assert (nothing.cluster, nothing.decision, nothing.named, nothing.found_review) == (None, None, 0, False)


def test_a_truth_may_shrink_to_accounts_seen_so_far() -> None:
    early = TRUTH.only(["a0", "a1", "x0"])
    assert early.rings[["ring", "accounts"]].to_numpy().tolist() == [["A", 2]]
    assert found({"c": ("ring", ["a0"])}, early) == ([True], [True])
