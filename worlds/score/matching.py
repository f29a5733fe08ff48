"""An answer and the truth side by side: which clusters are right, which rings are found."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ringfence.records import Decision, Role
from ringfence.worlds.score.findings import Findings, check_findings
from ringfence.worlds.score.frames import looked_up
from ringfence.worlds.score.truth import Truth

LEVELS: dict[str, tuple[str, ...]] = {
    "ring": (Decision.RING.value,),
    "review": (Decision.RING.value, Decision.REVIEW.value),
}
"""Level → decisions that count: *reported* clusters at ``ring``, *flagged* ones at ``review``."""


@dataclass(frozen=True, slots=True)
class Matched:
    """An answer joined to the truth."""

    accounts: pd.DataFrame
    """What the truth says of each account, and score (NaN made 0), cluster (None where it is in none or is
    called a bystander there), operator, named_ring, named_review (bool: named by a cluster of that level)."""
    clusters: pd.DataFrame
    """cluster, decision, probability, named (accounts), guilty (ring accounts among them), most (those of the
    operator with the most), operators (with accounts in it), right (bool); a row a cluster."""
    rings: pd.DataFrame
    """The truth about rings, and found_ring, found_review (bool); a row a ring."""


def match(findings: Findings, truth: Truth) -> Matched:
    """Join an answer to the truth.

    A cluster is *right* when at least half of the accounts it names are ring accounts of one operator; one
    that names nobody is not. A ring is *found* at a level when at least half of its accounts are named by
    right clusters of that level.

    Raises:
        InputError: the answer is not one about every account of this world.
    """
    check_findings(findings, truth)
    accounts = _joined(findings, truth)
    clusters = _judged(findings.clusters, accounts)
    decision = accounts["cluster"].map(clusters.set_index("cluster")["decision"])
    accounts = accounts.assign(**{f"named_{level}": decision.isin(says) for level, says in LEVELS.items()})
    return Matched(accounts, clusters, _found(accounts, clusters, truth.rings))


def _joined(findings: Findings, truth: Truth) -> pd.DataFrame:
    said = findings.accounts[["account_id", "score", "cluster", "role"]].rename(columns={"role": "said_role"})
    joined = truth.accounts.merge(said, on="account_id", how="left", validate="one_to_one")
    operator = joined["ring"].map(truth.rings.set_index("ring")["operator"])
    named = joined["said_role"].ne(Role.BYSTANDER.value).fillna(True).astype(bool)
    return joined.assign(
        score=joined["score"].astype("float64").fillna(0.0),
        cluster=joined["cluster"].where(named, None),
        operator=operator,
    )


def _judged(clusters: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    inside = accounts.dropna(subset=["cluster"])
    named = inside["cluster"].value_counts()
    # A row a cluster and operator: how many of the operator's accounts the cluster names.
    held = inside.dropna(subset=["operator"]).groupby(["cluster", "operator"]).size().groupby("cluster")
    names = clusters["cluster"]
    judged = clusters[["cluster", "decision", "probability"]].assign(
        named=looked_up(names, named).astype("int64"),
        guilty=looked_up(names, held.sum()).astype("int64"),
        most=looked_up(names, held.max()).astype("int64"),
        operators=looked_up(names, held.size()).astype("int64"),
    )
    return judged.assign(right=(judged["most"] * 2 >= judged["named"]) & (judged["named"] > 0))


def _found(accounts: pd.DataFrame, clusters: pd.DataFrame, rings: pd.DataFrame) -> pd.DataFrame:
    found = rings
    for level, says in LEVELS.items():
        right = clusters.loc[clusters["right"] & clusters["decision"].isin(says), "cluster"]
        named = accounts.loc[accounts["cluster"].isin(right), "ring"].value_counts()
        hits = looked_up(rings["ring"], named).astype("int64")
        found = found.assign(**{f"found_{level}": hits * 2 >= rings["accounts"]})
    return found
