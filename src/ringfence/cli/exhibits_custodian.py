"""``ringfence exhibits custodian``: people whose keys open exhibits for others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.say import say_rows
from ringfence.cli.state import AsJson, ByOption, StateOption, open_casebook
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.enforcement.exhibits.custodians import Custodian

PASSPHRASE_ENVIRONMENT = "RINGFENCE_CUSTODIAN_PASSPHRASE"  # noqa: S105  (a name, not a secret)

app = typer.Typer(
    help="People whose keys open exhibits for others.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who; the name that they act under (--by).")],
    state: StateOption,
    by: ByOption,
    key: Annotated[
        Path | None,
        typer.Option(help="New file for the private key; theirs to keep, outside of the state folder."),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="Public key (PEM, X25519) of a pair that they have made themselves.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key pair for a custodian, or take the public key that they send.

    Whoever adds a custodian may have kept the key, so that custodian unlocks nothing that they ask for.
    The passphrase of a private key is asked for, or read from RINGFENCE_CUSTODIAN_PASSPHRASE.
    """
    from ringfence.enforcement.exhibits.custodians import add_custodian, make_key, read_public_key

    if (key is None) == (public_key is None):
        raise UsageError("Name either --key, a new file for the private key, or --public-key, one they sent.")
    with open_casebook(state) as book:
        if public_key is not None:
            public = read_public_key(public_key)
        else:
            assert key is not None
            check_outside(key, state)
            public = make_key(key, passphrase(new=True))
        try:
            with book.writing(by) as writing:
                added = add_custodian(writing, name, public)
        except BaseException:
            if key is not None:
                key.unlink(missing_ok=True)
            raise
    _say(added, as_json=as_json)
    if key is not None and not as_json:
        typer.echo(
            f"Give {key} to {added.name}, and keep no copy. Without it and its passphrase nothing opens."
        )


@app.command("list")
def list_custodians(state: StateOption, as_json: AsJson = False) -> None:
    """List the custodians with the fingerprints of their keys."""
    from ringfence.enforcement.exhibits.custodians import custodians

    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = custodians(connection)
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False))
    elif not found:
        typer.echo("There is no custodian. `ringfence exhibits custodian add NAME --key FILE` makes one.")
    else:
        rows = [(one.name, one.added_at, one.retired_at or "", one.fingerprint) for one in found]
        say_rows("Custodians", [("name", "since", "retired", "fingerprint (SHA-256)"), *rows])


@app.command()
def retire(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    state: StateOption,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Let a custodian open nothing any more, and seal nothing for them."""
    from ringfence.enforcement.exhibits.custodians import retire_custodian

    with open_casebook(state) as book, book.writing(by) as writing:
        retired = retire_custodian(writing, name, reason)
    _say(retired, as_json=as_json)


def passphrase(*, new: bool) -> str:
    """Return the passphrase of a private key: from the environment, or typed in."""
    named = os.environ.get(PASSPHRASE_ENVIRONMENT)
    if named is not None:
        return named
    typed: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    return typed


def check_outside(path: Path, state: Path) -> None:
    """Refuse a file in the state folder: whoever copies that must not get key or plaintext with it.

    Raises:
        UsageError: it lies in there.
    """
    if state.resolve() in path.resolve().parents:
        raise UsageError(f"{path} lies in the state folder. Name a file elsewhere.")


def _say(custodian: Custodian, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(custodian.as_json(), ensure_ascii=False))
        return
    standing = "retired" if custodian.retired_at else "a custodian"
    typer.echo(f"{custodian.name} is {standing}; key {custodian.fingerprint}.")
