"""The published figures: campaigns, accounts, and unrelated customers' traffic in between, at any scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_world import MadeWorld, make

from ringfence.worlds.innocents import INNOCENTS
from ringfence.worlds.make import WorldRequest, make_plan
from ringfence.worlds.plan import Plan

ACCOUNTS = {"blended": 20_000, "residential_rotation": 3_500, "hosting": 500}
REQUESTS = {"blended": 13_000_000, "residential_rotation": 3_400_000, "hosting": 150_000}
SCALE = 0.02


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(WorldRequest("published", SCALE, 4))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> MadeWorld:
    return make(tmp_path_factory.mktemp("published") / "world", WorldRequest("published", 0.001, 4))


def planned(plan: Plan) -> pd.DataFrame:
    """kind, ring, replacement and expected requests of each account."""
    return pd.DataFrame(
        {
            "kind": [plan.kinds[k].name for k in plan.accounts.kind],
            "ring": plan.ring,
            "new": plan.accounts.replaces >= 0,
            "requests": plan.accounts.own_volume + plan.accounts.group_volume,
        }
    )


def test_campaigns_have_the_published_size(plan: Plan) -> None:
    rows = planned(plan)
    first = rows[(rows["ring"] >= 0) & ~rows["new"]]
    assert first.groupby("kind").size().to_dict() == {k: n * SCALE for k, n in ACCOUNTS.items()}
    # An account that is banned and the one that replaces it send together what one would have sent.
    requests = rows[rows["ring"] >= 0].groupby("kind")["requests"].sum()
    assert requests.to_dict() == pytest.approx({k: n * SCALE for k, n in REQUESTS.items()}, rel=0.02)
    assert (first.groupby("kind")["ring"].nunique() == 1).all()


def test_replacements_are_few(plan: Plan) -> None:
    rows = planned(plan)
    new = rows[rows["new"]]
    guilty = rows["ring"] >= 0
    assert 0.015 < (new["ring"] >= 0).sum() / guilty.sum() < 0.06
    assert 0 < (new["ring"] < 0).sum() / (~guilty).sum() < 0.005
    assert new.loc[new["ring"] >= 0, "requests"].sum() < 0.06 * rows.loc[guilty, "requests"].sum()


def test_innocents_have_the_planned_size(plan: Plan) -> None:
    rows = planned(plan)
    innocent = rows[rows["ring"] < 0]
    assert len(innocent) == pytest.approx(2_000_000 * SCALE, rel=0.003)
    assert innocent["requests"].sum() == pytest.approx(24_000_000 * SCALE, rel=0.001)
    assert set(innocent["kind"]) == set(INNOCENTS)


def test_customers_send_thirteen_million_through_proxies(plan: Plan) -> None:
    customers = planned(plan)["kind"] == "proxy_customer"
    through = (plan.accounts.own_volume * plan.accounts.ips.uses)[customers].sum()
    assert through == pytest.approx(13_000_000 * SCALE, rel=0.001)
    assert (plan.accounts.network[customers] >= 0).all()


def test_a_volume_is_what_is_sent(small: MadeWorld) -> None:
    rows = planned(make_plan(small.request)).groupby("kind")["requests"].sum()
    sent = small.sent["ring_type"].fillna(small.sent["population"]).value_counts()
    # A ring of six accounts sends now more, now less: it depends on whose turn it is.
    for name in ("blended", "proxy_customer", "background"):
        assert sent[name] == pytest.approx(rows[name], rel=0.1), name


def test_the_campaigns_network_carries_as_much_of_others(plan: Plan) -> None:
    """Of the same order: what else customers send goes through other networks, or past their own."""
    accounts = plan.accounts
    kind = np.array([k.name for k in plan.kinds])[accounts.kind]
    campaign = kind == "blended"
    (network,) = np.unique(accounts.network[campaign])
    passing = (accounts.own_volume + accounts.group_volume) * accounts.ips.uses
    there = accounts.network == network
    others = passing[there & (kind == "proxy_customer")].sum() / passing[campaign].sum()
    assert 0.5 < others < 1.5
    bystanders = there & (plan.ring < 0)
    assert set(kind[bystanders]) == {"proxy_customer", "proxy_victim"}
    assert bystanders.sum() > campaign.sum()


def test_both_sides_come_from_the_networks_addresses(small: MadeWorld) -> None:
    isp = small.addresses[small.addresses["kind"] == "isp"]
    crowd = isp[isp["network"].notna()].groupby("ip")["account_id"].nunique()
    through = small.sent["ip"].isin(crowd[crowd >= 3].index)
    for side in (small.sent["population"] == "proxy_customer", small.sent["ring_type"] == "blended"):
        assert 0.5 < through[side].mean() < 0.9
    campaign = isp[isp["ring_type"] == "blended"].groupby("ip")["account_id"].nunique()
    pool = isp[isp["ip"].isin(campaign[campaign >= 3].index)]
    assert pool.loc[pool["ring"].isna(), "account_id"].nunique() >= 5


@pytest.mark.parametrize("scenario", ["published", "tuning", "report-everyday", "demo"])
@pytest.mark.parametrize("prevalence", [0.01, 0.2])
def test_prevalence_is_the_share_of_ring_accounts(scenario: str, prevalence: float) -> None:
    plan = make_plan(WorldRequest(scenario, 0.01, 3, prevalence=prevalence))
    first = plan.accounts.replaces < 0
    guilty = (plan.ring >= 0)[first].mean()
    # The last ring that is drawn may reach over.
    assert prevalence * 0.99 < guilty < prevalence * 1.15 + 0.002
    assert first.sum() == pytest.approx(2_024_000 * 0.01, rel=0.02)


def test_scale_changes_how_many_and_not_what_they_do() -> None:
    small, large = (planned(make_plan(WorldRequest("published", s, 8))) for s in (0.01, 0.03))
    for name in ("blended", "proxy_customer", "university"):
        of_small, of_large = (rows[rows["kind"] == name] for rows in (small, large))
        assert len(of_large) == pytest.approx(3 * len(of_small), rel=0.05), name
    means = [rows["requests"].mean() for rows in (small, large)]
    assert means[0] == pytest.approx(means[1], rel=0.02)


def test_the_demo_is_six_rings_to_read() -> None:
    rows = planned(make_plan(WorldRequest("demo", 0.0025, 1)))
    guilty = rows[(rows["ring"] >= 0) & ~rows["new"]]
    sizes = guilty.groupby("kind")["ring"].agg(lambda ring: sorted(ring.value_counts()))
    assert sizes["residential_rotation"] == pytest.approx([32, 44, 64], abs=2)
    assert sizes["hosting"] == pytest.approx([25, 35, 45], abs=2)
    assert guilty.groupby("ring")["requests"].mean().to_list() == pytest.approx([75.0] * 6, rel=0.2)
    assert 4500 < len(rows) < 5500
