"""Raw account and entity attributes → model inputs. Nothing here sees a label.

Attributes of accounts are counts, amounts and means with long tails. Each is given in three ways: its
logarithm, standardised, which keeps distances; its rank, which no outlier can move; and its steps, which
let a linear layer bend at every sixteenth of the accounts (piecewise linear encoding, Gorishniy et al.
2022). What is missing stands at zero, and a further column says that it was missing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringfence.errors import ModelError
from ringfence.snapshot import Snapshot

ACCOUNT = "account"
"""The node type that is judged."""

LINK = "LINKED_TO"
"""The account–account relation that linkage makes; the only one without a direction."""

STEPS = 16
"""Into so many parts of equal numbers of accounts a feature's range is cut."""

Floats = npt.NDArray[np.float32]


def check_features(snapshot: Snapshot) -> None:
    """Refuse a snapshot that cannot be scored.

    Raises:
        ModelError: there is no account node type, its rows are not the accounts, or a feature is infinite.
    """
    if ACCOUNT not in snapshot.features:
        found = ", ".join(sorted(snapshot.features)) or "none"
        raise ModelError(f"The snapshot has no node type {ACCOUNT!r} (found: {found}). Run linkage again.")
    if len(snapshot.features[ACCOUNT]) != snapshot.accounts:
        raise ModelError(
            f"The snapshot has features of {len(snapshot.features[ACCOUNT])} accounts "
            f"and labels of {snapshot.accounts}. Run linkage again."
        )
    for node, values in snapshot.features.items():
        infinite = np.isinf(values).any(axis=0)
        if infinite.any():
            name = snapshot.feature_names[node][int(infinite.argmax())]
            raise ModelError(
                f"Feature {name!r} of node type {node!r} is infinite for some nodes. "
                "Leave a value empty where it is not known, then run linkage again."
            )


def log_scale(values: Floats) -> Floats:
    """Return sign(x)·log(1 + |x|), standardised by column; shape: ``(n, f)``. NaN becomes 0."""
    logs = np.sign(values) * np.log1p(np.abs(values))
    known = ~np.isnan(logs)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, logs, 0).sum(axis=0, dtype=np.float64) / count
    centred = np.where(known, logs - mean, 0)
    spread = np.sqrt((centred**2).sum(axis=0, dtype=np.float64) / count)
    return (centred / np.where(spread > 0, spread, 1)).astype(np.float32)


def rank_scale(values: Floats) -> Floats:
    """Return each column's ranks spread evenly over -1..1, equals sharing their middle; NaN becomes 0."""
    scaled = np.zeros(values.shape, np.float32)
    for column in range(values.shape[1]):
        known = ~np.isnan(values[:, column])
        if known.any():
            scaled[known, column] = _ranks(values[known, column])
    return scaled


def _ranks(values: Floats) -> npt.NDArray[np.float64]:
    _unique, group, count = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    middle: npt.NDArray[np.float64] = (below + count / 2) / len(values)
    return 2 * middle[group] - 1


def step_scale(values: Floats) -> Floats:
    """Return how far each value reaches through each quantile step of its column; NaN becomes 0.

    A step is 0 below its part of the range, 1 above it, and linear within. Steps without extent, where
    many values are equal, are left out.

    Returns:
        shape ``(n, s)`` with s at most ``STEPS·f``; values 0..1.
    """
    steps = [np.zeros((len(values), 0), np.float32)]
    for column in values.T:
        known = column[~np.isnan(column)]
        if len(known):
            cuts = np.unique(np.quantile(known, np.linspace(0, 1, STEPS + 1)))
            low, high = cuts[:-1], cuts[1:]
            reached = np.clip((column[:, None] - low) / (high - low), 0, 1)
            steps.append(np.nan_to_num(reached).astype(np.float32))
    return np.hstack(steps)


def normalise(values: Floats) -> Floats:
    """Return model inputs of raw attributes.

    Args:
        values: shape ``(n, f)``, finite or NaN.

    Returns:
        shape ``(n, 2·f + s + m)``: logarithms, ranks, steps, and an indicator for each of the m columns
        with a NaN.
    """
    missing = np.isnan(values)
    indicator = missing[:, missing.any(axis=0)].astype(np.float32)
    return np.hstack([log_scale(values), rank_scale(values), step_scale(values), indicator])


def degrees(snapshot: Snapshot, node: str) -> Floats:
    """Return log(1 + degree) of a node type's nodes; shape: ``(n, r)``, a column per relation and end."""
    size = len(snapshot.features[node])
    columns = [
        np.bincount(edges.index[end], minlength=size)
        for edge_type, edges in sorted(snapshot.edges.items())
        for end in (0, 1)
        if edge_type[2 * end] == node
    ]
    return np.log1p(np.array(columns, np.float32).reshape(len(columns), size).T)


def node_inputs(snapshot: Snapshot) -> dict[str, Floats]:
    """Return node type → model inputs, shape ``(n, f)``: scaled attributes and scaled degrees."""
    return {
        node: np.hstack([normalise(values), log_scale(degrees(snapshot, node))])
        for node, values in snapshot.features.items()
    }
