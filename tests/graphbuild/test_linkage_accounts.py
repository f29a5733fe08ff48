"""Accounts linked from sightings to ``links.parquet``: the whole of it, on worlds small enough to recount."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from canonical_frames import as_tables
from linkage_worlds import Pair, Row, Told, address_table, link, recount
from worlds_at_random import random_world

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.build import Linked
from ringfence.graphbuild.linkage.links import LINK_COLUMNS
from ringfence.graphbuild.linkage.timing import slots, timing_evidence
from ringfence.graphbuild.linkage.views import VIEWS
from ringfence.graphbuild.networks import AddressRange, describe_addresses
from ringfence.graphbuild.sightings import sightings
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

FAMILIES = [str(family) for family in LINK_FAMILIES]
SHARED = ["network", "payment", "device", "content"]
ASKED = LinkSettings(
    # Low, so that some addresses and templates are hubs, and everything that is weighed is a link.
    degree_cap={"ip": 9, "instrument": 64, "device": 64, "template": 9},
    least_candidate=0.5,
    least_weight=0.5,
    agreement={
        "ip": 0.6,
        "instrument": 0.9,
        "device": 0.8,
        "template": 0.7,
        "subnet": 0.5,
        "asn": 0.6,
        "bin": 0.8,
    },
    one_sided_cap=2.5,
    weak_cap=0.4,
    hub_signatures=1,
)
PUBLIC = ("t3", "t4")
World = dict[str, pd.DataFrame]


def _world() -> World:
    world = random_world(8, accounts=120)
    rng = np.random.default_rng(8)
    payments = world["payments"]
    payments["bin"] = rng.choice(["400000", "510000", "370000"], len(payments))
    payments["instrument_type"] = rng.choice(["credit", "prepaid"], len(payments), p=[0.8, 0.2])
    for name in ("requests", "logins"):
        last = world[name]["ip"].str.extract(r"(\d+)$")[0]
        world[name]["ip"] = "192.0." + (last.astype("Int64") % 9).astype("str") + "." + last
    # Everybody was seen at one address.
    names = world["accounts"]["account_id"]
    crowd = pd.DataFrame({"account_id": names, "ts": world["requests"]["ts"].iloc[0], "ip": "198.51.100.7"})
    world["logins"] = pd.concat([world["logins"], crowd], ignore_index=True)
    return world


def _addresses(world: World) -> pa.Table:
    found = sorted(set(pd.concat([world[t]["ip"] for t in ("requests", "logins")]).dropna()))
    kinds = ["vpn", "isp", None]
    ranges = [AddressRange(f"192.0.{i}.0/24", 64500 + i // 2, None, kinds[i % 3]) for i in range(8)]
    return describe_addresses(pa.array(found), ranges)


def _linked(engine: Any, folder: Path, world: World) -> tuple[pd.DataFrame, Linked]:
    tables = as_tables(world)

    @cache
    def seen(name: str) -> Any:
        path = folder / f"{name}.parquet"
        engine.to_parquet(sightings(tables, ENTITY_TYPES[name]), path)
        return engine.read_parquet(path)

    addresses = address_table(_addresses(world).to_pylist())
    return link(engine, folder, ASKED, seen, tables, addresses, PUBLIC)


@pytest.fixture(scope="module")
def found(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Linked]:
    return _linked(engine, tmp_path_factory.mktemp("linked"), _world())


def _sights(world: World, name: str) -> list[Row]:
    """Count sightings of a view without an engine."""
    if name == "bin":
        paid = world["payments"]
        rows = paid[paid["instrument_type"] != "prepaid"].rename(columns={"bin": "value"})
    else:
        sources = ENTITY_TYPES["ip" if name in ("subnet", "asn") else name].sources
        rows = pd.concat(
            [
                world[t][["account_id", "ts", column]].set_axis(["account_id", "ts", "value"], axis=1)
                for t, column in sources
            ]
        )
    if name in ("subnet", "asn"):
        told = _addresses(world).to_pandas().set_index("address")[name]
        rows = rows.assign(value=rows["value"].map(told))
    first = rows.dropna(subset="value").groupby(["account_id", "value"])["ts"].min()
    return [
        (account, value, None if pd.isna(ts) else int(ts.timestamp()))
        for (account, value), ts in first.items()
    ]


def _factors(world: World, name: str) -> dict[str, float]:
    discount = ASKED.kind_discount
    if name == "template":
        return dict.fromkeys(PUBLIC, discount["public"])
    if name not in ("ip", "subnet", "asn"):
        return {}
    addresses = _addresses(world).to_pandas().rename(columns={"address": "ip"})
    kinds = addresses.dropna(subset="kind").groupby(name)["kind"].max()
    return {value: discount.get(kind, 1.0) for value, kind in kinds.items()}


def _recount(world: World) -> dict[str, dict[Pair, Told]]:
    return {
        view.name: recount(
            _sights(world, view.name),
            ASKED.agreement[view.name],
            ASKED.scaled(view.name),
            _factors(world, view.name),
            ASKED.weak_cap if view.weak else math.inf,
        )
        for view in VIEWS
    }


def _of_family(views: dict[str, dict[Pair, Told]], pair: Pair, family: str) -> float:
    nats = [views[v.name][pair].weight for v in VIEWS if v.family == family and pair in views[v.name]]
    return min(max(nats, default=0.0), ASKED.cap(family))


def test_links_equal_a_recount_of_every_pair(found: tuple[pd.DataFrame, Linked]) -> None:
    rows = found[0]
    world = _world()
    views = _recount(world)
    assert tuple(rows.columns) == LINK_COLUMNS
    assert (rows["account_a"] < rows["account_b"]).all()
    assert rows[["account_a", "account_b"]].apply(tuple, axis=1).is_monotonic_increasing
    assert np.allclose(rows["weight"], rows[FAMILIES].sum(axis=1), atol=1e-6)
    telling = [view.name for view in VIEWS if not view.weak]
    linked = {(row["account_a"], row["account_b"]): row for row in rows.to_dict("records")}
    assert len(linked) > 100
    one_sided = 0
    for pair, row in linked.items():
        families = {family: _of_family(views, pair, family) for family in SHARED}
        led, followed = (
            sum(getattr(views[name][pair], side) for name in telling if pair in views[name])
            for side in ("led", "followed")
        )
        total = sum(families.values())
        capped = 0 in (led, followed) and total > ASKED.one_sided_cap
        part = ASKED.one_sided_cap / total if capped else 1.0
        one_sided += capped
        told = {family: row[family] for family in SHARED}
        assert told == pytest.approx({f: weight * part for f, weight in families.items()}, abs=3e-6)
        assert (row["led"], row["followed"]) == (led, followed)
    assert 10 < one_sided < len(linked)


def test_pairs_that_rare_values_bring_are_all_there(found: tuple[pd.DataFrame, Linked]) -> None:
    """Which others come through hubs is a draw; what two accounts share of rare values is none."""
    world = _world()
    linked = set(zip(found[0]["account_a"], found[0]["account_b"], strict=True))
    nats: dict[Pair, float] = {}
    for name in ENTITY_TYPES:
        rows = _sights(world, name)
        whole = recount(rows, ASKED.agreement[name], ASKED.scaled(name), _factors(world, name))
        degree = pd.Series([value for _, value, _ in rows]).value_counts()
        sharers: dict[Pair, bool] = {}
        for value in degree[degree <= found[1].caps[name]].index:
            has = sorted(account for account, v, _ in rows if v == value)
            sharers |= {(a, b): True for i, a in enumerate(has) for b in has[i + 1 :]}
        # At least what is shared below the cap; hubs only add to it.
        hubs = {
            account: sum(degree[v] > found[1].caps[name] for a, v, _ in rows if a == account)
            for account, *_ in rows
        }
        for pair, told in whole.items():
            if pair in sharers and not (hubs[pair[0]] and hubs[pair[1]]):
                nats[pair] = nats.get(pair, 0.0) + told.weight
    certain = {pair for pair, weight in nats.items() if weight >= ASKED.least_candidate + 1e-5}
    assert len(certain) > 20
    assert certain <= linked


def test_timing_is_told_of_numbers_as_of_names(engine: Any, found: tuple[pd.DataFrame, Linked]) -> None:
    """Accounts go by number between the steps."""
    ends = ["account_a", "account_b"]
    rows = found[0].set_index(ends)
    pairs = ibis.memtable(pa.Table.from_pandas(found[0][ends], preserve_index=False))
    told = engine.to_pyarrow(timing_evidence(pairs, slots(as_tables(_world())("requests")))).to_pandas()
    told = told[told["weight"] > 0].groupby(ends)["weight"].sum()
    expected = told.clip(upper=ASKED.cap("timing") + ASKED.signal_cap).reindex(rows.index).fillna(0.0)
    assert (expected > 0).any()
    assert rows["timing"].to_numpy() == pytest.approx(expected.to_numpy(), abs=2e-6)


def _only(*families: str, **asked: Any) -> LinkSettings:
    return LinkSettings(without=tuple(f for f in FAMILIES if f not in families), **asked)


def test_a_ring_of_six_hundred_that_shares_hubs_alone_is_linked_without_a_clique(
    engine: Any, tmp_path: Path
) -> None:
    """All of it in one piece; of those who have one framework in common, nobody."""
    ring = [f"r{i:03}" for i in range(600)]
    rows: list[Row] = [(account, f"hub{h}", i) for i, account in enumerate(ring) for h in range(3)]
    users = [f"u{i:04}" for i in range(1_500)]
    rows += [(account, "framework", 0) for account in [*ring, *users]]
    rows += [(account, f"own-{account}-{i}", 0) for account in users for i in range(20)]
    asked = _only(
        "content", degree_cap={"template": 50}, agreement={"template": 0.9}, scale={}, hub_signatures=4
    )

    found, linked = link(engine, tmp_path, asked, {"template": rows})

    assert linked.caps == {"template": 50}
    graph = nx.Graph(zip(found["account_a"], found["account_b"], strict=True))
    assert set(graph) == set(ring)
    assert nx.is_connected(graph)
    assert len(found) <= asked.hub_signatures * asked.hub_neighbours * len(ring)
    assert len(found) < len(ring) * (len(ring) - 1) / 2 / 15
    left_out = [family for family in FAMILIES if family != "content"]
    assert (found[left_out] == 0).all(axis=None)
    assert found["significant"].all()


def _followed_around() -> dict[str, list[Row]]:
    """Return a world in which eight accounts turn up wherever twenty others were seen first."""
    rows: dict[str, list[Row]] = {"ip": [], "device": [], "template": []}
    for name, seen in rows.items():
        seen += [(f"u{i:04}", f"{name}{i}", i) for i in range(9_000)]
        # Households, so that some innocent accounts share things, too.
        seen += [(f"u{i:04}", f"{name}{i + 1}", 9_000) for i in range(100, 400, 2)]
        for victim in range(20):
            own = [f"{name}{victim}", *(f"{name}-of-{victim}-{i}" for i in range(3))]
            seen += [(f"u{victim:04}", value, 100 + i) for i, value in enumerate(own[1:])]
            seen += [(f"x{attacker}", value, 50_000) for attacker in range(8) for value in own]
    return rows


def test_who_is_followed_around_is_drawn_into_nothing(engine: Any, tmp_path: Path) -> None:
    asked = _only("network", "device", "content")
    found, _ = link(engine, tmp_path, asked, _followed_around())

    attacker, victim = found["account_b"].str.startswith("x"), found["account_a"].str.startswith("u")
    drawn = found[attacker & victim]
    assert len(drawn) == 160
    assert (drawn["followed"] == 0).all()
    assert (drawn["led"] > 0).all()
    # Three families agree, and yet no more than what one side alone may add.
    assert (drawn[["network", "device", "content"]] > 1).all(axis=None)
    assert np.allclose(drawn["weight"], asked.one_sided_cap, atol=1e-5)
    print(
        _,
        found.groupby([victim, attacker]).agg(
            n=("weight", "size"), w=("weight", "min"), m=("weight", "max"), s=("significant", "mean")
        ),
    )
    among = found[~victim]
    assert len(among) == 28
    assert (among["weight"] > 2 * asked.one_sided_cap).all()
    assert among["significant"].all()


def test_times_that_tell_nothing_make_no_side_the_first(engine: Any, tmp_path: Path) -> None:
    rows: list[Row] = [(f"u{i:04}", f"v{i}", None) for i in range(3_000)]
    for ring, when in (("n", None), ("s", 7)):
        rows += [(f"{ring}{i}", f"{ring}{value}", when) for i in range(5) for value in range(3)]
    found, _ = link(engine, tmp_path, _only("device"), {"device": rows})
    assert len(found) == 20
    assert (found[["led", "followed"]] == 3).all(axis=None)
    assert found["weight"].tolist() == [12.0] * 20


def test_the_order_of_rows_does_not_matter(engine: Any, tmp_path: Path) -> None:
    """Neither for pairs of rare values nor for those through hubs."""
    rng = np.random.default_rng(9)
    who, what = rng.integers(0, 300, 900), rng.geometric(0.02, 900)
    rows: list[Row] = [(f"u{a}", f"d{d}", int(a)) for a, d in sorted({*zip(who, what, strict=True)})]
    asked = _only("device", degree_cap={"device": 8}, least_candidate=1.5, least_weight=1.5, hub_signatures=2)
    made = []
    for number, order in enumerate((rows, [rows[i] for i in rng.permutation(len(rows))])):
        folder = tmp_path / str(number)
        folder.mkdir()
        made.append(link(engine, folder, asked, {"device": order}))
    assert len(made[0][0]) > 20
    assert made[0][1] == made[1][1]
    pd.testing.assert_frame_equal(made[0][0], made[1][0])


def test_one_account_and_nothing_else(engine: Any, tmp_path: Path) -> None:
    alone = as_tables({"accounts": pd.DataFrame({"account_id": ["a"]})})
    found, linked = link(engine, tmp_path, LinkSettings(), {}, alone)
    assert tuple(found.columns) == LINK_COLUMNS
    assert found.empty
    assert (linked.links, linked.significant_from) == (0, None)
