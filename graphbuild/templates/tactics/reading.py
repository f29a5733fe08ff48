"""The words of a text → concepts, in eight languages.

A folder of TOML files says, language by language, which words stand for a concept (``step``, ``grade``).
Languages written in the Latin script share spellings that mean different things (*note*, *general*, *roman*);
of those, the ones that a text's commonest words speak for are looked up. Where a concept stands is a set of
bits of one integer. The time grows with the length of the text alone, and that has a limit.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

CHARACTER_LIMIT = 8192
"""Longer texts are read at both ends: what is asked for stands before or after a long passage."""
_TAIL = 2048
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CJK}](?:\s*+[{_CJK}])*+|[^\W\d_{_CJK}]+|\d+")
_NUMBER = "<number>"
_ASCII_WORDS = "".join(chr(c).lower() if chr(c).isalnum() else " " for c in range(128))
_COUNT_BITS = 16
_MARK = re.compile("[\u0300-\u036f\u0653-\u0655]")
_ARABIC_VOWELS = re.compile("[\u0640\u064b-\u0652]")
_LATIN = ("en", "de", "es", "fr", "pt")
_OTHER = ("ru", "zh", "ar")
LANGUAGES = (*_LATIN, *_OTHER)
_SPOKEN = 0.4
"""Share of the leading language's votes from which another is looked up, too."""
_LONGEST_CJK = 6
_SHORTEST_STEM = 2
# Written together with the word that follows: and, so, by, for, like, the.
_ARABIC_PREFIXES = ("وال", "فال", "بال", "كال", "لل", "ال", "و", "ف", "ب", "ل", "ك")


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a text's concepts stand."""

    places: dict[int, int]
    """Concept → bits, one a word."""
    words: int
    """How many words were read."""
    near: dict[tuple[tuple[int, ...], int], int] = field(default_factory=dict)
    """(Concepts, words) → places near one of them: many rules ask for the same."""
    held: dict[str, tuple[bool, ...]] = field(default_factory=dict)
    """Label → which of its rules hold, once asked for."""


@dataclass(slots=True)
class _Vocabulary:
    """The words of one language; a value is a set of concepts as bits."""

    words: dict[str, int]
    stems: dict[str, int]
    phrases: dict[str, list[tuple[tuple[str, ...], int]]]
    """First word → what follows it, with a trailing ``*`` for stems."""
    common: frozenset[str]


@dataclass(slots=True)
class _Entry:
    """What a word may mean."""

    votes: int
    """Languages whose commonest words it is one of: 1 for each, in the bits of that language's count."""
    hits: tuple[tuple[int, int], ...] = ()
    """(language, concepts) pairs."""
    phrases: tuple[tuple[int, tuple[str, ...], int], ...] = ()
    """(language, words that follow, concepts) triples."""
    is_run: bool = False
    """Written without spaces: to be read from inside."""
    meanings: dict[int, int] = field(default_factory=dict)
    """Languages spoken, as bits → concepts, as far as asked for."""

    def meaning(self, spoken: int) -> int:
        """Return the concepts of the word by itself."""
        found = self.meanings.get(spoken)
        if found is None:
            found = 0
            for language, bits in self.hits:
                found |= bits if spoken >> language & 1 else 0
            self.meanings[spoken] = found
        return found


@cache
def concepts() -> tuple[str, ...]:
    """Return the names of all concepts, in the order of their numbers."""
    return tuple(name for name in table("concepts/en.toml") if name != "common")


def read(text: str) -> Reading:
    """Find the concepts of a text: a prompt as written, or a skeleton of case-folded words and slots."""
    tokens = _tokens(text)
    known = [(number, entry) for number, entry in enumerate(map(_entry, tokens)) if entry is not None]
    spoken = _spoken(sum([entry.votes for _, entry in known]))
    places: dict[int, int] = {}
    further = 0
    for number, entry in known:
        if entry.is_run:
            further += _read_cjk(tokens[number], number + further, places) - number - further - 1
            continue
        found = entry.meaning(spoken)
        for language, rest, bits in entry.phrases:
            if spoken >> language & 1 and _follows(rest, tokens, number + 1):
                found |= bits
        if found:
            _put(places, found, number + further)
    return Reading(places, len(tokens) + further)


def _tokens(text: str) -> list[str]:
    if len(text) > CHARACTER_LIMIT:
        text = text[: CHARACTER_LIMIT - _TAIL] + " " + text[-_TAIL:]
    text = text.replace(_NUMBER, " 0 ")
    if text.isascii():
        return text.translate(_ASCII_WORDS).split()
    return _TOKEN.findall(_ARABIC_VOWELS.sub("", unicodedata.normalize("NFKC", text)).casefold())


def _spoken(votes: int) -> int:
    """Return the languages to look up, as bits: other scripts', and whichever the common words name."""
    counts = [votes >> _COUNT_BITS * n & (1 << _COUNT_BITS) - 1 for n in range(len(_LATIN))]
    least = _SPOKEN * max(counts)
    return sum(1 << n for n in range(len(LANGUAGES)) if n >= len(_LATIN) or counts[n] >= least)


def _follows(rest: tuple[str, ...], tokens: list[str], start: int) -> bool:
    if start + len(rest) > len(tokens):
        return False
    for offset, wanted in enumerate(rest):
        token = _folded(tokens[start + offset])
        if not (token.startswith(wanted[:-1]) if wanted[-1] == "*" else token == wanted):
            return False
    return True


def _put(places: dict[int, int], found: int, at: int) -> None:
    bit = 1 << at
    while found:
        low = found & -found
        concept = low.bit_length() - 1
        places[concept] = places.get(concept, 0) | bit
        found ^= low


def _read_cjk(run: str, at: int, places: dict[int, int]) -> int:
    """Read a run from place ``at``, the longest word first, and return the place after it.

    Two characters that mean nothing count as one word.
    """
    words = _vocabularies()[LANGUAGES.index("zh")].words
    run = "".join(run.split())
    place, half = 0, 0
    while place < len(run):
        for length in range(_LONGEST_CJK, 0, -1):
            found = words.get(run[place : place + length]) if place + length <= len(run) else None
            if found:
                at, half = at + half, 0
                _put(places, found, at)
                at, place = at + 1, place + length
                break
        else:
            place += 1
            at, half = at + half, 1 - half
    return at + half


@lru_cache(maxsize=1 << 15)
def _entry(token: str) -> _Entry | None:
    if "\u3040" <= token[0] <= "\ufaff" and not "\ua000" <= token[0] < "\uf900":
        return _Entry(0, is_run=True)
    word = _NUMBER if token[0].isdigit() else _folded(token.rstrip("0123456789"))
    votes, hits, phrases = 0, [], []
    for language, vocabulary in enumerate(_vocabularies()):
        if word in vocabulary.common and language < len(_LATIN):
            votes += 1 << _COUNT_BITS * language
        forms = _without_prefixes(word) if LANGUAGES[language] == "ar" else (word,)
        bits = 0
        for form in forms:
            bits |= vocabulary.words.get(form, 0)
            for length in range(_SHORTEST_STEM, len(form) + 1):
                bits |= vocabulary.stems.get(form[:length], 0)
            phrases += [(language, rest, found) for rest, found in vocabulary.phrases.get(form, ())]
        if bits:
            hits.append((language, bits))
    return _Entry(votes, tuple(hits), tuple(phrases)) if votes or hits or phrases else None


def _without_prefixes(word: str) -> tuple[str, ...]:
    cut = [word[len(p) :] for p in _ARABIC_PREFIXES if word.startswith(p) and len(word) - len(p) > 1]
    return (word, *cut)


@lru_cache(maxsize=1 << 15)
def _folded(word: str) -> str:
    """Return a word without accents, which are often left out."""
    return word if word.isascii() else _MARK.sub("", unicodedata.normalize("NFKD", word))


@cache
def _vocabularies() -> tuple[_Vocabulary, ...]:
    return tuple(_vocabulary(table(f"concepts/{language}.toml")) for language in LANGUAGES)


def _vocabulary(table: dict[str, str]) -> _Vocabulary:
    made = _Vocabulary({}, {}, {}, frozenset(_folded(w) for w in table.get("common", "").split()))
    for number, concept in enumerate(concepts()):
        for written in table[concept].split():
            first, *rest = _parts(written)
            if rest:
                made.phrases.setdefault(first, []).append((tuple(rest), 1 << number))
            elif first[-1] == "*":
                made.stems[first[:-1]] = made.stems.get(first[:-1], 0) | 1 << number
            else:
                made.words[first] = made.words.get(first, 0) | 1 << number
    return made


def _parts(written: str) -> list[str]:
    parts = []
    for piece in written.split("_"):
        plain = _ARABIC_VOWELS.sub("", piece.rstrip("*").casefold())
        parts += [_folded(word) for word in re.findall(rf"{_NUMBER}|[^\W\d_]+", plain)]
        if piece.endswith("*"):
            parts[-1] += "*"
    return parts


def table(name: str) -> dict[str, Any]:
    """Return a table of this package's data."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
