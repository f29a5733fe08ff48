"""Prompt text → words, with everything that names a person or holds a secret masked first."""

from __future__ import annotations

import re
import unicodedata

WORD_LIMIT = 400
"""Words of a prompt that are looked at; a persona stands at its beginning."""

_CHARACTER_LIMIT = 16_384
_LONGEST_MASKED = 512
# Unicode's Default_Ignorable_Code_Point: zero-width and bidirectional controls, fillers, tags, variation
# selectors. Sprinkled through a prompt they change nothing a person sees.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]+"
)
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+")
# Runs without a space that mix digits and letters. Only ASCII: scripts without spaces are no keys.
_KEY = re.compile(r"\b(?=[\w+/=-]{0,200}\d)(?=[\w+/=-]{0,200}[a-z])[\w+/=-]{16,}", re.ASCII)
_LONG_WORD = re.compile(r"(?<![a-z])[a-z]{32,}")
_PHONE_OR_CARD = re.compile(r"\+?\d(?:[\d\s().-]{5,}\d)")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_DIGIT = re.compile(r"\d")
# Scripts written without spaces are taken a character at a time.
_WORDS = re.compile(r"<\w+>|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]+")


def masked_words(text: str) -> list[str]:
    """Return the words of a text, case-folded, with masks such as ``<email>`` for what must not be kept."""
    return _WORDS.findall(_masked(_plain(text)))[:WORD_LIMIT]


def _plain(text: str) -> str:
    """Return the beginning of a text in one spelling: compatible forms, case, spaces, nothing invisible."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    text = _beginning(" ".join(text.split()))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _beginning(text: str) -> str:
    """Cut a text between two words, so that half an address is not taken for a word."""
    if len(text) <= _CHARACTER_LIMIT:
        return text
    end = text.rfind(" ", _CHARACTER_LIMIT - _LONGEST_MASKED, _CHARACTER_LIMIT)
    return text[: end if end > 0 else _CHARACTER_LIMIT]


def _masked(text: str) -> str:
    if "://" in text or "www." in text:
        text = _URL.sub(" <url> ", text)
    if "@" in text:
        text = _EMAIL.sub(" <email> ", text)
    if _DIGIT.search(text):
        text = _KEY.sub(" <secret> ", text)
        text = _PHONE_OR_CARD.sub(" <number> ", text)
        text = _NUMBER.sub(" <number> ", text)
    return _LONG_WORD.sub(" <secret> ", text)
