"""Options and openings that all commands on a state folder share."""

from __future__ import annotations

import getpass
import os
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
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container, a user need not have a name.
        return f"user {os.getuid()}"


def _named(by: str) -> str:
    """Refuse a name in which nothing can be seen: nobody decides, and nobody is no second person."""
    if not any(sign.isprintable() and not sign.isspace() for sign in by):
        raise typer.BadParameter("A name is needed.")
    return by.strip()


ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        envvar=USER_ENVIRONMENT,
        default_factory=_user,
        callback=_named,
        show_default="your login name",
        help="Who does this; goes into the audit log.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Version = Annotated[
    int | None,
    typer.Option("--version", help="Of the ring as you read it; refused if it has changed since.", min=1),
]


def open_casebook(state: Path, *, make: bool = False, sign: bool = True) -> Casebook:
    """Open the casebook of a state folder; what a command adds to the audit log is signed when it ends.

    Args:
        state: The folder.
        make: Whether to make the casebook where there is none.
        sign: Whether to make a checkpoint at the end where the log has grown; off for what only looks.

    Raises:
        UnknownCaseError: there is none, and it is not to be made.
        CasebookError: it cannot be opened.
    """
    from ringfence.cli.say import warn
    from ringfence.enforcement.audit.keeping import COPIES_ENVIRONMENT, open_signing
    from ringfence.enforcement.casebook.database import Casebook

    if not sign:
        return Casebook.open(StateFolder(state).casebook, make=make)
    named = os.environ.get(COPIES_ENVIRONMENT)
    return open_signing(StateFolder(state), make=make, copies=Path(named) if named else None, tell=warn)
