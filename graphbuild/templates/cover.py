"""Which templates a text follows, and which of them is the one to name.

A text *follows* a template if it has most of the template's shingles, and those at its beginning and end:
whether wording closes a text or something follows it is a difference that people make. Of several, the one
is named whose wording is widest spread, longest, and surrounded by the most varied text: a template is what
stays while the rest changes. A passage that is put into ten templates is wide-spread too, but what surrounds
it is ten wordings over and over. From there the way goes down to templates that only occur within the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ringfence.graphbuild.templates.loops import cover as loops
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
    if not sets:
        return np.empty(0, np.int64)
    bounds = np.cumsum([0, *(len(s) for s in sets)]).astype(np.int64)
    places: Ints = loops.drop_twins(
        np.concatenate(sets), bounds, index.starts, index.templates, index.edge, index.edges, known, same
    )
    return places


def following(numbers: npt.NDArray[np.int32], starts: Ints, index: Inverted, need: float) -> Following:
    """Return which templates each text follows.

    Args:
        numbers: Row of the index for each shingle of the texts, -1 where no template has it; shape:
            ``(shingles,)``.
        starts: Where the shingles of each text begin; shape: ``(texts + 1,)``.
        index: The templates.
        need: Share of a template's shingles that a text must have, 0..1.
    """
    return Following(
        *loops.follow_templates(
            numbers, starts, index.starts, index.templates, index.sizes, index.edge, index.edges, need
        )
    )


def diversity(
    numbers: npt.NDArray[np.int32], starts: Ints, dropped: Ints, pairs: Following, index: Inverted, most: int
) -> npt.NDArray[np.float64]:
    """Return how varied the text around each template is: different shingles a shingle, 0..1.

    Args:
        numbers: As for :func:`following`, numbers of a window.
        starts: Likewise.
        dropped: Shingles of each text that hardly another text has, for which the last number stands; each is
            taken for a different one; shape: ``(texts,)``.
        pairs: Which text follows which template.
        index: The templates.
        most: Texts of a template that are looked at.
    """
    by_template = np.argsort(pairs.templates, kind="stable")
    bounds = np.searchsorted(pairs.templates[by_template], np.arange(len(index.sizes) + 1))
    texts = pairs.texts[by_template]
    varied: npt.NDArray[np.float64] = loops.measure_diversity(
        numbers, starts, dropped, texts, bounds, index.starts, index.templates, len(index.edge), most
    )
    return varied


def fit(places: Ints, pairs: Following, index: Inverted) -> npt.NDArray[np.float64]:
    """Return how much of the template that it names each text has, 0..1; 0 where it names none.

    Args:
        places: Of the pairs that name, -1 for none; shape: ``(texts,)``.
        pairs: Which text follows which template.
        index: The templates.
    """
    shares = np.zeros(len(places))
    naming = places >= 0
    pair = places[naming]
    shares[naming] = pairs.hits[pair] / index.sizes[pairs.templates[pair]]
    return shares


@dataclass(frozen=True, slots=True)
class Kinship:
    """How wide-spread templates are, and which occur only within which."""

    support: npt.NDArray[np.float64]
    """Weighted texts that follow each; shape: ``(templates,)``."""
    starts: Ints
    children: Ints
    """Templates within template ``t``: ``children[starts[t] : starts[t + 1]]``."""


def kinship(
    pairs: Following,
    weights: npt.NDArray[np.float64],
    templates: int,
    *,
    within: float,
    share: float,
    wider: float,
) -> Kinship:
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
    return Kinship(support, starts, child[fits][order].astype(np.int64))


def named(
    texts: int, pairs: Following, values: npt.NDArray[np.float64], kin: Kinship, cap: int
) -> tuple[Ints, Ints]:
    """Return the template to name for each text, and the pair that says so.

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
    found: tuple[Ints, Ints] = loops.name_templates(
        bounds, pairs.templates, pairs.hits, values, kin.starts, kin.children, cap
    )
    return found


def hashed(hashes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Return a table for :func:`lookup` from different hashes, none of them 0, to their places."""
    size = 16
    while size < 2 * len(hashes):
        size *= 2
    keys, values = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    loops.fill_table(keys, values, hashes)
    return keys, values


def lookup(
    keys: npt.NDArray[np.uint64], values: npt.NDArray[np.int32], hashes: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int32]:
    """Return the place of each hash, -1 where the table does not have it; shape: ``(n,)``."""
    places: npt.NDArray[np.int32] = loops.look_up(keys, values, hashes)
    return places
