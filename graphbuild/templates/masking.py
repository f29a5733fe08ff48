"""Prompt text → words, with everything that names a person or holds a secret masked first."""

from __future__ import annotations

import re
import unicodedata

WORD_LIMIT = 400
"""Words of a prompt that are looked at; a persona stands at its beginning."""

_CHARACTER_LIMIT = 16_384
_MASKS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), " <email> "),
    (re.compile(r"\b(?:https?|ftp)://\S{1,2048}|\bwww\.\S{1,2048}"), " <url> "),
    # Keys and tokens: long runs without a space that mix digits and letters.
    (re.compile(r"\b(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Za-z])[\w+/=-]{16,}"), " <secret> "),
    (re.compile(r"\+?\d(?:[\d\s().-]{5,}\d)"), " <number> "),
    (re.compile(r"\d+(?:[.,:/]\d+)*"), " <number> "),
)
# Scripts written without spaces are taken a character at a time.
_WORDS = re.compile(r"<\w+>|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]+")


def masked_words(text: str) -> list[str]:
    """Return the words of a text, case-folded, with masks such as ``<email>`` for what must not be kept."""
    text = unicodedata.normalize("NFKC", text[:_CHARACTER_LIMIT])
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return _WORDS.findall(text.casefold())[:WORD_LIMIT]
