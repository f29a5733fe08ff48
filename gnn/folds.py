"""Folds that no component of the link graph crosses: what is held out is linked to nothing that is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int8]
Groups = npt.NDArray[np.int64]
Folds = npt.NDArray[np.int64]

UNLABELLED = -1


def grouped_folds(labels: Labels, component: Groups, folds: int, seed: int) -> Folds:
    """Deal whole components to folds, those with most ring labels first, equals in an order of the seed's.

    A component with ring labels goes to the fold that has fewest of them, another to the fold that has
    fewest benign labels. So every fold has ring labels wherever as many components have them as there are
    folds.

    Args:
        labels: shape ``(n,)``: 1 ring, 0 benign, -1 unknown.
        component: shape ``(n,)``.
        folds: number of folds, at least 2.
        seed: of the order of equals.

    Returns:
        shape ``(n,)``: fold 0..folds-1 of a labelled account, -1 of another.
    """
    labelled = np.flatnonzero(labels != UNLABELLED)
    _names, group = np.unique(component[labelled], return_inverse=True)
    rings = np.bincount(group, weights=labels[labelled] == 1).astype(np.int64)
    benign = np.bincount(group) - rings
    drawn = np.random.default_rng(seed).random(len(rings))
    fold_of = np.empty(len(rings), np.int64)
    load = np.zeros((2, folds), np.int64)
    for member in np.lexsort((drawn, -benign, -rings)):
        scarce, other = (0, 1) if rings[member] else (1, 0)
        fold = np.lexsort((load[other], load[scarce]))[0]
        fold_of[member] = fold
        load[:, fold] += rings[member], benign[member]
    result = np.full(len(labels), UNLABELLED, np.int64)
    result[labelled] = fold_of[group]
    return result


def components_with(labels: Labels, component: Groups, label: int) -> int:
    """Return in how many components a label occurs."""
    return len(np.unique(component[labels == label]))
