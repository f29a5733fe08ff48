"""Counting shingles: how many texts have each one, and which of them belong to one phrase.

The loops are compiled by Numba: they touch every shingle of a window, and nothing else here does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, uint64

from ringfence.graphbuild.templates.shingles import CLOSES, LABELS, OPENS, Shingles, mixed


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


def counted(shingles: Shingles) -> Counted:
    """Number the different shingles and count the texts that have each."""
    room = np.empty(len(shingles.hashes), np.uint64)
    texts, numbers = np.zeros(len(shingles.hashes), np.int32), np.empty(len(shingles.hashes), np.int32)
    size = _count(shingles.hashes, shingles.starts, _table_bits(len(shingles.hashes)), room, texts, numbers)
    return Counted(room[:size].copy(), texts[:size].copy(), numbers, shingles.starts)


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
    return _phrases(window.numbers, window.starts, window.texts, least, cohesion)


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
    return _best(
        window.numbers, window.starts, window.hashes, window.texts, phrases, *lengths, labels, cap, most
    )


def shared(
    window: Counted,
    members: list[npt.NDArray[np.int64]],
    keep: float,
    most: int,
) -> list[npt.NDArray[np.int32]]:
    """Return for each set of texts the shingles that a share ``keep`` of them has, from ``most`` of them."""
    starts = np.concatenate([[0], np.cumsum([len(m) for m in members])]).astype(np.int64)
    flat = np.concatenate(members) if members else np.empty(0, np.int64)
    found, bounds = _shared(window.numbers, window.starts, len(window.texts), flat, starts, keep, most)
    return [found[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def _table_bits(entries: int) -> int:
    return max(10, int(np.ceil(np.log2(entries * 1.6 + 1))))


@njit(cache=True)
def _count(hashes, starts, bits, different, texts, numbers):  # type: ignore[no-untyped-def]
    mask = uint64((1 << bits) - 1)
    table = np.full(1 << bits, -1, np.int32)
    last = np.full(hashes.size, -1, np.int32)
    size = 0
    for text in range(starts.size - 1):
        for i in range(starts[text], starts[text + 1]):
            place = (hashes[i] >> uint64(16)) & mask
            while table[place] >= 0 and different[table[place]] != hashes[i]:
                place = (place + uint64(1)) & mask
            number = table[place]
            if number < 0:
                number = table[place] = size
                different[number] = hashes[i]
                size += 1
            if last[number] != text:
                last[number] = text
                texts[number] += 1
            numbers[i] = number
    return size


@njit(cache=True)
def _root(parents, x):  # type: ignore[no-untyped-def]
    while parents[x] != x:
        parents[x] = parents[parents[x]]
        x = parents[x]
    return x


@njit(cache=True)
def _phrases(numbers, starts, texts, least, cohesion):  # type: ignore[no-untyped-def]
    neighbours = 0
    for i in range(numbers.size - 1):
        if texts[numbers[i]] >= least and texts[numbers[i + 1]] >= least:
            neighbours += 1
    bits = 10
    while (1 << bits) < 2 * neighbours:
        bits += 1
    mask = uint64((1 << bits) - 1)
    keys = np.zeros(1 << bits, np.uint64)
    together = np.zeros(1 << bits, np.int32)
    last = np.full(1 << bits, -1, np.int32)
    for text in range(starts.size - 1):
        for i in range(starts[text], starts[text + 1] - 1):
            a, b = numbers[i], numbers[i + 1]
            if texts[a] < least or texts[b] < least:
                continue
            key = ((uint64(a) << uint64(32)) | uint64(b)) + uint64(1)
            place = mixed(key) & mask
            while keys[place] != 0 and keys[place] != key:
                place = (place + uint64(1)) & mask
            keys[place] = key
            if last[place] != text:
                last[place] = text
                together[place] += 1
    parents = np.arange(texts.size).astype(np.int32)
    for place in range(keys.size):
        if keys[place] != 0:
            key = keys[place] - uint64(1)
            a, b = np.int32(key >> uint64(32)), np.int32(key & uint64(0xFFFFFFFF))
            if together[place] >= cohesion * max(texts[a], texts[b]):
                a, b = _root(parents, a), _root(parents, b)
                parents[max(a, b)] = min(a, b)
    for x in range(texts.size):
        parents[x] = _root(parents, x) if texts[x] >= least else -1
    return parents


@njit(cache=True, inline="always")
def _take(top, worth, taken, phrase, value):  # type: ignore[no-untyped-def]
    """Put a phrase among the best of a text; return how many there are."""
    k = 0
    while k < taken and top[k] != phrase:
        k += 1
    if k == taken and taken < top.size:
        top[k], worth[k] = phrase, value
        return taken + 1
    if k == taken:
        k = np.argmin(worth)
    if worth[k] < value:
        top[k], worth[k] = phrase, value
    return taken


@njit(cache=True)
def _best(numbers, starts, hashes, texts, phrases, inner, outer, labels, cap, most):  # type: ignore[no-untyped-def]
    room = 1024
    of, found = np.empty(room, np.int64), np.empty(room, np.int64)
    size = 0
    top, worth = np.zeros(most, np.int64), np.zeros(most)
    for text in range(starts.size - 1):
        taken, run, rarest = 0, 0, 0
        phrase, opener, opening = -1, -1, 0.0
        edge = label = beside = False
        for i in range(starts[text], starts[text + 1] + 1):
            here = phrases[numbers[i]] if i < starts[text + 1] else -1
            if here != phrase or here < 0:
                long = phrase >= 0 and run >= (outer if edge else inner)
                value = rarest * float(min(run + 2, cap))
                if long or (phrase >= 0 and (label or (beside and edge))):
                    taken = _take(top, worth, taken, phrase, value)
                if long and opener >= 0:
                    taken = _take(top, worth, taken, opener, opening)
                # What opens a text right before a phrase waits to see how long the phrase gets.
                opener = phrase if edge and not long and here >= 0 else -1
                opening = value
                beside = long
                phrase, run, edge, label, rarest = here, 0, False, False, 1 << 30
            if here >= 0:
                run += 1
                rarest = min(rarest, texts[numbers[i]])
                flags = hashes[numbers[i]] & uint64(OPENS | CLOSES | LABELS)
                edge = edge or flags & uint64(OPENS | CLOSES) != 0
                label = label or (labels and flags == uint64(OPENS | LABELS))
        if size + taken > room:
            room = 2 * room + taken
            more_of, more_found = np.empty(room, np.int64), np.empty(room, np.int64)
            more_of[:size], more_found[:size] = of[:size], found[:size]
            of, found = more_of, more_found
        for k in range(taken):
            of[size], found[size] = text, top[k]
            size += 1
    return of[:size], found[:size]


@njit(cache=True)
def _shared(numbers, starts, different, members, bounds, keep, most):  # type: ignore[no-untyped-def]
    times = np.zeros(different, np.int32)
    last = np.full(different, -1, np.int64)
    room = 1024
    found = np.empty(room, np.int32)
    out = np.zeros(bounds.size, np.int64)
    touched = np.empty(different, np.int32)
    size, stamp = 0, 0
    for group in range(bounds.size - 1):
        texts = bounds[group + 1] - bounds[group]
        taken = min(texts, most)
        seen = 0
        for k in range(taken):
            text = members[bounds[group] + k * texts // taken]
            stamp += 1
            for i in range(starts[text], starts[text + 1]):
                x = numbers[i]
                if last[x] != stamp:
                    last[x] = stamp
                    if times[x] == 0:
                        touched[seen] = x
                        seen += 1
                    times[x] += 1
        if size + seen > room:
            room = 2 * room + seen
            more = np.empty(room, np.int32)
            more[:size] = found[:size]
            found = more
        for k in range(seen):
            x = touched[k]
            if times[x] >= keep * taken:
                found[size] = x
                size += 1
            times[x] = 0
        out[group + 1] = size
    return found[:size], out
