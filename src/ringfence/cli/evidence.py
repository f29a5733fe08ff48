"""``ringfence evidence``: what a decision stands on, signed, for an appeal, a partner or a court."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.rings_complete import RingArgument
from ringfence.cli.say import printable, warn
from ringfence.cli.state import AsJson, ByOption, StateOption, open_casebook
from ringfence.errors import AuditError
from ringfence.state import StateFolder

app = typer.Typer(
    help="Hand out what a decision stands on, signed, and check it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def export(
    ring: RingArgument,
    state: StateOption,
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="The archive to write.")],
    by: ByOption,
    run: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="The run's output, if it no longer lies where it was recorded."),
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Of the ring; what runs told last where none is named.", min=1)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a ring's evidence: graph, scores, thresholds, digests, verdicts, orders, log and a page to read.

    It names accounts: hand it to whoever may know them, and to nobody else.
    """
    from ringfence.pipeline.evidence.export import export_evidence

    with open_casebook(state) as book:
        done = export_evidence(book, StateFolder(state), ring, out, by, run=run, version=version, force=force)
    if as_json:
        typer.echo(json.dumps({**asdict(done), "file": str(done.file)}))
        return
    typer.echo(
        f"{done.file}: {done.ring_id} at version {done.version}, {done.files} files, signed by {done.key}."
    )
    typer.echo(f"SHA-256 {done.digest}")
    typer.echo(
        f"Whoever checks it should have the key from you: {StateFolder(state).keys}/public-{done.key}.pem"
    )


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The archive.")],
    key: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Public key that must have signed, had from elsewhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check an archive offline: signature, files, proofs; then decide once more from what it holds."""
    from ringfence.cli.audit import public_key
    from ringfence.pipeline.evidence.check import check_evidence

    steps = check_evidence(file, public_key(key))
    failed = [step for step in steps if not step.ok]
    if as_json:
        typer.echo(
            json.dumps(
                {"ok": not failed, "key_given": key is not None, "steps": [asdict(step) for step in steps]}
            )
        )
    else:
        for step in steps:
            typer.echo(f"{'ok   ' if step.ok else 'WRONG'}  {printable(step.said)}")
    if failed:
        raise AuditError(f"The evidence does not hold: {printable(failed[0].said)}")
    if not as_json:
        typer.echo("The archive is whole, and it decides what the ring says.")
        if key is None:
            warn(
                "WHO signed was not checked: the key came along, and whoever makes up an archive makes up a "
                "key, too. Name the signer's key, had from elsewhere: --key PEM."
            )
