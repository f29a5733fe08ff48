"""Plans: whom nothing may be done to is never a target, whatever the policy, the run and the casebook say."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from case_samples import accounts, ring
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ringfence.enforcement.casebook.cases import Case
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.orders.records import ENFORCEABLE
from ringfence.enforcement.policy.allowed import allowed, looked_up
from ringfence.enforcement.policy.plan import LeftOut, Plan, Why, families, plan, reach
from ringfence.enforcement.policy.records import UNATTENDED, Allow, Mode, Needs, Policy, Tier
from ringfence.records import Action, Decision, Evidence, Family, Member, Ring, Role

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUNDS = 2_000 if os.environ.get("RINGFENCE_SOAK") else 80


def case_of(found: Ring, state: State = State.CONFIRMED, into: str | None = None) -> Case:
    return Case(
        ring_id=found.ring_id,
        state=state,
        version=3,
        assignee=None,
        decision=found.decision,
        probability=found.probability,
        size=found.size,
        opened_at="",
        changed_at="",
        last_run="run-1",
        succeeded_by=into,
    )


def tier(
    action: Action = Action.SUSPEND, needs: Needs = Needs.VERDICT, least: float = 0.9, **more: Any
) -> Tier:
    return Tier(action, needs, least, more.pop("least_score", least), **more)


def planned(
    found: Ring,
    *tiers: Tier,
    state: State = State.CONFIRMED,
    into: str | None = None,
    cleared: frozenset[str] = frozenset(),
    standing: dict[str, Action] | None = None,
    allowed: dict[str, str] | None = None,
    **more: Any,
) -> Plan:
    policy = Policy(Mode.LIVE, tiers)
    return plan(
        policy, case_of(found, state, into), found, cleared, standing or {}, allowed or {}, NOW, **more
    )


def left(found: Plan) -> dict[str, Why]:
    return {one.account_id: one.why for one in found.left_out}


def test_each_member_meets_the_first_tier_that_fits() -> None:
    found = ring("R-1", accounts(4))
    members = (replace(found.members[0], role=Role.MEMBER), *found.members[1:])
    done = planned(
        replace(found, members=members),
        tier(Action.BAN, Needs.TWO_PERSONS, roles=(Role.CORE,)),
        tier(Action.SUSPEND, expires=timedelta(days=90)),
        tier(Action.MONITOR, Needs.NOBODY, 0.5),
    )
    assert [(one.action, len(one.targets), one.tier) for one in done.orders] == [
        (Action.BAN, 3, 1),
        (Action.SUSPEND, 1, 2),
    ]
    assert [one.needs for one in done.orders] == [Needs.TWO_PERSONS, Needs.VERDICT]
    assert [one.expires_at for one in done.orders] == [None, NOW + timedelta(days=90)]
    assert (done.version, len(done.targets), done.left_out, done.held) == (3, 4, (), None)


@pytest.mark.parametrize(
    "conditions",
    [
        {"least": 0.98},
        {"least_score": 0.96},
        {"least_families": 3},
        {"least_size": 5},
        {"roles": (Role.MEMBER,)},
    ],
)
def test_every_condition_must_be_met(conditions: dict[str, Any]) -> None:
    found = ring("R-1", accounts(4), accounts(3, "by"))
    done = planned(found, tier(**conditions))
    assert done.orders == ()
    assert Counter(left(done).values()) == {Why.BELOW: 4, Why.BYSTANDER: 3}


def test_a_family_counts_that_links_half_of_the_ring() -> None:
    found = ring("R-1", accounts(4))
    weak = Evidence(Family.DEVICE, "Two share a device.", 3.0, 0.49, ())
    assert families(replace(found, evidence=(*found.evidence, weak))) == 2
    assert reach(ring("R-1", accounts(4), accounts(3, "by"))) == 4


def test_what_is_not_calibrated_meets_only_tiers_that_ask_for_no_probability() -> None:
    found = ring("R-1", accounts(4), decision=Decision.REVIEW, probability=None)
    assert planned(found, tier()).orders == ()
    assert planned(found, tier(least=0.0, least_score=0.5)).orders == ()
    assert len(planned(found, tier(least=0.0)).targets) == 4


def test_each_who_is_left_out_is_told_why() -> None:
    names = accounts(6)
    found = ring("R-1", names[:5], names[5:])
    found = replace(found, members=(replace(found.members[0], score=0.3), *found.members[1:]))
    done = planned(
        found,
        tier(least=0.5),
        cleared=frozenset([names[1]]),
        allowed={names[2]: "a partner"},
        standing={names[3]: Action.BAN, names[4]: Action.RATE_LIMIT},
    )
    assert set(done.left_out) == {
        LeftOut(names[0], Why.BELOW),
        LeftOut(names[1], Why.CLEARED),
        LeftOut(names[2], Why.ALLOWED, "a partner"),
        LeftOut(names[3], Why.UNDER, "ban"),
        LeftOut(names[5], Why.BYSTANDER),
    }
    assert [one.account_id for one in done.targets] == [names[4]]


def test_without_a_person_only_what_needs_nobody_is_done() -> None:
    found = ring("R-1", accounts(4))
    tiers = (tier(Action.SUSPEND), tier(Action.RATE_LIMIT, Needs.NOBODY))
    for state in (State.NEW, State.IN_REVIEW, State.CONFIRMED, State.ENFORCED):
        done = planned(found, *tiers, state=state, automatic=True)
        assert [one.action for one in done.orders] == [Action.RATE_LIMIT]


@pytest.mark.parametrize("state", [State.REJECTED, State.REVERSED, State.WATCH])
def test_what_a_person_spoke_about_is_left_to_persons(state: State) -> None:
    found = ring("R-1", accounts(4))
    done = planned(found, tier(Action.MONITOR, Needs.NOBODY), state=state, automatic=True)
    assert (done.orders, done.held) == ((), f"It is {state}; a person said so.")


@pytest.mark.parametrize("state", [State.REJECTED, State.REVERSED])
def test_what_was_let_off_is_not_asked_for(state: State) -> None:
    assert planned(ring("R-1", accounts(4)), tier(), state=state).held is not None


def test_a_ring_that_merged_is_acted_on_where_it_went() -> None:
    assert planned(ring("R-1", accounts(4)), tier(), into="R-2").held == "It has merged into R-2."


def test_a_review_is_never_acted_on_without_a_person() -> None:
    found = ring("R-1", accounts(4), decision=Decision.REVIEW)
    done = planned(found, tier(Action.MONITOR, Needs.NOBODY), automatic=True)
    assert done.orders == ()
    assert "The run said review" in str(done.held)


def test_who_was_released_by_a_person_is_left_to_persons() -> None:
    names = accounts(4)
    monitor = tier(Action.MONITOR, Needs.NOBODY)
    released = frozenset(names[:1])
    done = planned(ring("R-1", names), monitor, released=released, automatic=True)
    assert left(done) == {names[0]: Why.RELEASED}
    assert len(planned(ring("R-1", names), monitor, released=released).targets) == 4


def test_the_allow_list_looks_accounts_up() -> None:
    end = date(2026, 3, 1)
    entries = (
        Allow("account", "a1", "own test account", "Load test.", "ada", end),
        Allow("org", "o1", "licensed partner", "Contract.", "bob", end),
        Allow("org", "o2", "licensed partner", "Nobody is in it.", "bob", end),
        Allow("email_domain", "ex.com", "own test account", "Ours.", "ada", end - timedelta(days=1)),
    )
    policy = Policy(Mode.LIVE, (), entries)
    assert looked_up(policy, NOW) == (("org", "o1"), ("org", "o2"))
    found = allowed(policy, {("org", "o1"): ["a1", "a2"], ("email_domain", "ex.com"): ["a3"]}, NOW)
    assert set(found) == {"a1", "a2"}
    assert found["a2"] == "licensed partner (org o1), until 2026-03-01; bob answers for it"


NAMES = accounts(8)
TIERS = st.builds(
    lambda action, needs, least, score, roles, families, size: Tier(
        action,
        needs if needs is not Needs.NOBODY or action in UNATTENDED else Needs.VERDICT,
        least,
        score,
        # A bystander among the roles: the reader refuses it, and a plan must not trust the reader.
        tuple(roles),
        families,
        size,
    ),
    st.sampled_from(ENFORCEABLE),
    st.sampled_from(Needs),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sets(st.sampled_from(Role), min_size=1),
    st.integers(0, 3),
    st.integers(0, 6),
)
MEMBERS = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.floats(0, 1), st.sampled_from(Role)), min_size=1
)


@seed(20260301)
@settings(max_examples=ROUNDS, deadline=None)
@given(
    tiers=st.lists(TIERS, max_size=5),
    members=MEMBERS,
    decision=st.sampled_from(Decision),
    probability=st.none() | st.floats(0, 1),
    state=st.sampled_from(State),
    into=st.none() | st.just("R-2"),
    cleared=st.frozensets(st.sampled_from(NAMES)),
    standing=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ENFORCEABLE)),
    allowed=st.dictionaries(st.sampled_from(NAMES), st.just("a partner")),
    released=st.frozensets(st.sampled_from(NAMES)),
    decided=st.none() | st.frozensets(st.sampled_from(NAMES)),
    automatic=st.booleans(),
)
def test_no_plan_meets_who_must_not_be_met(
    tiers: list[Tier],
    members: dict[str, tuple[float, Role]],
    decision: Decision,
    probability: float | None,
    state: State,
    into: str | None,
    cleared: frozenset[str],
    standing: dict[str, Action],
    allowed: dict[str, str],
    released: frozenset[str],
    decided: frozenset[str] | None,
    automatic: bool,
) -> None:
    found = replace(
        ring("R-1", [], decision=decision, probability=probability),
        members=tuple(Member(name, score, role) for name, (score, role) in members.items()),
    )
    done = planned(
        found,
        *tiers,
        state=state,
        into=into,
        cleared=cleared,
        standing=standing,
        allowed=allowed,
        released=released,
        decided=decided,
        automatic=automatic,
    )
    for one in done.orders:
        met = {target.account_id for target in one.targets}
        if decided is not None and one.needs is not Needs.NOBODY:
            assert met <= decided
        if automatic or decided is not None:
            assert not met & (released - (frozenset() if automatic else decided or frozenset()))
    met = [target.account_id for target in done.targets]
    assert len(met) == len(set(met)), "nobody is ordered twice"
    assert not {*met} & (cleared | allowed.keys())
    assert all(members[account][1] is not Role.BYSTANDER for account in met)
    for one in done.orders:
        for target in one.targets:
            assert standing.get(target.account_id, Action.NONE).severity < one.action.severity
            assert (target.score, target.role) == members[target.account_id]
            assert target.role in tiers[one.tier - 1].roles
        if probability is None:
            assert tiers[one.tier - 1].least_probability == 0
    if automatic:
        assert not {*met} & released
        assert all(one.needs is Needs.NOBODY and one.action in UNATTENDED for one in done.orders)
        assert not met or decision is Decision.RING
    if done.held is None:
        told = [one.account_id for one in done.left_out]
        assert sorted([*met, *told]) == sorted(members), "each is met, or told why not"
    else:
        assert done.orders == ()
