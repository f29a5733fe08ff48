"""Whatever is done to the log or the tables behind its back shows against a checkpoint."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from audit_samples import SOAK, lively, rewrite, sign, tamper

from ringfence.enforcement.audit import steps
from ringfence.enforcement.audit.checkpoints import sign_checkpoint
from ringfence.enforcement.audit.keeping import CheckpointFile, write_copy
from ringfence.enforcement.audit.verify import Verified
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.keys import KeyFolder, SigningKey
from ringfence.errors import AuditError, RingfenceError
from ringfence.state import StateFolder

SEED = 20260301


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lively")
    lively(StateFolder(folder / "state"), folder / "copies")
    return folder


@pytest.fixture
def state(made: Path, tmp_path: Path) -> StateFolder:
    return StateFolder(shutil.copytree(made / "state", tmp_path / "state"))


def verified(state: StateFolder, *files: Path) -> Verified:
    with Casebook.open(state.casebook) as book:
        return steps.verify(book, state, files)


def log_of(made: Path) -> list[bytes]:
    with sqlite3.connect(StateFolder(made / "state").casebook) as connection:
        found = [bytes(row[0]) for row in connection.execute("SELECT entry FROM audit ORDER BY place")]
    connection.close()
    return found


def last_copy(made: Path) -> Path:
    return sorted((made / "copies").glob("*.note"))[-1]


def test_a_log_that_nobody_touched_holds(made: Path, state: StateFolder) -> None:
    found = verified(state, made / "copies")

    assert found.faults == ()
    assert found.remarks == ()
    assert found.entries == found.covered == len(log_of(made))
    assert found.checkpoints == 6


class TestTheLog:
    """Against one checkpoint that was kept elsewhere, by somebody who leaves all hashes in order."""

    def caught(self, made: Path, state: StateFolder, texts: list[bytes]) -> bool:
        state.checkpoints.unlink(missing_ok=True)
        tamper(state, lambda connection: rewrite(connection, texts))
        return any(
            fault.startswith(str(last_copy(made))) for fault in verified(state, last_copy(made)).faults
        )

    def test_an_edited_byte(self, made: Path, state: StateFolder) -> None:
        draw, texts = random.Random(SEED), log_of(made)
        for place, text in enumerate(texts):
            at = range(len(text)) if SOAK else draw.sample(range(len(text)), 6)
            for position in at:
                edited = bytearray(text)
                edited[position] ^= draw.randint(1, 255)
                assert self.caught(made, state, [*texts[:place], bytes(edited), *texts[place + 1 :]])

    def test_a_deleted_entry(self, made: Path, state: StateFolder) -> None:
        texts = log_of(made)
        for place in range(len(texts)):
            assert self.caught(made, state, texts[:place] + texts[place + 1 :])

    def test_two_entries_that_changed_places(self, made: Path, state: StateFolder) -> None:
        texts = log_of(made)
        for one in range(len(texts)):
            for other in range(one + 1, len(texts) if SOAK else min(one + 3, len(texts))):
                moved = list(texts)
                moved[one], moved[other] = texts[other], texts[one]
                assert self.caught(made, state, moved)

    def test_a_log_cut_off(self, made: Path, state: StateFolder) -> None:
        texts = log_of(made)
        for size in range(len(texts)):
            assert self.caught(made, state, texts[:size])

    def test_an_entry_put_in(self, made: Path, state: StateFolder) -> None:
        texts = log_of(made)
        for place in range(len(texts)):
            assert self.caught(made, state, [*texts[:place], texts[0], *texts[place:]])


class TestCarelessHands:
    """Hashes that are not put in order tell which entry it was, without any checkpoint."""

    def test_an_edited_entry_is_named(self, state: StateFolder) -> None:
        state.checkpoints.unlink()
        tamper(
            state,
            lambda c: c.execute(
                "UPDATE audit SET entry = CAST(replace(entry, 'a', 'b') AS BLOB) WHERE place = 3"
            ),
        )

        assert any(fault.startswith("Entry 3 was changed") for fault in verified(state).faults)

    def test_a_gap_is_named(self, state: StateFolder) -> None:
        tamper(state, lambda c: c.execute("DELETE FROM audit WHERE place = 4"))

        assert "Entry 4 is missing: the next one is 5." in verified(state).faults

    def test_a_dropped_trigger_is_named(self, state: StateFolder) -> None:
        connection = sqlite3.connect(state.casebook)
        connection.execute("DROP TRIGGER audit_loses_nothing")
        connection.close()

        assert any("audit_loses_nothing" in fault for fault in verified(state).faults)

    @pytest.mark.parametrize("text", [b"[]", b"{}", b"\xff", b"nothing"])
    def test_an_entry_that_is_none(self, state: StateFolder, text: bytes) -> None:
        tamper(state, lambda c: c.execute("UPDATE audit SET entry = ? WHERE place = 2", (text,)))

        assert "Entry 2 cannot be read." in verified(state).faults


class TestTheCheckpointFile:
    def test_an_edited_byte(self, state: StateFolder) -> None:
        whole, draw = state.checkpoints.read_bytes(), random.Random(SEED)
        for position in range(0, len(whole), 1 if SOAK else 17):
            edited = bytearray(whole)
            edited[position] ^= draw.randint(1, 255)
            state.checkpoints.write_bytes(edited)
            try:
                found = verified(state)
            except AuditError:
                continue
            assert found.faults or found.remarks, position

    def test_lines_moved(self, state: StateFolder) -> None:
        lines = state.checkpoints.read_text().splitlines(keepends=True)
        state.checkpoints.write_text("".join(lines[::-1]))

        assert any("lines were moved" in fault for fault in verified(state).faults)

    def test_a_line_that_a_crash_cut_off_counts_for_nothing_and_goes_with_the_next(
        self, state: StateFolder
    ) -> None:
        state.checkpoints.write_text(state.checkpoints.read_text()[:-40])

        found = verified(state)
        assert found.faults == ()
        assert found.covered < found.entries
        assert any("cut off" in remark for remark in found.remarks)

        with Casebook.open(state.casebook) as book:
            sign(book, state)
        found = verified(state)
        assert (found.faults, found.remarks, found.covered) == ((), (), found.entries)

    def test_a_log_signed_anew_by_another_key(self, made: Path, state: StateFolder) -> None:
        """Whoever has the folder can do that; only a copy elsewhere, or a key known elsewhere, shows it."""
        texts = log_of(made)
        for path in [state.checkpoints, *state.keys.iterdir()]:
            path.unlink()
        tamper(state, lambda connection: rewrite(connection, [texts[0], *texts[2:]]))
        with Casebook.open(state.casebook) as book:
            sign(book, state)
            pinned = KeyFolder(made / "state" / "keys").signing().public
            assert any("not in the log" in fault for fault in verified(state).faults)
            assert any(pinned.key_id in f for f in steps.verify(book, state, (), pinned).faults)
            assert any("were cut off" in f for f in verified(state, last_copy(made)).faults)

    def test_a_checkpoint_by_a_key_that_nobody_announced(self, state: StateFolder) -> None:
        KeyFolder(state.keys).replace(SigningKey.generate())
        with Casebook.open(state.casebook) as book, book.writing("eve") as writing:
            writing.audit("note added", "R-1")
        with Casebook.open(state.casebook) as book:
            sign(book, state)

        assert any("no signed entry announces" in fault for fault in verified(state).faults)

    def test_a_checkpoint_of_another_log(self, state: StateFolder, tmp_path: Path) -> None:
        other = StateFolder(tmp_path / "other")
        shutil.copytree(state.keys, other.keys)
        with Casebook.open(other.casebook) as book:
            with book.writing("ada") as writing:
                writing.audit("note added")
            sign(book, other, tmp_path / "theirs")

        assert verified(state, tmp_path / "theirs").faults

    def test_a_checkpoint_that_names_another_log(self, state: StateFolder, tmp_path: Path) -> None:
        last = CheckpointFile(state.checkpoints).last()
        assert last is not None
        key = KeyFolder(state.keys).signing()
        forged = sign_checkpoint("other/log", last.checkpoint.size, last.checkpoint.root, [key])

        assert any("of another log" in f for f in verified(state, write_copy(forged, tmp_path)).faults)


class TestWhatCannotBeKnown:
    def test_without_a_checkpoint(self, made: Path, state: StateFolder) -> None:
        state.checkpoints.unlink()
        texts = log_of(made)
        place = next(n for n, text in enumerate(texts) if b"note added" in text)
        tamper(state, lambda connection: rewrite(connection, texts[:place] + texts[place + 1 :]))

        found = verified(state)
        assert found.faults == ()
        assert found.covered == 0
        assert "cannot be known" in found.remarks[0]

    def test_of_what_came_after_the_last_one(self, state: StateFolder) -> None:
        with Casebook.open(state.casebook) as book, book.writing("ada") as writing:
            place = writing.audit("note added", "R-1")

        assert verified(state).remarks[0].startswith(f"Entries {place} to {place} are not covered")

    def test_of_an_empty_log(self, tmp_path: Path) -> None:
        assert verified(StateFolder(tmp_path / "new")).remarks == ("The log is empty.",)


TABLES = {
    "another verdict": "UPDATE verdicts SET verdict = 'watch' WHERE account_id IS NULL",
    "another reason": "UPDATE verdicts SET reason = 'Because.' WHERE account_id IS NULL",
    "another time": "UPDATE verdicts SET at = '2026-01-01T00:00:00.000000Z' WHERE account_id IS NULL",
    "another person": "UPDATE verdicts SET by = 'eve' WHERE account_id IS NULL",
    "another version": "UPDATE verdicts SET version = 7 WHERE account_id IS NULL",
    "another account": "UPDATE verdicts SET account_id = 'acct_00001' WHERE account_id IS NOT NULL",
    "an account's verdict on the ring": "UPDATE verdicts SET account_id = NULL WHERE account_id IS NOT NULL",
    "a verdict deleted": "DELETE FROM verdicts WHERE account_id IS NULL",
    "a verdict made up": "INSERT INTO verdicts SELECT 99, ring_id, 'acct_00002', 3, verdict, reason, by, at "
    "FROM verdicts LIMIT 1",
    "another action": "UPDATE orders SET action = 'monitor' WHERE status = 'active' AND reverses IS NULL",
    "another end": "UPDATE orders SET expires_at = '2027-01-01T00:00:00.000000Z' WHERE reverses IS NULL",
    "shadow lifted": "UPDATE orders SET shadow = 1 - shadow WHERE reverses IS NULL",
    "another orderer": "UPDATE orders SET ordered_by = 'eve' WHERE reverses IS NOT NULL",
    "another approver": "UPDATE orders SET approved_by = 'eve' WHERE approved_by IS NOT NULL",
    "approved by nobody": "UPDATE orders SET status = 'active' WHERE status = 'awaiting approval'",
    "brought back": "UPDATE orders SET status = 'active' WHERE status = 'withdrawn'",
    "undone by nobody": "UPDATE orders SET status = 'withdrawn' WHERE status = 'active'",
    "a reversal of another order": "UPDATE orders SET reverses = 'O-1' WHERE reverses IS NOT NULL",
    "let go by nobody": "UPDATE order_accounts SET reversed_by = (SELECT order_id FROM orders "
    "WHERE reverses IS NOT NULL LIMIT 1) WHERE reversed_by IS NULL",
    "a reversal forgotten": "UPDATE order_accounts SET reversed_by = NULL WHERE reversed_by IS NOT NULL",
    "undone in part, called whole": "UPDATE orders SET status = 'reversed' WHERE status = 'active' "
    "AND reverses IS NULL",
    "undone as a whole, called active": "UPDATE orders SET status = 'active' WHERE status = 'reversed'",
    "an order deleted": "DELETE FROM orders WHERE status = 'withdrawn'",
    "an order made up": "INSERT INTO orders SELECT 'O-1', ring_id, 90, action, status, shadow, reason, "
    "ordered_by, ordered_at, approved_by, approved_at, expires_at, reverses FROM orders LIMIT 1",
    "another account ordered": "UPDATE order_accounts SET account_id = 'x' WHERE account_id = 'acct_00001'",
    "an account taken out": "DELETE FROM order_accounts WHERE account_id = 'acct_00001'",
    "another body": "UPDATE exports SET body = x'00' WHERE status = 'waiting'",
    "another digest": "UPDATE exports SET digest = '00'",
    "another sink": "UPDATE exports SET sink = 'there' WHERE status = 'waiting'",
    "delivered by nobody": "UPDATE exports SET status = 'delivered' WHERE status = 'waiting'",
    "sent again": "UPDATE exports SET status = 'waiting' WHERE status = 'delivered'",
    "taken back by nobody": "UPDATE exports SET status = 'withdrawn' WHERE status = 'delivered'",
    "another receipt": "UPDATE exports SET receipt = 'no' WHERE status = 'delivered'",
    "another time of delivery": "UPDATE exports SET delivered_at = 'never' WHERE status = 'delivered'",
    "an export deleted": "DELETE FROM exports WHERE status = 'delivered'",
    "an export made up": "INSERT INTO exports SELECT 99, 'key_1', event_id, ring_id, sink, media_type, "
    "digest, status, attempts, due_at, leased_by, leased_until, last_error, delivered_at, receipt, body "
    "FROM exports LIMIT 1",
    "a run deleted": "DELETE FROM runs",
    "a run made up": "INSERT INTO runs SELECT 'x', recorded_at, out, accounts, flagged, manifest FROM runs",
}


@pytest.mark.parametrize("statement", TABLES.values(), ids=TABLES)
def test_a_row_edited_behind_the_log(state: StateFolder, statement: str) -> None:
    connection = sqlite3.connect(state.casebook, isolation_level=None)
    assert connection.execute(statement).rowcount > 0
    connection.close()

    assert verified(state).faults


def test_a_changed_key_is_vouched_for_by_the_one_before(made: Path, state: StateFolder) -> None:
    with Casebook.open(state.casebook) as book:
        for _time in range(2):
            old, new = steps.change_key(book, state, "ada", "A year is over.")
            with book.writing("ada") as writing:
                writing.audit("note added", "R-1")
            sign(book, state)
        found = steps.verify(book, state, [made / "copies"], new)

    assert found.faults == ()
    assert found.remarks == ()
    assert {old.key_id, new.key_id} < set(found.keys)
    assert KeyFolder(state.keys).signing().public == new


class TestProofs:
    def test_of_every_entry(self, made: Path, state: StateFolder) -> None:
        key = KeyFolder(state.keys).signing().public
        with Casebook.open(state.casebook) as book:
            for place, text in enumerate(log_of(made)):
                document = json.loads(json.dumps(steps.prove_entry(book, state, place)))
                assert document["entry"].encode() == text
                assert steps_check(document, key)[0].startswith(f"Entry {place} is one of")
                for changed in ({"entry": "{}"}, {"place": place + 1}, {"path": ["00" * 32]}):
                    with pytest.raises(AuditError, match="not what the checkpoint covers"):
                        steps_check({**document, **changed}, key)

    def test_of_growth(self, made: Path, state: StateFolder) -> None:
        key = KeyFolder(state.keys).signing().public
        notes = steps.read_copies(made / "copies")
        with Casebook.open(state.casebook) as book:
            for note in notes:
                document = steps.prove_growth(book, state, note.checkpoint)
                assert f"first {note.checkpoint.size} of" in steps_check(document, key)[0]
                with pytest.raises(AuditError, match="does not begin"):
                    steps_check({**document, "path": ["00" * 32]}, key)

    def test_that_prove_nothing(self, state: StateFolder) -> None:
        key, other = KeyFolder(state.keys).signing().public, SigningKey.generate().public
        with Casebook.open(state.casebook) as book:
            document = steps.prove_entry(book, state, 0)
        for broken, said in (
            ({}, "no proof"),
            ({**document, "proof": "other"}, "no proof of 'other'"),
            ({**document, "path": None}, "no inclusion proof"),
            ({**document, "proof": "consistency"}, "no consistency proof"),
            ({**document, "checkpoint": "a\n1\n\n"}, "no signed note|cannot be read"),
        ):
            with pytest.raises(AuditError, match=said):
                steps_check(broken, key)
        with pytest.raises(AuditError, match="None of the keys"):
            steps_check(document, other)

    def test_are_not_made_of_a_log_that_was_changed(self, made: Path, state: StateFolder) -> None:
        texts = log_of(made)
        tamper(state, lambda connection: rewrite(connection, [texts[0], b"{}", *texts[2:]]))
        note = steps.read_copies(made / "copies")[0].checkpoint
        with Casebook.open(state.casebook) as book:
            for ask in (
                lambda: steps.prove_entry(book, state, 0),
                lambda: steps.prove_growth(book, state, note),
            ):
                with pytest.raises(AuditError, match="not what was signed"):
                    ask()

    def test_that_cannot_be_made(self, state: StateFolder) -> None:
        with Casebook.open(state.casebook) as book:
            with pytest.raises(RingfenceError, match="no entry 999"):
                steps.prove_entry(book, state, 999)
            with book.writing("ada") as writing:
                place = writing.audit("note added", "R-1")
            with pytest.raises(AuditError, match="No checkpoint covers"):
                steps.prove_entry(book, state, place)


def steps_check(document: dict[str, object], key: object) -> list[str]:
    from ringfence.enforcement.audit.proofs import check_document

    return check_document(document, {key.key_id: key})  # type: ignore[attr-defined,dict-item]
