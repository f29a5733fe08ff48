"""What stands between a mistake and a person, when an order is placed, approved and undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of
from enforce_samples import delivered, ordered, queued, seen, sinks, told
from stopped_clock import START, Clock

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_account_verdict, give_verdict
from ringfence.enforcement.casebook.life import State, Verdict
from ringfence.enforcement.events import Event, Target
from ringfence.enforcement.orders.place import approve, withdraw_order
from ringfence.enforcement.orders.records import OrderStatus, cleared, order, orders, standing, targets
from ringfence.enforcement.orders.reverse import reverse
from ringfence.errors import NotAllowedError, UnknownCaseError
from ringfence.records import Action, Ring, Role


@pytest.fixture
def found(book: Casebook) -> Ring:
    return confirmed(book, ring("R-1", accounts(5), ["flatmate"]))


def _approve(book: Casebook, order_id: str, by: str = "bob") -> None:
    with book.writing(by) as writing:
        approve(writing, order_id, sinks("hook"))


def _reverse(book: Casebook, order_id: str, reason: str = "A mistake.", **more: Any) -> str:
    with book.writing("ada") as writing:
        return reverse(writing, order_id, reason, more.pop("to", sinks("hook")), **more).order_id


def clear(book: Casebook, account: str, in_ring: str = "R-1") -> None:
    with book.writing("ada") as writing:
        give_account_verdict(writing, in_ring, account, Verdict.REJECTED, "Not one of them.")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"action": Action.NONE}, "no action that can be ordered"),
        ({"targets": ()}, "No account"),
        ({"targets": (Target("acct_00001", Role.CORE, 0.9),) * 2}, "twice"),
        ({"targets": (Target("flatmate", Role.CORE, 0.9),)}, "bystander"),
        ({"expires_at": START}, "over before it begins"),
        ({"version": 1}, "version 2, not 1"),
    ],
)
def test_an_order_that_must_not_be_is_refused(
    book: Casebook, found: Ring, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotAllowedError, match=message):
        ordered(book, found, **more)
    assert seen(book, orders) == []
    assert told(book) == []


def test_strangers_are_told_with_near_names(book: Casebook, found: Ring) -> None:
    both = (Target("acct_0001", Role.CORE, 0.9), Target("who", Role.CORE, 0.9))
    with pytest.raises(UnknownCaseError, match=r"acct_0001 and 1 more are no member.*Did you mean"):
        ordered(book, found, targets=both)


def test_only_what_a_person_stands_by_is_ordered(book: Casebook) -> None:
    fresh = ring("R-1", accounts(5))
    recorded(book, fresh)
    with pytest.raises(NotAllowedError, match="only a confirmed ring"):
        ordered(book, fresh)
    assert ordered(book, fresh, Action.MONITOR, automatic=True).status is OrderStatus.ACTIVE
    assert seen(book, case, "R-1").state is State.NEW
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.WATCH, "Not sure.")
    with pytest.raises(NotAllowedError, match="without a person"):
        ordered(book, fresh, Action.BAN, automatic=True)


def test_no_reason_no_order(book: Casebook, found: Ring) -> None:
    placed = ordered(book, found, approvals=1)
    with pytest.raises(NotAllowedError, match="reason"), book.writing("ada") as writing:
        withdraw_order(writing, placed.order_id, " ")
    _approve(book, placed.order_id)
    with pytest.raises(NotAllowedError, match="reason"):
        _reverse(book, placed.order_id, " ")


def test_nothing_is_ordered_twice_but_harsher_is(book: Casebook, found: Ring) -> None:
    ordered(book, found, Action.RATE_LIMIT, targets=targets_of(found)[:2])
    for action in (Action.RATE_LIMIT, Action.MONITOR):
        with pytest.raises(NotAllowedError, match="1 more are under rate-limit"):
            ordered(book, found, action)
    ordered(book, found, Action.SUSPEND)
    ordered(book, found, Action.MONITOR, shadow=True)
    assert set(seen(book, standing).values()) == {Action.SUSPEND}
    recorded(book, ring("R-2", accounts(20, "more")), name="run-2")
    recorded(book, ring("R-2", [*accounts(5), *accounts(20, "more")]), name="run-3")
    with pytest.raises(NotAllowedError, match="merged"):
        ordered(book, found, Action.BAN)


def test_who_is_cleared_in_one_ring_is_cleared_in_all(book: Casebook, found: Ring) -> None:
    other = ring("R-2", ["acct_00001", *accounts(4, "other")])
    confirmed(book, other)
    clear(book, "acct_00001")
    assert seen(book, cleared, "R-2") == {"acct_00001"}
    with pytest.raises(NotAllowedError, match="cleared by a verdict"):
        ordered(book, other)
    with book.writing("ada") as writing:
        give_account_verdict(writing, "R-2", "acct_00001", Verdict.CONFIRMED, "One of them after all.")
    assert seen(book, cleared, "R-1") == frozenset()
    assert ordered(book, other).status is OrderStatus.ACTIVE


def test_a_second_person_approves(book: Casebook, found: Ring) -> None:
    placed = ordered(book, found, Action.BAN, approvals=1)
    assert (placed.status, told(book)) == (OrderStatus.AWAITING, [])
    for same in ("ada", " Ada", "ADA "):
        with pytest.raises(NotAllowedError, match="somebody else"):
            _approve(book, placed.order_id, same)
    _approve(book, placed.order_id)
    now = seen(book, order, placed.order_id)
    assert (now.status, now.approved_by, now.as_json()["action"]) == (OrderStatus.ACTIVE, "bob", "ban")
    (event,) = told(book)
    assert event["decided_by"] == ["ada", "bob"]
    assert Event.from_json(Event.from_json(event).as_json()) == Event.from_json(event)
    assert seen(book, case, "R-1").state is State.ENFORCED
    with pytest.raises(NotAllowedError, match="does not wait"):
        _approve(book, placed.order_id)


def test_runs_and_people_go_on_while_an_order_waits(book: Casebook, found: Ring, clock: Clock) -> None:
    placed = ordered(book, found, Action.BAN, approvals=1, expires_at=START + timedelta(days=2))

    def refused(message: str) -> None:
        with pytest.raises(NotAllowedError, match=rf"(?s){message}.*Withdraw {placed.order_id}"):
            _approve(book, placed.order_id)

    clear(book, "acct_00001")
    refused("cleared")
    with book.writing("ada") as writing:
        give_account_verdict(writing, "R-1", "acct_00001", Verdict.CONFIRMED, "After all.")
    recorded(book, ring("R-1", accounts(4), ["acct_00004", "flatmate"]), name="run-2")
    refused("bystander")
    recorded(book, ring("R-1", accounts(4), ["flatmate"]), name="run-3")
    refused("no member")
    recorded(book, ring("R-1", accounts(5), ["flatmate"]), name="run-4")
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.WATCH, "Not sure.")
    refused("is watch by now")
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.CONFIRMED, "Sure.")
    clock.go_on(days=2)
    refused("was to end by now")
    recorded(book, ring("R-2", accounts(30, "more")), name="run-5")
    recorded(book, ring("R-2", [*accounts(5), *accounts(30, "more")]), name="run-6")
    refused("part of R-2")
    with book.writing("ada") as writing:
        assert withdraw_order(writing, placed.order_id, "Over.").status is OrderStatus.WITHDRAWN


def test_a_harsher_order_meanwhile_is_not_softened(book: Casebook, found: Ring) -> None:
    mild = ordered(book, found, Action.MONITOR, approvals=1)
    ordered(book, found, Action.BAN)
    with pytest.raises(NotAllowedError, match="under ban already"):
        _approve(book, mild.order_id)


def test_a_shadow_order_is_approved_and_sent_nowhere(book: Casebook, found: Ring) -> None:
    placed = ordered(book, found, Action.BAN, approvals=1, shadow=True)
    ordered(book, found, Action.BAN)
    _approve(book, placed.order_id)
    assert queued(book) == [("R-1", "ring.enforced", "hook")]
    _reverse(book, placed.order_id)
    assert seen(book, case, "R-1").state is State.ENFORCED


def test_part_of_an_order_is_undone_and_then_the_rest(book: Casebook, found: Ring) -> None:
    placed = ordered(book, found)
    delivered(book)
    _reverse(book, placed.order_id, accounts=["acct_00001", "acct_00001"])
    assert len(seen(book, targets, placed.order_id, standing=True)) == 4
    assert seen(book, case, "R-1").state is State.ENFORCED
    with pytest.raises(UnknownCaseError, match="acct_00001' is not under"):
        _reverse(book, placed.order_id, accounts=["acct_00001"])
    with pytest.raises(NotAllowedError, match="No account"):
        _reverse(book, placed.order_id, accounts=[])
    _reverse(book, placed.order_id)
    assert seen(book, case, "R-1").state is State.REVERSED
    kinds = [event["kind"] for event in told(book)]
    assert kinds == ["ring.enforced", "ring.reversed", "ring.reversed"]
    assert [len(event["accounts"]) for event in told(book)] == [5, 1, 4]
    assert seen(book, standing) == {}


def test_what_is_not_in_force_is_not_undone(book: Casebook, found: Ring) -> None:
    waiting = ordered(book, found, approvals=1)
    with pytest.raises(NotAllowedError, match="awaiting approval"):
        _reverse(book, waiting.order_id)
    _approve(book, waiting.order_id)
    undone = _reverse(book, waiting.order_id)
    with pytest.raises(NotAllowedError, match="is reversed"):
        _reverse(book, waiting.order_id)
    with pytest.raises(NotAllowedError, match="a reversal"):
        _reverse(book, undone)
    with pytest.raises(UnknownCaseError, match="Did you mean"):
        _reverse(book, undone[:-1])


def test_everyone_who_was_told_must_be_reachable(book: Casebook, found: Ring) -> None:
    placed = ordered(book, found)
    delivered(book)
    with pytest.raises(UnknownCaseError, match="hook, which the sinks file no longer has"):
        _reverse(book, placed.order_id, to={})
    assert seen(book, order, placed.order_id).status is OrderStatus.ACTIVE
    assert seen(book, orders, "R-1", OrderStatus.REVERSED) == []
