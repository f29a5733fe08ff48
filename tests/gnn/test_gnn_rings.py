"""A false accusation is the worst error: what it takes to be called a ring, and what prevents it."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.config import DecisionSettings, LinkSettings, Settings
from ringfence.errors import ModelError
from ringfence.gnn.rings import decide_rings
from ringfence.gnn.scores import AccountScores
from ringfence.records import Action, Decision, Family, Ring, Role

DAY = pd.Timestamp("2026-02-01", tz="UTC")


def members(size: int = 6, *, community: int = 0, share: float = 1.0, families: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": [f"c{community}-a{i}" for i in range(size)],
            "community": community,
            "first_seen": [DAY + pd.Timedelta(days=i) for i in range(size)],
            "last_seen": [DAY + pd.Timedelta(days=i + 1) for i in range(size)],
            "inside_share": share,
            "inside_families": families,
            "significant_links": 1,
            "led": 1,
            "followed": 1,
            "own_share": 1.0,
        }
    )


def evidence(*families: str, community: int = 0, weight: float = 5.0, coverage: float = 1.0) -> pd.DataFrame:
    rows = [
        {
            "community": community,
            "family": family,
            "statement": f"They share {family}.",
            "weight": weight,
            "coverage": coverage,
            "entities": [f"{family}:{i}" for i in range(12)],
        }
        for family in families
    ]
    return pd.DataFrame(rows, columns=["community", "family", "statement", "weight", "coverage", "entities"])


def scores(*values: float, calibrated: bool = True) -> AccountScores:
    return AccountScores(np.array(values), calibrated, "gnn" if calibrated else "evidence", "", [])


def judge(
    frame: pd.DataFrame, lines: pd.DataFrame, said: AccountScores, decisions: DecisionSettings | None = None
) -> Ring:
    (ring,) = decide_rings(frame, lines, said, Settings(decisions=decisions or DecisionSettings()))
    return ring


TWO = evidence("payment", "network")
SURE = scores(*[0.95] * 6)


class TestWhatMakesARing:
    def test_high_probability_two_families_and_enough_members(self) -> None:
        ring = judge(members(), TWO, SURE)

        assert ring.decision is Decision.RING
        assert ring.recommended_action is Action.SUSPEND
        assert ring.probability == pytest.approx(0.95)
        assert ring.evidence_score == pytest.approx(10.0)
        assert ring.size == 6

    @pytest.mark.parametrize(
        ("frame", "lines", "said"),
        [
            pytest.param(members(), evidence("payment"), SURE, id="one family"),
            pytest.param(members(), evidence(), SURE, id="no evidence"),
            pytest.param(members(), evidence("payment", "payment"), SURE, id="one family twice"),
            pytest.param(members(), evidence("payment", "network", coverage=0.49), SURE, id="thin coverage"),
            pytest.param(members(4), TWO, scores(*[0.95] * 4), id="too small"),
            pytest.param(members(), TWO, scores(*[0.95] * 4, 0.1, 0.1), id="too small without bystanders"),
            pytest.param(members(), TWO, scores(*[0.89] * 6), id="not sure enough"),
        ],
    )
    def test_whatever_is_lacking_makes_it_a_review(
        self, frame: pd.DataFrame, lines: pd.DataFrame, said: AccountScores
    ) -> None:
        ring = judge(frame, lines, said)

        assert ring.decision is Decision.REVIEW
        assert ring.recommended_action is Action.REVIEW

    def test_no_settings_let_one_family_accuse(self) -> None:
        careless = DecisionSettings(least_families=1)

        assert judge(members(), evidence("payment"), SURE, careless).decision is Decision.REVIEW

    def test_settings_can_ask_for_more_families(self) -> None:
        strict = DecisionSettings(least_families=3)
        three = evidence("payment", "network", "device")

        assert judge(members(), TWO, SURE, strict).decision is Decision.REVIEW
        assert judge(members(), three, SURE, strict).decision is Decision.RING

    @pytest.mark.parametrize(
        ("probability", "decision"),
        [(0.9, Decision.RING), (0.8999, Decision.REVIEW), (0.5, Decision.REVIEW), (0.4999, Decision.BENIGN)],
    )
    def test_thresholds_include_their_own_value(self, probability: float, decision: Decision) -> None:
        assert judge(members(5), TWO, scores(*[probability] * 5)).decision is decision

    def test_a_low_probability_clears_whatever_the_evidence(self) -> None:
        ring = judge(members(), evidence(*Family, weight=12.0), scores(*[0.3] * 6))

        assert ring.decision is Decision.BENIGN
        assert ring.recommended_action is Action.NONE

    @pytest.mark.parametrize(("significant", "decision"), [(3, Decision.RING), (2, Decision.REVIEW)])
    def test_links_that_chance_makes_accuse_nobody(self, significant: int, decision: Decision) -> None:
        frame = members()
        frame["significant_links"] = [4] * significant + [0] * (6 - significant)

        assert judge(frame, TWO, SURE).decision is decision

    def test_bystanders_do_not_count_for_significance(self) -> None:
        frame = members()
        frame["significant_links"] = [4, 4, 0, 0, 0, 1]
        said = scores(0.95, 0.95, 0.95, 0.95, 0.95, 0.1)

        assert judge(frame, TWO, said, DecisionSettings(ring_probability=0.6)).decision is Decision.REVIEW

    def test_coverage_at_the_threshold_counts(self) -> None:
        assert judge(members(), evidence("payment", "network", coverage=0.5), SURE).decision is Decision.RING


class TestWithoutCalibration:
    @pytest.mark.parametrize(
        ("size", "lines", "decision"),
        [
            (10, evidence("payment", "network"), Decision.REVIEW),
            (9, evidence("payment", "network", weight=12.0), Decision.BENIGN),
            (10, evidence("payment", weight=12.0), Decision.BENIGN),
            (10, evidence("payment", "network", coverage=0.49), Decision.BENIGN),
            (30, evidence(*Family, weight=12.0), Decision.REVIEW),
        ],
    )
    def test_many_accounts_in_two_families_ask_for_a_look_and_no_more(
        self, size: int, lines: pd.DataFrame, decision: Decision
    ) -> None:
        ring = judge(members(size), lines, scores(*[0.99] * size, calibrated=False))

        assert ring.decision is decision
        assert ring.probability is None

    @given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.sets(st.sampled_from(list(Family))))
    def test_never_a_ring(self, said: list[float], families: set[Family]) -> None:
        ring = judge(members(5), evidence(*sorted(families), weight=12.0), scores(*said, calibrated=False))

        assert ring.decision is not Decision.RING


@given(
    said=st.lists(st.floats(0, 1), min_size=3, max_size=12),
    families=st.sets(st.sampled_from(list(Family))),
    coverage=st.floats(0, 1),
)
def test_a_ring_always_has_all_it_takes(said: list[float], families: set[Family], coverage: float) -> None:
    lines = evidence(*sorted(families), coverage=coverage)
    ring = judge(members(len(said)), lines, scores(*said))
    active = [m.score for m in ring.members if m.role is not Role.BYSTANDER]

    if ring.decision is Decision.RING:
        assert len(active) >= 5
        assert np.mean(active) >= 0.9
        assert len(families) >= 2
        assert coverage >= 0.5
    assert all(m.score >= 0.2 for m in ring.members if m.role is not Role.BYSTANDER)


class TestRoles:
    def test_calibrated_by_score_and_place(self) -> None:
        frame = members(5)
        frame["inside_share"] = [1.0, 0.2, 0.5, 0.5, 0.9]
        ring = judge(frame, TWO, scores(0.5, 0.99, 0.49, 0.2, 0.19))

        assert {m.account_id: m.role for m in ring.members} == {
            "c0-a0": Role.CORE,
            "c0-a1": Role.MEMBER,  # a high score on the edge
            "c0-a2": Role.MEMBER,  # well linked, but not sure
            "c0-a3": Role.MEMBER,
            "c0-a4": Role.BYSTANDER,  # well linked, but cleared
        }

    def test_uncalibrated_by_links(self) -> None:
        frame = members(4)
        frame["inside_share"] = [0.5, 0.5, 0.05, 0.05]
        frame["inside_families"] = [2, 1, 1, 2]
        ring = judge(frame, TWO, scores(0.9, 0.9, 0.9, 0.9, calibrated=False))

        assert {m.account_id: m.role for m in ring.members} == {
            "c0-a0": Role.CORE,
            "c0-a1": Role.MEMBER,
            "c0-a2": Role.BYSTANDER,
            "c0-a3": Role.MEMBER,
        }

    def test_leaving_out_who_scores_low_does_not_make_a_ring_of_the_rest(self) -> None:
        ring = judge(members(8), TWO, scores(*[0.95] * 5, 0.01, 0.01, 0.01))

        assert ring.probability == pytest.approx(0.5975)
        assert ring.decision is Decision.REVIEW
        assert [m.role for m in ring.members][5:] == [Role.BYSTANDER] * 3

    @pytest.mark.parametrize("calibrated", [True, False])
    def test_whom_the_others_only_came_after_is_a_bystander(self, calibrated: bool) -> None:
        frame = members()
        frame.loc[0, ["led", "followed"]] = [7, 0]
        frame.loc[1, ["led", "followed"]] = [0, 0]
        ring = judge(frame, TWO, scores(*[0.95] * 6, calibrated=calibrated))

        roles = {member.account_id: member.role for member in ring.members}
        assert roles.pop("c0-a0") is Role.BYSTANDER
        assert Role.BYSTANDER not in roles.values()

    @pytest.mark.parametrize(("share", "role"), [(0.49, Role.BYSTANDER), (0.5, Role.CORE)])
    def test_a_reseller_whose_customers_do_other_things_is_a_bystander(
        self, share: float, role: Role
    ) -> None:
        frame = members()
        frame.loc[2, "own_share"] = share
        roles = {member.account_id: member.role for member in judge(frame, TWO, SURE).members}

        assert roles["c0-a2"] is role

    def test_a_community_of_bystanders_is_benign(self) -> None:
        ring = judge(members(), TWO, scores(*[0.1] * 6))

        assert ring.probability == pytest.approx(0.1)
        assert ring.decision is Decision.BENIGN

    def test_members_are_listed_core_first_then_by_score_then_by_id(self) -> None:
        ring = judge(members(5), TWO, scores(0.1, 0.3, 0.6, 0.9, 0.9))

        assert [m.account_id for m in ring.members] == ["c0-a3", "c0-a4", "c0-a2", "c0-a1", "c0-a0"]


class TestIdentity:
    def test_id_is_drawn_from_the_account_seen_first(self) -> None:
        expected = "R-" + blake2b(b"c0-a0", digest_size=8).hexdigest()

        assert judge(members(), TWO, SURE).ring_id == expected
        assert judge(members(9), TWO, scores(*[0.1] * 9)).ring_id == expected

    def test_equals_go_by_id_and_the_never_seen_come_last(self) -> None:
        frame = members(5)
        frame["first_seen"] = [pd.NaT, DAY, DAY, pd.NaT, DAY]
        expected = "R-" + blake2b(b"c0-a1", digest_size=8).hexdigest()

        assert judge(frame, TWO, scores(*[0.9] * 5)).ring_id == expected

    def test_times_span_all_members(self) -> None:
        ring = judge(members(), TWO, SURE)

        assert ring.first_seen == datetime(2026, 2, 1, tzinfo=UTC)
        assert ring.last_seen == datetime(2026, 2, 7, tzinfo=UTC)

    def test_accounts_never_seen_have_no_times(self) -> None:
        frame = members().assign(first_seen=pd.NaT, last_seen=pd.NaT)
        ring = judge(frame, TWO, SURE)

        assert ring.first_seen is None
        assert ring.last_seen is None


class TestEvidence:
    def test_strongest_first_and_at_most_ten_entities(self) -> None:
        lines = pd.concat(
            [
                evidence("network", weight=4.0, coverage=0.5),
                evidence("payment", weight=3.0),
                evidence("device", weight=3.0),
            ]
        )
        ring = judge(members(), lines, SURE)

        assert [line.family for line in ring.evidence] == [Family.DEVICE, Family.PAYMENT, Family.NETWORK]
        assert ring.evidence[0].entities == tuple(f"device:{i}" for i in range(10))
        assert ring.evidence_score == pytest.approx(8.0)


class TestManyCommunities:
    def test_small_communities_and_loners_are_not_judged(self) -> None:
        frame = pd.concat([members(2, community=0), members(3, community=1), members(4, community=-1)])
        rings = decide_rings(
            frame, evidence(), scores(*[0.9] * 9), Settings(links=LinkSettings(least_size=3))
        )

        assert [ring.size for ring in rings] == [3]

    def test_rings_come_first_then_reviews_then_by_probability(self) -> None:
        frame = pd.concat([members(5, community=c) for c in range(4)])
        lines = pd.concat([evidence("payment", "network", community=c) for c in (0, 2, 3)])
        said = scores(*[0.1] * 5, *[0.99] * 5, *[0.91] * 5, *[0.95] * 5)
        rings = decide_rings(frame, lines, said, Settings())

        assert [(ring.decision, round(ring.probability or 0, 2)) for ring in rings] == [
            (Decision.RING, 0.95),
            (Decision.RING, 0.91),
            (Decision.REVIEW, 0.99),
            (Decision.BENIGN, 0.1),
        ]

    def test_uncalibrated_go_by_size_then_evidence(self) -> None:
        frame = pd.concat([members(size, community=c) for c, size in enumerate((5, 6, 6))])
        lines = pd.concat(
            [evidence("payment", "network", community=c, weight=w) for c, w in enumerate((9.0, 4.0, 5.0))]
        )
        rings = decide_rings(frame, lines, scores(*[0.5] * 17, calibrated=False), Settings())

        assert [(ring.size, ring.evidence_score) for ring in rings] == [(6, 10.0), (6, 8.0), (5, 18.0)]

    def test_the_order_of_evidence_rows_changes_nothing(self) -> None:
        lines = evidence("payment", "network", "device")

        assert judge(members(), lines, SURE) == judge(members(), lines.iloc[::-1], SURE)

    def test_nothing_to_judge(self) -> None:
        assert decide_rings(members(0), evidence(), scores(), Settings()) == []


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (scores(0.5), "scores of 1"),
        (scores(*[np.nan] * 6), "not numbers"),
        (scores(*[1.1] * 6), "not numbers"),
        (scores(*[-0.1] * 6), "not numbers"),
    ],
)
def test_scores_that_do_not_fit_are_refused(said: AccountScores, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        decide_rings(members(), TWO, said, Settings())
