"""What people decided becomes labels; what a run said does not."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of
from stopped_clock import START, Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import assign, give_account_verdict, give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.labels import COLUMNS, labels, write_labels
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Request, standing
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.policy.act import automatic
from ringfence.enforcement.policy.records import Mode, Needs, Policy, Tier
from ringfence.errors import OutputError, UsageError
from ringfence.records import Action, Ring
from ringfence.schema import TABLES


def told(book: Casebook, **asked: object) -> Mapping[str, str]:
    with book.reading() as connection:
        return {one.account_id: one.label for one in labels(connection, **asked)}  # type: ignore[arg-type]


def decide(book: Casebook, found: Ring, verdict: Verdict, account: str | None = None) -> None:
    with book.writing("ada") as writing:
        if account is None:
            give_verdict(writing, found.ring_id, verdict, "Looked at it.")
        else:
            give_account_verdict(writing, found.ring_id, account, verdict, "Looked at it.")


def ordered(book: Casebook, found: Ring, **asked: object) -> str:
    request = Request(found.ring_id, Action.SUSPEND, targets_of(found), "Confirmed.", **asked)  # type: ignore[arg-type]
    with book.writing("ada") as writing:
        return place(writing, request, {}).order_id


def test_runs_make_no_labels(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(5)))
    assert told(book) == {}


def test_confirmed_rings_label_who_was_active_and_not_bystanders(book: Casebook) -> None:
    confirmed(book, ring("R-1", ["a", "b", "c"], ["flatmate"]))
    assert told(book) == {"a": "ring", "b": "ring", "c": "ring"}


def test_whoever_joined_after_the_verdict_was_not_decided_on(book: Casebook, clock: Clock) -> None:
    confirmed(book, ring("R-1", ["a", "b", "c"]))
    clock.go_on(days=1)
    recorded(book, ring("R-1", ["b", "c", "d"]), name="run-2")
    assert told(book) == {"a": "ring", "b": "ring", "c": "ring"}


def test_rejected_rings_label_everybody_benign(book: Casebook) -> None:
    found = ring("R-1", ["a", "b", "c"], ["flatmate"])
    recorded(book, found)
    decide(book, found, Verdict.REJECTED)
    assert told(book) == dict.fromkeys(["a", "b", "c", "flatmate"], "benign")


@pytest.mark.parametrize(
    ("verdict", "label"), [(Verdict.REJECTED, "benign"), (Verdict.CONFIRMED, "ring"), (Verdict.WATCH, None)]
)
def test_a_verdict_on_an_account_outranks_the_ring_s(
    book: Casebook, verdict: Verdict, label: str | None
) -> None:
    found = ring("R-1", ["a", "b", "c"])
    recorded(book, found)
    decide(book, found, verdict, "b")
    decide(book, found, Verdict.CONFIRMED)
    assert told(book).get("b") == label
    assert told(book)["a"] == "ring"


def test_the_latest_verdict_on_a_ring_wins_and_watch_says_nothing(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", ["a", "b", "c"]))
    decide(book, found, Verdict.REJECTED)
    assert set(told(book).values()) == {"benign"}
    with book.writing("ada") as writing:
        assign(writing, found.ring_id, "ada")
    decide(book, found, Verdict.WATCH)
    assert told(book) == {}


def test_of_two_rings_the_later_verdict_wins(book: Casebook) -> None:
    one, other = ring("R-1", ["a", "b", "c"]), ring("R-2", ["c", "d", "e", "f", "g", "h"])
    recorded(book, one)
    recorded(book, other, name="run-2")
    decide(book, other, Verdict.REJECTED)
    decide(book, one, Verdict.CONFIRMED)
    assert told(book)["c"] == "ring"
    assert told(book)["d"] == "benign"


def test_what_was_decided_before_a_time_never_changes(book: Casebook, clock: Clock) -> None:
    found = confirmed(book, ring("R-1", ["a", "b", "c"]))
    clock.go_on(days=1)
    before = clock.now
    assert told(book, before=START) == {}
    assert told(book, before=before) == dict.fromkeys("abc", "ring")
    order_id = ordered(book, found)
    clock.go_on(days=1)
    with book.writing("eve") as writing:
        reverse(writing, order_id, "A mistake.", {})
    decide(book, found, Verdict.REJECTED, "a")
    assert told(book) == {"a": "benign"}
    assert told(book, before=before) == dict.fromkeys("abc", "ring")


def test_an_order_that_was_undone_leaves_no_label_and_one_that_ran_out_does(
    book: Casebook, clock: Clock
) -> None:
    undone, over = ring("R-1", ["a", "b", "c"]), ring("R-2", ["d", "e", "f"])
    for found in (undone, over):
        confirmed(book, found)
    first = ordered(book, undone)
    second = ordered(book, over, expires_at=START + timedelta(days=1))
    clock.go_on(days=1)
    with book.writing("eve") as writing:
        reverse(writing, first, "Operator asked.", {}, ["a"])
        reverse(writing, second, "It ran out.", {})
    assert told(book) == dict.fromkeys("bcdef", "ring")


def test_an_order_that_a_harsher_one_replaced_undoes_nothing(book: Casebook, clock: Clock) -> None:
    found = confirmed(book, ring("R-1", ["a", "b", "c"]))
    mild = ordered(book, found)
    clock.go_on(hours=1)
    with book.writing("ada") as writing:
        place(writing, Request(found.ring_id, Action.BAN, targets_of(found), "Again."), {})
        reverse(writing, mild, "Banned instead.", {})
    assert told(book) == dict.fromkeys("abc", "ring")


def test_confirming_again_after_an_undone_order_labels_again(book: Casebook, clock: Clock) -> None:
    found = confirmed(book, ring("R-1", ["a", "b", "c"]))
    order_id = ordered(book, found)
    clock.go_on(hours=1)
    with book.writing("ada") as writing:
        reverse(writing, order_id, "Not sure.", {})
    assert told(book) == {}
    clock.go_on(hours=1)
    with book.writing("ada") as writing:
        assign(writing, found.ring_id, "ada")
    decide(book, found, Verdict.CONFIRMED)
    assert told(book) == dict.fromkeys("abc", "ring")


def test_labels_are_written_in_three_formats_with_ids_as_they_are(book: Casebook, tmp_path: Path) -> None:
    confirmed(book, ring("R-1", ["=1+1", 'b,"c', "d"]))
    with book.reading() as connection:
        rows = labels(connection)
    expected = [row.as_json() for row in rows]
    assert [row["account_id"] for row in expected] == ["=1+1", 'b,"c', "d"]
    for ending in ("csv", "ndjson", "parquet"):
        write_labels(tmp_path / "new" / f"labels.{ending}", rows)
    with (tmp_path / "new" / "labels.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == expected
    lines = (tmp_path / "new" / "labels.ndjson").read_text().splitlines()
    assert [json.loads(line) for line in lines] == expected
    table = pq.read_table(tmp_path / "new" / "labels.parquet")
    assert table.column_names == list(COLUMNS)
    assert table["ts"].to_pylist() == [row.ts for row in rows]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "labels.csv",
        "labels.ndjson",
        "labels.parquet",
    ]


def test_columns_are_those_of_the_canonical_table() -> None:
    assert [column.name for column in TABLES["labels"].columns] == list(COLUMNS)


def test_other_formats_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.csv"):
        write_labels(tmp_path / "labels.xlsx", [])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        write_labels(tmp_path / "file" / "labels.csv", [])


def test_what_goes_by_itself_never_meets_whom_people_found_benign(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(12)))
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.REJECTED, "A school.")
    split = recorded(
        book, ring("R-1", accounts(12)[:7]), ring("R-7", [*accounts(12)[7:], "new"]), name="run-2"
    )
    assert split.split == (("R-7", "R-1"),)
    policy = Policy(Mode.LIVE, (Tier(Action.MONITOR, Needs.NOBODY, 0.9, 0.5),))
    with book.writing("score") as writing:
        automatic(writing, policy, {}, {})
    with book.reading() as connection:
        assert standing(connection) == {"new": Action.MONITOR}
