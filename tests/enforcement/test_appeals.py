"""Appeals: each once, nothing lost, the account cleared, the whole ring scored again."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of
from enforce_samples import delivered, ordered, queued, seen, sinks
from stopped_clock import START, Clock

from ringfence.config import DecisionSettings, Settings
from ringfence.enforcement.appeals.files import LONGEST_TEXT, Refused, Row, read_appeals
from ringfence.enforcement.appeals.intake import Appeal, Heard, Outcome, appealed, appeals, hear
from ringfence.enforcement.appeals.rescoring import recorded_run, waiting, write_rescoring
from ringfence.enforcement.casebook.cases import case, ring_at
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_verdict
from ringfence.enforcement.casebook.life import State, Verdict
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.labels import Label, labels
from ringfence.enforcement.orders.records import OrderStatus, order, standing
from ringfence.errors import InputError, NotAllowedError, UnknownCaseError
from ringfence.gnn.rings import judge_again
from ringfence.gnn.scores import score_accounts
from ringfence.pipeline.enforcement.appeals import look, rescore, take_in, with_labels
from ringfence.records import Action, Decision, Ring, Role
from ringfence.snapshot import Edges, Snapshot, write_snapshot

WORDS = {"appeal_id": "A-1", "account_id": "acct_00001", "ts": "2026-03-01T10:00:00Z", "text": "Not me."}


def appeal(account: str = "acct_00001", outcome: Outcome | None = None, name: str = "A-1") -> Appeal:
    return Appeal(name, account, START, "It was not me.", outcome)


def heard(book: Casebook, one: Appeal, to: Any = None) -> Heard:
    with book.writing("eve") as writing:
        return hear(writing, one, sinks("hook") if to is None else to)


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    lines = [row if isinstance(row, str) else json.dumps({**WORDS, **row}) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_open_appeal_puts_the_ring_into_review(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(5)))
    done = heard(book, appeal())
    assert (done.rings, done.known, done.reversed) == (("R-1",), False, ())
    assert seen(book, case, "R-1").state is State.IN_REVIEW
    assert seen(book, appealed) == {"R-1": 1}
    (one,) = seen(book, appeals, ring_id="R-1")
    assert one.as_json()["text"] == "It was not me."
    version = seen(book, case, "R-1").version
    assert heard(book, appeal()) == Heard("A-1", known=True)
    assert seen(book, case, "R-1").version == version, "each appeal once"


def test_an_enforced_ring_stays_enforced_and_an_upheld_appeal_lets_its_account_go(
    book: Casebook, clock: Clock
) -> None:
    found = confirmed(book, ring("R-1", accounts(5)))
    placed = ordered(book, found)
    delivered(book)
    heard(book, appeal())
    assert seen(book, case, "R-1").state is State.ENFORCED
    clock.go_on(days=1)
    done = heard(book, appeal(outcome=Outcome.UPHELD))
    assert len(done.reversed) == 1
    assert seen(book, case, "R-1").state is State.ENFORCED
    assert set(seen(book, standing)) == {"acct_00000", "acct_00002", "acct_00003", "acct_00004"}
    assert queued(book)[-1] == ("R-1", "ring.reversed", "hook")
    (label,) = [one for one in seen(book, labels) if one.account_id == "acct_00001"]
    assert (label.label, label.ring_name) == ("benign", None)
    assert seen(book, order, placed.order_id).status is OrderStatus.ACTIVE
    assert heard(book, appeal(outcome=Outcome.UPHELD)).known
    assert heard(book, appeal()).known, "an older file of the same appeal"
    assert seen(book, appealed) == {}


def test_a_denied_appeal_changes_nothing_about_the_ring(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(5)))
    before = seen(book, case, "R-1")
    heard(book, appeal(outcome=Outcome.DENIED))
    assert seen(book, case, "R-1") == before
    with pytest.raises(NotAllowedError, match="was denied already"):
        heard(book, appeal(outcome=Outcome.UPHELD))
    with pytest.raises(NotAllowedError, match="of another account"):
        heard(book, appeal("acct_00002"))


def test_an_order_that_waits_goes_out_without_whoever_was_upheld(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(5)))
    placed = ordered(book, found, Action.BAN, approvals=1)
    done = heard(book, appeal(outcome=Outcome.UPHELD))
    assert done.withdrawn == (placed.order_id,)
    assert len(seen(book, standing)) == 4


def test_who_left_or_whose_ring_merged_can_still_appeal(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found)
    recorded(book, ring("R-1", accounts(5)), name="run-2")
    assert heard(book, appeal("acct_00005", Outcome.UPHELD, "left")).rings == ("R-1",)
    recorded(book, ring("R-2", accounts(20, "more")), name="run-3")
    recorded(book, ring("R-2", [*accounts(5), *accounts(20, "more")]), name="run-4")
    done = heard(book, appeal("acct_00001", Outcome.UPHELD, "merged"))
    assert set(done.rings) == {"R-1", "R-2"}
    assert seen(book, case, "R-2").state is State.IN_REVIEW
    assert "acct_00001" not in seen(book, standing)


def test_a_rejected_ring_is_not_taken_up_again(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(5)))
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.REJECTED, "A school.")
    heard(book, appeal())
    assert seen(book, case, "R-1").state is State.REJECTED


def test_whom_nobody_accused_has_nothing_to_appeal(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(5)))
    with pytest.raises(UnknownCaseError, match="nobody"):
        heard(book, appeal("nobody"))
    assert seen(book, appeals) == []


def test_rows_are_read_or_refused_with_their_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "appeals.ndjson",
        {},
        "{",
        "[]",
        "",
        {"account_id": " "},
        {"text": None},
        {"ts": "yesterday"},
        {"outcome": "perhaps"},
        {"appeal_id": "A\u0007"},
        {"appeal_id": "A" * 201},
        {"text": "x" * (LONGEST_TEXT + 1)},
        {"ts": "2026-03-01 12:00", "outcome": " Upheld ", "text": "two\nlines"},
        {"ts": "0001-01-01T00:00:00+23:59"},
    )
    rows = read_appeals(path)
    read = [one for one in rows if isinstance(one, Row)]
    assert [one.line for one in read] == [1, 12]
    assert (read[1].appeal.outcome, read[1].appeal.ts) == (Outcome.UPHELD, START)
    told = {one.line: one.reason for one in rows if isinstance(one, Refused)}
    assert told == {
        2: "is no JSON",
        3: "is no JSON object",
        5: "has no account_id",
        6: "has no text",
        7: "has a ts that is no ISO 8601 time",
        8: "has an outcome that is neither upheld nor denied",
        9: "has signs in appeal_id that cannot be printed",
        10: "has more than 200 characters in appeal_id",
        11: "has more than 100,000 characters in text",
        13: "has a ts that is no ISO 8601 time",
    }


def test_csv_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "appeals.csv"
    path.write_bytes(
        b"\xef\xbb\xbfappeal_id,account_id, ts ,text,outcome\n"
        b'A-1,=1+1,2026-03-01,"It was\nmy brother",\n'
        b"\n"
        b"A-2,b,2026-03-01\n"
        b"A-3,c,2026-03-01,caf\xe9,denied\n"
        b"A-4,d,2026-03-01,fine,denied\n"
        b'A-5,e,2026-03-01,"never closed,\n'
    )
    rows = read_appeals(path)
    assert [(one.line, getattr(one, "reason", "read")) for one in rows] == [
        (2, "read"),
        (5, "has 3 values under 5 columns"),
        (6, "has a text that is no UTF-8"),
        (7, "read"),
        (8, "is no CSV: unexpected end of data"),
    ]
    assert rows[0].appeal.account_id == "=1+1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("appeals.csv", "", "is empty"),
        ("appeals.csv", "appeal_id,acount_id,ts,text\n", "no column 'account_id'.*acount_id"),
        ("appeals.xlsx", "", "are read from"),
        ("missing.csv", None, "Cannot read"),
    ],
)
def test_what_is_no_appeals_file_is_refused(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_appeals(tmp_path / name)


def planted(rings: int = 8, singles: int = 100) -> Snapshot:
    """Return rings of six that share a card, and others that share nothing; rings make more requests."""
    rng = np.random.default_rng(5)
    component = np.concatenate([np.repeat(np.arange(rings), 6), rings + np.arange(singles)]).astype(np.int64)
    ring_ = np.arange(len(component)) < 6 * rings
    ends = np.array(
        [(a, b) for r in range(rings) for a in range(6 * r, 6 * r + 6) for b in range(a + 1, 6 * r + 6)]
    )
    account = np.arange(len(component))
    edges = {
        ("account", "PAID_WITH", "instrument"): _edges(np.stack([account, component])),
        ("account", "LINKED_TO", "account"): _edges(ends.T, 6.0),
    }
    requests = np.exp(rng.normal(np.where(ring_, 4.5, 3.0), 1.0)).astype(np.float32)
    features = {"account": requests[:, None], "instrument": np.zeros((len(component), 0), np.float32)}
    names = {"account": ("requests",), "instrument": ()}
    return Snapshot(features, names, edges, ring_.astype(np.int8), component, np.where(ring_, component, -1))


def _edges(index: np.ndarray, weight: float = 1.0) -> Edges:
    return Edges(index.astype(np.int64), np.full(index.shape[1], weight, np.float32))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run's output: two of its rings, and everything that scoring needs."""
    folder, snapshot = tmp_path / "out", planted()
    folder.mkdir()
    names = [f"acct_{place:05}" for place in range(snapshot.accounts)]
    rings = [ring(f"R-{place}", names[6 * place : 6 * place + 6]) for place in range(2)]
    manifest = {"graph": {"accounts": len(names)}, "settings": asdict(Settings(device="cpu"))}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "rings.jsonl").write_text("".join(json.dumps(one.as_json()) + "\n" for one in rings))
    pq.write_table(pa.table({"account_id": names}), folder / "accounts.parquet")
    write_snapshot(folder / "snapshot.safetensors", snapshot)
    return folder


@pytest.fixture
def enforced(book: Casebook, out: Path) -> Ring:
    """The run is recorded, and its first ring suspended."""
    with book.writing("score") as writing:
        record_run(writing, read_run(out))
        give_verdict(writing, "R-0", Verdict.CONFIRMED, "Same cards.")
    found = seen(book, ring_at, "R-0")
    ordered(book, found)
    delivered(book)
    return found


def test_the_whole_ring_is_scored_again_with_what_people_said(
    book: Casebook, enforced: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The trees that decide where there is no torch: they are trained in no time.
    monkeypatch.setattr("ringfence.gnn.scores.torch_installed", lambda: False)
    rows = ({"appeal_id": f"A-{n}", "account_id": f"acct_{n:05}", "outcome": "upheld"} for n in range(4))
    path = write(tmp_path / "appeals.ndjson", *rows, {"appeal_id": "A-9", "account_id": "who"}, "{")
    shares: list[float] = []
    done = take_in(book, path, "eve", sinks("hook"), shares.append)
    assert [one.appeal_id for one in done.heard] == ["A-0", "A-1", "A-2", "A-3"]
    assert [one.line for one in done.refused] == [5, 6]
    assert "who" in done.refused[0].reason
    (again,) = done.rescored
    with book.reading() as connection:
        known = labels(connection)
    names = [f"acct_{place:05}" for place in range(148)]
    fresh = with_labels(planted(), names, known)
    assert fresh.labels[:6].tolist() == [0, 0, 0, 0, 1, 1]
    scores = score_accounts(fresh, Settings(device="cpu"))
    assert again.probability == pytest.approx(scores.score[:6].mean(), abs=1e-12)
    assert again.before == 0.97
    now = seen(book, case, "R-0")
    assert (now.probability, now.state) == (again.probability, State.ENFORCED)
    ring_now = seen(book, ring_at, "R-0")
    assert {one.account_id: one.score for one in ring_now.members} == pytest.approx(
        dict(zip(names[:6], scores.score[:6].tolist(), strict=True))
    )
    assert set(seen(book, standing)) == {"acct_00004", "acct_00005"}, "only who was upheld is let off"
    assert 0 < shares[-1] <= 1
    assert take_in(book, path, "eve", sinks("hook")).rescored == (), "each appeal once"


def test_a_run_that_is_gone_or_another_leaves_the_ring_in_review(
    book: Casebook, enforced: Ring, out: Path
) -> None:
    before = seen(book, case, "R-0").probability

    def told(name: str) -> str:
        heard(book, appeal(name=name))
        (one,) = rescore(book, "eve")
        assert (one.probability, one.decision) == (None, None)
        assert seen(book, case, "R-0").probability == before
        assert seen(book, waiting) == []
        return one.told

    pq.write_table(pa.table({"account_id": ["a"]}), out / "accounts.parquet")
    assert "different numbers" in told("A-1")
    (out / "accounts.parquet").write_bytes(b"no table")
    assert "accounts.parquet cannot be read" in told("A-2")
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "seed": 2}))
    assert "holds another run" in told("A-3")
    (out / "manifest.json").unlink()
    assert "no finished run" in told("A-4")
    book._connection.execute("UPDATE runs SET manifest = '{}'")
    assert "no settings" in told("A-5")


def test_without_a_calibration_nothing_is_changed(book: Casebook, enforced: Ring, out: Path) -> None:
    bare = replace(planted(), labels=np.full(148, -1, np.int8))
    write_snapshot(out / "snapshot.safetensors", bare)
    heard(book, appeal())
    (one,) = rescore(book, "eve")
    assert "nothing is calibrated" in one.told
    assert seen(book, case, "R-0").probability == 0.97


def test_a_ring_that_changed_meanwhile_waits_on(book: Casebook, enforced: Ring) -> None:
    heard(book, appeal())
    (one,) = seen(book, waiting)
    assert seen(book, recorded_run, one.run_id).manifest["settings"]["device"] == "cpu"
    heard(book, appeal("acct_00002", name="A-2"))
    with pytest.raises(NotAllowedError, match="at version"), book.writing("eve") as writing:
        write_rescoring(writing, one, None, "Too late.")
    assert len(seen(book, waiting)) == 1


def test_looking_at_a_file_changes_nothing(tmp_path: Path) -> None:
    done = look(write(tmp_path / "appeals.ndjson", {}, "{"))
    assert (len(done.heard), len(done.refused), done.rescored) == (1, 1, ())


def test_judging_again_makes_nobody_s_role_graver() -> None:
    found = ring("R-1", ["a", "b", "c", "d", "e"], ["f"])
    score = {"a": 0.99, "b": 0.4, "c": 0.1, "d": 0.99, "e": 0.99, "f": 0.99}
    again = judge_again(found, score, DecisionSettings())
    roles = {one.account_id: one.role for one in again.members}
    assert (roles["b"], roles["c"], roles["f"]) == (Role.MEMBER, Role.BYSTANDER, Role.BYSTANDER)
    assert again.probability == pytest.approx(sum(score.values()) / 6)
    assert (again.decision, again.recommended_action) == (Decision.REVIEW, Action.REVIEW)
    sure = judge_again(found, dict.fromkeys(score, 0.95), DecisionSettings())
    assert (sure.decision, sure.recommended_action) == (Decision.RING, Action.SUSPEND)
    unsure = judge_again(
        replace(found, decision=Decision.REVIEW), dict.fromkeys(score, 0.95), DecisionSettings()
    )
    assert unsure.decision is Decision.REVIEW
    assert judge_again(found, dict.fromkeys(score, 0.3), DecisionSettings()).decision is Decision.BENIGN


def test_labels_of_accounts_that_a_run_never_saw_are_left_out() -> None:
    known = [Label("elsewhere", "ring", "R-1", "verdict", START)]
    assert (with_labels(planted(), [str(n) for n in range(148)], known).labels == planted().labels).all()
    assert targets_of(ring("R-1", ["a"]))
