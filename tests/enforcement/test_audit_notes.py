"""Signed notes and checkpoints are those that other tools read.

The key and the note are those of the documentation and the tests of Go's golang.org/x/mod/sumdb/note.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from audit_samples import lively
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.enforcement.audit.checkpoints import Kept, origin_of, read_checkpoint, sign_checkpoint
from ringfence.enforcement.audit.keeping import CheckpointFile, keep_checkpoint, sign_news, write_copy
from ringfence.enforcement.audit.merkle import Frontier, leaf_hash
from ringfence.enforcement.audit.notes import key_hint, read_note, sign_note
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.keys import KeyFolder, SigningKey, by_id
from ringfence.errors import AuditError
from ringfence.state import StateFolder

NAME = "PeterNeumann"
SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PUBLIC = b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = (
    f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n"
)
PETER = SigningKey(Ed25519PrivateKey.from_private_bytes(SEED))


def test_the_published_note_comes_out_byte_for_byte() -> None:
    assert PETER.public.raw == PUBLIC
    assert key_hint(NAME, PETER.public).hex() == "c74f20a3"
    assert sign_note(TEXT, NAME, [PETER]) == SIGNED


def test_the_published_note_is_read() -> None:
    note, other = read_note(SIGNED), SigningKey.generate()

    assert note.text == TEXT
    assert note.signers(by_id([PETER.public, other.public])) == (PETER.public.key_id,)
    assert note.signers(by_id([other.public])) == ()


def test_a_note_with_another_text_is_refused() -> None:
    with pytest.raises(AuditError, match="not of this text"):
        read_note(SIGNED.replace("cryptography", "cryptographY")).signers(by_id([PETER.public]))


def test_two_may_sign() -> None:
    keys = [SigningKey.generate(), SigningKey.generate()]

    assert len(read_note(sign_note("a\n", "log", keys)).signers(by_id(k.public for k in keys))) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note[:-1],
        lambda note: note.replace("— ", "- "),
        lambda note: note.replace("nAM=", "nAN="),
        lambda note: note.replace("nAM=", "nA"),
        lambda note: note.replace("x08", "x0!"),
        lambda note: note.replace(" x08", "  x08"),
        lambda note: note + "\n",
        lambda note: f"{TEXT}\n— PeterNeumann {b64encode(b'four').decode()}\n",
        lambda note: note.replace("If", "\ud800"),
    ],
)
def test_what_is_no_note_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(AuditError):
        read_note(change(SIGNED))


def checkpoint_text(*lines: str) -> str:
    return sign_note("".join(f"{line}\n" for line in lines), "log", [PETER])


ROOT = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "lines",
    [
        ("log", "5"),
        ("log", "05", ROOT),
        ("log", "0", ROOT),
        ("log", "-1", ROOT),
        ("log", "five", ROOT),
        ("log", "5", "AAAA"),
        ("log", "5", "!"),
        ("log", "5", ROOT, "more"),
        ("", "5", ROOT),
        ("log", " 5", ROOT),
    ],
)
def test_what_is_no_checkpoint_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(AuditError, match="no checkpoint"):
        read_checkpoint(checkpoint_text(*lines))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 200))
def test_a_kept_line_says_what_was_kept(size: int) -> None:
    frontier = Frontier()
    for number in range(size):
        frontier.append(leaf_hash(bytes([number])))
    made = sign_checkpoint(origin_of(bytes(32)), size, frontier.root(), [PETER])
    kept = Kept.from_line(Kept(made, frontier).as_line())

    assert kept.checkpoint == made == read_checkpoint(made.note)
    assert kept.frontier.parts == frontier.parts


@pytest.mark.parametrize("line", ["", "[]\n", "{}\n", "null\n", '{"note":1,"frontier":[]}\n'])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(AuditError, match="no checkpoint"):
        Kept.from_line(line)


class TestKeeping:
    @pytest.fixture
    def state(self, tmp_path: Path) -> StateFolder:
        made = StateFolder(tmp_path / "state")
        lively(made, tmp_path / "copies")
        return made

    def test_nothing_new_is_not_signed_again(self, state: StateFolder) -> None:
        before = state.checkpoints.read_bytes()
        with Casebook.open(state.casebook) as book:
            sign_news(book, state)
            with book.writing("x") as writing:
                keep_checkpoint(writing, state)
            assert state.checkpoints.read_bytes() == before
            with book.writing("x") as writing:
                writing.audit("note added")
            sign_news(book, state)

        assert state.checkpoints.read_bytes().startswith(before)
        assert len(CheckpointFile(state.checkpoints).lines()[0]) == 4

    def test_a_log_shorter_than_what_was_signed_is_not_signed(self, state: StateFolder) -> None:
        state.casebook.unlink()
        with Casebook.open(state.casebook) as book:
            with (
                book.writing("x") as writing,
                pytest.raises(AuditError, match="The audit log is empty"),
            ):
                keep_checkpoint(writing, state)
            with book.writing("x") as writing:
                writing.audit("note added")
            with book.writing("x") as writing, pytest.raises(AuditError, match="it was cut"):
                keep_checkpoint(writing, state)

    def test_copies_are_never_replaced(self, state: StateFolder, tmp_path: Path) -> None:
        key = KeyFolder(state.keys).signing()
        one = sign_checkpoint("ringfence/audit/x", 3, bytes(32), [key])
        other = sign_checkpoint("ringfence/audit/x", 3, b"1" * 32, [key])
        path = write_copy(one, tmp_path)

        assert write_copy(one, tmp_path) == path
        with pytest.raises(AuditError, match="says otherwise"):
            write_copy(other, tmp_path)
        assert path.read_text() == one.note

    def test_what_cannot_be_written_is_told(self, state: StateFolder, tmp_path: Path) -> None:
        made = CheckpointFile(state.checkpoints).last()
        assert made is not None
        with pytest.raises(AuditError, match="No checkpoint was made"):
            CheckpointFile(tmp_path / "nowhere" / "file").append(made)
        with pytest.raises(AuditError, match="The copy was not written"):
            write_copy(made.checkpoint, state.checkpoints)
        with pytest.raises(AuditError, match="directory"):
            CheckpointFile(tmp_path).lines()
