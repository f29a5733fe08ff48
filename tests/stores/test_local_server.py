"""The local server as a process: started once, found again, stopped, and never mistaken for another."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ringfence.errors import StoreError, StoreUnavailableError, UsageError
from ringfence.stores import local
from ringfence.stores.home import Home, Record
from ringfence.stores.neo4j import Neo4jStore
from ringfence.stores.process import Started

pytestmark = pytest.mark.neo4j


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path))
    yield Home.current()
    local.down()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_server_lives_until_it_is_stopped_and_keeps_its_data(home: Home) -> None:
    assert local.status().state == "stopped"
    assert local.running() is None
    shares: list[float] = []
    port = free_port()

    server = local.up(port, shares.append)
    assert server.address == f"bolt://127.0.0.1:{port}"
    assert shares[-1] == 1.0
    assert local.up() == local.running() == server
    assert local.status().pid == server.pid
    assert server.password not in repr(server)
    for secret in (home.password_file, home.folder / "server.json"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    listening = [c for c in psutil.Process(server.pid).net_connections("tcp") if c.status == "LISTEN"]
    assert {(c.laddr.ip.removeprefix("::ffff:"), c.laddr.port) for c in listening} == {("127.0.0.1", port)}
    assert server.password not in " ".join(psutil.Process(server.pid).cmdline())

    with pytest.raises(UsageError, match=f"runs on port {port} already"):
        local.up(free_port())

    os.kill(server.pid, signal.SIGKILL)
    psutil.Process(server.pid).wait(10)
    assert local.status().state == "stopped"
    again = local.up()
    assert again.pid != server.pid
    assert again.password == server.password
    with Neo4jStore(again.address, again.user, again.password) as store:
        assert store.state() is None

    assert local.down() is True
    assert not psutil.pid_exists(again.pid)
    assert local.down() is False
    assert local.status().has_data


def test_two_processes_at_once_start_one_server(home: Home) -> None:
    code = "from ringfence.stores import local; print(local.up())"
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert said[0].startswith("LocalServer(")
    assert said[0] == said[1]
    # Whoever started it has ended, and it runs on.
    assert local.running() is not None


def test_a_taken_port_is_passed_over_unless_it_was_asked_for(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} is taken"):
            local.up(port)
        assert local.status().state == "stopped"


def test_the_default_port_gives_way(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(local, "DEFAULT_PORT", port)
        server = local.up()
    assert int(server.address.rpartition(":")[2]) > port


def test_a_process_that_got_the_pid_since_is_left_alone(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        born = psutil.Process(other.pid).create_time()
        home.write_record(Record(Started(other.pid, born - 100), port=free_port()))
        assert local.status().state == "stopped"
        assert local.down() is False
        time.sleep(0.2)
        assert other.poll() is None
        other.kill()


def test_a_server_that_does_not_start_says_why(home: Home) -> None:
    (home.folder / "data").mkdir(parents=True)
    (home.folder / "data" / "databases").write_text("no folder")
    with pytest.raises(StoreUnavailableError, match=r"It said:\n(.*\n)*.*data/databases") as failed:
        local.up()
    assert home.password() not in str(failed.value)
    assert local.status().state == "stopped"


def test_a_lost_password_is_told_with_a_way_out(home: Home) -> None:
    (home.folder / "data" / "databases" / "system").mkdir(parents=True)
    with pytest.raises(StoreError, match="password of the local Neo4j is gone"):
        local.up()


def test_a_broken_record_counts_as_stopped(home: Home) -> None:
    home.folder.mkdir(parents=True)
    (home.folder / "server.json").write_text('{"process": {"pid": 1')
    assert local.status().state == "stopped"
    assert local.down() is False
