"""The sentences that simulated prompts are composed of, in five languages with equal counts."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.worlds.phrases.de import DE
from ringfence.worlds.phrases.en import EN
from ringfence.worlds.phrases.es import ES
from ringfence.worlds.phrases.fr import FR
from ringfence.worlds.phrases.frameworks import FRAMEWORKS
from ringfence.worlds.phrases.phrasebook import TACTICS, Phrasebook
from ringfence.worlds.phrases.zh import ZH

__all__ = ["FRAMEWORKS", "PHRASEBOOKS", "TACTICS", "Phrasebook"]

PHRASEBOOKS: Mapping[str, Phrasebook] = {book.language: book for book in (EN, DE, ES, FR, ZH)}
"""Every phrasebook by its language code."""
