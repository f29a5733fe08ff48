"""Whether two names are one person's: what a second pair of eyes stands on.

Names are believed as they are given (``--by``); this only keeps one person from passing for two by a slip or
by a trick of spelling. Rather are two people taken for one, who then ask a third, than one for two.
"""

from __future__ import annotations

import unicodedata

_LOOKS_LIKE = str.maketrans(
    # Cyrillic and Greek, capitals and small ones, then a few others and digits.
    "АВЕЅІЈКМНОРСТУХԌԚԜҺаеѕіјорсухһԁԛԝкмтӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχγϲϳօոսհɑɡı01|",
    "ABESIJKMHOPCTYXGQWHaesijopcyxhdqwkmtlABEZHIKMNOPTYXaikvopuxycjonuhagioll",
)
"""Signs that a reader takes for the Latin letters below them."""
_EMPTY = dict.fromkeys(map(ord, "\u115f\u1160\u2800"))
"""Letters and signs that show nothing."""
_UNSEEN = ("C", "M", "Z")
"""Categories of signs that are not seen, or seen as parts of others: controls, accents, blanks."""


def same_person(one: str, other: str) -> bool:
    """Whether two names read alike: case, blanks, accents and look-alike letters make no second person."""
    return _as_read(one) == _as_read(other)


def _as_read(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).translate(_LOOKS_LIKE | _EMPTY).casefold()
    # Once more: folding takes some letters apart.
    letters = unicodedata.normalize("NFKD", letters)
    return "".join(sign for sign in letters if unicodedata.category(sign)[0] not in _UNSEEN)
