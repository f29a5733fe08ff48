"""Which ring of a run is which ring of an earlier one, or of the casebook.

After Greene, Doyle and Cunningham, "Tracking the evolution of communities in dynamic social networks" (2010):
communities of consecutive moments are matched by what their members have in common. They take the Jaccard
coefficient; a window of a day sees only the part of a ring that was active, so the share of the smaller side
is taken here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ringfence.records import LifeEvent, Turn

LEAST_SHARE = 0.5
"""Share of the smaller side's accounts from which two communities are one ring."""


@dataclass(frozen=True, slots=True)
class Heir:
    """What a ring of a run is to those known before."""

    ring_id: str | None
    """The ring it continues; None for a new one."""
    merged: tuple[str, ...] = ()
    """Other known rings that went into it."""
    split_from: str | None = None
    """For a new one: the ring it comes from, which another one continues."""


def trace(
    found: Mapping[str, Iterable[str]], known: Mapping[str, str], sizes: Mapping[str, int]
) -> dict[str, Heir]:
    """Match the rings of a run with those known before.

    Each known ring is continued by at most one, and each found one continues at most one: pairs
    with the most accounts in common first, equals by ids, so that the order of rows decides nothing.

    Args:
        found: ring id within the run → its accounts.
        known: account → the known ring that it is a member of. A ring that was merged is none.
        sizes: known ring → its members.

    Returns:
        ring id within the run → what it is to the known ones.
    """
    members = {name: set(accounts) for name, accounts in found.items()}
    shared = {
        (name, ring): count
        for name, accounts in members.items()
        for ring, count in Counter(known[a] for a in accounts if a in known).items()
        if count >= LEAST_SHARE * min(len(accounts), sizes[ring])
    }
    heirs: dict[str, str] = {}
    for name, ring in sorted(shared, key=lambda pair: (-shared[pair], pair)):
        if name not in heirs and ring not in heirs.values():
            heirs[name] = ring
    merged = _merged(heirs, shared)
    return {name: _heir(name, heirs, merged, shared) for name in members}


def _merged(heirs: Mapping[str, str], shared: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Return, of the rings that nothing continues, the found one each went into: where most of it is."""
    continued = set(heirs.values())
    into: dict[str, str] = {}
    for name, ring in sorted(shared, key=lambda pair: (-shared[pair], pair)):
        if ring not in continued:
            into.setdefault(ring, name)
    return into


def _heir(
    name: str, heirs: Mapping[str, str], merged: Mapping[str, str], shared: Mapping[tuple[str, str], int]
) -> Heir:
    others = sorted(
        (ring for one, ring in shared if one == name), key=lambda ring: (-shared[name, ring], ring)
    )
    if name not in heirs:
        return Heir(None, split_from=others[0] if others else None)
    return Heir(heirs[name], merged=tuple(ring for ring in others if merged.get(ring) == name))


def sentence(event: LifeEvent) -> str:
    """Return an event of a ring's life in words."""
    many = f"{event.accounts:,} account" + ("" if event.accounts == 1 else "s")
    words = {
        Turn.BORN: f"first seen, with {many}",
        Turn.GREW: f"grew by {many}",
        Turn.SHRANK: f"shrank by {many}",
        Turn.MERGED: f"took in {many} of {event.other}",
        Turn.SPLIT: f"split from {event.other}, with {many} of it",
        Turn.REGROWN: f"regrown after most were banned: {many} took their places",
        Turn.DORMANT: f"dormant from then on, with {many}",
        Turn.REBORN: f"active again, with {many}",
    }
    return words[event.turn]
