"""``ringfence exhibits``: sample prompts of a ring, sealed for a second person to unlock."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ringfence.cli.exhibits_custodian import app as custodian_app
from ringfence.cli.exhibits_custodian import check_outside, passphrase
from ringfence.cli.say import printable, say_rows, warn
from ringfence.cli.state import AsJson, ByOption, StateOption, open_casebook
from ringfence.errors import OutputError, UsageError

if TYPE_CHECKING:
    from ringfence.enforcement.exhibits.unlock import Opened

app = typer.Typer(
    help="Sample prompts of a ring, sealed for a second person to unlock; off by default.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(custodian_app, name="custodian")

Reason = Annotated[str, typer.Option(help="Why; goes into the audit log.")]
Ring = Annotated[str, typer.Argument(metavar="RING", help="Ring id of the casebook.")]


@app.command()
def enable(state: StateOption, by: ByOption, reason: Reason, as_json: AsJson = False) -> None:
    """Allow that prompts are sealed."""
    _switch(state, by, reason, on=True, as_json=as_json)


@app.command()
def disable(state: StateOption, by: ByOption, reason: Reason, as_json: AsJson = False) -> None:
    """Forbid that prompts are sealed; what is sealed already stays until it expires."""
    _switch(state, by, reason, on=False, as_json=as_json)


@app.command()
def seal(
    ring: Ring,
    logs: Annotated[
        Path, typer.Argument(metavar="LOGS", help="Folder of logs, as `ringfence run` reads it.")
    ],
    state: StateOption,
    by: ByOption,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps tables with other names.")] = None,
    most: Annotated[int, typer.Option(min=1, max=20, help="The most exhibits to take.")] = 20,
    days: Annotated[int, typer.Option(min=1, help="Days that they are kept for.")] = 180,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sealed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Seal sample prompts of a ring's accounts, spread over accounts, wordings and days.

    Bystanders' and cleared accounts' prompts are never taken. No prompt is written to disk in the clear.
    """
    from ringfence.cli.run import display
    from ringfence.pipeline.enforcement.exhibits import SealRequest, preview, seal_exhibits

    _no_core_dumps()
    request = SealRequest(ring, logs, mapping, most, days)
    with open_casebook(state) as book, display().stage("Read prompts") as tick:
        said = (preview(book, request, tick) if dry_run else seal_exhibits(book, by, request, tick)).as_json()
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    of = f"{said['exhibits']} prompts of {said['accounts']} accounts of {ring}"
    if dry_run:
        typer.echo(f"{of} would be sealed, of {said['seen']:,} with text.")
        return
    typer.echo(f"{of} are sealed until {said['expires_at']}; {', '.join(said['custodians'])} can open them.")


@app.command("list")
def list_exhibits(
    state: StateOption,
    ring: Annotated[str | None, typer.Option(help="Only this ring's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List exhibits and requests; nothing is opened."""
    from ringfence.enforcement.exhibits.records import sealed, unlock_requests
    from ringfence.enforcement.exhibits.switch import enabled

    with open_casebook(state, sign=False) as book, book.reading() as connection:
        now, on = book.now, enabled(connection)
        found, asked = sealed(connection, now, ring), unlock_requests(connection, ring)
    if as_json:
        said = {
            "enabled": on,
            "exhibits": [one.as_json() for one in found],
            "requests": [one.as_json(now) for one in asked],
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    typer.echo("Sealing is allowed." if on else "Sealing is off; `ringfence exhibits enable` allows it.")
    if found:
        rows = [(s.ring_id, str(s.number), s.state, s.expires_at, s.digest[:16]) for s in found]
        say_rows("Exhibits", [("ring", "number", "state", "until", "digest"), *rows])
    if asked:
        made = [(r.request_id, r.ring_id, r.state(now), r.requested_by, r.unlocked_by or "") for r in asked]
        say_rows("Requests", [("request", "ring", "state", "asked by", "unlocked by"), *made])


@app.command()
def request(ring: Ring, state: StateOption, by: ByOption, reason: Reason, as_json: AsJson = False) -> None:
    """Ask to see a ring's exhibits; a custodian who is another person has a day to unlock them, once."""
    from ringfence.enforcement.exhibits.unlock import request as ask

    with open_casebook(state) as book:
        with book.writing(by) as writing:
            asked = ask(writing, ring, reason)
        said = asked.as_json(book.now)
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    typer.echo(
        f"{asked.request_id}: a custodian unlocks it before {asked.expires_at} with "
        f"`ringfence exhibits unlock {asked.request_id} --key FILE`."
    )


@app.command()
def unlock(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="What `exhibits request` said.")],
    key: Annotated[Path, typer.Option(help="File of the custodian's private key.")],
    state: StateOption,
    by: ByOption,
    out: Annotated[Path | None, typer.Option(help="New file for the prompts, as JSON, in the clear.")] = None,
    plaintext_ok: Annotated[
        bool, typer.Option("--plaintext-ok", help="Prompts may be written to disk in the clear.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Unlock what another person has asked for, and show it.

    The passphrase of the key is asked for, or read from RINGFENCE_CUSTODIAN_PASSPHRASE.
    """
    from ringfence.enforcement.exhibits.custodians import read_private_key
    from ringfence.enforcement.exhibits.unlock import unlock as open_all

    if out is not None:
        if not plaintext_ok:
            raise UsageError(
                "--out writes prompts to disk in the clear; say --plaintext-ok if that is meant."
            )
        check_outside(out, state)
    _no_core_dumps()
    private_key = read_private_key(key, passphrase(new=False))
    with open_casebook(state) as book, _to(out) as file:
        opened = open_all(book, by, request_id, private_key)
        if file is not None:
            json.dump(opened.as_json(), file, ensure_ascii=False, indent=2)
            file.write("\n")
    if out is not None:
        typer.echo(
            f"{len(opened.exhibits)} prompts are in {out}, in the clear. Delete it when it has served."
        )
    elif as_json:
        typer.echo(json.dumps(opened.as_json(), ensure_ascii=False))
    else:
        _show(opened)


@app.command()
def expire(state: StateOption, by: ByOption, as_json: AsJson = False) -> None:
    """Shred what has expired, unless a legal hold keeps it. Meant to run every day."""
    from ringfence.enforcement.exhibits.expire import expire as shred

    with open_casebook(state) as book:
        done = shred(book, by)
    if as_json:
        typer.echo(json.dumps(done.as_json()))
        return
    typer.echo(f"{done.exhibits} exhibits and {done.keys} wrapped keys shredded; {done.held} held.")
    if not done.log_emptied:
        warn("Another process was reading: the write-ahead log still has the ciphertext. Run it again.")


def _switch(state: Path, by: str, reason: str, *, on: bool, as_json: bool) -> None:
    from ringfence.enforcement.exhibits.switch import switch

    with open_casebook(state) as book, book.writing(by) as writing:
        changed = switch(writing, reason, on=on)
    if as_json:
        typer.echo(json.dumps({"enabled": on, "changed": changed}))
        return
    typer.echo(f"Sealing is {'allowed' if on else 'off'}{'' if changed else ', as it was'}.")


@contextmanager
def _to(path: Path | None) -> Iterator[TextIO | None]:
    """Yield a new file that its owner alone can read; it goes again where nothing was unlocked."""
    if path is None:
        yield None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}. Nothing was unlocked.") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _show(opened: Opened) -> None:
    for number, one in enumerate(opened.exhibits, 1):
        typer.secho(
            f"\n{number}. {printable(one.account_id)}  {one.at}  {printable(one.request_id)}", bold=True
        )
        for name, text in (("system prompt", one.system_prompt), ("prompt", one.prompt)):
            if text is not None:
                typer.echo(f"  {name}:")
                typer.echo("\n".join(f"    {printable(line.expandtabs(4))}" for line in text.splitlines()))
    if opened.left_closed:
        warn(f"{opened.left_closed} more were sealed for other custodians.")


def _no_core_dumps() -> None:
    """A crash must not write the memory, and the prompts in it, to disk."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
