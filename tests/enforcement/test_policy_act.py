"""From the policy to orders: by itself, asked for by a person, expired, and kept back in shadow mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from case_samples import accounts, confirmed, recorded, ring, run_of
from enforce_samples import delivered, ordered, queued, seen, sinks, told
from stopped_clock import Clock

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_account_verdict, give_verdict
from ringfence.enforcement.casebook.life import State, Verdict
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.orders.place import withdraw_order
from ringfence.enforcement.orders.records import Order, OrderStatus, order, standing, targets
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.policy.act import Automatic, automatic, released, said
from ringfence.enforcement.policy.ask import Asked, ask, planned
from ringfence.enforcement.policy.expire import Expired, expire
from ringfence.enforcement.policy.manual import (
    approve_order,
    needs_two,
    order_by_hand,
    usual_span,
)
from ringfence.enforcement.policy.plan import PlannedOrder, Why
from ringfence.enforcement.policy.records import Mode, Needs, Policy, Tier
from ringfence.errors import NotAllowedError, StaleVersionError, UnknownCaseError
from ringfence.records import Action, Decision, Ring, Role

MONITOR = Tier(Action.MONITOR, Needs.NOBODY, 0.9, 0.5, expires=timedelta(days=30))
SUSPEND = Tier(Action.SUSPEND, Needs.VERDICT, 0.9, 0.5, expires=timedelta(days=90))
BAN = Tier(Action.BAN, Needs.TWO_PERSONS, 0.9, 0.9, roles=(Role.CORE,))
POLICY = Policy(Mode.LIVE, (SUSPEND, MONITOR))
SHADOW = replace(POLICY, mode=Mode.SHADOW)


def went(book: Casebook, policy: Policy = POLICY, allowed: dict[str, str] | None = None) -> Automatic:
    with book.writing("score") as writing:
        return automatic(writing, policy, sinks("hook"), allowed or {})


def expired(book: Casebook) -> Expired:
    with book.writing("score") as writing:
        return expire(writing, sinks("hook"))


def asked(
    book: Casebook, *rings: str, policy: Policy = POLICY, allowed: dict[str, str] | None = None
) -> Asked:
    with book.writing("ada") as writing:
        return ask(writing, policy, rings, allowed or {}, sinks("hook"), "Same cards.")


def by_hand(
    book: Casebook,
    action: Action = Action.STEP_UP,
    accounts: list[str] | None = None,
    *,
    ring_id: str = "R-1",
    policy: Policy = POLICY,
    allowed: dict[str, str] | None = None,
    **more: Any,
) -> Order:
    with book.writing("ada") as writing:
        return order_by_hand(
            writing, policy, ring_id, action, accounts, allowed or {}, sinks("hook"), "Same cards.", **more
        )


def pull_the_brake(book: Casebook) -> None:
    with book.writing("score") as writing:
        writing.execute(
            "INSERT INTO brake (run_id, share, median, at) SELECT run_id, 0.5, 0.01, ? FROM runs LIMIT 1",
            (writing.stamp,),
        )


def test_what_needs_nobody_goes_by_itself_once(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(6), accounts(2, "by")))
    done = went(book)
    assert [(one.action, one.ordered_by) for one in done.orders] == [(Action.MONITOR, "score")]
    assert done.orders[0].reason == (
        "Tier 2 of the policy: probability 0.97, 2 families of evidence, 6 accounts."
    )
    assert done.orders[0].expires_at == "2026-03-31T12:00:00.000000Z"
    assert queued(book) == [("R-1", "ring.enforced", "hook")]
    assert seen(book, case, "R-1").state is State.NEW
    assert went(book) == Automatic()


def test_only_what_the_newest_run_calls_a_ring_is_acted_on(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(6, "a")), name="run-1")
    recorded(
        book,
        ring("R-2", accounts(6, "b")),
        ring("R-3", accounts(6, "c"), decision=Decision.REVIEW),
        name="run-2",
    )
    assert [one.ring_id for one in went(book).orders] == ["R-2"]


def test_an_account_of_two_rings_is_acted_on_once(book: Casebook) -> None:
    shared = accounts(2, "both")
    recorded(book, ring("R-1", [*accounts(9, "a"), *shared]), ring("R-2", [*accounts(9, "b"), *shared]))
    done = went(book)
    met = [one.account_id for placed in done.orders for one in seen(book, targets, placed.order_id)]
    assert len(met) == len(set(met)) == 20


def test_a_policy_in_which_everything_needs_a_person_does_nothing_by_itself(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(6)))
    assert went(book, replace(POLICY, tiers=(SUSPEND,))) == Automatic()


def test_nothing_goes_by_itself_before_the_first_run(book: Casebook) -> None:
    assert went(book) == Automatic()


def test_the_brake_halts_what_goes_by_itself_and_not_what_persons_order(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6, "a")))
    recorded(book, ring("R-2", accounts(6, "b")), name="run-2")
    pull_the_brake(book)
    done = went(book)
    assert done.orders == ()
    assert "The brake is on" in str(done.halted)
    both = asked(book)
    assert [one.ring_id for one in both.orders] == [found.ring_id]
    assert [(one.case.ring_id, "The brake is on" in str(one.waits_for)) for one in both.held] == [
        ("R-2", True)
    ]
    assert by_hand(book, Action.BAN).status is OrderStatus.AWAITING


def test_in_shadow_mode_orders_are_kept_and_sent_nowhere_once(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    recorded(book, found, name="run-2")
    assert [one.shadow for one in went(book, SHADOW).orders] == [True]
    assert went(book, SHADOW) == Automatic()
    assert [(one.action, one.shadow) for one in asked(book, policy=SHADOW).orders] == [(Action.SUSPEND, True)]
    assert asked(book, policy=SHADOW).orders == ()
    assert by_hand(book, Action.BAN, policy=SHADOW).shadow
    assert queued(book) == []
    assert seen(book, standing) == {}
    assert seen(book, case, "R-1").state is State.CONFIRMED
    assert len(asked(book).orders) == 1, "live, it is ordered all the same"


def test_live_orders_count_in_shadow_mode(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found, Action.BAN)
    assert asked(book, policy=SHADOW).orders == ()


def test_what_ran_out_is_undone_once_and_may_be_ordered_again(book: Casebook, clock: Clock) -> None:
    recorded(book, ring("R-1", accounts(6)))
    (placed,) = went(book).orders
    delivered(book)
    clock.go_on(days=29)
    assert expired(book) == Expired()
    clock.go_on(days=1)
    done = expired(book)
    assert [one.reverses for one in done.reversals] == [placed.order_id]
    assert told(book)[-1]["kind"] == "ring.reversed"
    assert expired(book) == Expired()
    assert seen(book, released) == frozenset()
    assert len(went(book).orders) == 1


def test_an_order_that_cannot_be_undone_keeps_no_other_account_waiting(book: Casebook, clock: Clock) -> None:
    until = clock.now + timedelta(days=1)
    gone = ordered(book, confirmed(book, ring("R-1", accounts(6))), to=sinks("gone"), expires_at=until)
    kept = ordered(book, confirmed(book, ring("R-2", accounts(6, "b"))), expires_at=until)
    delivered(book)
    clock.go_on(days=2)
    done = expired(book)
    assert [one.reverses for one in done.reversals] == [kept.order_id]
    assert ["went to gone, which the sinks file no longer has" in one for one in done.stuck] == [True]
    assert seen(book, order, gone.order_id).status is OrderStatus.ACTIVE
    assert len(seen(book, targets, gone.order_id, standing=True)) == 6
    assert [one["kind"] for one in told(book)] == ["ring.enforced", "ring.enforced", "ring.reversed"]
    with book.writing("score") as writing:
        assert len(expire(writing, sinks("gone")).reversals) == 1


def test_the_newest_run_is_the_one_recorded_last_whatever_the_clock_says(
    book: Casebook, clock: Clock
) -> None:
    recorded(book, ring("R-1", accounts(6, "a")), name="run-1")
    clock.go_on(hours=-2)
    recorded(book, ring("R-2", accounts(6, "b")), name="run-2")
    assert [one.ring_id for one in went(book).orders] == ["R-2"]


def test_an_old_window_that_opens_again_is_no_ground_for_anything_new(book: Casebook) -> None:
    def windowed(name: str, day: int, *rings: Ring) -> None:
        found = replace(run_of(*rings, name=name), manifest={"window": {"end": f"2026-03-0{day}T00:00:00"}})
        with book.writing("score") as writing:
            record_run(writing, found)

    windowed("first", 1, ring("R-1", accounts(6, "a")))
    windowed("second", 2, ring("R-2", accounts(6, "b")))
    windowed("first again", 1, ring("R-1", accounts(7, "a")))
    assert [one.ring_id for one in went(book).orders] == ["R-2"]
    windowed("third", 3, ring("R-1", accounts(6, "a")))
    assert [one.ring_id for one in went(book).orders] == ["R-1"]
    recorded(book, ring("R-3", accounts(6, "c")), name="of no window")
    assert [one.ring_id for one in went(book).orders] == ["R-3"]


def test_an_order_that_nobody_approved_in_time_is_withdrawn(book: Casebook, clock: Clock) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    waiting = ordered(book, found, approvals=1, expires_at=clock.now + timedelta(days=1))
    kept = ordered(book, found, Action.BAN)
    clock.go_on(days=2)
    done = expired(book)
    assert ([one.order_id for one in done.withdrawn], done.reversals) == ([waiting.order_id], ())
    assert seen(book, order, kept.order_id).status is OrderStatus.ACTIVE
    clock.go_on(days=900)
    assert expired(book) == Expired()


def test_who_a_person_released_stays_released_until_a_person_says_otherwise(
    book: Casebook, clock: Clock
) -> None:
    names = accounts(6)
    recorded(book, ring("R-1", names))
    (placed,) = went(book).orders
    with book.writing("ada") as writing:
        reverse(writing, placed.order_id, "A partner's.", sinks("hook"), names[:1])
    assert went(book) == Automatic()
    clock.go_on(hours=1)
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.CONFIRMED, "Same cards.")
    (suspended,) = asked(book, "R-1").orders
    assert len(seen(book, targets, suspended.order_id)) == 6


def test_whoever_joined_after_the_verdict_meets_only_what_needs_nobody(book: Casebook) -> None:
    names = accounts(8)
    confirmed(book, ring("R-1", names[:4], names[4:5]))
    recorded(book, ring("R-1", names), name="run-2")

    (suspended, monitored) = asked(book, "R-1").orders
    assert [one.account_id for one in seen(book, targets, suspended.order_id)] == names[:4]
    assert [one.account_id for one in seen(book, targets, monitored.order_id)] == names[4:]
    (left,) = seen(book, planned, replace(POLICY, tiers=(SUSPEND,)), ["R-1"], {}, book.now)
    assert {one.why for one in left.plan.left_out} == {Why.UNDER, Why.UNDECIDED}
    banned = by_hand(book, Action.BAN)
    assert [one.account_id for one in seen(book, targets, banned.order_id)] == names[:4]
    assert by_hand(book, Action.SUSPEND, names[7:]).order_id, "named by a person"

    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.CONFIRMED, "The others, too.")
    (suspended,) = asked(book, "R-1").orders
    assert [one.account_id for one in seen(book, targets, suspended.order_id)] == names[4:7]


def test_whom_a_person_found_benign_is_not_even_monitored_where_the_ring_went(book: Casebook) -> None:
    few, many = accounts(4), accounts(6, "q")
    recorded(book, ring("R-1", few), ring("R-2", many))
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.REJECTED, "A class.")
        give_verdict(writing, "R-2", Verdict.CONFIRMED, "Same cards.")
    recorded(book, ring("R-2", [*few, *many]), name="run-2")
    (suspended,) = asked(book, "R-2").orders
    assert [one.account_id for one in seen(book, targets, suspended.order_id)] == many


def test_whom_a_person_let_go_is_not_met_again_without_another_verdict(book: Casebook, clock: Clock) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    (suspended,) = asked(book, "R-1").orders
    with book.writing("ada") as writing:
        reverse(writing, suspended.order_id, "A partner's.", sinks("hook"), accounts(1))
    suspend = replace(POLICY, tiers=(SUSPEND,))
    assert asked(book, "R-1", policy=suspend).orders == ()
    clock.go_on(hours=1)
    with book.writing("ada") as writing:
        give_verdict(writing, found.ring_id, Verdict.CONFIRMED, "No partner's.")
    assert len(asked(book, "R-1", policy=suspend).orders) == 1


def test_watching_whom_a_person_let_go_brings_nothing_harsher_back(book: Casebook, clock: Clock) -> None:
    confirmed(book, ring("R-1", accounts(6)))
    (suspended,) = asked(book, "R-1").orders
    clock.go_on(hours=1)
    with book.writing("ada") as writing:
        reverse(writing, suspended.order_id, "A partner's.", sinks("hook"), accounts(1))
    clock.go_on(hours=1)
    by_hand(book, Action.MONITOR, accounts(1))
    clock.go_on(hours=1)
    assert asked(book, "R-1").orders == ()


@pytest.mark.parametrize("of", ["ring", "account"])
def test_who_is_to_be_watched_is_left_to_persons_in_other_rings_too(book: Casebook, of: str) -> None:
    few, many = accounts(4), accounts(6, "q")
    recorded(book, ring("R-1", few), ring("R-2", many))
    with book.writing("ada") as writing:
        if of == "ring":
            give_verdict(writing, "R-1", Verdict.WATCH, "A class, perhaps.")
        else:
            for one in few:
                give_account_verdict(writing, "R-1", one, Verdict.WATCH, "A class, perhaps.")
    merged = recorded(book, ring("R-2", [*few, *many]), name="run-2")
    assert merged.merged == (("R-1", "R-2"),)
    (placed,) = went(book).orders
    assert [one.account_id for one in seen(book, targets, placed.order_id)] == many

    with book.writing("ada") as writing:
        give_verdict(writing, "R-2", Verdict.CONFIRMED, "All of them.")
    assert len(went(book).orders) == (of == "ring"), "what was said of an account outranks its ring"


def test_whom_a_person_let_go_meanwhile_is_not_met_by_what_waited(book: Casebook, clock: Clock) -> None:
    names = accounts(6)
    found = confirmed(book, ring("R-1", names))
    ran_out = ordered(book, found, Action.MONITOR, expires_at=clock.now + timedelta(hours=1))
    suspended = ordered(book, found)
    waiting = ordered(book, found, Action.BAN, approvals=1)
    clock.go_on(hours=2)
    assert [one.reverses for one in expired(book).reversals] == [ran_out.order_id]
    with book.writing("ada") as writing:
        reverse(writing, suspended.order_id, "A partner's.", sinks("hook"), names[:1])
    with book.writing("bob") as writing, pytest.raises(NotAllowedError, match="_00000 was let go since"):
        approve_order(writing, POLICY, waiting.order_id, {}, sinks("hook"))
    with book.writing("ada") as writing:
        withdraw_order(writing, waiting.order_id, "For fewer.")
    again = ordered(book, found, Action.BAN, approvals=1)
    with book.writing("bob") as writing:
        approved = approve_order(writing, POLICY, again.order_id, {}, sinks("hook"))
    assert approved.status is OrderStatus.ACTIVE, "two persons ordered it knowing that"


def test_allowed_accounts_are_met_by_nothing(book: Casebook) -> None:
    names = accounts(6)
    let_off = {names[0]: "a partner"}
    found = confirmed(book, ring("R-1", names))
    recorded(book, found, name="run-2")
    (monitored,) = went(book, allowed=let_off).orders
    (suspended,) = asked(book, allowed=let_off).orders
    stepped = by_hand(book, Action.BAN, allowed=let_off)
    for placed in (monitored, suspended, stepped):
        assert names[0] not in {one.account_id for one in seen(book, targets, placed.order_id)}
    with pytest.raises(NotAllowedError, match="on the allow-list: a partner"):
        by_hand(book, Action.BAN, [names[0]], allowed=let_off)
    with book.writing("bob") as writing, pytest.raises(NotAllowedError, match="on the allow-list"):
        approve_order(writing, POLICY, stepped.order_id, {names[1]: "a partner since"}, sinks("hook"))
    with book.writing("bob") as writing:
        approved = approve_order(writing, POLICY, stepped.order_id, let_off, sinks("hook"))
    assert approved.status is OrderStatus.ACTIVE


def test_what_was_ordered_live_is_not_approved_in_shadow_mode(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(6)))
    shadow, live = by_hand(book, Action.BAN, policy=SHADOW), by_hand(book, Action.BAN)
    with book.writing("bob") as writing, pytest.raises(NotAllowedError, match="in shadow mode by now"):
        approve_order(writing, SHADOW, live.order_id, {}, sinks("hook"))
    with book.writing("bob") as writing:
        approve_order(writing, SHADOW, shadow.order_id, {}, sinks("hook"))
    assert queued(book) == []


def test_a_ring_that_is_named_is_planned_before_the_verdict(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(6)))
    with book.reading() as connection:
        (found,) = planned(connection, POLICY, ["R-1", "R-1"], {}, book.now)
    assert [one.action for one in found.plan.orders] == [Action.SUSPEND]
    assert "Confirm it first" in str(found.waits_for)
    done = asked(book, "R-1")
    assert (done.orders, len(done.held)) == ((), 1)
    with pytest.raises(UnknownCaseError, match=r"R-9.*Did you mean 'R-1'"):
        asked(book, "R-9")


def test_a_ring_that_was_let_off_waits_for_a_person(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(6)))
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.REJECTED, "A school.")
    assert asked(book, "R-1").held[0].waits_for == "It is rejected; a person said so."


def test_without_names_every_ring_that_the_policy_acts_on_is_ordered(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(6, "a")))
    confirmed(book, ring("R-2", accounts(6, "b"), probability=0.3))
    recorded(
        book,
        ring("R-3", accounts(6, "c")),
        ring("R-4", accounts(6, "d"), decision=Decision.REVIEW),
        name="run-2",
    )
    done = asked(book)
    assert [(one.ring_id, one.action) for one in done.orders] == [
        ("R-1", Action.SUSPEND),
        ("R-3", Action.MONITOR),
    ]
    assert done.held == ()
    assert asked(book) == Asked((), ())


def test_a_ban_waits_for_a_second_person(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(6)))
    (placed,) = asked(book, policy=replace(POLICY, tiers=(BAN, SUSPEND))).orders
    assert placed.status is OrderStatus.AWAITING


@pytest.mark.parametrize(
    ("tiers", "action", "two"),
    [
        ((BAN,), Action.BAN, True),
        ((), Action.BAN, True),
        ((replace(BAN, needs=Needs.VERDICT),), Action.BAN, False),
        ((BAN,), Action.SUSPEND, False),
        ((SUSPEND, replace(SUSPEND, needs=Needs.TWO_PERSONS)), Action.SUSPEND, True),
    ],
)
def test_who_else_must_agree_to_an_order_by_hand(tiers: tuple[Tier, ...], action: Action, two: bool) -> None:
    assert needs_two(Policy(Mode.LIVE, tiers), action) is two


def test_an_order_by_hand_holds_as_long_as_the_policy_says(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(6)))
    assert usual_span(POLICY, Action.MONITOR) == timedelta(days=30)
    assert by_hand(book, Action.MONITOR).expires_at == "2026-03-31T12:00:00.000000Z"
    assert by_hand(book, Action.RATE_LIMIT).expires_at is None
    assert by_hand(book, Action.SUSPEND, span=timedelta(hours=1)).expires_at == "2026-03-01T13:00:00.000000Z"


def test_an_order_by_hand_meets_those_whom_nothing_speaks_for(book: Casebook) -> None:
    names = accounts(6)
    found = confirmed(book, ring("R-1", names, accounts(2, "by")))
    by_hand(book, Action.SUSPEND, names[:1])
    rest = by_hand(book, Action.STEP_UP)
    assert [one.account_id for one in seen(book, targets, rest.order_id)] == names[1:]
    with pytest.raises(NotAllowedError, match="No account of R-1 is left"):
        by_hand(book, Action.STEP_UP)
    with pytest.raises(NotAllowedError, match="bystander"):
        by_hand(book, Action.BAN, [found.members[-1].account_id])
    with pytest.raises(UnknownCaseError, match=r"no member of R-1.*Did you mean"):
        by_hand(book, Action.BAN, ["acct_0000"])
    with pytest.raises(StaleVersionError):
        by_hand(book, Action.BAN, version=1)
    with pytest.raises(UnknownCaseError):
        by_hand(book, Action.BAN, ring_id="R-7")


def test_an_order_by_hand_leaves_the_cleared_alone(book: Casebook) -> None:
    names = accounts(6)
    confirmed(book, ring("R-1", names))
    with book.writing("ada") as writing:
        give_account_verdict(writing, "R-1", names[0], Verdict.REJECTED, "A pupil.")
    placed = by_hand(book)
    assert [one.account_id for one in seen(book, targets, placed.order_id)] == names[1:]


def uncalibrated(found: Ring) -> Ring:
    return replace(found, probability=None, decision=Decision.REVIEW)


def test_a_reason_says_where_nothing_is_calibrated(book: Casebook) -> None:
    found = confirmed(book, uncalibrated(ring("R-1", accounts(6))))
    text = said(PlannedOrder(Action.STEP_UP, Needs.VERDICT, (), None, 4), found)
    assert text == "Tier 4 of the policy: uncalibrated, 2 families of evidence, 6 accounts."
