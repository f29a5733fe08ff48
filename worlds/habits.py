"""What an account does by itself. Every population, rings too, draws from these distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringfence.worlds import words
from ringfence.worlds.hashing import Floats, Ints
from ringfence.worlds.kinds import BUILDER, DAY, MACHINE, SPAN, Kind

PLANS = words.PLANS
_PLAN_SHARES = (0.3, 0.4, 0.2, 0.1)
_VOLUME = np.array((6.0, 22.0, 90.0, 320.0))
"""Median requests in the window, by class of habits."""
_PER_SESSION = np.array((3.0, 4.0, 6.0, 12.0))
_CONSOLE = np.array((0.8, 0.6, 0.25, 0.05))
"""Share of sessions in the browser."""
_PRIVATE = np.array((0.35, 0.5, 0.85, 0.93))
"""Share of requests with prompts of its own."""
_SERVERS = np.array((0.0, 0.02, 0.2, 0.5))
_NEVER_SLEEPS = np.array((0.0, 0.02, 0.25, 0.7))
_MANY_ADDRESSES = np.array((0.1, 0.2, 0.4, 0.5))
"""Share of accounts whose line redials, or whose program runs in many places."""

MOBILE, VPN = 1, 3
"""Kinds of address that everybody may use besides those of his own; see ``ADDRESS_KINDS``."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Columns of shape ``(n,)``."""

    volume: Floats
    """Requests in the window, before they are scaled to a world's total."""
    per_session: Floats
    console: Floats
    private: Floats
    never_sleeps: npt.NDArray[np.bool_]
    addresses: Ints
    servers: Floats
    devices: Ints
    cards: Ints
    templates: Ints
    public_net: npt.NDArray[np.int8]
    """:data:`MOBILE`, :data:`VPN` or -1."""
    public_uses: Floats
    """Share of its sessions from there."""
    framework: Ints
    """The popular framework it is built with; -1: none."""
    language: npt.NDArray[np.int8]
    country: npt.NDArray[np.int8]
    plan: npt.NDArray[np.int8]
    prepaid: Floats
    eager: npt.NDArray[np.bool_]
    end_users: Ints
    created: Floats
    """Seconds since the start of the window; negative where older."""
    until: Floats
    """When it stops."""


def habits(rng: np.random.Generator, kind: Kind, sizes: Ints, languages: int, frameworks: int) -> Habits:
    """Draw the habits of the members of groups of ``sizes``, group by group."""
    count = int(sizes.sum())
    group = np.repeat(np.arange(len(sizes)), sizes)
    mix = np.array(kind.mix)
    klass = rng.choice(4, size=count, p=mix / mix.sum())
    created = _created(rng, kind, len(sizes), group)
    many = rng.random(count) < _MANY_ADDRESSES[klass]
    net = rng.choice(np.array((-1, MOBILE, VPN), dtype=np.int8), size=count, p=(0.45, 0.42, 0.13))
    private = np.clip(rng.normal(_PRIVATE[klass], 0.15), 0.02, 0.98)
    # Members of a group mostly live in one country and write in one language.
    alike = rng.random(count) < 0.75
    country = np.where(
        alike,
        rng.integers(0, len(words.COUNTRIES), len(sizes))[group],
        rng.integers(0, len(words.COUNTRIES), count),
    )
    spoken = np.where(alike, rng.integers(0, languages, len(sizes))[group], rng.integers(0, languages, count))
    return Habits(
        volume=np.minimum(_VOLUME[klass] * rng.lognormal(0, 0.9, count), 6000.0) * kind.volume,
        per_session=np.maximum(1.0, _PER_SESSION[klass] * rng.lognormal(0, 0.5, count)),
        console=np.clip(rng.normal(_CONSOLE[klass], 0.15), 0.0, 1.0),
        private=private / (private + (1 - private) * kind.public),
        never_sleeps=rng.random(count) < _NEVER_SLEEPS[klass],
        addresses=np.where(many, rng.integers(6, 33, count), rng.integers(1, 5, count)),
        servers=np.clip(_SERVERS[klass] + (rng.random(count) < kind.servers) * 0.5, 0, 1),
        devices=1 + rng.integers(0, 3, count) + rng.poisson(0.3, count),
        cards=(rng.random(count) < 0.85) * (1 + (rng.random(count) < 0.2)),
        templates=1 + rng.integers(0, 3, count) + (klass >= BUILDER) * rng.integers(0, 3, count),
        public_net=net,
        public_uses=np.where(net >= 0, rng.beta(1.2, 3.0, count), 0.0),
        framework=np.where(rng.random(count) < kind.framework, _popular(rng, frameworks, count), -1),
        language=spoken.astype(np.int8),
        country=country.astype(np.int8),
        plan=rng.choice(len(PLANS), size=count, p=_PLAN_SHARES).astype(np.int8),
        prepaid=np.full(count, kind.prepaid),
        eager=rng.random(count) < kind.eager,
        end_users=_end_users(rng, kind, klass),
        created=created,
        until=_until(rng, created),
    )


def _created(rng: np.random.Generator, kind: Kind, groups: int, group: Ints) -> Floats:
    count = len(group)
    if kind.aged:
        return -rng.uniform(45 * DAY, 500 * DAY, count)
    if kind.signup_days is not None:
        opens = rng.uniform(-25 * DAY, SPAN - (kind.signup_days + 4) * DAY, groups)
        return opens[group] + rng.uniform(0, kind.signup_days * DAY, count)
    older = rng.random(count) < 0.55
    return np.where(older, -rng.exponential(150 * DAY, count) - 600.0, rng.uniform(0, SPAN - DAY, count))


def _until(rng: np.random.Generator, created: Floats) -> Floats:
    """Four in five are there at the end; the others leave, most of them soon."""
    start = np.maximum(created, 0.0)
    leaves = start + (SPAN - start) * rng.uniform(0.2, 1.0, len(created))
    return np.where(rng.random(len(created)) < 0.8, SPAN, leaves)


def _popular(rng: np.random.Generator, choices: int, count: int) -> Ints:
    """Some are more popular than others."""
    weight = 1.0 / np.arange(1, choices + 1)
    return rng.choice(choices, size=count, p=weight / weight.sum())


def _end_users(rng: np.random.Generator, kind: Kind, klass: Ints) -> Ints:
    """Resellers serve many; so does, in small, one program in five of anybody's."""
    count = len(klass)
    serves = (klass >= MACHINE) & (rng.random(count) < 0.3) | (klass == BUILDER) & (rng.random(count) < 0.1)
    small = np.where(serves, rng.integers(5, 300, count), 0)
    return np.where(
        kind.end_users > 0, (kind.end_users * rng.lognormal(0, 0.7, count)).astype(np.int64), small
    )
