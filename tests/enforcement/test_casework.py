"""A verdict that lets somebody off undoes all that was ordered, or changes nothing."""

from __future__ import annotations

import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of
from enforce_samples import delivered, ordered, queued, seen, sinks, told

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.life import State, Verdict
from ringfence.enforcement.casework import Decided, decide, undo_ring
from ringfence.enforcement.orders.place import approve
from ringfence.enforcement.orders.records import OrderStatus, cleared, order, standing, targets
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import NotAllowedError, StaleVersionError, UnknownCaseError
from ringfence.records import Action, Decision


def decided(
    book: Casebook,
    ring_id: str,
    verdict: Verdict,
    to: dict[str, Sink] | None = None,
    *,
    reason: str = "A school.",
    account_id: str | None = None,
    version: int | None = None,
) -> Decided:
    with book.writing("eve") as writing:
        return decide(
            writing,
            ring_id,
            verdict,
            reason,
            sinks("hook") if to is None else to,
            account_id=account_id,
            version=version,
        )


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.WATCH])
def test_a_ring_that_is_let_off_is_let_off_everywhere(book: Casebook, verdict: Verdict) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found, Action.RATE_LIMIT)
    waiting = ordered(book, found, Action.BAN, approvals=1)
    delivered(book)
    version = seen(book, case, "R-1").version

    done = decided(book, "R-1", verdict, version=version)

    assert done.case.state == State(verdict)
    assert [one.action for one in done.reversed] == [Action.RATE_LIMIT]
    assert [one.order_id for one in done.withdrawn] == [waiting.order_id]
    assert seen(book, standing) == {}
    assert [event["kind"] for event in told(book)] == ["ring.enforced", "ring.reversed"]
    assert queued(book)[-1] == ("R-1", "ring.reversed", "hook")
    written = book.read("SELECT version, verdict FROM verdicts ORDER BY verdict_id DESC LIMIT 1")
    assert tuple(written[0]) == (version, verdict)


def test_an_automatic_order_on_a_new_ring_is_undone_too(book: Casebook) -> None:
    found = ring("R-1", accounts(6))
    recorded(book, found)
    ordered(book, found, Action.MONITOR, automatic=True)
    done = decided(book, "R-1", Verdict.REJECTED)
    assert len(done.reversed) == 1
    assert queued(book) == []  # It had not been sent: the receiver hears of neither.


def test_confirming_undoes_nothing(book: Casebook) -> None:
    found = ring("R-1", accounts(6))
    recorded(book, found)
    ordered(book, found, Action.MONITOR, automatic=True)
    done = decided(book, "R-1", Verdict.CONFIRMED)
    assert (done.case.state, done.reversed, done.withdrawn) == (State.CONFIRMED, (), ())
    assert set(seen(book, standing).values()) == {Action.MONITOR}


def test_an_enforced_ring_that_is_confirmed_again_stays_enforced(book: Casebook) -> None:
    ordered(book, confirmed(book, ring("R-1", accounts(6))))
    done = decided(book, "R-1", Verdict.CONFIRMED)
    assert (done.case.state, done.reversed) == (State.ENFORCED, ())


def test_nothing_is_undone_where_the_verdict_is_refused(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found)
    before = book.read("SELECT * FROM orders")
    with pytest.raises(StaleVersionError):
        decided(book, "R-1", Verdict.REJECTED, version=1)
    with pytest.raises(NotAllowedError, match="reason"):
        decided(book, "R-1", Verdict.REJECTED, reason="  ")
    delivered(book)
    with pytest.raises(UnknownCaseError, match="hook"):
        decided(book, "R-1", Verdict.REJECTED, {})
    assert book.read("SELECT * FROM orders") == before
    assert seen(book, case, "R-1").state is State.ENFORCED


def test_a_cleared_account_leaves_what_it_is_under(book: Casebook) -> None:
    names = accounts(6)
    found = confirmed(book, ring("R-1", names))
    active = ordered(book, found, Action.RATE_LIMIT)
    waiting = ordered(book, found, Action.BAN, approvals=1)
    done = decided(book, "R-1", Verdict.REJECTED, account_id=names[0])
    assert [one.order_id for one in done.narrowed] == [waiting.order_id]
    assert {one.account_id for one in seen(book, targets, active.order_id, standing=True)} == set(names[1:])
    assert names[0] not in seen(book, standing)
    assert seen(book, cleared, "R-1") == {names[0]}
    assert told(book)[-1]["accounts"][0]["account_id"] == names[0]
    with book.writing("bob") as writing:
        approve(writing, waiting.order_id, sinks("hook"))
    assert names[0] not in seen(book, standing)
    assert seen(book, case, "R-1").state is State.ENFORCED


def test_clearing_the_last_account_of_a_waiting_order_withdraws_it(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(1)))
    waiting = ordered(book, found, Action.BAN, approvals=1)
    done = decided(book, "R-1", Verdict.REJECTED, account_id=found.members[0].account_id)
    assert done.withdrawn[0].order_id == waiting.order_id
    assert seen(book, order, waiting.order_id).status is OrderStatus.WITHDRAWN


@pytest.mark.parametrize("verdict", [Verdict.CONFIRMED, Verdict.WATCH])
def test_other_verdicts_on_an_account_undo_nothing(book: Casebook, verdict: Verdict) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found)
    done = decided(book, "R-1", verdict, account_id=found.members[0].account_id)
    assert done.reversed == ()
    assert len(seen(book, standing)) == 6


def test_what_was_ordered_before_a_merger_is_undone_with_the_ring_that_took_it_in(book: Casebook) -> None:
    first = confirmed(book, ring("R-1", accounts(6, "a")))
    second = ring("R-2", accounts(9, "b"))
    recorded(book, second, name="run-2")
    ordered(book, first, Action.SUSPEND)
    recorded(book, ring("R-9", [*accounts(6, "a"), *accounts(9, "b")]), name="run-3")
    assert seen(book, case, "R-1").succeeded_by == "R-2"
    done = decided(book, "R-2", Verdict.REJECTED)
    assert len(done.reversed) == 1
    assert seen(book, standing) == {}


def test_a_ring_that_split_off_takes_its_accounts_out_of_the_old_order(book: Casebook) -> None:
    names = accounts(12)
    found = confirmed(book, ring("R-1", names))
    suspended = ordered(book, found)
    recorded(book, ring("R-1", names[:8]), ring("R-2", names[8:]), name="run-2")
    done = decided(book, "R-2", Verdict.REJECTED)
    assert len(done.reversed) == 1
    assert set(seen(book, standing)) == set(names[:8])
    assert seen(book, order, suspended.order_id).status is OrderStatus.ACTIVE


def test_what_was_undone_already_is_not_undone_again(book: Casebook) -> None:
    names = accounts(12)
    found = confirmed(book, ring("R-1", names, decision=Decision.REVIEW))
    first = ordered(book, found, Action.MONITOR)
    ordered(book, found, Action.SUSPEND)
    with book.writing("ada") as writing:
        reverse(writing, first.order_id, "Not needed.", sinks("hook"))
    assert len(decided(book, "R-1", Verdict.WATCH).reversed) == 1


def undone(book: Casebook, ring_id: str, *names: str, reason: str = "A partner.") -> Decided:
    with book.writing("eve") as writing:
        return undo_ring(writing, ring_id, reason, sinks("hook"), names or None)


def test_all_that_is_ordered_on_a_ring_is_undone_at_once(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found, Action.RATE_LIMIT)
    ordered(book, found, Action.SUSPEND)
    ordered(book, found, Action.BAN, approvals=1)
    done = undone(book, "R-1")
    assert [one.action for one in done.reversed] == [Action.RATE_LIMIT, Action.SUSPEND]
    assert [one.action for one in done.withdrawn] == [Action.BAN]
    assert done.case.state is State.REVERSED
    assert seen(book, standing) == {}
    with pytest.raises(NotAllowedError, match="Nothing is ordered on R-1"):
        undone(book, "R-1")


def test_some_accounts_of_a_ring_are_released_from_all_orders(book: Casebook) -> None:
    names = accounts(6)
    found = confirmed(book, ring("R-1", names))
    ordered(book, found, Action.RATE_LIMIT, targets=targets_of(found)[:3])
    ordered(book, found, Action.SUSPEND, targets=targets_of(found)[2:])
    ordered(book, found, Action.BAN, approvals=1)
    done = undone(book, "R-1", names[0])
    assert ([one.action for one in done.reversed], len(done.narrowed)) == ([Action.RATE_LIMIT], 1)
    assert set(seen(book, standing)) == set(names[1:])
    with pytest.raises(UnknownCaseError, match=r"under no order on R-1.*Did you mean"):
        undone(book, "R-1", names[0])
    with pytest.raises(NotAllowedError, match="reason"):
        undone(book, "R-1", names[1], reason=" ")
    with pytest.raises(UnknownCaseError, match="no ring"):
        undone(book, "R-9")


def test_what_a_ring_left_behind_when_it_split_off_stays(book: Casebook) -> None:
    names = accounts(12)
    found = confirmed(book, ring("R-1", names))
    ordered(book, found, targets=targets_of(found)[:4])
    recorded(book, ring("R-1", names[:8]), ring("R-2", names[8:]), name="run-2")
    with pytest.raises(NotAllowedError, match="Nothing is ordered on R-2"):
        undone(book, "R-2")
