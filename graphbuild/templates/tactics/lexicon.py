"""Words of many languages → concepts, and rules over concepts → scores. Both are data that a person can read.

A folder of TOML files says, language by language, which words stand for a concept (``step``, ``grade``, ``tool``).
Rules know concepts only, never words, so that a prompt and its translation meet the same rules. Languages
written in the Latin script share spellings that mean different things (*note*, *general*, *roman*); of those, the
ones that a text's commonest words speak for are looked up. Where a concept stands is a set of bits of one integer,
which makes "near" a few shifts: the time grows with the length of the text alone.
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
_TOKEN = re.compile(rf"[{_CJK}](?:\s*+[{_CJK}])*+|[^\W\d_{_CJK}]+|\d+(?:[.,:/]\d+)*|<number>")
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
class Rule:
    """Concepts that speak for a label where they stand close together."""

    anchor: tuple[int, ...]
    """Concepts, one of which must be there."""
    others: tuple[tuple[int, ...], ...]
    """Groups of concepts; one of each must stand near the anchor, at another word."""
    within: int
    """Words."""
    weight: float
    """How strongly it speaks: 0 to 1."""


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


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a word may mean."""

    votes: tuple[int, ...]
    """Languages whose commonest words it is one of."""
    hits: tuple[tuple[int, int], ...]
    """(language, concepts) pairs."""
    phrases: tuple[tuple[int, tuple[str, ...], int], ...]
    """(language, words that follow, concepts) triples."""


_NOTHING = _Entry((), (), ())


@cache
def concepts() -> tuple[str, ...]:
    """Return the names of all concepts, in the order of their numbers."""
    return tuple(name for name in _table("concepts/en.toml") if name != "common")


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each label."""
    number = {name: i for i, name in enumerate(concepts())}
    made: dict[str, tuple[Rule, ...]] = {}
    for label, section in _table("rules.toml").items():
        made[label] = tuple(
            Rule(groups[0], groups[1:], int(rule["within"]), float(rule["weight"]))
            for rule in section["rules"]
            for groups in [tuple(tuple(number[c] for c in group.split("|")) for group in rule["all"])]
        )
    return made


def read(text: str) -> Reading:
    """Find the concepts of a text: a prompt as it was written, or a skeleton of case-folded words and slots."""
    tokens = _tokens(text)
    entries = [_entry(token) if token[0] < "\u3040" or token[0] > "\ufaff" else None for token in tokens]
    spoken = _spoken(entries)
    places: dict[int, int] = {}
    at = 0
    for number, (token, entry) in enumerate(zip(tokens, entries, strict=True)):
        if entry is None:
            at = _read_cjk(token, at, places)
            continue
        if entry is not _NOTHING:
            found = _meaning(entry, spoken, tokens, number)
            if found:
                _put(places, found, at)
        at += 1
    return Reading(places, at)


def lexicon_scores(reading: Reading) -> dict[str, float]:
    """Return each label's score by its rules: 0 where none holds, below 1."""
    scores = {}
    for label, of_label in rules().items():
        against = 1.0
        for rule, held in zip(of_label, rules_held(reading, label), strict=True):
            if held:
                against *= 1.0 - rule.weight
        scores[label] = 1.0 - against
    return scores


def rules_held(reading: Reading, label: str) -> tuple[bool, ...]:
    """Return which rules of a label hold, in their order."""
    held = reading.held.get(label)
    if held is None:
        held = tuple(_holds(rule, reading.places, reading.near) for rule in rules()[label])
        reading.held[label] = held
    return held


def _holds(rule: Rule, places: dict[int, int], near: dict[tuple[tuple[int, ...], int], int]) -> bool:
    left = _any(rule.anchor, places)
    for group in rule.others:
        if not left:
            return False
        key = (group, rule.within)
        reach = near.get(key)
        if reach is None:
            reach = near[key] = _widened(_any(group, places), rule.within)
        left &= reach
    return bool(left)


def _any(group: tuple[int, ...], places: dict[int, int]) -> int:
    found = 0
    for concept in group:
        found |= places.get(concept, 0)
    return found


def _widened(bits: int, by: int) -> int:
    """Return the places at most ``by`` words from a bit, that place itself left out."""
    if not bits:
        return 0
    ahead, behind, done = bits << 1, bits >> 1, 1
    while done < by:
        more = min(done, by - done)
        ahead |= ahead << more
        behind |= behind >> more
        done += more
    return ahead | behind


def _tokens(text: str) -> list[str]:
    if len(text) > CHARACTER_LIMIT:
        text = text[: CHARACTER_LIMIT - _TAIL] + " " + text[-_TAIL:]
    if not text.isascii():
        text = _ARABIC_VOWELS.sub("", unicodedata.normalize("NFKC", text))
    return _TOKEN.findall(text.casefold())


def _spoken(entries: list[_Entry | None]) -> int:
    """Return the languages to look up, as bits: those of other scripts, and whichever the common words name."""
    votes = [0] * len(_LATIN)
    for entry in entries:
        if entry is not None and entry.votes:
            for language in entry.votes:
                votes[language] += 1
    most = max(votes)
    chosen = (
        sum(1 << n for n, v in enumerate(votes) if v and v >= _SPOKEN * most)
        if most
        else (1 << len(_LATIN)) - 1
    )
    return chosen | sum(1 << n for n in range(len(_LATIN), len(LANGUAGES)))


def _meaning(entry: _Entry, spoken: int, tokens: list[str], number: int) -> int:
    found = 0
    for language, bits in entry.hits:
        if spoken >> language & 1:
            found |= bits
    for language, rest, bits in entry.phrases:
        if spoken >> language & 1 and _follows(rest, tokens, number + 1):
            found |= bits
    return found


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
    """Read a run without spaces, the longest word first; two characters that mean nothing count as one word."""
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
def _entry(token: str) -> _Entry:
    word = "<number>" if token[0].isdigit() else _folded(token)
    votes, hits, phrases = [], [], []
    for language, vocabulary in enumerate(_vocabularies()):
        if word in vocabulary.common and language < len(_LATIN):
            votes.append(language)
        forms = _without_prefixes(word) if LANGUAGES[language] == "ar" else (word,)
        bits = 0
        for form in forms:
            bits |= vocabulary.words.get(form, 0)
            for length in range(_SHORTEST_STEM, len(form) + 1):
                bits |= vocabulary.stems.get(form[:length], 0)
            phrases += [(language, rest, found) for rest, found in vocabulary.phrases.get(form, ())]
        if bits:
            hits.append((language, bits))
    return _Entry(tuple(votes), tuple(hits), tuple(phrases)) if votes or hits or phrases else _NOTHING


def _without_prefixes(word: str) -> tuple[str, ...]:
    cut = [word[len(p) :] for p in _ARABIC_PREFIXES if word.startswith(p) and len(word) - len(p) > 1]
    return (word, *cut)


@lru_cache(maxsize=1 << 15)
def _folded(word: str) -> str:
    """Return a word without accents, which are often left out."""
    return word if word.isascii() else _MARK.sub("", unicodedata.normalize("NFKD", word))


@cache
def _vocabularies() -> tuple[_Vocabulary, ...]:
    return tuple(_vocabulary(_table(f"concepts/{language}.toml")) for language in LANGUAGES)


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
        for word in re.findall(r"<number>|[^\W\d_]+", _ARABIC_VOWELS.sub("", piece.rstrip("*").casefold())):
            parts.append(_folded(word))
        if piece.endswith("*"):
            parts[-1] += "*"
    return parts


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
