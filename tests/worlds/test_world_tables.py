"""A world's files are canonical tables, its truth lies apart, and its manifest counts right."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from made_world import END, START, TABLES, MadeWorld, read

import ringfence
from ringfence.schema import TABLES as CANONICAL
from ringfence.schema import Kind
from ringfence.worlds.make import generator_digest
from ringfence.worlds.scenarios import SCENARIOS
from ringfence.worlds.words import COUNTRIES


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_canonical(world: MadeWorld, name: str) -> None:
    frame, table = world.tables[name], CANONICAL[name]
    assert len(frame)
    assert set(frame.columns) <= {column.name for column in table.columns}
    assert frame[list(table.required)].notna().all(axis=None)
    if table.key:
        assert frame[table.key].is_unique
    for column in table.columns:
        if column.name not in frame:
            continue
        values = frame[column.name]
        if column.values:
            assert set(values.dropna()) <= set(column.values), column.name
        if column.kind is Kind.TIME:
            assert str(values.dt.tz) == "UTC", column.name
        if column.kind is Kind.INTEGER:
            assert pd.api.types.is_integer_dtype(values), column.name
            assert (values >= 0).all(), column.name
        if column.kind in (Kind.IDENTIFIER, Kind.TEXT, Kind.PROMPT):
            assert values.dropna().str.len().min() > 0, column.name


def test_no_column_but_template_ids_is_left_out(world: MadeWorld) -> None:
    for name, frame in world.tables.items():
        missing = {column.name for column in CANONICAL[name].columns} - set(frame.columns)
        assert missing == ({"template_id"} if name == "requests" else set()), name


def test_rows_are_in_order(world: MadeWorld) -> None:
    folder = world.folder / "input"
    for name in ("accounts", "labels"):
        assert world.tables[name]["account_id"].is_monotonic_increasing, name
    assert world.tables["account_events"]["ts"].is_monotonic_increasing
    for name in ("requests", "payments", "logins"):
        parts = sorted((folder / name).iterdir())
        assert [p.name for p in parts] == [f"part-{day:02d}.parquet" for day in range(30)]
        for part in parts:
            assert pd.read_parquet(part, columns=["ts"])["ts"].is_monotonic_increasing, part


def test_everything_falls_into_the_window(world: MadeWorld) -> None:
    for name in ("requests", "payments", "logins", "account_events", "labels"):
        ts = world.tables[name]["ts"]
        assert ts.min() >= START, name
        assert ts.max() < END, name


def test_parts_agree_on_their_columns(world: MadeWorld) -> None:
    for name in ("requests", "payments", "logins"):
        schemas = [pq.read_schema(p) for p in sorted((world.folder / "input" / name).iterdir())]
        assert all(schema.equals(schemas[0]) for schema in schemas), name
        assert not schemas[0].metadata, name


def test_events_name_known_accounts_and_models(world: MadeWorld) -> None:
    accounts = set(world.tables["accounts"]["account_id"])
    for name in ("requests", "payments", "logins", "account_events", "labels"):
        assert set(world.tables[name]["account_id"]) <= accounts, name
    assert set(world.tables["requests"]["model"]) == set(world.tables["models"]["model"])
    assert set(world.tables["accounts"]["country"]) <= set(COUNTRIES)


def test_the_truth_covers_every_account_and_request_once(world: MadeWorld) -> None:
    assert world.truth["account_id"].is_unique
    assert set(world.truth["account_id"]) == set(world.tables["accounts"]["account_id"])
    told = read(world.folder / "truth", "requests")
    assert told["request_id"].is_unique
    assert set(told["request_id"]) == set(world.tables["requests"]["request_id"])
    assert told["distilling"].dtype == bool


def test_the_truth_is_as_agreed(world: MadeWorld) -> None:
    truth = world.truth
    guilty = truth["ring"].notna()
    assert ((truth["population"] == "ring") == guilty).all()
    assert (truth["ring_type"].notna() == guilty).all()
    assert (truth["group"].notna() == ~guilty).all()
    assert set(truth.loc[guilty, "role"]) == {"core", "member"}
    through = truth["network"].notna()
    # Bystanders are those in networks that rings go through; other networks are nothing but that.
    blended = truth["network"].isin(truth.loc[guilty, "network"].dropna())
    assert (truth.loc[~guilty, "role"].notna() == blended[~guilty]).all()
    assert set(truth.loc[~guilty, "role"].dropna()) <= {"bystander"}
    assert set(truth.loc[~guilty & through, "population"]) == {"proxy_customer", "proxy_victim"}
    assert truth[["country", "language"]].notna().all(axis=None)
    assert (truth.groupby("group")["population"].nunique() == 1).all()
    assert not world.sent.loc[world.sent["ring"].isna(), "distilling"].any()


def test_rings_are_counted_right(world: MadeWorld) -> None:
    rings = world.rings.set_index("ring")
    assert rings.index.is_unique
    assert rings["operator"].is_unique
    accounts = world.truth.groupby("ring")["account_id"].size()
    campaign = world.sent[world.sent["distilling"]].groupby("ring")["ts"]
    assert rings["accounts"].to_dict() == accounts.to_dict()
    assert rings["requests"].to_dict() == campaign.size().to_dict()
    assert rings["first_request"].to_dict() == campaign.min().to_dict()
    assert (rings["single_family"] == (rings["families"].str.len() == 1)).all()
    assert rings["tactics"].str.len().eq(1).all()
    networks = world.truth.groupby("ring")["network"].unique()
    assert all(
        set(networks[ring]) == {rings.loc[ring, "network"]} for ring in rings.dropna(subset="network").index
    )
    types = world.truth.groupby("ring")["ring_type"].unique()
    assert all(list(types[ring]) == [rings.loc[ring, "ring_type"]] for ring in rings.index)


def test_the_truth_lies_apart(world: MadeWorld) -> None:
    assert {path.name for path in world.folder.iterdir()} == {"input", "truth", "world.json"}
    names = {path.name.removesuffix(".parquet") for path in (world.folder / "input").iterdir()}
    assert names == set(TABLES)
    hidden = ("distilling", "population", "ring", "role", "group", "network", "replaces", "language")
    for name in TABLES:
        assert not set(hidden) & set(world.tables[name].columns), name


def test_the_manifest_says_what_was_made(world: MadeWorld) -> None:
    told = json.loads((world.folder / "world.json").read_text(encoding="utf-8"))
    counted = {name: len(frame) for name, frame in world.tables.items()}
    assert told["rows"] == world.rows == counted
    request = world.request
    assert (told["scenario"], told["scale"], told["seed"]) == (request.scenario, request.scale, request.seed)
    assert told["prevalence"] == request.prevalence
    assert told["version"] == ringfence.__version__
    assert told["generator_digest"] == generator_digest(SCENARIOS[request.scenario])
    assert told["seconds"] > 0
