"""Sub-accounts: of a reseller's customers only those who do what the ring does are named."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import ibis
import pandas as pd
import pytest
from canonical_frames import as_tables

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.views import VIEWS, view_sightings
from ringfence.graphbuild.networks import ADDRESS_SCHEMA
from ringfence.graphbuild.people import SubaccountSources
from ringfence.graphbuild.sightings import sightings
from ringfence.graphbuild.subaccounts import (
    UNIT_COLUMNS,
    Subaccounts,
    own_shares,
    sub_accounts,
)
from ringfence.graphbuild.units import SubaccountSettings
from ringfence.schema import ENTITY_TYPES

START = datetime(2026, 3, 1, tzinfo=UTC)
SEED = 20260302
LINKS = LinkSettings()
GUILTY = [f"guilty{n}" for n in range(6)]
INNOCENT = [f"customer{n:03}" for n in range(300)]

Row = Mapping[str, Any]


def row(account: str, ip: str, template: str, end_user: str | None = None, device: str | None = None) -> Row:
    names = ("account_id", "ip", "template_id", "end_user_id", "device_id")
    return dict(zip(names, (account, ip, template, end_user, device), strict=True))


def crowd() -> list[Row]:
    """Two thousand people of their own, so that what few have in common is rare."""
    draws = random.Random(SEED)
    return [
        row(f"person{n}", f"172.16.{n // 250}.{n % 250}", f"hobby{draws.randrange(400)}", None, f"d{n}")
        for n in range(2000)
        for _ in range(2)
    ]


@dataclass(frozen=True)
class Case:
    """A ring with its own addresses and scripts, and the account with end users that is put beside it."""

    name: str

    @property
    def account(self) -> str:
        return f"{self.name}-shop"

    @property
    def ring(self) -> list[str]:
        return [f"{self.name}-ring{n}" for n in range(6)]

    @property
    def pool(self) -> list[str]:
        return [f"10.{crc32(self.name.encode()) % 250}.{n}.7" for n in range(8)]

    @property
    def scripts(self) -> list[str]:
        return [f"{self.name}-script{n}" for n in range(5)]

    def ring_rows(self) -> list[Row]:
        doings = list(zip(self.pool, self.scripts * 2, strict=False))
        return [
            row(one, ip, script, None, f"{self.name}-phone") for one in self.ring for ip, script in doings
        ]

    def guilty_rows(self, names: Iterable[str], account: str = "") -> list[Row]:
        doings = list(zip(self.pool, self.scripts, strict=False))
        return [row(account or self.account, ip, script, name) for name in names for ip, script in doings]

    def customers(self, names: Iterable[str], addresses: Sequence[str], account: str = "") -> list[Row]:
        """Each from the account's servers, with errands of its own."""
        draws = random.Random(f"{SEED} {account or self.account}")
        return [
            row(account or self.account, draws.choice(addresses), f"errand{draws.randrange(900)}", name)
            for name in names
            for _ in range(4)
        ]


BLENDED, NETWORK, PRODUCT, MADE_UP = Case("blended"), Case("network"), Case("product"), Case("made-up")
CARDS, LOGINS, REQUESTS, NAMES = Case("cards"), Case("logins"), Case("requests"), Case("names")
FEW, ALONE, TWO = Case("few"), Case("alone"), Case("two")
CASES = (BLENDED, NETWORK, PRODUCT, MADE_UP, CARDS, LOGINS, REQUESTS, NAMES, FEW, ALONE)
VICTIM = "names-victim"
TRICKY = [f"\x1f{len(VICTIM)}:{VICTIM}", f":{VICTIM}", "\x1f", "1:", f"{VICTIM}\x1fguilty0"]
SERVERS = ["10.251.1.1", "10.251.1.2"]


def everything() -> list[Row]:
    rows = [*crowd(), *(one for case in CASES for one in case.ring_rows())]
    rows += BLENDED.customers(INNOCENT, SERVERS) + BLENDED.guilty_rows(GUILTY)
    rows += NETWORK.customers(INNOCENT[:60], NETWORK.pool)
    # A product with templates, a server and a device of its own.
    rows += [
        row(PRODUCT.account, "10.252.1.1", f"product{n}", name, "server")
        for name in INNOCENT[:20]
        for n in range(3)
    ]
    # Each made-up end user sends three of the ring's scripts.
    pieces = MADE_UP.guilty_rows(["x"] * 9)
    rows += [{**one, "end_user_id": f"made-up{n // 3}"} for n, one in enumerate(pieces)]
    for case in (CARDS, LOGINS, REQUESTS):
        rows += case.customers(INNOCENT[:30], SERVERS)
    rows += [{**one, "end_user_id": None} for one in REQUESTS.guilty_rows(GUILTY)]
    rows += NAMES.guilty_rows(TRICKY) + NAMES.customers(INNOCENT[:30], SERVERS, VICTIM)
    rows += FEW.guilty_rows(GUILTY[:4]) + ALONE.guilty_rows(GUILTY)
    for account in ("two-first", "two-second"):
        rows += TWO.customers(INNOCENT[:30], SERVERS, account) + TWO.guilty_rows(GUILTY, account)
    return rows


def communities() -> dict[str, int]:
    members = {name: n for n, case in enumerate(CASES) for name in [*case.ring, case.account]}
    members |= {VICTIM: CASES.index(NAMES), ALONE.account: -1}
    return members | {"person1": -1} | dict.fromkeys(["two-first", "two-second"], len(CASES))


def hands() -> dict[str, pd.DataFrame]:
    """Payments and logins, in which two accounts are the ring's themselves."""
    paying = [*CARDS.ring, CARDS.account]
    paid = [(name, card) for name in paying for card in ("card1", "card2")]
    paid += [(f"person{n}", f"other{n}") for n in range(2000)]
    payments = pd.DataFrame(paid, columns=["account_id", "instrument_id"])
    payments = payments.assign(payment_id=[f"p{n}" for n in range(len(paid))], ts=START)
    logins = pd.DataFrame({"account_id": LOGINS.account, "ip": LOGINS.pool, "ts": START})
    return {"payments": payments, "logins": logins.assign(device_id="logins-phone")}


def judge(
    engine: Any,
    rows: Iterable[Row],
    members: Mapping[str, int],
    folder: Path,
    others: Mapping[str, pd.DataFrame] | None = None,
) -> Subaccounts:
    requests = pd.DataFrame([{"ts": START, **one} for one in rows])
    canonical = as_tables({"requests": requests, **(others or {})})
    world = {name: canonical(name) for name in ("requests", "payments", "logins")}
    seen = {name: engine.to_pyarrow(sightings(world.get, kind)) for name, kind in ENTITY_TYPES.items()}
    known = pd.DataFrame({"account_id": list(members), "community": list(members.values())})
    addresses = ibis.memtable(ADDRESS_SCHEMA.empty_table())
    sighted = {name: ibis.memtable(rows) for name, rows in seen.items()}.__getitem__
    pairs = {view.name: view_sightings(view, sighted, addresses, world.__getitem__) for view in VIEWS}
    sources = SubaccountSources(
        world.__getitem__,
        sighted,
        addresses,
        (),
        ibis.memtable(known, schema={"account_id": "string", "community": "int64"}),
        {name: int(engine.to_pyarrow(rows.count()).as_py()) for name, rows in pairs.items()},
    )
    found = sub_accounts(engine, sources, folder / "steps", LINKS, SubaccountSettings())
    assert not (folder / "steps").exists()
    assert tuple(found.units.columns) == UNIT_COLUMNS
    return found


@pytest.fixture(scope="module")
def found(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Subaccounts:
    return judge(engine, everything(), communities(), tmp_path_factory.mktemp("units"), hands())


def of(found: Subaccounts, account: str) -> pd.DataFrame:
    return found.units[found.units["account_id"] == account]


def named(found: Subaccounts, account: str) -> set[str]:
    units = of(found, account)
    return set(units.loc[units["carries"], "end_user_id"].dropna())


def own_share(found: Subaccounts, account: str) -> float:
    return float(found.shares.set_index("account_id").loc[account, "own_share"])


def test_six_of_306_customers_are_named(found: Subaccounts) -> None:
    assert named(found, BLENDED.account) == set(GUILTY)
    assert own_share(found, BLENDED.account) == pytest.approx(6 * 5 / (6 * 5 + 300 * 4), abs=1e-4)
    units = of(found, BLENDED.account)
    # One row for what the account did itself, without a request of its own.
    assert len(units) == 307
    assert units["end_user_id"].isna().sum() == 1
    assert units["share"].sum() == pytest.approx(1, abs=1e-3)


def test_customers_who_merely_share_the_network_are_not_named(found: Subaccounts) -> None:
    assert named(found, NETWORK.account) == set()
    assert own_share(found, NETWORK.account) == 0.0


def test_what_customers_of_one_account_share_among_themselves_is_nothing(found: Subaccounts) -> None:
    assert of(found, PRODUCT.account)["nats"].max() == 0.0
    assert own_share(found, PRODUCT.account) == 0.0


def test_two_resellers_of_one_operator_are_linked_by_their_customers(found: Subaccounts) -> None:
    for account in ("two-first", "two-second"):
        assert named(found, account) == set(GUILTY)
        assert own_share(found, account) < 0.5


def test_an_operator_who_makes_up_end_users_is_no_bystander(found: Subaccounts) -> None:
    assert own_share(found, MADE_UP.account) >= 0.5


@pytest.mark.parametrize("case", [CARDS, LOGINS, REQUESTS], ids=lambda case: case.name)
def test_an_account_that_is_linked_itself_is_not_excused_by_its_end_users(
    found: Subaccounts, case: Case
) -> None:
    """By its payments, its logins, or requests without an end user."""
    assert named(found, case.account) == set()
    assert own_share(found, case.account) == 1.0


def test_few_end_users_and_accounts_in_no_community_are_not_looked_into(
    found: Subaccounts, engine: Any, tmp_path: Path
) -> None:
    assert not {FEW.account, ALONE.account, *BLENDED.ring} & set(found.shares["account_id"])
    none = judge(engine, FEW.ring_rows(), dict.fromkeys(FEW.ring, 1), tmp_path)
    assert none.units.empty
    assert list(none.shares.columns) == ["account_id", "end_users", "own_share"]


def test_a_name_with_another_account_s_name_in_it_is_nobody_else_s(found: Subaccounts) -> None:
    """End users name themselves: one must not be able to put requests into another account's mouth."""
    assert named(found, NAMES.account) == set(TRICKY)
    assert named(found, VICTIM) == set()
    assert own_share(found, VICTIM) == 0.0


def test_the_order_of_rows_decides_nothing(found: Subaccounts, engine: Any, tmp_path: Path) -> None:
    draws, rows, members = random.Random(SEED), everything(), list(communities().items())
    for turn in range(20 if os.environ.get("RINGFENCE_SOAK") else 1):
        draws.shuffle(rows)
        draws.shuffle(members)
        again = judge(engine, rows, dict(members), tmp_path / str(turn), hands())
        pd.testing.assert_frame_equal(again.units, found.units)
        pd.testing.assert_frame_equal(again.shares, found.shares)


def test_own_share_counts_near_misses_and_not_the_network() -> None:
    units = pd.DataFrame(
        [
            ("a", None, 0.1, 5.9, 2.9, False),
            ("a", "carries", 0.2, 6.0, 1.5, True),
            ("a", "near", 0.3, 3.0, 3.0, False),
            ("a", "network", 0.4, 4.5, 0.0, False),
            ("b", None, 0.0, 6.0, 6.0, True),
            ("b", "customer", 1.0, 0.0, 0.0, False),
        ],
        columns=list(UNIT_COLUMNS),
    )
    assert own_shares(units, LINKS).to_numpy().tolist() == [["a", 3, 0.5], ["b", 1, 1.0]]
