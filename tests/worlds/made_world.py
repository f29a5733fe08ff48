"""A generated world as its files tell it, and what can be counted in it by brute force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from ringfence.worlds.make import WorldRequest, make_world
from ringfence.worlds.networks import RANGES

START = pd.Timestamp("2026-03-02T00:00:00Z")
END = START + pd.Timedelta(days=30)
TUNING = WorldRequest("tuning", 0.003, 3, prevalence=0.06)
REPORTING = WorldRequest("report-everyday", 0.004, 1001, prevalence=0.06)
TABLES = ("accounts", "requests", "payments", "logins", "account_events", "models", "ip_ranges", "labels")


@dataclass(frozen=True, eq=False)
class MadeWorld:
    """A world on disk; tables are read when they are asked for."""

    folder: Path
    request: WorldRequest
    rows: dict[str, int]

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every canonical table that was made."""
        return {name: read(self.folder / "input", name) for name in TABLES if name in self.rows}

    @cached_property
    def truth(self) -> pd.DataFrame:
        return read(self.folder / "truth", "accounts")

    @cached_property
    def rings(self) -> pd.DataFrame:
        return read(self.folder / "truth", "rings")

    @cached_property
    def known(self) -> pd.DataFrame:
        """Accounts with their truth; ``country`` is in both."""
        return self.tables["accounts"].merge(self.truth.drop(columns="country"), on="account_id")

    @cached_property
    def sent(self) -> pd.DataFrame:
        """Requests with the truth of each and of its account."""
        distilling = read(self.folder / "truth", "requests")
        return self.tables["requests"].merge(distilling, on="request_id").merge(self.known, on="account_id")

    @cached_property
    def addresses(self) -> pd.DataFrame:
        """account_id, ip and its kind: who used which address, once each, with the account's truth."""
        used = [self.tables[name][["account_id", "ip"]] for name in ("requests", "logins")]
        pairs = pd.concat(used).dropna().drop_duplicates()
        kinds = {ip: kind_of(ip) for ip in pairs["ip"].unique()}
        return pairs.assign(kind=pairs["ip"].map(kinds)).merge(self.known, on="account_id")

    @cached_property
    def devices(self) -> pd.DataFrame:
        """account_id and device_id, once each."""
        used = [self.tables[name][["account_id", "device_id"]] for name in ("requests", "logins")]
        return pd.concat(used).dropna().drop_duplicates()

    @cached_property
    def cards(self) -> pd.DataFrame:
        """account_id and instrument_id, once each."""
        return self.tables["payments"][["account_id", "instrument_id"]].drop_duplicates()

    @cached_property
    def personas(self) -> pd.DataFrame:
        """account_id and what a private prompt says after its opening, once each; popular ones left out."""
        campaign = self.sent[self.sent["distilling"]]
        return told(campaign)[["account_id", "persona"]].drop_duplicates()


def told(sent: pd.DataFrame) -> pd.DataFrame:
    """Return requests with what their persona says after its opening, which has slots: the template's own."""
    text = sent["system_prompt"].fillna(sent["prompt"].str.partition("\n\n")[0])
    return sent.assign(persona=text.str.replace(r"^.*?(\.\s|。)", "", regex=True))


def read(folder: Path, name: str) -> pd.DataFrame:
    """Return a table that is a file or a folder of parts."""
    one = folder / f"{name}.parquet"
    parts = [one] if one.is_file() else sorted((folder / name).glob("part-*.parquet"))
    return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)


def make(folder: Path, request: WorldRequest, workers: int = 1) -> MadeWorld:
    """Make a world."""
    return MadeWorld(folder, request, make_world(folder, request, workers=workers).rows)


@contextmanager
def passing(request: WorldRequest) -> Iterator[MadeWorld]:
    """Yield a world that is removed again."""
    with TemporaryDirectory() as folder:
        yield make(Path(folder) / "world", request)


_NETWORKS = [(ip_network(r.cidr), r.kind) for r in RANGES]


def kind_of(ip: str) -> str | None:
    """Return the kind of the announced range that an address lies in; None: in none."""
    address = ip_address(ip)
    return next((kind for network, kind in _NETWORKS if address in network), None)


def sharing(used: pd.DataFrame, members: pd.Series) -> float:
    """Return the share of members who have an entity in common with another member of their ring.

    Args:
        used: account_id and, in the second column, an entity.
        members: The ring of each account, indexed by account_id; those who used none are not counted.
    """
    entity = used.columns[1]
    ring = used["account_id"].map(members)
    mine = used.assign(ring=ring).dropna(subset=["ring", entity])
    if mine.empty:
        return 0.0
    crowd = mine.groupby(["ring", entity])["account_id"].transform("nunique")
    return float((crowd > 1).groupby(mine["account_id"]).any().mean())
