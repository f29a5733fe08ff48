"""A small provider whose logs span three days, and `ringfence score` as a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.jobs.job import Job, jobs
from ringfence.pipeline.scoring.plan import ScoreRequest
from ringfence.state import StateFolder

END = datetime(2026, 3, 3, tzinfo=UTC)
SPAN = timedelta(hours=24)
ACCOUNTS, RING = 300, 12
HEADS = {
    "requests": "request_id,account_id,ts,ip,device_id,prompt",
    "payments": "payment_id,account_id,ts,instrument_id",
    "logins": "account_id,ts,ip,device_id",
}
SENTENCES = (
    "Explain how the tide turns in a narrow bay, step by step, and show the reckoning",
    "Give the proof of the lemma in full, then say where each premise was needed",
    "Write the function once more without recursion and compare the running times",
)


@dataclass(frozen=True)
class Said:
    """How a process ended."""

    code: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text[self.text.index("{") :])


def write_logs(folder: Path) -> Path:
    """Write March 1 to March 4: a ring of twelve shares a card, a device, an address and what it asks."""
    folder.mkdir(parents=True)
    rows: dict[str, list[str]] = {name: [head] for name, head in HEADS.items()}
    for day in range(1, 4):
        for n in range(ACCOUNTS):
            rows["requests"] += [
                request(f"{day}-{n}-{k}", n, f"2026-03-0{day}T{(n + k) % 24:02}:10:00Z") for k in range(2)
            ]
            ts = f"2026-03-0{day}T{n % 24:02}:05:00Z"
            card, device = ("card", "dev") if n < RING else (f"own{n}", f"mine{n}")
            rows["payments"].append(f"p{day}-{n},a{n},{ts},{card}")
            rows["logins"].append(f"a{n},{ts},{address(n)},{device}")
    accounts = [f"a{n},2026-02-0{1 + n % 9}T00:00:00Z,active" for n in range(ACCOUNTS)]
    rows["accounts"] = ["account_id,created_at,status", *accounts]
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def request(name: str, account: int, ts: str, prompt: str | None = None) -> str:
    asked = prompt or f"{SENTENCES[account % 3 if account >= RING else 0]}. Case {account}."
    device = "dev" if account < RING else f"mine{account}"
    return f'r{name},a{account},{ts},{address(account)},{device},"{asked}"'


def address(account: int) -> str:
    return "192.0.2.1" if account < RING else f"198.18.{account // 250}.{account % 250}"


def add(folder: Path, table: str, *rows: str, file: str | None = None) -> None:
    """Add rows to a table: at its end, or in a file of their own."""
    if file is None:
        with (folder / f"{table}.csv").open("a") as stream:
            stream.writelines(f"{row}\n" for row in rows)
        return
    (folder / table).mkdir(exist_ok=True)
    (folder / table / file).write_text("\n".join([HEADS[table], *rows]) + "\n")


def asked(logs: Path, state: Path) -> ScoreRequest:
    return ScoreRequest(logs, StateFolder(state), SPAN, END)


def words(logs: Path, state: Path, *more: str) -> list[str]:
    return ["score", str(logs), "--state", str(state), "--as-of", END.isoformat(), "--json", *more]


def results(state: Path) -> dict[str, str]:
    """Job → SHA-256 of its rings; nothing else lies beside the results."""
    folders = [folder for window in (state / "scores").glob("[!.]*") for folder in window.iterdir()]
    assert all((folder / "manifest.json").is_file() for folder in folders), folders
    return {folder.name: sha256((folder / "rings.jsonl").read_bytes()).hexdigest() for folder in folders}


def known_jobs(state: Path) -> list[Job]:
    with Casebook.open(StateFolder(state).casebook, make=False) as book, book.reading() as connection:
        return jobs(connection)


def counted(state: Path, table: str, where: str = "1") -> int:
    with Casebook.open(StateFolder(state).casebook, make=False) as book:
        return int(book.read(f"SELECT count(*) AS n FROM {table} WHERE {where}")[0]["n"])


# Processes are forked from a server that has imported everything once, for that takes longer than they do.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        *("ringfence.pipeline.scoring.score", "ringfence.cli", "ringfence.cli.score", "score_world"),
        *(
            "ibis.backends.duckdb",
            "pyarrow.dataset",
            "safetensors.numpy",
            "ringfence.enforcement.audit.keeping",
        ),
    ]
)


class Process:
    """`ringfence score` at work."""

    def __init__(self, argv: Sequence[str], folder: Path, die_at: tuple[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._said = folder / f"said-{len(list(folder.iterdir()))}"
        self._said.touch()
        self._process: ForkServerProcess = _PROCESSES.Process(
            target=_ringfence, args=(list(argv), str(self._said), die_at)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        """As ``kill -9`` does it."""
        self._process.kill()
        self._process.join()

    def wait(self, seconds: float = 120) -> Said:
        self._process.join(seconds)
        assert self._process.exitcode is not None
        return Said(self._process.exitcode, self._said.read_text())


def _ringfence(argv: list[str], said: str, die_at: tuple[str, str] | None) -> None:
    from ringfence.cli import app
    from ringfence.errors import RingfenceError

    if die_at is not None:
        _die(*die_at)
    text = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            app(argv)
        except SystemExit as end:
            code = int(end.code or 0)
        except RingfenceError as error:
            text.write(str(error))
            code = error.exit_code
    Path(said).write_text(text.getvalue())
    raise SystemExit(code)


def _die(when: str, step: str) -> None:
    """Let this process be killed right before or after the step of a job."""
    from ringfence.pipeline.scoring.score import _Job

    take = _Job._step

    def fatal(self: _Job, to: Any) -> None:
        if to == step and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        take(self, to)
        if to == step and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    _Job._step = fatal  # type: ignore[method-assign]
