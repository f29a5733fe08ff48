"""Each attack takes away what it says, and touches no innocent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_world import START, TUNING, MadeWorld, passing, sharing

from ringfence.worlds.attack import ATTACKS, attacked
from ringfence.worlds.kinds import Rhythm
from ringfence.worlds.make import WorldRequest, make_plan
from ringfence.worlds.plan import Plan
from ringfence.worlds.rings import RINGS

REQUEST = replace(TUNING, scale=0.0015, prevalence=0.1)
TYPES = ("residential_rotation", "hosting", "regrown", "mixed_accounts", "cards_only")


@pytest.fixture(scope="module")
def unique_world() -> Iterator[MadeWorld]:
    """No card, device or prompt is shared, and hours are everybody's own."""
    attacks = ("unique_cards", "unique_devices", "paraphrase", "jitter")
    with passing(replace(REQUEST, attacks=attacks)) as world:
        yield world


@pytest.fixture(scope="module")
def lone_world() -> Iterator[MadeWorld]:
    """No address is shared, accounts are old and dressed up, and most they send is ordinary."""
    attacks = ("unique_addresses", "aged_accounts", "camouflage", "blending")
    with passing(replace(REQUEST, attacks=attacks)) as world:
        yield world


@pytest.fixture(scope="module")
def framing_world() -> Iterator[MadeWorld]:
    with passing(replace(REQUEST, attacks=("framing",))) as world:
        yield world


def plan_of(request: WorldRequest) -> tuple[Plan, np.ndarray]:
    plan = make_plan(request)
    return plan, plan.ring >= 0


def members(world: MadeWorld) -> pd.Series:
    guilty = world.truth[world.truth["ring"].notna()]
    assert len(guilty) > 250
    return guilty.set_index("account_id")["ring"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_innocents_stay_as_many(attack: str) -> None:
    before, after = (make_plan(replace(REQUEST, attacks=a)) for a in ((), (attack,)))
    counts = [Counter(plan.accounts.kind[plan.ring < 0].tolist()) for plan in (before, after)]
    assert counts[0] == counts[1]
    volumes = [(p.accounts.own_volume + p.accounts.group_volume)[p.ring < 0].sum() for p in (before, after)]
    assert volumes[0] == pytest.approx(volumes[1])
    first = [(p.ring >= 0) & (p.accounts.replaces < 0) for p in (before, after)]
    assert first[0].sum() == first[1].sum()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_changes_every_type_it_can_and_only_once(attack: str) -> None:
    changed = [name for name, kind in RINGS.items() if attacked(kind, [attack]) != kind]
    assert len(changed) >= 4
    for kind in RINGS.values():
        once = attacked(kind, [attack])
        assert (once.name, once.families, once.size) == (kind.name, kind.families, kind.size)
        if attack != "blending":
            assert attacked(once, [attack]) == once
    assert ATTACKS[attack].name == attack
    assert ATTACKS[attack].cost_per_account_usd > 0
    assert ATTACKS[attack].what.endswith(".")


def test_the_order_in_which_attacks_are_named_is_nothing() -> None:
    names = list(ATTACKS)
    for kind in RINGS.values():
        assert attacked(kind, names) == attacked(kind, names[::-1])
        assert attacked(kind, []) == kind


def test_cards_and_devices_of_their_own(unique_world: MadeWorld) -> None:
    ring = members(unique_world)
    assert sharing(unique_world.cards, ring) == 0
    assert sharing(unique_world.devices, ring) == 0
    assert unique_world.cards["account_id"].isin(ring.index).sum() > 100
    innocent = unique_world.truth[unique_world.truth["population"] == "agency"].set_index("account_id")[
        "group"
    ]
    assert sharing(unique_world.cards, innocent) > 0.8


def test_prompts_of_their_own(unique_world: MadeWorld) -> None:
    said = unique_world.personas
    assert sharing(said, members(unique_world)) == 0
    assert said["account_id"].nunique() > 200


def test_hours_of_their_own() -> None:
    plan, _ = plan_of(replace(REQUEST, attacks=("jitter",)))
    rings = plan.groups.operator >= 0
    assert set(plan.groups.rhythm[rings]) == {Rhythm.OWN_HOURS}
    assert (plan.groups.crew[rings] == 1).all()
    before, _ = plan_of(REQUEST)
    assert Rhythm.SHIFTS in before.groups.rhythm[before.groups.operator >= 0]
    innocents = (plan.groups.rhythm[~rings], before.groups.rhythm[before.groups.operator < 0])
    assert set(innocents[0]) == set(innocents[1]) == set(Rhythm)


def test_addresses_of_their_own(lone_world: MadeWorld) -> None:
    used = lone_world.addresses
    lines = used.loc[used["kind"].isin(["isp", "hosting"]), ["account_id", "ip"]]
    assert sharing(lines, members(lone_world)) < 0.05
    assert lone_world.rings["network"].isna().all()


def test_accounts_bought_long_before(lone_world: MadeWorld) -> None:
    known = lone_world.known
    bought = known[known["ring"].notna() & known["replaces"].isna()]
    assert (bought["created_at"] < START - pd.Timedelta(days=44)).all()
    assert (known.loc[known["ring"].isna(), "created_at"] > START).any()


def test_most_requests_are_ordinary(lone_world: MadeWorld) -> None:
    guilty = lone_world.sent[lone_world.sent["ring"].notna()]
    share = guilty["distilling"].groupby(guilty["ring_type"]).mean()
    for name in TYPES:
        together = RINGS[name].together
        assert together is not None
        core = 0.15 * 5 + 1
        usual = together.share * core / (together.share * core + 1 - together.share)
        assert share[name] < 0.75 * usual, name
        assert share[name] > 0.1, name


def test_accounts_look_like_popular_tools() -> None:
    plan, guilty = plan_of(replace(REQUEST, attacks=("camouflage",)))
    habits = plan.accounts.habits
    framework = habits.framework >= 0
    assert framework[guilty].mean() > 0.8 > 0.3 > framework[~guilty].mean()
    before, was = plan_of(REQUEST)
    assert habits.private[guilty].mean() < before.accounts.habits.private[was].mean() - 0.05
    assert habits.servers[guilty].mean() > before.accounts.habits.servers[was].mean()


def test_framing_puts_innocents_among_the_rings_addresses(
    framing_world: MadeWorld, tuning_world: MadeWorld
) -> None:
    shares = {}
    for name, world in (("framed", framing_world), ("usual", tuning_world)):
        used = world.addresses[world.addresses["kind"].isin(["isp", "hosting"])]
        crowd = used[used["ring"].notna()].groupby("ip")["account_id"].nunique()
        pool = used[used["ip"].isin(crowd[crowd >= 2].index)]
        shares[name] = pool["ring"].isna().groupby(pool["ip"]).any().mean()
    assert shares["usual"] < 0.1
    assert shares["framed"] > 0.5
    assert framing_world.rings["network"].notna().all()
    on = framing_world.truth[framing_world.truth["network"].isin(framing_world.rings["network"])]
    assert on["ring"].isna().sum() >= 30
    assert set(on.loc[on["ring"].isna(), "role"]) == {"bystander"}
