"""Who has what in hand: leases that run out, clocks that jump, senders that are held up or stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from outbox_draining import drained, exports, one_order, other_sender, three_orders
from outbox_samples import ToldSink
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.outbox.deliver import Delivered
from ringfence.enforcement.outbox.lease import LONGEST_LEASE
from ringfence.enforcement.sinks.protocol import Delivery, TryAgainError
from ringfence.errors import CasebookError

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
