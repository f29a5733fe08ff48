"""Processes of our own that outlive us: started apart, known again by pid and time of creation."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started, told from any later one that gets its pid."""

    pid: int
    created: float
    """Seconds since the epoch, as the system counts them."""


def start(command: list[str], log: Path) -> Started:
    """Start a process in a session of its own, so that it survives us and no Ctrl-C reaches it.

    Args:
        command: program and arguments.
        log: file that takes what it prints, anew.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=log.parent,
        )
    # It is meant to run on: a Popen that knows no result would warn when it is collected.
    child.returncode = 0
    return Started(child.pid, psutil.Process(child.pid).create_time())


def alive(started: Started) -> bool:
    """Return whether that very process still runs."""
    return _find(started) is not None


def stop(started: Started, *, patience: float) -> None:
    """End the process: politely, and after ``patience`` seconds by force. Does nothing where it has ended."""
    process = _find(started)
    if process is None:
        return
    try:
        process.terminate()
        process.wait(patience)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(patience)
    except psutil.NoSuchProcess:
        return


def _find(started: Started) -> psutil.Process | None:
    try:
        process = psutil.Process(started.pid)
        same = abs(process.create_time() - started.created) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
