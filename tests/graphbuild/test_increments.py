"""Logs taken in day by day give what all of them at once give: sightings, links and communities."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from canonical_frames import as_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds_at_random import START, random_world

from ringfence.config import LinkSettings
from ringfence.graphbuild.day_rows import LOGS, UNDATED
from ringfence.graphbuild.increments import Days
from ringfence.graphbuild.linkage.build import LinkSources, link_accounts
from ringfence.graphbuild.linkage.indicators import HIT_COLUMNS
from ringfence.graphbuild.linkage.timing import slots
from ringfence.graphbuild.networks import ADDRESS_SCHEMA
from ringfence.graphbuild.placement import place_accounts
from ringfence.graphbuild.sightings import activity, sightings, transfers
from ringfence.loaders.staging import canonical_schema
from ringfence.records import Family
from ringfence.schema import ENTITY_TYPES, TABLES

SOAK = "RINGFENCE_SOAK" in os.environ
World = dict[str, pd.DataFrame]

FEW = (Family.DEVICE, Family.CONTENT, Family.TIMING)
"""Families that are left out but where time is no matter."""

KEYS = {"transfers": ["start", "end"], "activity": ["account_id", "day"], "minutes": ["account_id", "minute"]}


@pytest.fixture
def days(engine: Any, tmp_path: Path) -> Days:
    return Days(engine, tmp_path / "state")


def _world(seed: int, accounts: int = 30) -> World:
    """Return a random world of three days."""
    world = random_world(seed, accounts)
    for name in LOGS:
        at = START + (world[name]["ts"] - START) / 7
        world[name] = world[name].assign(ts=at.dt.floor("s"))
    cards = world["payments"]["instrument_id"]
    world["payments"] = world["payments"].assign(
        bin=cards.str[-1], instrument_type=cards.str[-1].map({"1": "prepaid"}).fillna("credit")
    )
    return world


def _deliver(world: World, folder: Path) -> Path:
    """Write canonical tables as a run keeps them."""
    for number, (name, rows) in enumerate(world.items()):
        schema = canonical_schema(TABLES[name]).to_pyarrow()
        columns = {column: rows.get(column) for column in schema.names}
        told = pd.DataFrame(columns, index=rows.index).assign(_file=number, _line=range(len(rows)))
        (folder / name).mkdir(parents=True)
        pq.write_table(
            pa.Table.from_pandas(told, schema, preserve_index=False), folder / name / "part-0.parquet"
        )
    return folder


def _logs(world: World) -> World:
    return {name: world[name] for name in LOGS}


def _only(world: World, keep: Callable[[pd.DataFrame], Any]) -> World:
    return {name: rows[keep(rows)] for name, rows in _logs(world).items()}


def _on(world: World, day: str) -> World:
    return _only(world, lambda rows: rows["ts"].dt.strftime("%Y-%m-%d").fillna(UNDATED) == day)


def _ordered(engine: Any, name: str, rows: Any) -> pa.Table:
    return engine.to_pyarrow(rows.order_by(KEYS.get(name, ["account_id", "entity_id"])))


def _assert_all_at_once(engine: Any, days: Days, world: World) -> None:
    """What was kept is what one pass over all the rows gives, to the last bit."""
    tables = as_tables(world)
    at_once = {name: sightings(tables, entity) for name, entity in ENTITY_TYPES.items()}
    at_once |= {"transfers": transfers(tables), "activity": activity(tables)}
    kept = {name: days.seen(name) for name in ENTITY_TYPES}
    kept |= {"transfers": days.transfers(), "activity": days.activity()}
    for name, rows in at_once.items():
        assert _ordered(engine, name, kept[name]).equals(_ordered(engine, name, rows)), name


@settings(max_examples=200 if SOAK else 2)
@given(
    seed=st.integers(0, 1 << 20),
    deliveries=st.integers(2, 5 if SOAK else 3),
    order=st.randoms(use_true_random=False),
)
def test_any_deliveries_in_any_order_give_what_all_rows_at_once_give(
    engine: Any, seed: int, deliveries: int, order: Any
) -> None:
    world = _world(seed, accounts=12)
    rng = np.random.default_rng(seed)
    parts = []
    for part in range(deliveries):

        def due(rows: pd.DataFrame, part: int = part) -> Any:
            """Most rows come in time, some twice, some early, and the late ones at the end."""
            share = ((rows["ts"] - START) / pd.Timedelta("3D")).fillna(0.0)
            in_time = (share * deliveries).astype(int) == part
            late, again = rng.random(len(rows)) < 0.3, rng.random(len(rows)) < 0.1
            return in_time & ~late | again | (part == deliveries - 1)

        parts.append(_only(world, due))
    parts += [parts[0], {name: rows.iloc[:0] for name, rows in _logs(world).items()}]
    order.shuffle(parts)
    with TemporaryDirectory() as place:
        days = Days(engine, Path(place) / "state")
        for number, part in enumerate(parts):
            days.take_in(_deliver(part, Path(place) / str(number)))
            if order.random() < 0.5:
                days.refresh()
        days.refresh()
        _assert_all_at_once(engine, days, world)


def test_a_new_day_makes_itself_and_late_rows_the_day_they_fall_to(
    engine: Any, days: Days, tmp_path: Path
) -> None:
    world = _world(3)
    # On the last day, one account is there and no other.
    requests = world["requests"]
    others = (requests["ts"].dt.day == 3) & (requests["account_id"] != requests["account_id"].iloc[-1])
    world["requests"] = requests = requests[~others]
    late = (requests["ts"].dt.day == 2) & (requests.index % 3 == 0)
    early = {**world, "requests": requests[~late]}
    told = [f"2026-02-{day:02}" for day in range(1, 4)]
    for day in told[:-1]:
        days.take_in(_deliver(_on(early, day), tmp_path / day))
    assert set(days.refresh().made) == set(told[:-1])

    days.take_in(_deliver(_on(early, told[-1]), tmp_path / told[-1]))
    one_more = days.refresh()
    assert (one_more.made, one_more.kept, one_more.merged) == ((told[-1],), 2, 1)

    days.take_in(_deliver({"requests": requests[late]}, tmp_path / "late"))
    after = days.refresh()
    assert (after.made, after.kept, after.merged) == (("2026-02-02",), 2, 1)

    days.take_in(_deliver(_on(world, UNDATED), tmp_path / UNDATED))
    assert days.refresh().made == (UNDATED,)
    assert not days.take_in(tmp_path / "late")
    assert days.refresh().made == ()

    # The same rows in another file make their days anew, and count once all the same.
    assert days.take_in(_deliver({"logins": world["logins"]}, tmp_path / "again"))
    assert days.refresh().kept == 1
    _assert_all_at_once(engine, days, world)


def test_nothing_taken_in_is_nothing_seen(engine: Any, days: Days) -> None:
    assert days.refresh().made == ()
    _assert_all_at_once(engine, days, {})


def _linked(engine: Any, tables: Any, seen: Callable[[str], Any], folder: Path) -> tuple[pa.Table, Any]:
    hits = pd.DataFrame({column: pd.Series(dtype="str") for column in HIT_COLUMNS})
    addresses = ibis.memtable(ADDRESS_SCHEMA.empty_table())
    sources = LinkSources(tables, seen, addresses, (), 30, hits.astype({"confidence": "float64"}))
    folder.mkdir()
    asked = LinkSettings(least_weight=0.5, least_candidate=0.1, without=() if SOAK else FEW)
    link_accounts(engine, sources, folder / "links.parquet", folder / "steps", asked)
    names = engine.to_pyarrow(tables("accounts").order_by("account_id"))["account_id"]
    linked = engine.read_parquet(folder / "links.parquet")
    placed = place_accounts(
        engine, linked, names.combine_chunks(), folder / "placing", resolution=0.5, seed=1
    )
    return pq.read_table(folder / "links.parquet"), placed


def test_links_and_communities_are_those_of_all_logs_at_once(engine: Any, days: Days, tmp_path: Path) -> None:
    world = _world(6)
    world["models"] = pd.DataFrame({"model": ["m2"], "released_at": [pd.Timestamp("2026-02-02", tz="UTC")]})
    early = world["requests"]["ts"].dt.day < 3
    days.take_in(_deliver({**_logs(world), "requests": world["requests"][early]}, tmp_path / "early"))
    days.refresh()
    days.take_in(_deliver({"requests": world["requests"][~early]}, tmp_path / "late"))
    days.refresh()
    tables = as_tables(world)
    at_once, placed = _linked(
        engine, tables, lambda name: sightings(tables, ENTITY_TYPES[name]), tmp_path / "at-once"
    )
    kept, kept_placed = _linked(engine, days.tables(tables), days.seen, tmp_path / "kept")
    minutes = (_ordered(engine, "minutes", slots(some("requests"))) for some in (tables, days.tables(tables)))
    assert next(minutes).equals(next(minutes))
    assert at_once.num_rows > 10
    assert kept.equals(at_once)
    assert placed.community.max() > 0
    assert np.array_equal(kept_placed.community, placed.community)
    assert np.array_equal(kept_placed.component, placed.component)


_TAKING_IN = """
import sys
from pathlib import Path
from ringfence.engine import connect
from ringfence.graphbuild.increments import Days
days = Days(connect(None), Path(sys.argv[1]))
print("begun", flush=True)
for part in sys.argv[2:]:
    days.take_in(Path(part))
    days.refresh()
"""


def _killed(arguments: list[str], after: float) -> None:
    command = [sys.executable, "-c", _TAKING_IN, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        try:
            child.wait(after)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)


def _moments() -> Iterator[float]:
    rng = np.random.default_rng(1)
    yield from rng.uniform(0.0, 2.0, 100) if SOAK else (0.3,)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_any_moment_what_was_there_goes_on(engine: Any, days: Days, tmp_path: Path) -> None:
    world = _world(7)
    told = ["2026-02-01", "2026-02-02", "2026-02-03"]
    parts = [_deliver(_on(world, day), tmp_path / day) for day in told]
    days.take_in(parts[0])
    days.refresh()
    for moment in _moments():
        _killed([str(tmp_path / "state"), *map(str, parts[1:])], moment)
        days.refresh()
        # Each delivery is there as a whole or not at all.
        whole = {day: _on(world, day) for day in told}
        seen = {str(day) for day in engine.to_pyarrow(days.activity())["day"].to_pylist()}
        held = [part for day, part in whole.items() if day in seen]
        _assert_all_at_once(engine, days, {name: pd.concat([part[name] for part in held]) for name in LOGS})
    for part in parts:
        days.take_in(part)
    days.refresh()
    state = tmp_path / "state"
    assert not list(state.rglob(".*"))
    _assert_all_at_once(
        engine, days, {name: pd.concat([_on(world, day)[name] for day in told]) for name in LOGS}
    )
