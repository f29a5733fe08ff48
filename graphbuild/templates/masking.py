"""Masking what names a person or holds a secret, before anything of a prompt is kept to be shown."""

from __future__ import annotations

import re
import unicodedata

_CHARACTER_LIMIT = 4096
_LONGEST_MASKED = 512
# Unicode's Default_Ignorable_Code_Point: zero-width and bidirectional controls, fillers, tags, variation
# selectors. Sprinkled through a prompt they change nothing a person sees.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]+"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASCII_SIGNS = "".join(map(chr, range(0x21, 0x7F)))
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+", re.IGNORECASE)
# Runs without a space that mix digits and letters. Only ASCII: scripts without spaces are no keys.
_KEY = re.compile(r"\b(?=[\w+/=-]{0,200}\d)(?=[\w+/=-]{0,200}[a-z])[\w+/=-]{16,}", re.ASCII | re.IGNORECASE)
_LONG_WORD = re.compile(r"(?<![a-z])[a-z]{32,}", re.IGNORECASE)
_PHONE_OR_CARD = re.compile(r"\+?\d(?:[\d\s().-]{5,}\d)")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_DIGIT = re.compile(r"\d")


def masked(text: str) -> str:
    """Return the beginning of a text without what names somebody or opens something, and nothing invisible.

    E-mail addresses, URLs, keys and long words become ``<email>``, ``<url>`` and ``<secret>``; numbers, and
    with them telephones and cards, become ``0``. What is left can be written as UTF-8.
    """
    if not text.isascii():
        text = _SURROGATE.sub(" ", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", _beginning(text.lstrip()))
    if not text.isascii():
        text = "".join("0" if unicodedata.category(sign) in ("Nl", "No") else sign for sign in text)
    if "://" in text or "www." in text.lower():
        text = _URL.sub("<url>", text)
    if "@" in text:
        text = _EMAIL.sub("<email>", text)
    if _DIGIT.search(text):
        text = _KEY.sub("<secret>", text)
        text = _PHONE_OR_CARD.sub("0", text)
        text = _NUMBER.sub("0", text)
    return _LONG_WORD.sub("<secret>", text)


def _beginning(text: str) -> str:
    """Cut a text between two words, so that half an address is not taken for a word."""
    if len(text) <= _CHARACTER_LIMIT:
        return text
    end = max(text.rfind(space, _CHARACTER_LIMIT - _LONGEST_MASKED, _CHARACTER_LIMIT) for space in " \n\t")
    return text[:end] if end > 0 else text[:_CHARACTER_LIMIT].rstrip(_ASCII_SIGNS)
