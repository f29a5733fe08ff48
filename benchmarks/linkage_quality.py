"""What links are worth on worlds with planted rings, and what chance alone would link.

``hubs``: links with the caps on values that many accounts share, and with none, so that every two accounts
that share anything are weighed. Promise: communities hold at least 0.99 of the pairs of one ring that they
hold without caps.

``ablation``: each family left out in turn. A ring is found where at least half of its accounts are in
communities most of whose accounts are its own; purity is the share of ring accounts in communities that hold
any; a link is false where its accounts are of two operators.

``null``: sightings dealt out anew keep both degrees and nothing else. For an honest weight the mean of
e^weight over all pairs would be 1 at most, and few would lie high.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import ibis
import numpy as np
import pandas as pd
from linkage_world import Prepared

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.bring import Bringing
from ringfence.graphbuild.linkage.rewiring import rewired
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import VIEWS, View, view_sightings
from ringfence.schema import LINK_FAMILIES
from ringfence.worlds.score.rings import b_cubed

_NO_CAP = 10**12
_HEAVY = (6.0, 9.0, 12.0)
_HEAD = (
    "links",
    "false",
    "significant",
    "of them false",
    "B³ F1",
    "purity",
    "rings found",
    "fragments",
    "pairs of rings held",
    "seconds",
)


@dataclass(frozen=True, slots=True)
class Worth:
    """What links and their communities are worth."""

    links: int
    false: int
    significant: int
    significant_false: int
    f1: float
    purity: float
    rings: int
    found: int
    fragments: float
    """Communities over which the accounts of a ring spread, the mean over rings that are in any."""
    pairs_held: float
    """Share of the pairs of one ring that are in one community, 0..1."""
    seconds: float

    def row(self) -> str:
        """Return it as cells of a Markdown table."""
        cells = (
            f"{self.links:,}",
            _share(self.false, self.links),
            f"{self.significant:,}",
            _share(self.significant_false, self.significant),
            f"{self.f1:.3f}",
            f"{self.purity:.3f}",
            f"{self.found}/{self.rings}",
            f"{self.fragments:.2f}",
            f"{self.pairs_held:.4f}",
            f"{self.seconds:.0f}",
        )
        return " | ".join(cells)


def hubs(world: Prepared, asked: argparse.Namespace) -> None:
    """Print what communities are worth with caps and without."""
    capped = LinkSettings()
    uncapped = replace(capped, degree_cap=dict.fromkeys(capped.degree_cap, _NO_CAP), most_pairs=_NO_CAP)
    _print_head("caps")
    worth = {}
    for name, settings in (("as set", capped), ("none", uncapped)):
        worth[name], _ = _worth(world, settings)
        print(f"| {name} | {worth[name].row()} |", flush=True)
    ratio = worth["as set"].pairs_held / max(worth["none"].pairs_held, 1e-12)
    print(f"\nPairs of one ring held with caps beside none: {ratio:.4f}.", flush=True)


def ablation(world: Prepared, asked: argparse.Namespace) -> None:
    """Print what links are worth without each family, and whom false ones touch."""
    _print_head("left out")
    touched = {}
    for name, without in (("nothing", ()), *((str(family), (str(family),)) for family in LINK_FAMILIES)):
        worth, false = _worth(world, LinkSettings(without=without))
        touched[name] = false
        print(f"| {name} | {worth.row()} |", flush=True)
    print("\nFalse links per 1,000 accounts of each population that has any (a link counts for both ends):\n")
    table = pd.DataFrame(touched).fillna(0)
    table = table[(table > 0).any(axis=1)]
    print(f"| population | {' | '.join(table.columns)} |", "|---" * (len(table.columns) + 1) + "|", sep="\n")
    for population, row in table.sort_values("nothing", ascending=False).iterrows():
        print(f"| {population} | {' | '.join(f'{value:.2f}' for value in row)} |")


def null(world: Prepared, asked: argparse.Namespace) -> None:
    """Print what pairs get by chance: entity types and coarser views, each dealt out anew."""
    accounts = world.rows["accounts"]
    pairs = accounts * (accounts - 1) / 2
    above = " | ".join(f"≥ {nats:g} nats | expected at most" for nats in _HEAVY)
    print(f"{pairs:,.0f} pairs of accounts.\n")
    print(f"| draw | weighed | mean of e^weight | {above} |", "|---" * (3 + 2 * len(_HEAVY)) + "|", sep="\n")
    for draw in range(asked.draws):
        nats = _by_chance(world, draw)
        mean = 1 + np.expm1(nats).sum() / pairs
        cells = " | ".join(f"{(nats >= n).sum():,} | {pairs * np.exp(-n):,.0f}" for n in _HEAVY)
        print(f"| {draw} | {len(nats):,} | {mean:.3f} | {cells} |", flush=True)


def _by_chance(world: Prepared, draw: int) -> np.ndarray:
    """Return the nats of the pairs that share anything once sightings are dealt out anew."""
    # Everything that speaks for a pair, whoever came first.
    settings = replace(LinkSettings(), least_candidate=0.0, one_sided_cap=1e9)
    steps = Steps(world.engine, world.scratch(), 80)
    number = ibis.row_number().over(order_by="account_id").cast("int64")
    numbers = steps.keep(world.tables("accounts").select("account_id").mutate(account=number))

    @cache
    def dealt(view: View) -> Any:
        seen = view_sightings(view, world.seen, world.addresses(), world.tables)
        # Views that are dealt alike would agree in everything.
        return steps.keep(rewired(seen, draw * len(VIEWS) + VIEWS.index(view)))

    bringing = Bringing(steps, numbers, world.addresses(), world.public, settings)
    brought = bringing.bring(bringing.crowds(VIEWS, dealt), dealt)
    total = sum((brought[str(family)] for family in LINK_FAMILIES), ibis.literal(0.0))
    return world.engine.to_pyarrow(brought.select(weight=total))["weight"].to_numpy()


def _worth(world: Prepared, settings: LinkSettings) -> tuple[Worth, pd.Series]:
    """Return what links are worth, and by population the false ones per 1,000 accounts."""
    start = time.perf_counter()
    links, _ = world.link(settings)
    community = world.communities(links, settings)
    seconds = time.perf_counter() - start
    truth = world.truth
    index = pd.Index(truth["account_id"])
    ends = [index.get_indexer(links[end]) for end in ("account_a", "account_b")]
    own = truth["own"].to_numpy()
    false = own[ends[0]] != own[ends[1]]
    significant = links["significant"].to_numpy(bool)
    placed = truth.assign(cluster=pd.Series(community).where(community >= 0))
    touched = pd.Series(truth["population"].to_numpy()[np.concatenate([end[false] for end in ends])])
    per_thousand = touched.value_counts() / truth["population"].value_counts() * 1000
    worth = Worth(
        len(links),
        int(false.sum()),
        int(significant.sum()),
        int((false & significant).sum()),
        b_cubed(placed).f1,
        *_rings(placed),
        seconds,
    )
    return worth, per_thousand


def _rings(placed: pd.DataFrame) -> tuple[float, int, int, float, float]:
    """Return purity, rings, rings found, fragments a ring, and the share of a ring's pairs held together."""
    inside = placed.dropna(subset="cluster")
    guilty = inside[inside["ring"].notna()]
    size = inside["cluster"].value_counts()
    purity = len(guilty) / max(int(size[guilty["cluster"].unique()].sum()), 1)
    both = guilty.groupby(["ring", "cluster"]).size().rename("both").reset_index()
    rings = placed["ring"].value_counts()
    right = both[both["both"] * 2 >= both["cluster"].map(size)]
    held = right.groupby("ring")["both"].sum()
    found = int((held * 2 >= rings.reindex(held.index)).sum())
    fragments = float(both.groupby("ring").size().mean()) if len(both) else 0.0
    pairs = (both["both"] * (both["both"] - 1)).sum() / max((rings * (rings - 1)).sum(), 1)
    return purity, len(rings), found, fragments, float(pairs)


def _print_head(first: str) -> None:
    print(f"| {first} | {' | '.join(_HEAD)} |", "|---" * (len(_HEAD) + 1) + "|", sep="\n", flush=True)


def _share(some: int, of: int) -> str:
    return f"{some / of:.4f}" if of else "–"
