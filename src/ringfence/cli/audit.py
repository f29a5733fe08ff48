"""``ringfence audit``: the log of everything that was decided, its checkpoints, and proofs from it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.say import printable, say_rows, warn
from ringfence.cli.state import AsJson, ByOption, OptionalState, StateOption, open_casebook
from ringfence.errors import AuditError, UsageError
from ringfence.state import StateFolder

if TYPE_CHECKING:
    from ringfence.enforcement.audit.log import Entry
    from ringfence.enforcement.audit.verify import Verified
    from ringfence.enforcement.keys import PublicKey

app = typer.Typer(
    help="Read, sign and check the log of everything that was decided.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Key = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="PEM", help="Public key that must have signed; from elsewhere, if it can be."
    ),
]


@app.command()
def checkpoint(
    state: StateOption,
    copy_to: Annotated[
        Path | None,
        typer.Option(
            envvar="RINGFENCE_CHECKPOINTS",
            metavar="DIR",
            help="Folder for a copy, best on another machine: nobody here can rewrite that.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign where the log stands. Every command that adds to it does so, too, when it ends."""
    from ringfence.enforcement.audit.keeping import keep_checkpoint

    with open_casebook(state) as book, book.writing("checkpoint") as writing:
        made = keep_checkpoint(writing, StateFolder(state), copies=copy_to)
    if as_json:
        typer.echo(json.dumps({"size": made.size, "root": made.root.hex(), "note": made.note}))
    else:
        typer.echo(made.note, nl=False)


@app.command()
def verify(
    state: OptionalState = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Checkpoint kept elsewhere, or a folder of them; several times."),
    ] = None,
    key: Key = None,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check this proof instead; needs no state with --key.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the log against its checkpoints, and verdicts, orders and exports against the log."""
    pinned = public_key(key)
    if proof is not None:
        _verify_proof(proof, state, pinned, as_json=as_json)
        return
    if state is None:
        raise UsageError("Name the state folder: --state DIR.")
    from ringfence.enforcement.audit import steps

    with open_casebook(state, sign=False) as book:
        verified = steps.verify(book, StateFolder(state), checkpoint or (), pinned)
    if as_json:
        typer.echo(json.dumps({"ok": not verified.faults, **asdict(verified)}))
    else:
        _say_verified(verified)
        if pinned is None and not checkpoint:
            warn(
                "Checked against this folder's own checkpoints and keys, which whoever can write to it could "
                "have made anew. What was kept elsewhere shows it: --checkpoint FILE, or --key PEM."
            )
    if verified.faults:
        more = f" and {len(verified.faults) - 1} more" if len(verified.faults) > 1 else ""
        raise AuditError(f"The audit log does not hold: {printable(verified.faults[0])}{more}")


def _say_verified(verified: Verified) -> None:
    for fault in verified.faults[:20]:
        warn(f"- {printable(fault)}")
    for remark in verified.remarks:
        warn(remark)
    keys = f", signed by key {', '.join(verified.keys)}" if verified.keys else ""
    typer.echo(
        f"{verified.entries:,} entries; {verified.checkpoints:,} checkpoints. "
        f"Those that hold cover the first {verified.covered:,}{keys}."
    )
    if verified.faults:
        return
    if verified.covered:
        typer.echo("Nothing was changed, deleted, moved or cut off there.")
    typer.echo("Verdicts, orders and exports are what the log says.")


def _verify_proof(file: Path, state: Path | None, pinned: PublicKey | None, *, as_json: bool) -> None:
    from ringfence.enforcement.audit.proofs import check_document
    from ringfence.enforcement.keys import KeyFolder, by_id

    if pinned is None and state is None:
        raise UsageError("Name the key that signed, --key PEM, or the state folder that has it, --state DIR.")
    keys = by_id([pinned]) if pinned else KeyFolder(StateFolder(state or Path()).keys).known()
    said = check_document(_read_json(file), keys)
    typer.echo(json.dumps({"ok": True, "shows": said}) if as_json else "\n".join(said))


@app.command()
def log(
    state: StateOption,
    ring: Annotated[str | None, typer.Option(metavar="RING", help="Only entries about this ring.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only entries from this time on, such as 2026-03-01.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was decided, done and asked, by whom and when."""
    from ringfence.enforcement.audit.log import entries_about
    from ringfence.enforcement.casebook.database import stamp

    start = None if since is None else stamp(_time(since))
    with open_casebook(state, sign=False) as book, book.reading() as connection:
        found = list(entries_about(connection, ring, since=start))
    if as_json:
        typer.echo(
            json.dumps(
                [{"place": one.place, **one.content} for one in found], ensure_ascii=False, indent=None
            )
        )
        return
    heading = ("place", "at", "by", "what", "ring", "details")
    say_rows(f"{len(found):,} entries", [heading, *map(_row, found)])


def _row(entry: Entry) -> tuple[str, ...]:
    said = dict(entry.content)
    first = [str(said.pop(name, None) or "") for name in ("at", "by", "what", "ring_id")]
    details = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in said.items())
    return tuple(printable(cell) for cell in (str(entry.place), *first, details))


@app.command()
def prove(
    state: StateOption,
    place: Annotated[
        int | None, typer.Argument(metavar="[PLACE]", help="Of the entry, as `ringfence audit log` shows it.")
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A checkpoint: prove that the log has only grown since."),
    ] = None,
) -> None:
    """Print a proof as JSON: that an entry is in the log, or that the log has only grown.

    Check it with `ringfence audit verify --proof FILE --key PEM`, anywhere.
    """
    from ringfence.enforcement.audit import steps

    if (place is None) == (since is None):
        raise UsageError("Name the place of an entry, or a checkpoint with --since FILE.")
    folder = StateFolder(state)
    with open_casebook(state, sign=False) as book:
        if since is not None:
            document = steps.prove_growth(book, folder, steps.read_copies(since)[-1].checkpoint)
        else:
            assert place is not None
            document = steps.prove_entry(book, folder, place)
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))


@app.command("rotate-key")
def rotate_key(
    state: StateOption,
    reason: Annotated[str, typer.Option(help="Why; goes into the log.")],
    by: ByOption,
    as_json: AsJson = False,
) -> None:
    """Let a new key sign from now on; the old one vouches for it, and what it signed stays checkable."""
    from ringfence.enforcement.audit import steps

    with open_casebook(state) as book:
        old, new = steps.change_key(book, StateFolder(state), by, reason)
    if as_json:
        typer.echo(json.dumps({"was": old.key_id, "key": new.key_id}))
    else:
        typer.echo(
            f"Key {new.key_id} signs from now on. Give {StateFolder(state).keys}/public-{new.key_id}.pem"
        )
        typer.echo(f"to whoever has that of {old.key_id}.")


def public_key(path: Path | None) -> PublicKey | None:
    """Return the key that a file holds; None where no file is named.

    Raises:
        AuditError: it holds none.
    """
    if path is None:
        return None
    from ringfence.enforcement.keys import PublicKey

    try:
        return PublicKey.from_pem(path.read_bytes(), str(path))
    except OSError as error:
        raise AuditError(f"{path}: {error.strerror or error}.") from error


def _read_json(path: Path) -> dict[str, Any]:
    from ringfence.files import parse_json

    try:
        document = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AuditError(f"{path} cannot be read as a proof.") from error
    if not isinstance(document, dict):
        raise AuditError(f"{path} holds no proof.")
    return document


def _time(text: str) -> Any:
    from datetime import UTC, datetime

    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--since {text!r} is no time. Write it like 2026-03-01T12:00:00Z.") from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)
