"""Templates that say the same in other words or in another order are one family.

Two skeletons are of one family if they have most of their words in common, rare words counting most
(Jaccard, weighted by inverse document frequency). Families are told beside the exact templates and never in
their place: a link from a shared template says more than one from a shared family.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

ALIKE = 0.6
"""Weighted share of all their words that two skeletons of one family have in common."""

_FEWEST_WORDS = 4
_EVERYWHERE, _FEW = 0.05, 200
_BLOCK = 1000
_GLYPHS = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORDS = re.compile(rf"[{_GLYPHS}]+|[^\W\d_{_GLYPHS}]+")
_IS_GLYPH = re.compile(rf"[{_GLYPHS}]")


def families(template_ids: Sequence[str], skeletons: Sequence[str]) -> list[str]:
    """Return the family of each template: the least id of those it is alike to, itself included.

    Args:
        template_ids: shape: ``(n,)``.
        skeletons: shape: ``(n,)``; words and ``▢`` for slots.
    """
    words = [frozenset(_words(skeleton)) for skeleton in skeletons]
    numbers: dict[str, int] = {}
    rows = [(k, numbers.setdefault(w, len(numbers))) for k, one in enumerate(words) for w in sorted(one)]
    if not rows:
        return list(template_ids)
    at, word = np.array(rows).T
    frequency = np.bincount(word)
    # Words that are everywhere tell nothing and cost most.
    telling = frequency[word] <= max(_EVERYWHERE * len(words), _FEW)
    at, word = at[telling], word[telling]
    weight = np.log1p(len(words) / frequency)
    has = sparse.csr_matrix((np.sqrt(weight)[word], (at, word)), shape=(len(words), len(numbers)))
    total = np.asarray(has.multiply(has).sum(axis=1)).ravel()
    long = np.array([len(one) >= _FEWEST_WORDS for one in words])
    pairs: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for first in range(0, len(words), _BLOCK):
        common = (has[first : first + _BLOCK] @ has.T).tocoo()
        row = common.row + first
        either = total[row] + total[common.col] - common.data
        alike = (common.data >= ALIKE * either) & long[row] & long[common.col]
        pairs.append((row[alike], common.col[alike]))
    return _least_ids(
        template_ids, np.concatenate([r for r, _ in pairs]), np.concatenate([c for _, c in pairs])
    )


def _words(skeleton: str) -> Iterator[str]:
    """Yield words; in scripts without spaces two signs in a row stand for one, as single ones say little."""
    for run in _WORDS.findall(skeleton.casefold()):
        if len(run) > 1 and _IS_GLYPH.match(run):
            yield from (run[k : k + 2] for k in range(len(run) - 1))
        else:
            yield run


def _least_ids(
    template_ids: Sequence[str], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> list[str]:
    count = len(template_ids)
    graph = sparse.csr_matrix((np.ones(len(first)), (first, second)), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    least: dict[int, str] = {}
    for template_id, g in zip(template_ids, group.tolist(), strict=True):
        least[g] = min(template_id, least.get(g, template_id))
    return [least[g] for g in group.tolist()]
