"""What the commands of ``ringfence rings`` that write share: the sinks, and a step that may only be tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ringfence.state import StateFolder

if TYPE_CHECKING:
    from ringfence.enforcement.casebook.database import Casebook, Writing
    from ringfence.enforcement.sinks.protocol import Sink


class _NotKeptError(Exception):
    """Ends a transaction that was only tried."""


@contextmanager
def step(book: Casebook, by: str, *, dry_run: bool) -> Iterator[Writing]:
    """Yield a transaction; of a dry run, nothing is kept."""
    with suppress(_NotKeptError), book.writing(by) as writing:
        yield writing
        if dry_run:
            raise _NotKeptError


@contextmanager
def place(state: Path, *, dry_run: bool) -> Iterator[Path]:
    """Yield the state folder, or one that passes where a dry run would have to make it."""
    if not dry_run or StateFolder(state).casebook.is_file():
        yield state
        return
    with TemporaryDirectory() as passing:
        yield Path(passing)


@contextmanager
def sinks_of(state: Path) -> Iterator[Mapping[str, Sink]]:
    """Yield the sinks of a state folder, and close them."""
    from ringfence.enforcement.sinks.open import open_sinks

    with ExitStack() as stack:
        opened = open_sinks(StateFolder(state).sinks)
        for sink in opened.values():
            stack.callback(sink.close)
        yield opened
