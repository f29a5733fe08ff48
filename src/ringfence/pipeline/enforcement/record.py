"""A finished run goes into the casebook, and whoever was told of a ring learns its new ids."""

from __future__ import annotations

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.reading import FinishedRun
from ringfence.enforcement.casebook.record import Recorded, record_run
from ringfence.enforcement.supersede import Announced, announce
from ringfence.pipeline.enforcement.enforce import opened_sinks
from ringfence.state import StateFolder


def record_and_announce(
    state: StateFolder, book: Casebook, run: FinishedRun, by: str
) -> tuple[Recorded, Announced]:
    """Record a run and announce what merged or split, in one transaction. No order follows.

    Raises:
        PolicyError: the sinks file is off; nothing was recorded.
        CasebookError: the casebook is locked, full or damaged; nothing was recorded.
    """
    with opened_sinks(state) as sinks, book.writing(by) as writing:
        recorded = record_run(writing, run)
        return recorded, announce(writing, recorded, sinks)
