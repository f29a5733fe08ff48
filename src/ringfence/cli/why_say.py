"""What ``ringfence why`` says to people: waterfalls with bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from ringfence.cli.say import printable

if TYPE_CHECKING:
    from ringfence.graphbuild.explain.waterfall import Step
    from ringfence.pipeline.why import Hop, WhyPair, WhyRing
    from ringfence.records import Ring

_BAR = 24
"""Characters of the longest bar."""
_PIPE = 240
"""Characters of a line where nobody looks at a terminal."""
_VALUES = 15
_BRIDGES = 10
_DOUBLE = 10
_VIEWS = {
    "ip": "address",
    "instrument": "payment instrument",
    "device": "device",
    "template": "prompt template",
    "subnet": "subnet",
    "asn": "autonomous system",
    "bin": "card range",
}
_WORDS = {
    "scale": "values of this kind come together (× {})",
    "weak cap": "half a country shares these (at most {})",
    "family cap": "all that the family may add ({})",
    "one-sided cap": "one account came first to all of it",
    "together": "hours and minutes in common, beyond their own habits",
    "replacement": "one began when the other was banned",
    "life": "signed up, or moved to a new model, together",
    "indicators": "indicators of one actor name both",
    "rest": "the files of the run no longer tell",
}


def view_name(view: str) -> str:
    """Return a view in words."""
    return _VIEWS.get(view, view)


def say_pair(found: WhyPair) -> None:
    """Print the waterfall of a pair, and how the two hang together."""
    told = found.waterfall
    typer.secho(printable(f"{told.account_a} and {told.account_b}"), bold=True)
    typer.echo(printable(found.reason))
    rows, sums = [], [0.0]
    for step in told.steps:
        rows.append((step.family, _words(step, told.account_a), step.nats, sums[-1]))
        sums.append(sums[-1] + step.nats)
    if rows:
        longest = max(*sums, 1e-9)
        shown = [
            (family, what, _signed(nats), _bar(start, nats, longest)) for family, what, nats, start in rows
        ]
        total = ("", "weight", f"{told.weight:.6f}", _bar(0.0, told.weight, longest))
        _say(("family", "evidence", "nats", ""), [*shown, total], right={2})
    for view, nats in told.passed_over:
        typer.echo(f"Not counted, another view tells the same better: {view_name(view)}, {nats:.3f} nats.")
    _say_path("From link to link, the lightest as heavy as can be", found.by_links)
    _say_path("By what they share", found.by_values)
    if not found.by_values:
        typer.echo("No third account joins them, either: nothing that few enough accounts have.")


def say_ring(found: WhyRing) -> None:
    """Print what a ring stands on."""
    told = found.standing
    typer.secho(printable(f"{found.ring.ring_id}: {found.ring.decision}"), bold=True)
    typer.echo(f"{found.ring.size:,} accounts, {found.links:,} links between them, {told.weight:.3f} nats.")
    start, rows = 0.0, []
    for family, nats in sorted(told.families.items(), key=lambda one: -one[1]):
        if nats:
            rows.append((family, f"{nats:.3f}", f"{nats / told.weight:.1%}", _bar(start, nats, told.weight)))
        start += nats
    total = ("weight", f"{told.weight:.3f}", "", _bar(0.0, told.weight, told.weight or 1.0))
    _say(("family", "nats", "share", ""), [*rows, total], right={1, 2})
    _say_memberships(found.ring)
    _say_values(found)
    _say_thin(found)
    _say_needed(found)


def _say_memberships(ring: Ring) -> None:
    from ringfence.report.text import percent, sub_networks

    if ring.parts:
        typer.echo(f"{sub_networks(ring.parts)}.")
    for one in ring.also_in[:_DOUBLE]:
        share = f"{percent(one.share)} of its link weight"
        typer.echo(printable(f"{one.account_id} also serves {one.ring_id} ({share})."))
    if len(ring.also_in) > _DOUBLE:
        typer.echo(f"{len(ring.also_in) - _DOUBLE:,} more with --json.")


def _say_values(found: WhyRing) -> None:
    values = found.standing.values
    if values.empty:
        return
    typer.secho(f"\nValues that carry most, {min(_VALUES, len(values))} of {len(values):,}", bold=True)
    most = float(values["nats"].max())
    rows = [
        (
            view_name(row["view"]),
            row["value"],
            f"{row['accounts']:,}",
            f"{row['links']:,}",
            f"{row['nats']:.3f}",
            _bar(0.0, row["nats"], most),
        )
        for row in values.head(_VALUES).to_dict("records")
    ]
    _say(("what", "value", "accounts in all", "links", "nats", ""), rows, right={2, 3, 4})


def _say_thin(found: WhyRing) -> None:
    bridges, accounts = found.standing.bridges, found.standing.articulation
    if not bridges and not accounts:
        typer.echo("No single link or account holds it together.")
        return
    typer.secho("\nWhere it is thin", bold=True)
    for one, other in bridges[:_BRIDGES]:
        typer.echo(printable(f"  Only the link of {one} and {other} joins what hangs on them."))
    for account in accounts[:_BRIDGES]:
        typer.echo(printable(f"  Without {account} it falls apart."))
    left = max(len(bridges) - _BRIDGES, 0) + max(len(accounts) - _BRIDGES, 0)
    if left:
        typer.echo(f"  {left:,} more with --json.")


def _say_needed(found: WhyRing) -> None:
    told = found.standing
    typer.secho("\nWithout what it would not stand", bold=True)
    if not told.stands:
        typer.echo(
            "  It does not stand by itself: too few families link enough of its accounts, or fewer than half "
            "of them hang together."
        )
        return
    sets = [" and ".join(one) for one in told.needed_families]
    typer.echo(f"  Families, every set tried: {'; or '.join(sets)}.")
    if told.needed_values is None:
        typer.echo("  Values: it stands even without those that carry most.")
        return
    typer.echo(f"  Values, {len(told.needed_values):,}, each of them needed (another small set may exist):")
    for view, value in told.needed_values[:_VALUES]:
        typer.echo(printable(f"    {view_name(view)} {value}"))
    if len(told.needed_values) > _VALUES:
        typer.echo(f"    {len(told.needed_values) - _VALUES:,} more with --json.")


def _words(step: Step, first: str) -> str:
    if step.what == "value":
        said = f"{view_name(step.view)} {step.value}, of {step.accounts:,} accounts"
        kind = f", {step.kind}" if step.kind else ""
        came = f"; {'first' if step.first == first else 'second'} account came first" if step.first else ""
        return said + kind + came
    if step.what == "apart":
        count = int(step.value)
        return f"not in common, of whoever has fewer: {view_name(step.view)} × {count:,}"
    return _WORDS[step.what].format(step.value)


def _say_path(title: str, hops: Sequence[Hop]) -> None:
    if not hops:
        return
    typer.secho(f"\n{title}", bold=True)
    for hop in hops:
        weight = "" if hop.weight is None else f", linked by {hop.weight:.3f} nats"
        what = f"{view_name(hop.view)} {hop.value}, of {hop.accounts:,} accounts"
        typer.echo(printable(f"  {hop.account_a} – {hop.account_b}: {what}{weight}"))


def _signed(nats: float) -> str:
    return f"{nats:+.6f}"


def _bar(start: float, nats: float, longest: float) -> str:
    """Return a bar from ``start`` on, or back to it where nats are taken."""
    low, high = sorted((max(start, 0.0), max(start + nats, 0.0)))
    before = round(_BAR * low / longest)
    length = max(round(_BAR * high / longest) - before, 1 if nats else 0)
    return " " * before + ("█" if nats > 0 else "░") * length


def _say(heading: Sequence[str], rows: Iterable[Sequence[Any]], right: set[int]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE)
    for place, name in enumerate(heading):
        bar = place == len(heading) - 1
        table.add_column(
            Text(name), justify="right" if place in right else "left", no_wrap=bar or place in right
        )
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    # Whatever reads a pipe wants whole rows, not ones folded to a terminal that is not there.
    console = Console() if Console().is_terminal else Console(width=_PIPE)
    console.print(table)
