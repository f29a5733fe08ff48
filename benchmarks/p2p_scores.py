"""How well account scores find known fraud in a real payment network, beside simpler ways of scoring.

Repeated cross-validation by component of the link graph: no account is scored by a model that saw a label
of an account linked to it. Every way of scoring is measured on the same folds. Models' settings are the
package's own; none was chosen on the folds drawn here (``--seed``), but on those of seeds 777 and 778.

Run ``python benchmarks/p2p_scores.py --snapshot FILE`` with the graph snapshot of a run on the data, or
without it: a snapshot of cards, devices and transfers is then built from the Parquet files in the folder
``p2p`` of ``RINGFENCE_SHARED_DATA`` (default ``../shared/data``).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from ringfence.gnn import train, trees
from ringfence.gnn.features import ACCOUNT
from ringfence.gnn.folds import Folds, grouped_folds
from ringfence.gnn.graph import message_graph
from ringfence.gnn.neighbours import neighbour_features, own_features
from ringfence.snapshot import Edges, Snapshot, read_snapshot

Reals = npt.NDArray[np.float64]
FOLDS, DEGREE_CAP, AGREEMENT, LEAST_WEIGHT, WEIGHT_CAP = 5, 64, 0.5, 3.0, 12.0
SOURCES = (
    ("HAS_CC", "to_card_id", "instrument", "PAID_WITH"),
    ("USED", "to_device_id", "device", "USED_DEVICE"),
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Accounts of one held-out fold in the order of one score, best first, equals together."""

    accounts: npt.NDArray[np.int64]
    rings: Reals
    """shape: ``(m,)``: 1 ring, 0 benign, in that order."""
    starts: npt.NDArray[np.int64]
    """Where each group of equals starts."""

    @classmethod
    def of(cls, accounts: npt.NDArray[np.int64], score: Reals, labels: npt.NDArray[np.int8]) -> Ranking:
        """Rank accounts by score; all arrays have shape ``(m,)``."""
        order = np.argsort(-score, kind="stable")
        starts = np.append(0, np.flatnonzero(np.diff(score[order])) + 1)
        return cls(accounts[order], (labels[order] == 1).astype(float), starts)

    def figures(self, weight: Reals) -> tuple[float, float]:
        """Return weighted ROC-AUC and average precision; ``weight``: shape ``(n,)``, of all accounts."""
        mine = weight[self.accounts]
        rings = np.add.reduceat(mine * self.rings, self.starts)
        benign = np.add.reduceat(mine * (1 - self.rings), self.starts)
        if not rings.sum() or not benign.sum():
            return np.nan, np.nan
        found, wrong = np.cumsum(rings), np.cumsum(benign)
        auc = (rings * (wrong[-1] - wrong + benign / 2)).sum() / (found[-1] * wrong[-1])
        told = np.maximum(found + wrong, 1e-12)
        return float(auc), float((rings * found / told).sum() / found[-1])


def build_snapshot(folder: Path) -> Snapshot:
    """Build a snapshot from the Parquet files: cards and devices, links by their rarity, transfers."""
    users = pd.read_parquet(folder / "User.parquet").sort_values("id", ignore_index=True)
    number = pd.Series(users.index, index=users["id"])
    size = len(users)
    features, names, edges, pairs = {}, {}, {}, sparse.csr_array((size, size))
    own: dict[str, Reals] = {}
    for table, column, entity, relation in SOURCES:
        seen = pd.read_parquet(folder / f"{table}.parquet").groupby(["from_user_id", column]).size()
        account = number[seen.index.get_level_values(0)].to_numpy()
        code, values = pd.factorize(seen.index.get_level_values(1), sort=True)
        sharing = np.bincount(code)[code]
        weight = np.log(AGREEMENT * size / np.maximum(sharing - 1, 1))
        counts = np.where((sharing > 1) & (sharing <= DEGREE_CAP), np.sqrt(weight), 0)
        view = sparse.csr_array((counts, (account, code)), (size, len(values)))
        pairs = pairs + view @ view.T
        edges[ACCOUNT, relation, entity] = Edges(
            np.stack([account, code]), np.log1p(seen.to_numpy(np.float32))
        )
        features[entity], names[entity] = np.zeros((len(values), 0), np.float32), ()
        own[f"{entity}s"] = np.bincount(account, minlength=size).astype(float)
    links = sparse.coo_array(sparse.triu(pairs, 1))
    strong = links.data >= LEAST_WEIGHT
    index = np.stack([links.coords[0][strong], links.coords[1][strong]]).astype(np.int64)
    nats = np.minimum(links.data[strong], WEIGHT_CAP).astype(np.float32)
    edges[ACCOUNT, "LINKED_TO", ACCOUNT] = Edges(index, nats)
    edges[ACCOUNT, "TRANSFERRED_TO", ACCOUNT] = _transfers(folder, number, own)
    features[ACCOUNT], names[ACCOUNT] = np.column_stack(list(own.values())).astype(np.float32), tuple(own)
    graph = sparse.coo_array((np.ones(index.shape[1]), tuple(index)), (size, size))
    component = sparse.csgraph.connected_components(graph, directed=False)[1].astype(np.int64)
    labels = users["fraudMoneyTransfer"].fillna(-1).to_numpy(np.int8)
    return Snapshot(features, names, edges, labels, component, np.full(size, -1))


def _transfers(folder: Path, number: pd.Series[int], own: dict[str, Reals]) -> Edges:
    sent = pd.read_parquet(folder / "P2P.parquet")
    start, end = number[sent["from_user_id"]].to_numpy(), number[sent["to_user_id"]].to_numpy()
    amount, size = sent["totalAmount"].to_numpy(), len(number)
    own["transfers_sent"] = np.bincount(start, minlength=size).astype(float)
    own["transfers_received"] = np.bincount(end, minlength=size).astype(float)
    own["amount_sent"] = np.bincount(start, amount, size)
    own["amount_received"] = np.bincount(end, amount, size)
    pairs, count = np.unique(np.stack([start, end])[:, start != end], axis=1, return_counts=True)
    return Edges(pairs, np.log1p(count).astype(np.float32))


def held_out_logits(snapshot: Snapshot, folds: Folds, seed: int, device: str) -> dict[str, Reals]:
    """Return way of scoring → shape ``(folds, n)``; of raw features every row is the same."""
    graph = train.cross_fit(
        message_graph(snapshot), snapshot.labels, snapshot.component, folds, seed=seed, device=device
    )
    scores = {"GNN": graph.logits}
    for title, inputs in (
        ("XGBGraph", neighbour_features(snapshot)),
        ("XGBoost, own features", own_features(snapshot)),
    ):
        scores[title] = trees.cross_fit(inputs, snapshot.labels, folds, seed=seed)
    for name, column in zip(snapshot.feature_names[ACCOUNT], own_features(snapshot).T, strict=True):
        scores[name] = np.tile(np.nan_to_num(column.astype(float)), (FOLDS, 1))
    return scores


def measure(snapshot: Snapshot, repeats: int, seed: int, device: str) -> dict[str, list[Ranking]]:
    """Return way of scoring → the rankings of all held-out folds of all repeats."""
    rankings: dict[str, list[Ranking]] = {}
    for repeat in range(repeats):
        folds = grouped_folds(snapshot.labels, snapshot.component, FOLDS, seed + repeat)
        started = time.perf_counter()
        for title, logits in held_out_logits(snapshot, folds, seed + repeat, device).items():
            for fold in range(FOLDS):
                tested = np.flatnonzero(folds == fold)
                ranking = Ranking.of(tested, logits[fold, tested], snapshot.labels[tested])
                rankings.setdefault(title, []).append(ranking)
        print(f"repeat {repeat + 1}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return rankings


def mean_figures(rankings: list[Ranking], weight: Reals) -> Reals:
    """Return mean ROC-AUC and average precision over folds; shape: ``(2,)``."""
    return np.nanmean([ranking.figures(weight) for ranking in rankings], axis=0)


def bootstrap(
    rankings: dict[str, list[Ranking]], component: npt.NDArray[np.int64], draws: int, seed: int
) -> dict[str, Reals]:
    """Return way of scoring → shape ``(draws, 2)``, the same components drawn for all in each draw."""
    rng = np.random.default_rng(seed)
    count = int(component.max()) + 1
    rows: dict[str, list[Reals]] = {title: [] for title in rankings}
    for _draw in range(draws):
        weight = np.bincount(rng.integers(0, count, count), minlength=count).astype(float)[component]
        for title, ranked in rankings.items():
            rows[title].append(mean_figures(ranked, weight))
    return {title: np.array(drawn) for title, drawn in rows.items()}


def table(rankings: dict[str, list[Ranking]], drawn: dict[str, Reals], accounts: int) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| score | ROC-AUC | GNN − it, 95 % interval | average precision | GNN − it, 95 % interval |",
        "|---|---|---|---|---|",
    ]
    for title, ranked in rankings.items():
        auc, precision = mean_figures(ranked, np.ones(accounts))
        apart = ["–", "–"] if title == "GNN" else [_interval(c) for c in (drawn["GNN"] - drawn[title]).T]
        lines.append(f"| {title} | {auc:.3f} | {apart[0]} | {precision:.3f} | {apart[1]} |")
    return "\n".join(lines)


def _interval(differences: Reals) -> str:
    low, high = np.nanquantile(differences, [0.025, 0.975])
    return f"{low:+.3f} to {high:+.3f}" + (" (includes zero)" if low <= 0 <= high else "")


def main() -> None:
    """Measure and print."""
    shared = Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--snapshot", type=Path, help="graph snapshot of a run on the data")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--draws", type=int, default=1000, help="bootstrap samples of components")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    asked = parser.parse_args()
    snapshot = read_snapshot(asked.snapshot) if asked.snapshot else build_snapshot(shared / "p2p")
    rankings = measure(snapshot, asked.repeats, asked.seed, asked.device)
    drawn = bootstrap(rankings, snapshot.component, asked.draws, asked.seed)
    known = int((snapshot.labels >= 0).sum())
    print(f"`python {' '.join(sys.argv)}`\n")
    print(
        f"{known} accounts with a known label, {int((snapshot.labels == 1).sum())} of them fraud; "
        f"{asked.repeats} × {FOLDS} folds of whole components; means over folds; paired bootstrap of "
        f"components, {asked.draws} draws.\n"
    )
    print(table(rankings, drawn, snapshot.accounts))


if __name__ == "__main__":
    main()
