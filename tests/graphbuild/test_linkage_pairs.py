"""What a view says of a pair, against a recount; and what the crowd around a value leaves of it."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linkage_worlds import Pair, Row, Told, recount, seen_table

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.draws import drawn_from
from ringfence.graphbuild.linkage.neighbours import hub_neighbours
from ringfence.graphbuild.linkage.pairs import shared_by, shared_hubs, shared_values, summed, view_weights
from ringfence.graphbuild.linkage.rarity import Crowd, measure_crowd, rarity, uses
from ringfence.graphbuild.linkage.views import VIEWS, View

VIEW = {view.name: view for view in VIEWS}
CARD, ADDRESS, TEMPLATE, BIN = (VIEW[name] for name in ("instrument", "ip", "template", "bin"))
ACCOUNTS = [f"a{i}" for i in range(7)]
KINDS = ("isp", "mobile", "vpn", "education", "business")

Kinds = dict[str, str]


def _used(
    engine: Any, rows: list[Row], view: View, asked: LinkSettings, kinds: Kinds | None = None
) -> tuple[Any, Crowd]:
    seen = seen_table(rows)
    crowd = measure_crowd(engine, seen, view, asked)
    told = None
    if kinds:
        told = ibis.memtable(pa.table({"entity_id": list(kinds), "kind": list(kinds.values())}))
    rare = rarity(seen, view, crowd, asked, told)
    return uses(seen, _numbers(rows), rare), crowd


def _numbers(rows: list[Row]) -> Any:
    names = sorted({row[0] for row in rows})
    return ibis.memtable(pa.table({"account_id": names, "account": range(len(names))}))


def _count(rows: int) -> Any:
    return ibis.memtable(pa.table({"number": pa.array(range(rows), pa.int64())}))


def _every_pair(rows: list[Row]) -> Any:
    pairs = list(combinations(range(len({row[0] for row in rows})), 2))
    ends = (pa.array([pair[end] for pair in pairs], pa.int64()) for end in (0, 1))
    return ibis.memtable(pa.table(list(ends), names=["account_a", "account_b"]))


def _told(engine: Any, weights: Any, rows: list[Row]) -> dict[Pair, Told]:
    names = sorted({row[0] for row in rows})
    found = engine.to_pyarrow(weights).to_pylist()
    told = {
        (names[row["account_a"]], names[row["account_b"]]): Told(row["weight"], row["led"], row["followed"])
        for row in found
    }
    assert len(told) == len(found)
    return told


def _weights(
    engine: Any, rows: list[Row], view: View, asked: LinkSettings, kinds: Kinds | None = None
) -> dict[Pair, Told]:
    """Return what the view says of all pairs, hubs and all."""
    used, crowd = _used(engine, rows, view, asked, kinds)
    parts = summed(shared_values(used))
    if crowd.hubs:
        parts = summed(ibis.union(parts, shared_hubs(used, _every_pair(rows)).select(*parts.columns)))
    return _told(engine, view_weights(parts, view, asked), rows)


def _rows() -> st.SearchStrategy[list[Row]]:
    pairs = st.tuples(st.sampled_from(ACCOUNTS), st.integers(0, 11).map("v{}".format))
    times = st.none() | st.integers(0, 3)
    seen = st.dictionaries(pairs, times, min_size=1, max_size=40)
    return seen.map(lambda found: [(a, e, t) for (a, e), t in sorted(found.items())])


def _same(found: dict[Pair, Told], expected: dict[Pair, Told]) -> None:
    assert {pair for pair, told in expected.items() if told.weight > 1e-5} <= set(found) <= set(expected)
    for pair, told in found.items():
        assert told.weight == pytest.approx(expected[pair].weight, abs=2e-6)
        assert (told.led, told.followed) == (expected[pair].led, expected[pair].followed)


@settings(max_examples=6)
@given(
    _rows(),
    st.sampled_from([CARD, ADDRESS, TEMPLATE]),
    st.integers(1, 4),
    st.dictionaries(st.integers(0, 11).map("v{}".format), st.sampled_from(KINDS)),
)
def test_weights_equal_a_recount_of_every_pair(
    engine: Any, rows: list[Row], view: View, cap: int, kinds: Kinds
) -> None:
    """Hubs or not: a cap says which pairs are looked at, and not what they weigh."""
    asked = LinkSettings(degree_cap={view.name: cap})
    factors = {value: asked.kind_discount.get(kind, 1.0) for value, kind in kinds.items()}
    expected = recount(rows, asked.agreement[view.name], asked.scaled(view.name), factors)

    _same(_weights(engine, rows, view, asked, kinds), expected)

    # Asked for by pair, the same values come in one go.
    used, _ = _used(engine, rows, view, asked, kinds)
    again = view_weights(summed(shared_by(used, _every_pair(rows))), view, asked)
    _same(_told(engine, again, rows), expected)


@settings(max_examples=4)
@given(_rows(), st.floats(0.0, 1.0))
def test_a_share_of_the_accounts_makes_their_pairs_whole(engine: Any, rows: list[Row], share: float) -> None:
    """A pair is made in full where its first account is drawn, and else not at all."""
    used, _ = _used(engine, rows, CARD, LinkSettings())
    everything = engine.to_pyarrow(summed(shared_values(used))).to_pylist()
    drawn = engine.to_pyarrow(summed(shared_values(used, share))).to_pylist()
    numbers = _count(len(ACCOUNTS))
    mine = numbers.filter(drawn_from(numbers["number"], share))
    kept = set(engine.to_pyarrow(mine)["number"].to_pylist())
    assert sorted(map(str, drawn)) == sorted(str(row) for row in everything if row["account_a"] in kept)


def test_a_share_is_about_so_many_of_the_accounts(engine: Any) -> None:
    numbers = _count(20_000)
    for share in (0.0, 0.03, 0.4, 1.0):
        count = engine.to_pyarrow(numbers.filter(drawn_from(numbers["number"], share)).count()).as_py()
        assert count == pytest.approx(20_000 * share, abs=4 * math.sqrt(20_000 * share * (1 - share)))


@settings(max_examples=2)
@given(_rows())
def test_a_weak_view_pairs_nobody_and_adds_little(engine: Any, rows: list[Row]) -> None:
    asked = LinkSettings(weak_cap=0.7)
    used, crowd = _used(engine, rows, BIN, asked)
    assert (crowd.sightings, crowd.cap, crowd.hubs) == (len(rows), 0, True)
    assert engine.to_pyarrow(shared_values(used).count()).as_py() == 0
    expected = recount(rows, asked.agreement["bin"], most=0.7)
    _same(_weights(engine, rows, BIN, asked), {p: Told(t.weight, 0, 0) for p, t in expected.items()})


def test_what_all_accounts_share_says_nothing(engine: Any) -> None:
    rows: list[Row] = [(f"a{i}", "all", 0) for i in range(40)]
    for view in (CARD, TEMPLATE, BIN):
        assert _weights(engine, rows, view, LinkSettings(degree_cap={"instrument": 64, "template": 8})) == {}


def test_an_account_with_very_many_values_is_linked_to_nobody_by_chance(engine: Any) -> None:
    """An aggregator meets every address once."""
    rows: list[Row] = [("busy", f"v{i}", 0) for i in range(5_000)]
    rows += [(f"u{i}", f"v{i}", 0) for i in range(300)]
    rows += [(f"u{i}", f"own{i // 2}", 0) for i in range(300)]
    found = _weights(engine, rows, ADDRESS, LinkSettings())
    assert found
    assert not any("busy" in pair for pair in found)
    assert set(found) == {tuple(sorted((f"u{i}", f"u{i + 1}"))) for i in range(0, 300, 2)}


def test_values_apart_outweigh_one_of_many_that_is_shared(engine: Any) -> None:
    own = [(a, f"{a}{i}", 0) for a in "ab" for i in range(40)]
    crowd = [(f"u{i}", f"u{i}", 0) for i in range(2_000)]
    shared: list[Row] = [("a", "both", 0), ("b", "both", 0)]
    alone = _weights(engine, [*shared, *crowd], ADDRESS, LinkSettings())
    assert alone["a", "b"].weight > 3
    assert _weights(engine, [*own, *shared, *crowd], ADDRESS, LinkSettings()) == {}


@pytest.mark.parametrize(("most", "cap"), [(1000, 64), (7, 64), (6, 3), (1, 3), (0, 1)])
def test_a_cap_sinks_until_the_pairs_can_be_afforded(engine: Any, most: int, cap: int) -> None:
    # One address makes one pair, the other six.
    rows: list[Row] = [("a1", "x", 0), ("a2", "x", 0), *((f"a{i}", "z", 0) for i in range(1, 5))]
    crowd = measure_crowd(engine, seen_table(rows), ADDRESS, LinkSettings(most_pairs=most))
    assert (crowd.sightings, crowd.cap, crowd.hubs) == (6, cap, cap < 4)


def test_no_sightings_make_no_crowd(engine: Any) -> None:
    crowd = measure_crowd(engine, seen_table([]), CARD, LinkSettings())
    assert (crowd.sightings, crowd.cap, crowd.hubs) == (0, 64, False)


def _sharing_hubs(accounts: int, hubs: int) -> list[Row]:
    return [(f"a{i:04}", f"hub{h}", 0) for i in range(accounts) for h in range(hubs)]


def test_pairs_through_hubs_grow_with_the_accounts_and_not_with_their_square(engine: Any) -> None:
    asked = LinkSettings(degree_cap={"template": 4}, agreement={"template": 0.9})
    crowd: list[Row] = [(f"u{i}", f"u{i}", 0) for i in range(9_000)]
    counted = []
    for accounts in (100, 200):
        used, _ = _used(engine, [*_sharing_hubs(accounts, 3), *crowd], TEMPLATE, asked)
        pairs = engine.to_pyarrow(hub_neighbours(used, 3.0, asked)).to_pandas()
        assert (pairs["account_a"] < pairs["account_b"]).all()
        assert not pairs.duplicated().any()
        # Nobody is left out, and everybody has several.
        met = pd.concat([pairs["account_a"], pairs["account_b"]]).value_counts()
        assert len(met) == accounts
        assert met.min() >= asked.hub_neighbours
        counted.append(len(pairs))
    most = asked.hub_signatures * asked.hub_neighbours
    assert all(made <= most * n for made, n in zip(counted, (100, 200), strict=True))
    assert counted[1] < 2.5 * counted[0]


def test_who_shares_more_hubs_meets_more_often(engine: Any) -> None:
    """Two groups of 60 have four hubs each of their own; one framework is everybody's."""
    rows: list[Row] = [(f"{g}{i:02}", f"{g}-hub{h}", 0) for g in "ab" for i in range(60) for h in range(4)]
    rows += [(f"{g}{i:02}", "framework", 0) for g in "ab" for i in range(60)]
    rows += [(f"u{i}", "framework", 0) for i in range(400)] + [(f"u{i}", f"u{i}", 0) for i in range(9_000)]
    asked = LinkSettings(degree_cap={"template": 4}, agreement={"template": 0.9})
    used, _ = _used(engine, rows, TEMPLATE, asked)
    pairs = engine.to_pyarrow(hub_neighbours(used, 6.0, asked)).to_pandas()
    names = sorted({row[0] for row in rows})
    groups = pairs.map(lambda number: names[number][0])
    assert "u" not in set(groups.to_numpy().ravel())
    assert (groups["account_a"] == groups["account_b"]).mean() > 0.95


def test_a_kind_that_says_little_takes_its_share(engine: Any) -> None:
    discounts = {**LinkSettings().kind_discount, "isp": 1.0, "of no kind": 1.0}
    rows: list[Row] = [(f"{side}-{kind}", kind, 0) for kind in discounts for side in "ab"]
    found = _weights(engine, rows, ADDRESS, LinkSettings(), {kind: kind for kind in discounts})
    plain = math.log(0.2 * len(rows) / 2)
    weights = {a.removeprefix("a-"): told.weight for (a, _), told in found.items()}
    assert weights == pytest.approx({kind: plain * part for kind, part in discounts.items()}, abs=1e-6)
