"""Options and openings that all commands on a state folder share."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.state import ENVIRONMENT, StateFolder

if TYPE_CHECKING:
    from ringfence.enforcement.casebook.database import Casebook

USER_ENVIRONMENT = "RINGFENCE_USER"

StateOption = Annotated[
    Path,
    typer.Option(
        "--state", envvar=ENVIRONMENT, metavar="DIR", help="Folder of the casebook, policy and keys."
    ),
]
OptionalState = Annotated[
    Path | None,
    typer.Option(
        "--state", envvar=ENVIRONMENT, metavar="DIR", help="Folder of the casebook, policy and keys."
    ),
]


def _user() -> str:
    return getpass.getuser()


ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        envvar=USER_ENVIRONMENT,
        default_factory=_user,
        show_default="your login name",
        help="Who does this; goes into the audit log.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Version = Annotated[
    int | None,
    typer.Option("--version", help="Of the ring as you read it; refused if it has changed since.", min=1),
]


def open_casebook(state: Path, *, make: bool = False) -> Casebook:
    """Open the casebook of a state folder.

    Raises:
        UnknownCaseError: there is none, and it is not to be made.
        CasebookError: it cannot be opened.
    """
    from ringfence.enforcement.casebook.database import Casebook

    return Casebook.open(StateFolder(state).casebook, make=make)
