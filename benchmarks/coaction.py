"""Co-action on public posts: the same pairs as a plain count of the definition, and how long both take.

    python benchmarks/coaction.py [--window 60] [--participation 2] [--edge-weight 0.5] [--copies 1 4 16]

Data: ``coordinated/russian_coord_tweets.rda`` of ``RINGFENCE_SHARED_DATA`` (default ``../shared/data``), read
with ``rdata``. ``--copies`` repeats the posts under other names, to see how the time grows.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import rdata
from machine import machine

from ringfence.engine import connect
from ringfence.graphbuild.linkage.coaction import CoActionSettings, co_action, heavier

_KEYS = ["account_id", "object_id", "content_id"]
Network = dict[tuple[str, str], int]


def main() -> None:
    """Print pairs, co-actions and seconds of both."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--window", type=int, default=60)
    options.add_argument("--participation", type=int, default=2)
    options.add_argument("--edge-weight", type=float, default=0.5)
    options.add_argument("--copies", type=int, nargs="+", default=[1, 4, 16])
    chosen = options.parse_args()
    settings = CoActionSettings(chosen.window, chosen.participation)
    posts = read_posts()
    print(f"{machine()}\n{settings}\n")
    print(
        "| posts | pairs | co-actions | heavier | same as counted | seconds | counted in |",
        "|" + "---|" * 7,
        sep="\n",
    )
    for copies in chosen.copies:
        events = pd.concat(
            [posts.assign(**{key: posts[key] + f"-{i}" for key in _KEYS}) for i in range(copies)]
        )
        start = time.perf_counter()
        network, heavy = tabled(events, settings, chosen.edge_weight)
        middle = time.perf_counter()
        expected = counted(events, settings)
        end = time.perf_counter()
        print(
            f"| {len(events):,} | {len(network):,} | {sum(network.values()):,} | {heavy:,} "
            f"| {'yes' if network == expected else 'NO'} | {middle - start:.2f} | {end - middle:.2f} |"
        )


def read_posts() -> pd.DataFrame:
    """Return account_id, object_id, content_id and ts of the public posts."""
    folder = Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data")) / "coordinated"
    posts = rdata.read_rda(folder / "russian_coord_tweets.rda")["russian_coord_tweets"]
    ts = pd.to_datetime(posts["timestamp_share"].astype("int64"), unit="s", utc=True)
    return posts[_KEYS].astype(str).assign(ts=ts)


def tabled(events: pd.DataFrame, settings: CoActionSettings, edge_weight: float) -> tuple[Network, int]:
    """Return the network as the table engine makes it, and how many of its links are heavier."""
    engine: Any = connect(None, "4GiB")
    made = engine.create_table("events", ibis.memtable(events))
    network = engine.create_table("network", co_action(made, settings))
    rows = engine.to_pyarrow(network).to_pylist()
    heavy = engine.to_pyarrow(heavier(network, edge_weight).count()).as_py()
    engine.disconnect()
    return {(row["account_a"], row["account_b"]): row["weight"] for row in rows}, heavy


def counted(events: pd.DataFrame, settings: CoActionSettings) -> Network:
    """Return the weight of each pair, going through each object's posts in the order of their times."""
    active = events["account_id"].map(events["account_id"].value_counts())
    events = events[active >= settings.min_participation]
    shares = defaultdict(list)
    for account, thing, content, when in zip(*(events[key] for key in _KEYS), events["ts"], strict=True):
        shares[thing].append((when.timestamp(), account, content))
    found = []
    for thing, posts in shares.items():
        posts.sort()
        oldest = 0
        for here, (when, account, content) in enumerate(posts):
            while when - posts[oldest][0] > settings.time_window:
                oldest += 1
            found += [
                (other, its, account, content)
                for _, other, its in posts[oldest:here]
                if other != account and its != content and thing not in (its, content)
            ]
    acting = {content for _, its, _, own in found for content in (its, own)}
    taking = events[events["content_id"].isin(acting)]
    often = taking["account_id"].map(taking["account_id"].value_counts()) >= settings.min_participation
    enough = set(taking.loc[often, "content_id"])
    pairs = ((min(a, b), max(a, b)) for a, one, b, two in found if one in enough or two in enough)
    return dict(Counter(pairs))


if __name__ == "__main__":
    main()
