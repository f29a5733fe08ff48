"""What people decide, what the casebook refuses, and what it tells of the past."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of
from enforce_samples import ordered, seen, sinks
from stopped_clock import Clock

from ringfence.enforcement.casebook.cases import case, cases, ring_at, successor
from ringfence.enforcement.casebook.content import packed, unpacked
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import add_note, assign, give_account_verdict, give_verdict
from ringfence.enforcement.casebook.history import (
    ancestry,
    changed_since_verdict,
    changes,
    notes,
    rings_of,
    seen_before,
    tellings,
    verdicts,
)
from ringfence.enforcement.casebook.life import FOLLOWS, State, Verdict, check_step
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.orders.reverse import reverse
from ringfence.errors import NotAllowedError, OutputError, StaleVersionError, UnknownCaseError
from ringfence.records import Decision, Family, Role


def test_a_ring_goes_from_new_to_a_verdict(book: Casebook, clock: Clock) -> None:
    recorded(book, ring("R-1", accounts(5)))
    assert seen(book, case, "R-1").state is State.NEW
    clock.go_on(hours=1)
    with book.writing("eve") as writing:
        now = assign(writing, "R-1", " ada ", 1)
    assert (now.state, now.assignee, now.version) == (State.IN_REVIEW, "ada", 2)
    with book.writing("ada") as writing:
        now = give_verdict(writing, "R-1", Verdict.CONFIRMED, " Same cards. ", version=2)
    assert (now.state, now.version, now.changed_at) == (State.CONFIRMED, 3, "2026-03-01T13:00:00.000000Z")
    (given,) = seen(book, verdicts, "R-1")
    assert (given.reason, given.by, given.version) == ("Same cards.", "ada", 2)
    assert now.as_json()["state"] == "confirmed"


def test_only_the_steps_of_a_ring_s_life_are_taken() -> None:
    for state in State:
        for to in State:
            if to in FOLLOWS[state]:
                check_step("R-1", state, to)
            else:
                with pytest.raises(NotAllowedError, match=f"R-1 is {state}"):
                    check_step("R-1", state, to)


def test_the_same_verdict_again_is_one_more_verdict(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(5)))
    for _ in range(2):
        with book.writing("ada") as writing:
            assert give_verdict(writing, "R-1", Verdict.WATCH, "Not sure.").state is State.WATCH
    assert [one.version for one in seen(book, verdicts, "R-1")] == [1, 2]


def test_words_that_say_nothing_are_refused(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(5)))
    for step in (
        lambda w: give_verdict(w, "R-1", Verdict.CONFIRMED, " "),
        lambda w: give_account_verdict(w, "R-1", "acct_00001", Verdict.REJECTED, ""),
        lambda w: add_note(w, "R-1", "\n"),
        lambda w: assign(w, "R-1", " "),
    ):
        with pytest.raises(NotAllowedError), book.writing("ada") as writing:
            step(writing)
    assert seen(book, case, "R-1").version == 1


def test_what_is_not_there_is_told_with_near_names(book: Casebook) -> None:
    recorded(book, ring("R-123456", accounts(5)))
    for step in (
        lambda c: case(c, "R-123457"),
        lambda c: ring_at(c, "R-123457"),
    ):
        with pytest.raises(UnknownCaseError, match="Did you mean 'R-123456'"):
            seen(book, step)
    with pytest.raises(UnknownCaseError, match="no version 2 yet"):
        seen(book, ring_at, "R-123456", 2)
    with pytest.raises(UnknownCaseError, match="had no version 0"):
        seen(book, ring_at, "R-123456", 0)
    with pytest.raises(UnknownCaseError, match="acct_00001"), book.writing("ada") as writing:
        give_account_verdict(writing, "R-123456", "acct_0001", Verdict.REJECTED, "No.")


def test_somebody_else_decided_first(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(5)))
    recorded(book, ring("R-1", accounts(6)), name="run-2")
    with (
        pytest.raises(StaleVersionError, match=r"version 2, not 1.*--since 1"),
        book.writing("ada") as writing,
    ):
        give_verdict(writing, "R-1", Verdict.CONFIRMED, "Same cards.", version=1)


def test_runs_overrule_nobody(book: Casebook) -> None:
    confirmed(book, ring("R-1", accounts(5)))
    recorded(book, ring("R-1", accounts(7), decision=Decision.BENIGN, probability=0.1), name="run-2")
    now = seen(book, case, "R-1")
    assert (now.state, now.decision, now.size) == (State.CONFIRMED, Decision.BENIGN, 7)
    assert len(seen(book, verdicts, "R-1")) == 1
    assert seen(book, changed_since_verdict) == {"R-1"}


def test_benign_communities_are_taken_in_only_where_they_are_known(book: Casebook) -> None:
    done = recorded(book, ring("R-1", accounts(5), decision=Decision.BENIGN))
    assert (done.born, done.names) == ((), ())
    assert seen(book, cases) == []


def test_who_left_a_ring_under_an_order_can_still_be_let_off(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(6)))
    ordered(book, found)
    recorded(book, ring("R-1", accounts(5)), name="run-2")
    with book.writing("ada") as writing:
        give_account_verdict(writing, "R-1", "acct_00005", Verdict.REJECTED, "Left.")
    assert seen(book, verdicts, "R-1")[-1].account_id == "acct_00005"


def test_a_ring_that_has_merged_is_decided_on_where_it_went(book: Casebook) -> None:
    recorded(
        book, ring("R-1", accounts(5)), ring("R-2", accounts(8, "other")), ring("R-3", accounts(9, "third"))
    )
    recorded(book, ring("R-2", [*accounts(5), *accounts(8, "other")]), name="run-2")
    everyone = [*accounts(5), *accounts(8, "other"), *accounts(15, "third")]
    recorded(book, ring("R-3", everyone), name="run-3")
    last = seen(book, successor, "R-1")
    assert seen(book, case, last).succeeded_by is None
    assert seen(book, successor, last) == last
    for step in (
        lambda w: assign(w, "R-1", "ada"),
        lambda w: give_verdict(w, "R-1", Verdict.REJECTED, "No."),
    ):
        with pytest.raises(NotAllowedError, match=f"merged into {last}"), book.writing("ada") as writing:
            step(writing)
    assert [one.ring_id for one in seen(book, cases)] == [last]
    assert len(seen(book, cases, merged=True)) == 3
    assert {one.state for one in seen(book, cases, (State.NEW,))} == {State.NEW}
    assert seen(book, cases, (State.WATCH,)) == []


def test_an_enforced_ring_that_grew_is_confirmed_again(book: Casebook) -> None:
    found = confirmed(book, ring("R-1", accounts(5)))
    order = ordered(book, found)
    recorded(book, ring("R-1", accounts(7)), name="run-2")
    assert seen(book, changed_since_verdict) == {"R-1"}
    with book.writing("ada") as writing:
        assert assign(writing, "R-1", "ada").state is State.ENFORCED
        assert give_verdict(writing, "R-1", Verdict.CONFIRMED, "Still.").state is State.ENFORCED
    assert seen(book, changed_since_verdict) == frozenset()
    with pytest.raises(NotAllowedError, match="enforce reverse"), book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.REJECTED, "No.")
    with book.writing("ada") as writing:
        reverse(writing, order.order_id, "A mistake.", sinks("hook"))
        assert assign(writing, "R-1", "ada").state is State.IN_REVIEW


def test_history_tells_what_changed(book: Casebook, clock: Clock) -> None:
    first = ring("R-1", accounts(6), ["flatmate"])
    confirmed(book, first)
    clock.go_on(days=2)
    later = ring(
        "R-1",
        [*accounts(4), "new", "flatmate"],
        ["acct_00004"],
        decision=Decision.REVIEW,
        probability=0.6,
        families=(Family.NETWORK, Family.DEVICE),
    )
    recorded(book, later, name="run-2")
    with book.writing("eve") as writing:
        add_note(writing, "R-1", " Looks smaller. ")
    found = seen(book, changes, "R-1", 1)
    assert (found.came, found.went, found.to) == (("new",), ("acct_00005",), 3)
    assert found.roles == (
        ("acct_00004", Role.CORE, Role.BYSTANDER),
        ("flatmate", Role.BYSTANDER, Role.CORE),
    )
    assert found.decision == (Decision.RING, Decision.REVIEW)
    assert (found.families_come, found.families_gone) == ((Family.DEVICE,), (Family.PAYMENT,))
    assert [one.verdict for one in found.verdicts] == ["confirmed"]
    assert json.dumps(found.as_json())
    assert seen(book, changes, "R-1", 1, 2).came == ()
    with pytest.raises(UnknownCaseError, match="comes before"):
        seen(book, changes, "R-1", 3, 1)
    assert [one.text for one in seen(book, notes, "R-1")] == ["Looks smaller."]
    assert [one.version for one in seen(book, tellings, "R-1")] == [1, 3]
    assert seen(book, seen_before) == {"R-1"}
    assert seen(book, rings_of, "new") == {"R-1"}
    assert [one.sentence for one in seen(book, ancestry, "R-1")] == [
        "first seen, with 7 accounts, on 2026-03-01",
        "seen again, with 6 accounts of those known, on 2026-03-03",
        "grew by 1 account, on 2026-03-03",
        "shrank by 1 account, on 2026-03-03",
    ]


def test_a_small_move_of_a_score_makes_no_version(book: Casebook) -> None:
    found = ring("R-1", accounts(5))
    recorded(book, found)
    recorded(book, replace(found, probability=0.96), name="run-2")
    now = seen(book, case, "R-1")
    assert (now.version, now.probability, now.last_run) == (1, 0.96, "run-2")
    assert unpacked(packed({"b": "ä", "a": 1})) == {"a": 1, "b": "ä"}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    write_out(folder, ring("R-1", accounts(5)))
    return folder


def write_out(folder: Path, *rings: object) -> None:
    (folder / "manifest.json").write_text(json.dumps({"graph": {"accounts": 9}, "files": [], "seed": 1}))
    lines = [json.dumps(one.as_json()) + "\n" for one in rings]  # type: ignore[attr-defined]
    (folder / "rings.jsonl").write_text("".join(lines))


def test_a_finished_run_is_read(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_run(out)
    assert (found.accounts, found.manifest, found.flagged_accounts) == (9, {"seed": 1}, 5)
    monkeypatch.chdir(out.parent)
    again = read_run(Path("out"))
    assert (again.run_id, again.out) == (found.run_id, out.resolve())


def test_what_is_no_finished_run_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"manifest\.json is not there"):
        read_run(tmp_path)
    write_out(out, ring("R-1", accounts(5)), ring("R-2", accounts(2)))
    with pytest.raises(OutputError, match="twice"):
        read_run(out)
    write_out(out, ring("R-1", accounts(5)), ring("R-1", accounts(2, "other")))
    with pytest.raises(OutputError, match="twice"):
        read_run(out)
    (out / "rings.jsonl").write_text("{}\n")
    with pytest.raises(OutputError, match="damaged"):
        read_run(out)


def test_an_account_of_two_rings_stands_for_the_one_opened_first(book: Casebook, clock: Clock) -> None:
    recorded(book, ring("R-1", accounts(6)))
    clock.go_on(days=1)
    recorded(book, ring("R-2", [*accounts(2), *accounts(4, "other")]), name="run-2")
    assert seen(book, rings_of, "acct_00000") == {"R-1", "R-2"}
    done = recorded(book, ring("R-9", [*accounts(2), "x"]), name="run-3")
    assert done.names == (("R-9", "R-1"),)
    assert targets_of(ring("R-9", ["x"]))[0].account_id == "x"
