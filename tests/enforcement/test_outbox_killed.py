"""Real senders, killed at random moments, and a receiver that fails: nothing lost, nothing applied twice.

``RINGFENCE_SOAK`` runs 1,000 events with 40 kills; otherwise 40 with 4.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flaky_receiver import CLIENT_TIMEOUT
from outbox_samples import SECRET, fill

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.sinks.open import open_sinks
from ringfence.state import StateFolder

HERE = Path(__file__).parent
SECRET_VARIABLE = "RINGFENCE_TEST_SECRET"
SOAK = bool(os.environ.get("RINGFENCE_SOAK"))
RINGS, EVENTS, KILLS, SEED = (50, 20, 40, 20260301) if SOAK else (8, 5, 4, 20260301)
LEASE = 1.0
"""Seconds: what a killed sender had in hand comes free soon."""


@contextmanager
def receiving(folder: Path, name: str, *options: str) -> Iterator[int]:
    """Run a receiver in a process of its own; yield its port."""
    command = [sys.executable, HERE / "flaky_receiver.py", "--log", folder / f"{name}.jsonl"]
    command += ["--inbox", folder / f"{name}.db", "--secret-env", SECRET_VARIABLE, *options]
    environment = {**os.environ, SECRET_VARIABLE: SECRET}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


@contextmanager
def sending(state: StateFolder, lease: float = LEASE) -> Iterator[subprocess.Popen[str]]:
    """Run a sender in a process of its own; it is ready, and begins when it is told to."""
    command = [sys.executable, HERE / "outbox_sender.py", state.root, str(lease)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def begin(*senders: subprocess.Popen[str]) -> None:
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")


def write_sinks(state: StateFolder, **ports: int) -> None:
    state.sinks.parent.mkdir(parents=True, exist_ok=True)
    state.sinks.write_text(
        "".join(
            f'[sinks.{name}]\nkind = "webhook"\nurl = "http://127.0.0.1:{port}/hook"\nallow_private = true\n'
            f'secret_env = "{SECRET_VARIABLE}"\ntimeout = {CLIENT_TIMEOUT}\n'
            for name, port in ports.items()
        )
    )


def filled(state: StateFolder, rings: int, events: int) -> int:
    sinks = open_sinks(state.sinks)
    with Casebook.open(state.casebook) as book:
        made = fill(book, sinks, rings, events)
    for sink in sinks.values():
        sink.close()
    return made


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_senders_die_and_the_receiver_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    state, draw = StateFolder(tmp_path / "state"), Random(SEED)
    taken: set[tuple[str, str]] = set()
    with (
        receiving(tmp_path, "honours", "--seed", str(SEED)) as honours,
        receiving(tmp_path, "ignores", "--seed", str(SEED + 1), "--ignore-keys") as ignores,
    ):
        write_sinks(state, honours=honours, ignores=ignores)
        events = filled(state, RINGS, EVENTS)
        for _kill in range(KILLS):
            with sending(state) as sender:
                begin(sender)
                time.sleep(draw.uniform(0, 0.25))
                sender.kill()
            with Casebook.open(state.casebook) as book:
                rows = book.read("SELECT key, leased_by FROM exports WHERE leased_until IS NOT NULL")
                taken |= {(row["key"], row["leased_by"]) for row in rows}
        with sending(state) as sender:
            begin(sender)
            sender.communicate(timeout=600)
            assert sender.returncode == 0

    with Casebook.open(state.casebook) as book:
        exports = {row["key"]: row for row in book.read("SELECT * FROM exports")}
    in_hand = Counter(key for key, _sender in taken)
    assert len(exports) == 2 * events
    assert {row["status"] for row in exports.values()} == {"delivered"}
    for name in ("honours", "ignores"):
        lines = lines_of(tmp_path / f"{name}.jsonl")
        assert {line["key"] for line in lines if "cut" in line} <= in_hand.keys()
        lines = [line for line in lines if "cut" not in line]
        assert_as_promised(lines, keys_to(exports, name), exports)
        applied = Counter(line["key"] for line in lines if line["applied"])
        lost = Counter(line["key"] for line in lines if line["fault"] in ("lost", "late"))
        twice = sum(times - 1 for times in applied.values())
        print(
            f"receiver that {name} keys: {events:,} events, {KILLS} kills with "
            f"{sum(in_hand[key] for key in keys_to(exports, name)):,} exports in hand, "
            f"{len(lines):,} requests, {sum(line['fault'] != 'fine' for line in lines):,} faults "
            f"({lost.total():,} replies lost): {len(applied.keys() ^ keys_to(exports, name)):,} lost, "
            f"{twice:,} applied again"
        )
        if name == "honours":
            assert set(applied.values()) == {1}
        else:
            assert max(applied.values()) > 1, "the seed loses no reply: this test shows nothing"
            assert all(times - 1 <= lost[key] + in_hand[key] for key, times in applied.items())


def keys_to(exports: dict[str, Any], sink: str) -> set[str]:
    return {key for key, row in exports.items() if row["sink"] == sink}


def assert_as_promised(lines: list[dict[str, Any]], keys: set[str], exports: dict[str, Any]) -> None:
    """Everything arrived and was verified; one key is one body; no ring's events overtook each other."""
    assert {line["key"] for line in lines if line["applied"]} == keys
    assert not any("rejected" in line for line in lines)
    assert {line["path"] for line in lines} == {"/hook"}, "a redirect was followed"
    assert {(line["key"], line["digest"]) for line in lines} == {
        (key, exports[key]["digest"]) for key in keys
    }
    versions = defaultdict(list)
    for line in lines:
        versions[line["ring"]].append(line["version"])
    assert all(told == sorted(told) for told in versions.values())


def test_two_senders_at_once_send_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    state = StateFolder(tmp_path / "state")
    with receiving(tmp_path, "log", "--honest", "--ignore-keys") as port:
        write_sinks(state, log=port)
        # More rings than one sender has in hand at once.
        events = filled(state, 40, 25 if SOAK else 2)
        with sending(state, lease=120) as one, sending(state, lease=120) as other:
            begin(one, other)
            delivered = [int(process.communicate(timeout=600)[0]) for process in (one, other)]

    lines = lines_of(tmp_path / "log.jsonl")
    assert len(lines) == sum(delivered) == events
    assert len({line["key"] for line in lines}) == events
    assert all(delivered), "one sender did it all: this test shows nothing"
