"""Which templates a text follows, and which of them is the one to name.

A text *follows* a template if it has most of the template's shingles, and those at its beginning and end:
whether wording closes a text or something follows it is a difference that people make. Of several, the one is named whose
wording is widest spread, longest, and surrounded by the most varied text: a template is what stays while the
rest changes. A passage that is put into ten templates is wide-spread too, but what surrounds it is ten
wordings over and over. From there the way goes down to templates that only occur within the first one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, uint64
from scipy import sparse

from ringfence.graphbuild.templates.shingles import CLOSES, OPENS

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Following:
    """Pairs of a text and a template it follows, by text."""

    texts: Ints
    templates: Ints
    hits: Ints
    """Shingles of the template that the text has; shapes: ``(pairs,)``."""


@dataclass(frozen=True, slots=True)
class Inverted:
    """For each shingle the templates that have it (compressed rows)."""

    starts: Ints
    """shape: ``(shingles + 1,)``."""
    templates: Ints
    sizes: Ints
    """Shingles of each template; shape: ``(templates,)``."""
    edge: npt.NDArray[np.bool_]
    """Whether a shingle holds the beginning or the end of a text; shape: ``(shingles,)``."""
    edges: Ints
    """Such shingles of each template; shape: ``(templates,)``."""


def inverted(sets: list[npt.NDArray[np.int32]], hashes: npt.NDArray[np.uint64]) -> Inverted:
    """Return the templates of each shingle.

    Args:
        sets: Shingles of each template, as places in ``hashes``.
        hashes: Different shingles; shape: ``(shingles,)``.
    """
    different = len(hashes)
    edge = (hashes & np.uint64(OPENS | CLOSES)) != 0
    sizes = np.array([len(s) for s in sets], np.int64)
    flat = np.concatenate(sets) if sets else np.empty(0, np.int32)
    order = np.argsort(flat, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=different))]).astype(np.int64)
    templates = np.repeat(np.arange(len(sets)), sizes)[order]
    edges = np.bincount(templates, np.repeat(edge, np.diff(starts)), len(sets)).astype(np.int64)
    return Inverted(starts, templates, sizes, edge, edges)


def distinct(sets: list[npt.NDArray[np.int32]], index: Inverted, known: int, same: float) -> Ints:
    """Return the places of the templates that are no twins of an earlier one; the first ``known`` all stay.

    Twins have a share ``same`` of all their shingles in common (Jaccard), and open and close texts alike.
    """
    bounds = np.cumsum([0, *(len(s) for s in sets)]).astype(np.int64)
    return _distinct(
        np.concatenate(sets), bounds, index.starts, index.templates, index.edge, index.edges, known, same
    )


def following(numbers: npt.NDArray[np.int32], starts: Ints, index: Inverted, need: float) -> Following:
    """Return which templates each text follows.

    Args:
        numbers: Row of the index for each shingle of the texts, -1 where no template has it; shape: ``(shingles,)``.
        starts: Where the shingles of each text begin; shape: ``(texts + 1,)``.
        index: The templates.
        need: Share of a template's shingles that a text must have, 0..1.
    """
    return Following(
        *_following(
            numbers, starts, index.starts, index.templates, index.sizes, index.edge, index.edges, need
        )
    )


def diversity(
    numbers: npt.NDArray[np.int32], starts: Ints, pairs: Following, index: Inverted, different: int, most: int
) -> npt.NDArray[np.float64]:
    """Return how varied the text around each template is: different shingles a shingle, 0..1.

    Args:
        numbers: As for :func:`following`, numbers of a window.
        starts: Likewise.
        pairs: Which text follows which template.
        index: The templates.
        different: Numbers are below it.
        most: Texts of a template that are looked at.
    """
    by_template = np.argsort(pairs.templates, kind="stable")
    bounds = np.searchsorted(pairs.templates[by_template], np.arange(len(index.sizes) + 1))
    texts = pairs.texts[by_template]
    return _diversity(numbers, starts, texts, bounds, index.starts, index.templates, different, most)


@dataclass(frozen=True, slots=True)
class Family:
    """How wide-spread templates are, and which occur only within which."""

    support: npt.NDArray[np.float64]
    """Weighted texts that follow each; shape: ``(templates,)``."""
    starts: Ints
    children: Ints
    """Templates within template ``t``: ``children[starts[t] : starts[t + 1]]``."""


def family(
    pairs: Following,
    weights: npt.NDArray[np.float64],
    templates: int,
    *,
    within: float,
    share: float,
    wider: float,
) -> Family:
    """Return the templates' support and which of them occur within others.

    Args:
        pairs: Which text follows which template.
        weights: Of each text; shape: ``(texts,)``.
        templates: Their number.
        within: Share of a template's texts that must follow the other for it to be within that one.
        share: Least share that a template within must have of the wider one's texts.
        wider: The other one must have so many times as many texts.
    """
    size = (len(weights), templates)
    has = sparse.csr_matrix((np.ones(len(pairs.texts)), (pairs.texts, pairs.templates)), shape=size)
    weighted = sparse.diags_array(weights) @ has
    support = np.asarray(weighted.sum(axis=0)).ravel()
    both = (has.T @ weighted).tocoo()
    parent, child = both.row, both.col
    fits = (
        (both.data >= within * support[child])
        & (support[parent] > wider * support[child])
        & (support[child] >= share * support[parent])
    )
    order = np.argsort(parent[fits], kind="stable")
    starts = np.searchsorted(parent[fits][order], np.arange(templates + 1)).astype(np.int64)
    return Family(support, starts, child[fits][order].astype(np.int64))


def named(
    texts: int, pairs: Following, values: npt.NDArray[np.float64], kin: Family, cap: int
) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Return the template to name for each text, and how much of the template the text has.

    Args:
        texts: Their number.
        pairs: Which text follows which template.
        values: Worth of each template, times its length in the text; shape: ``(templates,)``.
        kin: Which templates occur within which.
        cap: Words after which length counts no more.

    Returns:
        Templates, -1 where a text follows none; shape: ``(texts,)``. Places in ``pairs``, likewise.
    """
    bounds = np.searchsorted(pairs.texts, np.arange(texts + 1))
    return _named(bounds, pairs.templates, pairs.hits, values, kin.starts, kin.children, cap)


@njit(cache=True)
def _distinct(flat, bounds, of, templates, edge, edges, known, same):  # type: ignore[no-untyped-def]
    count = bounds.size - 1
    kept = np.ones(count, np.bool_)
    common, common_edges = np.zeros(count, np.int64), np.zeros(count, np.int64)
    touched = np.empty(count, np.int64)
    for one in range(known, count):
        met = 0
        for i in range(bounds[one], bounds[one + 1]):
            x = flat[i]
            for j in range(of[x], of[x + 1]):
                other = templates[j]
                if other < one and kept[other]:
                    if common[other] == 0:
                        touched[met] = other
                        met += 1
                    common[other] += 1
                    common_edges[other] += edge[x]
        size = bounds[one + 1] - bounds[one]
        for k in range(met):
            other = touched[k]
            either = size + bounds[other + 1] - bounds[other] - common[other]
            if common[other] >= same * either and edges[one] == edges[other] == common_edges[other]:
                kept[one] = False
            common[other] = common_edges[other] = 0
    return np.flatnonzero(kept)


@njit(cache=True)
def _following(numbers, starts, of, templates, sizes, edge, edges, need):  # type: ignore[no-untyped-def]
    room = 1024
    out = np.empty((room, 3), np.int64)
    count = 0
    hits, edge_hits = np.zeros(sizes.size, np.int64), np.zeros(sizes.size, np.int64)
    last = np.full(of.size, -1, np.int64)
    touched = np.empty(sizes.size, np.int64)
    for text in range(starts.size - 1):
        met = 0
        for i in range(starts[text], starts[text + 1]):
            x = numbers[i]
            if x < 0 or last[x] == text:
                continue
            last[x] = text
            for j in range(of[x], of[x + 1]):
                t = templates[j]
                if hits[t] == 0:
                    touched[met] = t
                    met += 1
                hits[t] += 1
                edge_hits[t] += edge[x]
        if count + met > room:
            room = 2 * room + met
            more = np.empty((room, 3), np.int64)
            more[:count] = out[:count]
            out = more
        for k in range(met):
            t = touched[k]
            if hits[t] >= need * sizes[t] and edge_hits[t] == edges[t]:
                out[count, 0], out[count, 1], out[count, 2] = text, t, hits[t]
                count += 1
            hits[t] = edge_hits[t] = 0
    return out[:count, 0].copy(), out[:count, 1].copy(), out[:count, 2].copy()


@njit(cache=True)
def _diversity(numbers, starts, texts, bounds, of, templates, different, most):  # type: ignore[no-untyped-def]
    result = np.zeros(bounds.size - 1)
    last = np.full(different, -1, np.int64)
    own = np.full(different, -1, np.int64)
    for t in range(bounds.size - 1):
        count = bounds[t + 1] - bounds[t]
        taken = min(count, most)
        total, fresh = 0, 0
        for k in range(taken):
            text = texts[bounds[t] + k * count // taken]
            for i in range(starts[text], starts[text + 1]):
                x = numbers[i]
                if own[x] != t and last[x] != t:
                    last[x] = t
                    for j in range(of[x], of[x + 1]):
                        if templates[j] == t:
                            own[x] = t
                    if own[x] != t:
                        fresh += 1
                if own[x] != t:
                    total += 1
        result[t] = fresh / total if total else 0.0
    return result


@njit(cache=True)
def _named(bounds, templates, hits, values, starts, children, cap):  # type: ignore[no-untyped-def]
    texts = bounds.size - 1
    best, place = np.full(texts, -1, np.int64), np.full(texts, -1, np.int64)
    for text in range(texts):
        here = -1
        while True:
            next_one, value = -1, 0.0
            for k in range(bounds[text], bounds[text + 1]):
                t = templates[k]
                fits = here < 0
                if not fits:
                    for j in range(starts[templates[here]], starts[templates[here] + 1]):
                        if children[j] == t:
                            fits = True
                            break
                if fits and values[t] * min(hits[k] + 2, cap) > value:
                    next_one, value = k, values[t] * min(hits[k] + 2, cap)
            if next_one < 0:
                break
            here = next_one
        if here >= 0:
            best[text], place[text] = templates[here], here
    return best, place


@njit(cache=True)
def lookup(keys, values, hashes):  # type: ignore[no-untyped-def]
    """Return the value of each hash in an open-addressed table, -1 where it has none; shape: ``(n,)``."""
    mask = uint64(keys.size - 1)
    out = np.full(hashes.size, -1, np.int32)
    for i in range(hashes.size):
        place = (hashes[i] >> uint64(16)) & mask
        while keys[place] != 0:
            if keys[place] == hashes[i]:
                out[i] = values[place]
                break
            place = (place + uint64(1)) & mask
    return out


def hashed(hashes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Return a table for :func:`lookup` from different hashes, none of them 0, to their places."""
    size = 16
    while size < 2 * len(hashes):
        size *= 2
    keys, values = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    _insert(keys, values, hashes)
    return keys, values


@njit(cache=True)
def _insert(keys, values, hashes):  # type: ignore[no-untyped-def]
    mask = uint64(keys.size - 1)
    for i in range(hashes.size):
        place = (hashes[i] >> uint64(16)) & mask
        while keys[place] != 0:
            place = (place + uint64(1)) & mask
        keys[place], values[place] = hashes[i], i
