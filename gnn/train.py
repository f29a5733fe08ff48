"""Full-batch training of the graph neural network, one model per fold.

Needs the standard library, numpy, safetensors, torch and torch-geometric only, so it also runs on a
machine that has these and a snapshot file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ringfence.errors import UsageError
from ringfence.gnn.folds import UNLABELLED, Folds, Groups, Labels, components_with, grouped_folds
from ringfence.gnn.graph import MessageGraph
from ringfence.gnn.models import Inputs, Relations, RingNet
from ringfence.progress import Tick, silent

THREADS = 1
"""Sums over threads round differently for another number of them, so it is fixed; these matrices are narrow,
and a second thread wins a quarter where it has a core of its own and loses tenfold where it has not."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a model is trained."""

    width: int = 32
    layers: int = 2
    dropout: float = 0.3
    rate: float = 0.004
    decay: float = 1e-3
    """Weight decay of AdamW."""
    epochs: int = 100
    look: int = 5
    """Epochs from one look at the held-out components to the next."""
    patience: int = 20
    """Epochs without a lower loss on the held-out components after which training stops."""
    watched: int = 6
    """One in so many parts of the training components is held out to stop on."""
    rings_to_watch: int = 12
    """With ring labels in fewer components than this nothing is watched and all epochs are trained."""
    heaviest: float = 20.0
    """The most a ring label may weigh against a benign one."""


@dataclass(frozen=True, slots=True)
class FoldLogits:
    """What the models of all folds say."""

    logits: npt.NDArray[np.float64]
    """shape: ``(folds, n)``: row k is the model that saw no label of fold k."""
    device: str
    """Where it ran: ``cpu`` or ``cuda``."""
    note: str = ""
    """What a person should know of it; empty where all went as asked."""


def cross_fit(
    graph: MessageGraph,
    labels: Labels,
    component: Groups,
    folds: Folds,
    *,
    seed: int,
    device: str = "auto",
    training: Training | None = None,
    tick: Tick = silent,
) -> FoldLogits:
    """Train one model per fold on the other folds' labels and let each score every account.

    On the CPU the result is a function of the arguments, byte for byte. On a GPU logits may differ in
    the last digits.

    Args:
        graph: over the n accounts and their entities.
        labels: shape ``(n,)``: 1 ring, 0 benign, -1 unknown.
        component: shape ``(n,)``; what is held out to stop on never cuts one.
        folds: shape ``(n,)``: fold of a labelled account, -1 of another.
        seed: of weights and dropout.
        device: ``auto`` (CUDA where torch sees one), ``cpu`` or ``cuda``.
        training: how; the defaults where None.
        tick: told the share of folds that are done.

    Raises:
        UsageError: the device is unknown, or ``cuda`` is asked for and torch sees none.
    """

    def run(where: str) -> npt.NDArray[np.float64]:
        how = training or Training()
        count = int(folds.max()) + 1
        rows = []
        for fold in range(count):
            seen = np.where(folds == fold, UNLABELLED, labels).astype(np.int8)
            rows.append(_fit(graph, seen, component, seed * 100 + fold, where, how))
            tick((fold + 1) / count)
        return np.stack(rows)

    return on_device(run, device)


def on_device(run: Callable[[str], npt.NDArray[np.float64]], device: str) -> FoldLogits:
    """Run on the device asked for, and on the CPU where its memory does not suffice.

    Raises:
        UsageError: the device is unknown, or ``cuda`` is asked for and torch sees none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"Unknown device {device!r}; use auto, cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("torch sees no CUDA device here. Use --device cpu, or auto.")
    where = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    try:
        return FoldLogits(run(where), where)
    except torch.OutOfMemoryError:
        if where == "cpu":
            raise
    return FoldLogits(run("cpu"), "cpu", "The GPU's memory did not suffice, so it ran on the CPU.")


def _fit(
    graph: MessageGraph, labels: Labels, component: Groups, seed: int, device: str, how: Training
) -> npt.NDArray[np.float64]:
    """Train one model on the labels given and return its logits of all accounts; shape: ``(n,)``."""
    watched = _watched(labels, component, seed, how)
    learnt = (labels != UNLABELLED) & ~watched
    with _reproducible(seed, device):
        inputs, relations = _tensors(graph, device)
        widths = {node: values.shape[1] for node, values in graph.inputs.items()}
        model = RingNet(widths, sorted(graph.edges), how.width, how.layers, how.dropout).to(device)
        losses = _Losses(labels, learnt, watched, device, how)
        _train(model, inputs, relations, losses, how)
        model.eval()
        with torch.no_grad():
            logits = model(inputs, relations)
    result: npt.NDArray[np.float64] = logits.cpu().numpy().astype(np.float64)
    return result


def _watched(labels: Labels, component: Groups, seed: int, how: Training) -> npt.NDArray[np.bool_]:
    """Return the labelled accounts held out to stop on; none where rings are too few to spare one.

    With two rings to learn from, watching one would leave half of what there is to learn.
    """
    if components_with(labels, component, 1) < how.rings_to_watch:
        return np.zeros(len(labels), np.bool_)
    watched: npt.NDArray[np.bool_] = np.equal(grouped_folds(labels, component, how.watched, seed), 0)
    if len(np.unique(labels[watched])) < 2:
        watched[:] = False
    return watched


class _Losses:
    """Class-weighted cross-entropy on what is learnt and on what is watched."""

    def __init__(
        self,
        labels: Labels,
        learnt: npt.NDArray[np.bool_],
        watched: npt.NDArray[np.bool_],
        device: str,
        how: Training,
    ) -> None:
        rings = max(int((labels[learnt] == 1).sum()), 1)
        weight = min(int((labels[learnt] == 0).sum()) / rings, how.heaviest)
        self._loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weight, device=device))
        self._labels = torch.tensor(labels, dtype=torch.float32, device=device)
        self._learnt = torch.tensor(np.flatnonzero(learnt), device=device)
        self._watched = torch.tensor(np.flatnonzero(watched), device=device)
        self.watches = bool(watched.any())

    def learnt(self, logits: Tensor) -> Tensor:
        return self._of(logits, self._learnt)

    def watched(self, logits: Tensor) -> float:
        return float(self._of(logits, self._watched))

    def _of(self, logits: Tensor, rows: Tensor) -> Tensor:
        loss: Tensor = self._loss(logits[rows], self._labels[rows])
        return loss


def _train(model: RingNet, inputs: Inputs, relations: Relations, losses: _Losses, how: Training) -> None:
    """Train until the watched loss stops falling; the model is left in its best state."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, weight_decay=how.decay)
    best, best_epoch, best_state = np.inf, 0, model.state_dict()
    for epoch in range(how.epochs):
        model.train()
        optimiser.zero_grad()
        losses.learnt(model(inputs, relations)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if not losses.watches or (epoch + 1) % how.look:
            continue
        model.eval()
        with torch.no_grad():
            loss = losses.watched(model(inputs, relations))
        if loss < best:
            best, best_epoch = loss, epoch
            best_state = {name: values.clone() for name, values in model.state_dict().items()}
        elif epoch - best_epoch >= how.patience:
            break
    model.load_state_dict(best_state)


def _tensors(graph: MessageGraph, device: str) -> tuple[Inputs, Relations]:
    inputs = {node: torch.tensor(values, device=device) for node, values in graph.inputs.items()}
    relations = {
        edge_type: (torch.tensor(edges.index, device=device), torch.tensor(edges.weight, device=device))
        for edge_type, edges in graph.edges.items()
    }
    return inputs, relations


@contextmanager
def _reproducible(seed: int, device: str) -> Iterator[None]:
    """Make torch a function of the seed within the block, and leave its global state as it was.

    On a GPU only the seed is set: its sums have no fixed order, and torch refuses some of them otherwise.
    """
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    devices = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        torch.set_num_threads(THREADS)
        torch.use_deterministic_algorithms(device == "cpu" or strict)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)
