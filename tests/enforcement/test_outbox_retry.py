"""What a person does about exports that got stuck, and what the outbox tells of each sink."""

from __future__ import annotations

from random import Random

import pytest
from case_samples import accounts, ring
from outbox_samples import ToldSink, a_ring, order_on, sinks_of
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.deliver import Delivered, deliver
from ringfence.enforcement.outbox.retry import dead_letters, resume, retry_all, retry_one
from ringfence.enforcement.outbox.status import SinkStatus, status
from ringfence.enforcement.sinks.protocol import Delivery, GoneError, RefusedError, TryAgainError
from ringfence.errors import NotAllowedError, UnknownCaseError


class PickySink(ToldSink):
    """Refuses, puts off, or ends at what it is told to, by number."""

    def __init__(self, name: str = "place") -> None:
        super().__init__(name)
        self.answers: dict[int, Exception] = {}
        self.before = self._look

    def _look(self, delivery: Delivery) -> None:
        if delivery.number in self.answers:
            raise self.answers[delivery.number]


@pytest.fixture
def sink() -> PickySink:
    return PickySink()


@pytest.fixture
def orders(book: Casebook, sink: PickySink) -> list[str]:
    """Two orders on a ring, one on another."""
    found, other = a_ring(book), a_ring(book, "R-2")
    with book.writing("ada") as writing:
        return [
            order_on(writing, found, (0, 1), sinks_of(sink)).order_id,
            order_on(writing, found, (2, 3), sinks_of(sink)).order_id,
            order_on(writing, other, (0, 1), sinks_of(sink)).order_id,
        ]


def drained(book: Casebook, *sinks: ToldSink) -> Delivered:
    return deliver(book, sinks_of(*sinks), by="sender", backoff=Backoff(most=3), draw=Random(1))


def key_of(book: Casebook, number: int) -> str:
    return str(book.read("SELECT key FROM exports WHERE number = ?", (number,))[0]["key"])


def statuses(book: Casebook) -> list[str]:
    return [row["status"] for row in book.read("SELECT status FROM exports ORDER BY number")]


def stand(book: Casebook, *names: str) -> list[SinkStatus]:
    with book.reading() as connection:
        return status(connection, book.now, 3600.0, names)


@pytest.mark.usefixtures("orders")
def test_a_dead_letter_goes_again_and_what_waited_behind_it_follows(book: Casebook, sink: PickySink) -> None:
    sink.answers = {1: RefusedError("no")}
    assert drained(book, sink) == Delivered(delivered=1, dead=1)
    sink.answers = {}

    with book.writing("ada") as writing:
        assert retry_one(writing, key_of(book, 1)) == [key_of(book, 1)]
    assert drained(book, sink) == Delivered(delivered=2)
    assert [one.number for one in sink.got] == [3, 1, 2]
    assert sink.got[1].attempt == 2, "that it was tried is not forgotten"


@pytest.mark.usefixtures("orders")
def test_what_was_put_back_has_all_but_one_of_its_attempts(
    book: Casebook, sink: PickySink, clock: Clock
) -> None:
    sink.answers = {3: TryAgainError("no")}
    for _attempt in range(3):
        drained(book, sink)
        clock.go_on(hours=2)
    assert statuses(book)[2] == "dead"

    with book.writing("ada") as writing:
        retry_one(writing, key_of(book, 3))
    assert drained(book, sink) == Delivered(failed=1)
    clock.go_on(hours=2)
    assert drained(book, sink) == Delivered(dead=1)


def test_what_a_later_event_has_overtaken_stays(book: Casebook, sink: PickySink, orders: list[str]) -> None:
    sink.answers = {2: RefusedError("no"), 3: RefusedError("no")}
    drained(book, sink)
    with book.writing("ada") as writing:
        reverse(writing, orders[0], "Wrong.", sinks_of(sink))
    assert drained(book, sink) == Delivered(delivered=1)

    with pytest.raises(NotAllowedError, match="later event of R-1"), book.writing("ada") as writing:
        retry_one(writing, key_of(book, 2))
    expected = ([key_of(book, 3)], [key_of(book, 2)])
    with book.reading() as connection:
        assert dead_letters(connection) == expected
        assert dead_letters(connection, key=expected[1][0]) == ([], expected[1])
    with book.writing("ada") as writing:
        assert retry_all(writing) == expected
    assert statuses(book) == ["delivered", "dead", "waiting", "delivered"]


def test_what_may_have_been_overtaken_stays_too(book: Casebook, sink: PickySink, orders: list[str]) -> None:
    sink.answers = {2: RefusedError("no"), 4: TryAgainError("nobody knows")}
    drained(book, sink)
    with book.writing("ada") as writing:
        reverse(writing, orders[0], "Wrong.", sinks_of(sink))
    assert drained(book, sink) == Delivered(failed=1)

    with pytest.raises(NotAllowedError, match="later event"), book.writing("ada") as writing:
        retry_one(writing, key_of(book, 2))


def let_one_go(book: Casebook, sink: PickySink, order: str) -> None:
    with book.writing("ada") as writing:
        reverse(writing, order, "An appeal was right.", sinks_of(sink), ["R-1_00000"])


def test_what_lets_an_account_go_goes_again_with_the_order_it_undoes(
    book: Casebook, sink: PickySink, orders: list[str]
) -> None:
    sink.answers = {1: RefusedError("no"), 4: RefusedError("no")}
    drained(book, sink)
    let_one_go(book, sink, orders[0])
    assert drained(book, sink) == Delivered(dead=1)
    sink.answers = {}
    both = [key_of(book, 1), key_of(book, 4)]

    with book.reading() as connection:
        assert dead_letters(connection, key=both[0]) == (both, [])
    with book.writing("ada") as writing:
        assert retry_one(writing, both[0]) == both
    drained(book, sink)
    assert [one.number for one in sink.got] == [3, 1, 2, 4]


def test_an_order_stays_whose_reversal_may_have_arrived_before_it(
    book: Casebook, sink: PickySink, orders: list[str], clock: Clock
) -> None:
    sink.answers = {1: RefusedError("no"), 4: TryAgainError("nobody knows")}
    drained(book, sink)
    let_one_go(book, sink, orders[0])
    for _attempt in range(3):
        drained(book, sink)
        clock.go_on(hours=2)
    assert statuses(book) == ["dead", "waiting", "delivered", "dead"]

    with pytest.raises(NotAllowedError, match="or may have"), book.writing("ada") as writing:
        retry_one(writing, key_of(book, 1))
    with book.writing("ada") as writing:
        assert retry_all(writing) == ([key_of(book, 4)], [key_of(book, 1)])


def test_what_lets_an_account_go_is_never_too_late_unless_later_orders_stand_on_all(
    book: Casebook, sink: PickySink, orders: list[str]
) -> None:
    drained(book, sink)
    sink.answers = {4: RefusedError("no")}
    let_one_go(book, sink, orders[0])
    drained(book, sink)
    with book.writing("ada") as writing:
        reverse(writing, orders[1], "An appeal was right.", sinks_of(sink))
    assert drained(book, sink) == Delivered(delivered=1), "the later reversal goes past the dead one"

    with book.reading() as connection:
        assert dead_letters(connection) == ([key_of(book, 4)], [])
    with book.writing("ada") as writing:
        again = order_on(writing, ring("R-1", accounts(12, "R-1")), (0,), sinks_of(sink)).order_id
        writing.execute("UPDATE exports SET status = 'delivered', attempts = 1 WHERE status = 'waiting'")
    with book.reading() as connection:
        assert dead_letters(connection) == ([], [key_of(book, 4)])
    with book.writing("ada") as writing:
        reverse(writing, again, "An appeal was right.", sinks_of(sink))
        assert retry_one(writing, key_of(book, 4)) == [key_of(book, 4)]


@pytest.mark.usefixtures("orders")
def test_dead_letters_of_one_sink(book: Casebook, sink: PickySink) -> None:
    sink.answers = {1: RefusedError("no"), 3: RefusedError("no")}
    drained(book, sink)

    with book.writing("ada") as writing:
        assert retry_all(writing, "another") == ([], [])
        assert len(retry_all(writing, "place")[0]) == 2


@pytest.mark.usefixtures("orders")
def test_only_dead_letters_are_put_back(book: Casebook, sink: PickySink) -> None:
    sink.answers = {1: RefusedError("no")}
    drained(book, sink)
    dead = key_of(book, 1)

    with pytest.raises(NotAllowedError, match="is delivered"), book.writing("ada") as writing:
        retry_one(writing, key_of(book, 3))
    with (
        pytest.raises(UnknownCaseError, match=f"Did you mean '{dead}'"),
        book.writing("ada") as writing,
    ):
        retry_one(writing, dead[:-1])


@pytest.mark.usefixtures("orders")
def test_a_halted_sink_goes_on(book: Casebook, sink: PickySink) -> None:
    sink.answers = {1: GoneError("gone")}
    drained(book, sink)
    (before,) = stand(book)
    assert (before.halted, before.due, before.waiting) == ("gone", 0, 2)
    sink.answers = {}

    with book.writing("ada") as writing:
        assert resume(writing, "place") == 2
    (after,) = stand(book)
    assert (after.halted, after.due) == (None, 1)
    assert drained(book, sink) == Delivered(delivered=2)


@pytest.mark.usefixtures("orders")
def test_a_sink_that_is_not_halted_cannot_go_on(book: Casebook, sink: PickySink) -> None:
    with pytest.raises(UnknownCaseError, match="No sink 'place' is halted"), book.writing("ada") as writing:
        resume(writing, "place")


def test_each_sink_is_told_of(book: Casebook, sink: PickySink, orders: list[str], clock: Clock) -> None:
    sink.answers = {1: RefusedError("never"), 3: TryAgainError("closed")}
    drained(book, sink)
    clock.go_on(minutes=2)
    with book.writing("ada") as writing:
        reverse(writing, orders[1], "Wrong.", sinks_of(sink))

    assert stand(book, "place", "unused") == [
        SinkStatus(
            sink="place",
            waiting=1,
            due=1,
            dead=1,
            delivered=0,
            withdrawn=1,
            oldest_seconds=120.0,
            halted=None,
            last_error="closed",
        ),
        SinkStatus("unused", 0, 0, 0, 0, 0, None, None, None),
    ]
    assert stand(book)[0].as_json()["oldest_seconds"] == 120.0
