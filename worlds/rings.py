"""The two planted rings of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ringfence.worlds import texts
from ringfence.worlds.people import DAY, SPAN, Nursery, Person


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a ring sends besides its ordinary prompts."""

    ring: str
    pairs: tuple[int, ...]
    """Numbers of its (system prompt, prompt) pairs in the book."""
    starts: float
    """Seconds since the start of the window."""
    requests: int
    """In all, over all accounts."""
    shift_hours: float
    """Length of a stretch of work."""
    shifts_a_day: int
    crew: int
    """How many accounts share the work of one stretch; the load is balanced over them."""


def residential_ring(nursery: Nursery) -> tuple[list[Person], Campaign]:
    """Return ring A: a rotating residential pool, cards shared in small groups, one persona, bans replaced.

    Some addresses of the pool belong to people whose router was taken over; they come along, as innocents.
    """
    rng = nursery.rng
    victims = [nursery.person("proxy_victim") for _ in range(10)]
    pool = nursery.addresses.several("isp", 110) + tuple(v.ips[0] for v in victims)
    pairs = _variants(nursery, reasoning=True, count=4)
    first = float(rng.uniform(-20 * DAY, -8 * DAY))
    members = []
    for _ in range(52):
        person = nursery.person("ring")
        members.append(
            replace(
                person,
                ring="A",
                created=first + float(rng.uniform(0, 26 * DAY)),
                until=SPAN,
                ips=nursery.pick(pool, 9) + nursery.pick(person.ips, 3),
            )
        )
    members += _replacements(nursery, members, pool, 18)
    members = _share(nursery, members, "instruments", (4, 8))
    return _roles(nursery, members) + victims, Campaign("A", pairs, 0.0, 4600, 3.5, 2, 64)


def hosting_ring(nursery: Nursery) -> tuple[list[Person], Campaign]:
    """Return ring B: rented servers, shared devices, mostly own cards, marks by a rubric; it starts late."""
    rng = nursery.rng
    servers = nursery.addresses.several("hosting", 34)
    pairs = _variants(nursery, rubric=True, count=3)
    start = 11 * DAY
    members = []
    for _ in range(45):
        person = nursery.person("ring")
        members.append(
            replace(
                person,
                ring="B",
                created=start + float(rng.uniform(-9 * DAY, 7 * DAY)),
                until=SPAN,
                ips=nursery.pick(servers, 4) * 2 + nursery.pick(person.ips, 3),
            )
        )
    members = _share(nursery, members, "devices", (3, 6))
    reused = _share(nursery, members[:14], "instruments", (2, 4))
    return _roles(nursery, reused + members[14:]), Campaign("B", pairs, start, 2900, 5.0, 1, 15)


def _variants(
    nursery: Nursery, *, count: int, reasoning: bool = False, rubric: bool = False
) -> tuple[int, ...]:
    """One persona, asked in several ways."""
    rng, name = nursery.rng, texts.company_name(nursery.rng)
    system, question = texts.compose(rng, name, reasoning=reasoning, rubric=rubric)
    questions = [question] + [texts.compose(rng, name)[1] for _ in range(count - 1)]
    return tuple(nursery.book.add(system, q) for q in questions)


def _replacements(nursery: Nursery, members: list[Person], pool: Sequence[str], count: int) -> list[Person]:
    """Ban ``count`` members in place and return one new account for each, made within two days."""
    rng = nursery.rng
    made = []
    for n in rng.choice(len(members), size=count, replace=False).tolist():
        gone = members[n]
        when = float(rng.uniform(max(gone.created, 0.0) + 3 * DAY, SPAN - 4 * DAY))
        members[n] = replace(gone, banned=when, until=when)
        person = nursery.person("ring")
        made.append(
            replace(
                person,
                ring="A",
                created=when + float(rng.uniform(3600, 2 * DAY)),
                until=SPAN,
                ips=nursery.pick(pool, 9) + nursery.pick(person.ips, 3),
            )
        )
    return made


def _share(nursery: Nursery, members: list[Person], what: str, sizes: tuple[int, int]) -> list[Person]:
    """Give each handful of members one card or device in common, besides what they have."""
    shared: dict[int, tuple[str, ...]] = {}
    for handful in _handfuls(nursery.rng, len(members), *sizes):
        thing = nursery.cards(1) if what == "instruments" else nursery.devices(1)
        shared.update(dict.fromkeys(handful, thing))
    if what == "instruments":
        return [replace(p, instruments=shared[n]) for n, p in enumerate(members)]
    return [replace(p, devices=shared[n] * 2 + p.devices[:1]) for n, p in enumerate(members)]


def _handfuls(rng: np.random.Generator, count: int, least: int, most: int) -> list[list[int]]:
    """Deal the numbers below ``count`` into handfuls; needs ``most >= 2 * least - 1``."""
    order = rng.permutation(count).tolist()
    dealt = []
    while order:
        size = min(int(rng.integers(least, most + 1)), len(order))
        if 0 < len(order) - size < least:
            size = len(order) - least if len(order) >= 2 * least else len(order)
        dealt.append(order[:size])
        order = order[size:]
    return dealt


def _roles(nursery: Nursery, members: list[Person]) -> list[Person]:
    """Call a quarter of the members core: they carry the campaign."""
    core = set(nursery.rng.choice(len(members), size=len(members) // 4, replace=False).tolist())
    return [replace(p, role="core" if n in core else "member") for n, p in enumerate(members)]
