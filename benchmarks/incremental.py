"""One more day of logs beside all of them again: how long each takes, and what of the links it moves.

    python benchmarks/incremental.py link WORK [--public public.json] [--memory 4GiB] [--moved]
    python benchmarks/incremental.py load LOGS

``link``: ``WORK`` holds the canonical tables of a run, ``tables/<name>/part-*.parquet``. All days but the
last are taken in first. Then come rows of an old day that are late, the last day, and everything from the
beginning; both ways must give the same links and communities. ``--moved`` links the state before the last
day, too, and tells how many links and components that day left as they were.
``load``: ``LOGS`` is the input of a simulated world, a file a day. Reads all days, and the last one alone.
Processor seconds tell more than seconds where others use the same cores.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import machine

from ringfence.config import Settings
from ringfence.engine import connect
from ringfence.files import Workspace
from ringfence.graphbuild.build import build_addresses, build_links, build_sightings
from ringfence.graphbuild.communities.partition import Partition
from ringfence.graphbuild.day_rows import LOGS
from ringfence.graphbuild.increments import Days
from ringfence.graphbuild.placement import place_accounts
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.loaders.discover import discover
from ringfence.loaders.load import canonical_table, load_tables

SETTINGS = Settings()
Spent = dict[str, tuple[float, float]]


class Bench:
    """Both ways, in one folder."""

    def __init__(self, source: Path, place: Path, public: list[str], memory: str) -> None:
        self._place, self._public = place, public
        self._engine = connect(place / "spill", memory)
        self._source = Workspace(source)
        self._days = Days(self._engine, place / "state")
        self.spent: Spent = {}

    def tables(self, name: str) -> Any:
        """Return a canonical table."""
        return canonical_table(self._engine, self._source, name)

    def deliver(self, name: str, wanted: Callable[[Any], Any]) -> None:
        """Take in the rows that are wanted."""
        folder = self._place / name
        for table in LOGS:
            rows = self.tables(table)
            (folder / table).mkdir(parents=True)
            self._engine.to_parquet(rows.filter(wanted(rows)), folder / table / "part-0.parquet")
        with self._timed(f"{name}: take in"):
            self._days.take_in(folder)
        with self._timed(f"{name}: make days"):
            done = self._days.refresh()
        print(f"{name}: {len(done.made)} days made, {done.kept} kept, {done.merged} blocks merged")

    def last_day(self) -> Any:
        """Return the day of the last request."""
        rows = self.tables("requests")
        return self._engine.to_pyarrow(rows["ts"].max()).as_py().date()

    def kept(self, name: str) -> tuple[pd.DataFrame, Partition]:
        """Link what was taken in."""
        work = Workspace(self._place / f"{name}-linked")
        with self._timed(f"{name}: sightings"):
            self._days.write_sightings(work)
        return self._linked(name, work, self._days.tables(self.tables))

    def again(self, name: str) -> tuple[pd.DataFrame, Partition]:
        """Link all rows from the beginning."""
        work = Workspace(self._place / f"{name}-linked")
        with self._timed(f"{name}: sightings"):
            build_sightings(self._engine, self.tables, work)
        return self._linked(name, work, self.tables)

    def _linked(self, name: str, work: Workspace, tables: Any) -> tuple[pd.DataFrame, Partition]:
        names = self._engine.to_pyarrow(tables("accounts").select("account_id").order_by("account_id"))
        accounts = names["account_id"].combine_chunks()
        with self._timed(f"{name}: links"):
            build_addresses(self._engine, tables, work)
            build_links(self._engine, tables, len(accounts), work, SETTINGS, self._public)
        with self._timed(f"{name}: communities"):
            linked = self._engine.read_parquet(work.links / "links.parquet")
            how = {"resolution": SETTINGS.links.resolution, "seed": SETTINGS.seed}
            partition = place_accounts(self._engine, linked, accounts, work.spill / "placing", **how)
        return pd.read_parquet(work.links / "links.parquet"), partition

    @contextmanager
    def _timed(self, name: str) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.spent[name] = (time.perf_counter() - wall, time.process_time() - processor)
        print(f"{name}: {self.spent[name][0]:.1f} s, {self.spent[name][1]:.1f} processor s", flush=True)


def moved(before: tuple[pd.DataFrame, Partition], after: tuple[pd.DataFrame, Partition]) -> None:
    """Tell how many links and components weigh what they weighed."""
    ends = ["account_a", "account_b"]
    both = after[0].merge(before[0][[*ends, "weight"]], on=ends, how="left", suffixes=("", "_before"))
    same = both["weight"] == both["weight_before"]
    graph = _components(both)
    stands = same.groupby(graph).all()
    print(f"links that weigh what they did: {same.sum():,} of {len(same):,} ({same.mean():.2%})")
    print(f"components whose links all do: {stands.sum():,} of {len(stands):,} ({stands.mean():.2%})")
    inside = same.groupby(graph).transform("all")
    print(f"links in them: {inside.mean():.2%}")


def _components(links: pd.DataFrame) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    names = pd.Index(pd.unique(pd.concat([links["account_a"], links["account_b"]])))
    a, b = (names.get_indexer(links[end]) for end in ("account_a", "account_b"))
    _, component = connected_components(coo_matrix((np.ones(len(a)), (a, b)), (len(names),) * 2), False)
    return component[a]


def ratios(spent: Spent) -> None:
    """Print both ways side by side."""
    print("\n| | one more day, s | all again, s | ratio |\n|---|---:|---:|---:|")
    steps = {
        "logs to sightings": (["day: take in", "day: make days", "day: sightings"], ["all: sightings"]),
        "links": (["day: links"], ["all: links"]),
        "communities": (["day: communities"], ["all: communities"]),
    }
    both_ways = zip(*steps.values(), strict=True)
    steps["together"] = tuple([step for side in way for step in side] for way in both_ways)
    for name, (day, everything) in steps.items():
        for unit, at in (("", 0), (", processor", 1)):
            one, whole = (sum(spent[step][at] for step in side) for side in (day, everything))
            print(f"| {name}{unit} | {one:.1f} | {whole:.1f} | {whole / max(one, 1e-9):.2f} |")


def load(logs: Path) -> None:
    """Load all days, and the last one alone with the tables that are not logs."""
    print("| | s | processor s |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as place:
        one = Path(place) / "one"
        for source in sorted(logs.iterdir()):
            last = max(source.iterdir()) if source.is_dir() else source
            there = one / last.relative_to(logs)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(last.absolute())
        for name, folder in (("one more day", one), ("all again", logs)):
            work = Workspace(Path(place) / name.replace(" ", "-"))
            wall, processor = time.perf_counter(), time.process_time()
            load_tables(connect(work.spill), discover(folder, ()), work, PromptMiner(wordings=True))
            print(f"| {name} | {time.perf_counter() - wall:.1f} | {time.process_time() - processor:.1f} |")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_subparsers(dest="what", required=True)
    linking = what.add_parser("link")
    linking.add_argument("work", type=Path)
    linking.add_argument("--public", type=Path)
    linking.add_argument("--memory", default="4GiB")
    linking.add_argument("--moved", action="store_true")
    what.add_parser("load").add_argument("logs", type=Path)
    args = parser.parse_args()
    print(machine())
    if args.what == "load":
        load(args.logs)
    else:
        link(args.work, json.loads(args.public.read_text()) if args.public else [], args.memory, args.moved)


def link(source: Path, public: list[str], memory: str, with_moved: bool) -> None:
    """Link after one more day, and from the beginning."""
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(source, Path(place), public, memory)
        last = bench.last_day()

        def late(rows: Any) -> Any:
            day = rows["ts"].cast("timestamp").date() == last - timedelta(days=9)
            return day & (rows["ts"].epoch_seconds() % 100 == 0)

        def is_last(rows: Any) -> Any:
            return rows["ts"].cast("timestamp").date() == last

        bench.deliver("past", lambda rows: ~(is_last(rows) | late(rows)).fill_null(False))
        before = bench.kept("past") if with_moved else None
        bench.deliver("late", late)
        bench.deliver("day", is_last)
        kept, partition = bench.kept("day")
        again, whole = bench.again("all")
        pd.testing.assert_frame_equal(kept, again)
        assert np.array_equal(partition.community, whole.community)
        print(f"the same {len(kept):,} links and {partition.community.max() + 1:,} communities both ways")
        if before is not None:
            moved(before, (kept, partition))
        ratios(bench.spent)


if __name__ == "__main__":
    main()
