"""Prompts to measure speed on: a stream in which new templates never cease to come.

A prompt has a template that no earlier one had with probability ``new``; else it has that of one of the last
million prompts, each as likely as the next (Simon 1955). So a few templates are used often and most once or
twice. A template is fixed words with two slots, the second often at the end; every other one opens with one
of 500 openings that many have in common. Fixed words and slots draw from one Zipf distribution, so that
what is common anyway comes in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.worlds.hashing import Draw, join

Ints = npt.NDArray[np.int64]

_WORDS, _ACCOUNTS, _OPENINGS = 30_000, 100_000, 500
_REMEMBERED = 1 << 20
_LEAST_FIXED, _MORE_FIXED = 22, 21
_SLOT_WORDS, _LONGEST_SLOT = 11.0, 80
_SIZE, _FIRST, _SECOND, _OPENS, _OPENING, _WORD = range(6)
_OWN_WORDS = 1 << 32
"""Added to a template's number for its own words, apart from those of openings."""


@dataclass(frozen=True, slots=True)
class Part:
    """Prompts that come together."""

    prompts: pa.StringArray
    """shape: ``(n,)``."""
    accounts: pa.StringArray
    """shape: ``(n,)``; who sent them."""
    templates: Ints
    """shape: ``(n,)``; the true templates, numbered as they come first."""


def stream(seed: int, prompts: int, new: float = 0.35, batch: int = 8192) -> Iterator[Part]:
    """Yield prompts of about 300 characters, batch by batch, in memory that does not grow with them.

    Args:
        seed: Another seed gives other templates and other texts; words and accounts are the same.
        prompts: How many in all.
        new: Share of prompts whose template no earlier prompt had, above 0 and at most 1.
        batch: Prompts a batch.
    """
    rng, draw, words = np.random.default_rng(seed), Draw(seed), pa.array(_vocabulary())
    accounts = pa.array([f"account_{number:05d}" for number in range(_ACCOUNTS)])
    past = _Past(rng, new)
    for start in range(0, prompts, batch):
        templates = past.take(min(batch, prompts - start))
        who = pa.array(rng.integers(0, _ACCOUNTS, len(templates)))
        yield Part(_texts(rng, draw, words, templates), accounts.take(who), templates)


class _Past:
    """Which templates came lately, and which come next."""

    def __init__(self, rng: np.random.Generator, new: float) -> None:
        self._rng, self._new = rng, new
        self._ring = np.zeros(_REMEMBERED, np.int64)
        self._prompts = self._templates = 0

    def take(self, size: int) -> Ints:
        """Return the templates of the next prompts; shape: ``(size,)``, at most what is remembered."""
        held = min(self._prompts, _REMEMBERED)
        fresh = self._rng.random(size) < self._new
        fresh[0] |= not held
        source = np.floor(self._rng.random(size) * (held + np.arange(size))).astype(np.int64)
        earlier = ~fresh & (source < held)
        templates = np.where(fresh, self._templates + np.cumsum(fresh) - 1, 0)
        templates[earlier] = self._ring[(self._prompts - held + source[earlier]) % _REMEMBERED]
        # The others copy a prompt of this batch, which may be a copy too: follow them to where they end.
        end = np.where(fresh | earlier, np.arange(size), source - held)
        while not np.array_equal(end, further := end[end]):
            end = further
        templates = templates[end]
        self._ring[(self._prompts + np.arange(size)) % _REMEMBERED] = templates
        self._prompts += size
        self._templates += int(fresh.sum())
        return templates


def _texts(rng: np.random.Generator, draw: Draw, words: pa.Array, templates: Ints) -> pa.StringArray:
    """Return a text for each template in ``templates``, with slots of its own."""
    size = len(templates)
    fixed = _LEAST_FIXED + draw.below(templates, _SIZE, _MORE_FIXED)
    # The second slot stands from the middle on, beyond the end included, which means at the end.
    first = 4 + draw.below(templates, _FIRST, fixed // 2 - 4)
    second = np.minimum(fixed // 2 + draw.below(templates, _SECOND, fixed), fixed)
    slots = np.minimum(1 + rng.exponential(_SLOT_WORDS, (2, size)).astype(np.int64), _LONGEST_SLOT)
    length = fixed + slots.sum(axis=0)
    starts = np.append(0, np.cumsum(length))
    row = np.repeat(np.arange(size), length)
    place = np.arange(starts[-1]) - starts[row]
    second_at = second + slots[0]
    in_slot, passed = np.zeros(len(row), bool), np.zeros(len(row), np.int64)
    for at, long in ((first, slots[0]), (second_at, slots[1])):
        in_slot |= (place >= at[row]) & (place < (at + long)[row])
        passed += np.where(place >= (at + long)[row], long[row], 0)
    word = place - passed
    opens = draw.uniform(templates, _OPENS) < 0.5
    opening = draw.below(templates, _OPENING, _OPENINGS)
    owner = np.where(opens[row] & (word < first[row]), opening[row], templates[row] + _OWN_WORDS)
    drawn = np.where(in_slot, rng.random(len(row)), draw.uniform(join(owner, word), _WORD))
    # The exponential of a uniform number is a rank by Zipf's law.
    ranks = np.minimum(np.exp(drawn * np.log(_WORDS)).astype(np.int64), _WORDS - 1)
    texts = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), words.take(pa.array(ranks)))
    return pc.binary_join(texts, " ")


def _vocabulary() -> list[str]:
    """Return words by rank: the more often one is used, the shorter; some end in a mark or a line."""
    syllables = [head + tail for tail in ("a", "e", "ion", "our", "ing") for head in "bcdfghklmnprstvwjzqy"]
    marks = {3: ",", 7: ".", 8: ":\n", 9: "\n\n"}

    def word(rank: int) -> str:
        place, letters = rank, ""
        while place or not letters:
            place, syllable = divmod(place, len(syllables))
            letters += syllables[syllable]
        return letters + marks.get(rank % 100, "")

    return [word(rank) for rank in range(_WORDS)]
