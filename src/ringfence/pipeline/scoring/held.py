"""Holding a window: at most one process scores it, and others can say which."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.jobs.locks import Owner, holds, owner_of, release, renew, take
from ringfence.errors import BusyError, CasebookError, OutputError, StoreUnavailableError
from ringfence.state import StateFolder
from ringfence.stores.mutex import mutex

LEASE = timedelta(minutes=2)
"""How long another machine waits for a sign of life before it takes over."""

_BY = "score"
_LOOK_AGAIN_SECONDS = 0.5


class Hold:
    """A lock that this process has, and renews while it lives."""

    def __init__(self, state: StateFolder, owner: Owner) -> None:
        self._state, self._owner = state, owner
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def check(self, writing: Writing) -> None:
        """Make sure, within a transaction, that the lock is still ours: what follows is then ours to write.

        Raises:
            BusyError: another process has taken it over.
        """
        if not holds(writing, self._owner):
            found = owner_of(writing.connection, self._owner.name)
            raise BusyError(
                f"This window was taken over by {found or 'another process'}, since no sign of life had come "
                f"from here for {LEASE.seconds} s. Nothing more is done here."
            )

    def start(self) -> None:
        """Renew from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more."""
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._over.wait(LEASE.total_seconds() / 4):
            try:
                with Casebook.open(self._state.casebook) as book, book.writing(_BY) as writing:
                    if not renew(writing, self._owner, LEASE):
                        return
            except CasebookError:
                # The lease lasts four times as long; `check` has the last word.
                continue


@contextmanager
def held(state: StateFolder, name: str, wait: float) -> Iterator[Hold]:
    """Hold a lock during the block.

    On one machine the system tells at once when an owner has died: its file lock is gone. On others that
    share the folder, the owner's lease must have run out.

    Args:
        state: Where the casebook and the lock files are.
        name: What to lock.
        wait: Seconds to wait for another owner.

    Raises:
        BusyError: another process has it for longer.
        OutputError: the lock file cannot be written.
        CasebookError: the casebook cannot be written.
    """
    until = time.monotonic() + wait
    with ExitStack() as stack:
        try:
            # Results name accounts, whatever the process's mask lets others read.
            state.scores.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(mutex(state.scores / ".locks" / f"{name}.lock", timeout=max(wait, 0)))
        except StoreUnavailableError as error:
            raise _busy(state, name, wait) from error
        except (OSError, sqlite3.Error) as error:
            raise OutputError(f"Cannot write {state.scores}: {error}.") from error
        owner = _take(state, name, until)
        if owner is None:
            raise _busy(state, name, wait)
        hold = Hold(state, owner)
        stack.callback(_let_go, state, owner)
        hold.start()
        stack.callback(hold.stop)
        yield hold


def _take(state: StateFolder, name: str, until: float) -> Owner | None:
    while True:
        with Casebook.open(state.casebook) as book, book.writing(_BY) as writing:
            owner = take(writing, name, LEASE)
        if owner is not None or time.monotonic() >= until:
            return owner
        time.sleep(_LOOK_AGAIN_SECONDS)


def _let_go(state: StateFolder, owner: Owner) -> None:
    with Casebook.open(state.casebook) as book, book.writing(_BY) as writing:
        release(writing, owner)


def _busy(state: StateFolder, name: str, wait: float) -> BusyError:
    with Casebook.open(state.casebook) as book, book.reading() as connection:
        owner = owner_of(connection, name)
    who = f"by {owner}" if owner else "by another process"
    waited = f" after {wait:g} s" if wait else ""
    return BusyError(
        f"The window {name} is being scored{waited} {who}. Wait longer with --wait SECONDS, or try again."
    )
