"""Taken apart, a link is what it was: steps sum to its weight, values are recounted, evidence is left out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import ibis
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from canonical_frames import as_tables
from worlds_at_random import START, random_world

from ringfence.config import LinkSettings
from ringfence.files import Workspace
from ringfence.graphbuild.build import build_addresses, build_sightings, sightings_path
from ringfence.graphbuild.explain.adding import Adding
from ringfence.graphbuild.explain.paths import between, widest_path
from ringfence.graphbuild.explain.shared import VALUE_COLUMNS, Shared, Sightings, shared_of
from ringfence.graphbuild.explain.standing import StandingRule, standing
from ringfence.graphbuild.explain.waterfall import Waterfall, waterfall
from ringfence.graphbuild.linkage.build import LinkSources, link_accounts
from ringfence.graphbuild.linkage.indicators import HIT_COLUMNS
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

FAMILIES = [str(family) for family in LINK_FAMILIES]
PUBLIC = ["t1", "t2"]
GROUPS = ("led", "met")
ACCOUNTS = sorted([f"acc-{n:02}" for n in range(30)] + [f"{name}-{n}" for name in GROUPS for n in range(8)])
# Low enough that a small world has links, and that every cap cuts some of them.
SETTINGS = LinkSettings(
    least_weight=0.6, least_candidate=0.3, one_sided_cap=2.0, family_cap={"network": 1.5, "payment": 2.0}
)


@dataclass(frozen=True)
class Linked:
    sightings: Sightings
    links: pd.DataFrame
    shared: Shared
    everything: Shared
    """What all pairs share, linked or not."""


def made_world() -> dict[str, pd.DataFrame]:
    """Return a world in which two groups share a card, a device and wordings; in one all come at once."""
    world = random_world(7)
    rng = np.random.default_rng(3)
    paid, asked, begun = world["payments"], world["requests"], [world["accounts"]]
    kinds = pd.Series(rng.choice(["credit", "prepaid"], len(paid))).mask(rng.random(len(paid)) < 0.3)
    bins = "4" + paid["instrument_id"].str[4:].astype(int).mod(4).astype(str)
    cards, more = [paid.assign(bin=bins, instrument_type=kinds)], [asked]
    for name, group, apart in (("led", range(8), 60), ("met", range(8), 0)):
        who = [f"{name}-{n}" for n in group]
        times = START + pd.to_timedelta([n * apart for n in group], unit="s")
        paying = pd.DataFrame({"account_id": who, "ts": times, "instrument_id": f"card-{name}"})
        cards.append(paying.assign(payment_id=[f"{name}-{n}" for n in group]))
        for word in range(3):
            sent = {"account_id": who, "ts": times, "template_id": f"{name}-{word}", "device_id": f"d-{name}"}
            more.append(pd.DataFrame(sent).assign(request_id=[f"{name}-{word}-{n}" for n in group]))
        begun.append(pd.DataFrame({"account_id": who, "created_at": START - pd.Timedelta("1D")}))
    return {
        **world,
        "accounts": pd.concat(begun, ignore_index=True),
        "payments": pd.concat(cards, ignore_index=True),
        "requests": pd.concat(more, ignore_index=True),
    }


@pytest.fixture(scope="module")
def linked(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Linked:
    folder = tmp_path_factory.mktemp("explain")
    work, tables = Workspace(folder / "work"), as_tables(made_world())
    build_sightings(engine, tables, work)
    build_addresses(engine, tables, work)
    seen = {name: engine.read_parquet(str(sightings_path(work, name))) for name in ENTITY_TYPES}
    addresses = engine.read_parquet(str(work.links / "addresses.parquet"))
    hits = pd.DataFrame(columns=list(HIT_COLUMNS))
    sources = LinkSources(tables, seen.__getitem__, addresses, PUBLIC, len(ACCOUNTS), hits)
    link_accounts(engine, sources, folder / "links.parquet", folder / "steps", SETTINGS)
    links = pd.read_parquet(folder / "links.parquet")
    public = ibis.memtable(pd.DataFrame({"entity_id": PUBLIC}), schema={"entity_id": "string"})
    sightings = Sightings(engine, seen.__getitem__, addresses, tables("payments"), public, SETTINGS)
    pairs = pd.DataFrame(list(combinations(ACCOUNTS, 2)), columns=list(PAIR))
    everything = shared_of(sightings, pairs)
    theirs = Shared(
        *(rows.merge(links[list(PAIR)], on=list(PAIR)) for rows in (everything.values, everything.views))
    )
    return Linked(sightings, links, theirs, everything)


@pytest.fixture(scope="module")
def told(linked: Linked) -> list[tuple[dict[str, Any], Waterfall]]:
    rows = linked.links.to_dict("records")
    return [
        (row, waterfall((row["account_a"], row["account_b"]), linked.shared, row, SETTINGS)) for row in rows
    ]


def test_steps_sum_to_the_weight_of_every_link(told: list[tuple[dict[str, Any], Waterfall]]) -> None:
    assert len(told) > 50
    for row, found in told:
        assert round(sum(step.nats for step in found.steps), 6) == row["weight"] == found.weight
        for family in FAMILIES:
            steps = [step.nats for step in found.steps if step.family == family]
            assert round(sum(steps), 6) == row[family]


def test_every_kind_of_step_occurs_and_none_is_unexplained(
    told: list[tuple[dict[str, Any], Waterfall]],
) -> None:
    kinds = {step.what for _, found in told for step in found.steps}

    assert {"value", "apart", "scale", "family cap", "one-sided cap", "together"} <= kinds
    assert not kinds & {"rest", "indicators"}


def test_values_are_worth_what_a_recount_by_hand_says(engine: Any, linked: Linked) -> None:
    checked = 0
    for name in ("device", "template", "instrument"):
        rows = engine.to_pyarrow(linked.sightings.seen(name)).to_pandas()
        has = rows.groupby("account_id")["entity_id"].agg(set)
        degree = rows.groupby("entity_id").size()
        values = linked.shared.values[linked.shared.values["view"] == name]
        for value in values.to_dict("records"):
            a, b, entity = has[value["account_a"]], has[value["account_b"]], value["value"]
            odds = SETTINGS.agreement[name] * len(rows) / degree[entity]
            public = name == "template" and entity in PUBLIC
            factor = SETTINGS.kind_discount["public"] if public else 1.0
            by_hand = factor * (math.log(odds) - math.log(max(len(a), len(b))))
            assert entity in a & b
            assert value["accounts"] == degree[entity]
            assert value["nats"] == pytest.approx(max(by_hand, 0.0), abs=1e-8)
            checked += 1
    assert checked > 100


def test_with_nothing_left_out_links_weigh_what_they_did(linked: Linked) -> None:
    adding = Adding.of(linked.links, linked.shared, SETTINGS)

    assert np.array_equal(adding.weights(), linked.links[FAMILIES].to_numpy())
    assert adding.carried()["nats"].sum() + adding.signals.sum() == pytest.approx(
        linked.links["weight"].sum(), abs=1e-3
    )


def test_groups_of_links_are_told_apart_as_each_would_be_alone(linked: Linked) -> None:
    links = linked.links.reset_index(drop=True)
    group = np.arange(len(links)) % 3
    together = Adding.of(links, linked.shared, SETTINGS).carried(group)

    for number in range(3):
        pairs = links[group == number]
        kept = pd.MultiIndex.from_frame(pairs[list(PAIR)])
        values, views = (
            frame[pd.MultiIndex.from_frame(frame[list(PAIR)]).isin(kept)]
            for frame in (linked.shared.values, linked.shared.views)
        )
        alone = Adding.of(pairs, Shared(values, views), SETTINGS).carried()
        mine = together[together["group"] == number]
        told = ["view", "value", "accounts", "links", "nats"]
        assert len(alone)
        assert mine[told].to_dict("records") == alone[told].to_dict("records")


def test_without_a_value_only_links_that_share_it_weigh_less(linked: Linked) -> None:
    adding = Adding.of(linked.links, linked.shared, SETTINGS)
    card = adding.carried().set_index("value").loc["card-met"]
    before, after = adding.weights(), adding.weights(values=[int(card["number"])])

    ring = linked.links["account_a"].str.startswith("met") & linked.links["account_b"].str.startswith("met")
    less = after.sum(axis=1) < before.sum(axis=1)
    assert less[ring.to_numpy()].any()
    assert not less[~ring.to_numpy()].any()


def test_without_a_family_the_others_are_added_up_as_if_it_had_never_been(linked: Linked) -> None:
    adding = Adding.of(linked.links, linked.shared, SETTINGS)
    after = adding.weights(families=["payment"])
    views = linked.shared.views
    left = Shared(linked.shared.values, views[views["family"] != "payment"])

    assert not after[:, FAMILIES.index("payment")].any()
    rows = list(zip(linked.links.to_dict("records"), adding.weights(), after, strict=True))
    for row, was, now in rows[::5]:
        pair = (row["account_a"], row["account_b"])
        whole, by_hand = (waterfall(pair, one, None, SETTINGS) for one in (linked.shared, left))
        brought = by_hand.weight >= SETTINGS.least_candidate
        for place, family in enumerate(FAMILIES):
            signals = was[place] - whole.families[family]
            expected = by_hand.families[family] + signals if brought and family != "payment" else 0.0
            assert now[place] == pytest.approx(expected, abs=3e-6)


def test_pairs_that_are_not_linked_are_told_what_they_share(linked: Linked) -> None:
    known = set(zip(linked.links["account_a"], linked.links["account_b"], strict=True))
    apart = [pair for pair in combinations(ACCOUNTS, 2) if pair not in known]
    shared = linked.everything

    found = [waterfall(pair, shared, None, SETTINGS) for pair in apart[::7]]
    assert all(one.weight < SETTINGS.least_weight for one in found)
    assert all(round(sum(step.nats for step in one.steps), 6) == one.weight for one in found)
    assert all(one.significant is None for one in found)
    # Nobody was ever seen with the last accounts.
    assert not waterfall(("acc-28", "acc-29"), shared, None, SETTINGS).steps


@pytest.mark.parametrize("seed", range(20))
def test_the_widest_path_is_that_of_a_maximum_spanning_tree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = nx.gnm_random_graph(25, 40, seed=seed)
    pairs = np.array(graph.edges, np.int64)
    weights = rng.integers(1, 6, len(pairs)).astype(np.float64)
    for (a, b), weight in zip(pairs.tolist(), weights, strict=True):
        graph[a][b]["weight"] = weight
    tree = nx.maximum_spanning_tree(graph)

    path = widest_path(pairs, weights, 0, 24)
    if not nx.has_path(graph, 0, 24):
        assert path is None
        return
    assert path is not None
    assert path[0] == 0
    assert path[-1] == 24
    best = min(tree[a][b]["weight"] for a, b in nx.utils.pairwise(nx.shortest_path(tree, 0, 24)))
    assert min(graph[a][b]["weight"] for a, b in nx.utils.pairwise(path)) == best
    wide = nx.Graph([(a, b) for a, b, w in graph.edges.data("weight") if w >= best])
    assert len(path) == len(nx.shortest_path(wide, 0, 24))


def test_a_third_account_joins_two_by_what_fewest_have(engine: Any) -> None:
    rows = [
        ("a", "d1"),
        ("c", "d1"),
        ("c", "d2"),
        ("b", "d2"),
        ("a", "d3"),
        ("e", "d3"),
        ("f", "d3"),
        ("b", "d3x"),
    ]
    rows += [("e", "d4"), ("b", "d4")]
    devices = pd.DataFrame(rows, columns=["account_id", "entity_id"])
    names = {"account_id": "string", "entity_id": "string"}
    nothing = ibis.memtable(devices.head(0), schema=names)
    seen = dict.fromkeys(ENTITY_TYPES, nothing) | {"device": ibis.memtable(devices, schema=names)}
    sightings = Sightings(engine, seen.__getitem__, None, None, None, LinkSettings())

    found = between(sightings, "a", "b").to_dict("records")
    assert [(row["account_id"], row["value_a"], row["value_b"]) for row in found] == [("c", "d1", "d2")]
    assert between(sightings, "a", "z").empty


def planted(groups: list[list[str]], bridge: tuple[str, str] | None) -> tuple[pd.DataFrame, Shared]:
    """Return links of groups that share a card and a device, 5 nats by either, and of one further pair."""
    values, views, links = [], [], []
    pairs = [(a, b, str(n)) for n, group in enumerate(groups) for a in group for b in group if a < b]
    pairs += [(*bridge, "bridge")] if bridge else []
    for a, b, name in sorted(pairs):
        for view, family in (("instrument", "payment"), ("device", "device")):
            values.append((a, b, view, f"{view}-{name}", 9, None, 5.0, 1, 1))
            views.append((a, b, view, family, False, 5.0, 5.0, 1, 1, 1, 1))
        links.append({"account_a": a, "account_b": b, "weight": 10.0, **dict.fromkeys(FAMILIES, 0.0)})
        links[-1] |= {"payment": 5.0, "device": 5.0}
    shared = Shared(
        pd.DataFrame(values, columns=list(VALUE_COLUMNS)),
        pd.DataFrame(
            views,
            columns=[
                *PAIR,
                "view",
                "family",
                "weak",
                "weight",
                "agreed",
                "shared",
                "fewer",
                "led",
                "followed",
            ],
        ),
    )
    return pd.DataFrame(links), shared


RULE = StandingRule(2, 0.5, least_family_weight=2.0, least_weight=6.0)


def test_a_ring_of_two_families_falls_without_either() -> None:
    members = [f"m{n}" for n in range(6)]
    links, shared = planted([members], None)

    found = standing(members, links, Adding.of(links, shared, LinkSettings()), RULE)
    assert found.stands
    assert found.weight == 150.0
    assert found.families["payment"] == found.families["device"] == 75.0
    assert found.needed_families == (("payment",), ("device",))
    assert found.needed_values is not None
    assert len(found.needed_values) == 1
    assert not found.bridges
    assert not found.articulation


def test_bridges_are_told_and_each_needed_value_is_needed() -> None:
    groups = [["a1", "a2", "a3"], ["b1", "b2", "b3"]]
    members = [account for group in groups for account in group]
    links, shared = planted(groups, ("a1", "b1"))
    adding = Adding.of(links, shared, LinkSettings())

    found = standing(members, links, adding, StandingRule(2, 0.5, 2.0, 6.0, least_share=0.9))
    assert found.bridges == (("a1", "b1"),)
    assert found.articulation == ("a1", "b1")
    assert found.needed_values is not None
    assert len(found.needed_values) == 1
    # Half of them is a triangle: both must be broken, or the bridge and one more.
    half = standing(members, links, adding, RULE)
    assert half.needed_values is not None
    assert len(half.needed_values) == 2


def test_what_does_not_stand_is_said_not_to() -> None:
    members = [f"m{n}" for n in range(8)]
    links, shared = planted([members[:3]], None)

    found = standing(members, links, Adding.of(links, shared, LinkSettings()), RULE)
    assert not found.stands
    assert found.needed_families == ()
    assert found.needed_values == ()
