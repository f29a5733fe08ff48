"""What a sender does with each outcome, and in which order it sends."""

from __future__ import annotations

import json
import time
from random import Random

import pytest
from outbox_draining import audited, drained, exports, failing, one_order, three_orders
from outbox_samples import PlainSink, ToldSink, a_ring, fill, order_on, sinks_of
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.deliver import Delivered
from ringfence.enforcement.sinks.protocol import Delivery, GoneError, RefusedError, TryAgainError
from ringfence.records import Action

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
