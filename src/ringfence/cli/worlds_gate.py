"""``ringfence worlds gate``: what was reached once may not be lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.run import JsonOption, display
from ringfence.cli.say import say_rows
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.pipeline.worlds.gate import Gate, Moved


def gate(
    raise_floors: Annotated[
        bool, typer.Option("--raise", help="Commit what was measured as the new bounds; none is loosened.")
    ] = False,
    new_generator: Annotated[
        bool,
        typer.Option(
            "--new-generator",
            help="With --raise: set bounds anew where the generator has changed; they may be looser.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run on three fixed small worlds; exit with 1 when a figure falls below what was reached before."""
    from ringfence.pipeline.worlds import gate as gates

    if new_generator and not raise_floors:
        raise UsageError("--new-generator says which bounds --raise may set, and stands beside it.")
    worlds = gates.read_floors()
    if raise_floors and not new_generator:
        gates.refuse_changed(gates.changed_worlds(worlds))
    with display().stage("Hold the gate") as tick:
        told = gates.gate(worlds, tick=tick)
    moved: tuple[Moved, ...] = ()
    if raise_floors:
        after = gates.raised(worlds, told, new_generator=new_generator)
        gates.write_floors(after)
        told, moved = gates.held_against(after, told), gates.moved(worlds, after)
    if as_json:
        typer.echo(json.dumps({**told.as_json(), "moved": [asdict(one) for one in moved]}))
    else:
        _say(told, moved, raised=raise_floors)
    raise typer.Exit(0 if told.passes else 1)


def _say(told: Gate, moved: Sequence[Moved], *, raised: bool) -> None:
    rows = [
        (
            r.world,
            r.figure,
            f"{r.value:.3f}",
            f"{'≥' if r.rising else '≤'} {r.bound:g}",
            "" if r.holds else "CROSSED",
        )
        for r in told.readings
    ]
    say_rows("Figures and their bounds", [("world", "figure", "value", "bound", ""), *rows])
    if moved:
        changes = [
            (m.world, m.figure, f"{'–' if m.old is None else f'{m.old:g}'} → {m.new:g}") for m in moved
        ]
        say_rows("Bounds that moved", [("world", "figure", "old → new"), *changes])
    elif raised:
        typer.echo("\nNo bound moved.")
    for name in told.changed:
        typer.secho(
            f"{name} is another world than its bounds were measured on: `gate --raise --new-generator`.",
            fg="red",
            err=True,
        )
