"""kill -9 before any statement of a decision: afterwards all of it is there, or nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from case_samples import accounts, confirmed, recorded, ring, run_of, targets_of
from enforce_samples import PlainSink

from ringfence.enforcement.appeals.intake import Appeal, Outcome, hear
from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.casework import decide
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Request
from ringfence.enforcement.supersede import announce
from ringfence.records import Action

RING = ring("R-1", accounts(4), ["flatmate"])
OTHER = ring("R-2", accounts(4, "other"))
HOOKS = {"one": PlainSink("one"), "two": PlainSink("two")}


def _order(writing: Writing) -> None:
    decide(writing, "R-1", Verdict.CONFIRMED, "Same cards.", HOOKS)
    place(writing, Request("R-1", Action.SUSPEND, targets_of(RING), "Same cards."), HOOKS)


def _let_off(writing: Writing) -> None:
    decide(writing, "R-2", Verdict.REJECTED, "A family.", HOOKS)


def _appeal(writing: Writing) -> None:
    hear(writing, Appeal("A-1", "other_00001", writing.now, "It was my brother.", Outcome.UPHELD), HOOKS)


def _merge(writing: Writing) -> None:
    both = ring("R-9", [*accounts(4), *accounts(4, "other")])
    announce(writing, record_run(writing, run_of(both, name="run-9")), HOOKS)


STEPS = {"order": _order, "let off": _let_off, "appeal": _appeal, "merge": _merge}
LEAST = {"order": 25, "let off": 25, "appeal": 25, "merge": 25}
"""Statements that a step takes at least: a step that did nothing would pass."""


def before(path: Path) -> None:
    """R-1 is new; R-2 is enforced at both sinks, and the first of them has it."""
    with Casebook.open(path) as book:
        recorded(book, RING)
        confirmed(book, OTHER)
        with book.writing("ada") as writing:
            place(writing, Request("R-2", Action.BAN, targets_of(OTHER), "Same cards."), HOOKS)
            writing.execute("UPDATE exports SET status = 'delivered', attempts = 1 WHERE sink = 'one'")


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of a sound casebook."""
    with Casebook.open(path) as book:
        assert book.read("PRAGMA integrity_check")[0][0] == "ok"
        assert book.read("PRAGMA foreign_key_check") == []
        tables = [row["name"] for row in book.read("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: [tuple(row) for row in book.read(f"SELECT * FROM {name}")] for name in tables}


def take(path: Path, step: str, last: int) -> int:
    """Take a step, and kill this process before statement ``last``; return how many there were.

    Each statement, BEGIN and COMMIT among them, is told to the callback before it is carried out.
    """
    seen = 0

    def count(_statement: str) -> None:
        nonlocal seen
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)

    with Casebook.open(path) as book:
        book._connection.set_trace_callback(count)
        with book.writing("ada") as writing:
            STEPS[step](writing)
        book._connection.set_trace_callback(None)
        if last < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return seen


def killed(path: Path, step: str, last: int) -> Path:
    """Take a step on a copy of the casebook in another process that kills itself; return the copy."""
    copy = path.with_name(f"{path.stem}-{last}.db")
    shutil.copyfile(path, copy)
    child = os.fork()
    if child == 0:
        take(copy, step, last)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{step}: not killed before statement {last}"
    assert os.WTERMSIG(status) == signal.SIGKILL
    return copy


def sweep(folder: Path, step: str) -> None:
    """Kill before every statement, and right after the commit; print what was seen."""
    first, whole = folder / "first.db", folder / "whole.db"
    before(first)
    nothing = contents(first)
    shutil.copyfile(first, whole)
    statements = take(whole, step, 0)
    for last in range(1, statements + 1):
        left = contents(killed(first, step, last))
        assert left == nothing, f"{step}: part of it is there, killed before statement {last}"
    sizes = {name: len(rows) for name, rows in contents(whole).items()}
    kept = {name: len(rows) for name, rows in contents(killed(first, step, -1)).items()}
    assert kept == sizes, f"{step}: killed right after the commit, something is gone"
    more = [name for name, rows in nothing.items() if len(rows) < sizes[name]]
    print(json.dumps({"statements": statements, "more": sorted(more)}))


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_before_any_statement_leaves_all_or_nothing(step: str, tmp_path: Path) -> None:
    # A process of its own forks: this one may have threads.
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path), step], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["statements"] >= LEAST[step]
    assert {"audit", "events", "exports"} <= set(said["more"])


if __name__ == "__main__":
    sweep(Path(sys.argv[1]), sys.argv[2])
