"""``ringfence why``: the evidence of a link or a ring, step by step."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from ringfence.errors import UsageError

FOLDER = "RINGFENCE_OUT"
"""Environment variable that names the run to ask where ``--out`` does not."""


def ring_ids(incomplete: str) -> list[tuple[str, str]]:
    """Return the rings of the run that :data:`FOLDER` names whose ids begin so, with what was decided."""
    from ringfence.errors import OutputError
    from ringfence.pipeline.finished import read_rings

    named = os.environ.get(FOLDER)
    try:
        rings = read_rings(Path(named)) if named else []
    except OutputError:
        # A shell that waits for a proposal is no place for a message.
        return []
    return [
        (ring.ring_id, f"{ring.decision}, {ring.size:,} accounts")
        for ring in rings
        if ring.ring_id.startswith(incomplete)
    ]


def why(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="A B | RING", help="Two account ids, or one ring id of the run.", autocompletion=ring_ids
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="OUT", envvar=FOLDER, help="The output folder of a finished run.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show why two accounts are linked, or what a ring stands on.

    Of two accounts: every step of their weight, which the steps sum to, and how they hang together where they
    are not linked. Of a ring: its evidence by family and by value, its sub-networks and who serves another
    ring, the links it would fall apart without, and the smallest set of evidence without which it would not
    stand.
    """
    from ringfence.pipeline.why import why_pair, why_ring

    if len(names) > 2:
        raise UsageError(f"There are {len(names)} names. Name two accounts, or one ring.")
    if len(names) == 1:
        ring = why_ring(out, names[0])
        if as_json:
            typer.echo(json.dumps(ring.as_json(), ensure_ascii=False))
            return
        from ringfence.cli.why_say import say_ring

        say_ring(ring)
        return
    pair = why_pair(out, *names)
    if as_json:
        typer.echo(json.dumps(pair.as_json(), ensure_ascii=False))
        return
    from ringfence.cli.why_say import say_pair

    say_pair(pair)
