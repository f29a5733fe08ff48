"""A world before anything happens in it: who there is, what they share, and what they mean to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ringfence.worlds.groups import Pools, Uses, group_sizes, share
from ringfence.worlds.habits import Habits, habits
from ringfence.worlds.hashing import Floats, Ints
from ringfence.worlds.kinds import DAY, SPAN, Kind, Rhythm
from ringfence.worlds.networks import ADDRESS_KINDS
from ringfence.worlds.phrases import FRAMEWORKS, PHRASEBOOKS, TACTICS

T = TypeVar("T")

NO_ROLE, CORE, MEMBER, BYSTANDER = range(4)
ROLES = (None, "core", "member", "bystander")
PASTED = ("", "assignment", "starter")
ANY_CARD, PREPAID_CARD = 0, 1
_CUSTOMERS_BESIDE_RINGS = 0.85
"""Share of the proxies' customers who are in networks that rings hide in."""
CORE_FACTOR = 6.0
"""How many times as much as others a core account sends for its ring."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Columns of shape ``(n,)``; an account is known by its place."""

    kind: Ints
    """Index into the plan's kinds."""
    group: Ints
    """Index into its groups."""
    role: npt.NDArray[np.int8]
    network: Ints
    """The proxy network it goes through; -1: none."""
    habits: Habits
    ips: Uses
    devices: Uses
    cards: Uses
    own_volume: Floats
    """Expected requests of its own in the window."""
    group_volume: Floats
    """Expected requests together with its group."""
    banned: Floats
    """Seconds since the start of the window; infinite: never."""
    reinstated: Floats
    replaces: Ints
    """The account it was made to replace; -1: none."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Columns of shape ``(g,)``."""

    kind: Ints
    operator: Ints
    """The ring's number; -1: innocent."""
    organisation: npt.NDArray[np.bool_]
    rhythm: npt.NDArray[np.int8]
    crew: Floats
    starts: Floats
    """When what they do together starts, in seconds since the start of the window."""
    ends: Floats
    utc_offset: Floats
    shifts: Ints
    """Stretches of work a day."""
    shift_hours: Floats
    language: npt.NDArray[np.int8]
    template: Ints
    """The first of its templates."""
    templates: Ints
    """How many it has; 0: each member has its own, or there is nothing that they send together."""
    own_templates: npt.NDArray[np.bool_]
    pasted: npt.NDArray[np.int8]
    """Index into :data:`PASTED`."""
    tactic: npt.NDArray[np.int8]
    """Index into the tactics; -1: any, or none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A world before its days."""

    kinds: tuple[Kind, ...]
    accounts: Accounts
    groups: Groups
    addresses: Pools

    @property
    def size(self) -> int:
        """How many accounts there are."""
        return len(self.accounts.kind)

    @property
    def ring(self) -> Ints:
        """The ring of each account; -1: none. Shape ``(n,)``."""
        return self.groups.operator[self.accounts.group]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One kind of group and how much of it there is to be."""

    kind: Kind
    sizes: Ints | None = None
    """Members of each group; drawn where not given."""
    accounts: int = 0
    requests: float | None = None
    """What its accounts send in all; None: as everybody."""


@dataclass(frozen=True, slots=True)
class _Networks:
    """Proxy networks: their addresses."""

    start: Ints
    size: Ints


class Planner:
    """Makes the plan of a world.

    Args:
        seed: The world's seed. Each kind of group has draws of its own: changing one leaves the others.
        swap_languages: Each language in place of another, all else equal.
    """

    def __init__(self, seed: int, *, swap_languages: bool = False) -> None:
        self._seed = seed
        self._rng = np.random.default_rng([seed, 0])
        self._shift = 1 if swap_languages else 0
        self._addresses, self._devices, self._cards, self._templates = Pools(), Pools(), Pools(), Pools()
        self._networks = _Networks(np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._kinds: list[Kind] = []
        self._accounts: list[Accounts] = []
        self._groups: list[Groups] = []
        self._rings = 0
        self._ring_networks = 0

    def plan(self, rings: Sequence[Wanted], innocents: Sequence[Wanted], per_innocent: float) -> Plan:
        """Return the plan.

        Args:
            rings: The rings; each group is one ring, but that two groups of ``shared_network`` share one.
            innocents: The innocent populations.
            per_innocent: Mean requests of an innocent, but of those with a total of their own.
        """
        for wanted in rings:
            self._add(wanted, guilty=True)
        self._ring_networks = len(self._networks.start)
        for pools in (self._addresses, self._devices, self._cards, self._templates):
            pools.leave_room()
        self._rng = np.random.default_rng([self._seed, 1])
        self._add_plain_networks(sum(w.accounts for w in innocents))
        for wanted in innocents:
            self._add(wanted, guilty=False)
        accounts, groups = _joined(self._accounts), _joined(self._groups)
        free = np.array([w.requests is None for w in (*rings, *innocents)])[accounts.kind]
        mine = free & (groups.operator[accounts.group] < 0)
        accounts = _scaled(accounts, mine, per_innocent * mine.sum())
        accounts = self._with_bans(accounts)
        return Plan(tuple(self._kinds), accounts, groups, self._addresses)

    def _add(self, wanted: Wanted, *, guilty: bool) -> None:
        kind = wanted.kind
        self._rng = rng = np.random.default_rng([self._seed, 2, *kind.name.encode()])
        sizes = wanted.sizes if wanted.sizes is not None else group_sizes(rng, wanted.accounts, kind.size)
        number, first = len(self._kinds), sum(len(g.kind) for g in self._groups)
        self._kinds.append(kind)
        own = habits(rng, kind, sizes, len(PHRASEBOOKS), len(FRAMEWORKS))
        own = replace(own, language=_rotated(own.language, self._shift))
        groups = self._make_groups(kind, number, sizes, own.language, guilty=guilty)
        own = _in_time(rng, own, groups, np.repeat(np.arange(len(sizes)), sizes))
        ips, network = self._addresses_of(kind, sizes, guilty=guilty)
        together = kind.together.share if kind.together else 0.0
        heavy = np.where(rng.random(len(own.volume)) < kind.heavy, CORE, MEMBER)
        factor = np.where(heavy == CORE, CORE_FACTOR, 1.0) if guilty else 1.0
        accounts = Accounts(
            kind=np.full(len(own.volume), number),
            group=first + np.repeat(np.arange(len(sizes)), sizes),
            role=self._roles(kind, heavy, network, guilty=guilty),
            network=network,
            habits=own,
            ips=ips,
            devices=share(rng, self._devices, sizes, kind.device, 0),
            cards=share(rng, self._cards, sizes, kind.instrument, _card(kind)),
            own_volume=own.volume * (1 - together),
            group_volume=own.volume * together * factor,
            banned=np.full(len(own.volume), np.inf),
            reinstated=np.full(len(own.volume), np.inf),
            replaces=np.full(len(own.volume), -1),
        )
        if wanted.requests is not None:
            accounts = _scaled(accounts, np.ones(len(own.volume), dtype=bool), wanted.requests)
        self._groups.append(groups)
        self._accounts.append(accounts)

    def _roles(self, kind: Kind, heavy: Ints, network: Ints, *, guilty: bool) -> npt.NDArray[np.int8]:
        if guilty:
            return heavy.astype(np.int8)
        beside_a_ring = (network >= 0) & (network < self._ring_networks)
        return np.where(beside_a_ring, BYSTANDER, NO_ROLE).astype(np.int8)

    def _addresses_of(self, kind: Kind, sizes: Ints, *, guilty: bool) -> tuple[Uses, Ints]:
        """Return the shared addresses of the members, and their proxy networks."""
        code = ADDRESS_KINDS.index(kind.ip.kind) if kind.ip and kind.ip.kind else 0
        accounts = int(sizes.sum())
        if not kind.network or kind.ip is None:
            return share(self._rng, self._addresses, sizes, kind.ip, code), np.full(accounts, -1)
        if guilty:
            return self._through_own_network(kind, sizes, code)
        network = self._rng.choice(len(self._networks.size), size=accounts, p=self._popularity())
        start, size_of = self._networks.start[network], self._networks.size[network]
        if kind.name == "proxy_victim":
            # A victim's own line is one address of the network.
            start, size_of = start + self._rng.integers(0, size_of), np.ones(accounts, dtype=np.int64)
        uses = Uses(start, size_of, np.full(accounts, kind.ip.uses), np.zeros(accounts, dtype=np.int64))
        return uses, network

    def _popularity(self) -> Floats:
        """Return the share of customers that each network has: most are where rings hide, by size."""
        size = self._networks.size.astype(float)
        of_rings = np.arange(len(size)) < self._ring_networks
        share = _CUSTOMERS_BESIDE_RINGS if of_rings.any() else 0.0
        popularity: Floats = np.where(
            of_rings, share * size / max(size[of_rings].sum(), 1), (1 - share) * size / size[~of_rings].sum()
        )
        return popularity

    def _through_own_network(self, kind: Kind, sizes: Ints, code: int) -> tuple[Uses, Ints]:
        """Make the networks of rings; two operators share one where the type says so."""
        assert kind.ip is not None
        per_network = 2 if kind.name == "shared_network" else 1
        of_group = np.arange(len(sizes)) // per_network
        members = np.bincount(of_group, weights=sizes).astype(np.int64)
        size = np.maximum(kind.ip.least, np.round(kind.ip.each * members)).astype(np.int64)
        start = self._addresses.add(size, code)
        first = len(self._networks.start)
        self._networks = _Networks(
            np.concatenate((self._networks.start, start)), np.concatenate((self._networks.size, size))
        )
        mine = np.repeat(of_group, sizes)
        uses = Uses(start[mine], size[mine], np.full(len(mine), kind.ip.uses), np.zeros(len(mine), np.int64))
        return uses, first + mine

    def _add_plain_networks(self, innocents: int) -> None:
        """Add proxy networks that no ring is on: most customers of proxies are nothing but that."""
        sizes = self._rng.integers(20, 80, 2 + innocents // 50_000).astype(np.int64)
        start = self._addresses.add(sizes, ADDRESS_KINDS.index("isp"))
        self._networks = _Networks(
            np.concatenate((self._networks.start, start)), np.concatenate((self._networks.size, sizes))
        )

    def _make_groups(
        self, kind: Kind, number: int, sizes: Ints, spoken: npt.NDArray[np.int8], *, guilty: bool
    ) -> Groups:
        rng, count, together = self._rng, len(sizes), kind.together
        operator = np.full(count, -1)
        if guilty:
            operator = self._rings + np.arange(count)
            self._rings += count
        own = together is None or together.own_templates
        templates = np.zeros(count, dtype=np.int64)
        if together is not None and not own:
            templates = np.maximum(together.least_templates, np.round(together.templates * sizes)).astype(int)
        rhythm = together.rhythm if together else Rhythm.OWN_HOURS
        starts, ends = _stretch(rng, rhythm, count, guilty=guilty)
        tactic = rng.integers(0, len(TACTICS), count) if together and together.tactics else np.full(count, -1)
        return Groups(
            kind=np.full(count, number),
            operator=operator,
            organisation=rng.random(count) < kind.organisation,
            rhythm=np.full(count, rhythm, dtype=np.int8),
            crew=np.full(count, together.crew if together else 1.0),
            starts=starts,
            ends=ends,
            utc_offset=rng.integers(-8, 10, count).astype(float),
            shifts=rng.integers(1, 4, count),
            shift_hours=rng.uniform(2.0, 6.0, count),
            language=spoken[np.cumsum(sizes) - sizes],
            template=self._templates.add(templates, 0),
            templates=templates,
            own_templates=np.full(count, own and together is not None),
            pasted=np.full(count, PASTED.index(together.pasted if together else ""), dtype=np.int8),
            tactic=tactic.astype(np.int8),
        )

    def _with_bans(self, accounts: Accounts) -> Accounts:
        """Ban some; some of the banned come back as new accounts, others are let in again."""
        rng = np.random.default_rng([self._seed, 3])
        chance = np.array([k.banned for k in self._kinds])[accounts.kind]
        works_from = np.concatenate([g.starts for g in self._groups])[accounts.group]
        start = np.maximum(accounts.habits.created, np.where(accounts.group_volume > 0, works_from, 0.0))
        when = start + (SPAN - start) * rng.uniform(0.25, 0.85, len(start))
        banned = rng.random(len(start)) < chance
        comes_back = banned & (
            rng.random(len(start)) < np.array([k.replaced for k in self._kinds])[accounts.kind]
        )
        let_in = banned & ~comes_back & (rng.random(len(start)) < 0.4)
        accounts = replace(
            accounts,
            banned=np.where(banned, when, np.inf),
            reinstated=np.where(let_in, np.minimum(when + 2 * DAY, SPAN - 1), np.inf),
        )
        old = np.flatnonzero(comes_back)
        made = when[old] + rng.uniform(3600, 1.6 * DAY, len(old))
        fresh = _taken(accounts, old)
        fresh = replace(
            fresh,
            habits=replace(fresh.habits, created=made, until=np.full(len(old), SPAN)),
            banned=np.full(len(old), np.inf),
            reinstated=np.full(len(old), np.inf),
            replaces=old,
        )
        # Between them the two send what one would have sent.
        spent = np.where(comes_back, (when - start) / (SPAN - start), 1.0)
        accounts, fresh = _sending(accounts, spent), _sending(fresh, (SPAN - made) / (SPAN - start[old]))
        inside = made < SPAN - DAY
        return _joined([accounts, _taken(fresh, np.flatnonzero(inside))])


def _card(kind: Kind) -> int:
    return PREPAID_CARD if kind.instrument and kind.instrument.kind == "prepaid" else ANY_CARD


def _rotated(language: npt.NDArray[np.int8] | Ints, shift: int) -> npt.NDArray[np.int8]:
    return ((language + shift) % len(PHRASEBOOKS)).astype(np.int8)


def _stretch(rng: np.random.Generator, rhythm: Rhythm, count: int, *, guilty: bool) -> tuple[Floats, Floats]:
    """Return when groups start and end what they do together."""
    if rhythm is Rhythm.DEADLINE:
        due = rng.uniform(8 * DAY, SPAN - 1, count)
        return due - 7 * DAY, due
    if rhythm is Rhythm.EVENT:
        opens = np.floor(rng.uniform(3, 27, count)) * DAY + 9 * 3600
        return opens, opens + 1.5 * DAY
    late = rng.random(count) < (0.6 if guilty else 0.4)
    starts = np.where(late, rng.uniform(0, 18 * DAY, count), 0.0)
    return starts, np.full(count, SPAN)


def _in_time(rng: np.random.Generator, own: Habits, groups: Groups, at: Ints) -> Habits:
    """Return habits of members who are there while their group works.

    Args:
        rng: Where draws come from.
        own: Their habits.
        groups: The groups.
        at: The group of each member; shape ``(n,)``.
    """
    bounded = np.isin(groups.rhythm[at], (Rhythm.DEADLINE, Rhythm.EVENT))
    latest = groups.starts[at] + np.where(groups.rhythm[at] == Rhythm.EVENT, 0.3 * DAY, 5 * DAY)
    created = np.where(
        bounded & (own.created > latest), latest - rng.uniform(0, 3 * DAY, len(at)), own.created
    )
    until = np.maximum(own.until, np.minimum(groups.starts[at] + 3 * DAY, SPAN))
    return replace(own, created=created, until=until)


def _scaled(accounts: Accounts, which: npt.NDArray[np.bool_], total: float) -> Accounts:
    """Scale the requests of some accounts to a total."""
    now = float((accounts.own_volume + accounts.group_volume)[which].sum())
    return _sending(accounts, np.where(which, total / now if now else 1.0, 1.0))


def _sending(accounts: Accounts, part: Floats) -> Accounts:
    """Return accounts that send so much of what they would have sent."""
    return replace(accounts, own_volume=accounts.own_volume * part, group_volume=accounts.group_volume * part)


def _joined(parts: Sequence[T]) -> T:
    """Return records of columns one after the other."""
    joined: T = _each_column(np.concatenate, *parts)
    return joined


def _taken(record: T, rows: Ints) -> T:
    """Return the given rows of a record of columns."""
    taken: T = _each_column(lambda columns: columns[0][rows], record)
    return taken


def _each_column(function: Callable[[Sequence[Any]], Any], *records: Any) -> Any:
    """Apply a function to each column of like records, and of records in them."""
    if isinstance(records[0], np.ndarray):
        return function(records)
    names = [field.name for field in fields(records[0])]
    return type(records[0])(**{n: _each_column(function, *(getattr(r, n) for r in records)) for n in names})


def ring_names(plan: Plan) -> Mapping[int, str]:
    """Return the name of each ring by its number."""
    rings = np.flatnonzero(plan.groups.operator >= 0)
    return {
        int(plan.groups.operator[g]): f"{plan.kinds[plan.groups.kind[g]].name}-{plan.groups.operator[g]:03d}"
        for g in rings
    }
