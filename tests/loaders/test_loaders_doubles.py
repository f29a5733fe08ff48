"""Rows that come twice, and rows that contradict each other."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import TS, Outcome, load, load_files, put, written

PAYMENTS = ("payment_id", "account_id", "instrument_id", "amount_usd")


def payments(*rows: tuple[str, ...], suffix: str = ".csv") -> object:
    return written([dict(zip(PAYMENTS, row, strict=True)) for row in rows], PAYMENTS, suffix)


def totals(out: Outcome) -> tuple[int, ...]:
    return tuple(sum(counts) for counts in zip(*(out.counts(f.file) for f in out.loaded.files), strict=True))


ONE, TWO, OTHER = ("p1", "a", "i", "5"), ("p2", "a", "i", "5"), ("p1", "b", "i", "5")


def test_an_identical_row_counts_once(tmp_path: Path) -> None:
    out = load_files(tmp_path, payments_csv=payments(ONE, TWO, ONE, ONE))
    assert out.column("payments", "payment_id") == ["p1", "p2"]
    assert out.counts("payments.csv") == (4, 2, 0, 2)


@pytest.mark.parametrize("rows", list(permutations([ONE, ONE, OTHER, TWO], 4))[::5])
def test_rows_that_contradict_each_other_are_all_refused(
    tmp_path: Path, rows: tuple[tuple[str, ...], ...]
) -> None:
    out = load_files(tmp_path, payments_csv=payments(*rows))
    assert out.column("payments", "payment_id") == ["p2"]
    lines = [2 + place for place, row in enumerate(rows) if row[0] == "p1"]
    assert out.refused() == [("payments.csv", line, "payment_id") for line in lines]
    assert {r["reason"] for r in out.rejections()} == {"is shared by rows of different contents"}


@pytest.mark.parametrize("second", [".csv.gz", ".ndjson", ".parquet"])
def test_doubles_are_found_across_files_and_formats(tmp_path: Path, second: str) -> None:
    put(tmp_path / "in/payments/1.csv", payments(ONE, TWO))
    put(tmp_path / f"in/payments/2{second}", payments(("p1", "b", "i", "5"), TWO, suffix=second))
    out = load(tmp_path / "in")
    assert out.column("payments", "payment_id") == ["p2"]
    assert out.counts("payments/1.csv") == (2, 1, 1, 0)
    assert out.counts(f"payments/2{second}") == (2, 0, 1, 1)


def test_the_way_a_value_is_written_makes_no_contradiction(tmp_path: Path) -> None:
    out = load_files(
        tmp_path, payments_csv=payments(ONE, ("p1", "a", "i", "5.00"), (" p1 ", "a", "i", "5e0"))
    )
    assert out.counts("payments.csv") == (3, 1, 0, 2)


def test_a_refused_row_contradicts_nothing(tmp_path: Path) -> None:
    out = load_files(tmp_path, payments_csv=payments(ONE, ("p1", "a", "i", "many")))
    assert out.counts("payments.csv") == (2, 1, 1, 0)


def test_tables_without_a_key_drop_only_whole_rows(tmp_path: Path) -> None:
    rows = f"account_id,ts,ip\na,{TS},192.0.2.1\na,{TS},192.0.2.2\na,{TS},\na,{TS},192.0.2.1\na,{TS},\n"
    out = load_files(tmp_path, logins_csv=rows)
    assert out.column("logins", "ip") == ["192.0.2.1", "192.0.2.2", None]
    assert out.counts("logins.csv") == (5, 3, 0, 2)


ROWS = st.lists(
    st.tuples(st.sampled_from("pqr"), st.sampled_from("ab"), st.just("i"), st.just("1")), max_size=9
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(first=ROWS, second=ROWS)
def test_doubles_agree_with_counting_by_hand(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[str, ...]], second: list[tuple[str, ...]]
) -> None:
    out = load_files(
        tmp_path_factory.mktemp("doubles"),
        payments_csv=payments(*first),
        payments_ndjson=payments(*second, suffix=".ndjson"),
    )
    rows = first + second
    sides = {key: {row for row in rows if row[0] == key} for key in "pqr"}
    kept = {key for key, contents in sides.items() if len(contents) == 1}
    refused = sum(len(sides[row[0]]) > 1 for row in rows)
    assert sorted(out.column("payments", "payment_id")) == sorted(kept)
    assert totals(out) == (len(rows), len(kept), refused, len(rows) - len(kept) - refused)


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path / "once/payments/1.csv", payments(ONE, TWO))
    put(tmp_path / "twice/payments/1.csv", payments(ONE, TWO))
    put(tmp_path / "twice/payments/2.parquet", payments(ONE, TWO, suffix=".parquet"))
    once, twice = load(tmp_path / "once"), load(tmp_path / "twice")
    assert once.rows("payments") == twice.rows("payments")
    assert once.rows("accounts") == twice.rows("accounts")
    assert once.loaded.rows == twice.loaded.rows
    assert twice.counts("payments/2.parquet") == (2, 0, 0, 2)
