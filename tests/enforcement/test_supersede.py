"""A ring that merged or split after something was sent: everyone who was told learns its new ids."""

from __future__ import annotations

from typing import Any

from case_samples import accounts, confirmed, ring, run_of
from enforce_samples import ordered, queued, sinks, told

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.enforcement.supersede import Announced, announce
from ringfence.records import Ring


def record(book: Casebook, name: str, *rings: Ring, to: dict[str, Sink] | None = None) -> Announced:
    with book.writing("score") as writing:
        done = record_run(writing, run_of(*rings, name=name))
        return announce(writing, done, sinks("hook", "siem") if to is None else to)


def superseding(book: Casebook, ring_id: str) -> dict[str, Any]:
    (event,) = [one for one in told(book, ring_id) if one["kind"] == "ring.superseded"]
    return event


def exported(book: Casebook, *names: str, ring_id: str = "R-1", size: int = 6, to: str = "hook") -> Ring:
    found = confirmed(book, ring(ring_id, names or accounts(size, ring_id)))
    ordered(book, found, to=sinks(to))
    return found


def test_a_ring_that_merged_is_told_by_its_new_name_to_whom_it_was_told(book: Casebook) -> None:
    exported(book)
    record(book, "run-2", ring("R-2", accounts(9, "R-2")))
    done = record(book, "run-3", ring("R-9", [*accounts(6, "R-1"), *accounts(9, "R-2")]))
    assert done == Announced(("R-1",))
    event = superseding(book, "R-1")
    assert (event["superseded_by"], event["accounts"], event["action"]) == (["R-2"], [], "none")
    assert event["version"] > told(book, "R-1")[0]["version"]
    assert event["ring_opened_at"] == told(book, "R-1")[0]["ring_opened_at"]
    assert queued(book) == [("R-1", "ring.enforced", "hook"), ("R-1", "ring.superseded", "hook")]


def test_a_ring_that_split_goes_by_all_of_its_names(book: Casebook) -> None:
    names = accounts(12)
    exported(book, *names)
    done = record(book, "run-2", ring("R-1", names[:6]), ring("R-2", names[6:9]), ring("R-3", names[9:]))
    assert done.rings == ("R-1",)
    assert superseding(book, "R-1")["superseded_by"] == ["R-1", "R-2", "R-3"]


def test_what_was_sent_nowhere_is_superseded_for_nobody(book: Casebook) -> None:
    names = accounts(12)
    confirmed(book, ring("R-1", names))
    assert record(book, "run-2", ring("R-1", names[:6]), ring("R-2", names[6:])) == Announced()
    assert record(book, "run-2") == Announced(), "a run known already announces nothing"


def test_what_was_withdrawn_before_it_was_sent_counts_as_unsent(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(12)))
    placed = ordered(book, found)
    with book.writing("ada") as writing:
        reverse(writing, placed.order_id, "A partner.", sinks("hook"))
    assert record(book, "run-2", ring("R-1", accounts(12)[:6]), ring("R-2", accounts(12)[6:])) == Announced()


def test_a_sink_that_is_gone_is_told_of(book: Casebook) -> None:
    exported(book)
    record(book, "run-2", ring("R-2", accounts(9, "R-2")))
    merged = ring("R-9", [*accounts(6, "R-1"), *accounts(9, "R-2")])
    done = record(book, "run-3", merged, to=sinks("siem"))
    assert done == Announced((), ("hook",))
    entries = [bytes(row["entry"]) for row in book.read("SELECT entry FROM audit")]
    assert sum(b'"what":"superseding untold"' in entry for entry in entries) == 1


def test_a_name_that_was_told_is_followed_further(book: Casebook) -> None:
    exported(book)
    record(book, "run-2", ring("R-2", accounts(9, "R-2")))
    record(book, "run-3", ring("R-9", [*accounts(6, "R-1"), *accounts(9, "R-2")]))
    record(book, "run-4", ring("R-3", accounts(20, "R-3")))
    everyone = [*accounts(6, "R-1"), *accounts(9, "R-2"), *accounts(20, "R-3")]
    done = record(book, "run-5", ring("R-9", everyone))
    assert done.rings == ("R-2",)
    assert superseding(book, "R-2")["superseded_by"] == ["R-3"]
    assert queued(book)[-1] == ("R-2", "ring.superseded", "hook")


def test_a_ring_that_lost_half_to_another_goes_on_where_its_rest_is(book: Casebook) -> None:
    names = accounts(9)
    exported(book, *names)
    record(book, "run-2", ring("R-2", accounts(20, "R-2")))
    done = record(book, "run-3", ring("R-2", [*accounts(20, "R-2"), *names[:5]]), ring("R-7", names[5:]))
    assert done == Announced()
