"""Link weights against a plain recount of every pair, and what a link must never depend on."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.config import LinkSettings
from ringfence.graphbuild.links import LINK_COLUMNS, affordable_cap, entity_weights, links, type_pairs
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

Sights = dict[str, set[tuple[str, str]]]
"""Entity type → (account, entity) pairs."""

SMALL = LinkSettings(
    degree_cap={"ip": 4, "instrument": 5, "device": 3, "template": 6}, family_cap=9.0, least_weight=2.0
)
KINDS = ("isp", "mobile", "vpn", "business", None)
ACCOUNTS = [f"a{i}" for i in range(8)]


def _table(pairs: set[tuple[str, str]]) -> Any:
    frame = pd.DataFrame(sorted(pairs), columns=["account_id", "entity_id"], dtype="str")
    return ibis.memtable(frame, schema={"account_id": "string", "entity_id": "string"})


def _linked(
    engine: Any, sights: Sights, accounts: int, asked: LinkSettings, kinds: dict[str, str | None]
) -> pd.DataFrame:
    ranges = ibis.memtable(
        pd.DataFrame({"entity_id": list(kinds), "kind": list(kinds.values())}),
        schema={"entity_id": "string", "kind": "string"},
    )
    pairs = []
    for name, entity in ENTITY_TYPES.items():
        seen = _table(sights.get(name, set()))
        weights = entity_weights(
            seen, entity, accounts, asked, asked.degree_cap[name], ranges if name == "ip" else None
        )
        pairs.append(type_pairs(seen, weights, entity, asked))
    return engine.to_pyarrow(links(ibis.union(*pairs), asked)).to_pandas()


def _gain(name: str, entity: str, degree: int, accounts: int, asked: LinkSettings, kind: str | None) -> float:
    """What sharing one entity adds; 0 where it links nobody."""
    if degree > asked.degree_cap[name]:
        return 0.0
    discount = asked.kind_discount.get(kind or "", 1.0) if name == "ip" else 1.0
    return max(math.log(asked.agreement[name] * accounts / degree) * discount, 0.0)


def _recount(
    sights: Sights, accounts: int, asked: LinkSettings, kinds: dict[str, str | None]
) -> dict[tuple[str, str], dict[str, float]]:
    """Weigh every pair of accounts, one by one."""
    found = {}
    for a, b in combinations(sorted({a for pairs in sights.values() for a, _ in pairs}), 2):
        families = dict.fromkeys(map(str, LINK_FAMILIES), 0.0)
        for name, pairs in sights.items():
            has = {x: {e for account, e in pairs if account == x} for x in (a, b)}
            degree = {e: sum(other == e for _, other in pairs) for e in has[a] & has[b]}
            gains = [_gain(name, e, d, accounts, asked, kinds.get(e)) for e, d in degree.items()]
            gains = [gain for gain in gains if gain > 0]
            apart = min(len(has[a]), len(has[b])) - len(gains)
            weight = sum(gains) + apart * math.log(1 - asked.agreement[name])
            if gains and weight > 0:
                family = str(ENTITY_TYPES[name].family)
                families[family] = min(families[family] + weight, asked.family_cap)
        if sum(families.values()) >= asked.least_weight:
            found[a, b] = families
    return found


def _entities(name: str) -> st.SearchStrategy[str]:
    return st.integers(0, 7).map(lambda number: f"{name}{number}")


def _sights() -> st.SearchStrategy[Sights]:
    return st.fixed_dictionaries(
        {
            name: st.sets(st.tuples(st.sampled_from(ACCOUNTS), _entities(name)), max_size=30)
            for name in ENTITY_TYPES
        }
    )


@settings(max_examples=30)
@given(
    _sights(),
    st.integers(8, 10_000),
    st.dictionaries(_entities("ip"), st.sampled_from(KINDS)),
)
def test_weights_equal_a_recount_of_all_pairs(
    engine: Any, sights: Sights, accounts: int, kinds: dict[str, str | None]
) -> None:
    # A pair within a rounding of the border may fall on either side.
    loose = LinkSettings(
        degree_cap=SMALL.degree_cap, family_cap=SMALL.family_cap, least_weight=SMALL.least_weight - 1e-5
    )
    expected = _recount(sights, accounts, loose, kinds)

    found = _linked(engine, sights, accounts, SMALL, kinds)

    assert list(found.columns) == list(LINK_COLUMNS)
    assert (found["account_a"] < found["account_b"]).all()
    families = found[[str(f) for f in LINK_FAMILIES]]
    assert np.allclose(found["weight"], families.sum(axis=1), atol=1e-6)
    assert (families <= SMALL.family_cap).all(axis=None)
    rows = {(row["account_a"], row["account_b"]): row for row in found.to_dict("records")}
    assert len(rows) == len(found)
    certain = {pair for pair, w in expected.items() if sum(w.values()) >= SMALL.least_weight + 1e-5}
    assert certain <= set(rows) <= set(expected)
    for pair, row in rows.items():
        for family, weight in expected[pair].items():
            assert row[family] == pytest.approx(weight, abs=2e-6)


@settings(max_examples=8)
@given(_sights())
def test_accounts_by_other_names_have_the_same_links(engine: Any, sights: Sights) -> None:
    """Which of two accounts comes first in the alphabet is no evidence."""
    turned = dict(zip(ACCOUNTS, reversed(ACCOUNTS), strict=True))
    mirror = {name: {(turned[a], e) for a, e in pairs} for name, pairs in sights.items()}
    one, two = (_linked(engine, s, 500, SMALL, {}) for s in (sights, mirror))
    weights = {frozenset(row[:2]): row[2] for row in one.itertuples(index=False)}
    turned_weights = {frozenset((turned[r[0]], turned[r[1]])): r[2] for r in two.itertuples(index=False)}
    assert turned_weights == pytest.approx(weights, abs=2e-6)


def _sharing(name: str, degree: int) -> Sights:
    return {name: {(f"a{i:03}", "shared") for i in range(degree)}}


@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
def test_an_entity_at_the_cap_links_and_one_above_does_not(engine: Any, name: str) -> None:
    asked = LinkSettings(least_weight=0.1)
    cap = asked.degree_cap[name]
    at, above = (_linked(engine, _sharing(name, d), 100_000, asked, {}) for d in (cap, cap + 1))
    assert len(at) == cap * (cap - 1) // 2
    assert above.empty


@pytest.mark.parametrize(("most", "cap"), [(1000, 64), (7, 64), (6, 3), (1, 3), (0, 1)])
def test_a_cap_sinks_until_the_pairs_can_be_afforded(engine: Any, most: int, cap: int) -> None:
    # One address makes one pair, the other six.
    seen = _table({("a1", "x"), ("a2", "x"), ("a1", "z"), ("a2", "z"), ("a3", "z"), ("a4", "z")})
    asked = LinkSettings(most_pairs=most)
    assert affordable_cap(engine, seen, ENTITY_TYPES["ip"], asked) == cap


@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
def test_what_all_accounts_share_makes_no_pair(engine: Any, name: str) -> None:
    assert _linked(engine, _sharing(name, 40), 40, LinkSettings(least_weight=0.0), {}).empty


def test_a_family_adds_no_more_than_its_cap(engine: Any) -> None:
    cards = {"instrument": {(a, f"card{i}") for a in "ab" for i in range(5)}}
    found = _linked(engine, cards, 100_000, LinkSettings(), {})
    assert found["payment"].tolist() == [12.0]
    assert found["weight"].tolist() == [12.0]


def test_a_pair_at_the_least_weight_is_a_link(engine: Any) -> None:
    weight = round(math.log(0.5 * 1000 / 2), 6)
    pair = {"instrument": {("a", "card"), ("b", "card")}}
    for least, expected in ((weight, 1), (weight + 1e-6, 0)):
        assert len(_linked(engine, pair, 1000, LinkSettings(least_weight=least), {})) == expected


@pytest.mark.parametrize(("kind", "factor"), [*LinkSettings().kind_discount.items(), ("isp", 1), (None, 1)])
def test_an_address_weighs_by_the_kind_of_its_range(engine: Any, kind: str | None, factor: float) -> None:
    asked = LinkSettings(least_weight=0.1)
    found = _linked(engine, _sharing("ip", 2), 5000, asked, {"shared": kind})
    assert found["network"].tolist() == pytest.approx([math.log(0.2 * 5000 / 2) * factor], abs=1e-6)


def test_an_account_with_very_many_entities_is_linked_to_nobody_by_chance(engine: Any) -> None:
    """An aggregator meets every address once; what it shares with two accounts is still weighed."""
    busy = {("busy", f"ip{i}") for i in range(20_000)}
    others = {(f"u{i}", f"ip{i}") for i in range(500)} | {(f"u{i}", f"home{i}") for i in range(500)}
    mixed = {("u0", f"ip{i}") for i in range(600, 640)} | {("u0", f"own{i}") for i in range(60)}
    found = _linked(engine, {"ip": busy | others | mixed}, 10_000, LinkSettings(), {})
    pairs = {(row.account_a, row.account_b) for row in found.itertuples()}
    assert pairs == {("busy", f"u{i}") for i in range(500)}


def test_disagreement_outweighs_one_shared_address_of_many(engine: Any) -> None:
    own = {(a, f"{a}{i}") for a in "ab" for i in range(40)}
    assert _linked(engine, {"ip": own | _sharing("ip", 2)["ip"]}, 1000, LinkSettings(), {}).empty
    shared = {("a", "x"), ("b", "x")}
    assert _linked(engine, {"ip": own | shared}, 1000, LinkSettings(least_weight=0.1), {}).empty
