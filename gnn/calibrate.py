"""Held-out logits → probabilities, and how far these can be trusted.

Platt scaling (Platt 1999) with his smoothed targets, fitted by Newton's method with halved steps (Lin, Lin
and Weng 2007) and a small ridge on the slope, so that a perfect separation does not make it infinite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringfence.config import DecisionSettings
from ringfence.gnn.folds import Folds, Groups, Labels, components_with

Reals = npt.NDArray[np.float64]

RIDGE = 1e-3
"""Weight of slope² beside the summed cross-entropy."""

BINS = 10
"""Bins of the expected calibration error, of equal numbers of accounts."""


@dataclass(frozen=True, slots=True)
class Platt:
    """A map from logits to probabilities: 1 / (1 + exp(-(slope·z + intercept)))."""

    slope: float
    intercept: float

    def __call__(self, logits: Reals) -> Reals:
        """Return probabilities; shape: as given."""
        return sigmoid(self.slope * logits + self.intercept)


@dataclass(frozen=True, slots=True)
class Reliability:
    """How true probabilities were on accounts they were not fitted on."""

    brier: float
    """Mean squared error, 0..1; less is better."""
    ece: float
    """Expected calibration error, 0..1: mean gap of predicted and observed share over equal bins."""
    accounts: int


def sigmoid(logits: Reals) -> Reals:
    """Return 1 / (1 + exp(-z)) without overflow; shape: as given."""
    result: Reals = 0.5 * (1 + np.tanh(logits / 2))
    return result


def shortage(labels: Labels, component: Groups, decisions: DecisionSettings) -> str | None:
    """Return what the labels lack for calibration, as a sentence for people; None where they suffice.

    Two components of either kind are the least whatever the settings say: with one, nothing can be held out.
    """
    rings, benign = int((labels == 1).sum()), int((labels == 0).sum())
    if rings + benign == 0:
        return "No account is labelled."
    if min(rings, benign) == 0:
        return f"All {rings + benign} labelled accounts have one label; both ring and benign are needed."
    if min(rings, benign) < decisions.least_labelled:
        return (
            f"Too few labelled accounts ({rings} ring, {benign} benign); "
            f"{decisions.least_labelled} of either are needed."
        )
    apart = components_with(labels, component, 1)
    least = max(decisions.least_labelled_rings, 2)
    if apart < least:
        return f"Too few labelled rings: they lie in {apart} separate component(s), and {least} are needed."
    if components_with(labels, component, 0) < 2:
        return "All accounts labelled benign are linked with each other; some from elsewhere are needed."
    return None


def fit_platt(logits: Reals, labels: Labels) -> Platt:
    """Fit slope and intercept by penalised maximum likelihood.

    Args:
        logits: shape ``(m,)``: held out, that is, from models that did not see the label.
        labels: shape ``(m,)``: 1 ring, 0 benign; both occur.
    """
    rings = int((labels == 1).sum())
    benign = len(labels) - rings
    target = np.where(labels == 1, (rings + 1) / (rings + 2), 1 / (benign + 2))
    design = np.column_stack([logits, np.ones_like(logits)])
    ridge = np.array([RIDGE, 0.0])
    at = np.array([0.0, np.log((rings + 1) / (benign + 1))])
    for _step in range(100):
        share = sigmoid(design @ at)
        gradient = design.T @ (share - target) + ridge * at
        curvature = (design * (share * (1 - share))[:, None]).T @ design + np.diag(ridge + 1e-12)
        move = np.linalg.solve(curvature, gradient)
        at = at - _step_length(design, target, at, move) * move
        if np.abs(gradient).max() < 1e-9 * len(labels):
            break
    return Platt(float(at[0]), float(at[1]))


def reliability(logits: Reals, labels: Labels, folds: Folds) -> Reliability:
    """Return how well Platt scaling does on each fold when fitted on the others.

    Args:
        logits: shape ``(m,)``: held out.
        labels: shape ``(m,)``: 1 ring, 0 benign.
        folds: shape ``(m,)``; each fold's complement has both labels.
    """
    told = np.empty(len(logits))
    for fold in np.unique(folds):
        tested = folds == fold
        told[tested] = fit_platt(logits[~tested], labels[~tested])(logits[tested])
    order = np.argsort(told, kind="stable")
    gaps = [
        abs(float(told[part].mean() - (labels[part] == 1).mean())) * len(part)
        for part in np.array_split(order, min(BINS, len(order)))
    ]
    brier = float(((told - (labels == 1)) ** 2).mean())
    return Reliability(brier, sum(gaps) / len(order), len(order))


def _step_length(design: Reals, target: Reals, at: Reals, move: Reals) -> float:
    """Return the largest of 1, ½, ¼ … that does not raise the loss."""
    before = _loss(design, target, at)
    length = 1.0
    while length > 1e-10 and _loss(design, target, at - length * move) > before:
        length /= 2
    return length


def _loss(design: Reals, target: Reals, at: Reals) -> float:
    z = design @ at
    return float((np.logaddexp(0, z) - target * z).sum() + RIDGE * at[0] ** 2 / 2)
