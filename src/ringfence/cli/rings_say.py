"""What ``ringfence rings`` says to people; what a terminal would obey in ids and names is spelt out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from ringfence.cli.say import printable, say_rows

if TYPE_CHECKING:
    from ringfence.enforcement.casebook.cases import Case
    from ringfence.enforcement.casebook.history import Changes
    from ringfence.enforcement.dossier import AccountDossier, Dossier
    from ringfence.records import Ring

_FEW = 20


def say_table(title: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table, or nothing where it has no rows."""
    cells = [tuple(cell(value) for value in row) for row in rows]
    if cells:
        say_rows(printable(title), [tuple(heading), *cells])


def say_line(text: str) -> None:
    """Print a line."""
    typer.echo(printable(text))


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return printable(f"{value:,}" if isinstance(value, int) else str(value))


def say_cases(
    found: Sequence[Case], changed: frozenset[str], before: frozenset[str], appealed: dict[str, int]
) -> None:
    """Print a list of rings."""
    if not found:
        typer.echo("No ring of the casebook is like that.")
        return
    heading = ("ring", "state", "decision", "probability", "size", "version", "assignee", "")
    rows = [
        (
            one.ring_id,
            one.state,
            one.decision,
            one.probability,
            one.size,
            one.version,
            one.assignee,
            ", ".join(_remarks(one, changed, before, appealed)),
        )
        for one in found
    ]
    say_table(f"{len(found):,} ring" + ("" if len(found) == 1 else "s"), heading, rows)


def _remarks(
    one: Case, changed: frozenset[str], before: frozenset[str], appealed: dict[str, int]
) -> list[str]:
    words = [
        "changed since the verdict" if one.ring_id in changed else "",
        "seen before" if one.ring_id in before else "",
        f"appealed ({appealed[one.ring_id]})" if one.ring_id in appealed else "",
        f"merged into {one.succeeded_by}" if one.succeeded_by else "",
    ]
    return [word for word in words if word]


def say_dossier(found: Dossier, *, members: bool) -> None:
    """Print what is known of a ring."""
    _say_ring(found)
    say_table(
        "Evidence",
        ("family", "weight", "coverage", "statement"),
        ((line.family, line.weight, line.coverage, line.statement) for line in found.ring.evidence),
    )
    roles = [member.role for member in found.ring.members]
    counted = ((role, roles.count(role)) for role in dict.fromkeys(roles))
    say_table("Accounts", ("role", "accounts"), (*counted, *_cleared(found)))
    if members:
        rows = (
            (m.account_id, m.role, m.score, m.account_id in found.cleared, ", ".join(m.end_users))
            for m in found.ring.members
        )
        say_table("Members", ("account", "role", "score", "cleared", "end users"), rows)
    _say_life(found.ring)
    _say_decided(found)
    _say_ordered(found)
    say_table("Lineage", ("version", "what"), ((one.version, one.sentence) for one in found.ancestry))


def _say_life(ring: Ring) -> None:
    from ringfence.lineage import sentence

    say_table(
        "Life", ("day", "what"), ((event.at and f"{event.at:%F}", sentence(event)) for event in ring.history)
    )
    say_table(
        "Replacements",
        ("banned", "replaced by", "days", "confidence"),
        ((one.banned, one.replacement, one.days, one.confidence) for one in ring.replacements[:_FEW]),
    )
    if len(ring.replacements) > _FEW:
        say_line(f"  {len(ring.replacements) - _FEW:,} more replacements; --json has all.")


def _say_ring(found: Dossier) -> None:
    case = found.case
    typer.secho(printable(f"{case.ring_id}: {case.state}"), bold=True)
    calibrated = "uncalibrated" if case.probability is None else f"probability {case.probability:.3f}"
    say_line(f"  The latest run says {case.decision}, {calibrated}, {case.size:,} accounts.")
    changed = "; runs say something else since it was decided on" if found.changed else ""
    say_line(
        f"  Version {case.version}, with {case.assignee or 'nobody'}, opened {case.opened_at[:10]}{changed}."
    )
    if case.succeeded_by:
        say_line(f"  It has merged into {case.succeeded_by}.")
    open_appeals = sum(one.outcome is None for one in found.appeals)
    if open_appeals:
        say_line(f"  {open_appeals:,} open appeal" + ("." if open_appeals == 1 else "s."))


def _cleared(found: Dossier) -> list[tuple[str, int]]:
    return [("cleared", len(found.cleared))] if found.cleared else []


def _say_decided(found: Dossier) -> None:
    say_table(
        "Verdicts",
        ("version", "verdict", "on", "by", "at", "reason"),
        (
            (one.version, one.verdict, one.account_id or "the ring", one.by, one.at[:19], one.reason)
            for one in found.verdicts
        ),
    )
    say_table("Notes", ("at", "by", "note"), ((one.at[:19], one.by, one.text) for one in found.notes))
    say_table(
        "Appeals",
        ("appeal", "account", "outcome", "text"),
        ((one.appeal_id, one.account_id, one.outcome or "open", one.text[:80]) for one in found.appeals),
    )
    say_table(
        "Scored again",
        ("at", "probability", "decision", "what was found"),
        ((row["at"][:19], row["probability"], row["decision"], row["told"]) for row in found.rescorings),
    )


def _say_ordered(found: Dossier) -> None:
    say_table(
        "Orders",
        ("order", "action", "status", "accounts", "still under", "by", "approved by", "ends", "reason"),
        (
            (
                one.order_id,
                f"reverses {one.reverses}" if one.reverses else one.action,
                f"{one.status} (shadow)" if one.shadow else one.status,
                count,
                None if one.reverses else left,
                one.ordered_by,
                one.approved_by,
                one.expires_at and one.expires_at[:10],
                one.reason,
            )
            for one, count, left in found.orders
        ),
    )
    say_table(
        "Exports",
        ("what", "sink", "status", "attempts", "last error"),
        ((one.kind, one.sink, one.status, one.attempts, one.last_error) for one in found.exports),
    )


def say_changes(found: Changes) -> None:
    """Print what became of a ring."""
    typer.secho(printable(f"{found.ring_id}, version {found.since} to {found.to}"), bold=True)
    lines = [
        f"decision: {found.decision[0]} → {found.decision[1]}" if len(set(found.decision)) > 1 else "",
        f"probability: {cell(found.probability[0]) or 'none'} → {cell(found.probability[1]) or 'none'}"
        if len(set(found.probability)) > 1
        else "",
        _named("came", found.came),
        _named("went", found.went),
        _named("families come", found.families_come),
        _named("families gone", found.families_gone),
        *(f"{account}: {was} → {now}" for account, was, now in found.roles),
        *(f"{one.verdict} by {one.by}: {one.reason}" for one in found.verdicts),
    ]
    for line in filter(None, lines):
        say_line(f"  {line}")
    if not any(lines):
        typer.echo("  Nothing that matters changed.")


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _FEW:,} more (--json has all)" if len(names) > _FEW else ""
    return f"{what}: {', '.join(names[:_FEW])}{more}"


def say_account(found: AccountDossier) -> None:
    """Print what is known of an account."""
    typer.secho(printable(found.account_id), bold=True)
    say_table(
        "Rings",
        ("ring", "state", "decision", "role", "score", "merged into"),
        (
            (one["ring_id"], one["state"], one["decision"], one["role"], one["score"], one["succeeded_by"])
            for one in found.rings
        ),
    )
    say_table(
        "Orders",
        ("order", "ring", "action", "status", "let off by", "reason"),
        (
            (
                one["order_id"],
                one["ring_id"],
                f"reverses {one['reverses']}" if one["reverses"] else one["action"],
                f"{one['status']} (shadow)" if one["shadow"] else one["status"],
                one["reversed_by"],
                one["reason"],
            )
            for one in found.orders
        ),
    )
    say_table(
        "Verdicts",
        ("ring", "verdict", "by", "at", "reason"),
        (
            (one["ring_id"], one["verdict"], one["by"], one["at"][:19], one["reason"])
            for one in found.verdicts
        ),
    )
    say_table(
        "Appeals",
        ("appeal", "outcome", "text"),
        ((one.appeal_id, one.outcome or "open", one.text[:80]) for one in found.appeals),
    )
