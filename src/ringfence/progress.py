"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Tick = Callable[[float], None]
"""Called with the share of a stage that is done, 0..1."""


def silent(_share: float) -> None:
    """Tell nobody."""


class Display(Protocol):
    """Shows the stages of a run."""

    def stage(self, title: str) -> AbstractContextManager[Tick]:
        """Open a stage."""
        ...


class QuietDisplay:
    """Shows nothing."""

    @contextmanager
    def stage(self, title: str) -> Iterator[Tick]:
        """Open a stage that tells nobody."""
        yield silent


class BarDisplay:
    """A progress bar a stage, on standard error."""

    @contextmanager
    def stage(self, title: str) -> Iterator[Tick]:
        """Open a stage with a bar of its own, which stays as a line with its time when done."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<28}"),
            BarColumn(24),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(title, total=1.0)

            def tick(share: float) -> None:
                bars.update(task, completed=min(share, 1.0))

            yield tick
            bars.update(task, completed=1.0)
