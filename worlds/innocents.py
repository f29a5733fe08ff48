"""Innocent accounts: ordinary background, and the groups that look like rings and are none."""

from __future__ import annotations

from dataclasses import replace

from ringfence.worlds import texts
from ringfence.worlds.people import DAY, SPAN, Nursery, Person


def innocents(nursery: Nursery) -> list[Person]:
    """Return all innocent accounts of the demo, population by population."""
    people = _background(nursery, 2700)
    people += [p for _ in range(60) for p in _power_user(nursery)]
    people += [p for n in range(45) for p in _business(nursery, n)]
    people += [p for size in (130, 170, 210, 240) for p in _carrier_nat(nursery, size)]
    people += [p for n in range(20) for p in _one_card(nursery, n)]
    people += [p for size in (55, 75, 90, 120) for p in _university(nursery, size)]
    people += [p for text in texts.FRAMEWORKS for p in _framework(nursery, text, 150)]
    return _ban_some(nursery, people, 35)


def _background(nursery: Nursery, count: int) -> list[Person]:
    return [nursery.person("background") for _ in range(count)]


def _power_user(nursery: Nursery) -> list[Person]:
    """One human being with two to five accounts: same home, same machines, same card."""
    rng = nursery.rng
    ips, devices, cards = nursery.home(), nursery.devices(2), nursery.cards(2)
    templates = nursery.private(2)
    return [
        replace(
            nursery.person("power_user"),
            ips=ips,
            devices=nursery.pick(devices, 1 + int(rng.integers(2))),
            instruments=nursery.pick(cards, 1),
            templates=templates + nursery.private(1),
        )
        for _ in range(int(rng.integers(2, 6)))
    ]


def _business(nursery: Nursery, number: int) -> list[Person]:
    """A company on a cloud host: one to eight accounts behind one egress, jobs on the hour, own cards."""
    rng = nursery.rng
    kind = "hosting" if number % 3 else "business"
    egress = nursery.addresses.several(kind, int(rng.integers(1, 4)))
    app = nursery.private(1)
    return [
        replace(
            nursery.person("business"),
            ips=egress * 3 + nursery.home()[:2],
            org=f"org_b{number}",
            plan="team" if rng.random() < 0.6 else "payg",
            requests=min(20 + int(rng.lognormal(3.2, 0.8)), 300),
            templates=app + nursery.private(2),
            private=0.9,
            nightly=True,
        )
        for _ in range(int(rng.integers(1, 9)))
    ]


def _carrier_nat(nursery: Nursery, size: int) -> list[Person]:
    """Unrelated phones behind the few addresses of one mobile carrier."""
    rng = nursery.rng
    gates = nursery.addresses.several("mobile", int(rng.integers(4, 9)))
    made = []
    for _ in range(size):
        person = nursery.person("carrier_nat")
        made.append(replace(person, ips=nursery.pick(gates, 3) * 3 + nursery.pick(person.ips, 3)))
    return made


def _one_card(nursery: Nursery, number: int) -> list[Person]:
    """A family or an agency that pays all its accounts with one card, from homes or from one office."""
    rng = nursery.rng
    card = nursery.cards(1)
    agency = number % 2 == 0
    office = nursery.addresses.several("business" if agency else "isp", 2)
    shared = nursery.devices(1)
    size = int(rng.integers(8, 26)) if agency else int(rng.integers(3, 8))
    made = []
    for _ in range(size):
        person = nursery.person("agency" if agency else "family")
        made.append(
            replace(
                person,
                instruments=card,
                ips=office * 2 + nursery.pick(person.ips, 4),
                devices=person.devices + (shared if rng.random() < 0.3 else ()),
                org=f"org_a{number}" if agency else None,
            )
        )
    return made


def _university(nursery: Nursery, size: int) -> list[Person]:
    """A course at its deadline: one campus, one assignment, one week, some lab machines."""
    rng = nursery.rng
    gates = nursery.campus(6)
    lab = nursery.devices(max(4, size // 8))
    due = float(rng.uniform(8 * DAY, SPAN - 1))
    task = nursery.book.add(None, texts.assignment(rng))
    made = []
    for _ in range(size):
        person = nursery.person("university")
        # Many sign up for the course, in the weeks before it.
        created = (
            due - float(rng.uniform(7 * DAY, 40 * DAY)) if rng.random() < 0.5 else min(person.created, 0.0)
        )
        made.append(
            replace(
                person,
                created=created,
                until=SPAN,
                deadline=(due, task),
                ips=nursery.pick(gates, 3) * 2 + nursery.pick(person.ips, 4),
                devices=person.devices + (nursery.pick(lab, 1) if rng.random() < 0.4 else ()),
                plan="free" if rng.random() < 0.5 else person.plan,
            )
        )
    return made


def _framework(nursery: Nursery, system: str, size: int) -> list[Person]:
    """Unrelated users of one popular framework, which sends its default system prompt for all of them."""
    made = []
    for _ in range(size):
        person = nursery.person("framework")
        own = nursery.private(1)[0]
        defaults = tuple(
            nursery.book.add(system, nursery.book.pairs[n][1])
            for n in (own, int(nursery.rng.integers(nursery.book.public)))
        )
        made.append(replace(person, templates=defaults * 2 + person.templates[:1], private=0.8))
    return made


def _ban_some(nursery: Nursery, people: list[Person], count: int) -> list[Person]:
    """Ban a few innocents, as providers do by mistake or for other reasons; half are let in again."""
    rng = nursery.rng
    chosen = set(rng.choice(len(people), size=count, replace=False).tolist())
    return [_banned(nursery, p) if n in chosen else p for n, p in enumerate(people)]


def _banned(nursery: Nursery, person: Person) -> Person:
    rng = nursery.rng
    start = max(person.created, 0.0)
    when = start + (SPAN - start) * float(rng.uniform(0.3, 0.8))
    if rng.random() < 0.5:
        return replace(person, banned=when, reinstated=min(when + 2 * DAY, SPAN - 1), until=SPAN)
    return replace(person, banned=when, until=when)
