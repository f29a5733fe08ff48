"""Both table engines say the same: the same files from the same world, made by DuckDB and by Spark.

Starting Java takes most of the time, so there is one session for the module, tuned to start soon.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_components import components_of
from worlds_at_random import random_world

from ringfence.config import LinkSettings, Settings
from ringfence.engine import check_engine, connect, open_engine
from ringfence.errors import UsageError
from ringfence.files import Workspace
from ringfence.graphbuild.assemble import Built, build_graph
from ringfence.graphbuild.attributes import account_attributes
from ringfence.graphbuild.build import build_addresses, build_links, build_sightings
from ringfence.loaders.load import canonical_table
from ringfence.loaders.staging import canonical_schema
from ringfence.schema import TABLES

SETTINGS = Settings(
    links=LinkSettings(
        least_weight=0.2,
        least_candidate=0.1,
        resolution=0.2,
        family_cap={},
        degree_cap={"ip": 8, "instrument": 8, "device": 8, "template": 8},
        hub_signatures=1,
        signature_length=1,
        # Timing alone is twenty-five steps, each a job of Java's.
        without=() if os.environ.get("RINGFENCE_SOAK") else ("timing", "network"),
    )
)

# Compiles less, and neither loops nor expressions into classes: slower where there are many rows.
QUICK_TO_START = """\
spark.driver.defaultJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.sql.shuffle.partitions 2
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
"""

Made = tuple[Workspace, Built]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    place = tmp_path_factory.mktemp("a spark [1]")
    (place / "conf").mkdir()
    (place / "conf" / "spark-defaults.conf").write_text(QUICK_TO_START)
    before = os.environ.get("JAVA_HOME")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(place / "conf"))
        # Times are UTC wherever the machine stands.
        patch.setenv("TZ", "Asia/Kolkata")
        engine = open_engine("spark", place / "spill", "1GiB", "local[2]")
    assert os.environ.get("JAVA_HOME") == before
    yield engine
    engine.disconnect()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of canonical tables; some are empty, or lack columns, or come in several parts."""
    folder = tmp_path_factory.mktemp("world")
    tables = random_world(8, accounts=60)
    crowd = tables["logins"].assign(ip="198.51.100.7", account_id=tables["accounts"]["account_id"])
    tables["logins"] = pd.concat([tables["logins"], crowd.dropna(subset="account_id")])
    released = pd.to_datetime(["2026-01-01", "2026-02-08"], utc=True)
    tables["models"] = pd.DataFrame({"model": ["m1", "m2"], "released_at": released})
    tables = {name: rows.replace("acc-00", "Ünïcode-帐户") for name, rows in tables.items()}
    for number, (name, rows) in enumerate(tables.items()):
        for column in {"ts", "created_at", "released_at"} & set(rows.columns):
            # Fractions of a second, which engines count each in their own way.
            rows[column] += pd.Timedelta(microseconds=123_457 * (number + 1))
        schema = canonical_schema(TABLES[name]).to_pyarrow()
        rows = pd.DataFrame({column: rows.get(column) for column in schema.names}, index=rows.index)
        whole = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
        half = len(rows) // 2
        for number, part in enumerate((whole.slice(0, half), whole.slice(half))):
            path = Workspace(folder).tables / name / f"part-{number:05}.parquet"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(part, path)
    return folder


def _linked(engine: Any, folder: Path, world: Path) -> Made:
    work = Workspace(folder)
    tables: Callable[[str], Any] = partial(canonical_table, engine, Workspace(world))
    present = frozenset(part.name for part in Workspace(world).tables.iterdir())
    build_sightings(engine, tables, work)
    build_addresses(engine, tables, work)
    accounts = engine.to_pyarrow(tables("accounts").count()).as_py()
    build_links(engine, tables, accounts, work, SETTINGS, ["t3"])
    return work, build_graph(engine, tables, present, work, SETTINGS)


@pytest.fixture(scope="module")
def by_duckdb(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("duckdb")
    engine = connect(folder / "spill")
    yield _linked(engine, folder, world)
    engine.disconnect()


@pytest.fixture(scope="module")
def by_spark(spark: Any, world: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _linked(spark, tmp_path_factory.mktemp("spark"), world)


def _rows(path: Path) -> pd.DataFrame:
    return _sorted(pq.read_table(path).to_pandas())


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(list(rows.columns)[:3], ignore_index=True)


def test_both_engines_write_the_same_files(by_duckdb: Made, by_spark: Made) -> None:
    folders = [work.links for work, _ in (by_duckdb, by_spark)]
    names, others = (sorted(path.name for path in folder.iterdir()) for folder in folders)
    assert names == others
    for name in names:
        one, other = (folder / name for folder in folders)
        if name.endswith(".parquet"):
            pd.testing.assert_frame_equal(
                _rows(one), _rows(other), obj=name, check_exact=name == "links.parquet"
            )


def test_both_engines_find_the_same_in_numbers(by_duckdb: Made, by_spark: Made) -> None:
    assert by_duckdb[1] == by_spark[1]
    assert by_spark[1].links > 20
    assert by_spark[1].communities > 1


def test_both_engines_write_the_same_links_and_snapshot_to_the_byte(by_duckdb: Made, by_spark: Made) -> None:
    links = [pq.read_table(work.links / "links.parquet") for work, _ in (by_duckdb, by_spark)]
    assert links[0].to_pylist() == links[1].to_pylist()
    snapshots = [(work.links / "snapshot.safetensors").read_bytes() for work, _ in (by_duckdb, by_spark)]
    assert snapshots[0] == snapshots[1]


def test_both_engines_tell_the_same_attributes(spark: Any, world: Path, by_spark: Made) -> None:
    told = []
    for engine in (connect(None), spark):
        days = engine.read_parquet(by_spark[0].links / "activity.parquet")
        tables = partial(canonical_table, engine, Workspace(world))
        told.append(account_attributes(engine, tables, frozenset(TABLES), days))
    assert told[0][0] == told[1][0]
    pd.testing.assert_frame_equal(told[0][1], told[1][1])


def test_components_on_spark_are_those_of_networkx(spark: Any, tmp_path: Path) -> None:
    # Few rounds, as each costs a second; DuckDB has the many graphs.
    graph = nx.union_all([nx.path_graph(6), nx.star_graph(5), nx.complete_graph(4)], rename=("p", "s", "c"))
    expected = {account: min(part) for part in nx.connected_components(graph) for account in part}
    assert components_of(spark, list(graph.edges), tmp_path / "rounds") == expected


def test_parts_and_files_keep_the_order_of_the_expression(spark: Any, tmp_path: Path) -> None:
    rows = pa.table({"a": np.random.default_rng(1).permutation(5000)})
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=500)
    table = spark.read_parquet(tmp_path / "rows.parquet")
    spark.to_parquet(table.order_by("a"), tmp_path / "sorted.parquet")
    assert pq.read_table(tmp_path / "sorted.parquet")["a"].to_pylist() == list(range(5000))


def test_an_unknown_engine_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match=r"no engine 'sparc'.*Did you mean 'spark'"):
        check_engine("sparc")
