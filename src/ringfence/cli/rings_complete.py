"""What a shell proposes where a ring or a state is to be named; it reads the casebook of RINGFENCE_STATE."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ringfence.state import ENVIRONMENT, StateFolder


def ring_ids(incomplete: str) -> list[tuple[str, str]]:
    """Return the rings whose ids begin so, with their states; none where there is no casebook."""
    from ringfence.enforcement.casebook.cases import cases
    from ringfence.enforcement.casebook.database import Casebook
    from ringfence.errors import EnforcementError

    named = os.environ.get(ENVIRONMENT)
    if not named:
        return []
    try:
        with (
            Casebook.open(StateFolder(Path(named)).casebook, make=False, patience=0.5) as book,
            book.reading() as connection,
        ):
            known = cases(connection, merged=True)
    except EnforcementError:
        # A shell that waits for a proposal is no place for a message.
        return []
    return [
        (one.ring_id, f"{one.state}, {one.size:,} accounts")
        for one in known
        if one.ring_id.startswith(incomplete)
    ]


def states(incomplete: str) -> list[str]:
    """Return the states that begin so."""
    from ringfence.enforcement.casebook.life import State

    return [state for state in State if state.startswith(incomplete)]


def verdicts(incomplete: str) -> list[str]:
    """Return the verdicts that begin so."""
    from ringfence.enforcement.casebook.life import Verdict

    return [verdict for verdict in Verdict if verdict.startswith(incomplete)]


RingArgument = Annotated[
    str,
    typer.Argument(
        metavar="RING", help="A ring id that `ringfence rings list` shows.", autocompletion=ring_ids
    ),
]
