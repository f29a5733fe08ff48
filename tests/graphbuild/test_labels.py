"""Labels: the latest word on an account holds, and people who disagree are no teachers."""

from __future__ import annotations

import pandas as pd

from ringfence.graphbuild.labels import BENIGN, RING, settled_labels


def _settled(*rows: tuple[str, str, str | None]) -> tuple[dict[str, int], int]:
    frame = pd.DataFrame(rows, columns=["account_id", "label", "ts"])
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)
    labels, conflicting = settled_labels(frame)
    return labels.to_dict(), conflicting


def test_the_latest_label_holds_whatever_the_order_of_rows() -> None:
    rows = [("a", "ring", "2026-01-02"), ("a", "benign", "2026-01-03"), ("b", "ring", "2026-01-01")]
    assert _settled(*rows) == _settled(*reversed(rows)) == ({"a": BENIGN, "b": RING}, 0)


def test_latest_labels_that_disagree_are_left_out_and_counted() -> None:
    rows = [("a", "ring", "2026-01-02"), ("a", "benign", "2026-01-02"), ("b", "benign", None)]
    assert _settled(*rows) == ({"b": BENIGN}, 1)


def test_an_old_disagreement_that_was_settled_later_is_none() -> None:
    rows = [("a", "ring", "2026-01-01"), ("a", "benign", "2026-01-01"), ("a", "ring", "2026-01-05")]
    assert _settled(*rows) == ({"a": RING}, 0)


def test_a_label_without_a_time_is_the_oldest() -> None:
    assert _settled(("a", "ring", None), ("a", "benign", "2020-01-01")) == ({"a": BENIGN}, 0)


def test_labels_without_times_agree_or_are_left_out() -> None:
    rows = [("a", "ring", None), ("a", "ring", None), ("b", "ring", None), ("b", "benign", None)]
    assert _settled(*rows) == ({"a": RING}, 1)


def test_no_labels() -> None:
    assert _settled() == ({}, 0)
