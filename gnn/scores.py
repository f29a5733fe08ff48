"""A score for every account: by the graph neural network where labels allow, by evidence where not."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from ringfence.config import Settings
from ringfence.gnn.calibrate import fit_platt, reliability, shortage
from ringfence.gnn.features import LINK, check_features
from ringfence.gnn.folds import Folds, components_with, grouped_folds
from ringfence.progress import Tick, silent
from ringfence.snapshot import Snapshot

Reals = npt.NDArray[np.float64]

FOLDS = 5


@dataclass(frozen=True, slots=True)
class AccountScores:
    """What a run thinks of its accounts."""

    score: Reals
    """shape: ``(n,)``, 0..1: probability of belonging to a ring where calibrated, else evidence score."""
    calibrated: bool
    method: str
    """What decided: ``gnn``, ``trees`` or ``evidence``."""
    reason: str
    """One or two sentences for people: what decided, and why."""
    comparison: list[dict[str, object]]
    """Per model, on the same held-out components: ``model``, ``roc_auc``, ``average_precision``, ``folds``,
    ``accounts``, ``positives``, and for the one that decided ``brier`` and ``ece``. Empty without labels."""


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What a model's folds say."""

    method: str
    title: str
    logits: Reals
    """shape: ``(folds, n)``."""
    note: str = ""


def score_accounts(snapshot: Snapshot, settings: Settings, tick: Tick = silent) -> AccountScores:
    """Score every account.

    With enough labels a model is trained per fold of whole components, and its logits are calibrated on the
    accounts each model did not see. A labelled account is scored by the model that never saw its label, so
    no label raises its own account's score; any other account by the mean of the models' logits. Trees on
    neighbour-aggregated features are measured on the same folds, and decide where torch is not installed.

    Without enough labels, or where held-out scores rank no better than chance, the score is
    :func:`evidence_scores`, which is not calibrated.

    Args:
        snapshot: the graph of a run.
        settings: ``seed``, ``device`` and ``decisions`` are used.
        tick: told the share that is done.

    Raises:
        ModelError: the snapshot cannot be scored.
        UsageError: the device asked for is unknown or not there.
    """
    check_features(snapshot)
    missing = shortage(snapshot.labels, snapshot.component, settings.decisions)
    if missing is not None:
        return _by_evidence(
            snapshot, settings, f"{missing} The evidence of the links alone ranks accounts.", []
        )
    folds = _folds(snapshot, settings.seed)
    if folds is None:
        reason = (
            "The labels lie in too few separate groups to hold some out. The evidence of the links ranks."
        )
        return _by_evidence(snapshot, settings, reason, [])
    models = [_fit_trees(snapshot, folds, settings, tick, 0.3)]
    if torch_installed():
        models.insert(0, _fit_gnn(snapshot, folds, settings, lambda share: tick(0.3 + 0.7 * share)))
    return _calibrated(snapshot, settings, folds, models)


def evidence_scores(snapshot: Snapshot, settings: Settings) -> Reals:
    """Return how strongly each account is linked, 0..1; shape: ``(n,)``.

    The mean weight, in nats, of an account's k strongest links, k being one less than the smallest ring's
    size and links it lacks counting 0, is m; the score is 1 - exp(-m / ``evidence_scale``). So an account
    linked to as many others as a ring needs, at that weight, scores 0.63.
    """
    partners = max(settings.decisions.least_ring_size - 1, 1)
    total = np.zeros(snapshot.accounts)
    for (_source, relation, _target), edges in snapshot.edges.items():
        if relation == LINK:
            account = edges.index.ravel()
            weight = np.tile(edges.weight.astype(np.float64), 2)
            order = np.lexsort((-weight, account))
            account, weight = account[order], weight[order]
            rank = np.arange(len(account)) - np.searchsorted(account, account)
            strongest = rank < partners
            total += np.bincount(account[strongest], weights=weight[strongest], minlength=snapshot.accounts)
    result: Reals = -np.expm1(-total / partners / settings.decisions.evidence_scale)
    return result


def torch_installed() -> bool:
    """Return whether the extra ``[gnn]`` is there."""
    return find_spec("torch") is not None and find_spec("torch_geometric") is not None


def held_out(logits: Reals, folds: Folds) -> Reals:
    """Return labelled accounts' logits by the model that did not see them, others' mean; shape: ``(n,)``."""
    own = logits[np.maximum(folds, 0), np.arange(len(folds))]
    return np.where(folds >= 0, own, logits.mean(axis=0))


def _folds(snapshot: Snapshot, seed: int) -> Folds | None:
    """Return folds of which each holds both labels, as many as can be; None where there are not even two."""
    labels, component = snapshot.labels, snapshot.component
    most = min(FOLDS, *(components_with(labels, component, label) for label in (0, 1)))
    for count in range(most, 1, -1):
        folds = grouped_folds(labels, component, count, seed)
        held = {
            (fold, label) for fold, label in zip(folds.tolist(), labels.tolist(), strict=True) if fold >= 0
        }
        if len(held) == 2 * count:
            return folds
    return None


def _fit_gnn(snapshot: Snapshot, folds: Folds, settings: Settings, tick: Tick) -> _Fitted:
    from ringfence.gnn.graph import message_graph
    from ringfence.gnn.train import cross_fit

    fitted = cross_fit(
        message_graph(snapshot),
        snapshot.labels,
        snapshot.component,
        folds,
        seed=settings.seed,
        device=settings.device,
        tick=tick,
    )
    return _Fitted("gnn", "graph neural network", fitted.logits, fitted.note)


def _fit_trees(snapshot: Snapshot, folds: Folds, settings: Settings, tick: Tick, share: float) -> _Fitted:
    from ringfence.gnn.neighbours import neighbour_features
    from ringfence.gnn.trees import cross_fit

    logits = cross_fit(
        neighbour_features(snapshot),
        snapshot.labels,
        folds,
        seed=settings.seed,
        tick=lambda done: tick(share * done),
    )
    return _Fitted("trees", "gradient-boosted trees on neighbour-aggregated features", logits)


def _calibrated(snapshot: Snapshot, settings: Settings, folds: Folds, models: list[_Fitted]) -> AccountScores:
    """Return the first model's calibrated scores, measured beside the others."""
    chosen = models[0]
    labelled = folds >= 0
    labels = snapshot.labels[labelled]
    logits = held_out(chosen.logits, folds)
    platt = fit_platt(logits[labelled], labels)
    trust = reliability(logits[labelled], labels, folds[labelled])
    comparison = [_measured(model, snapshot, folds) for model in models]
    comparison[0] |= {"brier": trust.brier, "ece": trust.ece}
    if platt.slope <= 0:
        reason = (
            "On held-out components the model ranks no better than chance; the evidence of the links decides."
        )
        return _by_evidence(snapshot, settings, reason, comparison)
    words = [f"The {chosen.title} decided, calibrated on {labelled.sum()} labelled accounts it had not seen."]
    if chosen.method == "trees":
        words.append("torch is not installed; the extra ringfence[gnn] brings the graph neural network.")
    if chosen.note:
        words.append(chosen.note)
    return AccountScores(platt(logits), True, chosen.method, " ".join(words), comparison)


def _measured(model: _Fitted, snapshot: Snapshot, folds: Folds) -> dict[str, object]:
    """Return the mean over folds of how well a model ranks accounts that it did not see."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    figures = []
    for fold, logits in enumerate(model.logits):
        labels = snapshot.labels[folds == fold]
        if len(np.unique(labels)) == 2:
            told = logits[folds == fold]
            figures.append((roc_auc_score(labels, told), average_precision_score(labels, told)))
    auc, precision = np.mean(figures, axis=0) if figures else (None, None)
    return {
        "model": model.method,
        "roc_auc": None if auc is None else float(auc),
        "average_precision": None if precision is None else float(precision),
        "folds": len(model.logits),
        "accounts": int((folds >= 0).sum()),
        "positives": int((snapshot.labels == 1).sum()),
    }


def _by_evidence(
    snapshot: Snapshot, settings: Settings, reason: str, comparison: list[dict[str, object]]
) -> AccountScores:
    return AccountScores(evidence_scores(snapshot, settings), False, "evidence", reason, comparison)
