"""Loops over the templates of texts.

Throughout, text ``t`` has the shingles ``numbers[starts[t] : starts[t + 1]]``, and shingle ``x`` is of the
templates ``templates[of[x] : of[x + 1]]``; ``edge[x]`` says whether it holds the beginning or the end of a
text, and ``edges[k]`` how many such shingles template ``k`` has.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from ringfence.graphbuild.templates.loops.compiled import compiled, helper, with_room

_FIRST_ROOM = 1024


@compiled
def drop_twins(flat, bounds, of, templates, edge, edges, known, same):
    """Return the templates that are no twins of an earlier one; the first ``known`` all stay.

    Args:
        flat: Shingles of the templates, one after the other.
        bounds: Template ``k`` has ``flat[bounds[k] : bounds[k + 1]]``.
        of: Templates of each shingle.
        templates: Likewise.
        edge: Whether a shingle is at an edge.
        edges: Such shingles of each template.
        known: Templates before it stay.
        same: Share of shingles in common (Jaccard) that makes twins.
    """
    count = bounds.size - 1
    kept = np.ones(count, np.bool_)
    common, common_edges = np.zeros(count, np.int64), np.zeros(count, np.int64)
    touched = np.empty(count, np.int64)
    for one in range(known, count):
        met = 0
        for x in flat[bounds[one] : bounds[one + 1]]:
            for other in templates[of[x] : of[x + 1]]:
                if other < one and kept[other]:
                    if common[other] == 0:
                        touched[met] = other
                        met += 1
                    common[other] += 1
                    common_edges[other] += edge[x]
        size = bounds[one + 1] - bounds[one]
        for other in touched[:met]:
            either = size + bounds[other + 1] - bounds[other] - common[other]
            if common[other] >= same * either and edges[one] == edges[other] == common_edges[other]:
                kept[one] = False
            common[other] = common_edges[other] = 0
    return np.flatnonzero(kept)


@compiled
def follow_templates(numbers, starts, of, templates, sizes, edge, edges, need):
    """Return pairs of a text and a template it follows, and how many of its shingles the text has.

    Shingles with number -1 are of no template. ``sizes`` are the shingles of each template, of which a text
    must have a share ``need``.
    """
    texts, found = np.empty(_FIRST_ROOM, np.int64), np.empty(_FIRST_ROOM, np.int64)
    common = np.empty(_FIRST_ROOM, np.int64)
    count = 0
    hits, edge_hits = np.zeros(sizes.size, np.int64), np.zeros(sizes.size, np.int64)
    touched = np.empty(sizes.size, np.int64)
    last = np.full(of.size, -1, np.int64)
    for text in range(starts.size - 1):
        met = 0
        for i in range(starts[text], starts[text + 1]):
            x = numbers[i]
            if x < 0 or last[x] == text:
                continue
            last[x] = text
            for j in range(of[x], of[x + 1]):
                k = templates[j]
                if hits[k] == 0:
                    touched[met] = k
                    met += 1
                hits[k] += 1
                edge_hits[k] += edge[x]
        texts, found = with_room(texts, count, met), with_room(found, count, met)
        common = with_room(common, count, met)
        for k in touched[:met]:
            if hits[k] >= need * sizes[k] and edge_hits[k] == edges[k]:
                texts[count], found[count], common[count] = text, k, hits[k]
                count += 1
            hits[k] = edge_hits[k] = 0
    return texts[:count].copy(), found[:count].copy(), common[:count].copy()


@compiled
def measure_diversity(numbers, starts, dropped, members, bounds, of, templates, different, most):
    """Return how many of the shingles around each template are different ones, 0..1.

    Args:
        numbers: Shingles by their numbers.
        starts: Where those of each text begin.
        dropped: Shingles of each text that hardly another text has: for these one number stands, the last.
        members: Texts that follow each template.
        bounds: Template ``k`` is followed by ``members[bounds[k] : bounds[k + 1]]``.
        of: Templates of each shingle.
        templates: Likewise.
        different: Numbers are below it.
        most: Texts of a template that are looked at, evenly spaced.
    """
    result = np.zeros(bounds.size - 1)
    last, own = np.full(different, -1, np.int64), np.full(different, -1, np.int64)
    for k in range(bounds.size - 1):
        count = bounds[k + 1] - bounds[k]
        taken = min(count, most)
        total, fresh = 0, 0
        for n in range(taken):
            text = members[bounds[k] + n * count // taken]
            total += dropped[text]
            fresh += dropped[text]
            for i in range(starts[text], starts[text + 1]):
                x = numbers[i]
                if x == different - 1:
                    continue
                if own[x] != k and last[x] != k:
                    last[x] = k
                    if _holds(templates, of[x], of[x + 1], k):
                        own[x] = k
                    else:
                        fresh += 1
                if own[x] != k:
                    total += 1
        result[k] = fresh / total if total else 0.0
    return result


@helper
def _holds(values, first, last, wanted):
    """Whether a value is in ``values[first:last]``."""
    for i in range(first, last):
        if values[i] == wanted:
            return True
    return False


@compiled
def name_templates(bounds, templates, hits, values, starts, children, cap):
    """Return the template to name for each text, -1 where there is none, and its place among the pairs.

    Args:
        bounds: Text ``t`` follows ``templates[bounds[t] : bounds[t + 1]]``.
        templates: Likewise.
        hits: Shingles of the template that the text has.
        values: Worth of each template.
        starts: Where the templates within each template begin.
        children: Likewise.
        cap: Words after which length counts no more.
    """
    texts = bounds.size - 1
    best, place = np.full(texts, -1, np.int64), np.full(texts, -1, np.int64)
    for text in range(texts):
        here = -1
        # The best of all, then the best of those within it, and so on down; no deeper than there are pairs,
        # since what windows teach one after the other may go in circles.
        for _ in range(bounds[text], bounds[text + 1]):
            down, value = -1, 0.0
            for pair in range(bounds[text], bounds[text + 1]):
                k = templates[pair]
                if here >= 0 and not _holds(children, starts[best[text]], starts[best[text] + 1], k):
                    continue
                worth = values[k] * min(hits[pair] + 2, cap)
                if worth > value:
                    down, value = pair, worth
            if down < 0:
                break
            here, best[text] = down, templates[down]
        place[text] = here
    return best, place


@compiled
def fill_table(keys, values, hashes):
    """Put different hashes, none of them 0, and their places into an open-addressed table, 0 where empty."""
    for i in range(hashes.size):
        place = _start(keys, hashes[i])
        while keys[place] != 0:
            place = _next(keys, place)
        keys[place], values[place] = hashes[i], i


@compiled
def look_up(keys, values, hashes):
    """Return the value of each hash, -1 where it has none; shape: ``(n,)``."""
    out = np.full(hashes.size, -1, np.int32)
    for i in range(hashes.size):
        place = _start(keys, hashes[i])
        while keys[place] != 0:
            if keys[place] == hashes[i]:
                out[i] = values[place]
                break
            place = _next(keys, place)
    return out


@helper
def _start(keys, key):
    return (key >> uint64(16)) & uint64(keys.size - 1)


@helper
def _next(keys, place):
    return (place + uint64(1)) & uint64(keys.size - 1)
