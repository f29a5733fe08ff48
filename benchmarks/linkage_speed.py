"""How long sightings and links take, beside what plain tools take for the same.

``sightings``: who was seen with what, as a run counts it for each entity type, and bare ``GROUP BY`` over the
same columns in the same engine. Promise: at most twice as long.

``links``: the pairs that share values at or below the caps, by name, with their nats over the four entity
types, from sightings to a Parquet file; beside a self-join on the ids as they are, as one would write it in
SQL. Both must say the same. Promise: at least twice as fast. sparse_dot_topn and SciPy multiply the same
sightings as sparse matrices: that adds up the rarity of what is shared, and says nothing of how many values
each account has, nor of who came first. Promise: level with sparse_dot_topn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from linkage_world import Prepared
from scipy import sparse

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.graphbuild.linkage.pairs import shared_values, summed, view_weights
from ringfence.graphbuild.linkage.rarity import Crowd, measure_crowd, rarity, uses
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import VIEWS, View, view_kinds
from ringfence.graphbuild.sightings import sightings as entity_sightings
from ringfence.schema import ENTITY_TYPES

_STRONG = [view for view in VIEWS if not view.weak]
_TOP = 200
"""Partners of an account that sparse_dot_topn keeps."""


def sightings(world: Prepared, asked: argparse.Namespace) -> None:
    """Print seconds of sightings and of bare group-bys, in turn."""

    def ours(folder: Path) -> None:
        for name, entity in ENTITY_TYPES.items():
            world.engine.to_parquet(entity_sightings(world.tables, entity), folder / f"{name}.parquet")

    def bare(folder: Path) -> None:
        for entity in ENTITY_TYPES.values():
            for table, column in entity.sources:
                parts = world.work.tables / table / "*.parquet"
                world.engine.con.execute(
                    f"COPY (SELECT account_id, {column}, count(*), min(ts), max(ts) FROM '{parts}' "
                    f"GROUP BY 1, 2) TO '{folder}/{table}_{column}.parquet'"
                )

    _print_times(_timed(world, {"sightings": ours, "bare GROUP BY": bare}, asked.rounds), "bare GROUP BY")


def links(world: Prepared, asked: argparse.Namespace) -> None:
    """Print seconds of weighing pairs, ours and others', and check that they say the same."""
    settings = LinkSettings()
    crowds = {view: measure_crowd(world.engine, world.seen(view.name), view, settings) for view in _STRONG}
    names = pa.table({"entity_id": pa.array(sorted(world.public), pa.string())})
    world.between.mkdir(parents=True, exist_ok=True)
    pq.write_table(names, world.between / "public.parquet")
    found: dict[str, Path] = {}

    def kept(name: str, step: Callable[[Path], None]) -> Callable[[Path], None]:
        def work(folder: Path) -> None:
            step(folder)
            found[name] = folder / "pairs.parquet"

        return work

    steps = {
        "ours": lambda folder: _our_pairs(world, settings, crowds, folder),
        "self-join": lambda folder: _plain_pairs(world, settings, crowds, folder),
        "sparse_dot_topn": lambda folder: _multiplied(world, settings, crowds, folder, asked.threads),
        "scipy": lambda folder: _multiplied(world, settings, crowds, folder, 0),
    }
    times = _timed(world, {name: kept(name, step) for name, step in steps.items()}, asked.rounds)
    _print_times(times, "ours")
    one, other = (pd.read_parquet(found[name]).sort_values(list(PAIR)) for name in ("ours", "self-join"))
    both = one.merge(other, on=list(PAIR), how="outer", suffixes=("", "_plain"), indicator=True)
    apart = both[both["_merge"] != "both"]
    # At the border a rounding decides.
    border = apart[["weight", "weight_plain"]].max(axis=1) - settings.least_candidate
    assert (border.abs() < 1e-5).all(), apart
    assert np.allclose(both["weight"].fillna(0), both["weight_plain"].fillna(both["weight"]), atol=1e-5)
    counts = {name: pq.read_metadata(path).num_rows for name, path in found.items()}
    told = ", ".join(f"{name} {rows:,}" for name, rows in counts.items())
    print(f"\nThe self-join finds the same pairs and weights. Pairs: {told}.", flush=True)


def _our_pairs(world: Prepared, settings: LinkSettings, crowds: dict[View, Crowd], folder: Path) -> None:
    steps = Steps(world.engine, folder / "steps", 20)
    accounts = world.tables("accounts").select("account_id")
    number = ibis.row_number().over(order_by="account_id").cast("int64")
    numbers = steps.keep(accounts.mutate(account=number))
    public = world.engine.read_parquet(str(world.between / "public.parquet"))
    weighed = []
    for view, crowd in crowds.items():
        seen = world.seen(view.name)
        rare = rarity(seen, view, crowd, settings, view_kinds(view, world.addresses(), public))
        used = steps.keep(uses(seen, numbers, rare))
        weighed.append(view_weights(steps.keep(summed(shared_values(used))), view, settings))
    rows = ibis.union(*weighed)
    rows = rows.group_by(*PAIR).agg(weight=rows["weight"].sum())
    rows = rows.filter(rows["weight"] >= settings.least_candidate)
    for end in PAIR:
        named = numbers.rename(number="account", name="account_id")
        rows = rows.inner_join(named, rows[end] == named["number"]).drop(end, "number").rename({end: "name"})
    world.engine.to_parquet(rows.select(*PAIR, "weight"), folder / "pairs.parquet")


def _plain_pairs(world: Prepared, settings: LinkSettings, crowds: dict[View, Crowd], folder: Path) -> None:
    views = " UNION ALL ".join(_plain_view(world, settings, *found) for found in crowds.items())
    world.engine.con.execute(
        f"COPY (SELECT account_a, account_b, sum(weight) AS weight FROM ({views}) WHERE weight > 0 "
        f"GROUP BY 1, 2 HAVING sum(weight) >= {settings.least_candidate}) TO '{folder}/pairs.parquet'"
    )


def _plain_view(world: Prepared, settings: LinkSettings, view: View, crowd: Crowd) -> str:
    """Return the self-join of one view."""
    links, between = world.work.links, world.between
    kinds = {
        "ip": f"SELECT address AS entity_id, kind FROM '{links}/addresses.parquet'",
        "template": f"SELECT entity_id, 'public' AS kind FROM '{between}/public.parquet'",
    }.get(view.name, "SELECT NULL AS entity_id, NULL AS kind WHERE false")
    factor = " ".join(f"WHEN '{kind}' THEN {part}" for kind, part in settings.kind_discount.items())
    agree = settings.agreement[view.name]
    gain = f"CASE kind {factor} ELSE 1.0 END * (ln({agree} * {crowd.sightings} / d) - ln(greatest(x.n, y.n)))"
    return f"""SELECT account_a, account_b, {settings.scaled(view.name)} * (agreed + (fewer - shared)
        * ln(1 - {agree})) AS weight FROM (
        WITH s AS (SELECT account_id, entity_id FROM '{links}/{view.name}.parquet'),
          degree AS (SELECT entity_id, count(*) AS d FROM s GROUP BY 1),
          crowd AS (SELECT account_id, count(*) AS n FROM s GROUP BY 1)
        SELECT a.account_id AS account_a, b.account_id AS account_b, sum(greatest({gain}, 0)) AS agreed,
          count(*) AS shared, min(least(x.n, y.n)) AS fewer
        FROM s a JOIN s b USING (entity_id) JOIN degree USING (entity_id)
          JOIN crowd x ON x.account_id = a.account_id JOIN crowd y ON y.account_id = b.account_id
          LEFT JOIN ({kinds}) k USING (entity_id)
        WHERE a.account_id < b.account_id AND d BETWEEN 2 AND {crowd.cap} AND {agree} * {crowd.sightings} > d
        GROUP BY 1, 2)"""


def _multiplied(
    world: Prepared, settings: LinkSettings, crowds: dict[View, Crowd], folder: Path, threads: int
) -> None:
    """Write the sum of rarity that pairs share: by sparse_dot_topn, or with no threads by SciPy."""
    rows = pd.concat(_rare(world, settings, crowds), ignore_index=True)
    account, names = pd.factorize(rows["account_id"], sort=True)
    entity, _ = pd.factorize(rows["view"] + rows["entity_id"])
    matrix = sparse.csr_matrix((np.sqrt(rows["says"].to_numpy(float)), (account, entity)))
    if threads:
        from sparse_dot_topn import sp_matmul_topn

        product = sp_matmul_topn(
            matrix, matrix.T.tocsr(), top_n=_TOP, threshold=settings.least_candidate, n_threads=threads
        )
    else:
        product = matrix @ matrix.T
    found = sparse.triu(product, 1, format="coo")
    heavy = found.data >= settings.least_candidate
    ends = (pa.array(names).take(pa.array(place[heavy])) for place in (found.row, found.col))
    table = pa.table([*ends, found.data[heavy]], names=[*PAIR, "weight"])
    pq.write_table(table, folder / "pairs.parquet")


def _rare(world: Prepared, settings: LinkSettings, crowds: dict[View, Crowd]) -> Iterator[pd.DataFrame]:
    """Yield account_id, entity_id, view, says of the values that make pairs, type after type."""
    for view, crowd in crowds.items():
        seen = pd.read_parquet(world.work.links / f"{view.name}.parquet", columns=["account_id", "entity_id"])
        degree = seen["entity_id"].map(seen["entity_id"].value_counts())
        chance = settings.agreement[view.name] * crowd.sightings / degree
        kept = (degree > 1) & (degree <= crowd.cap) & (chance > 1)
        yield seen[kept].assign(view=view.name + " ", says=np.log(chance[kept]) * settings.scaled(view.name))


def _timed(
    world: Prepared, methods: dict[str, Callable[[Path], None]], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each method, measured in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, method in methods.items():
            folder = world.scratch()
            folder.mkdir(parents=True)
            start = time.perf_counter()
            method(folder)
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _print_times(seconds: dict[str, list[float]], beside: str) -> None:
    middle: dict[str, Any] = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"| | seconds (median) | least | most | time beside {beside} |", "|---|---|---|---|---|", sep="\n")
    for name, times in seconds.items():
        ratio = middle[name] / middle[beside]
        print(
            f"| {name} | {middle[name]:.2f} | {min(times):.2f} | {max(times):.2f} | {ratio:.2f}× |",
            flush=True,
        )
