"""What a sender does with each outcome, in which order it sends, and what it does when it is stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from outbox_samples import PlainSink, ToldSink, a_ring, fill, order_on, sinks_of
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.deliver import Delivered, deliver
from ringfence.enforcement.outbox.lane import Lane
from ringfence.enforcement.outbox.lease import LONGEST_LEASE, Terms
from ringfence.enforcement.sinks.protocol import Delivery, GoneError, RefusedError, TryAgainError
from ringfence.errors import CasebookError
from ringfence.records import Action

BACKOFF = Backoff(first=10.0, longest=1000.0, most=3)


def drained(book: Casebook, *sinks: Any, **options: Any) -> Delivered:
    return deliver(book, sinks_of(*sinks), by="sender", backoff=BACKOFF, draw=Random(1), **options)


def exports(book: Casebook, **having: object) -> list[dict[str, Any]]:
    rows = [dict(row) for row in book.read("SELECT * FROM exports ORDER BY number")]
    return [row for row in rows if all(row[name] == value for name, value in having.items())]


def audited(book: Casebook, what: str) -> list[dict[str, Any]]:
    entries = [json.loads(row["entry"]) for row in book.read("SELECT entry FROM audit ORDER BY place")]
    return [entry for entry in entries if entry["what"] == what]


def one_order(book: Casebook, *sinks: Any, ring: str = "R-1", members: tuple[int, ...] = (0, 1, 2)) -> str:
    found = a_ring(book, ring)
    with book.writing("ada") as writing:
        return order_on(writing, found, members, sinks_of(*sinks)).order_id


def failing(error: Exception, times: int = 1000) -> Callable[[Delivery], None]:
    left = [times]

    def fail(_delivery: Delivery) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return fail


def other_sender(book: Casebook) -> list[Any]:
    with book.writing("other") as writing:
        return Lane("place", 1).take(writing, 0, Terms("other", 60.0, BACKOFF.longest))


# What comes of an attempt


def test_an_event_is_delivered_and_audited(book: Casebook) -> None:
    sink = ToldSink()
    one_order(book, sink)

    assert drained(book, sink) == Delivered(delivered=1)

    (row,) = exports(book)
    assert (row["status"], row["attempts"], row["receipt"]) == ("delivered", 1, "got it")
    assert row["leased_by"] is row["leased_until"] is None
    assert sink.got[0].key == row["key"]
    assert sink.got[0].body == row["body"]
    (entry,) = audited(book, "export delivered")
    assert entry["key"] == row["key"]
    assert "got it" not in json.dumps(entry)


def test_nothing_is_due_and_nothing_is_done(book: Casebook) -> None:
    assert drained(book, ToldSink()) == Delivered()
    assert audited(book, "export delivered") == []


def test_a_failure_waits_and_is_tried_again(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)
    sink.before = failing(TryAgainError("closed today"), times=1)

    assert drained(book, sink) == Delivered(failed=1)
    (row,) = exports(book)
    assert (row["status"], row["attempts"], row["last_error"]) == ("waiting", 1, "closed today")
    assert 0 < row["due_at"] - clock.now.timestamp() <= 10.0
    assert drained(book, sink) == Delivered()

    clock.go_on(seconds=10.1)
    assert drained(book, sink) == Delivered(delivered=1)
    assert sink.got[0].attempt == 2
    assert exports(book)[0]["last_error"] is None


def test_the_other_side_says_when(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)
    sink.before = failing(TryAgainError("later", after=500.0))

    drained(book, sink)

    assert exports(book)[0]["due_at"] == pytest.approx(clock.now.timestamp() + 500.0)


def test_after_so_many_attempts_it_is_dead(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)
    sink.before = failing(TryAgainError("no"))

    results = []
    for _attempt in range(4):
        results.append(drained(book, sink))
        clock.go_on(seconds=1001)

    assert results == [Delivered(failed=1), Delivered(failed=1), Delivered(dead=1), Delivered()]
    assert exports(book)[0]["status"] == "dead"
    assert audited(book, "export dead")[0]["refused"] is False


def test_what_is_refused_is_dead_at_once(book: Casebook) -> None:
    sink = ToldSink()
    one_order(book, sink)
    sink.before = failing(RefusedError("never"))

    assert drained(book, sink) == Delivered(dead=1)
    assert exports(book)[0]["last_error"] == "never"
    assert audited(book, "export dead")[0]["refused"] is True


def test_a_sink_that_wants_nothing_more_is_halted(book: Casebook, clock: Clock) -> None:
    sink, other = ToldSink(), ToldSink("other")
    one_order(book, sink, other)
    one_order(book, sink, other, ring="R-2")
    sink.before = failing(GoneError("gone"))

    done = drained(book, sink, other)

    assert (done.halted, done.delivered) == (2, 2)
    clock.go_on(days=1)
    assert drained(book, sink, other) == Delivered()
    assert [row["reason"] for row in book.read("SELECT * FROM halts")] == ["gone"]
    assert {row["status"] for row in exports(book, sink="place")} == {"waiting"}


def test_a_body_that_was_tampered_with_is_not_sent(book: Casebook) -> None:
    sink = ToldSink()
    one_order(book, sink)
    with book.writing("mallory") as writing:
        writing.execute("UPDATE exports SET body = ?", (b"ban everybody",))

    assert drained(book, sink) == Delivered(dead=1)
    assert sink.got == []
    assert "not the one that was queued" in exports(book)[0]["last_error"]


def test_a_mistake_of_a_sink_stops_nothing_else(book: Casebook) -> None:
    sink, other = ToldSink(), PlainSink("other")
    one_order(book, sink, other)
    sink.before = failing(ZeroDivisionError("division by zero"))

    assert drained(book, sink, other) == Delivered(delivered=1, failed=1)
    assert "by mistake: ZeroDivisionError" in exports(book, sink="place")[0]["last_error"]


def test_exports_to_sinks_that_are_not_given_stay(book: Casebook) -> None:
    sink, other = ToldSink(), ToldSink("other")
    one_order(book, sink, other)

    assert drained(book, sink) == Delivered(delivered=1)
    assert exports(book, sink="other")[0]["attempts"] == 0


def test_the_attempt_is_counted_before_the_bytes_leave(book: Casebook) -> None:
    sink = ToldSink()
    one_order(book, sink)
    counted = []

    def look(_delivery: Delivery) -> None:
        with Casebook.open(book.path) as beside, beside.writing("looker"):
            counted.append(beside.read("SELECT attempts FROM exports")[0]["attempts"])

    sink.before = look
    drained(book, sink)

    assert counted == [1], "and no transaction was open, or the looker could not have written"


def test_many_go_at_once_and_progress_is_told(book: Casebook) -> None:
    sink = ToldSink(most_at_once=8)
    fill(book, sinks_of(sink), rings=50, events=4)
    together, most, shares = [0], [0], []

    def count(_delivery: Delivery) -> None:
        together[0] += 1
        most[0] = max(most[0], together[0])
        time.sleep(0.001)
        together[0] -= 1

    sink.before = count
    assert drained(book, sink, tick=shares.append) == Delivered(delivered=200)
    assert 1 < most[0] <= 8
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    order = [(one.ring_id, one.number) for one in sink.got]
    for ring in {ring for ring, _ in order}:
        numbers = [number for its, number in order if its == ring]
        assert numbers == sorted(numbers)


# The order of a ring's events


def three_orders(book: Casebook, sink: ToldSink) -> list[str]:
    found = a_ring(book)
    with book.writing("ada") as writing:
        return [
            order_on(writing, found, (member, member + 1), sinks_of(sink)).order_id for member in (0, 2, 4)
        ]


def test_nothing_overtakes_what_failed(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    three_orders(book, sink)
    sink.before = failing(TryAgainError("no"), times=1)

    assert drained(book, sink) == Delivered(failed=1)
    clock.go_on(seconds=11)
    assert drained(book, sink) == Delivered(delivered=3)
    assert [one.number for one in sink.got] == [1, 2, 3]


def test_behind_a_dead_letter_nothing_goes_but_reversals(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    first, _second, third = three_orders(book, sink)
    sink.before = lambda one: failing(RefusedError("no"))(one) if one.number == 2 else None
    assert drained(book, sink) == Delivered(delivered=1, dead=1)
    clock.go_on(days=1)
    assert drained(book, sink) == Delivered(), "the third waits behind the dead second"

    with book.writing("ada") as writing:
        reverse(writing, third, "Wrong.", sinks_of(sink), ["R-1_00004"])
        reverse(writing, first, "Wrong.", sinks_of(sink), ["R-1_00000"])
        reverse(writing, first, "Wrong.", sinks_of(sink))
    assert drained(book, sink) == Delivered(delivered=2)

    told = [one.number for one in sink.got]
    assert told == [1, 5, 6], "4 must not overtake what it undoes, which is stuck"


def test_a_reversal_behind_a_dead_letter_waits_for_what_is_free_to_go(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    first, *_ = three_orders(book, sink)
    sink.before = lambda one: failing(RefusedError("no"))(one) if one.number == 2 else None
    drained(book, sink)
    with book.writing("ada") as writing:
        # A person put the second back while the third was dead.
        writing.execute("UPDATE exports SET status = 'dead' WHERE number = 3")
        writing.execute("UPDATE exports SET status = 'waiting' WHERE number = 2")
        reverse(writing, first, "Wrong.", sinks_of(sink))
    sink.before = failing(TryAgainError("not now"), times=1)

    assert drained(book, sink) == Delivered(failed=1)
    clock.go_on(seconds=1001)
    assert drained(book, sink) == Delivered(delivered=2)
    assert [one.number for one in sink.got] == [1, 2, 4]


def test_other_rings_and_sinks_are_not_held_up(book: Casebook) -> None:
    sink, other = ToldSink(), ToldSink("other")
    one_order(book, sink, other)
    one_order(book, sink, other, ring="R-2")
    sink.before = lambda one: failing(RefusedError("no"))(one) if one.ring_id == "R-1" else None

    assert drained(book, sink, other) == Delivered(delivered=3, dead=1)


# Reversed before it arrived


def test_what_was_never_tried_is_withdrawn_with_what_would_undo_parts_of_it(book: Casebook) -> None:
    sink = ToldSink()
    order = one_order(book, sink)
    with book.writing("ada") as writing:
        reverse(writing, order, "Wrong.", sinks_of(sink), ["R-1_00000"])
        reverse(writing, order, "Wrong.", sinks_of(sink))

    assert {row["status"] for row in exports(book)} == {"withdrawn"}
    assert drained(book, sink) == Delivered()
    assert len(audited(book, "export withdrawn")) == 2


def test_what_is_withdrawn_on_its_way_and_arrives_is_delivered(book: Casebook) -> None:
    sink = ToldSink()
    order = one_order(book, sink)
    sink.before = lambda one: undo(book, order, sink) if one.number == 1 else None

    assert drained(book, sink) == Delivered(delivered=2)
    assert [one.number for one in sink.got] == [1, 2]
    assert {row["status"] for row in exports(book)} == {"delivered"}


def test_what_is_withdrawn_on_its_way_and_fails_stays_withdrawn(book: Casebook) -> None:
    sink = ToldSink()
    order = one_order(book, sink)

    def undo_and_fail(one: Delivery) -> None:
        if one.number == 1:
            undo(book, order, sink)
            raise TryAgainError("nobody knows")

    sink.before = undo_and_fail
    assert drained(book, sink) == Delivered(delivered=1, withdrawn=1)
    assert [one.number for one in sink.got] == [2], "the reversal follows: the order may have arrived"
    assert exports(book)[0]["status"] == "withdrawn"


def undo(book: Casebook, order: str, sink: ToldSink) -> None:
    with Casebook.open(book.path, clock=lambda: book.now) as beside, beside.writing("grace") as writing:
        reverse(writing, order, "Wrong.", sinks_of(sink))


# Leases and clocks


def test_what_another_sender_has_in_hand_is_left_alone(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    three_orders(book, sink)
    assert len(other_sender(book)) == 1, "of each ring one"

    assert drained(book, sink) == Delivered()
    clock.go_on(seconds=61)
    assert drained(book, sink) == Delivered(delivered=3), "a sender that died leaves a lease that ends"
    assert sink.got[0].attempt == 2


def test_a_lease_from_a_clock_that_ran_ahead_is_void(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)
    clock.go_on(days=3)
    other_sender(book)
    clock.go_on(days=-3)

    assert drained(book, sink) == Delivered(delivered=1)


def test_a_lease_holds_when_the_clock_is_set_back_a_little(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)
    other_sender(book)
    clock.go_on(seconds=60 - LONGEST_LEASE + 1)

    assert drained(book, sink) == Delivered()


def test_a_wait_from_a_clock_that_ran_ahead_is_over(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    clock.go_on(days=400)
    one_order(book, sink)
    clock.go_on(days=-400)

    assert drained(book, sink) == Delivered(delivered=1)


def test_who_lost_its_lease_and_fails_changes_nothing(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)

    def dawdle(_one: Delivery) -> None:
        taken_over(book, clock)
        raise TryAgainError("too late")

    sink.before = dawdle
    assert drained(book, sink) == Delivered(overtaken=1)
    (row,) = exports(book)
    assert (row["leased_by"], row["attempts"], row["last_error"]) == ("other", 2, None)


def test_who_lost_its_lease_and_delivers_has_delivered(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)
    sink.before = lambda _one: taken_over(book, clock)

    assert drained(book, sink) == Delivered(delivered=1)
    (row,) = exports(book)
    assert (row["status"], row["leased_by"]) == ("delivered", "other")


def test_a_failure_after_another_sender_delivered_is_none(book: Casebook, clock: Clock) -> None:
    sink = ToldSink()
    one_order(book, sink)

    def deliver_elsewhere(_one: Delivery) -> None:
        with Casebook.open(book.path, clock=clock) as beside, beside.writing("other") as writing:
            writing.execute("UPDATE exports SET status = 'delivered', delivered_at = ?", (writing.stamp,))
        raise TryAgainError("nobody knows")

    sink.before = deliver_elsewhere
    assert drained(book, sink) == Delivered(overtaken=1)
    assert exports(book)[0]["status"] == "delivered"


def taken_over(book: Casebook, clock: Clock) -> None:
    clock.go_on(seconds=500)
    with Casebook.open(book.path, clock=clock) as beside:
        assert len(other_sender(beside)) == 1


def test_a_slow_sink_keeps_its_lease(book: Casebook) -> None:
    """Real time: sending takes longer than a lease, and a second sender finds nothing to do."""
    sink = ToldSink()
    one_order(book, sink)
    found: list[int] = []

    def slow(_one: Delivery) -> None:
        began = time.monotonic()
        while time.monotonic() - began < 1.4:
            time.sleep(0.1)
            with Casebook.open(book.path) as beside:
                found.append(len(other_sender(beside)))

    sink.before = slow
    with Casebook.open(book.path) as real:
        assert drained(real, sink, lease=1.0) == Delivered(delivered=1)
    assert not any(found)


def test_a_sender_that_was_held_up_begins_nothing_with_an_old_lease(
    book: Casebook, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = ToldSink(most_at_once=1)
    for name in ("R-1", "R-2", "R-3"):
        one_order(book, sink, ring=name)
    ahead, left = [0.0], []
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + ahead[0])

    def hold_up(one: Delivery) -> None:
        if one.ring_id == "R-1":
            ahead[0] = 119.0
            clock.go_on(seconds=119)
            return
        with Casebook.open(book.path) as beside:
            (row,) = beside.read("SELECT leased_until FROM exports WHERE key = ?", (one.key,))
            left.append(row["leased_until"] - clock.now.timestamp())

    sink.before = hold_up
    assert drained(book, sink, lease=120.0) == Delivered(delivered=3)
    assert left == pytest.approx([120.0, 120.0])
    assert {row["attempts"] for row in exports(book)} == {1}, "what was put back was not tried"


def test_what_another_sender_took_over_is_not_begun(book: Casebook, clock: Clock) -> None:
    """A sender is held up with one export while another takes over the one that waits for its turn."""
    sink = ToldSink(most_at_once=1)
    one_order(book, sink)
    one_order(book, sink, ring="R-2")
    taken = threading.Event()

    def hold_up(one: Delivery) -> None:
        clock.go_on(seconds=500)
        with Casebook.open(book.path, clock=clock) as beside:
            assert len(other_sender(beside)) == 2
        taken.set()
        time.sleep(0.25)

    sink.before = hold_up
    done = drained(book, sink, lease=0.3)

    assert taken.is_set()
    assert done == Delivered(delivered=1)
    assert [one.ring_id for one in sink.got] == ["R-1"]
    assert exports(book)[1]["leased_by"] == "other"


# Stopping


def test_a_sender_that_is_stopped_puts_back_what_it_did_not_begin(book: Casebook) -> None:
    sink = ToldSink(most_at_once=1)
    for name in ("R-1", "R-2", "R-3"):
        one_order(book, sink, ring=name)

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    sink.before = lambda _one: time.sleep(0.05)
    with pytest.raises(KeyboardInterrupt):
        drained(book, sink, tick=stop)

    rows = exports(book)
    assert [row["status"] for row in rows] == ["delivered", "waiting", "waiting"]
    assert [row["attempts"] for row in rows] == [1, 0, 0]
    assert {row["leased_by"] for row in rows} == {None}


class Watched(Casebook):
    """Says when a step failed."""

    failed: Callable[[], None]

    @contextmanager
    def writing(self, by: str) -> Iterator[Writing]:
        try:
            with super().writing(by) as writing:
                yield writing
        except CasebookError:
            self.failed()
            raise


@pytest.mark.parametrize(("let_go", "status"), [(True, "delivered"), (False, "waiting")])
def test_a_casebook_that_is_held_is_told_and_what_was_sent_is_written_down_if_it_can(
    book: Casebook, let_go: bool, status: str
) -> None:
    sink = ToldSink()
    one_order(book, sink)
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with Casebook.open(book.path) as beside, beside.writing("other"):
            locked.set()
            over.wait()

    holding = threading.Thread(target=hold)

    def lock(_one: Delivery) -> None:
        holding.start()
        locked.wait()

    def end() -> None:
        if let_go:
            over.set()
            holding.join()

    sink.before = lock
    with Watched.open(book.path, patience=0.1) as impatient:
        impatient.failed = end
        with pytest.raises(CasebookError, match="holds it"):
            drained(impatient, sink)
    over.set()
    holding.join()

    (row,) = exports(book)
    assert (row["status"], row["attempts"]) == (status, 1), "that it may have arrived is known in any case"


# How long to wait


def test_waits_double_up_to_the_longest_and_are_drawn() -> None:
    backoff, draw = Backoff(first=2.0, longest=60.0), Random(5)

    for attempts in range(1, 200):
        ceiling = min(60.0, 2.0 * 2 ** (attempts - 1))
        waits = [backoff.wait(attempts, draw) for _ in range(50)]
        assert all(0 <= wait <= ceiling for wait in waits)
        assert max(waits) > ceiling / 2 > min(waits)


@pytest.mark.parametrize(("after", "least"), [(None, 0.0), (30.0, 30.0), (1e9, 60.0)])
def test_a_wait_is_as_long_as_the_other_side_asks_within_reason(after: float | None, least: float) -> None:
    assert least <= Backoff(longest=60.0).wait(1, Random(1), after) <= max(least, 2.0)


def test_counts_add_up() -> None:
    assert Delivered(1, 2, 3, 4, 5, 6) + Delivered(delivered=1) == Delivered(2, 2, 3, 4, 5, 6)
    assert Delivered(failed=2).as_json()["failed"] == 2


def test_an_unrelated_action_is_delivered_too(book: Casebook) -> None:
    sink = ToldSink()
    found = a_ring(book)
    with book.writing("ada") as writing:
        order_on(writing, found, (0,), sinks_of(sink), Action.MONITOR)

    assert drained(book, sink) == Delivered(delivered=1)
