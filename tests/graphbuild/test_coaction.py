"""Co-action networks, beside a count that goes through each object's shares in the order of their times."""

from __future__ import annotations

import os
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from pathlib import Path
from statistics import quantiles
from typing import Any

import ibis
import pandas as pd
import pytest

from ringfence.graphbuild.linkage.coaction import CoActionSettings, co_action, heavier

Event = tuple[str, str, str, float]
"""account, object, content, seconds."""
SHARED = Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data")) / "coordinated"
A_MINUTE = CoActionSettings(time_window=60, min_participation=2)


def network(engine: Any, events: list[Event], settings: CoActionSettings = A_MINUTE) -> pd.DataFrame:
    return engine.to_pyarrow(co_action(table(events), settings)).to_pandas()


def table(events: list[Event]) -> Any:
    rows = pd.DataFrame(events, columns=["account_id", "object_id", "content_id", "ts"])
    rows["ts"] = pd.to_datetime((rows["ts"].astype(float) * 1000).round(), unit="ms", utc=True)
    names = dict.fromkeys(("account_id", "object_id", "content_id"), "string")
    return ibis.memtable(rows, schema={**names, "ts": "timestamp('UTC')"})


def by_hand(events: list[Event], window: float, least: int) -> Counter[tuple[str, str]]:
    """Return the weight of each pair of accounts."""
    active = Counter(account for account, *_ in events)
    events = [event for event in events if active[event[0]] >= least]
    shares = defaultdict(list)
    for account, thing, content, when in events:
        shares[thing].append((when, account, content))
    found = []
    for thing, times in shares.items():
        times.sort()
        for here, (when, account, content) in enumerate(times):
            for _, other, its in times[bisect_left(times, (when - window,)) : here]:
                if other != account and its != content and thing not in (its, content):
                    found.append(((other, its), (account, content)))
    acting = {content for pair in found for _, content in pair}
    taking = Counter(account for account, _, content, _ in events if content in acting)
    enough = {content for account, _, content, _ in events if content in acting and taking[account] >= least}
    return Counter((min(a, b), max(a, b)) for (a, one), (b, two) in found if one in enough or two in enough)


def weights(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    return {(row.account_a, row.account_b): row.weight for row in rows.itertuples()}


def few(rng: random.Random, prefix: str) -> list[Event]:
    """Return a handful of events; contents with several objects, of several accounts, or that are their own
    object are among them."""
    accounts, things = "abcd"[: rng.randint(1, 4)], "xyz"[: rng.randint(1, 3)]
    contents = [f"c{i}" for i in range(rng.randint(1, 9))] + ["x"]
    return [
        (
            prefix + rng.choice(accounts),
            prefix + rng.choice(things),
            prefix + rng.choice(contents),
            float(rng.randint(-90, 300)),
        )
        for _ in range(rng.randint(0, 24))
    ]


@pytest.mark.parametrize(("window", "least"), [(0, 1), (1, 2), (10, 3), (60, 2), (60, 1)])
def test_pairs_and_weights_are_those_counted_by_hand(engine: Any, window: int, least: int) -> None:
    """Worlds of a handful of events, 200 at once; ``RINGFENCE_SOAK=1``: 20,000. The window is the seed."""
    rng = random.Random(window)
    worlds = 20_000 if os.environ.get("RINGFENCE_SOAK") else 200
    events = [event for i in range(worlds) for event in few(rng, f"{i}-")]
    rows = network(engine, events, CoActionSettings(window, least))
    assert weights(rows) == by_hand(events, window, least)
    assert len(rows) > worlds / 50


def test_a_pair_says_how_many_contents_took_part_and_how_far_apart(engine: Any) -> None:
    events = [("a", "x", "1", 0.0), ("a", "y", "2", 100.0), ("b", "x", "3", 20.0), ("b", "x", "4", 30.5)]
    (row,) = network(engine, events).to_dict("records")
    assert row == {
        "account_a": "a",
        "account_b": "b",
        "weight": 2,
        "contents_a": 1,
        "contents_b": 2,
        "seconds": 25.25,
    }


def test_the_window_is_held_to_the_millisecond_across_slots(engine: Any) -> None:
    near = [("a", "x", "1", 59.5), ("b", "x", "2", 119.5), ("a", "y", "3", 0.0), ("b", "y", "4", 60.001)]
    assert weights(network(engine, near, CoActionSettings(60, 1))) == {("a", "b"): 1}


def test_objects_of_a_crowd_pair_nobody_where_a_limit_is_set(engine: Any) -> None:
    crowd = [(f"p{i}", "popular", f"c{i}", 0.0) for i in range(6)]
    events = [*crowd, ("p0", "rare", "d0", 5.0), ("p1", "rare", "d1", 6.0)]
    asked = CoActionSettings(min_participation=1, most_accounts=5)
    assert weights(network(engine, events, asked)) == {("p0", "p1"): 1}


def test_what_is_unknown_is_left_out(engine: Any) -> None:
    rows = pd.DataFrame(
        {
            "account_id": ["a", "b", None, "d"],
            "object_id": ["x", "x", "x", "x"],
            "content_id": ["1", "2", "3", "4"],
            "ts": pd.to_datetime(["2026-03-02", "2026-03-02", "2026-03-02", None], utc=True),
        }
    )
    names = dict.fromkeys(("account_id", "object_id", "content_id"), "string")
    events = ibis.memtable(rows, schema={**names, "ts": "timestamp('UTC')"})
    found = engine.to_pyarrow(co_action(events, CoActionSettings(60, 1))).to_pandas()
    assert weights(found) == {("a", "b"): 1}


@pytest.mark.shared_data
def test_parity_with_the_definition_on_public_posts(engine: Any) -> None:
    """35,125 shares by 9,509 accounts, at ``time_window=60, min_participation=2, edge_weight=0.5``."""
    path = SHARED / "russian_coord_tweets.rda"
    if not path.exists():
        pytest.skip("the public posts are not there; name their folder in RINGFENCE_SHARED_DATA")
    read = pytest.importorskip("rdata", reason="rdata reads the public posts")
    posts = read.read_rda(path)["russian_coord_tweets"]
    columns = ("account_id", "object_id", "content_id")
    events = list(
        zip(*(posts[column].astype(str) for column in columns), posts["timestamp_share"], strict=True)
    )
    assert len(events) == 35_125
    made = engine.to_pyarrow(co_action(table(events), A_MINUTE))
    expected = by_hand(events, 60, 2)
    assert weights(made.to_pandas()) == expected
    median = quantiles(expected.values(), n=2, method="inclusive")[0]
    kept = engine.to_pyarrow(heavier(ibis.memtable(made), 0.5)).to_pandas()
    assert weights(kept) == {pair: weight for pair, weight in expected.items() if weight > median}
    print(f"{len(expected):,} pairs, {sum(expected.values()):,} co-actions, {len(kept):,} above {median}")
