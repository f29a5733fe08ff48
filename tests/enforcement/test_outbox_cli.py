"""``ringfence outbox``: what a person sees and does, with a real casebook and a real receiver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flaky_receiver import FlakyReceiver
from outbox_samples import SECRET, a_ring, fill, order_on
from typer.testing import CliRunner, Result

from ringfence.cli import app
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.sinks.open import open_sinks
from ringfence.errors import NotAllowedError, UnknownCaseError, UsageError
from ringfence.state import StateFolder

VARIABLE = "RINGFENCE_TEST_SECRET"


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def receiver(tmp_path: Path, folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlakyReceiver]:
    monkeypatch.setenv(VARIABLE, SECRET)
    with FlakyReceiver(tmp_path / "inbox.db", [SECRET], lambda _key, _before: "fine") as running:
        folder.root.mkdir(parents=True)
        folder.sinks.write_text(
            f'[sinks.bans]\nkind = "webhook"\nurl = "{running.url}"\nallow_private = true\n'
            f'secret_env = "{VARIABLE}"\n'
        )
        yield running


@pytest.fixture
def ordered(folder: StateFolder, receiver: FlakyReceiver) -> StateFolder:
    """Two orders on a ring wait for the sink."""
    sinks = open_sinks(folder.sinks)
    with Casebook.open(folder.casebook) as book:
        found = a_ring(book)
        with book.writing("ada") as writing:
            order_on(writing, found, (0, 1), sinks)
            order_on(writing, found, (2, 3), sinks)
    for sink in sinks.values():
        sink.close()
    return folder


def said(folder: StateFolder, *words: str) -> Result:
    result = CliRunner().invoke(app, ["outbox", *words, "--state", str(folder.root)])
    assert result.exception is None, result.output
    return result


def told(folder: StateFolder, *words: str) -> Any:
    return json.loads(said(folder, *words, "--json").stdout)


def refused(folder: StateFolder, *words: str) -> BaseException:
    result = CliRunner().invoke(app, ["outbox", *words, "--state", str(folder.root)])
    assert result.exception is not None, result.output
    return result.exception


def test_from_waiting_to_delivered(ordered: StateFolder, receiver: FlakyReceiver) -> None:
    (before,) = told(ordered, "status")
    assert (before["sink"], before["waiting"], before["due"], before["known"]) == ("bans", 2, 1, True)
    assert told(ordered, "deliver", "--dry-run") == [{"sink": "bans", "due": 1, "waiting": 2}]
    assert "1 would go now" in said(ordered, "deliver", "--dry-run").stdout
    assert receiver.lines == []

    assert said(ordered, "deliver").stdout == "2 delivered.\n"
    assert said(ordered, "deliver").stdout == "Nothing is due.\n"
    assert told(ordered, "deliver")["delivered"] == 0
    assert len(receiver.lines) == 2
    assert "delivered" in said(ordered, "status").stdout


def test_a_dead_letter_and_the_way_back(ordered: StateFolder, receiver: FlakyReceiver) -> None:
    receiver.decide = lambda _key, _before: "400"
    result = said(ordered, "deliver")
    assert "1 dead" in result.stdout
    assert "answered 400" in result.stderr
    assert "answered 400" in said(ordered, "status").stdout

    looked = told(ordered, "retry", "--all", "--dry-run")
    (key,) = looked["put_back"]
    assert (looked["stay"], looked["dry_run"]) == ([], True)
    assert told(ordered, "retry", key, "--dry-run")["put_back"] == [key]
    assert said(ordered, "retry", "--all", "--dry-run").stdout == "1 would be put back.\n"
    assert said(ordered, "retry", "--all", "--sink", "bans").stdout == "1 put back.\n"
    receiver.decide = lambda _key, _before: "fine"
    assert said(ordered, "deliver").stdout == "2 delivered.\n"
    assert isinstance(refused(ordered, "retry", key), NotAllowedError)


def test_one_dead_letter_and_those_that_must_stay(ordered: StateFolder, receiver: FlakyReceiver) -> None:
    receiver.decide = lambda _key, _before: "400"
    said(ordered, "deliver")
    (key,) = told(ordered, "retry", "--all", "--dry-run")["put_back"]
    with Casebook.open(ordered.casebook) as book, book.writing("test") as writing:
        writing.execute("UPDATE exports SET status = 'delivered' WHERE number = 2")

    result = said(ordered, "retry", "--all")
    assert result.stdout == "0 put back.\n"
    assert result.stderr.startswith("1 stay: later events of their rings went out already.")
    assert key in result.stderr
    with Casebook.open(ordered.casebook) as book, book.writing("test") as writing:
        writing.execute("UPDATE exports SET status = 'waiting' WHERE number = 2")
    assert told(ordered, "retry", key) == {"put_back": [key], "stay": [], "dry_run": False}


@pytest.mark.parametrize("words", [[], ["KEY", "--all"], ["KEY", "--sink", "bans"]])
def test_retry_takes_one_key_or_all(ordered: StateFolder, words: list[str]) -> None:
    assert isinstance(refused(ordered, "retry", *words), UsageError)


def test_a_halted_sink_and_its_return(ordered: StateFolder, receiver: FlakyReceiver) -> None:
    receiver.decide = lambda _key, _before: "410"
    result = said(ordered, "deliver")
    assert "bans is halted" in result.stderr
    assert "halted" in said(ordered, "status").stdout

    assert said(ordered, "resume", "bans").stdout == "bans goes on; 2 wait for it.\n"
    assert isinstance(refused(ordered, "resume", "bans"), UnknownCaseError)
    said(ordered, "deliver")
    assert told(ordered, "resume", "bans") == {"sink": "bans", "waiting": 2}


@pytest.mark.usefixtures("receiver")
def test_a_sink_that_is_not_there(ordered: StateFolder) -> None:
    assert "Did you mean 'bans'" in str(refused(ordered, "deliver", "--sink", "ban"))
    said(ordered, "deliver", "--sink", "bans")


@pytest.mark.usefixtures("receiver")
def test_exports_to_a_sink_that_was_taken_out_are_told(ordered: StateFolder) -> None:
    ordered.sinks.unlink()

    result = said(ordered, "deliver")
    assert "wait for bans" in result.stderr
    assert "not in the sinks file" in said(ordered, "status").stdout
    assert "names no sink" in said(ordered, "deliver", "--dry-run").stdout


def test_an_empty_outbox_is_told(folder: StateFolder) -> None:
    assert isinstance(refused(folder, "status"), UnknownCaseError)
    Casebook.open(folder.casebook).close()
    assert "names no sink" in said(folder, "status").stdout


def test_a_dry_run_does_not_watch(ordered: StateFolder) -> None:
    assert isinstance(refused(ordered, "deliver", "--dry-run", "--watch", "1"), UsageError)


def test_many_have_a_bar(folder: StateFolder, receiver: FlakyReceiver) -> None:
    sinks = open_sinks(folder.sinks)
    with Casebook.open(folder.casebook) as book:
        fill(book, sinks, rings=50, events=4)
    for sink in sinks.values():
        sink.close()

    result = said(folder, "deliver")
    assert result.stdout == "200 delivered.\n"
    assert "Delivering" in result.stderr
    assert len(receiver.lines) == 200


def test_watching_goes_on_until_it_is_told_to_stop(ordered: StateFolder, receiver: FlakyReceiver) -> None:
    command = [sys.executable, "-c", "from ringfence.cli import main; main()", "outbox", "deliver"]
    command += ["--watch", "0.1", "--json", "--state", str(ordered.root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["delivered"] == 2
        sinks = open_sinks(ordered.sinks)
        with Casebook.open(ordered.casebook) as book:
            found = a_ring(book, "R-2")
            with book.writing("ada") as writing:
                order_on(writing, found, (0,), sinks)
        for sink in sinks.values():
            sink.close()
        assert json.loads(process.stdout.readline())["delivered"] == 1
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
    assert len(receiver.lines) == 3
