"""Indicators match what they name, expire by the logs' clock, and never say more than a little."""

from __future__ import annotations

import ipaddress
import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.covering import covering
from ringfence.graphbuild.linkage.feeds import usable_indicators
from ringfence.graphbuild.linkage.indicators import (
    HIT_COLUMNS,
    KIND_FAMILIES,
    HitCounts,
    Hits,
    IndicatorSettings,
    community_indicators,
    indicator_evidence,
    indicator_hits,
)
from ringfence.schema import ENTITY_TYPES, TABLES

NOW = datetime(2026, 3, 31, tzinfo=UTC)
ASKED = IndicatorSettings()
Find = Callable[..., Hits]

_V4 = st.integers(0, 2**8 - 1).map(lambda low: ipaddress.IPv4Address(0x0A000000 + low))
_V6 = st.integers(0, 2**8 - 1).map(lambda low: ipaddress.IPv6Address((0xFFFF << 32) + low))
_ADDRESSES = st.one_of(_V4, _V6)


def _network(address: Any, wider: int) -> str:
    return str(ipaddress.ip_network((address, max(address.max_prefixlen - wider, 0)), strict=False))


def _text(frame: pd.DataFrame) -> Any:
    return ibis.memtable(frame, schema=dict.fromkeys(frame.columns, "string"))


_RANGES = st.builds(_network, _ADDRESSES, st.one_of(st.integers(0, 9), st.integers(0, 128)))


@settings(max_examples=150)
@given(st.lists(_ADDRESSES, max_size=12), st.lists(_RANGES, max_size=20, unique=True))
def test_every_range_that_holds_an_address_is_found(seen: Sequence[Any], ranges: Sequence[str]) -> None:
    found = covering([str(address) for address in seen], ranges)
    expected = {
        (a, r)
        for a, address in enumerate(seen)
        for r, text in enumerate(ranges)
        if address in ipaddress.ip_network(text)
    }
    assert set(zip(*map(list, found), strict=True)) == expected
    assert len(found[0]) == len(expected)
    assert list(found[0]) == sorted(found[0])


@pytest.fixture
def find(engine: Any, tables: Any) -> Find:
    """Return a function from indicators to hits, in a world of 200 accounts of which four do something."""
    sights = {
        "ip": [("a", "198.51.100.7"), ("b", "198.51.100.9"), ("c", "2001:db8::5"), ("d", "203.0.113.1")],
        "device": [("a", "dev-1"), ("b", "dev-1")],
        "instrument": [("c", "card-1")],
        "template": [("d", "tmpl-1")],
    }
    named = [*"abcd", *(f"x{i:03}" for i in range(196))]
    domains = ["One.Example" if name in "ab" else None for name in named]

    def found(rows: Sequence[dict[str, Any]], now: datetime | None = NOW) -> Hits:
        seen = {
            kind: _text(pd.DataFrame(pairs, columns=["account_id", "entity_id"]))
            for kind, pairs in sights.items()
        }
        held = [(ip, "64500" if ip.startswith("198.") else None) for _, ip in sights["ip"]]
        addresses = _text(pd.DataFrame(held, columns=["address", "asn"]))
        world = tables(
            {
                "accounts": pd.DataFrame({"account_id": named, "email_domain": domains}),
                "indicators": pd.DataFrame(list(rows)),
            }
        )
        return indicator_hits(engine, seen, addresses, world("accounts"), world("indicators"), now, ASKED)

    return found


def _indicator(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value, "actor": "X", "confidence": 0.8, **more}


def test_each_kind_matches_what_it_names(find: Find) -> None:
    named = {
        ("ip", "::ffff:198.51.100.7"): "a",
        ("ip", "2001:DB8:0::5"): "c",
        ("cidr", "198.51.100.5/24"): "ab",
        ("cidr", "2001:db8::/32"): "c",
        ("cidr", "::ffff:198.51.100.8/125"): "b",
        ("asn", "AS64500"): "ab",
        ("device", "dev-1"): "ab",
        ("instrument", "card-1"): "c",
        ("template", "tmpl-1"): "d",
        ("email_domain", "@ONE.example."): "ab",
    }
    hits = find([_indicator(*key, tactic=" ".join(key), source="feed") for key in named])
    assert list(hits.rows.columns) == list(HIT_COLUMNS)
    assert set(hits.rows["source"]) == {"feed"}
    found = hits.rows.groupby(["kind", "tactic"])["account_id"].agg("".join)
    assert found.to_dict() == {(key[0], " ".join(key)): accounts for key, accounts in named.items()}
    assert hits.counts == HitCounts(10, 0, 0, 0, 0, 0)


def test_nested_ranges_of_two_actors_both_hit(find: Find) -> None:
    hits = find([_indicator("cidr", "198.51.0.0/16"), _indicator("cidr", "198.51.100.9/32", actor="Y")])
    assert sorted(zip(hits.rows["account_id"], hits.rows["actor"], strict=True)) == [
        ("a", "X"),
        ("b", "X"),
        ("b", "Y"),
    ]


def test_every_indicator_is_accounted_for(find: Find) -> None:
    hits = find(
        [
            _indicator("device", "dev-1"),
            _indicator("device", "dev-1"),
            _indicator("device", "dev-9"),
            _indicator("device", "dev-1", expires_at=NOW),
            _indicator("cidr", "somewhere"),
            _indicator("asn", "the big one"),
            _indicator("device", "dev-1", confidence=-1.0),
        ]
    )
    assert hits.counts == HitCounts(1, 1, 1, 2, 1, 0)
    assert len(hits.rows) == 2


def test_indicators_expire_by_the_last_time_in_the_logs(find: Find) -> None:
    day_after = _indicator("device", "dev-1", expires_at=datetime(2026, 4, 1, tzinfo=UTC))
    assert len(find([day_after]).rows) == 2
    assert find([day_after], datetime(2026, 4, 2, tzinfo=UTC)).counts.expired == 1
    assert len(find([{**day_after, "expires_at": NOW}], None).rows) == 2


def test_what_matches_everybody_says_nothing(find: Find) -> None:
    everywhere = [_indicator("cidr", "0.0.0.0/0"), _indicator("cidr", "::/0")]
    assert len(find(everywhere).rows) == 4
    narrow = IndicatorSettings(most_accounts=2, most_share=0.0)
    assert narrow.widest(200) == 2
    # Of three accounts one may match, and of one that one.
    assert [ASKED.widest(n) for n in (1, 3, 200, 2_000_000)] == [1, 1.5, 64, 100_000]


def test_a_hub_is_counted_and_dropped(engine: Any, tables: Any) -> None:
    crowd = pd.DataFrame({"account_id": [f"a{i}" for i in range(100)], "entity_id": "192.0.2.1"})
    world = tables(
        {
            "accounts": crowd[["account_id"]],
            "indicators": pd.DataFrame([_indicator("cidr", "0.0.0.0/0"), _indicator("ip", "192.0.2.1")]),
        }
    )
    addresses = _text(pd.DataFrame({"address": ["192.0.2.1"], "asn": ["1"]}))
    hits = indicator_hits(
        engine,
        {"ip": _text(crowd)},
        addresses,
        world("accounts"),
        world("indicators"),
        NOW,
        ASKED,
    )
    assert hits.rows.empty
    assert hits.counts == HitCounts(0, 0, 0, 0, 0, 2)


def test_no_indicators_are_no_hits(find: Find) -> None:
    hits = find([])
    assert list(hits.rows.columns) == list(HIT_COLUMNS)
    assert hits.rows.empty
    assert hits.counts == HitCounts(0, 0, 0, 0, 0, 0)
    assert community_indicators(hits.rows, pd.DataFrame({"account_id": ["a"], "community": [0]})).empty


def test_a_source_uses_one_scale_of_confidence() -> None:
    rows = pd.DataFrame(
        {
            "kind": "device",
            "value": list("abcdefgh"),
            "confidence": [90.0, 1.0, 0.9, 1.0, 400.0, math.nan, -0.1, 2.0],
            "source": ["stix", "stix", "own", "own", "odd", "own", "own", None],
            **dict.fromkeys(("actor", "tactic", "expires_at")),
        }
    )
    usable = usable_indicators(rows, NOW, 0.5)
    assert dict(zip(usable.rows["value"], usable.rows["confidence"], strict=True)) == {
        "a": 0.9,
        "b": 0.01,
        "c": 0.9,
        "d": 1.0,
        "f": 0.5,
        "h": 0.02,
    }
    assert usable.out_of_range == 2


def _hits(*rows: tuple[str, str, str, str | None, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["account_id", "kind", "value", "actor", "confidence"])
    return frame.assign(tactic="t", source="s")


def _evidence(engine: Any, hits: pd.DataFrame, accounts: int = 1000, **asked: float) -> pd.DataFrame:
    pairs = _text(pd.DataFrame({"account_a": ["a", "a", "b"], "account_b": ["b", "c", "c"]}))
    found = indicator_evidence(pairs, hits, accounts, IndicatorSettings(**asked))
    rows: pd.DataFrame = engine.to_pyarrow(found.order_by("account_a", "account_b")).to_pandas()
    return rows


def test_two_hits_of_one_actor_weigh_by_rarity_and_confidence(engine: Any) -> None:
    hits = _hits(
        ("a", "ip", "1", "X", 0.5),
        ("b", "device", "2", "X", 1.0),
        ("c", "ip", "3", "Y", 1.0),
        ("c", "ip", "4", None, 1.0),
    )
    found = _evidence(engine, hits, cap=9.0)
    assert found.drop(columns="weight").to_numpy().tolist() == [["a", "b", "device", "indicator"]]
    assert found["weight"].tolist() == [pytest.approx(0.5 * math.log(0.3 * 1000 / 2), abs=1e-6)]
    assert _evidence(engine, hits)["weight"].tolist() == [ASKED.cap]
    # An actor whose indicators match a third of everybody.
    assert _evidence(engine, hits, accounts=6).empty


def test_what_both_share_outright_is_not_counted_again(engine: Any) -> None:
    kinds = list(KIND_FAMILIES)
    hits = _hits(*((f"{end} {kind}", kind, "same", kind, 1.0) for kind in kinds for end in "ab"))
    pairs = _text(pd.DataFrame([(f"a {k}", f"b {k}") for k in kinds], columns=["account_a", "account_b"]))
    found = engine.to_pyarrow(indicator_evidence(pairs, hits, 1000, ASKED)).to_pandas()
    assert {account.split()[1] for account in found["account_a"]} == set(kinds) - set(ENTITY_TYPES)


def test_many_indicators_add_one_capped_row_a_pair(engine: Any) -> None:
    kinds = list(KIND_FAMILIES)
    hits = _hits(*((x, kind, f"{x}{kind}", actor, 1.0) for x in "ab" for kind in kinds for actor in "XY"))
    found = _evidence(engine, hits)
    assert len(found) == 1
    assert found["weight"].tolist() == [ASKED.cap]


def test_no_feed_can_make_a_family_count() -> None:
    assert ASKED.cap < LinkSettings().least_family_weight
    kinds = TABLES["indicators"].column("kind").values
    assert set(KIND_FAMILIES) == set(kinds)


def test_communities_tell_how_many_match_whose_indicators() -> None:
    hits = _hits(
        ("a", "ip", "1", "X", 0.4),
        ("a", "device", "2", "X", 0.8),
        ("b", "ip", "1", "X", 0.4),
        ("c", "ip", "1", "X", 0.4),
        ("b", "ip", "9", None, 0.3),
        ("z", "ip", "9", "X", 0.3),
    )
    members = pd.DataFrame({"account_id": list("abcdz"), "community": [0, 0, 1, 0, -1]})
    told = community_indicators(hits, members)
    named = told[told["actor"].notna()]
    assert named.drop(columns="tactic").to_numpy().tolist() == [[0, "X", 2, 3, 0.6], [1, "X", 1, 1, 0.4]]
    assert told[told["actor"].isna()]["members"].tolist() == [1]


def test_many_ranges_and_addresses_agree_with_python(engine: Any) -> None:
    draw = random.Random(11)
    seen = [str(ipaddress.IPv4Address(draw.getrandbits(32))) for _ in range(3000)]
    ranges = sorted({_network(ipaddress.ip_address(ip), draw.choice((4, 8, 12, 20))) for ip in seen[:400]})
    places, holders = covering(seen, ranges)
    networks = [ipaddress.ip_network(text) for text in ranges]
    for place, holder in zip(places, holders, strict=True):
        assert ipaddress.ip_address(seen[place]) in networks[holder]
    within = {str(n) for n in networks}
    for place in range(0, 3000, 50):
        address = ipaddress.ip_address(seen[place])
        around = {_network(address, wider) for wider in (4, 8, 12, 20)} & within
        assert {ranges[holder] for holder in holders[places == place]} == around
