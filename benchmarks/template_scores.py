"""How well groups of prompts agree with their true templates.

Every figure is a function of sums over true templates, so a bootstrap over templates is one matrix product:

- ARI, the adjusted Rand index (Hubert and Arabie 1985): agreement over pairs of prompts beyond chance;
- precision, recall and F1 over pairs of prompts that share a group;
- GA, grouping accuracy (Zhu et al. 2019): the share of prompts whose group holds all prompts of one template
  and no other;
- FGA (Jiang et al. 2024, Loghub-2.0): F1 of such exactly right groups, over groups found and true templates.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

FIGURES = ("ARI", "pair F1", "precision", "recall", "GA", "FGA")
_TEMPLATES, _PROMPTS, _TRUE, _FOUND, _AGREED, _RIGHT_PROMPTS, _RIGHT_GROUPS, _GROUPS = range(8)


def codes(names: Iterable[Hashable | None]) -> Ints:
    """Number groups by name; whatever has no name is a group of its own.

    Args:
        names: ``n`` names, None where there is none.

    Returns:
        shape: ``(n,)``; whole numbers from 0 in the order of first sight.
    """
    known: dict[Hashable, int] = {}
    numbers = (known.setdefault(object() if name is None else name, len(known)) for name in names)
    return np.fromiter(numbers, np.int64)


def template_sums(true: Ints, found: Ints) -> Reals:
    """Return what each true template adds to the sums that figures are made of.

    What crosses templates is shared out by prompts: a prompt brings half of its pairs within its group found,
    and its part of that group.

    Args:
        true: shape: ``(n,)``; the true template of each prompt, as :func:`codes` makes them.
        found: shape: ``(n,)``; the group found, likewise.

    Returns:
        shape: ``(templates, 8)``; in each row 1, prompts, true pairs, pairs found, pairs in both, prompts in
        exactly right groups, exactly right groups, groups found.

    Raises:
        ValueError: Lengths differ.
    """
    if true.shape != found.shape:
        raise ValueError(f"{true.size:,} prompts have a true template, {found.size:,} a group")
    if not true.size:
        return np.zeros((0, 8))
    prompts, members = np.bincount(true), np.bincount(found)
    cells, both = np.unique(true * len(members) + found, return_counts=True)
    template, group = np.divmod(cells, len(members))
    right = (both == prompts[template]) & (both == members[group])

    def summed(values: npt.NDArray[np.generic]) -> Reals:
        return np.asarray(np.bincount(template, values, len(prompts)), np.float64)

    columns = (
        np.ones(len(prompts)),
        prompts,
        _pairs(prompts),
        summed(both * (members[group] - 1) / 2),
        summed(_pairs(both)),
        summed(right * both),
        summed(right),
        summed(both / members[group]),
    )
    return np.stack(columns, axis=1).astype(np.float64)


def figures(sums: Reals) -> Reals:
    """Return figures made of summed rows of :func:`template_sums`.

    Args:
        sums: shape: ``(…, 8)``.

    Returns:
        shape: ``(…, 6)``; in the order of :data:`FIGURES`. Where there is nothing to be wrong about, 1.
    """
    true, found, agreed = (sums[..., column] for column in (_TRUE, _FOUND, _AGREED))
    chance = _ratio(true * found, _pairs(sums[..., _PROMPTS]), 0.0)
    columns = (
        _ratio(agreed - chance, (true + found) / 2 - chance),
        _ratio(2 * agreed, true + found),
        _ratio(agreed, found),
        _ratio(agreed, true),
        _ratio(sums[..., _RIGHT_PROMPTS], sums[..., _PROMPTS]),
        _ratio(2 * sums[..., _RIGHT_GROUPS], sums[..., _GROUPS] + sums[..., _TEMPLATES]),
    )
    return np.stack(columns, axis=-1)


def bounds(parts: Reals, draws: int = 2000, seed: int = 0, level: float = 0.95) -> Reals:
    """Return bootstrap bounds of every figure (percentiles; Efron 1979), drawing whole true templates.

    Args:
        parts: shape: ``(templates, 8)``; from :func:`template_sums`.
        draws: How often as many templates are drawn with replacement.
        seed: Of the draws.
        level: Share of draws between the bounds.

    Returns:
        shape: ``(2, 6)``; lower and upper.
    """
    count = len(parts)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), draws)
    tail = (1 - level) / 2
    return np.quantile(figures(drawn @ parts), (tail, 1 - tail), axis=0)


def _pairs(counts: npt.NDArray[np.generic]) -> Reals:
    numbers = counts.astype(np.float64)
    return numbers * (numbers - 1) / 2


def _ratio(above: Reals, below: Reals, nothing: float = 1.0) -> Reals:
    """Divide; ``nothing`` where there is nothing to divide by."""
    some = np.abs(below) > 1e-9
    return np.where(some, above / np.where(some, below, 1.0), nothing)
