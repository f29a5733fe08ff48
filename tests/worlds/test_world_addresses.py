"""Addresses lie in announced ranges of the right kind, and rings sit where innocents sit."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import numpy as np
import pandas as pd
import pytest
from made_world import MadeWorld, kind_of

from ringfence.worlds.hashing import Draw
from ringfence.worlds.networks import ADDRESS_KINDS, RANGES, AddressPlan, address_text

SHARED_KIND = {
    "carrier_nat": "mobile",
    "corporate_nat": "business",
    "commercial_vpn": "vpn",
    "university": "education",
    "hackathon": "business",
    "internet_cafe": "isp",
    "business": "hosting",
    "partner": "hosting",
    "residential_rotation": "isp",
    "hosting": "hosting",
    "blended": "isp",
    "aged_accounts": "hosting",
}


def subnet(ip: str) -> str:
    length = 24 if ip_address(ip).version == 4 else 48
    return str(ip_network(f"{ip}/{length}", strict=False))


@pytest.mark.parametrize("code", range(len(ADDRESS_KINDS)))
def test_numbers_of_a_kind_are_addresses_of_the_kind(code: int) -> None:
    entity = np.arange(3000)
    plan = AddressPlan(Draw(2), 50_000)
    numbers = plan.numbers(entity, entity, np.full(3000, code, np.int8))
    texts = address_text(numbers)
    assert {kind_of(text) for text in texts} == {ADDRESS_KINDS[code]}
    assert all(str(ip_address(text)) == text for text in texts), "spelt in one way"
    ranges = [ip_network(r.cidr) for r in RANGES if r.kind == ADDRESS_KINDS[code]]
    used = [sum(ip_address(text) in network for text in texts) for network in ranges]
    assert min(used) > 0.7 * 3000 / len(ranges)


def test_an_owner_is_a_customer_of_one_provider() -> None:
    plan = AddressPlan(Draw(2), 50_000)
    entity, owner = np.arange(400), np.repeat(np.arange(40), 10)
    texts = address_text(plan.numbers(entity, owner, np.zeros(400, np.int8)))
    networks = [ip_network(r.cidr) for r in RANGES]
    provider = [next(n for n, net in enumerate(networks) if ip_address(text) in net) for text in texts]
    assert (pd.Series(provider).groupby(owner).nunique() == 1).all()
    assert len(set(texts)) > 390


def test_ranges_do_not_overlap_and_name_no_real_network() -> None:
    networks = [ip_network(r.cidr) for r in RANGES]
    for place, one in enumerate(networks):
        assert not any(one.overlaps(o) for o in networks[place + 1 :] if o.version == one.version)
    assert all(4_200_000_000 <= r.asn < 4_294_967_295 for r in RANGES), "private AS numbers"
    assert {r.kind for r in RANGES} == set(ADDRESS_KINDS)
    assert min(pd.Series([r.kind for r in RANGES]).value_counts()) >= 2


def test_every_address_lies_in_a_range_that_is_told(world: MadeWorld) -> None:
    told = world.tables["ip_ranges"]
    assert set(told["cidr"]) == {r.cidr for r in RANGES}
    assert world.tables["requests"]["ip"].notna().all()
    assert world.addresses["kind"].notna().all()


def test_ipv6_is_normal_on_both_sides(world: MadeWorld) -> None:
    new = world.addresses["ip"].str.contains(":")
    for side in (world.addresses["ring"].notna(), world.addresses["ring"].isna()):
        assert 0.05 < new[side].mean() < 0.5


@pytest.mark.parametrize("kind", ["isp", "mobile", "vpn", "hosting"])
def test_both_sides_use_addresses_of_the_kind(world: MadeWorld, kind: str) -> None:
    used = world.addresses[world.addresses["kind"] == kind]
    assert used.loc[used["ring"].notna(), "account_id"].nunique() > 20
    assert used.loc[used["ring"].isna(), "account_id"].nunique() > 100


@pytest.mark.parametrize("kind", ["isp", "hosting"])
def test_rings_sit_in_subnets_that_innocents_use(world: MadeWorld, kind: str) -> None:
    used = world.addresses[world.addresses["kind"] == kind]
    used = used.assign(subnet=used["ip"].map({ip: subnet(ip) for ip in used["ip"].unique()}))
    innocent = set(used.loc[used["ring"].isna(), "subnet"])
    theirs = used.loc[used["ring"].notna(), "subnet"].drop_duplicates()
    assert theirs.isin(innocent).mean() > 0.75
    mostly = used.groupby("subnet")["ring"].agg(lambda rings: rings.notna().mean())
    assert (mostly[theirs] < 0.5).mean() > 0.5


def test_what_groups_share_is_of_their_kind(world: MadeWorld) -> None:
    used = world.addresses
    name = used["ring_type"].fillna(used["population"])
    unit = used["ring"].fillna(used["group"])
    crowd = used.groupby([unit, "ip"])["account_id"].transform("nunique")
    # A carrier's or VPN's gates are shared by members as by anybody.
    shared = used[
        (crowd >= 3) & ~(used["kind"].isin(["mobile", "vpn"]) & ~name.isin(["carrier_nat", "commercial_vpn"]))
    ]
    common = shared.groupby(name)["kind"].agg(lambda kinds: kinds.value_counts(normalize=True).iloc[0])
    kinds = shared.groupby(name)["kind"].agg(lambda kinds: kinds.mode()[0])
    tried = [n for n in SHARED_KIND if n in kinds.index]
    assert len(tried) >= 9
    for population in tried:
        assert kinds[population] == SHARED_KIND[population], population
        assert common[population] > 0.7, population


def test_a_network_carries_rings_and_innocents(reporting_world: MadeWorld) -> None:
    truth, used = reporting_world.truth, reporting_world.addresses
    of_rings = set(reporting_world.rings["network"].dropna())
    assert len(of_rings) >= 3
    shared = reporting_world.rings[reporting_world.rings["ring_type"] == "shared_network"]
    assert shared["network"].nunique() * 2 == len(shared), "two operators on one"
    assert set(truth["network"].dropna()) > of_rings, "and networks without a ring"
    for network in of_rings:
        inside = used[(used["network"] == network) & (used["kind"] == "isp")]
        crowd = inside.groupby("ip")["account_id"].agg("nunique")
        pool = inside[inside["ip"].isin(crowd[crowd >= 4].index)]
        assert pool.loc[pool["ring"].isna(), "account_id"].nunique() >= 10, network
        assert pool.loc[pool["ring"].notna(), "account_id"].nunique() >= 10, network


def test_homes_have_one_provider_and_programs_one_host(world: MadeWorld) -> None:
    background = world.addresses[world.addresses["population"] == "background"]
    networks = [(ip_network(r.cidr), r.asn) for r in RANGES]
    for kind in ("isp", "hosting"):
        lines = background[background["kind"] == kind]
        many = lines[lines.groupby("account_id")["ip"].transform("size") >= 3]
        provider = many["ip"].map(lambda ip: next(asn for net, asn in networks if ip_address(ip) in net))
        assert many["account_id"].nunique() >= 20
        assert (provider.groupby(many["account_id"]).nunique() == 1).all(), kind


def test_the_most_crowded_addresses_are_mostly_innocents(world: MadeWorld) -> None:
    crowd = world.addresses.groupby("ip")["account_id"].nunique()
    busiest = crowd.nlargest(20).index
    there = world.addresses[world.addresses["ip"].isin(busiest)]
    assert crowd[busiest].min() > 30
    innocent = there["ring"].isna().groupby(there["ip"]).mean()
    assert innocent.min() > 0.25
    assert (innocent > 0.8).mean() > 0.7
