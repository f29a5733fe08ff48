"""The life of a ring: what its members' logs tell of it, and what became of it since an earlier run.

A run alone sees when a ring was born, fell silent and came back, and whether it grew again after most of it
was banned. That it grew, shrank, took in another or split off is seen beside an earlier run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from itertools import zip_longest

from ringfence.lineage import Heir, trace
from ringfence.records import LifeEvent, Replacement, Ring, Turn

_SEEN_BESIDE = frozenset({Turn.GREW, Turn.SHRANK, Turn.MERGED, Turn.SPLIT})
_TURNS = tuple(Turn)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LifeSettings:
    """When something is an event in a ring's life."""

    dormant_days: int = 7
    """Without any activity for so many whole days a ring is dormant."""
    most_banned: float = 0.5
    """A ring has fallen when more than this share of those it had was banned."""


@dataclass(frozen=True, slots=True)
class Span:
    """When an account came, and when it was banned for good."""

    first_seen: datetime | None
    banned_at: datetime | None = None
    """None where no ban stands."""


def life(
    members: Mapping[str, Span],
    active: Mapping[date, int],
    replaced: Sequence[Replacement],
    now: datetime | None,
    settings: LifeSettings,
) -> tuple[LifeEvent, ...]:
    """Return what the logs tell of a ring's life, the first event first.

    Args:
        members: Its accounts.
        active: Day (UTC) → how many of them were active; days without any may be missing.
        replaced: Which of them took whose place.
        now: When the logs end; None where they are empty.
        settings: When something is an event.
    """
    came = sorted(span.first_seen for span in members.values() if span.first_seen is not None)
    if not came:
        return ()
    first_day = sum(when < came[0] + timedelta(days=1) for when in came)
    events = [LifeEvent(Turn.BORN, came[0], first_day)]
    events += _silences(came, active, now, settings)
    events += _regrowths(members, {one.replacement for one in replaced}, settings)
    return _in_order(events)


def _silences(
    came: Sequence[datetime], active: Mapping[date, int], now: datetime | None, settings: LifeSettings
) -> list[LifeEvent]:
    """Return when the ring fell silent, and when it came back."""
    days = sorted(day for day, accounts in active.items() if accounts)
    events = []
    for day, following in zip_longest(days, days[1:]):
        end = following or (now.date() if now is not None else day)
        # The day on which the logs end may not be over.
        if (end - day).days - 1 < settings.dormant_days:
            continue
        fell = _midnight(day + timedelta(days=1))
        events.append(LifeEvent(Turn.DORMANT, fell, sum(when < fell for when in came)))
        if following is not None:
            events.append(LifeEvent(Turn.REBORN, _midnight(following), active[following]))
    return events


def _regrowths(members: Mapping[str, Span], substitutes: set[str], settings: LifeSettings) -> list[LifeEvent]:
    """Return each time that the ring fell and others took the places of those banned.

    After a fall, those left and those who came since are what can fall again.
    """
    starts = [(s.first_seen, 0, name) for name, s in members.items() if s.first_seen is not None]
    ends = [(s.banned_at, 1, name) for name, s in members.items() if s.banned_at is not None and s.first_seen]
    there, lost = 0, 0
    fallen = False
    back: list[datetime] = []
    events: list[LifeEvent] = []
    for at, is_ban, name in sorted([*starts, *ends]):
        if not is_ban:
            there += 1
            if fallen and name in substitutes:
                back.append(at)
            continue
        there -= 1
        lost += 1
        if lost > settings.most_banned * (lost + there):
            events += _regrown(back)
            fallen, back, lost = True, [], 0
    return events + _regrown(back)


def _regrown(back: Sequence[datetime]) -> list[LifeEvent]:
    return [LifeEvent(Turn.REGROWN, back[0], len(back))] if back else []


def followed(rings: Sequence[Ring], earlier: Sequence[Ring], now: datetime | None) -> list[Ring]:
    """Return the rings under the ids they had in an earlier run, with what became of them since.

    Benign communities count: a ring that was benign keeps its id, too.

    Args:
        rings: Of a run.
        earlier: Of an earlier one.
        now: When the logs of the run end.
    """
    known = {member.account_id: ring.ring_id for ring in earlier for member in ring.members}
    before = {ring.ring_id: ring for ring in earlier}
    heirs = trace(
        {ring.ring_id: [m.account_id for m in ring.members] for ring in rings},
        known,
        {name: len(ring.members) for name, ring in before.items()},
    )
    taken = set(before)
    return [_follow(ring, heirs[ring.ring_id], before, taken, now) for ring in rings]


def _follow(
    ring: Ring, heir: Heir, before: Mapping[str, Ring], taken: set[str], now: datetime | None
) -> Ring:
    mine = {member.account_id for member in ring.members}

    def shared(other: str) -> int:
        return sum(member.account_id in mine for member in before[other].members)

    events = [LifeEvent(Turn.MERGED, now, shared(other), other) for other in heir.merged]
    if heir.ring_id is None:
        if heir.split_from is not None:
            events.append(LifeEvent(Turn.SPLIT, now, shared(heir.split_from), heir.split_from))
        return replace(
            ring, ring_id=_free_id(ring.ring_id, taken), history=_in_order([*ring.history, *events])
        )
    was = before[heir.ring_id]
    stayed = shared(heir.ring_id)
    if len(mine) > stayed:
        events.append(LifeEvent(Turn.GREW, now, len(mine) - stayed))
    if len(was.members) > stayed:
        events.append(LifeEvent(Turn.SHRANK, now, len(was.members) - stayed))
    return replace(ring, ring_id=heir.ring_id, history=_in_order([*_carried(was, ring), *events]))


def _carried(was: Ring, ring: Ring) -> list[LifeEvent]:
    """Return what the earlier run knew and this one cannot see, and what this one sees itself."""
    kept = [
        event
        for event in was.history
        if event.turn in _SEEN_BESIDE or (event.at and ring.first_seen and event.at < ring.first_seen)
    ]
    told = ring.history
    if any(event.turn is Turn.BORN for event in kept):
        told = tuple(event for event in told if event.turn is not Turn.BORN)
    return [*kept, *told]


def _free_id(ring_id: str, taken: set[str]) -> str:
    """Return the id, or another one where an earlier ring of other accounts has it."""
    while ring_id in taken:
        ring_id = f"R-{blake2b(ring_id.encode(), digest_size=8).hexdigest()}"
    taken.add(ring_id)
    return ring_id


def _in_order(events: Sequence[LifeEvent]) -> tuple[LifeEvent, ...]:
    return tuple(sorted(events, key=lambda e: (e.at or _NEVER, _TURNS.index(e.turn), e.other or "")))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
