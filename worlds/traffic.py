"""When accounts send what, from where: ordinary sessions, jobs, deadlines and campaigns, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringfence.worlds import words
from ringfence.worlds.people import DAY, SPAN, Book, Person
from ringfence.worlds.rings import Campaign

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_HOURS = np.array((2, 1, 1, 1, 1, 2, 3, 5, 8, 10, 10, 10, 9, 9, 10, 10, 9, 8, 8, 8, 8, 7, 5, 3), dtype=float)
"""How much people send in each hour of their day."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Stretches of work of one account at one place. Every column has shape ``(s,)``."""

    person: Ints
    start: Floats
    """Seconds since the start of the window."""
    length: Floats
    requests: Ints
    pair: Ints
    """The pair of templates that all its requests use; -1 where each draws its own."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests in the order of their times. Every column has shape ``(r,)``."""

    person: Ints
    session: Ints
    ts: Floats
    pair: Ints


def traffic(
    rng: np.random.Generator, people: Sequence[Person], campaigns: Sequence[Campaign], book: Book
) -> Requests:
    """Return every request of the window."""
    parts = [_ordinary(rng, people), _deadlines(rng, people)]
    parts += [_campaign(rng, people, c) for c in campaigns]
    return _requests(rng, people, _joined(parts), book)


def _ordinary(rng: np.random.Generator, people: Sequence[Person]) -> Sessions:
    wanted = np.array([p.requests for p in people])
    # Programs open a session for each request, people stay a while.
    sessions = np.maximum(1, wanted // rng.choice((1, 3, 5), size=len(people), p=(0.3, 0.4, 0.3)))
    person = np.repeat(np.arange(len(people)), sessions)
    count = len(person)
    per_session = wanted / sessions
    requests = 1 + rng.poisson(np.maximum(per_session[person] - 1, 0))
    born, gone = _life(people)
    offset = np.array([words.UTC_OFFSETS[p.country] for p in people])[person]
    nightly = np.array([p.nightly for p in people])[person]
    hour = rng.choice(24, size=count, p=_HOURS / _HOURS.sum()) + rng.random(count)
    hour = np.where(nightly, np.floor(rng.random(count) * 24) + rng.random(count) * 0.03, hour - offset)
    day = np.floor(rng.uniform(born[person], gone[person]) / DAY)
    # The window opens on a Monday; on Saturdays and Sundays half of the work waits until Monday or Tuesday.
    weekend = (day % 7 >= 5) & (rng.random(count) < 0.5) & ~nightly
    start = (day + 2 * weekend) * DAY + (hour % 24) * 3600
    length = np.where(nightly, 240.0, rng.lognormal(6.6, 0.8, count))
    # Who is not there yet, or no longer, works at another moment of the life that is left.
    outside = (start < born[person]) | (start + length > gone[person])
    start = np.where(outside, rng.uniform(born[person], gone[person]), start)
    return Sessions(person, start, length, requests, np.full(count, -1))


def _deadlines(rng: np.random.Generator, people: Sequence[Person]) -> Sessions:
    """Students work in the days before the deadline, more the closer it comes."""
    students = [(n, *p.deadline) for n, p in enumerate(people) if p.deadline is not None]
    person = np.repeat([s[0] for s in students], 3)
    due = np.repeat([s[1] for s in students], 3)
    count = len(person)
    start = due - np.minimum(rng.exponential(1.3 * DAY, count), 6.5 * DAY)
    born, _gone = _life(people)
    start = np.maximum(start, born[person] + rng.uniform(60, 7200, count))
    return Sessions(
        person,
        start,
        rng.uniform(600, 5400, count),
        1 + rng.poisson(2, count),
        np.repeat([s[2] for s in students], 3),
    )


def _campaign(rng: np.random.Generator, people: Sequence[Person], campaign: Campaign) -> Sessions:
    """Deal work out evenly: in every shift each of the crew has its turn, again and again."""
    ring = np.array([n for n, p in enumerate(people) if p.ring == campaign.ring])
    weight = np.array([2.0 if people[n].role == "core" else 1.0 for n in ring])
    born, gone = _life(people)
    days = np.arange(np.ceil(campaign.starts / DAY), SPAN / DAY)
    shifts = (
        np.repeat(days, campaign.shifts_a_day) + rng.uniform(0, 0.8, len(days) * campaign.shifts_a_day)
    ) * DAY
    length = campaign.shift_hours * 3600
    each = campaign.requests // len(shifts)
    person, start = [], []
    for opens in shifts.tolist():
        alive = (born[ring] < opens) & (gone[ring] > opens + length)
        if not alive.any():
            continue
        share = weight * alive / (weight * alive).sum()
        crew = rng.choice(ring, size=min(campaign.crew, int(alive.sum())), replace=False, p=share)
        person.append(np.resize(crew, each))
        start.append(opens + (np.arange(each) + rng.uniform(0, 0.8, each)) * length / each)
    people_of, starts = np.concatenate(person), np.concatenate(start)
    inside = starts < SPAN - 60
    people_of, starts = people_of[inside], starts[inside]
    one = np.ones(len(starts), dtype=np.int64)
    return Sessions(
        people_of, starts, np.full(len(starts), 20.0), one, rng.choice(campaign.pairs, size=len(starts))
    )


def _requests(rng: np.random.Generator, people: Sequence[Person], sessions: Sessions, book: Book) -> Requests:
    session = np.repeat(np.arange(len(sessions.person)), sessions.requests)
    person = sessions.person[session]
    ts = np.minimum(
        sessions.start[session] + rng.random(len(session)) * sessions.length[session], SPAN - 1e-3
    )
    pair = np.where(sessions.pair[session] >= 0, sessions.pair[session], _pairs(rng, people, person, book))
    banned, back = _bans(people)
    kept = ~((ts > banned[person]) & (ts < back[person]))
    order = np.flatnonzero(kept)[np.argsort(ts[kept], kind="stable")]
    return Requests(person[order], session[order], np.round(ts[order], 3).astype(np.float64), pair[order])


def _pairs(rng: np.random.Generator, people: Sequence[Person], person: Ints, book: Book) -> Ints:
    private = np.array([p.private for p in people])[person]
    own = pick(rng, [p.templates for p in people], person).astype(np.int64)
    return np.where(rng.random(len(person)) < private, own, rng.integers(0, book.public, len(person)))


def pick(
    rng: np.random.Generator, choices: Sequence[tuple[object, ...]], who: Ints
) -> npt.NDArray[np.object_]:
    """Draw one of the choices of each account in ``who``, shape ``(n,)``; None where it has none."""
    sizes = np.array([len(c) for c in choices])
    flat = np.array([value for c in choices for value in c] + [None], dtype=object)
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    at = first[who] + np.floor(rng.random(len(who)) * sizes[who]).astype(np.int64)
    drawn: npt.NDArray[np.object_] = flat[np.where(sizes[who] > 0, at, len(flat) - 1)]
    return drawn


def _life(people: Sequence[Person]) -> tuple[Floats, Floats]:
    born = np.array([max(p.created, 0.0) for p in people]) + 60.0
    gone = np.array([min(p.until, SPAN) for p in people])
    return born, np.maximum(gone, born + 3600.0)


def _bans(people: Sequence[Person]) -> tuple[Floats, Floats]:
    banned = np.array([np.inf if p.banned is None else p.banned for p in people])
    back = np.array([np.inf if p.reinstated is None else p.reinstated for p in people])
    return banned, back


def _joined(parts: Sequence[Sessions]) -> Sessions:
    return Sessions(
        np.concatenate([p.person for p in parts]),
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.length for p in parts]),
        np.concatenate([p.requests for p in parts]),
        np.concatenate([p.pair for p in parts]),
    )
