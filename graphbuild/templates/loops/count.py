"""Loops that count shingles and find phrases in a window of texts.

Throughout, text ``t`` has the shingles ``numbers[starts[t] : starts[t + 1]]``, and ``texts[x]`` texts have
shingle ``x``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import int32, int64, uint64

from ringfence.graphbuild.templates.loops.compiled import compiled, helper, with_room
from ringfence.graphbuild.templates.loops.hashing import mixed, place_of
from ringfence.graphbuild.templates.loops.text import CLOSES, LABELS, OPENS

_FIRST_ROOM = 1024
_NO_PHRASE = -1


class _Run(NamedTuple):
    """Shingles of one phrase that follow each other in a text; or one shingle that is of no phrase."""

    phrase: int
    end: int
    long: bool
    """Whether it is enough by itself."""
    edge: bool
    """Whether it begins or ends the text."""
    label: bool
    """Whether it is a first word with a colon, and that is enough, too."""
    value: float


@compiled
def count_shingles(hashes, starts, slots, different, texts, numbers):
    """Number shingles in the order they first come, and count texts; return how many numbers there are.

    Args:
        hashes: Shingles; shape: ``(shingles,)``.
        starts: shape: ``(texts + 1,)``.
        slots: All -1; shape: ``(a power of two above shingles,)``.
        different: Gets the different ones; shape: ``(shingles,)``.
        texts: Gets how many texts have each, all 0 before; shape: ``(shingles,)``.
        numbers: Gets the number of each shingle; shape: ``(shingles,)``.
    """
    last = np.full(hashes.size, -1, np.int32)
    size = 0
    for text in range(starts.size - 1):
        for i in range(starts[text], starts[text + 1]):
            place = place_of(slots, different, hashes[i])
            if slots[place] < 0:
                slots[place] = size
                different[size] = hashes[i]
                size += 1
            number = slots[place]
            if last[number] != text:
                last[number] = text
                texts[number] += 1
            numbers[i] = number
    return size


@compiled
def drop_rare(numbers, starts, renamed, rare, kept, bounds, dropped):
    """Write the shingles that are not rare to ``kept``, and one ``rare`` for each run of rare ones.

    Args:
        numbers: Shingles by their numbers.
        starts: Where those of each text begin.
        renamed: The new number of each, ``rare`` for those to be dropped.
        rare: A number that stands for any of them.
        kept: Gets the new numbers; shape: ``(shingles,)``.
        bounds: Gets where those of each text begin; shape: ``(texts + 1,)``.
        dropped: Gets how many of each text were dropped; shape: ``(texts,)``.
    """
    size = 0
    for text in range(starts.size - 1):
        for i in range(starts[text], starts[text + 1]):
            x = renamed[numbers[i]]
            dropped[text] += x == rare
            if x != rare or size == bounds[text] or kept[size - 1] != rare:
                kept[size] = x
                size += 1
        bounds[text + 1] = size
    return size


@compiled
def count_texts(numbers, starts, texts):
    """Add to ``texts`` how many texts have each shingle."""
    last = np.full(texts.size, -1, np.int32)
    for text in range(starts.size - 1):
        for i in range(starts[text], starts[text + 1]):
            if last[numbers[i]] != text:
                last[numbers[i]] = text
                texts[numbers[i]] += 1


@compiled
def join_phrases(numbers, starts, texts, least, cohesion):
    """Return the least shingle of each one's phrase, -1 for those that fewer than ``least`` texts have.

    Two are of one phrase if they follow each other in a share ``cohesion`` of the commoner one's texts.
    """
    pairs, together = _count_pairs(numbers, starts, texts, least)
    parents = np.arange(texts.size).astype(np.int32)
    for place in range(pairs.size):
        if pairs[place] == 0:
            continue
        a, b = _pair(pairs[place])
        if together[place] >= cohesion * max(texts[a], texts[b]):
            a, b = _root(parents, a), _root(parents, b)
            parents[max(a, b)] = min(a, b)
    for x in range(texts.size):
        parents[x] = _root(parents, x) if texts[x] >= least else _NO_PHRASE
    return parents


@helper
def _count_pairs(numbers, starts, texts, least):
    """Return a table of pairs of shingles in a row, 0 where empty, and how many texts have each."""
    places = _power_of_two(2 * _count_neighbours(numbers, texts, least))
    mask = uint64(places - 1)
    pairs, together = np.zeros(places, np.uint64), np.zeros(places, np.int32)
    last = np.full(places, -1, np.int32)
    for text in range(starts.size - 1):
        for i in range(starts[text], starts[text + 1] - 1):
            a, b = numbers[i], numbers[i + 1]
            if texts[a] < least or texts[b] < least:
                continue
            key = _key(a, b)
            place = mixed(key) & mask
            while pairs[place] != 0 and pairs[place] != key:
                place = (place + uint64(1)) & mask
            pairs[place] = key
            if last[place] != text:
                last[place] = text
                together[place] += 1
    return pairs, together


@helper
def _count_neighbours(numbers, texts, least):
    count = 0
    for i in range(numbers.size - 1):
        if texts[numbers[i]] >= least and texts[numbers[i + 1]] >= least:
            count += 1
    return count


@helper
def _power_of_two(least):
    size = _FIRST_ROOM
    while size < least:
        size *= 2
    return size


@helper
def _key(a, b):
    """Return a key of two numbers that is not 0."""
    return ((uint64(a) << uint64(32)) | uint64(b)) + uint64(1)


@helper
def _pair(key):
    both = key - uint64(1)
    return int32(both >> uint64(32)), int32(both & uint64(0xFFFFFFFF))


@helper
def _root(parents, x):
    """Return the least member of a set (union–find with path halving)."""
    while parents[x] != x:
        parents[x] = parents[parents[x]]
        x = parents[x]
    return x


@compiled
def choose_phrases(numbers, starts, hashes, texts, phrases, inner, outer, labels, cap, most):
    """Return pairs of a text and a phrase in it, the ``most`` best of each text.

    A phrase is enough that has ``inner`` shingles in a row, or ``outer`` at the beginning or end of a text;
    and whatever stands there right beside such a phrase. It is worth the texts that its rarest shingle is in,
    times its words, of which ``cap`` count.
    """
    of, found = np.empty(_FIRST_ROOM, np.int64), np.empty(_FIRST_ROOM, np.int64)
    size = 0
    top, worth = np.zeros(most, np.int64), np.zeros(most)
    for text in range(starts.size - 1):
        taken = 0
        before = _Run(int64(_NO_PHRASE), int64(0), False, False, False, 0.0)
        i = starts[text]
        while i < starts[text + 1]:
            run = _run(i, starts[text + 1], numbers, hashes, texts, phrases, inner, outer, labels, cap)
            if run.long or run.label or (run.edge and before.long):
                taken = _take(top, worth, taken, run)
            # What begins a text right before a phrase waited to see how long the phrase gets.
            if run.long and before.edge and not before.long:
                taken = _take(top, worth, taken, before)
            before, i = run, run.end
        of, found = with_room(of, size, taken), with_room(found, size, taken)
        of[size : size + taken] = text
        found[size : size + taken] = top[:taken]
        size += taken
    return of[:size], found[:size]


@helper
def _run(i, stop, numbers, hashes, texts, phrases, inner, outer, labels, cap):
    """Return the run that begins at ``i``."""
    phrase, end = int64(phrases[numbers[i]]), i
    edge = label = False
    rarest = texts[numbers[i]]
    if phrase == _NO_PHRASE:
        return _Run(phrase, i + 1, False, False, False, 0.0)
    while end < stop and phrases[numbers[end]] == phrase:
        x = numbers[end]
        rarest = min(rarest, texts[x])
        flags = hashes[x] & uint64(OPENS | CLOSES | LABELS)
        edge = edge or flags & uint64(OPENS | CLOSES) != 0
        label = label or (labels and flags == uint64(OPENS | LABELS))
        end += 1
    long = end - i >= (outer if edge else inner)
    return _Run(phrase, end, long, edge, label, rarest * float(min(end - i + 2, cap)))


@helper
def _take(top, worth, taken, run):
    """Put a phrase among the best of a text, once; return how many there are."""
    k = 0
    while k < taken and top[k] != run.phrase:
        k += 1
    if k == taken and taken < top.size:
        top[k], worth[k] = run.phrase, run.value
        return taken + 1
    if k == taken:
        k = np.argmin(worth)
    if worth[k] < run.value:
        top[k], worth[k] = run.phrase, run.value
    return taken


@compiled
def share_shingles(numbers, starts, different, members, bounds, keep, most):
    """Return the shingles that a share ``keep`` of each group's texts has, and where each group's begin.

    Args:
        numbers: Shingles by their numbers.
        starts: Where those of each text begin.
        different: Numbers are below it.
        members: Texts of the groups.
        bounds: Group ``g`` has ``members[bounds[g] : bounds[g + 1]]``.
        keep: 0..1.
        most: Texts of a group that are looked at, evenly spaced.
    """
    times, touched = np.zeros(different, np.int32), np.empty(different, np.int32)
    last = np.full(different, -1, np.int64)
    found = np.empty(_FIRST_ROOM, np.int32)
    out = np.zeros(bounds.size, np.int64)
    size, stamp = 0, 0
    for group in range(bounds.size - 1):
        count = bounds[group + 1] - bounds[group]
        taken = min(count, most)
        seen = 0
        for k in range(taken):
            text = members[bounds[group] + k * count // taken]
            stamp += 1
            for i in range(starts[text], starts[text + 1]):
                x = numbers[i]
                if last[x] != stamp:
                    last[x] = stamp
                    if times[x] == 0:
                        touched[seen] = x
                        seen += 1
                    times[x] += 1
        found = with_room(found, size, seen)
        for x in touched[:seen]:
            if times[x] >= keep * taken:
                found[size] = x
                size += 1
            times[x] = 0
        out[group + 1] = size
    return found[:size], out
