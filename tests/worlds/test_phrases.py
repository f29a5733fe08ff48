"""Phrasebooks can be swapped one for another, and their phrases joined without a seam."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from ringfence.worlds.phrases import FRAMEWORKS, PHRASEBOOKS, TACTICS, Phrasebook

COUNTS = {
    "openers": (5, 3),
    "purposes": (5, 3),
    "rules": (14, 1),
    "questions": (6, 2),
    "tasks": (30, 2),
    "assignments": (3, 3),
    "starters": (3, 2),
    "professions": (16, 1),
    "fields": (20, 1),
    "wares": (14, 1),
    "sentences": (60, 1),
} | dict.fromkeys(TACTICS, (3, 1))
SLOT_WORDS = ("professions", "fields", "wares")
SPACED = ("en", "de", "es", "fr")
HAN = re.compile(r"[\u4e00-\u9fff]")

each_language = pytest.mark.parametrize("language", list(PHRASEBOOKS))


def lists(book: Phrasebook) -> dict[str, list[tuple[str, ...]]]:
    """Every list of a book by name, whole phrases as tuples of one."""
    plain = {name: getattr(book, name) for name in COUNTS if name not in TACTICS}
    found = plain | dict(book.tactics)
    return {name: [e if isinstance(e, tuple) else (e,) for e in entries] for name, entries in found.items()}


def phrases(book: Phrasebook) -> list[tuple[str, ...]]:
    return [entry for name, entries in lists(book).items() if name not in SLOT_WORDS for entry in entries]


def ink(entry: tuple[str, ...]) -> int:
    return len(re.findall(r"\w", "".join(entry)))


def test_languages_in_order() -> None:
    assert list(PHRASEBOOKS) == ["en", "de", "es", "fr", "zh"]
    assert [book.language for book in PHRASEBOOKS.values()] == list(PHRASEBOOKS)


@each_language
def test_counts_and_slots_are_the_same_everywhere(language: str) -> None:
    book = PHRASEBOOKS[language]
    assert tuple(book.tactics) == TACTICS
    assert {
        name: (len(entries), *{len(e) for e in entries}) for name, entries in lists(book).items()
    } == COUNTS


@each_language
def test_nothing_twice(language: str) -> None:
    entries = phrases(PHRASEBOOKS[language])
    assert len(set(entries)) == len(entries)
    for name in SLOT_WORDS:
        assert len(set(getattr(PHRASEBOOKS[language], name))) == COUNTS[name][0]


@each_language
def test_only_what_follows_a_task_may_be_empty(language: str) -> None:
    for name, entries in lists(PHRASEBOOKS[language]).items():
        for entry in entries:
            required = entry[:-1] if name == "tasks" else entry
            assert all(part.strip() for part in required), (name, entry)


@each_language
def test_no_braces_tabs_or_double_spaces(language: str) -> None:
    for entries in lists(PHRASEBOOKS[language]).values():
        for entry in entries:
            assert not re.search(r"[{}\t]|  | \n", "\0".join(entry)), entry


@each_language
def test_whole_sentences_are_closed(language: str) -> None:
    book = PHRASEBOOKS[language]
    for text in (*book.rules, *book.sentences, *(t for group in book.tactics.values() for t in group)):
        assert text == text.strip()
        assert text.endswith("。" if language == "zh" else "."), text
        assert not text[0].islower(), text


@pytest.mark.parametrize("language", SPACED)
def test_slots_have_space_around_them(language: str) -> None:
    for entry in phrases(PHRASEBOOKS[language]):
        assert all(part[-1].isspace() for part in entry[:-1]), entry
        assert all(re.match(r"[\s.,;]", part) for part in entry[1:] if part), entry


def test_chinese_is_written_in_chinese_without_latin_punctuation() -> None:
    for entries in lists(PHRASEBOOKS["zh"]).values():
        for entry in entries:
            assert HAN.search("".join(entry)), entry
            assert not re.search(r"[,;:?!()]", "".join(entry)), entry


@pytest.mark.parametrize("language", SPACED)
def test_no_chinese_elsewhere(language: str) -> None:
    text = "".join("".join(entry) for entries in lists(PHRASEBOOKS[language]).values() for entry in entries)
    assert not HAN.search(text)


@pytest.mark.parametrize(("first", "second"), list(combinations(PHRASEBOOKS, 2)))
def test_nothing_was_left_untranslated(first: str, second: str) -> None:
    assert not set(phrases(PHRASEBOOKS[first])) & set(phrases(PHRASEBOOKS[second]))


@pytest.mark.parametrize(
    ("language", "least", "most"),
    [("de", 0.7, 1.6), ("es", 0.7, 1.6), ("fr", 0.7, 1.6), ("zh", 0.2, 0.55)],
)
def test_translations_are_about_as_long(language: str, least: float, most: float) -> None:
    for english, other in zip(phrases(PHRASEBOOKS["en"]), phrases(PHRASEBOOKS[language]), strict=True):
        assert [bool(part) for part in english] == [bool(part) for part in other]
        ratio = ink(other) / ink(english)
        assert least < ratio < most or ink(english) < 20, (ratio, english, other)


@each_language
def test_sentences_of_passages_are_neither_short_nor_long(language: str) -> None:
    for sentence in PHRASEBOOKS[language].sentences:
        if language == "zh":
            assert 16 <= len(sentence) <= 45, sentence
        else:
            assert 12 <= len(sentence.split()) <= 30, (len(sentence.split()), sentence)


def test_frameworks() -> None:
    assert len(set(FRAMEWORKS)) == 12
    for before, after in FRAMEWORKS:
        assert 40 <= len((before + after).split()) <= 120, (len((before + after).split()), before)
        assert before.endswith(": ")
        assert after.startswith("\n\n")
        assert not re.search(r"[{}]", before + after)
