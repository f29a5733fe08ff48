"""Shingles: what counts as one token, which spellings are the same, and that no text is too odd."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.graphbuild.templates.shingles import (
    CLOSES,
    HEAD,
    LABELS,
    OPENS,
    TAIL,
    joined,
    located,
    mixed,
    shingled,
)

PROMPT = "You are an expert in Economics.\nAnswer step by step."


def hashes(text: str) -> list[int]:
    return shingled(pa.array([text])).hashes.tolist()


def words(text: str) -> list[str]:
    """Return what each shingle of a text spans."""
    return [text[a:b] for a, b in located(pa.array([text]))[1].tolist()]


class TestTokens:
    def test_three_tokens_make_a_shingle_with_the_beginning_and_the_end(self) -> None:
        assert words("one two three four") == ["one two", "one two three", "two three four", "three four"]

    def test_a_single_word_is_one_shingle(self) -> None:
        (shingle,) = hashes("yes")
        assert shingle & (OPENS | CLOSES | LABELS) == OPENS | CLOSES

    @pytest.mark.parametrize("text", ["", " ", "\n", " \t\n\u3000\u2029", "\u200b\ufeff", "\u0301"])
    def test_nothing_to_read_has_no_shingles(self, text: str) -> None:
        assert hashes(text) == []

    def test_all_numbers_are_one(self) -> None:
        assert hashes("rate 5 films") == hashes("rate 1234567 films") == hashes("rate 5 17 8 films")
        assert hashes("rate ٣ films") == hashes("rate 5 films")

    def test_a_number_is_no_word(self) -> None:
        assert hashes("rate 5 films") != hashes("rate five films")

    def test_short_words_with_digits_are_words(self) -> None:
        assert hashes("use gpt4 now") != hashes("use gpt5 now")

    @pytest.mark.parametrize(
        "name", ["a1" * 8, "9f86d081884c7d659a2feaa0c55ad015", "U29tZSBiYXNlNjQ1", "x" * 40]
    )
    def test_long_names_are_one(self, name: str) -> None:
        assert hashes(f"open {name} now") == hashes("open deadbeef0123456789 now")

    def test_several_long_names_are_one(self) -> None:
        assert hashes(f"open {'a1' * 9} {'b2' * 9} now") == hashes(f"open {'c3' * 9} now")

    def test_long_words_are_words(self) -> None:
        assert hashes("the Donaudampfschifffahrtsgesellschaft is") != hashes("the " + "x" * 40 + " is")

    @pytest.mark.parametrize("apostrophe", ["'", "\u2019", "\u2018", "\u02bc", "\u00b4", "`", "\uff07", ""])
    def test_contractions_are_one_word(self, apostrophe: str) -> None:
        assert hashes(f"I don{apostrophe}t know") == hashes("I don't know")
        assert len(hashes(f"l{apostrophe}\u00e9t\u00e9")) == 1

    def test_quotation_marks_are_tokens(self) -> None:
        assert words("'yes' 'no'") == ["'yes", "'yes'", "yes' '", "' 'no", "'no'", "no'"]

    @pytest.mark.parametrize("breaks", ["\n", "\r\n", "\n\n\n", " \n \n ", "\u2028", "\n\u200b\n"])
    def test_line_breaks_in_a_row_are_one(self, breaks: str) -> None:
        assert hashes(f"one{breaks}two") == hashes("one\ntwo") != hashes("one two")

    def test_line_breaks_around_a_text_are_none(self) -> None:
        assert hashes("\n one two \n") == hashes("one two")

    def test_marks_are_tokens(self) -> None:
        assert len({tuple(hashes(f"one{mark}two")) for mark in ("", " ", ".", ",", ":", "#", "{", "=")}) == 8

    @pytest.mark.parametrize("text", ["Summary:", "摘要："])
    def test_labels_are_marked(self, text: str) -> None:
        flags = [h & (OPENS | CLOSES | LABELS) for h in hashes(f"{text} x")]
        assert [f for f in flags if f & LABELS] == [OPENS | LABELS] if text.isascii() else [LABELS]

    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("请总结下面的文字。", 9),
            ("次の文を要約して", 8),
            ("다음을 요약해 줘", 7),
            ("สรุปข้อความ", 9),  # vowels above and below belong to their letters
            ("निम्नलिखित पाठ का सारांश लिखें", 5),
            ("لخص النص التالي", 3),
            ("Кратко изложи текст", 3),
            ("Tóm tắt văn bản sau", 5),
            ("🎉 👍🏽 ❤️", 4),  # a colour of skin is a sign of its own
            ("🏴\U000e0067\U000e0062\U000e007f", 1),
        ],
    )
    def test_scripts(self, text: str, tokens: int) -> None:
        assert len(hashes(text)) == tokens


class TestFolding:
    @pytest.mark.parametrize(
        "spelling",
        [
            PROMPT.upper(),
            PROMPT.lower(),
            PROMPT.replace("e", "é").replace("n", "ñ"),
            PROMPT.replace("e", "e\u0301"),
            PROMPT.replace(" ", " \t\u3000\u00a0"),
            "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in PROMPT),
            PROMPT.replace("e", "e\u200b").replace("n", "\u00adn\u2060"),
            f"\u202e{PROMPT}\u202c\ufeff",
            PROMPT.replace("a", "\U000e0041a\ufe0f"),
            PROMPT.replace("e", "е").replace("o", "о").replace("a", "а"),
            PROMPT.replace("o", "ο").replace("i", "ı"),
            PROMPT.replace("E", "Е").replace("A", "Α"),
            PROMPT.replace("\n", "\r\n"),
        ],
        ids=[
            "upper",
            "lower",
            "accents",
            "combining",
            "space",
            "full width",
            "zero width",
            "bidi",
            "tags",
            "Cyrillic",
            "Greek",
            "capitals",
            "line ends",
        ],
    )
    def test_what_reads_the_same_is_the_same(self, spelling: str) -> None:
        assert spelling != PROMPT
        assert hashes(spelling) == hashes(PROMPT)

    def test_other_words_are_others(self) -> None:
        assert not set(hashes("alpha beta gamma")) & set(hashes("delta epsilon zeta"))

    def test_vowels_of_indic_scripts_are_not_dropped(self) -> None:
        assert hashes("कि") != hashes("की")


class TestArrays:
    TEXTS = ("one two", None, "", "drei vier fünf", "字" * 1200, "one two")

    @pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
    def test_kinds_of_strings(self, kind: pa.DataType) -> None:
        found = shingled(pa.array(self.TEXTS).cast(kind))
        assert found.hashes.tolist() == [h for text in self.TEXTS for h in hashes(text or "")]
        assert np.diff(found.starts).tolist() == [len(hashes(text or "")) for text in self.TEXTS]

    def test_slices(self) -> None:
        sliced = shingled(pa.array(self.TEXTS)[3:5])
        assert sliced.hashes.tolist() == hashes(self.TEXTS[3]) + hashes(self.TEXTS[4])
        assert (
            located(pa.array(self.TEXTS)[3:4])[1].tolist() == located(pa.array(self.TEXTS[3:4]))[1].tolist()
        )

    @pytest.mark.parametrize("texts", [pa.array([], pa.string()), pa.array([None, None], pa.string())])
    def test_nothing(self, texts: pa.Array) -> None:
        assert len(shingled(texts)) == len(texts)
        assert len(shingled(texts).hashes) == len(located(texts)[1]) == 0

    def test_taking_and_joining(self) -> None:
        whole = shingled(pa.array(self.TEXTS))
        again = joined(
            [whole.take(np.array([3, 0])), whole.take(np.array([], np.int64)), whole.take(np.array([5]))]
        )
        assert again.hashes.tolist() == hashes(self.TEXTS[3]) + 2 * hashes("one two")
        assert again.starts.tolist() == [
            0,
            *np.cumsum([len(hashes(t)) for t in ("drei vier fünf", "a b", "a b")]),
        ]


class TestSpans:
    def test_spans_count_characters_not_bytes(self) -> None:
        assert words("🎉 née\u200bs 字x") == ["🎉 née\u200bs", "🎉 née\u200bs 字", "née\u200bs 字x", "字x"]

    def test_a_line_break_is_the_first_of_several(self) -> None:
        assert words("a\n\nb") == ["a\n", "a\n\nb", "\n\nb"]

    def test_numbers_in_a_row_span_the_first(self) -> None:
        assert words("at 1 2 3 go") == ["at 1", "at 1 2 3 go", "1 2 3 go"]


def tokens(text: str) -> list[str]:
    """Return the tokens of a text of few signs: the rules said again in another way."""
    out, line = ["^"], False
    for piece in re.findall(r"[a-c0-9]+|[\n:.字]", text):
        if piece == "\n":
            line = len(out) > 1
            continue
        if line:
            out, line = [*out, "\n"], False
        if piece.isdigit():
            piece = "#"
        elif len(piece) >= 40 or (len(piece) >= 16 and not piece.isalpha()):
            piece = "@"
        if piece not in "#@" or out[-1] != piece:
            out.append(piece)
    return [*out, "$"]


@given(st.lists(st.text("aabc12  \n:.字", max_size=60), max_size=8))
@example(["a1" * 8 + " " + "2b" * 9 + "\n" + "c" * 40, "a\n\n1 2\n3"])
def test_shingles_are_the_same_where_their_tokens_are(texts: list[str]) -> None:
    found = shingled(pa.array(texts, pa.string())).hashes.tolist()
    triples = [
        triple for text in texts for triple in zip(*(tokens(text)[k:] for k in range(3)), strict=False)
    ]

    assert len(found) == len(triples)
    assert len(set(zip(found, triples, strict=True))) == len(set(found)) == len(set(triples))
    for shingle, triple in zip(found, triples, strict=True):
        assert bool(shingle & OPENS) == (triple[0] == "^")
        assert bool(shingle & CLOSES) == (triple[2] == "$")
        assert bool(shingle & LABELS) == (triple[2] == ":")


@given(st.text(max_size=300))
def test_whole_texts_have_the_shingles_of_short_ones(text: str) -> None:
    short, (whole, spans) = shingled(pa.array([text])), located(pa.array([text]))

    assert short.hashes.tolist() == whole.hashes.tolist()
    assert len(whole.hashes) <= len(text), "work grows with the text"
    assert 0 not in whole.hashes
    assert np.all(spans[:, 0] <= spans[:, 1])
    assert np.all(np.diff(spans, axis=0) >= 0)
    assert np.all((spans >= 0) & (spans <= len(text)))


@given(st.text("ab1 .\n字é🎉\u200b", min_size=1, max_size=40), st.integers(0, 9))
def test_long_texts_are_read_at_both_ends_and_cut_between_characters(piece: str, shift: int) -> None:
    text = "x" * shift + piece * (2 * (HEAD + TAIL) // len(piece.encode()) + 1)
    starts = np.cumsum([0, *(len(c.encode()) for c in text)])
    head = text[: int(np.searchsorted(starts, HEAD))]
    tail = text[int(np.searchsorted(starts, starts[-1] - TAIL)) :]

    assert hashes(text) == located(pa.array([f"{head} {tail}"]))[0].hashes.tolist()


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=4).map(lambda b: b * 2000), max_size=5))
def test_bytes_that_are_no_text_do_no_harm(pieces: list[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, pieces)]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(pieces))]
    texts = pa.Array.from_buffers(pa.large_string(), len(pieces), buffers)
    short, (whole, spans) = shingled(texts), located(texts)

    assert np.all(np.diff(short.starts) <= np.minimum(np.diff(offsets), HEAD + TAIL))
    assert np.all(np.diff(whole.starts) <= np.diff(offsets))
    assert spans.shape == (len(whole.hashes), 2)


def test_a_megabyte_without_a_space_is_little() -> None:
    for text in ("x" * 1_000_000, "9" * 1_000_000, "{" * 1_000_000, "字" * 300_000):
        assert len(hashes(text)) <= HEAD + TAIL


def test_the_hash_is_the_published_one() -> None:
    # The first output of SplitMix64 from seed 0: its finaliser of the golden ratio.
    assert mixed(np.uint64(0x9E3779B97F4A7C15)) == 0xE220A8397B1DCDAF
