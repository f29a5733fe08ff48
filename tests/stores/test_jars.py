"""Neo4j's jars: a complete lock, and downloads that are checked and healed."""

from __future__ import annotations

import dataclasses
import gc
import shutil
from pathlib import Path

import pytest

from ringfence.errors import StoreError, StoreUnavailableError
from ringfence.stores.jars import Jar, fetch, read_lock


@pytest.fixture
def small(tmp_path: Path) -> Jar:
    """The smallest jar of the lock file, fetched into ``tmp_path``."""
    jar = min(read_lock(), key=lambda jar: jar.size)
    fetch([jar], tmp_path)
    return jar


def test_the_lock_names_the_server_whole() -> None:
    jars = read_lock()
    assert len({jar.name for jar in jars}) == len(jars) == 217
    assert {jar.name for jar in jars} >= {
        "org.neo4j.app:neo4j-server:5.26.25",
        "io.netty:netty-transport-native-epoll:4.1.132.Final:linux-x86_64",
    }
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)
    assert 120e6 < sum(jar.size for jar in jars) < 140e6


def test_a_jar_is_fetched_once_and_kept(small: Jar, tmp_path: Path) -> None:
    (path,) = fetch([small], tmp_path)
    assert path.stat().st_size == small.size
    written = path.stat().st_mtime_ns
    shares: list[float] = []
    assert fetch([small], tmp_path, shares.append) == [path]
    assert shares == [1.0]
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", [b"", b"PK", b"x" * 5000])
def test_a_damaged_jar_is_fetched_again(small: Jar, tmp_path: Path, damage: bytes) -> None:
    (path,) = fetch([small], tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage)
    fetch([small], tmp_path)
    assert path.read_bytes() == whole


def test_a_jar_that_is_not_the_one_locked_is_deleted_and_told(small: Jar, tmp_path: Path) -> None:
    (path,) = fetch([small], tmp_path)
    other = dataclasses.replace(small, sha256="0" * 64)
    with pytest.raises(StoreError, match="its SHA-256 differs"):
        fetch([other], tmp_path)
    assert not path.exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_jar_that_there_is_not_is_told(tmp_path: Path) -> None:
    unknown = Jar("org.neo4j", "neo4j", "0.0.0-none", "", "0" * 64, 1)
    with pytest.raises(StoreUnavailableError, match=r"org\.neo4j:neo4j:0\.0\.0-none cannot be fetched"):
        fetch([unknown], tmp_path)
    # jgo leaves the connection of a 404 to the collector, which warns of it.
    gc.collect()


def test_the_order_is_that_of_the_lock(small: Jar, tmp_path: Path) -> None:
    jars = sorted(read_lock(), key=lambda jar: jar.size)[:4]
    assert [path.name for path in fetch(jars, tmp_path)] == [
        "-".join(filter(None, (jar.artifact, jar.version, jar.classifier))) + ".jar" for jar in jars
    ]
    shutil.rmtree(tmp_path / jars[0].group.split(".")[0])
    assert len(fetch(jars, tmp_path)) == 4
