"""The allow-list: which accounts somebody stands for, by themselves, their organisation or their domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ringfence.enforcement.policy.records import Allow, Policy


def allowed(
    policy: Policy, accounts_of: Mapping[tuple[str, str], Iterable[str]], now: datetime
) -> dict[str, str]:
    """Return account → who stands for it and why, of the entries that have not expired.

    Args:
        policy: Its allow-list.
        accounts_of: (``org`` or ``email_domain``, value) → its accounts, as a run's output tells them.
        now: The time.
    """
    found: dict[str, str] = {}
    for entry in policy.allow:
        if not entry.holds(now):
            continue
        named = [entry.value] if entry.kind == "account" else accounts_of.get((entry.kind, entry.value), ())
        for account in named:
            found.setdefault(account, _told(entry))
    return found


def looked_up(policy: Policy, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return the organisations and domains whose accounts must be looked up, as (kind, value)."""
    entries = [entry for entry in policy.allow if entry.kind != "account" and entry.holds(now)]
    return tuple(dict.fromkeys((entry.kind, entry.value) for entry in entries))


def _told(entry: Allow) -> str:
    return f"{entry.who} ({entry.kind} {entry.value}), until {entry.expires}; {entry.owner} answers for it"
