"""Leiden communities by modularity on the projection to accounts: what graph libraries offer out of the box.

Traag, Waltman and van Eck (2019), *From Louvain to Leiden*, on links that count shared entities.
"""

from __future__ import annotations

import random
from typing import Any

import igraph
import numpy as np

from ringfence.worlds.baselines.clusters import Floats, Numbers, clustered, large, numbered
from ringfence.worlds.baselines.shared_identifiers import TUNED, Sharing
from ringfence.worlds.baselines.tables import Tables, account_ids, fetched, sightings, without_hubs
from ringfence.worlds.score.findings import Findings

NAME = "leiden"


def leiden(tables: Tables, engine: Any, sharing: Sharing | None = None, *, seed: int = 7) -> Findings:
    """Report the communities of the graph whose links weigh the number of entities that two accounts share.

    An account's score is the weight of its links inside its community; 0 outside reported ones.
    """
    sharing = sharing or TUNED
    accounts = account_ids(tables, engine)
    seen = without_hubs(sightings(tables, sharing.kinds), sharing.hub_cap)
    other = seen.view()
    pairs = seen.inner_join(
        other,
        [
            seen["kind"] == other["kind"],
            seen["entity"] == other["entity"],
            seen["account_id"] < other["account_id"],
        ],
    ).select(left=seen["account_id"], right=other["account_id"])
    links = pairs.group_by("left", "right").agg(weight=pairs.count())
    rows = fetched(engine, links.order_by("left", "right"))
    left, right = (numbered(accounts, rows[end]) for end in ("left", "right"))
    weight = rows["weight"].to_numpy(np.float64)
    groups = large(communities(len(accounts), left, right, weight, seed), sharing.least_size)
    inside = groups[left] == groups[right]
    ends = np.concatenate([left[inside], right[inside]])
    scores = np.bincount(ends, weights=np.tile(weight[inside], 2), minlength=len(accounts))
    return clustered(NAME, accounts, groups, np.where(groups >= 0, scores, 0.0))


def communities(accounts: int, left: Numbers, right: Numbers, weight: Floats, seed: int) -> Numbers:
    """Return the community of each account; shape: ``(n,)``. The same seed gives the same ones."""
    graph = igraph.Graph(n=accounts, edges=np.stack([left, right], axis=1), directed=False)
    graph.es["weight"] = weight
    igraph.set_random_number_generator(random.Random(seed))  # noqa: S311 - repeatable, not secret
    try:
        found = graph.community_leiden(objective_function="modularity", weights="weight", n_iterations=-1)
    finally:
        igraph.set_random_number_generator(random)
    return np.asarray(found.membership, np.int64)
