"""Wordings: prompts that begin nearly alike, in memory that does not grow with what comes only once."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from ringfence.graphbuild.templates.column import Column
from ringfence.graphbuild.templates.public import fingerprint
from ringfence.graphbuild.templates.shingles import shingled
from ringfence.graphbuild.templates.wordings import LEAST, SharedWordings, Wordings, account_hashes

WORDS = [f"{a}{b}{c}" for a in "bcdfglmnprst" for b in "aeiou" for c in ("n", "rk", "ss", "lt")]


def text(seed: int, words: int = 70) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def varied(whole: str, seed: int, share: float) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) if rng.random() < share else word for word in whole.split())


def number(wordings: Wordings, texts: list[str]) -> list[int]:
    return wordings.number(shingled(pa.array(texts, pa.string()))).tolist()


def test_a_word_exchanged_here_and_there_makes_no_other_wording() -> None:
    wordings = Wordings()
    wholes = [text(seed) for seed in range(20)]
    first = number(wordings, wholes)
    assert first == list(range(20))
    assert number(wordings, [varied(whole, 7, 0.03) for whole in wholes]) == first
    assert number(wordings, [text(seed) for seed in range(100, 120)]) == list(range(20, 40))


def test_what_follows_the_beginning_does_not_count() -> None:
    whole = text(1, 80)
    assert number(Wordings(), [f"{whole} {text(2)}", f"{whole} {text(3)}"]) == [0, 0]


@pytest.mark.parametrize(("words", "numbered"), [(LEAST - 1, False), (LEAST, True)])
def test_short_prompts_have_no_wording(words: int, numbered: bool) -> None:
    assert (number(Wordings(), [text(1, words)]) == [0]) is numbered


@pytest.mark.parametrize("batch", [1, 16, 500])
def test_batches_do_not_show(batch: int) -> None:
    texts = [varied(text(seed % 50), seed, 0.005) for seed in range(500)]
    wordings = Wordings()
    found = [n for at in range(0, 500, batch) for n in number(wordings, texts[at : at + batch])]
    assert found == number(Wordings(), texts)
    assert 50 <= len(wordings) <= 52


def test_what_came_once_is_forgotten_and_what_came_twice_is_not() -> None:
    wordings = Wordings(most=64)
    kept = [text(seed) for seed in range(8)]
    names = number(wordings, kept)
    assert number(wordings, kept) == names
    alone = [text(seed) for seed in range(1000, 1400)]
    once = [n for at in range(0, 400, 8) for n in number(wordings, alone[at : at + 8])]
    assert once == list(range(8, 408))
    assert number(wordings, kept) == names
    assert number(wordings, alone[-3:]) == once[-3:], "the last ones are still known"
    assert number(wordings, alone[:3]) == [408, 409, 410], "the first ones are new again"


def test_wording_is_shown_when_three_accounts_after_the_first_sent_it() -> None:
    whole = text(5)
    for accounts, told in [("aaaa", False), ("abba", False), ("abcb", False), ("abcd", True)]:
        shared = SharedWordings(3)
        texts = pa.array([varied(whole, n, 0.03) for n in range(4)])
        keys = np.arange(1, 5, dtype=np.uint64)
        shared.notice(np.zeros(4, np.int32), keys, texts, pa.array(list(accounts)))
        shown = [wording.skeleton for wording in shared.told({})]
        assert any(shown) is told
    assert shared.identifier(0) == "w-0000000000000001"


def test_a_public_prompt_is_known_with_any_number_of_senders() -> None:
    public = text(77, 60)
    mark, length = fingerprint(public)
    fingerprints = (mark, np.zeros(len(mark), np.int64), np.array([len(mark)]), np.array([length]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringfence.graphbuild.templates.public._fingerprints", lambda: fingerprints)
        for senders in (2, 3, 4, 5):
            shared = SharedWordings(3)
            texts = pa.array([f"{public} {text(n, 200)}" for n in range(senders)])
            keys = np.arange(1, senders + 1, dtype=np.uint64)
            accounts = pa.array([f"a{n}" for n in range(senders)])
            shared.notice(np.zeros(senders, np.int32), keys, texts, accounts)
            assert [told.public for told in shared.told({})] == [True], senders


def test_accounts_are_hashed_and_nobody_is_nobody() -> None:
    hashes = account_hashes(pa.array(["a", None, "b", "a", ""]))
    assert hashes[0] == hashes[3] != hashes[2]
    assert hashes[1] == hashes[4] == 0
    assert account_hashes(pa.nulls(2, pa.string())).tolist() == [0, 0]
    assert len(account_hashes(pa.array([], pa.string()))) == 0


def test_a_column_keeps_what_was_put_into_it() -> None:
    column, pairs = Column(np.uint32), Column(np.uint64, 2)
    for n in range(2000):
        column.extend(np.array([n, n + 1], np.uint32))
        pairs.extend(np.array([[n, 2 * n]], np.uint64))
    assert column.values.tolist() == [m for n in range(2000) for m in (n, n + 1)]
    assert pairs.values.tolist() == [[n, 2 * n] for n in range(2000)]
    assert len(column) == 4000
