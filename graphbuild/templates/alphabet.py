"""How characters are read: which letter a character stands for, and which kind of sign it is.

Spellings that a reader takes for the same come out the same: case, accents, full-width and compatibility
forms (Unicode normalisation form KD), letters of other alphabets that look Latin (Unicode TS 39 calls them
confusable), and characters that show nothing. Whole alphabets are folded, not single words, so that no
language is read worse than another.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt

SPACE, LINE, LETTER, DIGIT, MARK, GLYPH, NOTHING = range(7)
"""Kinds of characters. A glyph is a word by itself, as in scripts that put no spaces between words."""

PLANE = 1 << 16
"""Code points that the tables know; those above are glyphs."""

# Cyrillic and Greek letters that pass for Latin ones in either case.
_CONFUSABLE = dict(
    zip(
        "авекмнорстухіјѕһԁԛԝ" + "αβεζηικμνορτυχγ" + "ıłøđħɡ",
        "abekmhopctyxijshdqw" + "abezhikmvoptuxy" + "ilodhg",
        strict=True,
    )
)
_APOSTROPHES = "\u2018\u2019\u02bc\u0060\u00b4\uff07"
_LINES = "\n\r\x0b\x0c\x85\u2028\u2029"
# Kana, ideographs, Hangul; Thai, Lao, Myanmar, Khmer.
_GLYPHS = (
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
)
# Large blocks in which every sign is a glyph as it stands: ideographs, Hangul, private use.
_SETTLED = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF))
# Indic scripts write vowels as combining signs: without them words would fall together.
_COMBINING_LETTERS = (0x0900, 0x0DFF)
# Fillers and joiners that Unicode counts as letters and that show nothing.
_INVISIBLE = frozenset(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x3164, 0xFFA0, 0x2800)
)


def read_alphabet() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
    """Return for every code point below ``PLANE`` what it is read as and its kind; shapes: ``(PLANE,)``."""
    folded = np.arange(PLANE, dtype=np.uint16)
    kinds = np.empty(PLANE, np.uint8)
    settled = np.zeros(PLANE, bool)
    for first, last in _SETTLED:
        kinds[first : last + 1] = GLYPH
        settled[first : last + 1] = True
    for point in np.flatnonzero(~settled).tolist():
        sign = chr(point)
        letter = _folded(sign)
        folded[point] = ord(letter)
        kinds[point] = _kind(sign, letter)
    return folded, kinds


def _folded(sign: str) -> str:
    if sign in _APOSTROPHES:
        return "'"
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sign).casefold())
    base = next((s for s in plain if not unicodedata.category(s).startswith("M")), sign)
    base = _CONFUSABLE.get(base, base)
    return base if ord(base) < PLANE else sign


def _kind(sign: str, letter: str) -> int:
    point, category = ord(sign), unicodedata.category(sign)
    kind = MARK
    if sign in _LINES:
        kind = LINE
    elif sign.isspace() or category.startswith("Z"):
        kind = SPACE
    elif point in _INVISIBLE or category in ("Cc", "Cf", "Cs"):
        kind = NOTHING
    elif any(first <= point <= last for first, last in _GLYPHS):
        kind = NOTHING if category.startswith("M") else GLYPH
    elif category.startswith("M"):
        first, last = _COMBINING_LETTERS
        kind = LETTER if first <= point <= last else NOTHING
    elif unicodedata.category(letter).startswith("L"):
        kind = LETTER
    elif unicodedata.category(letter).startswith("N"):
        kind = DIGIT
    return kind
