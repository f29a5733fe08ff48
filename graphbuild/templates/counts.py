"""Counting shingles: how many texts have each one, and which of them belong to one phrase.

What touches every shingle of a window is in :mod:`ringfence.graphbuild.templates.loops.count`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.templates.loops import count as loops
from ringfence.graphbuild.templates.shingles import Shingles, taken


@dataclass(frozen=True, slots=True)
class Counted:
    """Different shingles of a window, numbered, with the texts that have them."""

    hashes: npt.NDArray[np.uint64]
    """shape: ``(different,)``."""
    texts: npt.NDArray[np.int32]
    """How many texts have each; shape: ``(different,)``."""
    numbers: npt.NDArray[np.int32]
    """The number of each shingle of the window; shape: ``(shingles,)``."""
    starts: npt.NDArray[np.int64]
    """As in :class:`Shingles`; shape: ``(texts + 1,)``."""
    dropped: npt.NDArray[np.int64]
    """Shingles of each text that too few others have; shape: ``(texts,)``."""

    @property
    def rare(self) -> int:
        """The number that stands for runs of dropped shingles; no text counts for it."""
        return len(self.hashes) - 1

    def take(self, texts: npt.NDArray[np.int64]) -> Counted:
        """Return some of the texts, counted anew under the same numbers."""
        numbers, starts = taken(self.numbers, self.starts, texts)
        counts = np.zeros(len(self.hashes), np.int32)
        loops.count_texts(numbers, starts, counts)
        counts[self.rare] = 0
        return Counted(self.hashes, counts, numbers, starts, self.dropped[texts])


def counted(shingles: Shingles, least: int, known: npt.NDArray[np.uint64]) -> Counted:
    """Number the different shingles and count the texts that have each.

    Args:
        shingles: Of the texts.
        least: Shingles of fewer texts are dropped: they are no template's wording, and most there are.
        known: Shingles to keep all the same.
    """
    room = len(shingles.hashes)
    slots = np.full(1 << _table_bits(room), -1, np.int32)
    hashes, texts, numbers = np.empty(room, np.uint64), np.zeros(room, np.int32), np.empty(room, np.int32)
    size: int = loops.count_shingles(shingles.hashes, shingles.starts, slots, hashes, texts, numbers)
    hashes, texts = hashes[:size], texts[:size]
    keep = (texts >= least) | np.isin(hashes, known)
    stay = int(keep.sum())
    renamed = np.where(keep, np.cumsum(keep) - 1, stay).astype(np.int32)
    kept, starts = np.empty(room, np.int32), np.zeros(len(shingles.starts), np.int64)
    dropped = np.zeros(len(shingles), np.int64)
    length: int = loops.drop_rare(numbers, shingles.starts, renamed, stay, kept, starts, dropped)
    none = np.zeros(1, np.uint64)
    return Counted(
        np.concatenate([hashes[keep], none]),
        np.concatenate([texts[keep], none.astype(np.int32)]),
        kept[:length].copy(),
        starts,
        dropped,
    )


def phrase_of(window: Counted, least: int, cohesion: float) -> npt.NDArray[np.int32]:
    """Return for each shingle the phrase it belongs to, named by its least shingle; -1 where it is rare.

    Two shingles that follow each other are of one phrase if that happens in a share ``cohesion`` of the
    texts that have the commoner of them: within fixed wording the next word is certain, and content varies.

    Args:
        window: The window.
        least: Texts that a shingle must stand in.
        cohesion: 0..1.

    Returns:
        shape: ``(different,)``.
    """
    phrases: npt.NDArray[np.int32] = loops.join_phrases(
        window.numbers, window.starts, window.texts, least, cohesion
    )
    return phrases


def best_phrases(
    window: Counted,
    phrases: npt.NDArray[np.int32],
    *,
    lengths: tuple[int, int],
    labels: bool,
    cap: int,
    most: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return pairs of a text and a phrase in it: those that are widest spread and longest.

    Args:
        window: The window.
        phrases: shape: ``(different,)``.
        lengths: Shingles that a phrase must have in the midst of a text, and at its beginning or end. Enough
            by itself is the one shingle that ends or begins a text right beside a phrase.
        labels: Whether a first word with a colon is enough, too.
        cap: Words after which length counts no more.
        most: Phrases of a text.

    Returns:
        Texts and phrases; shapes: ``(pairs,)``.
    """
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] = loops.choose_phrases(
        window.numbers, window.starts, window.hashes, window.texts, phrases, *lengths, labels, cap, most
    )
    return pairs


def shared(
    window: Counted,
    members: list[npt.NDArray[np.int64]],
    keep: float,
    most: int,
) -> list[npt.NDArray[np.int32]]:
    """Return for each set of texts the shingles that a share ``keep`` of them has, from ``most`` of them."""
    starts = np.concatenate([[0], np.cumsum([len(m) for m in members])]).astype(np.int64)
    flat = np.concatenate(members) if members else np.empty(0, np.int64)
    found, bounds = loops.share_shingles(
        window.numbers, window.starts, len(window.texts), flat, starts, keep, most
    )
    return [one[one != window.rare] for one in (found[a:b] for a, b in pairwise(bounds))]


def _table_bits(entries: int) -> int:
    return max(10, int(np.ceil(np.log2(entries * 1.6 + 1))))
