"""One account of the simulated world, and how an ordinary one comes to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ringfence.worlds import texts, words
from ringfence.worlds.networks import RANGES, AddressBook

DAY = 86400.0
DAYS = 30
"""Length of the window that is logged."""
SPAN = DAYS * DAY


@dataclass(frozen=True, slots=True)
class Person:
    """An account and what its holder has. Times are seconds since the start of the window."""

    population: str
    created: float
    """Negative where the account is older than the window."""
    until: float
    """When it stops sending."""
    requests: int
    """How many ordinary requests it sends."""
    country: int
    """Index into the countries."""
    plan: str
    ips: tuple[str, ...]
    """Addresses, one a session, drawn evenly; an address listed twice is used twice as often."""
    devices: tuple[str, ...]
    instruments: tuple[str, ...]
    """Payment instruments, as ``type:bin:id``; empty where it never pays."""
    templates: tuple[int, ...]
    """Private (system prompt, prompt) pairs, by their number in the :class:`Book`."""
    private: float
    """Share of its ordinary requests that use a private pair; the rest are public tasks."""
    ring: str | None = None
    role: str | None = None
    org: str | None = None
    nightly: bool = False
    """Whether requests come on the hour, by a scheduler, rather than by day."""
    banned: float | None = None
    reinstated: float | None = None
    deadline: tuple[float, int] | None = None
    """When the assignment is due, and its number in the book."""


class Book:
    """Every (system prompt, prompt) pair of templates that is in use; a pair is known by its number."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str | None, str]] = [(None, task) for task in texts.TASKS]
        self.public = len(self.pairs)

    def add(self, system: str | None, prompt: str) -> int:
        """Put a pair into the book and return its number."""
        self.pairs.append((system, prompt))
        return len(self.pairs) - 1


class Nursery:
    """Draws what accounts are made of; rings and innocents come from the same distributions."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.addresses = AddressBook(rng)
        self.book = Book()
        self._bins = [f"{n}" for n in rng.choice(np.arange(400000, 560000), size=80, replace=False).tolist()]
        self._exits = self.addresses.several("vpn", 60)

    def person(self, population: str) -> Person:
        """Return an ordinary account: its own addresses, devices, card and templates."""
        rng = self.rng
        created = self.created()
        # One in twelve builds something: much traffic of one kind, from lines that redial.
        builds = bool(rng.random() < 1 / 12)
        return Person(
            population=population,
            created=created,
            until=self._until(created),
            requests=int(rng.uniform(45, 140)) if builds else min(2 + int(rng.lognormal(2.15, 0.9)), 190),
            country=int(rng.integers(len(words.COUNTRIES))),
            plan=self.plan(),
            ips=self.home(0.75 if builds else 0.07),
            devices=self.devices(1 + int(rng.integers(3))),
            instruments=self.cards(1 + int(rng.random() < 0.2)) if rng.random() < 0.8 else (),
            templates=self.private(1 + int(rng.integers(3))),
            private=float(rng.beta(9, 1) if builds else rng.beta(2, 2)),
        )

    def created(self) -> float:
        """Return when an account is made: half before the window, half within it."""
        if self.rng.random() < 0.5:
            return -float(self.rng.exponential(120 * DAY)) - 600.0
        return float(self.rng.uniform(0, SPAN - DAY))

    def plan(self) -> str:
        """Return a plan."""
        return words.PLANS[int(self.rng.choice(4, p=(0.3, 0.4, 0.2, 0.1)))]

    def home(self, redials: float = 0.1) -> tuple[str, ...]:
        """Return a home line, which may redial often, at times a phone, a server or a VPN exit as well."""
        rng = self.rng
        few, many = int(rng.integers(1, 5)), int(rng.integers(8, 16))
        ips = self.addresses.several("isp", many if rng.random() < redials else few) * 3
        if rng.random() < 0.45:
            ips += self.addresses.several("mobile", int(rng.integers(1, 3)))
        if rng.random() < 0.15:
            ips += self.addresses.several("hosting", 1) * 2
        if rng.random() < 0.12:
            ips += self.pick(self._exits, int(rng.integers(1, 3)))
        return ips

    def campus(self, count: int) -> tuple[str, ...]:
        """Return addresses of one university."""
        campuses = [r.cidr for r in RANGES if r.kind == "education"]
        return self.addresses.several("education", count, of=campuses[int(self.rng.integers(len(campuses)))])

    def devices(self, count: int) -> tuple[str, ...]:
        """Return fresh devices."""
        return tuple(f"dev_{self.rng.bytes(6).hex()}" for _ in range(count))

    def cards(self, count: int) -> tuple[str, ...]:
        """Return fresh payment instruments; one in six is prepaid."""
        rng = self.rng
        kinds = rng.choice(("card", "card", "card", "prepaid", "wallet", "bank"), size=count).tolist()
        bins = rng.integers(len(self._bins), size=count).tolist()
        return tuple(
            f"{kind}:{self._bins[n]}:pi_{rng.bytes(7).hex()}" for kind, n in zip(kinds, bins, strict=True)
        )

    def private(self, count: int) -> tuple[int, ...]:
        """Return fresh private templates; one in five asks for reasoning, one in eight for marks."""
        rng = self.rng
        made = []
        for _ in range(count):
            asks = rng.random(2)
            pair = texts.compose(
                rng, texts.company_name(rng), reasoning=asks[0] < 0.2, rubric=asks[1] < 0.125
            )
            made.append(self.book.add(*pair))
        return tuple(made)

    def pick(self, values: Sequence[str], count: int) -> tuple[str, ...]:
        """Return ``count`` different values of a pool."""
        numbers = self.rng.choice(len(values), size=min(count, len(values)), replace=False)
        return tuple(values[int(n)] for n in numbers)

    def _until(self, created: float) -> float:
        if self.rng.random() < 0.8:
            return SPAN
        start = max(created, 0.0)
        return start + (SPAN - start) * float(self.rng.uniform(0.3, 1.0))
