"""The folder of the local Neo4j: settings, password, record of the process, data."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from ringfence import config
from ringfence.stores.process import Started

_SETTINGS = """\
# Written anew at every start by Ringfence.
# The last two spare a stop of ten seconds.
server.default_listen_address=127.0.0.1
server.default_advertised_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.bolt.telemetry.enabled=false
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=256m
dbms.security.auth_enabled=true
dbms.security.allow_csv_import_from_file_urls=false
dbms.usage_report.enabled=false
db.tx_log.preallocate=false
db.tx_log.rotation.retention_policy=keep_none
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
internal.server.bolt.thread_pool_shutdown_wait_time=0s
"""


@dataclass(frozen=True, slots=True)
class Record:
    """The server process that was last started from the folder."""

    process: Started
    port: int


@dataclass(frozen=True, slots=True)
class Home:
    """The folder ``neo4j`` within :func:`ringfence.config.home`."""

    folder: Path

    @classmethod
    def current(cls) -> Home:
        """Return the folder that the environment names; it need not exist yet."""
        return cls((config.home() / "neo4j").absolute())

    @property
    def conf(self) -> Path:
        """The folder of ``neo4j.conf``."""
        return self.folder / "conf"

    @property
    def mutex(self) -> Path:
        """The lock file that whoever starts or stops the server holds."""
        return self.folder / ".lock"

    @property
    def console(self) -> Path:
        """What the server's process prints."""
        return self.folder / "logs" / "console.log"

    @property
    def logs(self) -> tuple[Path, ...]:
        """Where a server that does not start says why."""
        return self.console, self.folder / "logs" / "neo4j.log"

    @property
    def has_data(self) -> bool:
        """Whether a server has ever run here."""
        return (self.folder / "data" / "databases" / "system").is_dir()

    @property
    def size(self) -> int:
        """Bytes that data and transaction logs take."""
        files = [path for path in (self.folder / "data").rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files)

    def password(self) -> str | None:
        """Return the generated password; None where there is none yet."""
        try:
            return self.password_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def make_password(self) -> str:
        """Write a new password that only the user can read, and return it."""
        # Hexadecimal: the admin tool would take a leading dash for an option.
        password = secrets.token_hex(24)
        self._write(self.password_file, password)
        return password

    def record(self) -> Record | None:
        """Return the record of the last server; None where there is none that can be read."""
        try:
            said = json.loads(self._record_file.read_text(encoding="utf-8"))
            return Record(Started(**said["process"]), said["port"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write_record(self, record: Record) -> None:
        """Remember the server process."""
        self._write(self._record_file, json.dumps(asdict(record)))

    def forget_record(self) -> None:
        """Forget the server process."""
        self._record_file.unlink(missing_ok=True)

    def write_settings(self, port: int) -> None:
        """Write ``neo4j.conf`` and make the folders that a server needs."""
        for folder in (self.conf, self.console.parent, self.folder / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        (self.conf / "neo4j.conf").write_text(_SETTINGS.format(port=port), encoding="utf-8")

    @property
    def password_file(self) -> Path:
        """The file with the password, mode 0600."""
        return self.folder / "password"

    @property
    def _record_file(self) -> Path:
        return self.folder / "server.json"

    def _write(self, path: Path, text: str) -> None:
        """Write a file of mode 0600 whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        partial.replace(path)
