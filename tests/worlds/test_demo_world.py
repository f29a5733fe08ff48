"""The demo world keeps to the canonical tables, gives nothing away, and plants what it says."""

from __future__ import annotations

import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ringfence.files import digest_files
from ringfence.schema import TABLES
from ringfence.worlds.demo import DemoTruth, make_demo

SEED = 11
LOOK_ALIKES = {"carrier_nat", "agency", "family", "university", "framework", "power_user", "business"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    root = tmp_path_factory.mktemp("world")
    started = time.perf_counter()
    truth = make_demo(root / "in", root / "truth", SEED)
    assert time.perf_counter() - started < 60, "15 s on an idle machine"
    return root, truth


@pytest.fixture(scope="module")
def tables(world: tuple[Path, DemoTruth]) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in sorted((world[0] / "in").glob("*.parquet"))}


@pytest.fixture(scope="module")
def known(tables: dict[str, pd.DataFrame], world: tuple[Path, DemoTruth]) -> pd.DataFrame:
    return tables["accounts"].merge(world[1].accounts, on="account_id", validate="1:1")


def test_size(tables: dict[str, pd.DataFrame], world: tuple[Path, DemoTruth]) -> None:
    assert 4500 < len(tables["accounts"]) < 5500
    assert 105_000 < len(tables["requests"]) < 135_000
    assert {name: len(frame) for name, frame in tables.items()} == world[1].rows


def test_tables_are_canonical(world: tuple[Path, DemoTruth], tables: dict[str, pd.DataFrame]) -> None:
    for name, frame in tables.items():
        schema = TABLES[name]
        assert set(frame.columns) <= {c.name for c in schema.columns}, name
        assert frame[list(schema.required)].notna().all(axis=None), name
        if schema.key:
            assert frame[schema.key].is_unique, name
        for column in schema.columns:
            if column.values and column.name in frame:
                assert set(frame[column.name].dropna()) <= set(column.values), (name, column.name)
    assert pq.read_schema(world[0] / "in" / "requests.parquet").field("ts").type.tz == "UTC"


def test_same_seed_same_bytes(world: tuple[Path, DemoTruth], tmp_path: Path) -> None:
    make_demo(tmp_path / "in", tmp_path / "truth", SEED)
    for folder in ("in", "truth"):
        again, before = tmp_path / folder, world[0] / folder
        assert digest_files(list(again.iterdir()), again) == digest_files(list(before.iterdir()), before)


def test_other_seed_other_ids(world: tuple[Path, DemoTruth], tmp_path: Path) -> None:
    other = make_demo(tmp_path / "in", tmp_path / "truth", SEED + 1)
    assert not set(other.accounts["account_id"]) & set(world[1].accounts["account_id"])


def test_truth_stands_apart(world: tuple[Path, DemoTruth]) -> None:
    assert not list((world[0] / "in").rglob("truth*"))
    pd.testing.assert_frame_equal(pd.read_parquet(world[0] / "truth" / "accounts.parquet"), world[1].accounts)


def test_two_rings_and_many_groups_of_look_alikes(known: pd.DataFrame) -> None:
    assert known["ring"].value_counts().to_dict() == {"A": 70, "B": 45}
    assert set(known.loc[known["ring"].notna(), "role"]) == {"core", "member"}
    assert known.loc[known["ring"].isna(), "role"].isna().all()
    assert set(known["population"]) >= LOOK_ALIKES | {"background", "proxy_victim"}


def test_nobody_sends_before_the_account_exists(tables: dict[str, pd.DataFrame]) -> None:
    created = tables["accounts"].set_index("account_id")["created_at"]
    for name in ("requests", "logins", "payments", "account_events"):
        frame = tables[name]
        assert (frame["ts"] >= frame["account_id"].map(created)).all(), name


def test_models_are_used_only_after_their_release(tables: dict[str, pd.DataFrame]) -> None:
    released = tables["models"].set_index("model")["released_at"]
    sent = tables["requests"]
    assert (sent["ts"] > sent["model"].map(released)).all()
    assert set(sent["model"]) == set(released.index)


def test_banned_accounts_fall_silent(tables: dict[str, pd.DataFrame]) -> None:
    events = tables["account_events"]
    back = set(events.loc[events["event"] == "reinstated", "account_id"])
    banned = events[(events["event"] == "banned") & ~events["account_id"].isin(back)].set_index("account_id")[
        "ts"
    ]
    last = tables["requests"].groupby("account_id")["ts"].max()
    both = last.index.intersection(banned.index)
    assert len(both) > 10
    assert (last[both] <= banned[both]).all()


def test_bans_fall_on_both_sides_and_ring_a_replaces_its_own(known: pd.DataFrame) -> None:
    banned = known[known["status"] == "banned"]
    assert (banned["ring"] == "A").sum() == 18
    assert banned["ring"].isna().sum() >= 10


def test_labels_cover_a_third_of_each_ring_and_every_population(
    tables: dict[str, pd.DataFrame], known: pd.DataFrame
) -> None:
    labelled = known.merge(tables["labels"], on="account_id")
    assert ((labelled["label"] == "ring") == labelled["ring"].notna()).all()
    assert labelled["ring"].value_counts().to_dict() == {"A": 23, "B": 15}
    benign = labelled[labelled["label"] == "benign"]
    assert 550 < len(benign) < 680
    assert set(benign["population"]) == set(known.loc[known["ring"].isna(), "population"])


@pytest.mark.parametrize("column", ["plan", "email_domain", "country"])
def test_a_ring_lies_in_no_corner(known: pd.DataFrame, column: str) -> None:
    shares = known.groupby(known["ring"].notna())[column].value_counts(normalize=True).unstack(fill_value=0)
    assert (shares.loc[True] - shares.loc[False]).abs().max() < 0.2
    assert (shares.loc[True] > 0).mean() > 0.7


def test_ids_do_not_tell(known: pd.DataFrame) -> None:
    order = known["created_at"].rank()
    assert abs(order.corr(pd.Series(known.index, dtype=float))) < 0.05
    assert abs(known.loc[known["ring"].notna()].index.to_numpy().mean() / len(known) - 0.5) < 0.1


def test_tokens_do_not_tell(tables: dict[str, pd.DataFrame], known: pd.DataFrame) -> None:
    sent = tables["requests"].merge(known[["account_id", "ring"]], on="account_id")
    ring = sent["ring"].notna()
    for column in ("output_tokens", "reasoning_tokens"):
        assert sent.loc[ring, column].median() == pytest.approx(sent.loc[~ring, column].median(), rel=0.1)


def test_address_ranges_serve_rings_and_innocents(
    tables: dict[str, pd.DataFrame], known: pd.DataFrame
) -> None:
    used = tables["requests"][["account_id", "ip"]].drop_duplicates().merge(known, on="account_id")
    networks = [(ip_network(cidr), kind) for cidr, kind in tables["ip_ranges"][["cidr", "kind"]].to_numpy()]
    one_each = used["ip"].drop_duplicates()
    kinds = {ip: next(k for n, k in networks if ip_address(ip) in n) for ip in one_each}
    used["kind"] = used["ip"].map(kinds)
    by_kind = used.groupby("kind")["ring"]
    for kind in ("isp", "hosting", "mobile", "vpn"):
        assert by_kind.get_group(kind).isna().any(), kind
        assert by_kind.get_group(kind).notna().any(), kind
    assert tables["ip_ranges"].groupby("kind")["cidr"].count().min() >= 2


def test_innocents_share_what_rings_share(tables: dict[str, pd.DataFrame], known: pd.DataFrame) -> None:
    paid = tables["payments"][["account_id", "instrument_id"]].drop_duplicates().merge(known, on="account_id")
    sharers = paid.groupby("instrument_id").agg(accounts=("account_id", "size"), ring=("ring", "first"))
    innocent = sharers[sharers["ring"].isna() & (sharers["accounts"] >= 3)]
    assert len(innocent) > 12
    assert innocent["accounts"].max() > sharers.loc[sharers["ring"].notna(), "accounts"].max()
    used = tables["requests"][["account_id", "ip"]].drop_duplicates().merge(known, on="account_id")
    assert used.loc[used["population"] == "carrier_nat", "ip"].value_counts().iloc[0] > 60


def test_cards_of_ring_a_and_devices_of_ring_b(tables: dict[str, pd.DataFrame], known: pd.DataFrame) -> None:
    paid = tables["payments"].merge(known, on="account_id")
    cards = paid[paid["ring"] == "A"].groupby("instrument_id")["account_id"].nunique()
    assert cards.between(2, 8).all()
    assert cards.median() >= 4
    seen = tables["logins"].merge(known, on="account_id")
    devices = seen[seen["ring"] == "B"].groupby("device_id")["account_id"].nunique()
    assert (devices >= 3).sum() >= 7
    assert devices.max() <= 6


def test_personas_stay_within_their_ring(tables: dict[str, pd.DataFrame], known: pd.DataFrame) -> None:
    """Opening sentences recur all over; what follows them in a persona is found within one ring only."""
    sent = tables["requests"].merge(known[["account_id", "ring", "population"]], on="account_id")
    private = sent[sent["system_prompt"].notna()]
    tail = private["system_prompt"].str.replace(r"^.*?\.\s", "", regex=True)
    holders = private.groupby(tail)["ring"].agg(lambda rings: set(rings.fillna("none")))
    in_rings = holders[holders.map(lambda names: bool(names & {"A", "B"}))]
    widest = private.groupby(tail)["account_id"].nunique()
    assert (in_rings.map(len) == 1).all()
    for ring in ("A", "B"):
        assert widest[in_rings[in_rings == {ring}].index].max() > 40
    words = "reasoning|step by step|criteria|rubric"
    innocent = private[private["ring"].isna()]
    assert innocent["system_prompt"].str.contains(words).mean() > 0.1
    assert sent.loc[sent["ring"].notna(), "system_prompt"].isna().mean() > 0.05, "ordinary prompts as well"


def test_innocents_keep_hours_and_students_keep_deadlines(
    tables: dict[str, pd.DataFrame], known: pd.DataFrame
) -> None:
    sent = tables["requests"].merge(known, on="account_id")
    german = sent[(sent["country"] == "DE") & (sent["population"] == "background")]["ts"].dt.hour
    assert german.between(7, 20).mean() > 2 * german.isin([0, 1, 2, 3, 4]).mean()
    homework = sent[sent["prompt"].str.startswith("Assignment ")]
    assert set(homework["population"]) == {"university"}
    for _text, group in homework.groupby(homework["prompt"].str[:50]):
        assert group["account_id"].nunique() > 40
        assert group["ts"].max() - group["ts"].min() < pd.Timedelta(days=9)
