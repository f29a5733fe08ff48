"""From what --neo4j says to a store: what is taken, what is refused, and that passwords stay unsaid."""

from __future__ import annotations

import re

import pytest

from ringfence.errors import StoreUnavailableError, UsageError
from ringfence.stores.local import LocalServer
from ringfence.stores.open import open_store


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEO4J_USERNAME", raising=False)
    monkeypatch.delenv("NEO4J_PASSWORD", raising=False)


@pytest.mark.neo4j
def test_user_and_password_come_from_the_address(neo4j_server: LocalServer) -> None:
    place = neo4j_server.address.removeprefix("bolt://")
    for scheme in ("bolt", "neo4j"):
        with open_store(f"{scheme}://neo4j:{neo4j_server.password}@{place}") as store:
            assert isinstance(store.counts(), dict)


@pytest.mark.neo4j
def test_user_and_password_come_from_the_environment(
    neo4j_server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    with open_store(neo4j_server.address) as store:
        assert isinstance(store.counts(), dict)
    monkeypatch.setenv("NEO4J_USERNAME", "somebody")
    with open_store(neo4j_server.address) as store, pytest.raises(StoreUnavailableError, match="refused"):
        store.counts()


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("loacl", "Did you mean 'local'"),
        ("none", "is no store"),
        ("http://neo4j:hunter2@host:7474", "http://…"),
        ("bolt://neo4j:hunter2@", "is no store"),
        ("bolt://neo4j:hunter2@host:port", "cannot be read"),
        ("bolt://neo4j:hunter2@[::1", "cannot be read"),
        ("neo4j://host:7687", "No password for neo4j://host:7687. Set NEO4J_PASSWORD"),
        ("neo4j+s://me@host", "No password for neo4j+s://host."),
        ("", "is no store"),
    ],
)
def test_what_is_no_store_is_refused(where: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as refused:
        open_store(where)
    assert "hunter2" not in str(refused.value)


def test_signs_in_a_password_may_be_escaped() -> None:
    address = "bolt://me:p%40ss%2Fw%3Ard@127.0.0.1:1"
    with open_store(address) as store, pytest.raises(StoreUnavailableError, match=r"bolt://127\.0\.0\.1:1\."):
        store.counts()
