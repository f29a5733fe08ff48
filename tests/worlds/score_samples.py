"""Small worlds and answers to make tests of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ringfence.worlds.score import Findings, Truth, make_truth


def truth_of(rows: Sequence[tuple[str, str, str | None]], **columns: Sequence[str | None]) -> Truth:
    """Make a truth of (account, population, ring) rows and further columns."""
    frame = pd.DataFrame(rows, columns=["account_id", "population", "ring"])
    return make_truth(frame.assign(**{name: list(values) for name, values in columns.items()}))


def answer(
    truth: Truth,
    clusters: Mapping[str, tuple[str, Sequence[str]]],
    *,
    scores: Mapping[str, float] | None = None,
    probability: Mapping[str, float] | None = None,
    roles: Mapping[str, str] | None = None,
    detector: str = "ringfence",
) -> Findings:
    """Make an answer: cluster → (decision, members)."""
    home = {account: name for name, (_, members) in clusters.items() for account in members}
    ids = truth.accounts["account_id"]
    accounts = pd.DataFrame(
        {
            "account_id": ids,
            "score": [(scores or {}).get(a, 0.0) for a in ids],
            "cluster": [home.get(a) for a in ids],
            "role": [(roles or {}).get(a, "member" if a in home else None) for a in ids],
        }
    )
    decided = pd.DataFrame(
        [(n, d, (probability or {}).get(n, np.nan)) for n, (d, _) in clusters.items()],
        columns=["cluster", "decision", "probability"],
    )
    return Findings(detector, accounts, decided.astype({"probability": "float64"}))


def large_world(seed: int, rings: int = 6) -> tuple[Truth, Findings]:
    """Make a world of some hundred accounts and an answer that is mostly right."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, str | None]] = [(f"x{n}", f"kind-{n % 3}", None) for n in range(300)]
    for ring in range(rings):
        size = int(rng.integers(5, 30))
        rows += [(f"r{ring}-{n}", "ring", f"ring-{ring}") for n in range(size)]
    countries = rng.choice(["AA", "BB"], len(rows)).tolist()
    truth = truth_of(rows, country=countries)
    clusters = {
        f"c{ring}": (
            "ring" if ring % 2 else "review",
            [a for a, _, r in rows if r == f"ring-{ring}"][1:] + ([f"x{ring}"] if ring < 3 else []),
        )
        for ring in range(rings)
    }
    scores = {a: float(np.clip(rng.normal(0.7 if r else 0.3, 0.2), 0, 1)) for a, _, r in rows}
    stated = {name: float(rng.uniform(0.5, 1)) for name in clusters}
    return truth, answer(truth, clusters, scores=scores, probability=stated)
